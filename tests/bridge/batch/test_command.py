"""`retake batch`: what a list asks, what the manifest remembers, and that nothing stops a batch for good."""

import contextlib
import csv
import json
import os
import signal
import socket
import struct
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path

import pytest

from bridge.batch.command import main
from bridge.batch.errors import BatchListError, BatchRowError
from bridge.batch.manifest import MANIFEST_FILE, TABLE_FILE, BatchManifest, ManifestEntry, duration_s, entry_of
from bridge.batch.request_list import read_list
from bridge.batch.runner import Tally
from bridge.host.discovery import find_daemon
from bridge.wire.messages import Done, Generate, Restyle
from tests.daemons import PATIENCE_S, ROOT


@pytest.fixture
def write_list(tmp_path):
    def write(name, text):
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        return path

    return write


def entries_of(folder: Path) -> list[dict]:
    return [json.loads(line) for line in (folder / MANIFEST_FILE).read_text().splitlines() if line]


class TestList:
    def test_of_a_table_has_a_request_for_each_row(self, write_list, tmp_path):
        items = read_list(write_list("a.csv", "prompt,seconds,seed\nrain,1.5,7\nthunder,,\n"), tmp_path)

        first, second = (item.request for item in items)
        assert (first.prompt, first.seconds, first.seed, first.output_dir) == ("rain", 1.5, 7, str(tmp_path))
        assert (second.prompt, second.seconds, second.seed, second.priority) == ("thunder", None, None, "batch")

    def test_of_objects_may_ask_for_any_operation(self, write_list, tmp_path):
        row = {"operation": "restyle", "clip": str(tmp_path / "a.wav"), "prompt": "rain", "strength": 0.5}
        (item,) = read_list(write_list("a.jsonl", json.dumps(row) + "\n\n"), tmp_path)

        assert isinstance(item.request, Restyle)
        assert item.request.strength == 0.5

    def test_of_lines_has_a_prompt_in_each(self, write_list, tmp_path):
        items = read_list(write_list("a.txt", "rain, heavy\n\nthunder\n"), tmp_path)

        assert [item.request.prompt for item in items] == ["rain, heavy", "thunder"]

    def test_asks_once_for_what_stands_in_it_twice(self, write_list, tmp_path):
        items = read_list(write_list("a.csv", "prompt,seed\nrain,1\nrain,2\nrain,1\n"), tmp_path)

        assert [item.request.seed for item in items] == [1, 2]

    def test_has_the_same_keys_in_every_form_and_others_for_another_folder(self, write_list, tmp_path):
        (of_table,) = read_list(write_list("a.csv", "prompt,seed\nrain,1\n"), tmp_path)
        (of_object,) = read_list(write_list("a.jsonl", '{"seed": 1, "prompt": "rain"}'), tmp_path)
        (elsewhere,) = read_list(write_list("a.csv", "prompt,seed\nrain,1\n"), tmp_path / "other")

        assert of_table.key == of_object.key != elsewhere.key

    def test_has_another_key_when_a_clip_has_become_another(self, write_list, tmp_path):
        clips = [tmp_path / "a.wav", tmp_path / "b.wav"]
        for clip in clips:
            clip.write_bytes(clip.name.encode())
        rows = "".join(json.dumps({"operation": "vary", "clip": str(clip)}) + "\n" for clip in clips)

        assert len(read_list(write_list("a.jsonl", rows), tmp_path)) == 2

    @pytest.mark.parametrize(
        ("name", "text", "words"),
        [
            ("a.csv", "prompt,seed\nrain,1\nrain,many\n", "row 3 .* seed"),
            ("a.csv", "prompt,sedd\nrain,1\n", "row 2 .* key"),
            ("a.jsonl", '{"prompt": "rain"}\n{"seed": 1}\n', "row 2 .* prompt"),
            ("a.jsonl", '{"operation": "cancel", "job": "a"}\n', "row 1 .*"),
        ],
        ids=["a value", "a name", "a prompt that lacks", "no render"],
    )
    def test_with_a_bad_row_is_refused_with_its_number(self, write_list, tmp_path, name, text, words):
        with pytest.raises(BatchRowError, match=words):
            read_list(write_list(name, text), tmp_path)

    def test_may_pass_over_bad_rows(self, write_list, tmp_path):
        bad = []
        rows = "prompt,seed\nrain,1\nrain,many\n,7\ndog,2.0\nwind,99999999999999999999\n"
        items = read_list(write_list("a.csv", rows), tmp_path, bad.append)

        assert [(item.row, item.request.prompt, item.request.seed) for item in items] == [(2, "rain", 1), (5, "dog", 2)]
        assert [error.text.partition(" of ")[0] for error in bad] == ["row 3", "row 4", "row 6"]

    def test_that_a_european_table_program_wrote_asks_the_same(self, write_list, tmp_path):
        european = write_list("a.csv", "Prompt;Seconds;Seed;;\r\nRegen;1,5;1;;\r\n;;;;\r\n")

        (item,) = read_list(european, tmp_path)
        assert (item.request.prompt, item.request.seconds, item.request.seed) == ("Regen", 1.5, 1)
        assert item.key == read_list(write_list("b.csv", "prompt,seconds,seed\nRegen,1.5,1\n"), tmp_path)[0].key

    @pytest.mark.skipif(sys.platform != "linux", reason="names are Unicode there")
    def test_in_an_old_encoding_names_clips_by_their_bytes(self, tmp_path):
        clip = os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9.wav")
        Path(clip).touch()
        (tmp_path / "a.csv").write_bytes(b"operation,clip\nvary," + os.fsencode(clip) + b"\n")

        assert read_list(tmp_path / "a.csv", tmp_path)[0].request.clip == clip

    def test_that_is_missing_is_told_as_that(self, tmp_path):
        with pytest.raises(BatchListError, match="No such file") as caught:
            read_list(tmp_path / "a.csv", tmp_path)
        assert "check its path" in caught.value.hint

    def test_does_not_leave_out_a_column_in_silence(self, write_list, tmp_path):
        with pytest.raises(BatchRowError, match="no column or key 'promt'") as caught:
            read_list(write_list("a.csv", "promt\nrain\n"), tmp_path)
        assert caught.value.hint == "did you mean prompt?"

    def test_passes_over_columns_that_are_its_own_and_says_so(self, write_list, tmp_path):
        notes = []
        rows = "id,prompt,UCS category,notes\n7,rain,WEATRain,too long?\n"
        (item,) = read_list(write_list("a.csv", rows), tmp_path, on_notes=notes.append)

        assert item.request.prompt == "rain"
        assert notes == ["id", "notes", "ucs_category"]

    @pytest.mark.parametrize("name", ["sedd", "second", "prompts", "strength", "guidence", "negativ"])
    def test_takes_nothing_for_its_own_that_may_be_meant_for_a_knob(self, write_list, tmp_path, name):
        with pytest.raises(BatchRowError, match=f"no column or key '{name}'"):
            read_list(write_list("a.csv", f"prompt,{name}\nrain,0.5\n"), tmp_path)

    @pytest.mark.skipif(sys.platform == "win32", reason="no such files")
    @pytest.mark.timeout(20)
    def test_looks_into_no_file_that_never_ends(self, write_list, tmp_path):
        os.mkfifo(tmp_path / "pipe.wav")
        (tmp_path / "zero.wav").symlink_to("/dev/zero")
        with socket.socket(socket.AF_UNIX) as door, contextlib.chdir(tmp_path):
            door.bind("door.wav")
        with (tmp_path / "huge.wav").open("wb") as huge:
            huge.truncate(2**36)
        names = ["pipe.wav", "zero.wav", "door.wav", "huge.wav", ".", "/dev/zero", "/proc/self/mem", "a" * 300]
        rows = "".join(f"vary,{tmp_path / name}\n" for name in names)

        assert len(read_list(write_list("a.csv", f"operation,clip\n{rows}"), tmp_path)) == len(names)

    @pytest.mark.parametrize(
        ("name", "text"),
        [
            ("a.ods", "rain"),
            ("a.csv", 'prompt,seed\nrain,1\n"dog,2\n'),
            ("a.txt", "\n\n"),
            ("a.jsonl", "rain"),
            ("a.jsonl", "[1]"),
            ("a.csv", "prompt\nrain,1\n"),
        ],
        ids=[
            "of another kind",
            "of a quote that is never closed",
            "that is empty",
            "of no JSON",
            "of no objects",
            "that is ragged",
        ],
    )
    def test_that_is_none_is_refused(self, write_list, tmp_path, name, text):
        with pytest.raises(BatchListError):
            read_list(write_list(name, text), tmp_path)


