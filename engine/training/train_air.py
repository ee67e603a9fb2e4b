"""Trains the air net on recordings: levels and tonality of sixteen bands above 7.5 kHz, told from what lies below.

The loss is the mean error in dB, over the frames that are heard. Every piece comes tilted, levelled, with a noise floor
or mixed with another, all at random and above as below, since what is heard of one recording is mostly its equaliser.
"""

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from engine.audioldm import AudioLDM
from engine.models.air_net import SHIPPED, AirNet, AirNetConfig, save_air_net
from engine.operations.air_spectra import FLOOR, LINE_HZ, LOWER, UPPER, Levels, features_of, reference_of
from engine.training.air_material import AirLibrary, Codec, pieces_of, recordings_in
from engine.training.training_errors import NothingToLearnError
from engine.wav_writer import Samples

OnStage = Callable[[str], None]

CODEC_EVERY = 3  # recordings: of one of them there is a copy that went through the codec, for that takes its time
HEARD_DB = 50.0  # frames softer than the loudest by more weigh less:
FAINT_WEIGHT = 0.2
SOFTEST_DB = -100.0  # of a level that is learnt


@dataclass(frozen=True)
class AirSettings:
    """Lengths and strengths of the recipe; the defaults made the shipped net."""

    folders: tuple[Path, ...]
    output: Path = SHIPPED
    steps: int = 3000
    batch: int = 16
    frames: int = 320  # of a crop: 1.7 s
    peak_rate: float = 2e-3  # of AdamW, cosine to a twentieth
    weight_decay: float = 0.1
    gain_db: tuple[float, float] = (-30.0, 6.0)
    tilt_db: float = 3.0  # an octave, up or down
    bend_db: float = 4.0  # of an equaliser with five points
    noise_share: float = 0.3  # of crops get a floor of noise
    mixed_share: float = 0.35  # of crops are mixed with another
    shake_db: float = 1.5  # of noise on what the net reads, from frame to frame
    bias_db: float = 2.0  # and of a change of each band for a whole crop, which the upper bands do not share
    tonality_weight: float = 0.3
    seed: int = 0


_LOWER_HZ, _UPPER_HZ = ((edges[:-1] + edges[1:]) / 2 * LINE_HZ for edges in (LOWER, UPPER))
_OCTAVES = np.log2(np.concatenate([_LOWER_HZ, _UPPER_HZ]) / 7500)


@dataclass(frozen=True, eq=False)
class _Crop:
    """One example: features [F, N], and what is wanted with its weights, [H, N] and [G, N]."""

    features: Levels
    upper: Levels
    upper_weight: Levels
    tonality: Levels
    tonality_weight: Levels


def train_air(settings: AirSettings, codec: Codec | None = None, on_stage: OnStage = print) -> AirNet:
    """Read, train, save.

    Raises:
        NothingToLearnError: no recording in the folders reaches above 11 kHz.
    """
    library = AirLibrary()
    paths = recordings_in(settings.folders)
    for index, path in enumerate(paths):
        library.add(path.parent, pieces_of(path, codec if index % CODEC_EVERY == 0 else None))
        if index % 50 == 49:
            on_stage(f"reading {index + 1}/{len(paths)}: {len(library)} have highs")
    if not len(library):
        raise NothingToLearnError(len(paths))
    on_stage(f"{len(library)} of {len(paths)} recordings")
    net = fit_air_net(settings, library, on_stage)
    about = {name: value for name, value in asdict(settings).items() if name not in ("folders", "output")}
    save_air_net(net, settings.output, {"recordings": len(library), "settings": about})
    return net


def codec_of(model: AudioLDM) -> Codec:
    """Return what a model's autoencoder and vocoder make of a waveform [T], which is how its own sounds come."""

    @torch.inference_mode()
    def codec(waveform: Samples) -> Samples:
        windows = model.rows_for(len(waveform))
        padded = np.zeros((1, windows * model.samples_per_row), np.float32)
        padded[0, : len(waveform)] = waveform
        log_mel = model.decode(model.encode(model.log_mel(torch.from_numpy(padded))))
        made: Samples = model.vocode(log_mel, torch.Generator().manual_seed(0))[0, : len(waveform)].numpy()
        return made

    return codec


def fit_air_net(settings: AirSettings, library: AirLibrary, on_stage: OnStage) -> AirNet:
    """AdamW on random crops; no global random state is touched."""
    with torch.random.fork_rng():
        torch.manual_seed(settings.seed)  # the layers draw their first weights, and dropout, from the global generator
        net = AirNet(AirNetConfig())
        _descend(net, settings, library, on_stage)
    net.mean_levels.copy_(torch.from_numpy(library.mean_levels()))
    return net.eval()


def _descend(net: AirNet, settings: AirSettings, library: AirLibrary, on_stage: OnStage) -> None:
    random, started = np.random.default_rng(settings.seed), time.monotonic()
    optimizer = torch.optim.AdamW(net.parameters(), settings.peak_rate, weight_decay=settings.weight_decay)
    errors: list[float] = []
    for step in range(settings.steps):
        optimizer.param_groups[0]["lr"] = settings.peak_rate * _rate(step / settings.steps)
        crops = [_crop(settings, library, net.config, random) for _ in range(settings.batch)]
        level_error, tonality_error = air_errors(net, crops)
        loss = level_error + settings.tonality_weight * tonality_error
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(net.parameters(), 10.0)
        optimizer.step()
        errors.append(level_error.item())
        if step % 100 == 99:
            mean, spent = np.mean(errors[-100:]), time.monotonic() - started
            told = f"bands {mean:.2f} dB, tonality {tonality_error:.2f} dB"
            on_stage(f"step {step + 1}/{settings.steps}, {told}, {spent:.0f} s")


