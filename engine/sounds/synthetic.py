"""What only machines make: drones, robots, digital faults, radio noise, and the shimmer that stands for magic."""

from __future__ import annotations

import numpy as np

from engine.sounds.blips import coarse_noise
from engine.sounds.partials import banded_noise, falling_gains, gliding, is_alone, overtones, ringing, spread, wet
from engine.sounds.synthesis import Signal, SynthContext, hump

_VOWELS_HZ = ((700, 1150, 2500), (500, 1750, 2450), (320, 2150, 2900), (420, 850, 2350), (350, 700, 2300))


def drone(synth: SynthContext) -> Signal:
    """A drone of several voices out of tune, each of which breathes at its own pace, with air over them."""
    is_low = synth.choose("pitch", "low", "high") == "low"
    base = synth.uniform(40, 85) if is_low else synth.uniform(250, 430)
    slope, even = synth.uniform(0.9, 1.9), synth.uniform(0.2, 1.0)
    num = 14 if is_low else 9
    k = np.arange(1, num + 1)
    chord = ((1, 1.004, 0.997, 1.5, 2), (1, 1.003, 2, 2.006, 3), (1, 1.19, 1.5, 2, 0.5), (1, 1.007, 1.33, 2.01, 4))
    track = synth.silence()
    for ratio in chord[synth.count(0, 4)]:
        hertz = base * ratio * k * (1 + 0.0006 * synth.random.standard_normal(num))
        gains = falling_gains(num, slope, even=even) * spread(synth, 0.4, 1.6, num)
        voice = ringing(synth, hertz, np.full(num, 1e6), gains, 1.15 * synth.seconds)[: synth.num_samples]
        track += voice * (0.35 + 0.65 * synth.wander(float(spread(synth, 0.2, 2))))
    opened = synth.wander(0.5)
    bright = synth.highpass(track, 900 if is_low else 2500, order=1)
    track = synth.lowpass(track, 700 if is_low else 1600) + (0.1 + opened) * bright
    air = banded_noise(synth, (200, 800, 3000, 9000), [gain * synth.wander(0.8) for gain in (1, 0.6, 0.3, 0.15)])
    rise = np.minimum(1, synth.time / min(0.5, 0.3 * synth.seconds))
    made: Signal = (track + float(spread(synth, 0.003, 0.15)) * air) * rise
    return made


def _syllable(synth: SynthContext, pitch_hz: float, seconds: float) -> Signal:
    """A vowel that turns into another one over partials of an unmoving pitch, at times after a hiss."""
    k = np.arange(1, max(2, int(4500 / pitch_hz)))
    first, second = (_VOWELS_HZ[synth.count(0, len(_VOWELS_HZ))] for _ in range(2))
    still = np.full(len(k), 1e6)
    parts = []
    for vowel in (first, second):
        gains = sum(g / (1 + ((pitch_hz * k - f) / 90) ** 2) for f, g in zip(vowel, (1, 0.7, 0.4), strict=True)) + 0.02
        parts.append(ringing(synth, pitch_hz * k, still, np.asarray(gains), seconds))
    turn = np.linspace(0, 1, len(parts[0]))
    spoken: Signal = (parts[0] * (1 - turn) + parts[1] * turn) * np.minimum(1, 8 * np.minimum(turn, 1 - turn))
    if synth.uniform(0, 1) < 0.35:
        hiss = synth.highpass(synth.noise(0.07), synth.uniform(2500, 5000)) * hump(len(synth.span(0.07)))
        spoken[: len(hiss)] += 0.3 * hiss[: len(spoken)]
    return spoken


def _robot_voice(synth: SynthContext, *, is_low: bool) -> Signal:
    """Monotone speech, turned metallic by a ring modulator and a short comb."""
    base = synth.uniform(65, 115) if is_low else synth.uniform(170, 280)
    track, moment = synth.silence(), synth.uniform(0.02, 0.15)
    while moment < synth.seconds:
        seconds = synth.uniform(0.12, 0.32)
        step = 2 ** ((0, 0, 0, 2, -2, 5)[synth.count(0, 6)] / 12)
        synth.place(track, _syllable(synth, base * step, seconds), moment, synth.uniform(0.6, 1))
        moment += seconds + (synth.uniform(0.15, 0.5) if synth.uniform(0, 1) < 0.2 else 0.01)
    carrier = np.sin(2 * np.pi * float(spread(synth, 25, 140)) * synth.time)
    share, late = synth.uniform(0, 0.8), round(synth.uniform(0.002, 0.009) * synth.sample_rate)
    track = track * (1 - share + share * carrier)
    track[late:] += synth.uniform(0.3, 0.8) * track[:-late]
    made: Signal = np.tanh(synth.uniform(0.5, 4) * track / (np.max(np.abs(track)) + 1e-9))
    return made


