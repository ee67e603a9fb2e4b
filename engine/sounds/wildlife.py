"""Animals of the farm and the wild that bleat, crow, hoot, howl, buzz, neigh or gallop."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from engine.sounds.synthesis import Signal, SynthContext, hump
from engine.sounds.vocal import Tract, Unrest, curve, drift, swell, tremble, utter

_BEND_HOOTS = ((0.0, 0.45), (0.75, 0.16), (0.98, 0.3), (1.45, 0.5))
_EVEN_HOOTS = ((0.0, 0.3), (0.5, 0.3), (1.0, 0.7))
_LONE_HOOTS = ((0.0, 0.75),)
_QUICK_HOOTS = ((0.0, 0.2), (0.32, 0.2), (0.64, 0.2), (0.96, 0.22), (1.28, 0.24))
"""The notes of four owls: start and length in seconds."""

_CROW = (
    (0.00, 0.13, (0.72, 0.88, 0.80), 0.6),
    (0.17, 0.09, (0.85, 0.96, 0.85), 0.6),
    (0.29, 0.13, (0.92, 1.12, 1.02), 0.9),
    (0.44, 0.56, (0.98, 1.22, 1.2, 1.1, 1.0, 0.66), 1.0),
)
"""Cock-a-doodle-doo: start and length as shares of the whole, the course of the pitch, the gain."""

_BLEAT = Tract(
    ((500, 1250, 2500, 3500, 5400, 7800), (820, 1750, 2750, 3700, 5600, 8000), (700, 1550, 2650, 3600, 5500, 7900)),
    (9, 13, 14, 10, 9, 7),
    (180, 280, 380, 450, 700, 1300),
    tilt_db=7.5,
)
_COCK = Tract(
    ((800, 1500, 2900, 4600), (950, 1900, 3100, 4800), (1150, 2000, 3200, 5000), (850, 1700, 3000, 4700)),
    (12, 12, 6, 4),
    (320, 400, 500, 900),
    tilt_db=14.0,
    low_db=14.0,
)
_HOWL = Tract(
    ((420, 900, 2300, 3500), (620, 1150, 2500, 3600), (420, 850, 2300, 3500)),
    (6, 5, 6, 5),
    (200, 260, 400, 600),
    15.0,
    2.0,
)
_NEIGH = Tract(
    ((900, 1700, 2900, 4200, 6400), (1100, 1900, 3000, 4300, 6500), (750, 1450, 2700, 4000, 6200)),
    (9, 13, 14, 9, 6),
    (250, 350, 500, 600, 1200),
    tilt_db=8.0,
)
_CLOP_FALLS_S = (0.016, 0.012, 0.008, 0.005, 0.003)


def sheep(synth: SynthContext) -> Signal:
    """Bleats: a rough nasal voice that trembles all the way through; others of the flock may answer."""
    is_low = synth.choose("pitch", "low", "high") == "low"
    is_long = synth.choose("length", "long", "short") == "long"
    base = synth.uniform(140, 215) if is_low else synth.uniform(350, 480)
    size = synth.uniform(0.95, 1.15) if is_low else synth.uniform(0.75, 0.92)
    rate_hz, depth = synth.uniform(7.5, 10.5), synth.uniform(0.18, 0.4)
    unrest = Unrest(jitter=0.03, shimmer=0.25, rough=synth.uniform(0, 0.5), chaos=synth.uniform(0.02, 0.15))
    track = synth.silence()
    for start in synth.onsets(synth.uniform(0.5, 0.62) if is_long else synth.uniform(1.2, 1.6), 0.15):
        seconds = synth.uniform(0.9, 1.5) if is_long else synth.uniform(0.3, 0.46)
        wobble = tremble(synth, seconds, rate_hz)
        tune = curve(synth, seconds, (0, 0.9), (0.2, 1.07), (0.7, 1.0), (1, synth.uniform(0.8, 0.95)))
        pitch = base * synth.uniform(0.94, 1.06) * tune * (1 + 0.04 * wobble + 0.02 * drift(synth, seconds, 9))
        loudness = swell(synth, seconds, 0.05, 0.35 * seconds) * (1 - depth + depth * wobble)
        bleat = utter(synth, seconds, pitch, _BLEAT, loudness, breath=0.5 * loudness, unrest=unrest, size=size)
        synth.place(track, bleat, start, synth.uniform(0.6, 1))
    return track


def rooster(synth: SynthContext) -> Signal:
    """Crows: four hoarse syllables that climb, the last one long and sinking, out in the yard."""
    is_low = synth.choose("pitch", "low", "high") == "low"
    is_long = synth.choose("length", "long", "short") == "long"
    base = synth.uniform(380, 500) if is_low else synth.uniform(660, 900)
    whole = synth.uniform(1.8, 2.6) if is_long else synth.uniform(0.8, 1.05)
    size = synth.uniform(1.0, 1.15) if is_low else synth.uniform(0.82, 1.0)
    hoarse = synth.uniform(0.0, 0.25)
    track = synth.silence()
    for start in synth.occasions(0.5, 1.3 * whole, 1.9 * whole):
        stretch = synth.uniform(0.92, 1.06)
        for index, (offset, share, bends, gain) in enumerate(_CROW):
            seconds = stretch * share * whole * synth.uniform(0.9, 1.0)
            points = [(place / (len(bends) - 1), bend) for place, bend in enumerate(bends)]
            pitch = (
                base
                * synth.uniform(0.96, 1.04)
                * curve(synth, seconds, *points)
                * (1 + 0.02 * drift(synth, seconds, 10))
            )
            loudness = swell(synth, seconds, 0.035, 0.5 * seconds if index == 3 else 0.07)
            unrest = Unrest(jitter=0.03, shimmer=0.35, rough=synth.uniform(0, 0.4), chaos=hoarse)
            crow = utter(synth, seconds, pitch, _COCK, loudness, breath=1.6 * loudness, unrest=unrest, size=size)
            synth.place(track, crow, start + stretch * offset * whole, gain * synth.uniform(0.85, 1))
    return track


def owl(synth: SynthContext) -> Signal:
    """Hoots: soft, hollow tones in a phrase of one of four owls, the last note may quaver; a wood that answers."""
    is_low = synth.choose("pitch", "low", "high") == "low"
    is_slow = synth.choose("speed", "slow", "fast") == "slow"
    base = synth.uniform(250, 430) if is_low else synth.uniform(580, 950)
    pace = synth.uniform(1.0, 1.25) if is_slow else synth.uniform(0.42, 0.55)
    quaver = synth.uniform(0, 0.45)
    phrase = (_BEND_HOOTS, _EVEN_HOOTS, _LONE_HOOTS if is_slow else _QUICK_HOOTS)[synth.count(0, 3)]
    partials = tuple(
        (multiple, synth.uniform(0.3, 1.5) * level) for multiple, level in ((2, 0.1), (3, 0.05), (4, 0.012))
    )
    track = synth.silence()
    for start in synth.occasions(0.5, 2.2 * pace, 3.1 * pace):
        for index, (offset, length) in enumerate(phrase):
            seconds = length * pace * synth.uniform(0.9, 1.1)
            bend = curve(synth, seconds, (0, synth.uniform(0.86, 0.96)), (0.3, 1.02), (0.8, 1.0), (1, 0.94))
            phase = synth.phase(base * bend * (1 + 0.004 * drift(synth, seconds, 30)))
            hoot = np.sin(phase) + sum(level * np.sin(multiple * phase + multiple) for multiple, level in partials)
            hoot = hoot + 0.06 * synth.bandpass(synth.noise(seconds), 0.8 * base, 3.5 * base)
            if index == len(phrase) - 1:
                hoot = hoot * (1 - quaver + quaver * tremble(synth, seconds, synth.uniform(8, 14)))
            loudness = hump(len(hoot)) ** synth.uniform(0.4, 0.9) * (0.9 + 0.1 * drift(synth, seconds, 12))
            synth.place(track, hoot * loudness, start + offset * pace, synth.uniform(0.7, 1))
    return track


def wolf(synth: SynthContext) -> Signal:
    """Howls: a voice that slides up, breaks into its height, wavers there, and sinks away; a pack may join in."""
    is_low = synth.choose("pitch", "low", "high") == "low"
    is_long = synth.choose("length", "long", "short") == "long"
    base = synth.uniform(250, 345) if is_low else synth.uniform(540, 720)
    size = synth.uniform(0.95, 1.2) if is_low else synth.uniform(0.65, 0.85)
    track = synth.silence()
    for start in synth.occasions(0.5, 2.6 if is_long else 1.2, 3.5 if is_long else 1.8):
        seconds = synth.uniform(2.1, 3.3) if is_long else synth.uniform(0.75, 1.1)
        top, hold = synth.uniform(1.02, 1.2), synth.uniform(0.55, 0.8)
        bend = curve(synth, seconds, (0, 0.55), (0.13, 0.82), (0.18, 1.0), (0.33, top), (hold, 0.98), (1, 0.58))
        pitch = (
            base
            * synth.uniform(0.92, 1.1)
            * bend
            * (1 + 0.012 * tremble(synth, seconds, 4.5) + 0.012 * drift(synth, seconds, 5))
        )
        loudness = np.sin(np.pi * np.linspace(0, 1, len(pitch)) ** 0.7) ** 0.8 * (
            0.85 + 0.15 * drift(synth, seconds, 5)
        )
        unrest = Unrest(jitter=0.006, shimmer=0.1, rough=synth.uniform(0, 0.2), chaos=synth.uniform(0, 0.04))
        howl = utter(synth, seconds, pitch, _HOWL, loudness, breath=0.4 * loudness, unrest=unrest, size=size)
        synth.place(track, howl, start, synth.uniform(0.65, 1))
    return track


def _wing(synth: SynthContext, highest_hz: float) -> Signal:
    """One turn [1024] of a wing's pressure: partials of a wide bump around the fourth to the tenth."""
    most = int(max(1, min(150, 0.47 * synth.sample_rate / highest_hz)))
    shifts = synth.random.uniform(0, 6.28, 150)
    bump, tilt = synth.uniform(3, 9), synth.uniform(1.2, 1.7)
    turn = 2 * np.pi * np.arange(1024) / 1024
    wing = np.zeros(1024)
    for k in range(1, most + 1):
        wing += np.sin(k * turn + shifts[k - 1]) * (k**-tilt + 0.5 * np.exp(-(((k - bump) / 3.5) ** 2)))
    return wing / np.std(wing)


