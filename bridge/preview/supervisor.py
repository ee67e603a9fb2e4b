"""Plays previews in a player process: one at a time, each replacing the one before; a dead or hung player is replaced.

What it reports goes to the client that asked; where a preview is goes to every subscriber as well. Each preview ends
with one report: `ended`, `stopped` or `failed`.
"""

import asyncio
import logging
from asyncio.subprocess import Process
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from bridge.errors import BridgeError, PreviewFailedError, PreviewReplacedError
from bridge.host.child_process import GRACE_S, ChildProcess, start_process
from bridge.rendering.pipe import reply_from_line, to_line
from bridge.wire.messages import Done, Fail, Preview, PreviewReply, Reply, Stop

Client = tuple[str, int]
"""Host and port of the client that asked."""
Report = Callable[[Reply, Client], None]

log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class PreviewRules:
    """Defaults for what a request leaves out, and how long the player may take, in seconds."""

    device: str = ""
    level_db: float = 0.0
    start_s: float = 30.0
    silence_s: float = 12.0
    idle_s: float = 120.0


class _PlayerProcess(ChildProcess):
    """One player process. `replies` receives what it says, and None at its end."""

    def __init__(self, process: Process) -> None:
        self.replies: asyncio.Queue[Reply | None] = asyncio.Queue()
        super().__init__(process, "player")

    def order(self, request: Preview | Stop) -> None:
        self.send(to_line(request))

    def read(self, line: bytes) -> None:
        self.replies.put_nowait(reply_from_line(line))

    def note_end(self) -> None:
        self.replies.put_nowait(None)


@dataclass(eq=False)
class _Session:
    """A preview, the client that asked for it, and the clients that asked for a stop and wait for its end."""

    request: Preview
    client: Client
    has_begun: bool = False
    is_stopping: bool = False
    player: _PlayerProcess | None = None
    waiting: list[Client] = field(default_factory=list)


class Previewer:
    """Plays what it is asked for, in a process of its own, which is ended after `idle_s` without a request."""

    def __init__(self, command: Sequence[str], rules: PreviewRules, report: Report) -> None:
        self._command = command
        self._rules = rules
        self._report = report
        self._player: _PlayerProcess | None = None
        self._now: _Session | None = None
        self._next: _Session | None = None
        self._has_next = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    @property
    def player_pid(self) -> int | None:
        """The process that plays; None while there is none."""
        return self._player.pid if self._player is not None and self._player.is_alive else None

    def accept(self, request: Preview | Stop, client: Client) -> None:
        """Take a request without waiting; everything else is reported."""
        if isinstance(request, Stop):
            self._take_stop(client)
        else:
            self._take_preview(request, client)

    async def close(self) -> None:
        """Stop what plays, report that, and end the player."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        for session in filter(None, (self._now, self._next)):
            self._report(PreviewReply("stopped", session.request.path), session.client)
            self._answer_stops(session)
        self._now = self._next = None
        await self._end_player()

    def _take_preview(self, request: Preview, client: Client) -> None:
        """Let a preview replace the one that plays. Sent again before it sounds, it is the same preview.

        A client repeats a request whose answer may have been lost (UDP), which must not start the sound again.
        """
        for session in filter(None, (self._now, self._next)):
            is_again = session.request == request and session.client == client
            if is_again and not session.has_begun and not session.is_stopping:
                self._report(PreviewReply("starting", request.path), client)
                return
        self._withdraw()
        self._next = _Session(request, client)
        self._report(PreviewReply("starting", request.path), client)
        self._has_next.set()
        if self._task is None:
            self._task = asyncio.create_task(self._serve())

    def _take_stop(self, client: Client) -> None:
        self._withdraw()
        if self._now is None:
            self._report(Done(Stop.address, ""), client)
        elif client not in self._now.waiting:
            self._now.waiting.append(client)

    def _withdraw(self) -> None:
        """Stop what plays, and fail what waits: a preview is for listening now, so only the latest request counts."""
        if self._next is not None:
            session, self._next = self._next, None
            self._fail(session, PreviewReplacedError())
        if self._now is not None and not self._now.is_stopping:
            self._now.is_stopping = True
            if self._now.player is not None:
                self._now.player.order(Stop())

    async def _serve(self) -> None:
        """Play what is asked for; end the player when nothing was for long.

        Previews are played by this one task, so that there is never more than one player, and `accept` only leaves the
        next preview for it. It leaves the loop when it is cancelled by `close`.
        """
        while True:
            try:
                # Not wait_for: when the event and our cancellation come together it may swallow the cancellation.
                async with asyncio.timeout(self._rules.idle_s):
                    await self._has_next.wait()
            except TimeoutError:
                await self._end_player()
                continue
            # Cleared before `_next` is read: a preview that arrives later sets it again, and none is overlooked.
            self._has_next.clear()
            while self._next is not None:
                self._now, self._next = self._next, None
                await self._play(self._now)
                session, self._now = self._now, None
                self._answer_stops(session)

    async def _play(self, session: _Session) -> None:
        """See a preview through to its last report, whatever becomes of the player."""
        try:
            player = await self._get_player()
            if session.is_stopping:  # asked while the player started, when there was none to pass it on to
                self._fail(session, PreviewReplacedError())
                return
            session.player = player  # from now on `_withdraw` passes a stop on to it
            player.order(self._completed(session.request))
            await self._follow(session, player)
        except BridgeError as error:
            log.info("a preview failed: %s", error.code)  # its sentence names a file of the user's
            self._fail(session, error)
        except Exception as error:  # a preview may fail, but `_serve` must go on for the next one
            log.exception("a preview failed")
            self._fail(session, PreviewFailedError(error))

    async def _follow(self, session: _Session, player: _PlayerProcess) -> None:
        while True:
            # Audio drivers take their time to open, hence the longer limit; then reports come several times a second.
            limit_s = self._rules.silence_s if session.has_begun else self._rules.start_s
            try:
                async with asyncio.timeout(limit_s):
                    reply = await player.replies.get()
            except TimeoutError:
                await self._end_player(grace_s=0)
                raise PreviewFailedError(f"the player said nothing for {limit_s:g} s and was ended") from None
            if reply is None:
                raise PreviewFailedError(f"the player ended with code {player.exit_code}")
            session.has_begun = session.has_begun or isinstance(reply, Done)
            self._report(reply, session.client)
            if isinstance(reply, PreviewReply) and reply.is_final:
                return

    def _answer_stops(self, session: _Session) -> None:
        for client in session.waiting:
            self._report(Done(Stop.address, ""), client)

    def _fail(self, session: _Session, error: BridgeError) -> None:
        """Report why the sound ends here."""
        self._report(Fail(session.request.address, "", error.code, error.text, error.hint), session.client)
        state = "stopped" if isinstance(error, PreviewReplacedError) else "failed"
        self._report(PreviewReply(state, session.request.path), session.client)

    def _completed(self, request: Preview) -> Preview:
        """Return the request with the settings' values where it has none; the token stays here."""
        level_db = self._rules.level_db if request.level_db is None else request.level_db
        return replace(request, device=request.device or self._rules.device, level_db=level_db, token="")

    async def _get_player(self) -> _PlayerProcess:
        """Return the player, and start one where there is none. Raises PreviewFailedError when the system refuses."""
        if self._player is None or not self._player.is_alive:
            try:
                self._player = _PlayerProcess(await start_process(self._command))
            except OSError as error:
                raise PreviewFailedError(f"the player cannot be started: {error}") from error
        return self._player

    async def _end_player(self, grace_s: float = GRACE_S) -> None:
        player, self._player = self._player, None
        if player is not None:
            await player.end(grace_s)
