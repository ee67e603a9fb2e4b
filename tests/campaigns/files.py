"""Files: thousands of malformed audio files as clips of real jobs; each gets an answer, and nothing else happens.

The render process must live through all of them, keep its size, change none of the files and leave nothing half made.
"""

import hashlib
import random
import re
from collections import Counter
from pathlib import Path
from typing import Any

from bridge.wire.messages import Fail, RenderRequest, Restyle, Upscale, Vary
from tests.campaigns.broken_files import make_broken, sound_files, strange_paths
from tests.campaigns.callers import Call, Caller, Crowd
from tests.campaigns.house import House, house
from tests.campaigns.processes import Memory
from tests.campaigns.report import Report, Say
from tests.campaigns.takes import fault_of_wav
from tests.daemons import PATIENCE_S, ROOT

MOST_OPEN = 8
GROWTH_PERCENT = 5.0
_ENOUGH_FILES = 1_000
"""Fewer say nothing about memory."""
_CODE_ROW = re.compile(r"^\| (\w+) \| ", re.MULTILINE)


def documented_codes() -> set[str]:
    """The error codes of PROTOCOL.md."""
    text = (ROOT / "bridge" / "PROTOCOL.md").read_text(encoding="utf-8")
    return set(_CODE_ROW.findall(text.partition("## Error codes")[2])) - {"code"}


def run_files(seed: int, num_files: int, say: Say, root: Path | None = None) -> Report:
    """Have so many files read, and report."""
    report = Report("files", seed)
    with house(root=root) as home:
        home.start()
        home.require_runtime()
        with Crowd([Caller("f", home.runtime)]) as crowd:
            trial = _Trial(home, crowd, random.Random(seed))
            trial.run(num_files, say)
            _judge(report, trial)
    return report


class _Trial:
    """One run."""

    def __init__(self, home: House, crowd: Crowd, dice: random.Random) -> None:
        self.home, self.crowd, self.dice = home, crowd, dice
        self.memory = Memory()
        self.workers: set[int] = set()
        self.harms: dict[str, str] = {}
        self.prints: dict[Path, str] = {}
        self.sounds = sound_files()

    def run(self, num_files: int, say: Say) -> None:
        caller = self.crowd.callers[0]
        self._ask_for_a_good_one("before")
        self.memory = Memory()  # from now on torch and the model are there
        strange = strange_paths(self.home.clips)
        for number in range(num_files):
            path, harm = strange.pop() if strange else make_broken(self.home.clips, number, self.sounds, self.dice)
            if path.is_file() and not path.is_symlink():
                self.prints[path] = _fingerprint(path)
            self.harms[f"f{number}"] = f"{path.name}: {harm}"
            caller.ask(self._job(f"f{number}", path))
            self._serve(MOST_OPEN - 1)
            say(f"{number + 1} of {num_files} files")
        self._serve(0)
        self._ask_for_a_good_one("after")

    def _job(self, job: str, clip: Path) -> RenderRequest:
        keys: dict[str, Any] = {"job": job, "clip": str(clip), "steps": 1, "seed": 1}
        keys["output_dir"] = str(self.home.takes)
        match self.dice.randrange(4):
            case 0:
                return Upscale(**(keys | {"cutoff_hz": 3000.0}))
            case 1:
                return Restyle(prompt="rain", **keys)
            case 2:
                return Restyle(prompt="", **(keys | {"like": str(clip), "start_s": 0.05, "end_s": 0.15}))
            case _:
                return Vary(**keys)

    def _ask_for_a_good_one(self, job: str) -> None:
        clip = self.home.clips / f"{job}.wav"
        clip.write_bytes(self.sounds["wav"])
        self.crowd.callers[0].ask(self._job(job, clip))
        self._serve(0)

    def _serve(self, most_open: int) -> None:
        """Until no more than so many jobs are open; one that never ends is noticed in the end."""
        left = self.crowd.num_open
        while self.crowd.num_open > most_open:
            self.crowd.finish_one(PATIENCE_S, self._look)
            if self.crowd.num_open == left:
                return
            left = self.crowd.num_open

    def _look(self) -> None:
        worker = self.home.worker
        if worker is not None:
            self.workers.add(worker)
            self.memory.sample(worker)


def _fingerprint(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _judge(report: Report, trial: _Trial) -> None:
    home, calls = trial.home, trial.crowd.calls()
    wavs = list(home.takes.glob("*.wav"))
    claimed = [path for call in calls for end in call.ends for path in getattr(end, "paths", ())]
    report.figures |= {
        "files": len(calls) - 2,
        "ends": dict(Counter(_end_of(call) for call in calls).most_common()),
        "worker_memory": trial.memory.figures(),
    }
    codes = documented_codes() - {"internal_error", "worker_died"}
    fails = [(call, end) for call in calls for end in call.ends if isinstance(end, Fail)]
    report.none_of("jobs without an end", [_about(trial, call) for call in calls if not call.ends])
    bad = [f"{_about(trial, call)}: {end.code}: {end.text}" for call, end in fails if end.code not in codes]
    report.none_of("ends without a reason of PROTOCOL.md", bad)
    good = [trial.crowd.callers[0].calls[job] for job in ("before", "after")]
    report.holds("a good clip is rendered before and after", found=[_end_of(call) for call in good] == ["done"] * 2)
    report.at_most("render processes", 1, len(trial.workers))
    report.holds("the daemon lives", found=home.is_up)
    report.none_of("clips that were changed", [path for path, was in trial.prints.items() if _fingerprint(path) != was])
    report.none_of("broken takes", [fault for path in wavs if (fault := fault_of_wav(path))])
    report.none_of("takes of jobs that failed", [path for path in wavs if str(path) not in claimed])
    report.none_of("drafts left", home.drafts())
    if len(calls) >= _ENOUGH_FILES:
        report.at_most("growth of the render process, %", GROWTH_PERCENT, trial.memory.growth_percent())


def _about(trial: _Trial, call: Call) -> str:
    return trial.harms.get(call.request.job, call.request.job)


def _end_of(call: Call) -> str:
    return getattr(call.ends[0], "code", "done") if call.ends else "none"
