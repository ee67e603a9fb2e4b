"""A take's provenance holds every key of its request, a new one too: `retake again` repeats the take from it."""

from dataclasses import fields, replace
from typing import Any

import pytest

from engine import Audio, Engine
from engine.gesture import CURVES
from engine.presets import TINY, build
from engine.requests.knob import name_outside
from engine.take_provenance import REQUESTS

GIVEN: dict[str, Any] = {
    "prompt": "rain",
    "regions": [(0.2, 0.6)],
    "seconds": 1.0,
    "start_s": 0.1,
    "end_s": 0.8,
    "low_hz": 100.0,
    "high_hz": 5000.0,
    "cutoff_hz": 3000.0,
    "output_rate": 48_000,
    "negative_prompt": "wind",
    "steps": 2,
    "width": 0.5,
}
"""Values for what has none by default: it is recorded only where it is given."""
RECORDED_AS = {"clip": "clip_sha256", "like": "like_sha256", "follow": "follow_sha256", "draft": "steps"}
"""A clip by its samples, and a draft by how it was sampled."""


@pytest.fixture(scope="module")
def following() -> Engine:
    """A model that has every ability."""
    return Engine(build(replace(TINY, unet=replace(TINY.unet, curves=CURVES))))


@pytest.mark.parametrize("operation", REQUESTS)
def test_every_key_of_the_request_is_in_the_provenance(following: Engine, clip: Audio, operation: str) -> None:
    kind = REQUESTS[operation]
    names = [field.name for field in fields(kind)]
    given = {**GIVEN, "clip": clip, "like": clip, "follow": clip}

    (take,) = following.run(kind(**{name: given[name] for name in names if name in given}))

    expected = {RECORDED_AS.get(name, name_outside(kind, name)) for name in names}
    assert expected - set(take.story) == set()
