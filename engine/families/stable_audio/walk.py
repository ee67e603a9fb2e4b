"""From noise to sound along a flow's noise levels, one latent a step.

Both are generators, as all samplers here: the caller sees each latent, reports progress, and stops by leaving the loop.
"""

from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise

from torch import Tensor

from engine.families.stable_audio.denoiser import FlowDenoise


def ping_pong(denoise: FlowDenoise, x: Tensor, sigmas: Sequence[float], draw: Callable[[], Tensor]) -> Iterator[Tensor]:
    """To the clean latent, and from there back to the next level with fresh noise: for the post-trained models.

    x' = (1 - σ') x0 + σ' ε. `draw` makes unit normal noise of x's shape.
    """
    for sigma, following in pairwise(sigmas):
        x0, _ = denoise(x, sigma)
        x = x0 if following == 0 else (1 - following) * x0 + following * draw()
        yield x


def straight(denoise: FlowDenoise, x: Tensor, sigmas: Sequence[float]) -> Iterator[Tensor]:
    """Along the flow itself, for the base models: x' = (1 - σ') x0 + σ' ε with the net's own ε.

    As Euler's method steps, and as DDIM does on this path of noise levels.
    """
    for sigma, following in pairwise(sigmas):
        x0, eps = denoise(x, sigma)
        x = (1 - following) * x0 + following * eps
        yield x
