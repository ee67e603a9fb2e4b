"""`retake doctor`: what is well, what is not, and a remedy for each; in whatever state the machine is."""

import json
import os
import shutil
import socket
import subprocess
import sys
from dataclasses import replace
from importlib import metadata
from pathlib import Path

import pytest

from bridge import __version__
from bridge.daw_install.command import main as install_scripts
from bridge.daw_install.hosts import HostPlatform
from bridge.diagnosis import doctor
from bridge.diagnosis.checks.asking import ask
from bridge.diagnosis.checks.daemon import check_daemon, check_port
from bridge.diagnosis.checks.device import check_device
from bridge.diagnosis.checks.finding import Finding, FindingState, ok, problem, warning
from bridge.diagnosis.checks.folders import check_disk_space, check_output_folder, check_state_folder
from bridge.diagnosis.checks.models import check_models, count_tensors
from bridge.diagnosis.checks.outputs import check_outputs
from bridge.diagnosis.checks.port_owner import _owner_on_mac, _owner_on_windows, is_free, owner_of
from bridge.diagnosis.checks.self_test import check_rendering
from bridge.diagnosis.checks.settings_file import check_settings
from bridge.diagnosis.checks.surroundings import Surroundings
from bridge.diagnosis.checks.versions import check_clap, check_packages, check_versions
from bridge.diagnosis.checks.workstations import check_workstations
from bridge.host.discovery import InstanceLock, Runtime, runtime_file, write_runtime
from engine import installed_back_end

ROOT = Path(__file__).parents[3]
NANO = ROOT / "engine" / "weights" / "nano"
PATIENCE_S = 240


@pytest.fixture
def surroundings(tmp_path, state_dir, monkeypatch):
    """A home of its own, with nothing in it; more environment by keyword."""
    home = tmp_path / "home"
    home.mkdir()
    for name in ("XDG_DATA_HOME", "XDG_MUSIC_DIR", "RETAKE_CONFIG", "RETAKE_MODELS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(home / ".config"))

    def describe(**environment):
        for name, value in environment.items():
            monkeypatch.setenv(name, str(value))
        return Surroundings(HostPlatform("linux", os.environ, home), state_dir)

    return describe


def run(*words, environment=None):
    command = [sys.executable, "-m", "bridge", *words]
    environment = dict(os.environ) | (environment or {})
    return subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=PATIENCE_S, env=environment
    )


def only(findings) -> Finding:
    (finding,) = findings
    return finding


class TestFinding:
    @pytest.mark.parametrize(
        "make",
        [
            lambda: warning("x", "ill", ""),
            lambda: problem("x", "ill", ""),
            lambda: Finding("x", FindingState.OK, "well", "do"),
        ],
        ids=["warning without remedy", "problem without remedy", "remedy without need"],
    )
    def test_has_a_remedy_where_and_only_where_it_is_ill(self, make):
        with pytest.raises(AssertionError):
            make()


class TestReport:
    def test_counts_what_it_tells(self):
        told = doctor.report([ok("a", "well"), warning("b", "so so", "do"), problem("c", "ill", "do this")])

        assert (told["problems"], told["warnings"], told["retake"]) == (1, 1, __version__)
        assert told["checks"][2] == {"name": "c", "state": "problem", "finding": "ill", "remedy": "do this"}

    def test_keeps_the_order_of_the_table(self, surroundings):
        names = [finding.name for finding in doctor.examine(surroundings(), {"versions": doctor.CHECKS["versions"]})]

        assert names == ["retake", "python"]

    @pytest.mark.parametrize("row", ["nowhere:check", "versions:nothing", "models:count_tensors"])
    def test_survives_a_check_that_cannot_be_done(self, surroundings, row):
        finding = only(doctor.examine(surroundings(), {"x": row}))

        assert finding.state is FindingState.PROBLEM
        assert "could not be checked" in finding.text

    def test_of_every_row_exists(self):
        for row in (doctor.CHECKS | doctor.SELF_TEST).values():
            module, _, function = row.partition(":")
            assert f"def {function}(" in (ROOT / "bridge" / "diagnosis" / "checks" / f"{module}.py").read_text()

    @pytest.mark.parametrize(
        ("findings", "summary"),
        [
            ([], "All is well."),
            ([problem("a", "b", "c")], "1 problem; the lines that begin with -> say what to do"),
            ([problem("a", "b", "c")] * 2 + [warning("a", "b", "c")], "2 problems and 1 warning; the lines that"),
        ],
        ids=["nothing", "one", "several"],
    )
    def test_ends_with_how_many_are_ill(self, findings, summary):
        assert doctor._summary(findings).startswith(summary)


