"""What the window knows without a window: forms, jobs, the journal, settings files, audition, pictures."""

import json
import math
import os
import sqlite3
import sys
import tomllib

import numpy as np
import pytest
import soundfile

from bridge.desktop.state.audition import Audition
from bridge.desktop.state.daemon_connection import DaemonConnection
from bridge.desktop.state.daemon_settings import read_settings, write_settings
from bridge.desktop.state.entries import JobItem, facts_of
from bridge.desktop.state.job_store import JobStore
from bridge.desktop.state.journal_reader import read_latest
from bridge.desktop.state.model_list import (
    PullProgress,
    parse_error,
    parse_models,
    parse_passed_over,
    parse_pull_progress,
)
from bridge.desktop.state.parameters import parameters_of
from bridge.desktop.state.preferences import Preferences, read_preferences, write_preferences
from bridge.desktop.state.render_form import FormIncompleteError, RenderForm, again, form_of, next_seed, not_in_form
from bridge.desktop.state.sound_picture import COLUMNS, ROWS, read_picture
from bridge.errors import DaemonMissingError, SettingsError
from bridge.jobs.job import Job, JobState
from bridge.jobs.journal import Journal
from bridge.wire.messages import Ack, Done, Fail, Generate, Inpaint, JobReply, Notice, Progress, Restyle
from engine import AudioUnreadableError
from tests.engine.sound_files.surgery import encoded, sweep, with_flac_total

OTHER_VALUES = {
    "seconds": 2.5,
    "tries": 3,
    "like": "/like.wav",
    "like_weight": 0.25,
    "candidates": 2,
    "negative": "hum",
    "steps": 6,
    "guidance": 4.5,
    "sampler": "ddim",
    "draft": True,
    "strength": 0.3,
    "keep_air": True,
    "structure": 0.0,
    "low_hz": 200.0,
    "high_hz": 900.0,
    "cutoff_hz": 4000.0,
    "output_rate": 48_000,
    "model": "nano",
}
"""A value for every parameter that is not its default."""


class TestForm:
    @pytest.mark.parametrize("operation", ["generate", "restyle", "inpaint", "vary", "upscale"])
    def test_comes_back_from_its_request(self, operation):
        asked = OTHER_VALUES | {"seed": 9}
        values = {name: asked[name] for name in parameters_of(operation)}
        from_clip = operation != "generate"
        form = RenderForm(
            operation, "rain", "/clip.wav" if from_clip else None, (0.5, 1.0) if from_clip else None, values
        )

        assert form_of(form.request("job")) == form

    def test_names_what_has_no_field(self):
        request = Inpaint(job="a", clip="/c.wav", prompt="x", start_s=1.0, end_s=2.0, region=((3.0, 4.0),))

        assert not_in_form(request) == ["Further regions"]

    def test_a_part_without_an_end_goes_to_the_end(self):
        request = Restyle(job="a", clip="/c.wav", prompt="x", start_s=1.0)

        assert form_of(request).part == (1.0, math.inf)
        assert (form_of(request).request("b").start_s, form_of(request).request("b").end_s) == (1.0, None)

    def test_what_is_as_the_table_says_is_not_sent(self):
        request = RenderForm(values={"candidates": 1, "negative": "", "draft": False}, prompt="rain").request("job")

        assert (request.seconds, request.candidates, request.negative, request.draft) == (5.12, None, None, None)

    def test_the_weight_of_no_sound_is_not_sent(self):
        assert RenderForm(prompt="rain", values={"like_weight": 0.9}).request("job").like_weight is None

    def test_another_sound_may_take_the_place_of_words(self):
        assert RenderForm(values={"like": "/rain.wav"}).request("job").like == "/rain.wav"

    def test_without_words_is_refused(self):
        with pytest.raises(FormIncompleteError, match="few words"):
            RenderForm().request("job")

    def test_vary_needs_no_words(self):
        assert RenderForm("vary", "", "/clip.wav").request("job").prompt == ""

    def test_again_keeps_everything_but_the_seed(self):
        request = Generate(job="a", prompt="rain", seed=4, steps=7, reply="/r.json")
        repeated = again(request, "b", seed=next_seed(request))

        assert (repeated.job, repeated.seed, repeated.steps, repeated.reply) == ("b", 5, 7, None)

    def test_for_live_is_words_then_keys(self):
        words = RenderForm("restyle", "rain", values={"seed": 3, "candidates": 2}).words_for_live()

        assert words == ["rain", "strength", 0.5, "seed", 3, "candidates", 2]


