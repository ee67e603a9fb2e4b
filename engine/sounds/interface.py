"""What programs and machines answer with: clicks, notifications, yes and no."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from engine.sounds.blips import any_voice, blip, chip_voice, coarse_noise, stairs
from engine.sounds.partials import falling_gains, gliding, is_alone, ringing, spread, wet
from engine.sounds.synthesis import Signal, SynthContext

_TIMBRES = (
    ((1, 2, 3), (1, 0.22, 0.08), (1, 0.5, 0.3)),  # round
    ((1, 3.93, 9.2), (1, 0.35, 0.12), (1, 0.25, 0.1)),  # a wooden bar
    ((1, 2.0, 2.76, 5.4, 8.9), (1, 0.3, 0.35, 0.25, 0.15), (1, 0.8, 0.6, 0.4, 0.25)),  # glass
    (
        (1, 1.005, 2.01, 3.0, 4.02, 5.0),
        (1, 0.8, 0.4, 0.25, 0.15, 0.1),
        (1, 1, 0.7, 0.5, 0.4, 0.3),
    ),  # a soft synthesizer
    ((1, 3.5, 5.8, 8.2), (1, 0.5, 0.3, 0.25), (1, 0.7, 0.4, 0.3)),  # metal
)
"""Ratios, gains and relative falls of the partials of tones that interfaces like."""


def _tone(synth: SynthContext, timbre: int, pitch_hz: float, fall_s: float, attack_s: float) -> Signal:
    """One tone: its partials over the tick of a finger or a mallet."""
    ratios, gains, falls = (np.asarray(row, dtype=np.float64) for row in _TIMBRES[timbre])
    seconds = 6 * fall_s + 0.02
    tone = ringing(synth, pitch_hz * ratios, fall_s * falls, gains, seconds)
    tone *= np.minimum(1, synth.span(seconds) / attack_s)
    tick = synth.highpass(synth.noise(0.01), 2000, order=1) * synth.decay(0.01, 0.0015, 0.0003)
    tone[: len(tick)] += synth.uniform(0, 0.05) * tick
    return tone


def _phrases(synth: SynthContext, tones: Sequence[Signal], gap_s: float, pause: tuple[float, float]) -> Signal:
    """The tones one after another, then a rest, again and again, or once from the start of the clip."""
    track, once = synth.silence(), is_alone(synth, 0.5)
    moment = synth.uniform(0.0, 0.06 if once else min(0.5, 0.2 * synth.seconds))
    while moment < synth.seconds:
        for tone in tones:
            synth.place(track, tone, moment, synth.uniform(0.85, 1))
            moment += gap_s
        if once:
            break
        moment += synth.uniform(*pause)
    return track


def _single(synth: SynthContext, base: float) -> Signal:
    """One note says it all: a ping that rings, a beep that is held, or a buzz of many harmonics."""
    style = synth.count(0, 3)
    if style == 0:
        return _tone(synth, synth.count(0, len(_TIMBRES)), base, float(spread(synth, 0.08, 0.7)), 0.001)
    seconds = float(spread(synth, 0.07, 0.35))
    if style == 1:
        return blip(synth, any_voice(synth), base, base, seconds)
    voice = falling_gains(60, synth.uniform(0.3, 1.0), even=synth.uniform(0.3, 1)) * spread(synth, 0.4, 1.6, 60)
    return blip(synth, voice, 0.5 * base, 0.5 * base, seconds)


def _whistles(synth: SynthContext, base: float, *, is_rising: bool) -> list[Signal]:
    """One to three sweeps up, or down, of a voice of few harmonics or many."""
    ratio, seconds = float(spread(synth, 1.3, 4.5)), float(spread(synth, 0.06, 0.4))
    ends = (base, base * ratio) if is_rising else (base * ratio, base)
    sweep = blip(synth, any_voice(synth), *ends, seconds)
    return [sweep] * synth.count(1, 4)


def notification(synth: SynthContext) -> Signal:
    """A notification: two or three tones of bars, glass, metal or a soft synthesizer, whistles, or a single beep."""
    is_low = synth.choose("pitch", "low", "high") == "low"
    is_rising = synth.choose("contour", "rising", "falling") == "rising"
    base = synth.uniform(270, 410) if is_low else synth.uniform(780, 1150)
    pause, style = (0.9, 1.6), synth.uniform(0, 1)
    if style < 0.3:
        synth.attributes.pop("contour")
        return _phrases(synth, [_single(synth, base * synth.uniform(0.8, 2.2))], 0.3, pause)
    if style < 0.5:
        sweeps = _whistles(synth, base * synth.uniform(0.8, 1.3), is_rising=is_rising)
        return _phrases(synth, sweeps, len(sweeps[0]) / synth.sample_rate + synth.uniform(0, 0.04), pause)
    steps = ((0, 7), (0, 5), (0, 4, 7), (0, 5, 12), (0, 12), (0, 3, 7))[synth.count(0, 6)]
    gap, fall, attack = synth.uniform(0.13, 0.2), float(spread(synth, 0.12, 0.5)), float(spread(synth, 0.002, 0.015))
    timbre = max(0, synth.count(-2, len(_TIMBRES)))  # round ones are the most frequent
    tones = [_tone(synth, timbre, base * 2 ** (k / 12), fall, attack) for k in steps]
    track = _phrases(synth, tones if is_rising else tones[::-1], gap, pause)
    return wet(synth, track, synth.uniform(0.4, 1.2), synth.uniform(0.05, 0.3)) if synth.uniform(0, 1) < 0.4 else track


def _jingle(synth: SynthContext, base: float) -> Signal:
    """What a game plays when a secret is found: quick steps of a chip upwards, often twice, or a chord at once."""
    if synth.uniform(0, 1) < 0.35:
        chord = base * 2 ** (np.array((0, 4, 7, 12, 16, 19)[: synth.count(3, 7)]) / 12)
        hertz, gains = np.outer(chord, np.arange(1, 9)).ravel(), np.tile(falling_gains(8, 1.2), len(chord))
        falls = float(spread(synth, 0.15, 1.0)) * spread(synth, 0.5, 1.2, len(hertz))
        return ringing(synth, hertz, falls, gains * spread(synth, 0.5, 1.3, len(hertz)), synth.uniform(0.4, 1.1))
    ladder = ((0, 2, 4, 7, 9), (0, 4, 7, 12), (0, 3, 5, 8), (0, 5, 12))[synth.count(0, 4)]
    steps = (*ladder, *(ladder if synth.uniform(0, 1) < 0.5 else ()), ladder[-1] + synth.count(0, 6))
    pitches = base * 2 ** (np.array(steps) / 12)
    return stairs(synth, any_voice(synth), pitches, synth.uniform(0.04, 0.15), float(spread(synth, 0.03, 0.2)))


def ui_success(synth: SynthContext) -> Signal:
    """A program says yes: quick tones upwards of a major chord, the last one ringing, a chip's jingle, or one beep."""
    is_low = synth.choose("pitch", "low", "high") == "low"
    base = synth.uniform(240, 380) if is_low else synth.uniform(750, 1100)
    style = synth.uniform(0, 1)
    if style < 0.4:
        event = _jingle(synth, base * (1 if is_low else synth.uniform(0.9, 2)))
        return _phrases(synth, [event], len(event) / synth.sample_rate, (0.4, 1.9))
    if style < 0.5:
        seconds = float(spread(synth, 0.07, 0.25))
        return _phrases(synth, [blip(synth, any_voice(synth), 1.7 * base, 1.7 * base, seconds)], seconds, (0.6, 1.9))
    steps = ((0, 4, 7), (0, 7), (0, 7, 12), (0, 4, 7, 12), (0, 5), (0, 12))[synth.count(0, 6)]
    gap, fall, attack = synth.uniform(0.055, 0.12), float(spread(synth, 0.06, 0.3)), float(spread(synth, 0.001, 0.01))
    timbre = synth.count(0, len(_TIMBRES))
    tones = [_tone(synth, timbre, base * 2 ** (k / 12), 0.6 * fall, attack) for k in steps[:-1]]
    last = _tone(synth, timbre, base * 2 ** (steps[-1] / 12), 1.4 * fall, attack)
    sparkle = _tone(synth, 2, base * 2 ** (steps[-1] / 12) * synth.count(2, 5), fall, 0.001)
    count = min(len(last), len(sparkle))
    last[:count] += synth.uniform(0, 0.25) * sparkle[:count]
    track = _phrases(synth, [*tones, last], gap, (0.9, 1.9))
    return wet(synth, track, synth.uniform(0.3, 1.0), synth.uniform(0.05, 0.3)) if synth.uniform(0, 1) < 0.5 else track


