"""The claims of SECURITY.md that no other file proves: who gets in, what runs, and that each claim names its test."""

import ast
import os
import re
import socket
import stat
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import ClassVar

import pytest
from packaging.requirements import Requirement

from bridge.errors import FolderError
from bridge.host.job_log import PrivateRotatingFile
from bridge.host.private_folder import make_private
from bridge.wire.messages import Models, ModelsReply, Status, StatusReply
from bridge.wire.osc_codec import encode_request

ROOT = Path(__file__).parents[2]
CODE = sorted([*ROOT.glob("bridge/**/*.py"), *ROOT.glob("engine/**/*.py")])
POSIX = pytest.mark.skipif(sys.platform == "win32", reason="Windows guards the user's profile itself")


@cache
def nodes() -> list[tuple[str, ast.AST]]:
    """Everything that the code says, with its file; the files are read once for all tests."""
    return [
        (path.relative_to(ROOT).as_posix(), node)
        for path in CODE
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
    ]


@cache
def calls() -> list[tuple[str, str, ast.Call]]:
    """Every call in the code: its file, the name of what is called as it is written, the call."""
    return [(file, dotted(node.func), node) for file, node in nodes() if isinstance(node, ast.Call)]


def dotted(node: ast.AST) -> str:
    """Return a name as it is written; what is no name, such as the result of a call, is left empty before the dot."""
    if isinstance(node, ast.Attribute):
        return f"{dotted(node.value)}.{node.attr}"
    return node.id if isinstance(node, ast.Name) else ""


def imported() -> Iterator[tuple[str, str]]:
    for file, node in nodes():
        if isinstance(node, ast.Import):
            yield from ((file, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from ((file, f"{node.module}.{alias.name}") for alias in node.names)


def word(call: ast.Call, name: str) -> object:
    """The constant that a call gives for a keyword; None where it gives none."""
    return next((getattr(item.value, "value", "?") for item in call.keywords if item.arg == name), None)


class TestCode:
    def test_never_starts_a_shell(self):
        for file, name, call in calls():
            assert name not in {"os.system", "os.popen", "subprocess.getoutput", "subprocess.getstatusoutput"}, file
            assert not name.endswith("create_subprocess_shell"), file
            assert word(call, "shell") in {None, False}, file

    def test_never_runs_text(self):
        for file, name, _ in calls():
            assert name not in {"eval", "exec", "builtins.eval", "builtins.exec"}, file

    def test_never_unpickles(self):
        pickles = {"pickle", "cPickle", "_pickle", "dill", "cloudpickle", "joblib", "shelve", "marshal", "jsonpickle"}
        for file, name in imported():
            assert name.split(".")[0] not in pickles or (file, name) in {
                ("engine/checkpoints/pickles.py", "pickle"),  # for the name of its error alone,
                ("engine/evaluation/extractor_weights.py", "pickle"),  # as the next lines see to
            }
        for file, node in nodes():
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "pickle":
                assert node.attr == "UnpicklingError", file
        for file, name, call in calls():
            if name == "torch.load":
                assert word(call, "weights_only") is True, file
            assert word(call, "allow_pickle") in {None, False}, file
            assert name not in {"yaml.load", "yaml.unsafe_load", "torch.hub.load", "torch.jit.load"}, file


class TestSocket:
    def test_is_bound_to_loopback_alone(self, daemon):
        transport = daemon.daemon.server._transport
        assert transport.get_extra_info("sockname") == ("127.0.0.1", daemon.runtime.port)

    def test_hears_nothing_through_another_address_of_this_machine(self, daemon, ear):
        """Another socket gets what is sent there: ours is not on it."""
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            try:
                probe.connect(("192.0.2.1", 9))  # sends nothing; chooses the address that faces the network
            except OSError:
                pytest.skip("this machine has no address but loopback")
            outside = probe.getsockname()[0]
        if outside.startswith("127."):
            pytest.skip("this machine has no address but loopback")
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as neighbour:
            neighbour.bind((outside, daemon.runtime.port))
            neighbour.settimeout(60)
            ear.socket.close()
            ear.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            ear.socket.bind((outside, 0))
            ear.socket.sendto(encode_request(Status()), (outside, daemon.runtime.port))

            assert neighbour.recv(65536) == encode_request(Status())
            assert ear.hear(timeout_s=0.5) is None


class TestToken:
    def test_is_new_each_time_the_daemon_starts(self, start_daemon):
        first = start_daemon()
        first.stop()
        second = start_daemon()

        assert first.runtime.token != second.runtime.token
        assert len(second.runtime.token) >= 32

    def test_is_compared_in_constant_time(self):
        named = [
            ast.unparse(node)
            for node in ast.walk(ast.parse((ROOT / "bridge" / "daemon" / "dispatcher.py").read_text(encoding="utf-8")))
            if isinstance(node, ast.Compare) and "token" in ast.unparse(node)
        ]
        assert named == ["self._token is None"]
        assert any(
            name == "secrets.compare_digest" for file, name, _ in calls() if file == "bridge/daemon/dispatcher.py"
        )


@POSIX
class TestStateFolder:
    def test_and_its_files_are_closed_to_others_also_when_they_lay_open(self, start_process, state_dir, connect):
        state_dir.chmod(0o777)
        for name in ("daemon.log", "daemon.log.1", "daemon.lock", "runtime-copies.json", "journal.sqlite3"):
            (state_dir / name).touch()
            (state_dir / name).chmod(0o666)
        (state_dir / "runtime-copies.json").write_text("[]")
        ear = connect(start_process())
        ear.say(Status(), token="")
        assert isinstance(ear.hear(), StatusReply)

        assert stat.S_IMODE(state_dir.stat().st_mode) == 0o700
        modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in state_dir.iterdir()}
        assert {"journal.sqlite3", "daemon.log", "daemon.lock", "runtime.json"} <= set(modes)
        assert set(modes.values()) == {0o600}, modes

    def test_that_is_new_is_closed_too(self, start_process, state_dir):
        state_dir.rmdir()
        assert start_process().runtime
        modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in state_dir.iterdir()}

        assert set(modes.values()) == {0o600}, modes

    def test_of_somebody_else_is_refused(self, state_dir, monkeypatch):
        if os.geteuid() == 0:
            os.chown(state_dir, 12345, 12345)
        else:
            monkeypatch.setenv("RETAKE_STATE_DIR", "/usr")
        command = [sys.executable, "-m", "bridge", "daemon"]
        failure = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=120)

        assert failure.returncode == 1
        assert "it belongs to another user" in failure.stderr
        assert "hint: " in failure.stderr

    def test_leaves_what_links_lead_to_alone(self, tmp_path):
        outside, state = tmp_path / "mine", tmp_path / "state"
        outside.touch(mode=0o644)
        outside.chmod(0o644)
        state.mkdir()
        os.symlink(outside, state / "link")
        make_private(state)

        assert stat.S_IMODE(outside.stat().st_mode) == 0o644

    def test_that_is_a_file_is_refused(self, tmp_path):
        (tmp_path / "state").touch()
        with pytest.raises((FolderError, OSError)):
            make_private(tmp_path / "state")

    def test_keeps_the_log_closed_when_it_begins_a_new_file(self, tmp_path):
        log = PrivateRotatingFile(tmp_path / "daemon.log", maxBytes=10, backupCount=1, encoding="utf-8")
        log.doRollover()
        log.close()

        assert {stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()} == {0o600}