def _vocoder(synth: SynthContext, *, is_low: bool) -> Signal:
    """A buzz of the whole band, with noise in it, spoken by a filter bank: syllables of formants on the move."""
    base = synth.uniform(65, 115) if is_low else synth.uniform(170, 280)
    pitch = base * 2 ** (synth.uniform(0, 0.5) * (synth.wander(4) - 0.5))
    buzz = overtones(synth, pitch, falling_gains(round(14000 / base), synth.uniform(0.2, 0.9)))
    carrier = buzz / (np.std(buzz) + 1e-9) + float(spread(synth, 0.2, 3.0)) * synth.noise()
    centres = [
        low + (high - low) * synth.wander(7) for low, high in ((280, 850), (850, 2500), (2400, 3800), (4500, 9e3))
    ]
    spoken = synth.resonate(carrier, centres, (130, 200, 300, 2500), (1.0, 0.8, 0.6, synth.uniform(0.1, 0.6)), 0.02)
    spoken += float(spread(synth, 0.02, 0.3)) * carrier
    moment, loud = synth.uniform(0.0, 0.15), synth.silence()
    while moment < synth.seconds:
        seconds = synth.uniform(0.07, 0.4)
        synth.place(loud, hump(len(synth.span(seconds))) ** synth.uniform(0.2, 1.5), moment, synth.uniform(0.4, 1))
        moment += seconds + (synth.uniform(0.15, 0.5) if synth.uniform(0, 1) < 0.2 else 0.01)
    spoken *= loud / (np.max(np.abs(spoken)) + 1e-9)
    made: Signal = np.tanh(synth.uniform(1, 8) * spoken)
    return made


def _bleep(synth: SynthContext, pitch_hz: float) -> Signal:
    """One word of a droid: a tone that is held, glides, warbles or jumps."""
    seconds, style = float(spread(synth, 0.035, 0.3)), synth.count(0, 4)
    time = synth.span(seconds)
    goal = pitch_hz * float(spread(synth, 0.4, 2.5))
    if style == 0:
        pitch = np.full(len(time), pitch_hz)
    elif style == 1:
        pitch = pitch_hz * (goal / pitch_hz) ** (time / seconds)
    elif style == 2:
        pitch = pitch_hz * (1 + synth.uniform(0.05, 0.3) * np.sin(2 * np.pi * synth.uniform(15, 45) * time))
    else:
        pitch = np.where((time * synth.uniform(12, 40)) % 1 < 0.5, pitch_hz, goal)
    tone = gliding(synth, pitch, falling_gains(8, synth.uniform(1, 3), even=synth.uniform(0, 1)))
    made: Signal = tone * np.minimum(1, np.minimum(time, seconds - time) / 0.004)
    return made


def _servo(synth: SynthContext, pitch_hz: float) -> Signal:
    """A joint that moves: a motor runs up, holds and stops, its gears whine with sidebands, an end stop knocks."""
    seconds = synth.uniform(0.2, 0.9)
    time = synth.span(seconds)
    speed = np.minimum(1, np.minimum(time / 0.06, (seconds - time) / 0.05)) * (0.95 + 0.05 * np.sin(25 * time))
    pitch = pitch_hz * (0.35 + 0.65 * np.clip(speed, 0, 1))
    turn = 1 + 0.4 * np.sin(synth.phase(pitch / synth.count(6, 14)))
    whine = gliding(synth, pitch, spread(synth, 0.2, 1, 10) * falling_gains(10, 0.6)) * turn
    brushes = synth.bandpass(synth.noise(seconds), 1500, 9000, order=1) * turn * synth.uniform(0.1, 0.6)
    moved = (whine + brushes) * np.clip(speed, 0, 1)
    knock = ringing(synth, spread(synth, 300, 3500, 6), spread(synth, 0.003, 0.02, 6), np.ones(6), 0.06)
    place = max(0, len(moved) - len(knock))
    moved[place:] += synth.uniform(0.2, 1) * knock[: len(moved) - place]
    made: Signal = moved
    return made