class TestVersions:
    def test_are_told(self, surroundings):
        retake, python = check_versions(surroundings())

        assert f"Retake {__version__}" in retake.text
        assert python.state is FindingState.OK

    def test_every_package_is_loaded(self, surroundings):
        assert only(check_packages(surroundings())).state is FindingState.OK

    def test_the_library_behind_clap_is_named(self, surroundings):
        finding = only(check_clap(surroundings()))

        library = installed_back_end()
        assert finding.state is FindingState.OK
        assert finding.text == f"CLAP's audio tower is computed by {library} {metadata.version(library)}"

    def test_a_package_that_breaks_is_named_with_the_reason(self, surroundings, tmp_path):
        """As soundfile does without its library of the system."""
        (tmp_path / "soundfile.py").write_text("raise OSError('sndfile library not found')\n")
        finding = only(check_packages(surroundings(PYTHONPATH=tmp_path)))

        assert (finding.name, finding.state) == ("package soundfile", FindingState.PROBLEM)
        assert "sndfile library not found" in finding.text

    def test_a_package_that_kills_its_process_does_not_kill_the_doctor(self, surroundings, tmp_path):
        (tmp_path / "soxr.py").write_text("import os, signal\nos.kill(os.getpid(), signal.SIGSEGV)\n")
        finding = only(check_packages(surroundings(PYTHONPATH=tmp_path)))

        assert (finding.name, finding.state) == ("packages", FindingState.PROBLEM)
        assert "was ended by signal 11" in finding.text


class TestAsking:
    def test_names_the_reason_of_a_failure(self):
        assert "KeyError" in ask("examine", "nonsense").trouble

    def test_does_not_wait_for_ever(self):
        assert "no answer within 0.01 s" in ask("examine", "packages", timeout_s=0.01).trouble


class TestSettings:
    def test_are_well_without_any(self, surroundings):
        assert "every setting has its default" in only(check_settings(surroundings())).text

    def test_that_are_bad_are_each_named_with_their_source(self, surroundings, tmp_path):
        file = tmp_path / "retake.toml"
        file.write_text("port = 99999\nprot = 1\n")
        findings = list(check_settings(surroundings(RETAKE_CONFIG=file, RETAKE_LOG_LEVEL="loud")))

        assert [finding.name for finding in findings] == ["setting port", "setting prot", "setting log_level"]
        assert all(str(file) in finding.text for finding in findings[:2])
        assert "RETAKE_LOG_LEVEL" in findings[2].text

    @pytest.mark.parametrize("content", [b"\xff\xfe\0", b"port: 1", b"[" * 5000], ids=["binary", "yaml", "deep"])
    def test_in_a_garbage_file_are_a_problem(self, surroundings, tmp_path, content):
        file = tmp_path / "retake.toml"
        file.write_bytes(content)

        assert only(check_settings(surroundings(RETAKE_CONFIG=file))).state is FindingState.PROBLEM


