"""One tray app for each user: the first holds a lock and listens; a second one asks it to come forward, and leaves."""

import hashlib
import logging
import os
import sys
import tempfile
from pathlib import Path

from PySide6.QtCore import QLockFile, QObject, Signal, Slot
from PySide6.QtNetwork import QLocalServer, QLocalSocket

from bridge.host.private_folder import make_private

_PATIENCE_MS = 3_000
_LOCK_FILE = "tray.lock"
_MAX_PATH = 80
"""Bytes; the system takes little more than a hundred, and Qt adds some while it makes the socket."""

log = logging.getLogger(__name__)


class SingleInstance(QObject):
    """`asked` tells that another start wants the window, with the name of a page or nothing."""

    asked = Signal(str)

    def __init__(self, folder: Path, parent: QObject | None = None) -> None:
        super().__init__(parent)
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._lock = QLockFile(str(folder / _LOCK_FILE))
        self._lock.setStaleLockTime(0)  # a lock is stale only when its process is gone
        self._name = socket_name(folder)
        self._talks: list[QLocalSocket] = []
        self._server = QLocalServer(self)
        self._server.setSocketOptions(QLocalServer.SocketOption.UserAccessOption)
        self._server.newConnection.connect(self._receive)

    def claim(self) -> bool:
        """Be the one; False when there is another."""
        if not self._lock.tryLock(0):
            return False
        QLocalServer.removeServer(self._name)  # of one that died
        if not self._server.listen(self._name):
            log.warning("a second start cannot call this window forward: %s", self._server.errorString())
        return True

    def ask_other(self, page: str = "") -> bool:
        """Have the other one show its window; False when it does not answer."""
        socket = QLocalSocket()
        socket.connectToServer(self._name)
        if not socket.waitForConnected(_PATIENCE_MS):
            return False
        socket.write(f"{page}\n".encode())
        is_sent = socket.waitForBytesWritten(_PATIENCE_MS)
        socket.disconnectFromServer()
        return is_sent

    def release(self) -> None:
        self._server.close()
        self._lock.unlock()

    @Slot()
    def _receive(self) -> None:
        talk = self._server.nextPendingConnection()
        self._talks.append(talk)
        talk.readyRead.connect(self._read)
        talk.disconnected.connect(self._read)
        self._read()

    @Slot()
    def _read(self) -> None:
        """Read what has come in, and let go of those who have gone."""
        for talk in list(self._talks):
            if talk.canReadLine():
                self.asked.emit(bytes(talk.readLine().data()).decode("utf-8", "replace").strip())
            if talk.state() == QLocalSocket.LocalSocketState.UnconnectedState:
                self._talks.remove(talk)
                talk.deleteLater()


def socket_name(folder: Path) -> str:
    """Return the place of the socket: in a folder that other users cannot get at, or they might take it before us."""
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
