"""What is sent is what the item plays: section, reverse, playrate, channels and codec; volume and fades stay behind."""

import json
import shutil

import numpy as np
import pytest
import soundfile

from tests.daw_scripts.reaper.reaper_project import Source


@pytest.fixture
def sent(host, act, tmp_path):
    """Run Restyle with a stand-in for retake-send that keeps what it gets: the clip [T, C], its rate, the request."""
    kept = tmp_path / "kept"
    kept.mkdir()
    program = tmp_path / "retake-send"
    program.write_text(
        "#!/bin/sh\n"
        f'cp "$2" "{kept}/request.json"\n'
        f'cp "{host.resources}/Data/Retake/"*.wav "{kept}/clip.wav"\n'
        f'sed \'s/.*"reply":"\\([^"]*\\)".*/\\1/\' "$2" > "{kept}/reply"\n'
        'printf \'{"state":"failed","stage":"failed","progress":0,"paths":[],"warnings":[],'
        '"error":{"code":"x","text":"kept","hint":"-"}}\' > "$(cat "' + str(kept) + '/reply")"\n'
    )
    program.chmod(0o755)
    location = host.resources / "Scripts" / "Retake" / "retake.json"
    location.write_text(json.dumps({"send": str(program)}))

    def sent():
        act("Restyle", {"Prompt": "rain"})
        assert host.messages == [("Retake: Restyle selected items", host.messages[0][1])]
        assert host.messages.pop()[1].endswith(": kept.\n-")
        request = json.loads((kept / "request.json").read_text(encoding="utf-8"))
        samples, rate = soundfile.read(kept / "clip.wav", dtype="float32", always_2d=True)
        assert soundfile.info(kept / "clip.wav").subtype == "FLOAT"
        return samples, rate, request

    return sent


def samples_of(path):
    return soundfile.read(path, dtype="float32", always_2d=True)[0]


class TestTheClip:
    @pytest.mark.parametrize("name", ["mono", "stereo"])
    def test_is_the_source_sample_for_sample(self, sent, project, track, clips, name):
        project.add_item(track, Source.of_file(clips[name]))
        samples, rate, _ = sent()

        assert rate == soundfile.info(clips[name]).samplerate
        assert np.array_equal(samples, samples_of(clips[name]))

    def test_begins_where_the_item_begins(self, sent, project, track, clips):
        project.add_item(track, Source.of_file(clips["stereo"]), length=0.1, D_STARTOFFS=0.05)
        samples, _, _ = sent()

        assert np.array_equal(samples, samples_of(clips["stereo"])[2_400:7_200])

    def test_plays_a_reversed_section_backwards(self, sent, project, track, clips):
        whole = Source.of_file(clips["mono"])
        section = Source("SECTION", parent=whole, start=0.05, length=0.1, is_reversed=True)
        project.add_item(track, section)
        samples, rate, _ = sent()

        assert rate == 44_100
        assert np.array_equal(samples, samples_of(clips["mono"])[2_205:6_615][::-1])

    def test_plays_faster_with_the_take(self, sent, project, track, clips):
        project.add_item(track, Source.of_file(clips["mono"]), length=0.125, D_PLAYRATE=2.0)
        samples, _, _ = sent()

        assert len(samples) == 5_513
        assert np.array_equal(samples[:5_512], samples_of(clips["mono"])[:11_024:2])

    def test_repeats_a_looped_source(self, sent, project, track, clips):
        project.add_item(track, Source.of_file(clips["stereo"]), length=0.5)
        samples, _, _ = sent()

        assert np.array_equal(samples, np.tile(samples_of(clips["stereo"]), (2, 1)))

    def test_is_silent_past_the_end_of_a_source_that_is_not_looped(self, sent, project, track, clips):
        project.add_item(track, Source.of_file(clips["stereo"]), length=0.5, item_values={"B_LOOPSRC": 0.0})
        samples, _, _ = sent()

        assert len(samples) == 24_000
        assert np.array_equal(samples[:12_000], samples_of(clips["stereo"]))
        assert not samples[12_001:].any()

    @pytest.mark.parametrize(
        ("mode", "heard"),
        [(1, [1, 0]), (3, [0]), (4, [1])],
        ids=["reverse stereo", "left", "right"],
    )
    def test_has_the_channels_that_are_heard(self, sent, project, track, clips, mode, heard):
        project.add_item(track, Source.of_file(clips["stereo"]), I_CHANMODE=float(mode))
        samples, _, _ = sent()

        assert np.array_equal(samples, samples_of(clips["stereo"])[:, heard])

    def test_may_be_a_pair_of_many_channels(self, sent, project, track, clips):
        project.add_item(track, Source.of_file(clips["six"]), I_CHANMODE=69.0)
        samples, _, _ = sent()

        assert np.array_equal(samples, samples_of(clips["six"])[:12_000, 2:4])

    def test_has_neither_volume_nor_fades(self, sent, project, track, clips):
        values = {"D_VOL": 0.5, "D_FADEINLEN": 0.1}
        project.add_item(track, Source.of_file(clips["mono"]), D_VOL=0.25, D_PAN=-1.0, item_values=values)
        samples, _, _ = sent()

        assert np.array_equal(samples, samples_of(clips["mono"]))

    def test_is_named_like_the_take(self, sent, project, track, clips):
        project.add_item(track, Source.of_file(clips["mono"]), name="Große Trommel / Raum: 3.wav")
        _, _, request = sent()

        assert request["clip"].endswith("/Große Trommel Raum 3.wav")

    def test_is_written_a_piece_each_tick(self, sent, host, project, track, clips):
        """REAPER is busy for a fiftieth of a second, then it draws its screen."""
        host.clock_step_s = 0.05
        item = project.add_item(track, Source.of_file(clips["long"]), length=10.0)
        calls = []
        original_tick = host.tick

        def tick():
            before = len(host.calls)
            original_tick()
            calls.append(host.calls[before:].count("GetAudioAccessorSamples"))

        host.tick = tick
        samples, _, _ = sent()

        assert len(samples) == 240_000
        assert max(calls) == 1
        assert sum(calls) == 15
        assert len(item.takes) == 1


