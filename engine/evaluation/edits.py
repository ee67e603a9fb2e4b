"""A model's editing of held-out corpus clips: restyled to another sound, and filled where a gap was cut."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from engine.audio import Audio
from engine.errors import CancelledError, InvalidRequestError
from engine.evaluation.classifier import SAMPLE_RATE, SoundClassifier, classify, mono_16_khz
from engine.evaluation.contours import border_jump_db, envelope_likeness, loudness_envelope
from engine.evaluation.edit_report import EditReport, InpaintFigures, RestyleFigures
from engine.evaluation.evaluation_errors import TooFewClipsError
from engine.evaluation.frechet import frechet_distance
from engine.evaluation.report import class_rows
from engine.requests import Inpaint, Restyle
from engine.sounds import SOUNDS, Sound, captions, render

FIRST_SEED = 13_000_000  # corpus clips that are edited; neither training nor `evaluate` uses them
SEEDS_A_RUN = 10_000
SECONDS = 5.12
GAP_S = 1.0
CONTEXT_S = 0.5  # seconds evaluated on either side of a gap

Waveform = NDArray[np.float32]  # [T] at 16 kHz


class CorpusEditor(Protocol):
    """The part of the engine that is put to the test."""

    def run(self, request: Restyle | Inpaint) -> list[Audio]: ...


@dataclass(frozen=True)
class EditSettings:
    """Settings of the evaluation."""

    clips_per_class: int = 4
    seed: int = 1
    sounds: tuple[str, ...] = SOUNDS
    strength: float = 0.6
    structure: float | None = None  # of the restyling; None: the model's default
    steps: int | None = None  # None: the model's default
    guidance: float | None = None
    sampler: str | None = None
    model: str = "nano"  # as the report calls it

    def __post_init__(self) -> None:
        if len(self.sounds) < 2:
            raise InvalidRequestError("sounds", ",".join(self.sounds), "at least two, to restyle one to another")
        if self.clips_per_class < 1:
            raise TooFewClipsError("the evaluation", self.clips_per_class * len(self.sounds), 2)


def evaluate_edits(
    engine: CorpusEditor,
    classifier: SoundClassifier,
    settings: EditSettings,
    *,
    on_clip: Callable[[int, int], None] | None = None,
    should_stop: Callable[[], bool] | None = None,
) -> EditReport:
    """Restyle and inpaint each of the clips once; one candidate each, nothing is chosen after the fact.

    Raises CancelledError when `should_stop` returns True.
    """
    clips = _clips(settings)
    restyles, inpaints = _restyles(settings, clips), _inpaints(settings, clips)
    requests: list[Restyle | Inpaint] = [request for pair in zip(restyles, inpaints, strict=True) for request in pair]
    made = []
    for index, request in enumerate(requests):
        if should_stop and should_stop():
            raise CancelledError
        made.append(mono_16_khz(engine.run(request)[0]))
        if on_clip:
            on_clip(index + 1, len(requests))
    return EditReport(
        model=settings.model,
        clips_per_class=settings.clips_per_class,
        seed=settings.seed,
        steps=settings.steps,
        guidance=settings.guidance,
        sampler=settings.sampler,
        restyle=_restyle_figures(settings, clips, made[::2], classifier),
        inpaint=_inpaint_figures(clips, inpaints, made[1::2], classifier),
    )


def _clips(settings: EditSettings) -> list[Sound]:
    """Held-out corpus clips, classes taking turns; whole ones, as a gap in the silence after an event says nothing."""
    first, count = FIRST_SEED + SEEDS_A_RUN * settings.seed, settings.clips_per_class * len(settings.sounds)
    names = [settings.sounds[k % len(settings.sounds)] for k in range(count)]
    return [render(name, first + k, SECONDS, SAMPLE_RATE, is_edited=False) for k, name in enumerate(names)]


def _knobs(settings: EditSettings, index: int) -> dict[str, Any]:
    seed = settings.seed * SEEDS_A_RUN + index
    return {"seed": seed, "steps": settings.steps, "guidance": settings.guidance, "sampler": settings.sampler}


def _targets(settings: EditSettings) -> list[str]:
    """For each clip another sound than its own; every sound is as often a target as a source."""
    sounds = settings.sounds
    shifts = np.random.default_rng(settings.seed).integers(1, len(sounds), settings.clips_per_class)
    return [sounds[(place + shift) % len(sounds)] for shift in shifts.tolist() for place in range(len(sounds))]


def _restyles(settings: EditSettings, clips: Sequence[Sound]) -> list[Restyle]:
    requests = []
    for index, (clip, target) in enumerate(zip(clips, _targets(settings), strict=True)):
        prompt = captions(target, {}, clip.seed, held_out=True)[0]
        source = Audio(clip.waveform, clip.sample_rate)
        requests.append(
            Restyle(source, prompt, settings.strength, structure=settings.structure, **_knobs(settings, index))
        )
    return requests


def _inpaints(settings: EditSettings, clips: Sequence[Sound]) -> list[Inpaint]:
    """A gap of a second at a random place with room on either side, and a held-out wording of the clip."""
    random = np.random.default_rng(settings.seed)
    requests = []
    for index, clip in enumerate(clips):
        start_s = round(float(random.uniform(CONTEXT_S, SECONDS - GAP_S - CONTEXT_S)), 2)
        prompt = captions(clip.name, clip.attributes, clip.seed, held_out=True)[0]
        source, region = Audio(clip.waveform, clip.sample_rate), (start_s, start_s + GAP_S)
        requests.append(Inpaint(source, prompt, regions=[region], **_knobs(settings, index)))
    return requests


def _restyle_figures(
    settings: EditSettings, clips: Sequence[Sound], made: Sequence[Waveform], classifier: SoundClassifier
) -> RestyleFigures:
    recognised, targets = classify(classifier, made).names, _targets(settings)
    rows = class_rows(targets, recognised)
    envelopes = [[loudness_envelope(one, SAMPLE_RATE) for one in side] for side in ([c.waveform for c in clips], made)]
    likeness, chance = envelope_likeness(*envelopes)
    return RestyleFigures(
        clips=len(clips),
        strength=settings.strength,
        as_target=sum(row.right for row in rows) / len(clips),
        as_source=sum(name == clip.name for name, clip in zip(recognised, clips, strict=True)) / len(clips),
        envelope=likeness,
        envelope_chance=chance,
        classes=rows,
    )


def _inpaint_figures(
    clips: Sequence[Sound], requests: Sequence[Inpaint], made: Sequence[Waveform], classifier: SoundClassifier
) -> InpaintFigures:
    corpus = [clip.waveform for clip in clips]
    gaps = [request.sample_regions()[0] for request in requests]
    silenced = [_silenced(waveform, *gap) for waveform, gap in zip(corpus, gaps, strict=True)]
    wholes = [classify(classifier, side).features for side in (corpus, made, silenced)]
    windows = [classify(classifier, _around(side, gaps)).features for side in (corpus, made, silenced)]
    jumps, jumps_corpus = (
        [border_jump_db(one, SAMPLE_RATE, border) for one, gap in zip(side, gaps, strict=True) for border in gap]
        for side in (made, corpus)
    )
    return InpaintFigures(
        clips=len(clips),
        hole_s=GAP_S,
        context_s=CONTEXT_S,
        filled=frechet_distance(windows[1], windows[0]),
        silenced=frechet_distance(windows[2], windows[0]),
        filled_clips=frechet_distance(wholes[1], wholes[0]),
        silenced_clips=frechet_distance(wholes[2], wholes[0]),
        jump_db=float(np.mean(jumps)),
        jump_corpus_db=float(np.mean(jumps_corpus)),
    )


def _silenced(waveform: Waveform, start: int, end: int) -> Waveform:
    copy = waveform.copy()
    copy[start:end] = 0
    return copy


def _around(waveforms: Sequence[Waveform], gaps: Sequence[tuple[int, int]]) -> list[Waveform]:
    """Each gap with its surroundings: all of one length."""
    context = round(CONTEXT_S * SAMPLE_RATE)
    return [one[start - context : end + context] for one, (start, end) in zip(waveforms, gaps, strict=True)]
