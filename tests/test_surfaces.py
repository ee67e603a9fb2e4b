"""The same words and the same seed are the same sound, whichever surface asks: their defaults are the engine's.

The DAWs' forms are read out as they run in tests/daw_scripts.
"""

import argparse
import json
import re
from pathlib import Path

import numpy as np
import pytest

from bridge import operation_table
from bridge.desktop.state.render_form import RenderForm
from bridge.jobs.job_queue import urgency_of
from bridge.rendering.renderer import engine_request
from bridge.wire.messages import Generate as GenerateMessage
from bridge.wire.messages import Restyle as RestyleMessage
from engine import Engine, Generate, Restyle, Vary
from engine.cli import COMMANDS, build_parser
from engine.model import Habits

ROOT = Path(__file__).parents[1]
PROTOCOL = (ROOT / "bridge" / "PROTOCOL.md").read_text(encoding="utf-8")
NANO = json.loads((ROOT / "engine" / "weights" / "nano" / "config.json").read_text(encoding="utf-8"))


def asked_at_the_terminal(*words: str) -> argparse.Namespace:
    command = next(row for row in COMMANDS if row.name == words[0])
    return build_parser(COMMANDS, command).parse_args(words)


LENGTHS = {
    "terminal": lambda: asked_at_the_terminal("generate", "rain").seconds,
    "wire": lambda: engine_request(GenerateMessage(job="j", prompt="rain")).seconds,
    "window": lambda: RenderForm(prompt="rain")["seconds"],
    "window's request": lambda: RenderForm(prompt="rain").request("j").seconds,
    "protocol": lambda: float(re.findall(r"\| seconds \| float \| 0.1 to 600 s \| ([\d.]+) \|", PROTOCOL)[0]),
}


@pytest.mark.parametrize("surface", LENGTHS)
def test_a_sound_that_nobody_gave_a_length_is_as_long_everywhere(surface):
    assert LENGTHS[surface]() == Generate("rain").seconds


def test_what_the_window_the_terminal_and_the_wire_ask_for_is_the_same_sound():
    engine = Engine.load("nano")
    terminal = asked_at_the_terminal("generate", "rain", "--seed", "3", "--draft")
    requests = [
        engine_request(RenderForm(prompt="rain", values={"seed": 3, "draft": True}).request("j")),
        engine_request(GenerateMessage(job="j", prompt="rain", seed=3, draft=True)),
        Generate(terminal.prompt, terminal.seconds, tries=terminal.tries, seed=terminal.seed, draft=terminal.draft),
    ]

    takes = [engine.run(request)[0].samples for request in requests]

    assert all(np.array_equal(take, takes[0]) for take in takes)


@pytest.mark.parametrize(("operation", "kind"), [("restyle", Restyle), ("vary", Vary)])
def test_a_clip_moves_as_far_everywhere(operation, kind):
    words = [operation, "clip.wav", "rain"]

    assert asked_at_the_terminal(*words).strength == RenderForm(operation)["strength"] == kind.strength


def test_help_tells_the_structure_that_the_shipped_model_has(capsys):
    with pytest.raises(SystemExit):
        asked_at_the_terminal("restyle", "--help")

    told = re.search(r"nano's\s+is ([\d.]+)", capsys.readouterr().out)
    assert float(told[1]) == NANO["default_structure"]


def test_a_draft_has_as_many_steps_everywhere():
    drafts = {"steps": operation_table.DRAFT_STEPS}

    assert Habits().draft_steps == operation_table.DRAFT_STEPS
    assert urgency_of(RestyleMessage(job="j", prompt="rain", clip="/c.wav", **drafts)) == 0
    assert RenderForm(prompt="rain", values={"draft": True}).words_for_live()[-2:] == ["draft", 1]
