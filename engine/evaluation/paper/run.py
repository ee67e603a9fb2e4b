"""The rerun: the cells of the selected parts, each measured once, and the report after each part."""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import torch

from engine.audioldm import AudioLDM
from engine.checkpoints.store import open_model
from engine.device import dtype_for
from engine.engine import Engine, prepare_for_inference
from engine.evaluation.classifier import SoundClassifier
from engine.evaluation.paper.cells import Cell, CellResult, Results, ShouldStop
from engine.evaluation.paper.material import Material, window_seconds
from engine.evaluation.paper.parts import TRAINED, parts_of
from engine.evaluation.paper.report import DrawPanels, ReportContext, write_report
from engine.evaluation.paper.sampled import SampledCells
from engine.evaluation.paper.trained import TrainedCells
from engine.evaluation.paper_budget import Budget
from engine.sounds import SOUNDS
from engine.training.loop import TrainingStatus

OnNews = Callable[[float, str], None]  # share of the cells that are there, 0 to 1; what is being done


@dataclass(frozen=True)
class PaperOptions:
    """Options of a rerun."""

    folder: Path
    parts: Sequence[str]
    budget: Budget
    model: str = "nano"


def run_paper(
    wish: PaperOptions,
    classifier: SoundClassifier,
    draw: DrawPanels,
    device: torch.device,
    *,
    on_news: OnNews,
    on_outcome: Callable[[CellResult], None],
    should_stop: ShouldStop,
) -> Path:
    """Measure what is missing, and write RESULTS.md; returns its path.

    An interrupted run resumes: measured cells are kept, trainings continue from their last checkpoint.

    Raises:
        PaperFolderError: the folder belongs to something else.
        CancelledError: `should_stop` returned True; measured cells are kept.
    """
    model = open_model(wish.model, device)
    identity = {"budget": wish.budget.name, "model": fingerprint(model), "sounds": len(SOUNDS)}
    results = Results(wish.folder, identity, should_stop)
    parts = parts_of(wish.budget)
    wanted = [parts[name].cells(wish.budget) for name in wish.parts]
    news = _News(on_news, sum(map(len, wanted)))
    trained = TrainedCells(
        lambda: Material(model, wish.budget, results), classifier, results, news.on_report, should_stop
    )
    sampled = SampledCells(
        lambda: Engine(prepare_for_inference(open_model(wish.model, device), dtype_for(device)), wish.model),
        window_seconds(model),
        classifier,
        wish.budget,
        should_stop,
    )
    setting = ReportContext(wish.budget, wish.model, len(SOUNDS))
    path = wish.folder
    for cells in wanted:
        for cell in cells:
            news.begin(cell)
            measure = trained.measure if cell.experiment == TRAINED else sampled.measure
            on_outcome(results.answered(cell, partial(measure, cell)))
        path = _report(results, setting, draw)
    return path


def _report(results: Results, setting: ReportContext, draw: DrawPanels) -> Path:
    with results.locked("report"):
        return write_report(results.folder, setting, results.all(), draw)


def fingerprint(model: AudioLDM) -> str:
    """A model's weights as 16 digits; its draft net, which is not used here, may change."""
    digest = hashlib.sha256()
    for name, tensor in model.state_dict().items():
        if name.startswith("draft."):
            continue
        digest.update(name.encode() + tensor.detach().cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()[:16]


class _News:
    """Describes the current activity."""

    def __init__(self, on_news: OnNews, total: int) -> None:
        self._on_news, self._total, self._done, self._text = on_news, total, -1, ""

    def begin(self, cell: Cell) -> None:
        self._done += 1
        self._text = f"{cell.experiment} {cell.variant}, seed {cell.seed}"
        self._show(self._text)

    def on_report(self, report: TrainingStatus) -> None:
        left = report.seconds_left / 60
        self._show(f"{self._text}: step {report.step}/{report.num_steps}, {left:.0f} min left")

    def _show(self, text: str) -> None:
        self._on_news(self._done / self._total, text)
