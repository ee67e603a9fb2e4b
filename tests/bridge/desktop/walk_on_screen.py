"""Walks through the whole window on the X screen of DISPLAY, with an icon in its tray, and takes pictures on the way.

Arguments: a folder for the pictures, and a clip. Prints JSON: what was seen.
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QApplication, QSystemTrayIcon

from bridge.daw_install.hosts import HostPlatform
from bridge.desktop.app import DesktopApp
from bridge.desktop.state.job_item import JobItem
from bridge.desktop.state.options import AppOptions
from bridge.desktop.state.preferences import Preferences, write_preferences
from bridge.host.discovery import state_folder
from bridge.wire.messages import Generate, Inpaint, Restyle

PATIENCE_S = 240.0


class Walk:
    """One walk; `seen` is what was seen on it."""

    def __init__(self, shots: Path, clip: str) -> None:
        self.shots, self.clip = shots, clip
        self.seen: dict[Any, Any] = {}
        self.qt = QApplication(["retake"])
        self.qt.setQuitOnLastWindowClosed(False)
        folder = state_folder(os.environ)
        preferences = folder / "desktop.json"
        write_preferences(preferences, Preferences(is_set_up=True, theme="light"))
        machine = HostPlatform("linux", os.environ, Path(os.environ["HOME"]))
        self.app = DesktopApp(self.qt, AppOptions(folder, Path(os.environ["RETAKE_CONFIG"]), preferences, machine))
        self.window, self.jobs = self.app.window, self.app.controller.jobs

    def until(self, condition: Callable[[], Any]) -> None:
        deadline = time.monotonic() + PATIENCE_S
        while not condition():
            assert time.monotonic() < deadline, f"not in time; seen: {self.seen}"
            self.qt.processEvents()
            time.sleep(0.005)

    def settle(self, seconds: float = 0.4) -> None:
        """Let animations and late news come; nothing depends on it but the looks of a picture."""
        end = time.monotonic() + seconds
        self.until(lambda: time.monotonic() > end)

    def shoot(self, name: str, widget: Any = None) -> None:
        self.settle()
        (widget or self.window).grab().save(str(self.shots / f"{name}.png"))

    def photograph(self, name: str) -> None:
        self.settle(1.0)
        subprocess.run(["import", "-window", "root", str(self.shots / f"{name}.png")], check=True)

    def is_over(self, job: str) -> bool:
        return self.found(job).state.is_final

    def found(self, job: str) -> JobItem:
        item = self.jobs.find(job)
        assert item is not None
        return item

    @property
    def icon(self) -> str:
        """What the tray shows."""
        shown = self.app.tray._shown
        assert shown is not None
        return shown[0]

    def begin(self) -> None:
        self.app.start()
        self.until(lambda: self.app.controller.is_connected and QSystemTrayIcon.isSystemTrayAvailable())
        self.until(lambda: self.app.has_tray and not self.app.tray.icon.geometry().isEmpty())
        self.seen["platform"] = QGuiApplication.platformName()
        self.seen["tray"] = self.app.tray.icon.geometry().getRect()
        self.photograph("tray-idle")

    def make_the_first_sound(self) -> None:
        page = self.window.create_page
        page.prompt.setText("a large church bell rings in the distance")
        page.go()
        self.until(lambda: "Step" in page.stage.text())
        self.seen["working"] = self.icon
        self.photograph("tray-working")
        self.until(lambda: not page.is_busy)
        first = self.jobs.results()[0].request
        assert first is not None
        self.seen["first"] = first.prompt

    def close_and_come_back(self) -> None:
        self.window.close()
        self.seen["stays"] = not self.window.isVisible() and self.app.tray.icon.isVisible()
        self.window.come_forward()

    def make_more(self) -> None:
        for request in (
            Restyle(job="w1", clip=self.clip, prompt="footsteps in deep snow", steps=6, client="Retake window"),
            Inpaint(job="w2", clip=self.clip, prompt="breaking glass", start_s=1.0, end_s=2.0, seed=7, steps=6),
            Generate(job="w3", prompt="heavy rain on a tin roof", seconds=4.0, candidates=2, steps=6, client="REAPER"),
            Generate(job="w4", prompt="a bad one", model="missing", client="Ableton Live"),
        ):
            self.app.controller.submit(request)
            self.until(partial(self.is_over, request.job))
        self.seen["error"] = self.icon
        self.photograph("tray-error")
        self.seen["results"] = len(self.jobs.results())

    def shoot_create(self, theme: Any) -> None:
        page = self.window.create_page
        self.window.show_page("create")
        self.shoot(f"create-{theme}")
        page.show_operation("inpaint")
        page.clip_area.take(self.clip)
        self.until(lambda: page.clip_area.view.picture is not None)
        page.clip_area.mark((1.0, 2.0))
        self.shoot(f"create-inpaint-{theme}")
        page.clip_area.take(None)
        page.show_operation("restyle")
        page.go()
        self.shoot(f"create-empty-{theme}")
        page.show_operation("generate")

    def shoot_jobs(self, theme: Any) -> None:
        job = f"slow-{theme}"
        self.app.controller.submit(Generate(job=job, prompt="wind in the trees", seconds=60.0, steps=200))
        self.until(lambda: self.found(job).stage.startswith("step"))
        self.window.show_page("jobs")
        self.shoot(f"jobs-{theme}")
        self.app.controller.cancel(job)
        self.until(lambda: self.is_over(job))

    def shoot_history(self, theme: Any) -> None:
        page = self.window.history_page
        self.window.show_page("history")
        page.choose(next(it.paths[0] for it in self.jobs.results() if it.operation == "inpaint"))
        self.until(lambda: all(view.picture is not None for view in page.compare.views.values()))
        self.shoot(f"history-{theme}")

    def shoot_the_rest(self, theme: Any) -> None:
        window = self.window
        window.show_page("models")
        self.until(lambda: window.models_page.rows)
        self.shoot(f"models-{theme}")
        window.show_page("settings")
        self.shoot(f"settings-{theme}")
        window.show_page("first-run")
        self.until(lambda: "Looking" not in window.first_run_page.scripts.text.text())
        self.shoot(f"first-run-{theme}")
        box = window.show_about()
        self.shoot(f"about-{theme}", box)
        box.close()
        self.app.tray.refresh()
        self.app.tray.menu.popup(window.mapToGlobal(window.rect().center()))
        self.shoot(f"menu-{theme}", self.app.tray.menu)
        self.app.tray.menu.close()


def main(shots: Path, clip: str) -> None:
    walk = Walk(shots, clip)
    walk.begin()
    walk.make_the_first_sound()
    walk.close_and_come_back()
    walk.make_more()
    for theme in ("light", "dark"):
        walk.app.controller.prefer(theme=theme)
        walk.shoot_create(theme)
        walk.shoot_jobs(theme)
        walk.shoot_history(theme)
        walk.shoot_the_rest(theme)
    walk.app.close()
    print(json.dumps(walk.seen))


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
