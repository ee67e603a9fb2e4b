"""Why a journal cannot be used: told by its cause, and never waited for."""

import os
import sqlite3
import sys
from contextlib import closing

import pytest

from bridge.errors import JournalError
from bridge.host.private_folder import make_private_file
from bridge.jobs.job import Job
from bridge.jobs.journal import JOURNAL_FILE, find_in_file, open_journal, search_file
from bridge.jobs.journal_errors import JournalDamagedError
from bridge.wire.messages import Generate


@pytest.fixture
def path(tmp_path):
    return tmp_path / JOURNAL_FILE


@pytest.mark.skipif(sys.platform == "win32", reason="no pipes with names, and links need rights")
@pytest.mark.parametrize("kind", ["pipe", "device", "folder", "loop"])
class TestNoFile:
    """What is in the journal's place is no file: a pipe does not block, and a start sets it aside."""

    @pytest.fixture
    def placed(self, path, kind):
        if kind == "pipe":
            os.mkfifo(path)
        elif kind == "folder":
            path.mkdir()
        else:
            path.symlink_to("/dev/zero" if kind == "device" else path)
        return path

    @pytest.mark.timeout(20)
    def test_is_named_to_who_looks(self, placed):
        with pytest.raises(JournalDamagedError, match=r"not a file|levels of symbolic links"):
            search_file(placed)

    @pytest.mark.timeout(20)
    def test_is_set_aside_at_a_start(self, placed):
        make_private_file(placed)  # as a daemon does first
        with closing(open_journal(placed)) as journal:
            journal.add(Job(request=Generate(job="after", prompt="rain")))
        assert find_in_file(placed, "after") is not None
        assert [file.name for file in placed.parent.glob("journal.broken-*")] != []


@pytest.mark.parametrize("schema", ["", "CREATE TABLE jobs (x)"], ids=["empty", "another table"])
def test_what_holds_no_jobs_is_reported_without_words_of_databases(path, schema):
    path.touch()
    with closing(sqlite3.connect(path)) as database:
        database.executescript(schema)

    with pytest.raises(JournalError) as raised:
        search_file(path)
    assert "no jobs in a form that this Retake knows" in raised.value.text
    assert "start the daemon anew" in raised.value.hint
