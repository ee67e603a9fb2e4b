"""What an operation needs of a model, whatever its family: sizes, an autoencoder, conditions, a denoiser, noise levels.

Shape letters: B batch, C audio channels, T samples, Z latent channels, H latent rows.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

import torch
from torch import Tensor

from engine.diffusion.guidance import DenoiseFollowing
from engine.diffusion.schedule import NoiseSchedule
from engine.diffusion.solvers import Sampler
from engine.errors import InvalidRequestError
from engine.requests import DRAFT_STEPS

Told = TypeVar("Told")  # what a family makes of prompts; nobody else looks into it


@dataclass(frozen=True)
class Capabilities:
    """What a model can do beyond sound from words; a request that needs what is missing is refused before any work."""

    hearing: bool = False  # of clips: to name their sounds, and to be prompts; an ear may still have to be installed
    log_mels: bool = False  # its latents are of log-mels: what works on those, such as a contour or a band, works here
    curves: tuple[str, ...] = ()  # that its denoiser follows
    contour: bool = False  # a restyle keeps the clip's rise and fall in loudness
    band_masks: bool = False  # a region may be a band of frequencies
    native_mask: bool = False  # its denoiser is told which rows are given; others have them imposed at every step
    continuation: bool = False  # was trained to go on from what is given
    widening: bool = False  # a mono take is given width
    samplers: tuple[str, ...] = ()  # that a request may name


@dataclass(frozen=True)
class Habits:
    """What a model does where a request does not say, as its training suggests."""

    draft_steps: int = DRAFT_STEPS
    shortest_s: float = 0.0  # seconds; what is shorter is made as long, and cut
    peak: float | None = None  # to which clips are brought before they are encoded; None keeps their level
    structure: float = 0.0  # of a restyle
    tries: int = 1  # at most, for a take from words
    good_match: float | None = None  # score from which on no further try is made; None: all are, the best is kept


class Scorer(Protocol):
    """Prompts and sounds -> unit vectors [B, D] of one space, whose cosine says how well they fit."""

    def embed_text(self, prompts: Sequence[str], /) -> Tensor: ...

    def embed_audio(self, waveform: Tensor, sample_rate: int, /) -> Tensor: ...


class SoundModel(Protocol[Told]):
    """A model on a device; everything that comes out is float32."""

    @property
    def name(self) -> str: ...

    @property
    def device(self) -> torch.device: ...

    @property
    def sample_rate(self) -> int: ...  # Hz

    @property
    def channels(self) -> int: ...  # of the sounds that it makes

    @property
    def samples_per_row(self) -> int: ...  # waveform samples in one latent row

    @property
    def row_multiple(self) -> int: ...  # of latent rows

    @property
    def window_rows(self) -> int: ...  # of the longest sound that it was trained on

    @property
    def default_steps(self) -> int: ...

    @property
    def default_guidance(self) -> float: ...  # 1 is none

    @property
    def top_hz(self) -> float: ...  # the highest frequency that it makes

    @property
    def habits(self) -> Habits: ...

    @property
    def capabilities(self) -> Capabilities: ...

    @property
    def scorer(self) -> Scorer | None: ...  # that ranks takes, where there is one

    @property
    def solver(self) -> Sampler: ...  # where a request names none

    def rows_for(self, num_samples: int, /) -> int:
        """Return the number of latent rows that cover so many samples, rounded up to what the model accepts."""
        ...

    def latent_shape(self, rows: int, /) -> tuple[int, ...]:
        """Return (Z, H, ...) of a latent with that many rows."""
        ...

    def encode_sound(self, waveform: Tensor, /) -> Tensor:
        """Waveform [B, C, T] at the model's rate -> latent [B, Z, H, ...]; silence fills what is missing to rows."""
        ...

    def decode_sound(self, latent: Tensor, generator: torch.Generator | None = None, /) -> Tensor:
        """Latent [B, Z, H, ...] -> waveform [B, C, T]; the generator is for decoders that draw something."""
        ...

    def condition(self, prompts: Sequence[str], seconds: float, /) -> Told:
        """Prompts, each for a take of that length."""
        ...

    def left_out(self, prompt: str, /) -> str:
        """Return the end of a prompt that is longer than the model reads; empty for most."""
        ...

    def schedule(self, num_steps: int, start: float = 1.0, /) -> NoiseSchedule:
        """Noise levels from a share of the way, 1 is pure noise, down to the clean latent."""
        ...

    def given(self, latent: Tensor, keep: Tensor | None, /) -> Tensor | None:
        """What a native mask tells the denoiser beside x [B, Z, H, ...]: its rows where keep [H] is 1; None: nothing.

        `latent` is of x's shape; without `keep` none of its rows is given.
        """
        ...

    def denoiser(self, condition: Told, negative: Told | None, guidance: float | None, /) -> DenoiseFollowing:
        """Return what leads towards the condition, and away from `negative`, the empty prompt if None."""
        ...


_NEEDS = {
    "like": "hearing",
    "width": "widening",
    "structure": "contour",
    "low_hz": "band_masks",
    "high_hz": "band_masks",
}


def require_possible(model: SoundModel[Any], request: object) -> None:
    """Refuse, before any work, what this model cannot do.

    Raises:
        InvalidRequestError: it is asked for.
    """
    name, capabilities = model.name, model.capabilities
    hint = f"leave it out, or use a model of the AudioLDM family, such as nano, instead of {name}"
    for knob, capability in _NEEDS.items():
        value = getattr(request, knob, None)
        if value and not getattr(capabilities, capability):
            given = "a clip" if hasattr(value, "samples") else value
            raise InvalidRequestError(knob, given, f"none: the model {name} has nothing to do it with", hint)
    regions = getattr(request, "regions", ())
    if not capabilities.band_masks and any(len(region) > 2 and any(region[2:]) for region in regions):
        raise InvalidRequestError("regions", "in a band", f"whole ones: the model {name} has no bands")
    sampler = getattr(request, "sampler", None)
    if sampler not in (None, *capabilities.samplers):
        known = " or ".join(map(repr, capabilities.samplers))
        raise InvalidRequestError("sampler", sampler, f"none or {known} with the model {name}")