def _buzz(synth: SynthContext, pitch_hz: float, seconds: float, slope: float, beat: float) -> Signal:
    """A harsh tone of two voices out of tune, sagging a little, cut off short."""
    time = synth.span(seconds)
    sag = pitch_hz * (1 - synth.uniform(0, 0.06) * time / seconds)
    gains = falling_gains(int(14000 / pitch_hz), slope, even=0.5)
    tone = gliding(synth, sag, gains) + gliding(synth, sag * beat, gains)
    made: Signal = tone * np.minimum(1, time / 0.003) * np.clip((seconds - time) / 0.015, 0, 1)
    return made


def _defeat(synth: SynthContext, base: float) -> Signal:
    """What a game plays when it is lost: a chip that sinks by octaves, trembles, or stutters over its own noise."""
    seconds = float(spread(synth, 0.11, 1.1))
    time = synth.span(seconds)
    ends = 2 ** synth.uniform(0, 1.3), 2 ** -synth.uniform(0.1, 2.5)
    pitch = base * ends[0] * (ends[1] / ends[0]) ** ((time / seconds) ** synth.uniform(0.5, 1.2))
    depth, rate = synth.uniform(0, 0.25) * (synth.uniform(0, 1) < 0.5), synth.uniform(6, 60)
    tone = gliding(synth, pitch * (1 + depth * np.sin(2 * np.pi * rate * time)), 1.5 * chip_voice(synth))
    if synth.uniform(0, 1) < 0.5:
        tone += synth.uniform(0.1, 0.9) * coarse_noise(synth, seconds, 12 * base, seconds)
    if synth.uniform(0, 1) < 0.35:
        tone *= (time * float(spread(synth, 6, 35))) % 1 < synth.uniform(0.4, 0.8)
    level = (1 - time / seconds) ** synth.uniform(0.1, 1.2) * np.minimum(1, time / 0.002)
    made: Signal = synth.highpass(tone, synth.uniform(30, 200), 1) * level
    return made


