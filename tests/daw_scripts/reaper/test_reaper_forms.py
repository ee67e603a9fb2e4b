"""REAPER's dialogs as they run: every field that the table gives them, with its label, default and limits."""

import subprocess
import sys
from pathlib import Path

import pytest
from lupa.lua54 import LuaError

from tests.daw_scripts.reaper.reaper_project import Source
from tests.daw_scripts.table_rows import add_new_field, fields_of, is_number, rows_of

ROOT = Path(__file__).parents[3]
SURFACE = "reaper"
ROWS = rows_of(SURFACE)
DIALOGS = {"restyle": "Restyle", "inpaint": "Inpaint", "generate": "Generate"}
"""The actions with a dialog of their own; the fields of the others, and what all share, are in the Settings."""
SHARED = ("model", "steps", "guidance", "sampler", "draft", "negative", "keep_air")


@pytest.fixture
def host(make_host, no_daemon, clips):
    """A REAPER with one selected item and a time selection, in which nothing was ever answered."""
    host = make_host(no_daemon)
    host.current.add_item(host.current.add_track(), Source.of_file(clips["mono"]), position=2.0)
    host.current.time_selection = (2.0, 2.1)
    return host


def ask(host, script, action, *answers):
    """Run an action, answer its dialog, and cancel it then; return its dialogs, and the messages of that run."""
    host.answers.extend([*answers, None])
    dialogs, messages = len(host.dialogs), len(host.messages)
    host.run(script(action))
    host.run_to_end()
    return [shown for _, shown in host.dialogs[dialogs:]], [text for _, text in host.messages[messages:]]


def action_of(operation, name):
    return "Settings" if name in SHARED else DIALOGS.get(operation, "Settings")


def caption_of(shown, operation, name):
    """Find the caption of a field; what only actions without a dialog take is named after them in the Settings."""
    label = fields_of(operation, SURFACE)[name]["x-label"]
    found = [it for it in shown if it == label or it.startswith((f"{label} (", f"{label}:"))]
    if operation not in DIALOGS and name not in SHARED:
        found += [it for it in shown for prefix in ("Vary: ", "Upscale: ") if it.startswith(f"{prefix}{label}")]
    assert len(found) == 1, (label, list(shown))
    return found[0]


def default_of(row):
    default = row.get("default")
    return {True: "yes", False: "no"}[default] if isinstance(default, bool) else "" if default is None else str(default)


@pytest.mark.parametrize(("operation", "name"), ROWS)
def test_shows_the_label_and_the_default_of_the_table(host, script, operation, name):
    (shown,), _ = ask(host, script, action_of(operation, name))
    row = fields_of(operation, SURFACE)[name]

    expected = "no" if name in ("like", "follow") else default_of(row)
    assert shown[caption_of(shown, operation, name)] == expected


NUMBERS = [(operation, name) for operation, name in ROWS if is_number(fields_of(operation, SURFACE)[name])]


@pytest.mark.parametrize(("operation", "name"), NUMBERS)
def test_refuses_what_is_outside_the_limits_of_the_table(host, script, operation, name):
    action, row = action_of(operation, name), fields_of(operation, SURFACE)[name]
    (shown,), _ = ask(host, script, action)
    caption = caption_of(shown, operation, name)
    words = {next(it for it in shown if it.startswith("Prompt")): "rain"} if action != "Settings" else {}
    limits = row["minimum"], row["maximum"]
    outside = [f"{limits[0] - 1:.10g}", f"{limits[1] + 1:.10g}"]
    _, messages = ask(host, script, action, *({**words, caption: text} for text in outside))

    assert len(messages) == 2
    for text, message in zip(outside, messages, strict=True):
        kind = "a whole number" if row["x-kind"] == "integer" else "a number"
        assert message == f"{caption}: {kind} from {limits[0]:.10g} to {limits[1]:.10g} is needed, not “{text}”."


def test_a_sampler_that_is_not_in_the_table_is_refused(host, script):
    row = fields_of("restyle", SURFACE)["sampler"]
    _, (message,) = ask(host, script, "Settings", {"Sampler": "euler"})

    assert f"one of {', '.join(row['enum'])} is needed, not “euler”." in message


def test_has_no_field_that_the_table_does_not_give_it(host, script):
    own = {"Only the time selection (yes/no)"}
    for action in (*DIALOGS.values(), "Settings"):
        (shown,), _ = ask(host, script, action)
        known = {caption_of(shown, *row) for row in ROWS if action_of(*row) == action}
        assert set(shown) - known <= own


def request_of(host, script, action, answer):
    """Run an action until its request is sent, and end it."""
    host.answers.append(answer)
    running = host.run(script(action))
    host.run_until(lambda: host.requests)
    running.end()
    return host.requests[0]


def test_what_is_left_empty_is_not_in_the_request(host, script):
    request = request_of(host, script, "Restyle", {"Prompt": "rain"})

    assert (request.strength, request.candidates, request.seed) == (0.5, 1, 1)
    assert [request.structure, request.steps, request.sampler, request.draft, request.model] == [None] * 5


def test_what_is_answered_is_in_the_request(host, script):
    host.answers.append({"Sampler": "ddim", "Draft": "yes", "Vary: Strength": "0.3"})
    host.run(script("Settings"))
    request = request_of(host, script, "Restyle", {"Prompt": "rain", "Structure": "0,25"})

    assert (request.structure, request.sampler, request.draft) == (0.25, "ddim", True)


class TestInstalled:
    """As `retake install-scripts` leaves them, the scripts read the table beside them."""

    @pytest.fixture
    def installed(self, host):
        command = [sys.executable, "-m", "bridge", "install-scripts", "reaper", "--path", str(host.resources)]
        subprocess.run(command, cwd=ROOT, env=host.environment, check=True, stdout=subprocess.DEVNULL)
        return host.resources / "Scripts" / "Retake"

    def dialog(self, host, installed):
        (action,) = installed.glob("Retake_Restyle*.lua")
        host.answers.append(None)
        host.run(action)
        return host.dialogs[-1][1]

    def test_they_show_what_that_table_says(self, host, installed):
        table = installed / "operations.json"
        table.write_text(table.read_text("utf-8").replace('"x-label": "Strength"', '"x-label": "Wildness"'), "utf-8")

        assert "Wildness (0 to 1)" in self.dialog(host, installed)

    def test_a_new_row_of_the_table_is_a_new_field(self, host, installed):
        add_new_field(installed / "operations.json")

        assert self.dialog(host, installed)["Sparkle (0 to 5 dB)"] == "2.5"

    @pytest.mark.parametrize("content", [None, "{", '{"operations": 3}'])
    def test_without_it_they_say_what_helps(self, host, installed, content):
        (installed / "operations.json").unlink()
        if content is not None:
            (installed / "operations.json").write_text(content)

        with pytest.raises(LuaError, match=r"operations\.json is missing or damaged.*install-scripts reaper"):
            self.dialog(host, installed)
        host.violations.clear()
