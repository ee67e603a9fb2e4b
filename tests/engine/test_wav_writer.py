"""Writing: what was read comes back bit for bit, and a file is there whole or not at all."""

import errno
import json
import os
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
import soundfile

from engine.atomic_files import temporary_file
from engine.audio import Audio
from engine.errors import OutputExistsError, OutputWriteError
from engine.wav_writer import sidecar_path
from tests.audit_events import before

STORY = {"prompt": "rain", "seed": 7}


def take(channels: int = 2, num_samples: int = 30_001) -> Audio:
    samples = np.random.default_rng(3).uniform(-1, 1, (channels, num_samples)).astype(np.float32)
    return Audio(samples, 44_100, STORY)


def every_level(subtype: str) -> np.ndarray:
    """Integers [T] over the whole range of a sample format, left-aligned in 32 bits as libsndfile wants them."""
    bits = {"PCM_16": 16, "PCM_24": 24, "PCM_32": 32}[subtype]
    ends = np.array([-(2 ** (bits - 1)), -(2 ** (bits - 1)) + 1, -1, 0, 1, 2 ** (bits - 1) - 1])
    between = np.random.default_rng(1).integers(ends[0], ends[-1], 50_000)
    return (np.concatenate([ends, between]) << (32 - bits)).astype(np.int32)


class TestExactness:
    @pytest.mark.parametrize(("subtype", "written"), [("PCM_16", "PCM_24"), ("PCM_24", "PCM_24"), ("PCM_32", "PCM_32")])
    def test_integers_read_and_written_again_are_the_same_integers(
        self, tmp_path: Path, subtype: str, written: str
    ) -> None:
        levels = every_level(subtype)
        soundfile.write(tmp_path / "source.wav", levels, 48_000, subtype=subtype)

        Audio.read(tmp_path / "source.wav").write(tmp_path / "copy.wav")

        copied, rate = soundfile.read(tmp_path / "copy.wav", dtype="int32")
        assert np.array_equal(copied, levels)
        assert rate == 48_000
        assert soundfile.info(tmp_path / "copy.wav").subtype == written

    @pytest.mark.parametrize("subtype", ["FLOAT", "DOUBLE"])
    def test_floats_keep_every_bit_beyond_full_scale_too(self, tmp_path: Path, subtype: str) -> None:
        values = np.random.default_rng(2).standard_normal((2, 999)) * 3
        soundfile.write(tmp_path / "source.wav", values.T, 48_000, subtype=subtype)
        source = Audio.read(tmp_path / "source.wav")

        source.write(tmp_path / "copy.wav")

        assert np.array_equal(Audio.read(tmp_path / "copy.wav").samples, source.samples)
        assert soundfile.info(tmp_path / "copy.wav").subtype == subtype

    @pytest.mark.parametrize("encoding", ["PCM_16", "PCM_24", "PCM_32"])
    def test_beyond_full_scale_integers_stop_and_never_wrap(self, tmp_path: Path, encoding: str) -> None:
        Audio(np.array([[1.0, 1.7, -1.0, -2.5]]), 44_100).write(tmp_path / "loud.wav", encoding=encoding)

        samples = soundfile.read(tmp_path / "loud.wav")[0]

        assert samples == pytest.approx([1, 1, -1, -1], abs=2**-15)

    @pytest.mark.parametrize("channels", [1, 2])
    @pytest.mark.parametrize("num_samples", [1, 882, 65_536, 65_537])
    def test_odd_sizes_and_block_borders(self, tmp_path: Path, channels: int, num_samples: int) -> None:
        audio = take(channels, num_samples)

        audio.write(tmp_path / "take.wav", encoding="PCM_24")

        read, _ = soundfile.read(tmp_path / "take.wav", dtype="float32", always_2d=True)
        assert np.abs(read.T - audio.samples).max() <= 2**-23

    def test_the_same_take_is_the_same_file(self, tmp_path: Path) -> None:
        take().write(tmp_path / "a.wav")
        take().write(tmp_path / "b.wav")
        assert (tmp_path / "a.wav").read_bytes() == (tmp_path / "b.wav").read_bytes()


