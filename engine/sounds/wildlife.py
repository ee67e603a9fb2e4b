"""Animals of the farm and the wild that bleat, crow, hoot, howl, buzz or gallop."""

from __future__ import annotations

import numpy as np

from engine.sounds.synthesis import Signal, SynthContext, hump

_BEND_HOOTS = ((0.0, 0.45), (0.75, 0.16), (0.98, 0.3), (1.45, 0.5))
_EVEN_HOOTS = ((0.0, 0.3), (0.5, 0.3), (1.0, 0.7))
"""The notes of two owls: start and length in seconds."""

_CROW = (
    (0.00, 0.12, (0.72, 0.86, 0.80), 0.7),
    (0.15, 0.09, (0.85, 0.92, 0.85), 0.6),
    (0.27, 0.19, (0.92, 1.12, 1.02), 0.9),
    (0.49, 0.51, (1.05, 1.30, 1.26, 1.15, 0.72), 1.0),
)
"""Cock-a-doodle-doo: start and length as shares of the whole, the course of the pitch, the gain."""


def _throat(synth: SynthContext, source: Signal, formants_hz: tuple[tuple[float, float], ...]) -> Signal:
    """A source through formants, each given by its edges in Hz; a tenth of the source is kept."""
    shaped = 0.1 * source
    for low, high in formants_hz:
        shaped += synth.bandpass(source, low, high, order=1)
    return shaped


def _curve(course: Signal, values: tuple[float, ...]) -> Signal:
    """The values, evenly spaced over a course from 0 to 1, joined by lines."""
    return np.interp(course, np.linspace(0, 1, len(values)), values)


def sheep(synth: SynthContext) -> Signal:
    """Bleats: a nasal voice that trembles all the way through."""
    is_low = synth.choose("pitch", "low", "high") == "low"
    is_long = synth.choose("length", "long", "short") == "long"
    base = synth.uniform(150, 205) if is_low else synth.uniform(360, 460)
    tremble = synth.uniform(7.5, 10.5)
    track = synth.silence()
    for start in synth.onsets(synth.uniform(0.5, 0.62) if is_long else synth.uniform(1.2, 1.6), 0.12):
        seconds = synth.uniform(1.1, 1.5) if is_long else synth.uniform(0.34, 0.46)
        time = synth.span(seconds)
        course = np.linspace(0, 1, len(time))
        wobble = np.sin(2 * np.pi * tremble * time + synth.uniform(0, 6.28))
        pitch = base * _curve(course, (0.9, 1.08, 1.04, 1.0, 0.88)) * (1 + 0.045 * wobble) * synth.uniform(0.95, 1.05)
        source = synth.harmonics(pitch, 18, 0.6)
        opened = _throat(synth, source, ((580, 900), (1500, 1950), (2500, 3000)))
        closed = 0.4 * synth.lowpass(source, 340)
        opening = np.clip((time - 0.03) / 0.07, 0, 1)
        voice = closed * (1 - opening) + opened * opening + 0.08 * synth.highpass(synth.noise(seconds), 1500)
        swell = np.minimum(1, time / 0.03) * np.minimum(1, (seconds - time) / (0.3 * seconds))
        synth.place(track, voice * swell * (0.55 + 0.45 * wobble), start, synth.uniform(0.8, 1))
    return track


def rooster(synth: SynthContext) -> Signal:
    """Crows: four hoarse syllables that climb, the last one long and sinking."""
    is_low = synth.choose("pitch", "low", "high") == "low"
    is_long = synth.choose("length", "long", "short") == "long"
    base = synth.uniform(330, 410) if is_low else synth.uniform(640, 800)
    whole = synth.uniform(1.9, 2.5) if is_long else synth.uniform(0.8, 1.0)
    track = synth.silence()
    for start in synth.occasions(0.5, 1.35 * whole, 1.8 * whole):
        for offset, share, bends, gain in _CROW:
            seconds = share * whole
            course = np.linspace(0, 1, len(synth.span(seconds)))
            pitch = base * _curve(course, bends) * (1 + 0.01 * np.sin(60 * course))
            source = synth.harmonics(pitch, 13, 0.35)
            voice = np.tanh(_throat(synth, source, ((850, 1500), (2300, 3300))))
            voice += 0.25 * synth.bandpass(synth.noise(seconds), 1200, 4000)
            synth.place(track, voice * hump(len(course)) ** 0.35, start + offset * whole, gain)
    return track


def owl(synth: SynthContext) -> Signal:
    """Hoots: soft, hollow, almost pure tones in a phrase; the last note may quaver."""
    is_low = synth.choose("pitch", "low", "high") == "low"
    is_slow = synth.choose("speed", "slow", "fast") == "slow"
    base = synth.uniform(235, 310) if is_low else synth.uniform(520, 680)
    pace = synth.uniform(1.0, 1.25) if is_slow else synth.uniform(0.42, 0.55)
    quaver = synth.uniform(0, 0.5)
    phrase = (_BEND_HOOTS, _EVEN_HOOTS)[synth.count(0, 2)]
    track = synth.silence()
    for start in synth.occasions(0.5, 2.4 * pace, 3.0 * pace):
        for index, (offset, length) in enumerate(phrase):
            time = synth.span(length * pace)
            course = np.linspace(0, 1, len(time))
            phase = synth.phase(base * _curve(course, (0.93, 1.02, 1.0, 0.95)))
            hoot = np.sin(phase) + 0.12 * np.sin(2 * phase) + 0.06 * np.sin(3 * phase)
            hoot += 0.05 * synth.bandpass(synth.noise(length * pace), 0.8 * base, 3 * base)
            if index == len(phrase) - 1:
                hoot *= 1 - quaver + quaver * np.sin(2 * np.pi * 9 * time)
            synth.place(track, hoot * hump(len(time)) ** 0.8, start + offset * pace, synth.uniform(0.75, 1))
    return track


