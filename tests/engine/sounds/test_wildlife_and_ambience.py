"""Animals, brooks, bubbles and places: what the ear would tell of them, told by numbers."""

import numpy as np
import pytest

from engine.sounds import render

FRAME_SECONDS = 0.02


def dry_clips(name, num_seeds=30):
    """Clips of a sound that no room has blurred."""
    clips = (render(name, seed, is_edited=False) for seed in range(num_seeds))
    return [clip for clip in clips if clip.attributes.get("space") in (None, "near")]


def mean_by(kind, measure, name):
    """The mean of a measure for each value of one attribute."""
    measured = {}
    for clip in dry_clips(name):
        if kind in clip.attributes:
            measured.setdefault(clip.attributes[kind], []).append(measure(clip))
    return {value: float(np.mean(numbers)) for value, numbers in measured.items()}


def centroid_hz(clip):
    """The power-weighted mean frequency."""
    power = np.abs(np.fft.rfft(clip.waveform)) ** 2
    return float(np.sum(power * np.fft.rfftfreq(len(clip.waveform), 1 / clip.sample_rate)) / np.sum(power))


def envelope(clip):
    """The level of each frame of 20 ms, [F]."""
    length = round(FRAME_SECONDS * clip.sample_rate)
    frames = clip.waveform[: len(clip.waveform) // length * length].reshape(-1, length).astype(np.float64)
    return np.sqrt(np.mean(frames**2, axis=1))


def num_events(clip):
    """How often the envelope climbs over 0.3 of its peak."""
    is_loud = envelope(clip) > 0.3 * np.max(envelope(clip))
    return int(np.sum(is_loud[1:] & ~is_loud[:-1])) + int(is_loud[0])


def unrest(clip):
    """The standard deviation of the envelope as a share of its mean."""
    level = envelope(clip)
    return float(np.std(level) / np.mean(level))


def fundamental_hz(clip):
    """The highest peak of the autocorrelation of the loudest 60 ms, between 100 and 1200 Hz."""
    length = round(0.06 * clip.sample_rate)
    frames = clip.waveform[: len(clip.waveform) // length * length].reshape(-1, length).astype(np.float64)
    loudest = frames[np.argmax(np.sum(frames**2, axis=1))]
    correlation = np.correlate(loudest, loudest, "full")[length - 1 :]
    shortest, longest = clip.sample_rate // 1200, clip.sample_rate // 100
    return clip.sample_rate / (shortest + int(np.argmax(correlation[shortest:longest])))


class TestPitch:
    @pytest.mark.parametrize("name", ["bubbles", "owl", "wolf", "bees"])
    def test_high_lies_above_low(self, name):
        means = mean_by("pitch", centroid_hz, name)
        assert means["high"] > 1.4 * means["low"]

    @pytest.mark.parametrize("name", ["sheep", "rooster"])
    def test_a_high_voice_repeats_faster_than_a_low_one(self, name):
        means = mean_by("pitch", fundamental_hz, name)
        assert means["high"] > 1.4 * means["low"]


class TestEvents:
    @pytest.mark.parametrize("name", ["horse", "owl", "bubbles"])
    def test_fast_has_more_events_than_slow(self, name):
        means = mean_by("speed", num_events, name)
        assert means["fast"] > 1.4 * means["slow"]

    @pytest.mark.parametrize("name", ["rooster", "wolf"])
    def test_long_calls_are_fewer_than_short_ones(self, name):
        means = mean_by("length", num_events, name)
        assert means["short"] > 1.3 * means["long"]

    @pytest.mark.parametrize("name", ["stream", "bubbles", "sheep", "horse", "rooster", "owl", "wolf", "bees", "crowd"])
    def test_the_first_event_comes_soon(self, name):
        for clip in dry_clips(name, 12):
            assert np.argmax(envelope(clip) > 0.2 * np.max(envelope(clip))) * FRAME_SECONDS < 1.0


class TestCharacter:
    def test_sheep_tremble_about_nine_times_a_second(self):
        strongest = []
        for clip in dry_clips("sheep", 12):
            power = np.abs(np.fft.rfft(envelope(clip) - np.mean(envelope(clip)))) ** 2
            rates = np.fft.rfftfreq(len(envelope(clip)), FRAME_SECONDS)
            strongest.append(rates[rates > 4][np.argmax(power[rates > 4])])
        assert 6.5 < np.median(strongest) < 11.5

    def test_a_hoof_on_cobbles_rings_higher_than_on_earth(self):
        means = mean_by("floor", centroid_hz, "horse")
        assert means["cobbles"] > 3 * means["earth"]

    @pytest.mark.parametrize(
        ("name", "kind", "steady", "uneven"),
        [
            ("stream", "size", "roaring", "gentle"),
            ("bees", "crowd", "huge", "small"),
            ("crowd", "crowd", "huge", "small"),
            ("traffic", "intensity", "heavy", "light"),
        ],
    )
    def test_many_sources_make_a_steadier_sound_than_few(self, name, kind, steady, uneven):
        means = mean_by(kind, unrest, name)
        assert means[uneven] > 1.3 * means[steady]

    def test_a_brook_is_brighter_than_a_boil_of_low_bubbles(self):
        brook = np.mean([centroid_hz(clip) for clip in dry_clips("stream")])
        assert brook > 1.5 * mean_by("pitch", centroid_hz, "bubbles")["low"]
