"""Builds requests from the words of a command line or from a request file; relative paths become absolute here."""

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from bridge.errors import MissingArgumentError, RequestFileError, UnknownAddressError, WrongTypeError
from bridge.wire.arguments import ARGUMENTS, PATH, REPEATABLE
from bridge.wire.messages import REQUESTS, RenderRequest, Request
from bridge.wire.parsing import parse_request

_PREFIX = "/retake/"
_MAX_FILE_BYTES = 1_000_000
"""Of a request file; the longest request that the daemon reads is a fraction of it."""
OPERATIONS: dict[str, type[Request]] = {address.removeprefix(_PREFIX): kind for address, kind in REQUESTS.items()}


class TooMuchTextError(ValueError):
    """A request file that is longer than any request."""


def request_from_words(operation: str, words: Sequence[str], job: str, extra: Mapping[str, str]) -> Request:
    """Return the request `restyle clip.wav "a prompt" strength 0.6`; `job` is the id of a render, `extra` adds keys.

    Raises a ProtocolError when the words do not follow the protocol.
    """
    kind = _kind_of(operation)
    names = [name for name in kind.fixed if name != "job" or not _is_render(kind)]
    if len(words) < len(names):
        raise MissingArgumentError(operation, names[len(words)], names)
    core = {name: _value(name, word) for name, word in zip(names, words, strict=False)}
    rest = words[len(names) :]
    args = [core.get(name, job) for name in kind.fixed]
    for key, word in (*extra.items(), *zip(rest[::2], rest[1::2], strict=False)):
        args += [key, _drawn_seed() if (key, word) == ("seed", "random") else _value(key, word)]
    args += rest[len(rest) - len(rest) % 2 :]  # a key without a value is refused by the parser
    return parse_request(kind.address, args)


def request_from_file(path: Path, job: str | None, default_job: str, extra: Mapping[str, str]) -> Request:
    """Return the request in `{"operation": "restyle", "clip": "/clip.wav", "prompt": "thunder", "strength": 0.6}`.

    The prompt may be left out where the key `like` names a sound.

    Raises RequestFileError for another kind of file, ProtocolError when it does not follow the protocol.
    """
    try:
        content = json.loads(text_of(path))
        kind = _kind_of(content.pop("operation"))
    except (OSError, ValueError, KeyError, AttributeError, TypeError, RecursionError) as error:
        raise RequestFileError(path, _reason(error)) from error
    if _is_render(kind):
        content["job"] = job or content.get("job", default_job)
    return _from_content(kind, content | extra)


def _reason(error: Exception) -> str:
    """Return why a file is not a request."""
    match error:
        case TooMuchTextError():
            return f"it is longer than {_MAX_FILE_BYTES:,} bytes"
        case UnicodeDecodeError():
            return "it is no text in UTF-8 or UTF-16"
        case json.JSONDecodeError(msg=what, lineno=line, colno=column):
            return f"it is no JSON ({what} in line {line}, column {column})"
        case OSError():
            return error.strerror or "it cannot be read"
    return "it is no object that names its operation"


def text_of(path: Path) -> str:
    """Return the text of a request file in UTF-8 or UTF-16; other bytes may belong to a file name, as hosts write it.

    Raises OSError, ValueError.
    """
    with path.open("rb") as file:  # also a pipe, such as /dev/stdin: only its length can be limited
        content = file.read(_MAX_FILE_BYTES + 1)
    if len(content) > _MAX_FILE_BYTES:
        raise TooMuchTextError
    return content.decode(json.detect_encoding(content), "surrogateescape" if os.name == "posix" else "strict")


def request_from_fields(values: Mapping[str, Any], job: str, extra: Mapping[str, str]) -> Request:
    """Return the request in a row of a table; text is converted by the kind of each argument.

    Raises a ProtocolError when it does not follow the protocol.
    """
    content = {name: _value(name, value) if isinstance(value, str) else value for name, value in values.items()}
    return _from_content(_kind_of(str(content.pop("operation"))), {**content, "job": job, **extra})


def _from_content(kind: type[Request], content: dict[str, Any]) -> Request:
    if _is_render(kind) and "like" in content:
        content.setdefault("prompt", "")
    for name in kind.fixed:
        if name not in content:
            raise MissingArgumentError(kind.address, name, kind.fixed)
    args = [_absolute(name, content.pop(name)) for name in kind.fixed]
    for key, value in content.items():
        args += [part for item in _items(key, value) for part in (key, _absolute(key, item))]
    return parse_request(kind.address, args)


def _kind_of(operation: str) -> type[Request]:
    if operation not in OPERATIONS:
        raise UnknownAddressError(operation, OPERATIONS)
    return OPERATIONS[operation]


def _drawn_seed() -> int:
    """Draw a seed; the result's name contains it."""
    return int.from_bytes(os.urandom(8), "big") % 1_000_000


def _is_render(kind: type[Request]) -> bool:
    return issubclass(kind, RenderRequest)


def _value(name: str, word: str) -> Any:
    """Convert a word by the kind of its argument; an unknown name is refused later, by the parser."""
    if name not in ARGUMENTS:
        return word
    try:
        return _absolute(name, ARGUMENTS[name].from_word(word))
    except (ValueError, KeyError):
        raise WrongTypeError(name, word, ARGUMENTS[name].expected) from None


def _absolute(name: str, value: Any) -> Any:
    is_path = name in ARGUMENTS and ARGUMENTS[name] is PATH and isinstance(value, str) and value
    return os.path.abspath(os.path.expanduser(value)) if is_path else value


def _items(key: str, value: Any) -> Iterator[Any]:
    """Yield the values of a repeatable key one by one; a region may also be a list of numbers: [1, 2]."""
    if key not in REPEATABLE or not isinstance(value, list):
        yield value
        return
    for item in value:
        yield " ".join(map(str, item)) if isinstance(item, list) else item
