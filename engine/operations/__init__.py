"""What a musician asks for: a frozen request beside the function that answers it, one row each."""

from collections.abc import Callable

from engine.audio import Audio
from engine.operations.generate import Generate, generate
from engine.operations.inpaint import Inpaint, inpaint
from engine.operations.restyle import Restyle, restyle
from engine.operations.upscale import Upscale, upscale
from engine.operations.vary import Vary, vary

Request = Generate | Restyle | Inpaint | Upscale | Vary

__all__ = ["OPERATIONS", "Generate", "Inpaint", "Request", "Restyle", "Upscale", "Vary"]

OPERATIONS: dict[type, Callable[..., list[Audio]]] = {
    Generate: generate,
    Restyle: restyle,
    Inpaint: inpaint,
    Upscale: upscale,
    Vary: vary,
}
