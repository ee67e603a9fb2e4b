"""Machines in the house: vacuum cleaners, fans, washing machines and clocks."""

from __future__ import annotations

import numpy as np

from engine.sounds.bodies import WOOD, Body, StruckBody, plate, resonate, trailing, unit
from engine.sounds.combustion import firing, soft_impulses
from engine.sounds.moving_noise import moving_noise
from engine.sounds.synthesis import Signal, SynthContext

_HERTZ = (40.0, 80.0, 160.0, 315.0, 630.0, 1250.0, 2500.0, 5000.0, 10000.0, 18000.0)


def vacuum(synth: SynthContext) -> Signal:
    """A vacuum cleaner: the motor howls up to its speed; then a rush of air in which the nozzle moves to and fro."""
    is_low = synth.choose("pitch", "low", "high") == "low"
    top = synth.uniform(250, 350) if is_low else synth.uniform(640, 880)
    start = min(synth.uniform(0.15, 0.3), 0.15 * synth.seconds)
    spin = 1 - np.exp(-(synth.time + 0.15 * start) / start)
    stroke = np.sin(2 * np.pi * synth.uniform(0.35, 0.9) * (synth.time + 0.8 * synth.wander(0.5)))
    pitch = top * spin * (1 + 0.02 * stroke + 0.01 * (synth.wander(2) - 0.5))
    tone = synth.pulses(pitch, synth.uniform(900, 2200)) + 0.4 * synth.pulses(pitch * synth.uniform(0.49, 0.51), 900)
    blades = np.sin(synth.phase(np.minimum(pitch * synth.count(6, 10), 7000))) * (0.6 + 0.4 * synth.wander(6))
    levels = np.array([-14, -7, -2, 1, 2, 1, -1, -6, -15, -26]) + synth.uniform(-1.5, 1.5) * np.arange(-5, 5)
    rows = max(8, round(30 * synth.seconds))
    nozzle = np.interp(np.linspace(0, 1, rows), np.linspace(0, 1, synth.num_samples), stroke)[:, None]
    lean = 0.8 * nozzle * np.sin(np.linspace(0, 5, 10) + synth.uniform(0, 6))
    comb = (0.0006 + 0.0004 * (1 + nozzle[:, 0]) * synth.uniform(0.3, 1.5), synth.uniform(0.2, 0.5))
    air = moving_noise(synth, _HERTZ, levels + 2 * lean, wander_db=1.2, wander_hz=2, comb=comb)
    hose = Body(np.array([1, 2.1, 3.3]) * synth.uniform(180, 500), np.array([4, 3, 2]) / 1000)
    howl = resonate(synth, tone, hose, np.ones(3))
    motor = unit(tone) + 0.5 * unit(howl) + synth.uniform(0.05, 0.25) * blades
    share = synth.uniform(0.35, 0.6)
    cleaner: Signal = spin**2 * (share * motor + unit(air))
    return cleaner


def fan(synth: SynthContext) -> Signal:
    """Blades that push air: a soft chop and a rush of low noise, the mains' hum, a bearing that may tick."""
    is_slow = synth.choose("speed", "slow", "fast") == "slow"
    blades = synth.count(3, 6)
    blade_hz = synth.uniform(7, 18) if is_slow else synth.uniform(50, 130)
    rate = blade_hz / blades * (1 + 0.02 * (synth.wander(0.5) - 0.5))
    times, gains = firing(synth, rate, [(k / blades, synth.uniform(0.6, 1)) for k in range(blades)], 0.1)
    shots = soft_impulses(synth, times, gains)
    chop = trailing(synth, synth.lowpass(shots, 2.5 * blade_hz), 0.35 / blade_hz)
    levels = np.array([8, 9, 8, 4, 1, -3, -8, -15, -24, -34]) + synth.uniform(-2.5, 0.7) * np.arange(-3, 7)
    air = moving_noise(synth, _HERTZ, levels + (0 if is_slow else 0.8) * np.arange(-5, 5), wander_db=2, wander_hz=1.5)
    depth = synth.uniform(0.35, 1.3) if is_slow else synth.uniform(0.03, 0.35)
    wash = air * (1 + depth * (chop / (np.mean(chop) + 1e-9) - 1).clip(-0.6, 2))
    mains = (100.0, 120.0)[synth.count(0, 2)]
    hum = sum(
        synth.uniform(0, 1) / k * np.sin(2 * np.pi * k * mains * synth.time + synth.uniform(0, 6)) for k in (1, 2, 3, 4)
    )
    whirr = synth.lowpass(synth.pulses(rate * blades, 6 * blade_hz), 2500, 1)
    track: Signal = unit(wash) + synth.uniform(0.02, 0.3) * hum + synth.uniform(0.05, 0.3) * (whirr - np.mean(whirr))
    if synth.uniform(0, 1) < 0.4:
        times, gains = firing(synth, rate, [(synth.uniform(0, 1), 1.0)], 0.5)
        cage = Body(synth.random.uniform(0.7, 1.4, 5) * [500, 1300, 2800, 5000, 9000], np.full(5, 0.004))
        track += synth.uniform(0.3, 1.2) * resonate(synth, soft_impulses(synth, times, gains), cage, np.full(5, 0.5))
    return track


