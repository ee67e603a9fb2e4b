"""A sound at 48 kHz from one that ends at 8 kHz: the learned air is laid above what the model made.

How loud and how tonal sixteen bands above 7.5 kHz are is told by the air net. They are carried by noise that moves with
the top octave from moment to moment, so that an attack stays one, and by that octave copied upwards; how tonal they are
to be decides how much of each. The copy is never more tonal than the net expects, and does not whistle.

Shape letters: C channels, T samples at 48 kHz, N frames, Q lines, H upper bands, G groups.
"""

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import fft
from scipy.ndimage import uniform_filter1d

from engine.audio import resample
from engine.models.air_net import AirNet
from engine.operations.air_levels import SLICE, TILE, AirReader, AirTile
from engine.operations.air_spectra import (
    FIRST_LINE,
    FLOOR,
    FULL_RATE,
    HOP,
    NUM_LINES,
    SIZE,
    TONE_FRAMES,
    UPPER,
    UPPER_GROUPS,
    Levels,
    framed,
    tonality_in,
)
from engine.operations.frames import half_sine
from engine.operations.splice import correlation, rms
from engine.wav_writer import Samples

MODEL_RATE = 16_000  # Hz: of the sounds whose bands end where the net's upper ones begin
FILLED = slice(FIRST_LINE - 4, FIRST_LINE + 5)  # lines around 7.5 kHz: of what is missing there, air is added
COPIED = slice(FIRST_LINE - 44, FIRST_LINE - 4)  # lines: the octave below, but for the end, where a vocoder falls off
NOISE_TONALITY = 10 ** (2.6 / 10)  # of noise, as `tonality_in` measures it, as a ratio
SLOPE_LINES = 9  # over which levels in dB are averaged: tones hardly count
PANNED = 0.99999  # channels more alike than this are one sound at two levels
SMALLEST = 1e-6  # of a flattened copy's power; in silence it stays none
LEAST_TONAL = 10 ** (4.1 / 10)  # a copy that is less is as good as noise

AirSpectra = NDArray[np.complex64]
Powers32 = NDArray[np.float32]


def full_band(waveform: Samples, sample_rate: int, generator: torch.Generator, num_samples: int) -> Samples:
    """Waveform [C, T'] at 16 kHz -> [C, num_samples] at 48 kHz, with air."""
    sound = resample(waveform, sample_rate, FULL_RATE, num_samples)
    add_full_band(sound, generator)
    return sound


def add_full_band(sound: Samples, generator: torch.Generator) -> None:
    """Add air to a sound [C, T] at 48 kHz that ends at 8 kHz, in place; one generator, one noise.

    What is one sound at different levels in both channels stays that.
    """
    likeness = likeness_of(sound)
    source, gains = sound, np.ones((1, 1), np.float32)
    if len(sound) > 1 and abs(likeness) > PANNED:
        signs = np.array([1.0, np.sign(likeness)])
        levels = signs * [rms(channel) for channel in sound]
        source = (signs[:, None] * sound).mean(axis=0, keepdims=True).astype(np.float32)  # as it was in mono
        gains = (levels / np.abs(levels).mean()).astype(np.float32)[:, None]
    stream, place = AirStream(generator, len(source), likeness), 0
    for start in [*range(0, sound.shape[1], SLICE), None]:
        air = stream.finish() if start is None else stream.push(source[:, start : start + SLICE])
        sound[:, place : place + air.shape[1]] += gains * air  # the stream has its own copy of what it still looks at
        place += air.shape[1]


def takes_air(sample_rate: int, highest_hz: float) -> bool:
    """Whether sounds of that rate that end at that frequency are what the air net was taught."""
    return sample_rate == MODEL_RATE and 2 * highest_hz == MODEL_RATE


def likeness_of(sound: Samples) -> float:
    """How alike the channels [C, T] are, -1 to 1; their air will be as alike."""
    return 1.0 if len(sound) == 1 else correlation(sound[0], sound[-1])


