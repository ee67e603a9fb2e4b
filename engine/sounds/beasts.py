"""A pig, a lion, a mosquito, and what a body does by itself: coughs and heartbeats."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from engine.sounds.synthesis import Signal, SynthContext
from engine.sounds.vocal import Tract, Unrest, curve, drift, swell, utter

_GRUNT = Tract(
    ((360, 1100, 2100, 3200, 4800), (520, 1350, 2400, 3500, 5200), (330, 1000, 2000, 3100, 4700)),
    (8, 12, 11, 8, 5),
    (200, 280, 400, 600, 1500),
    tilt_db=6.0,
)
_SQUEAL = Tract(
    ((1000, 1900, 3300, 4800, 7500), (1250, 2300, 3700, 5200, 8000), (950, 1800, 3200, 4700, 7400)),
    (9, 12, 11, 8, 6),
    (300, 400, 600, 800, 1600),
    tilt_db=5.0,
    low_db=14.0,
)
_ROAR = Tract(
    ((260, 650, 1500, 2600, 4200), (420, 900, 1900, 2900, 4600), (280, 700, 1500, 2600, 4200)),
    (12, 11, 8, 6, 4),
    (150, 240, 400, 600, 1500),
    tilt_db=11.0,
    low_db=3.0,
)
_COUGH = Tract(
    ((650, 1350, 2500, 3600, 5200, 8000), (750, 1450, 2600, 3700, 5300, 8000), (550, 1250, 2400, 3500, 5000, 7800)),
    (10, 10, 9, 8, 6, 5),
    (200, 260, 350, 450, 700, 1800),
    tilt_db=3.5,
    low_db=9.0,
)


def _squeal(synth: SynthContext, seconds: float) -> Signal:
    """A pig that protests: a rough scream that climbs and breaks."""
    top = synth.uniform(750, 1500)
    tune = curve(synth, seconds, (0, 0.6), (0.2, 1.0), (0.5, synth.uniform(0.85, 1.25)), (0.8, 1.0), (1, 0.5))
    loudness = swell(synth, seconds, 0.05, 0.2 * seconds) * (0.75 + 0.25 * drift(synth, seconds, 14))
    unrest = Unrest(jitter=0.06, shimmer=0.3, rough=synth.uniform(0.2, 0.9), chaos=synth.uniform(0.25, 0.65))
    pitch = top * tune * (1 + 0.05 * drift(synth, seconds, 12))
    return utter(
        synth, seconds, pitch, _SQUEAL, loudness, breath=0.8 * loudness, unrest=unrest, size=synth.uniform(0.85, 1.1)
    )


def _grunt(synth: SynthContext, seconds: float) -> Signal:
    """An oink: a rattle of separate pulses through a snout, with the breath that drives it."""
    base = float(np.exp(synth.uniform(np.log(20), np.log(140))))
    tune = curve(synth, seconds, (0, 0.8), (0.4, 1.15), (1, 0.75)) * (1 + 0.12 * drift(synth, seconds, 20))
    loudness = swell(synth, seconds, 0.04, 0.4 * seconds)
    unrest = Unrest(jitter=0.15, shimmer=0.6, rough=synth.uniform(0, 0.8), chaos=synth.uniform(0.05, 0.8))
    snout = replace(_GRUNT, tilt_db=synth.uniform(6.0, 14.0), low_db=synth.uniform(3.0, 9.0))
    return utter(
        synth,
        seconds,
        base * tune,
        snout,
        loudness,
        breath=synth.uniform(0.2, 1.8) * loudness,
        unrest=unrest,
        size=synth.uniform(0.85, 1.2),
    )


def pig(synth: SynthContext) -> Signal:
    """Low grunts and snorts at uneven moments, or high squeals."""
    is_slow = synth.choose("speed", "slow", "fast") == "slow"
    is_low = synth.choose("pitch", "low", "high") == "low"
    track = synth.silence()
    moment = synth.uniform(0, min(0.3, 0.1 * synth.seconds))
    while moment < synth.seconds:
        if is_low:
            seconds = synth.uniform(0.06, 0.3)
            synth.place(track, _grunt(synth, seconds), moment, synth.uniform(0.4, 1))
        else:
            seconds = synth.uniform(0.5, 1.0) if is_slow else synth.uniform(0.2, 0.4)
            synth.place(track, _squeal(synth, seconds), moment, synth.uniform(0.6, 1))
        moment += seconds + (synth.uniform(0.35, 0.9) if is_slow else synth.uniform(0.05, 0.18))
    return track


def lion(synth: SynthContext) -> Signal:
    """Roars: a chest full of rough voice that opens and sinks, and the grunts that may follow."""
    is_long = synth.choose("length", "long", "short") == "long"
    base, size = synth.uniform(55, 130), synth.uniform(0.85, 1.3)
    track = synth.silence()
    for start in synth.occasions(0.3, 2.8 if is_long else 1.3, 4.0 if is_long else 1.9):
        seconds = synth.uniform(1.7, 2.5) if is_long else synth.uniform(0.5, 0.95)
        tune = curve(synth, seconds, (0, 0.6), (0.25, 1.1), (0.55, 1.2), (1, 0.55)) * (
            1 + 0.06 * drift(synth, seconds, 15)
        )
        loudness = swell(synth, seconds, 0.25 * seconds, 0.55 * seconds) * (0.8 + 0.2 * drift(synth, seconds, 18))
        unrest = Unrest(jitter=0.1, shimmer=0.45, rough=synth.uniform(0.3, 0.9), chaos=synth.uniform(0.25, 0.6))
        roar = utter(synth, seconds, base * tune, _ROAR, loudness, breath=1.2 * loudness, unrest=unrest, size=size)
        synth.place(track, roar, start, synth.uniform(0.75, 1))
        later = start + seconds
        for _ in range(0 if "count" in synth.attributes else synth.count(0, 4)):
            later += synth.uniform(0.15, 0.4)
            synth.place(track, _grunt(synth, 0.3), later, synth.uniform(0.1, 0.35))
    return track


def mosquito(synth: SynthContext) -> Signal:
    """A whine of wings that comes to the ear and goes, its pitch bending as it turns."""
    is_low = synth.choose("pitch", "low", "high") == "low"
    base = synth.uniform(290, 420) if is_low else synth.uniform(560, 800)
    slow, quick = synth.wander(synth.uniform(0.5, 1.5)), synth.wander(7)
    near = slow**2 * (0.8 + 0.2 * quick) + 0.03
    passing = np.clip(np.gradient(slow) * synth.sample_rate, -3, 3)
    pitch = base * (
        1 + 0.05 * (synth.wander(1.5) - 0.5) + 0.02 * (quick - 0.5) + 0.012 * passing + 0.004 * (synth.wander(60) - 0.5)
    )
    phase = synth.phase(pitch)
    most = max(1, min(22, int(0.45 * synth.sample_rate / float(np.max(pitch)))))
    tilt, second = synth.uniform(0.5, 1.3), synth.uniform(0.5, 1.5)
    whine = np.sin(phase)
    gains, shifts = synth.random.uniform(0.5, 1.3, 23), synth.random.uniform(0, 6.28, 23)
    for multiple in range(2, most + 1):
        level = (second if multiple == 2 else 1.0) * multiple**-tilt * gains[multiple]
        whine = whine + level * near ** (0.04 * multiple) * np.sin(multiple * phase + shifts[multiple])
    flutter = 1 + 0.25 * (synth.wander(45) - 0.5)
    air = 0.02 * synth.bandpass(synth.noise(), 2 * base, 9000, order=1)
    whining: Signal = (whine + air) * near * flutter
    return whining


def cough(synth: SynthContext) -> Signal:
    """Coughs: the throat bursts open, a rush of air, a hoarse voiced tail; in twos and threes, then a breath."""
    is_low = synth.choose("pitch", "low", "high") == "low"
    base = synth.uniform(95, 160) if is_low else synth.uniform(260, 400)
    size = synth.uniform(0.95, 1.12) if is_low else synth.uniform(0.75, 0.9)
    wet, number = synth.uniform(0, 0.5), synth.number_of_events(0.5)
    left, moment = number or synth.count(2, 5), synth.uniform(0.01, min(0.3, 0.1 * synth.seconds))
    track = synth.silence()
    while moment < synth.seconds:
        seconds = synth.uniform(0.22, 0.38)
        burst = curve(synth, seconds, (0, 0), (0.02, 1.0), (0.18, 0.45), (0.35, 0.3), (0.7, 0.12), (1, 0))
        voiced = curve(synth, seconds, (0, 0), (0.12, 0.1), (0.35, 1.0), (0.6, 0.5), (1, 0))
        pitch = base * synth.uniform(0.9, 1.15) * curve(synth, seconds, (0, 1.15), (0.4, 1.1), (1, 0.7))
        unrest = Unrest(jitter=0.08, shimmer=0.4, rough=wet, chaos=synth.uniform(0.1, 0.4))
        hack = utter(
            synth, seconds, pitch, _COUGH, synth.uniform(0.2, 0.8) * voiced, breath=6 * burst, unrest=unrest, size=size
        )
        synth.place(track, hack, moment, synth.uniform(0.65, 1))
        left -= 1
        if left == 0 and number:
            break
        moment += seconds + synth.uniform(0.08, 0.25)
        if left == 0:
            left, rest = synth.count(1, 5), synth.uniform(0.5, 1.2)
            drawn = synth.texture((100, 700, 1800, 5000, 20000), (-30, -8, 0, -6, -24), seconds=0.5 * rest)
            drawn *= swell(synth, 0.5 * rest, 0.2 * rest, 0.15 * rest) / (np.std(drawn) + 1e-9)
            synth.place(track, drawn, moment + 0.1 * rest, synth.uniform(0.02, 0.1))
            moment += rest
    return track


def heartbeat(synth: SynthContext) -> Signal:
    """Lub-dub: two dull thumps of the valves, never quite even, heard through flesh, with the rush of blood."""
    is_slow = synth.choose("speed", "slow", "fast") == "slow"
    rate_hz, base = (synth.uniform(0.85, 1.15) if is_slow else synth.uniform(1.8, 2.4)), synth.uniform(38, 75)
    gap_s = synth.uniform(0.26, 0.34) if is_slow else synth.uniform(0.17, 0.22)
    second, edge = synth.uniform(0.4, 0.95), synth.uniform(180, 700)
    track, blood = synth.silence(), synth.silence()
    for start in synth.onsets(rate_hz, 0.05):
        force = synth.uniform(0.75, 1)
        for delay, gain, bend, fall_s in ((0.0, 1.0, 1.0, 0.05), (gap_s, second, 1.3, 0.035)):
            time, fall = synth.span(0.3), fall_s * synth.uniform(0.85, 1.2)
            pitch = bend * base * synth.uniform(0.95, 1.05)
            thump = (
                np.sin(2 * np.pi * pitch * time * (1 - 0.5 * time)) * np.exp(-time / fall) * np.minimum(1, time / 0.012)
            )
            valve = synth.bandpass(synth.noise(0.3), 1.2 * pitch, edge, order=1) * synth.decay(0.3, 0.6 * fall, 0.006)
            synth.place(
                track, thump + synth.uniform(0.2, 0.6) * valve, start + delay * synth.uniform(0.96, 1.05), force * gain
            )
            synth.place(blood, synth.decay(0.5, 0.12, 0.03), start + delay, force * gain)
    rush = synth.texture((30, 120, 400, 1500, 6000, 20000), (-20, 0, -8, -22, -36, -54), depth_db=3)
    track += synth.uniform(0.01, 0.05) * (0.3 + blood) * rush / (np.std(rush) + 1e-9)
    return track
