"""Edits of recordings begin and end as the recordings do: no click, whose highs tower over the recording's own."""

from pathlib import Path

import numpy as np
import pytest

from engine import Audio, Engine, Inpaint, Restyle, Vary
from engine.operations.bands import keep_band
from engine.operations.fitting import ease_ends
from engine.operations.loudness import level_of
from engine.operations.splice import rms

RECORDINGS = Path(__file__).parents[2] / "clips" / "recordings"
SHORT = (
    "kick/sonic-pi-bd-808.flac",
    "crow/sonic-pi-misc-crow.flac",
    "piano/sonic-pi-ambi-piano.flac",
    "bell/freedesktop-bell.flac",
    "click/pysiogame-188043-antumdeluge-mouse.flac",
)
FULL = ("snare/sonic-pi-drum-snare-hard.flac", "hihat/sonic-pi-drum-cymbal-closed.flac")
BANDS_HZ = ((8_500, 11_000), (11_000, 16_000), (16_000, None))
BRIGHTER_DB = 6.0


def brighter_db(take: Audio, clip: Audio, part: slice = slice(None)) -> list[float]:
    """By how much a take is brighter than its clip in each band above the model's, dB."""
    sounds = (take.samples[:, part], clip.samples[:, part])
    levels = np.array([[rms(keep_band(one, clip.sample_rate, *band)) for band in BANDS_HZ] for one in sounds])
    decibels: list[float] = (20 * np.log10(levels[0] / levels[1])).tolist()
    return decibels


class TestRecordings:
    @pytest.mark.parametrize("name", SHORT)
    def test_vary_is_no_brighter(self, nano: Engine, name: str) -> None:
        clip = Audio.read(RECORDINGS / name)
        assert max(brighter_db(nano.run(Vary(clip, seed=1, steps=4))[0], clip)) < BRIGHTER_DB

    @pytest.mark.parametrize("name", SHORT)
    def test_restyle_is_no_brighter(self, nano: Engine, name: str) -> None:
        clip = Audio.read(RECORDINGS / name)
        take = nano.run(Restyle(clip, Path(name).parent.name, seed=1, steps=4))[0]
        assert max(brighter_db(take, clip)) < BRIGHTER_DB

    @pytest.mark.parametrize("name", SHORT)
    @pytest.mark.parametrize("half", [0, 1], ids=["its first half", "its second half"])
    def test_inpaint_is_no_brighter_and_as_loud(self, nano: Engine, name: str, half: int) -> None:
        """An attack is louder and brighter than all that follows: its only neighbour is no measure for it."""
        clip = Audio.read(RECORDINGS / name)
        middle = clip.num_samples // 2
        inside = slice(half * middle, (half + 1) * middle)
        region = inside.start / clip.sample_rate, inside.stop / clip.sample_rate
        take = nano.run(Inpaint(clip, Path(name).parent.name, [region], seed=1, steps=4))[0]
        assert max(brighter_db(take, clip, inside)) < BRIGHTER_DB
        made, was = (level_of(one.samples[:, inside], clip.sample_rate).lufs for one in (take, clip))
        assert abs(made - was) < 3

    @pytest.mark.parametrize("name", FULL)
    def test_what_reaches_all_the_way_up_is_not_dulled(self, nano: Engine, name: str) -> None:
        clip = Audio.read(RECORDINGS / name)
        assert min(brighter_db(nano.run(Vary(clip, seed=1, steps=4))[0], clip)) > -3


class TestEases:
    @pytest.mark.parametrize("rate", [8_000, 44_100, 192_000])
    def test_a_take_begins_and_ends_as_softly_as_the_clip(self, rate: int) -> None:
        made = np.ones((2, rate), np.float32)
        ease_ends(made, np.zeros_like(made), rate, start=True, end=True)
        assert max(np.abs(made[:, 0]).max(), np.abs(made[:, -1]).max()) < 0.02
        assert np.array_equal(
            made[:, rate // 500 + 1 : -rate // 500 - 1], np.ones((2, rate))[:, rate // 500 + 1 : -rate // 500 - 1]
        )

    def test_a_clip_that_begins_at_once_lets_a_take_begin_at_once(self) -> None:
        made, clip = np.ones((1, 480), np.float32), np.full((1, 480), -1.0, np.float32)
        ease_ends(made, clip, 48_000, start=True, end=True)
        assert np.array_equal(made, np.ones((1, 480), np.float32))

    def test_ends_inside_a_clip_stay(self) -> None:
        made = np.ones((1, 480), np.float32)
        ease_ends(made, np.zeros_like(made), 48_000, start=False, end=False)
        assert np.array_equal(made, np.ones((1, 480), np.float32))

    @pytest.mark.parametrize("samples", [1, 3, 4, 7])
    def test_a_few_samples(self, samples: int) -> None:
        made = np.ones((1, samples), np.float32)
        ease_ends(made, np.zeros_like(made), 48_000, start=True, end=True)
        assert np.isfinite(made).all()
