"""Two folders of audio against each other: `retake evaluate GENERATED REFERENCE`."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import torch

from engine.audio import Audio
from engine.errors import EngineError
from engine.evaluation.captions_file import Caption
from engine.evaluation.clap_score import Embedder, clap_scores
from engine.evaluation.classifier import SAMPLE_RATE, SoundClassifier, classify, mono_16_khz
from engine.evaluation.evaluation_errors import (
    ClipFolderMissingError,
    ClipUnusableError,
    LengthMismatchError,
    NoClipsError,
    PairMissingError,
    RateMismatchError,
    TooFewClipsError,
)
from engine.evaluation.feature_extraction import FeatureExtractor, Preprocessing, extract_features
from engine.evaluation.frechet import frechet_distance
from engine.evaluation.measurements import measure, measure_as_seed
from engine.evaluation.reconstruction import log_spectral_distance, mel_l1, published_lsd, spectral_convergence
from engine.evaluation.report import FolderReport, Measurement, class_rows
from engine.mel import MelConfig

SUFFIXES = (".wav", ".flac", ".aif", ".aiff", ".ogg", ".mp3")
LENGTH_TOLERANCE_S = 0.1  # by which the two clips of a pair may differ; the longer one is cut

ClipsByName = Mapping[str, Audio]  # by file name


def evaluate_folders(
    generated: Path,
    reference: Path,
    classifier: SoundClassifier,
    captions: Mapping[str, Caption] | None = None,
    clap: Embedder | None = None,
    *,
    extractors: Sequence[FeatureExtractor] = (),
    seed: FeatureExtractor | None = None,
    preprocess: Preprocessing = mono_16_khz,
) -> FolderReport:
    """Compare the clips in two folders; those of the same name are pairs: either all have a partner, or none.

    `captions` belong to the generated clips; `clap` scores them. Everything is measured at 16 kHz in mono. Each of the
    `extractors` adds its metrics, on clips prepared by `preprocess`; `seed` is the extractor of the seed report's
    pipeline.

    Raises:
        ClipFolderMissingError, TooFewClipsError, ClipUnusableError: a folder, or a file in it, is unusable.
        RateMismatchError, LengthMismatchError, PairMissingError, NoPairsError: the clips do not belong together.
        NotFiniteError: a net made NaN of a clip.
    """
    made, wanted = read_folder(generated), read_folder(reference)
    rate = _common_rate({**wanted, **made}, made, wanted)
    pairs = _paired_names(generated, made, reference, wanted)
    recognised = classify(classifier, (mono_16_khz(clip) for clip in made.values()))
    distances = _pair_distances(made, wanted, pairs, rate)
    named = _named_classes(generated, made, captions or {})
    names = dict(zip(made, recognised.names, strict=True))
    rows = class_rows(list(named.values()), [names[file] for file in named])
    return FolderReport(
        generated=len(made),
        reference=len(wanted),
        sample_rate=rate,
        frechet=frechet_distance(recognised.features, classify(classifier, map(mono_16_khz, wanted.values())).features),
        pairs=len(pairs),
        lsd_db=distances.get("lsd_db"),
        lsd_published=distances.get("lsd_published"),
        mel_l1=distances.get("mel_l1"),
        spectral_convergence=distances.get("spectral_convergence"),
        clap_score=_clap_score(made, captions, clap),
        accuracy=sum(row.right for row in rows) / len(named) if named else None,
        classes=rows,
        measurements=_measurements(
            (generated, made), (reference, wanted), extractors, seed, preprocess, paired=bool(pairs)
        ),
    )


def _measurements(
    generated: tuple[Path, ClipsByName],
    reference: tuple[Path, ClipsByName],
    extractors: Sequence[FeatureExtractor],
    seed: FeatureExtractor | None,
    preprocess: Preprocessing,
    *,
    paired: bool,
) -> tuple[Measurement, ...]:
    made = [
        measure(
            one.name,
            extract_features(one, *generated, preprocess),
            extract_features(one, *reference, preprocess),
            paired=paired,
        )
        for one in extractors
    ]
    if seed is not None:
        recognised = extract_features(seed, *generated), extract_features(seed, *reference)
        made.append(measure_as_seed(*recognised, list(generated[1]), paired=paired))
    return tuple(made)


def read_folder(folder: Path) -> dict[str, Audio]:
    """Its clips by file name, in order; files whose suffix is not audio are skipped.

    So are those that macOS adds beside each file on foreign disks (`._rain.wav`).
    """
    if not folder.is_dir():
        raise ClipFolderMissingError(folder)
    clips = {}
    for path in sorted(folder.iterdir()):
        if path.suffix.lower() in SUFFIXES and not path.name.startswith("._"):
            try:
                clips[path.name] = Audio.read(path)
            except EngineError as error:
                raise ClipUnusableError(path, error) from error
    if len(clips) < 2:
        raise TooFewClipsError(str(folder), len(clips), 2)
    return clips


def sound_files_in(folder: Path) -> list[Path]:
    """Return the sound files in a folder, and in the folders in it, in order; hidden ones are skipped.

    Raises ClipFolderMissingError and TooFewClipsError where there is no such folder, or nothing in it.
    """
    if not folder.is_dir():
        raise ClipFolderMissingError(folder)
    inside = sorted(folder.rglob("*"))
    files = [path for path in inside if path.suffix.lower() in SUFFIXES and not path.name.startswith(".")]
    if not files:
        raise NoClipsError(folder)
    return files


def _common_rate(everything: ClipsByName, *folders: ClipsByName) -> int:
    """The one sample rate of all clips, Hz: the first clip's."""
    expected = next(iter(everything.values())).sample_rate
    for clips in folders:
        for name, clip in clips.items():
            if clip.sample_rate != expected:
                raise RateMismatchError(name, clip.sample_rate, expected)
    return expected


