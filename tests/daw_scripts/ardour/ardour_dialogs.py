"""A stand-in for the part of Ardour that a script's dialog needs: it runs an installed script in a Lua of its own.

What comes after the dialog is Ardour's own business and tested in a real one (tests/e2e/ardour); here the request that
a script hands over to retake-send is caught instead.
"""

import json
import shlex
from pathlib import Path
from typing import Any

from lupa.lua54 import LuaRuntime

from bridge.daw_install.ardour_scripts import assembled_scripts

DAW_SCRIPTS = Path(__file__).parents[3] / "daw_scripts"

_HOST = Path(__file__).with_name("stand_in.lua").read_text(encoding="utf-8")


class ArdourDialogs:
    """One Ardour whose user answers dialogs; `dialogs` are those that were shown, `requests` what was sent."""

    def __init__(self, folder: Path, daw_scripts: Path = DAW_SCRIPTS) -> None:
        self.folder = folder
        self.dialogs: list[dict[str, dict[str, Any]]] = []
        self.messages: list[str] = []
        self.has_regions = True
        self.requests: list[dict[str, Any]] = []
        self._scripts = assembled_scripts(daw_scripts)
        self._answers: list[dict[str, Any] | None] = []
        self._count = 0
        (folder / "scripts").mkdir()
        (folder / "send").touch()
        (folder / "scripts" / "retake.json").write_text(json.dumps({"send": str(folder / "send")}), encoding="utf-8")

    def act(self, name: str, *answers: dict[str, Any] | None) -> None:
        """Run an action; each answer is what the user changes in a dialog, or None for Cancel."""
        self._answers = list(answers)
        lua = LuaRuntime(unpack_returned_tuples=True)
        functions = {
            "folder": str(self.folder),
            "exists": lambda path: Path(path).exists(),
            "count": self._next,
            "say": self.messages.append,
            "answer": lambda _title, rows: self._answer(lua, rows),
            "execute": self._execute,
            "hasRegions": self.has_regions,
            "isSent": lambda: bool(self.requests),
        }
        lua.eval("function(text, host) assert(load(text))(host) end")(_HOST, lua.table_from(functions))
        lua.execute(self._scripts[f"retake_{name}.lua"].decode())
        lua.globals().factory()()

    def _next(self) -> int:
        self._count += 1
        return self._count

    def _answer(self, lua: LuaRuntime, rows: Any) -> Any:
        """Show a dialog: keep what it says of each field, and hand back what it holds then."""
        shown = {}
        for row in rows.values():
            values = row["values"]
            shown[row["key"]] = {name: row[name] for name in ("type", "title", "min", "max", "digits", "default")}
            shown[row["key"]]["values"] = sorted(values) if values is not None else None
        self.dialogs.append(shown)
        changed = self._answers.pop(0) if self._answers else None
        if changed is None:
            return None
        assert set(changed) <= set(shown), changed
        return lua.table_from({key: field["default"] for key, field in shown.items()} | changed)

    def _execute(self, words: str) -> None:
        command = shlex.split(words.removesuffix(" </dev/null >/dev/null 2>&1 &"))
        if "--request" in command:
            text = Path(command[command.index("--request") + 1]).read_text(encoding="utf-8")
            self.requests.append(json.loads(text))
        elif command[0] == "mkdir":
            Path(command[-1]).mkdir(parents=True, exist_ok=True)
