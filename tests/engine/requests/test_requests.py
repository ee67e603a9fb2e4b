"""Requests: one that exists is valid; every other is a sentence with the value and what was expected."""

import inspect
import re
import subprocess
import sys
from dataclasses import fields
from decimal import Decimal
from typing import Any

import numpy as np
import pytest

from engine import Audio, Generate, Inpaint, Request, Restyle
from engine.errors import (
    AudioEmptyError,
    ClipTooLongError,
    EmptyPromptError,
    EngineError,
    InvalidRequestError,
    PromptTooLongError,
    RegionError,
)
from engine.requests.schema import OPERATIONS, Operation

CLIP = Audio(np.zeros((1, 3 * 8_000), np.float32), 8_000)


def longer(seconds: float) -> Audio:
    return Audio(np.zeros((1, round(seconds * 8_000)), np.float32), 8_000)


@pytest.mark.parametrize(
    "prompt",
    ["rain", "  rain on a roof\n", "大雨が降る", "дождь по крыше", "مطر غزير", "🎺🎺", "x" * 1_000],
    ids=["plain", "blanks", "Japanese", "Russian", "Arabic", "signs", "long"],
)
def test_any_script_is_a_prompt(prompt: str) -> None:
    assert Generate(prompt).prompt == prompt.strip()


@pytest.mark.parametrize("words", ["pluie, caf\udce9", "\ud83d"])
def test_a_prompt_in_another_encoding_is_refused(words):
    with pytest.raises(InvalidRequestError, match="expected text in UTF-8"):
        Generate(words)
    with pytest.raises(InvalidRequestError, match="expected text in UTF-8"):
        Generate("rain", negative_prompt=words)


@pytest.mark.parametrize("make", [Generate, lambda p: Restyle(CLIP, p), lambda p: Inpaint(CLIP, p, [(0, 1)])])
def test_prompts_that_are_none(make: Any) -> None:
    with pytest.raises(EmptyPromptError, match="expected a few words"):
        make(" \t\n")
    with pytest.raises(PromptTooLongError, match="has 5000 characters; at most 1000"):
        make("x" * 5_000)
    with pytest.raises(InvalidRequestError, match="prompt is 7; expected text"):
        make(7)


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"seed": -1}, r"seed is -1; expected a whole number from 0 to 4294967295"),
        ({"seed": 1.5}, r"seed is 1\.5"),
        ({"seed": True}, r"seed is True"),
        ({"steps": 0}, r"steps is 0; expected a whole number from 1 to 1000"),
        ({"steps": 1001}, r"steps is 1001"),
        ({"guidance": float("nan")}, r"guidance is nan; expected a number from 0 to 30"),
        ({"guidance": "2"}, r"guidance is '2'"),
        ({"candidates": 0}, r"candidates is 0; expected a whole number from 1 to 16"),
        ({"candidates": 17}, r"candidates is 17"),
        ({"guidance": np.True_}, r"guidance is True; expected a number from 0 to 30"),
        ({"guidance": np.array([2.0])}, r"guidance is \[2\.\]"),
        ({"guidance": Decimal(2)}, r"guidance is 2; expected a number from 0 to 30"),
        ({"seconds": np.array(2)}, r"seconds is 2; expected a number from 0\.1 to 600"),
        ({"sampler": "\udce9"}, "sampler is .*; expected one of dpm"),
        ({"sampler": "euler"}, r"sampler is 'euler'; expected one of dpm\+\+2m, dpm\+\+2m-sde, ddim"),
        ({"seconds": 0.05}, r"seconds is 0\.05; expected a number from 0\.1 to 600"),
        ({"seconds": 601}, r"seconds is 601"),
        ({"negative_prompt": None}, r"negative_prompt is not given; expected text"),
    ],
    ids=lambda value: str(value)[:30],
)
def test_values_out_of_range(settings: dict[str, Any], sentence: str) -> None:
    with pytest.raises(InvalidRequestError, match=sentence) as caught:
        Generate("rain", **settings)
    assert caught.value.hint
    assert caught.value.code == "bad_value"


