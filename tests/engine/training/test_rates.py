"""How fast `retake train ldm` learns: nano's rates from nothing, the authors' from a published model, or the user's."""

from dataclasses import replace
from pathlib import Path

import pytest
from safetensors.torch import load_file

from engine.checkpoints.store import save_model
from engine.cli import DONE, main
from engine.presets import TINY, build
from engine.training.loop import LoopSettings
from engine.training.parts import note_start
from engine.training.rates import AUTHORS, FROM_NOTHING, Rates, rates_of, warnings_about


def model_folder(folder: Path, prediction: str) -> Path:
    save_model(build(replace(TINY, name="small", prediction=prediction)), folder, half=False)
    return folder


class TestTheUsualRates:
    def test_from_nothing_are_nano_s(self, tmp_path: Path) -> None:
        assert rates_of(tmp_path) == FROM_NOTHING == Rates(8e-4, 60, 0.65, 0.998)

    def test_from_a_model_that_predicts_noise_are_its_authors(self, tmp_path: Path) -> None:
        note_start(tmp_path / "parts", str(model_folder(tmp_path / "model", "eps")))
        assert rates_of(tmp_path / "parts") == AUTHORS == Rates(1e-4, 2000, 0.0, 0.9999)

    @pytest.mark.parametrize("start", ["nano", "tiny"])
    def test_from_a_model_of_retake_s_own_are_nano_s(self, tmp_path: Path, start: str) -> None:
        note_start(tmp_path, start)
        assert rates_of(tmp_path) == FROM_NOTHING

    def test_of_the_authors_rise_and_then_stay(self, tmp_path: Path) -> None:
        loop = LoopSettings(tmp_path, 10_000, AUTHORS.rate, AUTHORS.warmup, AUTHORS.decay_share)
        assert loop.rate_at(0) == pytest.approx(5e-8)
        assert loop.rate_at(999) == pytest.approx(5e-5)
        assert [loop.rate_at(step) for step in (1999, 5000, 9999)] == pytest.approx([1e-4] * 3)


class TestTraining:
    def moved_by(self, tmp_path: Path, *options: str) -> float:
        """How far the farthest weight of the denoiser went in one step from a published kind of model."""
        start, run = model_folder(tmp_path / "start", "eps"), tmp_path / "run"
        small = ["--preset", "tiny", "--clips", "8", "--steps", "1", "--batch", "4", "--listen-every", "0"]
        assert main(["train", "ldm", "--run", str(run), "--start", str(start), *small, *options]) == DONE
        before = load_file(start / "model.safetensors")
        after = load_file(run / "parts" / "unet.safetensors")
        return max(float((after[name] - before[f"unet.{name}"]).abs().max()) for name in after)

    def test_of_a_published_model_begins_gently(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        assert 0 < self.moved_by(tmp_path) < 2e-7  # 1e-4 / 2000, with some rounding
        assert "warning: the rate rises over 2000 steps, and there are 1" in capsys.readouterr().err

    @pytest.mark.slow
    def test_takes_what_the_user_says(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        assert self.moved_by(tmp_path, "--rate", "8e-4", "--warmup", "1", "--decay-share", "0.65") > 1e-4
        assert "warning: a rate of 0.0008 is far above the 0.0001" in capsys.readouterr().err


class TestWarnings:
    @pytest.mark.parametrize(
        ("rate", "lora", "count"),
        [(1e-4, False, 0), (3e-4, False, 0), (8e-4, False, 1), (5e-4, True, 0), (1e-2, True, 1)],
    )
    def test_are_of_rates_far_above_the_authors(self, rate: float, lora: bool, count: int) -> None:
        chosen = replace(AUTHORS, rate=rate)
        assert len(list(warnings_about(chosen, AUTHORS, 5000, lora=lora))) == count

    def test_are_never_of_training_from_nothing(self) -> None:
        assert list(warnings_about(Rates(1.0, 60, 0.5, 0.9), FROM_NOTHING, 10, lora=False)) == []
