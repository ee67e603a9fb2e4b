"""Each action of the shipped scripts, with a real daemon, sockets and files: what lands in the project, and undo."""

import json
import urllib.parse
from pathlib import Path

import numpy as np
import pytest
import scipy.signal
import soundfile

from tests.daw_scripts.reaper.reaper_project import Source

RESTYLE = {"Prompt": "rain, on a “tin” roof", "Strength": "0,6", "Seed": "3"}
CLIPS = Path(__file__).parents[2] / "clips"
SOUND = {"Prompt": "a dog barking", "Length": "0.5", "Seed": "2"}
INPAINT = {"Prompt": "breaking glass", "Seed": "5"}


def record_of(take):
    return json.loads(urllib.parse.unquote(take.ext["P_EXT:retake"]))


def frames(path):
    return soundfile.read(path, always_2d=True)[0]


class TestRestyle:
    def test_adds_a_take_and_makes_it_play(self, act, host, item, clips):
        original = item.active_take
        before = original.state()
        act("Restyle", RESTYLE)

        assert item.takes[0] is original
        assert original.state() == before
        assert item.active_take is item.takes[1]
        source, result = soundfile.info(clips["mono"]), soundfile.info(item.active_take.source.path)
        assert (result.frames, result.samplerate, result.channels) == (source.frames, source.samplerate, 1)
        assert host.messages == []

    def test_the_take_covers_the_item_from_its_start(self, act, item):
        act("Restyle", RESTYLE)

        values = item.active_take.values
        assert (values["D_STARTOFFS"], values["D_PLAYRATE"], values["D_PITCH"]) == (0, 1, 0)
        assert item.active_take.source.length == pytest.approx(item.values["D_LENGTH"], abs=1 / 44_100)

    def test_the_file_lies_in_the_projects_media_folder(self, act, project, item):
        act("Restyle", RESTYLE)

        (path,) = project.folder.glob("*.wav")
        assert str(path) == item.active_take.source.path
        assert path.name == "mono take restyle rain-on-a-tin-roof s3.wav"

    def test_the_take_carries_prompt_strength_and_seed(self, act, item):
        act("Restyle", RESTYLE)

        assert item.active_take.name == "rain, on a “tin” roof (restyle 0.6, seed 3)"
        request = record_of(item.active_take)["request"]
        assert (request["operation"], request["prompt"], request["strength"], request["seed"]) == (
            "restyle",
            "rain, on a “tin” roof",
            0.6,
            3,
        )
        assert record_of(item) == record_of(item.active_take)

    @pytest.mark.usefixtures("item")
    def test_is_one_undo_step_named_like_the_action(self, act, project):
        before = project.state()
        act("Restyle", RESTYLE | {"Takes": "2"})

        assert [name for name, _ in project.history] == ["Retake: Restyle selected items"]
        assert project.undo() == "Retake: Restyle selected items"
        assert project.state() == before

    def test_several_takes_come_best_first(self, act, item):
        act("Restyle", RESTYLE | {"Takes": "3"})

        assert len(item.takes) == 4
        assert item.active == 1
        stories = [Path(take.source.path).with_suffix(".json") for take in item.takes[1:]]
        scores = [json.loads(story.read_text(encoding="utf-8"))["score"] for story in stories]
        assert scores == sorted(scores, reverse=True)

    def test_several_items_are_one_undo_step(self, act, project, track, clips):
        items = [
            project.add_item(track, Source.of_file(clips[name]), position=place)
            for place, name in enumerate(["mono", "stereo"])
        ]
        before = project.state()
        act("Restyle", RESTYLE)

        assert [len(item.takes) for item in items] == [2, 2]
        assert [soundfile.info(item.active_take.source.path).channels for item in items] == [1, 2]
        assert len(project.history) == 1
        project.undo()
        assert project.state() == before

    def test_of_the_time_selection_keeps_the_rest(self, act, project, item, clips):
        project.time_selection = (2.1, 9.0)
        act("Restyle", RESTYLE | {"Only the time": "yes"})

        request = record_of(item.active_take)["request"]
        assert (request["start_s"], request["end_s"]) == (pytest.approx(0.1), pytest.approx(0.25))
        source, result = frames(clips["mono"]), frames(item.active_take.source.path)
        assert np.array_equal(result[:4_400], source[:4_400])
        assert np.any(result[4_500:] != source[4_500:])

    def test_builds_peaks(self, act, host, item):
        act("Restyle", RESTYLE)

        steps = host.peaks[item.active_take.source.path]
        assert (steps[0], steps[-1]) == (0, 2)

    def test_remembers_what_was_typed(self, act, host, item):
        act("Restyle", RESTYLE)
        act("Restyle", None)

        (_, first), (_, second) = host.dialogs
        assert first["Strength (0 to 1)"] == "0.5"
        assert second["Prompt"] == RESTYLE["Prompt"]
        assert second["Strength (0 to 1)"] == "0.6"
        assert len(item.takes) == 2

    @pytest.mark.usefixtures("item")
    def test_leaves_nothing_behind_on_the_way(self, act, work_folder):
        act("Restyle", RESTYLE)

        assert list(work_folder.iterdir()) == []

    @pytest.mark.usefixtures("item")
    def test_shows_how_far_it_is(self, host, script):
        host.answers.append(RESTYLE)
        run = host.run(script("Restyle"))
        seen = set()
        while host.scripts:
            host.tick()
            seen |= set(run.window.shown)

        assert "mono take.wav" in seen
        assert "reading the audio" in seen
        assert "Cancel" in seen
        assert not run.window.is_open


