"""Faults: a full disk, a read-only folder, a jumping clock, stopped processes, lost datagrams; and what PROTOCOL.md
says about them.

Each fault is a function of one daemon; what it returns goes into the figures.
"""

import os
import random
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import fields, replace
from functools import partial
from pathlib import Path
from typing import Any

from bridge.host.discovery import InstanceLock, Runtime, write_runtime
from bridge.host.settings import Settings
from bridge.wire.messages import Done, Generate, JobQuery
from tests.campaigns.callers import Call, Caller, Crowd
from tests.campaigns.harm import CannotBeDoneError, JumpingClock, no_more_bytes, read_only, small_disk, suspended
from tests.campaigns.house import House, house
from tests.campaigns.lossy_proxy import LossyProxy
from tests.campaigns.report import Report, Say
from tests.campaigns.takes import fault_of_take
from tests.daemons import PATIENCE_S, ROOT, is_alive

NUM_LOSSY_JOBS = 60
_SHORT_SILENCE_S = "4"
_DAY_S = 86_400


def run_faults(seed: int, say: Say, root: Path | None = None, only: str | None = None) -> Report:
    """Try every fault, or one of them, each with a daemon of its own; and report."""
    report = Report("faults", seed)
    for name, fault in FAULTS.items():
        if only not in (None, name):
            continue
        say(name)
        try:
            report.figures[name] = fault(_Bench(report, name, seed, root))
        except CannotBeDoneError as reason:
            report.skipped[name] = str(reason)
    return report


class _Bench:
    """What a fault works with: a house with a daemon, one client in it, and the report."""

    def __init__(self, report: Report, fault: str, seed: int, root: Path | None) -> None:
        self.dice = random.Random(f"{seed} {fault}")
        self._report, self._fault, self._root = report, fault, root

    def require(self, what: str, *, found: bool) -> None:
        self._report.holds(f"{self._fault}: {what}", found=found)

    @contextmanager
    def house(self, *flags: str, is_started: bool = True) -> Iterator[House]:
        with house("--cancel-grace-s", "1", *flags, root=self._root) as home:
            if is_started:
                home.start()
                home.require_runtime()
            yield home


class _Client(Crowd):
    """One caller that asks for one thing after another."""

    def __init__(self, home: House, find_daemon: Callable[[], Runtime | None] | None = None) -> None:
        super().__init__([Caller("c", find_daemon or home.runtime)])
        self._home = home
        self._number = 0

    @property
    def caller(self) -> Caller:
        return self.callers[0]

    def ask(self, folder: Path | None = None, seconds: float = 0.2, steps: int = 1, **keys: Any) -> Call:
        self._number += 1
        given = {"prompt": "rain", "seconds": seconds, "steps": steps, "seed": self._number, **keys}
        return self.caller.ask(Generate(job=f"job-{self._number}", output_dir=str(folder or self._home.takes), **given))

    def render(self, folder: Path | None = None, **keys: Any) -> str:
        """Ask, and wait for the end: "done", or the error's code; "none" if there was none."""
        call = self.ask(folder, **keys)
        self.finish(PATIENCE_S)
        return end_of(call)

    def wait_until(self, condition: Callable[[], bool]) -> bool:
        deadline = time.monotonic() + PATIENCE_S
        while not condition() and time.monotonic() < deadline:
            self.turn()
        return condition()


def end_of(call: Call) -> str:
    """How a job ended: "done", or the code of the error."""
    if not call.ends:
        return "refused" if call.is_refused else "none"
    return getattr(call.ends[0], "code", "done")


def _disk_full(bench: _Bench) -> dict[str, Any]:
    """A real full file system, for takes first, then for the journal."""
    figures: dict[str, Any] = {}
    with bench.house() as home, small_disk(home.root / "disk", 24_576) as disk, _Client(home) as client:
        figures["in a folder with room"] = client.render(disk)
        filler = disk / "filler"
        _fill(filler)
        before = sorted(disk.iterdir())
        figures["in a full one"] = client.render(disk)
        bench.require("the take is refused with disk_full", found=figures["in a full one"] == "disk_full")
        bench.require("nothing is left half written", found=sorted(disk.iterdir()) == before)
        filler.unlink()
        bench.require("it works again when there is room", found=client.render(disk) == "done")
    with bench.house(is_started=False) as home, small_disk(home.state, 512), _Client(home) as client:
        home.start()
        home.require_runtime()
        bench.require("the first job is done", found=client.render() == "done")
        filler = home.state / "filler"
        _fill(filler)
        refused = [client.ask(prompt="rain " * 200) for _ in range(20)]
        client.wait_until(lambda: all(call.has_ended for call in refused))
        figures["with a full journal"] = dict(Counter(end_of(call) for call in refused))
        kept = all(call.is_refused or call.acked_at is not None for call in refused)
        bench.require("what the journal cannot keep is refused, the rest kept", found=kept)
        bench.require("some is refused", found=any(call.is_refused for call in refused))
        bench.require("the daemon lives", found=home.is_up)
        filler.unlink()
        bench.require("it takes jobs again when there is room", found=client.render() == "done")
        home.stop()
        bench.require("the journal is sound", found=home.journal("PRAGMA integrity_check") == [("ok",)])
    return figures


