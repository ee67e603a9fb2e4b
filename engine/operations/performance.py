"""What a net leaves of following undone: decoded takes are brought the rest of the way to the curves of a clip.

The denoiser places events and swells where its curves say, but a small one only roughly: led by hums and whistles, the
loudness of nano's takes correlates with the clip's by 0.6. So the decoded log-mel is moved towards the clip's loudness,
as that of a restyled clip is (`contour.py`); tilted towards its brightness; and the waveform is bent towards its pitch,
where both have one: stretched by WSOLA (Verhelst and Roelands 1993), and played faster and slower by the same ratio.

Shape letters: H latent rows, N mel frames, M mel bins, T samples.
"""

import math
from dataclasses import dataclass

import numpy as np
import soxr
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from engine.gesture import CURVES, LOUDNESS_DB, OCTAVES, measure_curves, smooth_curves
from engine.mel import MelConfig, slaney_filterbank
from engine.operations.contour import LARGEST_GAIN, amplified, loudness_of
from engine.wav_writer import Samples

FIRMNESS = 0.8  # of the remaining way
OF_LOUDNESS = 0.6  # likewise; with 0.8 half as many takes are still recognised: silence between events is raised, too
DEEPEST_DB = 40.0  # below its loudest row a clip counts as silent
STEEPEST = math.log(10) * 18 / 20  # natural log an octave: 18 dB
_HALVINGS = 12  # of the range of tilts: 18 dB / 2^11
FARTHEST = 1.5  # octaves that a take is bent up or down
_STEADY_ROWS = 5  # a pitch that jumps by an octave for less than half of these is the measurement's error
_LEAST_ROWS = 6  # with a pitch in both, a quarter of a second: of fewer there is nothing to bend
_LEAST_SHIFT = 0.01  # octaves, an eighth of a semitone
_FRAME_S, _REACH_S = 0.03, 0.01  # pieces that a sound is stretched by, and how far the likest is looked for
_FINER = 4  # samples between two, so that a sound can be read on straight lines


@dataclass(frozen=True, eq=False)
class Performance:
    """How takes are to move: curves [3, H] as `engine.gesture.relative_curves` has them, NaN where they are free."""

    curves: Tensor

    def shape(self, log_mel: Tensor, mel: MelConfig) -> Tensor:
        """Decoded log-mel [1, 1, N, M] -> the same with the clip's loudness and brightness, where these are known."""
        loudness, brightness, _ = (_frames(curve, log_mel.shape[2]).to(log_mel) for curve in self.curves)
        if not brightness.isnan().all():
            log_mel = _tilted(log_mel, brightness * OCTAVES, mel)
        if loudness.isnan().all():
            return log_mel
        known = ~loudness.isnan()
        wanted = ((loudness - 1) * LOUDNESS_DB).clamp(min=-DEEPEST_DB) * (math.log(10) / 20)
        own = loudness_of(log_mel)[0]
        gain = OF_LOUDNESS * (wanted - wanted[known].mean() - (own - own[known].mean()))
        gain = torch.where(known, gain, torch.zeros_like(gain)).clamp(-LARGEST_GAIN, LARGEST_GAIN)
        return amplified(log_mel, gain[None], mel)

    def bend(self, waveform: Samples, sample_rate: int, samples_per_row: int) -> Samples:
        """Waveform [T] -> the same with the clip's pitch, where both have one; unchanged where that is too seldom."""
        wanted = self.curves[CURVES.index("pitch")] * OCTAVES
        if wanted.isnan().all() or not np.isfinite(waveform).all():  # the second is refused by those who asked
            return waveform
        measured = measure_curves(torch.from_numpy(waveform)[None], sample_rate, samples_per_row)
        own = smooth_curves(measured, _STEADY_ROWS)[0, CURVES.index("pitch")]
        rows = min(len(own), len(wanted))
        shift = wanted[:rows] - own[:rows]
        if int((~shift.isnan()).sum()) < _LEAST_ROWS:
            return waveform
        shift = (shift - shift.nanmedian()).clamp(-FARTHEST, FARTHEST)
        return repitched(waveform, _filled(shift), sample_rate, samples_per_row)


