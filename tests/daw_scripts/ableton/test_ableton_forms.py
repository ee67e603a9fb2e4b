"""Live's dialogs and commands as they run: each field that the table gives them, with its label, default and limits."""

import contextlib
import importlib
import itertools
import json
import os
import shutil
import subprocess
import sys
import types
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from tests.daw_scripts.table_rows import NEW, OPERATIONS, add_new_field, fields_of, is_number, rows_of

SOURCE = Path(__file__).parents[3] / "daw_scripts" / "ableton" / "remote_script" / "Retake"
ASKED = rows_of("live_extension")
COMMANDED = rows_of("live_surface")
REGION = {"start_s": "0", "end_s": "1"}
"""What the dialog proposes where the table has no default: a region has to be said."""
COUNTER = itertools.count()
KINDS = {"integer": "number", "float": "number", "string": "text", "switch": "checkbox", "path": "checkbox"}


@pytest.fixture(scope="module")
def forms(run_node_once: Callable[..., str], tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    """What the web view shows of each dialog: its controls by their fields."""
    folder = tmp_path_factory.mktemp("forms")
    (folder / "a.wav").touch()
    own = {"RETAKE_TEST_AUDIO": str(folder / "a.wav"), "RETAKE_TEST_FOLDER": str(folder)}
    printed = json.loads(run_node_once(Path(__file__).with_name("forms.mjs"), own))
    return {operation: {control["id"]: control for control in controls} for operation, controls in printed.items()}


class TestExtension:
    @pytest.mark.parametrize(("operation", "name"), ASKED)
    def test_shows_the_label_and_the_default_of_the_table(
        self, forms: dict[str, dict[str, Any]], operation: str, name: str
    ) -> None:
        row, control = fields_of(operation, "live_extension")[name], forms[operation][name]

        assert control["label"].partition(" (")[0] == row["x-label"]
        if row["x-kind"] in ("switch", "path"):  # a path is that of the clip that was clicked
            assert control["checked"] is bool(row["default"])
            return
        default = row.get("default")
        assert control["value"] == ("" if default is None else str(default)) or control["value"] == REGION.get(name)

    @pytest.mark.parametrize(("operation", "name"), ASKED)
    def test_takes_no_value_that_the_table_does_not_allow(
        self, forms: dict[str, dict[str, Any]], operation: str, name: str
    ) -> None:
        row, control = fields_of(operation, "live_extension")[name], forms[operation][name]

        if "enum" in row:
            assert control["choices"] == [*([] if row["default"] else [""]), *row["enum"]]
            return
        assert control["type"] == KINDS[row["x-kind"]]
        if is_number(row):
            limits = {edge: control[edge] for edge in ("min", "max") if edge in control}
            expected = {"min": row.get("minimum"), "max": row.get("maximum")}
            assert limits == {edge: f"{limit:.10g}" for edge, limit in expected.items() if limit is not None}

    @pytest.mark.parametrize("operation", OPERATIONS)
    def test_has_no_field_that_the_table_does_not_give_it(
        self, forms: dict[str, dict[str, Any]], operation: str
    ) -> None:
        assert set(forms[operation]) == set(fields_of(operation, "live_extension"))

    def test_a_new_row_of_the_table_is_a_new_field(self, run_node_once: Callable[..., str], tmp_path: Path) -> None:
        copy = shutil.copytree(SOURCE.parents[2], tmp_path / "daw_scripts")
        add_new_field(copy / "shared" / "operations.json")
        script = tmp_path / "ask.cjs"
        script.write_text(
            f"const it = require({str(copy / 'ableton/extension/src/operations.js')!r});"
            "const { first, more } = it.fieldsOf('restyle', { asksRegion: false, hasClip: true });"
            f"const settings = {{ ...it.settingsOf('restyle'), prompt: 'rain', {NEW}: 4.5 }};"
            "const { args } = it.requestFor('restyle', settings, { clip: '/a.wav' }, '/takes');"
            "console.log(JSON.stringify([[...first, ...more], args]));"
        )
        fields, args = json.loads(run_node_once(script, {}))

        (field,) = [field for field in fields if field["name"] == NEW]
        assert (field["label"], field["min"], field["max"], field["initial"]) == ("Sparkle", 0, 5, 2.5)
        assert args[args.index(["s", NEW]) + 1] == ["d", 4.5]


@contextlib.contextmanager
def imported(folder: Path) -> Iterator[ModuleType]:
    """The part of the control surface that reads commands, without the part that needs Live."""
    package = types.ModuleType(f"surface_of_forms_{next(COUNTER)}")  # each with modules of its own
    package.__path__ = [str(folder)]
    sys.modules[package.__name__] = package
    try:
        yield importlib.import_module(f"{package.__name__}.commands")
    finally:
        for name in [name for name in sys.modules if name.split(".")[0] == package.__name__]:
            del sys.modules[name]


@pytest.fixture(scope="module")
def commands() -> Iterator[ModuleType]:
    with imported(SOURCE) as module:
        yield module


def test_the_installed_surface_reads_the_table_beside_it(tmp_path: Path) -> None:
    folder = tmp_path / "Remote Scripts"
    folder.mkdir()
    command = [sys.executable, "-m", "bridge", "install-scripts", "ableton", "--path", str(folder)]
    environment = os.environ | {"RETAKE_STATE_DIR": str(tmp_path / "state")}
    subprocess.run(command, cwd=SOURCE.parents[3], env=environment, check=True, stdout=subprocess.DEVNULL)
    table = folder / "Retake" / "operations.json"
    table.write_text(
        table.read_text("utf-8").replace(
            '"/retake/vary",\n   "label": "Vary"', '"/retake/vary",\n   "label": "Wander"'
        ),
        "utf-8",
    )

    add_new_field(table)

    with imported(folder / "Retake") as module:
        assert module.OPERATIONS["vary"].label == "Wander"
        command = module.parse("/retake/live/restyle", ["id", "rain", NEW, 4.5, "token", "t"], "t", 0.0)
        assert command.keys == {NEW: 4.5}


def value_of(row: dict[str, Any]) -> Any:
    """A value that the table allows."""
    if "enum" in row:
        return row["enum"][0]
    kind = row["x-kind"]
    if kind in ("string", "path"):
        return "/rain"
    return 1 if kind == "switch" else row["maximum"] if "maximum" in row else row.get("minimum", 0) + 1


class TestSurface:
    def parse(self, commands: ModuleType, operation: str, **keys: Any) -> Any:
        """Read a command with some of its arguments changed."""
        rows = fields_of(operation, "live_surface")
        fixed = [name for name in OPERATIONS[operation]["fixed"] if name in rows]
        args = [keys.pop(name, value_of(rows[name])) for name in fixed]
        pairs = [word for pair in {**keys, "token": "t"}.items() for word in pair]
        return commands.parse(f"/retake/live/{operation}", ["id", *args, *pairs], "t", 0.0)

    @pytest.mark.parametrize(("operation", "name"), COMMANDED)
    def test_takes_every_field_that_the_table_gives_it(self, commands: ModuleType, operation: str, name: str) -> None:
        value = value_of(fields_of(operation, "live_surface")[name])
        command = self.parse(commands, operation, **{name: value})

        assert {**command.values, **command.keys}[name] == value

    @pytest.mark.parametrize("operation", OPERATIONS)
    def test_takes_no_other(self, commands: ModuleType, operation: str) -> None:
        for name in set(OPERATIONS[operation]["properties"]) - set(fields_of(operation, "live_surface")):
            with pytest.raises(commands.Refusal) as caught:
                self.parse(commands, operation, **{name: 1.0})
            assert caught.value.code == "unknown_key"

    @pytest.mark.parametrize(("operation", "name"), COMMANDED)
    def test_refuses_what_is_outside_the_limits_of_the_table(
        self, commands: ModuleType, operation: str, name: str
    ) -> None:
        row = fields_of(operation, "live_surface")[name]
        wrong = ["euler"] if "enum" in row else [2] if row["x-kind"] == "switch" else []
        wrong += [row[edge] + step for edge, step in (("minimum", -1), ("maximum", 1)) if edge in row]
        for value in wrong:
            with pytest.raises(commands.Refusal, match=f"^{name} is .*; expected ") as caught:
                self.parse(commands, operation, **{name: value})
            assert caught.value.code == "bad_value"

    def test_takes_bits_as_a_number_too(self, commands: ModuleType) -> None:
        assert self.parse(commands, "generate", output_bits=16).keys["output_bits"] == "16"

    def test_says_limits_as_the_daemon_does(self, commands: ModuleType) -> None:
        with pytest.raises(commands.Refusal) as caught:
            self.parse(commands, "restyle", candidates=17)

        assert caught.value.text == "candidates is 17; expected a whole number from 1 to 16"

    def test_no_number_is_in_no_range(self, commands: ModuleType) -> None:
        with pytest.raises(commands.Refusal):
            self.parse(commands, "restyle", strength=float("nan"))
