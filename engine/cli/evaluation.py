"""`retake evaluate`: a model on held-out prompts or on recordings, two folders of clips, or the paper in small."""

import argparse
import importlib.util
import json
import sys
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine.checkpoints.store import open_model
from engine.cli.commands import load
from engine.cli.outputs import refuse_existing
from engine.cli.terminal import TerminalProgressBar, interruptible, show_json
from engine.device import choose_device
from engine.engine import Engine
from engine.errors import InvalidRequestError, OutputWriteError
from engine.evaluation.captions_file import read_captions
from engine.evaluation.classifier import SoundClassifier, load_classifier, mono_16_khz
from engine.evaluation.edit_report import EditReport
from engine.evaluation.edits import EditSettings, evaluate_edits
from engine.evaluation.evaluate import SECONDS, Evaluation, EvaluationSettings, evaluate_model
from engine.evaluation.evaluation_errors import PaperNotInstalledError
from engine.evaluation.extractor_weights import load_cnn14, load_vggish
from engine.evaluation.feature_extraction import (
    ClassifierExtractor,
    FeatureExtractor,
    PannsExtractor,
    VggishExtractor,
    as_published,
)
from engine.evaluation.folders import evaluate_folders
from engine.evaluation.followed import FollowReport, FollowSettings, evaluate_follow
from engine.evaluation.paper_budget import BUDGETS, PARTS
from engine.evaluation.recognition import recognise_recordings
from engine.evaluation.recognition_report import RecognitionReport
from engine.evaluation.recorded_air import AirReport, evaluate_air
from engine.evaluation.recorded_edits import EditedClip, KeptReport, evaluate_recordings
from engine.evaluation.report import FolderReport, ModelReport
from engine.evaluation.round_trip import round_trip
from engine.evaluation.sound_statistics import StatisticsReport, measure_statistics
from engine.sounds import SOUNDS

if TYPE_CHECKING:
    from engine.evaluation.paper.cells import CellResult


def run(options: argparse.Namespace) -> int:
    _refuse_wrong_usage(options)
    if options.paper:
        return _rerun_paper(options)
    for path in (options.picture, _json_file(options)):
        if path:
            refuse_existing(path)
    modes = (
        (_evaluate_follow, options.follow),
        (_recognise_recordings, options.recordings),
        (_measure_statistics, options.statistics),
        (_evaluate_air, options.air),
        (_evaluate_recordings, options.folders and options.edits),
        (_evaluate_folders, options.folders),
        (_evaluate_edits, options.edits),
        (_evaluate_model, True),
    )
    report = next(evaluate for evaluate, is_asked in modes if is_asked)(options)
    if options.json:
        _deliver(report.to_json(), _json_file(options))
    if options.json != "-":
        print(report.to_text())
    return 0


def _refuse_wrong_usage(options: argparse.Namespace) -> None:
    if options.statistics:
        _refuse_beside_statistics(options)
        return
    instead = [name for name in ("edits", "follow", "recordings", "air") if getattr(options, name)]
    if len(instead) > 1:
        options.wrong_usage(f"--{instead[0]} and --{instead[1]} are two evaluations: ask for one at a time")
    if len(options.folders) not in ((0, 1) if options.edits or options.follow else (0, 2)):
        if instead:
            options.wrong_usage(f"--{instead[0]} goes with one folder of recordings at most")
        options.wrong_usage("give two folders, the generated clips and the reference clips, or none to judge a model")
    if options.paper and (options.folders or options.picture or options.json or instead):
        options.wrong_usage(
            "--paper takes no folders, no --picture, --json, --edits and --follow, and writes to -o FOLDER"
        )
    if options.paper != (options.output is not None) or (options.part and not options.paper):
        options.wrong_usage("--paper, -o FOLDER and --part belong together")
    no_model = options.folders or instead
    if no_model and options.picture and not (options.folders and options.edits):
        options.wrong_usage("--picture is drawn for models, and for --edits with a folder of recordings")
    if options.seconds is not None and (no_model or options.paper):
        options.wrong_usage("--seconds belongs to a model, without --edits, --follow, --recordings and --paper")
    _refuse_strays(options)
    _refuse_folder_for_json(options)


def _refuse_beside_statistics(options: argparse.Namespace) -> None:
    """Refuse what has no meaning where no model is asked: statistics are measured on corpus clips and recordings."""
    if len(options.folders) > 1:
        options.wrong_usage("--statistics takes one folder of recordings at most")
    modes = ("recordings", "edits", "follow", "paper", "draft", "picture", "output", "part")
    of_folders = ("captions", "features", "pipeline", "weights")
    numbers = ("seconds", "strength", "structure")  # of which 0 is a value too
    given = [option for option in (*modes, *of_folders) if getattr(options, option)]
    given += [option for option in numbers if getattr(options, option) is not None]
    for option in given:
        options.wrong_usage(f"--{option} does not go with --statistics, which asks no model")
    _refuse_folder_for_json(options)