class TestStateFolder:
    def test_is_well(self, surroundings):
        assert only(check_state_folder(surroundings())).state is FindingState.OK

    def test_that_is_not_there_is_not_made(self, surroundings, state_dir):
        state_dir.rmdir()

        assert "can be made" in only(check_state_folder(surroundings())).text
        assert not state_dir.exists()

    def test_without_a_home_is_a_problem(self, surroundings):
        machine = surroundings().machine
        finding = only(check_state_folder(Surroundings(machine, None)))

        assert "no home folder" in finding.text
        assert "HOME" in finding.remedy

    def test_that_others_may_look_into_is_a_warning(self, surroundings, state_dir):
        state_dir.chmod(0o755)

        assert only(check_state_folder(surroundings())).remedy == f'chmod 700 "{state_dir}"'

    def test_with_a_token_that_others_may_read_is_a_problem(self, surroundings, state_dir):
        write_runtime(state_dir, Runtime("127.0.0.1", 1, 1, "0", "secret"))
        runtime_file(state_dir).chmod(0o644)
        finding = only(check_state_folder(surroundings()))

        assert (finding.state, "token" in finding.text) == (FindingState.PROBLEM, True)

    def test_that_is_a_file_is_a_problem(self, surroundings, state_dir):
        state_dir.rmdir()
        state_dir.write_text("")

        assert "is a file" in only(check_state_folder(surroundings())).text

    def test_where_nobody_may_write_is_a_problem(self, surroundings):
        finding = only(check_state_folder(Surroundings(surroundings().machine, Path("/proc/retake"))))

        assert (finding.state, "RETAKE_STATE_DIR" in finding.remedy) == (FindingState.PROBLEM, True)


class TestDaemon:
    def test_that_has_never_run_leaves_no_trace_of_the_look(self, surroundings, state_dir):
        assert only(check_daemon(surroundings())).state is FindingState.OK
        assert list(state_dir.iterdir()) == []

    @pytest.mark.usefixtures("daemon")
    def test_that_answers_is_well(self, surroundings):
        finding = only(check_daemon(surroundings()))

        assert (finding.state, "and is idle" in finding.text) == (FindingState.OK, True)

    def test_of_another_version_is_to_be_restarted(self, surroundings, daemon, state_dir):
        write_runtime(state_dir, replace(daemon.runtime, version="99"))
        told = only(check_daemon(surroundings())).text

        assert "99" in told
        assert f"this is Retake {__version__}" in told

    def test_that_was_killed_left_its_file(self, surroundings, state_dir):
        write_runtime(state_dir, Runtime("127.0.0.1", 1, os.getpid(), "0", "secret"))
        finding = only(check_daemon(surroundings()))

        assert (finding.state, "left runtime.json behind" in finding.text) == (FindingState.WARNING, True)
        assert "secret" not in finding.text

    def test_that_holds_the_lock_and_says_nothing_is_a_problem(self, surroundings, state_dir):
        lock = InstanceLock(state_dir)
        assert lock.acquire()
        assert "holds" in only(check_daemon(surroundings())).text

        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as deaf:
            deaf.bind(("127.0.0.1", 0))
            write_runtime(state_dir, Runtime("127.0.0.1", deaf.getsockname()[1], os.getpid(), "0", "secret"))
            finding = only(check_daemon(surroundings()))
        lock.release()
        assert (finding.state, "cannot be reached" in finding.text) == (FindingState.PROBLEM, True)
        assert str(os.getpid()) in finding.remedy


class TestPort:
    def test_that_is_free_is_well(self, surroundings):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]

        assert only(check_port(surroundings(RETAKE_PORT=port))).text == f"UDP port {port} on 127.0.0.1 is free"

    @pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
    def test_that_is_taken_is_named_with_who_has_it(self, surroundings):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
            taken.bind(("127.0.0.1", 0))
            port = taken.getsockname()[1]
            finding = only(check_port(surroundings(RETAKE_PORT=port)))

        assert (finding.state, f"(pid {os.getpid()})" in finding.text) == (FindingState.WARNING, True)

    def test_of_the_running_daemon_is_well(self, surroundings, daemon):
        finding = only(check_port(surroundings(RETAKE_PORT=daemon.runtime.port)))

        assert finding.text == f"UDP port {daemon.runtime.port} on 127.0.0.1 is the daemon's"

    @pytest.mark.usefixtures("daemon")
    def test_that_the_daemon_had_to_leave_is_told(self, surroundings):
        assert "not 9 of the settings" in only(check_port(surroundings(RETAKE_PORT="9"))).text

    def test_is_read_from_what_other_systems_list(self):
        assert _owner_on_mac("p123\ncSome Program\nf7\n") == "Some Program (pid 123)"
        listed = "  UDP    0.0.0.0:5353   *:*   99\r\n  UDP    127.0.0.1:53170        *:*            4711\r\n"
        assert _owner_on_windows(listed, 53170) == "the process with pid 4711"
        assert "does not name" in _owner_on_windows(listed, 1)
        assert "does not name" in owner_of(1, "amiga")

    def test_probing_lets_go_of_it(self):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
            assert not is_free(port)


