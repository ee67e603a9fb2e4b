"""Doors: hinges that stick and slip, leaves that fall shut, handles, latches and locks."""

from __future__ import annotations

import numpy as np

from engine.sounds.contacts import Modes, grains, hits, one_of, ringing, slips, some_body, stroke
from engine.sounds.synthesis import Signal, SynthContext, hump
from engine.sounds.vocal import evened

_STEEL = (900.0, 9000.0)  # Hz; where small parts of steel ring


def creak(synth: SynthContext, seconds: float, low_hz: float, high_hz: float, wood: Modes, dryness: float) -> Signal:
    """One movement of a dry hinge [T]: slips whose rate wanders between two, in modes that bend as the door turns.

    At a few slips a second they are ticks; at some hundred they fuse, and the spectrum is a comb that sweeps.
    """
    length = len(synth.span(seconds))
    course = np.linspace(0, 1, length)
    knots = max(4, int(5 * seconds) + 3)
    path = np.cumsum(synth.random.standard_normal(knots))
    path = (path - path.min()) / (np.ptp(path) + 1e-9)
    rate = low_hz * (high_hz / low_hz) ** np.interp(course * (knots - 1), np.arange(knots), path)
    pulses = slips(synth, rate, dryness)
    rough = 0.12 * dryness * synth.noise(seconds) * np.minimum(1.0, np.abs(pulses) + 0.15)
    bend = np.exp(synth.uniform(-0.5, 0.5) * course + 0.35 * (np.interp(course * (knots - 1), np.arange(knots), path)))
    centres = [hertz * (1 + synth.uniform(0.5, 1.3) * (bend - 1)) for hertz in wood.hertz]
    widths = [max(70.0, 0.06 * hertz) for hertz in wood.hertz]
    voiced = synth.resonate(pulses + rough, centres, widths, list(wood.gains), 0.024)
    envelope = stroke(synth, seconds, 14) ** 0.7 * np.minimum(1.0, 40 * course) * np.minimum(1.0, 25 * (1 - course))
    creaking: Signal = (voiced + 0.12 * synth.highpass(pulses, 1500, order=1)) * envelope
    return creaking / (float(np.max(np.abs(creaking))) + 1e-9)


def squeal(synth: SynthContext, seconds: float, tone_hz: float, rust: float) -> Signal:
    """A metal hinge that sings [T]: a tone with its overtones that holds, bends a little, breaks off and jumps."""
    length = len(synth.span(seconds))
    num_parts = 1 + synth.count(1, max(2, round(5 * seconds)) + 1)
    edges = np.sort(synth.random.uniform(0, length, num_parts - 1)).astype(np.int64)
    tones, loudness = np.zeros(length), np.zeros(length)
    for first, last in zip((0, *edges), (*edges, length), strict=True):
        jump = float(synth.random.choice((1.0, 1.0, 1.02, 0.5, 0.76, 1.5, 0.24)))
        course = np.linspace(0, 1, last - first)
        tones[first:last] = (
            tone_hz * jump * (1 + synth.uniform(-0.03, 0.16) * np.sin(np.pi * course ** synth.uniform(0.5, 1.5)))
        )
        loudness[first:last] = synth.strength(7) * np.minimum(1, np.minimum(course, 1 - course) * 12 + 0.02)
    tones *= 1 + (0.004 + 0.01 * rust) * np.interp(
        np.arange(length), np.arange(0, length, 64), synth.noise(seconds)[::64]
    )
    tone = synth.harmonics(tones, 10, synth.uniform(0.6, 1.3))
    grit = synth.highpass(synth.noise(seconds), 200, order=1) * (0.05 + 0.3 * rust)
    flutter = np.interp(np.linspace(0, 1, length), np.linspace(0, 1, 40), synth.random.uniform(0.25, 1, 40))
    singing: Signal = (tone + grit) * synth.lowpass(loudness, 60, order=1) * flutter
    return singing / (float(np.max(np.abs(singing))) + 1e-9)


def hinge(synth: SynthContext) -> Modes:
    """A hinge with its leaf: what a creak sounds in."""
    body = some_body(synth, synth.uniform(280, 900), 14000, 10, 0.02, synth.uniform(0.0, 0.7))
    return Modes(body.hertz, body.falls_s, body.gains)


