"""CLAP score: how well each clip fits its caption, in the ears of a CLAP model."""

from collections.abc import Sequence
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from engine.evaluation.evaluation_errors import NotFiniteError, PairMissingError

BATCH = 16  # clips embedded at once


class Embedder(Protocol):
    """The part of a CLAP that the score needs; unit vectors [B, D]."""

    def embed_text(self, prompts: Sequence[str]) -> Tensor: ...
    def embed_audio(self, waveform: Tensor, sample_rate: int) -> Tensor: ...


@torch.no_grad()
def clap_scores(
    clap: Embedder, waveforms: Sequence[NDArray[np.float32]], sample_rate: int, captions: Sequence[str]
) -> NDArray[np.float64]:
    """Cosine between each waveform [T] and its caption, -1 to 1: [n].

    Judged by the CLAP that conditions the model, the score says how well the model obeys, not how real it sounds.
    Raises PairMissingError when counts differ, NotFiniteError when an embedding is not a number.
    """
    if len(waveforms) != len(captions):
        more = [f"clip {index}" for index in range(len(captions), len(waveforms))] or [
            f"caption {index}" for index in range(len(waveforms), len(captions))
        ]
        raise PairMissingError("partner", "the list of clips and captions", more)
    scores = [
        _batch_scores(clap, waveforms[start : start + BATCH], sample_rate, captions[start : start + BATCH])
        for start in range(0, len(captions), BATCH)
    ]
    joined = np.concatenate(scores) if scores else np.zeros(0)
    if not np.isfinite(joined).all():
        raise NotFiniteError("the CLAP embeddings", int((~np.isfinite(joined)).sum()))
    return joined


def _batch_scores(
    clap: Embedder, waveforms: Sequence[NDArray[np.float32]], sample_rate: int, captions: Sequence[str]
) -> NDArray[np.float64]:
    """Clips of one length are embedded together, others one by one: padding would change what CLAP hears."""
    texts = clap.embed_text(captions)
    heard = [torch.from_numpy(waveform[None]).to(texts.device) for waveform in waveforms]
    if len({len(waveform) for waveform in waveforms}) == 1:
        sounds = clap.embed_audio(torch.cat(heard), sample_rate)
    else:
        sounds = torch.cat([clap.embed_audio(one, sample_rate) for one in heard])
    return torch.nn.functional.cosine_similarity(sounds, texts.to(sounds)).double().cpu().numpy()