class TestOutputFolder:
    def test_is_tried_with_a_draft_that_does_not_stay(self, surroundings, tmp_path):
        folder = tmp_path / "takes"
        folder.mkdir()

        assert only(check_output_folder(surroundings(RETAKE_OUTPUT_DIR=folder))).state is FindingState.OK
        assert list(folder.iterdir()) == []

    def test_that_is_not_there_is_not_made(self, surroundings, tmp_path):
        finding = only(check_output_folder(surroundings(RETAKE_OUTPUT_DIR=tmp_path / "a" / "b")))

        assert (finding.state, (tmp_path / "a").exists()) == (FindingState.OK, False)

    def test_that_cannot_be_is_a_problem(self, surroundings):
        assert only(check_output_folder(surroundings(RETAKE_OUTPUT_DIR="/proc/takes"))).state is FindingState.PROBLEM

    def test_and_the_others_have_room(self, surroundings):
        findings = list(check_disk_space(surroundings()))

        assert [finding.name for finding in findings] == [
            "room in output folder",
            "room in models folder",
            "room in state folder",
        ]
        assert all("GB free" in finding.text for finding in findings)


class TestModels:
    @pytest.fixture
    def installed(self, tmp_path):
        """A copy of nano in a models folder."""
        folder = tmp_path / "models" / "mine"
        shutil.copytree(NANO, folder)
        return folder

    def test_shipped_one_is_whole(self, surroundings):
        finding = only(check_models(surroundings()))

        assert (finding.name, finding.state) == ("model nano", FindingState.OK)
        assert "licence Apache-2.0" in finding.text

    def test_an_installed_one_that_was_cut_short_is_damaged(self, surroundings, installed):
        weights = installed / "model.safetensors"
        os.truncate(weights, weights.stat().st_size - 1)
        nano, mine = check_models(surroundings(RETAKE_MODELS_DIR=installed.parent))

        assert nano.state is FindingState.OK
        assert (mine.name, mine.state) == ("model mine", FindingState.PROBLEM)
        assert "retake models remove mine" in mine.remedy

    def test_a_broken_one_is_told_as_the_engine_tells_it_and_hides_no_other(self, surroundings, installed):
        (installed / "config.json").write_text("{")
        nano, mine = check_models(surroundings(RETAKE_MODELS=installed.parent))

        assert (nano.name, nano.state) == ("model nano", FindingState.OK)
        assert (mine.name, mine.state) == ("model mine", FindingState.PROBLEM)
        assert "config.json" in mine.text

    def test_weights_that_are_a_pipe_are_not_waited_for(self, surroundings, installed):
        (installed / "model.safetensors").unlink()
        os.mkfifo(installed / "model.safetensors")
        _, mine = check_models(surroundings(RETAKE_MODELS=installed.parent))

        assert (mine.name, mine.state) == ("model mine", FindingState.PROBLEM)

    def test_the_default_one_has_to_be_there(self, surroundings):
        *_, finding = check_models(surroundings(RETAKE_MODEL="audioldm-s-full-v2"))

        assert (finding.name, finding.state) == ("default model", FindingState.PROBLEM)
        assert "retake models pull audioldm-s-full-v2" in finding.remedy

    def test_tensors_are_counted(self):
        assert count_tensors(NANO / "model.safetensors") > 100

    @pytest.mark.parametrize(
        ("content", "reason"),
        [
            (b"", "does not begin"),
            (b"\xff" * 100, "does not begin"),
            (b"\x04\0\0\0\0\0\0\0{,,}", "header is damaged"),
            (b"\x02\0\0\0\0\0\0\0[]", "header is damaged"),
            (b"\x09\0\0\0\0\0\0\0" + b'{"a": {}}', "nothing usable about a"),
        ],
        ids=["empty", "noise", "no JSON", "no table", "no offsets"],
    )
    def test_a_file_that_is_none_is_refused_with_the_reason(self, tmp_path, content, reason):
        (tmp_path / "file").write_bytes(content)
        with pytest.raises(ValueError, match=reason):
            count_tensors(tmp_path / "file")

    def test_a_tensor_with_too_few_bytes_is_named(self, tmp_path):
        header = json.dumps({"a": {"dtype": "F32", "shape": [2, 3], "data_offsets": [0, 20]}}).encode()
        (tmp_path / "file").write_bytes(len(header).to_bytes(8, "little") + header + b"\0" * 20)
        with pytest.raises(ValueError, match="a has 20 bytes, and should have 24"):
            count_tensors(tmp_path / "file")


