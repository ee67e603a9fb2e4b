"""Live's control surface in a strict Live, with the real daemon: each command, and each mishap."""

import ast
import gc
import importlib
import json
import os
import re
import socket
import stat
import subprocess
import sys
import time
from pathlib import Path
from typing import ClassVar

import pytest
from pythonosc.osc_message_builder import OscMessageBuilder

from bridge.clients import live as sender
from bridge.host.discovery import state_folder
from bridge.wire.arguments import ARGUMENTS
from bridge.wire.messages import Cancel, Generate, Inpaint, JobQuery, Restyle, Upscale, Vary
from bridge.wire.osc_codec import decode
from bridge.wire.parsing import Message, parse_request
from tests.daw_scripts.ableton.strict_live import Set, TakeLane

ROOT = Path(__file__).parents[3]
FOLDER = ROOT / "daw_scripts" / "ableton" / "remote_script"
PATIENCE_S = 60.0


class Sent(socket.socket):
    """A socket of the script towards the daemon, which remembers what it sent, and loses some of it."""

    datagrams: ClassVar[list[bytes]] = []
    to_lose: ClassVar[int] = 0

    def send(self, datagram):
        self.datagrams.append(datagram)
        if Sent.to_lose:
            Sent.to_lose -= 1
            return len(datagram)
        return super().send(datagram)


class Host:
    """Live with the script loaded, and somebody who sends it commands."""

    def __init__(self, live, package, line):
        self.live, self.package = live, package
        self.surface = package.RetakeSurface(live.c_instance, line)
        self.door = sender.find_endpoint(state_folder(os.environ))
        self.talks = []

    def talk(self, operation, *args, token=None):
        door = self.door if token is None else self.door._replace(token=token)
        self.talks.append(sender.LiveCommand(door, operation, args))
        self.talks[-1]._socket.setblocking(False)
        return self.talks[-1]

    def answers(self, talk):
        """What has come for this talk."""
        while True:
            try:
                yield from decode(talk._socket.recv(65536))
            except BlockingIOError:
                return

    def follow(self, talk, until=("/done", "/fail", "/retake/live/status.reply"), on_tick=lambda: None):
        """Let Live tick until the last answer comes; give all of them."""
        heard = []
        deadline = time.monotonic() + PATIENCE_S
        while not heard or heard[-1].address not in until:
            assert time.monotonic() < deadline, heard
            self.live.tick()
            on_tick()
            heard += self.answers(talk)
            time.sleep(0.005)
        return heard

    def ask(self, operation, *args, token=None, **options):
        """Send a command, and give its last answer's address and arguments, without address and id of the command."""
        talk = self.talk(operation, *args, token=token)
        talk.send(talk._command)
        self.heard = self.follow(talk, **options)
        address, (command, about, *rest) = self.heard[-1]
        if address == "/retake/live/status.reply":
            return address, [about, *rest]
        assert (command, about) == (f"/retake/live/{operation}", talk.id)
        return address, rest

    def close(self):
        self.surface.disconnect()
        for talk in self.talks:
            talk.close()
        for datagram in Sent.datagrams:
            ((address, args),) = decode(datagram)
            parse_request(address, args)
        assert self.live.offences == []


@pytest.fixture
def start(daemon, monkeypatch):
    """Load the script into a Live of some version."""
    monkeypatch.setenv("RETAKE_STATE_DIR", str(daemon.state))
    monkeypatch.syspath_prepend(str(FOLDER))
    Sent.datagrams, Sent.to_lose = [], 0
    hosts = []

    def start(version=(12, 3, 6), prepare=lambda _live: None, successor_s=PATIENCE_S):
        live = Set(version)
        prepare(live)
        for name, module in live.modules().items():
            monkeypatch.setitem(sys.modules, name, module)
        for name in [name for name in sys.modules if name.split(".")[0] == "Retake"]:
            monkeypatch.delitem(sys.modules, name)
        package = importlib.import_module("Retake")
        line = importlib.import_module("Retake.job").Line(lambda: Sent(socket.AF_INET, socket.SOCK_DGRAM), successor_s)
        hosts.append(Host(live, package, line))
        return hosts[-1]

    yield start
    for host in hosts:
        host.close()
    for name in [name for name in sys.modules if name.split(".")[0] == "Retake"]:
        sys.modules.pop(name)


