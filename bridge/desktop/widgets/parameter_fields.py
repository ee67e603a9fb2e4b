"""A field for each kind of parameter: label, limits, default and tooltip come from its row of the table."""

import math
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from PySide6.QtCore import QSignalBlocker, Qt, Signal
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import QFileDialog, QLineEdit, QWidget

from bridge.desktop.state.parameters import help_of
from bridge.desktop.state.render_form import drawn_seed
from bridge.desktop.widgets.basic import Button, column, fill, label
from bridge.desktop.widgets.basic import row as side_by_side
from bridge.desktop.widgets.fields import Choice, Number, Slider, Switch
from bridge.desktop.widgets.files_out import FILTER, dropped_clip
from bridge.operation_table import Row

AUTOMATIC = "automatic"
_LINE_HEIGHT = 34
"""Pixels of a line edit; what is less tall is centred beside one."""
_SHORT = 12
"""Characters of what an empty field may say; longer defaults are in its tooltip."""
_MNEMONICS = {"seconds": "l", "strength": "g", "seed": "e", "candidates": "t", "model": "m"}
"""Alt and this letter of the label goes to the field."""


class ParameterField(QWidget):
    """A parameter's label above its editor; `value` is None where nothing is set."""

    changed = Signal()

    def __init__(self, name: str, row: Row, editor: QWidget) -> None:
        super().__init__()
        self.name, self.row, self.editor = name, row, editor
        self._shown: Any = None
        self._reading: Any = None
        title = str(row["x-label"])
        self.heading = label(_with_mnemonic(name, title), "label")
        self.heading.setTextFormat(Qt.TextFormat.AutoText)
        self.heading.setBuddy(editor)
        editor.setAccessibleName(f"{title}, {row['x-unit']}" if row["x-unit"] else title)
        layout = column(self.heading, editor, gap=5)
        layout.setAlignment(editor, Qt.AlignmentFlag.AlignLeft)
        fill(self, layout)
        self.changed.connect(self._forget)

    @property
    def value(self) -> Any:
        """Return what the field says; a value that was shown comes back exactly until the field is edited."""
        reading = self._read()
        return self._shown if reading == self._reading else reading

    @property
    def is_set(self) -> bool:
        """Whether the value is another one than the table's default."""
        return self.value not in (None, "", self.row.get("default"))

    def show_value(self, value: Any) -> None:
        """Show a value, or the default for None."""
        self._shown = self.row.get("default") if value is None else value
        with QSignalBlocker(self):
            self._write(self._shown)
        self._reading = self._read()
        self.changed.emit()

    def show_row(self, row: Row) -> None:
        """Follow the row of another operation: where the default is another one, the field goes back to it."""
        is_other = row.get("default") != self.row.get("default")
        self.row = row
        self.setToolTip(help_of(row))
        if is_other:
            self.show_value(None)

    def _read(self) -> Any:
        raise NotImplementedError

    def _write(self, value: Any) -> None:
        raise NotImplementedError

    def _forget(self) -> None:
        """Drop the exact value that was shown once the editor says something else."""
        if self._read() != self._reading:
            self._shown, self._reading = None, object()


def _with_mnemonic(name: str, title: str) -> str:
    at = title.lower().find(_MNEMONICS.get(name, "-"))
    return title if at < 0 else f"{title[:at]}&{title[at:]}"


class NumberField(ParameterField):
    """A number that always has a value."""

    def __init__(self, name: str, row: Row) -> None:
        self._is_whole = row["type"] == "integer"
        box = Number(
            row["minimum"],
            row["maximum"],
            decimals=0 if self._is_whole else 2,
            unit=f" {row['x-unit']}" if row["x-unit"] else "",
            width=64 if self._is_whole else 92,
            name="",
        )
        super().__init__(name, row, box)
        self._box = box
        box.valueChanged.connect(self.changed)

    def _read(self) -> float | int:
        return int(self._box.value()) if self._is_whole else round(self._box.value(), 2)

    def _write(self, value: Any) -> None:
        self._box.setValue(value)


