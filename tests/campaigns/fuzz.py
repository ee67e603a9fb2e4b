"""Fuzz: a million random and damaged datagrams to a daemon's socket; it answers throughout, and does not grow.

The daemon is whole but for its model. After every batch a /retake/status has to be answered before the next goes out:
so every datagram is really read, and a hang is noticed.
"""

import random
import socket
import time
from pathlib import Path

from bridge.clients.client import Client
from bridge.wire.messages import Status, StatusReply
from tests.campaigns import light_daemon
from tests.campaigns.datagrams import corpus, damage, entitled
from tests.campaigns.house import House, house
from tests.campaigns.processes import Memory, dropped_datagrams
from tests.campaigns.report import Report, Say
from tests.daemons import PATIENCE_S

BATCH = 100
"""Datagrams between two fences; the system keeps about two hundred for a socket that is not read."""
GROWTH_PERCENT = 5.0
CORPUS = 1_000
_ENOUGH = 50_000
"""Fewer datagrams say nothing about memory."""
_SHARES = {"damaged": 0.80, "noise": 0.10, "whole": 0.09, "entitled": 0.01}


def run_fuzz(seed: int, num_datagrams: int, say: Say, root: Path | None = None) -> Report:
    """Send so many datagrams, and report."""
    report = Report("fuzz", seed)
    with house(root=root, command=light_daemon.COMMAND) as home:
        home.start()
        fuzz = _Fuzz(home, num_datagrams, seed)
        try:
            fuzz.run(say)
        finally:
            fuzz.close()
        _judge(report, fuzz)
    return report


class _Fuzz:
    """One run: what was sent, and how the daemon took it."""

    def __init__(self, home: House, num_datagrams: int, seed: int) -> None:
        self.home, self.runtime = home, home.require_runtime()
        self.memory = Memory()
        self.num_sent = dict.fromkeys(_SHARES, 0)
        self.worst_answer_s, self.seconds = 0.0, 0.0
        self.unanswered = 0
        self._num_datagrams = num_datagrams
        self._dice = random.Random(seed)
        size = min(CORPUS, 50 + num_datagrams // 50)
        self._corpus = corpus(size, seed)
        self._entitled = entitled(size, str(home.takes), self.runtime.token, seed)
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._client = Client(self.runtime)

    def close(self) -> None:
        self._socket.close()
        self._client.__exit__(None, None, None)

    def run(self, say: Say) -> None:
        started_at = time.monotonic()
        while sum(self.num_sent.values()) < self._num_datagrams and not self.unanswered:
            self._send_batch()
            self._pass_fence()
            self.memory.sample(self.home.pid)
            say(f"{sum(self.num_sent.values())} of {self._num_datagrams} datagrams")
        self.seconds = time.monotonic() - started_at

    def _send_batch(self) -> None:
        where = (self.runtime.host, self.runtime.port)
        kinds = self._dice.choices(list(_SHARES), list(_SHARES.values()), k=BATCH)
        for kind in kinds:
            self._socket.sendto(self._datagram(kind), where)
            self.num_sent[kind] += 1

    def _datagram(self, kind: str) -> bytes:
        match kind:
            case "damaged":
                return damage(self._dice.choice(self._corpus), self._dice.choice(self._corpus), self._dice)
            case "noise":
                start = self._dice.choice((b"", b"/", b"/retake/", b"#bundle\0", b"/retake/generate\0\0\0\0,"))
                return start + self._dice.randbytes(self._dice.randrange(200))
            case "whole":
                return self._dice.choice(self._corpus)
            case _:
                return self._dice.choice(self._entitled)

    def _pass_fence(self) -> None:
        """Go on only when the daemon has answered, and so has read everything before."""
        asked_at = time.monotonic()
        self._client.send(Status())
        while not isinstance(self._client.receive(1.0), StatusReply):
            if time.monotonic() > asked_at + PATIENCE_S or not self.home.is_up:
                self.unanswered += 1
                return
        self.worst_answer_s = max(self.worst_answer_s, time.monotonic() - asked_at)


def _judge(report: Report, fuzz: _Fuzz) -> None:
    home, sent = fuzz.home, sum(fuzz.num_sent.values())
    errors = home.state / light_daemon.ERRORS
    log = errors.read_text(errors="replace").splitlines() if errors.exists() else []
    dropped = dropped_datagrams(fuzz.runtime.port)
    report.figures |= {
        "datagrams": sent,
        "of_which": fuzz.num_sent,
        "datagrams_per_second": round(sent / fuzz.seconds),
        "dropped_by_the_system": dropped,
        "worst_status_answer_s": round(fuzz.worst_answer_s, 3),
        "daemon_memory": fuzz.memory.figures(),
    }
    report.holds("the daemon lives, and is the same", found=home.is_up and home.runtime() == fuzz.runtime)
    report.at_most("times that it did not answer", 0, fuzz.unanswered)
    report.at_most("datagrams dropped by the system, %", 1.0, round(100 * dropped / max(sent, 1), 3))
    report.none_of("errors in the daemon's log", log)
    if sent >= _ENOUGH:
        report.at_most("growth of the daemon, %", GROWTH_PERCENT, fuzz.memory.growth_percent())