@pytest.fixture
def host(start):
    return start()


@pytest.fixture
def track(host):
    return host.live.add_track("Drums")


def sent_requests():
    return [parse_request(*message) for datagram in Sent.datagrams for message in decode(datagram)]


class TestTakes:
    def test_two_of_a_session_clip_lie_in_the_slots_below_in_one_undo_step(self, host, track, clip):
        track.clip_slots[2].facts.update(has_clip=True)
        original = host.live.own_clip(clip, track.clip_slots[1], loop_start=0.1, loop_end=0.4, gain=0.3)
        before = dict(original.facts)
        address, (count, *paths) = host.ask("restyle", "heavy rain", "candidates", 2, "seed", 5, "strength", 0.7)

        assert (address, count, len(paths)) == ("/done", 2, 2)
        made = [slot.clip for slot in track.clip_slots[3:]]
        assert [take.file_path for take in made] == paths
        assert [take.name for take in made] == [f"Restyle - heavy rain - seed 5 - {at} of 2" for at in (1, 2)]
        assert all((take.warping, take.loop_start, take.loop_end, take.gain) == (False, 0.1, 0.4, 0.3) for take in made)
        assert len(host.live.undo_steps) == 1
        assert original.facts == before
        (request, *_) = sent_requests()
        assert isinstance(request, Restyle)
        assert (request.clip, request.start_s, request.end_s, request.client) == (str(clip), 0.1, 0.4, "Ableton Live")
        assert Path(paths[0]).parent == clip.parent

    def test_of_an_arrangement_clip_lie_on_take_lanes_where_it_begins(self, host, track, clip):
        host.live.own_clip(clip, track, start_time=16.0)
        host.ask("vary", "candidates", 2)

        lanes = track.take_lanes
        assert [lane.name for lane in lanes] == [f"Vary - seed 1 - {at} of 2" for at in (1, 2)]
        assert [lane.arrangement_clips[0].start_time for lane in lanes] == [16.0, 16.0]
        assert len(host.live.undo_steps) == 1

    @pytest.mark.parametrize("loops", [False, True], ids=["not looped", "looped as they come"])
    def test_of_a_piece_cut_from_a_long_file_are_as_long_as_the_piece(self, host, track, clip, loops):
        host.live.loops_new_clips = loops
        piece = host.live.own_clip(
            clip, track, start_time=16.0, loop_start=0.2, loop_end=0.3, start_marker=0.0, end_marker=99.0
        )
        host.ask("restyle", "wind", "candidates", 1)

        (request, *_) = sent_requests()
        assert (request.start_s, request.end_s) == (0.2, 0.3)
        (take,) = track.take_lanes[0].arrangement_clips
        assert (take.start_time, take.end_time) == (16.0, piece.end_time)
        assert (take.loop_start, take.loop_end, take.looping) == (0.2, 0.3, False)
        assert (take.start_marker, take.end_marker) == (0.2, 0.3)

    def test_of_generate_beside_a_clip_are_whole(self, host, track, clip):
        host.live.own_clip(clip, track, start_time=16.0, loop_start=0.4, loop_end=0.5, gain=0.1)
        host.ask("generate", "a dog", "seconds", 0.3, "candidates", 1)

        (take,) = track.take_lanes[0].arrangement_clips
        assert (take.start_time, take.loop_start, take.gain) == (16.0, 0.0, 0.4)
        assert take.end_time == pytest.approx(16.6)

    def test_of_a_sound_that_follows_the_clip_in_view_lie_where_it_does_and_are_as_long(self, host, track, clip):
        piece = host.live.own_clip(clip, track, start_time=16.0, loop_start=0.1, loop_end=0.3, gain=0.3)
        before = dict(piece.facts)
        words = ["wind", "follow", "clip", "follow_what", "loudness,pitch", "candidates", "1", "model", "following"]
        address, _ = host.ask("generate", *sender.arguments_from_words("generate", words))

        assert address == "/done"
        (request, *_) = sent_requests()
        assert (request.follow, request.follow_what, request.seconds) == (str(clip), "loudness,pitch", None)
        (take,) = track.take_lanes[0].arrangement_clips
        assert (take.start_time, take.end_time, take.gain) == (16.0, piece.end_time, 0.3)
        assert (take.loop_start, take.loop_end) == (0.1, 0.3)
        assert len(host.live.undo_steps) == 1
        assert piece.facts == before

    def test_of_a_sound_that_follows_for_a_length_of_its_own_are_whole(self, host, track, clip):
        host.live.own_clip(clip, track, start_time=16.0, loop_start=0.1, loop_end=0.3)
        host.ask("generate", "wind", "follow", "clip", "seconds", 0.4, "candidates", 1, "model", "following")

        (take,) = track.take_lanes[0].arrangement_clips
        assert (take.start_time, take.loop_start) == (16.0, 0.0)
        assert take.end_time == pytest.approx(16.8)

    def test_of_a_sound_with_no_clip_to_follow_are_none(self, host, track):
        host.live.song.view.facts["highlighted_clip_slot"] = track.clip_slots[1]
        _, (code, *_) = host.ask("generate", "wind", "follow", "clip")

        assert code == "no_clip"
        assert sent_requests() == []

    def test_of_a_take_lanes_clip_lie_on_further_lanes_of_its_track(self, host, track, clip):
        lane = TakeLane(host.live, canonical_parent=track, name="Take", arrangement_clips=[])
        track.facts["take_lanes"].append(lane)
        host.live.own_clip(clip, lane, start_time=4.0)
        host.ask("vary", "candidates", 1)

        assert len(track.take_lanes) == 2

    def test_lie_on_a_new_track_below_in_a_live_without_take_lanes_for_scripts(self, start, clip):
        host = start((12, 0, 5))
        tracks = [host.live.add_track(name) for name in ("Drums", "Bass")]
        host.live.own_clip(clip, tracks[0], start_time=16.0)
        host.ask("restyle", "wind", "candidates", 1)

        names = [track.name for track in host.live.song.tracks]
        assert names == ["Drums", "Restyle - wind - seed 1", "Bass"]
        assert host.live.song.tracks[1].arrangement_clips[0].start_time == 16.0

    @pytest.mark.parametrize("version", [(11, 3, 42), (12, 0, 1)])
    def test_are_named_in_words_by_a_live_that_cannot_create_clips(self, start, clip, version):
        host = start(version)
        track = host.live.add_track("Drums")
        host.live.own_clip(clip, track.clip_slots[0])
        address, (_, path) = host.ask("restyle", "wind", "candidates", 1)

        warnings = [args[1] for heard, args in host.heard if heard == "/retake/live/warning"]
        assert address == "/done"
        assert Path(path).exists()
        assert path in warnings[0]
        assert "12.0.5" in host.live.messages[-1]
        assert not any(slot.has_clip for slot in track.clip_slots[1:])

    def test_get_new_scenes_where_the_slots_do_not_suffice(self, host, track, clip):
        host.live.own_clip(clip, track.clip_slots[2])
        host.ask("restyle", "wind", "candidates", 2)

        assert [slot.has_clip for slot in track.clip_slots] == [False, False, True, True, True]

    def test_of_a_warped_clip_are_of_the_whole_file_and_words_say_so(self, host, track, clip):
        host.live.own_clip(clip, track.clip_slots[0], warping=True, loop_start=0.5, loop_end=1.0)
        host.ask("restyle", "wind", "candidates", 1)

        assert "is warped" in host.live.messages[-1]
        assert sent_requests()[0].start_s is None
        assert track.clip_slots[1].clip.warping is False


