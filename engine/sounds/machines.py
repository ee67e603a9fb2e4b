"""Machines: engines, rotors, tools, horns and small mechanisms."""

from __future__ import annotations

import numpy as np

from engine.sounds.synthesis import Signal, Studio


def engine(studio: Studio) -> Signal:
    """A piston engine: harmonics of the firing rate and puffs of exhaust."""
    is_idling = studio.choose("running", "idling", "revving") == "idling"
    if is_idling:
        pitch = studio.uniform(22, 35) * (1 + 0.04 * studio.wander(5))
    else:
        turn = (studio.time / studio.uniform(1.2, 2.5) + studio.uniform(0, 1)) % 1
        pitch = studio.uniform(40, 55) * (1 + 2.2 * np.where(turn < 0.6, turn / 0.6, (1 - turn) / 0.4))
    puffs = (0.5 + 0.5 * np.cos(studio.phase(pitch))) ** 3
    track = studio.harmonics(pitch, 13, 0.7) + 0.6 * studio.bandpass(studio.noise(), 200, 2500) * puffs
    return studio.lowpass(np.tanh(0.5 * track), 1500 if is_idling else 3000)


def helicopter(studio: Studio) -> Signal:
    """Blades chopping noise, over a turbine's hum."""
    is_slow = studio.choose("speed", "slow", "fast") == "slow"
    rate = studio.uniform(7, 10) if is_slow else studio.uniform(16, 21)
    chop: Signal = np.exp(-7 * ((studio.time * rate + studio.uniform(0, 1)) % 1))
    low = 3 * studio.lowpass(studio.noise(), 500) * chop
    high = 0.5 * studio.bandpass(studio.noise(), 400, 2500) * chop
    hum = 0.2 * np.sin(2 * np.pi * studio.uniform(70, 110) * studio.time)
    rotor: Signal = low + high + hum + 0.03 * studio.noise()
    return rotor


def drill(studio: Studio) -> Signal:
    """An electric drill: a whining motor that spins up, bites and lets go."""
    is_low = studio.choose("pitch", "low", "high") == "low"
    base = studio.uniform(170, 230) if is_low else studio.uniform(420, 560)
    period = studio.uniform(1.6, 2.6)
    turn = (studio.time / period + studio.uniform(0.02, 0.2)) % 1
    spin = np.asarray(np.clip(turn / 0.12, 0, 1) * np.clip((0.85 - turn) / 0.1, 0, 1), dtype=np.float64)
    biting = spin * np.clip((turn - 0.3) / 0.05, 0, 1)
    pitch = base * (0.4 + 0.6 * spin) * (1 - 0.12 * biting)
    whine = studio.harmonics(pitch, 22, 0.35) * (0.6 + 0.4 * np.sin(studio.phase(pitch / 6)))
    grind = studio.bandpass(studio.noise(), 1800, 6500) * biting
    return spin * (whine * 0.5 + grind)


def train_horn(studio: Studio) -> Signal:
    """A chord of air horns, blown long or in short blasts."""
    is_long = studio.choose("length", "long", "short") == "long"
    blast, rest = (studio.uniform(1.5, 2.2), studio.uniform(0.6, 1.0)) if is_long else (studio.uniform(0.3, 0.42), 0.35)
    turn = studio.turns(blast + rest, blast, 0.1)
    air = studio.gate(turn < blast, 8)
    root = studio.uniform(240, 330)
    track = 0.15 * studio.bandpass(studio.noise(), 600, 3000)
    for ratio in (1.0, 1.19, 1.5, 1.78):
        pitch = root * ratio * (1 - 0.04 * np.exp(-turn / 0.06))
        track += studio.harmonics(pitch, 12, 0.75)
    return air * track


def clock(studio: Studio) -> Signal:
    """Tick, tock: tiny high clicks in strict time."""
    is_slow = studio.choose("speed", "slow", "fast") == "slow"
    pitch = studio.uniform(2200, 3400)
    track = studio.silence()
    for index, start in enumerate(studio.onsets(studio.uniform(0.9, 1.3) if is_slow else studio.uniform(3, 5), 0.005)):
        tick = pitch if index % 2 else 0.75 * pitch
        studio.place(track, studio.modes(tick, (1, 1.7, 2.1), (0.008, 0.006, 0.004), (1, 0.6, 0.5), 0.06), start)
    return track
