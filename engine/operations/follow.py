"""Follow: the gesture of a clip, such as a hum, taps or a whistle, that a generated sound is led by.

The denoiser is given the clip's curves beside the noise, at every step; see `engine.gesture` for what they are. What it
leaves undone is done after decoding, see `performance.py`.

Shape letters: C curves of the denoiser, H latent rows.
"""

from dataclasses import replace
from typing import Any

import torch

from engine.errors import CurvesMissingError
from engine.gesture import CURVES, gesture_of
from engine.model import SoundModel
from engine.operations.performance import Performance
from engine.operations.rendering import Rendering
from engine.requests import Generate

_LEAST_KNOWN = 2  # rows of a curve; from fewer nothing can be heard to move


def require_curves(model: SoundModel[Any], request: Generate) -> None:
    """Raises CurvesMissingError where a clip is to be followed in something that the model has not learnt to follow."""
    if request.follow is None:
        return
    known = model.capabilities.curves
    missing = [name for name in request.follow_what.split(",") if name not in known]
    if missing:
        raise CurvesMissingError(model.name, missing, known)


def following(rendering: Rendering, request: Generate) -> Rendering:
    """Return the rendering with the curves that it is to follow; beyond the end of their clip it is free."""
    if request.follow is None:
        return rendering
    model, names = rendering.model, request.follow_what.split(",")
    gesture = gesture_of(request.follow, model.sample_rate, model.samples_per_row)
    rows = min(gesture.shape[1], rendering.windows.rows)
    known = model.capabilities.curves
    wanted = torch.full((len(CURVES), rendering.windows.rows), torch.nan)
    for place, name in enumerate(CURVES):
        if name in names:
            wanted[place, :rows] = gesture[place, :rows]
    curves = wanted[[CURVES.index(name) for name in known]][None]
    lacking = [name for name in names if (~gesture[CURVES.index(name)].isnan()).sum() < _LEAST_KNOWN]
    warnings = [f"no {name} was found in the clip to follow; the model chose the sound's own" for name in lacking]
    condition = replace(rendering.condition, warnings=[*rendering.condition.warnings, *warnings])
    return replace(rendering, condition=condition, curves=curves.to(model.device), performance=Performance(wanted))
