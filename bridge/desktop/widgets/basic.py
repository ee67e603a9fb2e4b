"""The small parts of every page: labels, buttons with drawn icons, cards, segments, banners, empty states."""

import re
from collections.abc import Sequence

from PySide6.QtCore import QEvent, QSize, Qt, QTimer, Signal
from PySide6.QtGui import QKeyEvent, QKeySequence, QPainter, QPaintEvent
from PySide6.QtWidgets import (
    QAbstractButton,
    QApplication,
    QButtonGroup,
    QFrame,
    QHBoxLayout,
    QLabel,
    QLayout,
    QProgressBar,
    QPushButton,
    QScrollArea,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from bridge.desktop.widgets.icons import draw, icon, icon_size
from bridge.desktop.widgets.theme import GAP, MARGIN, current

_BREAK = "\u200b"
_LONG_WORD = re.compile(r"\S{25,}")
_BREAKABLE = re.compile(r"[^\w\s]|_|\w{20}(?=\w)")
_PAGE_WIDTH = 940
"""Pixels; longer lines are hard to read, so a wider window gets wider margins."""


def label(text: str = "", role: str = "", *, wraps: bool = False) -> QLabel:
    """Make a label; `role` is one of the style sheet's."""
    made = Paragraph() if wraps else QLabel()
    made.setText(text)
    made.setProperty("role", role)
    made.setTextFormat(Qt.TextFormat.PlainText)
    if role.startswith("chip"):
        made.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
    return made


class Paragraph(QLabel):
    """Text in as many lines as it needs; a path wider than the window is broken after its separators."""

    def __init__(self) -> None:
        super().__init__()
        self.setWordWrap(True)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.NoContextMenu)

    def setText(self, text: str) -> None:  # noqa: N802 - Qt's name
        super().setText(_LONG_WORD.sub(lambda word: _BREAKABLE.sub(rf"\g<0>{_BREAK}", word[0]), text))

    def text(self) -> str:
        return super().text().replace(_BREAK, "")

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802 - Qt's name
        """Copy the selection without the line-break characters inserted here."""
        if event.matches(QKeySequence.StandardKey.Copy):
            QApplication.clipboard().setText(self.selectedText().replace(_BREAK, ""))
        else:
            super().keyPressEvent(event)


class NameLabel(QLabel):
    """One line that fills the available width, and shortens its text in the middle."""

    def __init__(self, role: str = "strong", text: str = "") -> None:
        super().__init__(text)
        self.setProperty("role", role)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)

    def paintEvent(self, _: QPaintEvent) -> None:  # noqa: N802 - Qt's name
        painter = QPainter(self)
        painter.setPen(self.palette().windowText().color())
        shown = self.fontMetrics().elidedText(self.text(), Qt.TextElideMode.ElideMiddle, self.width())
        painter.drawText(self.rect(), Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, shown)

    def minimumSizeHint(self) -> QSize:  # noqa: N802 - Qt's name
        return QSize(0, super().minimumSizeHint().height())


def elided(text: str, length: int = 80) -> str:
    """Shorten a text in its middle."""
    half = (length - 1) // 2
    return text if len(text) <= length else f"{text[:half]}…{text[-half:]}"


def set_role(widget: QWidget, role: str) -> None:
    """Change the role of a widget that is shown already; the widgets inside it take their colours from it."""
    if widget.property("role") != role:
        widget.setProperty("role", role)
        for one in (widget, *widget.findChildren(QWidget)):
            one.style().unpolish(one)
            one.style().polish(one)


def row(*items: QWidget | QLayout | int | None, gap: int = GAP) -> QHBoxLayout:
    """Lay widgets out side by side; a number is a fixed gap, None a gap that grows."""
    made = QHBoxLayout()
    _fill(made, items, gap)
    return made


def column(*items: QWidget | QLayout | int | None, gap: int = GAP) -> QVBoxLayout:
    """Lay widgets out one below the other."""
    made = QVBoxLayout()
    _fill(made, items, gap)
    return made