def robot(synth: SynthContext) -> Signal:
    """A robot: it speaks in a monotone, answers in bleeps, or moves on servos."""
    is_low = synth.choose("pitch", "low", "high") == "low"
    way = synth.choose("robot", "voice", "bleeps", "servos")
    if way == "voice":
        return (_vocoder if synth.uniform(0, 1) < 0.25 else _robot_voice)(synth, is_low=is_low)
    track, moment = synth.silence(), synth.uniform(0.02, 0.2)
    while moment < synth.seconds:
        if way == "bleeps":
            event = _bleep(synth, float(spread(synth, 260, 700)) if is_low else float(spread(synth, 1100, 2800)))
            rest = synth.uniform(0.2, 0.6) if synth.uniform(0, 1) < 0.15 else synth.uniform(0.005, 0.06)
        else:
            event = _servo(synth, float(spread(synth, 170, 360)) if is_low else float(spread(synth, 700, 1500)))
            rest = synth.uniform(0.03, 0.5)
        synth.place(track, event, moment, synth.uniform(0.6, 1))
        moment += len(event) / synth.sample_rate + rest
    return track


def _fault(synth: SynthContext, seconds: float) -> Signal:
    """One digital fault: data played as sound, a fragment that hangs, or a tone of too few bits."""
    time, style = synth.span(seconds), synth.count(0, 4)
    grain_rate = float(spread(synth, 12, 90))
    held = np.floor(time * (grain_rate if style == 1 else float(spread(synth, 1500, 9000))))
    if style == 0:  # bits as levels, each held for a moment
        fault = np.sin(held * held * 0.37 + synth.uniform(0, 6)) * np.sign(np.sin(held * synth.uniform(0.02, 1)))
    elif style == 1:  # a fragment that starts again and again
        within = time - held / grain_rate
        pitch = float(spread(synth, 150, 3000))
        fault = np.sin(2 * np.pi * pitch * within * (1 + 3 * within)) * np.exp(-within * synth.uniform(5, 60))
        fault += 0.6 * np.sin(12345.6789 * np.floor(within * 9000) ** 1.5) * np.exp(-within * 80)
    elif style == 2:  # a tone of a few levels at a low rate
        fault = np.round(3 * np.sin(held * synth.uniform(0.05, 1.2))) / 3
    else:  # clicks of a stream that lacks packets
        fault = synth.noise(seconds) * ((time * grain_rate) % 1 < synth.uniform(0.02, 0.3))
    edge = np.minimum(1, np.minimum(time, seconds - time) / 0.0005)
    made: Signal = np.clip(fault, -1.5, 1.5) * edge
    return made


def _scratch(synth: SynthContext) -> Signal:
    """A record under a hand: its music and its hiss run forwards and back, or stop, at the pace of the hand."""
    seconds = float(spread(synth, 0.1, 0.9))
    time = synth.span(seconds)
    speed = np.abs(np.cos(np.pi * synth.uniform(0.4, 2.5) * time / seconds + synth.uniform(0, 3))) + 0.02
    if synth.uniform(0, 1) < 0.35:
        speed = np.exp(-3 * time / seconds) + 0.02
    music = gliding(synth, float(spread(synth, 150, 1200)) * speed, spread(synth, 0.1, 1, 12))
    centres = (200.0, 600.0, 1500.0, 3500.0, 8000.0, 15000.0)
    octave = np.log2(9000 * speed)
    hiss = banded_noise(synth, centres, [np.exp(-np.maximum(0, np.log2(h) - octave)) for h in centres])
    edge = np.minimum(1, np.minimum(time, seconds - time) / 0.004)
    made: Signal = (synth.uniform(0.1, 1) * music + synth.uniform(0.1, 1) * hiss) * np.sqrt(speed) * edge
    return made


def _broken_drum(synth: SynthContext) -> Signal:
    """Percussion of a circuit that fails: a hit of coarse noise and data over a low thump, falling in steps."""
    seconds = float(spread(synth, 0.1, 0.8))
    time = synth.span(seconds)
    noise = coarse_noise(synth, seconds, float(spread(synth, 1500, 30000)), seconds * synth.uniform(0.1, 0.35))
    thump = np.sin(synth.phase(float(spread(synth, 50, 400)) * (1 + 3 * np.exp(-40 * time)))) * np.exp(
        -5 * time / seconds
    )
    broken = (np.floor(time * float(spread(synth, 5, 40))) * 0.618) % 1 < synth.uniform(0.4, 1.2)
    made: Signal = (noise + synth.uniform(0, 1.5) * thump) * np.clip((seconds - time) / 0.01, 0, 1) * (0.2 + broken)
    return made


