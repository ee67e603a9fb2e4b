"""A job as the window shows it."""

from bridge.desktop.state.job_item import facts_of
from bridge.wire.messages import Inpaint

OTHER_VALUES = {
    "seconds": 2.5,
    "tries": 3,
    "like": "/like.wav",
    "like_weight": 0.25,
    "candidates": 2,
    "negative": "hum",
    "steps": 6,
    "guidance": 4.5,
    "sampler": "ddim",
    "draft": True,
    "strength": 0.3,
    "keep_air": True,
    "structure": 0.0,
    "low_hz": 200.0,
    "high_hz": 900.0,
    "cutoff_hz": 4000.0,
    "output_rate": 48_000,
    "model": "nano",
}
"""A value for every parameter that is not its default."""


class TestFacts:
    def test_name_what_was_asked_for(self):
        request = Inpaint(job="a", clip="/c.wav", prompt="x", start_s=1.0, end_s=2.0, seed=7, model="nano")

        assert facts_of(request) == [("Model", "nano"), ("Region", "1–2 s"), ("Seed", "7")]
