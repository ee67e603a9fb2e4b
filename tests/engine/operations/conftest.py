"""The smallest model there is, with random weights: everything but the beauty of the result can be tested on it."""

import numpy as np
import pytest

from engine import Audio, Engine


@pytest.fixture(scope="session")
def tiny() -> Engine:
    return Engine.load("tiny", "cpu")


@pytest.fixture(scope="session")
def clip() -> Audio:
    """1.5 s of stereo at 44.1 kHz: a decaying tone to the left, another to the right, a little noise on both."""
    time = np.arange(66_150) / 44_100
    tones = np.stack([np.sin(2 * np.pi * hz * time) * np.exp(-2 * time) for hz in (330, 495)])
    noise = np.random.default_rng(4).standard_normal(tones.shape) * 0.02
    return Audio((0.4 * tones + noise).astype(np.float32), 44_100, encoding="PCM_24")


@pytest.fixture(scope="session")
def nano() -> Engine:
    """The shipped model, for what only a trained one can show."""
    return Engine.load("nano", "cpu")
