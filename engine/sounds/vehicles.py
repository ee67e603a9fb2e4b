"""In the air: aircraft that pass overhead, and helicopters."""

from __future__ import annotations

import numpy as np

from engine.sounds.bodies import Body, resonate, trailing, unit
from engine.sounds.combustion import even_cylinders, firing, gas, soft_impulses
from engine.sounds.moving_noise import moving_noise
from engine.sounds.synthesis import Signal, SynthContext

_AIR_HZ = (40.0, 80.0, 160.0, 315.0, 630.0, 1250.0, 2500.0, 5000.0, 10000.0, 18000.0)
_JET_DB = np.array([-5.0, -2.0, 2.0, 3.0, 2.0, 0.0, -3.0, -8.0, -16.0, -34.0])
"""Density of a jet's noise close by, after recordings; air takes the highs of one far off."""
_AIR_LOSS_DB = np.array([0.0, 0.0, 0.0, 0.5, 1.5, 4.0, 9.0, 17.0, 30.0, 46.0])
_GROUND_S = (0.003, 0.011)
"""Delay of the ground's reflection under an aircraft overhead: twice a listener's height of 0.5 to 1.9 m."""


def _overflight(synth: SynthContext, *, is_slow: bool) -> tuple[Signal, Signal]:
    """Seconds from the nearest pass, and the time that one takes, both [T]; a long clip has several passes."""
    moments, widths = [], []
    moment = min(3.0, synth.seconds) * synth.uniform(0.3, 0.9)
    while moment < synth.seconds + 1:
        moments.append(moment)
        widths.append(synth.uniform(1.2, 2.8) if is_slow else synth.uniform(0.3, 0.55))
        moment += synth.uniform(6.5, 9.0) if is_slow else synth.uniform(3.2, 5.0)
    middles = (np.array(moments[1:]) + moments[:-1]) / 2
    turn = np.searchsorted(middles, synth.time)
    return synth.time - np.array(moments)[turn], np.array(widths)[turn]


