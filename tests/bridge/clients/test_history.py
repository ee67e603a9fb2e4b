"""`retake jobs`: the history without a daemon, and a job asked for once more with one."""

import json
import re

import pytest

from bridge.clients import history
from bridge.jobs.job import Job
from bridge.jobs.journal import JOURNAL_FILE, Journal, search_file
from bridge.wire.messages import Done, Fail, Generate, Restyle


@pytest.fixture
def run(capsys):
    """Run `retake jobs`: exit code, output, errors."""

    def run(*words):
        exit_code = history.main(words)
        return (exit_code, *capsys.readouterr())

    return run


@pytest.fixture
def journal(state_dir):
    """A journal with a job that is done and one that failed."""
    journal = Journal(state_dir / JOURNAL_FILE)
    good = Job(request=Generate(job="good", prompt="rain", seed=3, token="secret"), accepted_at=1764075600.0)
    bad = Job(request=Restyle(job="bad", clip="/c.wav", prompt="wind"), accepted_at=1764075660.0)
    for job, end in (
        (good, Done("/retake/generate", "good", ("/takes/rain.wav",))),
        (bad, Fail("/retake/restyle", "bad", "file_missing", "there is no file", "look again")),
    ):
        journal.add(job)
        journal.update(job.begun().after(end))
    journal.close()
    return journal


@pytest.mark.usefixtures("journal")
class TestList:
    def test_has_a_line_a_job_the_newest_first(self, run):
        exit_code, out, _ = run()

        assert exit_code == 0
        assert [line[21:] for line in out.splitlines()] == [
            "failed     bad  restyle 'wind'  there is no file",
            "done       good  generate 'rain'  /takes/rain.wav",
        ]

    def test_is_searched(self, run):
        assert "good" in run("RAIN", "--state", "done")[1]
        assert run("hail")[1] == "no such jobs\n"

    def test_is_told_to_machines(self, run):
        entries = json.loads(run("--json")[1])

        assert [(entry["job"], entry["state"], entry["attempts"]) for entry in entries] == [
            ("bad", "failed", 1),
            ("good", "done", 1),
        ]
        assert entries[0]["error"] == {"code": "file_missing", "text": "there is no file", "hint": "look again"}

    def test_shows_one_in_detail_without_the_token(self, run):
        exit_code, out, _ = run("--show", "good")

        assert exit_code == 0
        assert "seed: 3" in out
        assert "secret" not in out

    @pytest.mark.parametrize("job", ["good", "bad"])
    def test_details_hold_nothing_that_only_python_writes(self, run, job):
        told = run("--show", job)[1]

        assert not re.search(r"None|[][{}]|True|False|/retake/", told), told
        assert ("there is no file; look again" in told) == (job == "bad")

    def test_states_are_named_where_one_is_unknown(self, capsys):
        with pytest.raises(SystemExit):
            history.main(["--state", "foo"])
        told = capsys.readouterr().err

        assert "there is no state 'foo'; choose one of queued, running, done, failed, cancelled" in told
        assert "JobState" not in told

    def test_of_an_unknown_job_says_so(self, run):
        exit_code, out, err = run("--show", "nobody")

        assert (exit_code, out) == (1, "")
        assert err.startswith("there is no job 'nobody'\nhint: ")


@pytest.mark.usefixtures("state_dir")
def test_before_the_first_job_there_are_none(run):
    assert run() == (0, "no such jobs\n", "")


class TestAgain:
    def test_repeats_a_job_with_its_settings_and_another_seed(self, run, ear, state_dir):
        ear.say(Generate(job="one", prompt="fine", seed=3, steps=7))
        ear.wait_for_end("one")
        exit_code, out, _ = run("--again", "one", "--seed", "4")

        assert exit_code == 0
        assert out.startswith("wrote /results/again-")
        newest, _ = search_file(state_dir / JOURNAL_FILE)
        assert (newest.request.seed, newest.request.steps, newest.request.prompt) == (4, 7, "fine")

    def test_draws_a_seed_where_none_is_named(self, run, ear, state_dir):
        ear.say(Generate(job="one", prompt="fine", seed=3))
        ear.wait_for_end("one")
        run("--again", "one")

        newest, _ = search_file(state_dir / JOURNAL_FILE)
        assert newest.request.seed not in {3, None}