class TestTheNewTake:
    def test_sounds_as_loud_as_the_old_one(self, act, project, track, clips):
        """The audio is read before volume and pan, so they go on from take to take; those of the item stay its own."""
        values = {"D_VOL": 0.5, "D_FADEINLEN": 0.1}
        item = project.add_item(track, Source.of_file(clips["mono"]), D_VOL=-0.25, D_PAN=-1.0, item_values=values)
        act("Restyle", {"Prompt": "rain"})

        take = item.active_take
        assert (take.values["D_VOL"], take.values["D_PAN"], take.values["I_CHANMODE"]) == (-0.25, -1.0, 0)
        assert (item.values["D_VOL"], item.values["D_FADEINLEN"]) == (0.5, 0.1)

    def test_has_the_speed_and_the_length_of_the_item(self, act, project, track, clips):
        source = Source("SECTION", parent=Source.of_file(clips["mono"]), length=0.25, is_reversed=True)
        item = project.add_item(track, source, length=0.4, D_PLAYRATE=0.5, D_STARTOFFS=0.01, D_PITCH=3.0)
        act("Restyle", {"Prompt": "rain"})

        take = item.active_take
        assert (take.values["D_STARTOFFS"], take.values["D_PLAYRATE"], take.values["D_PITCH"]) == (0, 1, 0)
        assert soundfile.info(take.source.path).frames == 17_640
        assert item.values["B_LOOPSRC"] == 1  # the original may need it

    def test_never_ends_before_the_item(self, act, project, track, clips):
        item = project.add_item(track, Source.of_file(clips["mono"]), length=0.1999999)
        act("Restyle", {"Prompt": "rain"})

        assert item.active_take.source.length >= 0.1999999

    def test_can_be_made_of_a_copy(self, act, project, track, clips, tmp_path):
        path = shutil.copy(clips["mono"], tmp_path / "copy of – ünï.wav")
        item = project.add_item(track, Source.of_file(path))
        act("Restyle", {"Prompt": "rain"})

        assert len(item.takes) == 2