def _fill(file: Path) -> None:
    """Take all the room that is left."""
    with file.open("wb", buffering=0) as target:
        try:
            while True:
                target.write(b"\0" * 4096)
        except OSError:
            return


def _no_room_for_files(bench: _Bench) -> dict[str, Any]:
    """The same without being root: no file may grow beyond a few kB."""
    figures: dict[str, Any] = {}
    with bench.house() as home, _Client(home) as client:
        bench.require("the first job is done", found=client.render() == "done")
        before = sorted(home.takes.iterdir())
        assert home.worker is not None
        with no_more_bytes(home.worker, 4096):
            figures["take"] = client.render(seconds=1.0)
        bench.require("the take is refused with output_failed", found=figures["take"] == "output_failed")
        bench.require("nothing is left half written", found=sorted(home.takes.iterdir()) == before)
        with no_more_bytes(home.pid, 4096):
            call = client.ask()
            client.wait_until(lambda: call.has_ended)
            figures["job"] = end_of(call)
        bench.require("a job that the journal cannot keep is refused", found=call.is_refused)
        bench.require("the daemon works on", found=client.render() == "done")
    return figures


def _read_only_folder(bench: _Bench) -> dict[str, Any]:
    figures: dict[str, Any] = {}
    with bench.house() as home, read_only(home.root / "locked") as locked, _Client(home) as client:
        figures["in it"] = client.render(locked)
        figures["in a new folder below it"] = client.render(locked / "new")
        figures["reply file in it"] = client.render(reply=str(locked / "reply.json"))
        found = list(figures.values())
        bench.require(
            "refused with its reason, twice", found=found == ["output_failed", "output_failed", "bad_reply_file"]
        )
        bench.require("nothing is in it", found=not list(locked.iterdir()))
        bench.require("the daemon works on", found=client.render() == "done")
    return figures


def _has_begun(call: Call) -> bool:
    return call.stage != ""


def _clock_jump(bench: _Bench) -> dict[str, Any]:
    """The time of day goes a day forward and two back while jobs run; only the stamps in the journal may notice."""
    with bench.house("--idle-unload-min", "5", is_started=False) as home:
        clock = JumpingClock(home.root)
        home.environment.update(clock.environment)
        home.start()
        home.require_runtime()
        with _Client(home) as client:
            ends = [client.render()]
            worker = home.worker
            for offset in (_DAY_S, -_DAY_S, 0):
                call = client.ask(seconds=2.0, steps=40)
                client.wait_until(partial(_has_begun, call))
                clock.jump(offset)
                client.finish(PATIENCE_S)
                ends += [end_of(call), client.render()]
        bench.require("every job is done", found=set(ends) == {"done"})
        bench.require("the render process is the same", found=worker is not None and home.worker == worker)
        home.stop()
        days = {stamp[:10] for (stamp,) in home.journal("SELECT created_at FROM jobs")}
        bench.require("the clock really jumped", found=len(days) >= 3)
    return {"jobs": len(ends), "days in the journal": len(days)}


def _suspended_worker_and_cancel(bench: _Bench) -> dict[str, Any]:
    with bench.house() as home, _Client(home) as client:
        client.render()
        call = client.ask(seconds=10.0, steps=1000)
        client.wait_until(lambda: call.stage.startswith("step"))
        worker = home.worker
        assert worker is not None
        with suspended(worker):
            client.caller.cancel(call)
            client.finish(PATIENCE_S)
            bench.require("the job is cancelled", found=end_of(call) == "cancelled")
            gone = client.wait_until(lambda: not is_alive(worker))
            bench.require("the suspended render process is gone", found=gone)
        bench.require("the next job is done", found=client.render() == "done")
    return {"end": end_of(call)}


