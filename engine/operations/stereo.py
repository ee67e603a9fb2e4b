"""From two mono sounds of one scene to stereo: as far apart as wanted, whole in mono, without holes.

A is a take, B another of the same scene. In every band and at every moment B is made as loud as A, and what it has in
common with A is taken out of it; then both are panned, A a little to the left and B to the right. So the channels'
correlation is what was asked for, and their sum has A's envelope: neither phases nor levels can cancel anything. A band
in which B has nothing of its own is A's, panned a little.

Shape letters: T samples, K bands, F bins of a spectrum, N frames.
"""

import math
from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from engine.wav_writer import Samples

FRAME_S = 0.064  # seconds of a frame; a quarter of it from one to the next
ENVELOPE_S = 0.4  # seconds over which the level of a band is averaged
BANDS_AN_OCTAVE, FEWEST_BINS = 3, 4
LARGEST_GAIN = 16.0  # 24 dB: a band in which B has less of its own is A's alone
FURTHEST_BAND = 1 / 3  # 6 dB between left and right
_SECONDS_AT_ONCE, _CONTEXT_S = 20.0, 1.0
_NOTHING = 1e-20


def spread(a: Samples, b: Samples, correlation: float, sample_rate: int) -> Samples:
    """Two takes of a scene, [T] each -> left and right [2, T], whose correlation is about as given, 0 to 1."""
    left = np.empty_like(a)
    right = np.empty_like(a)
    for inner, outer in _blocks(len(a), sample_rate):
        pair = _spread_block(torch.from_numpy(a[outer]), torch.from_numpy(b[outer]), correlation, sample_rate)
        kept = slice(inner.start - outer.start, inner.stop - outer.start)
        left[inner], right[inner] = pair[:, kept].numpy()
    return np.stack([left, right])


def place(waveform: Samples, position: float) -> Samples:
    """A sound [T] at a place from -1 (left) to 1 (right): [2, T], whose mean is the sound as it was."""
    gains = np.array([1 - position, 1 + position], waveform.dtype)
    return gains[:, None] * waveform


def correlation_of(stereo: Samples) -> float:
    """Return the correlation of left and right [2, T]; 1 in silence."""
    left, right = (one.astype(np.float64) for one in stereo)
    power = math.sqrt(float(left @ left) * float(right @ right))
    return float(left @ right) / power if power > 0 else 1.0


def _blocks(size: int, sample_rate: int) -> Iterator[tuple[slice, slice]]:
    """What is made at once, and with its context, so that memory does not grow with length; on whole hops."""
    hop = _frame(sample_rate) // 4
    step = round(_SECONDS_AT_ONCE * sample_rate / hop) * hop
    context = round(_CONTEXT_S * sample_rate / hop) * hop
    for start in range(0, size, step):
        end = min(start + step, size)
        yield slice(start, end), slice(max(0, start - context), min(size, end + context))


def _frame(sample_rate: int) -> int:
    return 4 * max(4, round(FRAME_S * sample_rate / 4))


def _spread_block(a: Tensor, b: Tensor, correlation: float, sample_rate: int) -> Tensor:
    """[T] and [T] -> [2, T]."""
    frames = _BandFrames(sample_rate, len(a))
    one, other = frames.of(a), frames.of(b)
    level = frames.mean(one.abs().square())
    common = torch.complex(*(frames.mean(part) for part in _parts(other * one.conj())))
    own = other - frames.per_bin(common / level.clamp(min=_NOTHING)) * one
    gain = _ratio(level, frames.mean(own.abs().square()))
    there = (LARGEST_GAIN / gain - 1).clamp(0, 1)  # 0 where B has nothing of its own
    own = frames.of(frames.samples(own * frames.per_bin(torch.where(there > 0, gain, torch.zeros_like(gain)))))
    own = own * frames.per_bin(_ratio(level, frames.mean(own.abs().square())).clamp(max=2))  # what frames lost in sum
    whole = frames.mean((one + own).abs().square())
    near, far = _panned(there, correlation)
    scale = 2 / (near + far) * _ratio(level, whole).clamp(max=LARGEST_GAIN)  # the sum is as loud as A
    near, far = frames.per_bin(near * scale), frames.per_bin(far * scale)
    return torch.stack([frames.samples(near * one + far * own), frames.samples(far * one + near * own)])


class _BandFrames:
    """Spectra of overlapping frames, in bands of a third of an octave, but never fewer than four bins."""

    def __init__(self, sample_rate: int, num_samples: int) -> None:
        self._size, self._num_samples = _frame(sample_rate), num_samples
        self._window = torch.hann_window(self._size)
        edges = [0]
        while edges[-1] < self._size // 2 + 1:
            edges.append(max(edges[-1] + FEWEST_BINS, round(edges[-1] * 2 ** (1 / BANDS_AN_OCTAVE))))
        self._bands = torch.bucketize(torch.arange(self._size // 2 + 1), torch.tensor(edges[1:]), right=True)
        self._length = 2 * round(ENVELOPE_S / FRAME_S * 2) + 1  # frames of an average

    def of(self, x: Tensor) -> Tensor:
        """[T] -> [F, N]."""
        hop = self._size // 4
        spectrum: Tensor = torch.stft(x, self._size, hop, window=self._window, pad_mode="constant", return_complex=True)
        return spectrum

    def samples(self, spectrum: Tensor) -> Tensor:
        """[F, N] -> [T]."""
        return torch.istft(spectrum, self._size, self._size // 4, window=self._window, length=self._num_samples)

    def mean(self, values: Tensor) -> Tensor:
        """Values of bins [F, N] -> their means over each band and the frames around, [K, N]."""
        count = torch.bincount(self._bands).to(values)
        total = torch.zeros(len(count), values.shape[1]).index_add_(0, self._bands, values)
        return F.avg_pool1d(
            (total / count[:, None])[:, None], self._length, 1, self._length // 2, count_include_pad=False
        )[:, 0]

    def per_bin(self, values: Tensor) -> Tensor:
        """Values of bands [K, N] -> of bins [F, N]."""
        return values[self._bands]


def _ratio(wanted: Tensor, power: Tensor) -> Tensor:
    """The gain from a power to the wanted one."""
    return (wanted / power.clamp(min=_NOTHING)).sqrt()


def _parts(values: Tensor) -> tuple[Tensor, Tensor]:
    return values.real, values.imag


def _panned(there: Tensor, correlation: float) -> tuple[Tensor, Tensor]:
    """How much of B is there, [K, N] -> the parts of A in the left and in the right channel.

    Two sounds of equal power: cos and sin with 2 cos sin = correlation. A alone, such as a line of a drone that B has
    too: neighbouring bands go to different sides, by 1 + p and 1 - p with (1 - p²) / (1 + p²) = correlation, or less if
    that is too far from the middle.
    """
    angle, apart = math.asin(correlation) / 2, math.sqrt((1 - correlation) / (1 + correlation))
    apart = min(apart, FURTHEST_BAND)
    side = (apart * (-1.0) ** torch.arange(len(there)))[:, None]
    near = there * math.cos(angle) + (1 - there) * (1 + side) / math.sqrt(2)
    far = there * math.sin(angle) + (1 - there) * (1 - side) / math.sqrt(2)
    return near, far
