"""One tray app for each user: the first holds a lock and listens; later ones ask it to show its window, and exit."""

import hashlib
import logging
import os
import sys
import tempfile
from pathlib import Path

from PySide6.QtCore import QLockFile, QObject, Signal, Slot
from PySide6.QtNetwork import QLocalServer, QLocalSocket

from bridge.host.private_folder import make_private

_TIMEOUT_MS = 3_000
_LOCK_FILE = "tray.lock"
_MAX_PATH = 80
"""Bytes; the system allows little more than a hundred, and Qt adds some while it creates the socket."""

log = logging.getLogger(__name__)


class SingleInstance(QObject):
    """`asked` is emitted when another start wants the window, with the name of a page or ""."""

    asked = Signal(str)

    def __init__(self, folder: Path, parent: QObject | None = None) -> None:
        super().__init__(parent)
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._lock = QLockFile(str(folder / _LOCK_FILE))
        self._lock.setStaleLockTime(0)  # a lock is stale only when its process is gone
        self._name = socket_name(folder)
        self._connections: list[QLocalSocket] = []
        self._server = QLocalServer(self)
        self._server.setSocketOptions(QLocalServer.SocketOption.UserAccessOption)
        self._server.newConnection.connect(self._receive)

    def claim(self) -> bool:
        """Become the one instance; return False if there is another."""
        if not self._lock.tryLock(0):
            return False
        QLocalServer.removeServer(self._name)  # left by a crash
        if not self._server.listen(self._name):
            log.warning("a second start cannot bring this window forward: %s", self._server.errorString())
        return True

    def ask_other(self, page: str = "") -> bool:
        """Ask the other instance to show its window; return False when it does not answer."""
        socket = QLocalSocket()
        socket.connectToServer(self._name)
        if not socket.waitForConnected(_TIMEOUT_MS):
            return False
        socket.write(f"{page}\n".encode())
        is_sent = socket.waitForBytesWritten(_TIMEOUT_MS)
        socket.disconnectFromServer()
        return is_sent

    def release(self) -> None:
        self._server.close()
        self._lock.unlock()

    @Slot()
    def _receive(self) -> None:
        connection = self._server.nextPendingConnection()
        self._connections.append(connection)
        connection.readyRead.connect(self._read)
        connection.disconnected.connect(self._read)
        self._read()

    @Slot()
    def _read(self) -> None:
        """Read requests, and drop closed connections."""
        for connection in list(self._connections):
            if connection.canReadLine():
                self.asked.emit(bytes(connection.readLine().data()).decode("utf-8", "replace").strip())
            if connection.state() == QLocalSocket.LocalSocketState.UnconnectedState:
                self._connections.remove(connection)
                connection.deleteLater()


def socket_name(folder: Path) -> str:
    """Return the socket's path, in a folder closed to other users: in an open one they could create it first."""
    word = "retake-" + hashlib.sha256(os.fsencode(folder)).hexdigest()[:24]
    if sys.platform == "win32":  # a pipe, with the rights of its user
        return word
    own = [folder / "tray.socket", Path(os.environ.get("XDG_RUNTIME_DIR") or folder) / word]
    for path in own:
        if len(os.fsencode(path)) <= _MAX_PATH and path.is_absolute() and path.parent.is_dir():
            return str(path)
    private = Path(tempfile.gettempdir()) / f"retake-{os.getuid()}"
    make_private(private)
    return str(private / word)