def glitch(synth: SynthContext) -> Signal:
    """Glitches: bursts of data noise, hanging fragments, coarse tones and clicks, with gaps, no two alike."""
    is_slow = synth.choose("speed", "slow", "fast") == "slow"
    track, moment = synth.silence(), synth.uniform(0.0, 0.15)
    once = is_slow and is_alone(synth, 0.5)
    while moment < synth.seconds:
        for _ in range(synth.count(1, 3) if is_slow else synth.count(2, 6)):
            seconds = float(spread(synth, 0.05, 0.35)) if is_slow else float(spread(synth, 0.012, 0.11))
            make = synth.uniform(0, 1)
            event = _fault(synth, seconds)
            if is_slow and make < 0.6:
                event = _scratch(synth) if make < 0.25 else _broken_drum(synth)
                seconds = len(event) / synth.sample_rate
            if synth.uniform(0, 1) < 0.4:
                event = synth.bandpass(
                    event, float(spread(synth, 100, 1500)), float(spread(synth, 2500, 14000)), order=1
                )
            synth.place(track, event, moment, synth.uniform(0.3, 1))
            moment += seconds
        if once:
            break
        moment += synth.uniform(0.35, 1.0) if is_slow else synth.uniform(0.02, 0.15)
    return track


def radio_static(synth: SynthContext) -> Signal:
    """A radio between stations: hiss that fades in bands, crackle, whistles of carriers, at times a far voice."""
    is_heavy = synth.choose("intensity", "heavy", "light") == "heavy"
    top = float(spread(synth, 2500, 14000))
    centres = (120.0, 350.0, 800.0, 1800.0, 3500.0, 7500.0, 14000.0)
    levels: list[Signal | float] = []
    for hertz in centres:
        shape = (1 + (150 / hertz) ** 4) ** -0.5 * (1 + (hertz / top) ** 4) ** -0.5
        levels.append(shape * (0.6 + 0.8 * synth.wander(float(spread(synth, 1, 7)))))
    hiss = banded_noise(synth, centres, levels) * (0.6 + 0.4 * synth.wander(1.5))
    crackle = synth.scatter(synth.uniform(40, 150) if is_heavy else synth.uniform(1, 8), 1.0, 9.0)
    crackle *= 1 if not is_heavy else 0.3 + synth.wander(4)
    crackle = synth.bandpass(crackle * synth.random.choice((-1, 1)), 250, top, order=1) * 7
    track = hiss * (0.6 if is_heavy else 1.0) + crackle * (1.4 if is_heavy else 0.2)
    for _ in range(synth.count(0, 3)):
        pitch = float(spread(synth, 300, 2500)) * 2 ** (2.5 * (synth.wander(0.6) - 0.5))
        track += synth.uniform(0.1, 0.8) * synth.wander(1) ** 2 * overtones(synth, pitch, (1.0, 0.15))
    if synth.uniform(0, 1) < 0.35:
        voice = _robot_voice(synth, is_low=synth.uniform(0, 1) < 0.5) * synth.wander(1.2) ** 2
        track += synth.uniform(0.5, 2) * synth.bandpass(voice, 400, 2600)
    made: Signal = np.tanh(0.1 * track) if is_heavy else track
    return made


def _cascade(synth: SynthContext, base: float, *, is_rising: bool) -> Signal:
    """Tiny bells that run up or down a scale."""
    scale = np.array(((0, 2, 4, 7, 9), (0, 2, 4, 6, 8), (0, 4, 7, 11, 14))[synth.count(0, 3)])
    ladder = np.r_[scale, scale + 12, scale + 24, scale + 36]
    ratios = np.array([1, 2.76, 5.4]) * synth.random.uniform(0.97, 1.03, 3)
    bells = []
    for key in ladder[::2]:
        falls = float(spread(synth, 0.06, 0.4)) * np.array([1, 0.5, 0.3])
        bells.append(ringing(synth, base * 2 ** (key / 12) * ratios, falls, np.array([1, 0.4, 0.2]), 1.0))
    bells = bells if is_rising else bells[::-1]
    seconds = float(spread(synth, 0.5, 2.2))
    cascade = np.zeros(len(synth.span(seconds + 1.0)))
    for at in np.sort(synth.random.uniform(0, 1, synth.count(25, 60))):
        place = int(np.clip(at * len(bells) + synth.random.normal(0, 0.9), 0, len(bells) - 1))
        synth.place(cascade, bells[place], seconds * at, synth.uniform(0.1, 1))
    return cascade


