"""Ardour's scripts stand alone: each is what `assemble.py` makes of its parts, and Lua can read it."""

import importlib.util
from pathlib import Path

import pytest
from lupa.lua54 import LuaRuntime

FOLDER = Path(__file__).parents[2] / "daw_scripts" / "ardour"
ACTIONS = sorted((FOLDER / "actions").glob("*.lua"))


@pytest.fixture(scope="module")
def assemble():
    spec = importlib.util.spec_from_file_location("ardour_assemble", FOLDER / "assemble.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.assemble


def test_there_are_six():
    assert len(ACTIONS) == 6
    assert {file.name for file in FOLDER.glob("*.lua")} == {action.name for action in ACTIONS}


@pytest.mark.parametrize("action", ACTIONS, ids=lambda action: action.stem)
def test_each_is_up_to_date(assemble, action):
    assert (FOLDER / action.name).read_text(encoding="utf-8") == assemble(action)


@pytest.mark.parametrize("action", ACTIONS, ids=lambda action: action.stem)
def test_each_is_lua(action):
    assert LuaRuntime().compile((FOLDER / action.name).read_text(encoding="utf-8")) is not None
