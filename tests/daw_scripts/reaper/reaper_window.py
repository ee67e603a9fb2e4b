"""A script's gfx window: what it draws is kept, and the test may click, type and close it."""

from reaper_signatures import ScriptError

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
    def __init__(self, script, signatures):
        self._script = script
        self._signatures = {name: entry for name, entry in signatures.items() if name.startswith("gfx.")}
        self.variables = dict.fromkeys(_VARIABLES, 0)
        self.is_open, self.title = False, ""
        self.keys, self.texts, self.shown, self.fills = [], [], [], []

    def table(self):
        functions = {
            name.removeprefix("gfx."): self._script.checked(entry, getattr(self, name.removeprefix("gfx.")))
            for name, entry in self._signatures.items()
        }
        return self._script.lua.eval(_TABLE)(self._script.lua.table_from(functions), self._get, self._set)

    def _get(self, name):
        if name not in _VARIABLES:
            raise ScriptError(f"gfx has no {name}")
        return self.variables[name]

    def _set(self, name, value):
        if name not in _VARIABLES - _READ_ONLY:
            raise ScriptError(f"gfx.{name} cannot be set")
        self.variables[name] = value

    # ---------------------------------------------------------------- what scripts call

    def init(self, title, width=0, height=0, *_rest):
        self.is_open, self.title = True, title
        self.variables |= {"w": width, "h": height}

    def quit(self):
        if not self.is_open:
            raise ScriptError("gfx.quit without a window")
        self.close()

    def getchar(self, *_key):
        if not self.is_open:
            return _CLOSED
        return self.keys.pop(0) if self.keys else 0

    def drawstr(self, text, _flags=0, right=None, bottom=None):
        self._require_window()
        self.texts.append((text, self.variables["x"], self.variables["y"], right, bottom))

    def rect(self, x, y, w, h, _filled=1):
        self._require_window()
        self.fills.append((x, y, w, h))

    def set(self, *_colour):
        pass

    def setfont(self, *_font):
        pass

    def update(self):
        self.shown, self.texts, self.fills = [text[0] for text in self.texts], self.texts[-20:], []

    def _require_window(self):
        if not self.is_open:
            raise ScriptError("drawing without a window")

    # ---------------------------------------------------------------- what the user does

    def close(self):
        self.is_open = False

    def press(self, text):
        """Hold the mouse down over a text; `release` lets it go."""
        _, x, y, *_ = next(drawn for drawn in reversed(self.texts) if drawn[0] == text)
        self.variables |= {"mouse_x": x + 3, "mouse_y": y + 3, "mouse_cap": 1}

    def release(self):
        self.variables["mouse_cap"] = 0