def _teleport(synth: SynthContext, *, is_rising: bool) -> Signal:
    """A wizard comes or goes: a burst of air whose crest runs up or down, from a clap or out of nothing."""
    seconds = float(spread(synth, 0.5, 1.6))
    time = synth.span(seconds)
    share = time / seconds
    way = (share if is_rising else 1 - share) ** synth.uniform(0.5, 1.5)
    centre, width = np.log2(float(spread(synth, 300, 900))) + synth.uniform(2.5, 4.5) * way, synth.uniform(0.8, 2.5)
    centres = (180.0, 500.0, 1200.0, 2600.0, 5000.0, 9000.0, 15000.0)
    fall = synth.uniform(1.5, 6)
    levels = [np.exp(-np.abs(np.log2(hertz) - centre) / width - fall * share) for hertz in centres]
    air = banded_noise(synth, centres, [level * (0.5 + synth.uniform(0, 1)) for level in levels])
    late = round(synth.uniform(0.0006, 0.006) * synth.sample_rate)
    air[late:] += synth.uniform(0, 0.9) * air[:-late]
    edge = np.minimum(1, time / float(spread(synth, 0.002, 0.2))) * np.minimum(1, 8 * (1 - share))
    made: Signal = air * edge
    return made


def _charm(synth: SynthContext, base: float, *, is_rising: bool) -> Signal:
    """A spell that is cast: a crowd of partials out of tune that glides up or down and trembles as it swells."""
    seconds, octaves = float(spread(synth, 0.4, 1.8)), synth.uniform(0.8, 2.5)
    share = synth.span(seconds) / seconds
    glide = 2 ** (octaves * (share if is_rising else 1 - share) ** synth.uniform(0.7, 2))
    tremor = 1 + synth.uniform(0, 0.06) * np.sin(2 * np.pi * synth.uniform(5, 18) * seconds * share)
    charm = np.zeros(len(share))
    for ratio in spread(synth, 0.5, 5, synth.count(3, 8)):
        voice = falling_gains(5, synth.uniform(1, 2.5))
        charm += synth.uniform(0.2, 1) * gliding(synth, base * ratio * glide * tremor, voice)
    charm += synth.uniform(0, 0.6) * synth.highpass(synth.noise(seconds), 2500, order=1) * share
    made: Signal = charm * hump(len(share)) ** synth.uniform(0.4, 1.5)
    return made


def magic(synth: SynthContext) -> Signal:
    """Magic: cascades of tiny bells up or down, spells that glide, or bursts of air in which somebody appears."""
    is_rising = synth.choose("contour", "rising", "falling") == "rising"
    base, style = float(spread(synth, 480, 1100)), synth.uniform(0, 1)
    track, near, moment = synth.silence(), synth.silence(), synth.uniform(0.02, 0.15)
    once = is_alone(synth, 0.5)
    while moment < synth.seconds:
        if style < 0.45:
            event = _cascade(synth, base, is_rising=is_rising)
        elif style < 0.75:
            event = _teleport(synth, is_rising=is_rising)
        else:
            event = _charm(synth, 0.6 * base, is_rising=is_rising)
        synth.place(track, event / (np.max(np.abs(event)) + 1e-9), moment)
        synth.place(near, hump(len(event)), moment)
        if once:
            break
        moment += len(event) / synth.sample_rate + synth.uniform(0.0, 1.2)
    if style < 0.55:
        shimmer = banded_noise(synth, (2500, 5000, 9000, 14000), [near * synth.wander(9) for _ in range(4)])
        track += float(spread(synth, 0.01, 0.15)) * synth.highpass(shimmer, 2500)
        chord = np.array([0.5, 0.75, 1, 1.26, 1.5, 2]) * base
        pad = ringing(synth, np.r_[chord, 1.004 * chord], np.full(12, 1e6), np.ones(12), 1.15 * synth.seconds)
        track += synth.uniform(0, 0.05) * pad[: synth.num_samples] * near
    return wet(synth, track, synth.uniform(0.8, 2.0), synth.uniform(0.1, 0.5))