def door_creak(synth: SynthContext) -> Signal:
    """A dry hinge that stops and starts: ticks that run together into a groan or a squeal, and fall apart again."""
    is_slow = synth.choose("speed", "slow", "fast") == "slow"
    body = hinge(synth)
    lowest, highest = (28, 260) if is_slow else (110, 650)
    tone = float(np.exp(synth.uniform(np.log(lowest), np.log(highest))))
    dryness = synth.uniform(0.04, 0.6)
    pitch = float(np.exp(synth.uniform(np.log(500), np.log(5200))))
    sings = (0.0, 0.0, synth.uniform(0.6, 1.0), synth.uniform(0.1, 0.6))[synth.count(0, 4)]  # wood, or metal too
    track = synth.silence()
    for start in synth.occasions(0.4, 2.2 if is_slow else 0.6, 3.0 if is_slow else 1.1):
        seconds = synth.uniform(1.3, 2.0) if is_slow else synth.uniform(0.25, 0.6)
        middle = synth.around(tone, 0.25)
        reach = synth.uniform(1.2, 2.4)
        event = (1 - sings) * creak(synth, seconds, middle / reach, middle * reach, body, dryness)
        if sings:
            event += sings * squeal(synth, seconds, synth.around(pitch, 0.1), dryness)
        synth.place(track, event, start, synth.strength(3))
    return track


def _leaf(synth: SynthContext, *, is_wooden: bool, is_heavy: bool) -> Modes:
    """The modes of a door's leaf."""
    lowest = synth.uniform(48, 85) if is_heavy else synth.uniform(150, 260)
    if is_wooden:
        return some_body(synth, lowest, 1400 if is_heavy else 3200, 10, synth.uniform(0.04, 0.09), 0.8)
    return some_body(synth, lowest, 3000 if is_heavy else 7500, 16, synth.uniform(0.2, 0.5), 0.5)


def _bang(synth: SynthContext, leaf: Modes, *, is_heavy: bool) -> Signal:
    """The leaf on its frame: not one blow but a few within some hundredths of a second, and the air that it pushes."""
    seconds = min(1.6, 0.25 + 3 * max(leaf.falls_s))
    bang = np.zeros(len(synth.span(seconds)))
    blows = hits(synth, leaf, synth.uniform(500, 1100) if is_heavy else synth.uniform(2200, 4500), seconds, 0.3, 2)
    delay = 0.0
    for gain in (1.0, synth.uniform(0.2, 0.7), synth.uniform(0.05, 0.4)):
        synth.place(bang, one_of(synth, blows), delay, gain)
        delay += synth.uniform(0.008, 0.05)
    air = synth.lowpass(synth.noise(seconds), 140 if is_heavy else 320) * synth.decay(seconds, 0.06, 0.004)
    return bang + (1.5 if is_heavy else 0.4) * air


def latch(synth: SynthContext, metal: Modes, gain: float) -> Signal:
    """A bolt that slides over its plate and snaps in: a scrape of ticks, then two clicks."""
    snap = hits(synth, metal, synth.uniform(4000, 9000), 0.09, synth.uniform(0.3, 0.6), 3)
    event = np.zeros(len(synth.span(0.2)))
    for delay, share in ((0.0, 0.4), (synth.uniform(0.012, 0.05), 1.0), (synth.uniform(0.06, 0.1), 0.3)):
        synth.place(event, one_of(synth, snap), delay, gain * share)
    return event


