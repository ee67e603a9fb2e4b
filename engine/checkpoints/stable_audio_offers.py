"""The Stable Audio 3 models that Stability AI published on the Hub: their sizes, and the two licences of their weights.

The Hub gives the files only to accounts that accepted both on the model's page. Nothing here needs PyTorch or a
connection.
"""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Licence:
    """A licence, and what it means in a line."""

    name: str
    url: str
    means: str


LICENCES = (
    Licence(
        "Stability AI Community License",
        "https://stability.ai/license",
        "of the model: free below one million dollars of revenue a year; above that, ask Stability AI",
    ),
    Licence(
        "Gemma Terms of Use",
        "https://ai.google.dev/gemma/terms",
        "of its text encoder: pass its restrictions of use (section 3.2) on with it",
    ),
)


@dataclass(frozen=True)
class PublishedStableAudio:
    """One published model; `at_once_s` is the longest sound without windows."""

    name: str
    hub: str
    good_at: str
    about_bytes: int
    at_once_s: float
    sample_rate: int = 44_100
    channels: int = 2
    revision: str = "main"


_SMALL, _MEDIUM = (3_400_000_000, 120.0), (10_400_000_000, 380.0)

STABLE_AUDIO: tuple[PublishedStableAudio, ...] = tuple(
    PublishedStableAudio(name, f"stabilityai/{name}", good_at, *size)
    for name, good_at, size in (
        ("stable-audio-3-small-sfx", "sound effects, in 8 steps; the one to begin with", _SMALL),
        ("stable-audio-3-small-sfx-base", "sound effects, in 50 steps with guidance", _SMALL),
        ("stable-audio-3-medium", "sounds and music, in 8 steps; wants a graphics card", _MEDIUM),
        ("stable-audio-3-medium-base", "sounds and music, in 50 steps with guidance; wants a graphics card", _MEDIUM),
    )
)


def stable_audio_as(text: str, rows: Sequence[PublishedStableAudio] = STABLE_AUDIO) -> str | None:
    """The name here of a published model that goes by `text`: by this name or its repository's."""
    return next((row.name for row in rows if text.lower() in (row.name, row.hub.lower())), None)
