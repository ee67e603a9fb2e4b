"""A strict stand-in for REAPER: runs the shipped scripts, each in a Lua 5.4 of its own, and forgives nothing."""

import subprocess
import time
from collections.abc import Callable
from itertools import zip_longest
from pathlib import Path
from typing import Any

import lupa.lua54

from bridge.clients.build_request import request_from_file
from tests.daw_scripts.reaper.reaper_functions import Functions
from tests.daw_scripts.reaper.reaper_imgui import ImGuiFunctions
from tests.daw_scripts.reaper.reaper_signatures import ScriptError, read_signatures
from tests.daw_scripts.reaper.reaper_window import Window

SIGNATURES = read_signatures()
PATIENCE_S = 120.0

_STRICT_TABLE = """
function(functions, isKnown)
  return setmetatable({}, {
    __index = function(_, name)
      local found = functions[name]
      if found == nil and not isKnown(name) then error("REAPER has no function " .. tostring(name), 2) end
      return found
    end,
    __newindex = function(_, name) error("a script may not set reaper." .. tostring(name), 2) end,
  })
end
"""
_NO_GLOBALS = """
function()
  setmetatable(_G, { __newindex = function(_, name) error("an accidental global: " .. tostring(name), 2) end })
end
"""


class Script:
    """One run of one script: its own Lua, its own window, its own deferred code."""

    def __init__(self, host: Any, path: Path) -> None:
        self.host, self.path = host, path
        self.lua = lupa.lua54.LuaRuntime(unpack_returned_tuples=True, register_eval=False, register_builtins=False)
        self.deferred: list[Any] = []
        self.at_exit: list[Any] = []
        self.window = Window(self, SIGNATURES)
        self.imgui = ImGuiFunctions(host, self)
        functions = Functions(host, self)
        modelled = {}
        for name in SIGNATURES:
            owner = self.imgui if name.startswith("ImGui_") else functions
            if not name.startswith(("gfx.", "ImGui_") if not host.has_imgui else "gfx."):
                modelled[name] = self.checked(SIGNATURES[name], getattr(owner, name))
        strict = self.lua.eval(_STRICT_TABLE)
        table = strict(self.lua.table_from(modelled), lambda name: name in SIGNATURES)
        self.lua.globals().reaper = table
        self.lua.globals().gfx = self.window.table()
        self.lua.globals().os.getenv = host.environment.get
        self.lua.eval(_NO_GLOBALS)()

    def checked(self, signature: Any, function: Any) -> Callable[..., Any]:
        """The function, with its arguments and results held to what is documented."""

        def call(*arguments: Any) -> Any:
            try:
                signature.check_call(arguments)
                result = function(*arguments)
                signature.check_results(result)
            except Exception as error:
                self.host.violations.append(error)
                raise
            self.host.calls.append(signature.name)
            return result

        return call

    def call(self, code: Callable[[], Any]) -> None:
        try:
            code()
        except Exception as error:
            self.host.violations.append(error)
            self.deferred.clear()
            raise

    def start(self) -> None:
        source = self.path.read_text(encoding="utf-8")
        load = self.lua.eval("function(source, name) return assert(load(source, name)) end")
        self.call(load(source, f"@{self.path}"))

    def tick(self) -> None:
        codes, self.deferred = self.deferred, []
        for code in codes:
            self.call(code)
        if not self.deferred:
            self.end()

    def end(self) -> None:
        """The script has nothing more to do, or the user ends it."""
        self.deferred = []
        codes, self.at_exit = self.at_exit, []
        for code in codes:
            self.call(code)
        self.window.close()
        if self in self.host.scripts:
            self.host.scripts.remove(self)


