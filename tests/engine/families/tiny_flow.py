"""A family of models that no file holds: a mono flow on plain rows of samples, without a native mask, with a scorer.

It is what `engine/model.py` asks for and nothing else; its net is a formula that leans towards the prompt's own noise.
"""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from engine.diffusion.guidance import Denoised, DenoiseFollowing, guide
from engine.diffusion.path import StraightFlow
from engine.diffusion.schedule import NoiseSchedule, lay_schedule
from engine.diffusion.solvers import Sampler, sample_ddim
from engine.model import Capabilities, Habits

ROW = 64  # samples in a latent row, which are its channels
SPREAD = 0.1  # of a sample


def _noise_of(words: str, size: int) -> Tensor:
    seed = int.from_bytes(words.encode()[:8].ljust(8, b"\0"), "little") % 2**31
    return torch.from_numpy(np.random.default_rng(seed).normal(0, 1, size).astype(np.float32))


class Likeness:
    """A scorer: prompts are directions, and so is the spectrum of a sound."""

    def embed_text(self, prompts: Sequence[str], /) -> Tensor:
        return F.normalize(torch.stack([_noise_of(prompt, 32) for prompt in prompts]), dim=1)

    def embed_audio(self, waveform: Tensor, _sample_rate: int, /) -> Tensor:
        power = torch.fft.rfft(waveform.float(), dim=1).abs().square()
        return F.normalize(F.adaptive_avg_pool1d(power[:, None], 32)[:, 0].sqrt(), dim=1)


class TinyFlow:
    """A `SoundModel` at 16 kHz, mono."""

    name = "tiny-flow"
    device = torch.device("cpu")
    sample_rate = 16_000
    channels = 1
    samples_per_row = ROW
    row_multiple = 2
    default_steps = 4
    default_guidance = 2.0
    top_hz = 8_000.0
    habits = Habits(peak=0.5, tries=2, good_match=0.9)
    capabilities = Capabilities(samplers=("ddim", "dpm++2m", "dpm++2m-sde"))
    scorer = Likeness()

    def __init__(self, window_rows: int = 2500) -> None:
        self.window_rows = window_rows

    @property
    def solver(self) -> Sampler:
        return sample_ddim

    def rows_for(self, num_samples: int) -> int:
        return max(1, -(-num_samples // (ROW * self.row_multiple))) * self.row_multiple

    def latent_shape(self, rows: int) -> tuple[int, int]:
        return ROW, rows

    def encode_sound(self, waveform: Tensor) -> Tensor:
        rows = self.rows_for(waveform.shape[-1])
        padded = F.pad(waveform[:, 0], (0, rows * ROW - waveform.shape[-1]))
        return padded.view(len(waveform), rows, ROW).transpose(1, 2).float() / SPREAD

    def decode_sound(self, latent: Tensor, _generator: torch.Generator | None = None) -> Tensor:
        return SPREAD * latent.transpose(1, 2).reshape(len(latent), 1, -1)

    def condition(self, prompts: Sequence[str], _seconds: float) -> Tensor:
        return torch.stack([_noise_of(prompt, ROW) for prompt in prompts])

    def left_out(self, _prompt: str) -> str:
        return ""

    def schedule(self, num_steps: int, start: float = 1.0) -> NoiseSchedule:
        return lay_schedule(StraightFlow(), [start * (1 - step / num_steps) for step in range(num_steps)])

    def given(self, _latent: Tensor, _keep: Tensor | None) -> None:
        return None

    def denoiser(self, condition: Tensor, negative: Tensor | None, guidance: float | None) -> DenoiseFollowing:
        """A straight way to something near x that has a little of the prompt in every row."""
        scale = self.default_guidance if guidance is None else guidance
        towards = condition if negative is None else guide(negative, condition, scale)

        def denoise(x: Tensor, sigma: float, _curves: Tensor | None = None, /) -> Denoised:
            around = F.avg_pool1d(x, 3, stride=1, padding=1)
            x0 = (1 - sigma) * x + sigma * (0.5 * around + 0.1 * towards[:, :, None])
            return Denoised(x0, (x - (1 - sigma) * x0) / sigma)

        return denoise
