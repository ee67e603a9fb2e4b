"""How near made highs are to a recording's own: each recording is cut at 8 kHz, and what was lost is made again.

Compared with the air net are the means that need no learning: nothing at all, the top octave copied upwards as it is,
noise that falls by 12 dB an octave, and noise that falls as recordings do on average. All are measured alike: the
log-spectral distance above 8 kHz, the mean error of band levels, and the tone that stands out most.

Shape letters: T samples at 48 kHz, N frames, Q frequencies, H bands.
"""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from engine.audio import Audio, resample
from engine.errors import CancelledError
from engine.evaluation.evaluation_errors import ClipFolderMissingError, TooFewClipsError
from engine.evaluation.folders import SUFFIXES
from engine.models.air_net import AirNet, AirNetConfig, load_air_net
from engine.operations.air_spectra import (
    FULL_RATE,
    HOP,
    LINE_HZ,
    LOWER,
    SIZE,
    TOP_OCTAVE,
    UPPER,
    UPPER_GROUPS,
    levels_in,
    powers_of,
    tonality_in,
)
from engine.operations.bandwidth import bandwidth_hz
from engine.operations.frames import frames_of, half_sine, overlapped
from engine.operations.full_band import MODEL_RATE, AirStream
from engine.wav_writer import Samples

LONGEST_S, SHORTEST_S = 8.0, 0.1
ABOVE_HZ = 8_000.0
LOWEST_END_HZ = 12_000.0  # a recording that ends below has no highs to be compared with
END_MARGIN = 0.97  # of where a recording's band ends: compared is what lies below
HEARD_DB = 50.0  # frames softer than the loudest by more are not compared
SILENCE = 1e-10  # of power: -100 dB below full scale, where every recording's peak is
LSD_SIZE = 2048
NATURAL_DB = -12.0  # an octave
LOUDEST_TONES = 95  # percentile of the tonality of a recording's frames

Band = NDArray[np.float64]
Maker = Callable[[Samples], Samples]


@dataclass(frozen=True)
class MadeAir:
    """How near one way of making highs came to a recording."""

    distance_db: float  # log-spectral distance above 8 kHz
    bands_db: float  # mean error of band levels
    tone_db: float  # how far the strongest tones stand above their neighbours


@dataclass(frozen=True)
class AirRow:
    """One recording."""

    clip: str
    ends_hz: float  # where its own band ends
    tone_db: float  # its own
    made: dict[str, MadeAir]


@dataclass(frozen=True)
class AirReport:
    """All recordings that have highs."""

    rows: tuple[AirRow, ...]
    passed_over: int  # without highs, silent or shorter than 0.1 s

    def means(self) -> dict[str, MadeAir]:
        """Return the mean over recordings of each way."""
        names = self.rows[0].made
        figures = ("distance_db", "bands_db", "tone_db")
        return {
            name: MadeAir(*(float(np.mean([getattr(row.made[name], one) for row in self.rows])) for one in figures))
            for name in names
        }

    def to_json(self) -> dict[str, Any]:
        means = {name: asdict(made) for name, made in self.means().items()}
        return {"means": means, "passed_over": self.passed_over, "rows": [asdict(row) for row in self.rows]}

    def to_text(self) -> str:
        """Return a line a recording with its distances, and the means."""
        names = list(self.rows[0].made)
        lines = ["log-spectral distance above 8 kHz, dB", f"{'recording':<44}" + "".join(f"{n:>10}" for n in names)]
        lines += [
            f"{row.clip[-44:]:<44}" + "".join(f"{row.made[n].distance_db:10.1f}" for n in names) for row in self.rows
        ]
        means, own = self.means(), np.mean([row.tone_db for row in self.rows])
        table = [("distance", "distance_db"), ("band levels", "bands_db"), ("strongest tones", "tone_db")]
        count = f"{len(self.rows)} recordings, {self.passed_over} passed over; means in dB"
        lines += ["", f"{count:<44}" + "".join(f"{n:>10}" for n in names)]
        lines += [f"{label:<44}" + "".join(f"{getattr(means[n], key):10.1f}" for n in names) for label, key in table]
        return "\n".join([*lines, f"{'strongest tones of the recordings':<44}{own:10.1f}"])


def evaluate_air(
    folder: Path,
    seed: int = 1,
    net: AirNet | None = None,
    on_clip: Callable[[int, int], None] | None = None,
    should_stop: Callable[[], bool] | None = None,
) -> AirReport:
    """Cut every recording in a folder, and in the folders in it, at 8 kHz, and make its highs again in five ways.

    Raises:
        FolderMissingError, TooFewClipsError: there is no such folder, or no recording with highs in it.
        AudioFileError: one cannot be read.
        CancelledError: `should_stop` says so.
    """
    if not folder.is_dir():
        raise ClipFolderMissingError(folder)
    names = sorted(folder.rglob("*"))
    files = [path for path in names if path.suffix.lower() in SUFFIXES and not path.name.startswith(".")]
    makers = _makers(net or load_air_net(), seed)
    rows = []
    for index, path in enumerate(files):
        if should_stop and should_stop():
            raise CancelledError
        row = _row(path.relative_to(folder).as_posix(), Audio.read(path), makers)
        rows += [row] if row else []
        if on_clip:
            on_clip(index + 1, len(files))
    if not rows:
        raise TooFewClipsError(f"{folder} (with sound above 12 kHz)", 0, 1)
    return AirReport(tuple(rows), len(files) - len(rows))


