"""A run's figures as they come: a line on the terminal, TensorBoard's event file, and the curves as a picture.

TensorBoard and Matplotlib come with the extra `train`; if one is missing, a note says so and training continues.
"""

import importlib
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from engine.training.eta import in_words
from engine.training.loop import TrainingStatus, read_log

CURVES_FILE, EVENTS_FOLDER = "curves.png", "tensorboard"
_EVERY_S = 60.0  # between two drawings


@dataclass
class Recorder:
    """What a recipe calls with each report; created for each run in its leading process."""

    folder: Path  # of the run's checkpoints and log
    _events: Any = field(default=None, init=False, repr=False)
    _missing: set[str] = field(default_factory=set, init=False, repr=False)
    _drawn: float = field(default=0.0, init=False, repr=False)

    def __call__(self, report: TrainingStatus) -> None:
        figures = "  ".join(f"{name} {value:.4f}" for name, value in report.figures.items())
        left = in_words(report.seconds_left)
        print(f"step {report.step}/{report.num_steps}  {figures}  {left} left", file=sys.stderr, flush=True)
        last = report.step >= report.num_steps
        self._note(report, last=last)
        if last or time.monotonic() - self._drawn > _EVERY_S:
            self._draw()
            self._drawn = time.monotonic()

    def _note(self, report: TrainingStatus, *, last: bool) -> None:
        """One point a figure; after a resumption, points of lost steps are purged."""
        module = self._optional("torch.utils.tensorboard", "tensorboard", "event files")
        if module is None:
            return
        if self._events is None:
            self._events = module.SummaryWriter(str(self.folder / EVENTS_FOLDER), purge_step=report.step)
        for name, value in report.figures.items():
            self._events.add_scalar(name, value, report.step)
        self._events.flush()
        if last:
            self._events.close()
            self._events = None

    def _draw(self) -> None:
        module = self._optional("engine.training.curves", "matplotlib", CURVES_FILE)
        if module is not None:
            (self.folder / CURVES_FILE).write_bytes(module.draw_curves(list(read_log(self.folder))))

    def _optional(self, module: str, package: str, purpose: str) -> Any:
        """The module, or None and a sentence, once."""
        if package in self._missing:
            return None
        try:
            return importlib.import_module(module)
        except ModuleNotFoundError as error:
            if (error.name or "").split(".")[0] == "engine":
                raise
            self._missing.add(package)
            print(f'no {purpose}: {package} is missing; pip install "retake[train]"', file=sys.stderr, flush=True)
            return None