def door_slam(synth: SynthContext) -> Signal:
    """Doors thrown shut: air, the latch, a bang of several blows, a frame that rattles, a leaf that rings."""
    is_wooden = synth.choose("material", "wooden", "metallic") == "wooden"
    is_heavy = synth.choose("intensity", "heavy", "light") == "heavy"
    leaf = _leaf(synth, is_wooden=is_wooden, is_heavy=is_heavy)
    metal = some_body(synth, synth.uniform(900, 2200), 9000, 7, synth.uniform(0.005, 0.02), 0.2)
    swing_s = synth.uniform(0.12, 0.35)
    track, rattles = synth.silence(), []
    for start in synth.occasions(0.4, 2.2, 3.6):
        course = np.linspace(0, 1, len(synth.span(swing_s)))
        breath = synth.texture((80, 300, 1500, 8000), (0, 0, -14, -34), 3, 8, swing_s) * course**3
        bang_at, gain = start + swing_s, synth.strength(1.5)
        synth.place(track, breath, start, synth.uniform(0.04, 0.2))
        synth.place(track, _bang(synth, leaf, is_heavy=is_heavy), bang_at, gain)
        bolt = latch(synth, metal, synth.uniform(0.1, 0.3) if is_heavy else synth.uniform(0.2, 0.6))
        synth.place(track, bolt, bang_at + synth.uniform(-0.02, 0.05))
        rattles.append(bang_at + 0.02 + np.cumsum(synth.random.exponential(0.03, 10) + 0.008))
    times = np.concatenate(rattles) if rattles else np.zeros(0)
    gains = np.tile(0.78 ** np.arange(10), len(rattles)) * synth.random.uniform(0.1, 0.5, len(times))
    band = (250, 1300) if is_heavy else (500, 5000)
    return track + synth.uniform(0.2, 1) * grains(synth, times, gains, band, 0.003 if is_wooden else 0.01, 4, 3)


def door(synth: SynthContext) -> Signal:
    """A door that is opened and closed with care: handle, latch, hinge, a pause, the leaf on its frame, the latch."""
    is_wooden = synth.choose("material", "wooden", "metallic") == "wooden"
    is_slow = synth.choose("speed", "slow", "fast") == "slow"
    leaf = _leaf(synth, is_wooden=is_wooden, is_heavy=bool(synth.random.integers(2)))
    metal = some_body(synth, synth.uniform(700, 2000), 9500, 8, synth.uniform(0.006, 0.025), 0.25)
    form = synth.uniform(0, 1)
    if form < 0.3:
        return _sliding(synth, leaf, is_slow=is_slow)
    if form < 0.65:
        synth.attributes.pop("speed")  # one movement has none
        return _once(synth, leaf, metal)
    wood, creaks = hinge(synth), synth.uniform(0, 1) < 0.6
    pace = synth.uniform(0.8, 1.4) if is_slow else synth.uniform(0.35, 0.6)
    thuds = hits(synth, leaf, synth.uniform(500, 1800), min(0.7, 5 * max(leaf.falls_s)), 0.25, 3)
    track = synth.silence()
    moment = synth.uniform(0.02, 0.3) * min(1.0, synth.seconds)
    opens = bool(synth.random.integers(2))
    while moment < synth.seconds:
        if opens:
            synth.place(track, latch(synth, metal, synth.uniform(0.4, 1.0)), moment)  # the handle
            synth.place(track, latch(synth, metal, synth.uniform(0.3, 0.8)), moment + 0.25 * synth.around(pace, 0.3))
            synth.place(track, one_of(synth, thuds), moment + 0.3 * pace, synth.uniform(0.1, 0.5))  # it comes free
        swing_s = synth.around(pace, 0.2)
        synth.place(track, _swing(synth, swing_s, wood if creaks else None), moment + 0.35 * pace * opens, 1.0)
        if not opens:
            shut = moment + swing_s
            synth.place(track, one_of(synth, thuds), shut, synth.uniform(0.7, 1.4))
            synth.place(track, one_of(synth, thuds), shut + synth.uniform(0.01, 0.06), synth.uniform(0.1, 0.6))
            synth.place(track, latch(synth, metal, synth.uniform(0.5, 1.1)), shut + synth.uniform(-0.03, 0.08))
        moment += swing_s + 0.35 * pace * opens + synth.uniform(0.3, 1.2) * (1.6 if is_slow else 0.8)
        opens = not opens
    return track


