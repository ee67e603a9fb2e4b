"""Text encoders that share no space with sounds, for the comparison with RoBERTa in the paper's figure 5.

RoBERTa knows language and nothing of audio. Two towers of CLAP's size represent it: one trained to name the class of
captions, one untrained. A denoiser can only be trained on their text.
"""

from collections.abc import Sequence
from typing import Protocol

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.optim import AdamW

from engine.models.pocket_clap import PocketClapConfig, PocketTextTower, hashed_pieces, words_of

_BATCH = 64
_RATE = 2e-3
_SHARPNESS = 10.0  # of the logits, since embeddings are unit vectors
_GROUP = 256  # captions embedded at once


class TextEncoder(Protocol):
    """Prompts -> unit vectors [B, D]; the empty prompt means no condition."""

    def embed_text(self, prompts: Sequence[str]) -> Tensor: ...


class NgramBag:
    """Words as character n-grams, each a random direction: alike are prompts with common words, and nothing else."""

    def __init__(self, config: PocketClapConfig) -> None:
        self._config = config
        generator = torch.Generator().manual_seed(0)
        self._directions = torch.randn(config.num_buckets, config.embedding_dim, generator=generator)

    def embed_text(self, prompts: Sequence[str]) -> Tensor:
        return F.normalize(torch.stack([self._directions[self._pieces(prompt)].mean(0) for prompt in prompts]), dim=1)

    def _pieces(self, prompt: str) -> list[int]:
        config = self._config
        words = ["", *words_of(prompt)[: config.max_words]]  # "" begins every prompt, the empty one too
        return [piece for word in words for piece in hashed_pieces(word, config.num_buckets, config.max_pieces)]


class NamingTower(nn.Module):
    """CLAP's text tower, trained to name the class of a caption, without any sound."""

    def __init__(self, config: PocketClapConfig, num_classes: int) -> None:
        super().__init__()
        self.text = PocketTextTower(config)
        self.head = nn.Linear(config.embedding_dim, num_classes)

    @torch.no_grad()
    def embed_text(self, prompts: Sequence[str]) -> Tensor:
        groups = [prompts[start : start + _GROUP] for start in range(0, len(prompts), _GROUP)]
        return torch.cat([self._embed(group) for group in groups])

    def forward(self, prompts: Sequence[str]) -> Tensor:
        """Prompts -> logits [B, classes]."""
        logits: Tensor = self.head(_SHARPNESS * self._embed(prompts))
        return logits

    def _embed(self, prompts: Sequence[str]) -> Tensor:
        return F.normalize(self.text(self.text.tokenise(prompts)), dim=1)


@torch.enable_grad()
def train_naming_tower(tower: NamingTower, captions: Sequence[str], classes: Tensor, steps: int) -> None:
    """Cross-entropy on captions and their classes [K], and on the empty prompt for none: all classes alike."""
    rng, optimiser = np.random.default_rng(0), AdamW(tower.parameters(), _RATE, weight_decay=1e-2)
    tower.train()
    for _ in range(steps):
        chosen = rng.integers(len(captions), size=_BATCH)
        logits = tower(["", *(captions[k] for k in chosen)])
        nothing = -logits[0].log_softmax(0).mean()
        loss = F.cross_entropy(logits[1:], classes[chosen]) + nothing / _BATCH
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    tower.eval()