class AirStream:
    """Air for a sound at 48 kHz that comes in slices [C, t] of any length; the same however it is cut.

    The air comes as it is ready, seven seconds behind at most, in slices [C, t'] that add up to the sound's length. One
    generator, one noise.
    """

    def __init__(
        self, generator: torch.Generator, num_channels: int = 1, likeness: float = 1.0, net: AirNet | None = None
    ) -> None:
        self._reader = AirReader(num_channels, net)
        self._generator, self._likeness = generator, likeness
        self._tail = np.zeros((num_channels, HOP), np.float32)  # the second half of the last frame
        self._made = -HOP  # samples: the first frame begins before the sound
        self._given = 0

    def push(self, samples: Samples) -> Samples:
        """More of the sound [C, t] -> the air that is ready, [C, t']."""
        return self._joined([self._air(tile) for tile in self._reader.push(samples)])

    def finish(self) -> Samples:
        """The rest of the air, [C, t']; nothing may be pushed after it."""
        return self._joined([*(self._air(tile) for tile in self._reader.finish()), self._tail])

    def _joined(self, parts: list[Samples]) -> Samples:
        """Parts as one, without what lies before the sound or beyond its end."""
        whole = np.concatenate(parts, axis=1) if parts else self._tail[:, :0]
        before, self._made = self._made, self._made + whole.shape[1]
        whole = whole[:, max(0, -before) :][:, : self._reader.total - self._given]
        self._given += whole.shape[1]
        return whole

    def _air(self, tile: list[AirTile]) -> Samples:
        """A tile's air without the half frame that the following one adds to, [C, N · HOP]."""
        drawn = torch.randn((2, TILE, SIZE), generator=self._generator).numpy()
        made = np.zeros((len(tile), (tile[0].levels.shape[1] + 1) * HOP), np.float32)
        made[:, :HOP] = self._tail
        for number, channel in enumerate(tile):
            _overlap(_spectra(channel, _as_alike(drawn, self._likeness, number)), made[number])
        self._tail = made[:, -HOP:]
        return made[:, :-HOP]


def _spectra(tile: AirTile, noise: NDArray[np.float32]) -> AirSpectra:
    """Noise [TILE, SIZE] -> spectra of air, [N, Q]."""
    count = tile.levels.shape[1]
    meant, below = slice(tile.first, tile.first + count), tile.below
    window, moments = half_sine(SIZE).astype(np.float32), below.moments[meant]
    loudness = np.square(moments * window).sum(axis=1, keepdims=True) / (SIZE / 2)
    carrier = fft.rfft(noise[:count] * moments * window) / np.sqrt(np.maximum(loudness, 1e-3))
    frames = framed(below.samples[meant.start * HOP : (meant.stop + 1) * HOP], count).astype(np.float32)
    spectra_below = fft.rfft(frames * window)
    copy = _copied_up(spectra_below)
    power, share = _line_powers(tile.levels), _copy_share(np.square(np.abs(copy)), tile.tonality)
    own = uniform_filter1d(np.square(np.abs(spectra_below[:, FILLED])) / (SIZE / 2), 5, axis=0, mode="nearest")
    power[:, FILLED] = np.maximum(power[:, FILLED] - own, 0)
    spectra: AirSpectra = np.sqrt(power * (1 - share)) * carrier + np.sqrt(power * share * (SIZE / 2)) * copy
    return spectra


def _line_powers(levels: Levels) -> Powers32:
    """Levels [H, N] -> powers of lines [N, Q], without steps between bands."""
    centres = (UPPER[:-1] + UPPER[1:] - 1) / 2
    lines = np.arange(FILLED.start, NUM_LINES - 1)  # half of the rate has no phase
    after = np.clip(np.searchsorted(centres, lines), 1, len(centres) - 1)
    weight = np.clip((lines - centres[after - 1]) / (centres[after] - centres[after - 1]), 0, 1)[:, None]
    loud = np.maximum(levels, -200)
    smooth = (loud[after - 1] * (1 - weight) + loud[after] * weight).astype(np.float32)
    power = np.zeros((levels.shape[1], NUM_LINES), np.float32)
    power[:, lines] = np.exp(smooth * np.float32(np.log(10) / 10)).T
    power[np.isneginf(levels[0])] = 0
    return power


