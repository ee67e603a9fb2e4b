"""Generate: a sound from words alone."""

import math
from typing import Any

import numpy as np

from engine.audio import Audio
from engine.model import SoundModel, require_possible
from engine.operations.air_spectra import FULL_RATE
from engine.operations.condition import condition_of
from engine.operations.follow import following, require_curves
from engine.operations.full_band import full_band
from engine.operations.loudness import level_of, set_loudness
from engine.operations.mel_rendering import rendering_of
from engine.operations.progress import ProgressReporter
from engine.operations.rendering import AIR, Rendering
from engine.operations.splice import FULL_SCALE, limit_peak
from engine.operations.tries import Tries, tries_of
from engine.operations.width import widened, widening
from engine.requests import Generate
from engine.wav_writer import Samples

EDGE_S = 0.003  # seconds of fade at both ends, so that a take neither starts nor stops with a click


def generate(model: SoundModel[Any], request: Generate, reporter: ProgressReporter) -> list[Audio]:
    """Noise -> latent -> waveform, cut to length; the best candidate first."""
    tries = tries_at(model, request, reporter)
    while (trial := tries.next()) is not None:
        tries.record(trial.sample(trial.noise(), trial.schedule()), trial.candidates)
    return takes_of(tries, request)


def tries_at(model: SoundModel[Any], request: Generate, reporter: ProgressReporter) -> Tries:
    """What is to be sampled, perhaps more than once."""
    require_curves(model, request)
    require_possible(model, request)
    num_samples = round(request.seconds * model.sample_rate)
    condition = condition_of(model, request.prompt, request)
    rendering = rendering_of(model, condition, request, reporter, num_samples, model.channels)
    rendering = widening(following(rendering, request), float(request.width))
    return Tries(rendering, tries_of(rendering, request.tries))


def takes_of(tries: Tries, request: Generate) -> list[Audio]:
    """The candidates, each the best of its tries; the best of them first."""
    rendering, latent = tries.best()
    waveforms = list(rendering.waveforms(latent))  # [C', T'] each
    ranked = rendering.rank([waveform.mean(axis=0) for waveform in waveforms])
    wide = widened(rendering, waveforms, float(request.width))
    settings: dict[str, Any] = {"seconds": float(request.seconds), "tries": tries.limit}
    settings |= {"width": float(request.width)} if request.width else {}
    settings |= {"follow_what": request.follow_what} if request.follow is not None else {}
    like = request.like if rendering.condition.settings.get("like_weight") else None  # at weight 0 it has no effect
    return [
        Audio(
            *finished(*_with_air(rendering, wide[place], place, request.seconds), like),
            rendering.provenance("generate", rendering.candidates[place], score, settings),
        )
        for place, score in ranked
    ]


def _with_air(rendering: Rendering, waveform: Samples, place: int, seconds: float) -> tuple[Samples, int]:
    """Waveform [C, T'] of a candidate -> [C, T] with its highs, and the rate; at the model's where there are none."""
    rate = rendering.model.sample_rate
    if not rendering.makes_air:
        return waveform, rate
    carrier = rendering.generator(rendering.candidates[place], AIR)
    return full_band(waveform, rate, carrier, round(seconds * FULL_RATE)), FULL_RATE


def finished(waveform: Samples, sample_rate: int, like: Audio | None) -> tuple[Samples, int]:
    """Waveform [C, T] with faded ends, never beyond full scale, as loud as what it is to be like; and its rate."""
    size = round(EDGE_S * sample_rate)
    edge = np.sin((np.arange(size) + 0.5) * (np.pi / 2 / size)).astype(np.float32) ** 2
    faded = waveform.copy()
    faded[:, :size] *= edge
    faded[:, -size:] *= edge[::-1]
    if like is not None:
        # A mono take plays on both sides, so it is as loud as the source's channels are on average.
        lufs = level_of(like.samples, like.sample_rate).lufs + 10 * math.log10(len(faded) / like.num_channels)
        set_loudness(faded, lufs, FULL_SCALE, sample_rate)
    return limit_peak(faded), sample_rate
