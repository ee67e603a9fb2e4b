"""The connection to the daemon."""

from bridge.desktop.state.daemon_connection import DaemonConnection
from bridge.errors import DaemonMissingError
from bridge.wire.messages import Generate

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


class TestConnection:
    def test_that_hung_up_tells_nothing_more(self, tmp_path):
        """Its threads may outlive the window by some seconds; what they told would go to nobody, with a traceback."""
        told = []
        link = DaemonConnection(tmp_path, told.append)
        link.stop(quit_daemon=False)

        link._give_up(Generate(job="a", prompt="rain"), DaemonMissingError("the daemon does not answer"))

        assert told == []