def _copied_up(spectra: AirSpectra) -> AirSpectra:
    """Spectra [N, Q] -> the octave below the top of each, shifted up again and again, of unit power in every band.

    A shift by an even number of lines, in frames half overlapped, is a modulation of the whole sound: no frame is out
    of step with the next.
    """
    octave = spectra[:, COPIED] * _flattening(spectra)
    copy = np.zeros_like(spectra)
    for start in range(FIRST_LINE, NUM_LINES, octave.shape[1]):
        end = min(start + octave.shape[1], NUM_LINES)
        copy[:, start:end] = octave[:, : end - start]
    power = np.add.reduceat(np.square(np.abs(copy[:, : UPPER[-1]])), UPPER[:-1], axis=1) / np.diff(UPPER)
    steady = uniform_filter1d(power, 3, axis=0, mode="nearest")
    gains = 1 / np.sqrt(np.maximum(steady, SMALLEST))
    copy[:, UPPER[0] : UPPER[-1]] *= np.repeat(gains, np.diff(UPPER), axis=1).astype(np.float32)
    return copy


def _flattening(spectra: AirSpectra) -> Powers32:
    """Gains [N, Q'] that take the slope out of what is copied, and leave its tones: each copy would begin anew."""
    around = slice(COPIED.start - SLOPE_LINES // 2, COPIED.stop + SLOPE_LINES // 2)
    steady = uniform_filter1d(np.square(np.abs(spectra[:, around])), TONE_FRAMES, axis=0, mode="nearest")
    levels = np.log(np.maximum(steady, 0) + np.float32(FLOOR * SIZE / 2))
    slope = uniform_filter1d(levels, SLOPE_LINES, axis=1)[:, SLOPE_LINES // 2 : -(SLOPE_LINES // 2)]
    gains: Powers32 = np.exp(-slope / 2).astype(np.float32)
    return gains


def _copy_share(copy: NDArray[np.float32], tonality: Levels) -> NDArray[np.float32]:
    """Powers of a copy [N, Q] and the tonality that is wanted [G, N] -> the copy's share of the power, [N, Q]."""
    own = np.maximum(10 ** (tonality_in(copy.astype(np.float64), UPPER_GROUPS) / 10), LEAST_TONAL)
    share = np.clip((10 ** (tonality / 10) - NOISE_TONALITY) / (own - NOISE_TONALITY), 0, 1)  # [G, N]
    places = np.clip(np.searchsorted(UPPER_GROUPS, np.arange(NUM_LINES), side="right") - 1, 0, len(share) - 1)
    lines: NDArray[np.float32] = share[places].T.astype(np.float32)
    return lines


def _as_alike(drawn: NDArray[np.float32], likeness: float, channel: int) -> NDArray[np.float32]:
    """Two independent noises [2, N, SIZE] -> that of a channel; the first two channels are as alike as told."""
    if channel == 0:
        first: NDArray[np.float32] = drawn[0]
        return first
    mixed: NDArray[np.float32] = likeness * drawn[0] + np.sqrt(max(0.0, 1 - likeness**2), dtype=np.float32) * drawn[1]
    return mixed


def _overlap(spectra: AirSpectra, into: Samples) -> None:
    """Overlap-add spectra [N, Q] under `half_sine` into samples [T], in place."""
    frames = fft.irfft(spectra, SIZE) * half_sine(SIZE).astype(np.float32)
    count = len(frames)
    into[: count * HOP] += frames[:, :HOP].ravel()
    into[HOP : (count + 1) * HOP] += frames[:, HOP:].ravel()