def airplane(synth: SynthContext) -> Signal:
    """An aircraft that comes, passes overhead and goes: its pitch sinks, and the ground's echo sweeps a comb."""
    is_jet = synth.choose("aircraft", "propeller", "jet") == "jet"
    is_slow = synth.choose("speed", "slow", "fast") == "slow"
    away, width = _overflight(synth, is_slow=is_slow)
    way = away / width
    near = 1 / (1 + way**2)
    mach = synth.uniform(0.1, 0.18) if is_slow else synth.uniform(0.2, 0.32)
    doppler = 1 - mach * way / np.sqrt(1 + way**2)
    step = max(1, synth.num_samples // 256)
    rows = near[::step]
    far_db = -10 * np.log10(rows + 0.02)[:, None] * _AIR_LOSS_DB / 12
    levels = _JET_DB - far_db - synth.uniform(0, 1.2) * np.maximum(0, np.log2(np.asarray(_AIR_HZ) / 2500)) * 4
    comb = (synth.uniform(*_GROUND_S) * np.sqrt(rows) + 0.0003, synth.uniform(0.35, 0.8))
    if not is_jet:
        return _propellers(synth, doppler, near, levels - 8, comb)
    behind = 0.75 + 0.25 * np.tanh(way)  # a jet roars to the rear
    roar = moving_noise(synth, _AIR_HZ, levels, wander_db=1.8, wander_hz=3, comb=comb)
    whine_hz = synth.uniform(1500, 3200) * doppler
    whine = np.sin(synth.phase(whine_hz * (1 + 0.002 * synth.wander(12))))
    whine += 0.4 * np.sin(synth.phase(whine_hz * synth.uniform(1.3, 1.7)))
    flight: Signal = (0.06 + near) * (roar * behind + synth.uniform(0.02, 0.2) * near * whine)
    return flight


def _propellers(
    synth: SynthContext, doppler: Signal, near: Signal, levels_db: Signal, comb: tuple[Signal, float]
) -> Signal:
    """One propeller or two that beat, each blade a little unlike the next, over the exhaust of its pistons."""
    shaft = synth.uniform(24, 42) * doppler * (1 + 0.01 * (synth.wander(3) - 0.5))
    blades = synth.count(2, 5)
    shots = synth.silence()
    for ratio in (1.0, synth.uniform(1.006, 1.02))[: synth.count(1, 3)]:
        times, gains = firing(synth, shaft * ratio, even_cylinders(synth, blades, 0.25), 0.08)
        shots += soft_impulses(synth, times, gains)
    hertz = synth.random.uniform(0.8, 1.25, 6) * [90, 170, 320, 700, 1500, 3400]
    slap = resonate(synth, shots, Body(hertz, np.array([5, 4, 2.5, 1.4, 0.8, 0.4]) / 1000), np.geomspace(1, 0.25, 6))
    air = moving_noise(synth, _AIR_HZ, levels_db, wander_db=2, wander_hz=3, comb=comb)
    slap = unit(slap)
    torn = air * (0.4 + gas(synth, shots, np.ones(synth.num_samples), 0.004))
    return (0.06 + near) * (slap + synth.uniform(0.3, 0.8) * torn)


def helicopter(synth: SynthContext) -> Signal:
    """Blades that slap and tear the air, the buzz of the tail rotor and a turbine's whine; hovering, or passing."""
    is_slow = synth.choose("speed", "slow", "fast") == "slow"
    blades = 2 if is_slow else synth.count(3, 6)
    blade_hz = synth.uniform(7, 11) if is_slow else synth.uniform(16, 23)
    drift = synth.uniform(0.1, 0.9) * np.sin(synth.uniform(0.2, 0.7) * synth.time + synth.uniform(0, 6.28))
    near = 1 / (1 + (drift + 0.4 * synth.wander(0.7)) ** 2)
    rate = blade_hz / blades * (1 + 0.03 * (synth.wander(0.6) - 0.5))
    times, gains = firing(synth, rate, even_cylinders(synth, blades, 0.3), 0.12)
    shots = soft_impulses(synth, times, gains)
    hertz = synth.random.uniform(0.75, 1.3, 7) * [60, 110, 190, 320, 560, 1000, 2000]
    falls = np.array([20, 14, 9, 6, 4, 2, 1]) / 1000
    slope = synth.uniform(0.25, 0.9)
    slap = resonate(synth, shots, Body(hertz, falls), np.geomspace(1, slope, 7))
    low = Body(synth.uniform(20, 42) * np.array([1.0, 2.1]), np.array([0.045, 0.03]))
    thump = unit(resonate(synth, shots, low, np.array([1.0, 0.6])))
    torn = trailing(synth, synth.lowpass(shots, 60, 1), synth.uniform(0.01, 0.025))
    comb = (synth.uniform(*_GROUND_S) * near[:: max(1, synth.num_samples // 200)] + 0.0004, 0.5)
    levels = np.array([2, 4, 5, 4, 1, -4, -9, -15, -24, -36]) - synth.uniform(0, 6) * np.linspace(0, 1, 10)
    air = moving_noise(synth, _AIR_HZ, levels, wander_db=2.5, wander_hz=3, comb=comb)
    tail = synth.pulses(rate * blades * synth.uniform(4.1, 6.3), synth.uniform(500, 1500))
    whine_hz = synth.uniform(2200, 7500) * (1 + 0.004 * synth.wander(2))
    whine = np.sin(synth.phase(whine_hz)) * synth.wander(3)
    beat = (
        unit(slap)
        + synth.uniform(0.0, 1.5) * thump
        + synth.uniform(0.4, 1.1) * air * (synth.uniform(0.1, 0.7) + torn / (np.max(torn) + 1e-9)) * 1.6
    )
    tones = synth.uniform(0.05, 0.3) * synth.highpass(tail, 60) + synth.uniform(0.002, 0.03) * whine
    flight: Signal = (0.3 + near) * (beat + tones)
    return flight
