"""What is heard in a clip: a score for every sound that the model knows, by CLAP, best first.

A score is the share of recordings with such a score that are what it says (Guo et al. 2017 call that calibrated): where
the model is not sure, many sounds have a little of it. All together they have 1.

Shape letters: K kinds of sound, D embedding.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from engine.audio import Audio, region_samples
from engine.audioldm import AudioLDM
from engine.errors import InvalidRequestError, SilentClipError
from engine.listening.catalogue_ids import UCS_IDS
from engine.requests.clip_checks import require_clip
from engine.wav_writer import Samples

PIECE_S = 5.12  # seconds that are heard at once
MOST_PIECES = 16  # of a longer clip, evenly spread over it
FAINT = 0.1  # of the loudest piece's RMS; what is fainter, such as a tail or a pause, does not count
SHARPNESS = 15.0  # factor on cosines where the model has none of its own: about that of LAION's published contrast
PEAK = 0.5  # to which a clip is brought: how loud a file is says little of what is in it
LEAST_PEAK = 1e-4  # of full scale; as for the clips of requests


@dataclass(frozen=True)
class HeardSound:
    """A sound that may be in a clip."""

    name: str
    score: float  # 0 to 1; all of a clip's sounds together have 1
    ucs: str | None = None  # its catalogue id in the Universal Category System, where it has one

    def to_json(self) -> dict[str, str | float]:
        """Return the row as it is printed."""
        row: dict[str, str | float] = {"name": self.name, "score": round(self.score, 4)}
        return row if self.ucs is None else {**row, "ucs": self.ucs}


def hear(model: AudioLDM, clip: Audio, names: Sequence[str] | None = None) -> list[HeardSound]:
    """Return the sounds in a clip of any rate, length and number of channels, best first.

    `names` are what to listen for, in any words that the model understands; None: all sounds that it knows.

    Raises:
        InvalidRequestError: `clip` is no Audio; `names` are no words, or none are given and the model has no list.
        SilentClipError: there is nothing to hear.
        AudioTowerMissingError: the model's CLAP has no audio tower.
    """
    require_clip(clip)
    sounds = [names] if isinstance(names, str) else list(model.config.sounds if names is None else names)
    if not sounds or not all(isinstance(name, str) and name.strip() for name in sounds):
        what, hint = (
            "the names of sounds to listen for, none of them empty",
            "name sounds in words, such as dog or heavy rain",
        )
        if names is None:
            what = "the names of sounds to listen for: this model has no list of sounds"
        elif model.config.sounds:
            hint += "; without names, all sounds that the model knows are listened for"
        raise InvalidRequestError("names", sounds, what, hint)
    prompts = model.embed_text([name.replace("_", " ") for name in sounds])
    pieces = [model.embed_audio(torch.from_numpy(piece)) for piece in _pieces(clip, model)]
    scores = _scores(torch.cat(pieces), prompts, getattr(model.config.clap, "sharpness", SHARPNESS))
    ranked = sorted(zip(scores, sounds, strict=True), key=lambda row: -row[0])
    return [HeardSound(name, score, UCS_IDS.get(name)) for score, name in ranked]


def _scores(heard: Tensor, prompts: Tensor, sharpness: float) -> list[float]:
    """Embeddings of pieces [B, D] and of names [K, D] -> scores [K], the mean over the pieces."""
    likeness = heard.double() @ prompts.double().T
    return [float(score) for score in (sharpness * likeness).softmax(dim=1).mean(dim=0)]


def _pieces(clip: Audio, model: AudioLDM) -> list[Samples]:
    """Return what counts of a clip: pieces [1, T] at the model's rate, in mono, at one level."""
    heard = clip.as_heard()
    peak = float(np.abs(heard.samples - heard.samples.mean()).max())
    if peak < LEAST_PEAK:
        raise SilentClipError("the clip", peak)
    spans = [region_samples(clip.num_samples, clip.sample_rate, *span) for span in _spans(clip.seconds)]
    pieces = [
        Audio(heard.samples[:, start:end], clip.sample_rate).resample(model.sample_rate).samples for start, end in spans
    ]
    centred = [(piece - piece.mean()).astype(np.float32, copy=False) for piece in pieces]
    levels = [float(np.sqrt(np.mean(np.square(piece, dtype=np.float64)))) for piece in centred]
    return [
        piece * np.float32(PEAK / peak)
        for piece, level in zip(centred, levels, strict=True)
        if level >= FAINT * max(levels)
    ]


def _spans(seconds: float) -> list[tuple[float, float]]:
    """Return the start and end of every piece, in seconds: side by side in a short clip, spread in a long one."""
    if seconds <= PIECE_S:
        return [(0.0, seconds)]
    count = min(int(np.ceil(seconds / PIECE_S)), MOST_PIECES)
    return [(float(start), float(start) + PIECE_S) for start in np.linspace(0.0, seconds - PIECE_S, count)]
