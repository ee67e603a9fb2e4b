"""The line to the daemon: threads that start one where none runs, keep it alive, and carry requests and news.

No Qt and no window: news go to one function, which is called on a thread of this room.
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
"""A daemon that says nothing for so long, though it is asked, is not there for us."""
_BREATH_S = 0.05
_VAIN_TALKS = 4
"""So many talks in a row may end before anything was heard; then something is wrong that another one does not mend."""
_LONGEST_PAUSE_S = 20.0
_STOP_S = 10.0

_KEPT = (Cancel, Pause)
"""What is said as soon as there is a daemon again, when there is none in that moment."""


@dataclass(frozen=True)
class Up:
    """A daemon answers at `runtime`."""

    runtime: Runtime


@dataclass(frozen=True)
class Away:
    """The daemon has gone; its successor is looked for, or started, right now."""


@dataclass(frozen=True)
class Down:
    """No daemon can be reached, and why; it is tried again by itself."""

    text: str
    hint: str


ConnectionNews = Reply | Up | Away | Down


@dataclass
class _Sent:
    """A job's request that the daemon has not acknowledged yet."""

    request: RenderRequest
    at: float
    tries: int = 1


class DaemonConnection:
    """Talks to the daemon of a state folder; every piece of news goes to `tell`."""

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
            threading.Thread(target=self._listen, name="daemon line", daemon=True),
            threading.Thread(target=self._deliver, name="daemon outbox", daemon=True),
        ]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def send(self, request: Request) -> None:
        """Send as soon as there is a daemon; the request of a job is sent again until it is acknowledged."""
        self._outbox.put(request)

    def restart_daemon(self) -> None:
        """End the daemon, so that a new one reads its settings; unfinished jobs are what the daemon makes of them."""
        self._restart.set()
        self.send(Quit())

    def stop(self, *, quit_daemon: bool) -> None:
        """Hang up; with `quit_daemon` a daemon that was started here ends, too, even one that is just starting."""
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

    def _deliver(self) -> None:
        while (request := self._outbox.get()) is not None:
            if isinstance(request, RenderRequest):
                with self._lock:
                    self._sent[request.job] = _Sent(request, time.monotonic())
            if not self._say(request) and isinstance(request, _KEPT):
                with self._lock:
                    self._kept.append(request)

    def _pass_on(self, news: ConnectionNews) -> None:
        """Tell news; nothing once we hang up, when those who would hear may be gone before these threads are."""
        if not self._stopping.is_set():
            self._on_news(news)

    def _say(self, request: Request) -> bool:
        """Send a request; False when there is no daemon to send it to. What cannot be sent at all fails."""
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
        pause_s, num_vain = 1.0, 0
        while not self._stopping.is_set():
            self._is_up = False
            try:
                runtime = find_daemon(self._folder) or self._start()
                self._talk(runtime)
            except (BridgeError, OSError) as error:
                num_vain = 0 if self._is_up else num_vain + 1
                if self._restart.is_set() or (isinstance(error, DaemonGoneError) and num_vain < _VAIN_TALKS):
                    self._restart.clear()
                    self._pass_on(Away())
                    self._stopping.wait(_BREATH_S)
                else:
                    pause_s = 1.0 if self._is_up else min(2 * pause_s, _LONGEST_PAUSE_S)
                    self._pass_on(Down(*_in_words(error)))
                    self._stopping.wait(pause_s)

    def _start(self) -> Runtime:
        self._started_by_us = True
        return start_daemon(self._folder)

    def _talk(self, runtime: Runtime) -> None:
        """Carry news until the daemon is gone, which raises DaemonMissingError, or until we hang up."""
        with Client(runtime) as client:
            try:
                self._greet(client)
                self._carry(client, runtime)
            finally:
                self._client = None

    def _greet(self, client: Client) -> None:
        client.send(Notify(on=True))
        client.send(Status())
        self._client = client
        with self._lock:
            kept, self._kept = self._kept, []
            for sent in self._sent.values():
                sent.tries = 0
        for request in kept:
            client.send(request)

    def _carry(self, client: Client, runtime: Runtime) -> None:
        heard_at = asked_at = time.monotonic()
        while not self._stopping.is_set():
            reply = client.receive(RESEND_S if self._sent else _LISTEN_S)
            now = time.monotonic()
            if reply is not None:
                heard_at = now
                if not self._is_up and not _is_refusal(reply):
                    self._is_up = True
                    self._pass_on(Up(runtime))
                self._receive(reply)
            if now - heard_at > _SILENCE_S:
                raise DaemonMissingError("the daemon does not answer")
            if now - asked_at > _STATUS_S:
                asked_at = now
                client.send(Notify(on=True))
                client.send(Status())
            self._repeat(client, now)
            if self._restart.is_set():
                self._see_off(client)

    def _see_off(self, client: Client) -> None:
        """Wait for the end of a daemon that was told to go."""
        client.send(Quit())
        wait_for_end(self._folder, _STOP_S)
        raise DaemonMissingError("the daemon starts anew")

    def _receive(self, reply: Reply) -> None:
        """Pass news on. Raises DaemonGoneError when the token is refused: the daemon that it was good for has gone."""
        if _is_refusal(reply):
            raise DaemonGoneError("the daemon was started anew")
        if isinstance(reply, Ack | Fail | Done):
            with self._lock:
                self._sent.pop(reply.job, None)
        if isinstance(reply, Done) and reply.command == Notify.address:
            return
        self._pass_on(reply)

    def _repeat(self, client: Client, now: float) -> None:
        """Send again what was not acknowledged; UDP may lose messages."""
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
        self._pass_on(Fail(request.address, request.job, error.code, error.text, error.hint))

    def ask_about(self, job: str) -> None:
        """Have the daemon repeat its last word about a job."""
        self.send(JobQuery(job=job))


def _is_refusal(reply: Reply) -> bool:
    return isinstance(reply, Fail) and reply.code == TokenError.code


def _in_words(error: Exception) -> tuple[str, str]:
    if isinstance(error, BridgeError):
        return error.text, error.hint
    return f"the daemon cannot be reached: {reason_of(error)}", "see the daemon's log"
