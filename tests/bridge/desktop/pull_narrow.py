"""`retake models …` with a narrow checkpoint in the place of a published one; the facts come in RETAKE_NARROW."""

import json
import os
import sys

from engine.checkpoints import published
from engine.cli import main

facts = json.loads(os.environ["RETAKE_NARROW"])
published.TOKENIZER = tuple(tuple(row) for row in facts["tokenizer"])
published.PUBLISHED = (
    published.Published(
        "audioldm-s-full-v2", 77, "narrow.ckpt", "tests", 20_000_000, facts["size"], hub="cvssp/narrow"
    ),
)
sys.exit(main(sys.argv[1:]))
