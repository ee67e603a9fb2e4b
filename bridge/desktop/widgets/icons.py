"""All icons, drawn by code: sharp at any size and in any colour. The tray icon shows the state of all jobs."""

from collections.abc import Callable

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QIcon, QPainter, QPainterPath, QPen, QPixmap

TRAY_SIZES = (16, 18, 20, 22, 24, 32, 44, 48, 64, 128)
_BARS = (0.34, 0.72, 1.0, 0.56, 0.28)
"""Heights of the bars of the logo."""
BRAND, QUIET, ERROR = "#e2581f", "#808080", "#e0332a"
"""For panels of any colour: each contrasts with white and with black by at least 3 to 1."""

GROUND = "#b83a17"
"""Background of the logo inside windows."""

Stroke = Callable[[QPainter], None]
"""Draws on a field of 24 by 24 with the current pen."""


def mark(size: int, colour: str, status: str = "idle", fraction: float = 0.0, ground: str | None = None) -> QPixmap:
    """Draw the logo, `size` pixels wide: bars; a ring that fills while working; a red dot for an error."""
    pixmap = QPixmap(size, size)
    pixmap.fill(Qt.GlobalColor.transparent)
    painter = QPainter(pixmap)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    if ground is not None:
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(ground))
        painter.drawRoundedRect(QRectF(0, 0, size, size), size * 0.22, size * 0.22)
    inner = size * (0.56 if status == "working" or ground is not None else 0.88)
    _draw_bars(painter, size, inner, QColor(colour))
    if status == "working":
        _draw_ring(painter, size, fraction, colour)
    elif status == "error":
        _draw_dot(painter, size)
    painter.end()
    return pixmap