def _once(synth: SynthContext, leaf: Modes, metal: Modes) -> Signal:
    """A door that is shut or opened once, within a second: the latch, a short groan, a clunk or two, silence."""
    track, moment = synth.silence(), synth.uniform(0.0, min(0.1, 0.1 * synth.seconds))
    falls = [synth.uniform(0.15, 1.0) * fall_s for fall_s in leaf.falls_s]
    damped = Modes(leaf.hertz, falls, leaf.gains)
    clunks = hits(synth, damped, synth.uniform(500, 5000), min(0.7, 0.1 + 5 * max(falls)), synth.uniform(0.2, 0.6), 3)
    shuts, swing_s = bool(synth.random.integers(2)), synth.uniform(0.08, 0.8)
    if synth.uniform(0, 1) < 0.7:
        swung = _swing(synth, swing_s, hinge(synth) if synth.uniform(0, 1) < 0.6 else None)
        synth.place(track, swung, moment + (0.0 if shuts else 0.08), synth.uniform(0.5, 3.0))
        if shuts:
            moment += swing_s
    for _ in range(synth.count(1, 4)):
        synth.place(track, one_of(synth, clunks), moment, synth.uniform(0.3, 1.3))
        if synth.uniform(0, 1) < 0.6:
            synth.place(track, latch(synth, metal, synth.uniform(0.1, 0.8)), moment + synth.uniform(-0.04, 0.04))
        moment += synth.uniform(0.02, 0.16)
    thud = synth.lowpass(synth.noise(0.4), synth.uniform(90, 350)) * synth.decay(0.4, synth.uniform(0.03, 0.1), 0.004)
    synth.place(track, thud, moment - 0.05, synth.uniform(0.0, 1.2))
    return track


def _sliding(synth: SynthContext, leaf: Modes, *, is_slow: bool) -> Signal:
    """A gate or a lift's door that slides: a motor or rollers that rumble, air that hisses, and the stop at its end."""
    track, moment = synth.silence(), synth.uniform(0.0, min(0.1, 0.1 * synth.seconds))
    stops = hits(synth, leaf, synth.uniform(600, 3000), min(0.8, 0.1 + 5 * max(leaf.falls_s)), 0.4, 3)
    dark, hiss, motor = synth.uniform(-12, -2), synth.uniform(0.0, 0.5), synth.uniform(0, 0.8)
    base = synth.uniform(35, 160)
    while moment < synth.seconds:
        seconds = synth.uniform(0.9, 2.2) if is_slow else synth.uniform(0.25, 0.8)
        push = stroke(synth, seconds, 8) ** synth.uniform(0.2, 0.8)
        rumble = synth.texture(
            (30, 90, 300, 1200, 5000, 20000), (-6, 0, dark, 1.7 * dark, 3 * dark, 5 * dark), 4, 20, seconds
        )
        air = synth.texture((200, 1500, 5000, 12000, 20000), (-12, 0, 0, -6, -18), 3, 12, seconds)
        turning = synth.pulses(base * (0.6 + 0.5 * push), synth.uniform(200, 2500)) - 0.3
        slide = (evened(rumble) + motor * turning / (np.std(turning) + 1e-9) + hiss * evened(air)) * push
        synth.place(track, 0.5 * slide, moment, synth.strength(1))
        if synth.uniform(0, 1) < 0.7:
            synth.place(track, one_of(synth, stops), moment, synth.uniform(0.2, 1.0))
        moment += seconds
        if synth.uniform(0, 1) < 0.7:
            synth.place(track, one_of(synth, stops), moment - 0.03, synth.uniform(0.4, 2.0))
        moment += 60 if synth.uniform(0, 1) < 0.5 else synth.uniform(0.3, 1.2)
    return track


def _swing(synth: SynthContext, seconds: float, wood: Modes | None) -> Signal:
    """The leaf that moves: air along the floor, and a hinge if it is a dry one."""
    air = synth.texture((100, 500, 2000, 9000), (0, -6, -16, -34), 4, 6, seconds) * stroke(synth, seconds)
    if wood is None:
        return 0.03 * air
    tone = float(np.exp(synth.uniform(np.log(40), np.log(400))))
    return 0.03 * air + synth.uniform(0.05, 0.4) * creak(synth, seconds, tone / 1.6, tone * 1.6, wood, 0.35)


