"""What the doctor finds of the journal."""

import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from bridge.daw_install.hosts import HostPlatform
from bridge.diagnosis.checks.finding import FindingState
from bridge.diagnosis.checks.journal import check_journal
from bridge.diagnosis.checks.surroundings import Surroundings
from bridge.jobs.job import Job
from bridge.jobs.journal import JOURNAL_FILE, Journal, open_journal
from bridge.wire.messages import Generate

ROOT = Path(__file__).parents[3]


@pytest.fixture
def look(tmp_path):
    return lambda: list(check_journal(Surroundings(HostPlatform("linux", os.environ, tmp_path), tmp_path)))


@pytest.fixture
def file(tmp_path):
    journal = Journal(tmp_path / JOURNAL_FILE)
    for number in range(50):
        journal.add(Job(request=Generate(job=str(number), prompt="x" * 500)))
    journal.close()
    return tmp_path / JOURNAL_FILE


def test_none_is_well_and_none_is_made(look, tmp_path):
    (finding,) = look()

    assert finding.state is FindingState.OK
    assert list(tmp_path.iterdir()) == []


def test_a_sound_one_is_well(look, file):  # noqa: ARG001
    (finding,) = look()

    assert (finding.state, finding.text) == (FindingState.OK, "50 jobs, and the file is undamaged")


def test_a_damaged_page_is_a_problem(look, file):
    with file.open("r+b") as damaged:
        damaged.seek(4096)
        damaged.write(os.urandom(4096))
    (finding,) = look()

    assert finding.state is FindingState.PROBLEM
    assert "retake daemon" in finding.remedy


def test_what_is_no_journal_is_a_problem(look, file):
    file.write_bytes(b"no journal " * 1000)
    (finding,) = look()

    assert (finding.state, "not a database" in finding.text) == (FindingState.PROBLEM, True)


def test_one_that_another_program_holds_is_a_warning(look, file):
    with closing(sqlite3.connect(file, isolation_level=None)) as holder:
        holder.execute("PRAGMA locking_mode = EXCLUSIVE")
        holder.execute("BEGIN EXCLUSIVE")
        holder.execute("UPDATE jobs SET stage = 'x'")
        (finding,) = look()

    assert (finding.state, "another program" in finding.text) == (FindingState.WARNING, True)


def test_damaged_ones_that_were_set_aside_are_named(look, file):
    file.write_bytes(b"no journal " * 1000)
    open_journal(file).close()
    sound, kept = look()

    assert (sound.state, kept.state) == (FindingState.OK, FindingState.WARNING)
    assert "journal.broken-" in kept.text


@pytest.mark.slow
def test_a_daemon_starts_with_a_damaged_one_and_tells(start_process, state_dir, read_json):  # noqa: ARG001
    (state_dir / JOURNAL_FILE).write_bytes(b"no journal " * 1000)
    start_process().runtime  # noqa: B018 - waits until it is there
    done = subprocess.run(
        [sys.executable, "-m", "bridge", "status"], cwd=ROOT, capture_output=True, text=True, check=False
    )

    assert "The history was damaged" in done.stdout
    assert "The history was damaged" in (state_dir / "daemon.log").read_text()
