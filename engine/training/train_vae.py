"""Trains the mel autoencoder: reconstruction, a light pull to the unit Gaussian, optionally an adversary (§3.2).

Where the VAE has a linear skip it starts from the principal components of the patches, which alone explain more than
99 % of the variance, and learns what they miss.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.optim import AdamW, Optimizer

from engine.models.vae import Vae
from engine.models.vocoder import GriffinLim, GriffinLimConfig
from engine.training.clip_sampler import ClipSampler
from engine.training.datasets import Clips
from engine.training.discriminators import PatchDiscriminator
from engine.training.loop import CHECKPOINT_FILE, LoopSettings, OnReport, run_loop, step_optimiser
from engine.training.losses import hinge_discriminator, spectral_slopes
from engine.training.parts import config_for_training, load_part, save_part
from engine.training.precision import in_mixed_precision
from engine.training.workers import Workers

_PCA_CLIPS = 240


@dataclass(frozen=True)
class VaeSettings:
    clips: Path
    parts: Path
    loop: LoopSettings
    preset: str = "nano"
    batch_size: int = 16
    crop_frames: int = 96
    slope_weight: float = 0.25
    kl_weight: float = 8e-4
    adversarial_from: int | None = None  # step at which the discriminator joins in; None never
    adversarial_weight: float = 0.1
    device: str = "cpu"


class VaeRecipe:
    """See the module's docstring."""

    def __init__(self, settings: VaeSettings, workers: Workers) -> None:
        config = config_for_training(settings.preset)
        self.settings, self.workers, self.hop = settings, workers, config.mel.hop
        self.clips, self.device = Clips(settings.clips), torch.device(settings.device)
        self.sampler = ClipSampler(len(self.clips), settings.batch_size, workers, settings.loop.seed)
        self.vae, self.critic = Vae(config.vae), PatchDiscriminator()
        begun = load_part(settings.parts, "vae", self.vae) or (settings.loop.folder / CHECKPOINT_FILE).exists()
        if config.vae.linear_skip and not begun:
            every = max(1, len(self.clips) // _PCA_CLIPS)
            self.vae.start_from_pca(self.clips.log_mel(np.arange(0, len(self.clips), every)))
        self.kept: dict[str, nn.Module] = {"vae": self.vae, "critic": self.critic}
        for module in self.kept.values():
            module.to(self.device)
        rate = settings.loop.learning_rate
        self.optimisers: dict[str, Optimizer] = {
            "vae": AdamW(self.vae.parameters(), rate, (0.9, 0.98), weight_decay=1e-4),
            "critic": AdamW(self.critic.parameters(), rate, (0.5, 0.9)),
        }

    def train_step(self, step: int, rng: np.random.Generator) -> dict[str, float]:
        log_mel, _ = self.clips.crops(rng, self.sampler.at(step), self.settings.crop_frames, self.hop)
        log_mel = log_mel.to(self.device)
        posterior = in_mixed_precision(self.device, self.vae.encode, log_mel)
        rebuilt = in_mixed_precision(self.device, self.vae.decode, posterior.sample())
        distance, kl = (rebuilt - log_mel).abs().mean(), posterior.kl().mean()
        loss = distance + self.settings.slope_weight * spectral_slopes(rebuilt, log_mel) + self.settings.kl_weight * kl
        start = self.settings.adversarial_from
        if start is not None and step >= start:
            loss = loss - self.settings.adversarial_weight * self._scores(rebuilt).mean()
        step_optimiser(self.optimisers["vae"], loss, self.workers, max_norm=1.0)
        figures = {"l1": distance.item(), "kl": kl.item()}
        if start is not None and step >= start:
            figures["critic"] = self._train_critic(log_mel, rebuilt.detach())
        return figures

    def _scores(self, log_mel: Tensor) -> Tensor:
        scores: Tensor = in_mixed_precision(self.device, self.critic, log_mel)
        return scores

    def _train_critic(self, real: Tensor, fake: Tensor) -> float:
        loss = hinge_discriminator(self._scores(real), self._scores(fake))
        step_optimiser(self.optimisers["critic"], loss, self.workers)
        return loss.item()

    def save_result(self) -> None:
        save_part(self.settings.parts, "vae", self.vae)

    @torch.no_grad()
    def make_samples(self) -> dict[str, Tensor]:
        """A clip through the autoencoder, and without it, both by Griffin-Lim."""
        log_mel = self.clips.log_mel(np.arange(1))
        vocoder = GriffinLim(GriffinLimConfig(), config_for_training(self.settings.preset).mel)
        rebuilt = self.vae.decode(self.vae.encode(log_mel.to(self.device)).mean)
        return {"rebuilt": vocoder(rebuilt.cpu())[0], "original": vocoder(log_mel)[0]}


def train_vae(workers: Workers, settings: VaeSettings, on_report: OnReport | None = None) -> None:
    """Train, or go on training, and leave the part `vae`."""
    run_loop(lambda: VaeRecipe(settings, workers), settings.loop, workers, on_report)
