"""The tray app: one instance for each user, its parts connected, system signals, a clean shutdown."""

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
from bridge.desktop.widgets.theme import apply_theme
from bridge.desktop.window import PAGE_NAMES, Window
from bridge.host.program import HOME, Installation, own_command, own_program

NO_TRAY = "This desktop has no tray, so Retake shows its window; closing it quits."
UNWANTED_TRAY = "Retake was started without a tray; closing the window quits."
_TRAY_TIMEOUT_MS = 15_000
"""After login the tray may appear later than this app."""
_POLL_MS = 500


class DesktopApp(QObject):
    """Controller, window and tray, connected."""

    def __init__(self, app: QApplication, options: AppOptions) -> None:
        super().__init__()
        self._app = app
        self._is_quitting = False
        self._shown_notes: set[str] = set()
        self.controller = AppController(options.folder, options.preferences_file, self, options.own_command)
        apply_theme(app, self.controller.preferences.theme)
        autostart = Autostart(options.machine, login_command(), HOME)
        self.window = Window(self.controller, options.settings_file, autostart)
        self.tray = Tray(self.controller, autostart, self)
        self._wants_tray = options.wants_tray
        self._poll = QTimer(self)
        self._poll.setInterval(_POLL_MS)
        self._poll.timeout.connect(self._find_tray)
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
        self.controller.preferences_changed.connect(lambda preferences: self._apply_theme(preferences.theme))
        self._app.styleHints().colorSchemeChanged.connect(
            lambda _: self._apply_theme(self.controller.preferences.theme)
        )

    def start(self) -> None:
        """Start working; show the window unless it should stay hidden in the tray."""
        self.controller.start()
        if self._wants_tray:
            self._find_tray()
            if not self.has_tray:
                self._poll.start()
        if not self._is_hidden or not self._wants_tray:
            self.window.come_forward()
            if not self.has_tray:
                self._note_missing_tray()

    @property
    def has_tray(self) -> bool:
        return self.tray.icon.isVisible()

    def come_forward(self, page: str = "") -> None:
        if page in PAGE_NAMES:
            self.window.show_page(page)
        self.window.come_forward()

    def _find_tray(self) -> None:
        """Show the tray icon as soon as there is a tray; without one a hidden window is shown."""
        if QSystemTrayIcon.isSystemTrayAvailable():
            self._poll.stop()
            self.tray.icon.show()
            return
        self._waited_ms += _POLL_MS
        if self._waited_ms > _TRAY_TIMEOUT_MS:
            self._poll.stop()
            if self._is_hidden and not self.window.isVisible():
                self.window.come_forward()
                self._note_missing_tray()

    def _note_missing_tray(self) -> None:
        text = NO_TRAY if self._wants_tray else UNWANTED_TRAY
        self.window.note(text)
        print(text, file=sys.stderr)

    def _show_notes(self, notes: Sequence[str]) -> None:
        """Show each of the daemon's notes once."""
        for note in notes:
            if note not in self._shown_notes:
                self._shown_notes.add(note)
                self.window.note(note)

    def _apply_theme(self, theme: str) -> None:
        apply_theme(self._app, theme)

    def _show_result(self, path: str) -> None:
        self.come_forward("history")
        self.window.history_page.choose(path)

    def _after_close(self) -> None:
        """Keep running in the tray, or quit."""
        if self.has_tray and self.controller.preferences.closing == "tray":
            self.tray.explain_once()
        elif not self._is_quitting:
            self.quit()

    def quit(self) -> None:
        """Quit; ask first where unfinished jobs would be stopped."""
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
        question.addButton("Keep running", QMessageBox.ButtonRole.RejectRole)
        quit_button.clicked.connect(self.leave)
        question.open()

    def leave(self) -> None:
        """Quit without asking."""
        self._is_quitting = True
        self.close()
        self._app.quit()

    def close(self) -> None:
        """Close everything: icon, window, commands, the connection to the daemon."""
        self._poll.stop()
        self.tray.icon.hide()
        self.window.close_runs()
        self.window.hide()
        self.controller.close()


class SystemSignals(QObject):
    """Wakes Python for Ctrl-C and SIGTERM, which it handles only while its own code runs."""

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
    """Return the command to run at login: the installed program where there is one, without a console if possible."""
    one = of or Installation.running()
    program = own_program("retake", of=one) if one.unpacked is None else None
    words = ("tray", "--hidden")
    if program is None:
        return own_command(*words, of=one)
    twin = program.with_stem("retake-tray")
    return [str(twin), *words[1:]] if twin.is_file() else [str(program), *words]


def run(options: AppOptions) -> int:
    """Run the tray app, or bring forward the one that this user already runs."""
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
