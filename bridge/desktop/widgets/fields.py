"""Input fields: lists, numbers, sliders, switches. Without the focus they leave the mouse wheel to the page."""

from PySide6.QtCore import QEvent, QObject, QPoint, QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QCheckBox, QComboBox, QDoubleSpinBox, QSlider, QWidget

from bridge.desktop.widgets.theme import current

_CHOICE_LETTERS = 14
"""Width of a choice in letters; its list is as wide as the longest word."""


class _WheelFilter(QObject):
    """Passes wheel events of a field without the focus on, so that the page scrolls instead."""

    def eventFilter(self, field: QObject, event: QEvent) -> bool:  # noqa: N802 - Qt's name
        if event.type() == QEvent.Type.Wheel and isinstance(field, QWidget) and not field.hasFocus():
            event.ignore()
            return True
        return False


def ignore_wheel(field: QWidget) -> None:
    """Keep a field from changing, or taking the focus, while the page is scrolled over it."""
    field.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
    field.installEventFilter(_WheelFilter(field))


class Slider(QSlider):
    """A slider from left to right."""

    def __init__(self, lowest: int, highest: int) -> None:
        super().__init__(Qt.Orientation.Horizontal)
        ignore_wheel(self)
        self.setRange(lowest, highest)


class Choice(QComboBox):
    """A drop-down list with an arrow in the colour of its text."""

    def __init__(self) -> None:
        super().__init__()
        ignore_wheel(self)
        self.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.setMinimumContentsLength(_CHOICE_LETTERS)

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802 - Qt's name
        super().paintEvent(event)
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        chosen = current()
        painter.setPen(QPen(QColor(chosen.muted if self.isEnabled() else chosen.strong_line), 1.6))
        left, middle = self.width() - 20.0, self.height() / 2
        points = [QPointF(left, middle - 2), QPointF(left + 4, middle + 2.5), QPointF(left + 8, middle - 2)]
        painter.drawPolyline(points)


class Number(QDoubleSpinBox):
    """A number with its unit, whole where `decimals` is 0."""

    def __init__(self, lowest: float, highest: float, *, decimals: int, unit: str, width: int, name: str) -> None:
        super().__init__()
        ignore_wheel(self)
        self.setDecimals(decimals)
        self.setRange(lowest, highest)
        self.setSuffix(unit)
        self.setFixedWidth(width)
        self.setAccessibleName(name)
        self.lineEdit().setTextMargins(6, 0, 0, 0)


class Switch(QCheckBox):
    """A switch with its text beside it."""

    def sizeHint(self) -> QSize:  # noqa: N802 - Qt's name
        metrics = self.fontMetrics()
        return QSize(46 + metrics.horizontalAdvance(self.text()), max(24, metrics.height() + 6))

    def hitButton(self, _: QPoint) -> bool:  # noqa: N802 - Qt's name
        return True

    def paintEvent(self, _: QPaintEvent) -> None:  # noqa: N802 - Qt's name
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        chosen = current()
        top = (self.height() - 18) / 2
        track = QRectF(1, top, 32, 18)
        painter.setPen(QPen(QColor(chosen.accent if self.isChecked() or self.hasFocus() else chosen.strong_line), 1.4))
        painter.setBrush(QColor(chosen.accent if self.isChecked() else chosen.sunken))
        painter.drawRoundedRect(track, 9, 9)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(chosen.on_accent if self.isChecked() else chosen.muted))
        painter.drawEllipse(QPointF(24 if self.isChecked() else 10, top + 9), 5.5, 5.5)
        painter.setPen(QColor(chosen.text))
        words = QRectF(43, 0, self.width() - 43, self.height())
        painter.drawText(words, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, self.text())
