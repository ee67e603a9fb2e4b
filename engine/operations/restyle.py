"""Restyle: a clip, or a region of it, moved towards a prompt by SDEdit (Meng et al. 2022), its contour held.

The clip's latent is noised to n0 = strength · N and denoised from there towards the prompt: the shallow reverse process
of AudioLDM (Liu et al. 2023, §3.5). Little strength keeps the clip's gestures, full strength keeps its length only.
With structure there is more noise than that, and the clip's rise and fall in loudness is kept at every strength.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from engine.audio import Audio
from engine.model import SoundModel, require_possible
from engine.operations.bands import keep_band
from engine.operations.condition import condition_of
from engine.operations.contour import SAMPLER, Contour
from engine.operations.excerpt import Excerpt, take_excerpt
from engine.operations.fitting import LEAST_CEILING, air_beside, ease_ends, fit
from engine.operations.log_mels import air_from, sketches
from engine.operations.loudness import level_of
from engine.operations.mel_rendering import rendering_of
from engine.operations.progress import ProgressReporter
from engine.operations.rendering import AIR, Rendering
from engine.operations.splice import ceiling_of, loudest, splice
from engine.operations.surroundings import beside, offset_line
from engine.requests import Restyle, Vary
from engine.requests.clip_checks import require_region
from engine.requests.regions import Region
from engine.wav_writer import Samples

MADE_SILENCE_LUFS = -90.0  # a decoder's silence is some 10 dB below
CONTEXT_S = 0.16  # seconds on either side of a region that are encoded with it and thrown away again


def restyle(model: SoundModel[Any], request: Restyle, reporter: ProgressReporter) -> list[Audio]:
    """Move the clip towards the prompt; the best candidate first."""
    structure = model.habits.structure if request.structure is None else float(request.structure)
    if structure > 0 and sketches(model) and request.sampler is None:
        request = replace(request, sampler=SAMPLER)
    return move(model, request, reporter, "restyle", structure)


def move(
    model: SoundModel[Any], request: Restyle | Vary, reporter: ProgressReporter, operation: str, structure: float
) -> list[Audio]:
    """Encode, noise, denoise, decode, match, splice; the best candidate first. Strength 0 is the clip, bit for bit."""
    require_possible(model, request)
    clip, settings = request.clip, _settings(request, structure)
    start, end = require_region(clip, request.start_s, request.end_s)
    margin = round(CONTEXT_S * clip.sample_rate)
    excerpt = take_excerpt(clip, start - margin, end + margin, model.sample_rate, model.habits.peak)
    condition = condition_of(model, request.prompt, request)
    rendering = rendering_of(model, condition, request, reporter, excerpt.waveform.shape[1], excerpt.num_channels)
    if request.strength == 0:
        provenances = (rendering.provenance(operation, i, None, settings) for i in range(request.candidates))
        return [replace(clip, story=provenance) for provenance in provenances]

    waveforms, doubts = _moved(rendering, excerpt, float(request.strength), structure)
    excerpt = excerpt.without_sound()
    inside = slice(round(excerpt.model_position(start)), round(excerpt.model_position(end)))
    takes = []
    for candidate, score in rendering.rank([waveform[:, inside].mean(axis=0) for waveform in waveforms]):
        carrier = rendering.generator(rendering.candidates[candidate], AIR)
        replacement = _fitted(rendering, excerpt, waveforms[candidate], (start, end), request.keep_air, carrier)
        samples = splice(clip.samples, replacement, start, clip.sample_rate)
        provenance = rendering.provenance(operation, candidate, score, settings)
        provenance["warnings"] += doubts[candidate]
        takes.append(replace(clip, samples=samples, story=provenance))
    return takes


def _moved(
    rendering: Rendering, excerpt: Excerpt, strength: float, structure: float
) -> tuple[Samples, list[list[str]]]:
    """The excerpt moved towards the prompt, waveforms [n, C', T'], and what each candidate's story is to warn of.

    A net that is unsure may make silence of a short clip, and no pull lifts that: such a candidate is made once more
    without structure, with less noise.
    """
    encoded = rendering.for_each(rendering.encode(excerpt.waveform))
    contour = rendering.contour(excerpt.waveform, structure)
    waveforms = _sampled(rendering, encoded, rendering.depth(strength, structure), contour)
    doubts: list[list[str]] = [[] for _ in waveforms]
    if contour is None or level_of(excerpt.waveform, excerpt.model_rate).lufs < MADE_SILENCE_LUFS:
        return waveforms, doubts
    silent = [level_of(one, excerpt.model_rate).lufs < MADE_SILENCE_LUFS for one in waveforms]
    if any(silent):
        again = _sampled(rendering, encoded, strength, None)
        for candidate in np.flatnonzero(silent):
            waveforms[candidate] = again[candidate]
            doubts[candidate].append(f"with structure {structure:g} this came out silent; it was made without")
    return waveforms, doubts


def _sampled(rendering: Rendering, encoded: Tensor, depth: float, contour: Contour | None) -> Samples:
    """A latent [B, Z, H, ...] noised to a share of the way and sampled from there: waveforms [n, C', T']."""
    schedule = rendering.schedule(depth)
    x = schedule.levels[0].mix(encoded, rendering.noise())
    return rendering.waveforms(rendering.sample(x, schedule, contour=contour), contour)


def _fitted(
    rendering: Rendering,
    excerpt: Excerpt,
    waveform: Samples,
    region: Region,
    keep_air: bool,
    carrier: torch.Generator,
) -> Samples:
    """Waveform [C', T'] -> the region's replacement [C, t], at the level and constant offset of the clip there.

    Above the model's band it stays what it was, or it gets air like the clip's around it, or like its own if the region
    is the whole clip.
    """
    air_from_hz = air_from(rendering.model, excerpt.clip.sample_rate)
    clip, inside = excerpt.clip, slice(region[0] - excerpt.start, region[1] - excerpt.start)
    rate, source = clip.sample_rate, clip.samples[:, excerpt.start : excerpt.end]
    replaced, replacement = source[:, inside], excerpt.restore(waveform)
    sides = beside(clip.samples, region, rate)
    offset = offset_line(sides, replaced, rate)
    ceiling = max(ceiling_of(clip.samples) - loudest(offset), LEAST_CEILING)
    if keep_air and air_from_hz is not None:
        body = keep_band(source, rate, None, air_from_hz)[:, inside]
        replacement = keep_band(replacement, rate, None, air_from_hz)[:, inside]
        fit(replacement, level_of(body, rate), rate, ceiling, carrier=carrier)
        replacement += replaced - body
    else:
        replacement = replacement[:, inside]  # from here on in place: it may last ten minutes
        air = None if air_from_hz is None else air_beside(sides, replaced, rate, air_from_hz)
        fit(replacement, level_of(replaced, rate), rate, ceiling, air, carrier=carrier, learned=rendering.makes_air)
    at_start, at_end = region[0] == 0, region[1] == clip.num_samples
    ease_ends(replacement, replaced, rate, start=at_start, end=at_end, resting_on=offset)
    replacement += offset
    return replacement


def _settings(request: Restyle | Vary, structure: float) -> Mapping[str, Any]:
    """What a restyle has beyond any request's settings."""
    region = {"start_s": request.start_s, "end_s": request.end_s}
    given = {name: float(value) for name, value in region.items() if value is not None}
    return {"strength": float(request.strength), "structure": structure, **given, "keep_air": bool(request.keep_air)}
