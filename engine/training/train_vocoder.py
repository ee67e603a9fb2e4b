"""Trains a HiFi-GAN on the corpus: mel distance, spectra at three resolutions, and adversaries (Kong et al. 2020).

A part of the log-mels can pass through the VAE first, so that the vocoder is trained on what the decoder outputs.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.optim import AdamW, Optimizer

from engine.mel import LogMel
from engine.models.vae import Vae
from engine.models.vocoder import HiFiGan, HiFiGanConfig
from engine.training.clip_sampler import ClipSampler
from engine.training.datasets import Clips
from engine.training.discriminators import VocoderDiscriminator
from engine.training.loop import LoopSettings, OnReport, run_loop, step_optimiser
from engine.training.losses import (
    feature_matching,
    least_squares_discriminator,
    least_squares_generator,
    multi_resolution_stft,
)
from engine.training.parts import config_for_training, load_part, save_part, trainable_vocoder
from engine.training.precision import in_mixed_precision
from engine.training.workers import Workers

_EDGE = 4  # frames at either end that the loss does not look at


@dataclass(frozen=True)
class VocoderSettings:
    clips: Path
    parts: Path
    loop: LoopSettings
    preset: str = "nano"  # for its front end and VAE
    config: HiFiGanConfig | None = None  # None: the preset's, see `trainable_vocoder`
    batch_size: int = 12
    crop_frames: int = 48
    through_vae: bool = True  # half of the batch
    adversarial_from: int | None = None  # step at which the discriminators join in; None never
    mel_weight: float = 1.0  # Kong et al. weight the mel term by 45, against adversaries that start at once
    adversarial_weight: float = 0.15
    feature_weight: float = 0.5
    device: str = "cpu"


class VocoderRecipe:
    """See the module's docstring."""

    def __init__(self, settings: VocoderSettings, workers: Workers) -> None:
        config = config_for_training(settings.preset)
        self.settings, self.workers, self.clips = settings, workers, Clips(settings.clips)
        self.device = torch.device(settings.device)
        self.sampler = ClipSampler(len(self.clips), settings.batch_size, workers, settings.loop.seed)
        self.hop, self.log_mel = config.mel.hop, LogMel(config.mel).to(self.device)
        self.vocoder, self.critic = HiFiGan(settings.config or trainable_vocoder(config)), VocoderDiscriminator()
        load_part(settings.parts, "vocoder", self.vocoder)
        self.vae = Vae(config.vae).eval()
        self.has_vae = settings.through_vae and load_part(settings.parts, "vae", self.vae)
        for module in (self.vocoder, self.critic, self.vae):
            module.to(self.device)
        self.kept: dict[str, nn.Module] = {"vocoder": self.vocoder, "critic": self.critic}
        rate = settings.loop.learning_rate
        self.optimisers: dict[str, Optimizer] = {
            "vocoder": AdamW(self.vocoder.parameters(), rate, (0.8, 0.95)),
            "critic": AdamW([{"params": list(self.critic.parameters()), "rate_factor": 0.3}], rate, (0.8, 0.95)),
        }

    def train_step(self, step: int, rng: np.random.Generator) -> dict[str, float]:
        settings = self.settings
        log_mel, waveform = self.clips.crops(rng, self.sampler.at(step), settings.crop_frames, self.hop)
        log_mel, waveform = log_mel.to(self.device), waveform.to(self.device)
        made: Tensor = in_mixed_precision(self.device, self.vocoder, self._vae_mixed(log_mel))
        convergence, logarithmic = multi_resolution_stft(made, waveform)
        mel = (self.log_mel(made) - log_mel)[:, :, _EDGE:-_EDGE].abs().mean()
        loss = convergence + logarithmic + settings.mel_weight * mel
        figures = {"convergence": convergence.item(), "log_magnitude": logarithmic.item(), "mel_l1": mel.item()}
        if settings.adversarial_from is not None and step >= settings.adversarial_from:
            figures["critic"] = self._train_critic(waveform, made.detach())
            loss = loss + self._adversarial(waveform, made)
        step_optimiser(self.optimisers["vocoder"], loss, self.workers, max_norm=5.0)
        return figures

    @torch.no_grad()
    def _vae_mixed(self, log_mel: Tensor) -> Tensor:
        """The first half of the batch as reconstructed by the VAE."""
        if not self.has_vae:
            return log_mel
        half = len(log_mel) // 2
        return torch.cat([self.vae.decode(self.vae.encode(log_mel[:half]).mean), log_mel[half:]])

    def _scored(self, waveform: Tensor) -> tuple[list[Tensor], list[list[Tensor]]]:
        """Score maps and inner layers."""
        scored: tuple[list[Tensor], list[list[Tensor]]] = in_mixed_precision(self.device, self.critic, waveform)
        return scored

    def _train_critic(self, real: Tensor, fake: Tensor) -> float:
        loss = least_squares_discriminator(self._scored(real)[0], self._scored(fake)[0])
        step_optimiser(self.optimisers["critic"], loss, self.workers)
        return loss.item()

    def _adversarial(self, real: Tensor, made: Tensor) -> Tensor:
        self.critic.requires_grad_(requires_grad=False)
        scores, inner = self._scored(made)
        with torch.no_grad():
            _, wanted = self._scored(real)
        loss = self.settings.adversarial_weight * least_squares_generator(scores)
        loss = loss + self.settings.feature_weight * feature_matching(wanted, inner) / len(scores)
        self.critic.requires_grad_(requires_grad=True)
        return loss

    def save_result(self) -> None:
        save_part(self.settings.parts, "vocoder", self.vocoder)

    @torch.no_grad()
    def make_samples(self) -> dict[str, Tensor]:
        """A clip from its log-mel, and as it was."""
        first = np.arange(1)
        log_mel = self.clips.log_mel(first).to(self.device)
        return {"vocoded": self.vocoder(log_mel)[0], "original": self.clips.waveform(first)[0]}


def train_vocoder(workers: Workers, settings: VocoderSettings, on_report: OnReport | None = None) -> None:
    """Train, or go on training, and leave the part `vocoder`."""
    run_loop(lambda: VocoderRecipe(settings, workers), settings.loop, workers, on_report)
