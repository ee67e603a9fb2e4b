"""Vary: a clip, or a region of it, a little different; no prompt is needed."""

from dataclasses import replace
from typing import Any

from engine.audio import Audio
from engine.model import SoundModel, require_possible
from engine.operations.progress import ProgressReporter
from engine.operations.restyle import move
from engine.requests import Vary
from engine.requests.clip_checks import require_audible, require_region


def vary(model: SoundModel[Any], request: Vary, reporter: ProgressReporter) -> list[Audio]:
    """SDEdit (Meng et al. 2022) from the region, towards the region's own CLAP embedding; the best candidate first.

    `like`, where it is given, takes the place of the region's own sound. A model that does not hear goes where the
    words lead, if there are any.

    Raises:
        SilentClipError: the region is silent; there is nothing to vary.
    """
    require_possible(model, request)
    clip = request.clip
    start, end = require_region(clip, request.start_s, request.end_s)
    own = Audio(clip.samples[:, start:end], clip.sample_rate)
    if request.like is None:
        require_audible(own, "the clip")
    if request.like is None and model.capabilities.hearing:
        request = replace(request, like=own)
    return move(model, request, reporter, "vary", structure=0.0)
