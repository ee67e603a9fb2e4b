"""Cloth, paper, zips and ropes: countless small frictions of soft and thin things."""

from __future__ import annotations

import numpy as np

from engine.sounds.contacts import grains, hits, one_of, slips, some_body, stroke
from engine.sounds.synthesis import Signal, SynthContext, hump


def _moves(synth: SynthContext, shortest_s: float, longest_s: float, pause_s: tuple[float, float]) -> Signal:
    """The speed of hands [T] that move, stop and move again, no stroke like the one before."""
    speed = synth.silence()
    moment = synth.uniform(0.0, 0.15) * min(1.0, synth.seconds)
    while moment < synth.seconds:
        seconds = synth.uniform(shortest_s, longest_s)
        synth.place(speed, stroke(synth, seconds), moment, synth.strength(4))
        moment += seconds * synth.uniform(0.6, 1.1) + synth.uniform(*pause_s)
    return speed


def _strewn(synth: SynthContext, speed: Signal, rate_hz: float) -> Signal:
    """Moments at random, as many the faster things move: about `rate_hz` a second at full speed."""
    chances = np.cumsum(speed) / synth.sample_rate
    wanted = synth.random.uniform(0, float(chances[-1]), max(2, round(rate_hz * float(chances[-1]))))
    return np.interp(wanted, chances, synth.time)


_NEAR_DB = (2, 6, 2, -8, -14, -22)


def _folds(synth: SynthContext) -> Signal:
    """How freely cloth slides, at 45 moments a second: it catches and comes free."""
    return np.minimum(3.0, synth.random.gamma(1.2, 0.8, 1 + int(45 * synth.seconds)))


def cloth(synth: SynthContext) -> Signal:
    """Clothes that rustle: soft friction that brightens with the speed, crumples of stiff cloth, at times a flap."""
    is_slow = synth.choose("speed", "slow", "fast") == "slow"
    stiffness = synth.uniform(0, 1)  # from wool to a rain jacket
    strokes_s, pause_s = ((0.5, 1.3), (0.15, 0.8)) if is_slow else ((0.1, 0.3), (0.02, 0.18))
    speed = _moves(synth, *strokes_s, pause_s)
    top_db = 12 * stiffness - 22
    soft = synth.texture((80, 300, 1200, 4000, 9000, 20000), (4, 4, 0, top_db + 9, top_db + 2, top_db - 10), 5, 14)
    fine = synth.texture((1000, 3000, 8000, 20000), (-20, 0, -4, -16), 6, 25)
    rub = soft * speed + (0.05 + 0.5 * stiffness**2) * fine * speed**2
    times = _strewn(synth, speed, 60 + 240 * stiffness)
    gains = 0.5 * np.exp(1.1 * synth.random.standard_normal(len(times))).clip(0, 6)
    crumples = grains(synth, times, gains, (700, 3000 + 7000 * stiffness), 0.0007, 7)
    if synth.uniform(0, 1) < 0.3:  # cloth close at the ear, or dragged: low, full and torn by its folds
        folds = np.interp(synth.time, np.linspace(0, synth.seconds, 1 + int(45 * synth.seconds)), _folds(synth))
        rub += synth.uniform(0.5, 2) * folds * speed * synth.texture((40, 120, 500, 2500, 9000, 20000), _NEAR_DB, 5, 20)
    rustle: Signal = rub + (0.15 + 0.8 * stiffness) * crumples + synth.uniform(0, 1.2) * _flaps(synth)
    return rustle


def _flaps(synth: SynthContext) -> Signal:
    """A hem or a flag that flaps in flurries: dull strokes of air, each with a little slap."""
    flaps = synth.silence()
    if synth.uniform(0, 1) < 0.4:
        return flaps
    for moment in synth.bursts(synth.uniform(5, 11), 0.3, (1, 8), (0.4, 2.0)):
        seconds = synth.uniform(0.05, 0.12)
        flap = synth.texture((50, 150, 500, 2000, 9000, 20000), (10, 7, -2, -12, -22, -32), 3, 10, seconds)
        synth.place(flaps, flap * hump(len(flap)) ** 2, moment, synth.strength(5))
    return flaps