class TestJobStore:
    def test_follows_a_job_to_its_end(self):
        store = JobStore()
        store.add(Generate(job="a", prompt="rain"))
        for news in (Ack("a", 0), Progress("a", 0.5, "step 1/2"), Notice("a", "hm"), Notice("a", "hm")):
            store.apply(news)
        assert store.summary().mood == "working"
        assert store.summary().fraction == 0.5
        entry = store.apply(Done("/retake/generate", "a", ("/a.wav",)))

        assert (entry.state, entry.paths, entry.warnings) == (JobState.DONE, ("/a.wav",), ("hm",))
        assert store.summary().mood == "idle"

    def test_late_news_change_nothing(self):
        store = JobStore()
        store.apply(Fail("/retake/generate", "a", "cancelled", "t", "h"))
        assert store.apply(Progress("a", 0.5, "step")).state is JobState.CANCELLED

    def test_answers_to_cancel_are_no_news_of_the_job(self):
        store = JobStore()
        store.apply(Progress("a", 0.5, "step"))

        assert store.apply(Done("/retake/cancel", "a")) is None
        assert store.find("a").state is JobState.RUNNING

    def test_a_failure_shows_until_it_was_seen(self):
        store = JobStore()
        store.apply(Fail("/retake/generate", "a", "bad", "it broke", "h"))
        assert (store.summary().mood, store.summary().text) == ("error", "it broke")
        store.acknowledge_failure()

        assert store.summary().mood == "idle"

    def test_learns_from_the_journal_what_a_stranger_asked_for(self):
        store = JobStore()
        store.apply(Progress("a", 0.25, "step 1/4"))
        told = JobItem(job="a", request=Generate(job="a", prompt="wind"), created_at="2026-01-01T00:00:00Z")
        store.fill([told])

        assert (store.find("a").title, store.find("a").fraction) == ("wind", 0.25)

    def test_a_word_about_the_job_counts(self):
        store = JobStore()
        assert store.apply(JobReply("a", "running", 0.5, "step")).state is JobState.RUNNING


class TestJournal:
    def test_is_read_beside_the_daemon(self, tmp_path):
        journal = Journal(tmp_path / "journal.sqlite3")
        for name in ("a", "b"):
            job = Job(request=Generate(job=name, prompt=f"sound {name}", seed=2))
            journal.add(job)
            journal.update(job.after(Progress(name, 0.5, "x")).after(Done("/retake/generate", name, (f"/{name}.wav",))))
        entries = read_latest(tmp_path)
        journal.close()

        assert [(it.job, it.title, it.state, it.paths) for it in entries] == [
            ("b", "sound b", JobState.DONE, ("/b.wav",)),
            ("a", "sound a", JobState.DONE, ("/a.wav",)),
        ]
        assert entries[0].created_at.endswith("Z")

    def test_is_empty_where_there_is_none(self, tmp_path):
        assert read_latest(tmp_path) == []
        assert not (tmp_path / "journal.sqlite3").exists()

    def test_is_never_written_to(self, tmp_path):
        Journal(tmp_path / "journal.sqlite3").close()
        before = (tmp_path / "journal.sqlite3").read_bytes()
        read_latest(tmp_path)

        assert (tmp_path / "journal.sqlite3").read_bytes() == before

    def test_that_is_none_is_told(self, tmp_path):
        (tmp_path / "journal.sqlite3").write_text("hello")
        with pytest.raises(sqlite3.Error):
            read_latest(tmp_path)


class TestFacts:
    def test_name_what_was_asked_for(self):
        request = Inpaint(job="a", clip="/c.wav", prompt="x", start_s=1.0, end_s=2.0, seed=7, model="nano")

        assert facts_of(request) == [("Model", "nano"), ("Region", "1–2 s"), ("Seed", "7")]


