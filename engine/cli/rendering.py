"""`retake generate`, `restyle` and `inpaint`: options -> request -> takes -> files."""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from engine.audio import Audio
from engine.cli.outputs import choose_outputs, default_words
from engine.cli.terminal import ProgressBar, interruptible, show_json, show_warning
from engine.engine import Engine
from engine.operations.generate import Generate
from engine.operations.inpaint import Inpaint
from engine.operations.restyle import Restyle

Request = Generate | Restyle | Inpaint


def run_generate(options: argparse.Namespace) -> int:
    request = Generate(options.prompt, options.seconds, **_sampling(options))
    return _render(options, request, default_words("generate", options.prompt, options.seed))


def run_restyle(options: argparse.Namespace) -> int:
    request = Restyle(
        Audio.read(options.clip),
        options.prompt,
        strength=options.strength,
        start_s=options.start,
        end_s=options.end,
        keep_air=options.keep_air,
        **_sampling(options),
    )
    return _render(options, request, default_words("restyle", options.prompt, options.seed, options.clip))


def run_inpaint(options: argparse.Namespace) -> int:
    regions = _regions(options)
    request = Inpaint(
        Audio.read(options.clip),
        options.prompt,
        regions=regions,
        low_hz=options.low_hz,
        high_hz=options.high_hz,
        **_sampling(options),
    )
    return _render(options, request, default_words("inpaint", options.prompt, options.seed, options.clip))


def _sampling(options: argparse.Namespace) -> dict[str, Any]:
    return {
        "seed": options.seed,
        "steps": options.steps,
        "guidance": options.guidance,
        "candidates": options.candidates,
        "negative_prompt": options.negative,
        "sampler": options.sampler,
    }


def _regions(options: argparse.Namespace) -> tuple[tuple[float, float], ...]:
    """--start and --end are one gap, each --region is another; at least one is needed."""
    if (options.start is None) != (options.end is None):
        options.wrong_usage("--start and --end go together")
    first = [] if options.start is None else [(options.start, options.end)]
    regions = (*first, *(tuple(region) for region in options.region))
    if not regions:
        options.wrong_usage("say where the gap is: --start 1.0 --end 2.0")
    return regions


def _render(options: argparse.Namespace, request: Request, words: str) -> int:
    """Everything that can be refused is refused before the model is loaded."""
    paths = choose_outputs(options.output, words, options.candidates)
    with interruptible() as should_stop, ProgressBar() as bar:
        bar.show(0.0, "loading the model")
        engine = Engine.load(options.model, device=options.device)
        takes = engine.run(request, on_step=lambda news: bar.show(news.fraction, news.stage), should_stop=should_stop)
        for take, path in zip(takes, paths, strict=True):
            take.write(path)
    _announce(options, takes, paths)
    return 0


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


def _described(take: Audio, path: Path) -> dict[str, Any]:
    facts = {"seconds": take.seconds, "sample_rate": take.sample_rate, "channels": take.num_channels}
    return {"path": str(path), **facts, **take.story}
