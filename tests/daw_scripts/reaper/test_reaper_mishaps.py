"""What may happen between asking and receiving, and what may be missing: every time words, or the right place."""

import json
import os
import signal
import stat
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

from bridge.host.discovery import read_runtime
from tests.daw_scripts.reaper.reaper_project import Project, Source

RESTYLE = {"Prompt": "rain", "Seed": "3"}
SLOW = {"Steps": "1000"}


@pytest.fixture
def start(host, script):
    """Start an action with answers for its dialog; it goes on in later ticks."""

    def start(name, *answers):
        host.answers.extend(answers)
        return host.run(script(name))

    return start


@pytest.fixture
def start_asked(host, start):
    """Start Restyle, and come back when its request is on its way."""

    def start_asked(**changes):
        run = start("Restyle", RESTYLE | changes)
        host.run_until(lambda: host.command_lines)
        return run

    return start_asked


class TestTheItemMeanwhile:
    @pytest.mark.usefixtures("project")
    def test_was_moved(self, host, start_asked, item):
        start_asked()
        item.values["D_POSITION"] = 40.0
        host.run_to_end()

        assert item.values["D_POSITION"] == 40.0
        assert (len(item.takes), item.active) == (2, 1)

    def test_was_moved_to_another_track(self, host, start_asked, project, track, item):
        start_asked()
        other = project.add_track()
        track.items.remove(item)
        other.items.append(item)
        item.track = other
        host.run_to_end()

        assert (len(other.items[0].takes), track.items) == (2, [])

    def test_was_trimmed_at_its_left_edge(self, host, start_asked, project, item):
        start_asked()
        project.trim_left(item, 0.1)
        host.run_to_end()

        assert item.active_take.values["D_STARTOFFS"] == pytest.approx(0.1)

    def test_was_made_faster(self, host, start_asked, item):
        start_asked()
        item.takes[0].values["D_PLAYRATE"] = 2.0
        item.values["D_LENGTH"] /= 2
        host.run_to_end()

        assert item.active_take.values["D_PLAYRATE"] == 2.0

    def test_was_split(self, host, start_asked, project, item):
        start_asked()
        right = project.split(item, 0.1)
        host.run_to_end()

        assert (len(item.takes), len(right.takes)) == (2, 2)
        assert (item.active_take.values["D_STARTOFFS"], right.active_take.values["D_STARTOFFS"]) == (
            0.0,
            pytest.approx(0.1),
        )
        assert item.active_take.source.path == right.active_take.source.path
        project.undo()
        assert [len(piece.takes) for piece in project.items] == [1, 1]

    def test_was_split_and_its_left_part_deleted(self, host, start_asked, project, item):
        start_asked()
        right = project.split(item, 0.1)
        project.delete(item)
        host.run_to_end()

        assert project.items == [right]
        assert right.active_take.values["D_STARTOFFS"] == pytest.approx(0.1)

    def test_was_deleted(self, host, start_asked, project, track, item):
        item.values["D_FADEINLEN"] = 0.07
        item.takes[0].values["D_VOL"] = 0.5
        start_asked()
        project.delete(item)
        host.run_to_end()

        (made,) = track.items
        assert (made.values["D_POSITION"], made.values["D_LENGTH"]) == (2.0, 0.25)
        assert (made.values["D_FADEINLEN"], made.active_take.values["D_VOL"]) == (0.07, 0.5)
        assert made.active_take.name == "rain (restyle 0.5, seed 3)"

    @pytest.mark.usefixtures("item")
    def test_was_deleted_with_its_track(self, host, start_asked, project, track):
        start_asked()
        project.delete_track(track)
        host.run_to_end()

        (path,) = project.folder.glob("*.wav")
        assert host.messages == [
            (
                "Retake: Restyle selected items",
                f"mono take.wav: its track is gone. The result is here:\n{path}",
            )
        ]

    def test_lost_the_take_it_was_made_of(self, host, start_asked, clips, item):
        start_asked()
        item.takes[0] = type(item.takes[0])(Source.of_file(clips["stereo"]))
        item.takes[0].item = item
        host.run_to_end()

        assert len(item.takes) == 2


class TestTheProjectMeanwhile:
    def test_went_to_the_background(self, host, start_asked, project, item, tmp_path):
        other = Project(tmp_path, "other.rpp")
        other.add_track()
        host.projects.append(other)
        start_asked()
        host.current = other
        host.run_to_end()

        assert host.current is other
        assert len(item.takes) == 2
        assert (len(project.history), other.history) == (1, [])

    @pytest.mark.usefixtures("project", "item")
    def test_was_closed(self, host, start_asked, tmp_path):
        start_asked()
        host.current = Project(tmp_path, "other.rpp")
        host.projects[:] = [host.current]
        host.run_to_end()

        ((_, text),) = host.messages
        assert "its project was closed. The result is here:" in text
        assert text.splitlines()[-1].endswith(".wav")

    def test_was_never_saved(self, act, project, item):
        project.path = ""
        act("Restyle", RESTYLE)

        assert item.active_take.source.path.startswith(str(project.folder))


