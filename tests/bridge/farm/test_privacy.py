"""A farm is its user's alone: a real Ray cluster of this machine is looked at from outside."""

import hashlib
import os
import re
import shutil
import stat
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import pytest

from bridge.farm.plan import FarmPlan
from bridge.farm.privacy import close_token, closed_to_others, environment, private_folder, token_file
from bridge.rendering.pipe import RenderSetup
from tests.daemons import PATIENCE_S

ROOT = Path(__file__).parents[3]
pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
LOOPBACK = ("0100007F", "0000000000000000FFFF00000100007F", "00000000000000000000000001000000")
"""127.0.0.1, the same as an IPv6 address, and ::1, as /proc/net has them."""


def rights(path):
    return stat.S_IMODE(path.stat().st_mode)


class TestToken:
    def test_that_lay_open_is_closed_with_its_folder(self, tmp_path):
        token = tmp_path / ".ray" / "auth_token"
        token.parent.mkdir(mode=0o755)
        token.write_text("secret")
        token.chmod(0o644)

        close_token({}, tmp_path)

        assert (rights(token), rights(token.parent), token.read_text()) == (0o600, 0o700, "secret")

    def test_elsewhere_is_closed_and_the_folder_around_it_is_left_alone(self, tmp_path):
        token = tmp_path / "token"
        token.touch(0o666)
        before = rights(tmp_path)

        close_token({"RAY_AUTH_TOKEN_PATH": str(token)}, tmp_path / "home")

        assert (rights(token) & 0o077, rights(tmp_path)) == (0, before)

    def test_that_is_not_there_is_no_trouble(self, tmp_path):
        close_token({}, tmp_path)
        assert token_file({}, tmp_path) == tmp_path / ".ray" / "auth_token"


class TestFolder:
    def test_is_in_a_state_folder_with_a_short_path(self):
        short = Path("/tmp") / f"rt{os.getpid()}"
        try:
            assert private_folder(short) == short / "ray"
            assert rights(short / "ray") == 0o700
        finally:
            (short / "ray").rmdir()
            short.rmdir()

    def test_has_room_for_sockets_below_a_long_path_and_is_always_the_same(self, tmp_path):
        state = tmp_path / ("long" * 20)
        folder = private_folder(state)
        (folder / "leftover").touch()
        try:
            assert len(str(folder)) < 40
            assert rights(folder) == 0o700
            assert private_folder(state) == folder != private_folder(tmp_path / ("other" * 20))
            assert not list(folder.iterdir())
        finally:
            folder.rmdir()
            private_folder(tmp_path / ("other" * 20)).rmdir()

    def test_a_link_in_its_place_is_neither_followed_nor_removed(self, tmp_path):
        state = tmp_path / ("long" * 20)
        folder = private_folder(state)
        folder.rmdir()
        (tmp_path / "theirs").mkdir()
        (tmp_path / "theirs" / "file").touch()
        folder.symlink_to(tmp_path / "theirs")
        try:
            with pytest.raises(FileExistsError):
                private_folder(state)
            assert (tmp_path / "theirs" / "file").exists()
        finally:
            folder.unlink()


def test_takes_have_the_rights_that_the_system_gives(tmp_path):
    before = os.umask(0o022)
    try:
        with closed_to_others():
            (tmp_path / "of the farm").touch()
        (tmp_path / "take.wav").touch()
    finally:
        os.umask(before)

    assert (rights(tmp_path / "of the farm"), rights(tmp_path / "take.wav")) == (0o600, 0o644)


def test_only_a_cluster_of_this_machine_is_alone():
    alone = set(environment(FarmPlan("local"))) - set(environment(FarmPlan("auto")))

    assert alone == set(environment(FarmPlan("local"))) - set(environment(FarmPlan("ray://head:10001")))
    assert len(alone) == 1


# ------------------------------------------------------------------------------------------------------ real Ray


@contextmanager
def cluster(home, state):
    """Run the farm's own process with a cluster of this machine, until an actor is there."""
    setup, plan = RenderSetup("tiny", "cpu", state_dir=str(state)), FarmPlan("local", gpus=0, actors=1)
    own = {"HOME": str(home), "XDG_CACHE_HOME": str(home / "cache"), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-m", "bridge", "farm-worker", setup.to_json(), plan.to_json()]
    clean = {name: value for name, value in os.environ.items() if not name.startswith("RAY_")}
    with (state / "log").open("wb") as log:
        pipes = {"stdin": subprocess.PIPE, "stdout": log, "stderr": log}
        process = subprocess.Popen(command, cwd=ROOT, env=clean | own, umask=0o022, **pipes)
    try:
        deadline = time.monotonic() + PATIENCE_S
        while b"is ready" not in (state / "log").read_bytes():
            assert process.poll() is None, (state / "log").read_text()
            assert time.monotonic() < deadline, (state / "log").read_text()
            time.sleep(0.2)
        yield process
    finally:
        process.stdin.close()
        process.wait(PATIENCE_S)
        shutil.rmtree(private_path(state))


def family(root):
    """List the ids of a process and of all below it."""
    parents = {}
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            parents[int(entry.name)] = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
        except OSError:
            continue
    found = {root}
    while more := {child for child, parent in parents.items() if parent in found} - found:
        found |= more
    return found


def listening(processes):
    """List the local addresses on which processes listen, TCP and UDP, as /proc has them."""
    sockets = set()
    for process in processes:
        for descriptor in Path(f"/proc/{process}/fd").iterdir():
            try:
                sockets |= set(re.findall(r"socket:\[(\d+)\]", os.readlink(descriptor)))
            except OSError:
                continue
    rows = [
        (kind, line.split())
        for kind in ("tcp", "tcp6", "udp", "udp6")
        for line in Path(f"/proc/net/{kind}").read_text().splitlines()[1:]
    ]
    is_open = {"tcp": "0A", "udp": "07"}
    return [row[1] for kind, row in rows if row[9] in sockets and row[3] == is_open[kind[:3]]]


@pytest.mark.slow
def test_a_cluster_of_this_machine_is_reached_by_no_other_user(tmp_path):
    pytest.importorskip("ray", reason="the extra `farm` is not installed")
    home, state = tmp_path / "home", tmp_path / "state"
    (home / ".ray").mkdir(parents=True)  # as an earlier Ray left it
    state.mkdir(mode=0o700)
    with cluster(home, state) as process:
        members = family(process.pid)
        addresses = listening(members)
        token = home / ".ray" / "auth_token"
        secret = token.read_text().strip()
        words = [Path(f"/proc/{member}/cmdline").read_bytes().decode() for member in members]
        folders = set(re.findall(r"(/\S*?)/session_2\d", " ".join(words).replace("\0", " ")))

        assert len(members) > 4
        assert len(addresses) >= 4
        assert [address for address in addresses if not address.startswith(LOOPBACK)] == []
        assert (rights(token), rights(token.parent)) == (0o600, 0o700)
        assert secret
        assert not any(secret in line for line in words)
        assert {Path(name[name.index("/") :]).parent for name in folders} == {private_path(state)}
        assert (rights(private_path(state)), private_path(state).stat().st_uid) == (0o700, os.geteuid())


def private_path(state):
    """Where the cluster's files have to be."""
    own = state / "ray"
    return own if own.exists() else Path("/tmp") / f"retake-{hashlib.sha256(os.fsencode(own)).hexdigest()[:12]}"
