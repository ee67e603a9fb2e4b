"""The corpus's newer sounds of electronic sounds, interfaces, music."""

from __future__ import annotations

from engine.sounds.corpus_entry import CorpusEntry

ELECTRONIC: dict[str, CorpusEntry] = {}
