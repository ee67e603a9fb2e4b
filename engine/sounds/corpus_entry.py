"""What the corpus knows of a sound: how it is made, where it may be, and what it is called.

A wording is a noun phrase ("a dog bark") or a clause whose subject and participle are separated by "|" (singular,
"a dog | barking") or "~" (plural, "waves ~ crashing on the shore"). A leading "*" holds a wording out of training.
A "@act=moving" at its end keeps it for clips with that attribute: hoofbeats are not "a horse | neighing".
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from engine.sounds.synthesis import Signal, SynthContext

ANYWHERE = ("near", "distant", "hall")
OUTDOORS = ("near", "distant")
NOWHERE = ()


@dataclass(frozen=True)
class Capture:
    """How a sound came into its file: the noise floor in dB below the loudest frame, and the colour of a microphone.

    The floor is drawn around `floor_db` with the deviation `spread_db`, within limits; `colour` is a share.
    """

    floor_db: float
    spread_db: float
    lowest_db: float
    highest_db: float
    colour: float


RECORDED = Capture(-40.0, 8.0, -60.0, -27.0, 1.0)
"""What was in front of a microphone: with the sounds' own tails, the quietest frames lie as recordings' do."""

SYNTHETIC = Capture(-66.0, 8.0, -84.0, -48.0, 0.3)
"""What came out of a circuit, a game or an app: it never passed through air, so its floor is only that of its circuit
or of a coarse codec, and its colour that of a mixer."""


@dataclass(frozen=True)
class CorpusEntry:
    """One sound: how it is made, which values of "space" it may take, what it is called, how it came into its file."""

    synthesise: Callable[[SynthContext], Signal]
    spaces: tuple[str, ...]
    wordings: tuple[str, ...]
    capture: Capture = RECORDED
    only: Mapping[str, Mapping[str, str]] = field(default_factory=dict)  # wording -> attributes that it is true of


def entry(
    synthesise: Callable[[SynthContext], Signal], spaces: tuple[str, ...], wordings: str, capture: Capture = RECORDED
) -> CorpusEntry:
    """Return the table's row for a sound; `wordings` are parted by ";"."""
    pairs = [tuple(part.strip() for part in wording.partition("@")[::2]) for wording in wordings.split(";")]
    only = {wording: dict([condition.split("=")]) for wording, condition in pairs if condition}
    return CorpusEntry(synthesise, spaces, tuple(wording for wording, _ in pairs), capture, only)