def wolf(synth: SynthContext) -> Signal:
    """Howls: a voice that slides up, breaks into its height, holds it, and sinks away."""
    is_low = synth.choose("pitch", "low", "high") == "low"
    is_long = synth.choose("length", "long", "short") == "long"
    base = synth.uniform(260, 340) if is_low else synth.uniform(540, 700)
    track = synth.silence()
    for start in synth.occasions(0.5, 2.6 if is_long else 1.2, 3.4 if is_long else 1.7):
        seconds = synth.uniform(2.3, 3.1) if is_long else synth.uniform(0.8, 1.1)
        time = synth.span(seconds)
        course = np.linspace(0, 1, len(time))
        bend = np.interp(course, (0, 0.14, 0.18, 0.35, 0.7, 1), (0.55, 0.82, 1.0, 1.1, 0.98, 0.58))
        bend *= synth.uniform(0.92, 1.08) * (1 + 0.012 * np.sin(2 * np.pi * 5 * time) * course)
        howl = _throat(synth, synth.harmonics(base * bend, 9, 1.3), ((1.5 * base, 3.2 * base),))
        howl += 0.06 * synth.bandpass(synth.noise(seconds), base, 4 * base)
        synth.place(track, howl * np.sin(np.pi * course**0.7) ** 0.8, start, synth.uniform(0.7, 1))
    return track


def bees(synth: SynthContext) -> Signal:
    """Buzzing: wings beating at wandering rates, a dense swarm or two bees that come and go."""
    is_low = synth.choose("pitch", "low", "high") == "low"
    is_huge = synth.choose("crowd", "huge", "small") == "huge"
    base = synth.uniform(105, 145) if is_low else synth.uniform(240, 320)
    track = synth.silence()
    for _ in range(7 if is_huge else 2):
        nearness = synth.wander(5.0 if is_huge else 1.2)
        detune = synth.uniform(0.85, 1.15) if is_huge else synth.uniform(0.93, 1.07)
        wings = base * detune * (0.95 + 0.12 * nearness)
        turn = (np.cumsum(wings) / synth.sample_rate + synth.uniform(0, 1)) % 1
        gain = 0.4 + 0.6 * nearness if is_huge else 0.12 + nearness**2
        track += (turn * (1 - turn) - 1 / 6) * gain
    return synth.lowpass(synth.highpass(track, 1200, order=1), 4500) + 0.1 * track


def horse(synth: SynthContext) -> Signal:
    """Hooves on cobbles (a ringing clop) or on earth (a thud), in an even walk or the three beats of a gallop."""
    is_slow = synth.choose("speed", "slow", "fast") == "slow"
    is_stone = synth.choose("floor", "cobbles", "earth") == "cobbles"
    if is_slow:
        stride, beats = synth.uniform(1.25, 1.6), [0.0, 0.25, 0.5, 0.75]
    else:
        stride, beats = synth.uniform(0.46, 0.56), [0.0, 0.22, 0.44]
    hooves = [_hoof(synth, is_stone=is_stone, bend=bend) for bend in (1.0, 1.22, 0.93, 1.13)]
    gains = (0.75, 0.85, 1.0, 0.8)
    track = synth.silence()
    for start in synth.onsets(1 / stride, 0.02):
        for beat, hoof, gain in zip(beats, hooves, gains, strict=False):
            moment = start + stride * (beat + synth.uniform(-0.012, 0.012))
            synth.place(track, hoof, max(0.0, moment), gain * synth.uniform(0.8, 1))
    return track


def _hoof(synth: SynthContext, *, is_stone: bool, bend: float) -> Signal:
    """One step of one hoof; `bend` sets its pitch against the others."""
    if is_stone:
        gains, falls_s = (1, 0.8, 0.4, 0.25), (0.022, 0.016, 0.01, 0.006)
        clop = synth.modes(bend * synth.uniform(720, 860), (1, 1.62, 2.7, 4.1), falls_s, gains, 0.12)
        return clop + 0.5 * synth.highpass(synth.noise(0.12), 2000) * synth.decay(0.12, 0.004, 0.0005)
    thud = 4 * synth.lowpass(synth.noise(0.16), bend * 220) * synth.decay(0.16, 0.03, 0.004)
    body = synth.modes(bend * synth.uniform(75, 95), (1, 1.7), (0.05, 0.03), (1, 0.5), 0.16)
    scuff = 0.25 * synth.bandpass(synth.noise(0.16), 500, 2000) * synth.decay(0.16, 0.03, 0.01)
    return thud + body + scuff