class TestCommands:
    def test_inpaint_counts_from_the_clips_start(self, host, track, clip):
        host.live.own_clip(clip, track.clip_slots[0], loop_start=0.1)
        address, _ = host.ask("inpaint", "cough", 0.1, 0.2, "candidates", 1)

        assert address == "/done"
        (request, *_) = sent_requests()
        assert isinstance(request, Inpaint)
        assert (request.start_s, request.end_s) == (0.2, pytest.approx(0.3))

    def test_upscale(self, host, track, clip):
        host.live.own_clip(clip, track.clip_slots[0])

        assert host.ask("upscale", "candidates", 1)[0] == "/done"
        assert isinstance(sent_requests()[0], Upscale)

    def test_generate_takes_the_highlighted_slot(self, host, track, monkeypatch, tmp_path):
        monkeypatch.setenv("HOME", str(tmp_path))
        host.live.song.view.facts["highlighted_clip_slot"] = track.clip_slots[1]
        address, _ = host.ask("generate", "a dog", "seconds", 0.5, "candidates", 1)

        assert address == "/done"
        assert isinstance(sent_requests()[0], Generate)
        assert [slot.has_clip for slot in track.clip_slots] == [False, True, False]

    def test_again_is_the_last_one_with_the_next_seed_on_the_clip_in_view(self, host, track, clip):
        host.live.own_clip(clip, track.clip_slots[0])
        refused = host.ask("again")
        host.ask("vary", "seed", 4294967295, "candidates", 1)
        host.ask("again")

        assert refused[1][0] == "nothing_to_repeat"
        renders = {request.job: request for request in sent_requests() if not isinstance(request, JobQuery)}
        assert [type(request) for request in renders.values()] == [Vary, Vary]
        assert [request.seed for request in renders.values()] == [4294967295, 0]

    def test_status(self, host, track, clip):
        assert host.ask("status")[1] == ["0.1.0", 0, ""]
        host.live.own_clip(clip, track.clip_slots[0])
        assert host.ask("status")[1] == ["0.1.0", 0, "a clip"]

    def test_cancel_stops_the_job(self, host, track, clip):
        host.live.own_clip(clip, track.clip_slots[0])
        talk = host.talk("restyle", "fog", "candidates", 16, "steps", 1000)
        talk.send(talk._command)
        host.follow(talk, until=("/retake/live/progress",))
        talk.cancel()
        heard = host.follow(talk, until=("/fail",))

        assert heard[-1].args[2] == "cancelled"
        assert isinstance(sent_requests()[-1], Cancel)
        assert host.live.undo_steps == []
        assert host.ask("cancel")[1][0] == "unknown_job"

    def test_one_at_a_time(self, host, track, clip):
        host.live.own_clip(clip, track.clip_slots[0])
        first = host.talk("restyle", "fog", "candidates", 16, "steps", 1000)
        first.send(first._command)
        host.follow(first, until=("/retake/live/ack",))

        assert host.ask("vary")[1][0] == "busy"
        assert host.ask("status")[1][1] == 1
        first.cancel()
        host.follow(first, until=("/fail",))

    def test_one_that_is_sent_again_is_one(self, host, track, clip):
        host.live.own_clip(clip, track.clip_slots[0])
        talk = host.talk("vary", "candidates", 1)
        talk.send(talk._command)
        talk.send(talk._command)
        heard = host.follow(talk)
        talk.send(talk._command)
        again = host.follow(talk)

        assert [address for address, _ in heard].count("/retake/live/ack") == 2
        assert heard[-1] == again[-1]
        assert len({request.job for request in sent_requests()}) == 1


