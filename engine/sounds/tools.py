"""Tools: drills, chainsaws, hand saws and hammers."""

from __future__ import annotations

import numpy as np

from engine.sounds.bodies import (
    DAMPED_METAL,
    RINGING,
    WOOD,
    Body,
    StruckBody,
    bar,
    contact,
    plate,
    resonate,
    unit,
    varied,
)
from engine.sounds.combustion import exhaust, firing, gas, soft_impulses
from engine.sounds.moving_noise import moving_noise
from engine.sounds.synthesis import Signal, SynthContext, hump


def presses(
    synth: SynthContext, held_s: tuple[float, float], rest_s: tuple[float, float], first_s: float = 0.3
) -> list[tuple[float, float]]:
    """When a trigger is pulled and let go, in seconds, over the whole clip: (start, end) of each press."""
    moment = synth.uniform(0.01, min(first_s, 0.15 * synth.seconds))
    held = []
    while moment < synth.seconds:
        end = moment + synth.uniform(*held_s)
        held.append((moment, end))
        moment = end + synth.uniform(*rest_s)
    return held


def _curve(synth: SynthContext, held: list[tuple[float, float]], rise_s: float, fall_s: float) -> Signal:
    """1 while held, 0 between, with the inertia of a motor, [T]."""
    moments, values = [-1.0], [0.0]
    for start, end in held:
        moments += [start, start + rise_s, max(end, start + rise_s), max(end, start + rise_s) + fall_s]
        values += [0.0, 1.0, 1.0, 0.0]
    return synth.lowpass(np.interp(synth.time, moments, values), 2 / rise_s, order=1)


def drill(synth: SynthContext) -> Signal:
    """An electric drill: gears that whine with sidebands, brushes that hiss; it spins up, bites, labours, lets go."""
    is_low = synth.choose("pitch", "low", "high") == "low"
    base = synth.uniform(160, 240) if is_low else synth.uniform(420, 620)
    held = presses(synth, (0.9, 2.6), (0.25, 0.9))
    spin = _curve(synth, held, synth.uniform(0.12, 0.35), synth.uniform(0.15, 0.4))
    bites = [(start + synth.uniform(0.2, 0.5), end - synth.uniform(0.05, 0.2)) for start, end in held]
    biting = _curve(synth, [bite for bite in bites if bite[1] > bite[0]], 0.06, 0.06) * (0.6 + 0.4 * synth.wander(5))
    pitch = base * (0.3 + 0.7 * spin) * (1 - synth.uniform(0.08, 0.22) * biting) * (1 + 0.01 * synth.wander(8))
    mesh = synth.pulses(pitch, synth.uniform(900, 4500)) * (1 + 0.5 * np.cos(synth.phase(pitch / synth.uniform(5, 9))))
    mesh += 0.7 * synth.pulses(pitch * synth.uniform(2.2, 3.4), 5500) * (1 + 0.4 * synth.wander(50))
    case = Body(synth.random.uniform(0.8, 1.25, 6) * [450, 1000, 1900, 3400, 5600, 8500], np.full(6, 0.0012))
    whine = resonate(synth, mesh, case, varied(synth, (0.6, 1, 1, 0.8, 0.6, 0.35), 5))
    air = moving_noise(
        synth, (100, 500, 1500, 4000, 8000, 13000, 18000), (-4, -4, -3, -2, -6, -14, -24), wander_db=3, wander_hz=6
    )
    track = spin * (unit(whine) + (0.1 + synth.uniform(0.2, 0.8) * biting) * air)
    if synth.uniform(0, 1) < 0.35:  # a hammer drill in stone
        times, gains = firing(synth, synth.uniform(22, 45) * (0.4 + 0.6 * spin), [(0.0, 1.0)], 0.25)
        blows = soft_impulses(synth, times, gains) * biting
        track += gas(synth, blows, 2.5 * air, 0.006) + exhaust(synth, blows, synth.uniform(90, 180), 0.5)
    return track


def chainsaw(synth: SynthContext) -> Signal:
    """A two-stroke saw: rasping at full throttle, sagging in the wood, missing shots when it idles in between."""
    is_low = synth.choose("pitch", "low", "high") == "low"
    is_long = synth.choose("length", "long", "short") == "long"
    held = presses(synth, (2.2, 4.0), (0.25, 0.6), 0.2) if is_long else presses(synth, (0.3, 0.75), (0.25, 0.6), 0.2)
    throttle = _curve(synth, held, 0.1, 0.22)
    sag = np.clip(2 * throttle - 1, 0, 1) * np.clip(1.8 * synth.wander(1.8) - 0.4, 0, 1)
    full = synth.uniform(85, 112) if is_low else synth.uniform(185, 235)
    rate = full * (0.34 + 0.66 * throttle) * (1 - 0.16 * sag) * (1 + 0.03 * (synth.wander(20) - 0.5))
    times, gains = firing(synth, rate, [(0.0, 1.0)], 0.22)
    shots = soft_impulses(synth, times, gains)
    silencer = Body(
        synth.random.uniform(0.8, 1.25, 7) * [180, 380, 800, 1500, 2900, 5200, 8800],
        np.array([3.5, 2.5, 1.6, 1, 0.6, 0.35, 0.2]) / 1000,
    )
    bark = resonate(synth, shots, silencer, varied(synth, (0.7, 1, 0.8, 1, 1, 0.9, 0.7), 6))
    air = moving_noise(
        synth,
        (80, 300, 1000, 3000, 6000, 10000, 14000, 18000),
        np.array([-10, -2, 0, -2, -4, -9, -15, -21]) + synth.uniform(-2, 1.5) * np.arange(-4, 4),
        wander_db=2.5,
        wander_hz=6,
    )
    breath = gas(synth, shots, air, synth.uniform(0.0015, 0.004))
    chain = (0.1 * throttle + synth.uniform(0.2, 0.5) * sag) * synth.highpass(air, 900, 1)
    return (0.45 + 0.55 * throttle) * (unit(bark) + synth.uniform(0.5, 1.3) * unit(breath)) + chain


