"""Builds the scripts that Ardour runs from `daw_scripts/ardour/actions`, `parts` and the table of operations.

Ardour keeps only the function `factory` of a script and has no `require`, so each script carries what it needs.
"""

import json
import re
from pathlib import Path
from typing import Any

SURFACE = "ardour"
TABLE = "operations"
"""The part that is made from `shared/operations.json`."""
FROM_REAPER = ("json",)
"""Parts that are modules of REAPER's scripts."""

_LOADER = """\
  local parts, loaded = {}, {}
  local function require(name)
    if not loaded[name] then loaded[name] = parts[name]() end
    return loaded[name]
  end
"""
_WORDS = {
    "x-label": "label",
    "x-kind": "kind",
    "x-unit": "unit",
    "minimum": "minimum",
    "maximum": "maximum",
    "default": "default",
    "enum": "choices",
    "x-default": "whenEmpty",
}
"""What a dialog needs to know of a field, and what our Lua calls it."""


def assembled_scripts(daw_scripts: Path) -> dict[str, bytes]:
    """Return every Ardour script, as it is installed, by its file name. Raises OSError for a part that is missing."""
    actions = sorted((daw_scripts / "ardour" / "actions").glob("retake_*.lua"))
    return {action.name: _assemble(action, daw_scripts).encode() for action in actions}


def _assemble(action: Path, daw_scripts: Path) -> str:
    """Put an action and its parts into one script: head, signals, and a factory that holds all the rest."""
    head, body = _split(action.read_text(encoding="utf-8"))
    needed: dict[str, str] = {}
    _collect(body, daw_scripts, needed)
    parts = "".join(f'\n  parts["{name}"] = function()\n{_indent(text, 4)}  end\n' for name, text in needed.items())
    note = "-- Assembled by `retake install-scripts` from Retake's daw_scripts/ardour.\n"
    return f"{note}{head}\nfunction factory()\n{_LOADER}{parts}\n{_indent(body, 2)}end\n"


def _split(text: str) -> tuple[str, str]:
    """Separate what Ardour reads outside of the factory from what goes into it."""
    at = text.index("\nlocal ")
    return text[:at].rstrip("\n") + "\n", text[at:].strip("\n") + "\n"


def _collect(text: str, daw_scripts: Path, needed: dict[str, str]) -> None:
    for name in re.findall(r'require\("(\w+)"\)', text):
        if name not in needed:
            needed[name] = _part(name, daw_scripts)
            _collect(needed[name], daw_scripts, needed)


def _part(name: str, daw_scripts: Path) -> str:
    """Return the text of a part; that of the table is made from JSON."""
    if name == TABLE:
        table = json.loads((daw_scripts / "shared" / "operations.json").read_text(encoding="utf-8"))
        return f"return {_literal(_fields_in_dialogs(table))}\n"
    folder = daw_scripts / ("reaper/Retake/modules" if name in FROM_REAPER else "ardour/parts")
    return (folder / f"{name}.lua").read_text(encoding="utf-8")


def _fields_in_dialogs(table: dict[str, Any]) -> dict[str, Any]:
    """Return what Ardour's dialogs show of each operation, including the fields of every job, such as the model."""
    found: dict[str, Any] = {}
    for operation, entry in table["operations"].items():
        fields = {
            name: {word: field[key] for key, word in _WORDS.items() if field.get(key) is not None}
            | {"isRequired": name in entry["required"]}
            for name, field in {**entry["properties"], **table["job"]["properties"]}.items()
            if SURFACE in field["x-surfaces"]
        }
        found[operation] = {"label": entry["label"], "fields": fields}
    return found


def _literal(value: Any, indent: str = "") -> str:
    """Return a JSON value as a Lua expression; names of fields are words in the table, so they need no quotes."""
    if isinstance(value, dict) and not any(isinstance(entry, dict) for entry in value.values()):
        return "{ " + ", ".join(f"{key} = {_literal(entry)}" for key, entry in value.items()) + " }"
    if isinstance(value, dict):
        inside = indent + "  "
        rows = "".join(f"{inside}{key} = {_literal(entry, inside)},\n" for key, entry in value.items())
        return f"{{\n{rows}{indent}}}"
    if isinstance(value, list):
        return "{ " + ", ".join(_literal(entry) for entry in value) + " }"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return '"' + value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'
    return repr(value)


def _indent(text: str, width: int) -> str:
    return "".join(f"{' ' * width}{line}" if line.strip() else line for line in text.splitlines(keepends=True))