class TestDaemonSettings:
    def test_keep_comments_and_order(self, tmp_path):
        file = tmp_path / "retake.toml"
        file.write_text('# mine\nport = 4000  # here\ndevice = "cpu"\n')
        write_settings(file, {"device": "auto", "output_dir": '/x "y"', "model": None})

        assert file.read_text().startswith("# mine\nport = 4000  # here\n")
        assert tomllib.loads(file.read_text()) == {"port": 4000, "device": "auto", "output_dir": '/x "y"'}
        assert read_settings(file).port == 4000

    def test_replace_the_first_line_of_a_file_with_a_byte_order_mark(self, tmp_path):
        file = tmp_path / "retake.toml"
        file.write_text('\ufeffdevice = "cpu"\n', encoding="utf-8")
        write_settings(file, {"device": "auto"})

        assert read_settings(file).device == "auto"

    def test_a_link_stays_a_link(self, tmp_path):
        dotfiles = tmp_path / "dotfiles"
        dotfiles.mkdir()
        real, link = dotfiles / "retake.toml", tmp_path / "retake.toml"
        real.write_text("# mine\nport = 0\n")
        link.symlink_to("dotfiles/retake.toml")
        write_settings(link, {"device": "cpu"})

        assert link.is_symlink()
        assert real.read_text() == '# mine\nport = 0\ndevice = "cpu"\n'

    def test_none_takes_a_line_out(self, tmp_path):
        file = tmp_path / "retake.toml"
        file.write_text('device = "cpu"\nport = 0')
        write_settings(file, {"device": None})

        assert file.read_text() == "port = 0"

    def test_a_wrong_value_leaves_the_file_as_it_is(self, tmp_path):
        file = tmp_path / "retake.toml"
        file.write_text("port = 0\n")
        with pytest.raises(SettingsError):
            write_settings(file, {"idle_unload_min": -1.0})

        assert file.read_text() == "port = 0\n"


class TestPreferences:
    def test_are_kept(self, tmp_path):
        write_preferences(tmp_path / "new" / "p.json", Preferences(theme="dark", audition_level_db=-3.0))

        assert read_preferences(tmp_path / "new" / "p.json") == Preferences(theme="dark", audition_level_db=-3.0)

    @pytest.mark.parametrize(
        "text", ["", "[]", '{"theme": "pink"}', '{"closing": 3, "was": 1}'], ids=["empty", "list", "choice", "type"]
    )
    def test_that_are_damaged_are_as_in_the_beginning(self, tmp_path, text):
        (tmp_path / "p.json").write_text(text)

        assert read_preferences(tmp_path / "p.json") == Preferences()

    @pytest.mark.timeout(20)
    @pytest.mark.skipif(sys.platform == "win32", reason="no such files")
    @pytest.mark.parametrize("make", [os.mkfifo, os.mkdir, lambda file: file.write_text("[" * 100_000)])
    def test_that_are_no_file_or_endless_keep_no_window_waiting(self, tmp_path, make):
        make(tmp_path / "p.json")

        assert read_preferences(tmp_path / "p.json") == Preferences()


class TestAudition:
    @pytest.fixture
    def heard(self):
        return []

    @pytest.fixture
    def clock(self):
        return [100.0]

    @pytest.fixture
    def audition(self, heard, clock):
        return Audition(
            lambda path, at: heard.append((path, round(at, 3))), lambda: heard.append("stop"), lambda: clock[0]
        )

    def test_switches_sides_at_the_same_place(self, audition, heard, clock):
        audition.play("a.wav")
        audition.follow("playing", "a.wav", 0.5, 4.0)
        clock[0] += 1.0
        audition.switch_to("b.wav")

        assert heard == [("a.wav", 0.0), ("b.wav", 1.5)]

    def test_late_words_about_the_other_side_are_passed_over(self, audition):
        audition.play("a.wav")
        audition.follow("playing", "a.wav", 0.5, 4.0)
        audition.switch_to("b.wav")
        assert not audition.follow("stopped", "a.wav", 0.6, 4.0)

        assert audition.path == "b.wav"

    def test_does_not_move_before_it_sounds_nor_past_the_end(self, audition, clock):
        audition.play("a.wav", 1.0)
        clock[0] += 5.0
        assert audition.position_s == 1.0
        audition.follow("playing", "a.wav", 1.0, 2.0)
        clock[0] += 5.0

        assert audition.position_s == 2.0

    def test_ends(self, audition):
        audition.play("a.wav")
        audition.follow("starting", "a.wav", 0.0, 0.0)
        audition.follow("playing", "a.wav", 0.1, 1.0)
        audition.follow("ended", "a.wav", 1.0, 1.0)

        assert audition.path is None

    def test_of_a_path_that_plays_stops_it(self, audition, heard):
        audition.toggle("a.wav")
        audition.toggle("a.wav")

        assert heard == [("a.wav", 0.0), "stop"]


