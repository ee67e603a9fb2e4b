"""The excerpt of a clip that the model processes: at the model's rate and level inside, at the clip's outside."""

from dataclasses import dataclass, replace

import numpy as np

from engine.audio import Audio, resample
from engine.operations.splice import SILENCE, loudest, rms
from engine.wav_writer import Samples

PANNED = 0.01  # of a channel's RMS; a channel that is the other one within this, but for its level, is a panned copy
RAW_PEAKS = (0.06, 0.95)  # of the corpus: models trained on raw levels get a clip unscaled within this range


@dataclass(frozen=True, eq=False)
class Excerpt:
    """Samples `start` to `end` of a clip as waveform [C', T'].

    C' is 1 where both channels hold one sound, at whatever levels and polarities: it is made once and panned as it was.
    """

    clip: Audio
    start: int
    end: int
    model_rate: int  # Hz
    waveform: Samples  # [C', T'] at the model's rate, without its mean
    gain: float  # what the clip's level was multiplied by
    pan: tuple[float, ...] | None = None  # level of each channel where C' is 1 and C is 2

    @property
    def num_channels(self) -> int:
        """C', the channels that are computed."""
        return int(self.waveform.shape[0])

    def without_sound(self) -> "Excerpt":
        """The same without its waveform, once that is encoded: a view of one zero takes its place and no memory."""
        silence = np.broadcast_to(np.zeros((), self.waveform.dtype), self.waveform.shape)
        return replace(self, waveform=silence)

    def restore(self, waveform: Samples) -> Samples:
        """Waveform [C', T' or more] -> [C, end - start] at the clip's rate, level and number of channels."""
        waveform_at_level = (waveform[:, : self.waveform.shape[1]] / self.gain).astype(np.float32, copy=False)
        samples = resample(waveform_at_level, self.model_rate, self.clip.sample_rate, self.end - self.start)
        return samples if self.pan is None else samples * np.array(self.pan, samples.dtype)[:, None]

    def model_position(self, sample: int) -> float:
        """Return the position in the waveform of a sample of the clip."""
        return (sample - self.start) * self.model_rate / self.clip.sample_rate


def take_excerpt(clip: Audio, start: int, end: int, model_rate: int, peak: float | None) -> Excerpt:
    """Samples `start` to `end` of the clip, brought to `peak` (None: left as they are unless very quiet or loud)."""
    first, last = max(0, start), min(end, clip.num_samples)
    samples = clip.samples[:, first:last]
    pan = _pan_of(samples)
    if pan is not None:
        samples = samples[pan.index(1.0)][None]
    num_samples = max(1, round((last - first) * model_rate / clip.sample_rate))
    waveform = resample(samples.astype(np.float32, copy=False), clip.sample_rate, model_rate, num_samples)
    waveform -= waveform.mean(axis=1, keepdims=True)
    gain = _gain_to(loudest(waveform), peak)
    waveform *= gain
    return Excerpt(clip, first, last, model_rate, waveform, gain, pan)


def _pan_of(samples: Samples) -> tuple[float, ...] | None:
    """Levels of both channels, the stronger one's is 1, or None where they are not one sound (or there is only one).

    Converters rest each channel on an offset of its own, which is no sound.
    """
    if len(samples) == 1:
        return None
    if np.array_equal(samples[0], samples[1]):
        return 1.0, 1.0
    mean = samples.mean(axis=1, dtype=np.float64)
    levels = [float(np.sqrt(max(0.0, rms(one) ** 2 - offset**2))) for one, offset in zip(samples, mean, strict=True)]
    strong, weak = (0, 1) if levels[0] >= levels[1] else (1, 0)
    if levels[strong] < 10 * SILENCE:
        return None
    common, size = float(np.dot(samples[weak], samples[strong])), samples.shape[1]
    level = (common / size - mean[weak] * mean[strong]) / levels[strong] ** 2
    rest = samples[weak] - samples.dtype.type(level) * samples[strong]
    rest -= rest.mean()
    if rms(rest) > max(SILENCE, PANNED * levels[weak]):
        return None
    return (1.0, level) if strong == 0 else (level, 1.0)


def _gain_to(peak_now: float, peak: float | None) -> float:
    """Silence is never amplified."""
    if peak_now < SILENCE:
        return 1.0
    wanted = min(max(peak_now, RAW_PEAKS[0]), RAW_PEAKS[1]) if peak is None else peak
    return wanted / peak_now
