"""Prompts: held-out wordings of held-out sounds, and the corpus clips that they describe."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.evaluation.classifier import SAMPLE_RATE
from engine.sounds import SOUNDS, captions, render

_FIRST_SEED = 17_000_000  # of clips that nothing else uses
_SEEDS_A_RUN = 10_000
_TAIL = 0.75  # the class of rank r, from 0, is as frequent as (1 + r)^-0.75
_ORDER_SEED = 36  # of the classes' ranks


@dataclass(frozen=True)
class Prompt:
    """A held-out wording, the seed of the noise to begin with, and the clip that it describes."""

    sound: str
    text: str
    seed: int
    waveform: NDArray[np.float32]  # [T] at 16 kHz


def held_out_prompts(sounds: Sequence[str], seed: int, seconds: float) -> list[Prompt]:
    """One for each name; another seed, other clips and wordings."""
    first = _FIRST_SEED + _SEEDS_A_RUN * seed
    prompts = []
    for index, name in enumerate(sounds):
        sound = render(name, first + index, seconds, SAMPLE_RATE)
        text = captions(name, sound.attributes, first + index, held_out=True)[0]
        prompts.append(Prompt(name, text, _SEEDS_A_RUN * seed + index, sound.waveform))
    return prompts


def in_turn(count: int, first: int = 0) -> list[str]:
    """`count` names, classes taking turns from the one numbered `first`."""
    return [SOUNDS[(first + index) % len(SOUNDS)] for index in range(count)]


def frequencies() -> NDArray[np.float64]:
    """How frequent each class is where the corpus is given a long tail, the most frequent one 1: [classes]."""
    ranks = np.random.default_rng(_ORDER_SEED).permutation(len(SOUNDS))
    return np.asarray((1.0 + ranks) ** -_TAIL)


def long_tailed(count: int) -> list[str]:
    """About `count` names, classes as frequent as in the training set with a long tail, each at least once."""
    shares = frequencies() / frequencies().sum()
    return [name for name, share in zip(SOUNDS, shares, strict=True) for _ in range(max(1, round(share * count)))]
