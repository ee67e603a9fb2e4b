"""The parameters of the Create page: length or strength, seed, takes, model, draft or full."""

from PySide6.QtCore import QSignalBlocker, Qt
from PySide6.QtWidgets import QLineEdit, QWidget

from bridge.desktop.state.render_form import (
    HAS_STRENGTH,
    LENGTHS_S,
    MAX_CANDIDATES,
    SECONDS,
    RenderForm,
    drawn_seed,
)
from bridge.desktop.widgets.basic import Button, Segments, column, fill, label, row
from bridge.desktop.widgets.fields import Choice, Number, Slider
from bridge.desktop.widgets.flow_layout import FlowLayout
from bridge.operation_table import SEEDS

_DEFAULT_MODEL = "As in Settings"


class ParameterPanel(QWidget):
    """Reads and shows what a RenderForm holds beside its words and its clip."""

    def __init__(self) -> None:
        super().__init__()
        self._operation = "generate"
        self.seconds = Number(*LENGTHS_S, decimals=2, unit=" s", width=92, name="length in seconds")
        self.seconds.setValue(SECONDS)
        self.strength = Slider(0, 100)
        self.strength.setValue(round(100 * HAS_STRENGTH["restyle"]))
        self.strength.setMinimumWidth(150)
        self.strength.setAccessibleName("strength")
        self.strength.setToolTip("0 keeps the clip as it is, 1 keeps only its length")
        self._strength_value = label("0.50", "strong")
        self._strength_value.setFixedWidth(40)
        self.strength.valueChanged.connect(lambda value: self._strength_value.setText(f"{value / 100:.2f}"))
        self._last_seed: int | None = None
        self._make_seed()
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

    def _make_seed(self) -> None:
        """Make the field that is empty for another seed with every sound, or holds the one that is kept."""
        self.seed = QLineEdit()
        self.keep = Button("", "lock", "quiet", "Keep the seed of the last sound; or draw another one each time")
        self.keep.setCheckable(True)
        self.keep.clicked.connect(self._keep_seed)
        self.seed.setPlaceholderText("random")
        self.seed.setFixedWidth(108)
        self.seed.setToolTip("The same words with the same seed make the same sound; empty draws another one each time")
        self.seed.setAccessibleName("seed")
        self.seed.editingFinished.connect(self._tidy_seed)
        self.seed.textChanged.connect(lambda text: self.keep.setChecked(bool(text.strip())))
        self.dice = Button("", "dice", "quiet", "Draw a seed, and keep it (Ctrl+R)")
        self.dice.setShortcut("Ctrl+R")
        self.dice.clicked.connect(self.roll)

    def _lay_out(self) -> None:
        self._strength_box = fill(QWidget(), row(self.strength, self._strength_value))
        self._strength_box.setFocusProxy(self.strength)
        seed = fill(QWidget(), row(self.seed, self.dice, self.keep, gap=2))
        seed.setFocusProxy(self.seed)
        self._length = _knob("&Length", self.seconds)
        self._strength = _knob("Stren&gth", self._strength_box)
        others = (_knob("Se&ed", seed), _knob("&Takes", self.candidates), _knob("&Model", self.model))
        quality = _knob("Quality", self.quality)
        self.setLayout(FlowLayout(self._length, self._strength, *others, quality, gap=28, line_gap=12))

    def show_for(self, operation: str) -> None:
        """Show the parameters that an operation has."""
        if operation != self._operation and operation in HAS_STRENGTH:
            self.strength.setValue(round(100 * HAS_STRENGTH[operation]))
        self._operation = operation
        has_length, has_strength = operation == "generate", operation in HAS_STRENGTH
        self._length.setVisible(has_length)
        self._strength.setVisible(has_strength)

    def show_models(self, names: tuple[str, ...]) -> None:
        chosen = self.model.currentText()
        with QSignalBlocker(self.model):
            self.model.clear()
            self.model.addItems([_DEFAULT_MODEL, *names])
            self.model.setCurrentText(chosen if chosen in names else _DEFAULT_MODEL)

    def roll(self) -> None:
        """Draw a seed and keep it."""
        self.seed.setText(str(drawn_seed()))

    def note_seed(self, seed: int) -> None:
        """Remember the seed of the sound that was just asked for, so that it can be kept."""
        self._last_seed = seed

    def _keep_seed(self, on: bool) -> None:
        if on:
            self.seed.setText(str(drawn_seed() if self._last_seed is None else self._last_seed))
        else:
            self.seed.clear()

    def _tidy_seed(self) -> None:
        seed = self._seed()
        self.seed.setText("" if seed is None else str(seed))

    def _seed(self) -> int | None:
        text = self.seed.text().strip()
        return int(text) % SEEDS if text.isdecimal() else None

    def read(self, form: RenderForm) -> RenderForm:
        """Give the form with what the parameters say."""
        model = self.model.currentText()
        return RenderForm(
            operation=form.operation,
            prompt=form.prompt,
            clip=form.clip,
            part=form.part,
            strength=self.strength.value() / 100,
            seconds=self.seconds.value(),
            seed=self._seed(),
            candidates=int(self.candidates.value()),
            model=None if model == _DEFAULT_MODEL else model,
            is_draft=self.quality.value == "draft",
        )

    def show_form(self, form: RenderForm) -> None:
        """Turn the parameters to what a form says."""
        self.show_for(form.operation)
        self.seconds.setValue(form.seconds)
        self.strength.setValue(round(100 * form.strength))
        self.seed.setText("" if form.seed is None else str(form.seed))
        self.candidates.setValue(form.candidates)
        self.model.setCurrentText(form.model or _DEFAULT_MODEL)
        self.quality.choose("draft" if form.is_draft else "full")


def _knob(name: str, field: QWidget) -> QWidget:
    """Put a field under its name; Alt and the letter after & goes to it."""
    made, head = QWidget(), label(name, "label")
    if "&" in name:
        head.setBuddy(field)
    head.setTextFormat(Qt.TextFormat.AutoText)
    layout = column(head, field, gap=5)
    layout.setAlignment(field, Qt.AlignmentFlag.AlignLeft)
    layout.setContentsMargins(0, 0, 0, 0)
    made.setLayout(layout)
    return made
