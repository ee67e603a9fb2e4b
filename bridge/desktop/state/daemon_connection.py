"""The connection to the daemon: threads that start one if none runs, restart it, and carry requests and replies.

No Qt and no window: news goes to one function, which is called on a thread of this module.
"""

import contextlib
import queue
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from bridge.clients.client import Client, DaemonGoneError
from bridge.clients.launch import start_daemon
from bridge.errors import BridgeError, DaemonMissingError, TokenError
from bridge.host.discovery import Runtime, find_daemon, wait_for_end
from bridge.plain_words import reason_of
from bridge.wire.messages import (
    Ack,
    Cancel,
    Done,
    Fail,
    JobQuery,
    Notify,
    Pause,
    Quit,
    RenderRequest,
    Reply,
    Request,
    Status,
)

RESEND_S = 0.3
_RESENDS = 20
_LISTEN_S = 0.5
_STATUS_S = 2.0
_SILENCE_S = 15.0
"""A daemon that answers nothing for this long is given up."""
_RECONNECT_S = 0.05
_MAX_SILENT_CONNECTIONS = 4
"""Report trouble after this many connections in a row that ended without a reply."""
_LONGEST_PAUSE_S = 20.0
_STOP_S = 10.0

_KEPT = (Cancel, Pause)
"""Requests that are kept while there is no daemon, and sent to the next one."""


@dataclass(frozen=True)
class Up:
    """A daemon answers at `runtime`."""

    runtime: Runtime


@dataclass(frozen=True)
class Away:
    """The daemon has gone; its successor is being found or started."""


@dataclass(frozen=True)
class Down:
    """No daemon can be reached, and why; it is retried automatically."""

    text: str
    hint: str


ConnectionNews = Reply | Up | Away | Down


@dataclass
class _Sent:
    """A job's request that the daemon has not acknowledged."""

    request: RenderRequest
    at: float
    tries: int = 1


