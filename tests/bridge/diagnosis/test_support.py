"""`retake support`: what is in the bundle, and above all what is not."""

import contextlib
import json
import os
import re
import sqlite3
import stat
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from pythonosc.osc_message_builder import OscMessageBuilder

from bridge.daw_install.hosts import HostPlatform
from bridge.diagnosis import support
from bridge.diagnosis.checks.surroundings import Surroundings
from bridge.diagnosis.journal_excerpt import read_jobs, redacted
from bridge.diagnosis.redaction import FOLDER, PROMPT, TOKEN, Redactor, anonymous_id, cut_paths, folder_of, last_part
from bridge.diagnosis.support_contents import ENTRIES, SupportBundle, cleaned_log, write_entry
from bridge.diagnosis.support_errors import SupportError, UnknownAudioJobError
from bridge.host.discovery import Runtime, write_runtime
from bridge.host.job_log import LOG_FILE
from bridge.jobs.job import Job
from bridge.jobs.journal import Journal
from bridge.wire.messages import Done, Fail, Generate, Preview, Progress, Restyle

ROOT = Path(__file__).parents[3]
SECRET = "pX4-secret_token-of-this-daemon-0"
OLD_SECRET = "aB9-token_of-an-earlier-daemon-77"
PROMPTED = "a very private thunder"
SLUG = "a-very-private-thunder"


@pytest.fixture
def home(tmp_path, state_dir, monkeypatch):
    """A home in which a daemon has run: two jobs, a log, a runtime file, a setting."""
    home = tmp_path / "anna"
    project = home / "Projects" / "Secret Film"
    project.mkdir(parents=True)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("RETAKE_OUTPUT_DIR", str(project))
    monkeypatch.delenv("RETAKE_CONFIG", raising=False)
    monkeypatch.chdir(tmp_path)
    take = project / f"clip restyle {SLUG} s1.wav"
    for file in (project / "clip.wav", take):
        file.write_bytes(b"RIFF" + file.name.encode())
    journal = Journal(state_dir / "journal.sqlite3")
    done = Restyle(job="take-1", clip=str(project / "clip.wav"), prompt=PROMPTED, seed=7, output_dir=str(project))
    failed = Generate(job="take-2", prompt=PROMPTED, negative="hum of Berta", output_dir="/mnt/Other Film/takes")
    for request in (done, failed):
        journal.add(Job(request=request))
    running = Job(request=done).after(Progress("take-1", 0.5, "step 1/2"))
    journal.update(running)
    journal.update(running.after(Done(done.address, "take-1", (str(take),))))
    why = f"no room in /mnt/Other Film/takes for {PROMPTED!r}"
    journal.update(Job(request=failed).after(Fail(failed.address, "take-2", "output_failed", why, "free some")))
    journal.close()
    write_runtime(state_dir, Runtime("127.0.0.1", 53170, os.getpid(), "0.1.0", SECRET))
    head = "2026-01-01 00:00:00,000 INFO"
    lines = [
        f"{head} [-] bridge.daemon.main: Retake 0.1.0 in {home}",
        f"{head} [take-1] bridge.daemon.dispatcher: job take-1: done {take}",
        f"{head} [take-2] bridge.daemon.dispatcher: job take-2: failed {why}",
        f'{head} [-] bridge.rendering.supervisor: not an order: ["x", "token", "{OLD_SECRET}"] or {SECRET}',
    ]
    (state_dir / LOG_FILE).write_text("\n".join(lines) + "\n")
    (state_dir / f"{LOG_FILE}.1").write_text(f"{head} [-] bridge.daemon.main: older\n")
    return home


@pytest.fixture
def bundle(home, state_dir):
    return lambda **options: SupportBundle(Surroundings(HostPlatform("linux", os.environ, home), state_dir), **options)


def main(words):
    """Run the command; the doctor's own long look is tried once, in TestWhole, and here it takes one check."""
    return support.main(words, {"versions": "versions:check_versions"})


