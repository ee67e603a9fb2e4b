"""Ardour's dialogs as they run: every field that the table gives them, with its label, default and limits."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from bridge.clients.build_request import request_from_fields
from tests.daw_scripts.ardour.ardour_dialogs import DAW_SCRIPTS, ArdourDialogs
from tests.daw_scripts.table_rows import NEW, OPERATIONS, add_new_field, fields_of, is_number, rows_of

SURFACE = "ardour"
ROWS = rows_of(SURFACE)
NUMBERS = [(operation, name) for operation, name in ROWS if is_number(fields_of(operation, SURFACE)[name])]
SHARED = ("model", "steps", "guidance", "sampler", "draft", "negative", "keep_air")
"""What all actions share is in the Settings."""
OWN = {"isRandom", "place"}
"""What only Ardour asks."""


@pytest.fixture
def ardour(tmp_path: Path) -> ArdourDialogs:
    return ArdourDialogs(tmp_path)


def action_of(operation: str, name: str) -> str:
    return "settings" if name in SHARED else operation


def shown(ardour: ArdourDialogs, action: str) -> dict[str, dict[str, Any]]:
    ardour.act(action, None)
    return ardour.dialogs[-1]


def outside(row: dict[str, Any]) -> tuple[float, float]:
    return row["minimum"] - 1, row["maximum"] + 1


@pytest.mark.parametrize(("operation", "name"), ROWS)
def test_shows_the_label_and_the_default_of_the_table(ardour: ArdourDialogs, operation: str, name: str) -> None:
    row, field = fields_of(operation, SURFACE)[name], shown(ardour, action_of(operation, name))[name]

    assert field["title"].partition(" (")[0] == row["x-label"]
    if "enum" in row:
        default = row["default"] or row["x-default"]
        assert (field["default"], field["values"]) == (default, sorted({*row["enum"], default}))
    elif row["x-kind"] == "path":  # the selected region's
        assert (field["type"], field["default"]) == ("checkbox", False)
    else:
        assert field["default"] == ("" if row.get("default") is None else row["default"])


@pytest.mark.parametrize(("operation", "name"), NUMBERS)
def test_takes_no_number_outside_the_limits_of_the_table(ardour: ArdourDialogs, operation: str, name: str) -> None:
    """A number field has the limits itself; a number that may be left out is a text, and a sentence says them."""
    row, action = fields_of(operation, SURFACE)[name], action_of(operation, name)
    field = shown(ardour, action)[name]
    if field["type"] != "entry":
        assert (field["min"], field["max"]) == (row["minimum"], row["maximum"])
        return
    words = {} if action == "settings" else {"prompt": "rain"}
    for number in outside(row):
        ardour.act(action, words | {name: f"{number:.10g}"})

    kind = "a whole number" if row["x-kind"] == "integer" else "a number"
    limits = f"{row['x-label']}: {kind} from {row['minimum']:.10g} to {row['maximum']:.10g} is needed"
    assert [text.partition(",")[0] for text in ardour.messages] == [limits, limits]
    assert ardour.requests == []


@pytest.mark.parametrize("action", [*OPERATIONS, "settings"])
def test_has_no_field_that_the_table_does_not_give_it(ardour: ArdourDialogs, action: str) -> None:
    expected = {name for operation, name in ROWS if action_of(operation, name) == action}

    assert set(shown(ardour, action)) == expected | (OWN if action != "settings" else set())


def test_a_new_row_of_the_table_is_a_new_field(tmp_path: Path) -> None:
    copy = shutil.copytree(DAW_SCRIPTS, tmp_path / "daw_scripts")
    add_new_field(copy / "shared" / "operations.json")
    (tmp_path / "song").mkdir()
    ardour = ArdourDialogs(tmp_path / "song", copy)
    ardour.act("restyle", {"prompt": "rain", NEW: 4.5})

    field = ardour.dialogs[0][NEW]
    assert (field["title"], field["default"]) == ("Sparkle (0 to 5 dB)", 2.5)
    assert (field["min"], field["max"]) == (0, 5)
    assert ardour.requests[0][NEW] == 4.5


def test_a_number_shows_all_digits_of_the_length(ardour: ArdourDialogs) -> None:
    field = shown(ardour, "generate")["seconds"]

    assert round(field["default"], field["digits"]) == field["default"]


def is_open(row: dict[str, Any]) -> bool:
    """Whether a field that was not touched is not sent: the choice is the engine's, or a switch is off."""
    return row.get("default") is None or row["default"] is False or row["default"] == ""