def _fill(made: QHBoxLayout | QVBoxLayout, items: Sequence[QWidget | QLayout | int | None], gap: int) -> None:
    made.setContentsMargins(0, 0, 0, 0)
    made.setSpacing(gap)
    for item in items:
        match item:
            case QWidget():
                made.addWidget(item)
            case QLayout():
                made.addLayout(item)
            case int():
                made.addSpacing(item)
            case None:
                made.addStretch(1)


class Button(QPushButton):
    """A push button whose icon is drawn in the colour of its text, in light and dark."""

    def __init__(self, text: str, picture: str = "", role: str = "", tip: str = "") -> None:
        super().__init__(f" {text}" if text and picture else text)
        self._picture = picture
        self.setProperty("role", role)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setIconSize(icon_size())
        if tip:
            self.setToolTip(tip)
        if not text and tip:
            self.setAccessibleName(tip)
        self._draw()

    def say(self, text: str) -> None:
        """Change the text, keeping its distance from the icon."""
        self.setText(f" {text}" if self._picture else text)

    def show_picture(self, picture: str) -> None:
        if picture != self._picture:
            self._picture = picture
            self._draw()

    def changeEvent(self, event: QEvent) -> None:  # noqa: N802 - Qt's name
        super().changeEvent(event)
        if event.type() == QEvent.Type.StyleChange:
            self._draw()

    def _draw(self) -> None:
        if not self._picture:
            return
        chosen, role = current(), self.property("role")
        colour = {"primary": chosen.on_accent, "play": chosen.on_accent, "nav": chosen.muted}.get(role, chosen.text)
        self.setIcon(icon(self._picture, colour, checked=chosen.accent if role == "nav" else None))


class Segments(QFrame):
    """One choice out of a few, side by side; the arrow keys move it."""

    chosen = Signal(str)

    def __init__(self, choices: Sequence[tuple[str, str]], name: str) -> None:
        super().__init__()
        self.setProperty("role", "segments")
        self.setAccessibleName(name)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self._group = QButtonGroup(self)
        self._buttons: dict[str, QAbstractButton] = {}
        layout = row(gap=2)
        layout.setContentsMargins(3, 3, 3, 3)
        for value, text in choices:
            button = Button(text, role="segment")
            button.setCheckable(True)
            self._group.addButton(button)
            self._buttons[value] = button
            layout.addWidget(button)
            button.clicked.connect(lambda _=False, value=value: self.chosen.emit(value))
        self.setLayout(layout)
        self.choose(choices[0][0])

    @property
    def value(self) -> str:
        return next(value for value, button in self._buttons.items() if button.isChecked())

    def choose(self, value: str) -> None:
        self._buttons[value].setChecked(True)

    def button(self, value: str) -> QAbstractButton:
        return self._buttons[value]


class Banner(QFrame):
    """An important sentence in colour; hidden while empty."""

    def __init__(self, role: str = "warning") -> None:
        super().__init__()
        self.setProperty("role", role)
        self.text = label(wraps=True)
        self.text.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        layout = row(self.text)
        layout.setContentsMargins(14, 9, 14, 9)
        self.setLayout(layout)
        self.hide()

    def say(self, text: str, role: str = "warning") -> None:
        """Show a sentence; hide the banner for an empty one."""
        set_role(self, role)
        self.text.setText(text)
        self.setVisible(bool(text))


def card(layout: QLayout, role: str = "card", padding: int = 18) -> QFrame:
    """Return a card with this layout."""
    made = QFrame()
    made.setProperty("role", role)
    layout.setContentsMargins(padding, padding - 2, padding, padding - 2)
    made.setLayout(layout)
    return made


def rule() -> QFrame:
    made = QFrame()
    made.setProperty("role", "rule")
    return made


class ProgressBar(QProgressBar):
    """A thin bar; `show_fraction` takes 0..1, and shows indefinite progress below 0."""

    def __init__(self) -> None:
        super().__init__()
        self.setTextVisible(False)
        self.setRange(0, 1000)

    def show_fraction(self, fraction: float) -> None:
        if fraction < 0:
            self.setRange(0, 0)
        else:
            self.setRange(0, 1000)
            self.setValue(round(1000 * fraction))


