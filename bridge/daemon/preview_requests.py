"""What clients ask of the player: to play a file, and to stop."""

from collections.abc import Sequence
from functools import partial

from bridge.daemon.file_threads import FileThreads
from bridge.daemon.osc_server import Address, OscServer
from bridge.daemon.subscribers import Subscribers
from bridge.host.paths import PathRules
from bridge.preview.supervisor import Previewer, PreviewRules
from bridge.wire.messages import Preview, PreviewReply, Reply, Stop


class PreviewRequests:
    """Passes on what may be played, and sends out what the player reports."""

    def __init__(
        self,
        server: OscServer,
        subscribers: Subscribers,
        files: FileThreads,
        paths: PathRules,
        command: Sequence[str],
        rules: PreviewRules,
    ) -> None:
        self.previewer = Previewer(command, rules, self._report)
        self._server, self._subscribers = server, subscribers
        self._files, self._paths = files, paths

    def accept(self, request: Preview | Stop, sender: Address) -> None:
        """Play a file in place of the one that plays, or stop. Raises ClipRefusedError."""
        self._files.run(request, partial(self._paths.check_preview, request))
        self.previewer.accept(request, sender)

    def _report(self, reply: Reply, sender: Address) -> None:
        """Send a reply to the client that asked; where a preview is, to all who follow everything as well."""
        if isinstance(reply, PreviewReply):
            self._subscribers.announce(reply, sender)
        else:
            self._server.send(reply, sender)
