"""The corpus's newer sounds of animals, water and people."""

from __future__ import annotations

from engine.sounds.corpus_entry import CorpusEntry

NATURE: dict[str, CorpusEntry] = {}
