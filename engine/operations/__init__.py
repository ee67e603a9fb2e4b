"""The operations: a function for each request, one row each."""

from collections.abc import Callable

from engine.audio import Audio
from engine.operations.generate import generate
from engine.operations.inpaint import inpaint
from engine.operations.restyle import restyle
from engine.operations.upscale import upscale
from engine.operations.vary import vary
from engine.requests import Generate, Inpaint, Request, Restyle, Upscale, Vary

__all__ = ["OPERATIONS", "Generate", "Inpaint", "Request", "Restyle", "Upscale", "Vary"]

OPERATIONS: dict[type, Callable[..., list[Audio]]] = {
    Generate: generate,
    Restyle: restyle,
    Inpaint: inpaint,
    Upscale: upscale,
    Vary: vary,
}