FOREIGN = {
    "a data set's": b'{"file_name": "a.wav", "text": "rain"}\n',
    "a list": b'{"prompt": "rain"}\n',
    "with a key of ours": b'{"key": "a", "prompt": "rain"}\n',
    "no JSON": b"rain\n",
    "cut off": b'{"prompt": "ra',
    "ours with a column more": None,
    "ours with a line more": None,
}


class TestManifest:
    def entry(self, key, state="failed", **facts):
        return ManifestEntry(key, 1, f"batch-{key}-1", state, "generate", "rain", **facts)

    def test_remembers_the_latest_of_each_request(self, tmp_path):
        with BatchManifest(tmp_path) as manifest:
            manifest.add(self.entry("a"))
            manifest.add(self.entry("a", "done", path="/a.wav", others=("/b.wav",)))

        with BatchManifest(tmp_path) as manifest:
            assert manifest.entries == {"a": self.entry("a", "done", path="/a.wav", others=("/b.wav",))}

    def test_survives_a_line_that_was_cut_off(self, tmp_path):
        with BatchManifest(tmp_path) as manifest:
            manifest.add(self.entry("a"))
        with (tmp_path / MANIFEST_FILE).open("ab") as stream:
            stream.write(b'{"key": "b", "att')
        with BatchManifest(tmp_path) as manifest:
            manifest.add(self.entry("c"))

        with BatchManifest(tmp_path) as manifest:
            assert list(manifest.entries) == ["a", "c"]

    @pytest.mark.parametrize(
        "facts", [{"path": 5}, {"others": [3]}, {"seed": "x"}, {"clap_score": "high"}, {"mood": 1}]
    )
    def test_lines_with_values_of_another_type_are_not_ours(self, tmp_path, facts):
        line = json.dumps(asdict(self.entry("a", "done")) | facts)
        (tmp_path / MANIFEST_FILE).write_text(line + "\n", encoding="utf-8")

        with BatchManifest(tmp_path) as manifest:
            assert [entry.is_done for entry in manifest.entries.values()] == []
            assert manifest.file.name == "retake-batch (2).jsonl"
        assert (tmp_path / MANIFEST_FILE).read_text(encoding="utf-8") == line + "\n"

    def test_names_of_files_that_are_no_text_are_remembered(self, tmp_path):
        entry = self.entry("a", "done", path="/caf\udce9.wav")
        with BatchManifest(tmp_path) as manifest:
            manifest.add(entry)

        with BatchManifest(tmp_path) as manifest:
            assert manifest.entries == {"a": entry}

    @pytest.mark.parametrize("story", [b"[]", b'{"seed": "x"}', b"{", b'{"score": [1]}', b"[" * 100_000])
    def test_a_damaged_story_beside_a_take_costs_its_facts_only(self, tmp_path, story):
        request = Generate(job="batch-a-1", prompt="rain", seed=3)
        (tmp_path / "a.json").write_bytes(story)

        entry = entry_of("a", 1, request, Done(request.address, request.job, (str(tmp_path / "a.wav"),)))

        assert (entry.state, entry.seed, entry.clap_score) == ("done", 3, None)

    def test_is_put_in_order_and_told_as_a_table(self, tmp_path):
        with BatchManifest(tmp_path) as manifest:
            for key in "abc":
                manifest.add(self.entry(key, seed=3))
            manifest.put_in_order(["c", "missing", "b"])

        assert [entry["key"] for entry in entries_of(tmp_path)] == ["c", "b", "a"]
        with (tmp_path / TABLE_FILE).open(newline="") as stream:
            assert [(row["key"], row["seed"]) for row in csv.DictReader(stream)] == [("c", "3"), ("b", "3"), ("a", "3")]

    @pytest.mark.parametrize("name", [MANIFEST_FILE, TABLE_FILE, "manifest.jsonl", "manifest.csv"])
    @pytest.mark.parametrize("kind", FOREIGN)
    def test_leaves_a_file_that_is_not_its_own(self, tmp_path, name, kind):
        with BatchManifest(tmp_path) as manifest:
            manifest.add(self.entry("a"))
            manifest.put_in_order([])
        ours = (tmp_path / name.replace("manifest", "retake-batch")).read_bytes()
        more = ours.replace(b"}", b', "stars": 5}') if "jsonl" in name else ours.replace(b"\r\n", b",5\r\n")
        content = FOREIGN[kind] or (more if "column" in kind else ours + b"mine\n")
        (tmp_path / name).write_bytes(content)

        with BatchManifest(tmp_path) as manifest:
            manifest.add(self.entry("b"))
            manifest.put_in_order(["b"])
        with BatchManifest(tmp_path) as manifest:
            assert manifest.entries["b"] == self.entry("b")
            manifest.put_in_order(["b"])
        assert (tmp_path / name).read_bytes() == content
        tables = [path for path in tmp_path.glob("*.csv") if b"batch-b-1" in path.read_bytes()]
        assert len(tables) == len(list(tmp_path.glob("*.jsonl"))) - (name != TABLE_FILE and "jsonl" in name) == 1

    @pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root can give files away")
    def test_leaves_another_users_and_knows_its_own_on_a_share(self, tmp_path):
        for has_lock in (False, True):
            folder = tmp_path / f"lock {has_lock}"
            folder.mkdir()
            with BatchManifest(folder) as manifest:
                manifest.add(self.entry("a"))
            os.chown(folder / MANIFEST_FILE, 12345, -1)
            if has_lock:
                (folder / ".retake-batch.lock").touch()
                os.chown(folder / ".retake-batch.lock", 12345, -1)

            with BatchManifest(folder) as manifest:
                assert (manifest.file.name == MANIFEST_FILE) == has_lock

    def test_follows_no_link(self, tmp_path):
        (tmp_path / "mine.txt").write_text("dear diary\n")
        for name in (MANIFEST_FILE, TABLE_FILE):
            (tmp_path / name).symlink_to("mine.txt" if name == MANIFEST_FILE else "nowhere.csv")

        with BatchManifest(tmp_path) as manifest:
            manifest.add(self.entry("a"))
            manifest.put_in_order([])
        assert (tmp_path / "mine.txt").read_text() == "dear diary\n"
        assert (tmp_path / TABLE_FILE).is_symlink()
        assert not (tmp_path / "nowhere.csv").exists()
        assert (tmp_path / "retake-batch (2).jsonl").is_file()

    def test_goes_on_from_that_of_an_earlier_version_and_leaves_it(self, tmp_path):
        with BatchManifest(tmp_path) as manifest:
            manifest.add(self.entry("a"))
        earlier = (tmp_path / MANIFEST_FILE).rename(tmp_path / "manifest.jsonl").read_bytes()

        with BatchManifest(tmp_path) as manifest:
            assert manifest.entries == {"a": self.entry("a")}
            manifest.put_in_order([])
        assert (tmp_path / "manifest.jsonl").read_bytes() == earlier

    def test_writes_on_in_its_table_whenever_it_was_killed(self, tmp_path):
        with BatchManifest(tmp_path) as manifest:
            manifest.add(self.entry("a"))
            manifest.put_in_order([])
        with BatchManifest(tmp_path) as manifest:
            manifest.add(self.entry("a", "done", path="/a.wav"))
        (tmp_path / f".retake-batch-{'0' * 16}.new").touch()
        with BatchManifest(tmp_path) as manifest:
            manifest.put_in_order([])

        assert sorted(path.name for path in tmp_path.iterdir()) == [TABLE_FILE, MANIFEST_FILE]
        assert "/a.wav" in (tmp_path / TABLE_FILE).read_text()

    def test_keeps_names_that_are_no_text(self, tmp_path):
        entry = self.entry("a", "done", path=os.fsdecode(b"/caf\xe9.wav"))
        for _ in range(2):
            with BatchManifest(tmp_path) as manifest:
                manifest.add(entry)
                manifest.put_in_order([])

        with BatchManifest(tmp_path) as manifest:
            assert manifest.entries == {"a": entry}
        assert sorted(path.name for path in tmp_path.iterdir()) == [TABLE_FILE, MANIFEST_FILE]

    def test_does_not_call_done_what_has_been_moved_away(self, tmp_path):
        wav = tmp_path / "a.wav"
        wav.touch()
        entry = self.entry("a", "done", path=str(wav))
        assert entry.is_done
        wav.unlink()

        assert not entry.is_done

    def test_knows_the_length_of_a_wav(self, tmp_path):
        wav = tmp_path / "a.wav"
        head = struct.pack("<4sI4s4sIHHIIHH", b"RIFF", 0, b"WAVE", b"fmt ", 16, 3, 1, 16_000, 64_000, 4, 32)
        wav.write_bytes(head + struct.pack("<4sI3sx4sI", b"note", 3, b"odd", b"data", 96_000))

        assert duration_s(wav) == 1.5
        assert duration_s(tmp_path / "missing.wav") is None


