"""RESULTS.md from the cells: what agrees with the paper and what does not, tables with the paper's values, pictures."""

import json
import os
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from engine.evaluation.paper.cells import CellResult
from engine.evaluation.paper.parts import PaperPart, parts_of
from engine.evaluation.paper.published import CLAIMS
from engine.evaluation.paper.tables import Panel, markdown_table, panels_of, title_of
from engine.evaluation.paper.verdicts import ClaimStatus, ClaimVerdict, check_claim, published_pair
from engine.evaluation.paper_budget import Budget

REPORT_FILE, REMARKS_FILE, PICTURES, CELLS_FILE = "RESULTS.md", "REMARKS.md", "results", "cells.json"
DrawPanels = Callable[[Sequence[Panel]], bytes]

_HEAD = """# The paper in small

Written by `retake evaluate --paper` from the cells that it measured; `{pictures}/{cells}` holds every figure. Budget
*{budget}*: {costs}. Model *{model}*, {sounds} kinds of sound; neither the model nor the classifier was trained on the
clips.

AudioLDM (Liu et al. 2023) was trained on hundreds of hours of recordings and evaluated with PANNs on AudioCaps; here
small nets learn from synthesised corpus clips, and our own classifier takes the place of PANNs. So figures are not
comparable in size with the paper's, which are in square brackets; what is compared is which of two is better.

- FD, IS and KL are the paper's formulas on the classifier's features and classes; *recognised* is the share of clips
  that it names as the class of their prompt. FD depends on the number of clips, which is the same within a table.
- ± is the standard deviation over seeds. A seed changes the prompts, the noise and, where there is a training, its
  batches; all variants share it.
- A finding agrees, or disagrees, where the mean advantage over the seeds is more than two of its standard errors from
  zero, and is undecided otherwise. With few seeds that is a coarse rule.
"""
_TRAINED = """
The trained comparisons begin with {model}'s own denoiser, whose condition and attention layers are initialised again.
It is first trained for {start} steps of {batch} clips without any condition, then for {steps} steps as each variant
needs. It is evaluated before the vocoder, which would be the same for all, on {prompts} prompts a seed, with {sampling}
steps of DPM-Solver++(2M) at a guidance of {guidance:g}.
"""


@dataclass(frozen=True)
class ReportContext:
    """What a report says about its settings."""

    budget: Budget
    model: str
    num_sounds: int


def write_report(folder: Path, setting: ReportContext, outcomes: Sequence[CellResult], draw: DrawPanels) -> Path:
    """RESULTS.md, its pictures and all cells in one file; a person's REMARKS.md in the folder is added at the end."""
    pictures = folder / PICTURES
    pictures.mkdir(exist_ok=True)
    sections = [_head(setting), summary(outcomes)]
    for part in parts_of(setting.budget).values():
        panels = panels_of(part, outcomes)
        if panels:
            _replace(pictures / f"{part.name}.png", draw(panels))
        sections.append(section(part, setting.budget, outcomes, has_picture=bool(panels)))
    remarks = folder / REMARKS_FILE
    if remarks.exists():
        sections.append("## Remarks\n\n" + remarks.read_text(encoding="utf-8").strip())
    _replace(pictures / CELLS_FILE, (json.dumps([asdict(one) for one in outcomes], indent=1) + "\n").encode())
    path = folder / REPORT_FILE
    _replace(path, ("\n\n".join(part.strip() for part in sections) + "\n").encode())
    return path


def summary(outcomes: Sequence[CellResult]) -> str:
    """Every claim of the paper with what was found here."""
    verdicts = [check_claim(claim, outcomes) for claim in CLAIMS]
    counts = ", ".join(
        f"{sum(verdict.finding is finding for verdict in verdicts)} {finding.value}" for finding in ClaimStatus
    )
    return "\n".join(
        [
            "## What agrees and what does not",
            "",
            f"Of {len(verdicts)} comparisons: {counts}.",
            "",
            "| the paper finds | by | in the paper | advantage here | finding |",
            "|---|---|---|---|---|",
            *map(_verdict_row, verdicts),
        ]
    )


def section(part: PaperPart, budget: Budget, outcomes: Sequence[CellResult], *, has_picture: bool) -> str:
    """A part: what was done, its tables, its picture, and what it took."""
    cells = part.cells(budget)
    own = [one for one in outcomes if one.cell in set(cells)]
    spent = sum(one.cpu_s for one in own) / 60
    tables = "\n\n".join(markdown_table(table, own) for table in part.tables)
    picture = [f"![{part.title}]({PICTURES}/{part.name}.png)"] if has_picture else []
    took = f"{len(own)} of {len(cells)} cells measured, {spent:.1f} minutes of one core."
    return "\n\n".join([f"## {part.title}", part.text, tables, *picture, took])


def _head(setting: ReportContext) -> str:
    budget = setting.budget
    head = _HEAD.format(
        pictures=PICTURES,
        cells=CELLS_FILE,
        budget=budget.name,
        costs=budget.costs,
        model=setting.model,
        sounds=setting.num_sounds,
    )
    return head + _TRAINED.format(
        model=setting.model,
        start=budget.start_steps,
        batch=budget.batch_size,
        steps=budget.cell_steps,
        prompts=budget.prompts_per_class * setting.num_sounds,
        sampling=budget.sampling_steps,
        guidance=budget.guidance,
    )


def _verdict_row(verdict: ClaimVerdict) -> str:
    claim = verdict.claim
    pair = published_pair(claim)
    theirs = "–" if pair is None else f"{pair[0]:.2f} against {pair[1]:.2f}"
    ours = "–"
    if verdict.num_seeds == 1:
        ours = f"{verdict.advantage:+.2f} (one seed)"
    elif verdict.num_seeds:
        ours = f"{verdict.advantage:+.2f} ± {verdict.error:.2f} ({verdict.num_seeds} seeds)"
    return f"| {claim.says} | {title_of(claim.metric)} | {theirs} | {ours} | {verdict.finding.value} |"


def _replace(path: Path, content: bytes) -> None:
    """As a whole."""
    partial = path.with_name(path.name + ".part")
    partial.write_bytes(content)
    os.replace(partial, path)
