"""`retake generate`, `restyle`, `vary`, `inpaint`, `upscale` and `again`: options -> request -> takes -> files."""

import argparse
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from engine.audio import Audio
from engine.cli.outputs import choose_outputs, default_words, refuge
from engine.cli.request_options import Drawn, values_of
from engine.cli.terminal import TerminalProgressBar, interruptible, show_json, show_note, show_warning
from engine.engine import Engine
from engine.errors import OutputWriteError, StoryError
from engine.operations import Generate, Inpaint, Request, Restyle, Upscale, Vary
from engine.requests import LONGEST_S
from engine.requests.regions import Given
from engine.take_provenance import SOURCES, find_provenance, request_of

ROUNDING = 2.0**-23  # a step of 24 bits
Choose = Callable[[Sequence[Audio]], Sequence[Audio]]


def run_generate(options: argparse.Namespace) -> int:
    return _render(options, Generate(**_asked(options, "generate")))


def run_restyle(options: argparse.Namespace) -> int:
    return _render(options, Restyle(_moved_clip(options), **_asked(options, "restyle")))


def run_vary(options: argparse.Namespace) -> int:
    return _render(options, Vary(_moved_clip(options), **_asked(options, "vary")))


def run_inpaint(options: argparse.Namespace) -> int:
    regions = _regions(options)
    return _render(options, Inpaint(Audio.read(options.clip), regions=regions, **_asked(options, "inpaint")))


def run_upscale(options: argparse.Namespace) -> int:
    return _render(options, Upscale(_moved_clip(options), **_asked(options, "upscale")))


def run_again(options: argparse.Namespace) -> int:
    """The take of the story; with another seed the best of as many candidates."""
    provenance = find_provenance(options.take)
    request = request_of(provenance, {name: getattr(options, name) for name in SOURCES}, options.seed)
    options.model = options.model or str(provenance.get("model", "nano"))
    options.device = options.device or str(provenance.get("device", "auto"))
    is_same = options.seed in (None, provenance.get("seed"))
    return _render(
        options, request, lambda takes: [_same_take(takes, provenance, options.take)] if is_same else takes[:1]
    )


def _same_take(takes: Sequence[Audio], provenance: Mapping[str, Any], path: Path) -> Audio:
    """Of all candidates the one that the story is about; it carries a warning where it is not the earlier sound."""
    take = next((take for take in takes if take.story["candidate"] == provenance.get("candidate", 1)), None)
    if take is None:
        raise StoryError(f"its story names candidate {provenance['candidate']!r} of {len(takes)}")
    earlier = path.with_suffix(".wav")
    if not earlier.is_file() or _is_equal(Audio.read(earlier), take):
        return take
    warning = (
        f"it is not the sound of {earlier}: that was edited, or the model, the device or Retake is another one now"
    )
    return replace(take, story={**take.story, "warnings": [*take.story["warnings"], warning]})


def _is_equal(written: Audio, take: Audio) -> bool:
    """Up to the rounding of the file."""
    if written.samples.shape != take.samples.shape:
        return False
    return bool(np.abs(written.samples.clip(-1, 1) - take.samples.clip(-1, 1)).max() <= ROUNDING)


def _moved_clip(options: argparse.Namespace) -> Audio:
    """The clip; one that is too long to be rendered as a whole is refused before it is read."""
    is_whole = options.start is None and options.end is None
    return Audio.read(options.clip, longest_s=LONGEST_S if is_whole else math.inf)


def _asked(options: argparse.Namespace, operation: str) -> dict[str, Any]:
    """Return the request's fields other than its clip and its regions."""
    given = {name: path for name in ("like", "follow") if (path := getattr(options, name, None))}
    return values_of(options, operation) | {name: Audio.read(path, longest_s=LONGEST_S) for name, path in given.items()}


def _regions(options: argparse.Namespace) -> list[Given]:
    """--start and --end are one gap, each --region is another; at least one is needed."""
    if (options.start is None) != (options.end is None):
        options.wrong_usage("--start and --end go together")
    regions: list[Given] = [] if options.start is None else [(options.start, options.end)]
    for region in options.region:
        match region:
            case [start_s, end_s]:
                regions.append((start_s, end_s))
            case [start_s, end_s, low_hz, high_hz]:
                regions.append((start_s, end_s, low_hz, high_hz))
            case _:
                options.wrong_usage(f"--region takes START END or START END LOW HIGH, not {len(region)} numbers")
    if not regions:
        options.wrong_usage("say where the gap is: --start 1.0 --end 2.0")
    return regions


def _render(options: argparse.Namespace, request: Request, choose: Choose | None = None) -> int:
    """Everything that can be refused is refused before the model is loaded. Without `choose` all takes are kept."""
    paths = choose_outputs(options.output, _words(request), request.candidates if choose is None else 1)
    with interruptible() as should_stop, TerminalProgressBar() as bar:
        bar.show(0.0, "loading the model")
        engine = Engine.load(options.model, device=options.device)
        takes = engine.run(
            request, on_step=lambda progress: bar.show(progress.fraction, progress.stage), should_stop=should_stop
        )
        chosen = choose(takes) if choose else takes
        written = [_write(take, path) for take, path in zip(chosen, paths, strict=True)]
    _announce(options, chosen, written)
    return 0


def _write(take: Audio, path: Path) -> Path:
    """Return where the take was written: `path`, or elsewhere if that folder was renamed or removed meanwhile."""
    try:
        take.write(path)
    except OutputWriteError as error:
        if not error.is_folder_gone:
            raise
        elsewhere = refuge(path)
        take.write(elsewhere)
        show_warning(f"the folder {path.parent} is not there any more; the take lies in {elsewhere.parent}")
        return elsewhere
    return path


def _words(request: Request) -> str:
    """Return the default name of a take."""
    clip = getattr(request, "clip", None)
    steer = request.prompt or (f"like {request.like.path.stem}" if request.like and request.like.path else "")
    return default_words(type(request).__name__.lower(), steer, request.seed, clip.path if clip else None)


def _announce(options: argparse.Namespace, takes: Sequence[Audio], paths: Sequence[Path]) -> None:
    """Warnings on stderr; the paths, best take first, on stdout."""
    warnings = [warning for take in takes for warning in take.story.get("warnings", ())]
    for warning in dict.fromkeys(warnings):
        show_warning(warning)
    if options.json:
        show_json({"takes": [_described(take, path) for take, path in zip(takes, paths, strict=True)]})
        return
    for path in paths:
        print(path)
    if isinstance(options.seed, Drawn):
        show_note(f"seed {options.seed}, drawn at random; --seed {options.seed} makes this sound again")


def _described(take: Audio, path: Path) -> dict[str, Any]:
    facts = {"seconds": take.seconds, "sample_rate": take.sample_rate, "channels": take.num_channels}
    return {"path": str(path), **facts, **take.story}
