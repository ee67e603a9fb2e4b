"""What a run leaves beside its log: TensorBoard's files, read back by TensorBoard, and curves as a picture."""

import json
import sys
from pathlib import Path

import pytest
from PIL import Image
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from engine.training.loop import LOG_FILE, TrainingStatus
from engine.training.recorder import CURVES_FILE, EVENTS_FOLDER, Recorder


def report(folder: Path, recorder: Recorder, step: int, num_steps: int, **figures: float) -> None:
    """As the loop does it: the log first."""
    folder.mkdir(exist_ok=True)
    with (folder / LOG_FILE).open("a", encoding="utf-8") as log:
        log.write(json.dumps({"step": step, "seconds": 1.0, **figures}) + "\n")
    recorder(TrainingStatus(step, num_steps, 60.0, figures))


def points(folder: Path, name: str) -> list[tuple[int, float]]:
    events = EventAccumulator(str(folder / EVENTS_FOLDER))
    events.Reload()
    return [(event.step, pytest.approx(event.value)) for event in events.Scalars(name)]


class TestRecorder:
    def test_tensorboard_reads_what_was_reported(self, tmp_path: Path) -> None:
        recorder = Recorder(tmp_path)
        report(tmp_path, recorder, 50, 100, mse=0.5, critic=1.0)
        report(tmp_path, recorder, 100, 100, mse=0.25)

        assert points(tmp_path, "mse") == [(50, 0.5), (100, 0.25)]
        assert points(tmp_path, "critic") == [(50, 1.0)]

    def test_a_resumed_run_goes_on_in_the_same_curves(self, tmp_path: Path) -> None:
        """Steps that were reported and then lost with the process are not there twice."""
        first = Recorder(tmp_path)
        for step in (50, 100, 150):
            report(tmp_path, first, step, 200, mse=1 / step)
        first._events.close()
        second = Recorder(tmp_path)
        report(tmp_path, second, 100, 150, mse=0.2)
        report(tmp_path, second, 150, 150, mse=0.1)

        assert points(tmp_path, "mse") == [(50, 0.02), (100, 0.2), (150, 0.1)]

    def test_curves_are_drawn(self, tmp_path: Path) -> None:
        recorder = Recorder(tmp_path)
        report(tmp_path, recorder, 50, 100, mse=0.5, margin=-0.2)
        report(tmp_path, recorder, 100, 100, mse=0.25, margin=0.3)

        with Image.open(tmp_path / CURVES_FILE) as picture:
            assert picture.format == "PNG"
            assert picture.width > 500

    def test_missing_packages_are_told_once_and_stop_nothing(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        for module in ("torch.utils.tensorboard", "engine.training.curves"):
            monkeypatch.delitem(sys.modules, module, raising=False)
        for package in ("tensorboard", "matplotlib"):
            for module in [name for name in sys.modules if name.split(".")[0] == package]:
                monkeypatch.delitem(sys.modules, module)
            monkeypatch.setitem(sys.modules, package, None)
        recorder = Recorder(tmp_path)

        for step in (50, 100):
            report(tmp_path, recorder, step, 100, mse=0.5)

        told = capsys.readouterr().err
        assert told.count("tensorboard is missing") == 1
        assert told.count('pip install "retake[train]"') == 2
        assert not (tmp_path / CURVES_FILE).exists()
