"""The engine: a model loaded once, and requests answered with it, one after the other."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Self

import torch

from engine.audio import Audio
from engine.audioldm import AudioLDM
from engine.checkpoints.catalogue import CONFIG_FILE, list_models
from engine.checkpoints.stable_audio import find_stable_audio, open_stable_audio
from engine.checkpoints.store import open_model
from engine.device import (
    choose_device,
    describe_device,
    dtype_for,
    fits_in_memory,
    memory_errors_translated,
    release_cached_memory,
)
from engine.errors import EngineError, InvalidRequestError, ModelUnloadedError
from engine.families.stable_audio.stable_audio import StableAudio
from engine.listening.hear import HeardSound, hear
from engine.model import SoundModel
from engine.models.fast_convolution import memory_of_kernels, prepare
from engine.operations import Generate, Request, operations_of
from engine.operations.delivery import USUAL_RATE, delivered
from engine.operations.log_mels import has_log_mels
from engine.operations.progress import OnStep, ProgressReporter, ShouldStop
from engine.operations.together import generate_together
from engine.take_provenance import sources_of


class Engine:
    """A model on a device.

    engine = Engine.load()                                  the shipped model, on the best device there is
    engine = Engine.load("audioldm-s-full-v2", "cuda")      an installed one; a folder's path does as well
    takes = engine.run(Generate("rain"), on_step=print)     best take first
    """

    def __init__(self, model: SoundModel[Any], name: str | None = None) -> None:
        self._model: SoundModel[Any] | None = model
        self._device = model.device
        self.model_name = name or model.name

    def __repr__(self) -> str:
        return f"<Engine {self.model_name!r} {f'on {self.device_name}' if self._model else 'unloaded'}>"

    @classmethod
    def load(cls, model: str | Path = "nano", device: str = "auto", models_dir: str | Path | None = None) -> Self:
        """Open a model by name or folder; `models_dir` is where to look instead of the user's models folder.

        Raises:
            ModelNotFoundError, ModelBrokenError: it is not installed, or damaged.
            DeviceUnavailableError: this machine has no such device.
            OutOfMemoryError: it does not fit there.
        """
        chosen = choose_device(device)
        folder = None if models_dir is None else Path(models_dir)
        with memory_errors_translated(chosen):
            if (found := find_stable_audio(str(model), folder)) is not None:
                stereo = StableAudio(**vars(open_stable_audio(found))).to(chosen, dtype_for(chosen))
                return cls(stereo, str(model) if found.name == str(model) else str(found.absolute()))
            return cls(
                prepare_for_inference(open_model(str(model), chosen, folder), dtype_for(chosen)), _name(model, folder)
            )

    @property
    def device_name(self) -> str:
        """`cpu`, `mps`, or the card's own name."""
        return describe_device(self._device)

    @property
    def sample_rate(self) -> int:
        """Of the takes that are made from words alone, Hz, unless a request says otherwise: 48 kHz.

        Raises:
            ModelUnloadedError: see `unload`.
        """
        self._loaded()
        return USUAL_RATE

    def run(
        self, request: Request, on_step: OnStep | None = None, should_stop: ShouldStop | None = None
    ) -> list[Audio]:
        """Answer a request: its candidates, best first, each with its story.

        Both callbacks are called on this thread; `should_stop` is called at least once a step.

        Raises:
            CancelledError: `should_stop` returned True.
            InvalidRequestError: this model cannot do what is requested.
            OutOfMemoryError: the device is too small for it.
            ModelBrokenError: the model makes samples that are not numbers.
            ModelUnloadedError: see `unload`.
        """
        model = self._loaded()
        operations = operations_of(model)
        operation = operations.get(type(request))
        if operation is None:
            kinds = ", ".join(kind.__name__ for kind in operations)
            expected = f"one of {kinds} with the model {self.model_name}"
            raise InvalidRequestError("request", type(request).__name__, expected, "use another model: nano does all")
        reporter = ProgressReporter(on_step, should_stop)
        reporter.check()
        with torch.inference_mode(), memory_errors_translated(self._device):
            takes = operation(model, request, reporter)
        return self._signed(takes, request)

    def run_together(
        self, requests: Sequence[Generate], on_step: Sequence[OnStep], should_stop: Sequence[ShouldStop]
    ) -> list[list[Audio] | EngineError]:
        """Answer several requests, those of equal shape in shared calls of the net: takes, or an error, for each.

        The callbacks of each request are called as by `run`; a request that is cancelled leaves the others alone.

        Raises:
            OutOfMemoryError: the device is too small for all of them together, or for the smallest of them.
            ModelUnloadedError: see `unload`.
        """
        model = self._loaded()
        reporters = [ProgressReporter(*callbacks) for callbacks in zip(on_step, should_stop, strict=True)]
        with torch.inference_mode(), memory_errors_translated(self._device):
            outcomes = generate_together(model, requests, reporters)
        return [
            outcome if isinstance(outcome, EngineError) else self._signed(outcome, request)
            for request, outcome in zip(requests, outcomes, strict=True)
        ]

    def listen(self, clip: Audio, names: Sequence[str] | None = None) -> list[HeardSound]:
        """Name the sounds in a clip, best first, with scores that add up to 1.

        engine.listen(Audio.read("clip.wav"))[0].name           the likeliest of all sounds that the model knows
        engine.listen(clip, ["a dog barking", "a door"])        of these, in any words that it understands

        Raises:
            InvalidRequestError: `clip` is no Audio; `names` are no words, or none are given and the model has no list.
            SilentClipError: there is nothing to hear.
            AudioTowerMissingError: the model's CLAP has no audio tower.
            OutOfMemoryError: the device is too small.
            ModelUnloadedError: see `unload`.
        """
        model = self._loaded()
        if not has_log_mels(model):
            raise InvalidRequestError("model", self.model_name, "one that hears, such as nano")
        with torch.inference_mode(), memory_errors_translated(self._device):
            return hear(model, clip, names)

    def _signed(self, takes: Sequence[Audio], request: Request) -> list[Audio]:
        """The takes as they are to be delivered, with what only the engine knows in their stories."""
        if isinstance(request, Generate):
            takes = [delivered(take, request) for take in takes]
        origin = {"device": str(self._device), "model": self.model_name, **sources_of(request)}
        return [replace(take, story={**take.story, **origin}) for take in takes]

    def unload(self) -> None:
        """Free the model's memory; after this only `load` makes a usable engine again."""
        self._model = None
        release_cached_memory(self._device)

    def _loaded(self) -> SoundModel[Any]:
        if self._model is None:
            raise ModelUnloadedError(self.model_name)
        return self._model


def _name(model: str | Path, models_dir: Path | None) -> str:
    """Return what loads this model again from anywhere: its name where it is installed, otherwise its folder."""
    found = (entry.folder for entry in list_models(models_dir) if entry.name == str(model))
    folder = next(found, Path(model).expanduser())
    is_installed = any(entry.folder == folder for entry in list_models())
    return str(folder.absolute()) if (folder / CONFIG_FILE).is_file() and not is_installed else str(model)


def prepare_for_inference(model: AudioLDM, dtype: torch.dtype) -> AudioLDM:
    """Cast the denoisers, which take nearly all the time, to `dtype`, and use fast convolutions where memory allows.

    Everything else stays in 32 bits: in half precision the autoencoder's log-mels and HiFi-GAN's samples have 8 to 11
    bits, which is audible (48 dB below the sound in bfloat16), and each of them is called once a take.
    """
    denoisers = (model.unet, *([model.draft] if model.draft else []))
    for denoiser in denoisers:
        denoiser.to(dtype)
    for net in (*denoisers, model.vae):
        net.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # a quarter faster on CPUs
    prepare(model, kernels=fits_in_memory(memory_of_kernels(model)))
    return model
