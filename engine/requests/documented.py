"""What `help(Restyle)` and a notebook show of a request: plain types, and each argument's row of the table."""

import inspect
from collections.abc import Mapping
from dataclasses import fields
from typing import Annotated, Any, TypeVar, get_args, get_origin

from pydantic.fields import FieldInfo

from engine.requests.knob import Knob, knobs_of

Documented = TypeVar("Documented")


def documented(request: type[Documented]) -> type[Documented]:
    """Give a request a signature of plain types, and an `Args:` section made of its rows; use as a decorator."""
    given = inspect.signature(request)
    plain = [each.replace(annotation=_plain(each.annotation)) for each in given.parameters.values()]
    request.__signature__ = given.replace(parameters=plain)  # type: ignore[attr-defined]
    rows: Mapping[str, FieldInfo] = request.__pydantic_fields__  # type: ignore[attr-defined]
    ordered = sorted(fields(request), key=lambda field: bool(field.kw_only))  # type: ignore[arg-type]
    lines = [f"    {field.name}: {_line(knobs_of(rows[field.name]), rows[field.name])}" for field in ordered]
    request.__doc__ = "\n".join([inspect.cleandoc(request.__doc__ or ""), "", "Args:", *lines])
    return request


def _plain(annotation: Any) -> Any:
    return get_args(annotation)[0] if get_origin(annotation) is Annotated else annotation


def _line(knobs: list[Knob], field: FieldInfo) -> str:
    if len(knobs) > 1:
        return "(start_s, end_s) or (start_s, end_s, low_hz, high_hz) for each."
    (knob,) = knobs
    facts = []
    if knob.highest is not None:
        facts.append(f"{knob.lowest:.10g} to {knob.highest:.10g} {knob.unit}".strip())
    elif knob.unit:
        facts.append(f"in {knob.unit}")
    if knob.default:
        facts.append(f"None: {knob.default}")
    elif not field.is_required() and field.default not in (None, "", False):
        facts.append(f"default {field.default}")
    text = f"{knob.help} ({'; '.join(facts)})" if facts else knob.help
    return f"{text[0].upper()}{text[1:]}."
