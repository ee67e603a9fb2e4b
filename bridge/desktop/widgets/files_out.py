"""Files leaving the window: dragged into a DAW, or shown in the file manager."""

import sys
from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import QMimeData, QPoint, QProcess, Qt, QUrl
from PySide6.QtDBus import QDBusConnection, QDBusMessage
from PySide6.QtGui import QDesktopServices, QDrag, QMouseEvent, QPixmap
from PySide6.QtWidgets import QApplication, QLabel, QSizePolicy, QWidget

from bridge.desktop.widgets.icons import draw
from bridge.desktop.widgets.theme import current

AUDIO_SUFFIXES = (".wav", ".aif", ".aiff", ".flac", ".ogg", ".mp3")
FILTER = "Audio (*.wav *.aif *.aiff *.flac *.ogg *.mp3)"


def mime_of(paths: Sequence[str | Path]) -> QMimeData:
    """Return files as every DAW accepts them from a drop: a text/uri-list of local files."""
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
    return data


def dropped_clip(data: QMimeData) -> str | None:
    """Return the first audio file of a drop, or None."""
    for url in data.urls():
        path = url.toLocalFile()
        if path and Path(path).suffix.lower() in AUDIO_SUFFIXES:
            return path
    return None


def make_drag(widget: QWidget, path: str | Path, picture: QPixmap | None = None) -> QDrag:
    """Return the drag of a file; the file is only copied, so that no program moves it away."""
    drag = QDrag(widget)
    drag.setMimeData(mime_of([path]))
    if picture is not None:
        drag.setPixmap(picture)
        drag.setHotSpot(QPoint(12, picture.height() // 2))
    return drag


class DragHandle(QLabel):
    """A handle to drag a file by."""

    def __init__(self, path: str = "", text: str = "Drag to your DAW") -> None:
        super().__init__()
        self.path = path
        self._pressed_at: QPoint | None = None
        self.setProperty("role", "handle")
        self.setText(f"⠿  {text}")
        self.setToolTip("Drag this into a track of your DAW, or into a folder, to copy the WAV there")
        self.setCursor(Qt.CursorShape.OpenHandCursor)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)

    def mousePressEvent(self, event: QMouseEvent) -> None:  # noqa: N802 - Qt's name
        if event.button() == Qt.MouseButton.LeftButton:
            self._pressed_at = event.position().toPoint()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:  # noqa: N802 - Qt's name
        if self._pressed_at is None or not self.path:
            return
        moved = (event.position().toPoint() - self._pressed_at).manhattanLength()
        if moved >= QApplication.startDragDistance():
            self._pressed_at = None
            self.begin_drag().exec(Qt.DropAction.CopyAction)

    def begin_drag(self) -> QDrag:
        """Return the drag that the mouse begins."""
        return make_drag(self, self.path, draw("create", current().accent, 32, self.devicePixelRatioF()))


def reveal(path: str | Path) -> None:
    """Show a file in the file manager; where that cannot select it, its folder."""
    if sys.platform == "win32":
        QProcess.startDetached("explorer", [f"/select,{path}"])
    elif sys.platform == "darwin":
        QProcess.startDetached("open", ["-R", str(path)])
    elif not _ask_file_manager(path):
        QDesktopServices.openUrl(QUrl.fromLocalFile(str(Path(path).parent)))


def _ask_file_manager(path: str | Path) -> bool:
    bus = QDBusConnection.sessionBus()
    name = "org.freedesktop.FileManager1"
    if not bus.isConnected() or not _is_offered(bus, name):
        return False
    message = QDBusMessage.createMethodCall(name, "/org/freedesktop/FileManager1", name, "ShowItems")
    message.setArguments([[QUrl.fromLocalFile(str(path)).toString()], ""])
    return bus.send(message)


def _is_offered(bus: QDBusConnection, name: str) -> bool:
    interface = bus.interface()
    return bool(interface.isServiceRegistered(name).value())


def open_path(path: str | Path) -> None:
    """Open a folder, or a file in its program."""
    QDesktopServices.openUrl(QUrl.fromLocalFile(str(path)))
