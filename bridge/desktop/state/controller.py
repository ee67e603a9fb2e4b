"""The state behind all pages: requests, replies, jobs and playback; pages call it and follow its signals."""

import os
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from PySide6.QtCore import QObject, Qt, QTimer, Signal, Slot

from bridge.desktop.state.audition import Audition
from bridge.desktop.state.background_tasks import BackgroundTasks
from bridge.desktop.state.daemon_connection import Away, ConnectionNews, DaemonConnection, Down, Up
from bridge.desktop.state.job_item import JobItem
from bridge.desktop.state.job_store import JobStore, Summary
from bridge.desktop.state.journal_reader import read_jobs, read_latest
from bridge.desktop.state.preferences import Preferences, read_preferences, write_preferences
from bridge.desktop.state.render_form import again, next_seed
from bridge.desktop.state.sound_picture import Picture, read_picture
from bridge.errors import PreviewReplacedError
from bridge.host.program import own_command
from bridge.plain_words import in_window, reason_of, sentence, window_words
from bridge.wire.messages import (
    Cancel,
    Done,
    Fail,
    Models,
    ModelsReply,
    Notice,
    Pause,
    Preview,
    PreviewReply,
    RenderRequest,
    StatusReply,
    Stop,
)

_TICK_MS = 33
_LOOK_UP_MS = 400
_MAX_PICTURES = 60


