"""Programs as others start them: streams closed, read halfway or without our letters, no home, low limits."""

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest

from bridge.host.entry import enter, limit_of

ROOT = Path(__file__).parents[3]
POSIX = pytest.mark.skipif(sys.platform == "win32", reason="shells, limits and users as POSIX has them")
PROGRAMS = {
    "retake": [sys.executable, "-m", "bridge"],
    "retake-send": [sys.executable, "-m", "bridge.clients.send"],
}
AS_NOBODY = ("setpriv", "--reuid=12345", "--regid=12345", "--clear-groups")
IS_ROOT = sys.platform != "win32" and os.geteuid() == 0


@pytest.fixture
def shell(tmp_path):
    """Run a line of bash in which $R is `retake` and $S `retake-send`, as in a terminal of a user without a daemon."""

    def run(line, **environment):
        known = {**os.environ, "PYTHONPATH": str(ROOT), "R": " ".join(PROGRAMS["retake"]), "OMP_NUM_THREADS": "1"}
        known |= {"S": " ".join(PROGRAMS["retake-send"]), "RETAKE_STATE_DIR": str(tmp_path / "state"), **environment}
        return subprocess.run(
            ["bash", "-c", line], cwd=tmp_path, env=known, capture_output=True, check=False, timeout=120
        )

    return run


def is_a_sentence(told):
    lines = told.decode().splitlines()
    return len(lines) == 2 and lines[1].startswith("hint: ") and "Errno" not in lines[0]


@POSIX
class TestStreams:
    @pytest.mark.parametrize(
        ("program", "code"),
        [("$R settings", 0), ("$R models list --json", 0), ("$R jobs", 0), ("$S --help", 0), ("$S status", 1)],
    )
    def test_are_not_read_to_their_end(self, shell, program, code):
        done = shell(f"{program} | exec 0<&-; echo ${{PIPESTATUS[0]}}")

        assert done.stdout.split()[-1:] == [str(code).encode()]
        assert b"Traceback" not in done.stderr
        assert b"BrokenPipe" not in done.stderr

    @pytest.mark.slow
    def test_a_take_is_made_although_its_name_is_not_read(self, shell, tmp_path):
        done = shell("$R generate rain --seconds 0.5 --steps 1 --seed 1 | exec 0<&-; echo ${PIPESTATUS[0]}")

        assert (done.stdout, done.stderr) == (b"0\n", b"")
        assert (tmp_path / "generate rain s1.wav").exists()

    @pytest.mark.parametrize(
        "closed", ["<&- >&- 2>&-", *(pytest.param(one, marks=pytest.mark.slow) for one in (">&-", "2>&-", "<&-"))]
    )
    def test_are_closed(self, shell, closed, tmp_path):
        done = shell(f"$R generate rain --seconds 0.5 --steps 1 --seed 1 {closed}")

        assert (done.returncode, done.stderr) == (0, b"")
        assert (tmp_path / "generate rain s1.wav").exists()

    @pytest.mark.slow
    def test_closed_ones_let_nothing_into_the_files_that_are_written(self, shell, tmp_path):
        shell("$R generate rain --seconds 0.5 --steps 1 --seed 1 -o closed.wav >&- 2>&-")
        shell("$R generate rain --seconds 0.5 --steps 1 --seed 1 -o open.wav")

        assert (tmp_path / "closed.wav").read_bytes() == (tmp_path / "open.wav").read_bytes()

    @pytest.mark.slow
    @pytest.mark.parametrize("encoding", ["cp1252", "ascii", "latin-1", "cp932"])
    def test_lack_letters(self, shell, encoding, tmp_path):
        done = shell("$R generate 'дождь 🎹 rain' --seconds 0.5 --steps 1 --seed 1", PYTHONIOENCODING=encoding)

        assert (done.returncode, b"Traceback" in done.stderr) == (0, False)
        assert b"rain s1.wav" in done.stdout
        assert len(list(tmp_path.glob("*.wav"))) == 1

    def test_lack_letters_of_an_error(self, shell):
        done = shell("$S preview '/nowhere/дождь.wav'; $R restyle /nowhere/дождь.wav rain", PYTHONIOENCODING="ascii")

        assert done.returncode == 1
        assert b"Traceback" not in done.stderr
        assert b"/nowhere/\\u0434" in done.stderr

    def test_take_names_that_are_no_text(self, shell):
        done = shell("$R restyle $'caf\\xe9.wav' rain")

        assert done.returncode == 1
        assert b"caf\xe9.wav" in done.stderr

    @pytest.mark.skipif(not Path("/dev/full").exists(), reason="a full disk as Linux has one")
    def test_lead_to_a_full_disk(self, shell):
        done = shell("$R settings > /dev/full")

        assert done.returncode == 1
        assert is_a_sentence(done.stderr)

    @pytest.mark.parametrize("program", PROGRAMS.values(), ids=PROGRAMS)
    def test_are_none_where_there_is_no_console(self, program):
        module = program[-1] if program[-1] != "bridge" else "bridge.__main__"
        script = (
            f"import sys; sys.stdin = sys.stdout = sys.stderr = None\nimport {module} as m\nsys.exit(m.main(['x']))"
        )
        done = subprocess.run(
            [sys.executable, "-c", script], cwd=ROOT, env=os.environ, capture_output=True, check=False
        )

        assert (done.returncode, done.stderr) == (2, b"")


