"""The form as it runs is what the table of operations says: its fields, labels, defaults, limits and help."""

import subprocess
import sys
from dataclasses import replace
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLineEdit

from bridge.desktop.pages.create import CreatePage
from bridge.desktop.state.parameters import ON_THE_PAGE
from bridge.desktop.state.render_form import form_of
from bridge.desktop.widgets.parameter_fields import NumberField, OptionalNumberField, ParameterField, SliderField
from bridge.desktop.widgets.parameter_panel import ParameterPanel
from bridge.operation_table import JOB_ROWS, OPERATIONS
from bridge.wire.messages import Generate, Inpaint, RenderRequest, Restyle, Upscale, Vary

ROWS = {
    (operation, name): row
    for operation, it in OPERATIONS.items()
    for name, row in (it["properties"] | JOB_ROWS).items()
    if "window" in row["x-surfaces"]
}
FIELDS = {key: row for key, row in ROWS.items() if key[1] not in ON_THE_PAGE}
BOUNDED = {key: row for key, row in FIELDS.items() if "maximum" in row}


@pytest.fixture
def panel(qt: object) -> ParameterPanel:  # noqa: ARG001 - the application has to be there
    return ParameterPanel()


def shown(panel: ParameterPanel, operation: str, name: str) -> ParameterField:
    panel.show_for(operation)
    return panel.fields[name]


@pytest.mark.parametrize("operation", OPERATIONS)
def test_every_row_has_a_field_and_no_field_is_without_a_row(panel: ParameterPanel, operation: str) -> None:
    panel.show_for(operation)
    visible = {name for name, field in panel.fields.items() if not field.isHidden()}

    assert visible == {name for of, name in FIELDS if of == operation}


@pytest.mark.parametrize(("operation", "name"), FIELDS, ids="-".join)
def test_a_field_says_what_its_row_says(panel: ParameterPanel, operation: str, name: str) -> None:
    field, row = shown(panel, operation, name), FIELDS[operation, name]

    assert field.heading.text().replace("&", "") == row["x-label"]
    assert row["description"][1:] in field.toolTip()


@pytest.mark.parametrize(("operation", "name"), FIELDS, ids="-".join)
def test_a_field_begins_with_the_default_of_its_row(panel: ParameterPanel, operation: str, name: str) -> None:
    field, row = shown(panel, operation, name), FIELDS[operation, name]
    default = None if "window" in row.get("x-own-defaults", {}) else row["default"]

    assert field.value == default
    assert not field.is_set


@pytest.mark.parametrize(("operation", "name"), BOUNDED, ids="-".join)
def test_a_field_goes_to_the_limits_of_its_row_and_no_further(panel: ParameterPanel, operation: str, name: str) -> None:
    field, row = shown(panel, operation, name), BOUNDED[operation, name]
    found = [typed(field, number) for number in (row["minimum"], row["maximum"], -1e12, 1e12)]

    assert found == [row["minimum"], row["maximum"], row["minimum"], row["maximum"]]


def typed(field: ParameterField, number: float) -> Any:
    """Set a number as a user would, and return what the field makes of it."""
    match field:
        case NumberField():
            field.editor.setValue(number)  # type: ignore[attr-defined]
        case SliderField():
            field.slider.setValue(round(min(max(100 * number, -1e6), 1e6)))
        case OptionalNumberField():
            field.line.setText(f"{number:.15g}")
            field.line.editingFinished.emit()
    return field.value


@pytest.mark.parametrize("name", ["sampler"])
def test_a_choice_offers_what_its_row_allows(panel: ParameterPanel, name: str) -> None:
    choice = panel.fields[name].choice  # type: ignore[attr-defined]

    assert [choice.itemText(at) for at in range(1, choice.count())] == ROWS["generate", name]["enum"]


def test_words_are_no_longer_than_their_row_allows(panel: ParameterPanel, page: CreatePage) -> None:
    limits = {page.prompt.maxLength(), panel.fields["negative"].findChild(QLineEdit).maxLength()}

    assert limits == {ROWS["generate", "prompt"]["maxLength"]}


def test_the_label_of_every_operation_is_the_tables(page: CreatePage) -> None:
    labels = {name: page.operation.button(name).text() for name in OPERATIONS}

    assert labels == {name: operation["label"] for name, operation in OPERATIONS.items()}


