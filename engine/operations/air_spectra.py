"""What the air net reads of a sound's lower bands, and what it is taught of the upper ones; all at 48 kHz.

Shape letters: T samples, N frames of 1/187.5 s, Q lines of 93.75 Hz, L lower bands, H upper bands, G groups,
F features.
"""

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import uniform_filter1d

from engine.operations.frames import half_sine, hann
from engine.wav_writer import Samples

FULL_RATE = 48_000  # Hz: of takes with all their highs
SIZE = 512  # samples of a frame
HOP = SIZE // 2
LINE_HZ = FULL_RATE / SIZE
FIRST_LINE = 80  # 7.5 kHz: below, a sound from a model at 16 kHz is whole
NUM_LINES = SIZE // 2 + 1
FLOOR = 10 ** (-110 / 10)  # of power: nothing is softer
TONE_FRAMES = 9  # over which a tone is distinguished from noise
DETAIL_S = 0.0005  # over which a moment's loudness is measured,
AROUND_S = 0.008  # and that of its surroundings
LOUDEST_MOMENT = 20.0  # of power: times its surroundings', at most

LOWER = np.unique(np.rint(np.geomspace(1, FIRST_LINE, 41)).astype(np.int64))  # a line at a time up to 1 kHz
UPPER = np.rint(np.geomspace(FIRST_LINE, NUM_LINES, 17)).astype(np.int64)
LOWER_GROUPS = np.array([8, 20, 40, 60, FIRST_LINE])
UPPER_GROUPS = np.array([80, 107, 139, 182, 224])  # up to 21 kHz, to where recordings at 44.1 kHz reach
TOP_OCTAVE = FIRST_LINE // 2, FIRST_LINE

Powers = NDArray[np.float64]
Levels = NDArray[np.float32]


def framed(samples: Samples, num_frames: int) -> NDArray[np.float64]:
    """Samples [T], T = (num_frames + 1) · HOP -> frames [N, SIZE]."""
    places = np.arange(num_frames)[:, None] * HOP + np.arange(SIZE)
    frames: NDArray[np.float64] = samples.astype(np.float64, copy=False)[places]
    return frames


def powers_of(samples: Samples, num_frames: int) -> Powers:
    """Samples [T] -> powers [N, Q]; white noise has its own power in every line."""
    window = hann(SIZE)
    powers: Powers = np.square(np.abs(np.fft.rfft(framed(samples, num_frames) * window))) / np.square(window).sum()
    return powers


def levels_in(powers: Powers, edges: NDArray[np.int64]) -> Levels:
    """Powers [N, Q] -> levels of bands [bands, N], dB."""
    means = np.add.reduceat(powers[:, : edges[-1]], edges[:-1], axis=1) / np.diff(edges)
    levels: Levels = (10 * np.log10(means + FLOOR)).T.astype(np.float32)
    return levels


def tonality_in(powers: Powers, groups: NDArray[np.int64]) -> Levels:
    """Powers [N, Q] -> how far the strongest line of each group stands above their mean, [groups, N], dB.

    Over a twentieth of a second that is 2.6 dB in noise, and up to 15 dB in a tone.
    """
    steady = uniform_filter1d(powers, TONE_FRAMES, axis=0, mode="constant") + FLOOR
    parts = [steady[:, first:last] for first, last in pairwise(groups.tolist())]
    peaks, means = ([one(part, axis=1) for part in parts] for one in (np.max, np.mean))
    tonality: Levels = (10 * np.log10(np.stack(peaks) / np.stack(means))).astype(np.float32)
    return tonality


def features_of(
    lower: Levels, tonality: Levels, liveliness: Levels, inside: Levels, mean: float, scale: float
) -> Levels:
    """Levels [L, N] of the lower bands, tonality [G, N], liveliness [N] -> features [F, N]; nothing outside a sound."""
    features = np.concatenate(
        [(lower - mean) / scale, tonality / 10, liveliness[None] / 10, np.ones((1, lower.shape[1]), np.float32)]
    )
    features *= inside
    prepared: Levels = features.astype(np.float32, copy=False)
    return prepared


def reference_of(lower: Levels) -> Levels:
    """Levels [L, N] -> the mean level of the top octave, [N], dB."""
    reference: Levels = lower[LOWER[:-1] >= TOP_OCTAVE[0]].mean(axis=0)
    return reference


def moments_of(samples: Samples, num_frames: int) -> tuple[NDArray[np.float32], Levels]:
    """Samples [T] -> the top octave's amplitude from moment to moment, [N, SIZE], and its liveliness, [N], dB."""
    spectra = np.fft.rfft(framed(samples, num_frames) * half_sine(SIZE))
    spectra[:, : TOP_OCTAVE[0]] = 0
    spectra[:, TOP_OCTAVE[1] :] = 0
    frames = np.fft.irfft(spectra, SIZE) * half_sine(SIZE)
    sound = np.zeros((num_frames + 1, HOP))
    sound[:-1] += frames[:, :HOP]
    sound[1:] += frames[:, HOP:]
    power = np.square(sound.ravel())
    now, around = (uniform_filter1d(power, round(span * FULL_RATE), mode="constant") for span in (DETAIL_S, AROUND_S))
    ratio = np.clip((now + FLOOR) / (np.maximum(around, 0) + FLOOR), 0, LOUDEST_MOMENT)
    moments = framed(np.sqrt(ratio), num_frames)
    liveliness = 10 * np.log10(np.maximum(framed(ratio, num_frames)[:, HOP // 2 : -HOP // 2].max(axis=1), 0.1))
    return moments.astype(np.float32), liveliness.astype(np.float32)
