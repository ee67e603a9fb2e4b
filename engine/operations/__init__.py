"""The operations: a function for each request, one row each."""

from collections.abc import Callable
from typing import Any

from engine.audio import Audio
from engine.model import SoundModel
from engine.operations.generate import generate
from engine.operations.inpaint import inpaint
from engine.operations.restyle import restyle
from engine.operations.upscale import upscale
from engine.operations.vary import vary
from engine.requests import Generate, Inpaint, Request, Restyle, Upscale, Vary

__all__ = ["OPERATIONS", "Generate", "Inpaint", "Request", "Restyle", "Upscale", "Vary", "operations_of"]

OPERATIONS: dict[type, Callable[..., list[Audio]]] = {
    Generate: generate,
    Restyle: restyle,
    Inpaint: inpaint,
    Upscale: upscale,
    Vary: vary,
}


def operations_of(model: SoundModel[Any]) -> dict[type, Callable[..., list[Audio]]]:
    """Those that the model can do: without bands of frequencies there is nothing to upscale with."""
    return {
        kind: operation
        for kind, operation in OPERATIONS.items()
        if model.capabilities.band_masks or kind is not Upscale
    }
