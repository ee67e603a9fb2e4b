"""Work that would block the window: functions on threads, commands as processes.

Results are delivered on the window's thread.
"""

from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, TypeVar

from PySide6.QtCore import QObject, QProcess, QProcessEnvironment, Qt, Signal, Slot

from bridge.host.program import HOME

Value = TypeVar("Value")
_STOP_MS = 5_000


class BackgroundTasks(QObject):
    """A few threads for the whole window."""

    _finished = Signal(object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._pool = ThreadPoolExecutor(4, thread_name_prefix="background")
        self._is_closed = False
        self._finished.connect(self._deliver, Qt.ConnectionType.QueuedConnection)

    def run(
        self,
        work: Callable[[], Value],
        on_result: Callable[[Value], None],
        on_error: Callable[[Exception], None] | None = None,
    ) -> None:
        """Run `work` on a thread; call `on_result` or `on_error` on the window's thread."""

        def deliver(future: "Future[Value]") -> None:
            if self._is_closed or future.cancelled():
                return
            error = future.exception()
            if error is None:
                self._finished.emit(lambda: on_result(future.result()))
            elif isinstance(error, Exception) and on_error is not None:
                self._finished.emit(lambda: on_error(error))

        self._pool.submit(work).add_done_callback(deliver)

    def close(self) -> None:
        """Accept no more work, and wait for what is running."""
        self._is_closed = True
        self._pool.shutdown(wait=True, cancel_futures=True)

    @Slot(object)
    def _deliver(self, call: Callable[[], None]) -> None:
        if not self._is_closed:
            call()


class CommandRun(QObject):
    """One command line, mostly `retake …`, as a process: its lines on stderr as they arrive, then its exit."""

    line = Signal(str)
    ended = Signal(int, str, str)
    """Exit code (-1 when it could not start or was stopped), all of stdout, all of stderr."""

    def __init__(self, command: Sequence[str], parent: QObject | None = None, **variables: str) -> None:
        super().__init__(parent)
        self._process = QProcess(self)
        self._stderr = ""
        self._tail = ""
        environment = QProcessEnvironment.systemEnvironment()
        for name, value in variables.items():
            environment.insert(name, value)
        environment.insert("PYTHONUNBUFFERED", "1")
        environment.insert("PYTHONIOENCODING", "utf-8")
        self._process.setProcessEnvironment(environment)
        self._process.setWorkingDirectory(str(HOME))
        self._process.readyReadStandardError.connect(self._read_lines)
        self._process.finished.connect(self._finish)
        self._process.errorOccurred.connect(self._fail)
        program, *rest = command
        self._process.start(program, rest)
        self._process.closeWriteChannel()

    @property
    def is_running(self) -> bool:
        return self._process.state() != QProcess.ProcessState.NotRunning

    def stop(self) -> None:
        """Ask it to stop; what it has written so far stays. `ended` follows."""
        self._process.terminate()

    def close(self) -> None:
        """Stop it and wait for its end; for when the window closes."""
        if self.is_running:
            self._process.blockSignals(True)
            self._process.terminate()
            if not self._process.waitForFinished(_STOP_MS):
                self._process.kill()
                self._process.waitForFinished(_STOP_MS)

    @Slot()
    def _read_lines(self) -> None:
        text = bytes(self._process.readAllStandardError().data()).decode("utf-8", "replace")
        self._stderr += text
        *lines, self._tail = (self._tail + text).split("\n")
        for line in lines:
            self.line.emit(line)

    @Slot()
    def _finish(self, *_: Any) -> None:
        self._read_lines()
        stdout = bytes(self._process.readAllStandardOutput().data()).decode("utf-8", "replace")
        is_orderly = self._process.exitStatus() == QProcess.ExitStatus.NormalExit
        self.ended.emit(self._process.exitCode() if is_orderly else -1, stdout, self._stderr)

    @Slot(QProcess.ProcessError)
    def _fail(self, error: QProcess.ProcessError) -> None:
        if error == QProcess.ProcessError.FailedToStart:
            self.ended.emit(-1, "", self._process.errorString())