@pytest.mark.timeout(20)
@pytest.mark.skipif(sys.platform == "win32", reason="no such files")
@pytest.mark.parametrize("make", [os.mkfifo, lambda path: os.symlink("nowhere", path), os.mkdir])
def test_a_lock_that_is_none_is_refused(write_list, tmp_path, capsys, make):
    make(tmp_path / ".retake-batch.lock")

    assert main([str(write_list("a.csv", "prompt\nrain\n")), "-o", str(tmp_path)]) == 1
    assert "link or no file" in capsys.readouterr().err
    assert not (tmp_path / "nowhere").exists()


def test_a_file_in_the_place_of_the_folder_is_told(write_list, tmp_path, capsys):
    (tmp_path / "rain").write_text("mine")

    for folder in (tmp_path / "rain", tmp_path / "rain" / "takes"):
        assert main([str(write_list("a.csv", "prompt\nrain\n")), "-o", str(folder)]) == 1
        assert "is a file" in capsys.readouterr().err
    assert (tmp_path / "rain").read_text() == "mine"


@pytest.mark.timeout(20)
@pytest.mark.skipif(sys.platform == "win32", reason="no such files")
def test_a_pipe_in_the_place_of_the_list_is_told_with_a_hint_that_helps(tmp_path, capsys):
    os.mkfifo(tmp_path / "p.csv")

    assert main([str(tmp_path / "p.csv"), "-o", str(tmp_path / "out")]) == 1
    said = capsys.readouterr().err
    assert "a pipe" in said
    assert "hint: write it to a file, and name that" in said


