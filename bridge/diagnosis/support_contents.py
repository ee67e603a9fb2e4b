"""The files of a support bundle: each is a row of ENTRIES, created when it is written."""

import json
import os
import platform
import re
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from functools import cached_property
from importlib import metadata
from pathlib import Path
from typing import Any

from bridge import __version__
from bridge.clients.settings_command import facts
from bridge.diagnosis.checks.surroundings import Surroundings
from bridge.diagnosis.doctor import CHECKS, examine, report
from bridge.diagnosis.journal_excerpt import arguments_of, paths_of, read_jobs, redacted, redactor_for
from bridge.diagnosis.redaction import TOKEN, Redactor, anonymous_id
from bridge.diagnosis.support_errors import UnknownAudioJobError
from bridge.host.discovery import read_runtime
from bridge.host.job_log import LINE, LOG_FILE
from bridge.host.runtime_copies import copy_folders
from bridge.host.settings import survey_settings

JOURNAL_FILE = "journal.sqlite3"
_JOBS = 200
_ALL = -1
"""SQLite's word for no limit."""


@dataclass(frozen=True)
class SupportBundle:
    """What a bundle is made from: where to look, which audio to include, whether prompts and paths stay readable."""

    surroundings: Surroundings
    audio_of: tuple[str, ...] = ()
    with_prompts: bool = False
    checks: Mapping[str, str] = field(default_factory=lambda: CHECKS)
    """Of the doctor, as rows of its table."""

    @cached_property
    def rows(self) -> list[dict[str, Any]]:
        """All jobs of the journal, the newest first. Raises sqlite3.Error."""
        state = self.surroundings.state
        return [] if state is None else read_jobs(state / JOURNAL_FILE, _ALL)

    @cached_property
    def redactor(self) -> Redactor:
        home = self.surroundings.machine.home
        tokens = tuple(_tokens(self.surroundings.state))
        return Redactor(_spelled(home), tokens, keeps_prompts=self.with_prompts, cuts_paths=True)

    @cached_property
    def redactors(self) -> dict[str, Redactor]:
        """A redactor for each job, which knows its words and paths. Empty when the journal cannot be read."""
        try:
            return {str(row["id"]): redactor_for(row, self.redactor) for row in self.rows}
        except (sqlite3.Error, KeyError):
            return {}

    @property
    def logs(self) -> list[Path]:
        state = self.surroundings.state
        return [] if state is None or not state.is_dir() else sorted(state.glob(f"{LOG_FILE}*"))

    def audio(self) -> Iterator[tuple[str, Path]]:
        """Yield the requested audio: its name in the bundle, and its path. Raises UnknownAudioJobError."""
        jobs = {str(row["id"]): row for row in self.rows} if self.audio_of else {}
        for number, job in enumerate(self.audio_of, start=1):
            if job not in jobs:
                raise UnknownAudioJobError(job)
            arguments = arguments_of(jobs[job])
            clips = [arguments[name] for name in ("clip", "like", "follow") if isinstance(arguments.get(name), str)]
            for path in (*clips, *paths_of(jobs[job])):
                yield f"audio/{number}/{Path(path).name}", Path(path)


def _spelled(home: Path) -> tuple[str, ...]:
    """Return the home folder's path as it is, and with its links resolved."""
    return tuple(dict.fromkeys((str(home), os.path.realpath(home))))


def _tokens(state: Path | None) -> Iterator[str]:
    """Yield the tokens of the runtime file and of its copies."""
    if state is None:
        return
    for folder in (state, *copy_folders(state)):
        runtime = read_runtime(folder)
        if runtime is not None:
            yield str(runtime.token)


# ------------------------------------------------------------------------------------------------- entries


def _doctor(bundle: SupportBundle) -> str:
    return _json(report(examine(bundle.surroundings, bundle.checks)))


def _versions(_: SupportBundle) -> str:
    packages = sorted({f"{one.metadata['Name']}=={one.version}" for one in metadata.distributions()}, key=str.lower)
    head = [f"Retake {__version__}", f"Python {platform.python_version()}", platform.platform(), ""]
    return "\n".join([*head, *packages, ""])


def _settings(bundle: SupportBundle) -> str:
    return _json(facts(survey_settings(bundle.surroundings.environment, {})))


def _runtime(bundle: SupportBundle) -> str:
    state = bundle.surroundings.state
    runtime = None if state is None else read_runtime(state)
    return _json(None if runtime is None else asdict(runtime) | {"token": TOKEN})


def _jobs(bundle: SupportBundle) -> str:
    return _json([redacted(row, bundle.redactor) for row in bundle.rows[:_JOBS]])


def _json(value: Any) -> str:
    return json.dumps(value, indent=1, ensure_ascii=False) + "\n"


ENTRIES: dict[str, tuple[str, Callable[[SupportBundle], str]]] = {
    "doctor.json": ("what `retake doctor` finds", _doctor),
    "versions.txt": ("Retake, Python, system, and the version of every package", _versions),
    "settings.json": ("every setting and its source", _settings),
    "runtime.json": ("where the daemon listens, without its token", _runtime),
    "jobs.json": (f"the last {_JOBS} jobs: state, times, settings, error", _jobs),
}
"""Files of every bundle, besides the logs and the requested audio: description and function."""


def write_entry(name: str, bundle: SupportBundle) -> str:
    """Return the text of a file, cleaned; if it cannot be created, the text says why."""
    try:
        text = ENTRIES[name][1](bundle)
    except Exception as error:  # noqa: BLE001 - bundles are made when things are broken, so a part may be missing
        text = f"this could not be found out: {type(error).__name__}: {error}\n"
    return bundle.redactor.clean(text)


def cleaned_log(file: Path, bundle: SupportBundle) -> str:
    """Return a log, each line cleaned of the words and paths of its job."""
    try:
        lines = file.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError as error:
        return f"this could not be read: {error.strerror or error}\n"
    return "\n".join(_cleaned_line(line, bundle) for line in lines) + "\n"


def _cleaned_line(line: str, bundle: SupportBundle) -> str:
    found = LINE.fullmatch(line)
    if found is None:
        return bundle.redactor.clean_sentence(line)
    job = _spelled_out(found["job"])
    text = bundle.redactors.get(job, bundle.redactor).clean_sentence(found["text"])
    if not bundle.with_prompts and anonymous_id(job) != job:
        line, text = line.replace(found["job"], anonymous_id(job)), text.replace(job, anonymous_id(job))
    head = line[: line.index("] ") + 2]
    return f"{head}{found['name']}: {text}"


def _spelled_out(column: str) -> str:
    """Return the job id of a log line, unescaped."""
    return re.sub(r"\\x([0-9a-f]{2})", lambda found: chr(int(found[1], 16)), column)