class TestLibraries:
    HOLES: ClassVar = {"torch": ["2.6.0", "2.9.1"], "ray": ["2.50.0", "2.53.0"]}
    """Versions with holes that are known: CVE-2026-24747 (code by `weights_only`), CVE-2026-27482."""

    def test_with_known_holes_are_not_taken(self):
        project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
        asked = [*project["dependencies"], *(it for extra in project["optional-dependencies"].values() for it in extra)]
        found = [(one.name, one.specifier) for one in map(Requirement, asked) if one.name in self.HOLES]

        assert {name for name, _ in found} == set(self.HOLES)
        assert [(name, hole) for name, taken in found for hole in self.HOLES[name] if hole in taken] == []


class TestDocument:
    """SECURITY.md promises nothing that no test holds."""

    DOCUMENT = (ROOT / "bridge" / "SECURITY.md").read_text(encoding="utf-8")
    NAMED = re.findall(r"`(tests/[\w/]+\.py)((?:::\w+)*)`", DOCUMENT)

    @pytest.mark.parametrize(("file", "name"), NAMED, ids=lambda value: value.rpartition("/")[2])
    def test_every_test_that_is_named_exists(self, file, name):
        body = ast.parse((ROOT / file).read_text(encoding="utf-8")).body
        for part in name.split("::")[1:]:
            (found,) = (node for node in body if getattr(node, "name", None) == part)
            body = found.body

    def test_every_claim_names_a_test(self):
        claims = [line for line in self.DOCUMENT.splitlines() if re.match(r"\| (?!claim|---)", line)]

        assert len(claims) >= 20
        assert all(re.search(r"`tests/[\w/]+\.py::\w+", line) for line in claims), claims

    def test_is_linked_from_the_protocol_and_the_readme(self):
        assert "(SECURITY.md)" in (ROOT / "bridge" / "PROTOCOL.md").read_text(encoding="utf-8")
        assert "bridge/SECURITY.md" in (ROOT / "README.md").read_text(encoding="utf-8")


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
def test_the_list_of_processes_tells_no_folders(start_process, connect, state_dir, tmp_path):
    """Every user of a machine can read the command lines of all."""
    daemon = start_process("--allowed-folders", str(tmp_path / "secret"))
    ear = connect(daemon)
    ear.say(Models())
    ear.wait_for(ModelsReply)
    (worker,) = daemon.children()
    told = Path(f"/proc/{worker}/cmdline").read_bytes()

    assert b"worker" in told
    assert os.fsencode(state_dir) not in told
    assert b"secret" not in told
