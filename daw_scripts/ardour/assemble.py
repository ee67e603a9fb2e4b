"""Makes the scripts that Ardour runs, `retake_*.lua`, from `actions/` and `parts/`. Run it after each change there.

Ardour keeps only the function `factory` of a script and has no `require`: so each script carries the parts it needs.
"""  # noqa: INP001 - a program beside the scripts, not a package

import re
import sys
from pathlib import Path

HERE = Path(__file__).parent
PARTS = (HERE / "parts", HERE.parent / "reaper" / "Retake" / "modules")
"""The second one has the JSON that REAPER's scripts use, too."""

_LOADER = """\
  local parts, loaded = {}, {}
  local function require(name)
    if not loaded[name] then loaded[name] = parts[name]() end
    return loaded[name]
  end
"""


def assemble(action: Path) -> str:
    """Put an action and its parts into one script: head, signals, and a factory that holds all the rest."""
    head, body = _split(action.read_text(encoding="utf-8"))
    needed: dict[str, str] = {}
    _collect(body, needed)
    parts = "".join(f'\n  parts["{name}"] = function()\n{_indent(text, 4)}  end\n' for name, text in needed.items())
    note = f"-- Made by assemble.py from actions/{action.name}; change it there.\n"
    return f"{note}{head}\nfunction factory()\n{_LOADER}{parts}\n{_indent(body, 2)}end\n"


def _split(text: str) -> tuple[str, str]:
    """Part what Ardour reads outside of the factory from what goes into it."""
    at = text.index("\nlocal ")
    return text[:at].rstrip("\n") + "\n", text[at:].strip("\n") + "\n"


def _collect(text: str, needed: dict[str, str]) -> None:
    for name in re.findall(r'require\("(\w+)"\)', text):
        if name not in needed:
            file = next(folder / f"{name}.lua" for folder in PARTS if (folder / f"{name}.lua").exists())
            needed[name] = file.read_text(encoding="utf-8")
            _collect(needed[name], needed)


def _indent(text: str, width: int) -> str:
    return "".join(f"{' ' * width}{line}" if line.strip() else line for line in text.splitlines(keepends=True))


def main() -> int:
    """Write every script anew."""
    for action in sorted((HERE / "actions").glob("*.lua")):
        (HERE / action.name).write_text(assemble(action), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
