"""Trains the pocket CLAP: a sound and its caption close together, different ones apart (Wu et al. 2023).

Beyond the paper's contrast, half of the batches hold few classes with many sounds each, so that attributes must be
distinguished, and both towers also name the class: without these the small towers reach a fifth of the retrieval. They
name the attributes too (how fast, how high, how far), with one head for both, so that a word and what it sounds like
point the same way. Some captions lack words or contain made-up ones, so that unknown words are ignored.

A denoiser learns from the audio tower's embeddings: with `keep_audio` that tower is frozen, and only the text tower is
trained. With `hold`, in a run that began with the parts of a model, both towers learn, but what that model knew stays
near its old place: captions of its kinds, and those of their clips that it recognised.
"""

import copy
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F
from torch.optim import AdamW, Optimizer

from engine.models.pocket_clap import PocketClap, PocketClapConfig
from engine.training.clip_sampler import ClipSampler
from engine.training.datasets import MIXED, Clips
from engine.training.loop import LoopSettings, OnReport, run_loop, step_optimiser
from engine.training.losses import contrastive
from engine.training.parts import config_for_run, load_part, save_part, sounds_at_split
from engine.training.precision import in_mixed_precision
from engine.training.training_errors import ClapUntrainedError
from engine.training.workers import Workers

_CLASSES_IN_GROUPED_BATCH = 8
_WORD_DROPOUT = 0.1
_STRANGE_SHARE = 0.3  # of captions that have a word which does not exist
_SYLLABLES = [c + v + e for c in "bcdfghjklmnprstvw" for v in "aeiou" for e in ("", "n", "r", "s", "t")]
_SHARPNESS = 10.0  # factor on the cosines that name classes and attributes
_CLOSENESS = 3.0  # weight of the angle between a caption and its sound, where the sound's place is fixed
_RECOGNISED = 0.6  # cosine of a clip and its caption above which the clip has a place that is worth holding
_UNSAID = -1  # index of an attribute that a clip does not have


@dataclass(frozen=True)
class ClapSettings:
    clips: Path
    parts: Path
    loop: LoopSettings
    preset: str = "nano"
    batch_size: int = 64
    attribute_weight: float = 0.5
    keep_audio: bool = False  # only the text tower learns
    hold: float = 0.0  # weight of the angle between what the split model knew and its old place
    device: str = "cpu"


class AttributeHeads(nn.Module):
    """Names every attribute of the clips from an embedding [B, D]; an attribute has a head, its values the outputs."""

    def __init__(self, clips: Clips, embedding_dim: int) -> None:
        super().__init__()
        said = [clip["attributes"] if isinstance(clip.get("attributes"), dict) else {} for clip in clips.about]
        self.kinds = {
            kind: sorted({attributes[kind] for attributes in said if kind in attributes})
            for kind in sorted({kind for attributes in said for kind in attributes})
        }
        self.heads = nn.ModuleList(nn.Linear(embedding_dim, len(values)) for values in self.kinds.values())
        self.targets = torch.tensor(
            [
                [
                    values.index(attributes[kind]) if kind in attributes else _UNSAID
                    for kind, values in self.kinds.items()
                ]
                for attributes in said
            ]
        )  # [K, kinds]

    def loss(self, embedding: Tensor, indices: np.ndarray) -> Tensor:  # type: ignore[type-arg]
        """Mean cross-entropy over the attributes that the clips have; nothing where they have none."""
        targets = self.targets[indices].to(embedding.device)
        total, count = embedding.new_zeros(()), 0
        for head, target in zip(self.heads, targets.T, strict=True):
            named = head(embedding) * _SHARPNESS
            total = total + F.cross_entropy(named, target, ignore_index=_UNSAID, reduction="sum")
            count += int((target != _UNSAID).sum())
        return total / max(1, count)


class HeldPlaces:
    """Where a model that was taken apart had the sounds that it knew, and how far they have moved since."""

    def __init__(self, settings: ClapSettings, clap: PocketClap, clips: Clips) -> None:
        known = sounds_at_split(settings.parts)
        self.device = torch.device(settings.device)
        self.clap = copy.deepcopy(clap).requires_grad_(requires_grad=False).eval().to(self.device)
        self.known = torch.tensor([clip.get("name") in known for clip in clips.about])  # [K]

    def moved(
        self, indices: NDArray[np.int64], pooled: Tensor, captions: list[str], audio: Tensor, text: Tensor
    ) -> Tensor:
        """Mean of 1 - cosine over the captions of known kinds, and over their clips that were recognised."""
        known = self.known[indices].to(self.device)
        if not known.any():
            return audio.new_zeros(())
        with torch.no_grad():
            old_text = self.clap.embed_text(captions)
            old_audio = F.normalize(self.clap.audio(pooled.float().to(self.device)), dim=1)
            recognised = known & ((old_audio * old_text).sum(1) > _RECOGNISED)
        by_text = (1 - (text * old_text).sum(1))[known].mean()
        by_audio = (1 - (audio * old_audio).sum(1))[recognised].mean() if recognised.any() else audio.new_zeros(())
        return by_text + by_audio