class TestNames:
    def test_the_story_lies_beside_and_inside(self, tmp_path: Path) -> None:
        take().write(tmp_path / "take v1.2.wav")

        assert json.loads((tmp_path / "take v1.2.json").read_text()) == STORY
        with soundfile.SoundFile(tmp_path / "take v1.2.wav") as file:
            assert json.loads(file.comment) == STORY
        assert sorted(path.name for path in tmp_path.iterdir()) == ["take v1.2.json", "take v1.2.wav"]

    @pytest.mark.parametrize("taken", ["take.wav", "take.json"])
    def test_nothing_is_overwritten(self, tmp_path: Path, taken: str) -> None:
        (tmp_path / taken).write_text("precious")

        with pytest.raises(OutputExistsError, match=taken):
            take().write(tmp_path / "take.wav")

        assert [path.name for path in tmp_path.iterdir()] == [taken]
        assert (tmp_path / taken).read_text() == "precious"

    @pytest.mark.parametrize("links", [True, False], ids=["with hard links", "without hard links"])
    def test_a_name_taken_while_writing_is_respected(self, tmp_path: Path, links: bool) -> None:
        """The look before writing is a courtesy; the claim at the end is what counts."""

        def take_the_name(*_: object) -> None:
            (tmp_path / "take.wav").write_text("precious")
            if not links:
                raise OSError(errno.EPERM, "no links here")

        with before("os.link", take_the_name), pytest.raises(OutputExistsError, match=r"take\.wav"):
            take().write(tmp_path / "take.wav")

        assert [path.name for path in tmp_path.iterdir()] == ["take.wav"]
        assert (tmp_path / "take.wav").read_text() == "precious"

    def test_a_memory_stick_without_hard_links_gets_its_file(self, tmp_path: Path) -> None:
        def refuse(*_: object) -> None:
            raise OSError(errno.EPERM, "Operation not permitted")

        with before("os.link", refuse):
            take().write(tmp_path / "take.wav")

        assert Audio.read(tmp_path / "take.wav").num_samples == 30_001
        assert sorted(path.name for path in tmp_path.iterdir()) == ["take.json", "take.wav"]

    def test_new_files_have_the_permissions_that_the_user_set(self, tmp_path: Path) -> None:
        take().write(tmp_path / "take.wav")
        (tmp_path / "other").touch()
        assert (tmp_path / "take.wav").stat().st_mode == (tmp_path / "other").stat().st_mode

    def test_only_wavs_are_written(self, tmp_path: Path) -> None:
        with pytest.raises(OutputWriteError, match=r"ends in \.wav"):
            take().write(tmp_path / "take.flac")

    def test_the_sidecar_of_a_name_with_dots(self) -> None:
        assert sidecar_path(Path("a/b.c.wav")) == Path("a/b.c.json")


class TestADiskThatRefuses:
    def test_a_folder_that_is_not_there(self, tmp_path: Path) -> None:
        with pytest.raises(OutputWriteError, match="No such file or directory"):
            take().write(tmp_path / "none" / "take.wav")

    def test_a_folder_that_is_a_file(self, tmp_path: Path) -> None:
        (tmp_path / "file").touch()
        with pytest.raises(OutputWriteError, match="Not a directory"):
            take().write(tmp_path / "file" / "take.wav")

    def test_a_file_that_may_not_grow_leaves_nothing_behind(self, tmp_path: Path) -> None:
        with _file_size_limit(50_000), pytest.raises(OutputWriteError, match="File too large"):
            take().write(tmp_path / "take.wav")

        assert list(tmp_path.iterdir()) == []

    def test_a_full_disk_leaves_nothing_behind(self, tmp_path: Path) -> None:
        with _small_disk(tmp_path) as disk:
            with pytest.raises(OutputWriteError, match="No space left on device") as caught:
                take(num_samples=200_000).write(disk / "take.wav")
            assert list(disk.iterdir()) == []

            take(num_samples=1_000).write(disk / "small.wav")
            assert Audio.read(disk / "small.wav").num_samples == 1_000
        assert "nothing was left behind" in caught.value.hint

    @pytest.mark.parametrize(
        ("number", "word"),
        [
            (errno.ENOSPC, "free some space"),
            (errno.EDQUOT, "your share"),
            (errno.EROFS, "can only be read"),
            (errno.EACCES, "may write to"),
            (errno.ENOENT, "make it, or choose another"),
            (errno.ENAMETOOLONG, "a shorter name"),
            (errno.EINVAL, "does not take the name"),
            (errno.EIO, "the disk, or the connection to it"),
            (None, "choose another name or folder"),
        ],
    )
    def test_the_hint_fits_the_reason(self, number: int | None, word: str) -> None:
        hint = OutputWriteError(Path("take.wav"), "…", number).hint
        assert word in hint
        assert ("free some space" in hint) == (number == errno.ENOSPC)

    def test_a_name_too_long_is_told_as_that(self, tmp_path: Path) -> None:
        with pytest.raises(OutputWriteError) as caught:
            take().write(tmp_path / f"{'x' * 300}.wav")
        assert "a shorter name" in caught.value.hint