@pytest.fixture
def nobody(tmp_path):
    """Run a program as a user that the system does not know; all may write to its temporary folder."""
    for folder in (tmp_path, *tmp_path.parents[:2]):
        folder.chmod(0o755)
    free = tmp_path / "free"
    free.mkdir()
    free.chmod(0o777)
    probe = [*AS_NOBODY, sys.executable, "-c", "import platformdirs, pythonosc"]
    if not IS_ROOT or subprocess.run(probe, cwd="/", check=False, capture_output=True).returncode != 0:
        pytest.skip("needs root, and a Python that every user may run")

    def run(program, *words, home=None):
        known = {**os.environ, "PYTHONPATH": str(ROOT), "TMPDIR": str(free), "OMP_NUM_THREADS": "1"}
        for name in ("HOME", "RETAKE_STATE_DIR", "XDG_STATE_HOME", "XDG_DATA_HOME", "XDG_CONFIG_HOME"):
            known.pop(name, None)
        known |= {} if home is None else {"HOME": home}
        command = [*AS_NOBODY, *PROGRAMS[program], *words]
        return subprocess.run(command, cwd=free, env=known, capture_output=True, check=False, timeout=120)

    run.folder = free
    return run


@POSIX
class TestHome:
    @pytest.mark.parametrize(
        ("words", "code"),
        [
            ("retake status", 1),
            ("retake jobs", 0),
            ("retake-send status", 1),
            ("retake models list", 0),
            ("retake settings", 0),
            ("retake settings --example", 0),
            pytest.param("retake generate rain --seconds 0.5 --steps 1", 0, marks=pytest.mark.slow),
        ],
    )
    @pytest.mark.parametrize("home", [None, "/", "/nonexistent"], ids=["none", "root's", "gone"])
    def test_need_not_be_known(self, nobody, words, code, home):
        done = nobody(*words.split(), home=home)

        assert b"Traceback" not in done.stderr
        assert done.returncode == code

    def test_is_no_folder_of_another_user(self, nobody):
        (nobody.folder / "retake-home-12345").mkdir()
        done = nobody("retake", "status")

        assert done.returncode == 1
        assert is_a_sentence(done.stderr)


@POSIX
@pytest.mark.parametrize("program", ["$R generate rain", "$R status", "$S status", "$R jobs", "$R --help"])
def test_the_working_folder_may_be_gone(shell, program):
    done = shell(f"mkdir gone; cd gone; rmdir ../gone; {program}")

    assert done.returncode == 1
    assert b"is not there any more" in done.stderr
    assert is_a_sentence(done.stderr)


@POSIX
class TestLimits:
    @pytest.mark.parametrize("limit", ["-n 12", "-n 6"])
    def test_of_files_are_reported_by_the_daemon(self, shell, limit):
        done = shell(f"ulimit {limit}; $R daemon --port 0")

        assert done.returncode == 1
        assert b"files may be open at once" in done.stderr
        assert is_a_sentence(done.stderr)

    def test_of_memory_are_reported(self, shell):
        done = shell("ulimit -v 600000; $R generate rain --seconds 0.5 --steps 1")

        assert done.returncode == 1
        assert is_a_sentence(done.stderr)

    @pytest.mark.parametrize(
        "error",
        [
            OSError(errno.EMFILE, "Too many open files"),
            BlockingIOError(errno.EAGAIN, "Resource temporarily unavailable"),
            MemoryError(),
            ImportError("libtorch_cpu.so: failed to map segment from shared object"),
            RuntimeError("can't start new thread"),
        ],
        ids=lambda error: type(error).__name__,
    )
    def test_are_known_by_what_was_raised(self, error, capsys):
        def program():
            raise LookupError("of no interest") from error

        assert enter(program) == 1
        assert is_a_sentence(capsys.readouterr().err.encode())

    @pytest.mark.parametrize("error", [ValueError("memory"), KeyError("x"), OSError(errno.ENOENT, "No such file")])
    def test_are_nothing_else(self, error):
        assert limit_of(error) is None

    def test_unforeseen_errors_are_shown_whole(self):
        with pytest.raises(ZeroDivisionError):
            enter(lambda: 1 // 0)