def ui_error(synth: SynthContext) -> Signal:
    """A program says no: a buzz given twice, tones that fall by a sour interval, or the defeat of a game."""
    is_low = synth.choose("pitch", "low", "high") == "low"
    base = synth.uniform(90, 190) if is_low else synth.uniform(330, 560)
    if synth.uniform(0, 1) < 0.45:
        event = _defeat(synth, 1.5 * base)
        return _phrases(synth, [event], len(event) / synth.sample_rate, (0.4, 1.8))
    steps = ((0, 0), (0, -1), (0, -6), (0, -3), (0, -4, -8), (0,))[synth.count(0, 6)]
    length = float(spread(synth, 0.04, 0.22))
    if synth.uniform(0, 1) < 0.65:
        slope, beat = synth.uniform(0.7, 1.8), synth.uniform(1.0, 1.07)
        tones = [
            _buzz(synth, base * 2 ** (k / 12), length * (1.6 if k == steps[-1] else 1), slope, beat) for k in steps
        ]
    else:
        timbre = synth.count(0, len(_TIMBRES))
        tones = [_tone(synth, timbre, 1.5 * base * 2 ** (k / 12), length, 0.002) for k in steps]
    return _phrases(synth, tones, length * synth.uniform(1.1, 1.7), (0.8, 1.8))


def _tick(synth: SynthContext, pitch_hz: float, life_s: float, hardness: float) -> Signal:
    """A switch that snaps over: two or three knocks within milliseconds, each in the modes of its small case."""
    event = np.zeros(len(synth.span(0.05)))
    modes = pitch_hz * np.array([1, 1.47, 2.2, 2.9, 3.8, 5.1]) * synth.random.uniform(0.9, 1.1, 6)
    falls, gains = life_s * spread(synth, 0.4, 1.2, 6), spread(synth, 0.2, 1, 6)
    delay = 0.0
    for knock in range(synth.count(1, 4)):
        ring = ringing(synth, modes, falls, gains * synth.random.uniform(0.5, 1, 6), 0.03)
        snap = synth.noise(0.006) * synth.decay(0.006, synth.uniform(0.0003, 0.0012), 0.0001)
        ring[: len(snap)] += hardness * snap
        synth.place(event, ring, delay, (1.0, synth.uniform(0.2, 0.9), synth.uniform(0.1, 0.5))[knock])
        delay += synth.uniform(0.001, 0.008)
    return event