class TestTheUser:
    @pytest.fixture
    def slow(self, host, start, item):
        """A job that takes for ever, while it renders."""
        assert item.is_selected
        start("Settings", SLOW)
        run = start("Restyle", RESTYLE)
        host.run_until(lambda: any(text.startswith("step") for text in run.window.shown))
        return run

    def test_cancels_in_the_window(self, host, slow, project, item, work_folder):
        slow.window.press("Cancel")
        host.tick()
        slow.window.release()
        host.run_to_end()

        assert (len(item.takes), project.history, host.messages) == (1, [], [])
        assert not slow.window.is_open
        assert list(work_folder.iterdir()) == []

    def test_cancels_with_escape(self, host, slow, item):
        slow.window.keys.append(27)
        host.run_to_end()

        assert len(item.takes) == 1

    @pytest.mark.usefixtures("slow")
    def test_cancels_with_the_action(self, host, start, item, project):
        start("Cancel")
        host.run_to_end()

        assert (len(item.takes), project.history, host.messages) == (1, [], [])

    @pytest.mark.usefixtures("slow", "item")
    def test_cancels_another_project_only(self, host, start, project, tmp_path):
        host.current = Project(tmp_path, "other.rpp")
        host.projects.append(host.current)
        start("Cancel")

        assert host.messages == [("Retake: Cancel", "Retake is not working on this project.")]
        host.current = project
        start("Cancel")
        host.run_to_end()

    @pytest.mark.usefixtures("work_folder")
    def test_ends_the_script(self, host, slow, item):
        slow.end()

        assert any("cancel reaper-" in line for line in host.command_lines)
        for process in host.processes:
            process.wait(60)
        assert len(item.takes) == 1

    def test_closes_the_window_and_goes_on_working(self, host, start_asked, item):
        run = start_asked()
        run.window.close()
        host.run_to_end()

        assert len(item.takes) == 2

    @pytest.mark.usefixtures("item")
    def test_plays_with_the_space_bar(self, host, start_asked):
        start_asked().window.keys.append(32)
        host.run_to_end()

        assert host.commands == [40044]

    def test_cancels_before_the_daemon_has_the_job(self, host, start, item):
        run = start("Restyle", RESTYLE)
        run.window.keys.append(27)
        host.run_to_end()

        assert len(item.takes) == 1

    @pytest.mark.usefixtures("project")
    def test_has_nothing_to_cancel(self, act, host):
        act("Cancel")

        assert host.messages == [("Retake: Cancel", "Retake is not working on this project.")]

    def test_starts_two_actions_at_once(self, host, start, project, track, clips):
        first = project.add_item(track, Source.of_file(clips["mono"]))
        start("Restyle", RESTYLE)
        first.is_selected = False
        second = project.add_item(track, Source.of_file(clips["stereo"]), position=3.0)
        start("Vary")
        host.run_to_end()

        assert (len(first.takes), len(second.takes)) == (2, 2)
        assert len(project.history) == 2


class TestWhatCannotBeUsed:
    @pytest.mark.usefixtures("project")
    @pytest.mark.parametrize("name", ["Restyle", "Inpaint", "Upscale", "Vary", "Again"])
    def test_nothing_selected(self, act, host, name):
        act(name)

        ((title, text),) = host.messages
        assert title.startswith(f"Retake: {name}")
        assert text == "No item is selected. Select one or more audio items first."

    def test_midi(self, act, host, project, track):
        project.add_item(track, Source("MIDI", length=1.0), name="piano")
        act("Vary")

        assert host.messages[0][1] == "piano: it is MIDI; render it to audio first."

    def test_an_empty_item(self, act, host, project, track):
        project.add_item(track, None, position=4.0, length=1.0)
        act("Vary")

        assert host.messages[0][1] == "the item at 4.00 s: it is empty."

    def test_six_channels(self, act, host, project, track, clips):
        project.add_item(track, Source.of_file(clips["six"]))
        act("Vary")

        assert "it has 6 channels" in host.messages[0][1]

    def test_a_missing_file(self, act, host, project, track, tmp_path):
        path = tmp_path / "gone.wav"
        soundfile.write(path, np.zeros(100), 8_000)
        project.add_item(track, Source.of_file(path))
        path.unlink()
        act("Vary")

        assert host.messages[0][1] == f"gone.wav: its file is missing: {path}."

    def test_one_item_of_several(self, act, host, project, track, item):
        project.add_item(track, Source("MIDI", length=1.0), name="piano")
        act("Restyle", RESTYLE)

        assert len(item.takes) == 2
        assert [text for _, text in host.messages] == ["piano: it is MIDI; render it to audio first."]

    def test_silence_in_the_daemons_own_words(self, act, host, project, track, tmp_path):
        soundfile.write(tmp_path / "silence.wav", np.zeros(8_000), 16_000)
        project.add_item(track, Source.of_file(tmp_path / "silence.wav"))
        act("Vary")

        assert host.messages[0][1].startswith("silence.wav: ")
        assert "silent" in host.messages[0][1]

    def test_a_model_that_is_not_installed(self, act, host, item):
        act("Settings", {"Model": "gigantic"})
        act("Restyle", RESTYLE)

        assert "gigantic" in host.messages[0][1]
        assert len(item.takes) == 1

    def test_an_item_that_is_deleted_while_it_is_read(self, host, start, project, track, clips):
        host.clock_step_s = 0.05
        item = project.add_item(track, Source.of_file(clips["long"]))
        start("Restyle", RESTYLE)
        host.tick()
        project.delete(item)
        host.run_to_end()

        assert host.messages[0][1] == "long take.wav: it was deleted before its audio was read"


