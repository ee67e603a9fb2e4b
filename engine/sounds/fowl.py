"""Crows, gulls, ducks, hens and the cuckoo: birds whose voices are calls, not songs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from engine.sounds.synthesis import Signal, SynthContext, hump
from engine.sounds.vocal import Tract, Unrest, curve, drift, swell, tremble, utter

_CAW = Tract(
    ((1000, 1500, 2700, 4000, 6500), (1250, 1750, 3000, 4200, 6600), (1050, 1500, 2800, 4000, 6400)),
    (13, 13, 10, 6, 4),
    (300, 300, 500, 700, 1500),
    tilt_db=7.5,
    low_db=18.0,
)
_GULL = Tract(
    ((1100, 2200, 3300, 5200), (1600, 2700, 3800, 5600), (1200, 2300, 3400, 5200)),
    (12, 11, 8, 5),
    (350, 450, 600, 1400),
    tilt_db=8.0,
    low_db=14.0,
)
_QUACK = Tract(
    ((700, 1300, 2500, 3300, 5200), (1000, 1600, 2700, 3500, 5400), (900, 1450, 2500, 3300, 5200)),
    (12, 13, 15, 12, 6),
    (180, 260, 350, 400, 1000),
    tilt_db=6.0,
    low_db=13.0,
)
_CLUCK = Tract(
    ((1000, 1900, 3000, 4600), (1450, 2500, 3500, 5000), (1100, 2000, 3100, 4700)),
    (12, 13, 13, 6),
    (260, 350, 500, 900),
    tilt_db=7.5,
    low_db=15.0,
)


def _series(synth: SynthContext, gap_s: float, longest: int) -> Iterator[tuple[float, float]]:
    """Moments in seconds and strengths of calls in rows with a pause after each; the counted ones in a single row."""
    if number := synth.number_of_events(1.1 * gap_s):
        lead = synth.uniform(0.02, 0.2)
        yield from (
            (lead + index * gap_s * synth.uniform(0.98, 1.1), synth.uniform(0.75, 1)) for index in range(number)
        )
        return
    yield from _rows(synth, gap_s, longest)


def _rows(synth: SynthContext, gap_s: float, longest: int) -> Iterator[tuple[float, float]]:
    """Moments in seconds and strengths of calls that nobody counts."""
    moment = synth.uniform(0.0, min(0.3, 0.15 * synth.seconds))
    while moment < synth.seconds:
        for _ in range(synth.count(2, longest + 1)):
            yield moment, synth.uniform(0.55, 1)
            moment += gap_s * synth.uniform(0.85, 1.25)
        moment += synth.uniform(0.5, 2.2) * gap_s


def crow(synth: SynthContext) -> Signal:
    """Caws: a third of a second of hoarse, nasal voice that drops at its end, in rows, over open land."""
    is_low = synth.choose("pitch", "low", "high") == "low"
    base = synth.uniform(270, 380) if is_low else synth.uniform(480, 680)
    size = synth.uniform(0.95, 1.15) if is_low else synth.uniform(0.78, 0.92)
    length, hoarse = synth.uniform(0.22, 0.45), synth.uniform(0.15, 0.5)
    unrest = Unrest(jitter=0.06, shimmer=0.4, rough=synth.uniform(0.2, 0.8), chaos=hoarse)
    track = synth.silence()
    for start, gain in _series(synth, length + synth.uniform(0.12, 0.45), 5):
        seconds = length * synth.uniform(0.85, 1.15)
        tune = curve(synth, seconds, (0, 0.85), (0.2, 1.05), (0.7, 0.98), (1, synth.uniform(0.7, 0.9)))
        loudness = swell(synth, seconds, 0.03, 0.12)
        caw = utter(synth, seconds, base * tune, _CAW, loudness, breath=0.8 * loudness, unrest=unrest, size=size)
        synth.place(track, caw, start, gain)
    return track


def seagull(synth: SynthContext) -> Signal:
    """Gulls: long mews that break and sink, or volleys of short yelps, one near and others over the surf."""
    is_low = synth.choose("pitch", "low", "high") == "low"
    is_long = synth.choose("length", "long", "short") == "long"
    base = synth.uniform(650, 850) if is_low else synth.uniform(1150, 1500)
    track = synth.silence()
    for bird in range(synth.count(1, 4)):
        voice, gain = base * synth.uniform(0.94, 1.1), (1.0 if bird == 0 else synth.uniform(0.08, 0.35))
        size = synth.uniform(0.95, 1.1) if is_low else synth.uniform(0.8, 0.95)
        unrest = Unrest(jitter=0.015, shimmer=0.2, rough=synth.uniform(0, 0.5), chaos=synth.uniform(0, 0.12))
        moment = synth.uniform(0, 0.3) if bird == 0 else synth.uniform(0, 0.6) * synth.seconds
        while moment < synth.seconds:
            seconds = synth.uniform(0.6, 1.0) if is_long else synth.uniform(0.14, 0.24)
            number = synth.count(1, 3) if is_long else synth.count(4, 10)
            for index in range(number):
                top = voice * (1.1 - 0.2 * index / number) * synth.uniform(0.97, 1.03)
                tune = curve(synth, seconds, (0, 0.65), (0.12, 1.0), (0.3, 1.12), (0.6, 0.95), (1, 0.62))
                loudness = swell(synth, seconds, 0.04, 0.5 * seconds)
                mew = utter(
                    synth, seconds, top * tune, _GULL, loudness, breath=0.5 * loudness, unrest=unrest, size=size
                )
                synth.place(track, mew, moment, gain * synth.uniform(0.65, 1))
                moment += seconds * synth.uniform(1.15, 1.5)
            moment += synth.uniform(0.3, 1.4)
    surf = synth.texture((40, 300, 1500, 6000, 20000), (-8, 0, -6, -14, -30), depth_db=3, rate_hz=2)
    surf *= (0.5 + 0.5 * synth.wander(0.6)) * 10 ** (-synth.uniform(24, 42) / 20) / (np.std(surf) + 1e-9)
    return track + surf


def duck(synth: SynthContext) -> Signal:
    """Quacks: nasal, rattling calls in rows that hurry, shorten, fall and fade; one duck, or a few on a pond."""
    is_slow = synth.choose("speed", "slow", "fast") == "slow"
    is_low = synth.choose("pitch", "low", "high") == "low"
    base = synth.uniform(140, 230) if is_low else synth.uniform(290, 520)
    size = synth.uniform(0.95, 1.2) if is_low else synth.uniform(0.75, 0.95)
    gap_s = synth.uniform(0.42, 0.7) if is_slow else synth.uniform(0.16, 0.25)
    fill, hurry, clear = synth.uniform(0.45, 0.92), synth.uniform(0.0, 0.12), synth.uniform(0, 1)
    unrest = Unrest(0.05 * (1 - 0.8 * clear), 0.35, synth.uniform(0, 0.6) * (1 - clear), synth.uniform(0.02, 0.3))
    quack = replace(_QUACK, tilt_db=synth.uniform(2.0, 8.0), low_db=synth.uniform(5.0, 14.0))
    track = synth.silence()
    for bird in range((1, 1, 2, 3)[synth.count(0, 4)]):
        if "count" in synth.attributes:
            break
        voice, near = base * synth.uniform(0.9, 1.12), 1.0 if bird == 0 else synth.uniform(0.1, 0.6)
        before, index = -10.0, 0
        for start, gain in (_rows if bird else _series)(synth, gap_s, 10):
            index = index + 1 if start - before < 1.5 * gap_s else 0
            before = start
            seconds = float(np.clip(fill * gap_s * synth.uniform(0.35, 1.1) * (1 - hurry) ** index, 0.05, 0.45))
            tune = curve(synth, seconds, (0, 0.88), (0.25, 1.08), (1, 0.88)) * synth.uniform(0.96, 1.05)
            loudness = swell(synth, seconds, 0.015, 0.4 * seconds)
            pitch = voice * tune * 0.985**index
            call = utter(synth, seconds, pitch, quack, loudness, breath=0.4 * loudness, unrest=unrest, size=size)
            synth.place(track, call, start, near * gain * 0.93**index)
    return track


def chicken(synth: SynthContext) -> Signal:
    """A hen: soft clucks at uneven moments, one now and then drawn up into a cackle; others behind her."""
    is_slow = synth.choose("speed", "slow", "fast") == "slow"
    base, size = synth.uniform(330, 560), synth.uniform(0.85, 1.15)
    track = synth.silence()
    moment = synth.uniform(0, min(0.2, 0.1 * synth.seconds))
    while moment < synth.seconds:
        is_cackle = synth.uniform(0, 1) < 0.12
        seconds = synth.uniform(0.3, 0.6) if is_cackle else synth.uniform(0.06, 0.2)
        top = base * synth.uniform(0.85, 1.2) * (1.6 if is_cackle else 1.0)
        tune = curve(synth, seconds, (0, 0.6 if is_cackle else 0.85), (0.3, 1.0), (0.6, 1.05), (1, 0.7))
        loudness = swell(synth, seconds, 0.2 * seconds, 0.5 * seconds)
        unrest = Unrest(jitter=0.03, shimmer=0.25, rough=synth.uniform(0, 0.5), chaos=synth.uniform(0.02, 0.2))
        cluck = utter(synth, seconds, top * tune, _CLUCK, loudness, breath=0.5 * loudness, unrest=unrest, size=size)
        synth.place(track, cluck, moment, synth.uniform(0.8, 1) if is_cackle else synth.uniform(0.3, 0.9))
        pause = synth.uniform(0.22, 0.5) if is_slow else synth.uniform(0.05, 0.14)
        moment += seconds + pause * (1 + 2.0 * (synth.uniform(0, 1) < 0.15))
    flock = np.roll(synth.lowpass(track, 2500, order=1), round(0.41 * len(track)))
    return track + synth.uniform(0, 0.2) * flock


def cuckoo(synth: SynthContext) -> Signal:
    """Two hollow notes, the second about a third lower and longer, called again and again across a wood."""
    is_slow = synth.choose("speed", "slow", "fast") == "slow"
    first_hz, fall = synth.uniform(600, 800), synth.uniform(0.76, 0.85)
    period = synth.uniform(1.35, 1.8) if is_slow else synth.uniform(0.8, 1.0)
    partials = tuple(
        (multiple, synth.uniform(0.4, 1.6) * level) for multiple, level in ((2, 0.07), (3, 0.05), (4, 0.01))
    )
    track = synth.silence()
    for start in synth.onsets(1 / period, 0.06):
        strength = synth.uniform(0.7, 1)
        for offset, seconds, pitch_hz, gain in ((0.0, 0.13, first_hz, 1.0), (0.26, 0.2, fall * first_hz, 0.85)):
            length, at = seconds * synth.uniform(0.9, 1.15), offset * min(1.0, 1.2 * period) * synth.uniform(0.95, 1.05)
            bend = curve(synth, length, (0, 0.93), (0.3, 1.02), (1, 0.96)) * (1 + 0.004 * drift(synth, length, 40))
            phase = synth.phase(pitch_hz * bend)
            note = np.sin(phase) + sum(level * np.sin(multiple * phase) for multiple, level in partials)
            note = note + 0.05 * synth.bandpass(synth.noise(length), 0.8 * pitch_hz, 3 * pitch_hz)
            synth.place(track, note * hump(len(note)) ** 0.6, start + at, strength * gain)
    if "count" not in synth.attributes:
        chirp = np.sin(synth.phase(synth.uniform(3500, 5500) * (1 + 0.1 * tremble(synth, 0.12, 25))))
        for moment in np.cumsum(synth.random.exponential(0.7, int(2 * synth.seconds) + 1)):
            synth.place(track, chirp * hump(len(chirp)), float(moment), synth.uniform(0.005, 0.05))
    return track