def _refuse_folder_for_json(options: argparse.Namespace) -> None:
    if options.json not in (None, "-") and Path(options.json).is_dir():
        options.wrong_usage("--json FILE names a folder; put --json last")


def _refuse_strays(options: argparse.Namespace) -> None:
    """Refuse options that only mean something together with another, or alone."""
    for name in ("recordings", "air"):
        if getattr(options, name) and (options.folders or options.paper):
            options.wrong_usage(f"--{name} FOLDER goes without --paper and other folders")
    for option in ("strength", "structure"):
        if getattr(options, option) is not None and not options.edits:
            options.wrong_usage(f"--{option} belongs to --edits")
    for option in ("captions", "features", "pipeline", "weights"):
        if getattr(options, option) and (options.edits or options.follow or not options.folders):
            options.wrong_usage(f"--{option} belongs to folders")


def _evaluate_folders(options: argparse.Namespace) -> FolderReport:
    classifier = load_classifier()
    captions = read_captions(options.captions, classifier.classes) if options.captions else None
    clap = open_model(options.model).clap if captions else None
    generated, reference = options.folders
    extractors, seed = _extractors(options, classifier)
    preprocess = as_published if options.pipeline == "paper" else mono_16_khz
    return evaluate_folders(
        generated, reference, classifier, captions, clap, extractors=extractors, seed=seed, preprocess=preprocess
    )


def _extractors(
    options: argparse.Namespace, classifier: SoundClassifier
) -> tuple[list[FeatureExtractor], FeatureExtractor | None]:
    """Return the extractors selected by name, or by the pipeline that uses them."""
    makers: dict[str, Callable[[], FeatureExtractor]] = {
        "judge": lambda: ClassifierExtractor(classifier),
        "panns": lambda: PannsExtractor(load_cnn14(options.weights)),
        "vggish": lambda: VggishExtractor(load_vggish(options.weights)),
    }
    names = [name.strip() for name in options.features.split(",")] if options.features else []
    names = ["judge" if name == "classifier" else name for name in names]  # "judge" is its name in reports
    names += [name for name in ("panns", "vggish") if options.pipeline == "paper" and name not in names]
    for name in names:
        if name not in makers:
            raise InvalidRequestError("features", name, f"names out of {', '.join(makers)}")
    seed = None
    if options.pipeline == "seed":
        seed = VggishExtractor(load_vggish(options.weights, released=True), released=True)
    return [makers[name]() for name in dict.fromkeys(names)], seed


def _evaluate_model(options: argparse.Namespace) -> ModelReport:
    settings = EvaluationSettings(
        clips_per_class=options.per_class,
        seed=options.seed,
        sounds=_sounds(options.sounds),
        steps=options.steps,
        guidance=options.guidance,
        sampler=options.sampler,
        tries=options.tries,
        draft=options.draft,
        seconds=SECONDS if options.seconds is None else options.seconds,
        model=options.model,
    )
    draw = load("engine.evaluation.picture:draw_contact_sheet", "--picture") if options.picture else None
    with interruptible() as should_stop, TerminalProgressBar() as bar:
        bar.show(0.0, "loading the model")
        model = open_model(options.model, choose_device(options.device))
        evaluation: Evaluation = evaluate_model(
            Engine(model, options.model),
            model.clap,
            partial(round_trip, model),
            load_classifier(),
            settings,
            on_clip=lambda done, total: bar.show(done / total, f"clip {done}/{total}"),
            should_stop=should_stop,
        )
    if draw:
        _write(options.picture, draw(evaluation.truths, evaluation.generated, evaluation.corpus, evaluation.prompts))
    return evaluation.report


def _evaluate_edits(options: argparse.Namespace) -> EditReport:
    settings = EditSettings(
        clips_per_class=options.per_class,
        seed=options.seed,
        sounds=_sounds(options.sounds),
        strength=0.6 if options.strength is None else options.strength,
        structure=options.structure,
        steps=options.steps,
        guidance=options.guidance,
        sampler=options.sampler,
        model=options.model,
    )
    with interruptible() as should_stop, TerminalProgressBar() as bar:
        bar.show(0.0, "loading the model")
        return evaluate_edits(
            Engine(open_model(options.model, choose_device(options.device)), options.model),
            load_classifier(),
            settings,
            on_clip=lambda done, total: bar.show(done / total, f"clip {done}/{total}"),
            should_stop=should_stop,
        )


