"""The corpus's newer sounds of machines, tools and impacts."""

from __future__ import annotations

from engine.sounds import machines, strikes, tools
from engine.sounds.corpus_entry import ANYWHERE, CorpusEntry, entry

MACHINES: dict[str, CorpusEntry] = {
    "fan": entry(
        machines.fan,
        ANYWHERE,
        "a fan; an electric fan; a ventilator; a fan | blowing; a fan | whirring; a ceiling fan; a fan | running; a "
        "cooling fan; a ventilator | running; a desk fan; *a whirring fan; *a ventilator | whirring; *a table fan; "
        "*an electric fan | running",
    ),
    "washing_machine": entry(
        machines.washing_machine,
        ANYWHERE,
        "a washing machine; a washing machine | running; a washer; laundry; a washing machine | turning; a washing "
        "machine drum; a washer | running; a laundry machine; washing machines; laundry in a washer; *a running "
        "washing machine; *a laundry drum; *a washer | turning; *a washing machine at work",
    ),
    "hand_saw": entry(
        tools.hand_saw,
        ANYWHERE,
        "a hand saw; sawing by hand; someone | sawing wood by hand; a handsaw; a carpenter | sawing; a handsaw | "
        "sawing; carpentry with a hand saw; a saw | sawing a plank; sawing a plank; hand saws ~ sawing; *a hand saw | "
        "sawing; *handsaws; *a carpenter | sawing a plank; *strokes of a hand saw",
    ),
    "wood_impact": entry(
        strikes.wood_impact,
        ANYWHERE,
        "a wood impact; a wooden thud; a plank | dropping; planks ~ falling; wooden clatter; wooden impacts; a log | "
        "falling; logs ~ dropping; a wooden block | falling; a wooden knock; *impacts on wood; *a "
        "dropping plank; *an impact of wood; *planks ~ dropping",
    ),
    "metal_impact": entry(
        strikes.metal_impact,
        ANYWHERE,
        "a metal impact; a metal clang; clanging metal; clattering metal; a metal pipe | falling; metal | clanging; a "
        "metal clank; a steel pipe | dropping; metal pans ~ clanging; metallic impacts; a metallic clang; "
        "*impacts on metal; *a falling metal pipe; *a clank of metal; *a clanging steel pipe",
    ),
}