def _makers(net: AirNet, seed: int) -> dict[str, Maker]:
    centres = np.log2((UPPER[:-1] + UPPER[1:]) / 2 / (sum(TOP_OCTAVE) / 2))

    def by(one: AirNet) -> Maker:
        def made(low: Samples) -> Samples:
            stream = AirStream(torch.Generator().manual_seed(seed), 1, net=one)
            whole: Samples = low + np.concatenate([stream.push(low), stream.finish()], axis=1)
            return whole

        return made

    return {
        "silence": lambda low: low,
        "copied up": _copied,
        "carrier": by(_Falling(net.config, torch.from_numpy(NATURAL_DB * centres))),
        "slope": by(_Falling(net.config, net.mean_levels)),
        "learnt": by(net),
    }


class _Falling(AirNet):
    """Levels above the top octave's that are always the same, and no tones."""

    def __init__(self, config: AirNetConfig, levels: Tensor) -> None:
        super().__init__(config)
        self._levels = levels.float()

    def forward(self, features: Tensor) -> tuple[Tensor, Tensor]:
        shape = len(features), -1, features.shape[2]
        return self._levels[None, :, None].expand(shape), torch.zeros(len(features), self.config.groups, shape[2])


def _copied(low: Samples) -> Samples:
    """The top octave shifted up again and again, at its own level: plain copying-up, [1, T]."""
    first, last = TOP_OCTAVE
    result = low.copy()

    def shifted() -> Any:
        for number, spectra in frames_of(low, SIZE, half_sine(SIZE)):
            copy = np.zeros_like(spectra)
            for start in range(last, SIZE // 2, last - first):
                end = min(start + last - first, SIZE // 2)
                copy[..., start:end] = spectra[..., first : first + end - start]
            yield number, copy

    overlapped(shifted(), SIZE, result)
    return result


def _row(name: str, audio: Audio, makers: dict[str, Maker]) -> AirRow | None:
    """None for a recording that has no highs."""
    rate, mono = audio.sample_rate, audio.to_mono().samples[:, : round(LONGEST_S * audio.sample_rate)]
    if mono.shape[1] < SHORTEST_S * rate or not mono.any() or rate / 2 < LOWEST_END_HZ:
        return None
    ends_hz = min(bandwidth_hz(mono, rate), 0.985 * rate / 2)
    if ends_hz < LOWEST_END_HZ:
        return None
    size = round(mono.shape[1] * FULL_RATE / rate)
    whole = resample(mono.astype(np.float32, copy=False), rate, FULL_RATE, size)
    whole /= np.abs(whole).max()
    cut = resample(whole, FULL_RATE, MODEL_RATE, -(-size * MODEL_RATE // FULL_RATE))
    low, until_hz = resample(cut, MODEL_RATE, FULL_RATE, size), END_MARGIN * ends_hz
    wanted = _Measured.of(whole, until_hz)
    made = {}
    for way, make in makers.items():
        measured = _Measured.of(make(low), until_hz)
        made[way] = MadeAir(wanted.distance(measured), wanted.bands_error(measured), measured.tone_db(wanted.heard))
    return AirRow(name, ends_hz, wanted.tone_db(wanted.heard), made)


@dataclass(frozen=True, eq=False)
class _Measured:
    """What is compared of a sound at 48 kHz."""

    spectrum: Band  # [N, Q], dB, above 8 kHz
    loudness: Band  # [N], dB, of the whole spectrum
    bands: Band  # [H, N'], dB
    tonality: Band  # [G, N'], dB
    heard: NDArray[np.bool_]  # [N']

    @classmethod
    def of(cls, sound: Samples, until_hz: float) -> "_Measured":
        window = np.hanning(LSD_SIZE + 1)[:-1]
        padded = np.pad(sound[0], LSD_SIZE // 2)
        starts = np.arange(0, len(padded) - LSD_SIZE + 1, LSD_SIZE // 4)
        power = np.square(np.abs(np.fft.rfft(padded[starts[:, None] + np.arange(LSD_SIZE)] * window)))
        power /= np.square(window).sum()
        hz = np.fft.rfftfreq(LSD_SIZE, 1 / FULL_RATE)
        compared = (hz >= ABOVE_HZ) & (hz <= until_hz)
        frames = -(-sound.shape[1] // HOP) + 1
        framed = np.zeros((frames + 1) * HOP, np.float32)
        framed[HOP : HOP + sound.shape[1]] = sound[0]
        short = powers_of(framed, frames)
        bands = levels_in(np.maximum(short, SILENCE), UPPER)
        inside = (UPPER[:-1] * LINE_HZ >= ABOVE_HZ) & (UPPER[1:] * LINE_HZ <= until_hz)
        groups = UPPER_GROUPS[1:] * LINE_HZ <= until_hz
        low = levels_in(short, LOWER).max(axis=0)
        return cls(
            10 * np.log10(power[:, compared] + SILENCE),
            10 * np.log10(power.sum(axis=1) + SILENCE),
            bands[inside].astype(np.float64),
            tonality_in(short, UPPER_GROUPS)[groups].astype(np.float64),
            low > low.max() - HEARD_DB,
        )

    def distance(self, made: "_Measured") -> float:
        """The log-spectral distance in frames that are heard: the root over frequencies, then the mean over frames."""
        heard = self.loudness > self.loudness.max() - HEARD_DB
        return float(np.sqrt(np.square(self.spectrum - made.spectrum)[heard].mean(axis=1)).mean())

    def bands_error(self, made: "_Measured") -> float:
        return float(np.abs(self.bands - made.bands)[:, self.heard].mean())

    def tone_db(self, heard: NDArray[np.bool_]) -> float:
        if not self.tonality.size:
            return 0.0
        return float(np.percentile(self.tonality[:, heard].max(axis=0), LOUDEST_TONES))