class TestMishaps:
    def test_a_request_that_is_lost_is_sent_again(self, host, track, clip):
        host.live.own_clip(clip, track.clip_slots[0])
        Sent.to_lose = 2

        assert host.ask("vary", "candidates", 1)[0] == "/done"
        assert Sent.datagrams[0] == Sent.datagrams[1] == Sent.datagrams[2]

    def test_no_daemon_is_said_in_words(self, start, clip, monkeypatch, tmp_path):
        monkeypatch.setenv("RETAKE_STATE_DIR", str(tmp_path))
        host = start()
        host.live.own_clip(clip, host.live.add_track("Drums").clip_slots[0])
        assert host.ask("vary")[1][:2] == ["no_daemon", "Retake does not run"]
        assert "start Retake" in host.live.messages[-1]

        (tmp_path / "runtime.json").write_text('{"host": "127.0.0.1", "port": 9, "token": "x"}')
        assert host.ask("vary")[1][0] == "no_daemon"

    @pytest.mark.parametrize("is_back", [True, False], ids=["and is back", "for good"])
    def test_a_daemon_that_dies_over_a_job(self, start, start_daemon, clip, monkeypatch, is_back):
        first = start_daemon()
        monkeypatch.setenv("RETAKE_STATE_DIR", str(first.state))
        host = start(successor_s=PATIENCE_S if is_back else 0.5)
        track = host.live.add_track("Drums")
        host.live.own_clip(clip, track.clip_slots[0])
        talk = host.talk("restyle", "fog", "candidates", 1, "steps", 400)
        talk.send(talk._command)
        host.follow(talk, until=("/retake/live/progress",))
        first.process.kill()
        first.process.wait(PATIENCE_S)
        if is_back:
            start_daemon()
        last = host.follow(talk, until=("/done", "/fail"))[-1]

        assert "Retake: reconnecting, 0%" in host.live.messages
        if not is_back:
            assert (last.address, last.args[2]) == ("/fail", "no_daemon")
            return
        assert last.address == "/done"
        assert [slot.has_clip for slot in track.clip_slots] == [True, True, False]
        assert len({request.job for request in sent_requests()}) == 1

    def test_what_the_daemon_refuses_is_told_in_its_words(self, host, track, clip, tmp_path):
        own = host.live.own_clip(clip, track.clip_slots[0])
        own.facts["file_path"] = str(tmp_path / "gone.wav")
        address, (code, text, hint) = host.ask("restyle", "wind")

        assert (address, code) == ("/fail", "file_missing")
        assert f"{text}; {hint}" in host.live.messages[-1]

    def test_the_clip_is_deleted_meanwhile(self, host, track, clip):
        own = host.live.own_clip(clip, track.clip_slots[0])

        def delete():
            if own.is_gone:
                return
            own.remove()
            host.live.song.view.facts["detail_clip"] = None
            track.clip_slots[0].facts.update(clip=None, has_clip=False)

        address, _ = host.ask("restyle", "wind", "candidates", 1, on_tick=delete)
        assert address == "/done"
        assert track.clip_slots[0].has_clip

    def test_the_track_is_deleted_meanwhile(self, host, track, clip):
        host.live.own_clip(clip, track, start_time=2.0)
        address, (_, path) = host.ask("restyle", "wind", "candidates", 1, on_tick=track.remove)

        assert address == "/done"
        assert path in host.live.messages[-1]
        assert Path(path).exists()

    @pytest.mark.parametrize(
        ("view", "words"),
        [
            pytest.param(None, "no clip is in view", id="nothing"),
            pytest.param({"is_audio_clip": False}, "MIDI", id="MIDI"),
            pytest.param({"file_path": ""}, "has no file", id="no file"),
        ],
    )
    def test_no_audio_clip_in_view(self, host, track, clip, view, words):
        if view is not None:
            host.live.own_clip(clip, track.clip_slots[0], **view)
        _, (code, text, _) = host.ask("restyle", "wind")

        assert code == "no_clip"
        assert words in text
        assert words in host.live.messages[-1]

    @pytest.mark.parametrize(
        ("operation", "args", "code"),
        [
            pytest.param("restyle", [3], "wrong_type", id="a number for words"),
            pytest.param("restyle", ["x", "seed", 1.5], "wrong_type", id="half a seed"),
            pytest.param("restyle", ["x", "seconds", 2.0], "unknown_key", id="a key of another command"),
            pytest.param("restyle", ["x", 3, 4], "unknown_key", id="a key that is no word"),
            pytest.param("restyle", ["x", "seed"], "missing_value", id="a value is missing"),
            pytest.param("dance", [], "unknown_address", id="no such command"),
        ],
    )
    def test_what_cannot_be_understood_is_refused(self, host, operation, args, code):
        assert host.ask(operation, *args)[1][0] == code
        assert Sent.datagrams == []

    @pytest.mark.usefixtures("host")
    def test_a_missing_argument_is_named(self):
        commands = sys.modules["Retake.commands"]
        with pytest.raises(commands.Refusal, match="needs id, prompt"):
            commands.parse("/retake/live/restyle", ["id"], "token", 0.0)

    def test_a_wrong_token_is_refused(self, host):
        assert host.ask("vary", token="wrong")[1][0] == "bad_token"

    def test_what_comes_after_its_deadline_is_refused(self, host, track, clip):
        host.live.own_clip(clip, track.clip_slots[0])
        talk = host.talk("vary")
        builder = OscMessageBuilder(talk._command.address)
        for value in (talk.id, "token", host.door.token, "deadline"):
            builder.add_arg(value)
        builder.add_arg(time.time() - 1.0, OscMessageBuilder.ARG_TYPE_DOUBLE)
        talk._socket.send(builder.build().dgram)

        assert host.follow(talk)[-1].args[2] == "too_late"
        assert Sent.datagrams == []

    def test_garbage_is_dropped(self, host):
        talk = host.talk("status")
        for datagram in (b"", b"garbage", b"#bundle\0" + bytes(12), b"/retake/live/status\0,s\0\0"):
            talk._socket.send(datagram)

        assert host.ask("status")[0] == "/retake/live/status.reply"


