"""Inpaint: regions of a clip made anew from a prompt, in their surroundings; everything else stays, bit for bit.

At every step the observed latent, at the noise level that was reached, replaces what the model made there (Liu et al.
2023, §3.5; Lugmayr et al. 2022, equation 8), with the same noise throughout, as deterministic samplers want it.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from engine.audio import Audio
from engine.audioldm import AudioLDM
from engine.diffusion.samplers import Impose
from engine.diffusion.schedule import mix_noise
from engine.errors import ClipTooLongError, InvalidRequestError
from engine.mel import slaney_filterbank
from engine.operations.bands import air_hz, keep_band
from engine.operations.excerpt import Excerpt, take_excerpt
from engine.operations.progress import Pulse
from engine.operations.regions import Region, group_regions, merge_regions, stretch_around
from engine.operations.request import (
    LONGEST_S,
    Sampling,
    require_clip,
    require_number,
    require_prompt,
    require_region,
)
from engine.operations.sampling import Rendering
from engine.operations.splice import match_loudness, splice
from engine.wav_writer import Samples

NEIGHBOURHOOD_S = 0.5  # seconds on either side whose loudness a region takes on
LOUDNESS_LIMITS_DB = 12.0, 24.0  # down, up: an event may stand out of its neighbourhood, but must be heard in it
CONTEXT_SHARE = 1 / 8  # of the model's window: what it hears at least on either side of a region
LOWEST_HZ, HIGHEST_HZ = 20.0, 200_000.0


@dataclass(frozen=True)
class Inpaint(Sampling):
    """The clip with its regions replaced, in all frequencies or in a band.

    Inpaint(clip, "glass breaks", regions=[(1.0, 2.0)])
    Inpaint(clip, "birds", regions=[(0.5, 1.0), (3.0, 4.5)])
    Inpaint(clip, "wind", regions=[(0.0, 3.0)], high_hz=500)     only what lies below 500 Hz
    """

    clip: Audio
    prompt: str
    regions: Sequence[tuple[float, float]]  # seconds, from and to; in any order, they may overlap
    low_hz: float | None = None  # only from here
    high_hz: float | None = None  # only up to here
    keep_air: bool = False  # what lies above the model's band stays the clip's own

    def __post_init__(self) -> None:
        super().__post_init__()
        object.__setattr__(self, "prompt", require_prompt(self.prompt))
        require_clip(self.clip)
        object.__setattr__(self, "regions", _parse_regions(self.regions))
        seconds = sum(end - start for start, end in self.sample_regions()) / self.clip.sample_rate
        if seconds > LONGEST_S:
            raise ClipTooLongError(seconds, LONGEST_S)
        if self.low_hz is not None:
            require_number("low_hz", self.low_hz, 0, HIGHEST_HZ)
        if self.high_hz is not None:
            require_number("high_hz", self.high_hz, LOWEST_HZ, HIGHEST_HZ)
        if self.low_hz is not None and self.high_hz is not None and self.low_hz >= self.high_hz:
            raise InvalidRequestError("high_hz", self.high_hz, f"more than low_hz, {self.low_hz:g}")

    def sample_regions(self) -> list[Region]:
        """The regions in samples of the clip, in order, none touching another."""
        return merge_regions(require_region(self.clip, start_s, end_s) for start_s, end_s in self.regions)

    def in_band(self, samples: Samples) -> Samples:
        """Samples [C, T] at the clip's rate -> what of them is to be replaced, [C, T]."""
        return keep_band(samples, self.clip.sample_rate, self.low_hz, self.high_hz)


@dataclass(frozen=True, eq=False)
class _Stretch:
    """Neighbouring regions, and all candidates for them."""

    regions: list[Region]
    excerpt: Excerpt
    waveforms: Samples  # [n, C', T']

    def heard(self, candidate: int) -> list[Samples]:
        """What the model put into each region, mono at its own rate, [t] each."""
        mono = self.waveforms[candidate].mean(axis=0)
        spans = ([round(self.excerpt.model_position(sample)) for sample in region] for region in self.regions)
        return [mono[start:end] for start, end in spans]


def inpaint(model: AudioLDM, request: Inpaint, pulse: Pulse) -> list[Audio]:
    """Make each group of neighbouring regions in one stretch, and splice them in; the best candidate first."""
    clip, settings = request.clip, _settings(request)
    _require_hearing(model, request)
    if request.keep_air:
        request = replace(request, high_hz=min(request.high_hz or math.inf, air_hz(model.config.mel)))
    reach = math.floor(model.config.window_rows * model.samples_per_row * clip.sample_rate / model.sample_rate)
    context = math.ceil(reach * CONTEXT_SHARE)
    groups = group_regions(request.sample_regions(), reach, context)
    stretches = []
    for index, group in enumerate(groups):
        bounds = stretch_around(group, clip.num_samples, reach, context)
        excerpt = take_excerpt(clip, *bounds, model.sample_rate, model.config.normalise_peak)
        size = excerpt.waveform.shape[1]
        part = pulse.part(index, len(groups))
        rendering = Rendering(model, request.prompt, request, part, size, excerpt.num_channels, stretch_index=index)
        stretches.append(_Stretch(group, excerpt, _fill(rendering, excerpt, request, group)))

    heard = [np.concatenate([one for s in stretches for one in s.heard(i)]) for i in range(request.candidates)]
    takes = []
    for candidate, score in rendering.rank(heard):
        samples = clip.samples
        for stretch in stretches:
            samples = _spliced(samples, request, stretch, candidate)
        takes.append(replace(clip, samples=samples, story=rendering.story("inpaint", candidate, score, settings)))
    return takes