class TestRetakeItself:
    """Not installed, not running, not answering."""

    @pytest.fixture
    def restyle(self, make_host, script, clips):
        """A REAPER in an environment, where Restyle is started on an item."""

        def restyle(environment, send, **facts):
            host = make_host(environment, send)
            for name, value in facts.items():
                setattr(host, name, value)
            project = host.current
            item = project.add_item(project.add_track(), Source.of_file(clips["mono"]))
            host.answers.append(RESTYLE)
            host.run(script("Restyle"))
            return host, item

        return restyle

    @pytest.mark.parametrize("is_silent", [False, True], ids=["REAPER says so", "REAPER says nothing"])
    def test_is_not_installed(self, restyle, no_daemon, tmp_path, is_silent):
        bare = no_daemon | {"PATH": str(tmp_path), "HOME": str(tmp_path)}
        host, _ = restyle(bare, None, is_exec_silent=is_silent)
        host.run_until(lambda: host.command_lines)
        host.clock_skew_s = 31.0
        host.run_to_end()

        assert "retake install-scripts reaper" in host.messages[0][1]

    def test_has_moved_away(self, restyle, no_daemon, tmp_path):
        host, _ = restyle(no_daemon, tmp_path / "old" / "retake-send")
        host.run_to_end()

        assert f"retake-send is not at {tmp_path}/old/retake-send any more" in host.messages[0][1]
        assert "retake install-scripts reaper" in host.messages[0][1]

    @pytest.mark.slow
    def test_is_started_when_it_does_not_run(self, restyle, no_daemon, send_program):
        host, item = restyle(no_daemon, send_program)
        host.run_to_end()

        assert host.messages == []
        assert len(item.takes) == 2

    @pytest.mark.slow
    def test_dies_on_the_way_and_the_next_daemon_brings_the_take(self, restyle, no_daemon, send_program, script):
        host, item = restyle(no_daemon, send_program)
        host.run_to_end()
        runtime = read_runtime(Path(no_daemon["RETAKE_STATE_DIR"]))
        host.kept_state["Retake", "steps"] = host.session_state["Retake", "steps"] = "1000"
        host.answers.append(RESTYLE)
        run = host.run(script("Restyle"))
        host.run_until(lambda: any(text.startswith("step") for text in run.window.shown))
        os.kill(runtime.pid, signal.SIGKILL)
        host.run_to_end()

        assert host.messages == []
        assert len(item.takes) == 3

    def test_falls_silent(self, restyle, no_daemon, tmp_path):
        """A stand-in for retake-send that says it began, and then nothing more."""
        program = tmp_path / "retake-send"
        program.write_text(
            f"#!{sys.executable}\n"
            "import json, sys\n"
            "request = json.load(open(sys.argv[sys.argv.index('--request') + 1]))\n"
            "json.dump({'job': request['job'], 'state': 'running', 'progress': 0.5, 'stage': 'loading'},"
            " open(request['reply'], 'w'))\n"
        )
        program.chmod(program.stat().st_mode | stat.S_IXUSR)
        host, item = restyle(no_daemon, program)
        (run,) = host.scripts
        host.run_until(lambda: "loading" in run.window.shown)
        host.clock_skew_s = 901.0
        host.run_to_end()

        assert "Retake said nothing for 15 minutes" in host.messages[0][1]
        assert len(item.takes) == 1

    def test_gets_only_our_own_path_on_the_command_line(self, act, host, item):
        item.active_take.name = 'it\'s a "nasty" `name`; with: spaces, and …'
        act("Restyle", RESTYLE | {"Prompt": "\"rain\" & 'wind' `x` $(y)"})

        (line,) = host.command_lines
        assert "nasty" not in line
        assert "rain" not in line
        assert len(item.takes) == 2

    @pytest.mark.usefixtures("item")
    def test_finds_retake_send_in_the_scripts_folder_of_reaper(self, host, act):
        """Scripts that ReaPack installed lie elsewhere than the location file of `retake install-scripts`."""
        act("Restyle", RESTYLE)

        location = json.loads((host.resources / "Scripts" / "Retake" / "retake.json").read_text())
        assert host.command_lines[0].startswith(f'"{location["send"]}" --request "')
