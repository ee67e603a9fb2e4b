"""The knobs of the Create page: length or strength, seed, takes, model, draft or full."""

import secrets

from PySide6.QtCore import QSignalBlocker, Qt
from PySide6.QtWidgets import QGridLayout, QLineEdit, QSlider, QWidget

from bridge.arguments import SECONDS
from bridge.desktop.pieces import Button, Choice, Number, Segments, label, row
from bridge.desktop.wish import HAS_STRENGTH, LENGTHS_S, MAX_CANDIDATES, SEEDS, Wish

_DEFAULT_MODEL = "As in Settings"


class Knobs(QWidget):
    """Reads and shows what a Wish holds beside its words and its clip."""

    def __init__(self) -> None:
        super().__init__()
        self._operation = "generate"
        self.seconds = Number(*LENGTHS_S, decimals=2, unit=" s", width=92, name="length in seconds")
        self.seconds.setValue(SECONDS)
        self.strength = QSlider(Qt.Orientation.Horizontal)
        self.strength.setRange(0, 100)
        self.strength.setValue(50)
        self.strength.setMinimumWidth(150)
        self.strength.setAccessibleName("strength")
        self.strength.setToolTip("0 keeps the clip as it is, 1 keeps only its length")
        self._strength_value = label("0.50", "strong")
        self._strength_value.setFixedWidth(40)
        self.strength.valueChanged.connect(lambda value: self._strength_value.setText(f"{value / 100:.2f}"))
        self.seed = QLineEdit("1")
        self.seed.setFixedWidth(108)
        self.seed.setToolTip("The same words with the same seed make the same sound")
        self.seed.setAccessibleName("seed")
        self.seed.editingFinished.connect(self._tidy_seed)
        self.dice = Button("", "dice", "quiet", "Another seed (Ctrl+R)")
        self.dice.setShortcut("Ctrl+R")
        self.dice.clicked.connect(self.roll)
        self.candidates = Number(1, MAX_CANDIDATES, decimals=0, unit="", width=64, name="takes")
        self.candidates.setToolTip("So many takes come back, the best match first")
        self.model = Choice()
        self.model.addItem(_DEFAULT_MODEL)
        self.model.setMinimumWidth(150)
        self.model.setAccessibleName("model")
        self.quality = Segments([("full", "Full"), ("draft", "Draft")], "quality")
        self.quality.button("draft").setToolTip("Few steps: rough, and several times as fast")
        self._lay_out()
        self.show_for("generate")

    def _lay_out(self) -> None:
        self._length_label, self._strength_label = label("&Length", "label"), label("Stren&gth", "label")
        self._length_label.setBuddy(self.seconds)
        self._strength_label.setBuddy(self.strength)
        self._strength_row = QWidget()
        self._strength_row.setLayout(row(self.strength, self._strength_value))
        seed_row = row(self.seed, self.dice, gap=2)
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(28)
        grid.setVerticalSpacing(5)
        labels = [("Se&ed", self.seed), ("&Takes", self.candidates), ("&Model", self.model), ("&Quality", None)]
        grid.addWidget(self._length_label, 0, 0)
        grid.addWidget(self._strength_label, 0, 0)
        grid.addWidget(self.seconds, 1, 0)
        grid.addWidget(self._strength_row, 1, 0)
        for index, (text, buddy) in enumerate(labels, 1):
            made = label(text, "label")
            if buddy is not None:
                made.setBuddy(buddy)
            else:
                made.setText(text.replace("&", ""))
            grid.addWidget(made, 0, index)
        grid.addLayout(seed_row, 1, 1)
        grid.addWidget(self.candidates, 1, 2)
        grid.addWidget(self.model, 1, 3)
        grid.addWidget(self.quality, 1, 4)
        grid.setColumnStretch(5, 1)
        for made in self.findChildren(type(self._length_label)):
            made.setTextFormat(Qt.TextFormat.AutoText)

    def show_for(self, operation: str) -> None:
        """Show the knobs that an operation has."""
        if operation != self._operation and operation in HAS_STRENGTH:
            self.strength.setValue(round(100 * HAS_STRENGTH[operation]))
        self._operation = operation
        has_length, has_strength = operation == "generate", operation in HAS_STRENGTH
        self._length_label.setVisible(has_length)
        self.seconds.setVisible(has_length)
        self._strength_label.setVisible(has_strength)
        self._strength_row.setVisible(has_strength)

    def show_models(self, names: tuple[str, ...]) -> None:
        chosen = self.model.currentText()
        with QSignalBlocker(self.model):
            self.model.clear()
            self.model.addItems([_DEFAULT_MODEL, *names])
            self.model.setCurrentText(chosen if chosen in names else _DEFAULT_MODEL)

    def roll(self) -> None:
        """Choose any seed."""
        self.seed.setText(str(secrets.randbelow(1_000_000)))

    def _tidy_seed(self) -> None:
        self.seed.setText(str(self._seed()))

    def _seed(self) -> int:
        text = self.seed.text().strip()
        return int(text) % SEEDS if text.isdecimal() else 1

    def read(self, wish: Wish) -> Wish:
        """Give the wish with what the knobs say."""
        model = self.model.currentText()
        return Wish(
            operation=wish.operation,
            prompt=wish.prompt,
            clip=wish.clip,
            part=wish.part,
            strength=self.strength.value() / 100,
            seconds=self.seconds.value(),
            seed=self._seed(),
            candidates=int(self.candidates.value()),
            model=None if model == _DEFAULT_MODEL else model,
            is_draft=self.quality.value == "draft",
        )

    def show_wish(self, wish: Wish) -> None:
        """Turn the knobs to what a wish says."""
        self.show_for(wish.operation)
        self.seconds.setValue(wish.seconds)
        self.strength.setValue(round(100 * wish.strength))
        self.seed.setText(str(wish.seed))
        self.candidates.setValue(wish.candidates)
        self.model.setCurrentText(wish.model or _DEFAULT_MODEL)
        self.quality.choose("draft" if wish.is_draft else "full")