class EmptyState(QWidget):
    """What an empty page shows: a picture, a sentence, and the next step."""

    def __init__(self, picture: str, title: str, text: str, action: QPushButton | None = None) -> None:
        super().__init__()
        self._picture = picture
        self._image = QLabel()
        self._image.setAlignment(Qt.AlignmentFlag.AlignCenter)
        heading, sentence = label(title, "heading"), label(text, "muted", wraps=True)
        heading.setAlignment(Qt.AlignmentFlag.AlignCenter)
        sentence.setAlignment(Qt.AlignmentFlag.AlignCenter)
        sentence.setMaximumWidth(420)
        sentence.setMinimumWidth(420)
        layout = column(None, self._image, 6, heading, row(None, sentence, None))
        if action is not None:
            layout.addSpacing(GAP)
            layout.addLayout(row(None, action, None))
        layout.addStretch(2)
        self.setLayout(layout)
        self._draw()

    def changeEvent(self, event: QEvent) -> None:  # noqa: N802 - Qt's name
        super().changeEvent(event)
        if event.type() == QEvent.Type.StyleChange:
            self._draw()

    def _draw(self) -> None:
        self._image.setPixmap(draw(self._picture, current().strong_line, 52, self.devicePixelRatioF()))


def scrolled(widget: QWidget) -> QScrollArea:
    """Put a widget into a vertical scroll area."""
    area = QScrollArea()
    area.setObjectName("page")
    area.setWidgetResizable(True)
    area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
    area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    area.setWidget(widget)
    return area


class Page(QWidget):
    """A page of the window: title, subtitle, and a body that scrolls where it has to."""

    def __init__(self, title: str, subtitle: str, *, scrolls: bool = True) -> None:
        super().__init__()
        self.setObjectName("page")
        self.title = title
        self._area: QScrollArea | None = None
        self.buttons = row()
        self.body = column(gap=2 * GAP)
        head = column(label(title, "title"), label(subtitle, "muted", wraps=True), gap=3)
        inner = QWidget()
        inner.setObjectName("page")
        top = row(head, self.buttons)
        top.setStretch(0, 1)
        content = column(top, 8, self.body, gap=GAP)
        content.setStretch(2, 1)
        content.setContentsMargins(MARGIN, MARGIN - 4, MARGIN, MARGIN)
        inner.setLayout(content)
        outer = column(gap=0)
        if scrolls:
            inner.setMaximumWidth(_PAGE_WIDTH)
            self._area = scrolled(inner)
            outer.addWidget(self._area)
        else:
            outer.addWidget(inner)
        self.setLayout(outer)

    def bring_into_view(self, widget: QWidget) -> None:
        """Scroll to a widget of this page once it is laid out."""
        if self._area is not None:
            area = self._area
            QTimer.singleShot(0, area, lambda: area.ensureWidgetVisible(widget, 0, MARGIN))

    def on_shown(self) -> None:
        """Called when the page comes into view."""


def fill(widget: QWidget, layout: QLayout, *margins: int) -> QWidget:
    """Set a widget's layout; margins are left, top, right, bottom, and 0 if not given."""
    layout.setContentsMargins(*(margins or (0, 0, 0, 0)))
    widget.setLayout(layout)
    return widget


def take_last(layout: QLayout) -> QWidget | None:
    """Remove the last widget of a layout and delete it."""
    item = layout.takeAt(layout.count() - 1)
    widget = None if item is None else item.widget()
    if widget is not None:
        widget.hide()
        widget.deleteLater()
    return widget


def clear(layout: QLayout) -> None:
    """Remove everything from a layout."""
    while layout.count():
        take_last(layout)


def fit(window: QWidget, wanted: QSize) -> None:
    """Resize a window to the size it should have, or to what fits on the screen."""
    screen = window.screen() or QApplication.primaryScreen()
    window.resize(wanted.boundedTo(screen.availableSize() * 0.94))
