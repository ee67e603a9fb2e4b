"""Instruments that hold a tone: flute, violin and trumpet, with breath, bow and lips."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from engine.sounds.instruments import TUNE
from engine.sounds.partials import banded_noise, body, falling_gains, overtones, spread
from engine.sounds.synthesis import Signal, SynthContext


@dataclass(frozen=True)
class Melody:
    """Tones one after another as curves [T]: pitch, seconds since each began and until it ends, loudness of each."""

    pitch_hz: Signal
    since_s: Signal
    left_s: Signal
    force: Signal
    sounding: Signal


def _melody(synth: SynthContext, base_hz: float, rate_hz: float, glide_s: float, rest_share: float) -> Melody:
    """A tune of a random walk over a scale; the pitch glides in `glide_s`, and some tones end early."""
    starts = np.asarray([*synth.onsets(rate_hz, 0.15), synth.seconds + 1])
    walk = np.clip(np.cumsum(synth.random.integers(-2, 3, len(starts))) + synth.count(0, 4), 0, len(TUNE) - 1)
    keys = np.asarray(TUNE, dtype=np.float64)[walk] + synth.random.normal(0, 0.06, len(starts))
    forces = synth.random.uniform(0.6, 1, len(starts))
    rests = np.where(synth.random.uniform(0, 1, len(starts)) < rest_share, synth.uniform(0.1, 0.4) / rate_hz, 0.0)
    index = np.maximum(np.searchsorted(starts, synth.time, side="right") - 1, 0)
    since, left = synth.time - starts[index], starts[index + 1] - synth.time - rests[index]
    before = keys[np.maximum(index - 1, 0)]
    way = np.exp(-np.maximum(since, 0) / glide_s)
    pitch = base_hz * 2 ** ((keys[index] * (1 - way) + before * way) / 12)
    return Melody(pitch, since, left, forces[index], np.where(since >= 0, 1.0, 0.0))


def _vibrato(synth: SynthContext, tune: Melody, rate_hz: float, late_s: float) -> Signal:
    """A trembling between -1 and 1 that sets in `late_s` after a tone began, its rate and depth never quite steady."""
    rate = rate_hz * (0.92 + 0.16 * synth.wander(3))
    depth = np.clip((tune.since_s - late_s) / 0.35, 0, 1) * (0.6 + 0.4 * synth.wander(2))
    made: Signal = depth * np.sin(synth.phase(rate))
    return made


def _tremor(synth: SynthContext, depth: float) -> Signal:
    """A factor about 1 that no muscle can hold stiller: drift, and faster unrest."""
    return 1 + depth * (synth.wander(4) - 0.5) + 0.5 * depth * (synth.wander(35) - 0.5)


def flute(synth: SynthContext) -> Signal:
    """A flute: a tune of breathy tones with a chiff at the start and a late vibrato of strength more than of pitch."""
    is_slow = synth.choose("speed", "slow", "fast") == "slow"
    is_low = synth.choose("pitch", "low", "high") == "low"
    base = synth.uniform(250, 350) if is_low else synth.uniform(680, 950)
    rate = synth.uniform(0.8, 1.3) if is_slow else synth.uniform(3.0, 4.5)
    tune = _melody(synth, base, rate, 0.012, 0.35)
    vibrato = _vibrato(synth, tune, synth.uniform(4.5, 6), 0.15 if is_slow else 0.4)
    onset, release = synth.uniform(0.03, 0.07), synth.uniform(0.03, 0.08)
    swell = np.clip(tune.since_s / onset, 0, 1) * np.clip((tune.left_s - 0.02) / release, 0, 1) * tune.sounding
    scoop = 1 - synth.uniform(0.005, 0.03) * np.exp(-np.maximum(tune.since_s, 0) / 0.025)
    pitch = tune.pitch_hz * scoop * (1 + 0.007 * vibrato) * _tremor(synth, 0.006)
    strength = swell * tune.force * (1 + 0.22 * vibrato) * (0.85 + 0.3 * synth.wander(5))
    dull = overtones(synth, pitch, (1.0, 0.25, 0.1, 0.03))
    bright = overtones(synth, pitch, (0.0, 0.8, 0.5, 0.25, 0.14, 0.08, 0.05, 0.03, 0.02, 0.012))
    breath = float(spread(synth, 0.03, 0.25))
    chiff = 1 + synth.uniform(1, 6) * np.exp(-np.maximum(tune.since_s, 0) / 0.03)
    air = breath * swell * chiff
    bands, colour = (0.7 * base, 1.5 * base, 4 * base, max(8000.0, 9 * base)), (0.5, 1.0, 0.5, 0.2)
    hiss = banded_noise(synth, bands, [gain * (0.7 + 0.6 * synth.wander(6)) for gain in colour]) * air
    made: Signal = strength * dull + strength**2 * synth.uniform(0.4, 1.0) * bright + 0.5 * hiss
    return made


def _violin_body(synth: SynthContext, track: Signal) -> Signal:
    """The body: the air at 280 Hz, main wood at 450 to 570, a crowd of modes, the bridge's hill at 2 to 3 kHz."""
    wood, hill, top = (spread(synth, *edges) for edges in ((650, 1800, 10), (1900, 3400, 14), (3500, 9000, 12)))
    modes = np.r_[280, 460, 550, wood, hill, top] * synth.random.uniform(0.96, 1.04, 39)
    gains = np.r_[0.9, 1.2, 1.2, np.full(10, 0.6), np.full(14, 0.75), np.full(12, 0.3)] * spread(synth, 0.5, 1.5, 39)
    falls = 14 / (np.pi * modes) * synth.random.uniform(0.6, 1.4, len(modes))
    return body(synth, track, modes, falls, gains * np.sqrt(modes / 500))


