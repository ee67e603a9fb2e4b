"""The scripts' JSON says the same as Python's, both ways, and damaged text is told, not trusted."""

import json
import os
from pathlib import Path

import lupa.lua54
import pytest

MODULE = Path(__file__).parents[3] / "daw_scripts" / "reaper" / "Retake" / "modules" / "json.lua"


@pytest.fixture
def lua():
    runtime = lupa.lua54.LuaRuntime(unpack_returned_tuples=True)
    runtime.globals().json = runtime.execute(MODULE.read_text(encoding="utf-8"))
    return runtime


def plain(value):
    """A value from Lua as Python has it."""
    if lupa.lua54.lua_type(value) != "table":
        return value
    keys = list(value)
    is_list = keys == list(range(1, len(keys) + 1)) and keys
    return [plain(value[key]) for key in keys] if is_list else {key: plain(value[key]) for key in keys}


VALUES = {
    "words": 'heavy “rain”, "tin"\n\t\\ ünï 😀',
    "whole number": 4294967295,
    "fraction": 0.1,
    "tiny": -1.5e-7,
    "true": True,
    "list": [1, "two", [3.5]],
    "object": {"a": {"b": ["c"]}, "d": False},
}


@pytest.mark.parametrize("value", VALUES.values(), ids=VALUES)
class TestSaysTheSame:
    @pytest.mark.parametrize("style", [{}, {"ensure_ascii": False, "indent": 1}], ids=["dense", "spacious"])
    def test_reading(self, lua, value, style):
        assert plain(lua.globals().json.decode(json.dumps(value, **style))) == value

    def test_writing(self, lua, value):
        text = lua.globals().json.encode(lua.globals().json.decode(json.dumps(value)))

        assert json.loads(text) == value


def test_names_that_are_no_text_are_their_bytes():
    runtime = lupa.lua54.LuaRuntime(encoding=None)
    decode = runtime.execute(MODULE.read_bytes()).decode

    assert decode(json.dumps(os.fsdecode(b"/caf\xe9.wav")).encode()) == b"/caf\xe9.wav"


def test_null_is_nothing(lua):
    assert plain(lua.globals().json.decode('{"error": null, "state": "done"}')) == {"state": "done"}


@pytest.mark.parametrize("text", ["", "{", '{"a" 1}', '"x', "[1,]", "nul", "{} {}", '{"a":1'])
def test_damaged_text_is_told(lua, text):
    value, problem = lua.globals().json.decode(text)

    assert value is None
    assert "no JSON" in problem
