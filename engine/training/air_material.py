"""Recordings for the air net: bands below and above 7.5 kHz of every piece, also faster, slower and through a codec.

What a low sample rate or an encoder cut off is left out: the upper bands are learnt from sounds that have them.

Shape letters: N frames, L lower bands, H upper bands, G groups.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from engine.audio import Audio, resample
from engine.errors import AudioFileError
from engine.operations.air_spectra import (
    FULL_RATE,
    HOP,
    LINE_HZ,
    LOWER,
    LOWER_GROUPS,
    UPPER,
    UPPER_GROUPS,
    Levels,
    levels_in,
    moments_of,
    powers_of,
    reference_of,
    tonality_in,
)
from engine.operations.bandwidth import bandwidth_hz
from engine.wav_writer import Samples

SUFFIXES = (".wav", ".flac", ".aif", ".aiff", ".ogg", ".oga", ".mp3")
LOWEST_CUT_HZ = 11_000.0  # a recording that ends below teaches too little
CUT_MARGIN = 0.97  # of where a recording's band ends
PIECE_S, PIECES = 8.0, 2  # seconds of a piece, and how many a recording has at most
SHORTEST_S = 0.1
SPEEDS = 0.8, 1.25

Codec = Callable[[Samples], Samples]  # [T] -> [T] at 16 kHz


@dataclass(frozen=True, eq=False)
class AirPiece:
    """What is taught by one piece of a recording, at one speed."""

    lower: Levels  # [L, N], dB
    tonality: Levels  # [G, N], dB
    liveliness: Levels  # [N], dB
    upper: Levels  # [H, N], dB
    upper_tonality: Levels  # [G, N], dB
    known: NDArray[np.bool_]  # [H]: bands that the recording has
    known_groups: NDArray[np.bool_]  # [G]


class AirLibrary:
    """Recordings by folder. Of a folder with many alike, such as an instrument's notes, each comes more seldom."""

    def __init__(self) -> None:
        self._recordings: list[list[AirPiece]] = []
        self._folders: list[Path] = []
        self._places: NDArray[np.float64] | None = None

    def __len__(self) -> int:
        return len(self._recordings)

    def add(self, folder: Path, pieces: list[AirPiece]) -> None:
        """A recording with something to teach."""
        if pieces:
            self._recordings.append(pieces)
            self._folders.append(folder)
            self._places = None

    def draw(self, random: np.random.Generator) -> AirPiece:
        """Return a piece: each recording of a folder of n comes with a chance of 1 to the root of n."""
        if self._places is None:
            counts = Counter(self._folders)
            self._places = np.cumsum([counts[folder] ** -0.5 for folder in self._folders])
        pieces = self._recordings[int(np.searchsorted(self._places, random.random() * self._places[-1]))]
        return pieces[random.integers(len(pieces))]

    def mean_levels(self) -> Levels:
        """How much louder the upper bands are than the top octave, in the mean of the recordings, [H], dB."""
        means = np.full((len(self), len(UPPER) - 1), np.nan)
        for row, (piece, *_) in zip(means, self._recordings, strict=True):
            heard = piece.lower.max(axis=0) > piece.lower.max() - 50
            row[piece.known] = (piece.upper - reference_of(piece.lower))[piece.known][:, heard].mean(axis=1)
        counts = np.isfinite(means).sum(axis=0)
        levels = np.nansum(means, axis=0) / np.maximum(counts, 1)
        levels[counts == 0] = levels[counts > 0][-1]  # what none has is as loud as the highest that some have
        mean_levels: Levels = levels.astype(np.float32)
        return mean_levels


def recordings_in(folders: Sequence[Path]) -> list[Path]:
    """Return the sound files in folders and in the folders in them, in order."""
    found = (path for folder in folders for path in sorted(folder.rglob("*")))
    return [path for path in found if path.suffix.lower() in SUFFIXES and not path.name.startswith(".")]


def pieces_of(path: Path, codec: Codec | None = None, speeds: Sequence[float] = SPEEDS) -> list[AirPiece]:
    """Return the pieces of a recording; none where it cannot be read, is silent or has no highs."""
    try:
        audio = Audio.read(path).to_mono()
    except AudioFileError:
        return []
    pieces: list[AirPiece] = []
    for samples in _cut(audio):
        if samples.std() < 1e-5:
            continue
        highest_hz = min(bandwidth_hz(samples[None], audio.sample_rate), audio.sample_rate / 2 * 0.985)
        for speed in (1.0, *speeds):
            piece = _piece(samples, audio.sample_rate, speed, highest_hz)
            pieces += [piece] if piece else []
        if codec and highest_hz >= LOWEST_CUT_HZ:
            piece = _piece(samples, audio.sample_rate, 1.0, highest_hz, codec)
            pieces += [piece] if piece else []
    return pieces


def _cut(audio: Audio) -> Iterator[Samples]:
    """Pieces [T] of a recording, spread over it."""
    size, total = round(PIECE_S * audio.sample_rate), audio.num_samples
    if total < SHORTEST_S * audio.sample_rate:
        return
    count = min(PIECES, max(1, total // size))
    for start in np.linspace(0, max(0, total - size), count).astype(int).tolist():
        yield audio.samples[0, start : start + size]


def _piece(
    samples: Samples, sample_rate: int, speed: float, highest_hz: float, codec: Codec | None = None
) -> AirPiece | None:
    """A piece played at a speed, brought to full scale; None where nothing is left above."""
    if highest_hz * speed < LOWEST_CUT_HZ:
        return None
    size = max(1, round(len(samples) * FULL_RATE / sample_rate / speed))
    sound = resample(samples[None].astype(np.float32), round(sample_rate * speed), FULL_RATE, size)[0]
    sound /= max(float(np.abs(sound).max()), 1e-9)
    whole, num_frames = _padded(sound)
    powers = powers_of(whole, num_frames)
    below, below_powers = whole, powers
    if codec is not None:
        low = resample(sound[None], FULL_RATE, 16_000, max(1, round(size / 3)))[0]
        below, _ = _padded(resample(codec(low)[None], 16_000, FULL_RATE, size)[0])
        below_powers = powers_of(below, num_frames)
    known_hz = CUT_MARGIN * highest_hz * speed
    return AirPiece(
        lower=levels_in(below_powers, LOWER),
        tonality=tonality_in(below_powers, LOWER_GROUPS),
        liveliness=moments_of(below, num_frames)[1],
        upper=levels_in(powers, UPPER),
        upper_tonality=tonality_in(powers, UPPER_GROUPS),
        known=UPPER[1:] * LINE_HZ <= known_hz,
        known_groups=UPPER_GROUPS[1:] * LINE_HZ <= known_hz,
    )


def _padded(sound: Samples) -> tuple[Samples, int]:
    """Sound [T] with half a frame of silence around it, and its number of frames."""
    num_frames = -(-len(sound) // HOP) + 1
    padded = np.zeros((num_frames + 1) * HOP, np.float32)
    padded[HOP : HOP + len(sound)] = sound
    return padded, num_frames
