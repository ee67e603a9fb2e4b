"""Machines: engines, rotors, tools, horns and small mechanisms."""

from __future__ import annotations

import numpy as np

from engine.sounds.synthesis import Signal, SynthContext


def engine(synth: SynthContext) -> Signal:
    """A piston engine: harmonics of the firing rate and puffs of exhaust."""
    is_idling = synth.choose("running", "idling", "revving") == "idling"
    if is_idling:
        pitch = synth.uniform(22, 35) * (1 + 0.04 * synth.wander(5))
    else:
        turn = (synth.time / synth.uniform(1.2, 2.5) + synth.uniform(0, 1)) % 1
        pitch = synth.uniform(40, 55) * (1 + 2.2 * np.where(turn < 0.6, turn / 0.6, (1 - turn) / 0.4))
    puffs = (0.5 + 0.5 * np.cos(synth.phase(pitch))) ** 3
    track = synth.harmonics(pitch, 13, 0.7) + 0.6 * synth.bandpass(synth.noise(), 200, 2500) * puffs
    return synth.lowpass(np.tanh(0.5 * track), 1500 if is_idling else 3000)


def helicopter(synth: SynthContext) -> Signal:
    """Blades chopping noise, over a turbine's hum."""
    is_slow = synth.choose("speed", "slow", "fast") == "slow"
    rate = synth.uniform(7, 10) if is_slow else synth.uniform(16, 21)
    chop: Signal = np.exp(-7 * ((synth.time * rate + synth.uniform(0, 1)) % 1))
    low = 3 * synth.lowpass(synth.noise(), 500) * chop
    high = 0.5 * synth.bandpass(synth.noise(), 400, 2500) * chop
    hum = 0.2 * np.sin(2 * np.pi * synth.uniform(70, 110) * synth.time)
    rotor: Signal = low + high + hum + 0.03 * synth.noise()
    return rotor


def drill(synth: SynthContext) -> Signal:
    """An electric drill: a whining motor that spins up, bites and lets go."""
    is_low = synth.choose("pitch", "low", "high") == "low"
    base = synth.uniform(170, 230) if is_low else synth.uniform(420, 560)
    period = synth.uniform(1.6, 2.6)
    turn = (synth.time / period + synth.uniform(0.02, 0.2)) % 1
    spin = np.asarray(np.clip(turn / 0.12, 0, 1) * np.clip((0.85 - turn) / 0.1, 0, 1), dtype=np.float64)
    biting = spin * np.clip((turn - 0.3) / 0.05, 0, 1)
    pitch = base * (0.4 + 0.6 * spin) * (1 - 0.12 * biting)
    whine = synth.harmonics(pitch, 22, 0.35) * (0.6 + 0.4 * np.sin(synth.phase(pitch / 6)))
    grind = synth.bandpass(synth.noise(), 1800, 6500) * biting
    return spin * (whine * 0.5 + grind)


def train_horn(synth: SynthContext) -> Signal:
    """A chord of air horns, blown long or in short blasts."""
    is_long = synth.choose("length", "long", "short") == "long"
    blast, rest = (synth.uniform(1.5, 2.2), synth.uniform(0.6, 1.0)) if is_long else (synth.uniform(0.3, 0.42), 0.35)
    turn = synth.turns(blast + rest, blast, 0.1)
    air = synth.gate(turn < blast, 8)
    root = synth.uniform(240, 330)
    track = 0.15 * synth.bandpass(synth.noise(), 600, 3000)
    for ratio in (1.0, 1.19, 1.5, 1.78):
        pitch = root * ratio * (1 - 0.04 * np.exp(-turn / 0.06))
        track += synth.harmonics(pitch, 12, 0.75)
    return air * track


def clock(synth: SynthContext) -> Signal:
    """Tick, tock: tiny high clicks in strict time."""
    is_slow = synth.choose("speed", "slow", "fast") == "slow"
    pitch = synth.uniform(2200, 3400)
    track = synth.silence()
    for index, start in enumerate(synth.onsets(synth.uniform(0.9, 1.3) if is_slow else synth.uniform(3, 5), 0.005)):
        tick = pitch if index % 2 else 0.75 * pitch
        synth.place(track, synth.modes(tick, (1, 1.7, 2.1), (0.008, 0.006, 0.004), (1, 0.6, 0.5), 0.06), start)
    return track