class AppController(QObject):
    """Connects the pages with the daemon, the journal and the preferences."""

    job_changed = Signal(JobItem)
    refilled = Signal()
    summary_changed = Signal(Summary)
    status_changed = Signal(StatusReply)
    models_changed = Signal(tuple)
    connection_changed = Signal(bool, str)
    playing_changed = Signal()
    playhead_moved = Signal(str, float)
    complained = Signal(str)
    preferences_changed = Signal(Preferences)
    paused_changed = Signal(bool)
    _received = Signal(object)

    def __init__(
        self,
        folder: Path,
        preferences_file: Path,
        parent: QObject | None = None,
        command: Callable[..., list[str]] = own_command,
    ) -> None:
        super().__init__(parent)
        self.folder = folder
        self.own_command = command
        self.preferences = read_preferences(preferences_file)
        self.tasks = BackgroundTasks(self)
        self.jobs = JobStore()
        self.audition = Audition(self._play, self._stop_playing)
        self.status: StatusReply | None = None
        self.models: tuple[str, ...] = ()
        self.is_connected = False
        self.is_paused = False
        self._preferences_file = preferences_file
        self._writing = threading.Lock()
        self._is_pausing = False
        self._num_mismatches = 0
        self._summary = self.jobs.summary()
        self._pictures: dict[str, Picture] = {}
        self._connection = DaemonConnection(folder, self._received.emit)
        self._received.connect(self._receive, Qt.ConnectionType.QueuedConnection)
        self._ticks = QTimer(self)
        self._ticks.setInterval(_TICK_MS)
        self._ticks.timeout.connect(self._tick)
        self._soon = QTimer(self)
        self._soon.setSingleShot(True)
        self._soon.timeout.connect(self._show_playing)
        self._look_up = QTimer(self)
        self._look_up.setSingleShot(True)
        self._look_up.setInterval(_LOOK_UP_MS)
        self._look_up.timeout.connect(self._read_foreign_jobs)

    def start(self) -> None:
        """Find or start the daemon, and read the journal."""
        self._connection.start()
        self.refill()

    def close(self) -> None:
        """Disconnect. A daemon that was started here ends, too, unless the preferences keep it running."""
        self.audition.stop()
        for timer in (self._ticks, self._soon, self._look_up):
            timer.stop()
        self._connection.stop(quit_daemon=not self.preferences.keeps_daemon)
        self.tasks.close()

    # ------------------------------------------------------------------------------------------------- jobs

    def submit(self, request: RenderRequest) -> JobItem:
        """Send a job, and return it as it is shown until the daemon answers."""
        entry = self.jobs.add(request)
        self._connection.send(request)
        self._announce(entry)
        return entry

    def cancel(self, job: str) -> None:
        self._connection.send(Cancel(job=job))

    def repeat(self, entry: JobItem, *, is_new_seed: bool) -> JobItem | None:
        """Send a job again, with the next seed or with the same one."""
        if entry.request is None:
            return None
        seed = next_seed(entry.request) if is_new_seed else None
        return self.submit(again(entry.request, new_job(), seed=seed))

    def pause(self, *, on: bool) -> None:
        """Pause or resume the daemon's queue, for the jobs of all programs."""
        self._is_pausing = True
        self._connection.send(Pause(on=on))
        self._show_paused(on=on)

    def _show_paused(self, *, on: bool) -> None:
        self.is_paused = on
        for entry in self.jobs.pause(on=on):
            self._announce(entry)
        self.paused_changed.emit(on)

    def acknowledge_failure(self) -> None:
        """Clear the error state: the user has seen that a job failed."""
        self.jobs.acknowledge_failure()
        self._update_summary()

    def refill(self) -> None:
        """Read the journal again."""
        self.tasks.run(lambda: read_latest(self.folder), self._fill, self._cannot_read)

    def restart_daemon(self) -> None:
        self._connection.restart_daemon()

    def ask_models(self) -> None:
        self._connection.send(Models())

    # ---------------------------------------------------------------------------------------------- replies

    @Slot(object)
    def _receive(self, news: ConnectionNews) -> None:
        match news:
            case Up():
                self._set_connected(is_up=True, trouble="")
                self.refill()
                self.ask_models()
            case Away():
                self._set_connected(is_up=False, trouble="")
            case Down(text, _):
                self._set_connected(is_up=False, trouble=text)
            case StatusReply():
                self._receive_status(news)
            case Done(Pause.address):
                self._is_pausing = False
            case ModelsReply(names):
                self.models = names
                self.models_changed.emit(names)
            case PreviewReply(state, path, position_s, duration_s):
                if self.audition.follow(state, path, position_s, duration_s):
                    self._show_playing()
            case Fail(job=""):
                self._receive_refusal(news)
            case _:
                self._receive_job_news(_in_window(news))

    def _receive_job_news(self, news: ConnectionNews) -> None:
        assert not isinstance(news, Up | Away | Down)
        entry = self.jobs.apply(news)
        if entry is not None:
            is_incomplete = entry.request is None or (entry.state.is_final and not entry.created_at)
            if is_incomplete and not self._look_up.isActive():
                self._look_up.start()
            self._announce(entry)

    def _receive_status(self, news: StatusReply) -> None:
        """Show the daemon's state, and read from the journal what UDP lost on the way here."""
        if news != self.status:
            self.status = news
            self.status_changed.emit(news)
        if not self._is_pausing and bool(news.paused) != self.is_paused:
            self._show_paused(on=bool(news.paused))
        is_mismatch = news.queue_length != len(self.jobs.unfinished())
        self._num_mismatches = self._num_mismatches + 1 if is_mismatch else 0
        if self._num_mismatches > 1:
            self._num_mismatches = 0
            self.refill()

    def _receive_refusal(self, news: Fail) -> None:
        self._is_pausing = self._is_pausing and news.command != Pause.address
        if news.command == Preview.address:
            self.audition.fail()
            self._show_playing()
        if news.code != PreviewReplacedError.code:  # the next preview already plays: nothing to report
            self.complained.emit(sentence(*window_words(news.code, news.text, news.hint)))

    def _set_connected(self, *, is_up: bool, trouble: str) -> None:
        self.is_connected, self.jobs.trouble = is_up, trouble
        self.connection_changed.emit(is_up, trouble)
        self._update_summary()

    def _announce(self, entry: JobItem) -> None:
        self.job_changed.emit(entry)
        self._update_summary()

    def _update_summary(self) -> None:
        summary = self.jobs.summary()
        if summary != self._summary:
            self._summary = summary
            self.summary_changed.emit(summary)

    def _fill(self, entries: list[JobItem]) -> None:
        self.jobs.fill(entries)
        self.refilled.emit()
        self._update_summary()

    def _cannot_read(self, error: Exception) -> None:
        self.complained.emit(f"The history cannot be read: {reason_of(error)}")

    def _read_foreign_jobs(self) -> None:
        """Read from the journal what other programs requested."""
        jobs = [entry.job for entry in self.jobs if entry.request is None or not entry.created_at][-100:]
        self.tasks.run(lambda: read_jobs(self.folder, jobs), self._fill, self._cannot_read)

    # ---------------------------------------------------------------------------------------------- playing

    def _play(self, path: str, start_s: float) -> None:
        device = self.preferences.audition_device or None
        level_db = self.preferences.audition_level_db
        self._connection.send(Preview(path=path, device=device, level_db=level_db, start_s=start_s or None))
        self._ticks.start()
        self._soon.start()

    def _stop_playing(self) -> None:
        self._connection.send(Stop())
        self._soon.start()

    @Slot()
    def _show_playing(self) -> None:
        if self.audition.path is None:
            self._ticks.stop()
        self.playing_changed.emit()

    def _tick(self) -> None:
        if self.audition.path is not None:
            self.playhead_moved.emit(self.audition.path, self.audition.position_s)

    # --------------------------------------------------------------------------------------------- pictures

    def picture(self, path: str | Path, on_picture: Callable[[Picture | None], None]) -> None:
        """Call `on_picture` with the picture of a file once it is drawn; with None when the file cannot be read."""
        key = str(path)
        if key in self._pictures:
            on_picture(self._pictures[key])
            return

        def keep(picture: Picture) -> None:
            self._pictures[key] = picture
            while len(self._pictures) > _MAX_PICTURES:
                self._pictures.pop(next(iter(self._pictures)))
            on_picture(picture)

        self.tasks.run(lambda: read_picture(key), keep, lambda _: on_picture(None))

    # ------------------------------------------------------------------------------------------ preferences

    def prefer(self, **changes: object) -> None:
        """Change preferences, and save them."""
        self.preferences = replace(self.preferences, **changes)  # type: ignore[arg-type]  # names checked by replace
        self.tasks.run(
            self._keep_preferences,
            lambda _: None,
            lambda error: self.complained.emit(f"The preferences cannot be written: {reason_of(error)}"),
        )
        self.preferences_changed.emit(self.preferences)

    def _keep_preferences(self) -> None:
        """Write the latest preferences; runs on a thread."""
        with self._writing:
            write_preferences(self._preferences_file, self.preferences)


def new_job() -> str:
    """Return a new, unique job id."""
    return f"window-{int(time.time())}-{os.urandom(4).hex()}"


def _in_window(news: ConnectionNews) -> ConnectionNews:
    """Return a job's news with its sentences in the window's words."""
    match news:
        case Fail(command, job, code, text, hint):
            return Fail(command, job, code, *window_words(code, text, hint))
        case Notice(job, text):
            return Notice(job, in_window(text))
    return news
