"""What all the nets learn from, made once: clips, their latents, and embeddings of sounds and captions."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import load_file, save_file
from torch import Tensor

from engine.audioldm import AudioLDM
from engine.errors import InvalidRequestError
from engine.evaluation.paper.cells import Results
from engine.evaluation.paper.encoders import NamingTower, NgramBag, TextEncoder, train_naming_tower
from engine.evaluation.paper.prompts import frequencies
from engine.evaluation.paper.variants import TextEncoderName, Variant
from engine.evaluation.paper_budget import Budget
from engine.models.pocket_clap import PocketClapConfig
from engine.sounds import SOUNDS
from engine.training.datasets import Clips, ClipSettings, render_clips
from engine.training.loop import LoopSettings
from engine.training.train_ldm import Latents, LdmSettings, embed_clips, encode_clips
from engine.training.workers import Workers

_FIRST_SEED = 3_000_000  # of the clips; neither the model nor the classifier was trained on them
_CLIPS, _TOWER_FILE = "clips", "naming.safetensors"


@dataclass(frozen=True)
class LatentBatch:
    """Latents [B, Z, H, W], centred and scaled, and their conditions [B, D]."""

    x0: Tensor
    condition: Tensor


class Material:
    """Everything that trainings have in common, in memory where it is small.

    Raises:
        InvalidRequestError: the model's CLAP is not the small one, whose text tower the comparisons need.
    """

    def __init__(self, model: AudioLDM, budget: Budget, results: Results) -> None:
        clap = model.config.clap
        if not isinstance(clap, PocketClapConfig):
            raise InvalidRequestError("model", model.config.name, "nano, or another model with its small CLAP")
        self.model, self.budget, self._results, self._clap_config = model, budget, results, clap
        self.clips = self._render()
        self.latents = Latents(self.clips.folder / "latents")
        self._singles = np.array(["name" in clip for clip in self.clips.about])  # not two sounds in one
        self._classes = np.array([SOUNDS.index(clip["name"]) if "name" in clip else -1 for clip in self.clips.about])

    @property
    def seconds(self) -> float:
        """Of every clip: the model's window."""
        return window_seconds(self.model)

    def rows(self, variant: Variant) -> NDArray[np.int64]:
        """The clips that a variant learns from: [K]; those beyond the rendered ones are mixtures."""
        singles = np.flatnonzero(self._singles)
        if variant.long_tail:
            singles = np.concatenate([self._members(c, share) for c, share in enumerate(frequencies())])
        last = len(self.latents) if variant.mixtures else len(self.clips)
        return np.concatenate([singles, np.arange(len(self.clips), last)])

    def likelihoods(self, variant: Variant, rows: NDArray[np.int64]) -> NDArray[np.float64] | None:
        """How likely each of the rows is to be drawn, [K], None: all alike."""
        if not variant.balanced:
            return None
        classes = self._classes[rows]
        weights = 1.0 / np.bincount(classes)[classes]
        return np.asarray(weights / weights.sum())

    def conditions(self, variant: Variant, rows: NDArray[np.int64], rng: np.random.Generator) -> Tensor:
        """The sounds' embeddings or captions' [B, D], as the variant has them; mixtures have no caption."""
        text, audio = self._text(variant.encoder), self.latents.audio
        chosen = text[rows, rng.integers(text.shape[1], size=len(rows))]
        by_text = torch.from_numpy(rng.random(len(rows)) < variant.text_share) & chosen.any(1)
        return torch.where(by_text[:, None], chosen, audio[rows])

    def scaled_latents(self, rows: NDArray[np.int64]) -> Tensor:
        """[B, Z, H, W] on the model's device."""
        raw = torch.from_numpy(self.latents.latents[rows].astype(np.float32)).to(self.model.device)
        return (raw - self.model.latent_mean[:, None, None]) * self.model.latent_scale[:, None, None]

    def encoder(self, name: TextEncoderName) -> TextEncoder:
        """Return what turns captions into conditions; the tower is trained when it is first needed."""
        if name == "clap":
            return self.model.clap
        return self._tower if name == "names" else self._bag

    def _members(self, index: int, share: float) -> NDArray[np.int64]:
        """The first clips of a class, as many as its frequency in the long tail."""
        members = np.flatnonzero(self._classes == index)
        return members[: max(1, round(share * len(members)))]

    def _render(self) -> Clips:
        """Render, encode and embed what is missing."""
        folder = self._results.folder / _CLIPS
        budget = self.budget
        with self._results.locked(_CLIPS):
            count = budget.clips_per_class * len(SOUNDS)
            clips = render_clips(
                ClipSettings(folder, count, _FIRST_SEED, self.seconds, num_processes=1, mixture_share=0.0)
            )
            if not (folder / "latents" / "text.npy").exists():
                (folder / "latents").mkdir(exist_ok=True)
                settings = LdmSettings(
                    clips=folder,
                    parts=folder,
                    loop=LoopSettings(folder, 0, 0.0),
                    mixup_share=budget.mixture_share,
                    captions_per_clip=budget.captions_per_clip,
                )
                encode_clips(Workers(), self.model, clips, settings)
                embed_clips(self.model, clips, settings)
        return clips

    def _text(self, encoder: TextEncoderName) -> Tensor:
        """Embeddings of all captions, [K, C, D]."""
        if encoder == "clap":
            return self.latents.text
        return self._by_names if encoder == "names" else self._by_ngrams

    @cached_property
    def _captions(self) -> list[str]:
        """C of each clip, one clip after the other."""
        each = self.budget.captions_per_clip
        return [self.clips.caption(k, 1000 * k + c) for k in range(len(self.clips)) for c in range(each)]

    @cached_property
    def _bag(self) -> NgramBag:
        return NgramBag(self._clap_config)

    @cached_property
    def _tower(self) -> NamingTower:
        """Trained once, kept in the folder."""
        path = self._results.folder / _TOWER_FILE
        with torch.random.fork_rng(devices=[]), self._results.locked(_TOWER_FILE):
            torch.manual_seed(0)
            tower = NamingTower(self._clap_config, len(SOUNDS)).eval()
            if path.exists():
                tower.load_state_dict(load_file(path))
                return tower
            each = self.budget.captions_per_clip
            captions = [self._captions[each * k + c] for k in np.flatnonzero(self._singles) for c in range(each)]
            classes = torch.from_numpy(self._classes[self._singles].repeat(each))
            train_naming_tower(tower, captions, classes, self.budget.naming_steps)
            save_file(tower.state_dict(), path)
        return tower

    @cached_property
    def _by_names(self) -> Tensor:
        return self._embedded(self._tower)

    @cached_property
    def _by_ngrams(self) -> Tensor:
        return self._embedded(self._bag)

    def _embedded(self, encoder: TextEncoder) -> Tensor:
        """[K, C, D]; nothing for mixtures."""
        flat = encoder.embed_text(self._captions)
        embedded = torch.zeros(len(self.latents), self.budget.captions_per_clip, flat.shape[1])
        embedded[: len(self.clips)] = flat.unflatten(0, (len(self.clips), -1))
        return embedded


def window_seconds(model: AudioLDM) -> float:
    """Return the length of the model's window."""
    return model.config.window_rows * model.samples_per_row / model.sample_rate