def _clunk(synth: SynthContext, *, is_low: bool) -> Signal:
    """A lever or a large switch that is thrown: a dull knock of its box, its hiss, and a rattle that dies."""
    seconds, low = (
        float(spread(synth, 0.08, 0.7)),
        float(spread(synth, 80, 500) if is_low else spread(synth, 700, 2000)),
    )
    event = np.zeros(len(synth.span(seconds)))
    for knock in range(synth.count(1, 4)):
        modes, falls = low * spread(synth, 1, 12, 10), seconds * spread(synth, 0.03, 0.25, 10)
        ring = ringing(synth, modes, falls, spread(synth, 0.2, 1, 10), seconds)
        noise = synth.noise(seconds) * np.exp(-synth.span(seconds) / (seconds * synth.uniform(0.02, 0.2)))
        ring += synth.uniform(0.2, 1.5) * (synth.lowpass(noise, 8 * low, 1) if is_low else noise)
        synth.place(event, ring, knock * synth.uniform(0.01, 0.3) * seconds, synth.uniform(0.3, 1))
    return event * np.linspace(1, 0, len(event))


def _screen_click(synth: SynthContext, pitch_hz: float, *, is_low: bool) -> Signal:
    """What a menu says: a blip of one pitch, a chip's swoop, or a tick of noise."""
    style = synth.uniform(0, 1)
    if style < 0.5:
        voice = np.array([1.0, *spread(synth, 0.002, 0.2, 3)])
        return blip(synth, voice, pitch_hz, pitch_hz * float(spread(synth, 0.3, 3)), float(spread(synth, 0.006, 0.22)))
    if style < 0.75:
        return blip(
            synth, chip_voice(synth), pitch_hz, pitch_hz * float(spread(synth, 0.1, 0.8)), synth.uniform(0.03, 0.1)
        )
    tick = coarse_noise(synth, 0.05, 6 * pitch_hz, float(spread(synth, 0.0008, 0.012)))
    return tick if is_low else synth.highpass(tick, pitch_hz, 1)


def click(synth: SynthContext) -> Signal:
    """Clicks: a mouse or a button, pressed and let go with a softer one; levers and switches; the blips of a menu."""
    is_slow = synth.choose("speed", "slow", "fast") == "slow"
    is_low = synth.choose("pitch", "low", "high") == "low"
    pitch = float(spread(synth, 200, 800)) if is_low else float(spread(synth, 2400, 4600))
    life = float(spread(synth, 0.0015, 0.005)) if is_low else float(spread(synth, 0.0004, 0.002))
    hardness = synth.uniform(0.05, 0.25) if is_low else synth.uniform(0.3, 1.5)
    make = synth.uniform(0, 1)
    is_let_go = is_slow and make < 0.5
    if make < 0.5:
        presses = [_tick(synth, pitch * synth.uniform(0.95, 1.05), life, hardness) for _ in range(3)]
    elif make < 0.7:
        presses = [_clunk(synth, is_low=is_low)] * 3
    else:
        presses = [_screen_click(synth, pitch, is_low=is_low)] * 3
    releases = [_tick(synth, pitch * synth.uniform(1.05, 1.4), 0.8 * life, hardness) for _ in range(3)]
    held, softer, track = synth.uniform(0.06, 0.13), synth.uniform(0.15, 0.7), synth.silence()
    starts = synth.onsets(synth.uniform(0.9, 1.6) if is_slow else synth.uniform(4.5, 6.5), 0.3)
    for start in [synth.uniform(0, 0.05)] if is_alone(synth, 0.4) else starts:
        force, double = synth.uniform(0.6, 1), is_slow and synth.uniform(0, 1) < 0.2
        for repeat in range(2 if double else 1):
            moment = start + repeat * synth.uniform(0.15, 0.22)
            synth.place(track, presses[synth.count(0, 3)], moment, force)
            if is_let_go:
                synth.place(track, releases[synth.count(0, 3)], moment + held * synth.uniform(0.8, 1.3), force * softer)
    return track
