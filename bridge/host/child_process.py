"""A child process that is spoken to in lines, as its parent sees it: start, read, log, end.

The render process, the farm's process and the player are each a subclass that says what their lines mean. Everything
here runs on the event loop of the parent, which must never wait for a child: two tasks empty its pipes for as long as
it lives, and every wait for its end has a limit.
"""

import asyncio
import contextlib
import logging
import os
from abc import ABC, abstractmethod
from asyncio.subprocess import PIPE, Process
from collections.abc import Mapping, Sequence
from types import MappingProxyType

from bridge.errors import BridgeError
from bridge.host.job_log import about_job, marked_job
from bridge.host.program import HOME, start_flags

GRACE_S = 2.0
"""How long a child may take to leave once its stdin is closed, and how long to wait for one that was killed."""

_MAX_LINE = 2**22
"""Bytes of one line from a child."""

log = logging.getLogger(__name__)


async def start_process(command: Sequence[str], environment: Mapping[str, str] = MappingProxyType({})) -> Process:
    """Start a program with pipes to it, and `environment` on top of our own. Raises OSError when the system refuses."""
    return await asyncio.create_subprocess_exec(
        *command,
        stdin=PIPE,
        stdout=PIPE,
        stderr=PIPE,
        cwd=HOME,
        limit=_MAX_LINE,
        env=os.environ | dict(environment),
        creationflags=start_flags(),
    )


class ChildProcess(ABC):
    """One child process. `name` is for the log; `job` is what it works on, for the log as well."""

    def __init__(self, process: Process, name: str) -> None:
        self.name = name
        self.job = ""  # kept here because the tasks below outlive the request, and its log context, that started them
        self._process = process
        self._is_ending = False
        # Two tasks, because a child that fills one pipe while we wait for the other would block for ever.
        self._reading = asyncio.create_task(self._read_lines())
        self._logging = asyncio.create_task(self._read_log())
        log.info("%s %d started", name, process.pid)

    @abstractmethod
    def read(self, line: bytes) -> None:
        """Take a line of the child's stdout. Raises BridgeError or ValueError for one that it should not have sent."""

    @abstractmethod
    def note_end(self) -> None:
        """Be called once, after the last line, when the child has ended."""

    @property
    def pid(self) -> int:
        """The system's number for the process."""
        return self._process.pid

    @property
    def is_alive(self) -> bool:
        """Whether more lines may come. False only after the last one was read, so that none is overlooked."""
        return not self._reading.done()

    @property
    def is_usable(self) -> bool:
        """Whether it lives and was not asked to end."""
        return self.is_alive and not self._is_ending

    @property
    def exit_code(self) -> int | None:
        """The code that it ended with; None while it runs."""
        return self._process.returncode

    def send(self, line: bytes) -> None:
        """Write a line to its stdin; a child that has gone is noticed by `read`'s task, not here."""
        assert self._process.stdin is not None
        self._process.stdin.write(line)

    def kill(self) -> None:
        """End it by force, without waiting for that."""
        self._is_ending = True
        with contextlib.suppress(ProcessLookupError):
            self._process.kill()

    async def end(self, grace_s: float = GRACE_S) -> None:
        """Close its stdin, which asks it to leave, and kill it when it has not left after `grace_s` seconds."""
        self._is_ending = True
        assert self._process.stdin is not None
        self._process.stdin.close()
        try:
            async with asyncio.timeout(grace_s):
                await self._process.wait()
        except TimeoutError:
            self.kill()
        # With a limit: a process that waits for a driver or a network drive does not end even when it is killed.
        await asyncio.wait([self._reading, self._logging], timeout=GRACE_S)

    async def _read_lines(self) -> None:
        assert self._process.stdout is not None
        try:
            async for line in self._process.stdout:
                self.read(line)
        except (BridgeError, ValueError):
            # Whatever follows such a line cannot be trusted either, and a fresh process costs only a start.
            with about_job(self.job):
                log.exception("%s %d sent a line that cannot be read", self.name, self.pid)
            self.kill()
        await self._process.wait()
        with about_job(self.job):
            log.info("%s %d ended with code %s", self.name, self.pid, self.exit_code)
        self.note_end()

    async def _read_log(self) -> None:
        """Copy its stderr into our log, each line under the job that the child says it is about."""
        stderr, job = self._process.stderr, ""
        assert stderr is not None
        while True:
            try:
                line = await stderr.readline()
            except ValueError:
                continue  # a line beyond _MAX_LINE was dropped; to stop reading would block the child at a full pipe
            if not line:
                return
            text = line.decode(errors="replace")
            if (marked := marked_job(text)) is not None:
                job = marked
                continue
            with about_job(job):
                log.info("%s %d: %s", self.name, self.pid, text.rstrip())
