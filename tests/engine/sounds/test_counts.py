"""Counted sounds: a clip holds as many events as its attribute says, and the captions say so."""

import re

import numpy as np
import pytest

from engine.sounds import SOUNDS, captions, render
from engine.sounds.captions import wordings
from engine.sounds.counts import COUNTABLE, NUMBERS, counted_wordings

EXPECTED = {"once": 1, "twice": 2, "three times": 3}
QUICK = {"dog": 0.25, "knock": 0.1, "bell": 0.12, "alarm": 0.12, "laser": 0.15, "kick": 0.2, "snare": 0.12}
"""Sounds of sharp attacks, with the seconds after one in which no other is looked for: a beep may have two tones."""


def counted_clips(name, how_many, sample_rate=16000):
    """The first clips of a sound that are counted and stand in no room."""
    clips, seed = [], 0
    while len(clips) < how_many:
        sound = render(name, seed, 5.12, sample_rate, is_edited=False)
        if "count" in sound.attributes and sound.attributes.get("space") in (None, "near"):
            clips.append(sound)
        seed += 1
        assert seed < 200
    return clips


def power_of(sound):
    """Mean square of every 10 ms."""
    hop = sound.sample_rate // 100
    return np.mean(sound.waveform[: len(sound.waveform) // hop * hop].reshape(-1, hop) ** 2, axis=1)


def attacks_in(sound, blind_s):
    """Rises within 30 ms to over a quarter of the peak, each followed by `blind_s` in which none is looked for."""
    envelope = np.pad(np.sqrt(power_of(sound)), (3, 0))
    count, frame = 0, 3
    while frame < len(envelope):
        if envelope[frame] > max(0.25 * envelope.max(), 1.4 * envelope[frame - 3 : frame].min()):
            count, frame = count + 1, frame + round(100 * blind_s)
        else:
            frame += 1
    return count


def swells_in(sound, window=40):
    """How often the level of 400 ms stands above 1.7 times that of the 400 ms before."""
    level = np.sqrt(np.convolve(power_of(sound), np.ones(window) / window))[:-window]
    level = np.pad(level, (window, 0))
    is_rising = level[window:] > np.maximum(0.25 * level.max(), 1.7 * level[:-window])
    return int(np.sum(np.diff(is_rising.astype(int), prepend=0) == 1))


class TestCountedClips:
    @pytest.mark.parametrize("name", QUICK)
    def test_hold_exactly_that_many_attacks(self, name):
        for sound in counted_clips(name, 6):
            assert attacks_in(sound, QUICK[name]) == EXPECTED[sound.attributes["count"]], sound.seed

    @pytest.mark.parametrize("name", ["cat", "cow", "explosion", "church_bell", "train_horn", "whoosh"])
    def test_hold_exactly_that_many_long_events(self, name):
        for sound in counted_clips(name, 6):
            assert swells_in(sound) == EXPECTED[sound.attributes["count"]], sound.seed

    @pytest.mark.parametrize("name", ["phone", "alarm"])
    def test_hold_that_many_tones_between_silences(self, name):
        for sound in counted_clips(name, 6):
            is_sounding = np.pad(power_of(sound) > 0.05 * power_of(sound).max(), 5).astype(int)  # rooms answer
            joined = np.convolve(is_sounding, np.ones(5)) > 0
            assert int(np.sum(np.diff(joined.astype(int)) == 1)) == EXPECTED[sound.attributes["count"]], sound.seed

    def test_hold_as_many_events_at_48_khz(self):
        for sound in counted_clips("dog", 3, sample_rate=48000):
            assert attacks_in(sound, QUICK["dog"]) == EXPECTED[sound.attributes["count"]], sound.seed

    def test_are_three_in_five_and_half_of_them_a_single_event(self):
        counts = [render("laser", seed, 3.0, 8000).attributes.get("count") for seed in range(120)]
        assert 55 < sum(count is not None for count in counts) < 89
        assert 23 < counts.count("once") < 50
        assert all(counts.count(number) > 8 for number in NUMBERS)

    def test_a_single_event_often_comes_at_once_and_nothing_follows(self):
        starts = []
        for seed in range(60):
            sound = render("snare", seed, 5.12, 8000, has_floor=False, is_edited=False)
            if sound.attributes.get("count") == "once":
                starts.append(float(np.argmax(np.abs(sound.waveform) > 0.1 * np.max(np.abs(sound.waveform)))) / 8000)
                after = sound.waveform[round((starts[-1] + 3.0) * 8000) :]
                assert np.max(np.abs(after)) < 0.02 * np.max(np.abs(sound.waveform))
        assert 0.3 < np.mean(np.array(starts) < 0.11) < 0.95

    def test_a_single_event_has_no_speed(self):
        for seed in range(40):
            attributes = render("kick", seed, 3.0, 8000, is_edited=False).attributes
            assert ("speed" in attributes) == (attributes.get("count") != "once")

    def test_a_clip_too_short_for_an_event_is_not_counted(self):
        assert not any("count" in render("cow", seed, 0.5, 8000).attributes for seed in range(20))

    def test_steady_sounds_are_not_counted(self):
        for name in set(SOUNDS) - set(COUNTABLE):
            assert not any("count" in render(name, seed, 0.3, 8000).attributes for seed in range(8))


class TestCountedCaptions:
    @pytest.mark.parametrize("count", NUMBERS)
    def test_often_say_the_count_and_never_another(self, count):
        words = {
            "once": r"\b(single|one|once)\b",
            "twice": r"\b(two|2|twice)\b",
            "three times": r"\b(three|3|thrice)\b",
        }
        for name in COUNTABLE:
            spoken = captions(name, {"count": count}, 3, 60)
            said = {number for number, pattern in words.items() for text in spoken if re.search(pattern, text)}
            assert said == {count}, name
            assert sum(bool(re.search(words[count], text)) for text in spoken) > 20, name

    def test_put_number_attributes_and_plural_in_the_order_of_english(self):
        spoken = captions("dog", {"count": "twice", "level": "loud", "space": "distant"}, 1, 400)
        assert "two loud distant dog barks" in {text.removeprefix("the sound of ") for text in spoken} | set(spoken)
        assert any(re.fullmatch(r"a dog barks loudly twice in the distance", text) for text in spoken)

    @pytest.mark.parametrize("name", COUNTABLE)
    def test_have_ways_to_count_in_training_and_others_that_are_held_out(self, name):
        for count in NUMBERS:
            training, held_out = (
                {*nouns, *clauses}
                for nouns, clauses in (counted_wordings(name, count, held_out=held) for held in (False, True))
            )
            assert training
            assert held_out
            assert not training & held_out

    def test_in_training_use_no_wording_that_is_held_out(self):
        held_out = {re.sub(r"^(a|an|the) ", "", w) for name in SOUNDS for w in wordings(name, held_out=True)}
        for name in COUNTABLE:
            for count in NUMBERS:
                for wording in counted_wordings(name, count, held_out=False)[0]:
                    noun = wording
                    for number in NUMBERS[count]:
                        noun = noun.removeprefix(number + " ")
                    assert noun not in held_out, wording
