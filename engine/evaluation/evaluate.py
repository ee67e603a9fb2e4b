"""A model against the held-out part of the corpus: wordings and clips that no training has used."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray

from engine.audio import Audio
from engine.errors import CancelledError, InvalidRequestError
from engine.evaluation.clap_score import Embedder, clap_scores, class_recall
from engine.evaluation.classifier import SAMPLE_RATE, Classification, SoundClassifier, classify, mono_16_khz
from engine.evaluation.evaluation_errors import TooFewClipsError
from engine.evaluation.feature_extraction import ExtractedFeatures
from engine.evaluation.frechet import frechet_distance
from engine.evaluation.gradients import gradient_rows
from engine.evaluation.measurements import measure
from engine.evaluation.reconstruction import log_spectral_distance, mel_l1
from engine.evaluation.report import ModelReport, Reconstruction, attribute_rows, class_rows
from engine.requests import Generate
from engine.sounds import SOUNDS, captions, render
from engine.sounds.spoken import spoken_attributes

PAIRED_SEED = 11_000_000  # corpus clips whose attributes the prompts describe
FLOOR_SEED = 12_000_000  # other corpus clips, for the floor of the Fréchet distance
SEEDS_A_RUN = 10_000  # so that evaluations with different seeds use different clips
SILENT_PEAK = 1e-3  # -60 dBFS
SECONDS = 5.12
SHORTEST_S, LONGEST_S = 0.3, 30.0  # of the corpus' clips

Waveform = NDArray[np.float32]  # [T] at 16 kHz
RoundTrip = Callable[[Waveform], Waveform]


class Generator(Protocol):
    """The part of the engine that is put to the test."""

    def run(self, request: Generate) -> list[Audio]: ...


@dataclass(frozen=True)
class EvaluationSettings:
    """Settings of the evaluation."""

    clips_per_class: int = 4
    seed: int = 1
    sounds: tuple[str, ...] = SOUNDS
    steps: int | None = None  # None: the model's default
    guidance: float | None = None
    sampler: str | None = None
    tries: int | None = None
    draft: bool = False
    seconds: float = SECONDS
    model: str = "nano"  # as the report calls it

    def __post_init__(self) -> None:
        if self.clips_per_class * len(self.sounds) < 2:
            raise TooFewClipsError("the evaluation", self.clips_per_class * len(self.sounds), 2)
        if not SHORTEST_S <= self.seconds <= LONGEST_S:
            raise InvalidRequestError("seconds", self.seconds, f"{SHORTEST_S} to {LONGEST_S:g}")


@dataclass(frozen=True)
class Evaluation:
    """The report and its clips, paired: `corpus[k]` is the corpus clip that prompt k describes."""

    report: ModelReport
    prompts: tuple[str, ...]
    truths: tuple[str, ...]  # classes
    generated: tuple[Waveform, ...]
    corpus: tuple[Waveform, ...]


@dataclass(frozen=True)
class _Prompted:
    sound: str
    prompt: str
    spoken: Mapping[str, str]  # the attributes that the prompt speaks of
    seed: int
    corpus: Waveform


@dataclass(frozen=True)
class _EvaluationClips:
    generated: list[Waveform]
    others: list[Waveform]  # corpus clips that no prompt describes
    reconstructed: list[Waveform]  # the same through the model's autoencoder and vocoder


def evaluate_model(
    engine: Generator,
    clap: Embedder,
    round_trip: RoundTrip,
    classifier: SoundClassifier,
    settings: EvaluationSettings,
    *,
    on_clip: Callable[[int, int], None] | None = None,
    should_stop: Callable[[], bool] | None = None,
) -> Evaluation:
    """Generate a clip for a held-out wording of every class, several times, and compare the clips with corpus clips.

    One take a prompt, as users get it: with the model's own number of tries, unless `settings` has another.
    `round_trip` is the model's autoencoder and vocoder.
    Raises CancelledError when `should_stop` says so, NotFiniteError when a figure is not a number.
    """
    tasks = _tasks(settings)
    others = _other_clips(settings)
    jobs: list[Callable[[], Waveform]] = [partial(_generate, engine, settings, task) for task in tasks]
    jobs += [partial(round_trip, waveform) for waveform in others]
    made = []
    for index, job in enumerate(jobs):
        if should_stop and should_stop():
            raise CancelledError
        made.append(job())
        if on_clip:
            on_clip(index + 1, len(jobs))
    return _measured(
        settings, tasks, _EvaluationClips(made[: len(tasks)], others, made[len(tasks) :]), clap, classifier
    )


def _generate(engine: Generator, settings: EvaluationSettings, task: _Prompted) -> Waveform:
    knobs: dict[str, Any] = {
        name: getattr(settings, name) for name in ("steps", "guidance", "sampler", "tries", "draft")
    }
    request = Generate(task.prompt, settings.seconds, seed=task.seed, model_band=True, **knobs)
    return mono_16_khz(engine.run(request)[0])


def _other_clips(settings: EvaluationSettings) -> list[Waveform]:
    """Held-out corpus clips that no prompt describes, classes taking turns."""
    first, sounds = FLOOR_SEED + SEEDS_A_RUN * settings.seed, settings.sounds
    count = settings.clips_per_class * len(sounds)
    return [
        render(sounds[k % len(sounds)], first + k, settings.seconds, SAMPLE_RATE, is_edited=False).waveform
        for k in range(count)
    ]


def _tasks(settings: EvaluationSettings) -> list[_Prompted]:
    """Classes taking turns, each task with the held-out clip whose attributes its prompt describes."""
    first = PAIRED_SEED + SEEDS_A_RUN * settings.seed
    tasks = []
    for index in range(settings.clips_per_class * len(settings.sounds)):
        sound = render(
            settings.sounds[index % len(settings.sounds)], first + index, settings.seconds, SAMPLE_RATE, is_edited=False
        )
        prompt = captions(sound.name, sound.attributes, first + index, held_out=True)[0]
        spoken = spoken_attributes(prompt, sound.attributes)
        tasks.append(_Prompted(sound.name, prompt, spoken, settings.seed * SEEDS_A_RUN + index, sound.waveform))
    return tasks


def _measured(
    settings: EvaluationSettings,
    tasks: Sequence[_Prompted],
    clips: _EvaluationClips,
    clap: Embedder,
    classifier: SoundClassifier,
) -> Evaluation:
    generated = clips.generated
    prompts, truths, corpus = ([getattr(task, name) for task in tasks] for name in ("prompt", "sound", "corpus"))
    recognised, recognised_corpus = classify(classifier, generated), classify(classifier, corpus)
    floor = frechet_distance(classify(classifier, clips.others).features, recognised_corpus.features)
    report = ModelReport(
        model=settings.model,
        clips=len(tasks),
        clips_per_class=settings.clips_per_class,
        seed=settings.seed,
        steps=settings.steps,
        guidance=settings.guidance,
        sampler=settings.sampler,
        accuracy=_share_right(truths, recognised.names),
        accuracy_corpus=_share_right(truths, recognised_corpus.names),
        frechet=frechet_distance(recognised.features, recognised_corpus.features),
        frechet_corpus=floor,
        clap_score=float(clap_scores(clap, generated, SAMPLE_RATE, prompts).mean()),
        clap_score_corpus=float(clap_scores(clap, corpus, SAMPLE_RATE, prompts).mean()),
        silent=sum(bool(np.abs(waveform).max() < SILENT_PEAK) for waveform in generated),
        classes=class_rows(truths, recognised.names),
        judged=measure("judge", _as_features(recognised), _as_features(recognised_corpus), paired=True),
        draft=settings.draft,
        seconds=settings.seconds,
        attributes=attribute_rows([task.spoken for task in tasks], recognised.attributes, recognised_corpus.attributes),
        reconstruction=_reconstruction(clips, recognised_corpus, classifier),
        gradients=gradient_rows(truths, generated, corpus),
        gradients_corpus=gradient_rows(truths, clips.others, corpus),  # classes take turns among them, too
        gradients_reconstructed=gradient_rows(truths, clips.reconstructed, clips.others),
        clap_recall=class_recall(clap, corpus, SAMPLE_RATE, prompts, truths),
    )
    return Evaluation(report, tuple(prompts), tuple(truths), tuple(generated), tuple(corpus))


def _reconstruction(clips: _EvaluationClips, reference: Classification, classifier: SoundClassifier) -> Reconstruction:
    """The distance to corpus clips other than its own, as for generated clips: equal numbers, and no pairs."""
    rows = [_distances(made, clip) for made, clip in zip(clips.reconstructed, clips.others, strict=True)]
    lsd_db, l1 = np.mean(rows, axis=0).tolist()
    return Reconstruction(
        frechet_distance(classify(classifier, clips.reconstructed).features, reference.features), lsd_db, l1
    )


def _distances(made: Waveform, clip: Waveform) -> tuple[float, float]:
    """Log-spectral distance in dB and mel L1; each raises NotFiniteError for what is not a number."""
    length = min(len(made), len(clip))
    sides = [torch.from_numpy(side[None, :length]) for side in (made, clip)]
    return log_spectral_distance(sides[0], sides[1]).item(), mel_l1(sides[0], sides[1]).item()


def _as_features(result: Classification) -> ExtractedFeatures:
    rows = tuple(row[None] for row in result.features)
    return ExtractedFeatures(result.features, rows, result.logits)


def _share_right(truths: Sequence[str], recognised: Sequence[str]) -> float:
    return sum(truth == name for truth, name in zip(truths, recognised, strict=True)) / len(truths)
