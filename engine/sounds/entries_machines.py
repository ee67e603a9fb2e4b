"""The corpus's newer sounds of machines, tools and impacts."""

from __future__ import annotations

from engine.sounds.corpus_entry import CorpusEntry

MACHINES: dict[str, CorpusEntry] = {}
