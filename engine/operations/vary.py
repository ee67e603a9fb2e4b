"""Vary: a clip, or a region of it, said again a little differently, with no word needed."""

from dataclasses import dataclass

from engine.audio import Audio
from engine.audioldm import AudioLDM
from engine.defaults import VARY_STRENGTH
from engine.operations.progress import Pulse
from engine.operations.request import (
    Sampling,
    require_audible,
    require_clip,
    require_number,
    require_region,
    require_text,
)
from engine.operations.restyle import Restyle, move


@dataclass(frozen=True)
class Vary(Sampling):
    """Another take of the clip: same rate, channels, length and loudness; its own sound is the prompt.

    Vary(clip)
    Vary(clip, strength=0.7, candidates=4)              further away, and several to choose from
    Vary(clip, prompt="rain", start_s=1.0, end_s=2.5)   a region; half its own sound, half the words' (`like_weight`)
    """

    clip: Audio
    strength: float = VARY_STRENGTH  # 0 (the clip itself) to 1 (its kind of sound and its length only)
    prompt: str = ""
    start_s: float | None = None  # seconds; None is the clip's start
    end_s: float | None = None
    keep_air: bool = False  # what lies above the model's band stays the clip's own

    def __post_init__(self) -> None:
        super().__post_init__()
        object.__setattr__(self, "prompt", require_text("prompt", self.prompt))
        require_number("strength", self.strength, 0, 1)
        require_clip(self.clip)
        require_region(self.clip, self.start_s, self.end_s)


def vary(model: AudioLDM, request: Vary, pulse: Pulse) -> list[Audio]:
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
    return move(model, Restyle(**settings, like=request.like or own, structure=0.0), pulse, "vary")