class TestInpaint:
    def test_makes_only_the_time_selection_anew(self, act, project, item, clips):
        project.time_selection = (2.05, 2.15)
        before = project.state()
        act("Inpaint", INPAINT)

        source, result = frames(clips["mono"]), frames(item.active_take.source.path)
        first, last = round(0.05 * 44_100), round(0.15 * 44_100)
        assert np.array_equal(result[:first], source[:first])
        assert np.array_equal(result[last:], source[last:])
        assert np.any(result[first:last] != source[first:last])
        assert project.undo() == "Retake: Inpaint time selection in selected items"
        assert project.state() == before

    def test_without_a_time_selection_says_how_to_make_one(self, act, host, item):
        act("Inpaint", INPAINT)

        ((_, text),) = host.messages
        assert "there is no time selection" in text
        assert len(item.takes) == 1

    def test_tells_which_items_it_does_not_reach(self, act, host, project, track, item, clips):
        far = project.add_item(track, Source.of_file(clips["stereo"]), position=30.0)
        project.time_selection = (2.05, 2.15)
        act("Inpaint", INPAINT)

        assert (len(item.takes), len(far.takes)) == (2, 1)
        ((_, text),) = host.messages
        assert text == "stereo take.flac: the time selection does not reach it."


class TestGenerate:
    def test_makes_an_item_at_the_edit_cursor(self, act, project, track):
        project.cursor = 7.5
        act("Generate", SOUND)

        (item,) = track.items
        assert (item.values["D_POSITION"], item.values["D_LENGTH"], item.values["B_LOOPSRC"]) == (7.5, 0.5, 0)
        assert item.active_take.source.length == pytest.approx(0.5, abs=0.001)
        assert item.active_take.name == "a dog barking (generate, seed 2)"
        assert project.undo() == "Retake: Generate sound at edit cursor"
        assert track.items == [] or project.items == []

    def test_goes_to_the_selected_track(self, act, project, track):
        chosen = project.add_track()
        chosen.is_selected = True
        act("Generate", SOUND)

        assert (len(track.items), len(chosen.items)) == (0, 1)

    def test_makes_a_track_where_there_is_none(self, act, host):
        act("Generate", SOUND)

        (track,) = host.current.tracks
        assert len(track.items) == 1
        host.current.undo()
        assert host.current.tracks == []

    def test_follows_the_selected_item_without_a_word(self, act, project, item):
        act("Generate", {"Prompt": "", "Length": "0.5", "Like": "yes"})

        made = project.items[1]
        assert made.active_take.name == "(generate, seed 1)"
        assert record_of(made)["like"]["item"] == item.guid
        assert record_of(made)["request"]["prompt"] == ""

    def test_asks_for_a_sound_that_follows_the_selected_item(self, host, script, item):
        host.answers.append({"Prompt": "rain", "Follow": "yes", "What to follow": "loudness,pitch"})
        running = host.run(script("Generate"))
        host.run_until(lambda: host.requests)
        request = host.requests[0]
        read = soundfile.info(request.follow).duration  # the file is gone when the action has ended
        running.end()

        assert request.seconds == pytest.approx(item.values["D_LENGTH"])
        assert request.follow_what == "loudness,pitch"
        assert read == pytest.approx(item.values["D_LENGTH"], abs=0.001)
        assert request.like is None

    @pytest.mark.usefixtures("project", "track")
    def test_has_to_be_told_which_item_to_follow(self, act, host):
        act("Generate", {"Prompt": "rain", "Follow": "yes"})

        ((_, text),) = host.messages
        assert "no item is selected that the sound could follow" in text

    @pytest.mark.usefixtures("project", "track")
    def test_needs_words_or_an_item(self, act, host):
        act("Generate", {"Prompt": ""})

        ((_, text),) = host.messages
        assert "a few words are needed" in text
        assert host.command_lines == []


