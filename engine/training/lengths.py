"""How long the clips are that a net learns from: the window, or a part of it, as users want short sounds, too."""

import numpy as np

_SHORTER = (1 / 2, 1 / 4, 1 / 8)  # of the window; few, since every length is planned and compiled separately


def draw_rows(rng: np.random.Generator, window: int, multiple: int, shorter_share: float) -> int:
    """Latent rows, a multiple of `multiple`: the window's, or with probability `shorter_share` fewer."""
    if rng.random() >= shorter_share:
        return window
    return multiple * max(1, round(float(rng.choice(_SHORTER)) * window / multiple))
