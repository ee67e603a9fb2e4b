"""Steps, keys and clocks: small contacts, none like the one before."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from engine.sounds.contacts import Modes, grains, hits, one_of, some_body
from engine.sounds.synthesis import Signal, SynthContext, hump


@dataclass(frozen=True)
class _Walker:
    """Who walks: how hard the sole is in Hz, how heavily, how long the foot rolls, how much it scuffs."""

    sole_hz: float
    weight: float
    roll_s: float
    scuff: float


def _some_walker(synth: SynthContext, *, is_slow: bool) -> _Walker:
    sole_hz = float(np.exp(synth.uniform(np.log(700), np.log(4500))))
    roll_s = synth.uniform(0.09, 0.17) if is_slow else synth.uniform(0.03, 0.07)
    return _Walker(sole_hz, synth.uniform(0.4, 1.2), roll_s, synth.uniform(0.01, 0.12))


def footsteps(synth: SynthContext) -> Signal:
    """Steps of one walker: a heel, a ball that follows, and what the floor adds: boards, stones, snow or a grating."""
    is_slow = synth.choose("speed", "slow", "fast") == "slow"
    step_on, body, hardness = _FLOORS[synth.choose("floor", *_FLOORS)](synth)
    walker = _some_walker(synth, is_slow=is_slow)
    rate = synth.uniform(1.1, 1.7) if is_slow else synth.uniform(2.7, 3.7)
    limp = synth.uniform(0.0, 0.05) / rate
    seconds = min(0.3, 7 * max(body.falls_s) + 0.02)
    heels = hits(synth, body, hardness * walker.sole_hz, seconds, 0.35 * hardness, 6)
    balls = hits(synth, body, 0.6 * hardness * walker.sole_hz, seconds, 0.45 * hardness, 4)
    thump = synth.modes(synth.around(75, 0.2), (1, 1.7), (0.02, 0.015), (1, 0.5), seconds)
    track, moments, strengths = synth.silence(), [], []
    most = synth.count(1, 3) if synth.uniform(0, 1) < 0.35 else 1000  # a step or two, and no more
    if most < 3:
        synth.attributes.pop("speed")
    for index, start in enumerate(synth.paces(rate, 0.03, 0.06)):
        if index == most:
            break
        moment, strength = start + (limp if index % 2 else 0.0), synth.strength(2.0)
        synth.place(track, one_of(synth, heels) + 0.35 * walker.weight * thump, moment, strength)
        ball = moment + synth.around(walker.roll_s, 0.15)
        synth.place(track, one_of(synth, balls), ball, strength * synth.uniform(0.15, 0.6))
        moments.append(moment)
        strengths.append(strength)
    soft = synth.uniform(0.0, 1.0) ** 2 * 1.5
    if soft > 0.3:  # a sock, a boot on a carpet or on earth: a dull press with a grain of its own
        for moment, strength in zip(moments, strengths, strict=True):
            synth.place(track, _press(synth, walker), moment, soft * strength)
    return track + step_on(synth, walker, np.asarray(moments), np.asarray(strengths))


def _press(synth: SynthContext, walker: _Walker) -> Signal:
    """The sole that presses on what gives: a low thud under a rustle of friction, rough, a tenth of a second long."""
    seconds = synth.around(0.16, 0.3)
    top = np.log(700) if synth.attributes.get("floor") == "wooden floor" else np.log(2500)
    centre = float(np.exp(synth.uniform(np.log(120), top)))
    levels = (synth.uniform(-14, 2), -6, 0, -5, synth.uniform(-20, -9), synth.uniform(-30, -14), -36)
    rub = 2 * synth.texture((40, 0.4 * centre, centre, 2 * centre, 6000, 11000, 20000), levels, 6, 40, seconds)
    course = np.linspace(0, 1, len(rub))
    swell = np.minimum(1, course * synth.uniform(6, 40)) * (1 - course) ** synth.uniform(1, 3)
    knots = synth.random.uniform(0.2, 1, 14)
    rough = np.interp(course * 13, np.arange(14), knots)
    pressed: Signal = 0.5 * rub * swell * rough * walker.weight
    return pressed


def _scuffs(synth: SynthContext, walker: _Walker, moments: Signal, strengths: Signal) -> Signal:
    """The sole that drags a little between heel and ball."""
    envelope = synth.silence()
    for moment, strength in zip(moments, strengths, strict=True):
        seconds = synth.around(2 * walker.roll_s, 0.2)
        course = np.linspace(0, 1, len(synth.span(seconds)))
        drag: Signal = course ** synth.uniform(0.3, 1.2) * (1 - course) ** synth.uniform(1, 3)
        synth.place(envelope, 3 * drag, moment + 0.01, strength * synth.uniform(0.1, 1))
    envelope *= 0.3 + synth.wander(60)
    rub = synth.texture((200, 1000, 3000, 9000, 20000), (-8, 0, -1, -12, -26), 5, 12)
    return walker.scuff * envelope * rub


_StepOn = Callable[[SynthContext, _Walker, Signal, Signal], Signal]


def _boards(synth: SynthContext) -> tuple[_StepOn, Modes, float]:
    """Floorboards: hollow, dark, short."""
    return _scuffs, some_body(synth, synth.uniform(110, 240), 1500, 8, synth.uniform(0.01, 0.025), 0.7), 0.4


def _presses(synth: SynthContext, walker: _Walker, moments: Signal, num: int) -> tuple[Signal, Signal]:
    """Moments [G] of grains that give way under heel and ball, and the shares of the strength that each has."""
    heels = moments + 0.3 * walker.roll_s * np.abs(synth.random.standard_normal((num, 1)))
    spread = synth.random.standard_normal((num, 1)) * 0.45 * walker.roll_s
    balls = moments + 1.4 * walker.roll_s + spread
    times = np.concatenate([heels, balls])  # [2 G, steps]
    gains = np.exp(1.1 * synth.random.standard_normal(times.shape)) * 0.3
    return times, gains


def _gravel(synth: SynthContext) -> tuple[_StepOn, Modes, float]:
    """Stones that roll and crack against each other, most at once, some after."""

    def crunch(synth: SynthContext, walker: _Walker, moments: Signal, strengths: Signal) -> Signal:
        slow = _Walker(walker.sole_hz, walker.weight, 1.3 * walker.roll_s, walker.scuff)
        times, gains = _presses(synth, slow, moments, synth.count(35, 80))
        low = synth.uniform(1100, 1700)
        stones = 1.6 * grains(synth, times.ravel(), (gains * strengths).ravel(), (low, 7 * low), 0.0005)
        return stones + 4 * _scuffs(synth, walker, moments, strengths)

    return crunch, Modes([synth.uniform(70, 120)], [0.012], [0.25]), 0.8


def _snow(synth: SynthContext) -> tuple[_StepOn, Modes, float]:
    """Snow that is pressed: hundreds of little breaks, dull and dense, with a squeak that creeps down in the cold."""
    coldness = synth.uniform(0, 1)

    def scrunch(synth: SynthContext, walker: _Walker, moments: Signal, strengths: Signal) -> Signal:
        slow = _Walker(walker.sole_hz, walker.weight, 1.5 * walker.roll_s, walker.scuff)
        times, gains = _presses(synth, slow, moments, synth.count(70, 120))
        breaks = grains(synth, times.ravel(), (gains * strengths).ravel(), (300, 3500), 0.0007)
        track = 0.8 * breaks
        for moment, strength in zip(moments, strengths, strict=True):
            seconds = synth.around(2.2 * walker.roll_s, 0.2)
            course = np.linspace(0, 1, len(synth.span(seconds)))
            squeak = synth.pulses(synth.uniform(150, 260) * (1 - 0.35 * course), 1200)
            creak = synth.bandpass(squeak, 450, 1500) * hump(len(course))
            synth.place(track, creak, moment + 0.6 * walker.roll_s, 0.5 * coldness * strength)
        return track + synth.uniform(0.3, 1.5) * _scuffs(synth, walker, moments, strengths)

    return scrunch, Modes([synth.uniform(60, 110)], [0.015], [0.4]), 0.6


def _grating(synth: SynthContext) -> tuple[_StepOn, Modes, float]:
    """A grating or a metal stair: many modes, quickly damped by the foot, and loose parts that rattle after."""
    body = some_body(synth, synth.uniform(190, 420), 5200, 11, synth.uniform(0.04, 0.09), 0.35)

    def rattle(synth: SynthContext, walker: _Walker, moments: Signal, strengths: Signal) -> Signal:
        delays = synth.random.exponential(0.03, (6, 1)) + 0.01
        times = (moments + delays * (1 + 0.3 * synth.random.standard_normal((6, len(moments))))).ravel()
        gains = np.exp(0.8 * synth.random.standard_normal((6, len(moments)))) * strengths * 0.06
        loose = grains(synth, times, gains.ravel(), (1500, 7000), 0.006, 4, 3)
        return loose + 0.4 * _scuffs(synth, walker, moments, strengths)

    return rattle, body, 1.0


_FLOORS: Mapping[str, Callable[[SynthContext], tuple[_StepOn, Modes, float]]] = MappingProxyType(
    {"wooden floor": _boards, "gravel": _gravel, "snow": _snow, "metal": _grating}
)


def typing(synth: SynthContext) -> Signal:
    """Keys in bursts: each a tick as the finger lands, one as the key lands, and a lighter one as it comes back."""
    is_slow = synth.choose("speed", "slow", "fast") == "slow"
    rate = synth.uniform(2.2, 3.4) if is_slow else synth.uniform(7.5, 11)
    clickiness = synth.uniform(0, 1)  # a laptop's flat keys, or a mechanical keyboard's
    case = some_body(synth, synth.uniform(250, 700), 7500, 10, synth.uniform(0.004, 0.014), 0.15)
    bar = some_body(synth, synth.uniform(140, 260), 3000, 6, 0.012, 0.5)
    travel_s, hardness = synth.uniform(0.008, 0.03), synth.uniform(3500, 9000)
    keys = hits(synth, case, hardness, 0.06, synth.uniform(0.25, 0.6), 7)
    bars = hits(synth, bar, 0.4 * hardness, 0.08, 0.3, 3)
    switches = hits(synth, case, 2 * hardness, 0.03, 0.7, 4)
    run, pause_s = ((1, 5), (0.1, 0.7)) if is_slow else ((3, 14), (0.15, 0.7))
    track = synth.silence()
    for start in synth.bursts(rate, 0.3, run, pause_s):
        gain, is_wide = synth.strength(3), synth.uniform(0, 1) < 0.14
        down = start + synth.around(travel_s, 0.2)
        synth.place(track, one_of(synth, switches), start, gain * (0.1 + 0.5 * clickiness) * synth.around(1, 0.3))
        synth.place(track, one_of(synth, bars if is_wide else keys), down, gain * (1.4 if is_wide else 1.0))
        synth.place(track, one_of(synth, switches), down + synth.around(0.08, 0.3), gain * synth.uniform(0.1, 0.5))
    return track


def clock(synth: SynthContext) -> Signal:
    """Tick, tock: a tooth lands, a wheel locks, and the case answers; in strict time, though tick and tock differ."""
    is_slow = synth.choose("speed", "slow", "fast") == "slow"
    rate = synth.uniform(0.9, 1.3) if is_slow else synth.uniform(3, 5)
    size = synth.uniform(0, 1) if is_slow else synth.uniform(0, 0.4)  # from a watch to a tall clock
    case = some_body(synth, 1600 - 1350 * size, 3500, 5, synth.uniform(0.003, 0.009) * (1 + size), 0.2)
    casing = hits(synth, case, 4000, 0.07, 0.2, 3)
    wheels = [
        hits(
            synth,
            some_body(synth, synth.uniform(2000, 3600), 13000, 9, synth.uniform(0.002, 0.006), 0.1),
            12000,
            0.05,
            d,
        )
        for d in synth.random.uniform(0.3, 0.6, 2)
    ]
    uneven = synth.uniform(-0.06, 0.06) / rate
    steps_s = synth.random.uniform(0.003, 0.02, (2, 2)) * (0.6 + size)
    track = synth.silence()
    for index, start in enumerate(synth.onsets(rate, 0.003)):
        side = index % 2
        gain = synth.uniform(0.8, 1) * (1.0 if side else 0.75)
        for delay, share in zip((0.0, *np.cumsum(steps_s[side])), (0.35, 1.0, 0.3), strict=True):
            tick = one_of(synth, wheels[side]) * synth.around(1, 0.15)
            synth.place(track, tick, start + side * uneven + delay, gain * share)
            synth.place(track, one_of(synth, casing), start + side * uneven + delay, gain * share * (0.4 + size))
    return track