class TestUpscaleAndVary:
    def test_upscale_adds_a_take_of_the_same_length(self, act, project, track, tmp_path):
        dull = tmp_path / "dull.wav"
        noise = np.random.default_rng(6).normal(0, 0.1, 12_000)
        low = scipy.signal.sosfiltfilt(scipy.signal.butter(10, 3000, fs=24_000, output="sos"), noise)
        soundfile.write(dull, low * np.hanning(12_000), 24_000, subtype="FLOAT")
        item = project.add_item(track, Source.of_file(dull))
        act("Upscale")

        assert item.active == 1
        assert item.active_take.source.length == pytest.approx(0.5, abs=0.001)
        assert project.undo() == "Retake: Upscale selected items"

    def test_more_like_this_gives_another_take_each_time(self, act, item):
        act("Vary")
        item.active = 0
        act("Vary")

        assert [take.name for take in item.takes[1:]] == ["(vary 0.4, seed 1)", "(vary 0.4, seed 2)"]
        first, second = (frames(take.source.path) for take in item.takes[1:])
        assert np.any(first != second)


class TestAgain:
    def test_repeats_with_the_next_seed(self, act, project, item):
        act("Restyle", RESTYLE)
        act("Again")

        assert item.active == 2
        assert item.active_take.name == "rain, on a “tin” roof (restyle 0.6, seed 4)"
        assert project.undo() == "Retake: Again with a new seed"

    def test_works_on_the_take_that_the_first_one_was_made_of(self, act, item):
        original = item.active_take
        act("Restyle", RESTYLE)
        act("Again")

        assert record_of(item.active_take)["source"]["take"] == original.guid
        assert soundfile.info(item.active_take.source.path).frames == 11_025

    def test_never_repeats_a_seed(self, act, item):
        act("Restyle", RESTYLE)
        act("Again")
        item.active = 0
        act("Again")

        assert record_of(item.active_take)["request"]["seed"] == 5

    @pytest.mark.usefixtures("item")
    def test_works_after_the_project_was_opened_again(self, act, host, project):
        act("Restyle", RESTYLE)
        reopened = project.reload()
        host.projects[:] = [reopened]
        host.current = reopened
        reopened.items[0].is_selected = True
        act("Again")

        assert [take.name.rsplit(" ", 1)[1] for take in reopened.items[0].takes[1:]] == ["3)", "4)"]

    def test_repeats_a_part_where_it_lies_now(self, act, project, item):
        project.time_selection = (2.1, 2.2)
        act("Inpaint", INPAINT)
        project.trim_left(item, 0.05)
        project.time_selection = (0.0, 0.0)
        act("Again")

        request = record_of(item.active_take)["request"]
        assert (request["start_s"], request["end_s"]) == (pytest.approx(0.05), pytest.approx(0.15))

    @pytest.mark.usefixtures("track")
    def test_repeats_a_generated_sound(self, act, project):
        act("Generate", SOUND)
        project.items[0].is_selected = True
        act("Again")

        (item,) = project.items
        assert [take.name for take in item.takes] == [
            "a dog barking (generate, seed 2)",
            "a dog barking (generate, seed 3)",
        ]
        assert item.active == 1

    def test_takes_a_random_seed_where_the_user_wants_that(self, act, item):
        act("Restyle", RESTYLE | {"Seed": "random"})
        act("Again")

        seeds = [record_of(take)["request"]["seed"] for take in item.takes[1:]]
        assert seeds[0] != seeds[1]

    @pytest.mark.usefixtures("item")
    def test_says_when_there_is_nothing_to_repeat(self, act, host):
        act("Again")

        ((_, text),) = host.messages
        assert "Retake has made nothing of it yet" in text


class TestSettings:
    def test_hold_for_every_request(self, act, item):
        act("Settings", {"Steps": "4", "Guidance": "2,5", "Negative prompt": "hum", "Model": "tiny", "Keep": "yes"})
        act("Restyle", RESTYLE)

        request = record_of(item.active_take)["request"]
        assert (request["steps"], request["guidance"], request["negative"]) == (4, 2.5, "hum")
        assert (request["model"], request["keep_air"], request["client"]) == ("tiny", 1, "REAPER")

    def test_say_what_is_wrong_and_ask_again(self, act, host):
        act("Settings", {"Steps": "many"}, {"Steps": "12"})

        ((_, text),) = host.messages
        assert text == "Steps (1 to 1000 or empty): a whole number from 1 to 1000 is needed, not “many”."
        assert host.dialogs[1][1]["Steps (1 to 1000 or empty)"] == "many"
        assert host.kept_state["Retake", "steps"] == "12"