class Host:
    """REAPER with its project tabs, its user's answers, and everything that was shown, run and remembered.

    `system` is as GetOS tells it ("Other" is Linux); `programs` says which programs are installed, by the path that
    REAPER sees, and which file stands for each: what the machine that runs the tests has installed does not count.
    """

    def __init__(self, resources: Any, projects: Any, environment: Any) -> None:
        self.resources, self.projects, self.environment = Path(resources), list(projects), environment
        self.current = self.projects[0]
        self.scripts: list[Any] = []
        self.processes: list[Any] = []
        self.accessors: list[Any] = []
        self.calls: list[Any] = []
        self.commands: list[Any] = []
        self.messages: list[Any] = []
        self.violations: list[Any] = []
        self.command_lines: list[Any] = []
        self.session_state: dict[Any, Any] = {}
        self.kept_state: dict[Any, Any] = {}
        self.peaks: dict[Any, Any] = {}
        self.answers: list[Any] = []
        self.dialogs: list[Any] = []
        self.requests: list[Any] = []
        self.refresh_locks, self.clock_skew_s, self.clock_step_s = 0, 0.0, 0.0
        self.system = "Other"
        self.programs: dict[Any, Any] = {}
        self.has_imgui = False
        self.imgui_key: Any = None
        self.imgui_focused: list[Any] = []
        self.is_exec_silent = False

    def run(self, path: Path) -> Any:
        """Start an action: its script, which may go on in later ticks."""
        script = Script(self, path)
        self.scripts.append(script)
        script.start()
        if not script.deferred:
            script.end()
        return script

    def tick(self) -> None:
        for script in list(self.scripts):
            script.tick()

    def run_until(self, condition: Callable[[], Any], patience_s: Any = PATIENCE_S) -> None:
        deadline = time.monotonic() + patience_s
        while not condition():
            assert time.monotonic() < deadline, f"it did not come true; messages: {self.messages}"
            self.tick()
            time.sleep(0.005)

    def run_to_end(self) -> None:
        self.run_until(lambda: not self.scripts)

    def answer_dialog(self, title: str, count: int, captions_csv: Any, values: Any) -> tuple[bool, Any]:
        """What the user types: the test's next answer, a table of what is changed, or None for Cancel."""
        captions = split_dialog(captions_csv, ",")
        extras = dict(part.split("=", 1) for part in captions[count:])
        assert len(captions) - len(extras) == count <= 16, captions
        assert set(extras) <= {"extrawidth", "separator"}
        separator = extras.get("separator", ",")
        given = split_dialog(values, separator)
        assert len(given) <= count, f"{count} fields, and {given}"
        fields = dict(zip_longest(captions[:count], given, fillvalue=""))
        self.dialogs.append((title, dict(fields)))
        answer = self.answers.pop(0)
        if answer is None:
            return False, values
        for beginning, text in answer.items():
            (caption,) = [caption for caption in fields if caption.startswith(beginning)]
            fields[caption] = text
        return True, separator.join(fields.values())

    def execute(self, command: str, timeout_ms: Any) -> Any:
        """Start a program as ExecProcess does: no shell, split at spaces, three kinds of quotes, no escapes."""
        assert timeout_ms == -2, "a script waits for a program, and REAPER with it"
        self.command_lines.append(command)
        self.requests.append(request_from_file(Path(split_command(command)[2]), None, "", {}))
        try:
            program, *words = split_command(command)
            process = subprocess.Popen(
                [self.programs.get(program, program), *words],
                env=self.environment,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
            )
        except OSError:
            return "0\n" if self.is_exec_silent else None
        self.processes.append(process)
        return "0\n"

    def close(self) -> None:
        """End everything, and complain of what scripts left behind."""
        for script in list(self.scripts):
            script.end()
        for process in self.processes:
            process.communicate(timeout=PATIENCE_S)
        assert self.violations == []
        assert self.refresh_locks == 0
        assert not [accessor for accessor in self.accessors if accessor.is_alive]
        assert not [project for project in self.projects if project.before_block is not None]


def split_dialog(text: str, separator: Any) -> Any:
    """Take captions or values of GetUserInputs apart: inside quotes or brackets that are open a separator is none."""
    parts, quote, depth = [""], None, 0
    for character in text:
        if quote is None and depth == 0 and character == separator:
            parts.append("")
            continue
        parts[-1] += character
        if quote is not None:
            quote = None if character == quote else quote
        elif character in "\"'`":
            quote = character
        else:
            depth = max(0, depth + (character in "([{") - (character in ")]}"))
    return parts


def split_command(command: str) -> Any:
    words, word, quote, is_word = [], "", None, False
    for character in command:
        if quote is not None and character == quote:
            quote = None
        elif quote is None and character in "\"'`":
            quote, is_word = character, True
        elif quote is None and character == " ":
            if is_word:
                words.append(word)
            word, is_word = "", False
        else:
            word, is_word = word + character, True
    if quote is not None:
        raise ScriptError(f"a quote without end: {command}")
    return [*words, word] if is_word else words