class TestFoldersThatDoNotDoEverything:
    """What is there is told as there, also where the folder itself cannot be synced or listed."""

    PROGRAM = (
        "import numpy as np\n"
        "from pathlib import Path\n"
        "from engine.wav_writer import write_wav\n"
        "write_wav(Path('rain.wav'), np.zeros((1, 500)), 16_000, 'PCM_16', {'seed': 1})\n"
    )

    def write_in(self, folder: Path, prefix: tuple[str, ...] = (), **variables: str) -> None:
        environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2]), **variables}
        command = [*prefix, sys.executable, "-c", self.PROGRAM]
        ended = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
        assert ended.returncode == 0, ended.stderr
        assert sorted(path.name for path in folder.iterdir()) == ["rain.json", "rain.wav"]

    @pytest.mark.skipif(shutil.which("gcc") is None, reason="a file system is played by a library made with gcc")
    def test_a_network_drive_that_syncs_no_folders(self, tmp_path: Path) -> None:
        (tmp_path / "shim.c").write_text(
            "#define _GNU_SOURCE\n#include <dlfcn.h>\n#include <errno.h>\n#include <sys/stat.h>\n"
            'int fsync(int fd) { struct stat s; int (*real)(int) = dlsym(RTLD_NEXT, "fsync");\n'
            "if (!fstat(fd, &s) && S_ISDIR(s.st_mode)) { errno = EINVAL; return -1; } return real(fd); }\n"
        )
        shim = tmp_path / "shim.so"
        subprocess.run(["gcc", "-shared", "-fPIC", "-o", shim, tmp_path / "shim.c", "-ldl"], check=True)
        (tmp_path / "share").mkdir()
        self.write_in(tmp_path / "share", LD_PRELOAD=str(shim))

    @pytest.mark.skipif(os.geteuid() != 0 or shutil.which("setpriv") is None, reason="needs another user")
    def test_a_drop_folder_that_may_not_be_listed(self) -> None:
        drop = Path(tempfile.mkdtemp())  # pytest's own folders are closed to other users
        try:
            drop.chmod(0o733)
            self.write_in(drop, ("setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups"), HOME="/")
        finally:
            shutil.rmtree(drop)


@contextmanager
def _file_size_limit(num_bytes: int) -> Iterator[None]:
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (num_bytes, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@contextmanager
def _small_disk(folder: Path) -> Iterator[Path]:
    """A file system of 256 KiB, where the system lets us mount one."""
    disk = folder / "disk"
    disk.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=256k", "none", disk], capture_output=True, check=False
    )
    if mounted.returncode != 0:
        pytest.skip("mounting a small disk needs root")
    try:
        yield disk
    finally:
        subprocess.run(["umount", disk], check=True)


class TestAbandonedDrafts:
    """What a writer that was killed left behind goes with the next take in that folder."""

    @staticmethod
    def kill_while_writing(folder: Path, stop_at: str) -> None:
        """A process that writes a take and is killed where `stop_at` says."""
        program = (
            "import os, signal, numpy as np\n"
            "from pathlib import Path\n"
            "from engine import wav_writer\n"
            "kill = lambda *_: os.kill(os.getpid(), signal.SIGKILL)\n"
            f"{stop_at}\n"
            "wav_writer.write_wav(Path('rain.wav'), np.zeros((1, 500)), 16_000, 'PCM_16', {'seed': 1})\n"
        )
        environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
        ended = subprocess.run([sys.executable, "-c", program], cwd=folder, env=environment, check=False)
        assert ended.returncode == -signal.SIGKILL
        assert list(folder.glob(".retake-*.tmp"))

    @pytest.mark.parametrize(
        "stop_at",
        [
            "wav_writer._publish = kill",
            "os.link = lambda a, b, link=os.link: kill() if b.suffix == '.wav' else link(a, b)",
        ],
        ids=["before the first name", "between the two names"],
    )
    def test_are_cleared_away(self, tmp_path: Path, stop_at: str) -> None:
        self.kill_while_writing(tmp_path, stop_at)
        take().write(tmp_path / "rain.wav")

        assert sorted(path.name for path in tmp_path.iterdir()) == ["rain.json", "rain.wav"]

    def test_of_a_finished_pair_leave_the_pair_alone(self, tmp_path: Path) -> None:
        self.kill_while_writing(tmp_path, "wav_writer._sync_folder = kill")
        take().write(tmp_path / "thunder.wav")

        names = ["rain.json", "rain.wav", "thunder.json", "thunder.wav"]
        assert sorted(path.name for path in tmp_path.iterdir()) == names

    def test_of_a_living_writer_are_left_alone(self, tmp_path: Path) -> None:
        with temporary_file(tmp_path, [b"half"]) as path:
            take().write(tmp_path / "rain.wav")

            assert path.read_bytes() == b"half"
