"""From a command to the daemon's request, and to the names of its takes. Pure: no socket, no Live."""

from __future__ import annotations

from typing import Any, NamedTuple

from .commands import PREFIX, Command, Refusal
from .excerpt import Excerpt
from .operations import OPERATIONS

IN_VIEW = "clip"
"""What `follow` says for the clip in view, instead of a file's path, which begins otherwise."""


class Request(NamedTuple):
    """What is asked for, apart from the clip: it can be asked for again."""

    operation: str
    values: dict[str, Any]
    keys: dict[str, Any]


def seed_of(request: Request) -> int:
    """Return the seed that a request has, or that the daemon gives it."""
    return int(request.keys.get("seed", OPERATIONS[request.operation].fields["seed"].default))


def request_of(command: Command, last: Request | None) -> Request:
    """Return what a command asks for; `again` is the last request with the next seed. Raises Refusal."""
    operation = command.address[len(PREFIX) :]
    if operation in OPERATIONS:
        return Request(operation, command.values, command.keys)
    if last is None:
        raise Refusal("nothing_to_repeat", "nothing was asked for yet", "begin with restyle or generate")
    limits, seed = OPERATIONS[last.operation].fields["seed"], seed_of(last) + 1
    following = limits.minimum if limits.maximum is not None and seed > limits.maximum else seed
    return last._replace(keys=dict(last.keys, seed=following))


def is_following(request: Request) -> bool:
    """Return whether a sound follows the clip in view: then it is a take of that clip."""
    return request.keys.get("follow") == IN_VIEW


def arguments_of(request: Request, excerpt: Excerpt) -> list[Any]:
    """Return the arguments of the daemon's request after the job id."""
    values = dict(request.values)
    fixed: list[Any] = [] if request.operation == "generate" else [excerpt.file]
    if "prompt" in values:
        fixed.append(values["prompt"])
    keys = dict(request.keys, client="Ableton Live")
    if is_following(request):
        keys["follow"] = excerpt.file
    if request.operation == "inpaint":
        fixed += [excerpt.start_s + values["start_s"], excerpt.start_s + values["end_s"]]
    elif request.operation != "generate" and excerpt.ends is not None:
        keys.update(start_s=excerpt.start_s, end_s=excerpt.ends[1])
    return [*fixed, *(part for pair in keys.items() for part in pair)]


def names_of(request: Request, count: int) -> list[str]:
    """Name the takes after what was done, with which words and seed."""
    prompt = request.values.get("prompt") or request.keys.get("prompt", "")
    words = [OPERATIONS[request.operation].label, prompt, f"seed {seed_of(request)}"]
    name = " - ".join(word for word in words if word)
    return [name if count == 1 else f"{name} - {index + 1} of {count}" for index in range(count)]
