"""What REAPER's take audio accessor gives: the take as its item plays it, before volume, pan, fades and FX."""

import functools
from pathlib import Path
from typing import Any

import numpy as np
import soundfile


@functools.lru_cache(maxsize=16)
def read_file(path: Path) -> Any:
    """Samples [T, C] of a file, and its rate."""
    return soundfile.read(path, dtype="float64", always_2d=True)


def samples_of(source: Any) -> Any:
    """All samples [T, C] of a source, through sections and reversals, and their rate."""
    if source.parent is None:
        return read_file(source.path)
    samples, rate = samples_of(source.parent)
    first = round(source.start * rate)
    part = samples[first : first + round(source.length * rate)]
    return (part[::-1] if source.is_reversed else part), rate


class Accessor:
    """Reads a take in the time of its item: 0 is the item's start, and its playrate counts."""

    kind = "AudioAccessor"

    def __init__(self, take: Any) -> None:
        self.take = take
        self.is_alive = True

    def read(self, rate: int, num_channels: Any, start_s: Any, num_frames: Any) -> Any:
        """Samples [frames, channels] up to the item's end: fewer than asked for when it ends before."""
        item, take = self.take.item, self.take
        samples, source_rate = samples_of(take.source)
        left = item.values["D_LENGTH"] - start_s
        count = max(min(num_frames, int(np.ceil(left * rate - 1e-6))), 0)
        times = start_s + np.arange(count) / rate
        at = (take.values["D_STARTOFFS"] + times * take.values["D_PLAYRATE"]) * source_rate
        at = np.where(np.abs(at - np.round(at)) < 1e-6, np.round(at), at)
        if item.values["B_LOOPSRC"]:
            at = at % len(samples)
        heard = _choose_channels(samples, take.values["I_CHANMODE"])
        grid = np.arange(len(samples))
        columns = [np.interp(at, grid, heard[:, channel], left=0.0, right=0.0) for channel in range(heard.shape[1])]
        wanted = [columns[channel] if channel < len(columns) else np.zeros(count) for channel in range(num_channels)]
        return np.stack(wanted, axis=1)


def _choose_channels(samples: Any, mode: Any) -> Any:
    """What I_CHANMODE leaves: mono modes are heard on two channels, as REAPER's accessor gives them."""
    match int(mode):
        case 1:
            return samples[:, ::-1]
        case 2:
            return np.repeat(samples.mean(axis=1, keepdims=True), max(samples.shape[1], 2), axis=1)
        case mono if 3 <= mono <= 66:
            return np.repeat(samples[:, mono - 3 : mono - 2], max(samples.shape[1], 2), axis=1)
        case pair if pair > 66:
            first = pair - 67
            return samples[:, first : first + 2]
    return samples
