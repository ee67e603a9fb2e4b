"""Crash: `kill -9` of the daemon or its render process at random moments of a mixed load, and what is left of it all.

After each death of the daemon another one is started, as a client would do. In the end every job that was ever
acknowledged must have exactly one end, every WAV must be whole, and no process and no draft may be left behind.
"""

import json
import os
import random
import signal
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from bridge.wire.messages import Generate
from tests.campaigns.callers import Call, Caller, Crowd
from tests.campaigns.house import House, house, write_clips
from tests.campaigns.mixture import draw_job
from tests.campaigns.processes import processes_of
from tests.campaigns.report import Report, Say
from tests.campaigns.takes import fault_of_take, fault_of_wav
from tests.daemons import PATIENCE_S, is_alive

NUM_CALLERS = 4
MOST_OPEN = 4
"""Jobs of one client that may be open at the same time."""
ORPHAN_S = 10.0
"""A render process may outlive its daemon by so long: it finishes writing, or notices at its next step."""
_WARM_S = 20.0
"""How long the next job may take to come to its end before we strike all the same."""


@dataclass
class _Trial:
    """The state of one run."""

    home: House
    crowd: Crowd
    dice: random.Random
    clips: list[Path]
    kills: Counter[str] = field(default_factory=Counter)
    orphans: list[int] = field(default_factory=list)
    dying: dict[int, float] = field(default_factory=dict)
    doomed: dict[str, float] = field(default_factory=dict)
    downtime_s: list[float] = field(default_factory=list)
    number: int = 0

    def add_work(self) -> None:
        """Now and then a client asks for something, takes it back, or repeats itself."""
        for caller in self.crowd.callers:
            if len(caller.open) < MOST_OPEN and self.dice.random() < 0.3:
                self.number += 1
                job = f"{caller.name}-{self.number}"
                call = caller.ask(draw_job(self.dice, job, self.clips, self.home.takes))
                if self.dice.random() < 0.1:
                    self.doomed[call.request.job] = time.monotonic() + self.dice.uniform(0.0, 3.0)
                if self.dice.random() < 0.1:
                    caller.send_again(self.dice.choice(list(caller.calls.values())))
            for call in list(caller.open.values()):
                if time.monotonic() > self.doomed.get(call.request.job, float("inf")):
                    del self.doomed[call.request.job]
                    caller.cancel(call)

    def wait_for_moment(self) -> None:
        """Keep everybody busy: for a random while, or until jobs are being rendered, or until one is being written."""
        kind = self.dice.choice(("any", "rendering", "writing"))
        if kind != "any":
            self._serve(_WARM_S, until=self._num_ended() + 1)
        if kind != "writing":
            self._serve(self.dice.uniform(0.02, 2.0))
            return
        deadline = time.monotonic() + _WARM_S
        while not self._is_writing() and time.monotonic() < deadline:
            self._serve(0.0)
        time.sleep(self.dice.uniform(0.0, 0.005))

    def _serve(self, seconds: float, until: int | None = None) -> None:
        """At least one turn of the loop; stop early when so many jobs have ended."""
        deadline = time.monotonic() + seconds
        while True:
            self.add_work()
            self.crowd.turn(0.001 if seconds == 0.0 else 0.02)
            self.watch_the_dying()
            if time.monotonic() >= deadline or (until is not None and self._num_ended() >= until):
                return

    def _num_ended(self) -> int:
        return sum(call.has_ended and not call.is_cancelled for call in self.crowd.calls())

    def _is_writing(self) -> bool:
        with os.scandir(self.home.takes) as entries:
            return any(entry.name.startswith(".retake-") for entry in entries)

    def strike(self) -> None:
        """Kill one of the two, whichever the dice say and is there."""
        is_worker = self.dice.random() < 0.5
        worker = self.home.worker
        if worker is not None and is_worker:
            os.kill(worker, signal.SIGKILL)
            self.kills["worker"] += 1
            return
        if worker is not None:
            self.dying[worker] = time.monotonic() + ORPHAN_S
        self.home.kill()
        self.kills["daemon"] += 1
        self.restart()

    def restart(self) -> None:
        """Start the daemon again; the clients go on meanwhile, to nobody."""
        started_at = time.monotonic()
        self.home.start()
        while self.home.runtime() is None:
            assert time.monotonic() < started_at + PATIENCE_S, "the daemon did not come back"
            self.crowd.turn()
        self.downtime_s.append(time.monotonic() - started_at)

    def watch_the_dying(self) -> None:
        """Notice render processes that outlive their daemon."""
        for pid, deadline in list(self.dying.items()):
            if not is_alive(pid):
                del self.dying[pid]
            elif time.monotonic() > deadline:
                del self.dying[pid]
                self.orphans.append(pid)

    def settle(self) -> None:
        """Let every job end, then one more for what an interrupted one may have left behind, then stop."""
        self.crowd.finish(PATIENCE_S, self.watch_the_dying)
        caller = self.crowd.callers[0]
        caller.ask(Generate(job="closing", prompt="rain", seconds=0.1, steps=1, output_dir=str(self.home.takes)))
        self.crowd.finish(PATIENCE_S, self.watch_the_dying)