class TestManners:
    def test_a_tick_takes_in_64_messages_at_most(self, host):
        """More is sent than one tick takes; it is counted as the surface takes it in, until nothing is left.

        Sent in small steps: the system may deliver late, also on loopback, and drops what it has no room for.
        """
        talk, endpoint = host.talk("status"), host.surface._endpoint
        most = sys.modules["Retake.endpoint"].MESSAGES_A_TICK
        taken, deadline = [0], time.monotonic() + PATIENCE_S
        while max(taken) < most:
            assert time.monotonic() < deadline, taken
            for _ in range(most + 8):
                talk.send(talk._command)
                time.sleep(0.0005)
            taken.append(sum(1 for _ in endpoint.messages()))
        while taken[-1]:
            taken.append(sum(1 for _ in endpoint.messages()))

        assert most == 64
        assert max(taken) == most

    def test_it_listens_on_loopback_only_and_never_waits(self, host):
        opened = host.surface._endpoint._socket

        assert opened.getsockname()[0] == "127.0.0.1"
        assert opened.getblocking() is False

    def test_its_whereabouts_are_its_users_only_and_go_with_it(self, start, daemon):
        host = start()
        file = daemon.state / "live.json"

        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        assert json.loads(file.read_text())["port"] == host.door.port
        host.surface.disconnect()
        assert not file.exists()
        with pytest.raises(sender.LiveMissingError):
            sender.find_endpoint(daemon.state)

    def test_a_start_that_fails_leaves_no_whereabouts(self, start, daemon):
        with pytest.raises(AttributeError):
            start(prepare=lambda live: setattr(live, "log", None))

        assert not (daemon.state / "live.json").exists()

    def test_a_folder_that_takes_no_file_costs_nothing(self, start, monkeypatch, tmp_path):
        monkeypatch.setenv("RETAKE_STATE_DIR", str(tmp_path))
        (tmp_path / "live.json").mkdir()
        with pytest.raises(OSError, match=r"live\.json"):
            start()
        gc.collect()  # would complain of a socket that nobody closed

        assert [path.name for path in tmp_path.iterdir()] == ["live.json"]

    def test_a_surface_that_goes_leaves_the_whereabouts_of_another(self, start, daemon):
        first, second = start(), start()
        first.surface.disconnect()

        assert sender.find_endpoint(daemon.state).port == second.door.port
        second.surface.disconnect()
        assert not (daemon.state / "live.json").exists()

    @pytest.mark.skipif(sys.platform == "win32", reason="there nobody can ask whether a process runs")
    def test_what_a_live_that_crashed_has_left_is_not_believed(self, tmp_path):
        gone = subprocess.Popen([sys.executable, "-c", ""])
        gone.wait(PATIENCE_S)
        (tmp_path / "live.json").write_text(json.dumps({"port": 53171, "pid": gone.pid, "token": "t"}))

        with pytest.raises(sender.LiveMissingError):
            sender.find_endpoint(tmp_path)

    @pytest.mark.parametrize("content", ["{", "[]", "3", '{"port": 1}', '{"port": 1, "token": "t", "pid": "x"}'])
    def test_whereabouts_that_nobody_can_read_are_none(self, tmp_path, content):
        (tmp_path / "live.json").write_text(content)

        with pytest.raises(sender.LiveMissingError):
            sender.find_endpoint(tmp_path)

    @pytest.mark.usefixtures("host")
    def test_it_finds_the_daemons_folder_as_the_daemon_does(self):
        ours = sys.modules["Retake.whereabouts"].state_folder
        for environment in ({}, {"RETAKE_STATE_DIR": "x"}, {"XDG_STATE_HOME": "/y"}):
            assert ours(environment) == str(state_folder(environment))

    def test_it_uses_nothing_that_is_newer_than_python_3_7(self):
        vermin = [sys.executable, "-c", "from vermin import main; main()"]
        command = [*vermin, "--target=3.7-", "--violations", "--no-tips", str(FOLDER / "Retake")]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=PATIENCE_S)

        assert done.returncode == 0, done.stdout

    @pytest.mark.parametrize("path", sorted((FOLDER / "Retake").glob("*.py")), ids=lambda path: path.stem)
    def test_it_is_python_3_7_and_small(self, path):
        text = path.read_text(encoding="utf-8")
        tree = ast.parse(text, feature_version=(3, 7))
        imports = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}

        assert ast.get_docstring(tree)
        assert text.count("\n") <= 320
        assert not imports & {"threading", "asyncio", "concurrent", "multiprocessing", "subprocess"}

    @pytest.mark.usefixtures("host")
    def test_its_grammar_is_that_of_the_sender_and_of_the_readme(self):
        commands = sys.modules["Retake.commands"]
        operations = sys.modules["Retake.operations"].OPERATIONS
        fixed = {name: operation.fixed for name, operation in operations.items()} | commands.OTHERS
        readme = (ROOT / "daw_scripts" / "ableton" / "README.md").read_text(encoding="utf-8")
        rows = dict(re.findall(r"^\| `/retake/live/(\w+)` \| ([^|]*) \| [^|]* \|$", readme, re.MULTILINE))

        assert {name: fixed[name] for name in sender.COMMANDS} == sender.COMMANDS
        assert set(rows) == set(fixed)
        for name, arguments in fixed.items():
            assert re.findall(r"\w+", rows[name]) == ["id", *arguments]
        rows_of_keys = re.findall(r"^\| (\w+) \| ((?:`\w+`(?:, )?)+) \|$", readme, re.MULTILINE)
        listed = {name: set(re.findall(r"\w+", keys)) for name, keys in rows_of_keys}
        for name, operation in operations.items():
            assert listed["all"] | listed[name] == set(operation.keys)
        keys = {key for operation in operations.values() for key in operation.keys}
        assert keys <= set(ARGUMENTS)
        assert all(f"`{key}`" in readme for key in (*keys, *commands.ALL_KEYS))

    @pytest.mark.usefixtures("host")
    def test_what_it_writes_everybody_reads_and_the_other_way_round(self):
        osc = sys.modules["Retake.osc"]
        args = ["π\0x", "", "four", -3, 2**32 - 1, 0.1]
        expected = Message("/a", ("π x", "", "four", -3, 2**32 - 1, 0.1))

        assert decode(osc.encode("/a", args)) == [expected]
        assert osc.decode(osc.encode("/a", args)) == ("/a", list(expected.args))
        assert osc.decode(osc.encode("/a", [0.5], "f")) == ("/a", [0.5])
        assert osc.decode(b"/a\0\0,TF\0") == ("/a", [True, False])