def bees(synth: SynthContext) -> Signal:
    """Buzzing: bees that come near and go, their pitch bent as they pass, before a swarm that hums."""
    is_low = synth.choose("pitch", "low", "high") == "low"
    is_huge = synth.choose("crowd", "huge", "small") == "huge"
    base = synth.uniform(115, 165) if is_low else synth.uniform(230, 330)
    wing = _wing(synth, 1.8 * base)
    track = synth.silence()
    for bee in range(9 if is_huge else 2):
        nearness = synth.wander(5.0 if is_huge else synth.uniform(0.8, 1.8))
        detune = synth.uniform(0.85, 1.18) if is_huge else synth.uniform(0.93, 1.07)
        passing = np.gradient(nearness) * synth.sample_rate
        wings = base * detune * (0.95 + 0.1 * nearness + 0.02 * synth.wander(23) + 0.015 * np.clip(passing, -3, 3))
        turn = (np.cumsum(wings) / synth.sample_rate + synth.uniform(0, 1)) * 1024
        gain = 0.4 + 0.6 * nearness if is_huge else 0.06 + nearness**2.5
        track += np.roll(wing, 113 * bee)[turn.astype(np.int64) % 1024] * gain * (0.85 + 0.15 * synth.wander(40))
    centre = 9 * base
    hum = synth.texture((40, 0.8 * base, 2.2 * base, centre, 2 * centre, 20000), (-30, -14, -4, 0, -9, -34))
    track += (0.5 if is_huge else 0.08) * np.std(track) * hum / (np.std(hum) + 1e-9)
    body, top = synth.uniform(0.15, 0.7), synth.uniform(0.8, 1.4)
    return top * synth.highpass(track, 4.5 * base, order=1) + body * track


