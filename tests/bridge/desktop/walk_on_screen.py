"""Walks through the whole window on the X screen of DISPLAY, with an icon in its tray, and takes pictures on the way.

Arguments: a folder for the pictures, and a clip. Prints JSON: what was seen.
"""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QApplication, QSystemTrayIcon

from bridge.daws import Machine
from bridge.desktop.app import DesktopApp, Setting
from bridge.desktop.preferences import Preferences, write_preferences
from bridge.discovery import state_folder
from bridge.messages import Generate, Inpaint, Restyle

PATIENCE_S = 240.0


def main(shots: Path, clip: str) -> None:
    folder = state_folder(os.environ)
    seen: dict[str, object] = {}
    qt = QApplication(["retake"])
    qt.setQuitOnLastWindowClosed(False)
    preferences = folder / "desktop.json"
    write_preferences(preferences, Preferences(is_set_up=True, theme="light"))
    machine = Machine("linux", os.environ, Path(os.environ["HOME"]))
    app = DesktopApp(qt, Setting(folder, Path(os.environ["RETAKE_CONFIG"]), preferences, machine))

    def until(condition):
        deadline = time.monotonic() + PATIENCE_S
        while not condition():
            assert time.monotonic() < deadline, f"not in time; seen: {seen}"
            qt.processEvents()
            time.sleep(0.005)

    def settle(seconds=0.4):
        end = time.monotonic() + seconds
        until(lambda: time.monotonic() > end)

    def shoot(name):
        settle()
        app.window.grab().save(str(shots / f"{name}.png"))

    def photograph(name):
        settle(1.0)
        subprocess.run(["import", "-window", "root", str(shots / f"{name}.png")], check=True)

    app.start()
    window = app.window
    until(lambda: app.studio.is_connected and QSystemTrayIcon.isSystemTrayAvailable())
    until(lambda: app.has_tray and not app.tray.icon.geometry().isEmpty())
    seen["platform"] = QGuiApplication.platformName()
    seen["tray"] = app.tray.icon.geometry().getRect()
    photograph("tray-idle")

    page = window.create_page
    page.prompt.setText("a large church bell rings in the distance")
    page.go()
    until(lambda: "Step" in page.stage.text())
    seen["working"] = app.tray._shown[0]
    photograph("tray-working")
    until(lambda: not page.is_busy)
    seen["first"] = app.studio.board.results()[0].request.prompt
    window.close()
    seen["stays"] = not window.isVisible() and app.tray.icon.isVisible()
    window.come_forward()
    for request in (
        Restyle(job="w1", clip=clip, prompt="footsteps in deep snow", steps=6),
        Inpaint(job="w2", clip=clip, prompt="breaking glass", start_s=1.0, end_s=2.0, steps=6),
        Generate(job="w3", prompt="heavy rain on a tin roof", seconds=4.0, candidates=2, steps=6, client="REAPER"),
    ):
        app.studio.submit(request)
        until(lambda job=request.job: app.studio.board.find(job).state.is_final)
    app.studio.submit(Generate(job="w4", prompt="a bad one", model="missing", client="Ableton Live"))
    until(lambda: app.studio.board.find("w4").state.is_final)
    seen["error"] = app.tray._shown[0]
    photograph("tray-error")
    seen["results"] = len(app.studio.board.results())
    for theme in ("light", "dark"):
        app.studio.prefer(theme=theme)
        shoot_pages(app, theme, clip, until, shoot)
        box = window.show_about()
        settle()
        box.grab().save(str(shots / f"about-{theme}.png"))
        box.close()
        app.tray.refresh()
        app.tray.menu.popup(window.mapToGlobal(window.rect().center()))
        settle()
        app.tray.menu.grab().save(str(shots / f"menu-{theme}.png"))
        app.tray.menu.close()
    app.close()
    print(json.dumps(seen))


def shoot_pages(app, theme, clip, until, shoot):
    window = app.window
    page = window.create_page
    window.show_page("create")
    shoot(f"create-{theme}")
    page.show_operation("inpaint")
    page.well.take(clip)
    until(lambda: page.well.view.picture is not None)
    page.well.mark((1.0, 2.0))
    shoot(f"create-inpaint-{theme}")
    page.well.take(None)
    page.show_operation("restyle")
    page.go()
    shoot(f"create-empty-{theme}")
    page.show_operation("generate")
    app.studio.submit(Generate(job=f"slow-{theme}", prompt="wind in the trees", seconds=60.0, steps=200))
    until(lambda: app.studio.board.find(f"slow-{theme}").stage.startswith("step"))
    window.show_page("jobs")
    shoot(f"jobs-{theme}")
    app.studio.cancel(f"slow-{theme}")
    until(lambda: app.studio.board.find(f"slow-{theme}").state.is_final)
    window.show_page("history")
    window.history_page.choose(next(it.paths[0] for it in app.studio.board.results() if it.operation == "inpaint"))
    until(lambda: all(view.picture is not None for view in window.history_page.compare.views.values()))
    shoot(f"history-{theme}")
    window.show_page("models")
    until(lambda: window.models_page.rows)
    shoot(f"models-{theme}")
    window.show_page("settings")
    shoot(f"settings-{theme}")
    window.show_page("first-run")
    until(lambda: "Looking" not in window.first_run_page.scripts.text.text())
    shoot(f"first-run-{theme}")


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
