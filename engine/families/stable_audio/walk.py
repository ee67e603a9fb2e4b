"""From noise to sound along a flow's noise levels, one latent a step.

Both are generators, as all samplers here: the caller sees each latent, reports progress, and stops by leaving the loop.
"""

from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise

from torch import Tensor

from engine.families.stable_audio.denoiser import Velocity, denoised_by


def ping_pong(velocity: Velocity, x: Tensor, sigmas: Sequence[float], draw: Callable[[], Tensor]) -> Iterator[Tensor]:
    """To the clean latent, and from there back to the next level with fresh noise: for the post-trained models.

    x' = (1 - σ') x0 + σ' ε. `draw` makes unit normal noise of x's shape.
    """
    for sigma, following in pairwise(sigmas):
        x0, _ = denoised_by(velocity, x, sigma)
        x = x0 if following == 0 else (1 - following) * x0 + following * draw()
        yield x


def euler(velocity: Velocity, x: Tensor, sigmas: Sequence[float]) -> Iterator[Tensor]:
    """Straight on along the flow, x' = x + (σ' - σ) v: for the base models. It is DDIM of this path of noise levels."""
    for sigma, following in pairwise(sigmas):
        x = x + (following - sigma) * velocity(x, sigma)
        yield x