def _snort(synth: SynthContext, seconds: float) -> Signal:
    """Air blown through the nose: a rush of noise that the lips chop some thirty times a second."""
    flap = 0.5 + 0.5 * tremble(synth, seconds, synth.uniform(20, 38))
    blown = synth.texture((60, 250, 900, 2500, 6000, 20000), (-14, -4, 0, -3, -12, -32), seconds=seconds)
    return blown * flap**1.5 * swell(synth, seconds, 0.05, 0.6 * seconds) / (np.std(blown) + 1e-9)


def _neigh(synth: SynthContext, seconds: float) -> Signal:
    """A whinny: a scream that breaks high and shakes its way down into a chuckle of breath."""
    top = float(np.exp(synth.uniform(np.log(480), np.log(1600))))
    shake = tremble(synth, seconds, synth.uniform(8, 13)) * curve(synth, seconds, (0, 0.1), (0.3, 0.5), (1, 1))
    first, last = synth.uniform(0.5, 0.95), synth.uniform(0.33, 0.7)
    tune = curve(synth, seconds, (0, first), (synth.uniform(0.1, 0.4), 1), (0.45, 0.97), (0.75, 0.75), (1, last))
    loudness = swell(synth, seconds, synth.uniform(0.04, 0.4) * seconds, 0.4 * seconds) * (0.6 + 0.4 * shake)
    unrest = Unrest(jitter=0.03, shimmer=0.3, rough=synth.uniform(0.1, 0.7), chaos=synth.uniform(0.05, 0.4))
    size, pitch = synth.uniform(0.85, 1.2), top * tune * (1 + 0.09 * shake)
    mouth = replace(_NEIGH, tilt_db=synth.uniform(4.0, 10.0))
    return utter(synth, seconds, pitch, mouth, loudness, breath=0.9 * loudness, unrest=unrest, size=size)


