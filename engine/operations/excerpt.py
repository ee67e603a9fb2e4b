"""The stretch of a clip that the model hears: at the model's rate and level inside, at the clip's outside."""

from dataclasses import dataclass

import numpy as np

from engine.audio import Audio, resample
from engine.operations.splice import SILENCE
from engine.wav_writer import Samples

RAW_PEAKS = (0.06, 0.95)  # of the corpus: models trained on raw levels hear a clip as it is, unless it lies outside


@dataclass(frozen=True, eq=False)
class Excerpt:
    """Samples `start` to `end` of a clip as waveform [C', T']; C' is 1 where all channels are the same."""

    clip: Audio
    start: int
    end: int
    model_rate: int  # Hz
    waveform: Samples  # [C', T'] at the model's rate, without its mean
    gain: float  # what the clip's level was multiplied by

    @property
    def num_channels(self) -> int:
        """C', the channels that are computed."""
        return int(self.waveform.shape[0])

    def restore(self, waveform: Samples) -> Samples:
        """Waveform [C', T' or more] -> [C, end - start] at the clip's rate, level and number of channels."""
        heard = waveform[:, : self.waveform.shape[1]] / self.gain
        samples = resample(heard.astype(np.float32), self.model_rate, self.clip.sample_rate, self.end - self.start)
        return np.repeat(samples, self.clip.num_channels // len(samples), axis=0)

    def model_position(self, sample: int) -> float:
        """Where a sample of the clip lies in the waveform."""
        return (sample - self.start) * self.model_rate / self.clip.sample_rate


def take_excerpt(clip: Audio, start: int, end: int, model_rate: int, peak: float | None) -> Excerpt:
    """Samples `start` to `end` of the clip, brought to `peak` (None: left as they are unless very quiet or loud)."""
    first, last = max(0, start), min(end, clip.num_samples)
    samples = clip.samples[:, first:last]
    if clip.num_channels > 1 and np.array_equal(samples[0], samples[1]):
        samples = samples[:1]
    num_samples = max(1, round((last - first) * model_rate / clip.sample_rate))
    waveform = resample(samples.astype(np.float32), clip.sample_rate, model_rate, num_samples)
    waveform = waveform - waveform.mean(axis=1, keepdims=True)
    gain = _gain_to(float(np.abs(waveform).max()), peak)
    return Excerpt(clip, first, last, model_rate, (waveform * gain).astype(np.float32), gain)


def _gain_to(peak_now: float, peak: float | None) -> float:
    """Silence is never amplified."""
    if peak_now < SILENCE:
        return 1.0
    wanted = min(max(peak_now, RAW_PEAKS[0]), RAW_PEAKS[1]) if peak is None else peak
    return wanted / peak_now
