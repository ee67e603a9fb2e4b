"""Generate, restyle, vary and inpaint with any model; the surroundings stay, bit for bit.

The noise level does what strength says (SDEdit, Meng et al. 2022), and inpainting is what a net with a native mask
was trained for: the rows of the latent that stay are given to it, at every step and at no cost.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import torch

from engine.audio import Audio
from engine.model import SoundModel, require_possible
from engine.operations.bands import keep_band
from engine.operations.excerpt import Excerpt, take_excerpt
from engine.operations.fitting import LEAST_CEILING, ease_ends, fit, hush_ends, level_for
from engine.operations.flow_rendering import FlowRendering
from engine.operations.generate import finished
from engine.operations.loudness import Level, level_of
from engine.operations.progress import ProgressReporter
from engine.operations.regions import excerpt_around, group_regions
from engine.operations.restyle import CONTEXT_S
from engine.operations.sampling import AIR
from engine.operations.splice import LONGEST_FADE_S, ceiling_of, loudest, splice
from engine.operations.surroundings import beside, offset_line
from engine.requests import Generate, Inpaint, Restyle, Vary
from engine.requests.clip_checks import require_audible, require_region
from engine.requests.regions import Region, merge_regions
from engine.wav_writer import Samples

CONTEXT_SHARE = 1 / 8  # of the longest sound at once: the least context on either side of a region
LONGEST_CONTEXT_S = 10.0  # seconds on either side; further away nothing is heard of a region, and rows cost time


def generate_stereo(model: SoundModel[Any], request: Generate, reporter: ProgressReporter) -> list[Audio]:
    """Noise -> latent -> waveform, cut to length; the best first, or in order where nothing ranks them."""
    require_possible(model, request)
    num_samples = round(request.seconds * model.sample_rate)
    rendering = FlowRendering(model, request.prompt, request, reporter, num_samples)
    waveforms = rendering.waveforms(rendering.sample(rendering.noise(), rendering.schedule()))
    settings = {"seconds": float(request.seconds)}
    return [
        Audio(
            *finished(waveforms[candidate], model.sample_rate, None),
            rendering.provenance("generate", candidate, score, settings),
        )
        for candidate, score in rendering.rank(list(waveforms))
    ]


def restyle_stereo(model: SoundModel[Any], request: Restyle, reporter: ProgressReporter) -> list[Audio]:
    """Move the clip, or a region of it, towards the prompt; strength is the noise level it starts from."""
    require_possible(model, request)
    return _moved(model, request, reporter, "restyle")


def vary_stereo(model: SoundModel[Any], request: Vary, reporter: ProgressReporter) -> list[Audio]:
    """The same towards the words that are given, or none.

    Raises:
        SilentClipError: the region is silent; there is nothing to vary.
    """
    require_possible(model, request)
    start, end = require_region(request.clip, request.start_s, request.end_s)
    require_audible(Audio(request.clip.samples[:, start:end], request.clip.sample_rate), "the clip")
    return _moved(model, request, reporter, "vary")


def inpaint_stereo(model: SoundModel[Any], request: Inpaint, reporter: ProgressReporter) -> list[Audio]:
    """Fill each group of neighbouring regions in one excerpt, and splice them in."""
    require_possible(model, request)
    clip, rate = request.clip, request.clip.sample_rate
    reach = math.floor(model.window_rows * model.samples_per_row * rate / model.sample_rate)
    context = min(math.ceil(reach * CONTEXT_SHARE), round(LONGEST_CONTEXT_S * rate))
    regions = merge_regions(request.sample_regions())
    groups = group_regions(regions, reach, context)
    takes, whole = [clip.samples] * request.candidates, []
    for index, group in enumerate(groups):
        within = group[-1][1] - group[0][0] + 2 * context
        excerpt = take_excerpt(clip, *excerpt_around(group, clip.num_samples, within, context), model.sample_rate, None)
        part = reporter.part(index, len(groups))
        size = excerpt.waveform.shape[1]
        rendering = FlowRendering(model, request.prompt, request, part, size, excerpt.num_channels, excerpt_index=index)
        made = _filled(rendering, excerpt, group)
        whole.append(made)
        takes = [
            _spliced(rendering, excerpt, waveform, samples, (group, regions), request.keep_air)
            for samples, waveform in zip(takes, made, strict=True)
        ]
    ranked = rendering.rank(list(np.concatenate(whole, axis=-1)))
    settings = {"regions": [list(region) for region in request.regions], "keep_air": bool(request.keep_air)}
    return [
        replace(clip, samples=takes[candidate], story=rendering.provenance("inpaint", candidate, score, settings))
        for candidate, score in ranked
    ]


def _moved(model: SoundModel[Any], request: Restyle | Vary, reporter: ProgressReporter, operation: str) -> list[Audio]:
    """Encode, noise, denoise, decode, match, splice. Strength 0 is the clip, bit for bit."""
    clip, strength = request.clip, float(request.strength)
    start, end = require_region(clip, request.start_s, request.end_s)
    margin = round(CONTEXT_S * clip.sample_rate)
    excerpt = take_excerpt(clip, start - margin, end + margin, model.sample_rate, None)
    rendering = FlowRendering(model, request.prompt, request, reporter, excerpt.waveform.shape[1], excerpt.num_channels)
    settings = _settings(request)
    if strength == 0:
        stories = (
            rendering.provenance(operation, candidate, None, settings) for candidate in range(request.candidates)
        )
        return [replace(clip, story=story) for story in stories]
    latent = rendering.encode(excerpt.waveform)
    schedule = rendering.schedule(strength)
    noised = schedule.levels[0].mix(rendering.for_each(latent), rendering.noise())
    waveforms = rendering.waveforms(rendering.sample(noised, schedule))
    takes = []
    for candidate, score in rendering.rank(list(waveforms)):
        made = _restored(excerpt, waveforms[candidate])[:, start - excerpt.start : end - excerpt.start]
        sides = beside(clip.samples, (start, end), clip.sample_rate)
        fitted = _fitted(rendering, clip, made, (start, end), sides, None, request.keep_air)
        story = rendering.provenance(operation, candidate, score, settings)
        takes.append(replace(clip, samples=splice(clip.samples, fitted, start, clip.sample_rate), story=story))
    return takes


def _filled(rendering: FlowRendering, excerpt: Excerpt, group: list[Region]) -> Samples:
    """The excerpt with its regions replaced: waveforms [n, C', T']."""
    latent = rendering.encode(excerpt.waveform)
    keep = torch.ones(latent.shape[2])
    row = rendering.model.samples_per_row
    for start, end in group:
        first, last = excerpt.model_position(start) / row, excerpt.model_position(end) / row
        keep[math.floor(first) : math.ceil(last)] = 0
    keep[math.ceil(rendering.num_samples / row) :] = 0  # nothing is known beyond the excerpt
    return rendering.waveforms(rendering.sample(rendering.noise(), rendering.schedule(), latent, keep))


def _spliced(
    rendering: FlowRendering,
    excerpt: Excerpt,
    waveform: Samples,
    samples: Samples,
    regions: tuple[list[Region], list[Region]],
    keep_air: bool,
) -> Samples:
    """Samples [C, T] -> a copy with the excerpt's regions, the first of the two lists, in their places."""
    clip, made = excerpt.clip, _restored(excerpt, waveform)
    for start, end in regions[0]:
        sides = beside(clip.samples, (start, end), clip.sample_rate, regions[1])
        inside = np.ascontiguousarray(made[:, start - excerpt.start : end - excerpt.start])
        fade = min(round(LONGEST_FADE_S * clip.sample_rate), inside.shape[1] // 4)
        hush_ends(inside, fade, start=start > 0, end=end < clip.num_samples)
        wanted = level_for(clip.samples[:, start:end], sides, clip.sample_rate)
        fitted = _fitted(rendering, clip, inside, (start, end), sides, wanted, keep_air)
        samples = splice(samples, fitted, start, clip.sample_rate)
    return samples


def _restored(excerpt: Excerpt, waveform: Samples) -> Samples:
    """Waveform [C', T'] -> [C, t] at the clip's rate, level and channels; one sound in two channels stays one."""
    return excerpt.restore(waveform if excerpt.num_channels == len(waveform) else waveform.mean(axis=0, keepdims=True))


def _fitted(
    rendering: FlowRendering,
    clip: Audio,
    made: Samples,
    region: Region,
    sides: tuple[Samples, Samples],
    wanted: Level | None,
    keep_air: bool,
) -> Samples:
    """What was made [C, t], as loud as wanted (as what it replaces if None), on the clip's own offset.

    At the clip's ends it begins and ends as softly as the clip. With `keep_air` the clip keeps what lies above the
    model's band.
    """
    rate, top_hz = clip.sample_rate, rendering.model.sample_rate / 2
    start, end = region
    replaced = clip.samples[:, start:end]
    offset = offset_line(sides, replaced, rate)
    replacement = np.ascontiguousarray(made)
    ceiling = max(ceiling_of(clip.samples) - loudest(offset), LEAST_CEILING)
    kept = replaced - keep_band(replaced, rate, None, top_hz) if keep_air and rate / 2 > top_hz else 0.0
    level = level_of(replaced, rate) if wanted is None else wanted
    fit(replacement, level, rate, ceiling, carrier=rendering.generator(0, AIR))
    at_start, at_end = start == 0, end == clip.num_samples
    ease_ends(replacement, replaced, rate, start=at_start, end=at_end, resting_on=offset + kept)
    fitted: Samples = (replacement + offset + kept).astype(clip.samples.dtype, copy=False)
    return fitted


def _settings(request: Restyle | Vary) -> Mapping[str, Any]:
    region = {"start_s": request.start_s, "end_s": request.end_s}
    given = {name: float(value) for name, value in region.items() if value is not None}
    structure = {"structure": 0.0} if isinstance(request, Restyle) else {}
    return {"strength": float(request.strength), **structure, **given, "keep_air": bool(request.keep_air)}


STEREO_OPERATIONS: dict[type, Callable[..., list[Audio]]] = {
    Generate: generate_stereo,
    Restyle: restyle_stereo,
    Inpaint: inpaint_stereo,
    Vary: vary_stereo,
}
