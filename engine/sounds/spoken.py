"""Which attributes a caption speaks of: found by the words of the table, since a caption leaves some of them out."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from engine.sounds.captions import SYNONYMS
from engine.sounds.counts import NUMBERS


def spoken_attributes(caption: str, attributes: Mapping[str, str]) -> dict[str, str]:
    """Those of a clip's attributes that its caption speaks of, kind -> value.

    Longer words come first, and every place is read once: "in a big room" speaks of a hall, not of a size.
    """
    left, named = " " + " ".join(re.findall(r"[a-z0-9-]+", caption.lower())) + " ", set[tuple[str, str]]()
    for phrase, meanings in _MEANINGS.items():
        if f" {phrase} " in left:
            left = left.replace(f" {phrase} ", " | ")
            named |= meanings
    return {kind: value for kind, value in attributes.items() if (kind, value) in named}


def _meanings() -> dict[str, set[tuple[str, str]]]:
    """Phrase -> the attributes that it may stand for, the longest phrase first."""
    found: dict[str, set[tuple[str, str]]] = {}
    for phrase, kind, value in _phrases():
        found.setdefault(phrase, set()).add((kind, value))
    return dict(sorted(found.items(), key=lambda item: (-len(item[0]), item[0])))


def _phrases() -> Iterator[tuple[str, str, str]]:
    for kind, values in SYNONYMS.items():
        for value, synonyms in values.items():
            for phrase in (*synonyms.adjectives, *synonyms.adverbs, *synonyms.endings):
                yield phrase, kind, value
    for value, phrases in NUMBERS.items():
        for phrase in phrases:
            yield phrase, "count", value


_MEANINGS = _meanings()