def paper(synth: SynthContext) -> Signal:
    """Paper that is handled, crumpled or torn: bright crackles in bursts on a sheet that answers, a page that turns."""
    is_heavy = synth.choose("intensity", "heavy", "light") == "heavy"
    strokes_s, pause_s = ((0.3, 0.9), (-0.1, 0.15)) if is_heavy else ((0.15, 0.5), (0.3, 1.2))
    if not is_heavy and synth.uniform(0, 1) < 0.4:
        return _cards(synth)
    speed = _moves(synth, *strokes_s, pause_s)
    thickness = synth.uniform(0, 1)  # from tissue to card
    times = _strewn(synth, speed, synth.uniform(300, 700) if is_heavy else synth.uniform(150, 400))
    gains = (np.exp(1.3 * synth.random.standard_normal(len(times))) * 0.25).clip(0, 4)
    low = 1500 - 900 * thickness
    cracks = grains(synth, times, gains, (low, 11000), 0.0006, 9)
    snaps = grains(synth, times[::7], 1.5 * gains[::7], (400, 2500), 0.002, 5)
    rustle = synth.texture((200, 800, 2500, 7000, 12000, 20000), (-16, -6, 0, 0, -4, -12), 6, 30) * speed**1.5
    sheet = cracks + snaps + (0.15 if is_heavy else 0.25) * rustle
    return sheet + _turned_pages(synth) if not is_heavy else sheet


def _cards(synth: SynthContext) -> Signal:
    """Cards that are dealt or flipped: a swish of thin air, the snap as one bends free, the slap as it lands."""
    track, moment = synth.silence(), synth.uniform(0.0, 0.1) * min(1.0, synth.seconds)
    card = some_body(synth, synth.uniform(250, 900), 9000, 8, synth.uniform(0.002, 0.008), 0.2)
    snaps = hits(synth, card, synth.uniform(3000, 9000), 0.06, synth.uniform(0.3, 0.8), 4)
    swish_s, bright = synth.uniform(0.06, 0.25), synth.uniform(-8, 4)
    while moment < synth.seconds:
        swish = synth.texture((200, 1000, 4000, 10000, 20000), (-14, -5, 0, bright, bright - 12), 6, 40, swish_s)
        course = np.linspace(0, 1, len(swish))
        swish *= course ** synth.uniform(0.5, 3) * (1 - course) ** 0.3
        synth.place(track, swish, moment, synth.uniform(0.2, 0.9))
        synth.place(track, one_of(synth, snaps), moment + 0.9 * swish_s, synth.uniform(1.0, 3.0))
        if synth.uniform(0, 1) < 0.5:
            synth.place(track, one_of(synth, snaps), moment + 0.2 * swish_s, synth.uniform(0.3, 1.5))
        moment += swish_s + (synth.uniform(0.05, 0.4) if synth.uniform(0, 1) < 0.6 else synth.uniform(0.8, 3.0))
    return track


def _turned_pages(synth: SynthContext) -> Signal:
    """Pages that turn: a swish that rises, and the page that lands."""
    track = synth.silence()
    for moment in synth.random.uniform(0, synth.seconds, synth.random.poisson(0.5 * synth.seconds)):
        seconds = synth.uniform(0.25, 0.5)
        swish = synth.texture((200, 1000, 4000, 14000), (-6, 0, -2, -10), 5, 20, seconds)
        course = np.linspace(0, 1, len(swish))
        synth.place(track, swish * course * (1 - course) ** 0.4, float(moment), synth.uniform(0.6, 1.6))
        landing = some_body(synth, synth.uniform(150, 300), 2500, 5, 0.006, 0.5)
        land = hits(synth, landing, 2500, 0.06, 0.5, 1)[0]
        synth.place(track, land, float(moment) + 0.9 * seconds, synth.uniform(0.3, 0.9))
    return track


