"""Tables and panels of a part: numbers as text for the report, and as lines for the pictures."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from engine.evaluation.paper.cells import CellResult
from engine.evaluation.paper.parts import GUIDANCE, STEPS, TRAINED, PaperPart, Table
from engine.evaluation.paper.published import LOWER_IS_BETTER, PUBLISHED
from engine.evaluation.paper.verdicts import Spread, spread_of, spread_over

_TITLES = {
    "frechet": "FD",
    "inception": "IS",
    "kl": "KL",
    "accuracy": "recognised",
    "class_accuracy": "recognised, by class",
    "lsd": "LSD",
    "lsd_db": "LSD, dB",
    "hole_frechet": "FD of the gap",
    "hole_accuracy": "gap recognised",
}
_DRAWN = "frechet", "accuracy", "kl", "lsd", "hole_frechet"


@dataclass(frozen=True)
class Line:
    """Points with their spread; `places` are numbers, or names of bars."""

    label: str
    places: tuple[float | str, ...]
    means: tuple[float, ...]
    deviations: tuple[float, ...]  # 0 for a single seed


@dataclass(frozen=True)
class Panel:
    title: str
    lines: tuple[Line, ...]
    x_title: str = ""  # empty: bars


def title_of(metric: str) -> str:
    """As a column is called, with the direction in which it is better."""
    return f"{_TITLES[metric]} {'↓' if LOWER_IS_BETTER[metric] else '↑'}"


def markdown_table(table: Table, outcomes: Sequence[CellResult]) -> str:
    """Ours as mean ± deviation over the seeds, the paper's in brackets; a dash where nothing has been measured yet."""
    lines = ["| | " + " | ".join(map(title_of, table.metrics)) + " |", "|---|" + "---|" * len(table.metrics)]
    for row in table.rows:
        cells = []
        for metric in table.metrics:
            spread = spread_of(outcomes, row.experiment, row.variant, metric)
            theirs = PUBLISHED.get((row.experiment, row.variant), {}).get(metric)
            cells.append(shown(spread, metric) + ("" if theirs is None else f" [{theirs:.2f}]"))
        lines.append(f"| {row.title} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def shown(spread: Spread | None, metric: str) -> str:
    if spread is None:
        return "–"
    pattern = "{:.1%}" if "accuracy" in metric else "{:.2f}"
    mean = pattern.format(spread.mean)
    return mean if math.isnan(spread.deviation) else f"{mean} ± {pattern.format(spread.deviation)}"


def panels_of(part: PaperPart, outcomes: Sequence[CellResult]) -> list[Panel]:
    """What is drawn of a part; nothing before there is a result."""
    panels = [
        panel
        for table in part.tables
        for metric in table.metrics
        if metric in _DRAWN and (panel := _panel(part, table, metric, outcomes)) is not None
    ]
    if part.name == "conditioning":
        panels += _curves(part, outcomes)
    return panels


def _panel(part: PaperPart, table: Table, metric: str, outcomes: Sequence[CellResult]) -> Panel | None:
    found = [(row, spread_of(outcomes, row.experiment, row.variant, metric)) for row in table.rows]
    known = [(row, spread) for row, spread in found if spread is not None]
    if not known:
        return None
    is_scale = part.name in (STEPS, GUIDANCE)
    places = tuple(float(row.variant) if is_scale else row.title for row, _ in known)
    line = _line("nano", places, [spread for _, spread in known])
    return Panel(title_of(metric), (line,), part.name if is_scale else "")


def _curves(part: PaperPart, outcomes: Sequence[CellResult]) -> list[Panel]:
    """FD in the course of the trainings, as in figure 7."""
    lines = []
    for row in part.tables[0].rows:
        own = [one for one in outcomes if (one.cell.experiment, one.cell.variant) == (TRAINED, row.variant)]
        by_step: dict[float, list[float]] = {}
        for point in (point for one in own for point in one.curve):
            by_step.setdefault(point["step"], []).append(point["frechet"])
        if len(by_step) > 1:
            spreads = [spread_over(values) for _, values in sorted(by_step.items())]
            lines.append(_line(row.title, tuple(sorted(by_step)), spreads))
    return [Panel(f"{title_of('frechet')} during training", tuple(lines), "steps")] if lines else []


def _line(label: str, places: tuple[float | str, ...], spreads: Sequence[Spread]) -> Line:
    deviations = tuple(0.0 if math.isnan(spread.deviation) else spread.deviation for spread in spreads)
    return Line(label, places, tuple(spread.mean for spread in spreads), deviations)
