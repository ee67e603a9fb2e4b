"""The loop that every recipe runs in: learning rate, checkpoints, log, resumption to the step.

Each step's randomness comes from (seed, step, rank), so a resumed run continues exactly as if it had never stopped.
"""

import json
import math
import os
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from engine.training.eta import Clock, EtaEstimator
from engine.training.samples import write_samples
from engine.training.workers import Workers

CHECKPOINT_FILE, LOG_FILE = "checkpoint.pt", "losses.jsonl"
_SAMPLE_RATE = 16_000  # of every model's clips


@dataclass(frozen=True)
class LoopSettings:
    """How long and how fast; `num_steps` may be raised when a run is resumed."""

    folder: Path  # checkpoints and logs of this run
    num_steps: int
    learning_rate: float  # the peak
    warmup_steps: int = 60
    decay_share: float = 0.65  # the last share of the steps, over which the rate falls along a cosine
    final_share: float = 0.03  # of the peak, at the end
    save_every_s: float = 120.0
    report_every: int = 50  # steps
    listen_every_s: float | None = None  # between audible samples; None: never
    seed: int = 0

    def rate_at(self, step: int) -> float:
        """Warm-up, plateau, cosine."""
        warm = min(1.0, (step + 1) / self.warmup_steps)
        start = self.num_steps * (1 - self.decay_share)
        progress = min(1.0, max(0.0, (step - start) / max(1.0, self.num_steps - start)))
        return (
            self.learning_rate
            * warm
            * (self.final_share + (1 - self.final_share) * (1 + math.cos(math.pi * progress)) / 2)
        )


@dataclass(frozen=True)
class TrainingStatus:
    """The state of a run: means of the recipe's figures since the last report."""

    step: int
    num_steps: int
    seconds_left: float
    figures: dict[str, float]


OnReport = Callable[[TrainingStatus], None]


class Recipe(Protocol):
    """What is trained and how one step goes; `kept` and `optimisers` are what a checkpoint holds."""

    kept: dict[str, nn.Module]
    optimisers: dict[str, Optimizer]

    def train_step(self, step: int, rng: np.random.Generator) -> dict[str, float]:
        """One step of every optimiser; returns the figures to report."""
        ...

    def save_result(self) -> None:
        """Write the current model where the next recipe finds it."""
        ...

    def make_samples(self) -> dict[str, Tensor]:
        """Return a few sample waveforms [T] at 16 kHz by name; none if the part makes no sound."""
        ...


def run_loop(
    make_recipe: Callable[[], Recipe],
    settings: LoopSettings,
    workers: Workers,
    on_report: OnReport | None = None,
    clock: Clock = time.monotonic,
) -> int:
    """Train until `num_steps`, from the last checkpoint if there is one; returns the steps done in this call.

    The recipe is made here, so that its first weights come from the seed too.
    """
    settings.folder.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(settings.seed)
    recipe = make_recipe()
    first = load_checkpoint(recipe, settings.folder)
    workers.share(recipe.kept.values())
    watch = _Schedule(settings, on_report if workers.leads else None, clock)
    for step in range(first, settings.num_steps):
        watch.eta.begin_step()
        torch.manual_seed(_seed_of(settings.seed, step, workers.rank))
        for optimiser in recipe.optimisers.values():
            for group in optimiser.param_groups:
                group["lr"] = settings.rate_at(step) * group.get("rate_factor", 1.0)
        figures = recipe.train_step(step, np.random.default_rng((settings.seed, step, workers.rank)))
        if workers.leads and watch.is_due(step, figures):
            save_checkpoint(recipe, settings.folder, step + 1)
            recipe.save_result()
        if workers.leads and watch.is_time_to_listen():
            write_samples(settings.folder, step + 1, recipe.make_samples(), _SAMPLE_RATE)
    if workers.leads:
        save_checkpoint(recipe, settings.folder, max(first, settings.num_steps))
        recipe.save_result()
        if settings.listen_every_s is not None and first < settings.num_steps:
            write_samples(settings.folder, settings.num_steps, recipe.make_samples(), _SAMPLE_RATE)
    return max(0, settings.num_steps - first)


