"""A narrow checkpoint and a small feature extractor in the place of the published ones, to be pulled from a mirror.

As a program it is `retake` with these to offer: `python narrow_offers.py models list`.
"""

import hashlib
import json
import sys
import tempfile
from argparse import Namespace
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from engine import cli
from engine.checkpoints.feature_extractors import PublishedExtractor
from engine.checkpoints.published import Published
from engine.cli import models
from engine.models.clap_tokenizer import RobertaTokenizer

NAME, RECORD, FILE, HUB = "audioldm-s-full-v2", 77, "narrow.ckpt", "cvssp/audioldm-narrow"  # the name is a known one
WEIGHTS, PCA = b"weights" * 1000, b"pca"
EXTRACTOR_FILES = tuple(
    f"{name}-{hashlib.sha256(content).hexdigest()[:8]}.pth" for name, content in (("vggish", WEIGHTS), ("pca", PCA))
)
SMALL = PublishedExtractor("vggish", "Apache-2.0", len(WEIGHTS) + len(PCA), EXTRACTOR_FILES)


def vocabulary() -> dict[str, bytes]:
    """Return the files of the tokenizer, by their names on the Hub."""
    with tempfile.TemporaryDirectory() as folder:
        RobertaTokenizer.bytes_only().write(Path(folder))
        tokens = json.loads((Path(folder) / "tokenizer.json").read_text(encoding="utf-8"))["model"]["vocab"]
    return {"vocab.json": json.dumps(tokens).encode(), "merges.txt": b"#version: 0.2\n"}


def narrow(**known: Any) -> Published:
    """Return the row of the narrow checkpoint; keywords are more that is known of it."""
    rows = [(name, len(content), hashlib.sha256(content).hexdigest()) for name, content in vocabulary().items()]
    usual: dict[str, Any] = {"about_bytes": 50_000_000, "hub": HUB, "tokenizer": tuple(rows)}
    return Published(NAME, RECORD, FILE, "tests", 20_000_000, **(usual | known))


def run(options: Namespace) -> int:
    """Carry out `retake models …` with these offers."""
    return models.run(options, models.Offers((narrow(),), (SMALL,), ()))


def main(argv: Sequence[str], run: str = "tests.engine.narrow_offers:run") -> int:
    """Run one command of `retake`; its exit code."""
    commands = [replace(row, run=run) if row.name == "models" else row for row in cli.COMMANDS]
    return cli.main(argv, commands)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], "__main__:run"))
