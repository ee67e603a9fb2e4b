"""The engine's door: loading, refusing, unloading; and that the door lists what it offers."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

import engine
from engine import Audio, Engine, EngineError, Generate, InvalidRequestError, ModelUnloadedError, Restyle, errors
from engine.checkpoints.store import save_model
from engine.diffusion.guidance import read_prediction
from engine.engine import prepare_for_inference
from engine.errors import (
    CheckpointError,
    DeviceUnavailableError,
    DownloadError,
    EvaluationError,
    ModelDiskFullError,
    ModelNotFoundError,
    PackageMissingError,
    RemovalError,
    StoryError,
    TrainingError,
)
from engine.models.vocoder import HiFiGanConfig
from engine.presets import PRESETS, TINY, build


class TestDoor:
    def test_it_is_sorted_and_complete(self) -> None:
        assert engine.__all__ == sorted(engine.__all__, key=lambda name: (not name.isupper(), name))  # constants first
        assert all(hasattr(engine, name) for name in engine.__all__)

    def test_every_failure_of_a_request_can_be_named(self) -> None:
        """Errors of evaluation, training, checkpoints, missing extras and repeated takes belong to the command line."""
        checkpoints = (CheckpointError, ModelDiskFullError, DownloadError, RemovalError)
        behind = (EvaluationError, PackageMissingError, StoryError, TrainingError, *checkpoints)
        failures = {
            name
            for name, kind in vars(errors).items()
            if isinstance(kind, type) and issubclass(kind, EngineError) and not issubclass(kind, behind)
        }
        assert failures <= set(engine.__all__)


class TestLoading:
    def test_an_unknown_model_is_named_beside_the_known_ones(self) -> None:
        with pytest.raises(ModelNotFoundError, match="there is no model 'huge'"):
            Engine.load("huge", "cpu")

    def test_an_unknown_device(self) -> None:
        with pytest.raises(DeviceUnavailableError):
            Engine.load("tiny", "abacus")

    def test_it_knows_its_names(self) -> None:
        loaded = Engine.load("tiny", "cpu")
        assert (loaded.model_name, loaded.device_name, loaded.sample_rate) == ("tiny", "cpu", 48_000)

    @pytest.mark.parametrize(
        ("name", "models_dir"),
        [("models/mine", None), ("mine", "models")],
        ids=["a relative path", "a folder of models of one's own"],
    )
    def test_its_name_holds_from_everywhere(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, models_dir: str | None
    ) -> None:
        monkeypatch.chdir(tmp_path)
        save_model(build(PRESETS["tiny"]), Path("models/mine"))

        assert Engine.load(name, "cpu", models_dir).model_name == str(tmp_path / "models" / "mine")

    def test_an_installed_model_keeps_its_name(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("RETAKE_MODELS", str(tmp_path))
        save_model(build(PRESETS["tiny"]), tmp_path / "mine")

        assert Engine.load("mine", "cpu").model_name == "mine"


class TestRunning:
    def test_what_is_no_request_is_refused_with_the_list_of_those(self) -> None:
        with pytest.raises(InvalidRequestError, match="expected one of Generate, Restyle, Inpaint"):
            Engine.load("tiny", "cpu").run("rain")  # type: ignore[arg-type]

    def test_callbacks_come_on_the_calling_thread_and_their_errors_come_through(self) -> None:
        def on_step(_: object) -> None:
            raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            Engine.load("tiny", "cpu").run(Generate("rain", seconds=0.2), on_step=on_step)

    def test_no_gradients_are_kept(self) -> None:
        loaded = Engine.load("tiny", "cpu")
        loaded.run(Generate("rain", seconds=0.2, steps=1))
        assert all(parameter.grad is None for parameter in loaded._loaded().parameters())

    def test_after_unloading_it_says_so(self) -> None:
        loaded = Engine.load("tiny", "cpu")
        loaded.unload()
        with pytest.raises(ModelUnloadedError, match="'tiny' was unloaded"):
            loaded.run(Generate("rain"))


NEURAL = replace(
    TINY,
    vocoder=HiFiGanConfig(channels=32, rates=(5, 4, 8), kernels=(15, 8, 16), residual_kernels=(3,), dilations=(1,)),
)


class TestHalfPrecision:
    """What a GPU computes in, tried on the processor: every part takes it and the result stays close."""

    @pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
    def test_takes_are_finite_and_alike(self, dtype: torch.dtype) -> None:
        clip = Audio((np.random.default_rng(1).standard_normal((1, 16_000)) * 0.1).astype(np.float32), 16_000)
        request = Restyle(clip, "rain", strength=0.3, steps=4)
        half = Engine(prepare_for_inference(build(PRESETS["tiny"]), dtype))

        (exact,), (rough,) = Engine(build(PRESETS["tiny"])).run(request), half.run(request)

        assert np.isfinite(rough.samples).all()
        spectra = [np.abs(np.fft.rfft(take.samples[0].reshape(-1, 400))).mean(axis=0) for take in (exact, rough)]
        assert np.corrcoef(spectra)[0, 1] > 0.95

    def test_no_take_has_the_few_bits_of_the_net(self) -> None:
        """The published models' vocoder once computed in bfloat16 on cards: 8 bits at the peaks of a 24-bit file."""
        half = Engine(prepare_for_inference(build(NEURAL), torch.bfloat16))

        (take,) = half.run(Generate("rain", seconds=0.5, steps=2))

        samples = torch.from_numpy(take.samples)
        rounded = samples == samples.bfloat16().float()
        assert half._loaded().unet.conv_in.weight.dtype == torch.bfloat16
        assert rounded.float().mean() < 0.05

    def test_what_is_made_of_the_nets_output_is_not_rounded(self) -> None:
        """x0 of a clean latent is the latent itself but for sigma times the net's error, so x must not be rounded."""
        model = prepare_for_inference(build(TINY), torch.bfloat16)
        x, wanted = torch.randn(1, *model.latent_shape(32)), model.embed_text(["rain"])
        with torch.inference_mode():
            predicted = model.unet(x.bfloat16(), torch.tensor([50]), wanted.bfloat16()).float()
            made = model.denoiser(wanted, guidance=1.0)(x, 50)

        schedule = model.config.schedule
        expected = read_prediction(predicted, x, schedule.level(50), "v", model.config.clip_x0)
        assert made.x0.dtype == torch.float32
        assert torch.equal(made.x0, expected.x0)
        assert torch.equal(made.eps, expected.eps)


class TestShortSounds:
    def test_a_net_that_learnt_long_sounds_only_renders_no_shorter_ones(self) -> None:
        """A published net asked for a second gets 2.5 to make, of which a second is kept."""
        short = Generate("rain", seconds=0.5, steps=1, model_band=True)
        picky, easy = (Engine(build(replace(TINY, shortest_s=least))) for least in (1.0, 0.0))

        (padded,), (whole,) = picky.run(short), easy.run(replace(short, seconds=1.0))

        assert padded.num_samples == 8_000
        faded = 48  # of both ends
        assert np.allclose(padded.samples[:, faded:-faded], whole.samples[:, faded : 8_000 - faded], atol=1e-4)

    def test_the_published_ones_are_such_nets_and_ours_is_not(self) -> None:
        assert {name: PRESETS[name].shortest_s for name in ("s", "m", "l", "nano")} == {
            "s": 2.5, "m": 2.5, "l": 2.5, "nano": 0.0,
        }  # fmt: skip