def run_crash(seed: int, num_kills: int, say: Say, root: Path | None = None) -> Report:
    """Strike `num_kills` times, and report."""
    report = Report("crash", seed)
    with house(root=root) as home:
        callers = [Caller(f"c{number}", home.runtime) for number in range(NUM_CALLERS)]
        with Crowd(callers) as crowd:
            trial = _Trial(home, crowd, random.Random(seed), write_clips(home.clips))
            trial.restart()
            while trial.kills.total() < num_kills:
                trial.wait_for_moment()
                trial.strike()
                ended = sum(call.has_ended for call in crowd.calls())
                say(f"{trial.kills.total()} of {num_kills} kills, {trial.number} jobs, {ended} ended")
            trial.settle()
            home.stop()
            _judge(report, trial)
    return report


def _judge(report: Report, trial: _Trial) -> None:
    home, calls = trial.home, trial.crowd.calls()
    acked = [call for call in calls if call.acked_at is not None]
    journal: dict[str, str] = {str(job): str(state) for job, state in home.journal("SELECT id, state FROM jobs")}
    ends = Counter(_end_of(call) for call in acked)
    wavs = sorted(home.takes.glob("*.wav"))
    claimed = {path for call in calls for end in call.ends for path in getattr(end, "paths", ())}
    report.figures |= {
        "kills": dict(trial.kills),
        "jobs_acknowledged": len(acked),
        "ends": dict(sorted(ends.items())),
        "wavs": len(wavs),
        "wavs_nobody_was_told_of": sum(str(path) not in claimed for path in wavs),
        "stories_without_wav": sum(_is_lonely_story(path) for path in home.takes.glob("*.json")),
        "worst_restart_s": round(max(trial.downtime_s), 2),
    }
    report.at_least("kills", 1, trial.kills.total())
    report.none_of("jobs lost", [call.request.job for call in acked if not _is_kept(call, journal)])
    report.none_of("jobs that the daemon forgot", [job for caller in trial.crowd.callers for job in caller.lost])
    report.none_of("jobs with two different ends", [call.request.job for call in acked if len(set(call.ends)) > 1])
    report.none_of("jobs in the journal without end", [j for j, state in journal.items() if not _is_final(state)])
    report.none_of("broken takes", [fault for call in acked if (fault := _fault_of(call))])
    report.none_of("broken WAVs under a final name", [fault for path in wavs if (fault := fault_of_wav(path))])
    report.none_of("drafts left", [path.name for path in home.drafts()])
    report.none_of("reply files that are not the job's end", [fault for call in acked if (fault := _wrong_reply(call))])
    report.none_of("orphan processes", [*trial.orphans, *trial.dying, *home.left_over(ORPHAN_S)])
    report.holds("journal integrity_check", found=home.journal("PRAGMA integrity_check") == [("ok",)])
    assert not processes_of(home.state)


def _is_final(state: str) -> bool:
    return state in ("done", "failed", "cancelled")


def _end_of(call: Call) -> str:
    if not call.ends:
        return "none"
    code = getattr(call.ends[0], "code", "")
    return code or "done"


def _is_kept(call: Call, journal: dict[str, str]) -> bool:
    """The client heard an end, and the journal says the same."""
    state = journal.get(call.request.job)
    end = _end_of(call)
    heard = {"done": "done", "cancelled": "cancelled", "none": "none"}.get(end, "failed")
    return state == heard


def _fault_of(call: Call) -> str | None:
    paths = getattr(call.ends[0], "paths", ()) if call.ends else ()
    faults = (fault_of_take(Path(path), call.request) for path in paths)
    return next((fault for fault in faults if fault), None)


def _wrong_reply(call: Call) -> str | None:
    if call.request.reply is None or not call.ends:
        return None
    try:
        story = json.loads(Path(call.request.reply).read_text())
    except (OSError, ValueError) as error:
        return f"{call.request.job}: {error}"
    code = story["error"]["code"] if story["error"] else "done"
    return None if code == _end_of(call) else f"{call.request.job}: {story['state']}; the client heard {_end_of(call)}"


def _is_lonely_story(path: Path) -> bool:
    return not path.name.startswith("reply-") and not path.with_suffix(".wav").exists()
