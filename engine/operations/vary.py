"""Vary: a clip, or a region of it, a little different; no prompt is needed."""

from engine.audio import Audio
from engine.audioldm import AudioLDM
from engine.operations.progress import ProgressReporter
from engine.operations.restyle import move
from engine.requests import Restyle, Vary
from engine.requests.clip_checks import require_audible, require_region


def vary(model: AudioLDM, request: Vary, reporter: ProgressReporter) -> list[Audio]:
    """SDEdit (Meng et al. 2022) from the region, towards the region's own CLAP embedding; the best candidate first.

    `like`, where it is given, takes the place of the region's own sound.

    Raises:
        SilentClipError: the region is silent; there is nothing to vary.
    """
    clip = request.clip
    start, end = require_region(clip, request.start_s, request.end_s)
    own = Audio(clip.samples[:, start:end], clip.sample_rate)
    if request.like is None:
        require_audible(own, "the clip")
    settings = {name: value for name, value in vars(request).items() if name != "like"}
    return move(model, Restyle(**settings, like=request.like or own, structure=0.0), reporter, "vary")
