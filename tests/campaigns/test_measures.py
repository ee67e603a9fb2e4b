"""A campaign is worth as much as its measures: each of them notices what it is there for."""

import json
import os
import random
import socket
import subprocess
import sys
import time

import numpy as np
import pytest

from bridge.wire.messages import Generate
from engine import Audio
from tests.campaigns.__main__ import main
from tests.campaigns.callers import Caller
from tests.campaigns.house import House, house, write_clips
from tests.campaigns.lossy_proxy import LossyProxy, Weather
from tests.campaigns.mixture import draw_job
from tests.campaigns.processes import Memory, dropped_datagrams, processes_of, rss_kb
from tests.campaigns.report import Report
from tests.campaigns.takes import fault_of_take, fault_of_wav


@pytest.fixture
def take(tmp_path):
    path = tmp_path / "rain.wav"
    Audio(np.full(4800, 0.1), 48_000, {"seed": 1}).write(path)
    return path


class TestFaultOfWav:
    def test_is_none_for_a_whole_pair(self, take):
        assert fault_of_wav(take) is None

    @pytest.mark.parametrize("size", [0, 30, 1000])
    def test_is_found_when_it_is_cut_off(self, take, size):
        take.write_bytes(take.read_bytes()[:size])

        assert fault_of_wav(take)

    @pytest.mark.parametrize("story", [None, "", "{", "{}"])
    def test_is_found_when_its_story_is_missing_or_broken(self, take, story):
        sidecar = take.with_suffix(".json")
        sidecar.unlink() if story is None else sidecar.write_text(story)

        assert fault_of_wav(take)

    def test_is_found_when_its_length_is_wrong(self, take):
        assert fault_of_take(take, Generate(job="one", prompt="rain", seconds=0.1)) is None
        assert fault_of_take(take, Generate(job="one", prompt="rain", seconds=0.2))


class TestMemory:
    def test_growth_is_counted_after_the_warm_up(self):
        warm_up, flat, late = [1000] * 20, [2000] * 70, [2200] * 10

        assert Memory(samples=warm_up + flat + late).growth_percent() == 10.0
        assert Memory(samples=warm_up + flat).growth_percent() == 0.0

    def test_of_this_process_is_known(self):
        assert rss_kb(os.getpid()) > 10_000
        assert rss_kb(2**22 + 1) == 0


class TestProcessesOf:
    def test_finds_whoever_was_started_for_a_state_folder(self, tmp_path):
        command = [sys.executable, "-c", "import sys; print(flush=True); sys.stdin.read()"]
        environment = {**os.environ, "RETAKE_STATE_DIR": str(tmp_path)}
        with subprocess.Popen(command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
            process.stdout.readline()
            assert processes_of(tmp_path) == [process.pid]
            assert processes_of(tmp_path / "other") == []

        assert processes_of(tmp_path) == []


class TestDroppedDatagrams:
    def test_are_counted_by_port(self):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as deaf:
            deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1)
            deaf.bind(("127.0.0.1", 0))
            assert dropped_datagrams(deaf.getsockname()[1]) == 0
            for _ in range(50):
                deaf.sendto(b"x" * 1000, deaf.getsockname())

            assert dropped_datagrams(deaf.getsockname()[1]) > 0


class TestHouse:
    def test_sees_drafts(self, tmp_path):
        home = House(tmp_path)
        (home.takes / ".retake-0123456789abcdef.tmp").touch()
        (home.takes / "rain.wav").touch()

        assert [path.name for path in home.drafts()] == [".retake-0123456789abcdef.tmp"]

    def test_leaves_nobody_behind(self, tmp_path):
        with house(root=tmp_path) as home:
            home.start()
            home.require_runtime()
            assert processes_of(home.state)

        assert processes_of(home.state) == []
        assert list(tmp_path.iterdir()) == []


class TestMixture:
    def test_is_the_same_for_the_same_seed(self, tmp_path):
        clips = write_clips(tmp_path)
        first, second = (
            [draw_job(dice, str(number), clips, tmp_path) for number in range(50)]
            for dice in (random.Random(1), random.Random(1))
        )

        assert first == second
        assert len({type(job) for job in first}) == 5


class TestLossyProxy:
    def test_loses_and_doubles_as_much_as_it_says(self):
        weather = Weather(lost=0.5, doubled=0.2, overtaken=0.1)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as daemon:
            daemon.bind(("127.0.0.1", 0))
            daemon.settimeout(60)
            caller = Caller("one", lambda: None)
            with LossyProxy(daemon.getsockname(), random.Random(1), weather) as proxy:
                for number in range(200):
                    caller.socket.sendto(str(number).encode(), ("127.0.0.1", proxy.port))
                heard = []
                while len(heard) < 60:
                    heard.append(daemon.recv(100))
                deadline = time.monotonic() + 60
                while proxy.fates["lost"] <= 60 and time.monotonic() < deadline:  # it is still at work
                    time.sleep(0.05)
            caller.close()

        assert 60 < proxy.fates["lost"] < 140
        assert len(set(heard)) < len(heard)
        assert heard != sorted(heard, key=int)


class TestReport:
    @pytest.mark.parametrize(
        ("found", "verdict"), [([], "passed"), (["job-1"], "failed")], ids=["nothing lost", "one lost"]
    )
    def test_fails_with_one_of_its_criteria(self, found, verdict):
        report = Report("crash", 1)
        report.holds("something else", found=True)
        report.none_of("jobs lost", found)

        assert report.verdict == verdict
        assert json.loads(report.to_json())["verdict"] == verdict


class TestCommand:
    @pytest.mark.slow
    def test_prints_its_report_and_writes_it(self, tmp_path, capsys):
        out = tmp_path / "figures.json"
        exit_code = main(["fuzz", "--size", "500", "--seed", "3", "--out", str(out)])

        assert exit_code == 0
        assert json.loads(out.read_text()) == json.loads(capsys.readouterr().out)
        assert json.loads(out.read_text())["figures"]["datagrams"] >= 500