def _fill(rendering: Rendering, excerpt: Excerpt, request: Inpaint, regions: list[Region]) -> Samples:
    """The excerpt with its regions made anew: waveforms [n, C', T']."""
    observed = rendering.encode(excerpt.waveform).repeat(request.candidates, 1, 1, 1)  # [B, Z, H, W]
    noise, timesteps = rendering.noise(), rendering.timesteps()
    impose = _imposing(observed, _observed_cells(rendering, excerpt, request, regions), noise)
    x = impose(noise, rendering.model.config.schedule.alpha_bar(timesteps[0]))
    return rendering.waveforms(rendering.sample(x, timesteps, impose))


def _imposing(observed: Tensor, is_observed: Tensor, noise: Tensor) -> Impose:
    """After each step: the observed cells [H, W] as they would be at this noise level, the others as they became."""

    def impose(x: Tensor, alpha_bar: float) -> Tensor:
        return torch.where(is_observed, mix_noise(observed, alpha_bar, noise), x)

    return impose


def _observed_cells(rendering: Rendering, excerpt: Excerpt, request: Inpaint, regions: list[Region]) -> Tensor:
    """Which latent cells keep what was observed, bool [H, W]: all but a region's rows in the band's columns."""
    model = rendering.model
    _, rows, columns = model.latent_shape(rendering.windows.rows)
    in_time = torch.zeros(rows, 1, dtype=torch.bool)
    for region in regions:
        first, last = (excerpt.model_position(sample) / model.samples_per_row for sample in region)
        in_time[math.floor(first) : math.ceil(last)] = True
    in_band = _band_columns(model, columns, request.low_hz, request.high_hz)
    return ~(in_time & in_band).to(model.device)


def _band_columns(model: AudioLDM, columns: int, low_hz: float | None, high_hz: float | None) -> Tensor:
    """Latent columns whose mel bands reach into the band, bool [W]."""
    mel = model.config.mel
    hz = torch.linspace(0, mel.sample_rate / 2, mel.n_fft // 2 + 1)
    inside = (hz > (low_hz or 0.0)) & (hz < (high_hz or math.inf))
    reached = (slaney_filterbank(mel) * inside).view(columns, -1)
    return reached.amax(dim=1) > 0


def _spliced(samples: Samples, request: Inpaint, stretch: _Stretch, candidate: int) -> Samples:
    """Samples [C, T] of the clip -> a copy with one stretch's regions of one candidate in their places."""
    excerpt, clip = stretch.excerpt, request.clip
    made = request.in_band(excerpt.restore(stretch.waveforms[candidate]))
    source = clip.samples[:, excerpt.start : excerpt.end]
    kept = source - request.in_band(source)  # nothing, where the band is open on both sides
    for start, end in stretch.regions:
        region = slice(start - excerpt.start, end - excerpt.start)
        part = match_loudness(made[:, region], _neighbourhood(request, (start, end)), *LOUDNESS_LIMITS_DB)
        samples = splice(samples, part + kept[:, region], start, clip.sample_rate)
    return samples


def _neighbourhood(request: Inpaint, region: Region) -> Samples:
    """Half a second of the clip before and after a region, without other regions, within the band: [C, t]."""
    clip, reach = request.clip, round(NEIGHBOURHOOD_S * request.clip.sample_rate)
    first, last = max(0, region[0] - reach), min(clip.num_samples, region[1] + reach)
    stays = np.ones(last - first, np.bool_)
    for start, end in request.sample_regions():
        stays[max(0, start - first) : max(0, end - first)] = False
    return request.in_band(clip.samples[:, first:last])[:, stays]


def _require_hearing(model: AudioLDM, request: Inpaint) -> None:
    """Raises InvalidRequestError for a band that begins where the model's own, or the clip's, ends."""
    highest_hz = min(model.config.mel.fmax, model.sample_rate / 2, request.clip.sample_rate / 2)
    if request.low_hz is not None and request.low_hz >= highest_hz:
        raise InvalidRequestError("low_hz", request.low_hz, f"less than {highest_hz:g}: nothing can be made above that")


def _parse_regions(regions: object) -> tuple[tuple[float, float], ...]:
    """Pairs of numbers, at least one.

    Raises:
        InvalidRequestError: it is something else.
    """
    error = InvalidRequestError("regions", regions, "pairs of seconds such as [(1.0, 2.0)]")
    try:
        pairs = tuple((float(start_s), float(end_s)) for start_s, end_s in regions)  # type: ignore[attr-defined]
    except (TypeError, ValueError):
        raise error from None
    if not pairs:
        raise error
    return pairs


def _settings(request: Inpaint) -> Mapping[str, Any]:
    """What an inpainting has beyond any request's settings."""
    band = {"low_hz": request.low_hz, "high_hz": request.high_hz}
    given = {name: float(value) for name, value in band.items() if value is not None}
    return {"regions": [list(region) for region in request.regions], **given, "keep_air": bool(request.keep_air)}
