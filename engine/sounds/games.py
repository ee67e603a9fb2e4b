"""What games answer with: shots of lasers, coins, power-ups; and the coins that fall on tables."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from engine.sounds.blips import chip_voice
from engine.sounds.partials import doublets, gliding, ringing, spread
from engine.sounds.synthesis import Signal, SynthContext

_DISC = np.array([1.0, 1.68, 2.32, 3.82, 4.07, 6.25])
"""Ratios of the modes of a free disc: a coin in the air."""
_LADDERS = ((0, 4, 7, 12, 16, 19, 24, 28, 31), (0, 2, 4, 7, 9, 12, 14, 16, 19), (0, 3, 6, 9, 12, 15, 18, 21, 24))
"""Semitones of chords and scales that are climbed."""


@dataclass(frozen=True)
class _RayGun:
    """What the shots of one gun have in common: how their tone is made, how much of it is noise, how dull it is."""

    style: int
    voice: Signal
    blast: float
    hiss: float
    ratio: float
    top_hz: float


def _ray_gun(synth: SynthContext) -> _RayGun:
    return _RayGun(
        style=synth.count(0, 4),
        voice=chip_voice(synth),
        blast=float(spread(synth, 0.003, 0.7)),
        hiss=float(spread(synth, 0.001, 0.1)),
        ratio=(0.5, 1.41, 2.0)[synth.count(0, 3)],
        top_hz=float(spread(synth, 1500, 16000)),
    )


def _shot(synth: SynthContext, gun: _RayGun, top: float, fall_s: float) -> Signal:
    """One shot: a tone, or tones that modulate each other, or two out of tune, all plunging, after a blast."""
    seconds = min(1.0, 4.5 * fall_s + 0.03)
    time = synth.span(seconds)
    bottom = top * synth.uniform(0.03, 0.12)
    pitch = bottom + (top - bottom) * np.exp(-time / (fall_s * synth.uniform(0.8, 1.3)))
    if gun.style == 0:
        tone = gliding(synth, pitch, gun.voice)
    elif gun.style == 1:
        room = np.clip(0.4 * synth.sample_rate / pitch - 1, 0, synth.uniform(1, 4))
        phase = synth.phase(pitch)
        tone = np.sin(phase + room * np.sin(phase * gun.ratio))
    elif gun.style == 2:
        tone = gliding(synth, pitch, (1.0, 0.3, 0.15)) * (1 + 0.8 * np.sin(synth.phase(0.15 * pitch)))
    else:
        tone = gliding(synth, pitch, (1.0, 0.5, 0.3, 0.2)) + gliding(synth, 1.013 * pitch, (0.8, 0.4, 0.3))
    blast = gun.blast * synth.noise(seconds) * np.exp(-time / (0.15 * fall_s))
    hiss = gun.hiss * synth.highpass(synth.noise(seconds), 2000, order=1)
    shot = ((tone + hiss) * np.exp(-time / fall_s) + blast) * np.minimum(1, time / 0.001)
    return synth.lowpass(shot, max(gun.top_hz, 1.5 * top))


def laser(synth: SynthContext) -> Signal:
    """Shots of ray guns: plunging tones of many makes, with the blast at their start, some with an echo."""
    is_slow = synth.choose("speed", "slow", "fast") == "slow"
    is_low = synth.choose("pitch", "low", "high") == "low"
    starts = list(synth.onsets(synth.uniform(0.9, 1.4) if is_slow else synth.uniform(3.5, 5.5), 0.12))
    top = float(spread(synth, 700, 1700)) if is_low else float(spread(synth, 2800, 6000))
    longest = 0.085 if "count" in synth.attributes or not is_slow else 0.2
    fall, gun, track = float(spread(synth, 0.055, longest)), _ray_gun(synth), synth.silence()
    for start in starts:
        shot = _shot(synth, gun, top * synth.uniform(0.88, 1.12), fall * synth.uniform(0.85, 1.15))
        synth.place(track, shot, start, synth.uniform(0.75, 1))
    if "count" not in synth.attributes and synth.uniform(0, 1) < 0.35:
        dry = track.copy()
        synth.place(track, dry, synth.uniform(0.09, 0.25), synth.uniform(0.1, 0.3))
    return track


def _pickup(synth: SynthContext, base: float) -> Signal:
    """The bonus of an old game: two or three short notes upwards, the last one held."""
    steps = ((0, 5), (0, 7), (0, 4, 12), (0, 12), (0, 5, 9))[synth.count(0, 5)]
    step_s, fall = synth.uniform(0.045, 0.085), float(spread(synth, 0.08, 0.22))
    time = synth.span(0.65)
    index = np.minimum((time / step_s).astype(np.int64), len(steps) - 1)
    held = np.maximum(time - step_s * (len(steps) - 1), 0)
    trembling = 1 + synth.uniform(0, 0.006) * np.sin(40 * time)
    pitch = base * 2 ** (np.asarray(steps, dtype=np.float64)[index] / 12) * trembling
    notes = gliding(synth, pitch, chip_voice(synth)) * np.exp(-held / fall)
    made: Signal = notes * np.minimum(1, time / 0.0015) * np.clip((0.65 - time) / 0.05, 0, 1)
    return made


def _touches(synth: SynthContext, *, is_spun: bool) -> tuple[Signal, Signal]:
    """Times in seconds and gains at which a dropped coin touches the table.

    It bounces ever sooner; if it then rolls round on its edge, the touches quicken without end, until it lies (the
    rate grows as the inverse cube root of the time that is left: Moffatt, 2000).
    """
    bounce = synth.uniform(0.5, 0.72)
    gaps = synth.uniform(0.12, 0.3) * bounce ** np.arange(synth.count(3, 7)) * synth.random.uniform(0.7, 1.3)
    times = np.r_[0.0, np.cumsum(gaps)]
    gains = bounce ** (1.1 * np.arange(len(times))) * synth.random.uniform(0.7, 1, len(times))
    if is_spun:
        lasting, first = synth.uniform(0.4, 1.6), synth.uniform(9, 20)
        turn = lasting * (1 - (1 - np.linspace(0, 1, int(1.5 * first * lasting) + 2)) ** 1.5)
        times = np.r_[times, times[-1] + turn]
        soft = synth.uniform(0.06, 0.2) * synth.random.uniform(0.5, 1, len(turn))
        gains = np.r_[gains, soft * np.linspace(1, 0.4, len(turn))]
    return times, gains


def _dropped(synth: SynthContext, pitch: float, *, is_spun: bool) -> Signal:
    """A coin on a table: its ring, cut short whenever it touches, and the knocks of the wood."""
    seconds = 2.6 if is_spun else 1.1
    times, gains = _touches(synth, is_spun=is_spun)
    falls = float(spread(synth, 0.03, 0.14)) * _DISC**-0.3 * synth.random.uniform(0.6, 1.4, 6)
    track = np.zeros(len(synth.span(seconds)))
    rings = []
    for _ in range(4):  # a coin is struck at another place each time
        parts = doublets(synth, pitch * _DISC, falls, synth.random.uniform(0.1, 1, 6) / _DISC, split_hz=12, share=0.4)
        ring = ringing(synth, *parts, 0.3)
        ring += 0.5 * synth.noise(0.3) * np.exp(-synth.span(0.3) / synth.uniform(0.0006, 0.002))
        rings.append(ring)
    wood = 0.3 * pitch * spread(synth, 0.15, 1, 6)  # a small coin meets a small, stiff spot of the table
    knock = ringing(synth, wood, spread(synth, 0.003, 0.014, 6), spread(synth, 0.05, 0.35, 6), 0.1)
    for time, until, gain in zip(times, [*times[1:], seconds], gains, strict=True):
        ring = rings[synth.count(0, 4)][: max(8, round((until - time) * synth.sample_rate))]
        synth.place(track, ring * np.minimum(1, np.arange(len(ring), 0, -1) / (0.002 * synth.sample_rate)), time, gain)
        synth.place(track, knock, time, gain * synth.uniform(0.5, 1))
    return track


def coin(synth: SynthContext) -> Signal:
    """A coin: the pickup of a video game, or a real one that bounces on a table and rolls round on its edge."""
    is_slow = synth.choose("speed", "slow", "fast") == "slow"
    is_low = synth.choose("pitch", "low", "high") == "low"
    is_game = synth.choose("source", "game", "table") == "game"
    starts = list(
        synth.onsets(synth.uniform(0.8, 1.1) if is_slow else synth.uniform(2.6, 3.4), 0.03 if is_game else 0.2)
    )
    track = synth.silence()
    if is_game:
        event = _pickup(synth, synth.uniform(440, 620) if is_low else synth.uniform(1100, 1600))
        for start in starts:
            synth.place(track, event, start)
        return track
    pitch = float(spread(synth, 2000, 3200)) if is_low else float(spread(synth, 4800, 7000))
    for start in starts:
        is_spun = is_slow and synth.uniform(0, 1) < 0.5
        event = _dropped(synth, pitch * synth.uniform(0.9, 1.1), is_spun=is_spun)
        synth.place(track, event, start, synth.uniform(0.6, 1))
    return track


def _climb(synth: SynthContext, base: float, step_s: float, held_s: float) -> Signal:
    """A chord or a scale climbed step by step, with a trembling top, over a sweep or a charging hum."""
    num_steps = synth.count(6, 10)
    climb = step_s * num_steps
    time = synth.span(climb + held_s)
    ladder = np.asarray(_LADDERS[synth.count(0, len(_LADDERS))], dtype=np.float64)
    rung = np.minimum((time / step_s).astype(np.int64), num_steps - 1)
    trembling = 1 + synth.uniform(0.005, 0.03) * np.sin(synth.uniform(35, 75) * time) * (time > climb)
    chip = chip_voice(synth)
    notes = gliding(synth, base * 2 ** (ladder[rung] / 12) * trembling, chip)
    notes *= np.where(time < climb, 0.5 + 0.5 * np.exp(-(time % step_s) / (synth.uniform(0.3, 1) * step_s)), 1.0)
    glide = base * 2 ** (np.minimum(time / climb, 1) * ladder[num_steps - 1] / 12 + 0.02)
    sweep = gliding(synth, glide, (1.0, 0.6, 0.4, 0.3)) * (0.6 + 0.4 * np.sin(synth.phase(4 + 14 * time / climb)))
    air = synth.highpass(synth.noise(climb + held_s), 1500, order=1) * np.minimum(time / climb, 1) ** 2
    mix = notes * synth.uniform(0.5, 1) + sweep * synth.uniform(0.1, 0.9) + air * synth.uniform(0, 0.3)
    fade = np.clip((climb + held_s - time) / held_s, 0, 1) * np.minimum(1, time / 0.004)
    made: Signal = mix * fade
    return made


def _charge(synth: SynthContext, base: float, step_s: float) -> Signal:
    """Sweeps of a rich voice, each begun higher than the one before: down like drops, or up like a motor."""
    num_steps = 1 if synth.uniform(0, 1) < 0.25 else synth.count(4, 10)
    seconds = max(0.4, step_s * num_steps) + synth.uniform(0, 0.3)
    time = synth.span(seconds)
    step = np.minimum(np.floor(time / seconds * num_steps), num_steps - 1)
    within = time / seconds * num_steps - step
    glide = synth.uniform(-1.6, 0.4) if num_steps > 2 else synth.uniform(1.5, 2.8)
    octaves = synth.uniform(0.5, 1.8) * step / num_steps + glide * within ** synth.uniform(0.5, 1.5)
    tremor = 1 + synth.uniform(0, 0.08) * (synth.uniform(0, 1) < 0.4) * np.sin(2 * np.pi * synth.uniform(8, 40) * time)
    swept = gliding(synth, base * 2**octaves * tremor, chip_voice(synth))
    made: Signal = swept * np.minimum(1, time / 0.003) * np.clip((seconds - time) / 0.08, 0, 1)
    return made


def _gain(synth: SynthContext, base: float) -> Signal:
    """Something fills up or is won: a chord that rings over a low hum, beating as it fades."""
    chord = base * np.array([0.5, 1.0, 1.5, 2.0, 2.5, 3.0])[: synth.count(2, 7)]
    parts = doublets(
        synth,
        np.outer(chord, (1, 2, 3)).ravel(),
        float(spread(synth, 0.12, 0.6)) * spread(synth, 0.5, 1.3, 3 * len(chord)),
        np.tile((1.0, 0.3, 0.12), len(chord)) * spread(synth, 0.4, 1.2, 3 * len(chord)),
        split_hz=9,
        share=0.7,
    )
    seconds = synth.uniform(0.4, 1.6)
    rise = np.minimum(1, synth.span(seconds) / synth.uniform(0.005, 0.12))
    made: Signal = ringing(synth, *parts, seconds) * rise
    return made


def power_up(synth: SynthContext) -> Signal:
    """A power-up: a chip climbs a chord or a scale over a rising sweep, sweeps in steps, or a chord that swells."""
    is_slow = synth.choose("speed", "slow", "fast") == "slow"
    is_low = synth.choose("pitch", "low", "high") == "low"
    base = synth.uniform(130, 220) if is_low else synth.uniform(420, 640)
    step = synth.uniform(0.11, 0.17) if is_slow else synth.uniform(0.04, 0.065)
    held = synth.uniform(0.3, 0.7) if is_slow else synth.uniform(0.15, 0.35)
    style = synth.uniform(0, 1)
    if style < 0.35:
        rise = _climb(synth, base, step, held)
    else:
        rise = (
            _charge(synth, base * (synth.uniform(0.7, 1.1) if is_low else synth.uniform(1.0, 1.7)), step)
            if style < 0.8
            else _gain(synth, base if is_low else 1.8 * base)
        )
    rise += 0.25 * np.pad(rise, (round(0.07 * synth.sample_rate), 0))[: len(rise)]
    track = synth.silence()
    moment = synth.uniform(0.02, min(0.4, 0.2 * synth.seconds))
    once = synth.uniform(0, 1) < 0.5  # and still it is a slow or a fast one
    while moment < synth.seconds:
        synth.place(track, rise, 0.1 * moment if once else moment)
        if once:
            break
        moment += len(rise) / synth.sample_rate + synth.uniform(0.15, 0.6)
    return track