class SliderField(ParameterField):
    """A share from 0 to 1 that always has a value, in steps of a hundredth."""

    def __init__(self, name: str, row: Row) -> None:
        slider, shown = Slider(round(100 * row["minimum"]), round(100 * row["maximum"])), label("", "strong")
        slider.setMinimumWidth(150)
        shown.setFixedWidth(40)
        box = QWidget()
        box.setFixedHeight(_LINE_HEIGHT)
        box.setFocusProxy(slider)
        super().__init__(name, row, fill(box, side_by_side(slider, shown)))
        slider.setAccessibleName(str(row["x-label"]))
        self.slider = slider
        slider.valueChanged.connect(lambda value: shown.setText(f"{value / 100:.2f}"))
        slider.valueChanged.connect(self.changed)

    def _read(self) -> float:
        return self.slider.value() / 100

    def _write(self, value: Any) -> None:
        self.slider.setValue(round(100 * value))


class OptionalNumberField(ParameterField):
    """A number that may be left out: an empty field says what holds then."""

    def __init__(self, name: str, row: Row, *beside: QWidget) -> None:
        self._is_whole = row["type"] == "integer"
        line = QLineEdit()
        line.setFixedWidth(108)
        line.setPlaceholderText(_when_empty(row))
        box = QWidget()
        box.setFocusProxy(line)
        units = [label(row["x-unit"], "small")] if row["x-unit"] else []
        super().__init__(name, row, fill(box, side_by_side(line, *units, *beside, gap=2 if beside else 6)))
        line.setAccessibleName(self.editor.accessibleName())
        self.line = line
        line.textChanged.connect(self.changed)
        line.editingFinished.connect(self._tidy)

    def _read(self) -> float | int | None:
        try:
            number = float(self.line.text().strip().replace(",", "."))
        except ValueError:
            return None
        if math.isnan(number):
            return None
        number = min(max(number, float(self.row["minimum"])), float(self.row["maximum"]))
        return round(number) if self._is_whole else number

    def _write(self, value: Any) -> None:
        self.line.setText("" if value is None else f"{value:g}" if isinstance(value, float) else str(value))

    def _tidy(self) -> None:
        """Show what was understood: a number within the limits, or nothing."""
        self.show_value(self.value)


class SeedField(OptionalNumberField):
    """Empty for another seed with every sound, or the one that is kept."""

    def __init__(self, name: str, row: Row) -> None:
        self.dice = Button("", "dice", "quiet", "Draw a seed, and keep it (Ctrl+R)")
        self.keep = Button("", "lock", "quiet", "Keep the seed of the last sound; or draw another one each time")
        super().__init__(name, {**row, "default": None}, self.dice, self.keep)
        self.line.setPlaceholderText("random")
        self.last: int | None = None
        """The seed of the sound that was asked for last, which can be kept."""
        self.dice.setShortcut("Ctrl+R")
        self.dice.clicked.connect(self.roll)
        self.keep.setCheckable(True)
        self.keep.clicked.connect(self._keep)
        self.changed.connect(lambda: self.keep.setChecked(self.value is not None))

    def show_row(self, row: Row) -> None:
        super().show_row({**row, "default": None})

    def roll(self) -> None:
        """Draw a seed and keep it."""
        self.show_value(drawn_seed())

    def _keep(self, on: bool) -> None:
        self.show_value((drawn_seed() if self.last is None else self.last) if on else None)


class TextField(ParameterField):
    """Words of one line."""

    def __init__(self, name: str, row: Row) -> None:
        line = QLineEdit()
        line.setMaxLength(row.get("maxLength", 1_000))
        line.setFixedWidth(220)
        super().__init__(name, row, line)
        self.line = line
        line.textChanged.connect(self.changed)

    def _read(self) -> str | None:
        return self.line.text().strip() or None

    def _write(self, value: Any) -> None:
        self.line.setText(value or "")


