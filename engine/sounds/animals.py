"""Animals: voices made of harmonics, formants and breath."""

from __future__ import annotations

import numpy as np

from engine.sounds.synthesis import Signal, Studio, hump


def _voice(studio: Studio, pitch_hz: Signal, slope: float, formants_hz: tuple[tuple[float, float], ...]) -> Signal:
    """Harmonics through parallel formant bands (low and high edge in Hz), a little of the source kept."""
    source = studio.harmonics(pitch_hz, 24, slope)
    shaped = 0.15 * source
    for low, high in formants_hz:
        shaped += studio.bandpass(source, low, high, order=1)
    return shaped


def dog(studio: Studio) -> Signal:
    """Barks: short harmonic bursts with rough breath."""
    is_slow = studio.choose("speed", "slow", "fast") == "slow"
    is_low = studio.choose("pitch", "low", "high") == "low"
    base = studio.uniform(180, 240) if is_low else studio.uniform(480, 620)
    track = studio.silence()
    for start in studio.onsets(studio.uniform(0.9, 1.2) if is_slow else studio.uniform(2.4, 3.2)):
        seconds = studio.uniform(0.16, 0.24)
        course = np.linspace(0, 1, len(studio.span(seconds)))
        tone = studio.harmonics(base * (1 + 0.5 * np.sin(np.pi * course) - 0.2 * course), 13, 0.8)
        bark = studio.bandpass(tone, base * 2, base * 6) + 0.3 * tone
        bark += 0.4 * studio.bandpass(studio.noise(seconds), 800, 3000)
        studio.place(track, bark * hump(len(bark)) ** 0.6, start)
    return track


def cat(studio: Studio) -> Signal:
    """Meows: a gliding arch of pitch that opens from "ee" to "ow"."""
    is_slow = studio.choose("speed", "slow", "fast") == "slow"
    is_low = studio.choose("pitch", "low", "high") == "low"
    base = studio.uniform(330, 420) if is_low else studio.uniform(680, 850)
    track = studio.silence()
    for start in studio.onsets(studio.uniform(0.55, 0.7) if is_slow else studio.uniform(1.4, 1.8), 0.12):
        seconds = studio.uniform(0.75, 1.0) if is_slow else studio.uniform(0.4, 0.5)
        course = np.linspace(0, 1, len(studio.span(seconds)))
        pitch = base * (0.85 + 0.5 * np.sin(np.pi * course**0.8) - 0.2 * course)
        front = _voice(studio, pitch, 0.7, ((2200, 3200),))
        back = _voice(studio, pitch, 0.7, ((700, 1300),))
        opening = np.clip((course - 0.15) / 0.5, 0, 1)
        studio.place(track, (front * (1 - opening) + back * opening) * hump(len(course)) ** 0.7, start)
    return track


def cow(studio: Studio) -> Signal:
    """Moos: a long low nasal tone that opens and sinks."""
    is_low = studio.choose("pitch", "low", "high") == "low"
    base = studio.uniform(85, 110) if is_low else studio.uniform(170, 220)
    track = studio.silence()
    for start in studio.occasions(0.5, 2.3, 3.0):
        seconds = studio.uniform(1.4, 1.9)
        course = np.linspace(0, 1, len(studio.span(seconds)))
        pitch = base * (0.85 + 0.3 * np.sin(np.pi * np.minimum(1, course * 1.1)) + 0.02 * np.sin(40 * course))
        closed = _voice(studio, pitch, 1.0, ((180, 320),))
        opened = _voice(studio, pitch, 0.8, ((450, 750), (900, 1200)))
        opening = np.sin(np.pi * np.clip((course - 0.1) / 0.9, 0, 1))
        studio.place(track, (closed * (1 - opening) + 1.5 * opened * opening) * hump(len(course)) ** 0.5, start)
    return track


def frog(studio: Studio) -> Signal:
    """Croaks: bursts of narrow pulses, in twos ("rib-bit")."""
    is_slow = studio.choose("speed", "slow", "fast") == "slow"
    is_low = studio.choose("pitch", "low", "high") == "low"
    centre = studio.uniform(380, 500) if is_low else studio.uniform(1000, 1350)
    pulse_rate = studio.uniform(38, 55)
    track = studio.silence()
    for start in studio.onsets(studio.uniform(0.8, 1.1) if is_slow else studio.uniform(2.2, 2.7), 0.08):
        for offset, seconds, bend in ((0.0, 0.13, 1.0), (0.17, 0.17, 1.2)):
            time = studio.span(seconds)
            pulses = np.exp(-((time * pulse_rate) % 1) * 4)
            tone = np.sin(2 * np.pi * centre * bend * time) + 0.6 * np.sin(4 * np.pi * centre * bend * time)
            studio.place(track, tone * pulses * hump(len(time)) ** 0.4, start + offset, 0.7 if offset == 0 else 1.0)
    return track


def birds(studio: Studio) -> Signal:
    """Phrases of quick gliding whistles."""
    is_slow = studio.choose("speed", "slow", "fast") == "slow"
    base = studio.uniform(2800, 4200)
    track = studio.silence()
    moment = studio.uniform(0, min(0.5, 0.2 * studio.seconds))
    while moment < studio.seconds:
        for _ in range(studio.count(2, 6)):
            seconds = studio.uniform(0.05, 0.13)
            course = np.linspace(0, 1, len(studio.span(seconds)))
            trill = 0.06 * np.sin(2 * np.pi * course * studio.count(1, 4))
            pitch = base * (1 + studio.uniform(-0.2, 0.2) + studio.uniform(-0.35, 0.35) * course + trill)
            studio.place(track, np.sin(studio.phase(pitch)) * hump(len(course)), moment, studio.uniform(0.5, 1))
            moment += seconds + studio.uniform(0.02, 0.06)
        moment += studio.uniform(0.8, 1.4) if is_slow else studio.uniform(0.12, 0.3)
    return track


def crickets(studio: Studio) -> Signal:
    """A high tone in fluttering chirps, others faint behind."""
    is_slow = studio.choose("speed", "slow", "fast") == "slow"
    pitch = studio.uniform(4000, 5200)
    rate = studio.uniform(1.2, 2) if is_slow else studio.uniform(4, 6)
    turn = (studio.time * rate + studio.uniform(0, 0.25)) % 1
    flutter = 0.5 + 0.5 * np.cos(2 * np.pi * studio.uniform(35, 50) * studio.time)
    near = studio.gate(turn < 0.45, 40) * flutter**2 * np.sin(2 * np.pi * pitch * studio.time)
    far = 0.12 * np.sin(2 * np.pi * pitch * 1.07 * studio.time) * flutter * studio.wander(3)
    chorus: Signal = near + far
    return chorus