class ClapRecipe:
    """See the module's docstring."""

    def __init__(self, settings: ClapSettings, workers: Workers) -> None:
        config = config_for_run(settings.parts, settings.preset)
        assert isinstance(config.clap, PocketClapConfig), "only the pocket CLAP is trained from nothing"
        self.settings, self.workers, self.clips = settings, workers, Clips(settings.clips)
        self.clap = PocketClap(config.clap, config.mel)
        self.device = torch.device(settings.device)
        batch_size = min(settings.batch_size, len(self.clips))
        self.sampler = ClipSampler(len(self.clips), batch_size, workers, settings.loop.seed)
        begun = load_part(settings.parts, "clap", self.clap)
        if settings.keep_audio and not begun:
            raise ClapUntrainedError(settings.parts)
        self.pooled = torch.cat([self._pool(part) for part in np.array_split(np.arange(len(self.clips)), 64)])
        self.num_classes = len(self.clips.class_names)  # 0: nothing to name, no batches of few classes
        self.classifier = nn.Linear(config.clap.embedding_dim, max(1, self.num_classes))
        self.attributes = AttributeHeads(self.clips, config.clap.embedding_dim)
        self.kept: dict[str, nn.Module] = {
            "clap": self.clap,
            "classifier": self.classifier,
            "attributes": self.attributes,
        }
        for module in self.kept.values():
            module.to(self.device)
        self.embeddings = self._frozen_embeddings() if settings.keep_audio else None
        parameters = [p for module in self.kept.values() for p in module.parameters() if p.requires_grad]
        adamw = AdamW(parameters, settings.loop.learning_rate, weight_decay=1e-2)
        self.optimisers: dict[str, Optimizer] = {"adamw": adamw}
        self.held = HeldPlaces(settings, self.clap, self.clips) if settings.hold and begun else None
        members = (np.flatnonzero(self.clips.classes == c) for c in range(self.num_classes))
        self.members = [clips for clips in members if len(clips)]  # few clips leave classes empty

    def _pool(self, indices: np.ndarray) -> Tensor:  # type: ignore[type-arg]
        """Every clip's input to the audio tower fits in memory: float16 [K, 2, N/4, M]."""
        return self.clap.audio.pool(self.clips.log_mel(indices)).half()

    @torch.no_grad()
    def _frozen_embeddings(self) -> Tensor:
        """What the audio tower, which stays as it is, makes of every clip: unit vectors [K, D]."""
        self.clap.audio.requires_grad_(requires_grad=False).eval()
        parts = [self.clap.audio(part.float().to(self.device)) for part in self.pooled.split(self.settings.batch_size)]
        return F.normalize(torch.cat(parts), dim=1)

    def _embed_audio(self, indices: np.ndarray) -> Tensor:  # type: ignore[type-arg]
        """Unit vectors [B, D] of clips, with a little noise on the tower's input while it is trained."""
        if self.embeddings is not None:
            return self.embeddings[indices]
        pooled = self.pooled[indices].float()
        noisy = (pooled + 0.05 * torch.randn_like(pooled)).to(self.device)
        return F.normalize(in_mixed_precision(self.device, self.clap.audio, noisy), dim=1)

    def train_step(self, step: int, rng: np.random.Generator) -> dict[str, float]:
        indices = self._chosen(step, rng)
        target = torch.from_numpy(self.clips.classes[indices]).to(self.device)
        captions = [self._caption(int(k), rng) for k in indices]
        text = in_mixed_precision(self.device, self.clap.embed_text, captions)
        audio = self._embed_audio(indices)
        contrast = contrastive(audio, text, self.clap.log_temperature)
        both = torch.cat([audio, text])
        named = self.classifier(both) * _SHARPNESS  # of one class, where there are none: costs nothing
        num_named = max(1, 2 * int((target != MIXED).sum()))
        naming = 2 * F.cross_entropy(named, target.repeat(2), ignore_index=MIXED, reduction="sum") / num_named
        attributes = self.attributes.loss(both, np.tile(indices, 2))
        loss = contrast + 0.5 * naming + self.settings.attribute_weight * attributes
        apart = 1 - (audio * text).sum(1).mean()
        if self.settings.keep_audio:  # contrast alone is content with two spaces side by side
            loss = loss + _CLOSENESS * apart
        if self.held is not None:
            loss = loss + self.settings.hold * self.held.moved(indices, self.pooled[indices], captions, audio, text)
        step_optimiser(self.optimisers["adamw"], loss, self.workers, max_norm=5.0)
        figures = {"contrast": contrast, "naming": naming, "attributes": attributes, "apart": apart}
        return {name: figure.item() for name, figure in figures.items()}

    def _chosen(self, step: int, rng: np.random.Generator) -> np.ndarray:  # type: ignore[type-arg]
        """Clips in their turn; in every other step, where there are classes, a group instead."""
        if len(self.members) < 2:
            return self.sampler.at(step)
        return self._grouped(rng) if step % 2 else self.sampler.at(step // 2)

    def _grouped(self, rng: np.random.Generator) -> np.ndarray:  # type: ignore[type-arg]
        """Few classes, many clips of each."""
        count = min(_CLASSES_IN_GROUPED_BATCH, len(self.members))
        each = max(1, self.settings.batch_size // count)
        chosen = rng.choice(len(self.members), count, replace=False)
        return np.concatenate([rng.permutation(self.members[c])[:each] for c in chosen])

    def _caption(self, index: int, rng: np.random.Generator) -> str:
        """A caption, now and then with a word missing, or a strange one."""
        words = self.clips.caption(index, int(rng.integers(2**31))).split()
        kept = [word for word in words if rng.random() > _WORD_DROPOUT] or words
        if rng.random() < _STRANGE_SHARE:
            strange = "".join(rng.choice(_SYLLABLES, int(rng.integers(1, 4))))
            kept.insert(int(rng.integers(len(kept) + 1)), strange)
        return " ".join(kept)

    def save_result(self) -> None:
        save_part(self.settings.parts, "clap", self.clap)

    def make_samples(self) -> dict[str, Tensor]:
        """Nothing: towers make no sound."""
        return {}


def train_clap(workers: Workers, settings: ClapSettings, on_report: OnReport | None = None) -> None:
    """Train, or go on training, and leave the part `clap`."""
    run_loop(lambda: ClapRecipe(settings, workers), settings.loop, workers, on_report)
