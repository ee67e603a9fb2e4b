"""Vehicles: motorcycles, aircraft overhead, trains on the rails and the horns of cars."""

from __future__ import annotations

import numpy as np
from scipy.signal import fftconvolve

from engine.sounds.synthesis import Signal, SynthContext


def motorcycle(synth: SynthContext) -> Signal:
    """A twin with loud pipes: the limping pops of its idle, or throttle blips that scream up and fall."""
    if synth.choose("running", "idling", "revving") == "idling":
        return _idling_twin(synth)
    period = synth.uniform(0.75, 1.3)
    turn = (synth.time / period + synth.uniform(0, 0.25)) % 1
    throttle = np.clip(turn / 0.22, 0, 1) * np.exp(-np.clip(turn - 0.35, 0, 1) / 0.18)
    throttle = synth.lowpass(throttle * (0.8 + 0.2 * synth.wander(1.2)), 8, order=1)
    pitch = synth.uniform(62, 85) * (1 + synth.uniform(2.8, 3.8) * throttle)
    pops = synth.pulses(pitch, 2200) * (1 + 0.35 * np.cos(synth.phase(pitch / 2)))
    rasp = synth.bandpass(synth.noise(), 900, 5500) * pops
    pipe = synth.bandpass(pops, 90, 500, order=1) + 1.4 * synth.bandpass(pops, 700, 4500, order=1)
    blips: Signal = (pipe + 0.5 * rasp) * (0.25 + throttle)
    return blips


def _idling_twin(synth: SynthContext) -> Signal:
    """Two uneven shots of exhaust in every turn of the engine."""
    rate, gap = synth.uniform(4.6, 6.6), synth.uniform(0.34, 0.4)
    turns = np.arange(-1, synth.seconds * rate + 1)
    turns = turns + 0.02 * synth.random.standard_normal(len(turns)) + synth.uniform(0, 1)
    shots = np.concatenate([turns, turns + gap]) / rate
    gains = synth.random.uniform(0.75, 1, len(shots)) * np.repeat([1.0, 0.75], len(turns))
    pipe = synth.modes(synth.uniform(75, 105), (1, 2.1, 3.7), (0.035, 0.025, 0.015), (1.2, 0.9, 0.6), 0.14)
    crack = 0.8 * synth.bandpass(synth.noise(0.14), 300, 3500, order=1) * synth.decay(0.14, 0.018, 0.001)
    exhaust: Signal = fftconvolve(synth.impulses(shots, gains), pipe + crack)[: synth.num_samples]
    idle: Signal = exhaust / np.max(np.abs(pipe)) + 0.03 * synth.bandpass(synth.noise(), 400, 3000)
    return idle


def airplane(synth: SynthContext) -> Signal:
    """An aircraft that comes, passes overhead and goes: its pitch sinks as it passes."""
    is_jet = synth.choose("aircraft", "propeller", "jet") == "jet"
    is_slow = synth.choose("speed", "slow", "fast") == "slow"
    nearness_s = synth.uniform(1.2, 1.6) if is_slow else synth.uniform(0.35, 0.5)
    period = synth.uniform(6.5, 8.5) if is_slow else synth.uniform(3.0, 4.2)
    passing = min(0.45 * period, synth.seconds) * synth.uniform(0.45, 0.9)
    away = (synth.time - passing + period / 2) % period - period / 2
    near = 1 / (1 + (away / nearness_s) ** 2)
    doppler = 1 - (0.16 if is_slow else 0.26) * np.tanh(away / nearness_s) * np.cos(np.pi * away / period)
    if not is_jet:
        return _propellers(synth, doppler, near)
    air = synth.noise()
    roar = synth.lowpass(air, 450, order=1) + 0.9 * synth.bandpass(air, 500, 2500) * near
    tear = 0.5 * synth.highpass(air, 2500) * near**2
    turbine = synth.phase(synth.uniform(1700, 2500) * doppler)
    whine = 0.3 * np.sin(turbine) + 0.12 * np.sin(1.49 * turbine)
    flight: Signal = (0.08 + 0.9 * near) * (roar + tear) + near * whine
    return flight


def _propellers(synth: SynthContext, doppler: Signal, near: Signal) -> Signal:
    """Two propellers that beat against each other."""
    blades = synth.uniform(75, 105) * doppler
    drone = synth.pulses(blades, 700) + synth.pulses(1.017 * blades, 700)
    drone = synth.bandpass(drone, 60, 2500, order=1)
    air = synth.bandpass(synth.noise(), 300, 2500, order=1)
    return (0.08 + near) * (drone + 0.08 * air * near)


def train(synth: SynthContext) -> Signal:
    """Wheels over rail joints, two axles at a time (da-dum, da-dum), above the rumble of the wagons."""
    is_slow = synth.choose("speed", "slow", "fast") == "slow"
    rate = synth.uniform(0.75, 1.0) if is_slow else synth.uniform(1.9, 2.4)
    axle_s = 0.2 / rate
    rail = synth.modes(synth.uniform(85, 120), (1, 2.6), (0.05, 0.03), (1.3, 0.7), 0.3)
    rail += synth.modes(synth.uniform(700, 900), (1, 1.9, 3.3), (0.03, 0.02, 0.015), (0.4, 0.3, 0.25), 0.3)
    track = synth.silence()
    for start in synth.onsets(rate, 0.015):
        for axle, (delay, gain) in enumerate(((0.0, 0.8), (axle_s, 1.0))):
            clack = synth.bandpass(synth.noise(0.1), 500, 3500, order=1) * synth.decay(0.1, 0.02, 0.001)
            synth.place(track, rail, start + delay, gain * synth.uniform(0.85, 1))
            synth.place(track, clack, start + delay + 0.002 * axle, 0.9 * gain)
    rumble = synth.lowpass(synth.noise(), 160) * (0.7 + 0.3 * synth.wander(2))
    hiss = synth.bandpass(synth.noise(), 500, 2200, order=1) * (0.6 + 0.4 * synth.wander(3))
    ride: Signal = track + (0.6 if is_slow else 0.9) * rumble + (0.07 if is_slow else 0.12) * hiss
    return ride


def car_horn(synth: SynthContext) -> Signal:
    """Honks of two reedy tones a third apart, switched on and off at once: quick pairs, or leaned on."""
    is_long = synth.choose("length", "long", "short") == "long"
    is_low = synth.choose("pitch", "low", "high") == "low"
    root = synth.uniform(300, 350) if is_low else synth.uniform(470, 560)
    held = np.zeros(synth.num_samples, dtype=np.bool_)
    moment = synth.uniform(0.02, min(0.3, 0.2 * synth.seconds))
    while moment < synth.seconds:
        for _ in range(1 if is_long else synth.count(2, 4)):
            end = moment + (synth.uniform(1.0, 1.7) if is_long else synth.uniform(0.12, 0.22))
            held |= (synth.time >= moment) & (synth.time < end)
            moment = end + synth.uniform(0.08, 0.13)
        moment += synth.uniform(0.35, 0.8)
    tones = synth.silence()
    for ratio in (1.0, synth.uniform(1.22, 1.27)):
        tones += synth.pulses(np.full(synth.num_samples, root * ratio), 2400)
    brass = synth.bandpass(tones, 1500, 3500, order=1) + 0.5 * synth.bandpass(tones, 350, 1200, order=1)
    return brass * synth.gate(held, 60)
