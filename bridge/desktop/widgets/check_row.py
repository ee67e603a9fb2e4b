"""One check of the first run: what is checked, the finding, and a button."""

from PySide6.QtCore import QEvent
from PySide6.QtWidgets import QFrame, QLabel, QPushButton

from bridge.desktop.widgets.basic import ProgressBar, card, column, fill, label, row
from bridge.desktop.widgets.icons import draw
from bridge.desktop.widgets.theme import current


class CheckRow(QFrame):
    """A picture, a title, a finding; its state is waiting, good or bad."""

    def __init__(self, picture: str, title: str, text: str, *buttons: QPushButton) -> None:
        super().__init__()
        self._picture, self.status = picture, "waiting"
        self._image = QLabel()
        self._image.setFixedWidth(44)
        self.title, self.text = label(title, "strong"), label(text, "muted", wraps=True)
        self.progress = ProgressBar()
        self.progress.hide()
        left = column(self.title, self.text, self.progress, gap=4)
        box = row(self._image, left, *buttons, gap=12)
        box.setStretch(1, 1)
        fill(self, column(card(box, padding=16)))
        self._draw()

    def say(self, text: str, status: str = "waiting") -> None:
        """Show the finding."""
        self.status = status
        self.text.setText(text)
        self._draw()

    def changeEvent(self, event: QEvent) -> None:  # noqa: N802 - Qt's name
        super().changeEvent(event)
        if event.type() == QEvent.Type.StyleChange:
            self._draw()

    def _draw(self) -> None:
        chosen = current()
        colour = {"good": chosen.good, "bad": chosen.bad}.get(self.status, chosen.muted)
        picture = "start" if self.status == "good" else self._picture
        self._image.setPixmap(draw(picture, colour, 26, self.devicePixelRatioF()))
