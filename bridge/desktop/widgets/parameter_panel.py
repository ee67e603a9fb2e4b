"""The parameters of the Create page: a few at first sight, all others behind *More*; each is a row of the table."""

from PySide6.QtWidgets import QWidget

from bridge.desktop.state.parameters import FIRST_SIGHT, TITLES, parameters_of
from bridge.desktop.state.render_form import BELONGS_TO, RenderForm
from bridge.desktop.widgets.basic import Button, column, row
from bridge.desktop.widgets.flow_layout import FlowLayout
from bridge.desktop.widgets.parameter_fields import ModelField, ParameterField, SeedField, field_for

_GAP, _LINE_GAP = 28, 12


class ParameterPanel(QWidget):
    """Reads and shows what a RenderForm holds beside its words and its clip; `fields` are by name."""

    def __init__(self) -> None:
        super().__init__()
        self._operation = "generate"
        rows = {name: it for operation in TITLES for name, it in parameters_of(operation).items()}
        first = [name for name in FIRST_SIGHT if name in rows]
        self.fields: dict[str, ParameterField] = {name: field_for(name, rows[name]) for name in first}
        self.more_button = Button("More", "closed", "disclosure", "More ways to shape the sound, none of them needed")
        self.more_button.setCheckable(True)
        self.more_button.toggled.connect(self._show_more)
        self.reset_button = Button("Reset", role="quiet", tip="Set everything here back to its default")
        self.reset_button.clicked.connect(self.reset_more)
        others = [name for name in rows if name not in first]
        self._others = sorted(others, key=lambda name: all(name in parameters_of(operation) for operation in TITLES))
        """What only some operations have comes first: it is what one looks for here."""
        self.fields |= {name: field_for(name, rows[name]) for name in self._others}
        self._more = QWidget()
        self._more.setLayout(self._flow(self._others))
        self._more.hide()
        buttons = row(self.more_button, self.reset_button, None)
        self.setLayout(column(self._flow(first), buttons, self._more, gap=_LINE_GAP))
        for field in self.fields.values():
            field.changed.connect(self._follow)
        self.show_for("generate")

    def _flow(self, names: list[str]) -> FlowLayout:
        return FlowLayout(*(self.fields[name] for name in names), gap=_GAP, line_gap=_LINE_GAP)

    @property
    def seed(self) -> SeedField:
        field = self.fields["seed"]
        assert isinstance(field, SeedField)
        return field

    # --------------------------------------------------------------------------------------------- showing

    def show_for(self, operation: str) -> None:
        """Show the fields that an operation has."""
        self._operation = operation
        rows = parameters_of(operation)
        for name, field in self.fields.items():
            field.setVisible(name in rows)
            if name in rows:
                field.show_row(rows[name])
        self._follow()

    def show_models(self, names: tuple[str, ...]) -> None:
        field = self.fields["model"]
        assert isinstance(field, ModelField)
        field.offer(names)

    def show_form(self, form: RenderForm) -> None:
        """Set every field to what a form says."""
        self.show_for(form.operation)
        for name, field in self.fields.items():
            field.show_value(form.values.get(name))
        if self._num_set():
            self.more_button.setChecked(True)

    def reset_more(self) -> None:
        """Set every parameter that is not at first sight back to its default."""
        for name in self._others:
            self.fields[name].show_value(None)

    def _show_more(self, on: bool) -> None:
        self.more_button.show_picture("open" if on else "closed")
        self._more.setVisible(on)
        self._follow()

    def _follow(self) -> None:
        """Say how much is set out of sight, and let what belongs to a sound wait for that sound."""
        num_set = self._num_set()
        self.more_button.say(f"More ({num_set} set)" if num_set else "More")
        self.reset_button.setVisible(num_set > 0 and self.more_button.isChecked())
        for name, sound in BELONGS_TO.items():
            self.fields[name].setEnabled(self.fields[sound].value is not None)

    def _num_set(self) -> int:
        rows = parameters_of(self._operation)
        return sum(name in rows and self.fields[name].is_set for name in self._others)

    # --------------------------------------------------------------------------------------------- reading

    def values(self) -> dict[str, object]:
        """Return what the fields of the operation say, by the parameters' names on the wire."""
        said = {name: self.fields[name].value for name in parameters_of(self._operation)}
        return {name: value for name, value in said.items() if value is not None}
