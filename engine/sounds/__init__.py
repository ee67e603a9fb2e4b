"""A corpus of procedural sounds with captions: rights-clear by construction, endless, and the same on every machine."""

from engine.sounds.captions import SOUND_WORDS, captions
from engine.sounds.mixture_captions import mixture_captions
from engine.sounds.mixtures import Mixture, render_mixture
from engine.sounds.rendering import SOUNDS, Sound, render

__all__ = [
    "SOUNDS",
    "SOUND_WORDS",
    "Mixture",
    "Sound",
    "captions",
    "mixture_captions",
    "render",
    "render_mixture",
]
