"""A sound that follows a clip: its curves reach the denoiser, row by row; what cannot be followed is refused."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from engine import Audio, Engine, Generate
from engine.audioldm import AudioLDM
from engine.errors import (
    AudioEmptyError,
    ClipTooLongError,
    CurvesMissingError,
    InvalidRequestError,
    SilentClipError,
)
from engine.gesture import CURVES, gesture_of
from engine.operations import follow
from engine.operations.generate import tries_at
from engine.operations.progress import ProgressReporter
from engine.presets import TINY, build
from engine.take_provenance import request_of

FOLLOWING = replace(TINY, name="following", unet=replace(TINY.unet, curves=CURVES))
RATE = 44_100


def hum(seconds: float = 1.28, channels: int = 1, rate: int = RATE) -> Audio:
    """A voice that swells and falls, and glides up by an octave."""
    time = np.arange(round(seconds * rate)) / rate
    phase = 2 * np.pi * np.cumsum(120 * 2 ** (time / seconds)) / rate
    level = np.sin(np.pi * time / seconds) ** 2
    voice = level * sum(np.sin(k * phase) / k for k in range(1, 6)) * 0.1
    return Audio(np.repeat(voice[None], channels, axis=0).astype(np.float32), rate)


@pytest.fixture(scope="module")
def model() -> AudioLDM:
    return build(FOLLOWING)


@pytest.fixture(scope="module")
def engine(model: AudioLDM) -> Engine:
    return Engine(model)


@torch.inference_mode()
def curves_of(model: AudioLDM, request: Generate) -> torch.Tensor | None:
    curves = tries_at(model, request, ProgressReporter()).rendering.curves
    return None if curves is None else curves[0]


class TestGesture:
    @pytest.mark.parametrize("rate", [8_000, 16_000, 22_050, 48_000, 96_000])
    @pytest.mark.parametrize("channels", [1, 2])
    def test_is_the_same_at_any_rate_and_in_stereo(self, rate, channels):
        expected = gesture_of(hum(rate=RATE), 16_000, 640)

        found = gesture_of(hum(channels=channels, rate=rate), 16_000, 640)

        assert found.shape == expected.shape
        known = ~(found.isnan() | expected.isnan())
        assert known.float().mean() > 0.8
        assert (found - expected)[known].abs().max() < 0.1

    def test_of_a_hum_rises_and_falls_and_glides(self):
        loudness, _, pitch = gesture_of(hum(), 16_000, 640)

        assert loudness.argmax() == pytest.approx(16, abs=2)
        assert loudness[0] < -0.2
        glide = pitch[~pitch.isnan()]
        assert (glide.diff() > 0).float().mean() > 0.9

    @pytest.mark.parametrize("seconds", [0.02, 0.05, 7.0])
    def test_of_any_length(self, seconds):
        assert gesture_of(hum(seconds), 16_000, 640).shape[1] == -(-round(seconds * 16_000) // 640)


class TestCurves:
    def test_only_those_that_are_wanted_are_known(self, model):
        curves = curves_of(model, Generate("rain", follow=hum(), follow_what="loudness,pitch"))

        assert [bool(curve.isnan().all()) for curve in curves] == [False, True, False]
        assert torch.equal(curves[0].nan_to_num(9), gesture_of(hum(), 16_000, 640)[0].nan_to_num(9))

    def test_without_a_clip_there_are_none(self, model):
        assert curves_of(model, Generate("rain", follow_what="pitch")) is None

    def test_beyond_the_end_of_the_clip_the_sound_is_free(self, model):
        curves = curves_of(model, Generate("rain", follow=hum(0.64), seconds=1.28))

        assert not curves[0, :16].isnan().any()
        assert curves[0, 16:].isnan().all()

    def test_lie_in_the_models_order(self):
        other = build(replace(FOLLOWING, unet=replace(FOLLOWING.unet, curves=("pitch", "loudness"))))

        curves = curves_of(other, Generate("rain", follow=hum(), follow_what="loudness"))

        assert [bool(curve.isnan().all()) for curve in curves] == [True, False]


class TestTakes:
    def test_are_as_long_as_the_clip_unless_a_length_is_given(self, engine):
        (as_long,) = engine.run(Generate("rain", follow=hum(0.9), steps=1))
        (longer,) = engine.run(Generate("rain", follow=hum(0.9), seconds=1.2, steps=1))

        assert as_long.seconds == pytest.approx(0.9)
        assert longer.seconds == pytest.approx(1.2)

    @pytest.mark.parametrize("what", ["loudness", "brightness", "pitch"])
    @pytest.mark.parametrize("guidance", [1.0, 3.0])
    def test_depend_on_what_is_followed(self, engine, what, guidance):
        given = {"seconds": 1.28, "steps": 2, "guidance": guidance}
        (free,) = engine.run(Generate("rain", **given))
        (following,) = engine.run(Generate("rain", follow=hum(), follow_what=what, **given))

        assert not np.allclose(free.samples, following.samples, atol=1e-4)

    def test_follow_in_windows_as_well(self):
        """Each window is given its own part of the curves."""
        seen: list[torch.Tensor] = []
        watched = build(FOLLOWING)
        watched.unet.register_forward_pre_hook(lambda _net, inputs: seen.append(inputs[3]))
        clip = hum(4.0)

        Engine(watched).run(Generate("rain", follow=clip, steps=1, guidance=1.0))

        whole = gesture_of(clip, 16_000, 640)[0]
        assert len(seen) > 2
        for window in (curves[0, 0] for curves in seen):
            inside = window[~window.isnan()]
            places = [k for k in range(len(whole) - len(inside) + 1) if torch.equal(whole[k : k + len(inside)], inside)]
            assert places, "the window's curve is a part of the clip's"

    def test_are_the_same_alone_and_together(self, engine):
        requests = [
            Generate("rain", follow=hum(), steps=2, seconds=1.28),
            Generate("dog", steps=2, seconds=1.28, seed=4, candidates=2),
        ]
        alone = [engine.run(request) for request in requests]

        together = engine.run_together(requests, [None, None], [None, None])

        for one, other in zip(alone, together, strict=True):
            assert isinstance(other, list)
            for a, b in zip(one, other, strict=True):
                assert np.array_equal(a.samples, b.samples)

    def test_of_candidates_and_drafts(self):
        drafting = build(FOLLOWING)
        (*_, last) = Engine(drafting).run(Generate("rain", follow=hum(), candidates=2, draft=True))

        assert last.story["follow_what"] == "loudness"
        assert last.seconds == pytest.approx(1.28)

    def test_warn_where_there_is_nothing_to_follow(self, engine):
        noise = Audio(np.random.default_rng(1).standard_normal((1, RATE)).astype(np.float32) * 0.1, RATE)

        (take,) = engine.run(Generate("rain", follow=noise, follow_what="pitch", steps=1))

        assert any("no pitch was found" in warning for warning in take.story["warnings"])


class TestProvenance:
    def test_makes_the_take_again(self, engine, tmp_path):
        hum().write(tmp_path / "hum.wav")
        clip = Audio.read(tmp_path / "hum.wav")
        (take,) = engine.run(Generate("rain", follow=clip, follow_what="pitch,loudness", steps=2, seed=8))
        assert take.story["follow_what"] == "loudness,pitch"
        assert Path(take.story["follow"]) == tmp_path / "hum.wav"

        (again,) = engine.run(request_of(take.story, {}))

        assert np.array_equal(again.samples, take.samples)

    def test_of_a_take_that_follows_nothing_is_as_before(self, engine):
        (take,) = engine.run(Generate("rain", steps=1, seconds=1))

        assert not [name for name in take.story if name.startswith("follow")]


class TestRefusals:
    def test_a_model_that_has_not_learnt_it_says_so_before_any_work(self, tiny):
        worked: list[object] = []

        with pytest.raises(CurvesMissingError, match="cannot follow a clip's loudness; it follows no clip") as caught:
            tiny.run(Generate("rain", follow=hum()), on_step=worked.append)

        assert worked == []
        assert caught.value.code == "cannot_follow"

    def test_a_model_that_follows_less_says_what(self):
        loud = Engine(build(replace(FOLLOWING, unet=replace(FOLLOWING.unet, curves=("loudness",)))))

        with pytest.raises(CurvesMissingError, match="pitch; it follows loudness") as caught:
            loud.run(Generate("rain", follow=hum(), follow_what="loudness,pitch"))
        assert caught.value.hint == "follow only loudness, or choose another model"

    @pytest.mark.parametrize(
        ("clip", "error"),
        [
            (Audio(np.zeros((1, RATE), np.float32), RATE), SilentClipError),
            (Audio(np.full((1, 100), 0.1, np.float32), RATE), AudioEmptyError),
            (Audio(np.full((1, 601 * 4000), 0.1, np.float32), 4000), ClipTooLongError),
            ("hum.wav", InvalidRequestError),
        ],
        ids=["silent", "too short", "too long", "a path"],
    )
    def test_what_cannot_be_followed(self, clip, error):
        with pytest.raises(error):
            Generate("rain", follow=clip)

    @pytest.mark.parametrize("what", ["", "loud", "loudness,loudness", "loudness,", 3, None])
    def test_what_is_no_list_of_curves(self, what):
        with pytest.raises(InvalidRequestError, match="expected one or more of loudness, brightness, pitch"):
            Generate("rain", follow=hum(), follow_what=what)

    @pytest.mark.parametrize("what", ["pitch,loudness", " loudness , pitch", "loudness,pitch"])
    def test_the_order_of_curves_does_not_matter(self, what):
        assert Generate("rain", follow_what=what).follow_what == "loudness,pitch"


def test_the_table_and_the_gesture_know_the_same_curves():
    assert Generate("rain", follow_what=",".join(CURVES)).follow_what == ",".join(CURVES)
    assert follow.CURVES is CURVES