class FileField(ParameterField):
    """An audio file, chosen, typed, or dropped on the field."""

    def __init__(self, name: str, row: Row) -> None:
        line = QLineEdit()
        line.setFixedWidth(220)
        line.setClearButtonEnabled(True)
        line.setPlaceholderText("none")
        choose = Button("Choose…", "folder")
        box = QWidget()
        box.setFocusProxy(line)
        super().__init__(name, row, fill(box, side_by_side(line, choose)))
        line.setAccessibleName(str(row["x-label"]))
        self.line = line
        self.setAcceptDrops(True)
        line.setAcceptDrops(False)  # a drop on the line would be its address as text
        choose.clicked.connect(self._choose)
        line.textChanged.connect(self.changed)

    def _read(self) -> str | None:
        text = self.line.text().strip()
        return os.path.abspath(os.path.expanduser(text)) if text else None

    def _write(self, value: Any) -> None:
        self.line.setText(value or "")

    def _choose(self) -> None:
        folder = str(Path(self.value).parent) if self.value else ""
        path, _ = QFileDialog.getOpenFileName(self, str(self.row["x-label"]), folder, FILTER)
        if path:
            self.show_value(path)

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:  # noqa: N802 - Qt's name
        if dropped_clip(event.mimeData()) is not None:
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:  # noqa: N802 - Qt's name
        path = dropped_clip(event.mimeData())
        if path is not None:
            event.acceptProposedAction()
            self.show_value(path)


class ChoiceField(ParameterField):
    """One of a few words, or none."""

    def __init__(self, name: str, row: Row, nothing: str = AUTOMATIC) -> None:
        choice = Choice()
        choice.setMinimumWidth(150)
        super().__init__(name, row, choice)
        self.choice, self._nothing = choice, nothing
        self.offer(tuple(row.get("enum", ())))
        choice.currentIndexChanged.connect(self.changed)

    def offer(self, words: tuple[str, ...]) -> None:
        """Show these words to choose from; what is chosen stays if it is one of them."""
        chosen = self._read()
        with QSignalBlocker(self.choice):
            self.choice.clear()
            self.choice.addItems([self._nothing, *words])
            self.choice.setCurrentText(chosen if chosen in words else self._nothing)

    def _read(self) -> str | None:
        return None if self.choice.currentIndex() <= 0 else self.choice.currentText()

    def _write(self, value: Any) -> None:
        if value and self.choice.findText(value) < 0:
            self.choice.addItem(value)  # of an earlier take: shown, so that nothing else is used silently
        self.choice.setCurrentText(value or self._nothing)


class ModelField(ChoiceField):
    """An installed model, or the one of the settings."""

    def __init__(self, name: str, row: Row) -> None:
        super().__init__(name, row, "As in Settings")


class SwitchField(ParameterField):
    """On or off."""

    def __init__(self, name: str, row: Row) -> None:
        switch = Switch()
        switch.setFixedHeight(_LINE_HEIGHT)
        super().__init__(name, row, switch)
        self.switch = switch
        switch.toggled.connect(self.changed)

    def _read(self) -> bool:
        return self.switch.isChecked()

    def _write(self, value: Any) -> None:
        self.switch.setChecked(bool(value))


def _when_empty(row: Row) -> str:
    """Say what holds without a value, in the room that a short field has."""
    text = str(row.get("x-default", ""))
    return text if 0 < len(text) <= _SHORT else AUTOMATIC


def field_for(name: str, row: Row) -> ParameterField:
    """Make the field of a parameter."""
    made = _kind_of(name, row)(name, row)
    made.show_row(made.row)
    made.show_value(None)
    return made


def _kind_of(name: str, row: Row) -> Callable[[str, Row], ParameterField]:
    if name in _OWN:
        return _OWN[name]
    if "enum" in row:
        return ChoiceField
    if row["type"] == "boolean":
        return SwitchField
    if row["type"] == "string":
        return FileField if row["x-kind"] == "path" else TextField
    if row["default"] is None:
        return OptionalNumberField
    return SliderField if (row["minimum"], row["maximum"]) == (0, 1) else NumberField


_OWN: dict[str, Callable[[str, Row], ParameterField]] = {"seed": SeedField, "model": ModelField}
"""Parameters whose field does more than its kind."""