LONE = [
    "a dog's bark",
    '12" vinyl, crackling',
    "'quoted'",
    '"loud" rain',
    "rain (heavy",
    "rain) [x} {",
    "dogs' (barks) it's",
    "a `tick",
    "typographic ’ and plain '",
    'a” b″ c"',
    "50% of %27",
]
"""Words that REAPER's own parser, or its file of settings, would not leave as they are."""


class TestWordsWithQuotesAndBrackets:
    @pytest.mark.parametrize("words", LONE)
    def test_are_remembered_as_they_were_typed_in_their_own_field(self, act, host, item, words):
        act("Restyle", {"Prompt": words, "Strength": "0.7", "Seed": "3"})
        host.session_state.clear()  # REAPER was started again
        act("Restyle", {"Seed": "4"})

        first, second = (record_of(take)["request"] for take in item.takes[1:])
        assert first["prompt"] == second["prompt"] == words
        assert (second["strength"], second["seed"]) == (0.7, 4)
        assert host.dialogs[1][1]["Strength (0 to 1)"] == "0.7"

    @pytest.mark.usefixtures("item")
    def test_survive_a_wrong_answer_beside_them(self, act, host):
        act("Settings", {"Negative prompt": "a dog's (bark", "Steps": "many"}, {"Steps": "12"})

        assert len(host.messages) == 1
        act("Settings", None)
        assert host.dialogs[2][1]["Negative prompt"] == "a dog’s （bark"
        assert host.dialogs[2][1]["Steps (1 to 1000 or empty)"] == "12"

    def test_can_be_edited_where_they_are_shown_otherwise(self, act, item):
        act("Restyle", {"Prompt": "a dog's bark", "Seed": "3"})
        act("Restyle", {"Prompt": "a cat’s “meow”", "Seed": "3"})

        assert record_of(item.active_take)["request"]["prompt"] == "a cat's “meow”"

    @pytest.mark.usefixtures("item")
    @pytest.mark.parametrize("name", ["Restyle", "Inpaint", "Generate", "Settings"])
    def test_stand_in_no_caption(self, act, host, name):
        act(name, None)

        ((title, fields),) = host.dialogs
        assert title.startswith("Retake: ")
        assert not set("".join(fields)) & set("'\"`,[]{}")


class TestReaImGui:
    def test_draws_the_dialog_where_it_is_installed(self, act, host, item):
        host.has_imgui = True
        act("Restyle", {"Prompt": "rain", "Strength": 0.7, "Takes": 1, "Only the time": False})

        assert item.active_take.name == "rain (restyle 0.7, seed 1)"
        assert "GetUserInputs" not in host.calls

    @pytest.mark.usefixtures("item")
    def test_can_be_cancelled(self, act, host):
        host.has_imgui = True
        act("Restyle", None)

        assert host.command_lines == []

    def test_takes_words_that_were_pasted_with_line_breaks(self, act, host, item):
        host.has_imgui = True
        act("Restyle", {"Prompt": " heavy\nrain,\tvoilà\r\n"})

        assert record_of(item.active_take)["request"]["prompt"] == "heavy rain, voilà"

    @pytest.mark.parametrize(("key", "made"), [("Enter", 1), ("KeypadEnter", 1), ("Escape", 0)])
    def test_is_answered_without_the_mouse(self, act, host, item, key, made):
        host.has_imgui, host.imgui_key = True, key
        act("Restyle", {"Prompt": "rain"})

        assert host.imgui_focused == [("Prompt", True)]
        assert len(item.takes) == 1 + made

    def test_gives_the_keyboard_back_to_the_words_when_they_are_wrong(self, act, host):
        host.has_imgui, host.imgui_key = True, "Enter"
        act("Settings", {"Steps": "many"}, {"Steps": "12"})

        assert host.imgui_focused == [("Model (or empty)", True)] * 2
        assert host.kept_state["Retake", "steps"] == "12"

    @pytest.mark.usefixtures("item")
    def test_says_what_is_wrong(self, act, host):
        host.has_imgui = True
        act("Restyle", {"Prompt": ""}, None)

        assert "a few words are needed" in host.messages[0][1]


@pytest.mark.slow
class TestTheShippedModel:
    def test_restyles_footfalls_in_a_project_and_undo_takes_it_back(self, make_host, nano, script):
        host = make_host(nano)
        project, clip = host.current, CLIPS / "footfalls.wav"
        item = project.add_item(project.add_track(), Source.of_file(clip), position=1.0)
        before = project.state()
        host.answers.append({"Prompt": "heavy rain on a tin roof"})
        host.run(script("Restyle"))
        host.run_to_end()

        assert host.messages == []
        source, result = frames(clip), frames(item.active_take.source.path)
        assert result.shape == source.shape
        assert np.any(result != source)
        assert np.abs(result).max() > 0.001
        project.undo()
        assert project.state() == before