def violin(synth: SynthContext) -> Signal:
    """A violin: a bowed string whose partials run over the modes of a body as the vibrato turns, and the bow."""
    is_slow = synth.choose("speed", "slow", "fast") == "slow"
    is_low = synth.choose("pitch", "low", "high") == "low"
    base = synth.uniform(196, 270) if is_low else synth.uniform(560, 880)
    rate = synth.uniform(0.6, 1.2) if is_slow else synth.uniform(3.2, 5.5)
    tune = _melody(synth, base, rate, synth.uniform(0.01, 0.04), 0.25)
    vibrato = _vibrato(synth, tune, synth.uniform(5, 6.6), 0.12 if is_slow else 0.3)
    pitch = tune.pitch_hz * (1 + synth.uniform(0.004, 0.014) * vibrato) * _tremor(synth, 0.004)
    onset, gap = synth.uniform(0.03, 0.12) if is_slow else synth.uniform(0.015, 0.04), synth.uniform(0.0, 0.02)
    bow = np.clip(tune.since_s / onset, 0.0, 1) * np.clip((tune.left_s - gap) / 0.05, 0, 1) * tune.sounding
    bow *= tune.force * (0.7 + 0.5 * synth.wander(4)) * _tremor(synth, 0.3)
    string = bow * overtones(synth, pitch, falling_gains(int(16000 / base), synth.uniform(0.85, 1.15)))
    rosin = 1 + 5 * np.exp(-np.maximum(tune.since_s, 0) / 0.025)  # before the string has caught its period
    scratch = banded_noise(synth, (400, 1500, 4000, 9000, 15000), [0.3, 0.7, 1.0, 0.6, 0.3])
    scratch *= np.sqrt(bow) * rosin * (0.6 + 0.4 * np.sin(synth.phase(pitch))) * float(spread(synth, 0.006, 0.04))
    played = string + scratch
    return 0.25 * played + _violin_body(synth, played)


def trumpet(synth: SynthContext) -> Signal:
    """A trumpet: brass that brightens as it is blown harder, a split attack of the lips, at times a mute."""
    is_slow = synth.choose("speed", "slow", "fast") == "slow"
    is_low = synth.choose("pitch", "low", "high") == "low"
    base = synth.uniform(165, 235) if is_low else synth.uniform(440, 620)
    rate = synth.uniform(0.8, 1.4) if is_slow else synth.uniform(3.5, 6)
    tune = _melody(synth, base, rate, 0.015, 0.6)
    vibrato = _vibrato(synth, tune, synth.uniform(4.8, 6), 0.3)
    since = np.maximum(tune.since_s, 0)
    bend = 1 - synth.uniform(0.01, 0.05) * np.exp(-since / 0.015) + 0.01 * np.exp(-since / 0.03) * np.sin(300 * since)
    pitch = tune.pitch_hz * bend * (1 + 0.006 * vibrato) * _tremor(synth, 0.005)
    onset = synth.uniform(0.015, 0.05)
    blown = np.clip(since / onset, 0, 1) * np.clip((tune.left_s - 0.02) / 0.04, 0, 1) * tune.sounding
    blown *= tune.force * (1 + 0.35 * np.exp(-since / 0.06)) * (0.85 + 0.3 * synth.wander(4)) * (1 + 0.06 * vibrato)
    soft = overtones(synth, pitch, (0.7, 1.0, 0.7, 0.35, 0.16, 0.07, 0.03))
    k, corner = np.arange(1, int(14000 / base)), 800 if is_low else 2000
    colour = k / (1 + (k * base / (corner * synth.uniform(0.8, 1.25))) ** 2.3) * spread(synth, 0.7, 1.4, len(k))
    bright = overtones(synth, pitch, colour)
    share = synth.uniform(0.5, 1.2)  # of the partials that steepen in the bore as it is blown harder
    tone = blown * soft / np.std(soft) + share * blown**2.6 * bright / np.std(bright)
    air = banded_noise(synth, (300, 1200, 3500, 8000, 14000), [0.3, 1.0, 0.9, 0.5, 0.3])
    air *= blown * (1 + 6 * np.exp(-since / 0.012)) * float(spread(synth, 0.004, 0.03))
    horn = tone + air
    if synth.uniform(0, 1) < 0.25:
        muted: Signal = synth.bandpass(horn, 900, 2800, order=1) + 0.3 * synth.highpass(horn, 3500, order=1)
        return muted
    made: Signal = horn
    return made