class TestTally:
    def test_knows_nothing_of_the_rest_before_something_ended(self):
        assert Tally(5, 0).left_s is None

    def test_expects_the_rest_at_the_rate_so_far(self):
        tally = Tally(5, 0)
        tally.count(ManifestEntry("a", 1, "a", "done", "generate", "rain"))

        assert tally.left_s == pytest.approx(4 / tally.per_s, rel=0.5)


@pytest.mark.slow
class TestBatch:
    @pytest.fixture
    def prompts(self, write_list):
        rows = [f"sound {number},{number},0.5,2" for number in range(12)]
        return write_list("prompts.csv", "\n".join(["prompt,seed,seconds,steps", *rows, rows[0]]) + "\n")

    @pytest.fixture
    def out(self, tmp_path, monkeypatch):
        monkeypatch.setenv("RETAKE_ALLOWED_FOLDERS", str(tmp_path))
        monkeypatch.setenv("RETAKE_MODEL", "tiny")
        monkeypatch.setenv("RETAKE_PORT", "0")
        return tmp_path / "out"

    @pytest.fixture
    def start_daemon_process(self, start_process, out):
        """Start a daemon, and return when it can be found."""

        def start(*flags):
            daemon = start_process("--allowed-folders", str(out.parent), *flags)
            assert daemon.runtime
            return daemon

        return start

    @pytest.fixture
    def start_batch(self):
        started = []

        def start(*words):
            command = [sys.executable, "-m", "bridge", "batch", *map(str, words)]
            started.append(subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True))
            return started[-1]

        yield start
        for process in started:
            process.kill()
            process.wait()
            process.stderr.close()

    def check(self, out, num_items=12):
        """Everything is there, and nothing twice."""
        entries = entries_of(out)
        assert [entry["state"] for entry in entries] == ["done"] * num_items
        assert [entry["seed"] for entry in entries] == list(range(num_items))
        assert all(entry["duration_s"] == pytest.approx(0.5, abs=0.01) for entry in entries)
        assert all(entry["model"] == "tiny" for entry in entries)
        assert {entry["path"] for entry in entries} == {str(path) for path in out.glob("*.wav")}

    def test_renders_each_request_once_and_nothing_when_it_is_repeated(
        self, start_daemon_process, prompts, out, capsys
    ):
        start_daemon_process()
        assert main([str(prompts), "-o", str(out)]) == 0
        self.check(out)
        written = {path: path.stat().st_mtime_ns for path in out.glob("*.wav")}
        assert main([str(prompts), "-o", str(out)]) == 0

        self.check(out)
        assert written == {path: path.stat().st_mtime_ns for path in out.glob("*.wav")}
        assert "12 of 12 done" in capsys.readouterr().err

    def test_renders_again_what_has_been_deleted(self, start_daemon_process, prompts, out):
        start_daemon_process()
        main([str(prompts), "-o", str(out)])
        lost = Path(entries_of(out)[3]["path"])
        lost.unlink()
        assert main([str(prompts), "-o", str(out)]) == 0

        self.check(out)

    def test_goes_on_after_it_was_killed(self, start_daemon_process, start_batch, prompts, out, wait_until):
        start_daemon_process()
        process = start_batch(prompts, "-o", out)
        wait_until(lambda: len(list(out.glob("*.wav"))) >= 2)
        process.kill()
        process.wait()
        assert main([str(prompts), "-o", str(out)]) == 0

        self.check(out)

    def test_goes_on_with_the_next_daemon_on_the_same_port(
        self, start_batch, prompts, out, state_dir, wait_until, monkeypatch
    ):
        """The one that comes after a killed one has its port, and a token of its own."""
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            probe.bind(("127.0.0.1", 0))
            monkeypatch.setenv("RETAKE_PORT", str(probe.getsockname()[1]))
        process = start_batch(prompts, "-o", out)
        wait_until(lambda: len(list(out.glob("*.wav"))) >= 2)
        first = find_daemon(state_dir)
        os.kill(first.pid, signal.SIGKILL)
        try:
            assert process.wait(2 * PATIENCE_S) == 0
            second = find_daemon(state_dir)
            assert (second.port, second.token == first.token) == (first.port, False)
        finally:
            if (runtime := find_daemon(state_dir)) is not None:
                os.kill(runtime.pid, signal.SIGTERM)
                wait_until(lambda: find_daemon(state_dir) is None)

        self.check(out)

    def test_goes_on_when_the_daemon_was_killed(
        self, start_daemon_process, start_batch, prompts, out, state_dir, wait_until
    ):
        daemon = start_daemon_process()
        process = start_batch(prompts, "-o", out)
        wait_until(lambda: len(list(out.glob("*.wav"))) >= 2)
        daemon.process.kill()
        daemon.process.wait()
        try:
            assert process.wait(2 * PATIENCE_S) == 0
        finally:
            if (runtime := find_daemon(state_dir)) is not None:
                os.kill(runtime.pid, signal.SIGTERM)
                wait_until(lambda: find_daemon(state_dir) is None)

        self.check(out)

    def test_takes_its_jobs_back_when_it_is_interrupted(
        self, start_daemon_process, start_batch, write_list, out, wait_until
    ):
        start_daemon_process()
        rows = "".join(f"sound {number},{number},5,100\n" for number in range(12))
        process = start_batch(write_list("long.csv", f"prompt,seed,seconds,steps\n{rows}"), "-o", out)
        wait_until(lambda: list(out.glob("*.wav")) or process.poll() is not None)
        process.send_signal(signal.SIGINT)

        assert process.wait(PATIENCE_S) == 130
        states = {entry["state"] for entry in entries_of(out)}
        assert "cancelled" in states
        assert "failed" not in states

    def test_stops_before_the_folder_holds_more_than_it_may(self, start_daemon_process, prompts, out, capsys):
        start_daemon_process()
        few = prompts.with_name("few.csv")
        few.write_text("\n".join(prompts.read_text().splitlines()[:2]))
        main([str(few), "-o", str(out)])
        one_takes = sum(path.stat().st_size for path in out.glob("generate*"))
        limit = sum(path.stat().st_size for path in out.iterdir()) + int(2.5 * one_takes)

        assert main([str(prompts), "-o", str(out), "--max-disk", str(limit)]) == 3
        assert "--max-disk" in capsys.readouterr().err
        assert len(list(out.glob("*.wav"))) == 3

    def test_ends_at_once_when_nothing_may_be_written_there(self, start_process, prompts, tmp_path, capsys):
        assert start_process().runtime
        out = tmp_path / ".hidden" / "out"

        assert main([str(prompts), "-o", str(out)]) == 1
        assert "allowed_folders" in capsys.readouterr().err

    def test_tells_of_what_failed_and_renders_the_rest(self, start_daemon_process, write_list, out, tmp_path):
        start_daemon_process()
        rows = [{"operation": "vary", "clip": str(tmp_path / "missing.wav")}, {"prompt": "rain", "steps": 2}]
        batch = write_list("a.jsonl", "\n".join(map(json.dumps, rows)))

        assert main([str(batch), "-o", str(out)]) == 1
        failed, done = entries_of(out)
        assert (failed["state"], failed["error"], done["state"]) == ("failed", "file_missing", "done")

    def test_harms_no_manifest_of_the_users_not_even_its_own_list(self, start_daemon_process, write_list, out):
        start_daemon_process()
        folder = out.parent
        batch = write_list("manifest.jsonl", '{"prompt": "rain", "seconds": 0.5, "steps": 1, "tries": 1}\n')
        table = write_list("manifest.csv", "file,label,annotator\na.wav,dog,Ann\n")
        before = batch.read_bytes(), table.read_bytes()

        assert main([str(batch), "-o", str(folder)]) == 0
        assert (batch.read_bytes(), table.read_bytes()) == before
        assert [entry["state"] for entry in entries_of(folder)] == ["done"]

    def test_names_a_row_that_is_too_long_and_renders_the_rest(self, start_daemon_process, write_list, out, capsys):
        start_daemon_process()
        long = write_list("a.csv", f"prompt,seconds,steps\n{'loud ' * 4_000},0.5,1\nrain,0.5,1\n{'b' * 70_000},0.5,1\n")

        assert main([str(long), "-o", str(out)]) == 1
        assert [entry["state"] for entry in entries_of(out)] == ["failed", "done", "failed"]
        assert entries_of(out)[0]["error"] == "request_too_long"
        err = capsys.readouterr().err
        assert "row 2 failed: the request has 20," in err
        assert "row 4 failed: the request has 70," in err

    def test_knows_takes_of_attempts_whose_end_was_another(self, start_daemon_process, write_list, out):
        start_daemon_process()
        batch = write_list("a.csv", "prompt,seconds,steps,candidates\nrain,0.5,1,2\n")
        assert main([str(batch), "-o", str(out)]) == 0
        (entry,) = entries_of(out)
        before = sorted(out.glob("*.wav"))
        undone = entry | {"state": "cancelled", "path": "", "others": [], "duration_s": None, "error": "cancelled"}
        (out / MANIFEST_FILE).write_text(json.dumps(undone) + "\n")
        assert main([str(batch), "-o", str(out)]) == 0

        assert sorted(out.glob("*.wav")) == before
        assert entries_of(out) == [entry]

    def test_waits_where_the_queue_is_full(self, start_daemon_process, prompts, out):
        start_daemon_process("--queue-capacity", "2")

        assert main([str(prompts), "-o", str(out)]) == 0
        self.check(out)
