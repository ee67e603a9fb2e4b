"""How well each clip fits its caption according to a CLAP model, and how often a caption retrieves its class."""

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

    With the CLAP that conditions the model, the score measures how well the model follows, not how natural it sounds.
    Raises PairMissingError when counts differ, NotFiniteError when an embedding is not a number.
    """
    _require_partners(waveforms, captions)
    scores = [
        _batch_scores(clap, waveforms[start : start + BATCH], sample_rate, captions[start : start + BATCH])
        for start in range(0, len(captions), BATCH)
    ]
    joined = np.concatenate(scores) if scores else np.zeros(0)
    _require_finite(joined)
    return joined


@torch.no_grad()
def class_recall(
    clap: Embedder,
    waveforms: Sequence[NDArray[np.float32]],
    sample_rate: int,
    captions: Sequence[str],
    classes: Sequence[str],
) -> float:
    """Text-to-audio recall at 1, by class: the share of captions whose closest clip is of the caption's class, 0 to 1.

    Clip, caption and class of one place belong together; every caption chooses among all clips.
    Raises PairMissingError when counts differ, NotFiniteError when an embedding is not a number.
    """
    _require_partners(waveforms, captions)
    _require_partners(classes, captions)
    places = range(0, len(captions), BATCH)
    texts = torch.cat([clap.embed_text(captions[start : start + BATCH]) for start in places])
    batches = (waveforms[start : start + BATCH] for start in places)
    sounds = torch.cat([_embed_sounds(clap, batch, sample_rate, texts.device) for batch in batches])
    texts, sounds = (torch.nn.functional.normalize(side.cpu().double(), dim=1) for side in (texts, sounds))
    similarity = texts @ sounds.T
    _require_finite(similarity.numpy())
    found = [classes[place] for place in similarity.argmax(dim=1).tolist()]
    return float(np.mean([one == wanted for one, wanted in zip(found, classes, strict=True)]))


def _require_partners(waveforms: Sequence[object], captions: Sequence[str]) -> None:
    if len(waveforms) != len(captions):
        more = [f"clip {index}" for index in range(len(captions), len(waveforms))] or [
            f"caption {index}" for index in range(len(waveforms), len(captions))
        ]
        raise PairMissingError("partner", "the list of clips and captions", more)


def _require_finite(values: NDArray[np.float64]) -> None:
    if not np.isfinite(values).all():
        raise NotFiniteError("the CLAP embeddings", int((~np.isfinite(values)).sum()))


def _batch_scores(
    clap: Embedder, waveforms: Sequence[NDArray[np.float32]], sample_rate: int, captions: Sequence[str]
) -> NDArray[np.float64]:
    texts = clap.embed_text(captions)
    sounds = _embed_sounds(clap, waveforms, sample_rate, texts.device)
    return torch.nn.functional.cosine_similarity(sounds, texts.to(sounds)).double().cpu().numpy()


def _embed_sounds(
    clap: Embedder, waveforms: Sequence[NDArray[np.float32]], sample_rate: int, device: torch.device
) -> Tensor:
    """Clips of one length are embedded together, others one by one: padding would change CLAP's input."""
    batch = [torch.from_numpy(waveform[None]).to(device) for waveform in waveforms]
    if len({len(waveform) for waveform in waveforms}) == 1:
        return clap.embed_audio(torch.cat(batch), sample_rate)
    return torch.cat([clap.embed_audio(one, sample_rate) for one in batch])
