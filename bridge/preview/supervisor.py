"""The keeper of the player: one preview at a time, in place of the one before; a player that dies or hangs is replaced.

What it tells goes to the client that asked; reports of where a preview is are for everybody who listens. Each preview
ends with one report: `ended`, `stopped` or `failed`.
"""

import asyncio
import contextlib
import logging
from asyncio.subprocess import PIPE, Process
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from bridge.errors import BridgeError, PreviewFailedError, PreviewReplacedError
from bridge.host.program import HOME, start_flags
from bridge.rendering.pipe import reply_from_line, to_line
from bridge.wire.messages import Done, Fail, Preview, PreviewReply, Reply, Stop

Client = tuple[str, int]
"""Host and port of who asked."""
Tell = Callable[[Reply, Client], None]

_FAREWELL_S = 2.0
"""How long a player may take to leave when it is told to."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class PreviewRules:
    """What holds where a request says nothing, and how long the player may take, in seconds."""

    device: str = ""
    level_db: float = 0.0
    start_s: float = 30.0
    silence_s: float = 12.0
    idle_s: float = 120.0


class _PlayerProcess:
    """One player process. `news` gives what it says, and None at its end."""

    def __init__(self, process: Process) -> None:
        self.news: asyncio.Queue[Reply | None] = asyncio.Queue()
        self._process = process
        self._tasks = [asyncio.create_task(self._read()), asyncio.create_task(self._read_log())]

    @classmethod
    async def start(cls, command: Sequence[str]) -> "_PlayerProcess":
        """Start the process. Raises PreviewFailedError when the system refuses."""
        try:
            process = await asyncio.create_subprocess_exec(
                *command, stdin=PIPE, stdout=PIPE, stderr=PIPE, cwd=HOME, creationflags=start_flags()
            )
        except OSError as error:
            raise PreviewFailedError(f"the player cannot be started: {error}") from error
        log.info("player %d started", process.pid)
        return cls(process)

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def is_alive(self) -> bool:
        return not self._tasks[0].done()

    @property
    def exit_code(self) -> int | None:
        return self._process.returncode

    def order(self, request: Preview | Stop) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(to_line(request))

    async def end(self, patience_s: float) -> None:
        """Let it leave: the end of its input tells it to, and force if it does not."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        try:
            async with asyncio.timeout(patience_s):
                await self._process.wait()
        except TimeoutError:
            self._kill()
        await asyncio.wait(self._tasks, timeout=_FAREWELL_S)  # a process that a driver holds does not even die

    def _kill(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            self._process.kill()

    async def _read(self) -> None:
        assert self._process.stdout is not None
        try:
            async for line in self._process.stdout:
                self.news.put_nowait(reply_from_line(line))
        except (BridgeError, ValueError):
            log.exception("player %d is not understood", self.pid)
            self._kill()
        await self._process.wait()
        log.info("player %d ended with code %s", self.pid, self.exit_code)
        self.news.put_nowait(None)

    async def _read_log(self) -> None:
        assert self._process.stderr is not None
        async for line in self._process.stderr:
            log.info("player %d: %s", self.pid, line.decode(errors="replace").rstrip())


@dataclass(eq=False)
class _Session:
    """A preview, who asked for it, and who waits for its end."""

    request: Preview
    client: Client
    has_begun: bool = False
    is_stopping: bool = False
    player: _PlayerProcess | None = None
    waiting: list[Client] = field(default_factory=list)


class Previewer:
    """Plays what it is asked for, in a process of its own, which goes when nothing was asked for long."""

    def __init__(self, command: Sequence[str], rules: PreviewRules, tell: Tell) -> None:
        self._command = command
        self._rules = rules
        self._tell = tell
        self._player: _PlayerProcess | None = None
        self._now: _Session | None = None
        self._next: _Session | None = None
        self._some = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    @property
    def player_pid(self) -> int | None:
        """The process that plays; None while there is none."""
        return self._player.pid if self._player is not None and self._player.is_alive else None

    def obey(self, request: Preview | Stop, client: Client) -> None:
        """Take an order, at once; everything else is told."""
        if isinstance(request, Stop):
            self._take_stop(client)
        else:
            self._take_preview(request, client)

    async def close(self) -> None:
        """Stop, say so, and let the player go."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        for session in filter(None, (self._now, self._next)):
            self._tell(PreviewReply("stopped", session.request.path), session.client)
            self._answer_stops(session)
        self._now = self._next = None
        await self._dismiss()

    def _take_preview(self, request: Preview, client: Client) -> None:
        """Let a preview follow the one that plays. Sent again before it sounds, it is the same preview."""
        for session in filter(None, (self._now, self._next)):
            is_again = session.request == request and session.client == client
            if is_again and not session.has_begun and not session.is_stopping:
                self._tell(PreviewReply("starting", request.path), client)
                return
        self._withdraw()
        self._next = _Session(request, client)
        self._tell(PreviewReply("starting", request.path), client)
        self._some.set()
        if self._task is None:
            self._task = asyncio.create_task(self._serve())

    def _take_stop(self, client: Client) -> None:
        self._withdraw()
        if self._now is None:
            self._tell(Done(Stop.address, ""), client)
        elif client not in self._now.waiting:
            self._now.waiting.append(client)

    def _withdraw(self) -> None:
        """Stop what plays, and send away what waits."""
        if self._next is not None:
            session, self._next = self._next, None
            self._fail(session, PreviewReplacedError())
        if self._now is not None and not self._now.is_stopping:
            self._now.is_stopping = True
            if self._now.player is not None:
                self._now.player.order(Stop())

    async def _serve(self) -> None:
        """Play what is asked for; let the player go when that was long ago."""
        while True:
            try:
                async with asyncio.timeout(self._rules.idle_s):
                    await self._some.wait()
            except TimeoutError:
                await self._dismiss()
                continue
            self._some.clear()
            while self._next is not None:
                self._now, self._next = self._next, None
                await self._play(self._now)
                session, self._now = self._now, None
                self._answer_stops(session)

    async def _play(self, session: _Session) -> None:
        """See a preview through to its last report, whatever becomes of the player."""
        try:
            player = await self._ensure_player()
            if session.is_stopping:
                self._fail(session, PreviewReplacedError())
                return
            session.player = player
            player.order(self._completed(session.request))
            await self._follow(session, player)
        except BridgeError as error:
            log.info("a preview failed: %s", error.code)  # its sentence names a file of the user's
            self._fail(session, error)
        except Exception as error:  # a preview may fail, the daemon may not
            log.exception("a preview failed")
            self._fail(session, PreviewFailedError(error))

    async def _follow(self, session: _Session, player: _PlayerProcess) -> None:
        while True:
            patience_s = self._rules.silence_s if session.has_begun else self._rules.start_s
            try:
                async with asyncio.timeout(patience_s):
                    news = await player.news.get()
            except TimeoutError:
                await self._dismiss(patience_s=0)
                raise PreviewFailedError(f"the player said nothing for {patience_s:g} s and was ended") from None
            if news is None:
                raise PreviewFailedError(f"the player ended with code {player.exit_code}")
            session.has_begun = session.has_begun or isinstance(news, Done)
            self._tell(news, session.client)
            if isinstance(news, PreviewReply) and news.is_final:
                return

    def _answer_stops(self, session: _Session) -> None:
        for client in session.waiting:
            self._tell(Done(Stop.address, ""), client)

    def _fail(self, session: _Session, error: BridgeError) -> None:
        """Tell why there is no more to hear."""
        self._tell(Fail(session.request.address, "", error.code, error.text, error.hint), session.client)
        state = "stopped" if isinstance(error, PreviewReplacedError) else "failed"
        self._tell(PreviewReply(state, session.request.path), session.client)

    def _completed(self, request: Preview) -> Preview:
        """Add what the settings say where the request says nothing; the token stays here."""
        level_db = self._rules.level_db if request.level_db is None else request.level_db
        return replace(request, device=request.device or self._rules.device, level_db=level_db, token="")

    async def _ensure_player(self) -> _PlayerProcess:
        if self._player is None or not self._player.is_alive:
            self._player = await _PlayerProcess.start(self._command)
        return self._player

    async def _dismiss(self, patience_s: float = _FAREWELL_S) -> None:
        player, self._player = self._player, None
        if player is not None:
            await player.end(patience_s)