class TestPicture:
    def test_of_a_tone_has_one_bright_row(self, tmp_path):
        time = np.arange(48_000) / 48_000
        soundfile.write(tmp_path / "tone.wav", 0.5 * np.sin(2 * np.pi * 1000 * time), 48_000, subtype="PCM_16")
        picture = read_picture(tmp_path / "tone.wav")

        assert picture.peaks.shape == (COLUMNS, 2)
        assert picture.spectrum.shape == (ROWS, COLUMNS)
        assert picture.peaks.min() == pytest.approx(-0.5, abs=0.01)
        brightest = int(picture.spectrum[:, COLUMNS // 2].argmax())
        hertz = 20_000 * (40 / 20_000) ** ((brightest + 0.5) / ROWS)
        assert hertz == pytest.approx(1000, rel=0.1)
        assert picture.sentence == "1.00 s · 48 kHz · mono · 16-bit"

    def test_of_a_stream_goes_to_its_end(self, tmp_path):
        data = with_flac_total(encoded(tmp_path / "a.flac", sweep(), subtype="PCM_16"), 0)
        (tmp_path / "b.flac").write_bytes(data)
        picture = read_picture(tmp_path / "b.flac")

        assert picture.sentence.startswith("2.00 s")
        assert np.array_equal(picture.peaks, read_picture(tmp_path / "a.flac").peaks)

    def test_of_a_short_and_silent_file_is_still_one(self, tmp_path):
        soundfile.write(tmp_path / "click.wav", np.zeros(10), 16_000)

        assert read_picture(tmp_path / "click.wav").spectrum.max() == 0

    def test_says_when_it_is_no_audio(self, tmp_path):
        (tmp_path / "no.wav").write_text("no")
        with pytest.raises(AudioUnreadableError, match="by its content it is no WAV"):
            read_picture(tmp_path / "no.wav")


class TestModelList:
    def test_tells_installed_from_offered(self):
        text = """{"models": [{"name": "nano", "folder": "/n", "size_bytes": 1000000, "licence": "Apache-2.0",
            "shipped": true}], "published": [{"name": "big", "about_bytes": 2500000000, "licence": "CC", "forms": [],
            "good_at": "all", "installed": false}]}"""
        nano, big = parse_models(text)

        assert (nano.is_installed, nano.is_shipped, nano.size) == (True, True, "1.0 MB")
        assert (big.is_installed, big.size, big.about) == (False, "2.5 GB", "all")

    def test_names_the_folders_that_cannot_be_used(self):
        rows = [{"folder": f"/m/broken{n}", "reason": "config.json: it is empty"} for n in range(5)]
        told = parse_passed_over(json.dumps({"models": [], "published": [], "passed_over": rows}))

        assert "broken0 (config.json: it is empty); broken1" in told
        assert "and 2 more" in told
        assert parse_passed_over('{"models": [], "published": []}') == ""

    @pytest.mark.parametrize("text", ["", "{}", "[]", '{"models": [{}], "published": []}'])
    def test_that_is_none_is_refused(self, text):
        with pytest.raises(ValueError, match=r"."):
            parse_models(text)

    def test_reads_progress_and_passes_over_the_rest(self):
        assert parse_pull_progress('{"fraction": 0.5, "text": "half"}') == PullProgress(0.5, "half")
        assert parse_pull_progress("warning: hm") is None

    def test_finds_what_a_command_complained_of(self):
        assert parse_error('{"error": {"code": "x", "text": "t", "hint": "h"}}', "") == ("t", "h")
        assert parse_error("", '{"fraction": 0.5, "text": "half"}\nboom\n')[0] == "boom"


class TestConnection:
    def test_that_hung_up_tells_nothing_more(self, tmp_path):
        """Its threads may outlive the window by some seconds; what they told would go to nobody, with a traceback."""
        told = []
        link = DaemonConnection(tmp_path, told.append)
        link.stop(quit_daemon=False)

        link._give_up(Generate(job="a", prompt="rain"), DaemonMissingError("the daemon does not answer"))

        assert told == []
