"""No message speaks the wire's language or Python's, in the window or on a command line: all errors, by rule."""

import importlib
import inspect
import re
from collections.abc import Iterable
from pathlib import Path

import pytest

from bridge import errors
from bridge.errors import BridgeError
from bridge.plain_words import at_terminal, in_window, reason_of, window_words
from engine.cli.terminal import in_options
from engine.errors import EngineError, InvalidRequestError

HOUSE = Path(errors.__file__).parents[1]
MODULES = {
    base: [
        importlib.import_module(".".join(file.relative_to(HOUSE).with_suffix("").parts))
        for file in sorted((HOUSE / package).rglob("*errors.py"))
    ]
    for base, package in ((BridgeError, "bridge"), (EngineError, "engine"))
}
REFUSED = OSError(13, "Permission denied", "/takes/rain.wav")
FACTS = {
    "str": "rain",
    "str | None": "rain",
    "object": REFUSED,
    "Any": REFUSED,
    "OSError": REFUSED,
    "BaseException": REFUSED,
    "Exception": REFUSED,
    "Path": Path("/takes/rain.wav"),
    "Path | None": Path("/takes/rain.wav"),
    "float": 1.5,
    "int": 7,
    "int | None": 7,
    "bool": True,
}
VALUES = {
    "value": "75",
    "error": BridgeError("the clip is gone", "choose another one"),
    "cause": EngineError("the clip is gone", "choose another one"),
}
FOREIGN = {
    "an address of the wire": r"/retake/\w+",
    "a key of the wire": r"(?<![\w/.`])[a-z]+_[a-z_]+\b(?![\w/.(])",
    "a number of the system": r"\[Errno|\[WinError",
    "a class of Python's": r"\b[A-Z][a-z]+(?:Error|Exception)\b|Traceback|<\w+[ .:]|\bNone\b|\bTrue\b|\bFalse\b",
    "bytes or codecs": r"\bb'|\bcodec\b|0x[0-9a-f]{2}|surrogate",
}


def classes(base):
    found = {
        kind
        for module in MODULES[base]
        for kind in vars(module).values()
        if inspect.isclass(kind)
        and issubclass(kind, base)
        and kind.__module__ == module.__name__
        and "__init__" in vars(kind)
    }
    return sorted(found, key=lambda kind: kind.__name__)


def made(kind):
    """Make an error of a kind from facts as they occur."""
    facts = {}
    for name, parameter in inspect.signature(kind).parameters.items():
        if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
            continue
        hint = parameter.annotation
        spelled = hint if isinstance(hint, str) else inspect.formatannotation(hint).replace("pathlib._local.", "")
        spelled = spelled.replace("pathlib.", "")
        known = (
            VALUES.get(name)
            if name in VALUES
            else "sampler"
            if name in {"name", "key", "missing"}
            else FACTS.get(spelled)
        )
        is_list = known is None and ("Iterable" in spelled or "Sequence" in spelled or "Collection" in spelled)
        facts[name] = ["rain", "wind"] if is_list else "rain" if known is None else known
        if name == "error" and "BridgeError" not in spelled:
            facts[name] = FACTS.get(spelled, EngineError("the clip is gone", "choose another one"))
        if name == "address":
            facts[name] = "/retake/generate"
    return kind(**facts)


def foreign(text):
    return {what: found[0] for what, pattern in FOREIGN.items() if (found := re.search(pattern, text))}


@pytest.mark.parametrize("kind", classes(BridgeError), ids=lambda kind: kind.__name__)
def test_in_the_window(kind):
    error = made(kind)
    for part in window_words(error.code, error.text, error.hint):
        assert foreign(part) == {}, part
        assert "job id" not in part  # jobs have none there


@pytest.mark.parametrize("kind", classes(EngineError), ids=lambda kind: kind.__name__)
def test_of_the_engine_in_the_window_and_at_the_terminal(kind):
    error = made(kind)
    for part in (*window_words(error.code, error.text, error.hint), in_options(error.text), in_options(error.hint)):
        assert foreign(part.replace("RETAKE_MODELS", "")) == {}, part


@pytest.mark.parametrize("kind", classes(BridgeError), ids=lambda kind: kind.__name__)
def test_at_the_terminal(kind):
    error = made(kind)
    for part in (at_terminal(error.text), at_terminal(error.hint)):
        told = foreign(part)
        told.pop("a key of the wire", None)  # `retake-send` takes them, and settings have such names
        assert told == {}, part


@pytest.mark.parametrize(
    ("name", "value", "expected", "text", "hint"),
    [
        ("seconds", "long", "float", "seconds is 'long'; expected a number", "give seconds as a number"),
        ("steps", "1e99", "integer", "steps is '1e99'; expected a whole number", "give steps as a whole number"),
        ("prompt", 7, "a string", "prompt is 7; expected text", "give prompt as text"),
        ("guidance", [1], "a float", "guidance is a list; expected a number", "give guidance as a number"),
        ("prompt", "the integer", "float or text", "prompt is 'the integer'; expected a number or text", None),
    ],
)
def test_kinds_of_values_have_the_words_of_people(name, value, expected, text, hint):
    error = errors.WrongTypeError(name, value, expected)

    assert at_terminal(error.text) == text
    assert hint is None or at_terminal(error.hint) == hint


@pytest.mark.parametrize(
    ("name", "option", "field"),
    [
        ("seconds", "--seconds", "Length"),
        ("strength", "--strength", "Strength"),
        ("like_weight", "--like-weight", "Weight of that sound"),
        ("negative_prompt", "--negative", "Negative prompt"),
        ("candidates", "--candidates", "Takes"),
        ("output_rate", "--output-rate", "Sample rate"),
    ],
)
def test_names_are_those_of_the_surface(name, option, field):
    error = InvalidRequestError(name, 99.5, "a number from 0 to 1")

    assert in_options(error.text) == f"{option} is 99.5; expected a number from 0 to 1"
    assert in_window(error.text) == f"{field} is 99.5; expected a number from 0 to 1"
    assert in_options(error.hint).startswith(f"give {option}")
    assert in_window(error.hint).startswith(f"choose {field}")


def test_a_missing_model_is_to_be_had_on_its_page():
    _, hint = window_words("model_missing", "there is no model 'x'", "`retake models pull x`")

    assert "Models" in hint


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (REFUSED, "/takes/rain.wav: Permission denied"),
        (OSError(28, "No space left on device"), "No space left on device"),
        (ValueError("[Errno -2] Name or service not known"), "Name or service not known"),
        (ValueError(), "no reason was given"),
    ],
)
def test_a_reason_is_what_the_system_says(error, reason):
    assert reason_of(error) == reason


def test_every_kind_can_be_made():
    assert len(classes(BridgeError)) > 40
    assert isinstance(made(errors.UnknownKeyError), Iterable | BridgeError)
