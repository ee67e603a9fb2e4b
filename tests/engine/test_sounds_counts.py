"""Counted sounds: a clip holds as many events as its attribute says, and the captions say so."""

import re

import numpy as np
import pytest

from engine.sounds import SOUNDS, captions, render
from engine.sounds.counts import COUNTABLE, NUMBERS, counted_wordings
from engine.sounds.rendering import CORPUS, SOUNDS as TABLE
from engine.sounds.captions import wordings
from engine.sounds.synthesis import Studio

EXPECTED = {"once": 1, "twice": 2, "three times": 3}


def counted_clips(name, how_many, sample_rate=16000, seconds=5.12):
    """The first clips of a sound that are counted and stand in no room."""
    clips = []
    for seed in range(500):
        sound = render(name, seed, seconds, sample_rate)
        if "count" in sound.attributes and sound.attributes.get("space") in (None, "near"):
            clips.append(sound)
        if len(clips) == how_many:
            return clips
    raise AssertionError(name)


def events_in(sound, blind_s):
    """Rises of the envelope to over a quarter of its peak, each followed by `blind_s` in which none is looked for."""
    hop = sound.sample_rate // 100
    frames = sound.waveform[: len(sound.waveform) // hop * hop].reshape(-1, hop)
    envelope = np.pad(np.sqrt(np.mean(frames**2, axis=1)), (3, 0))
    floor = 0.25 * envelope.max()
    count, frame = 0, 3
    while frame < len(envelope):
        if envelope[frame] > floor and envelope[frame] > 1.4 * envelope[frame - 3 : frame].min():
            count += 1
            frame += max(1, round(100 * blind_s))
        else:
            frame += 1
    return count


class TestCountedClips:
    @pytest.mark.parametrize(
        ("name", "blind_s"),
        [
            ("dog", 0.25),
            ("cat", 1.0),
            ("cow", 1.95),
            ("knock", 0.1),
            ("explosion", 1.35),
            ("glass", 1.2),
            ("bell", 0.12),
            ("church_bell", 1.0),
            ("train_horn", 0.6),
            ("alarm", 0.05),
            ("laser", 0.15),
            ("kick", 0.2),
            ("snare", 0.12),
            ("drops", 0.06),
        ],
    )
    def test_hold_exactly_that_many_events(self, name, blind_s):
        for sound in counted_clips(name, 12):
            assert events_in(sound, blind_s) == EXPECTED[sound.attributes["count"]], (sound.seed, sound.attributes)
