"""`retake benchmark`: how long a take lasts to make, stage by stage, and how two settings compare in one run."""

import argparse
import json
import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from engine.benchmark.long import LongClips, measure
from engine.cli.commands import load
from engine.cli.outputs import refuse_existing
from engine.cli.terminal import TerminalProgressBar, interruptible, show_json
from engine.engine import Engine
from engine.errors import InvalidRequestError, OutputWriteError
from engine.operations.progress import Progress
from engine.presets import PRESETS
from engine.requests import Generate

PROMPT = "heavy rain on a tin roof"
KINDS: dict[str, Callable[[str], Any]] = {
    "steps": int,
    "seconds": float,
    "guidance": float,
    "candidates": int,
    "tries": int,
    "sampler": str,
}  # what --against may change


@dataclass
class Timing:
    """Seconds of wall clock: whole runs, and how they divide among stages."""

    whole: list[float] = field(default_factory=list)
    stages: dict[str, list[float]] = field(default_factory=dict)

    def add(self, whole: float, stages: Mapping[str, float]) -> None:
        self.whole.append(whole)
        for stage, seconds in stages.items():
            self.stages.setdefault(stage, []).append(seconds)

    @property
    def median(self) -> float:
        return statistics.median(self.whole)

    def summary(self) -> dict[str, Any]:
        return {
            "median_s": round(self.median, 4),
            "fastest_s": round(min(self.whole), 4),
            "slowest_s": round(max(self.whole), 4),
            "stages_s": {stage: round(statistics.median(times), 4) for stage, times in self.stages.items()},
        }


def run(options: argparse.Namespace) -> int:
    if options.runs < 1:
        raise InvalidRequestError("runs", options.runs, "a whole number from 1")
    if options.json not in (None, "-"):
        refuse_existing(Path(options.json))
    if options.published:
        return _against_published(options)
    if options.long:
        return _long_clips(options)
    plain = {key: getattr(options, key) for key in ("seconds", "steps", "sampler", "draft", "candidates", "tries")}
    requests = {"this": Generate(PROMPT, **plain)}
    if options.against:
        requests["other"] = Generate(PROMPT, **{**plain, **_changes(options.against)})
    with interruptible() as should_stop, TerminalProgressBar() as bar:
        bar.show(0.0, "loading the model")
        engine = Engine.load(options.model, device=options.device)
        timings = time_requests(engine, requests, options.runs, should_stop, bar)
    _report(options, engine, timings)
    return 0


def _against_published(options: argparse.Namespace) -> int:
    """Ours, diffusers' and the reference's recipe at a published size, with random weights."""
    ask, compare = (
        load(f"engine.benchmark.published:{name}", "--published", "benchmark") for name in ("Comparison", "compare")
    )
    config = PRESETS[options.published]
    asked = ask(
        config, options.steps or config.default_steps, runs=options.runs, reference_steps=options.reference_steps
    )
    with interruptible() as should_stop, TerminalProgressBar() as bar:
        report = compare(asked, lambda progress: bar.show(0.0, progress), should_stop)
    _deliver(report, options.json)
    if options.json != "-":
        print(published_in_words(report))
    return 0


def _long_clips(options: argparse.Namespace) -> int:
    """What a second of a restyle costs from ten seconds to two minutes, and what memory each length takes."""
    with interruptible() as should_stop, TerminalProgressBar() as bar:
        bar.show(0.0, "loading the model")
        engine = Engine.load(options.model, device=options.device)
        report = measure(engine, LongClips(steps=options.steps, runs=options.runs), bar.show, should_stop)
    _deliver(report, options.json)
    if options.json != "-":
        print(long_in_words(report))
    return 0


def long_in_words(report: Mapping[str, Any]) -> str:
    """The costs of long clips as lines of text."""
    settings, ratios = report["settings"], report["ratios"]
    title = (
        f"restyles with {settings['model']} on {settings['device']} in {settings['steps']} steps, of"
        f" {settings['channels']} channels at {settings['sample_rate']} Hz, median of {settings['runs']} warm runs"
    )
    lengths = [
        f"{row['seconds']:>4} s  {row['wall_s_per_second']:.3f} s a second,"
        f" {row['processor_s_per_second']:.3f} s of processor{_peak_in_words(row['peak_bytes'])}"
        for row in report["lengths"]
    ]
    wall, processor = (ratios[f"{kind}_largest_to_smallest"] for kind in ("wall", "processor"))
    lines = [title, *lengths, f"ratio {wall:.2f} of the dearest second to the cheapest, {processor:.2f} of processor"]
    whole, rest = ratios["peak_longest_to_shortest"], ratios["peak_without_clip_and_take"]
    if whole is not None:
        lines.append(
            f"ratio {whole:.2f} of the longest clip's memory to the shortest's, {rest:.2f} without clip and take"
        )
    return "\n".join(lines)