def washing_machine(synth: SynthContext) -> Signal:
    """A drum: slow, it tumbles wet cloth to and fro with pauses; fast, it spins, drones and beats."""
    if synth.choose("speed", "slow", "fast") == "fast":
        return _spinning(synth)
    turning = _turns_to_and_fro(synth)
    hum = synth.pulses(synth.uniform(45, 110) * (0.4 + 0.6 * turning), synth.uniform(500, 1500)) * turning
    slosh_hz = synth.uniform(0.8, 1.5)
    turn = np.cumsum(slosh_hz * turning * (0.9 + 0.2 * synth.wander(2))) / synth.sample_rate + synth.uniform(0, 1)
    slosh = np.exp(-4 * (turn % 1)) * np.minimum(1, 12 * (turn % 1)) * turning
    levels = np.array([4, 6, 5, 3, 1, -2, -6, -12, -21, -30])
    water = moving_noise(synth, _HERTZ, levels, wander_db=5, wander_hz=10)
    motor = moving_noise(synth, _HERTZ, levels + np.linspace(2, -4, 10), wander_db=1.5)
    track: Signal = 0.6 * water * slosh + 0.25 * motor * turning + 0.25 * synth.highpass(hum, 60)
    drum = StruckBody(synth, plate(synth, WOOD, synth.uniform(40, 70), 14), 0.5)
    for index in range(round(slosh_hz * synth.seconds)):
        start = (index + synth.uniform(0, 0.9)) / slosh_hz
        at = min(synth.num_samples - 1, round(start * synth.sample_rate))
        synth.place(track, drum.blow(500, 0.5), start, synth.uniform(0.2, 1.0) * float(turning[at]))
    return track


def _turns_to_and_fro(synth: SynthContext) -> Signal:
    """1 while the drum turns one way or the other, 0 in the pauses between, [T]."""
    moments, values = [-1.0], [synth.uniform(0, 1)]
    moment = synth.uniform(-2, 0.2)
    while moment < synth.seconds:
        end = moment + synth.uniform(2.5, 6)
        moments += [moment, moment + 0.5, end, end + 0.6]
        values += [0.0, 1.0, 1.0, 0.0]
        moment = end + synth.uniform(0.8, 1.6)
    return np.interp(synth.time, moments, values)


def _spinning(synth: SynthContext) -> Signal:
    """The spin: a whine and a roar that climb, and the beat of a load that is off the middle."""
    climb = synth.uniform(0.6, 1.0)
    rate = synth.uniform(10, 22) * (climb + (1 - climb) * np.minimum(1, synth.time / synth.uniform(2, 6)))
    rate = rate * (1 + 0.02 * (synth.wander(0.8) - 0.5))
    beat = 1 + synth.uniform(0.15, 0.6) * np.cos(synth.phase(rate))
    whine = synth.pulses(rate * synth.uniform(11, 36), synth.uniform(700, 2500)) * (0.7 + 0.3 * synth.wander(4))
    levels = np.array([9, 8, 5, 2, 0, -3, -8, -14, -22, -31]) + synth.uniform(-1, 1) * np.arange(-5, 5)
    roar = moving_noise(synth, _HERTZ, levels, wander_db=2.5, wander_hz=2)
    times, gains = firing(synth, rate, [(0.0, 1.0)], 0.3)
    knock = resonate(
        synth,
        soft_impulses(synth, times, gains),
        Body(synth.random.uniform(0.8, 1.2, 5) * [45, 95, 180, 420, 1100], np.array([30, 20, 12, 6, 3]) / 1000),
        np.array([1, 1, 0.7, 0.4, 0.2]),
    )
    tones = synth.highpass(whine, 80)
    spin: Signal = unit(roar) * beat + synth.uniform(0.1, 0.5) * unit(tones) + synth.uniform(0.3, 1.2) * unit(knock)
    return spin