class DaemonConnection:
    """Talks to the daemon of a state folder; all news goes to `on_news`."""

    def __init__(self, folder: Path, on_news: Callable[[ConnectionNews], None]) -> None:
        self._folder = folder
        self._on_news = on_news
        self._outbox: queue.SimpleQueue[Request | None] = queue.SimpleQueue()
        self._sent: dict[str, _Sent] = {}
        self._lock = threading.Lock()
        self._kept: list[Request] = []
        self._client: Client | None = None
        self._stopping = threading.Event()
        self._restart = threading.Event()
        self._started_by_us = False
        self._is_up = False
        self._threads = [
            threading.Thread(target=self._listen, name="daemon replies", daemon=True),
            threading.Thread(target=self._send_outbox, name="daemon requests", daemon=True),
        ]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def send(self, request: Request) -> None:
        """Send as soon as there is a daemon; a job's request is resent until it is acknowledged."""
        self._outbox.put(request)

    def restart_daemon(self) -> None:
        """Restart the daemon, so that it reads its settings; it treats unfinished jobs as after any quit."""
        self._restart.set()
        self.send(Quit())

    def stop(self, *, quit_daemon: bool) -> None:
        """Disconnect; with `quit_daemon` a daemon started here quits, too, even one that is still starting."""
        self._stopping.set()
        self._outbox.put(None)
        for thread in self._threads:
            if thread.is_alive():
                thread.join(_STOP_S)
        runtime = find_daemon(self._folder) if quit_daemon and self._started_by_us else None
        if runtime is not None:
            with contextlib.suppress(OSError, DaemonGoneError), Client(runtime) as client:
                client.send(Quit())

    # ----------------------------------------------------------------------------------------- both threads

    def _send_outbox(self) -> None:
        while (request := self._outbox.get()) is not None:
            if isinstance(request, RenderRequest):
                with self._lock:
                    self._sent[request.job] = _Sent(request, time.monotonic())
            if not self._send_now(request) and isinstance(request, _KEPT):
                with self._lock:
                    self._kept.append(request)

    def _publish(self, news: ConnectionNews) -> None:
        """Publish news, but not after `stop`: the receivers may be deleted before these threads end."""
        if not self._stopping.is_set():
            self._on_news(news)

    def _send_now(self, request: Request) -> bool:
        """Send a request; return False without a daemon. A request that cannot be sent at all fails its job."""
        client = self._client
        try:
            if client is not None:
                client.send(request)
                return True
        except (OSError, DaemonGoneError):
            return False
        except BridgeError as error:
            if isinstance(request, RenderRequest):
                self._give_up(request, error)
        return False

    def _listen(self) -> None:
        pause_s, num_silent = 1.0, 0
        while not self._stopping.is_set():
            self._is_up = False
            try:
                runtime = find_daemon(self._folder) or self._start()
                self._talk(runtime)
            except (BridgeError, OSError) as error:
                num_silent = 0 if self._is_up else num_silent + 1
                if self._restart.is_set() or (
                    isinstance(error, DaemonGoneError) and num_silent < _MAX_SILENT_CONNECTIONS
                ):
                    self._restart.clear()
                    self._publish(Away())
                    self._stopping.wait(_RECONNECT_S)
                else:
                    pause_s = 1.0 if self._is_up else min(2 * pause_s, _LONGEST_PAUSE_S)
                    self._publish(Down(*_in_words(error)))
                    self._stopping.wait(pause_s)

    def _start(self) -> Runtime:
        self._started_by_us = True
        return start_daemon(self._folder)

    def _talk(self, runtime: Runtime) -> None:
        """Exchange messages until `stop`, or until the daemon has gone, which raises DaemonMissingError."""
        with Client(runtime) as client:
            try:
                self._subscribe(client)
                self._exchange(client, runtime)
            finally:
                self._client = None

    def _subscribe(self, client: Client) -> None:
        client.send(Notify(on=True))
        client.send(Status())
        self._client = client
        with self._lock:
            kept, self._kept = self._kept, []
            for sent in self._sent.values():
                sent.tries = 0
        for request in kept:
            client.send(request)

    def _exchange(self, client: Client, runtime: Runtime) -> None:
        last_reply_at = asked_at = time.monotonic()
        while not self._stopping.is_set():
            reply = client.receive(RESEND_S if self._sent else _LISTEN_S)
            now = time.monotonic()
            if reply is not None:
                last_reply_at = now
                if not self._is_up and not _is_refusal(reply):
                    self._is_up = True
                    self._publish(Up(runtime))
                self._receive(reply)
            if now - last_reply_at > _SILENCE_S:
                raise DaemonMissingError("the daemon does not answer")
            if now - asked_at > _STATUS_S:
                asked_at = now
                client.send(Notify(on=True))
                client.send(Status())
            self._repeat(client, now)
            if self._restart.is_set():
                self._await_restart(client)

    def _await_restart(self, client: Client) -> None:
        """Wait until the daemon that is to restart has ended."""
        client.send(Quit())
        wait_for_end(self._folder, _STOP_S)
        raise DaemonMissingError("the daemon restarts")

    def _receive(self, reply: Reply) -> None:
        """Publish a reply. Raises DaemonGoneError when the token is refused: its daemon has gone."""
        if _is_refusal(reply):
            raise DaemonGoneError("the daemon was restarted")
        if isinstance(reply, Ack | Fail | Done):
            with self._lock:
                self._sent.pop(reply.job, None)
        if isinstance(reply, Done) and reply.command == Notify.address:
            return
        self._publish(reply)

    def _repeat(self, client: Client, now: float) -> None:
        """Resend unacknowledged requests; UDP may lose messages."""
        with self._lock:
            late = [sent for sent in self._sent.values() if now - sent.at > RESEND_S]
        for sent in late:
            sent.tries, sent.at = sent.tries + 1, now
            if sent.tries > _RESENDS:
                silence = DaemonMissingError("the daemon does not answer")
                silence.hint = "try again; Logs in the menu says more"
                self._give_up(sent.request, silence)
            else:
                client.send(sent.request)

    def _give_up(self, request: RenderRequest, error: BridgeError) -> None:
        with self._lock:
            self._sent.pop(request.job, None)
        self._publish(Fail(request.address, request.job, error.code, error.text, error.hint))

    def ask_about(self, job: str) -> None:
        """Ask the daemon to repeat its last reply about a job."""
        self.send(JobQuery(job=job))


def _is_refusal(reply: Reply) -> bool:
    return isinstance(reply, Fail) and reply.code == TokenError.code


def _in_words(error: Exception) -> tuple[str, str]:
    if isinstance(error, BridgeError):
        return error.text, error.hint
    return f"the daemon cannot be reached: {reason_of(error)}", "see the daemon's log"