@pytest.mark.slow
class TestDevice:
    def test_is_found_with_threads_and_memory(self, surroundings):
        finding = only(check_device(surroundings(RETAKE_DEVICE="cpu")))

        assert finding.state is FindingState.OK
        assert "cpu, 1 thread," in finding.text

    def test_that_is_not_here_is_a_problem(self, surroundings):
        finding = only(check_device(surroundings(RETAKE_DEVICE="abacus")))

        assert (finding.state, "abacus" in finding.text) == (FindingState.PROBLEM, True)

    def test_with_a_torch_that_crashes_does_not_kill_the_doctor(self, surroundings, tmp_path):
        (tmp_path / "torch.py").write_text("import os\nos.abort()\n")
        finding = only(check_device(surroundings(PYTHONPATH=tmp_path)))

        assert (finding.state, "was ended by signal 6" in finding.text) == (FindingState.PROBLEM, True)

    def test_makes_a_sound(self, surroundings):
        finding = only(check_rendering(surroundings(RETAKE_MODEL="tiny", RETAKE_DEVICE="cpu")))

        assert finding.state is FindingState.OK, finding.text
        assert "tiny on cpu made 1 s of rain in" in finding.text

    def test_makes_none_without_its_model(self, surroundings):
        finding = only(check_rendering(surroundings(RETAKE_MODEL="absent", RETAKE_DEVICE="cpu")))

        assert (finding.state, "absent" in finding.text) == (FindingState.PROBLEM, True)


class TestAudioOutputs:
    FAKE = "class default: device = (0, {default})\ndef query_devices(): return {devices}\n"

    def test_are_asked_of_the_system(self, surroundings):
        assert only(check_outputs(surroundings())).state in (FindingState.OK, FindingState.WARNING)

    def test_are_named_with_the_default(self, surroundings, tmp_path):
        devices = [{"name": name, "max_output_channels": count} for name, count in (("Mic", 0), ("A", 2), ("B", 2))]
        (tmp_path / "sounddevice.py").write_text(self.FAKE.format(default=2, devices=devices))

        assert only(check_outputs(surroundings(PYTHONPATH=tmp_path))).text == "2 found; the default is B"

    def test_may_be_none(self, surroundings, tmp_path):
        (tmp_path / "sounddevice.py").write_text(self.FAKE.format(default=-1, devices=[]))

        assert only(check_outputs(surroundings(PYTHONPATH=tmp_path))).state is FindingState.WARNING

    def test_cannot_be_asked_for_without_portaudio(self, surroundings, tmp_path):
        (tmp_path / "sounddevice.py").write_text("raise OSError('PortAudio library not found')\n")
        finding = only(check_outputs(surroundings(PYTHONPATH=tmp_path)))

        assert (finding.state, "PortAudio library not found" in finding.text) == (FindingState.WARNING, True)
        assert "libportaudio2" in finding.remedy


