"""What a restyle makes of a clip: is it heard as what was asked for, and does it still rise and fall with the clip?

    python -m engine.evaluation.restyling --strength 0.6 --structure 0 --structure 0.5

Shape letters: N mel frames.
"""

import argparse
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray

from engine.audio import Audio
from engine.engine import Engine
from engine.evaluation.classifier import SAMPLE_RATE, SoundClassifier, judge, load_classifier, mono_16_khz
from engine.mel import LogMel, MelConfig
from engine.operations.contour import loudness_of
from engine.operations.restyle import Restyle
from engine.sounds import SOUNDS, captions, render

CLIP_SEED = 14_000_000  # of the clips; met in no training
APART = 7  # classes between a clip and what it becomes, in the order of the corpus
SECONDS = 5.12

Waveform = NDArray[np.float32]  # [T] at 16 kHz


class Restyler(Protocol):
    """The part of the engine that is put to the test."""

    def run(self, request: Restyle) -> list[Audio]: ...


@dataclass(frozen=True)
class Pair:
    """A clip of the corpus, and words for another sound."""

    clip: Waveform
    prompt: str
    wanted: str  # class


@dataclass(frozen=True)
class RestyleReport:
    """Over n clips; correlations are means over the clips, -1 to 1."""

    right: float  # share that is heard as what was asked for, 0 to 1
    correlation: float  # of the loudness of the take and of its clip, from mel frame to mel frame
    chance: float  # the same of the take and of other clips


def pairs_of(sounds: Sequence[str] = SOUNDS, apart: int = APART, seed: int = 1) -> list[Pair]:
    """Each sound with a held-out wording of the sound that stands `apart` places on; another seed, other clips."""
    pairs = []
    for index, sound in enumerate(sounds):
        wanted = sounds[(index + apart) % len(sounds)]
        clip_seed = CLIP_SEED + 1_000 * seed + index
        prompt = captions(wanted, {}, clip_seed, held_out=True)[0]
        pairs.append(Pair(render(sound, clip_seed, SECONDS, SAMPLE_RATE).waveform, prompt, wanted))
    return pairs


def measure_restyles(
    engine: Restyler,
    classifier: SoundClassifier,
    pairs: Sequence[Pair],
    ask: Callable[[Audio, str, int], Restyle],
) -> RestyleReport:
    """Restyle each clip once, nothing chosen after the fact; `ask` makes the request from clip, prompt and seed."""
    takes = []
    for seed, pair in enumerate(pairs):
        (take,) = engine.run(ask(Audio(pair.clip[None], SAMPLE_RATE), pair.prompt, seed))
        takes.append(mono_16_khz(take))
    names = judge(classifier, takes).names
    contours, clips = [contour(take) for take in takes], [contour(pair.clip) for pair in pairs]
    others = [*clips[1:], *clips[:1]]
    return RestyleReport(
        right=float(np.mean([name == pair.wanted for name, pair in zip(names, pairs, strict=True)])),
        correlation=float(np.mean(list(map(correlation, contours, clips)))),
        chance=float(np.mean(list(map(correlation, contours, others)))),
    )


def contour(waveform: Waveform) -> NDArray[np.float64]:
    """Loudness, natural log, of each 10 ms: [N]."""
    log_mel = LogMel(MelConfig())(torch.from_numpy(np.ascontiguousarray(waveform))[None])
    return loudness_of(log_mel)[0].double().numpy()


def correlation(first: NDArray[np.float64], second: NDArray[np.float64]) -> float:
    """Pearson's; 0 where one does not change."""
    if min(first.std(), second.std()) < 1e-3:
        return 0.0
    return float(np.corrcoef(first, second)[0, 1])


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m engine.evaluation.restyling", description=__doc__)
    parser.add_argument("--model", default="nano", help="a name or a folder (default nano)")
    parser.add_argument("--strength", type=float, action="append", help="one or several (default 0.4, 0.6, 0.8)")
    parser.add_argument("--structure", type=float, action="append", help="one or several (default 0, 0.5)")
    parser.add_argument("--steps", type=int, help="denoising steps (default the model's)")
    parser.add_argument("--apart", type=int, default=APART, help="which sound becomes which (default %(default)s)")
    parser.add_argument("--seed", type=int, default=1, help="another seed takes other clips (default 1)")
    options = parser.parse_args()
    engine, classifier = Engine.load(options.model), load_classifier()
    pairs = pairs_of(apart=options.apart, seed=options.seed)
    print(f"{len(pairs)} clips\nstrength  structure   right   correlation   chance", flush=True)
    for strength in options.strength or (0.4, 0.6, 0.8):
        for structure in options.structure or (0.0, 0.5):

            def ask(clip: Audio, prompt: str, seed: int, moved: tuple[float, float] = (strength, structure)) -> Restyle:
                return Restyle(clip, prompt, moved[0], structure=moved[1], seed=seed, steps=options.steps)

            report = measure_restyles(engine, classifier, pairs, ask)
            figures = f"{report.right:7.1%}   {report.correlation:11.3f}   {report.chance:6.3f}"
            print(f"{strength:8.2f}  {structure:9.2f}  {figures}", flush=True)


if __name__ == "__main__":
    main()
