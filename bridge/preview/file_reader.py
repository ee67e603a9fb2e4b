"""The part of a sound file that is played, read block by block and made fit for the device; never loaded whole."""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import soxr

from bridge.errors import PreviewChannelsError, PreviewFileError, PreviewFileMissingError, PreviewRegionError
from engine import AudioMissingError, AudioUnreadableError, SoundReader, reader_of

Block = npt.NDArray[np.float32]
"""Some frames of sound, [frames, channels]."""

FADE_S = 0.003
"""How long both ends of a part fade: no click, and attacks stay sharp."""

_BLOCK_S = 0.05


class FilePart:
    """A sound file from `start_s` to `end_s` (its end if None), once or over and over.

    Raises PreviewFileMissingError, PreviewFileError, PreviewChannelsError or PreviewRegionError.
    """

    def __init__(self, path: str, start_s: float, end_s: float | None, *, loop: bool) -> None:
        self._path, self._file = path, _open(path)
        self._loop = loop
        self.sample_rate: int = self._file.sample_rate
        self.num_channels: int = self._file.num_channels
        self.file_s: float = self._file.num_frames / self.sample_rate
        self._first = round(start_s * self.sample_rate)
        end = self._file.num_frames
        last = end if end_s is None else min(round(end_s * self.sample_rate), end)
        self._num_frames = last - self._first
        if self._num_frames <= 0 or self.num_channels > 2:
            self.close()
            if self.num_channels > 2:
                raise PreviewChannelsError(path, self.num_channels)
            raise PreviewRegionError(start_s, self.file_s)

    def position_s(self, played_s: float) -> float:
        """Return the position in the file, in seconds, after `played_s` seconds have been played."""
        length_s = self._num_frames / self.sample_rate
        return float(self._first / self.sample_rate + (played_s % length_s if self._loop else min(played_s, length_s)))

    def blocks(self) -> Iterator[Block]:
        """Yield the part in blocks at the file's rate, each pass with its fades; without NaN or infinity.

        Raises PreviewFileError where the file breaks off, or is damaged.
        """
        size = max(1, round(_BLOCK_S * self.sample_rate))
        while True:
            for done in range(0, self._num_frames, size):
                try:
                    block = self._file.read(self._first + done, min(size, self._num_frames - done), "float32")
                except AudioUnreadableError as error:
                    raise PreviewFileError(self._path, error.reason) from error
                yield self._faded(np.nan_to_num(block, copy=False, nan=0.0, posinf=1.0, neginf=-1.0), done)
            if not self._loop:
                return

    def close(self) -> None:
        self._file.close()

    def _faded(self, block: Block, done: int) -> Block:
        """Fade a block by its distance from both ends of the part, along a raised cosine."""
        fade = min(round(FADE_S * self.sample_rate), self._num_frames // 2)
        frames = done + np.arange(len(block), dtype=np.float32) + 0.5
        nearness = np.minimum(frames, self._num_frames - frames) / max(fade, 1)
        gain = np.sin(np.pi / 2 * np.clip(nearness, 0, 1)) ** 2
        faded: Block = (block * gain[:, None]).astype(np.float32)
        return faded


def _open(path: str) -> SoundReader:
    """Open a sound file, as the engine reads it."""
    try:
        return reader_of(path)
    except AudioMissingError as error:
        raise PreviewFileMissingError(path) from error
    except AudioUnreadableError as error:
        raise PreviewFileError(path, error.reason) from error


def fit(blocks: Iterator[Block], part: FilePart, rate: int, num_channels: int, level_db: float) -> Iterator[Block]:
    """Bring blocks of a part to a device's rate, Hz, and channels; raise them by `level_db`, never past full scale."""
    if rate != part.sample_rate:
        blocks = _resampled(blocks, part.sample_rate, rate, part.num_channels)
    gain = np.float32(10 ** (level_db / 20))
    for block in blocks:
        yield np.clip(gain * _spread(block, num_channels), -1, 1)


def _resampled(blocks: Iterator[Block], from_rate: int, to_rate: int, num_channels: int) -> Iterator[Block]:
    stream = soxr.ResampleStream(from_rate, to_rate, num_channels, dtype="float32")
    for block in blocks:
        yield stream.resample_chunk(block)
    yield stream.resample_chunk(np.zeros((0, num_channels), np.float32), last=True)


def _spread(block: Block, num_channels: int) -> Block:
    """Copy mono to every channel, and mix stereo for a device with one."""
    if block.shape[1] == num_channels:
        return block
    return np.repeat(block.mean(axis=1, keepdims=True, dtype=np.float32), num_channels, axis=1)