class TestMore:
    def test_says_how_much_is_set_out_of_sight_and_takes_it_back(self, panel: ParameterPanel) -> None:
        panel.show_for("restyle")
        panel.fields["structure"].show_value(0.25)
        panel.fields["sampler"].show_value("ddim")
        assert panel.more_button.text().strip() == "More (2 set)"
        panel.reset_more()

        assert panel.more_button.text().strip() == "More"
        assert "structure" not in panel.values()

    def test_lets_the_weight_of_a_sound_wait_for_the_sound(self, panel: ParameterPanel) -> None:
        assert not panel.fields["like_weight"].isEnabled()
        panel.fields["like"].show_value("/rain.wav")

        assert panel.fields["like_weight"].isEnabled()

    def test_lets_what_to_follow_wait_for_the_clip(self, panel: ParameterPanel) -> None:
        assert not panel.fields["follow_what"].isEnabled()
        panel.fields["follow"].show_value("/hum.wav")

        assert panel.fields["follow_what"].isEnabled()

    def test_what_is_no_number_is_taken_out_of_its_field(self, panel: ParameterPanel) -> None:
        line = panel.fields["guidance"].line  # type: ignore[attr-defined]
        for words in ("a lot", "nan", "3,5"):
            line.setText(words)
            line.editingFinished.emit()

        assert line.text() == "3.5"


@pytest.fixture
def page(window: Any) -> CreatePage:
    window.show_page("create")
    found: CreatePage = window.create_page
    return found


SHARED = {
    "job": "a",
    "prompt": "rain",
    "like": "/like.wav",
    "like_weight": 0.123,
    "seed": 4_294_967_295,
    "candidates": 3,
    "negative": "hum",
    "steps": 6,
    "guidance": 4.56,
    "sampler": "ddim",
    "model": "one-that-is-gone",
}
EARLIER = [
    Generate(**SHARED, seconds=5.125, tries=2, width=0.375, follow="/hum.wav", follow_what="brightness,pitch"),
    Restyle(**SHARED, clip="/c.wav", strength=0.333, structure=0.0, start_s=0.25, end_s=1.5, keep_air=True),
    Inpaint(**SHARED, clip="/c.wav", start_s=1.0, end_s=2.5, low_hz=123.4, high_hz=4567.8),
    Vary(**SHARED, clip="/c.wav", strength=0.015, draft=True),
    Upscale(**SHARED, clip="/c.wav", cutoff_hz=4321.0, output_rate=96_000),
]


@pytest.mark.parametrize("earlier", EARLIER, ids=lambda request: request.address.rpartition("/")[2])
def test_an_earlier_take_comes_back_whole(page: CreatePage, earlier: RenderRequest) -> None:
    """Also what no step of a slider is, and a model that is not installed any more."""
    page.show_request(earlier)
    again = replace(page.form.request("a"), client=None)

    assert again == earlier
    assert page.form == form_of(earlier) or page.form.request("a") == form_of(earlier).request("a")


def test_a_slider_that_is_moved_says_where_it_is(page: CreatePage) -> None:
    page.show_request(EARLIER[1])
    slider = page.parameters.fields["strength"].slider  # type: ignore[attr-defined]
    slider.setValue(80)
    slider.setFocus(Qt.FocusReason.OtherFocusReason)

    assert page.form["strength"] == 0.8


def test_what_has_no_field_is_named(page: CreatePage) -> None:
    request = Inpaint(job="a", clip="/c.wav", prompt="x", start_s=1.0, end_s=2.0, region=((3.0, 4.0),))
    page.show_request(request)

    assert page.banner.text.text() == "This page has no field for what the take also had: further regions."


def test_the_window_opens_without_pydantic_and_without_the_nets() -> None:
    """It reads the written table: importing the models of requests would keep people waiting."""
    words = "import sys, bridge.desktop.app; sys.exit(', '.join({'pydantic', 'torch'} & set(sys.modules)) or 0)"
    done = subprocess.run([sys.executable, "-c", words], capture_output=True, text=True, check=False, timeout=120)

    assert (done.returncode, done.stderr) == (0, "")
