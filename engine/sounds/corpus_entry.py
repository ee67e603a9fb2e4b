"""What the corpus knows of a sound: how it is made, where it may be, and what it is called.

A wording is a noun phrase ("a dog bark") or a clause whose subject and participle are separated by "|" (singular,
"a dog | barking") or "~" (plural, "waves ~ crashing on the shore"). A leading "*" holds a wording out of training.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from engine.sounds.synthesis import Signal, SynthContext

ANYWHERE = ("near", "distant", "hall")
OUTDOORS = ("near", "distant")
NOWHERE = ()


@dataclass(frozen=True)
class CorpusEntry:
    """One sound: how it is made, which values of the attribute "space" it may take, and what it is called."""

    synthesise: Callable[[SynthContext], Signal]
    spaces: tuple[str, ...]
    wordings: tuple[str, ...]


def entry(synthesise: Callable[[SynthContext], Signal], spaces: tuple[str, ...], wordings: str) -> CorpusEntry:
    return CorpusEntry(synthesise, spaces, tuple(wording.strip() for wording in wordings.split(";")))
