"""The tray app's life: one instance, its parts put together, signals of the system, an orderly end."""

import signal
import socket
import sys
from collections.abc import Sequence

from PySide6.QtCore import QObject, QSocketNotifier, QTimer
from PySide6.QtWidgets import QApplication, QMessageBox, QSystemTrayIcon

from bridge import __version__
from bridge.desktop.state.autostart import Autostart
from bridge.desktop.state.controller import AppController
from bridge.desktop.state.options import AppOptions
from bridge.desktop.state.single_instance import SingleInstance
from bridge.desktop.tray import Tray
from bridge.desktop.widgets.theme import dress
from bridge.desktop.window import PAGE_NAMES, Window
from bridge.host.program import HOME, Installation, own_command, own_program

NO_TRAY = "This desktop has no tray, so Retake shows its window; closing it quits."
UNWANTED_TRAY = "Retake was started without a tray; closing the window quits."
_TRAY_PATIENCE_MS = 15_000
"""After login a tray may come later than we do."""
_LOOK_MS = 500


class DesktopApp(QObject):
    """Controller, window and tray, wired."""

    def __init__(self, app: QApplication, options: AppOptions) -> None:
        super().__init__()
        self._app = app
        self._is_quitting = False
        self._told: set[str] = set()
        self.controller = AppController(options.folder, options.preferences_file, self, options.own_command)
        dress(app, self.controller.preferences.theme)
        autostart = Autostart(options.machine, login_command(), HOME)
        self.window = Window(self.controller, options.settings_file, autostart)
        self.tray = Tray(self.controller, autostart, self)
        self._wants_tray = options.wants_tray
        self._look = QTimer(self)
        self._look.setInterval(_LOOK_MS)
        self._look.timeout.connect(self._look_for_tray)
        self._waited_ms = 0
        self._connect()
        if options.page:
            self.window.show_page(options.page)
        self._is_hidden = options.is_hidden

    def _connect(self) -> None:
        tray, window = self.tray, self.window
        tray.opened.connect(window.come_forward)
        tray.page_wanted.connect(self.come_forward)
        tray.result_wanted.connect(self._show_result)
        tray.quit_wanted.connect(self.quit)
        window.closed.connect(self._after_close)
        self.controller.status_changed.connect(lambda status: self._show_notes(status.notes))
        self.controller.preferences_changed.connect(lambda preferences: self._dress(preferences.theme))
        self._app.styleHints().colorSchemeChanged.connect(lambda _: self._dress(self.controller.preferences.theme))

    def start(self) -> None:
        """Go to work; show the window unless it was asked to stay hidden in a tray."""
        self.controller.start()
        if self._wants_tray:
            self._look_for_tray()
            if not self.has_tray:
                self._look.start()
        if not self._is_hidden or not self._wants_tray:
            self.window.come_forward()
            if not self.has_tray:
                self._say_no_tray()

    @property
    def has_tray(self) -> bool:
        return self.tray.icon.isVisible()

    def come_forward(self, page: str = "") -> None:
        if page in PAGE_NAMES:
            self.window.show_page(page)
        self.window.come_forward()

    def _look_for_tray(self) -> None:
        """Take a place in the tray as soon as there is one; a hidden window does not stay hidden without."""
        if QSystemTrayIcon.isSystemTrayAvailable():
            self._look.stop()
            self.tray.icon.show()
            return
        self._waited_ms += _LOOK_MS
        if self._waited_ms > _TRAY_PATIENCE_MS:
            self._look.stop()
            if self._is_hidden and not self.window.isVisible():
                self.window.come_forward()
                self._say_no_tray()

    def _say_no_tray(self) -> None:
        text = NO_TRAY if self._wants_tray else UNWANTED_TRAY
        self.window.note(text)
        print(text, file=sys.stderr)

    def _show_notes(self, notes: Sequence[str]) -> None:
        """Show what the daemon has to say, once."""
        for note in notes:
            if note not in self._told:
                self._told.add(note)
                self.window.note(note)

    def _dress(self, theme: str) -> None:
        dress(self._app, theme)

    def _show_result(self, path: str) -> None:
        self.come_forward("history")
        self.window.history_page.choose(path)

    def _after_close(self) -> None:
        """Stay in the tray, or quit."""
        if self.has_tray and self.controller.preferences.closing == "tray":
            self.tray.explain_once()
        elif not self._is_quitting:
            self.quit()

    def quit(self) -> None:
        """End; ask first where a job would be lost."""
        unfinished = len(self.controller.jobs.unfinished())
        if unfinished and not self.controller.preferences.keeps_daemon:
            self._ask_to_quit(unfinished)
        else:
            self.leave()

    def _ask_to_quit(self, unfinished: int) -> None:
        self.window.come_forward()
        question = QMessageBox(self.window)
        question.setWindowTitle("Quit Retake")
        question.setText("A job is not finished." if unfinished == 1 else f"{unfinished} jobs are not finished.")
        question.setInformativeText("Quitting may stop them. Your files stay as they are.")
        quit_button = question.addButton("Quit", QMessageBox.ButtonRole.DestructiveRole)
        question.addButton("Go on", QMessageBox.ButtonRole.RejectRole)
        quit_button.clicked.connect(self.leave)
        question.open()

    def leave(self) -> None:
        """End without a question."""
        self._is_quitting = True
        self.close()
        self._app.quit()

    def close(self) -> None:
        """Let go of everything: icon, window, commands, the line to the daemon."""
        self._look.stop()
        self.tray.icon.hide()
        self.window.close_runs()
        self.window.hide()
        self.controller.close()


class SystemSignals(QObject):
    """Ctrl-C and the system's word to end reach Python only while it runs; this wakes it."""

    def __init__(self, app: DesktopApp) -> None:
        super().__init__(app)
        self._inner, self._outer = socket.socketpair()
        for end in (self._inner, self._outer):
            end.setblocking(False)
        self._before = signal.set_wakeup_fd(self._outer.fileno())
        self._notifier = QSocketNotifier(self._inner.fileno(), QSocketNotifier.Type.Read, self)
        self._notifier.activated.connect(lambda *_: self._inner.recv(64))
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: QTimer.singleShot(0, app.leave))

    def close(self) -> None:
        self._notifier.setEnabled(False)
        signal.set_wakeup_fd(self._before)
        self._inner.close()
        self._outer.close()


def login_command(of: Installation | None = None) -> list[str]:
    """Return what the system runs at login: our installed program where there is one, without a console if possible."""
    one = of or Installation.running()
    program = own_program("retake", of=one) if one.unpacked is None else None
    words = ("tray", "--hidden")
    if program is None:
        return own_command(*words, of=one)
    twin = program.with_stem("retake-tray")
    return [str(twin), *words[1:]] if twin.is_file() else [str(program), *words]


def run(options: AppOptions) -> int:
    """Run the tray app, unless this user has one: then bring that one forward."""
    app = QApplication(sys.argv[:1])
    app.setApplicationName("Retake")
    app.setApplicationVersion(__version__)
    app.setDesktopFileName("retake")
    app.setQuitOnLastWindowClosed(False)
    instance = SingleInstance(options.folder)
    if not instance.claim():
        is_there = instance.ask_other(options.page)
        print("Retake is running already" if is_there else "Retake is running already, but does not answer")
        return 0 if is_there else 1
    desktop = DesktopApp(app, options)
    instance.asked.connect(desktop.come_forward)
    signals = SystemSignals(desktop)
    desktop.start()
    code = app.exec()
    signals.close()
    instance.release()
    return int(code)