def hammer(synth: SynthContext) -> Signal:
    """Blows on a nail in wood (a thud of the plank, the tick of the steel), or on iron that rings; none hits alike."""
    is_slow = synth.choose("speed", "slow", "fast") == "slow"
    is_wood = synth.choose("surface", "wood", "metal") == "wood"
    rate = synth.uniform(0.9, 1.5) if is_slow else synth.uniform(2.8, 4.2)
    plank = StruckBody(synth, plate(synth, WOOD, synth.uniform(75, 190), 20), 0.4)
    steel = StruckBody(synth, bar(synth, DAMPED_METAL, synth.uniform(900, 1800), 6), 0.2)
    iron = StruckBody(synth, _iron(synth), 1.3)
    track = synth.silence()
    for start in synth.onsets(rate, 0.09):
        strength = synth.uniform(0.55, 1)
        tick = contact(synth, synth.uniform(0.03, 0.15), synth.uniform(5000, 12000)) * strength
        if is_wood:
            blow = 1.8 * plank.blow(1500 * strength, 0.55)
            nail = synth.uniform(0.15, 0.45) * steel.blow(7000, 0.2)
            blow[: len(nail)] += nail
            blow[: len(tick)] += 0.5 * tick
        else:
            blow = iron.blow(16000 * strength, synth.uniform(-0.4, 0.1))
            blow[: len(tick)] += 0.7 * tick
        synth.place(track, blow, start, strength)
        bounce, left = synth.uniform(0.05, 0.16), strength * synth.uniform(0.08, 0.3)
        if not is_wood and synth.uniform(0, 1) < 0.6:
            for delay in (bounce, 1.7 * bounce, 2.2 * bounce):
                synth.place(track, iron.blow(4000, 0.3), start + delay, left)
                left *= synth.uniform(0.4, 0.7)
    return track


def _iron(synth: SynthContext) -> Body:
    """An anvil, a girder, or a sheet."""
    if synth.uniform(0, 1) < 0.5:
        return bar(synth, RINGING, synth.uniform(350, 1100), 9)
    return plate(synth, RINGING, synth.uniform(250, 700), 20)


def hand_saw(synth: SynthContext) -> Signal:
    """A saw pushed and pulled through wood: teeth that tick faster in mid-stroke, the board and the blade answering."""
    is_slow = synth.choose("speed", "slow", "fast") == "slow"
    stroke_s = synth.uniform(0.32, 0.65) if is_slow else synth.uniform(0.13, 0.24)
    teeth_hz, back = synth.uniform(350, 1100), synth.uniform(0.3, 0.8)
    speed, push = synth.silence(), synth.silence()
    moment, turn = synth.uniform(0, 0.1), 0
    while moment < synth.seconds:
        length = stroke_s * synth.uniform(0.85, 1.2) * (1.0 if turn % 2 else 1.1)
        swing = hump(len(synth.span(length))) ** synth.uniform(0.45, 0.7)
        synth.place(speed, swing, moment, synth.uniform(0.8, 1.1) * (0.7 if is_slow else 1.0))
        synth.place(push, swing, moment, synth.uniform(0.75, 1.1) * (back if turn % 2 else 1.0))
        turn += 1
        moment += length + synth.uniform(0.0, 0.12) * stroke_s
        if turn > 4 and turn % 2 == 0 and synth.uniform(0, 1) < 0.1:
            moment += synth.uniform(0.3, 0.8)
    times, gains = firing(synth, teeth_hz * (speed + 0.02), [(0.0, 1.0)], 0.6)
    ticks = soft_impulses(synth, times, gains) * push
    board = plate(synth, WOOD, synth.uniform(130, 300), 9)
    blade = bar(synth, DAMPED_METAL, synth.uniform(700, 1600), 4)
    wood = resonate(synth, ticks, board, (board.hertz / board.hertz[0]) ** -0.3)
    steel = resonate(synth, ticks, blade, np.geomspace(0.5, 0.15, len(blade.hertz)))
    air = moving_noise(
        synth,
        (60, 125, 250, 500, 1000, 2000, 4000, 8000, 12000, 18000),
        np.array([-9, -1, 0, -2, 0, -3, -7, -10, -12, -19]) + synth.uniform(-0.8, 0.8) * np.arange(-5, 5),
        wander_db=3,
        wander_hz=8,
    )
    rasp = air * (0.3 * push * speed + gas(synth, ticks, np.ones(synth.num_samples), 0.0012))
    track = synth.uniform(0.15, 0.5) * unit(wood) + synth.uniform(0.1, 0.35) * unit(steel)
    return track + unit(rasp)
