"""On the road: passing traffic, car and lorry engines, motorcycles and the horns of cars."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from engine.sounds.bodies import Body, resonate, unit, varied
from engine.sounds.combustion import even_cylinders, exhaust, firing, gas, soft_impulses
from engine.sounds.moving_noise import moving_noise
from engine.sounds.synthesis import Signal, SynthContext

_HERTZ = (40.0, 80.0, 160.0, 315.0, 630.0, 1250.0, 2500.0, 5000.0, 10000.0, 18000.0)
_TYRES_DB = np.array([2.0, 4.0, 3.0, 1.0, 1.0, 0.5, -5.0, -12.0, -21.0, -31.0])
"""Density of the noise of tyres on asphalt after recordings: level to 1 kHz, 6 to 9 dB an octave above."""
_TOWN_DB = np.array([6.0, 5.0, 2.0, -2.0, -6.0, -11.0, -17.0, -24.0, -32.0, -41.0])
_ROWS_PER_SECOND = 40


@dataclass(frozen=True)
class Pass:
    """One vehicle that goes by: when it is nearest, how long that takes, its loudness, brightness and its motor."""

    nearest_s: float
    width_s: float
    gain: float
    tilt_db: float  # per octave
    shots_hz: float
    motor: float
    approach: float  # speed over the speed of sound

    def near(self, time: Signal) -> Signal:
        """Closeness: 1 when nearest, and falling as 1 / distance."""
        closeness: Signal = 1 / np.sqrt(1 + ((time - self.nearest_s) / self.width_s) ** 2)
        return closeness

    def shot_times(self, first_s: float, last_s: float) -> Signal:
        """When the shots of its motor arrive: sooner while it comes, later when it goes."""
        time = np.linspace(first_s, last_s, 400)
        delay = self.approach * np.hypot(time - self.nearest_s, self.width_s)
        phase = self.shots_hz * (time - delay)
        return np.interp(np.arange(np.ceil(phase[0]), phase[-1]), phase, time)


def _passes(synth: SynthContext, shortest_gap_s: float, longest_gap_s: float) -> list[Pass]:
    moment = synth.uniform(-0.8, min(0.8, 0.5 * synth.seconds))
    passes = []
    while moment < synth.seconds + 0.5:
        is_lorry = synth.uniform(0, 1) < 0.2
        speed = synth.uniform(7, 16) if is_lorry else synth.uniform(8, 30)
        distance = np.exp(synth.uniform(np.log(2.5), np.log(16)))
        passes.append(
            Pass(
                nearest_s=moment,
                width_s=float(np.clip(distance / speed, 0.12, 1.3)),
                gain=(1.6 if is_lorry else 1.0) * float((5 / (2 + distance)) ** 0.7) * (speed / 15) ** 0.7,
                tilt_db=synth.uniform(-1.8, 0.5) - 0.03 * float(distance),
                shots_hz=synth.uniform(32, 60) if is_lorry else synth.uniform(55, 130),
                motor=synth.uniform(0.5, 2.0) if is_lorry else synth.uniform(0.05, 0.6),
                approach=speed / 343,
            )
        )
        moment += synth.uniform(shortest_gap_s, longest_gap_s)
    return passes


def traffic(synth: SynthContext) -> Signal:
    """Cars and lorries that pass, each with its distance and speed, over the hum of a town.

    Air noise of the tyres is combed by the road's reflection, whose delay shrinks as a vehicle nears.
    """
    is_heavy = synth.choose("intensity", "heavy", "light") == "heavy"
    passes = _passes(synth, 0.25, 1.0) if is_heavy else _passes(synth, 1.3, 3.2)
    rows = np.linspace(0, synth.seconds, max(8, round(_ROWS_PER_SECOND * synth.seconds)))
    octaves = np.log2(np.asarray(_HERTZ) / 1000)
    asphalt = _TYRES_DB + synth.uniform(-1.5, 0.8) * octaves + 2 * synth.random.standard_normal(len(_HERTZ))
    town = _TOWN_DB + synth.uniform(-3, 3) * octaves / 4
    power = 10 ** ((town + (synth.uniform(-18, -8) if is_heavy else synth.uniform(-24, -12))) / 10) + 0 * rows[:, None]
    closest = np.zeros(len(rows))
    shots = synth.silence()
    for car in passes:
        near = car.gain * car.near(rows)
        bright = np.log2(np.maximum(car.near(rows), 0.01))[:, None] * np.maximum(octaves + 1, 0) * 0.8
        power += near[:, None] ** 2 * 10 ** ((asphalt + car.tilt_db * np.maximum(octaves, -1) + bright) / 10)
        closest = np.maximum(closest, near)
        times = car.shot_times(max(-1.0, car.nearest_s - 5 * car.width_s), car.nearest_s + 5 * car.width_s)
        uneven = np.exp(0.3 * synth.random.standard_normal(len(times)))
        shots += soft_impulses(synth, times, uneven * car.motor * car.gain * car.near(times) ** 1.3)
    comb = (0.0001 + 0.0006 * closest / (closest.max() + 1e-9), synth.uniform(0.05, 0.3))
    street = moving_noise(synth, _HERTZ, 10 * np.log10(power), wander_db=1.5, wander_hz=2.5, comb=comb)
    motors = exhaust(synth, shots, synth.uniform(55, 110), 0.1)
    return street + 0.8 * motors


def engine(synth: SynthContext) -> Signal:
    """A car's or a lorry's engine of three to eight cylinders, none like another; idling, or driven up and down."""
    is_idling = synth.choose("running", "idling", "revving") == "idling"
    is_diesel = synth.uniform(0, 1) < 0.4
    number = (3, 4, 4, 6, 8)[synth.count(0, 5)]
    speed = 1 + synth.uniform(0.01, 0.05) * (synth.wander(3) - 0.5)
    pull = np.full(synth.num_samples, 0.2)
    if is_idling:
        rate = synth.uniform(5.2, 8.0) * speed
    else:
        pull = _throttle(synth, 0.6, 2.4)
        rate = synth.uniform(8, 11) * speed * (1 + synth.uniform(1.6, 3.2) * synth.lowpass(pull, 3, order=1))
    times, gains = firing(synth, rate, even_cylinders(synth, number, 0.3), 0.07 if is_idling else 0.04)
    shots = soft_impulses(synth, times, gains)
    breath = np.array([4, 2, -4, -10, -17, -27, -38]) + synth.uniform(-2.5, 1.5) * np.arange(-1, 6)
    air = moving_noise(synth, (40, 150, 500, 1500, 4000, 9000, 18000), breath, wander_db=2.5, wander_hz=4)
    pipes = exhaust(synth, shots, synth.uniform(50, 150), synth.uniform(0.0, 0.3))
    track = pipes * (0.5 + pull) + gas(synth, shots, air, synth.uniform(0.004, 0.012)) * (0.3 + 0.8 * pull)
    fan = (0.03 + 0.06 * synth.uniform(0, 1)) * (rate / np.mean(rate)) ** 2
    track += fan * moving_noise(
        synth, (60, 300, 1200, 5000, 12000, 18000), (6, 4, 0, -7, -15, -22), wander_db=2, wander_hz=1
    )
    clatter = resonate(synth, shots, _block(synth), varied(synth, np.ones(7), 5))
    beaten = clatter * (synth.uniform(0.1, 0.25) if is_diesel else synth.uniform(0.01, 0.05))
    running: Signal = np.tanh(0.5 * unit(track + beaten))
    return running


def _block(synth: SynthContext) -> Body:
    """The walls of a motor that the gears, valves and injectors beat on."""
    hertz = synth.random.uniform(0.8, 1.2, 7) * [500, 900, 1500, 2300, 3600, 5600, 8500]
    return Body(hertz, np.linspace(2.0, 0.3, 7) / 1000)


def _throttle(synth: SynthContext, shortest_s: float, longest_s: float) -> Signal:
    """How far the throttle is open, 0 to 1: quick or slow strokes of the pedal, held, let go, none like another."""
    moments, values = [0.0], [synth.uniform(0, 0.4)]
    while moments[-1] < synth.seconds:
        hold, height = synth.uniform(shortest_s, longest_s), synth.uniform(0.5, 1.0)
        steps = synth.uniform(0.1, 0.45) * hold, synth.uniform(0.05, 0.4) * hold, synth.uniform(0.15, 0.6) * hold
        for step, value in zip((*steps, 0.25 * hold), (height, 0.9 * height, 0.05, 0.03), strict=True):
            moments.append(moments[-1] + step)
            values.append(value * synth.uniform(0.9, 1.0))
    return synth.lowpass(np.interp(synth.time, moments, values), 8, order=1)


def motorcycle(synth: SynthContext) -> Signal:
    """A single or a V-twin that limps at idle, or one that also has four cylinders, driven up in blips and overruns."""
    is_idling = synth.choose("running", "idling", "revving") == "idling"
    kind = synth.count(0, 2 if is_idling else 3)
    cylinders = (
        [(0.0, 1.0)],
        [(0.0, 1.0), (synth.uniform(0.34, 0.43), synth.uniform(0.65, 0.95))],
        even_cylinders(synth, 4, 0.3),
    )[kind]
    idle_hz = (synth.uniform(6.5, 9.5), synth.uniform(4.6, 7.2), synth.uniform(9, 11))[kind]
    pull = np.full(synth.num_samples, 0.1) if is_idling else _throttle(synth, 0.5, 1.7)
    climb = 0.0 if is_idling else synth.uniform(3.5, 6.0)
    idle_hz *= 1.0 if is_idling else 1.7
    rate = idle_hz * (1 + climb * synth.lowpass(pull, 3.5, order=1)) * (1 + 0.06 * (synth.wander(4) - 0.5))
    times, gains = firing(synth, rate, cylinders, 0.28 if is_idling else 0.14)
    shots = soft_impulses(synth, times, gains)
    pipe = exhaust(synth, shots, synth.uniform(65, 125), synth.uniform(0.1, 0.4)) * (0.3 + pull)
    air = moving_noise(
        synth, (60, 250, 900, 2500, 6000, 12000, 18000), (0, 2, 0, -4, -10, -17, -25), wander_db=3, wander_hz=5
    )
    crack = gas(synth, shots, air, synth.uniform(0.005, 0.012)) * (0.25 + 0.9 * pull)
    ticks = resonate(synth, shots, _block(synth), np.geomspace(1, 0.4, 7)) * synth.uniform(0.04, 0.12)
    hum = moving_noise(synth, (100, 800, 3000, 8000, 16000), (0, -2, -5, -12, -20), wander_db=2)
    track = pipe + 1.2 * crack + ticks + (0.02 + 0.03 * pull) * hum
    ride: Signal = np.tanh(0.25 * unit(track)) if is_idling else track
    return ride


_NOTES = (1.0, 1.19, 1.26, 1.335)


def _honks(synth: SynthContext, *, is_long: bool) -> Signal:
    """When the button is down: one or two long presses, or quick ones, of any length."""
    held = np.zeros(synth.num_samples, dtype=np.bool_)
    moment = synth.uniform(0.02, min(0.4, 0.2 * synth.seconds))
    while moment < synth.seconds:
        for _ in range(1 if is_long else synth.count(2, 4)):
            end = moment + (synth.uniform(0.9, 2.4) if is_long else synth.uniform(0.09, 0.24))
            held |= (synth.time >= moment) & (synth.time < end)
            moment = end + synth.uniform(0.07, 0.2)
        moment += synth.uniform(0.35, 1.1)
    return synth.gate(held, synth.uniform(18, 45))


def car_horn(synth: SynthContext) -> Signal:
    """Honks of one or two steel membranes that buzz against their stops: a comb of harmonics up to 15 kHz."""
    is_long = synth.choose("length", "long", "short") == "long"
    is_low = synth.choose("pitch", "low", "high") == "low"
    root = synth.uniform(300, 350) if is_low else synth.uniform(430, 560)
    press = _honks(synth, is_long=is_long)
    ratios = (1.0,) if synth.uniform(0, 1) < 0.2 else (1.0, _NOTES[synth.count(1, 4)] * synth.uniform(0.99, 1.01))
    tones = synth.silence()
    for ratio in ratios:
        waver = 1 + 0.004 * (synth.wander(9) - 0.5) - 0.03 * (1 - press) ** 2
        tones += synth.uniform(0.6, 1.0) * synth.pulses(root * ratio * waver, synth.uniform(4000, 7500))
    tones = tones * press * (1 + 0.1 * (synth.wander(30) - 0.5))
    centre = synth.uniform(1800, 3300)
    gains = np.array([0.5, 1.0, 0.7, 0.4]) * synth.random.uniform(0.6, 1.4, 4)
    dish = resonate(
        synth, tones, Body(np.array([0.25, 1.0, 1.7, 2.9]) * centre, np.array([1.5, 0.9, 0.6, 0.4]) / 1000), gains
    )
    return unit(dish) + 0.5 * unit(tones)