def repitched(waveform: Samples, octaves: Tensor, sample_rate: int, samples_per_row: int) -> Samples:
    """Waveform [T] -> as long, but higher by octaves [H] from row to row; what then passes half the rate is cut."""
    if float(octaves.abs().max()) < _LEAST_SHIFT or len(waveform) < sample_rate * 2 * _FRAME_S:
        return waveform
    samples = np.arange(_FINER * len(waveform)) / _FINER
    centres = (np.arange(len(octaves)) + 0.5) * samples_per_row
    ratio = 2 ** np.interp(samples, centres, octaves.double().numpy())
    read_at = np.concatenate([[0.0], np.cumsum(ratio[:-1]) / _FINER])  # in the stretched sound, for each finer sample
    stretched = _stretched(waveform, np.interp(np.arange(math.ceil(read_at[-1]) + 1), read_at, samples), sample_rate)
    finer = soxr.resample(stretched, 1, _FINER)
    bent = soxr.resample(np.interp(read_at * _FINER, np.arange(len(finer)), finer), _FINER, 1)
    made = np.zeros(len(waveform), np.float32)
    made[: len(bent)] = bent[: len(made)]
    return made


def _stretched(waveform: Samples, positions: NDArray[np.float64], sample_rate: int) -> NDArray[np.float64]:
    """Waveform [T] -> [K], which passes the positions [K] of the waveform without another pitch."""
    hop = round(_FRAME_S * sample_rate / 2)
    reach, size = round(_REACH_S * sample_rate), 2 * hop
    sound = np.pad(waveform.astype(np.float64), (reach + hop, reach + 2 * size))
    window = np.hanning(size + 1)[:-1]
    made = np.zeros(len(positions) + 2 * size)
    start = reach
    for place in range(0, len(positions) + hop, hop):
        made[place : place + size] += window * sound[start : start + size]
        wanted = reach + int(positions[min(place + hop, len(positions) - 1)])
        start = wanted - reach + _likest(sound[wanted - reach : wanted + reach + size], sound[start + hop :][:size])
    return made[hop : hop + len(positions)]


def _likest(region: NDArray[np.float64], frame: NDArray[np.float64]) -> int:
    """Where in a region of sound the piece begins that is most like a frame."""
    energy = np.concatenate([[0.0], np.cumsum(region**2)])
    norms = np.sqrt(np.maximum(energy[len(frame) :] - energy[: -len(frame)], 1e-12))
    return int(np.argmax(np.correlate(region, frame, "valid") / norms))


def _tilted(log_mel: Tensor, octaves: Tensor, mel: MelConfig) -> Tensor:
    """Log-mel [1, 1, N, M] whose centroids move around their median like octaves [N], as loud as it was."""
    filters = slaney_filterbank(mel)
    hertz = (filters @ torch.linspace(0, mel.sample_rate / 2, filters.shape[1])) / filters.sum(dim=1)
    width = (1 / filters.amax(dim=1)).to(log_mel)  # of a band: Slaney's filters are as high as they are narrow
    place = (hertz / 1000).log2().to(log_mel)  # octaves around 1 kHz
    floor = math.log(mel.floor)
    spectra = (log_mel[0, 0] - floor).clamp(min=0)  # [N, M]: at the floor nothing is raised
    sounding = loudness_of(log_mel)[0] > loudness_of(log_mel).max() - DEEPEST_DB * math.log(10) / 20
    known = sounding & ~octaves.isnan()
    if not known.any():
        return log_mel

    def centroid(tilt: Tensor) -> Tensor:
        magnitudes = (spectra + tilt[:, None] * place * (spectra > 0) + floor).exp() * width
        return ((magnitudes * hertz.to(log_mel)).sum(1) / magnitudes.sum(1)).log2()

    own = centroid(torch.zeros_like(octaves))
    wanted = own[known].median() + octaves - octaves[known].median()
    target = own + FIRMNESS * (wanted - own)
    low, high = torch.full_like(own, -STEEPEST), torch.full_like(own, STEEPEST)
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        is_dark = centroid(middle) < target
        low, high = torch.where(is_dark, middle, low), torch.where(is_dark, high, middle)
    tilt = torch.where(known, (low + high) / 2, torch.zeros_like(own))
    made = torch.maximum(log_mel + tilt[:, None] * place * (spectra > 0), torch.full_like(log_mel, floor))
    return amplified(made, loudness_of(log_mel) - loudness_of(made), mel)


def _frames(curve: Tensor, count: int) -> Tensor:
    """A curve [H] on straight lines between the middles of its rows, [N]; NaN in the frames of rows that have none."""
    lines = F.interpolate(_filled(curve)[None, None], size=count, mode="linear")[0, 0]
    known = F.interpolate((~curve.isnan()).float()[None, None], size=count, mode="nearest")[0, 0]
    return torch.where(known > 0, lines, torch.full_like(lines, math.nan))


def _filled(curve: Tensor) -> Tensor:
    """A curve [H] with straight lines where it is NaN, and level ends; nothing known is 0 all along."""
    values = curve.detach().cpu().double().numpy()
    known = np.flatnonzero(~np.isnan(values))
    if not len(known):
        return torch.zeros(len(values))
    return torch.from_numpy(np.interp(np.arange(len(values)), known, values[known])).float()