def zip_fastener(synth: SynthContext) -> Signal:
    """A zip: teeth that click faster the faster it is pulled, in cloth that sounds along; it rises, and stops dead."""
    is_fast = synth.choose("speed", "slow", "fast") == "fast"
    teeth_hz = synth.uniform(260, 520) if is_fast else synth.uniform(70, 170)
    pull_s = (0.18, 0.5) if is_fast else (0.7, 1.6)
    metal = synth.uniform(0, 1)
    body = some_body(synth, synth.uniform(900, 1800), 12000, 10, synth.uniform(0.001, 0.004), -0.1 - 0.3 * metal)
    stops = hits(synth, some_body(synth, 500, 8000, 7, 0.006, 0.2), 6000, 0.07, 0.5, 3)
    track = synth.silence()
    for start in synth.occasions(0.4, 0.35 + pull_s[0], 1.0 + pull_s[1]):
        seconds = synth.uniform(*pull_s)
        speed = np.maximum(0.12, stroke(synth, seconds, 9))
        course = np.linspace(0, 1, len(speed))
        teeth = slips(synth, synth.around(teeth_hz, 0.15) * speed * (0.8 + 0.5 * course), synth.uniform(0.15, 0.4))
        bend = 0.75 + 0.5 * speed
        centres = [hertz * bend for hertz in body.hertz]
        widths = [max(150.0, 0.16 * hertz) for hertz in body.hertz]
        click = synth.resonate(teeth, centres, widths, list(body.gains), 0.012) + 0.15 * teeth
        rub = synth.texture((200, 1000, 5000, 12000, 20000), (-14, -4, 0, -4, -14), 4, 30, seconds)
        pulled = click / (float(np.std(click)) + 1e-9) + synth.uniform(0.25, 0.7) * rub
        synth.place(track, pulled * speed**0.6, start, 0.35 * synth.strength(2))
        synth.place(track, one_of(synth, stops), start + seconds, synth.uniform(0.2, 1.0))
    return track


_GRIP_DB = (-8, -1, 0, -3, -9, -18)
_SLIDE_DB = (-20, -8, -1, 0, -6, -18)


def rope(synth: SynthContext) -> Signal:
    """A rope under load: fibres that creak and groan as it stretches and twists, and crack singly when it gives."""
    is_slow = synth.choose("speed", "slow", "fast") == "slow"
    thickness = synth.uniform(0, 1)
    body = some_body(synth, 600 - 380 * thickness, 5500, 8, 0.01, synth.uniform(0.4, 0.9))
    strain = _moves(synth, 0.8, 1.9, (0.2, 1.0)) if is_slow else _moves(synth, 0.2, 0.5, (0.05, 0.4))
    pull: Signal = strain**1.5
    rate = 12 + (120 - 60 * thickness) * pull * (0.5 + synth.wander(5))
    fibres = slips(synth, np.asarray(rate, dtype=np.float64), synth.uniform(0.8, 1.3)) * np.minimum(1.0, 3 * strain)
    tight = 0.75 + 0.45 * strain * (0.6 + 0.4 * synth.wander(4))
    centres = [hertz * tight for hertz in body.hertz]
    widths = [max(90.0, 0.14 * hertz) for hertz in body.hertz]
    groan = synth.resonate(fibres, centres, widths, list(body.gains), 0.02)
    groan /= float(np.std(groan)) + 1e-9
    times = _strewn(synth, strain, 400)
    gains = (0.08 * np.exp(1.2 * synth.random.standard_normal(len(times)))).clip(0, 3)
    cracks = grains(synth, times, gains, (900, 9000), 0.0008, 7)
    rub = synth.texture((150, 600, 2500, 9000, 20000), (-4, 0, -5, -16, -30), 5, 14) * strain
    hands = _moves(synth, 0.15, 0.5, (0.1, 1.2)) * synth.uniform(0.6, 2.5)  # that grip it and slide along
    is_caught = synth.uniform(0, 1) < 0.5  # drawn, coiled or grabbed: there is hardly a groan in it
    if is_caught:
        catch = np.interp(synth.time, np.linspace(0, synth.seconds, 1 + int(45 * synth.seconds)), _folds(synth))
        hands, groan = 2.0 * catch * np.maximum(hands, synth.uniform(1.0, 2.5) * strain), 0.15 * groan
    slide = synth.texture((200, 1000, 2500, 6000, 11000, 20000), _GRIP_DB if is_caught else _SLIDE_DB, 5, 30) * hands
    share = synth.uniform(0.1, 0.7)
    strained = share * (groan + 0.12 * rub) + 0.8 * cracks + slide
    return np.asarray(strained, dtype=np.float64)