class _Schedule:
    """Keeps the clock: when to report, when to save, how long is left."""

    def __init__(self, settings: LoopSettings, on_report: OnReport | None, clock: Clock) -> None:
        self.settings, self.on_report, self.clock = settings, on_report, clock
        self.started = self.saved = self.sampled = clock()
        self.eta = EtaEstimator(clock)
        self.sums: defaultdict[str, list[float]] = defaultdict(list)

    def is_due(self, step: int, figures: dict[str, float]) -> bool:
        """Record the step's figures, report if it is time, and return whether to save."""
        self.eta.end_step()
        for name, value in figures.items():
            self.sums[name].append(value)
        now = self.clock()
        if (step + 1) % self.settings.report_every == 0 or step + 1 == self.settings.num_steps:
            left = self.eta.seconds_left(self.settings.num_steps - step - 1)
            means = {name: float(np.mean(values)) for name, values in self.sums.items()}
            self.sums.clear()
            self._write(TrainingStatus(step + 1, self.settings.num_steps, left, means))
        if now - self.saved < self.settings.save_every_s:
            return False
        self.saved = now
        return True

    def is_time_to_listen(self) -> bool:
        """Return whether samples are due; called once a step."""
        every, now = self.settings.listen_every_s, self.clock()
        if every is None or now - self.sampled < every:
            return False
        self.sampled = now
        return True

    def _write(self, report: TrainingStatus) -> None:
        line = {"step": report.step, "seconds": round(self.clock() - self.started, 1), **report.figures}
        with (self.settings.folder / LOG_FILE).open("a", encoding="utf-8") as log:
            log.write(json.dumps(line) + "\n")
        if self.on_report:
            self.on_report(report)


def save_checkpoint(recipe: Recipe, folder: Path, step: int) -> None:
    """Write nets, optimisers and step, replacing the last checkpoint atomically."""
    state = {
        "step": step,
        "kept": {name: module.state_dict() for name, module in recipe.kept.items()},
        "optimisers": {name: optimiser.state_dict() for name, optimiser in recipe.optimisers.items()},
    }
    partial = folder / (CHECKPOINT_FILE + ".part")
    torch.save(state, partial)
    os.replace(partial, folder / CHECKPOINT_FILE)


def load_checkpoint(recipe: Recipe, folder: Path) -> int:
    """Put the recipe where its last checkpoint left it; returns the step to go on with, 0 without a checkpoint."""
    path = folder / CHECKPOINT_FILE
    if not path.exists():
        return 0
    state: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
    for name, module in recipe.kept.items():
        module.load_state_dict(state["kept"][name])
    for name, optimiser in recipe.optimisers.items():
        optimiser.load_state_dict(state["optimisers"][name])
    return int(state["step"])


def step_optimiser(optimiser: Optimizer, loss: Tensor, workers: Workers, *, max_norm: float | None = None) -> None:
    """Backward, gradients averaged over the processes, clipped, and one step."""
    parameters = [p for group in optimiser.param_groups for p in group["params"]]
    optimiser.zero_grad(set_to_none=True)
    loss.backward()
    workers.average_gradients(parameters)
    if max_norm is not None:
        nn.utils.clip_grad_norm_(parameters, max_norm)
    optimiser.step()


def read_log(folder: Path) -> Iterator[dict[str, float]]:
    """The reports of a run, in order."""
    with (folder / LOG_FILE).open(encoding="utf-8") as log:
        for line in log:
            yield json.loads(line)


def _seed_of(seed: int, step: int, rank: int) -> int:
    return int(np.random.SeedSequence((seed, step, rank)).generate_state(1, np.uint32)[0])
