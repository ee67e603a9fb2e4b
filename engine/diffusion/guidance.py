"""Denoisers from nets: what a net predicts becomes (x0, ε), and classifier-free guidance sharpens it.

And the reverse, for nets that learn a whole step: the prediction with which DDIM arrives at a given latent.
"""

from collections.abc import Callable
from typing import Literal, NamedTuple, Protocol

import torch
from torch import Tensor

from engine.diffusion.path import NoiseLevel, VariancePreserving

Prediction = Literal["eps", "v"]

NEGATIVE_FOLLOWS = True  # the evaluation without the condition follows the curves too: guidance is the prompt's alone


class Net(Protocol):
    """(x_t [B, ...], t [B], condition [B, D], curves [B, C, H] or none) -> prediction [B, ...]."""

    def __call__(self, x: Tensor, t: Tensor, condition: Tensor, curves: Tensor | None = None, /) -> Tensor: ...


class Denoised(NamedTuple):
    """The two readings of one prediction; x = signal · x0 + noise · eps holds between them."""

    x0: Tensor
    eps: Tensor


Denoise = Callable[[Tensor, float], Denoised]  # (x [B, Z, ...], the time as the net is told it) -> Denoised


class DenoiseFollowing(Protocol):
    """(x [B, Z, ...], time, rows that go with it [B, C, H] or none: curves, or what is given) -> Denoised."""

    def __call__(self, x: Tensor, time: float, curves: Tensor | None = None, /) -> Denoised: ...


def guide(unconditional: Tensor, conditional: Tensor, scale: float) -> Tensor:
    """e_u + scale · (e_c - e_u): 1 is no guidance, more follows the prompt harder (Ho and Salimans 2022)."""
    return unconditional + scale * (conditional - unconditional)


def read_prediction(
    prediction: Tensor, x: Tensor, level: NoiseLevel, kind: Prediction, clip_x0: float | None = None
) -> Denoised:
    """A net's output as x0 and ε; kind "v" is signal · ε - noise · x0 (Salimans and Ho 2022, appendix D)."""
    signal, noise = level
    x0 = signal * x - noise * prediction if kind == "v" else (x - noise * prediction) / signal
    if clip_x0 is not None:
        x0 = x0.clamp(-clip_x0, clip_x0)
    elif kind == "eps":
        return Denoised(x0, prediction)
    return Denoised(x0, (x - signal * x0) / noise)


def prediction_between(
    x: Tensor, alpha_bar: Tensor, landing: Tensor, alpha_bar_after: Tensor, kind: Prediction
) -> Tensor:
    """The prediction from which one DDIM step leads from x, at ᾱ, to a landing at ᾱ': all four broadcast.

    ε solves x' = sqrt(ᾱ'/ᾱ) x + (σ' - sqrt(ᾱ'/ᾱ) σ) ε with σ² = 1 - ᾱ; for "v" the step is a rotation, and with
    φ = arccos sqrt(ᾱ) it solves x' = cos(φ - φ') x - sin(φ - φ') v (Salimans and Ho 2022, appendices D and G).
    """
    signal, noise = alpha_bar.sqrt(), (1 - alpha_bar).sqrt()
    signal_after, noise_after = alpha_bar_after.sqrt(), (1 - alpha_bar_after).sqrt()
    if kind == "v":
        cosine = signal * signal_after + noise * noise_after
        return (cosine * x - landing) / (noise * signal_after - signal * noise_after)
    growth = signal_after / signal
    return (landing - growth * x) / (noise_after - growth * noise)


def guided_denoiser(
    net: Net,
    condition: Tensor,
    negative: Tensor,
    scale: float,
    path: VariancePreserving,
    kind: Prediction,
    clip_x0: float | None = None,
) -> DenoiseFollowing:
    """A denoiser that evaluates the net with and without the condition in one call; at scale 1 only with it.

    condition and negative: [B, D]; the latents that come in may hold a multiple of B rows (windows of each).
    """

    def denoise(x: Tensor, time: float, curves: Tensor | None = None, /) -> Denoised:
        t = int(time)
        repeats = len(x) // len(condition)
        wanted = condition.repeat_interleave(repeats, dim=0)
        if scale == 1:
            prediction = net(x, torch.full((len(x),), t, device=x.device), wanted, curves)
        else:
            both = torch.cat([negative.repeat_interleave(repeats, dim=0), wanted])
            steps = torch.full((2 * len(x),), t, device=x.device)
            if curves is not None:
                curves = torch.cat([curves if NEGATIVE_FOLLOWS else torch.full_like(curves, torch.nan), curves])
            unguided, towards = net(torch.cat([x, x]), steps, both, curves).chunk(2)
            prediction = guide(unguided, towards, scale)
        return read_prediction(prediction, x, path.level(t), kind, clip_x0)

    return denoise
