"""The corpus's newer sounds of the house, the body and its clothes."""

from __future__ import annotations

from engine.sounds import doors, fabric
from engine.sounds.corpus_entry import ANYWHERE, CorpusEntry, entry

HOUSEHOLD: dict[str, CorpusEntry] = {
    "door": entry(
        doors.door,
        ANYWHERE,
        "a door handle; a door | opening and closing; an opening door; a door | opening; a closing door; a door | "
        "closing; a handle and a latch; someone | opening and closing a door; a door latch; *a door | being opened "
        "and closed; *someone | closing a door; *the latch of a door; *opening and closing a door",
    ),
    "cloth": entry(
        fabric.cloth,
        ANYWHERE,
        "cloth; rustling cloth; clothes ~ rustling; the rustle of clothes; fabric | rustling; rustling fabric; "
        "clothing; a jacket | rustling; someone | rustling in a jacket; *cloth | rustling; *a rustle of fabric; "
        "*rustling clothes; *clothing | rustling",
    ),
    "paper": entry(
        fabric.paper,
        ANYWHERE,
        "paper; paper | crumpling; crumpling paper; paper | rustling; rustling paper; a sheet of paper; someone | "
        "crumpling paper; pages ~ turning; turning pages; *paper | being crumpled; *the rustle of paper; *sheets of "
        "paper; *a page | turning",
    ),
    "zip": entry(
        fabric.zip_fastener,
        ANYWHERE,
        "a zip; a zipper; a zipper | zipping; zipping; a jacket zipper; someone | zipping up a jacket; pulling a "
        "zipper; a bag zipper; zips; *a zip | being pulled; *a zipper on a jacket; *someone | pulling a zip; "
        "*zipping up",
    ),
    "rope": entry(
        fabric.rope,
        ANYWHERE,
        "a rope; a rope | creaking; a creaking rope; ropes ~ creaking; a rope | stretching; a rope under strain; a "
        "stretching rope; ropes; a thick rope; *the creak of a rope; *a rope | straining; *creaking ropes; *a rope | "
        "stretching and creaking",
    ),
    "lock": entry(
        doors.lock,
        ANYWHERE,
        "a lock; a key in a lock; a key | turning in a lock; unlocking; a lock | clicking; someone | unlocking a "
        "door; locking a door; keys in a lock; a bolt | sliding in a lock; *turning a key in a lock; *a door lock; "
        "*someone | locking a door; *a lock and a key",
    ),
    "scissors": entry(
        doors.scissors,
        ANYWHERE,
        "scissors; scissors ~ cutting; a pair of scissors; scissors ~ snipping; snipping; someone | snipping with "
        "scissors; scissors ~ cutting paper; snips of scissors; snipping scissors; *cutting with scissors; *a pair of "
        "scissors | snipping; *scissors ~ snipping paper; *the snip of scissors",
    ),
}