def air_errors(net: AirNet, crops: Sequence[_Crop]) -> tuple[Tensor, Tensor]:
    """Mean errors of levels and of tonality, dB."""
    features, upper, upper_weight, tonality, tonality_weight = (
        torch.from_numpy(np.stack([getattr(crop, name) for crop in crops]))
        for name in ("features", "upper", "upper_weight", "tonality", "tonality_weight")
    )
    levels, tonal = net(features)
    return (
        ((levels - upper).abs() * upper_weight).sum() / upper_weight.sum().clamp(min=1),
        ((tonal - tonality).abs() * tonality_weight).sum() / tonality_weight.sum().clamp(min=1),
    )


def _crop(settings: AirSettings, library: AirLibrary, config: AirNetConfig, random: np.random.Generator) -> _Crop:
    crop = _drawn(library, settings.frames, random)
    if random.random() < settings.mixed_share:
        crop = _mixed(crop, _drawn(library, settings.frames, random), float(random.uniform(-25, 10)))
    change = random.uniform(*settings.gain_db) + _equaliser(settings, random)[:, None]
    num_lower = len(LOWER) - 1
    lower, upper = crop.lower + change[:num_lower], crop.upper + change[num_lower:]
    if random.random() < settings.noise_share:
        slope, below = random.uniform(-6, 1), random.uniform(25, 70)
        noise = lower.max() - below + slope * _OCTAVES[:, None]
        lower, upper = _sum(lower, noise[:num_lower]), _sum(upper, noise[num_lower:])
    reference = reference_of(lower)
    loudest = lower.max(axis=0)
    heard = np.where(loudest > loudest.max() - HEARD_DB, 1.0, FAINT_WEIGHT) * crop.inside * (loudest > SOFTEST_DB)
    shaken = lower + settings.shake_db * random.uniform() * random.standard_normal(lower.shape, np.float32)
    shaken += settings.bias_db * random.uniform() * random.standard_normal((num_lower, 1))
    return _Crop(
        features=features_of(
            shaken.astype(np.float32),
            crop.tonality,
            crop.liveliness,
            crop.inside,
            config.level_mean,
            config.level_scale,
        ),
        upper=(np.maximum(upper, SOFTEST_DB) - reference).astype(np.float32),
        upper_weight=(crop.known[:, None] * heard).astype(np.float32),
        tonality=crop.upper_tonality,
        tonality_weight=(crop.known_groups[:, None] * heard).astype(np.float32),
    )


@dataclass(frozen=True, eq=False)
class _Stretch:
    """Frames of a piece, filled up with nothing where it is shorter."""

    lower: Levels
    tonality: Levels
    liveliness: Levels
    upper: Levels
    upper_tonality: Levels
    known: Levels
    known_groups: Levels
    inside: Levels  # [N]


def _drawn(library: AirLibrary, frames: int, random: np.random.Generator) -> _Stretch:
    piece = library.draw(random)
    total = piece.lower.shape[1]
    first = int(random.integers(-frames // 4, max(1, total - 3 * frames // 4)))  # ends are met inside crops, too
    source = slice(max(0, first), min(total, first + frames))
    place = slice(source.start - first, source.stop - first)
    inside = np.zeros(frames, np.float32)
    inside[place] = 1

    def part(values: Levels) -> Levels:
        made = np.full((*values.shape[:-1], frames), SOFTEST_DB, np.float32)
        made[..., place] = values[..., source]
        return made

    return _Stretch(
        part(piece.lower),
        part(piece.tonality),
        part(piece.liveliness),
        part(piece.upper),
        part(piece.upper_tonality),
        piece.known.astype(np.float32),
        piece.known_groups.astype(np.float32),
        inside,
    )


def _mixed(one: _Stretch, other: _Stretch, level_db: float) -> _Stretch:
    """Powers added up; tonality and liveliness are the louder one's, in each frame."""
    lower, upper = other.lower + level_db, other.upper + level_db
    louder = reference_of(lower) > reference_of(one.lower)
    return _Stretch(
        _sum(one.lower, lower),
        np.where(louder, other.tonality, one.tonality),
        np.where(louder, other.liveliness, one.liveliness),
        _sum(one.upper, upper),
        np.where(louder, other.upper_tonality, one.upper_tonality),
        np.minimum(one.known, other.known),
        np.minimum(one.known_groups, other.known_groups),
        np.maximum(one.inside, other.inside),
    )


def _sum(one: Levels, other: Levels) -> Levels:
    """Levels of two unrelated sounds together, dB."""
    levels: Levels = (10 * np.log10(10 ** (one / 10) + 10 ** (other / 10) + FLOOR)).astype(np.float32)
    return levels


def _equaliser(settings: AirSettings, random: np.random.Generator) -> Levels:
    """A tilt and a few bends, [L + H], dB."""
    points = np.linspace(_OCTAVES[0], _OCTAVES[-1], 5)
    bends: Levels = np.interp(_OCTAVES, points, random.uniform(-1, 1, 5) * settings.bend_db).astype(np.float32)
    bends += np.float32(random.uniform(-1, 1) * settings.tilt_db) * np.clip(_OCTAVES, -4, 2).astype(np.float32)
    return bends


def _rate(progress: float) -> float:
    """Linear warm-up over 2 %, then a cosine to a twentieth."""
    return min(1.0, progress / 0.02 + 1e-3) * (0.05 + 0.95 * (0.5 + 0.5 * math.cos(math.pi * progress)))