def unpacked(file: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(file) as archive:
        assert archive.testzip() is None
        return {name: archive.read(name) for name in archive.namelist()}


@pytest.mark.usefixtures("home")
class TestBundle:
    def test_has_everything_that_is_listed(self, tmp_path, capsys):
        assert main(["--list"]) == 0
        listed = {line.split()[0] for line in capsys.readouterr().out.partition("\n\n")[0].splitlines()}
        assert not list(tmp_path.glob("*.zip"))

        assert main(["-o", "bundle.zip"]) == 0
        assert set(unpacked(tmp_path / "bundle.zip")) == listed | {"README.txt"}
        assert listed == {*ENTRIES, f"logs/{LOG_FILE}", f"logs/{LOG_FILE}.1"}

    @pytest.mark.parametrize(
        "flags", [[], ["--with-prompts"], ["--with-audio", "take-1"]], ids=["", "prompts", "audio"]
    )
    def test_never_holds_a_token_or_the_home_folders_name(self, home, tmp_path, flags):
        assert main(["-o", "bundle.zip", *flags]) == 0

        for name, content in unpacked(tmp_path / "bundle.zip").items():
            for secret in (SECRET, OLD_SECRET, str(home)):
                assert secret.encode() not in content, name

    def test_holds_no_prompt_no_folder_and_no_audio_unless_asked(self, tmp_path):
        assert main(["-o", "bundle.zip"]) == 0

        for name, content in unpacked(tmp_path / "bundle.zip").items():
            assert not name.endswith(".wav")
            if name != "settings.json":  # names the output folder, below ~
                for secret in (PROMPTED, SLUG, "Secret Film", "Other Film", "Berta"):
                    assert secret.encode() not in content, name

    def test_holds_prompts_when_asked(self, tmp_path):
        assert main(["-o", "bundle.zip", "--with-prompts"]) == 0

        files = unpacked(tmp_path / "bundle.zip")
        assert PROMPTED.encode() in files["jobs.json"]
        assert f"~/Projects/Secret Film/clip restyle {SLUG} s1.wav".encode() in files[f"logs/{LOG_FILE}"]
        assert b"as you asked" in files["README.txt"]

    def test_holds_the_audio_of_the_job_that_was_named(self, home, tmp_path):
        assert main(["-o", "bundle.zip", "--with-audio", "take-1"]) == 0

        files = unpacked(tmp_path / "bundle.zip")
        assert files["audio/1/clip.wav"] == (home / "Projects" / "Secret Film" / "clip.wav").read_bytes()
        assert f"audio/1/clip restyle {SLUG} s1.wav" in files

    def test_says_which_audio_has_gone(self, home, tmp_path):
        (home / "Projects" / "Secret Film" / "clip.wav").unlink()
        assert main(["-o", "bundle.zip", "--with-audio", "take-1"]) == 0

        files = unpacked(tmp_path / "bundle.zip")
        assert "audio/1/clip.wav" not in files
        assert b"audio/1/clip.wav was requested, but no longer exists" in files["README.txt"]

    def test_of_an_unknown_jobs_audio_is_not_written(self, tmp_path, capsys):
        assert main(["-o", "bundle.zip", "--with-audio", "take-9"]) == 1
        assert "the journal knows no job take-9" in capsys.readouterr().err
        assert not (tmp_path / "bundle.zip").exists()


@pytest.mark.usefixtures("home")
class TestFile:
    def test_is_named_by_its_date_and_never_overwritten(self, tmp_path, capsys):
        assert [main([]) for _ in range(3)] == [0, 0, 0]

        names = sorted(file.name for file in tmp_path.glob("*.zip"))
        assert [name[len("retake-support-2026-01-01") :] for name in names] == ["-2.zip", "-3.zip", ".zip"]
        assert f"wrote {tmp_path / names[-1]}" in capsys.readouterr().out

    def test_that_is_there_is_refused(self, tmp_path, capsys):
        (tmp_path / "bundle.zip").write_text("mine")

        assert main(["-o", "bundle.zip"]) == 1
        assert "hint: " in capsys.readouterr().err
        assert (tmp_path / "bundle.zip").read_text() == "mine"

    @pytest.mark.parametrize("name", ["/proc/bundle.zip", "absent/bundle.zip"])
    def test_that_cannot_be_written_is_explained(self, name, capsys):
        assert main(["-o", name]) == 1
        assert "cannot be written" in capsys.readouterr().err

    @pytest.mark.skipif(sys.platform == "win32", reason="rights are the profile's there")
    def test_is_its_users_alone(self, tmp_path):
        assert main(["-o", "bundle.zip"]) == 0

        assert stat.S_IMODE((tmp_path / "bundle.zip").stat().st_mode) == 0o600


class TestBrokenMachine:
    @pytest.mark.parametrize("name", [name for name in ENTRIES if name != "doctor.json"])
    def test_without_a_home_still_has_its_files(self, home, name):
        bundle = SupportBundle(Surroundings(HostPlatform("linux", os.environ, home), None))

        assert write_entry(name, bundle)
        assert bundle.logs == []

    def test_with_a_damaged_journal_says_so_and_has_the_rest(self, bundle, state_dir):
        for file in state_dir.glob("journal*"):
            file.unlink()
        (state_dir / "journal.sqlite3").write_bytes(b"garbage" * 1000)
        broken = bundle()

        assert "this could not be found out: DatabaseError" in write_entry("jobs.json", broken)
        assert "bridge.daemon.main" in cleaned_log(state_dir / LOG_FILE, broken)
        with pytest.raises((SupportError, sqlite3.Error)):
            list(bundle(audio_of=("take-1",)).audio())

    def test_with_garbage_settings_names_them(self, bundle, tmp_path, monkeypatch):
        (tmp_path / "bad.toml").write_bytes(b"\xff")
        monkeypatch.setenv("RETAKE_CONFIG", str(tmp_path / "bad.toml"))

        assert "not a readable TOML file" in write_entry("settings.json", bundle())

    def test_with_folders_that_are_allowed_tells_the_settings(self, bundle, monkeypatch):
        monkeypatch.setenv("RETAKE_ALLOWED_FOLDERS", "/mnt/takes")

        assert "could not be found out" not in write_entry("settings.json", bundle())

    def test_with_a_log_that_cannot_be_read_says_so(self, bundle, tmp_path):
        assert "could not be read" in cleaned_log(tmp_path, bundle())


class TestJobs:
    def test_are_told_with_state_times_settings_and_error(self, bundle):
        failed, done = json.loads(write_entry("jobs.json", bundle()))

        assert (done["id"], done["state"], done["settings"]["seed"]) == ("take-1", "done", 7)
        assert done["settings"]["clip"] == "clip.wav"
        assert done["settings"]["prompt"] == PROMPT
        assert done["results"] == [f"clip restyle {PROMPT} s1.wav"]
        assert failed["error"] == ["output_failed", f"no room in (folder) for '{PROMPT}'", "free some"]
        assert failed["created_at"] <= failed["changed_at"]

    def test_are_the_last_ones_only(self, state_dir):
        journal = Journal(state_dir / "journal.sqlite3")
        for number in range(5):
            journal.add(Job(request=Generate(job=f"take-{number}", prompt="rain")))
        journal.close()

        assert [row["id"] for row in read_jobs(state_dir / "journal.sqlite3", 2)] == ["take-4", "take-3"]

    def test_are_read_while_a_daemon_writes(self, state_dir):
        with contextlib.closing(Journal(state_dir / "journal.sqlite3")) as journal:
            journal.add(Job(request=Generate(job="take-1", prompt="rain")))

            assert len(read_jobs(state_dir / "journal.sqlite3", 200)) == 1

    def test_of_a_later_journal_are_told_with_its_numbers(self):
        row = {"id": "x", "state": "new", "address": "/retake/later", "arguments": "?", "attempts": 2, "mood": "secret"}

        assert redacted(row, Redactor()) == {
            "id": "x",
            "state": "new",
            "address": "/retake/later",
            "attempts": 2,
            "settings": {},
            "warnings": [],
            "error": [],
            "results": [],
        }

    def test_of_nobody_have_no_audio(self, bundle):
        with pytest.raises(UnknownAudioJobError, match="take-9"):
            list(bundle(audio_of=("take-9",)).audio())


class TestRedactor:
    @pytest.mark.parametrize(
        ("text", "cleaned"),
        [
            ("/home/anna/x.wav", "~/x.wav"),
            ("in /home/anna.", "in ~."),
            ("/home/annabel/x.wav", "/home/annabel/x.wav"),
            ("'/home/anna'", "'~'"),
        ],
        ids=["file", "end of a sentence", "another's", "quoted"],
    )
    def test_names_the_home_folder_by_a_tilde(self, text, cleaned):
        assert Redactor(homes=("/home/anna",)).clean(text) == cleaned

    @pytest.mark.parametrize("text", [r"C:\Users\Anna\a", r"C:\\Users\\Anna\\a"], ids=["plain", "in JSON"])
    def test_knows_the_home_folder_of_windows(self, text):
        assert "Anna" not in Redactor(homes=(r"C:\Users\Anna",)).clean(text)

    def test_leaves_a_root_alone(self):
        assert Redactor(homes=("/", "")).clean("/a/b") == "/a/b"

    @pytest.mark.parametrize(
        "text", [f'"token": "{OLD_SECRET}"', f"token={OLD_SECRET}", f"'token', '{OLD_SECRET}'"], ids=["a", "b", "c"]
    )
    def test_finds_tokens_that_it_was_not_told_of(self, text):
        assert OLD_SECRET not in Redactor().clean(text)
        assert TOKEN in Redactor().clean(text)

    def test_looks_for_whole_words_of_a_prompt(self):
        assert Redactor(prompts=("rain",)).clean("rain, training") == f"{PROMPT}, training"

    @pytest.mark.parametrize(
        ("path", "name", "folder"),
        [
            ("/a/b c/d.wav", "d.wav", "/a/b c"),
            (r"C:\a\b\d.wav", "d.wav", r"C:\a\b"),
            ("/d.wav", "d.wav", ""),
            (r"C:\d.wav", "d.wav", ""),
            ("d.wav", "d.wav", ""),
        ],
        ids=["POSIX", "Windows", "root", "drive", "bare"],
    )
    def test_cuts_paths_of_any_system(self, path, name, folder):
        assert (last_part(path), folder_of(path)) == (name, folder)

    @pytest.mark.parametrize(
        ("text", "cut"),
        [
            ("there is no file at /s/My Film/a clip s1.wav now", "there is no file at a clip s1.wav now"),
            ("done /a/b c/x.wav, /a/b c/y (2).wav", "done x.wav, y (2).wav"),
            ("no room in /mnt/Other Film/takes for it", f"no room in {FOLDER} for it"),
            (r"C:\Users\An na\x\y.wav is a pipe", "y.wav is a pipe"),
            (r'"C:\\Users\\An na\\Film"', f'"{FOLDER}"'),
            (r"\\server\share\Film\a.flac, ok", "a.flac, ok"),
            ("//server/share/Film", FOLDER),
            ("file:///home/x/Film/z.mp3!", "z.mp3!"),
            ("~/Projects/Film/x.aiff", "x.aiff"),
            ("/home/Anna's Film/clip.wav is", "clip.wav is"),
            ("model=/models/Film", f"model={FOLDER}"),
            ("refused /retake/generate, 1/2, https://host/x", "refused /retake/generate, 1/2, https://host/x"),
        ],
    )
    def test_cuts_whatever_looks_like_a_path(self, text, cut):
        assert cut_paths(text) == cut

    @pytest.mark.parametrize("job", ["take-1", "3fa9c2d1-aa11-4b2c-9d7e-001122334455", "0a1b2c3d"])
    def test_keeps_the_ids_that_programs_give(self, job):
        assert anonymous_id(job) == job

    def test_hides_ids_that_are_words(self):
        assert "secret" not in anonymous_id("my secret film")


@pytest.mark.slow
class TestWhole:
    def test_has_none_of_the_words_that_anybody_put_anywhere(
        self, start_process, connect, generate, tmp_path, monkeypatch
    ):
        """Each planted word begins with Zq, whatever field it was put into, in its own folder or out of it."""
        monkeypatch.setenv("PATH", f"/opt/ZqPath:{os.environ['PATH']}")
        daemon = start_process()
        ear = connect(daemon)
        folder = tmp_path / "ZqFolder" / "ZqDeep er"
        folder.mkdir(parents=True)
        (folder / "pipe.wav").write_text("text")
        odd = [
            generate("take-1", "ZqPrompt", output_dir="/proc/ZqOutput/ZqInner"),
            generate("take-2", "ZqPrompt", reply="/proc/ZqReply/answer.json"),
            generate("take-3", "ZqPrompt", output_dir=str(folder), sampler="ZqSampler", client="ZqClient"),
            generate("take-4", "ZqPrompt", output_dir=str(folder), model=str(folder)),
            generate("ZqJobId in words", "ZqPrompt", output_dir=str(folder), model="ZqModel words"),
            Restyle(job="take-5", clip=str(folder / "pipe.wav"), prompt="ZqRestyled"),
            Restyle(job="take-6", clip=str(folder / "gone.wav"), prompt="ZqRestyled", negative="ZqNegative"),
            Preview(path=str(folder / "pipe.wav")),
            Preview(path=str(folder / "gone.wav")),
        ]
        for request in odd:
            ear.say(request)
            ear.wait_for(Fail)
        ear.say(generate("ZqDone one", "ZqPrompted thunder", seconds=0.2, steps=1, output_dir=str(folder / "ZqMade")))
        ear.wait_for(Done)
        for address, args in (
            ("/retake/inpaint", ["take-7", "/x/ZqClip.d/clip.wav", "glass", "start_s", "ZqStart", "end_s", 2.0]),
            ("/retake/generate", ["take-8", "rain", "ZqKey", "ZqValue"]),
            ("/retake/ZqAddress", ["ZqArgument"]),
            ("/retake/generate", ["ZqPromptForAnId", 3]),
            ("/retake/generate", ["ZqKeyForAnId x", "ZqMisplaced rain on tin", "1"]),
            ("/retake/generate", ["ZqLong" * 30, "rain"]),
            ("/retake/restyle", ["take-9", "relative/ZqRelative/x.wav", "rain"]),
            ("/retake/generate", ["take-10", "rain", "seed", "ZqSeed"]),
            ("/retake/model", [str(folder / "ZqModelFolder")]),
            ("/retake/jobs", ["text", "ZqSearch", "state", "ZqState"]),
            ("/retake/job", ["ZqUnknownJob"]),
        ):
            message = OscMessageBuilder(address)
            for value in (*args, "token", daemon.runtime.token):
                message.add_arg(value)
            ear.send_raw(message.build().dgram)
            ear.wait_for(Fail, Done)
        command = [sys.executable, "-m", "bridge", "support", "-o", str(tmp_path / "bundle.zip")]
        subprocess.run(command, cwd=ROOT, check=True, capture_output=True, timeout=240)

        for name, content in unpacked(tmp_path / "bundle.zip").items():
            found = re.findall(rb".*Zq.*", content)
            assert not found, (name, found)

    def test_is_made_beside_a_running_daemon_without_its_token(self, start_process, connect, generate, tmp_path):
        daemon = start_process()
        ear = connect(daemon)
        ear.say(generate("take-1", "", output_dir=str(tmp_path)))
        ear.wait_for(Fail)
        command = [sys.executable, "-m", "bridge", "support", "-o", str(tmp_path / "bundle.zip")]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=240)

        assert (done.returncode, done.stderr) == (0, "")
        files = unpacked(tmp_path / "bundle.zip")
        assert not [name for name, content in files.items() if daemon.runtime.token.encode() in content]
        assert json.loads(files["runtime.json"])["port"] == daemon.runtime.port
        assert "daemon" in [check["name"] for check in json.loads(files["doctor.json"])["checks"]]
        assert [job["id"] for job in json.loads(files["jobs.json"])] == ["take-1"]
        assert b"torch==" in files["versions.txt"]
