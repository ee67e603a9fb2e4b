"""Animals: voices made of harmonics, formants and breath."""

from __future__ import annotations

import numpy as np

from engine.sounds.synthesis import Signal, SynthContext, hump


def _voice(synth: SynthContext, pitch_hz: Signal, slope: float, formants_hz: tuple[tuple[float, float], ...]) -> Signal:
    """Harmonics through parallel formant bands (low and high edge in Hz), a little of the source kept."""
    source = synth.harmonics(pitch_hz, 24, slope)
    shaped = 0.15 * source
    for low, high in formants_hz:
        shaped += synth.bandpass(source, low, high, order=1)
    return shaped


def dog(synth: SynthContext) -> Signal:
    """Barks: short harmonic bursts with rough breath."""
    is_slow = synth.choose("speed", "slow", "fast") == "slow"
    is_low = synth.choose("pitch", "low", "high") == "low"
    base = synth.uniform(180, 240) if is_low else synth.uniform(480, 620)
    track = synth.silence()
    for start in synth.onsets(synth.uniform(0.9, 1.2) if is_slow else synth.uniform(2.4, 3.2)):
        seconds = synth.uniform(0.16, 0.24)
        course = np.linspace(0, 1, len(synth.span(seconds)))
        tone = synth.harmonics(base * (1 + 0.5 * np.sin(np.pi * course) - 0.2 * course), 13, 0.8)
        bark = synth.bandpass(tone, base * 2, base * 6) + 0.3 * tone
        bark += 0.4 * synth.bandpass(synth.noise(seconds), 800, 3000)
        synth.place(track, bark * hump(len(bark)) ** 0.6, start)
    return track


def cat(synth: SynthContext) -> Signal:
    """Meows: a gliding arch of pitch that opens from "ee" to "ow"."""
    is_slow = synth.choose("speed", "slow", "fast") == "slow"
    is_low = synth.choose("pitch", "low", "high") == "low"
    base = synth.uniform(330, 420) if is_low else synth.uniform(680, 850)
    track = synth.silence()
    for start in synth.onsets(synth.uniform(0.55, 0.7) if is_slow else synth.uniform(1.4, 1.8), 0.12):
        seconds = synth.uniform(0.75, 1.0) if is_slow else synth.uniform(0.4, 0.5)
        course = np.linspace(0, 1, len(synth.span(seconds)))
        pitch = base * (0.85 + 0.5 * np.sin(np.pi * course**0.8) - 0.2 * course)
        front = _voice(synth, pitch, 0.7, ((2200, 3200),))
        back = _voice(synth, pitch, 0.7, ((700, 1300),))
        opening = np.clip((course - 0.15) / 0.5, 0, 1)
        synth.place(track, (front * (1 - opening) + back * opening) * hump(len(course)) ** 0.7, start)
    return track


def cow(synth: SynthContext) -> Signal:
    """Moos: a long low nasal tone that opens and sinks."""
    is_low = synth.choose("pitch", "low", "high") == "low"
    base = synth.uniform(85, 110) if is_low else synth.uniform(170, 220)
    track = synth.silence()
    for start in synth.occasions(0.5, 2.3, 3.0):
        seconds = synth.uniform(1.4, 1.9)
        course = np.linspace(0, 1, len(synth.span(seconds)))
        pitch = base * (0.85 + 0.3 * np.sin(np.pi * np.minimum(1, course * 1.1)) + 0.02 * np.sin(40 * course))
        closed = _voice(synth, pitch, 1.0, ((180, 320),))
        opened = _voice(synth, pitch, 0.8, ((450, 750), (900, 1200)))
        opening = np.sin(np.pi * np.clip((course - 0.1) / 0.9, 0, 1))
        synth.place(track, (closed * (1 - opening) + 1.5 * opened * opening) * hump(len(course)) ** 0.5, start)
    return track


def frog(synth: SynthContext) -> Signal:
    """Croaks: bursts of narrow pulses, in twos ("rib-bit")."""
    is_slow = synth.choose("speed", "slow", "fast") == "slow"
    is_low = synth.choose("pitch", "low", "high") == "low"
    centre = synth.uniform(380, 500) if is_low else synth.uniform(1000, 1350)
    pulse_rate = synth.uniform(38, 55)
    track = synth.silence()
    for start in synth.onsets(synth.uniform(0.8, 1.1) if is_slow else synth.uniform(2.2, 2.7), 0.08):
        for offset, seconds, bend in ((0.0, 0.13, 1.0), (0.17, 0.17, 1.2)):
            time = synth.span(seconds)
            pulses = np.exp(-((time * pulse_rate) % 1) * 4)
            tone = np.sin(2 * np.pi * centre * bend * time) + 0.6 * np.sin(4 * np.pi * centre * bend * time)
            synth.place(track, tone * pulses * hump(len(time)) ** 0.4, start + offset, 0.7 if offset == 0 else 1.0)
    return track


def birds(synth: SynthContext) -> Signal:
    """Phrases of quick gliding whistles."""
    is_slow = synth.choose("speed", "slow", "fast") == "slow"
    base = synth.uniform(2800, 4200)
    track = synth.silence()
    moment = synth.uniform(0, min(0.5, 0.2 * synth.seconds))
    while moment < synth.seconds:
        for _ in range(synth.count(2, 6)):
            seconds = synth.uniform(0.05, 0.13)
            course = np.linspace(0, 1, len(synth.span(seconds)))
            trill = 0.06 * np.sin(2 * np.pi * course * synth.count(1, 4))
            pitch = base * (1 + synth.uniform(-0.2, 0.2) + synth.uniform(-0.35, 0.35) * course + trill)
            synth.place(track, np.sin(synth.phase(pitch)) * hump(len(course)), moment, synth.uniform(0.5, 1))
            moment += seconds + synth.uniform(0.02, 0.06)
        moment += synth.uniform(0.8, 1.4) if is_slow else synth.uniform(0.12, 0.3)
    return track


def crickets(synth: SynthContext) -> Signal:
    """A high tone in fluttering chirps, with faint others in the background."""
    is_slow = synth.choose("speed", "slow", "fast") == "slow"
    pitch = synth.uniform(4000, 5200)
    rate = synth.uniform(1.2, 2) if is_slow else synth.uniform(4, 6)
    turn = (synth.time * rate + synth.uniform(0, 0.25)) % 1
    flutter = 0.5 + 0.5 * np.cos(2 * np.pi * synth.uniform(35, 50) * synth.time)
    near = synth.gate(turn < 0.45, 40) * flutter**2 * np.sin(2 * np.pi * pitch * synth.time)
    far = 0.12 * np.sin(2 * np.pi * pitch * 1.07 * synth.time) * flutter * synth.wander(3)
    chorus: Signal = near + far
    return chorus