class TestCommandLine:
    def run(self, host, *words):
        command = [sys.executable, "-m", "bridge", "live", *words]
        with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
            deadline = time.monotonic() + PATIENCE_S
            while process.poll() is None:
                assert time.monotonic() < deadline
                if host is not None:
                    host.live.tick()
                time.sleep(0.005)
            return process.returncode, process.stdout.read(), process.stderr.read()

    def test_a_key_is_enough_to_restyle_the_clip_in_view(self, host, track, clip):
        host.live.own_clip(clip, track.clip_slots[0])
        code, out, err = self.run(host, "restyle", "heavy rain", "strength", "0.6", "candidates", "1")

        assert (code, err) == (0, "")
        assert out == f"wrote {track.clip_slots[1].clip.file_path}\n"

    def test_it_tells_what_live_refuses(self, host):
        assert "no clip is in view" in self.run(host, "vary")[2]
        assert "clip in view: none" in self.run(host, "status")[1]

    def test_no_live_is_a_sentence(self, daemon, monkeypatch):
        monkeypatch.setenv("RETAKE_STATE_DIR", str(daemon.state))
        code, _, err = self.run(None, "vary")

        assert code == 1
        assert "Control Surface" in err

    @pytest.mark.parametrize("words", [["restyle"], ["restyle", "x", "seed"], ["restyle", "x", "seed", "y"]])
    def test_wrong_words_are_wrong_usage(self, words):
        assert self.run(None, *words)[0] == 2