def lock(synth: SynthContext) -> Signal:
    """A key in a lock: it scratches in over the pins, turns, and throws the bolt; and back."""
    is_slow = synth.choose("speed", "slow", "fast") == "slow"
    case = some_body(synth, synth.uniform(160, 600), 5000, 10, synth.uniform(0.008, 0.025), 0.5)
    key = some_body(synth, synth.uniform(2200, 3800), 14000, 7, synth.uniform(0.004, 0.02), 0.0)
    bolts = hits(synth, case, synth.uniform(1200, 4000), 0.12, 0.3, 4)
    clicks = hits(synth, key, 7000, 0.06, 0.5, 5)
    pace = synth.uniform(0.3, 0.5) if is_slow else synth.uniform(0.12, 0.2)
    track, pins, gains = synth.silence(), [], []
    moment = synth.uniform(0.02, 0.25) * min(1.0, synth.seconds)
    while moment < synth.seconds:
        num_pins = synth.count(4, 8)
        at = moment + np.sort(synth.random.uniform(0, 0.6 * pace, num_pins))
        pins.append(at)
        gains.append(synth.random.uniform(0.15, 0.6, num_pins))
        synth.place(track, one_of(synth, clicks), moment, synth.uniform(0.2, 0.6))
        turn = moment + synth.around(pace, 0.2)
        for _ in range(synth.count(1, 3)):
            for delay, share in ((0.0, 0.35), (synth.uniform(0.02, 0.06), 1.0), (synth.uniform(0.07, 0.12), 0.3)):
                synth.place(track, one_of(synth, bolts), turn + delay, share * synth.around(1, 0.2))
                synth.place(track, one_of(synth, clicks), turn + delay, 0.2 * share)
            turn += synth.around(pace, 0.25)
        moment = turn + synth.uniform(0.4, 1.4) * (1.5 if is_slow else 0.8)
    jingle = synth.random.uniform(0, synth.seconds, round(4 * synth.seconds))
    tinkle = grains(synth, jingle, synth.random.exponential(0.03, len(jingle)), (2500, 7000), 0.012, 3, 4)
    return track + grains(synth, np.concatenate(pins), 0.7 * np.concatenate(gains), (1200, 7000), 0.0015, 5, 2) + tinkle


def _scrape(synth: SynthContext, seconds: float, metal: Modes) -> Signal:
    """Blade along blade: fine slips that brighten as they close, in the steel's own modes."""
    course = np.linspace(0, 1, len(synth.span(seconds)))
    fine = slips(synth, synth.uniform(250, 500) * (1 + 2.5 * course), 0.9) * 0.25
    hiss = synth.noise(seconds) * (0.2 + 0.3 * course)
    return ringing(synth, (fine + hiss) * hump(len(course)) ** 0.5, metal)


def scissors(synth: SynthContext) -> Signal:
    """Scissors that cut: they open with a light click, close with a rising scrape, and snap at the end."""
    is_slow = synth.choose("speed", "slow", "fast") == "slow"
    rate = synth.uniform(0.9, 1.6) if is_slow else synth.uniform(2.6, 4.2)
    size = synth.uniform(0.7, 1.4)
    blades = some_body(synth, 1500 / size, 15000, 14, synth.uniform(0.001, 0.005), -0.1)
    snaps = hits(synth, blades, 11000, 0.09, 0.35, 4)
    cut_s = synth.uniform(0.2, 0.4) if is_slow else synth.uniform(0.08, 0.14)
    track = synth.silence()
    paper = synth.uniform(0, 0.35)
    for start in synth.paces(rate, 0.12, 0.12):
        gain, seconds = synth.strength(2), synth.around(cut_s, 0.2)
        synth.place(track, one_of(synth, snaps), start, gain * synth.uniform(0.08, 0.3))
        scrape = _scrape(synth, seconds, blades)
        scrape /= float(np.max(np.abs(scrape))) + 1e-9
        synth.place(track, scrape, start + 0.03, 0.6 * gain)
        crunch = synth.texture((300, 1200, 5000, 16000), (-10, 0, -3, -12), 6, 30, seconds) * stroke(synth, seconds, 60)
        synth.place(track, crunch, start + 0.03, paper * gain)
        synth.place(track, one_of(synth, snaps), start + 0.03 + seconds, gain * synth.uniform(0.6, 1.1))
    return track