def horse(synth: SynthContext) -> Signal:
    """Hooves on cobbles or earth in a walk or a gallop, no step like another; or a horse that neighs and snorts."""
    is_slow = synth.choose("speed", "slow", "fast") == "slow"
    if synth.choose("act", "moving", "calling", "calling") == "calling":
        return _neighing(synth, is_slow=is_slow)
    is_stone = synth.choose("floor", "cobbles", "earth") == "cobbles"
    if is_slow:
        stride, beats = synth.uniform(1.15, 1.6), [0.0, synth.uniform(0.22, 0.28), 0.5, synth.uniform(0.72, 0.79)]
    else:
        stride, beats = synth.uniform(0.42, 0.56), [0.0, synth.uniform(0.17, 0.24), synth.uniform(0.36, 0.46)]
    bends, gains = synth.random.uniform(0.82, 1.25, 4), synth.random.uniform(0.55, 1.0, 4)
    track = synth.silence()
    for start in synth.onsets(1 / stride, 0.05):
        for beat, bend, gain in zip(beats, bends, gains, strict=False):
            moment = start + stride * (beat + 0.03 * synth.uniform(-1, 1))
            hoof = _hoof(synth, is_stone=is_stone, bend=bend * synth.uniform(0.93, 1.07))
            synth.place(track, hoof, max(0.0, moment), gain * synth.uniform(0.55, 1))
    if synth.uniform(0, 1) < 0.25:
        blown = _snort(synth, 0.5) * 0.08 * np.max(np.abs(track))
        synth.place(track, blown, synth.uniform(0, 0.8) * synth.seconds)
    return track


def _neighing(synth: SynthContext, *, is_slow: bool) -> Signal:
    """Whinnies, long and few or short and many, some of them only a snort."""
    track = synth.silence()
    for index, start in enumerate(synth.occasions(0.4, 2.2 if is_slow else 1.1, 3.4 if is_slow else 1.7)):
        seconds = synth.uniform(1.4, 2.1) if is_slow else synth.uniform(0.7, 1.0)
        is_snort = index > 0 and synth.uniform(0, 1) < 0.4
        call = _snort(synth, 0.6 * seconds) if is_snort else _neigh(synth, seconds)
        synth.place(track, call, start, synth.uniform(0.6, 1))
    return track


def _hoof(synth: SynthContext, *, is_stone: bool, bend: float) -> Signal:
    """One step of one hoof; `bend` sets its pitch against the others."""
    seconds = 0.1 if is_stone else 0.14
    if is_stone:
        ratios = np.array((1, 1.62, 2.7, 4.1, 6.3)) * synth.random.uniform(0.94, 1.06, 5)
        gains = np.array((1, 0.9, 0.6, 0.45, 0.3)) * synth.random.uniform(0.3, 1.0, 5)
        clop = synth.modes(bend * synth.uniform(700, 900), tuple(ratios), _CLOP_FALLS_S, tuple(gains), seconds)
        tick = synth.bandpass(synth.noise(seconds), 1800, 7000, order=1)
        tick *= synth.uniform(0.25, 0.7) * synth.decay(seconds, synth.uniform(0.002, 0.006), 0.0004)
        return clop + tick + 0.06 * synth.noise(seconds) * synth.decay(seconds, 0.02, 0.004)
    thud = 4 * synth.lowpass(synth.noise(seconds), bend * 220) * synth.decay(seconds, synth.uniform(0.015, 0.03), 0.003)
    body = synth.modes(bend * synth.uniform(70, 100), (1, 1.7, 2.9), (0.04, 0.025, 0.012), (1, 0.6, 0.3), seconds)
    grit = synth.bandpass(synth.noise(seconds), 500, 5000, order=1)
    grit *= synth.uniform(0.05, 0.15) * synth.decay(seconds, synth.uniform(0.008, 0.03), 0.006)
    return thud + body + grit