def _paired_names(generated: Path, made: ClipsByName, reference: Path, wanted: ClipsByName) -> list[str]:
    common = [name for name in made if name in wanted]
    if not common:
        return []
    for where, clips, others in ((generated, made, wanted), (reference, wanted, made)):
        missing = [name for name in others if name not in clips]
        if missing:
            raise PairMissingError("partner", where, missing)
    return common


def _pair_distances(made: ClipsByName, wanted: ClipsByName, names: list[str], rate: int) -> dict[str, float]:
    """Means over the pairs. The mel is taken at 16 kHz, the other two at the clips' own rate."""
    rows = [_distances(name, made[name], wanted[name], rate) for name in names]
    keys = rows[0] if rows else ()
    return {key: float(np.mean([row[key] for row in rows])) for key in keys}


def _distances(name: str, made: Audio, wanted: Audio, rate: int) -> dict[str, float]:
    if abs(made.seconds - wanted.seconds) > LENGTH_TOLERANCE_S:
        raise LengthMismatchError(name, made.seconds, wanted.seconds)
    length = min(made.num_samples, wanted.num_samples)
    native = [torch.from_numpy(clip.to_mono().samples[:, :length]).float() for clip in (made, wanted)]
    prepared = [mono_16_khz(clip) for clip in (made, wanted)]
    shorter = min(map(len, prepared))
    recognised = [torch.from_numpy(waveform[None, :shorter]) for waveform in prepared]
    return {
        "lsd_published": published_lsd(native[0], native[1], rate).item(),
        "lsd_db": log_spectral_distance(native[0], native[1], rate).item(),
        "mel_l1": mel_l1(recognised[0], recognised[1], MelConfig()).item(),
        "spectral_convergence": spectral_convergence(native[0], native[1], rate).item(),
    }


def _named_classes(folder: Path, clips: ClipsByName, captions: Mapping[str, Caption]) -> dict[str, str]:
    """File name -> class, for the clips whose caption names one, in the order of the clips."""
    if not captions:
        return {}
    for what, where, missing in (
        ("clip", folder, [name for name in captions if name not in clips]),
        ("caption", "the captions file", [name for name in clips if name not in captions]),
    ):
        if missing:
            raise PairMissingError(what, where, missing)
    return {name: sound for name in clips if (sound := captions[name].sound)}


def _clap_score(clips: ClipsByName, captions: Mapping[str, Caption] | None, clap: Embedder | None) -> float | None:
    if not captions or clap is None:
        return None
    waveforms = [mono_16_khz(clip) for clip in clips.values()]
    return float(clap_scores(clap, waveforms, SAMPLE_RATE, [captions[name].text for name in clips]).mean())
