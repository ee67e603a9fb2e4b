"""A drawn sound: waveform, and spectrum below it; a part can be marked, a position clicked, and a playhead moves."""

from typing import Literal

import numpy as np
from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QImage, QMouseEvent, QPainter, QPaintEvent, QPen, QPolygonF, qRgb
from PySide6.QtWidgets import QSizePolicy, QWidget

from bridge.desktop.state.sound_picture import Picture
from bridge.desktop.widgets.theme import Colours, current

Side = Literal["source", "result"]
_SHORTEST_MARK = 6
"""Pixels; a shorter drag is a click."""


class SoundView(QWidget):
    """Shows a picture; `marked` carries a part in seconds, `sought` a position."""

    marked = Signal(float, float)
    sought = Signal(float)

    def __init__(self, side: Side = "result", *, has_spectrum: bool = False, can_mark: bool = False) -> None:
        super().__init__()
        self._side = side
        self._has_spectrum = has_spectrum
        self._can_mark = can_mark
        self._picture: Picture | None = None
        self._message = ""
        self._mark: tuple[float, float] | None = None
        self._playhead_s: float | None = None
        self._pressed: float | None = None
        self._image: QImage | None = None
        self._image_is_dark: bool | None = None
        self.setMinimumHeight(150 if has_spectrum else 64)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setCursor(Qt.CursorShape.IBeamCursor if can_mark else Qt.CursorShape.PointingHandCursor)
        self.setAccessibleName("waveform and spectrum" if has_spectrum else "waveform")

    def sizeHint(self) -> QSize:  # noqa: N802 - Qt's name
        return QSize(320, 230 if self._has_spectrum else 84)

    @property
    def picture(self) -> Picture | None:
        return self._picture

    @property
    def mark(self) -> tuple[float, float] | None:
        return self._mark

    def show_picture(self, picture: Picture | None, message: str = "") -> None:
        """Draw a picture, or a message in its place."""
        self._picture, self._message, self._image = picture, message, None
        self._playhead_s = None
        self.update()

    def show_mark(self, part: tuple[float, float] | None) -> None:
        self._mark = part
        self.update()

    def show_playhead(self, position_s: float | None) -> None:
        if position_s != self._playhead_s:
            self._playhead_s = position_s
            self.update()

    # ---------------------------------------------------------------------------------------------- drawing

    def paintEvent(self, _: QPaintEvent) -> None:  # noqa: N802 - Qt's name
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        chosen = current()
        field = QRectF(self.rect())
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(chosen.sunken))
        painter.drawRoundedRect(field, 7, 7)
        if self._picture is None:
            painter.setPen(QColor(chosen.muted))
            painter.drawText(field, Qt.AlignmentFlag.AlignCenter, self._message)
            return
        wave = QRectF(field)
        if self._has_spectrum:
            wave.setHeight(round(field.height() * 0.42))
            self._draw_spectrum(painter, field.adjusted(0, wave.height(), 0, 0), chosen)
        self._draw_mark(painter, field, chosen)
        self._draw_wave(painter, wave, self._picture, QColor(self._colour(chosen)), chosen)
        self._draw_playhead(painter, field, chosen)

    def _colour(self, chosen: Colours) -> str:
        return chosen.source if self._side == "source" else chosen.accent

    def _draw_wave(self, painter: QPainter, field: QRectF, picture: Picture, colour: QColor, chosen: Colours) -> None:
        middle, reach = field.center().y(), field.height() / 2 - 4
        painter.setPen(QPen(QColor(chosen.line), 1))
        painter.drawLine(QPointF(field.left(), middle), QPointF(field.right(), middle))
        across = np.linspace(field.left() + 1, field.right() - 1, len(picture.peaks))
        peaks = np.clip(picture.peaks, -1, 1)
        thick = 0.5  # so that silence stays visible as a line
        upper = [QPointF(x, middle - peak * reach - thick) for x, peak in zip(across, peaks[:, 1], strict=True)]
        lower = [QPointF(x, middle - peak * reach + thick) for x, peak in zip(across, peaks[:, 0], strict=True)]
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(colour)
        painter.drawPolygon(QPolygonF([*upper, *reversed(lower)]))

    def _draw_spectrum(self, painter: QPainter, field: QRectF, chosen: Colours) -> None:
        is_dark = QColor(chosen.ground).lightness() < 128
        if self._image is None or self._image_is_dark != is_dark:
            self._image, self._image_is_dark = self._paint_spectrum(chosen), is_dark
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        painter.drawImage(field, self._image)
        painter.setPen(QColor(chosen.muted))
        font = painter.font()
        font.setPointSizeF(font.pointSizeF() * 0.78)
        painter.setFont(font)
        for hertz, text in ((10_000, "10 k"), (1_000, "1 k"), (100, "100")):
            level = np.log(20_000 / hertz) / np.log(20_000 / 40)
            top = field.top() + level * field.height()
            painter.drawText(QPointF(field.left() + 6, top + 4), text)

    def _paint_spectrum(self, chosen: Colours) -> QImage:
        assert self._picture is not None
        levels = np.ascontiguousarray(self._picture.spectrum)
        rows, columns = levels.shape
        image = QImage(levels.data, columns, rows, columns, QImage.Format.Format_Indexed8).copy()
        image.setColorTable(_colour_table(chosen.sunken, self._colour(chosen), chosen.text))
        return image

    def _draw_mark(self, painter: QPainter, field: QRectF, chosen: Colours) -> None:
        if self._mark is None or self._picture is None:
            return
        left, right = (self._x_of(second) for second in self._mark)
        wash = QColor(chosen.accent)
        wash.setAlphaF(0.20)
        painter.fillRect(QRectF(left, field.top(), right - left, field.height()), wash)
        painter.setPen(QPen(QColor(chosen.accent), 1.5))
        for at in (left, right):
            painter.drawLine(QPointF(at, field.top()), QPointF(at, field.bottom()))

    def _draw_playhead(self, painter: QPainter, field: QRectF, chosen: Colours) -> None:
        if self._playhead_s is None:
            return
        at = self._x_of(self._playhead_s)
        painter.setPen(QPen(QColor(chosen.text), 1.5))
        painter.drawLine(QPointF(at, field.top()), QPointF(at, field.bottom()))

    # ------------------------------------------------------------------------------------------------ mouse

    def _x_of(self, second: float) -> float:
        seconds = self._picture.seconds if self._picture else 1.0
        return self.width() * min(max(second / max(seconds, 1e-6), 0.0), 1.0)

    def _second_at(self, x: float) -> float:
        seconds = self._picture.seconds if self._picture else 0.0
        return seconds * min(max(x / max(self.width(), 1), 0.0), 1.0)

    def mousePressEvent(self, event: QMouseEvent) -> None:  # noqa: N802 - Qt's name
        if event.button() == Qt.MouseButton.LeftButton and self._picture is not None:
            self._pressed = event.position().x()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:  # noqa: N802 - Qt's name
        if self._pressed is None or not self._can_mark:
            return
        if abs(event.position().x() - self._pressed) >= _SHORTEST_MARK:
            self._mark = self._span(event.position().x())
            self.update()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:  # noqa: N802 - Qt's name
        if self._pressed is None:
            return
        if self._can_mark and abs(event.position().x() - self._pressed) >= _SHORTEST_MARK:
            self._mark = self._span(event.position().x())
            self.marked.emit(*self._mark)
        else:
            self.sought.emit(self._second_at(event.position().x()))
        self._pressed = None
        self.update()

    def _span(self, x: float) -> tuple[float, float]:
        first, second = sorted((self._pressed or 0.0, x))
        return round(self._second_at(first), 3), round(self._second_at(second), 3)


def _colour_table(*stops: str) -> list[int]:
    """Blend 256 colours from quiet to loud."""
    rgb = np.array([[colour.red(), colour.green(), colour.blue()] for colour in map(QColor, stops)], np.float64)
    places = np.linspace(0, len(stops) - 1, 256)
    channels = [np.interp(places, np.arange(len(stops)), rgb[:, channel]) for channel in range(3)]
    return [qRgb(*map(int, levels)) for levels in zip(*channels, strict=True)]
