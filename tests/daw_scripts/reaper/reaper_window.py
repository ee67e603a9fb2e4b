"""A script's gfx window: what it draws is kept, and the test may click, type and close it."""

from typing import Any

from tests.daw_scripts.reaper.reaper_signatures import ScriptError

_VARIABLES = {"x", "y", "w", "h", "r", "g", "b", "a", "mouse_x", "mouse_y", "mouse_cap", "texth"}
_READ_ONLY = {"w", "h", "mouse_x", "mouse_y", "mouse_cap", "texth"}
_TABLE = """
function(functions, get, set)
  return setmetatable({}, {
    __index = function(_, name) return functions[name] or get(name) end,
    __newindex = function(_, name, value) set(name, value) end,
  })
end
"""
_CLOSED = -1


class Window:
    def __init__(self, script: Any, signatures: Any) -> None:
        self._script = script
        self._signatures = {name: entry for name, entry in signatures.items() if name.startswith("gfx.")}
        self.variables = dict.fromkeys(_VARIABLES, 0)
        self.is_open, self.title = False, ""
        self.keys: list[Any] = []
        self.texts: list[Any] = []
        self.shown: list[Any] = []
        self.fills: list[Any] = []

    def table(self) -> Any:
        functions = {
            name.removeprefix("gfx."): self._script.checked(entry, getattr(self, name.removeprefix("gfx.")))
            for name, entry in self._signatures.items()
        }
        return self._script.lua.eval(_TABLE)(self._script.lua.table_from(functions), self._get, self._set)

    def _get(self, name: str) -> Any:
        if name not in _VARIABLES:
            raise ScriptError(f"gfx has no {name}")
        return self.variables[name]

    def _set(self, name: str, value: Any) -> None:
        if name not in _VARIABLES - _READ_ONLY:
            raise ScriptError(f"gfx.{name} cannot be set")
        self.variables[name] = value

    # ---------------------------------------------------------------- what scripts call

    def init(self, title: str, width: int = 0, height: int = 0, *_rest: Any) -> None:
        self.is_open, self.title = True, title
        self.variables |= {"w": width, "h": height}

    def quit(self) -> None:
        if not self.is_open:
            raise ScriptError("gfx.quit without a window")
        self.close()

    def getchar(self, *_key: Any) -> Any:
        if not self.is_open:
            return _CLOSED
        return self.keys.pop(0) if self.keys else 0

    def drawstr(self, text: str, _flags: Any = 0, right: Any = None, bottom: Any = None) -> None:
        self._require_window()
        self.texts.append((text, self.variables["x"], self.variables["y"], right, bottom))

    def rect(self, x: Any, y: Any, w: Any, h: Any, _filled: Any = 1) -> None:
        self._require_window()
        self.fills.append((x, y, w, h))

    def set(self, *_colour: Any) -> None:
        pass

    def setfont(self, *_font: Any) -> None:
        pass

    def update(self) -> None:
        self.shown, self.texts, self.fills = [text[0] for text in self.texts], self.texts[-20:], []

    def _require_window(self) -> None:
        if not self.is_open:
            raise ScriptError("drawing without a window")

    # ---------------------------------------------------------------- what the user does

    def close(self) -> None:
        self.is_open = False

    def press(self, text: str) -> None:
        """Hold the mouse down over a text; `release` lets it go."""
        _, x, y, *_ = next(drawn for drawn in reversed(self.texts) if drawn[0] == text)
        self.variables |= {"mouse_x": x + 3, "mouse_y": y + 3, "mouse_cap": 1}

    def release(self) -> None:
        self.variables["mouse_cap"] = 0
