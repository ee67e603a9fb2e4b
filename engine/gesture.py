"""The gesture of a sound: how its loudness, brightness and pitch move from latent row to latent row.

A hum, a tap or a whistle is no sound that anyone wants; its gesture is. As in Sketch2Sound (García et al. 2024) three
curves are measured, made coarse by a median filter, and given to the denoiser. Here they say how a sound moves, not
where it is: loudness counts from the loudest row, brightness and pitch from their medians, so that a hum at 120 Hz can
lead a bird at 4 kHz. A curve is NaN where it is not known: all along if it was not asked for, and in rows where nothing
can be measured, such as the pitch of noise.

Shape letters: B batch, T samples, C curves, H latent rows.
"""

import math

import torch
from torch import Tensor
from torch.nn import functional as F

from engine.audio import Audio

CURVES = ("loudness", "brightness", "pitch")  # in dB, in octaves above 1 Hz, in octaves above 1 Hz

_SMOOTH_ROWS = 3  # of a clip's curves: a cough or a click lasts no longer than one row
_FRAME_S = 0.064  # a row is 40 ms; 64 ms hold three periods of a low hum
_LOWEST_HZ, _HIGHEST_HZ = 50.0, 3200.0  # of a pitch: below a bass's hum, above most whistles
_VOICED = 0.7  # normalised autocorrelation from which on a row has a pitch
_FIRST_PEAK = 0.9  # of the highest: the first peak of that height is one period, later ones are several
_SILENT_DB = -100.0  # an RMS below that is silence, which has no loudest row to count from
_FAINT_DB = 40.0  # below the loudest row: there brightness and pitch are the noise floor's
LOUDNESS_DB, OCTAVES = 30.0, 2.0  # a unit of a curve


def gesture_of(clip: Audio, sample_rate: int, samples_per_row: int) -> Tensor:
    """Return the curves of a clip of any rate, channels and length as a denoiser is given them: [3, H].

    `sample_rate` and `samples_per_row` are the denoiser's. Stereo is followed as it is heard in mono. What is known is
    from -1 to 1, see `relative_curves`; of a silent clip nothing is.
    """
    mono = torch.from_numpy(clip.as_heard().resample(sample_rate).samples.copy()).float()
    return relative_curves(smooth_curves(measure_curves(mono, sample_rate, samples_per_row), _SMOOTH_ROWS))[0]


def measure_curves(waveform: Tensor, sample_rate: int, samples_per_row: int) -> Tensor:
    """Waveform [B, T] -> its curves [B, 3, H] in the order and units of `CURVES`; H = T / samples_per_row, rounded up.

    A silent waveform has no curves: all of it is NaN.
    """
    rows = max(1, -(-waveform.shape[1] // samples_per_row))
    size = max(round(_FRAME_S * sample_rate), samples_per_row)
    before = (size - samples_per_row) // 2
    after = (rows - 1) * samples_per_row + size - before - waveform.shape[1]
    frames = F.pad(waveform.float(), (before, max(0, after))).unfold(1, size, samples_per_row)[:, :rows]
    window = torch.hann_window(size, device=waveform.device)
    power = (frames * window).square().sum(2) / window.square().sum()
    loudness = 10 * power.clamp(min=1e-20).log10()
    loudest = loudness.amax(1, keepdim=True)
    sounding = loudness > (loudest - _FAINT_DB)
    curves = torch.stack(
        [
            loudness,
            _only(_brightness(frames * window, sample_rate), sounding),
            _only(_pitch(frames, sample_rate), sounding),
        ],
        dim=1,
    )
    return _only(curves, (loudest > _SILENT_DB)[:, :, None].expand_as(curves))


def smooth_curves(curves: Tensor, width: int) -> Tensor:
    """Curves [B, C, H] -> their running medians over `width` rows, an odd number; what is not known stays so."""
    if width == 1:
        return curves
    padded = F.pad(curves, (width // 2, width // 2), mode="constant", value=math.nan)
    return _only(padded.unfold(2, width, 1).nanmedian(dim=3).values, ~curves.isnan())


def relative_curves(curves: Tensor) -> Tensor:
    """Measured curves [B, 3, H] -> what a denoiser is given: mostly from -1 to 1, with NaN where it is not known.

    Loudness is 1 at the loudest row and -1 at 60 dB below; brightness and pitch are 0 at their medians and ±1 two
    octaves from there.
    """
    loudness, *others = curves.unbind(1)
    highest = loudness.nan_to_num(-math.inf).amax(1, keepdim=True)
    level = (1 + (loudness - highest) / LOUDNESS_DB).clamp(min=-1)
    moved = [(curve - curve.nanmedian(dim=1, keepdim=True).values) / OCTAVES for curve in others]
    return torch.stack([level, *(curve.clamp(-1, 1) for curve in moved)], dim=1)


def _only(values: Tensor, known: Tensor) -> Tensor:
    return torch.where(known, values, torch.full_like(values, math.nan))


def _brightness(frames: Tensor, sample_rate: int) -> Tensor:
    """Windowed frames [B, H, n] -> the binary logarithm of their spectral centroids in Hz, [B, H]."""
    magnitude = torch.fft.rfft(frames).abs()
    hertz = torch.linspace(0, sample_rate / 2, magnitude.shape[2], device=frames.device)
    centroid: Tensor = (magnitude * hertz).sum(2) / magnitude.sum(2).clamp(min=1e-12)
    return centroid.clamp(min=_LOWEST_HZ).log2()


def _pitch(frames: Tensor, sample_rate: int) -> Tensor:
    """Frames [B, H, n] -> the binary logarithm of f0 in Hz, [B, H]; NaN where there is none.

    The normalised square difference function and its choice of a peak are McLeod and Wyvill's (2005, equations 1 to 9).
    """
    size = frames.shape[2]
    shortest, longest = int(sample_rate / _HIGHEST_HZ), min(math.ceil(sample_rate / _LOWEST_HZ), size // 2)
    centred = frames - frames.mean(2, keepdim=True)
    spectrum = torch.fft.rfft(centred, 2 * size)
    correlation = torch.fft.irfft(spectrum.real.square() + spectrum.imag.square())[..., : longest + 2]
    energy = F.pad(centred.square().cumsum(2), (1, 0))  # [B, H, n + 1]
    lags = torch.arange(longest + 2, device=frames.device)
    overlapping = energy[..., size - lags] + energy[..., -1:] - energy[..., lags]
    likeness = 2 * correlation / overlapping.clamp(min=1e-12)
    left, top, right = likeness[..., :-2], likeness[..., 1:-1], likeness[..., 2:]
    is_peak = (top >= left) & (top > right) & (lags[1:-1] >= shortest)
    shift = (left - right) / (2 * (left - 2 * top + right)).clamp(max=-1e-9)  # to the top of the parabola through them
    height = torch.where(is_peak, top - (left - right) * shift / 4, torch.zeros_like(top))
    highest = height.amax(2, keepdim=True)
    first = (height >= _FIRST_PEAK * highest).float().argmax(2, keepdim=True)
    period = (first + 1 + shift.gather(2, first))[..., 0]
    return _only((sample_rate / period.clamp(min=1)).log2(), highest[..., 0] >= _VOICED)
