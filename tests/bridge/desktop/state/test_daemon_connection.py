"""The connection to the daemon."""

from bridge.desktop.state.daemon_connection import DaemonConnection
from bridge.errors import DaemonMissingError
from bridge.wire.messages import Generate


class TestConnection:
    def test_that_hung_up_tells_nothing_more(self, tmp_path):
        """Its threads may outlive the window by some seconds; what they told would go to nobody, with a traceback."""
        told = []
        link = DaemonConnection(tmp_path, told.append)
        link.stop(quit_daemon=False)

        link._give_up(Generate(job="a", prompt="rain"), DaemonMissingError("the daemon does not answer"))

        assert told == []
