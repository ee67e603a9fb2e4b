"""A mixed load: small jobs of every kind, drawn from one random number generator."""

import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bridge.wire.messages import Generate, Inpaint, RenderRequest, Restyle, Upscale, Vary

_WORDS = ("rain", "thunder", "a door", "glass breaks", "wind", "steps on gravel")


def draw_job(dice: random.Random, job: str, clips: Sequence[Path], takes: Path) -> RenderRequest:
    """One job, a fraction of a second long; its seed is drawn from many, so that names rarely meet."""
    keys: dict[str, Any] = {"job": job, "seed": dice.randrange(10**6), "steps": dice.choice((1, 2, 4))}
    keys["output_dir"] = str(takes)
    if dice.random() < 0.2:
        keys["candidates"] = 2
    if dice.random() < 0.3:
        keys["reply"] = str(takes / f"reply-{job}.json")
    prompt, clip = dice.choice(_WORDS), str(dice.choice(clips))
    match dice.randrange(5):
        case 0:
            return Generate(prompt=prompt, **(keys | {"seconds": dice.choice((0.1, 0.5, 1.0))}))
        case 1:
            return Restyle(prompt=prompt, clip=clip, **(keys | {"strength": 0.5}))
        case 2:
            return Inpaint(prompt=prompt, clip=clip, start_s=0.1, end_s=0.3, **keys)
        case 3:
            return Vary(clip=clip, **keys)
        case _:
            return Upscale(clip=clip, **(keys | {"cutoff_hz": 3000.0}))