@pytest.mark.parametrize(
    ("request_of", "error"),
    [
        pytest.param(lambda: Restyle("clip.wav", "rain"), InvalidRequestError, id="a path is no clip"),
        pytest.param(lambda: Restyle(CLIP, "rain", strength=1.01), InvalidRequestError, id="too strong"),
        pytest.param(lambda: Restyle(CLIP, "rain", start_s=2, end_s=1), RegionError, id="reversed"),
        pytest.param(lambda: Restyle(CLIP, "rain", start_s=3.5), RegionError, id="starts behind the end"),
        pytest.param(lambda: Restyle(CLIP, "rain", end_s="2"), InvalidRequestError, id="text is no time"),
        pytest.param(lambda: Restyle(CLIP, "rain", start_s=1, end_s=1.01), AudioEmptyError, id="10 ms"),
        pytest.param(lambda: Restyle(longer(0.01), "rain"), AudioEmptyError, id="a clip of 10 ms"),
        pytest.param(lambda: Restyle(longer(601), "rain"), ClipTooLongError, id="more than ten minutes"),
        pytest.param(lambda: Inpaint(CLIP, "rain", []), InvalidRequestError, id="no region"),
        pytest.param(lambda: Inpaint(CLIP, "rain", [(1,)]), InvalidRequestError, id="half a region"),
        pytest.param(lambda: Inpaint(CLIP, "rain", (1.0, 2.0)), InvalidRequestError, id="a pair instead of pairs"),
        pytest.param(lambda: Inpaint(CLIP, "rain", None), InvalidRequestError, id="nothing"),
        pytest.param(lambda: Inpaint(CLIP, "rain", [(0, 1), (2, 4)]), RegionError, id="one region outside"),
        pytest.param(lambda: Inpaint(CLIP, "rain", [(0, float("nan"))]), RegionError, id="not a number"),
        pytest.param(lambda: Inpaint(longer(900), "rain", [(0, 301), (400, 800)]), ClipTooLongError, id="too much"),
        pytest.param(lambda: Inpaint(CLIP, "rain", [(0, 1)], high_hz=5), InvalidRequestError, id="nothing so low"),
        pytest.param(
            lambda: Inpaint(CLIP, "rain", [(0, 1)], low_hz=900, high_hz=300), InvalidRequestError, id="reversed band"
        ),
    ],
)
def test_clips_and_regions_that_cannot_be(request_of: Any, error: type[EngineError]) -> None:
    with pytest.raises(error) as caught:
        request_of()
    assert caught.value.text
    assert caught.value.hint


def test_regions_are_parsed_and_merged() -> None:
    request = Inpaint(CLIP, "rain", regions=[[2, 2.5], [0.5, 1], [0.75, 1.25]])
    assert request.regions == ((2.0, 2.5), (0.5, 1.0), (0.75, 1.25))
    assert request.sample_regions() == [(4_000, 10_000), (16_000, 20_000)]


def test_ten_minutes_are_allowed() -> None:
    assert Restyle(longer(600), "rain").strength == 0.5


@pytest.mark.parametrize("request_", [Generate("rain"), Restyle(CLIP, "rain"), Inpaint(CLIP, "rain", [(0, 1)])])
def test_requests_are_frozen(request_: Request) -> None:
    with pytest.raises(AttributeError):
        request_.seed = 2  # type: ignore[misc]


def test_numbers_of_numpy_are_numbers() -> None:
    request = Generate("rain", seconds=np.float32(2.5), seed=np.int64(7), guidance=3)  # type: ignore[arg-type]

    assert (request.seconds, request.seed, request.guidance) == (2.5, 7, 3.0)
    assert [type(value) for value in (request.seconds, request.seed, request.guidance)] == [float, int, float]


@pytest.mark.parametrize("call", [Restyle, lambda: Generate("rain", volume=3), lambda: Generate("a", 1, 2, 3)])
def test_a_wrong_call_is_a_type_error(call: Any) -> None:
    with pytest.raises(TypeError, match=r"^(Restyle|Generate)\(\): "):
        call()


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"seed": "1"}, r"seed is '1'; expected a whole number from 0 to 4294967295"),
        ({"draft": 1}, r"draft is 1; expected True or False"),
        ({"seconds": "5"}, r"seconds is '5'; expected a number from 0\.1 to 600"),
        ({"like_weight": 10**400}, r"like_weight is 1000"),
        ({"like": "clip.wav"}, r"like is 'str'; expected an Audio"),
        ({"tries": 0}, r"tries is 0; expected a whole number from 1 to 16"),
    ],
    ids=lambda value: str(value)[:30],
)
def test_nothing_is_converted(settings: dict[str, Any], sentence: str) -> None:
    with pytest.raises(InvalidRequestError, match=sentence):
        Generate("rain", **settings)


def test_importing_the_requests_loads_no_tensors() -> None:
    script = "import sys, engine.requests.schema; print('torch' in sys.modules, 'scipy' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)

    assert done.stdout.split() == ["False", "False"]


@pytest.mark.parametrize("entry", OPERATIONS, ids=lambda entry: entry.name)
def test_help_shows_plain_types_and_every_argument(entry: Operation) -> None:
    names = [field.name for field in fields(entry.request)]
    parameters = inspect.signature(entry.request).parameters
    _, _, arguments = (inspect.getdoc(entry.request) or "").partition("\n\nArgs:\n")

    assert "Annotated" not in str(inspect.signature(entry.request))
    assert sorted(parameters) == sorted(names)
    assert re.findall(r"^    (\w+): [^ ]", arguments, re.MULTILINE) == list(parameters)


def test_help_of_an_argument_says_its_range_and_default() -> None:
    said = inspect.getdoc(Restyle) or ""

    assert "    strength: 0 keeps the clip, 1 keeps only its length (0 to 1; default 0.5).\n" in said
    assert "    steps: Sampling steps; more is slower and finer (1 to 1000; None: the model's).\n" in said