def _suspended_worker(bench: _Bench) -> dict[str, Any]:
    if "worker_silence_s" not in {entry.name for entry in fields(Settings)}:
        raise CannotBeDoneError("this daemon has no watchdog (no setting worker_silence_s)")
    with bench.house("--worker-silence-s", _SHORT_SILENCE_S) as home, _Client(home) as client:
        client.render()
        call = client.ask(seconds=5.0, steps=200)
        client.wait_until(lambda: call.stage.startswith("step"))
        worker = home.worker
        assert worker is not None
        with suspended(worker):
            client.finish(PATIENCE_S)
            bench.require("the job is done by another render process", found=end_of(call) == "done")
            bench.require("the suspended one is gone", found=not is_alive(worker))
    return {"end": end_of(call)}


def _suspended_daemon(bench: _Bench) -> dict[str, Any]:
    """It stands still for three seconds while its client asks, and asks again."""
    with bench.house() as home, _Client(home) as client:
        client.render()
        with suspended(home.pid):
            calls = [client.ask() for _ in range(5)]
            deadline = time.monotonic() + 3.0
            while time.monotonic() < deadline:
                client.turn()
        client.finish(PATIENCE_S)
        bench.require("every job is done", found=[end_of(call) for call in calls] == ["done"] * 5)
        bench.require("all answers to a job are the same", found=all(len(set(call.ends)) == 1 for call in calls))
        wavs = list(home.takes.glob("*.wav"))
        bench.require("each was rendered once", found=len(wavs) == 1 + len(calls))
    return {"times asked": sum(call.num_sent for call in calls)}


def _lost_datagrams(bench: _Bench) -> dict[str, Any]:
    """One in ten is lost each way, some are doubled or overtaken; clients that follow PROTOCOL.md notice nothing."""
    with bench.house() as home:
        runtime = home.require_runtime()
        with LossyProxy((runtime.host, runtime.port), bench.dice) as proxy:
            detour = replace(runtime, port=proxy.port)
            with _Client(home, lambda: detour) as client:
                calls = _ask_in_turn(client)
                ends = [end_of(call) for call in calls]
            sends = [_send_by(home, detour, number) for number in range(5)]
            fates = dict(proxy.fates)
        home.stop()
        wavs = list(home.takes.glob("*.wav"))
        rows = home.journal("SELECT id FROM jobs WHERE state = 'done'")
        num_jobs = len(calls) + len(sends)
        bench.require("every job is done", found=ends == ["done"] * len(calls))
        bench.require("all answers to a job are the same", found=all(len(set(call.ends)) == 1 for call in calls))
        bench.require("retake-send gets its results", found=sends == [0] * len(sends))
        bench.require("each was rendered once", found=len(wavs) == num_jobs == len(rows))
        faults = [fault_of_take(Path(path), call.request) for call in calls for path in _paths(call)]
        bench.require("every take is whole", found=not any(faults))
    return {"jobs": num_jobs, "datagrams": fates, "sent again": sum(call.num_sent - 1 for call in calls)}


def _paths(call: Call) -> tuple[str, ...]:
    return next((end.paths for end in call.ends if isinstance(end, Done)), ())


def _ask_in_turn(client: _Client) -> list[Call]:
    """Five jobs open at a time; in the end one question about each, whose answer may be lost as well."""
    calls = []
    for _ in range(NUM_LOSSY_JOBS):
        calls.append(client.ask())
        while client.num_open >= 5:
            client.finish_one(PATIENCE_S)
    client.finish(PATIENCE_S)
    for call in calls:
        client.caller.say(JobQuery(job=call.request.job))
    for _ in range(20):
        client.turn()
    return calls


def _send_by(home: House, detour: Runtime, number: int) -> int:
    """`retake-send` over the bad way: it finds the proxy where it looks for the daemon."""
    folder = home.root / "detour"
    lock = InstanceLock(folder)
    assert lock.acquire()
    try:
        write_runtime(folder, replace(detour, pid=os.getpid()))
        words = ["generate", "rain", "seconds", "0.2", "steps", "1", "seed", str(1000 + number)]
        command = [sys.executable, "-m", "bridge.clients.send", *words, "--output-dir", str(home.takes)]
        environment = {**os.environ, "RETAKE_STATE_DIR": str(folder)}
        done = subprocess.run(
            command, cwd=ROOT, env=environment, capture_output=True, timeout=2 * PATIENCE_S, check=False
        )
        return done.returncode
    finally:
        lock.release()


FAULTS: dict[str, Callable[[_Bench], dict[str, Any]]] = {
    "disk full": _disk_full,
    "no room for files": _no_room_for_files,
    "read-only folder": _read_only_folder,
    "clock jump": _clock_jump,
    "suspended worker, cancelled": _suspended_worker_and_cancel,
    "suspended worker": _suspended_worker,
    "suspended daemon": _suspended_daemon,
    "lost datagrams": _lost_datagrams,
}
