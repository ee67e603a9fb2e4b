"""The player process: previews by stdin, reports by stdout, and in between PortAudio plays.

It is a process of its own because audio drivers crash, hang and abort; then it dies, and the client gets a sentence.
It lives as long as its parent: the end of stdin, for whatever reason, is its end, too. No torch here.
"""

import contextlib
import json
import logging
import os
import queue
import signal
import sys
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import BinaryIO

from bridge.errors import BridgeError, PreviewFailedError
from bridge.host.child_pipes import claim_stdout
from bridge.preview.devices import Outputs, choose
from bridge.preview.file_reader import FilePart
from bridge.preview.playback import Playback
from bridge.rendering.pipe import requests_from_line, to_line
from bridge.wire.messages import Done, Fail, Preview, PreviewReply, Reply, Request

_TICK_S = 0.05
_REPORT_S = 0.21
"""At most five reports a second."""

log = logging.getLogger(__name__)

PreviewRequests = queue.SimpleQueue[Request]


class Player:
    """Plays one preview after the other; any request ends the one that plays.

    On the main thread; another reads stdin into `requests`, so that a stop arrives while a driver takes its time.
    """

    def __init__(self, requests: PreviewRequests, send: Callable[[Reply], None]) -> None:
        self._requests = requests
        self._send = send
        self._outputs: Outputs | None = None
        self._next: Request | None = None

    def run(self) -> None:
        """Play what is requested, for ever; the end of stdin ends the process."""
        while True:
            request, self._next = self._next or self._requests.get(), None
            if isinstance(request, Preview):
                self._preview(request)

    def _preview(self, request: Preview) -> None:
        try:
            self._send(self._play(request))
        except Exception as error:  # the client gets a sentence, whatever it was
            log.info("preview of %s", request.path, exc_info=error)
            failure = error if isinstance(error, BridgeError) else PreviewFailedError(error)
            self._send(Fail(request.address, "", failure.code, failure.text, failure.hint))
            self._send(PreviewReply("failed", request.path))

    def _play(self, request: Preview) -> PreviewReply:
        """Play to the end or to the next request, and return the last report."""
        part = FilePart(request.path, request.start_s or 0.0, request.end_s, loop=bool(request.loop))
        with contextlib.closing(part), contextlib.closing(Playback(request, part, self._devices())) as playback:
            playback.start()
            self._send(Done(request.address, "", (request.path,)))
            return self._follow(playback)

    def _devices(self) -> Outputs:
        """Return the devices that there are now."""
        if self._outputs is None:
            self._outputs = Outputs()
        self._outputs.refresh()
        return self._outputs

    def _follow(self, playback: Playback) -> PreviewReply:
        reported_at = time.monotonic()
        while not playback.is_over:
            try:
                self._next = self._requests.get(timeout=_TICK_S)
            except queue.Empty:
                playback.check()
            else:
                playback.leave()
                return playback.report("stopped")
            if time.monotonic() - reported_at >= _REPORT_S:
                reported_at = time.monotonic()
                self._send(playback.report("playing"))
        return playback.report("ended")


def _listen(stdin: BinaryIO, requests: PreviewRequests) -> None:
    """Read requests until stdin ends, or cannot be understood; then end the process, whatever plays or hangs.

    By _exit: a driver that hangs holds the main thread, which then cannot end itself.
    """
    try:
        for line in stdin:
            requests.put(requests_from_line(line)[0])
    finally:
        os._exit(0)


def _describe_devices(chosen: str) -> dict[str, object]:
    """List the devices for `retake preview --devices`, and mark the one that `chosen` names."""
    try:
        outputs = Outputs().listed()
    except BridgeError as error:
        return {"error": {"code": error.code, "text": error.text, "hint": error.hint}}
    facts: dict[str, object] = {"devices": [asdict(output) | {"is_chosen": False} for output in outputs]}
    try:
        index = choose(outputs, chosen).index
    except BridgeError as error:
        return facts | {"error": {"code": error.code, "text": error.text, "hint": error.hint}}
    return facts | {"devices": [asdict(output) | {"is_chosen": output.index == index} for output in outputs]}


def main(argv: Sequence[str] | None = None) -> int:
    """Run the player: `retake player`; or list the devices: `retake player devices NAME`."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C in a terminal reaches us, too; the parent decides
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")
    pipe = claim_stdout()
    match argv:
        case ["devices", chosen]:
            pipe.write(json.dumps(_describe_devices(chosen)).encode() + b"\n")
            pipe.flush()
            return 0

    def send(reply: Reply) -> None:
        pipe.write(to_line(reply))
        pipe.flush()

    requests: PreviewRequests = queue.SimpleQueue()
    threading.Thread(target=_listen, args=(sys.stdin.buffer, requests), daemon=True).start()
    Player(requests, send).run()
    return 0
