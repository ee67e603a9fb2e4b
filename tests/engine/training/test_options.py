"""What `retake train` is asked for: every option reaches its recipe, and what cannot be is told before any work."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.numpy import load_file

from engine.cli import DONE, FAILED, WRONG_USAGE, main
from engine.training.datasets import Clips
from engine.training.precision import in_mixed_precision
from engine.training.training_errors import ProcessesError
from engine.training.workers import refuse_crowding


def train(run: Path, part: str, *options: str) -> int:
    small = ["--preset", "tiny", "--clips", "24", "--steps", "1", "--batch", "4"]
    return main(["train", part, "--run", str(run), *small, *options])


class TestRefusals:
    @pytest.mark.parametrize(
        ("part", "option", "value", "words"),
        [
            pytest.param("ldm", "--drop-share", "-0.1", "'-0.1' is not a share from 0 to 1", id="negative share"),
            pytest.param("ldm", "--text-share", "1.5", "'1.5' is not a share from 0 to 1", id="share above 1"),
            pytest.param("vae", "--mixture-share", "nan", "'nan' is not a share from 0 to 1", id="no number"),
            pytest.param("ldm", "--ema", "2", "'2' is not a share from 0 to 1", id="average"),
            pytest.param("clap", "--steps", "0", "'0' is not a whole number from 1", id="no steps"),
            pytest.param("clap", "--batch", "2.5", "'2.5' is not a whole number from 1", id="half a clip"),
            pytest.param("clap", "--processes", "0", "'0' is not a whole number from 1", id="no processes"),
            pytest.param("ldm", "--rank", "-1", "'-1' is not a whole number from 0", id="negative rank"),
            pytest.param("vae", "--rate", "0", "'0' is not a number above 0", id="no rate"),
            pytest.param("vae", "--rate", "inf", "'inf' is not a number above 0", id="infinite rate"),
            pytest.param("vae", "--listen-every", "-1", "'-1' is not a number from 0", id="negative minutes"),
            pytest.param("ldm", "--emphasis", "drill", "'drill' is not a name and a number", id="no times"),
            pytest.param("ldm", "--emphasis", "drill=0", "'0' is not a whole number from 1", id="never"),
            pytest.param("ldm", "--shorter-share", "2", "'2' is not a share from 0 to 1", id="more than all steps"),
            pytest.param("ldm", "--conditions", "smell", "invalid choice: 'smell'", id="unknown conditions"),
        ],
    )
    def test_bad_values_are_wrong_usage(
        self, tmp_path: Path, part: str, option: str, value: str, words: str, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert train(tmp_path / "run", part, f"{option}={value}") == WRONG_USAGE

        told = capsys.readouterr().err
        assert option in told
        assert words in told
        assert not (tmp_path / "run").exists()

    @pytest.mark.parametrize("part", ["clap", "vae", "vocoder", "ldm"])
    def test_an_unknown_device_is_told_before_anything_is_rendered(
        self, tmp_path: Path, part: str, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert train(tmp_path / "run", part, "--device", "abacus") == FAILED

        assert "abacus" in capsys.readouterr().err
        assert not (tmp_path / "run").exists()

    def test_conditions_are_said_in_one_way_only(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        assert train(tmp_path / "run", "ldm", "--conditions", "audio", "--text-share", "0.5") == WRONG_USAGE

        assert "not allowed with argument --conditions" in capsys.readouterr().err

    def test_processes_on_cards_need_one_each(self) -> None:
        with pytest.raises(ProcessesError, match="2 processes cannot train together on mps") as caught:
            refuse_crowding(2, "mps")
        assert "--processes 1" in caught.value.hint

    def test_processes_on_the_processor_may_be_any_number(self) -> None:
        refuse_crowding(64, "cpu")


@pytest.mark.timeout(1200)  # processes that render, beside whatever else the machine does
class TestOptions:
    @pytest.mark.slow
    def test_a_share_of_mixtures(self, tmp_path: Path) -> None:
        assert train(tmp_path / "run", "vae", "--mixture-share", "0.5") == DONE

        clips = Clips(tmp_path / "run" / "clips")
        assert sum("names" in clip for clip in clips.about) == pytest.approx(12, abs=1)

    @pytest.mark.slow
    def test_of_the_denoiser(self, tmp_path: Path) -> None:
        """An average without memory is the net itself; an exponent of 0 brings every channel to unit variance."""
        run = tmp_path / "run"
        assert train(run, "vae") == DONE
        options = (
            "--conditions",
            "text",
            "--drop-share",
            "0",
            "--ema",
            "0",
            "--scale-exponent",
            "0",
            "--emphasis",
            "rain=2",
        )

        assert train(run, "ldm", *options) == DONE

        kept = torch.load(run / "ldm" / "checkpoint.pt", weights_only=True)["kept"]
        assert all(torch.equal(tensor, kept["unet"][name]) for name, tensor in kept["ema"].items())
        scale = self.scaled_deviation(run)
        np.testing.assert_allclose(scale, np.ones_like(scale), atol=0.1)
        assert json.loads((run / "ldm" / "losses.jsonl").read_text().splitlines()[-1])["step"] == 1

    def scaled_deviation(self, run: Path) -> np.ndarray:
        latents = np.load(run / "clips" / "latents" / "latents.npy").astype(np.float32)
        scale: np.ndarray = load_file(run / "parts" / "latents.safetensors")["latent_scale"]
        return latents.std(axis=(0, 2, 3)) * scale


class TestPrecision:
    def test_the_processor_computes_as_ever(self) -> None:
        net, x = torch.nn.Linear(3, 2), torch.randn(4, 3)

        assert torch.equal(in_mixed_precision(torch.device("cpu"), net, x), net(x))

    def test_whatever_comes_out_is_of_32_bits(self) -> None:
        def net(x: torch.Tensor) -> tuple[list[torch.Tensor], torch.Tensor]:
            return [x.half()], torch.tensor(3)

        (widened,), whole = in_mixed_precision(torch.device("cpu"), net, torch.ones(2))

        assert widened.dtype == torch.float32
        assert whole.dtype == torch.int64
