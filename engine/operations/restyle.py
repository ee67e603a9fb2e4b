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
from engine.audioldm import AudioLDM
from engine.operations.bands import air_hz, keep_band
from engine.operations.condition import condition_of
from engine.operations.contour import SAMPLER, Contour, depth_of
from engine.operations.excerpt import Excerpt, take_excerpt
from engine.operations.fitting import LEAST_CEILING, air_beside, ease_ends, fit
from engine.operations.loudness import level_of
from engine.operations.progress import ProgressReporter
from engine.operations.sampling import AIR, Rendering
from engine.operations.splice import ceiling_of, loudest, splice
from engine.operations.surroundings import beside, offset_line
from engine.requests import Restyle
from engine.requests.clip_checks import require_region
from engine.requests.regions import Region
from engine.wav_writer import Samples

MADE_SILENCE_LUFS = -90.0  # a decoder's silence is some 10 dB below
CONTEXT_S = 0.16  # seconds on either side of a region that are encoded with it and thrown away again


def restyle(model: AudioLDM, request: Restyle, reporter: ProgressReporter) -> list[Audio]:
    """Move the clip towards the prompt; the best candidate first."""
    return move(model, request, reporter, "restyle")


def move(model: AudioLDM, request: Restyle, reporter: ProgressReporter, operation: str) -> list[Audio]:
    """Encode, noise, denoise, decode, match, splice; the best candidate first. Strength 0 is the clip, bit for bit."""
    clip, config = request.clip, model.config
    structure = config.default_structure if request.structure is None else float(request.structure)
    if structure > 0 and model.sketches and request.sampler is None:
        request = replace(request, sampler=SAMPLER)
    settings = _settings(request, structure)
    start, end = require_region(clip, request.start_s, request.end_s)
    margin = round(CONTEXT_S * clip.sample_rate)
    excerpt = take_excerpt(clip, start - margin, end + margin, model.sample_rate, config.normalise_peak)
    condition = condition_of(model, request.prompt, request)
    rendering = Rendering(model, condition, request, reporter, excerpt.waveform.shape[1], excerpt.num_channels)
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
    encoded = rendering.encode(excerpt.waveform).repeat(rendering.sampling.candidates, 1, 1, 1)
    contour = rendering.contour(excerpt.waveform, structure)
    waveforms = _sampled(
        rendering, encoded, depth_of(strength, structure if rendering.model.sketches else 0.0), contour
    )
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
    """A latent [B, Z, H, W] noised to a share of the way and sampled from there: waveforms [n, C', T']."""
    timesteps = rendering.timesteps(depth)
    x = rendering.model.config.schedule.level(timesteps[0]).mix(encoded, rendering.noise())
    return rendering.waveforms(rendering.sample(x, timesteps, contour=contour), contour)


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
    air_from_hz = air_hz(rendering.model.config.mel)
    clip, inside = excerpt.clip, slice(region[0] - excerpt.start, region[1] - excerpt.start)
    rate, source = clip.sample_rate, clip.samples[:, excerpt.start : excerpt.end]
    replaced, replacement = source[:, inside], excerpt.restore(waveform)
    sides = beside(clip.samples, region, rate)
    offset = offset_line(sides, replaced, rate)
    ceiling = max(ceiling_of(clip.samples) - loudest(offset), LEAST_CEILING)
    if keep_air:
        body = keep_band(source, rate, None, air_from_hz)[:, inside]
        replacement = keep_band(replacement, rate, None, air_from_hz)[:, inside]
        fit(replacement, level_of(body, rate), rate, ceiling, carrier=carrier)
        replacement += replaced - body
    else:
        replacement = replacement[:, inside]  # from here on in place: it may last ten minutes
        air = air_beside(sides, replaced, rate, air_from_hz)
        fit(replacement, level_of(replaced, rate), rate, ceiling, air, carrier=carrier, learned=rendering.makes_air)
    at_start, at_end = region[0] == 0, region[1] == clip.num_samples
    ease_ends(replacement, replaced, rate, start=at_start, end=at_end, resting_on=offset)
    replacement += offset
    return replacement


def _settings(request: Restyle, structure: float) -> Mapping[str, Any]:
    """What a restyle has beyond any request's settings."""
    region = {"start_s": request.start_s, "end_s": request.end_s}
    given = {name: float(value) for name, value in region.items() if value is not None}
    return {"strength": float(request.strength), "structure": structure, **given, "keep_air": bool(request.keep_air)}
