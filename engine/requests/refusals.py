"""What pydantic finds wrong with a request, in the words of the engine's own errors."""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any, Literal, get_args, get_origin

from pydantic import ValidationError
from pydantic.fields import FieldInfo

from engine.errors import InvalidRequestError, PromptTooLongError
from engine.requests.knob import LONGEST_PROMPT, knobs_of

_WRONG_CALL = ("missing", "unexpected", "multiple")
"""How pydantic's names for a wrong call, not a wrong value, begin."""


def choices_of(annotation: Any) -> tuple[Any, ...]:
    """Return the values of the `Literal` that an annotation is, or has as in `Literal["a", "b"] | None`."""
    if get_origin(annotation) is Literal:
        return get_args(annotation)
    return tuple(value for part in get_args(annotation) if part is not type(None) for value in get_args(part))


def singles_of(choices: Sequence[str]) -> tuple[str, ...]:
    """Return what can be listed with commas between, where some choices are such lists; else nothing."""
    return tuple(one for one in choices if "," not in one) if any("," in one for one in choices) else ()


def refusal_of(request: type, error: ValidationError) -> Exception:
    """Return the first thing that is wrong: an InvalidRequestError, or a TypeError for a call with wrong arguments."""
    first = error.errors(include_url=False)[0]
    place, value = first["loc"][0], first["input"]
    if first["type"].startswith(_WRONG_CALL):
        return TypeError(f"{request.__name__}(): {first['msg'].lower()}: {place}")
    if first["type"] == "string_too_long":
        return PromptTooLongError(len(value), LONGEST_PROMPT)
    positional = [field.name for field in dataclasses.fields(request) if not field.kw_only]
    name = positional[place] if isinstance(place, int) else place
    fields: Mapping[str, FieldInfo] = request.__pydantic_fields__  # type: ignore[attr-defined]
    return InvalidRequestError(name, value, _expected(first["type"], fields[name]))


_OF_TYPE = {
    "string_type": "text",
    "string_unicode": "text in UTF-8",  # bytes of another encoding, which mean nothing to any model
    "bool_type": "True or False",
}


def _expected(type_: str, field: FieldInfo) -> str:
    knob = knobs_of(field)[0]
    choices = choices_of(field.annotation)
    if singles := singles_of(choices):
        return f"one or more of {', '.join(singles)}"
    if choices:
        return f"one of {', '.join(choices)}"
    if type_ in _OF_TYPE:
        return _OF_TYPE[type_]
    if knob.lowest is None or knob.highest is None:
        return "a time in seconds"
    if int in (field.annotation, *get_args(field.annotation)):
        return f"a whole number from {knob.lowest} to {knob.highest}"
    return f"a number from {knob.lowest:g} to {knob.highest:g}"
