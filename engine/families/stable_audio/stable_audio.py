"""Stable Audio 3 put together: prompts and a length -> condition, stereo sound -> latent and back, and the denoiser.

The only file of this family that knows rates and strides. Everything that comes out is float32.

Shape letters: B batch, C audio channels, T samples, Z latent channels, H latent rows.
"""

from collections.abc import Sequence
from dataclasses import replace

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from engine.device import fits_in_memory
from engine.diffusion.guidance import Denoised, DenoiseFollowing
from engine.diffusion.path import StraightFlow
from engine.diffusion.schedule import NoiseSchedule, lay_schedule
from engine.diffusion.solvers import Sampler, sample_ddim, sample_ping_pong
from engine.families.stable_audio.config import StableAudioConfig
from engine.families.stable_audio.denoiser import (
    StableAudioCondition,
    denoiser_of,
    given_rows,
    nothing_given,
)
from engine.families.stable_audio.levels import noise_shares
from engine.families.stable_audio.same import decode_rows, encode_rows
from engine.families.stable_audio.text import PromptReader
from engine.model import Capabilities, Habits, Scorer

DRAFT_STEPS = 4  # of a net that was trained to arrive in one
SPARE_BYTES = 2_000_000_000
"""What the denoiser of the largest model needs for a minute of sound, beside its weights."""


class StableAudio:
    """A model with its parts, on one device."""

    def __init__(
        self,
        config: StableAudioConfig,
        dit: nn.Module,
        same: nn.Module,
        duration: nn.Module,
        reader: PromptReader,
        spare_bytes: int = SPARE_BYTES,
    ) -> None:
        self._spare_bytes = spare_bytes  # where less is free, the text encoder leaves once prompts are read
        self.config, self.dit, self.same, self.duration, self.reader = config, dit, same, duration, reader
        self._device = torch.device("cpu")

    @property
    def name(self) -> str:
        return self.config.name

    @property
    def default_steps(self) -> int:
        return self.config.default_steps

    @property
    def default_guidance(self) -> float:
        return self.config.default_guidance

    @property
    def top_hz(self) -> float:
        """Hz."""
        return self.sample_rate / 2

    @property
    def habits(self) -> Habits:
        return Habits(draft_steps=DRAFT_STEPS)

    @property
    def capabilities(self) -> Capabilities:
        return Capabilities(native_mask=True, continuation=True, samplers=("ddim",))

    @property
    def scorer(self) -> Scorer | None:
        """None: there is no net here that hears."""
        return None

    @property
    def solver(self) -> Sampler:
        """What the net was trained for: the post-trained ones to arrive in one step, the base ones to go straight."""
        return sample_ping_pong if self.config.objective == "denoiser" else sample_ddim

    @property
    def device(self) -> torch.device:
        return self._device

    @property
    def sample_rate(self) -> int:
        """Hz."""
        return self.config.same.sampling_rate

    @property
    def channels(self) -> int:
        return self.config.same.audio_channels

    @property
    def window_rows(self) -> int:
        """Latent rows of the longest sound that the net was trained on."""
        unit = self.samples_per_row * self.row_multiple
        return int(self.config.longest_s * self.sample_rate) // unit * self.row_multiple

    @property
    def samples_per_row(self) -> int:
        """Waveform samples in one latent row."""
        return self.config.same.samples_per_row

    @property
    def row_multiple(self) -> int:
        """Latent rows come in multiples of this."""
        return self.config.same.row_multiple

    def rows_for(self, num_samples: int) -> int:
        """Return the number of latent rows that cover `num_samples`, rounded up to what the autoencoder takes."""
        unit = self.samples_per_row * self.row_multiple
        return max(1, -(-num_samples // unit)) * self.row_multiple

    def latent_shape(self, rows: int) -> tuple[int, int]:
        """Return (Z, H) of a latent with that many rows."""
        return self.config.same.latent_dim, rows

    def to(self, device: torch.device | str, dtype: torch.dtype = torch.float32) -> "StableAudio":
        """Move to a device; the denoiser, which takes nearly all the time, computes in `dtype` from then on."""
        self._device = torch.device(device)
        nn.Module.to(self.dit, self._device, dtype)  # diffusers' own warns of layers to keep, of which this has none
        self.same.to(self._device)
        self.duration.to(self._device)
        self.reader.to(self._device)
        return self

    def encode_sound(self, waveform: Tensor) -> Tensor:
        """Waveform [B, C, T] at the model's rate -> latent [B, Z, H]; what is missing to whole rows is silence."""
        missing = self.rows_for(waveform.shape[-1]) * self.samples_per_row - waveform.shape[-1]
        return encode_rows(self.same, F.pad(waveform.to(self._device), (0, missing)), self.config.same)

    def decode_sound(self, latent: Tensor, generator: torch.Generator | None = None) -> Tensor:
        """Latent [B, Z, H] -> waveform [B, C, T]; nothing is drawn."""
        del generator
        return decode_rows(self.same, latent, self.config.same)

    def condition(self, prompts: Sequence[str], seconds: float) -> StableAudioCondition:
        """Prompts, each for a take of that length; the length is told to the net twice, as a token and as a whole."""
        read = self.reader.read(prompts)
        if not fits_in_memory(self._spare_bytes):
            self.reader.unload()
        lengths = torch.full((len(prompts),), float(seconds), device=self._device)
        duration: Tensor = self.duration(lengths)
        context = torch.cat([read.embedding, duration[:, None].to(read.embedding)], dim=1)
        mask = torch.cat([read.mask, read.mask.new_ones(len(prompts), 1)], dim=1)
        return StableAudioCondition(context, mask, duration)

    def left_out(self, prompt: str) -> str:
        """Return the end of a prompt that is beyond what the text encoder reads."""
        return self.reader.cut(prompt)

    def given(self, latent: Tensor, keep: Tensor | None) -> Tensor | None:
        """Rows that are given [B, 1 + Z, H]; where none are, what this model's authors tell the net then."""
        if keep is None:
            return nothing_given(latent) if self.config.masks_always else None
        return given_rows(latent, keep)

    def with_given(self, condition: StableAudioCondition, latent: Tensor, keep: Tensor) -> StableAudioCondition:
        """The condition with a latent [B, Z, H] of which the rows where keep [H] is 1 are given: for inpainting."""
        return replace(condition, given=given_rows(latent, keep))

    def denoiser(
        self,
        condition: StableAudioCondition,
        negative: StableAudioCondition | None = None,
        guidance: float | None = None,
    ) -> DenoiseFollowing:
        """(x [B, Z, H], σ) -> (x0, ε) towards the condition; away from `negative` as far as guidance tells."""
        scale = self.config.default_guidance if guidance is None else guidance
        plain = denoiser_of(self.dit, condition, negative, scale)

        def denoise(x: Tensor, sigma: float, given: Tensor | None = None, /) -> Denoised:
            if given is None and condition.given is None and self.config.masks_always:
                given = nothing_given(x)
            return plain(x, sigma, given)

        return denoise

    def schedule(self, num_steps: int, start: float = 1.0) -> NoiseSchedule:
        """From σ = `start` down to the clean latent."""
        shares = noise_shares(num_steps, self.config.lowest_log_snr, self.config.highest_log_snr, start)
        return lay_schedule(StraightFlow(), shares)
