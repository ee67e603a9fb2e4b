"""The options of the commands that render, made from the table of operations; and the way back to a request's values.

Imports nothing that is slow: the table is read as it is written for all who do not import pydantic.
"""

import argparse
import secrets
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from engine.checkpoints.catalogue import SHIPPED_MODELS, read_json
from engine.operation_table import read_table, rows_of

FieldSchema = Mapping[str, Any]

_WORDS = ("clip", "prompt")
"""Rows that are words of the command line, without an option's name."""
_TYPES = {"integer": int, "float": float, "path": Path, "string": str}
_SHARED = "sampling"
_DRAWN_SEEDS = 1_000_000
"""A drawn seed has few enough digits to be read out and typed."""


class Drawn(int):
    """A seed that was not given but drawn: the result has to name it, or the sound could not be had again."""


class NotGiven(float):
    """A default that the request is to choose itself: it may depend on what else is asked for."""


def seed_of(word: str) -> int:
    """Read a seed as it is given: a whole number, or `random`."""
    if word == "random":
        return Drawn(secrets.randbelow(_DRAWN_SEEDS))
    try:
        return int(word)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{word!r} is no seed; give a whole number, or random") from None


def add_request_options(parser: argparse.ArgumentParser, operation: str) -> None:
    """Add the words and options of an operation, those that all operations share in a group of their own."""
    rows = rows_of(operation)
    summary = str(read_table()["operations"][operation]["help"])
    parser.description = f"{summary[0].upper()}{summary[1:]}."
    own = parser.add_argument_group(operation)
    shared = parser.add_argument_group(_SHARED)
    prompt = None
    for name, row in _shown(rows):
        if name in _WORDS:
            prompt = _add_word(parser, name, row, is_needed=name in _needed(operation))
        else:
            add_option(shared if _is_shared(name) else own, name, row, prompt)


def _needed(operation: str) -> list[str]:
    needed: list[str] = read_table()["operations"][operation]["required"]
    return needed


def _shown(rows: Mapping[str, FieldSchema]) -> Iterator[tuple[str, FieldSchema]]:
    """Yield the rows that the command line has, its words first: the clip, then the prompt."""
    shown = [(name, row) for name, row in rows.items() if "cli" in row["x-surfaces"]]
    return iter(sorted(shown, key=lambda one: _WORDS.index(one[0]) if one[0] in _WORDS else len(_WORDS)))


def _is_shared(name: str) -> bool:
    return all(name in operation["properties"] for operation in read_table()["operations"].values())


def _add_word(parser: argparse.ArgumentParser, name: str, row: FieldSchema, *, is_needed: bool) -> argparse.Action:
    if name == "clip":
        return parser.add_argument(name, type=Path, help=row["description"])
    # Were it optional from the start (`nargs="?"`), it could not be given behind other options.
    metavar = name if is_needed else f"[{name}]"
    prompt = parser.add_argument(name, default="", metavar=metavar, help=row["description"])
    prompt.required = is_needed
    return prompt


class _InsteadOfWords(argparse.Action):
    """An option after which the prompt may be left out."""

    def __init__(self, prompt: argparse.Action, **settings: Any) -> None:
        super().__init__(**settings)
        self._prompt = prompt

    def __call__(self, _: object, found: argparse.Namespace, value: object, __: object = None) -> None:
        self._prompt.required = False
        setattr(found, self.dest, value)


def add_option(
    parser: "argparse.ArgumentParser | argparse._ArgumentGroup",
    name: str,
    row: FieldSchema,
    prompt: argparse.Action | None = None,
) -> None:
    """Add a row as an option; `prompt` is what a clip to be like stands for."""
    settings: dict[str, Any] = {"help": help_of(row).replace("%", "%%")}
    if row["x-kind"] == "switch":
        parser.add_argument(row["x-option"], action="store_true", **settings)
        return
    settings |= {"metavar": row["x-metavar"], "default": row.get("default")}
    match name:
        case "seconds":
            settings |= {"type": float, "default": NotGiven(row["default"])}
        case "seed":
            settings |= {"type": seed_of, "default": "random"}
        case "region":
            settings |= {"type": float, "nargs": "+", "action": "append", "default": []}
        case "like":
            settings |= {"type": Path, "action": _InsteadOfWords, "prompt": prompt}
        case _ if _singles_of(row):
            settings |= {"metavar": "A,B"}  # in any order: the request knows what is right
        case _ if "enum" in row:
            settings |= {"choices": tuple(row["enum"])}
            settings.pop("metavar")
        case _:
            settings |= {"type": _TYPES[row["x-kind"]]}
    parser.add_argument(row["x-option"], **settings)


def _singles_of(row: FieldSchema) -> list[str]:
    """Return what a row's value can list with commas between; nothing if it is no list."""
    choices = row.get("enum", ())
    return [one for one in choices if "," not in one] if any("," in one for one in choices) else []


def help_of(row: FieldSchema) -> str:
    """Return what a row means, from where to where it goes, and what it is when it is not given."""
    facts = []
    if "maximum" in row:
        facts.append(f"{row['minimum']} to {row['maximum']} {row['x-unit']}".strip())
    elif row["x-unit"]:
        facts.append(f"in {row['x-unit']}")
    if singles := _singles_of(row):
        facts.append(f"one or more of {', '.join(singles)}")
    default = _default_of(row)
    if default:
        facts.append(f"default {default}")
    return f"{row['description']} ({'; '.join(facts)})" if facts else str(row["description"])


def _default_of(row: FieldSchema) -> str:
    if "cli" in row.get("x-own-defaults", {}):
        return str(row["x-own-defaults"]["cli"])
    if "x-default" in row:
        return str(row["x-default"]) + _of_nano(row)
    if row["x-kind"] in ("switch", "region") or row.get("default") in (None, ""):
        return ""
    return str(row["default"])


def _of_nano(row: FieldSchema) -> str:
    """Return what the shipped model's own config says: the one place where that is written."""
    own = read_json(SHIPPED_MODELS / "nano").get(f"default_{row['x-option'].removeprefix('--')}")
    return "" if own is None else f"; nano's is {own:g}"


def values_of(options: argparse.Namespace, operation: str) -> dict[str, Any]:
    """Return what was asked for by the names that the engine's request has; clips, and regions, are left out."""
    asked = {
        row.get("x-engine", name): getattr(options, _dest(name, row))
        for name, row in _shown(rows_of(operation))
        if row["x-kind"] not in ("path", "region") and row.get("x-engine") != "regions"
    }
    return {name: value for name, value in asked.items() if not isinstance(value, NotGiven)}


def _dest(name: str, row: FieldSchema) -> str:
    return name if name in _WORDS else str(row["x-option"]).removeprefix("--").replace("-", "_")
