"""The corpus's newer sounds of the house, the body and its clothes."""

from __future__ import annotations

from engine.sounds.corpus_entry import CorpusEntry

HOUSEHOLD: dict[str, CorpusEntry] = {}
