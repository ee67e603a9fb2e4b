"""Settings for an Ardour that starts without a dialog or a sound card, its scripts in the menu as a user sets them.

Ardour keeps of a script what its Script Manager keeps: the text, and the bytecode of `factory` alone. So does this.
"""

import base64
from pathlib import Path

import lupa.lua53

_SIGNALS, _TIMER = 49, 47
"""How many signals Ardour 7.3 has for hooks, and which of them is LuaTimerDS."""

_CONFIG = """<?xml version="1.0" encoding="UTF-8"?>
<Ardour>
  <Config>
    <Option name="try-autostart-engine" value="1"/>
    <Option name="discover-plugins-on-start" value="0"/>
    <Option name="hide-dummy-backend" value="0"/>
    <Option name="copy-demo-sessions" value="0"/>
    <Option name="show-video-server-dialog" value="0"/>
  </Config>
  <Extra>
    <AudioMIDISetup>
      <EngineStates>
        <State backend="None (Dummy)" driver="Normal Speed" device="Silence" input-device="" output-device=""
               sample-rate="48000" buffer-size="1024" n-periods="0" input-latency="0" output-latency="0" lm-input=""
               lm-output="" active="1" use-buffered-io="0" midi-option="No MIDI I/O" lru="1700000000">
          <MIDIDevices/>
        </State>
      </EngineStates>
    </AudioMIDISetup>
  </Extra>
  <ControlProtocols>
    <Protocol name="Open Sound Control (OSC)" active="1" feedback="0" debugmode="0" address-only="0" remote-port="8000"
              banksize="0" striptypes="159" gainmode="0" send-page-size="0" plugin-page-size="0"/>
  </ControlProtocols>
</Ardour>
"""
_UI_CONFIG = """<?xml version="1.0" encoding="UTF-8"?>
<Ardour><UI><Option name="check-announcements" value="0"/></UI></Ardour>
"""


def seed_config(home: Path, actions: list[Path], hooks: list[Path]) -> None:
    """Write Ardour 7's configuration into `home`, with scripts as LuaAction/script-1 and so on, and with hooks."""
    folder = home / "ardour7"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / ".a7").touch()
    (folder / "config").write_text(_CONFIG)
    (folder / "ui_config").write_text(_UI_CONFIG)
    hooked = "\n".join(_hook(900 + number, path) for number, path in enumerate(hooks))
    (folder / "ui_scripts").write_text(
        f'<?xml version="1.0" encoding="UTF-8"?>\n<UIScripts>\n{_actions(actions)}\n'
        f"<ActionHooks>\n{hooked}\n</ActionHooks>\n</UIScripts>\n"
    )


def _actions(paths: list[Path]) -> str:
    rows = ["scripts = {}"]
    for slot, path in enumerate(paths, 1):
        it = f"scripts[{slot}]"
        rows.append(f'{it} = {{}} {it}["n"] = {_quote(script_name(path).encode())} {it}["s"] = {_quote(_text(path))}')
        rows.append(f'{it}["f"] = {_quote(_bytecode(path))} {it}["c"] = true {it}["a"] = {{}}')
    return f'<ActionScript lua="Lua 5.3">{_base64(" ".join(rows) + " ")}</ActionScript>'


def _hook(number: int, path: Path) -> str:
    bits = "".join("1" if bit == _TIMER else "0" for bit in reversed(range(_SIGNALS)))
    name = script_name(path)
    rows = f's = {{}} s["n"] = {_quote(name.encode())} s["s"] = {_quote(_text(path))} '
    rows += f's["f"] = {_quote(_bytecode(path))} s["a"] = {{}} '
    return f'<LuaCallback lua="Lua 5.3" id="{number}" name="{name}" signals="{bits}">{_base64(rows)}</LuaCallback>'


def script_name(path: Path) -> str:
    """Give the name in a script's head."""
    lua = lupa.lua53.LuaRuntime()
    lua.execute("function ardour(head) name = head.name end")
    lua.execute(path.read_text(encoding="utf-8"))
    return str(lua.globals().name)


def _bytecode(path: Path) -> bytes:
    """Compile `factory` and leave everything around it behind, as Ardour does."""
    lua = lupa.lua53.LuaRuntime(encoding=None)
    lua.execute(b"function ardour() end")
    lua.execute(_text(path))
    return bytes(lua.eval(b"string.dump(factory, true)"))


def _text(path: Path) -> bytes:
    return path.read_bytes()


def _quote(text: bytes) -> str:
    """Write a Lua string literal in ASCII."""
    plain = {34: '\\"', 92: "\\\\"}
    return '"' + "".join(plain.get(b) or (chr(b) if 32 <= b < 127 else f"\\{b:03d}") for b in text) + '"'


def _base64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()
