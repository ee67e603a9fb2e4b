"""From a command to the daemon's request, and to the names of its takes. Pure: no socket, no Live."""

from __future__ import annotations

from typing import Any, NamedTuple

from .commands import PREFIX, RENDERS, Command, Refusal
from .excerpt import Excerpt


class Wish(NamedTuple):
    """What is asked for, apart from the clip: it can be asked for again."""

    operation: str
    values: dict[str, Any]
    keys: dict[str, Any]


SEEDS = 2**32
TITLES = {"restyle": "Restyle", "vary": "More like this", "inpaint": "Inpaint"}
TITLES.update({"generate": "Generate", "upscale": "Upscale"})


def wish_of(command: Command, last: Wish | None) -> Wish:
    """Read what a command wishes for; `again` is the last wish with the next seed. Raises Refusal."""
    operation = command.address[len(PREFIX) :]
    if operation in RENDERS:
        return Wish(operation, command.values, command.keys)
    if last is None:
        raise Refusal("nothing_to_repeat", "nothing was asked for yet", "begin with restyle or generate")
    keys = dict(last.keys, seed=(last.keys.get("seed", 1) + 1) % SEEDS)
    return last._replace(keys=keys)


def arguments_of(wish: Wish, excerpt: Excerpt) -> list[Any]:
    """Give the arguments of the daemon's request after the job id."""
    values = dict(wish.values)
    fixed: list[Any] = [] if wish.operation == "generate" else [excerpt.file]
    if "prompt" in values:
        fixed.append(values["prompt"])
    keys = dict(wish.keys, client="Ableton Live")
    if wish.operation == "inpaint":
        fixed += [excerpt.start_s + values["start_s"], excerpt.start_s + values["end_s"]]
    elif wish.operation != "generate" and excerpt.ends is not None:
        keys.update(start_s=excerpt.start_s, end_s=excerpt.ends[1])
    return [*fixed, *(part for pair in keys.items() for part in pair)]


def names_of(wish: Wish, count: int) -> list[str]:
    """Name the takes after what was done, with which words and seed."""
    prompt = wish.values.get("prompt") or wish.keys.get("prompt", "")
    words = [TITLES[wish.operation], prompt, f"seed {wish.keys.get('seed', 1)}"]
    name = " - ".join(word for word in words if word)
    return [name if count == 1 else f"{name} - {index + 1} of {count}" for index in range(count)]
