"""An excerpt on its way through a model whose latents are of log-mels, conditioned by CLAP: what only those can do.

Shape letters: n candidates, C' computed channels, B = n·C' (candidate by candidate), Z latent channels, H rows,
W columns, D embedding, T' samples at the model's rate.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch import Tensor

from engine.audioldm import AudioLDM
from engine.diffusion.guidance import Denoise, DenoiseFollowing
from engine.mel import MelConfig, slaney_filterbank
from engine.model import SoundModel
from engine.operations.ambiences import natural_correlation
from engine.operations.condition import Condition, EmbeddedCondition
from engine.operations.contour import Contour, depth_of, loudness_of
from engine.operations.log_mels import has_log_mels
from engine.operations.long_sounds import decode_long, encode_long, log_mel_long, vocode_long
from engine.operations.masks import MaskedSpan, observed_cells
from engine.operations.progress import ProgressReporter
from engine.operations.rendering import PHASES, Rendering
from engine.requests import Sampling
from engine.wav_writer import Samples


@dataclass(frozen=True)
class MelRendering(Rendering):
    """The same with bands, contours, sounds as prompts, and windows for the autoencoder and the vocoder, too."""

    model: AudioLDM
    condition: EmbeddedCondition

    @property
    def is_known(self) -> bool:
        prompt = self.condition.prompt
        return not prompt or self.model.clap.knows(prompt)

    @property
    def makes_event(self) -> bool:
        can_tell = bool(self.condition.prompt and self.model.config.sounds) and self.is_known
        return can_tell and natural_correlation(self.model, self.condition.wanted) is None

    @property
    def can_share(self) -> bool:
        return len(self.windows) == 1 and not self.condition.is_open

    def depth(self, strength: float, structure: float) -> float:
        return depth_of(strength, structure if self.model.sketches else 0.0)

    def denoiser(self) -> DenoiseFollowing:
        return self.towards(self.condition.wanted, self.condition.negative)

    def towards(self, wanted: Tensor, negative: Tensor) -> DenoiseFollowing:
        """Towards wanted [B, D], away from negative [B, D], by the net and the guidance of the plan."""
        if self.plan.draft_net is not None:
            return self.model.draft_denoiser(wanted)
        guidance = 1.0 if self.condition.is_open else self.plan.guidance
        return self.model.denoiser(wanted, negative, guidance)

    def encode(self, waveform: Samples) -> Tensor:
        self.reporter.encoding()
        return encode_long(self.model, torch.from_numpy(waveform), self.windows, self.reporter.check)

    def contour(self, waveform: Samples, structure: float) -> Contour | None:
        if structure == 0:
            return None
        log_mel = log_mel_long(self.model, torch.from_numpy(waveform), self.windows, self.reporter.check)
        return Contour(loudness_of(log_mel), structure)

    def _held(self, denoise: Denoise, contour: Contour | None) -> Denoise:
        return denoise if contour is None else contour.held(denoise, self.model)

    def observed(self, spans: Sequence[MaskedSpan]) -> Tensor:
        """Which cells keep what was observed, bool [H, W]: all but the spans' rows in their bands' columns."""
        return observed_cells(self.model, self.windows.rows, spans)

    def _decoded(self, latent: Tensor, index: int, contour: Contour | None) -> Samples:
        log_mel = decode_long(self.model, latent, self.windows, self.reporter.check)
        if contour is not None:
            log_mel = contour.shape(log_mel, index % self.num_channels, self.model.config.mel)
        if self.performance is not None:
            log_mel = self.performance.shape(log_mel, self.model.config.mel)
        log_mel = torch.minimum(log_mel, loudest_log_mel(self.model.config.mel).to(log_mel))
        seeded = partial(self.generator, self.candidates[index // self.num_channels], PHASES)
        made = vocode_long(self.model, log_mel, self.windows, seeded, self.reporter.check)
        if self.performance is not None:
            made[0] = self.performance.bend(made[0], self.model.sample_rate, self.model.samples_per_row)
        return made

    def score(self, latent: Tensor) -> float:
        """Without a vocoder if possible."""
        log_mel = decode_long(self.model, latent, self.windows, self.reporter.check)
        frames = -(-self.num_samples // self.model.config.mel.hop)
        (score,) = self.matches(self.model.embed_log_mel(log_mel[:, :, :frames]))
        return score

    def _wanted(self) -> Tensor:
        return self.condition.wanted[0]


def rendering_of(
    model: SoundModel[Any],
    condition: Condition,
    sampling: Sampling,
    reporter: ProgressReporter,
    num_samples: int,
    num_channels: int = 1,
    excerpt_index: int = 0,
) -> Rendering:
    """The rendering that suits the model."""
    if has_log_mels(model):
        assert isinstance(condition, EmbeddedCondition), "what `condition_of` gives such a model"
        return MelRendering(model, condition, sampling, reporter, num_samples, num_channels, excerpt_index)
    return Rendering(model, condition, sampling, reporter, num_samples, num_channels, excerpt_index)


def loudest_log_mel(mel: MelConfig) -> Tensor:
    """The log-mel [M] of a full-scale sine in the middle of each band; few sounds within full scale are louder there.

    Guidance overshoots: where a net is unsure it can exceed that a millionfold in a few bands, and
    bringing the take's peak back to full scale would bury everything else.
    """
    lobe = mel.n_fft / 2  # the sum of a Hann window's main lobe: n_fft / 4 in its middle, half of that on either side
    return (slaney_filterbank(mel).amax(dim=1) * lobe).log()
