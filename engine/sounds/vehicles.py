"""Vehicles: motorcycles, aircraft overhead, trains on the rails and the horns of cars."""

from __future__ import annotations

import numpy as np
from scipy.signal import fftconvolve

from engine.sounds.synthesis import Signal, Studio


def motorcycle(studio: Studio) -> Signal:
    """A twin with loud pipes: the limping pops of its idle, or throttle blips that scream up and fall."""
    if studio.choose("running", "idling", "revving") == "idling":
        return _idling_twin(studio)
    period = studio.uniform(0.75, 1.3)
    turn = (studio.time / period + studio.uniform(0, 0.25)) % 1
    throttle = np.clip(turn / 0.22, 0, 1) * np.exp(-np.clip(turn - 0.35, 0, 1) / 0.18)
    throttle = studio.lowpass(throttle * (0.8 + 0.2 * studio.wander(1.2)), 8, order=1)
    pitch = studio.uniform(62, 85) * (1 + studio.uniform(2.8, 3.8) * throttle)
    pops = studio.pulses(pitch, 2200) * (1 + 0.35 * np.cos(studio.phase(pitch / 2)))
    rasp = studio.bandpass(studio.noise(), 900, 5500) * pops
    pipe = studio.bandpass(pops, 90, 500, order=1) + 1.4 * studio.bandpass(pops, 700, 4500, order=1)
    blips: Signal = (pipe + 0.5 * rasp) * (0.25 + throttle)
    return blips


def _idling_twin(studio: Studio) -> Signal:
    """Two uneven shots of exhaust in every turn of the engine."""
    rate, gap = studio.uniform(4.6, 6.6), studio.uniform(0.34, 0.4)
    turns = np.arange(-1, studio.seconds * rate + 1)
    turns = turns + 0.02 * studio.random.standard_normal(len(turns)) + studio.uniform(0, 1)
    shots = np.concatenate([turns, turns + gap]) / rate
    gains = studio.random.uniform(0.75, 1, len(shots)) * np.repeat([1.0, 0.75], len(turns))
    pipe = studio.modes(studio.uniform(75, 105), (1, 2.1, 3.7), (0.035, 0.025, 0.015), (1.2, 0.9, 0.6), 0.14)
    crack = 0.8 * studio.bandpass(studio.noise(0.14), 300, 3500, order=1) * studio.decay(0.14, 0.018, 0.001)
    exhaust: Signal = fftconvolve(studio.impulses(shots, gains), pipe + crack)[: studio.num_samples]
    idle: Signal = exhaust / np.max(np.abs(pipe)) + 0.03 * studio.bandpass(studio.noise(), 400, 3000)
    return idle


def airplane(studio: Studio) -> Signal:
    """An aircraft that comes, passes overhead and goes: its pitch sinks as it passes."""
    is_jet = studio.choose("aircraft", "propeller", "jet") == "jet"
    is_slow = studio.choose("speed", "slow", "fast") == "slow"
    nearness_s = studio.uniform(1.2, 1.6) if is_slow else studio.uniform(0.35, 0.5)
    period = studio.uniform(6.5, 8.5) if is_slow else studio.uniform(3.0, 4.2)
    passing = min(0.45 * period, studio.seconds) * studio.uniform(0.45, 0.9)
    away = (studio.time - passing + period / 2) % period - period / 2
    near = 1 / (1 + (away / nearness_s) ** 2)
    doppler = 1 - (0.16 if is_slow else 0.26) * np.tanh(away / nearness_s) * np.cos(np.pi * away / period)
    if not is_jet:
        return _propellers(studio, doppler, near)
    air = studio.noise()
    roar = studio.lowpass(air, 450, order=1) + 0.9 * studio.bandpass(air, 500, 2500) * near
    tear = 0.5 * studio.highpass(air, 2500) * near**2
    turbine = studio.phase(studio.uniform(1700, 2500) * doppler)
    whine = 0.3 * np.sin(turbine) + 0.12 * np.sin(1.49 * turbine)
    flight: Signal = (0.08 + 0.9 * near) * (roar + tear) + near * whine
    return flight


def _propellers(studio: Studio, doppler: Signal, near: Signal) -> Signal:
    """Two propellers that beat against each other."""
    blades = studio.uniform(75, 105) * doppler
    drone = studio.pulses(blades, 700) + studio.pulses(1.017 * blades, 700)
    drone = studio.bandpass(drone, 60, 2500, order=1)
    air = studio.bandpass(studio.noise(), 300, 2500, order=1)
    return (0.08 + near) * (drone + 0.08 * air * near)


def train(studio: Studio) -> Signal:
    """Wheels over rail joints, two axles at a time (da-dum, da-dum), above the rumble of the wagons."""
    is_slow = studio.choose("speed", "slow", "fast") == "slow"
    rate = studio.uniform(0.75, 1.0) if is_slow else studio.uniform(1.9, 2.4)
    axle_s = 0.2 / rate
    rail = studio.modes(studio.uniform(85, 120), (1, 2.6), (0.05, 0.03), (1.3, 0.7), 0.3)
    rail += studio.modes(studio.uniform(700, 900), (1, 1.9, 3.3), (0.03, 0.02, 0.015), (0.4, 0.3, 0.25), 0.3)
    track = studio.silence()
    for start in studio.onsets(rate, 0.015):
        for axle, (delay, gain) in enumerate(((0.0, 0.8), (axle_s, 1.0))):
            clack = studio.bandpass(studio.noise(0.1), 500, 3500, order=1) * studio.decay(0.1, 0.02, 0.001)
            studio.place(track, rail, start + delay, gain * studio.uniform(0.85, 1))
            studio.place(track, clack, start + delay + 0.002 * axle, 0.9 * gain)
    rumble = studio.lowpass(studio.noise(), 160) * (0.7 + 0.3 * studio.wander(2))
    hiss = studio.bandpass(studio.noise(), 500, 2200, order=1) * (0.6 + 0.4 * studio.wander(3))
    ride: Signal = track + (0.6 if is_slow else 0.9) * rumble + (0.07 if is_slow else 0.12) * hiss
    return ride


def car_horn(studio: Studio) -> Signal:
    """Honks of two reedy tones a third apart, switched on and off at once: quick pairs, or leaned on."""
    is_long = studio.choose("length", "long", "short") == "long"
    is_low = studio.choose("pitch", "low", "high") == "low"
    root = studio.uniform(300, 350) if is_low else studio.uniform(470, 560)
    held = np.zeros(studio.num_samples, dtype=np.bool_)
    moment = studio.uniform(0.02, min(0.3, 0.2 * studio.seconds))
    while moment < studio.seconds:
        for _ in range(1 if is_long else studio.count(2, 4)):
            end = moment + (studio.uniform(1.0, 1.7) if is_long else studio.uniform(0.12, 0.22))
            held |= (studio.time >= moment) & (studio.time < end)
            moment = end + studio.uniform(0.08, 0.13)
        moment += studio.uniform(0.35, 0.8)
    tones = studio.silence()
    for ratio in (1.0, studio.uniform(1.22, 1.27)):
        tones += studio.pulses(np.full(studio.num_samples, root * ratio), 2400)
    brass = studio.bandpass(tones, 1500, 3500, order=1) + 0.5 * studio.bandpass(tones, 350, 1200, order=1)
    return brass * studio.gate(held, 60)
