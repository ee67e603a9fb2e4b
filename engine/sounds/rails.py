"""On the rails: trains over joints and round curves, and their horns."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from engine.sounds.bodies import DAMPED_METAL, WOOD, Body, StruckBody, contact, plate, resonate, unit
from engine.sounds.moving_noise import moving_noise
from engine.sounds.synthesis import Signal, SynthContext

_ROLL_HZ = (40.0, 80.0, 160.0, 315.0, 630.0, 1250.0, 2500.0, 5000.0, 10000.0, 18000.0)
_ROLL_DB = np.array([-2.0, 2.0, 2.0, 1.0, 1.0, -2.0, -6.0, -11.0, -20.0, -31.0])


def _axles(synth: SynthContext, speed: float) -> Iterator[tuple[float, float]]:
    """When an axle meets the joint, and how hard: two axles to a bogie, two bogies to a wagon, no wagon like the next.

    Lengths are those of railways: 1.9 to 2.7 m between axles, 8 to 12 m between the bogies of a wagon.
    """
    base, bogies, gap = synth.uniform(1.9, 2.7), synth.uniform(8, 12), synth.uniform(7.5, 11)
    moment = -synth.uniform(0, 1.0) * bogies / speed
    weight = synth.uniform(0.7, 1)
    turn = 0
    while moment < synth.seconds:
        for axle in range(2):
            yield moment + axle * base / speed, weight * synth.uniform(0.85, 1.1)
        turn += 1
        if turn % 2 == 0:
            weight = synth.uniform(0.75, 1)
        moment += (bogies if turn % 2 else gap) / speed * synth.uniform(0.96, 1.05)


def train(synth: SynthContext) -> Signal:
    """Wheels that clank over a joint two by two and roll on; now and then a flange squeals, or a flat wheel knocks."""
    is_slow = synth.choose("speed", "slow", "fast") == "slow"
    speed = synth.uniform(6.5, 10) if is_slow else synth.uniform(17, 26)
    form = synth.uniform(0, 1)
    if form < 0.2:
        return _steam(synth, 2.2 * speed / 9 if is_slow else 6.5 * speed / 20)
    if form < 0.35:
        synth.attributes.pop("speed")  # it changes
        return _departure(synth)
    rail = StruckBody(synth, plate(synth, WOOD, synth.uniform(90, 220), 14), 0.3)
    wheel = StruckBody(synth, plate(synth, DAMPED_METAL, synth.uniform(280, 520), 16), 0.3)
    ring = synth.uniform(0.25, 0.7)
    hits, closeness = synth.silence(), [0.0]
    moments = [0.0]
    for start, gain in _axles(synth, speed):
        gap = synth.uniform(0.008, 0.02) * 7 / speed  # the wheel drops off one rail and climbs the next
        for delay, share in ((0.0, 0.7), (gap, 1.0)):
            clank = synth.uniform(0.5, 1.2) * rail.blow(1800, 0.2) + ring * wheel.blow(synth.uniform(2500, 6000), 0.25)
            tick = contact(synth, 0.05, synth.uniform(4000, 9000))
            clank[: len(tick)] += synth.uniform(0.4, 0.9) * tick
            synth.place(hits, clank, max(0.0, start + delay), gain * share if start >= -0.02 else 0.0)
        moments += [start - 0.9 / speed, start, start + 0.9 / speed]
        closeness += [0.0, gain, 0.0]
    order = np.argsort(moments)
    step = np.linspace(0, synth.seconds, 300)
    passing = np.interp(step, np.array(moments)[order], np.array(closeness)[order])[:, None]
    track_db = _ROLL_DB + 2.5 * synth.random.standard_normal(len(_ROLL_DB))
    levels = track_db + synth.uniform(-1, 1.2) * np.log2(np.asarray(_ROLL_HZ) / 600) + 3.5 * passing
    roll = moving_noise(synth, _ROLL_HZ, levels, wander_db=2.5, wander_hz=3)
    ride = hits + (0.13 if is_slow else 0.28) * synth.uniform(0.6, 1.5) * roll
    if synth.uniform(0, 1) < 0.4:
        ride += synth.uniform(0.03, 0.14) * _squeal(synth)
    if synth.uniform(0, 1) < 0.35:  # a motor that hums with the speed
        hum = synth.pulses(speed * synth.uniform(9, 30) * (1 + 0.01 * synth.wander(1)), synth.uniform(300, 1200))
        ride += synth.uniform(0.05, 0.2) * synth.highpass(hum, 60)
    return ride


def _steam(synth: SynthContext, chuffs_hz: float) -> Signal:
    """A steam engine at `chuffs_hz`: four blasts of steam to a turn, none alike, over a hiss; wheels that rumble."""
    edge, dark = synth.uniform(250, 900), synth.uniform(-9, -3)
    bands_hz = (60, 0.5 * edge, edge, 3 * edge, 6000, 12000, 20000)
    steam = moving_noise(synth, bands_hz, (-14, -4, 0, -2, dark, 2 * dark, 3 * dark), wander_db=2.5, wander_hz=6)
    hiss = moving_noise(synth, (200, 1500, 4000, 9000, 18000), (-22, -8, 0, -3, -12), wander_db=3, wander_hz=2)
    beats, accents = synth.silence(), synth.random.uniform(0.5, 1.0, 4)
    moment, turn = synth.uniform(0, 0.1), 0
    length = synth.uniform(0.35, 0.8) / chuffs_hz
    while moment < synth.seconds:
        synth.place(beats, synth.decay(4 * length, length, 0.015), moment, accents[turn % 4] * synth.uniform(0.8, 1))
        moment += synth.around(1 / chuffs_hz, 0.04)
        turn += 1
    roll = moving_noise(synth, _ROLL_HZ, _ROLL_DB + 2 * synth.random.standard_normal(len(_ROLL_HZ)), wander_db=2.5)
    engine: Signal = unit(steam) * beats + synth.uniform(0.02, 0.3) * unit(hiss) + synth.uniform(0.02, 0.2) * unit(roll)
    return engine


def _departure(synth: SynthContext) -> Signal:
    """An electric train that pulls out: the tones of its motors climb in steps or in a glide, and the wheels follow."""
    climb = np.clip(synth.time / synth.uniform(1.5, 5.0), 0, 1) ** synth.uniform(0.5, 1.2)
    if synth.uniform(0, 1) < 0.4:  # an inverter that shifts its gears
        climb = 0.75 * climb + 0.25 * (4 * climb % 1)
    pitch = synth.uniform(60, 260) * (1 + synth.uniform(0.8, 4) * climb) * (1 + 0.004 * (synth.wander(20) - 0.5))
    tones = synth.silence()
    for ratio in (1.0, *synth.random.uniform(1.5, 9.0, 3)):
        share, width = synth.uniform(0.1, 1.0) / ratio**0.5, synth.uniform(1.0, 5.0)
        tones += share * synth.highpass(synth.pulses(pitch * ratio, width * float(np.max(pitch)) * ratio), 60)
    levels = _ROLL_DB + 2.5 * synth.random.standard_normal(len(_ROLL_DB))
    roll = moving_noise(synth, _ROLL_HZ, levels + 8 * climb[:: max(1, len(climb) // 200), None], wander_db=2.5)
    swell = 0.15 + 0.85 * climb if synth.uniform(0, 1) < 0.6 else np.sin(np.pi * np.clip(climb, 0.04, 0.98))
    leaving: Signal = (unit(tones) + synth.uniform(0.4, 2.0) * unit(roll)) * swell
    return leaving


def _squeal(synth: SynthContext) -> Signal:
    """A flange that sticks and slips on the rail: unsteady tones of two to four kHz that come and go, [T]."""
    root = synth.uniform(1400, 3600) * (1 + 0.03 * (synth.wander(2) - 0.5) + 0.008 * (synth.wander(40) - 0.5))
    phase = synth.phase(root)
    tones = synth.silence()
    for ratio, gain in ((1.0, 1.0), (2.0, 0.5), (synth.uniform(1.3, 1.8), 0.6), (3.0, 0.25)):
        if ratio * float(np.max(root)) < 0.48 * synth.sample_rate:
            tones += gain * np.sin(ratio * phase) * synth.wander(9)
    return tones * np.clip(3 * synth.wander(0.8) - 1.4, 0, 1)


_CHORDS = ((1.0,), (1.0, 1.26), (1.0, 1.19, 1.5), (1.0, 1.26, 1.5, 1.68), (1.0, 1.19, 1.41, 1.68, 2.0))


def train_horn(synth: SynthContext) -> Signal:
    """One to five air horns, blown long or in short blasts: each slides into its pitch and dies away over the land."""
    is_long = synth.choose("length", "long", "short") == "long"
    blast, rest = (synth.uniform(1.4, 2.3), synth.uniform(0.6, 1.0)) if is_long else (synth.uniform(0.3, 0.45), 0.35)
    number = synth.number_of_events(blast + rest, blast)
    start = synth.uniform(0, 0.1)
    since = np.full(synth.num_samples, 1e3)
    is_blown = np.zeros(synth.num_samples, dtype=np.bool_)
    while start < synth.seconds and number != 0:
        held = blast * synth.uniform(0.85, 1.0)
        is_on = synth.time >= start
        since = np.where(is_on, synth.time - start, since)
        is_blown |= is_on & (synth.time < start + held)
        start += blast + rest * (1.0 if number else synth.uniform(0.8, 2.0))
        number = number - 1 if number else None
    press = synth.gate(is_blown, synth.uniform(5, 9))
    root, width = synth.uniform(230, 480), float(np.exp(synth.uniform(np.log(400), np.log(2400))))
    bend = 1 - synth.uniform(0.02, 0.06) * np.exp(-since / 0.06) - 0.04 * (1 - press) ** 2
    tones = synth.silence()
    for ratio in _CHORDS[synth.count(0, len(_CHORDS))]:
        flutter = 1 + 0.004 * (synth.wander(6) - 0.5)
        pitch = root * ratio * synth.uniform(0.985, 1.015) * bend * flutter
        tones += synth.uniform(0.5, 1) * synth.pulses(pitch, width) * (1 + 0.2 * (synth.wander(8) - 0.5))
    tones = synth.highpass(tones, 150) * press
    bell = Body(synth.random.uniform(0.8, 1.25, 3) * [700, 1500, 3100], np.array([2.0, 1.0, 0.5]) / 1000)
    sound = tones + 0.5 * resonate(synth, tones, bell, np.array([1.0, 0.6, 0.3])) * 0.1
    air = moving_noise(synth, (100, 400, 1500, 4000, 9000, 16000), (-4, 0, 0, -5, -14, -24), wander_hz=3)
    blown: Signal = unit(sound) + float(np.exp(synth.uniform(-4.0, -1.0))) * air * press
    return blown