def _peak_in_words(peak_bytes: int | None) -> str:
    return "" if peak_bytes is None else f", at most {peak_bytes / 2**20:.0f} MiB of memory"


def published_in_words(report: Mapping[str, Any]) -> str:
    """The comparison as lines of text."""
    settings, machine, reference = report["settings"], report["machine"], report["reference"]
    title = (
        f"{settings['seconds']:g} s with {settings['model']} (random weights) in {settings['steps']} steps,"
        f" median of {settings['runs']} warm runs on {machine['processor']}, {machine['threads']} threads"
    )
    sides = [
        f"{side:<10} {report[side]['median_s']:.2f} s  "
        + "  ".join(f"{stage} {seconds:.2f}" for stage, seconds in report[side]["stages_s"].items())
        for side in ("ours", "diffusers")
    ]
    reckoned = f", reckoned from {reference['steps_measured']} steps" if reference["scaled"] else ""
    differences = ", ".join(f"{name} {value:.0e}" for name, value in report["difference_to_plain_nets"].items())
    ratios = report["ratios"]
    lines = [
        title,
        *sides,
        f"reference  {reference['total_s']:.2f} s  {reference['recipe']}, on {reference['nets']} nets{reckoned}",
        f"against plain nets: {differences}",
        f"ratio {ratios['diffusers_equal_steps']:.2f} to diffusers at equal steps",
        f"ratio {ratios['reference_defaults']:.1f} to the reference's defaults",
    ]
    return "\n".join(lines)


def _deliver(report: Mapping[str, Any], target: str | None) -> None:
    """JSON on stdout for "-", in a file that was not there for anything else."""
    if target == "-":
        show_json(report)
    elif target is not None:
        try:
            with Path(target).open("x", encoding="utf-8") as file:
                json.dump(report, file, indent=2, ensure_ascii=False)
                file.write("\n")
        except OSError as error:
            raise OutputWriteError(Path(target), error.strerror or str(error)) from error


def time_requests(
    engine: Engine,
    requests: Mapping[str, Generate],
    runs: int,
    should_stop: Callable[[], bool],
    bar: TerminalProgressBar,
) -> dict[str, Timing]:
    """Each request once to warm up, then turn by turn, so that changes in the machine's load affect all alike."""
    timings = {name: Timing() for name in requests}
    for turn in range(runs + 1):
        for name, request in requests.items():
            bar.show(turn / (runs + 1), f"run {turn}/{runs}" if turn else "warming up")
            whole, stages = _time_once(engine, request, should_stop)
            if turn:
                timings[name].add(whole, stages)
    return timings


def _time_once(engine: Engine, request: Generate, should_stop: Callable[[], bool]) -> tuple[float, dict[str, float]]:
    """Seconds of one run; of them up to the last step, and from there on: VAE, vocoder, ranking."""
    sampled = started = time.perf_counter()

    def note(progress: Progress) -> None:
        nonlocal sampled
        if progress.num_steps:
            sampled = time.perf_counter()

    engine.run(request, on_step=note, should_stop=should_stop)
    finished = time.perf_counter()
    return finished - started, {"sampling": sampled - started, "decoding": finished - sampled}


def _changes(pairs: list[str]) -> dict[str, Any]:
    """["steps=10"] -> {"steps": 10}."""
    changes: dict[str, Any] = {}
    for pair in pairs:
        key, _, value = pair.partition("=")
        try:
            changes[key] = KINDS[key](value)
        except (KeyError, ValueError) as error:
            raise InvalidRequestError("against", pair, f"KEY=VALUE with a key out of {', '.join(KINDS)}") from error
    return changes


def _report(options: argparse.Namespace, engine: Engine, timings: Mapping[str, Timing]) -> None:
    summaries = {name: timing.summary() for name, timing in timings.items()}
    ratio = round(timings["other"].median / timings["this"].median, 3) if "other" in timings else None
    facts = {"model": engine.model_name, "device": engine.device_name, "runs": options.runs, "seconds": options.seconds}
    _deliver({**facts, **summaries, "against": options.against, "ratio": ratio}, options.json)
    if options.json == "-":
        return
    print(f"{options.seconds:g} s with {engine.model_name} on {engine.device_name}, median of {options.runs} warm runs")
    for name, summary in summaries.items():
        label = "" if name == "this" else f" with {', '.join(options.against)}"
        print(f"{summary['median_s']:.2f} s ({summary['fastest_s']:.2f} to {summary['slowest_s']:.2f}){label}")
        for stage, seconds in summary["stages_s"].items():
            print(f"  {stage:<10} {seconds:.2f} s")
    if ratio is not None:
        print(f"ratio {ratio:.2f}")
