"""The tray icon and its menu: the state at a glance, and the way to everything else."""

import sys
from pathlib import Path

from PySide6.QtCore import QObject, QTimer, Signal
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QMenu, QSystemTrayIcon

from bridge.desktop.pages.jobs import PAUSE_TIP
from bridge.desktop.state.autostart import Autostart
from bridge.desktop.state.controller import AppController
from bridge.desktop.state.job_store import Summary
from bridge.desktop.widgets.basic import elided
from bridge.desktop.widgets.files_out import open_path
from bridge.desktop.widgets.icons import tray_icon

_RECENT = 8
_REDRAW_MS = 200
_STEPS = 24
"""How many different pictures of progress there are; the icon is redrawn only from one to the next."""


class Tray(QObject):
    """Shows the state of all jobs; signals say what was clicked."""

    opened = Signal()
    page_wanted = Signal(str)
    result_wanted = Signal(str)
    quit_wanted = Signal()

    def __init__(self, controller: AppController, autostart: Autostart, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._controller = controller
        self._autostart = autostart
        self._shown: tuple[str, int] | None = None
        self.menu = QMenu()
        self._build()
        self.icon = QSystemTrayIcon(self)
        self.icon.setContextMenu(self.menu)
        self.icon.activated.connect(self._click)
        self.icon.messageClicked.connect(self.opened)
        self._redraw = QTimer(self)
        self._redraw.setSingleShot(True)
        self._redraw.setInterval(_REDRAW_MS)
        self._redraw.timeout.connect(self.show_summary)
        controller.summary_changed.connect(self._note)
        controller.paused_changed.connect(self.pause.setChecked)
        self.show_summary()

    def _build(self) -> None:
        self.menu.setToolTipsVisible(True)
        self.state = self._add("Ready", lambda: None)
        self.state.setEnabled(False)
        self.menu.addSeparator()
        self.open = self._add("&Open Retake", self.opened.emit)
        self.menu.setDefaultAction(self.open)
        self.pause = self._add("&Pause", lambda: None)
        self.pause.setCheckable(True)
        self.pause.setToolTip(PAUSE_TIP)
        self.pause.triggered.connect(lambda on: self._controller.pause(on=on))
        self.play_last = self._add("Play &last take", self.toggle_last)
        self.recent = self.menu.addMenu("&Recent takes")
        self.menu.addSeparator()
        self.scripts = self._add("&DAW scripts…", lambda: self.page_wanted.emit("first-run"))
        self.login = self._add("&Start at login", lambda: None)
        self.login.setCheckable(True)
        self.login.triggered.connect(self._switch_autostart)
        self.settings = self._add("S&ettings…", lambda: self.page_wanted.emit("settings"))
        self.logs = self._add("Lo&gs", lambda: open_path(self._controller.folder))
        self.menu.addSeparator()
        self.quit = self._add("&Quit Retake", self.quit_wanted.emit)
        self.menu.aboutToShow.connect(self.refresh)

    def _add(self, text: str, act: object) -> QAction:
        action = self.menu.addAction(text)
        action.triggered.connect(act)
        return action

    def refresh(self) -> None:
        """Update the menu just before it opens."""
        results = self._controller.jobs.results()
        self.state.setText(elided(self._controller.jobs.summary().text, 60))
        is_playing = self._controller.audition.path is not None
        self.play_last.setText("Stop playing" if is_playing else "Play &last take")
        self.play_last.setEnabled(bool(results) or is_playing)
        self.login.setChecked(self._autostart.is_on)
        self.recent.clear()
        self.recent.setEnabled(bool(results))
        for entry in results[:_RECENT]:
            action = self.recent.addAction(elided(entry.title, 48))
            action.setToolTip(entry.paths[0])
            action.triggered.connect(lambda _=False, path=entry.paths[0]: self.result_wanted.emit(path))

    def toggle_last(self) -> None:
        """Play the newest take, or stop playback."""
        results = self._controller.jobs.results()
        if self._controller.audition.path is not None:
            self._controller.audition.stop()
        elif results:
            self._controller.audition.play(Path(results[0].paths[0]))

    def _switch_autostart(self, on: bool) -> None:
        try:
            self._autostart.switch(on=on)
        except OSError as error:
            self._controller.complained.emit(f"Start at login could not be changed: {error.strerror or error}")
        self.login.setChecked(self._autostart.is_on)

    def _click(self, reason: QSystemTrayIcon.ActivationReason) -> None:
        if reason in {QSystemTrayIcon.ActivationReason.Trigger, QSystemTrayIcon.ActivationReason.DoubleClick}:
            self.opened.emit()

    # ------------------------------------------------------------------------------------------------- icon

    def _note(self, summary: Summary) -> None:
        """Redraw at once when the state changes; progress alone a few times a second."""
        if self._shown is None or summary.status != self._shown[0]:
            self.show_summary()
        elif not self._redraw.isActive():
            self._redraw.start()

    def show_summary(self) -> None:
        """Draw the state of all jobs."""
        summary = self._controller.jobs.summary()
        wanted = (summary.status, round(_STEPS * summary.fraction))
        self.icon.setToolTip(f"Retake: {elided(summary.text, 90)}")
        if wanted != self._shown:
            self._shown = wanted
            self.icon.setIcon(tray_icon(summary.status, wanted[1] / _STEPS, is_mask=sys.platform == "darwin"))

    def explain_once(self) -> None:
        """Explain, the first time, that closing the window does not quit."""
        if not self._controller.preferences.was_told_of_tray:
            self._controller.prefer(was_told_of_tray=True)
            self.icon.showMessage(
                "Retake is still running",
                "It keeps running in the tray, for your DAW. Quit from this icon's menu; Settings can change this.",
                tray_icon("idle", 0.0),
            )
