"""Things that are struck or fall: doors under knuckles, pieces of wood, pieces of metal."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from engine.sounds.bodies import DAMPED_METAL, METAL, WOOD, Body, StruckBody, Substance, bar, contact, plate
from engine.sounds.synthesis import Signal, SynthContext


def _knocking(synth: SynthContext) -> Iterator[tuple[float, float]]:
    """Moments in seconds and strengths of the knocks: groups of two to six, each with a rhythm of its own."""
    interval = synth.uniform(0.14, 0.3)
    number = synth.number_of_events(interval)
    moment = synth.uniform(0.05, min(0.6, 0.25 * synth.seconds))
    while moment < synth.seconds:
        group = number or synth.count(2, 7)
        strength = synth.uniform(0.6, 1)
        for _ in range(group):
            yield moment, strength * synth.uniform(0.65, 1)
            moment += interval * (1.0 if number else synth.uniform(0.85, 1.25))
        if number:
            return
        moment += synth.uniform(0.5, 1.5)
        interval = synth.uniform(0.14, 0.3)


def knock(synth: SynthContext) -> Signal:
    """Knuckles or a fist on a door of wood (a thud that is gone at once) or of metal (a sheet that booms)."""
    is_wooden = synth.choose("material", "wooden", "metallic") == "wooden"
    hardness = float(np.exp(synth.uniform(np.log(500), np.log(5000))))
    if is_wooden:
        door = StruckBody(synth, plate(synth, WOOD, float(np.exp(synth.uniform(np.log(75), np.log(420)))), 22), 0.3)
    else:
        door = StruckBody(synth, plate(synth, DAMPED_METAL, synth.uniform(110, 300), 26), 0.5)
    loose = synth.uniform(0, 0.35)
    track = synth.silence()
    for start, strength in _knocking(synth):
        blow = door.blow(hardness * (0.6 + strength) * (1.0 if is_wooden else 1.8), 0.45 if is_wooden else 0.1)
        tick = contact(synth, synth.uniform(0.03, 0.16), synth.uniform(3000, 9000))
        blow[: len(tick)] += synth.uniform(0.15, 0.7) * tick
        synth.place(track, blow, start, strength)
        for _ in range(synth.count(0, 4)):
            latch = contact(synth, 0.012, 9000)
            synth.place(track, latch, start + synth.uniform(0.01, 0.06), loose * strength * synth.uniform(0.1, 0.5))
    return track


def _strikes(synth: SynthContext, shortest_gap_s: float, longest_gap_s: float) -> Iterator[tuple[float, float]]:
    """Moments and strengths of pieces that land, each followed by the bounces of its fall, quicker and quicker.

    A counted clip has no bounces that would be counted too.
    """
    rate = 2 / (shortest_gap_s + longest_gap_s)
    for start in synth.onsets(rate, 0.45):
        strength = synth.uniform(0.45, 1)
        yield start, strength
        if "count" in synth.attributes or synth.uniform(0, 1) < 0.4:
            continue
        gap, keeps = synth.uniform(0.06, 0.28), synth.uniform(0.45, 0.75)
        moment, left = start + gap, strength * synth.uniform(0.2, 0.7)
        while gap > 0.012 and left > 0.02:
            yield moment, left * synth.uniform(0.6, 1)
            gap *= keeps * synth.uniform(0.85, 1.15)
            moment += gap
            left *= keeps


def _pieces(synth: SynthContext, bodies: list[Body], seconds: float) -> list[StruckBody]:
    return [StruckBody(synth, body, seconds) for body in bodies]


def _splintering(synth: SynthContext, track: Signal, start_s: float, piece: StruckBody, hardness: float) -> None:
    """Wood that breaks: cracks at random moments, dense at first, each in a few of the modes of the piece."""
    lasting = float(np.exp(synth.uniform(np.log(0.06), np.log(1.2))))
    for delay in synth.random.exponential(0.4 * lasting, synth.count(8, 45)):
        if delay < lasting:
            crack = piece.blow(hardness * synth.uniform(1, 4), 0.2, 0.4)
            tick = contact(synth, synth.uniform(0.005, 0.05), synth.uniform(5000, 16000))
            crack[: len(tick)] += synth.uniform(0.5, 2.0) * tick
            synth.place(track, crack, start_s + float(delay), synth.strength(6) * synth.uniform(0.2, 0.8))


def _hollow(synth: SynthContext, material: Substance, lowest_hz: float) -> Body:
    """A block, a stick or a clave; of metal, a cowbell or a can: few modes, of which one or two are heard above all."""
    ratios = np.cumprod(np.r_[1.0, synth.random.uniform(1.25, 2.6, synth.count(2, 7))])
    hertz = lowest_hz * ratios[lowest_hz * ratios < 16000]
    hold = synth.uniform(0.012, 0.05) if material is WOOD else synth.uniform(0.05, 0.3)
    return Body(hertz, hold * ratios[: len(hertz)] ** -0.4 * synth.random.uniform(0.5, 1.5, len(hertz)))


def _some_body(synth: SynthContext, material: Substance, lowest_hz: float, num_modes: int) -> Body:
    shape = synth.uniform(0, 1)
    if shape < 0.3:
        return _hollow(synth, material, 2.2 * lowest_hz)
    return (plate if shape < 0.65 else bar)(synth, material, lowest_hz, num_modes)


def wood_impact(synth: SynthContext) -> Signal:
    """Planks, logs and boxes (heavy), or sticks and blocks (light) that are struck, dropped or thrown on a heap."""
    is_heavy = synth.choose("intensity", "heavy", "light") == "heavy"
    lowest = synth.uniform(60, 170) if is_heavy else synth.uniform(280, 750)
    bodies = [_some_body(synth, WOOD, lowest * synth.uniform(0.8, 1.5), 18) for _ in range(synth.count(1, 4))]
    pieces = _pieces(synth, bodies, 0.35)
    hardness = synth.uniform(700, 3500) if is_heavy else synth.uniform(2500, 9000)
    breaks, touch = synth.uniform(0, 1) < 0.25, float(np.exp(synth.uniform(np.log(0.1), np.log(1.4))))
    track = synth.silence()
    for start, strength in _strikes(synth, 0.5, 2.2):
        blow = pieces[synth.count(0, len(pieces))].blow(hardness * (0.4 + strength), synth.uniform(0.2, 0.6))
        tick = contact(synth, synth.uniform(0.03, 0.25), synth.uniform(3000, 14000))
        blow[: len(tick)] += touch * synth.uniform(0.7, 1.3) * tick
        synth.place(track, blow, start, strength)
        if breaks and "count" not in synth.attributes and strength > 0.4:
            _splintering(synth, track, start, pieces[0], hardness)
    return track


def metal_impact(synth: SynthContext) -> Signal:
    """Girders, drums and sheets (heavy), or pipes, tools and pans (light): dead or ringing, rattling as they lie."""
    is_heavy = synth.choose("intensity", "heavy", "light") == "heavy"
    lowest = synth.uniform(70, 220) if is_heavy else synth.uniform(400, 1200)
    substance = METAL if synth.uniform(0, 1) < 0.6 else DAMPED_METAL
    bodies = [
        _some_body(synth, substance, lowest * synth.uniform(0.8, 1.5), synth.count(24, 46))
        for _ in range(synth.count(1, 3))
    ]
    is_sheet, crash_s = synth.uniform(0, 1) < 0.35, float(np.exp(synth.uniform(np.log(0.25), np.log(1.3))))
    pieces = _pieces(synth, bodies, 1.1)
    hardness = synth.uniform(2500, 7000) if is_heavy else synth.uniform(6000, 16000)
    slope = synth.uniform(-0.1, 0.35)
    track = synth.silence()
    for start, strength in _strikes(synth, 0.7, 2.6):
        blow = pieces[synth.count(0, len(pieces))].blow(hardness * (0.4 + strength), slope)
        tick = contact(synth, crash_s if is_sheet else synth.uniform(0.05, 0.35), synth.uniform(5000, 16000))
        tick = synth.uniform(0.4, 1.6) * tick[: len(blow)]
        blow[: len(tick)] += tick
        synth.place(track, blow, start, strength)
        if is_heavy and synth.uniform(0, 1) < 0.4:
            for delay in np.cumsum(synth.random.uniform(0.01, 0.05, synth.count(3, 9))):
                rattle = contact(synth, 0.015, 9000)
                synth.place(track, rattle, start + float(delay), 0.25 * strength * synth.uniform(0.2, 1))
    return track
