"""The way through autoencoder and vocoder: the same each time, and close to the clip for the shipped model."""

import numpy as np
import pytest
import torch

from engine.audioldm import AudioLDM
from engine.checkpoints.store import open_model
from engine.evaluation.reconstruction import mel_l1
from engine.evaluation.round_trip import round_trip
from engine.sounds import render


@pytest.fixture(scope="module")
def nano() -> AudioLDM:
    return open_model("nano")


def distance(one: np.ndarray, other: np.ndarray) -> float:
    return mel_l1(torch.from_numpy(one[None]), torch.from_numpy(other[None])).item()


@pytest.mark.parametrize("seconds", [0.7, 1.28])
def test_length_and_rate_stay_and_it_is_the_same_each_time(seconds: float) -> None:
    model, clip = open_model("tiny"), render("dog", 1, seconds).waveform

    made = round_trip(model, clip)

    assert made.shape == clip.shape
    assert made.dtype == np.float32
    assert np.array_equal(made, round_trip(model, clip))


def test_the_shipped_model_keeps_a_sound_recognisable(nano: AudioLDM) -> None:
    clip, other = (render(sound, 11_900_000, 2.56).waveform for sound in ("dog", "rain"))

    made = round_trip(nano, clip)

    assert distance(made, clip) < 0.5 * distance(other, clip)


def test_a_louder_clip_comes_back_louder(nano: AudioLDM) -> None:
    clip = render("bell", 11_900_001, 1.28).waveform
    loud, soft = (clip * (peak / np.abs(clip).max()) for peak in (0.8, 0.1))

    ratio = np.abs(round_trip(nano, loud)).max() / np.abs(round_trip(nano, soft)).max()

    assert 4 < ratio < 16
