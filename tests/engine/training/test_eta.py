"""How long a run still takes: told by its recent steps, pauses counted, in words that are read at a glance."""

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.optim import SGD, Optimizer

from engine.training.eta import EtaEstimator, in_words
from engine.training.loop import LoopSettings, TrainingStatus, run_loop
from engine.training.workers import Workers


class Hourglass:
    """A clock that goes on when it is told to."""

    def __init__(self) -> None:
        self.seconds = 1_000.0

    def __call__(self) -> float:
        return self.seconds


def walk(eta: EtaEstimator, clock: Hourglass, steps: int, seconds: float, pause: float = 0.0) -> None:
    for _ in range(steps):
        eta.begin_step()
        clock.seconds += seconds
        eta.end_step()
        clock.seconds += pause


class TestPace:
    def test_is_that_of_the_steps(self) -> None:
        clock = Hourglass()
        eta = EtaEstimator(clock)
        walk(eta, clock, 10, 2.0)

        assert eta.seconds_left(100) == pytest.approx(200)

    def test_forgets_a_slow_beginning(self) -> None:
        clock = Hourglass()
        eta = EtaEstimator(clock)
        for seconds in (60.0, 2.0, 2.0):
            walk(eta, clock, 10, seconds)
            left = eta.seconds_left(100)

        assert left == pytest.approx(200)

    def test_is_not_misled_by_one_slow_stretch(self) -> None:
        clock = Hourglass()
        eta = EtaEstimator(clock)
        for seconds in (2.0, 2.0, 50.0):
            walk(eta, clock, 10, seconds)
            left = eta.seconds_left(100)

        assert left == pytest.approx(200)

    def test_follows_when_the_machine_has_become_slower(self) -> None:
        clock = Hourglass()
        eta = EtaEstimator(clock)
        for seconds in [1.0] * 20 + [3.0] * 5:
            walk(eta, clock, 10, seconds)
            left = eta.seconds_left(100)

        assert left == pytest.approx(300)

    def test_counts_what_saving_and_listening_add(self) -> None:
        clock = Hourglass()
        eta = EtaEstimator(clock)
        walk(eta, clock, 10, 2.0, pause=0.5)

        assert eta.seconds_left(100) == pytest.approx(250)

    @pytest.mark.parametrize(
        ("seconds", "words"),
        [
            (0, "0 s"), (41.6, "42 s"), (60, "1 min"), (754, "13 min"), (3_599, "1 h 00 min"), (11_100, "3 h 05 min"),
            (86_399, "1 d 00 h"), (183_600, "2 d 03 h"),
        ],
    )  # fmt: skip
    def test_is_told_in_words(self, seconds: float, words: str) -> None:
        assert in_words(seconds) == words


class Straight:
    """A recipe of one weight, each of whose steps takes 3 s by its clock."""

    def __init__(self, clock: Hourglass) -> None:
        self.clock, self.net = clock, nn.Linear(1, 1)
        self.kept: dict[str, nn.Module] = {"net": self.net}
        self.optimisers: dict[str, Optimizer] = {"sgd": SGD(self.net.parameters(), 0.1)}

    def train_step(self, step: int, rng: np.random.Generator) -> dict[str, float]:  # noqa: ARG002
        self.clock.seconds += 3
        return {"step": float(step)}

    def save_result(self) -> None:
        self.clock.seconds += 30  # a slow disk

    def make_samples(self) -> dict[str, Tensor]:
        return {}


class TestLoop:
    def test_reports_how_long_is_left_after_a_resumption_too(self, tmp_path: Path) -> None:
        clock, reports = Hourglass(), list[TrainingStatus]()
        for steps in (10, 20):
            settings = LoopSettings(tmp_path, steps, 0.1, report_every=5, save_every_s=1e9)
            run_loop(lambda: Straight(clock), settings, Workers(), reports.append, clock)

        assert [(report.step, report.seconds_left) for report in reports] == [(5, 15), (10, 0), (15, 15), (20, 0)]
        assert torch.load(tmp_path / "checkpoint.pt", weights_only=True)["step"] == 20