class TestWorkstations:
    @pytest.fixture
    def reaper(self, surroundings):
        folder = surroundings().machine.home / ".config" / "REAPER"
        folder.mkdir(parents=True)
        return folder

    @pytest.fixture
    def scripts(self, reaper, surroundings, capsys):
        assert install_scripts(["reaper"], surroundings().machine) == 0
        capsys.readouterr()
        return reaper / "Scripts" / "Retake"

    def test_may_be_none(self, surroundings):
        assert only(check_workstations(surroundings())).state is FindingState.WARNING

    @pytest.mark.usefixtures("reaper")
    def test_without_our_scripts_get_them(self, surroundings):
        finding = only(check_workstations(surroundings()))

        assert (finding.name, finding.state) == ("REAPER", FindingState.WARNING)
        assert finding.remedy == "`retake install-scripts reaper`"

    @pytest.mark.usefixtures("scripts")
    def test_with_our_scripts_are_well(self, surroundings):
        assert "scripts up to date" in only(check_workstations(surroundings())).text

    def test_with_old_scripts_get_new_ones(self, surroundings, scripts):
        next(scripts.glob("*.lua")).unlink()

        assert "another version" in only(check_workstations(surroundings())).text

    def test_with_a_script_that_the_musician_changed_are_well(self, surroundings, scripts):
        with next(scripts.glob("*.lua")).open("a") as file:
            file.write("-- mine\n")

        assert "1 changed by you" in only(check_workstations(surroundings())).text

    def test_whose_scripts_look_for_a_retake_that_has_gone_are_a_problem(self, surroundings, scripts):
        location = json.loads((scripts / "retake.json").read_text())
        (scripts / "retake.json").write_text(json.dumps(location | {"send": "/gone/retake-send"}))
        finding = only(check_workstations(surroundings()))

        assert (finding.state, "/gone/retake-send" in finding.text) == (FindingState.PROBLEM, True)


@pytest.mark.slow
class TestCommand:
    def test_as_json_exits_with_1_when_there_is_a_problem(self, surroundings):
        surroundings(RETAKE_PORT="many")
        done = run("doctor", "--json")
        told = json.loads(done.stdout)

        assert done.returncode == 1
        assert "setting port" in [check["name"] for check in told["checks"] if check["state"] == "problem"]
        assert all(check["remedy"] for check in told["checks"] if check["state"] != "ok")

    def test_exits_with_0_when_there_is_none(self, surroundings, state_dir):
        surroundings()
        done = run("doctor")

        assert (done.returncode, done.stderr) == (0, "")
        assert "problem " not in done.stdout
        assert list(state_dir.iterdir()) == []

    @pytest.mark.parametrize(
        ("environment", "words"),
        [
            ({"HOME": "/proc/nobody", "RETAKE_STATE_DIR": "", "XDG_STATE_HOME": ""}, "the daemon cannot write"),
            ({"RETAKE_STATE_DIR": "/proc/nowhere"}, "the daemon cannot write to its folder /proc/nowhere"),
            ({"RETAKE_CONFIG": "/bin/sh"}, "the settings file (config) /bin/sh"),
            ({"PYTHONPATH": "broken"}, "the package soundfile cannot be loaded"),
        ],
        ids=["no home", "no state folder", "garbage settings", "no soundfile"],
    )
    def test_never_ends_in_a_traceback(self, surroundings, tmp_path, environment, words):
        surroundings()
        (tmp_path / "soundfile.py").write_text("raise OSError('no library')\n")
        environment = {name: str(tmp_path) if value == "broken" else value for name, value in environment.items()}
        done = run("doctor", environment=environment | {"COLUMNS": "10000"})

        assert (done.returncode, done.stderr) == (1, "")
        assert "Traceback" not in done.stdout
        assert words in " ".join(done.stdout.split())