@pytest.mark.parametrize("operation", OPERATIONS)
def test_what_is_left_as_it_is_asks_for_the_tables_defaults(ardour: ArdourDialogs, operation: str) -> None:
    ardour.act(operation, {"prompt": "rain"})

    assert ardour.messages == []
    (sent,) = ardour.requests
    request = request_from_fields(sent, sent["job"], {})
    rows = fields_of(operation, SURFACE)
    given = {name: sent[name] for name in rows if name in sent and name != "prompt"}
    assert given == {name: row["default"] for name, row in rows.items() if not is_open(row) and name != "follow_what"}
    assert request.address == OPERATIONS[operation]["address"]


def test_what_is_answered_is_in_the_request(ardour: ArdourDialogs) -> None:
    ardour.act("settings", {"sampler": "ddim", "draft": True, "steps": "12", "guidance": "2,5", "negative": "birds"})
    ardour.act("restyle", {"prompt": "rain", "structure": "0.25", "strength": 0.75, "candidates": 3.0, "seed": 7.0})

    (sent,) = ardour.requests
    request = request_from_fields(sent, sent["job"], {})
    assert (request.prompt, request.strength, request.structure, request.seed) == ("rain", 0.75, 0.25, 7)
    assert (request.sampler, request.draft, request.steps, request.guidance) == ("ddim", True, 12, 2.5)
    assert (request.candidates, request.negative, request.client) == (3, "birds", "ardour")


def test_the_settings_of_an_operation_that_has_no_such_field_are_left_out(ardour: ArdourDialogs) -> None:
    ardour.act("settings", {"keep_air": True})
    ardour.act("generate", {"prompt": "rain"})

    (sent,) = ardour.requests
    assert "keep_air" not in sent
    assert (
        request_from_fields(sent, sent["job"], {}).seconds == OPERATIONS["generate"]["properties"]["seconds"]["default"]
    )


def test_a_sound_that_follows_the_selected_region_is_a_take_of_it(ardour: ArdourDialogs) -> None:
    answers = {"prompt": "wind", "follow": True, "follow_what": "loudness,pitch", "seconds": 30.0, "seed": 7.0}
    ardour.act("generate", answers)

    (sent,) = ardour.requests
    request = request_from_fields(sent, sent["job"], {})
    assert (request.prompt, request.follow_what, request.seed) == ("wind", "loudness,pitch", 7)
    assert Path(request.follow).name == "speech 11-0-48000.wav"
    assert Path(request.follow).exists()
    assert "seconds" not in sent  # it is as long as the region
    (batch,) = json.loads((ardour.folder / "retake" / "last.json").read_text())["jobs"]
    assert (batch["place"]["region"], batch["place"]["position"]) == ("12", 0)


def test_a_sound_with_no_region_to_follow_is_a_sentence(ardour: ArdourDialogs) -> None:
    ardour.has_regions = False
    ardour.act("generate", {"prompt": "wind", "follow": True})

    (text,) = ardour.messages
    assert text.startswith("No audio region is selected that the sound could follow")
    assert ardour.requests == []


def test_answers_are_remembered_and_what_no_longer_fits_is_not(ardour: ArdourDialogs) -> None:
    (ardour.folder / "retake-settings.json").write_text(
        '{"restyle": {"prompt": "rain", "strength": 0.25, "seed": 3, "place": "under water", "candidates": "x"}}'
    )
    fields = shown(ardour, "restyle")

    assert (fields["prompt"]["default"], fields["strength"]["default"], fields["seed"]["default"]) == ("rain", 0.25, 3)
    assert (fields["place"]["default"], fields["candidates"]["default"]) == ("as a layer on top", 1)


@pytest.mark.parametrize("operation", ["restyle", "inpaint", "generate"])
def test_words_are_needed(ardour: ArdourDialogs, operation: str) -> None:
    ardour.act(operation, {"prompt": "  "})

    assert ardour.messages == ["Type a few words that say what it should sound like."]
    assert ardour.requests == []