def _evaluate_follow(options: argparse.Namespace) -> FollowReport:
    with interruptible() as should_stop, TerminalProgressBar() as bar:
        bar.show(0.0, "loading the model")
        model = open_model(options.model, choose_device(options.device))
        knobs = {name: getattr(options, name) for name in ("seed", "steps", "guidance", "sampler", "tries", "draft")}
        settings = FollowSettings(
            model.config.unet.curves,
            options.per_class,
            sounds=_sounds(options.sounds),
            folder=options.folders[0] if options.folders else None,
            model=options.model,
            **knobs,
        )
        return evaluate_follow(
            Engine(model, options.model),
            load_classifier(),
            settings,
            on_clip=lambda done, total: bar.show(done / total, f"clip {done}/{total}"),
            should_stop=should_stop,
        )


def _evaluate_recordings(options: argparse.Namespace) -> KeptReport:
    (folder,) = options.folders
    draw = load("engine.evaluation.edit_sheet:draw_edits", "--picture") if options.picture else None
    edited: list[EditedClip] = []
    with interruptible() as should_stop, TerminalProgressBar() as bar:
        bar.show(0.0, "loading the model")
        report = evaluate_recordings(
            Engine(open_model(options.model, choose_device(options.device)), options.model),
            folder,
            options.model,
            options.seed,
            on_clip=lambda done, total: bar.show(done / total, f"clip {done}/{total}"),
            should_stop=should_stop,
            on_edit=edited.append if draw else None,
        )
    if draw:
        _write(options.picture, draw(edited))
    return report


def _recognise_recordings(options: argparse.Namespace) -> RecognitionReport:
    with interruptible() as should_stop, TerminalProgressBar() as bar:
        bar.show(0.0, "loading the model")
        return recognise_recordings(
            Engine(open_model(options.model, choose_device(options.device)), options.model),
            load_classifier(),
            options.recordings,
            options.model,
            on_clip=lambda done, total: bar.show(done / total, f"recording {done}/{total}"),
            should_stop=should_stop,
        )


def _measure_statistics(options: argparse.Namespace) -> StatisticsReport:
    folder = options.folders[0] if options.folders else None
    with interruptible() as should_stop, TerminalProgressBar() as bar:
        return measure_statistics(
            folder,
            _sounds(options.sounds),
            options.per_class,
            on_clip=lambda done, total: bar.show(done / total, f"clip {done}/{total}"),
            should_stop=should_stop,
        )


def _evaluate_air(options: argparse.Namespace) -> AirReport:
    with interruptible() as should_stop, TerminalProgressBar() as bar:
        bar.show(0.0, "reading")
        return evaluate_air(
            options.air,
            options.seed,
            on_clip=lambda done, total: bar.show(done / total, f"clip {done}/{total}"),
            should_stop=should_stop,
        )


def _rerun_paper(options: argparse.Namespace) -> int:
    """Rerun the paper's comparisons, which packages leave out: they are research, not a part of the product.

    Raises:
        PaperNotInstalledError: this is such a package.
        PackageMissingError: Matplotlib is not installed.
    """
    if importlib.util.find_spec("engine.evaluation.paper") is None:
        raise PaperNotInstalledError
    draw = load("engine.evaluation.paper.plots:draw_panels", "--paper")
    run_paper = load("engine.evaluation.paper.run:run_paper", "--paper")
    asked = load("engine.evaluation.paper.run:PaperOptions", "--paper")
    wish = asked(options.output, options.part or PARTS, BUDGETS[options.budget], options.model)
    with interruptible() as should_stop, TerminalProgressBar() as bar:
        report = run_paper(
            wish,
            load_classifier(),
            draw,
            choose_device(options.device),
            on_news=bar.show,
            on_outcome=_print_cell,
            should_stop=should_stop,
        )
    print(report)
    return 0


def _print_cell(outcome: "CellResult") -> None:
    """A line a cell, also where stderr is no terminal."""
    cell, figures = outcome.cell, "  ".join(f"{name} {value:.3f}" for name, value in outcome.figures.items())
    print(f"{cell.experiment} {cell.variant}, seed {cell.seed}: {figures}  ({outcome.cpu_s:.0f} s)", file=sys.stderr)


def _sounds(names: str | None) -> tuple[str, ...]:
    chosen = tuple(name.strip() for name in names.split(",")) if names else SOUNDS
    for name in chosen:
        if name not in SOUNDS:
            raise InvalidRequestError("sounds", name, f"names out of {', '.join(SOUNDS)}")
    return chosen


def _json_file(options: argparse.Namespace) -> Path | None:
    return None if options.json in (None, "-") else Path(options.json)


def _deliver(report: Mapping[str, Any], path: Path | None) -> None:
    if path is None:
        show_json(report)
    else:
        _write(path, (json.dumps(report, indent=2, ensure_ascii=False) + "\n").encode("utf-8", "backslashreplace"))


def _write(path: Path, content: bytes) -> None:
    """Never over a file that is there."""
    try:
        with path.open("xb") as file:
            file.write(content)
    except OSError as error:
        raise OutputWriteError(path, error.strerror or str(error)) from error
