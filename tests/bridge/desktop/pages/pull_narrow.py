"""`retake models …` with a narrow checkpoint in the place of a published one; the facts come in RETAKE_NARROW."""

import argparse
import json
import os
import sys
from dataclasses import replace

from engine import cli
from engine.checkpoints.published import Published
from engine.cli import models

facts = json.loads(os.environ["RETAKE_NARROW"])
tokenizer = tuple((str(name), int(size), str(sha256)) for name, size, sha256 in facts["tokenizer"])
OFFER = Published(
    "audioldm-s-full-v2", 77, "narrow.ckpt", "tests", 20_000_000, facts["size"], hub="cvssp/narrow", tokenizer=tokenizer
)


def run(options: argparse.Namespace) -> int:
    """Carry out `retake models …` with this offer."""
    return models.run(options, models.Offers((OFFER,)))


commands = [replace(row, run="__main__:run") if row.name == "models" else row for row in cli.COMMANDS]
sys.exit(cli.main(sys.argv[1:], commands))