def _draw_bars(painter: QPainter, size: int, inner: float, colour: QColor) -> None:
    """Draw five bars on whole pixels, so that they are sharp at 16 by 16."""
    pitch = max(2, round(inner / len(_BARS)))
    width = max(1, round(pitch * 0.6))
    left = (size - (pitch * (len(_BARS) - 1) + width)) // 2
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(colour)
    for index, height in enumerate(_BARS):
        tall = max(2, round(inner * height / 2) * 2)
        bar = QRectF(left + index * pitch, (size - tall) // 2, width, tall)
        painter.drawRoundedRect(bar, width / 2, width / 2)


def _draw_ring(painter: QPainter, size: int, fraction: float, colour: str) -> None:
    width = max(1.5, size / 11)
    field = QRectF(width / 2, width / 2, size - width, size - width)
    faint = QColor(colour)
    faint.setAlphaF(0.28)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.setPen(QPen(faint, width))
    painter.drawEllipse(field)
    pen = QPen(QColor(colour), width)
    pen.setCapStyle(Qt.PenCapStyle.RoundCap)
    painter.setPen(pen)
    painter.drawArc(field, 90 * 16, -round(360 * 16 * max(fraction, 0.04)))


def _draw_dot(painter: QPainter, size: int) -> None:
    """A dot in the corner, with a clear edge around it so that it stands out of the bars."""
    radius = max(3.0, size * 0.21)
    centre = QPointF(size - radius, size - radius)
    painter.setCompositionMode(QPainter.CompositionMode.CompositionMode_Clear)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(Qt.GlobalColor.black)
    painter.drawEllipse(centre, radius + max(1.0, size / 16), radius + max(1.0, size / 16))
    painter.setCompositionMode(QPainter.CompositionMode.CompositionMode_SourceOver)
    painter.setBrush(QColor(ERROR))
    painter.drawEllipse(centre, radius, radius)


def tray_icon(status: str, fraction: float, *, is_mask: bool = False) -> QIcon:
    """Draw the tray icon at all sizes that trays ask for, in colours that stand out of dark and of light panels.

    With `is_mask` the system colours it itself, as macOS does in its menu bar.
    """
    icon = QIcon()
    for size in TRAY_SIZES:
        icon.addPixmap(mark(size, QUIET if status == "error" else BRAND, status, fraction))
    icon.setIsMask(is_mask)
    return icon


def app_icon() -> QIcon:
    """Draw the icon of the window and of the desktop entry."""
    icon = QIcon()
    for size in (16, 24, 32, 48, 64, 128, 256):
        icon.addPixmap(mark(size, "#ffffff", ground=GROUND))
    return icon


def _line(painter: QPainter, *points: tuple[float, float]) -> None:
    painter.drawPolyline([QPointF(*point) for point in points])


def _play(painter: QPainter) -> None:
    path = QPainterPath(QPointF(8, 5.5))
    path.lineTo(19, 12)
    path.lineTo(8, 18.5)
    path.closeSubpath()
    painter.fillPath(path, painter.pen().color())


def _stop(painter: QPainter) -> None:
    painter.fillRect(QRectF(7, 7, 10, 10), painter.pen().color())


def _pause(painter: QPainter) -> None:
    for left in (8.5, 15.5):
        _line(painter, (left, 6), (left, 18))


def _about(painter: QPainter) -> None:
    painter.drawEllipse(QRectF(3.5, 3.5, 17, 17))
    _line(painter, (12, 11), (12, 16.5))
    painter.drawEllipse(QPointF(12, 7.8), 0.5, 0.5)


def _create(painter: QPainter) -> None:
    for left, tall in ((4, 6), (8, 14), (12, 20), (16, 10), (20, 5)):
        _line(painter, (left, 12 - tall / 2), (left, 12 + tall / 2))


def _jobs(painter: QPainter) -> None:
    for top in (6, 12, 18):
        painter.drawEllipse(QPointF(4.5, top), 0.9, 0.9)
        _line(painter, (9, top), (20, top))


def _history(painter: QPainter) -> None:
    painter.drawArc(QRectF(4, 4, 16, 16), 150 * 16, -320 * 16)
    _line(painter, (4, 4), (4, 9), (9, 9))
    _line(painter, (12, 8), (12, 12.5), (15.5, 14.5))


def _models(painter: QPainter) -> None:
    _line(painter, (12, 3.5), (20, 7.5), (12, 11.5), (4, 7.5), (12, 3.5))
    _line(painter, (4, 12), (12, 16), (20, 12))
    _line(painter, (4, 16.5), (12, 20.5), (20, 16.5))


def _settings(painter: QPainter) -> None:
    for top, knob in ((6, 15), (12, 8), (18, 14)):
        _line(painter, (3.5, top), (knob - 2.5, top))
        _line(painter, (knob + 2.5, top), (20.5, top))
        painter.drawEllipse(QPointF(knob, top), 2.5, 2.5)


def _start(painter: QPainter) -> None:
    painter.drawEllipse(QRectF(3.5, 3.5, 17, 17))
    _line(painter, (8, 12.3), (11, 15.3), (16.3, 9))


def _folder(painter: QPainter) -> None:
    _line(painter, (3.5, 18.5), (3.5, 5.5), (9.5, 5.5), (11.5, 8), (20.5, 8), (20.5, 18.5), (3.5, 18.5))


def _drag(painter: QPainter) -> None:
    for left in (9, 15):
        for top in (6, 12, 18):
            painter.drawEllipse(QPointF(left, top), 0.9, 0.9)


def _dice(painter: QPainter) -> None:
    painter.drawRoundedRect(QRectF(4, 4, 16, 16), 3, 3)
    for left, top in ((8.5, 8.5), (15.5, 8.5), (12, 12), (8.5, 15.5), (15.5, 15.5)):
        painter.drawEllipse(QPointF(left, top), 0.7, 0.7)


def _lock(painter: QPainter) -> None:
    painter.drawRoundedRect(QRectF(5.5, 10.5, 13, 9.5), 2, 2)
    painter.drawArc(QRectF(8, 4, 8, 12), 0, 180 * 16)


def _again(painter: QPainter) -> None:
    painter.drawArc(QRectF(4.5, 4.5, 15, 15), 60 * 16, -300 * 16)
    _line(painter, (16, 1.8), (16.2, 6), (12, 6.4))


def _close(painter: QPainter) -> None:
    _line(painter, (6, 6), (18, 18))
    _line(painter, (18, 6), (6, 18))


def _down(painter: QPainter) -> None:
    _line(painter, (12, 4), (12, 15))
    _line(painter, (7, 10.5), (12, 15.5), (17, 10.5))
    _line(painter, (5, 20), (19, 20))


def _closed(painter: QPainter) -> None:
    _line(painter, (10, 7), (15, 12), (10, 17))


def _open(painter: QPainter) -> None:
    _line(painter, (7, 10), (12, 15), (17, 10))


def _live(painter: QPainter) -> None:
    for left in (4, 8, 12):
        _line(painter, (left, 6), (left, 18))
    for top in (6, 10, 14, 18):
        _line(painter, (15, top), (21, top))


def _device(painter: QPainter) -> None:
    painter.drawRoundedRect(QRectF(6, 6, 12, 12), 2, 2)
    for at in (9, 12, 15):
        _line(painter, (at, 3), (at, 6))
        _line(painter, (at, 18), (at, 21))
        _line(painter, (3, at), (6, at))
        _line(painter, (18, at), (21, at))


def _disk(painter: QPainter) -> None:
    painter.drawEllipse(QRectF(4, 4, 16, 6))
    _line(painter, (4, 7), (4, 17))
    _line(painter, (20, 7), (20, 17))
    painter.drawArc(QRectF(4, 14, 16, 6), 180 * 16, 180 * 16)


DRAWINGS: dict[str, Stroke] = {
    "play": _play,
    "stop": _stop,
    "pause": _pause,
    "about": _about,
    "create": _create,
    "jobs": _jobs,
    "history": _history,
    "models": _models,
    "settings": _settings,
    "start": _start,
    "folder": _folder,
    "drag": _drag,
    "dice": _dice,
    "lock": _lock,
    "again": _again,
    "close": _close,
    "down": _down,
    "closed": _closed,
    "open": _open,
    "live": _live,
    "device": _device,
    "disk": _disk,
}


def draw(name: str, colour: str, size: int = 18, ratio: float = 1.0) -> QPixmap:
    """Draw one icon, `size` points wide, for a screen with `ratio` pixels a point."""
    pixmap = QPixmap(round(size * ratio), round(size * ratio))
    pixmap.setDevicePixelRatio(ratio)
    pixmap.fill(Qt.GlobalColor.transparent)
    painter = QPainter(pixmap)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.scale(size / 24, size / 24)
    pen = QPen(QColor(colour), 1.8)
    pen.setCapStyle(Qt.PenCapStyle.RoundCap)
    pen.setJoinStyle(Qt.PenJoinStyle.RoundJoin)
    painter.setPen(pen)
    DRAWINGS[name](painter)
    painter.end()
    return pixmap


def icon(name: str, colour: str, size: int = 18, checked: str | None = None) -> QIcon:
    """Return an icon at one and two pixels a point; `checked` is its colour when its button is down."""
    made = QIcon()
    for ratio in (1.0, 2.0):
        made.addPixmap(draw(name, colour, size, ratio))
        if checked is not None:
            made.addPixmap(draw(name, checked, size, ratio), QIcon.Mode.Normal, QIcon.State.On)
    return made


def icon_size(size: int = 18) -> QSize:
    return QSize(size, size)
