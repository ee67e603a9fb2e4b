"""Delivery: a generated take at the sample rate, in the channels and with the bits that its request asks for.

Edits have no need of it: they are spliced into the clip, and keep its own.
"""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from engine.audio import DELIVERED, Audio
from engine.operations.splice import limit_peak
from engine.requests import Generate
from engine.wav_writer import Samples

USUAL_RATE = 48_000  # Hz
DITHERED_BITS = 16
_AT_ONCE = 2**18  # samples of a channel that are dithered together


def rate_of(request: Generate, model_rate: int) -> int:
    """Return the rate of a take in Hz: as asked, or 48 kHz; the model's own where only its band is wanted."""
    return request.output_rate or (model_rate if request.model_band else USUAL_RATE)


def delivered(take: Audio, request: Generate) -> Audio:
    """Return a generated take as its request asks for it, with that in its story.

    A mono sound is the same on both sides in stereo; two sides become their mean, or the louder where they cancel.
    """
    rate = rate_of(request, int(take.story["model_rate_hz"]))
    sound = take if take.sample_rate == rate else take.resample(rate)
    channels = {"mono": 1, "stereo": 2, None: sound.num_channels}[request.output_channels]
    if channels < sound.num_channels:
        sound = sound.as_heard()
    samples = limit_peak(np.repeat(sound.samples, channels // sound.num_channels, axis=0))
    bits = int(request.output_bits)
    if bits == DITHERED_BITS:
        samples = dithered(samples, (int(take.story["seed"]), int(take.story["candidate"])))
    asked = {"output_rate": rate, "output_channels": "mono" if channels == 1 else "stereo", "output_bits": bits}
    story = {**take.story, **asked}
    return replace(take, samples=samples, sample_rate=rate, story=story, encoding=DELIVERED[request.output_bits])


def dithered(samples: Samples, seed: tuple[int, int]) -> Samples:
    """Samples [C, T] -> the nearest levels of 16 bits after triangular noise of one level to each side.

    The noise makes the error independent of the sound (Lipshitz, Wannamaker and Vanderkooy 1992): a hiss 93 dB below
    full scale, where plain rounding distorts what fades away. The same seed draws the same noise.
    """
    levels = np.empty_like(samples)
    full_scale = np.float32(2 ** (DITHERED_BITS - 1))
    random = np.random.default_rng((*seed, DITHERED_BITS))
    for part in _parts(samples.shape[1]):
        noise = random.random((2, *samples[:, part].shape), np.float32)
        levels[:, part] = np.rint(samples[:, part] * full_scale + (noise[0] - noise[1]))
    result: Samples = np.clip(levels, -full_scale, full_scale - 1) / full_scale
    return result


def _parts(size: int) -> Iterator[slice]:
    return (slice(start, start + _AT_ONCE) for start in range(0, size, _AT_ONCE))
