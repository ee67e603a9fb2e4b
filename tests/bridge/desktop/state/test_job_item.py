"""A job as the window shows it."""

from bridge.desktop.state.job_item import facts_of
from bridge.wire.messages import Inpaint


class TestFacts:
    def test_name_what_was_asked_for(self):
        request = Inpaint(job="a", clip="/c.wav", prompt="x", start_s=1.0, end_s=2.0, seed=7, model="nano")

        assert facts_of(request) == [("Model", "nano"), ("Region", "1–2 s"), ("Seed", "7")]
