"""Which models are installed, under which licence, and whether their files are whole. Loads none of them."""

import hashlib
import json
import math
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

from bridge.diagnosis.checks.asking import ask
from bridge.diagnosis.checks.finding import Finding, ok, problem
from bridge.diagnosis.checks.folders import models_folder
from bridge.diagnosis.checks.settings_file import valid_settings
from bridge.diagnosis.checks.surroundings import Surroundings

_WEIGHTS_FILE = "model.safetensors"
_MAX_HEADER = 8_000_000
"""Bytes; a published model's has 300 kB, and the format allows 100 MB."""
_BYTES_OF = {"BOOL": 1, "U8": 1, "I8": 1, "I16": 2, "F16": 2, "BF16": 2, "I32": 4, "F32": 4, "I64": 8, "F64": 8}
_TEST_PRESET = "tiny"


def check_models(surroundings: Surroundings) -> Iterator[Finding]:
    folder = models_folder(surroundings)
    answer = ask("models", "list", "--json", environment={"RETAKE_MODELS": str(folder)})
    if answer.trouble:
        yield problem("models", answer.trouble, answer.hint or "reinstall Retake, as its README says")
        return
    models: list[dict[str, Any]] = answer.facts.get("models", [])
    if not any(model["shipped"] for model in models):
        yield problem("models", "this Retake came without its model", "reinstall Retake, as its README says")
    yield from map(_look_at, models)
    yield from map(_tell_passed_over, answer.facts.get("passed_over", []))
    yield from _look_for_default(valid_settings(surroundings).model, [model["name"] for model in models])


def _tell_passed_over(broken: dict[str, str]) -> Finding:
    folder = Path(broken["folder"])
    return problem(
        f"model {folder.name}",
        f"{folder} is passed over: {broken['reason']}",
        "repair or delete that folder; then pull or import the model again",
    )


def _look_at(model: dict[str, Any]) -> Finding:
    name, weights = f"model {model['name']}", Path(model["folder"]) / _WEIGHTS_FILE
    try:
        count = count_tensors(weights)
    except (OSError, ValueError) as error:
        remedy = "reinstall Retake, as its README says"
        if not model["shipped"]:
            remedy = f"`retake models remove {model['name']}`, then pull or import it again"
        return problem(name, f"{weights} is damaged: {error}", remedy)
    origin = "shipped" if model["shipped"] else "installed"
    return ok(
        name,
        f"{origin}, {model['size_bytes'] / 1e6:.1f} MB, licence {model['licence']}, complete: {count} tensors, "
        f"SHA-256 {_fingerprint(weights)}",
    )


def _look_for_default(chosen: str, names: list[str]) -> Iterator[Finding]:
    folder = os.path.expanduser(chosen)
    if chosen not in (*names, _TEST_PRESET) and not os.path.isfile(os.path.join(folder, "config.json")):
        yield problem(
            "default model",
            f"the model {chosen} of the settings is not installed; installed are {', '.join(names)}",
            f"`retake models pull {chosen}`, or set `model` to one that is installed",
        )


def _fingerprint(file: Path) -> str:
    """Return the first digits of a file's SHA-256, enough to compare two machines."""
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()[:12]


def count_tensors(file: Path) -> int:
    """Return the number of tensors in a safetensors file in which each has its bytes and none are left over.

    Raises:
        OSError: the file cannot be read.
        ValueError: it is cut short, or no safetensors file; the message says which.
    """
    if not stat.S_ISREG(file.stat().st_mode):
        raise ValueError("it is no plain file")
    with file.open("rb") as stream:
        header, start = _read_header(stream)
    end = 0
    tensors = {name: entry for name, entry in header.items() if name != "__metadata__"}
    for name, entry in tensors.items():
        end = max(end, _end_of(name, entry))
    size = file.stat().st_size
    if size != start + end:
        raise ValueError(f"it has {size} bytes, and should have {start + end}")
    return len(tensors)


def _read_header(stream: BinaryIO) -> tuple[dict[str, Any], int]:
    """Return the header, and where the tensors begin: it is JSON, after its own length in 8 bytes."""
    length = int.from_bytes(stream.read(8), "little")
    if not 2 <= length <= _MAX_HEADER:
        raise ValueError("it does not begin as a safetensors file does")
    try:
        header = json.loads(stream.read(length))
    except (ValueError, RecursionError) as error:
        raise ValueError("its header is damaged") from error
    if not isinstance(header, dict):
        raise ValueError("its header is damaged")  # noqa: TRY004 - damage, not a wrong call
    return header, 8 + length


def _end_of(name: str, entry: Any) -> int:
    """Return the offset behind a tensor, checking that its size fits its shape."""
    try:
        begin, end = entry["data_offsets"]
        expected = math.prod(entry["shape"]) * _BYTES_OF.get(entry["dtype"], 1)
        fits = end - begin == expected or entry["dtype"] not in _BYTES_OF
    except (TypeError, KeyError, ValueError) as error:
        raise ValueError(f"its header says nothing usable about {name}") from error
    if not fits:
        raise ValueError(f"{name} has {end - begin} bytes, and should have {expected}")
    return int(end)
