"""Weights of the listening nets from a server on this machine: whole and checked, or not at all."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from filelock import FileLock

from engine.checkpoints.catalogue import list_models
from engine.checkpoints.download_errors import (
    DownloadDamagedError,
    OfflineError,
    PullRunningError,
    ServerUnreachableError,
)
from engine.checkpoints.feature_extractors import PANNS, pull_extractor, remove_extractor
from engine.checkpoints.transfer import RetryLimits
from engine.cli import DONE, FAILED
from tests.engine.mirror import Fault, Mirror, mirror_running
from tests.engine.narrow_offers import EXTRACTOR_FILES, PCA, SMALL, WEIGHTS, main

AT_ONCE = RetryLimits(tries=1, first_wait_s=0.0, timeout_s=5.0)
FILES = EXTRACTOR_FILES


@pytest.fixture
def mirror(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Mirror]:
    with mirror_running() as mirror:
        mirror.serve(f"/{FILES[0]}", WEIGHTS)
        mirror.serve(f"/{FILES[1]}", PCA)
        for name, value in {
            "RETAKE_VGGISH_URL": mirror.url,
            "RETAKE_ZENODO_URL": mirror.url,
            "NO_PROXY": "127.0.0.1",
            "RETAKE_MODELS": str(tmp_path / "models"),
        }.items():
            monkeypatch.setenv(name, value)
        for variable in ("RETAKE_OFFLINE", "HF_HUB_OFFLINE"):
            monkeypatch.delenv(variable, raising=False)
        yield mirror


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.rglob("*") if path.is_file() and path.suffix != ".lock"}


class TestPull:
    @pytest.mark.usefixtures("mirror")
    def test_brings_every_file_and_leaves_nothing_else(self, tmp_path: Path) -> None:
        folder = pull_extractor(SMALL)

        assert (folder / FILES[0]).read_bytes() == WEIGHTS
        assert names(tmp_path) == set(FILES)
        assert all(entry.shipped for entry in list_models())  # it is no model

    def test_what_is_there_is_not_asked_for_again(self, mirror: Mirror) -> None:
        pull_extractor(SMALL)
        pull_extractor(SMALL)

        assert mirror.asked(f"/{FILES[0]}") == 1

    def test_goes_on_where_the_line_dropped(self, mirror: Mirror) -> None:
        mirror.fail(f"/{FILES[0]}", Fault(cut_after=3000))
        with pytest.raises(ServerUnreachableError):
            pull_extractor(SMALL, limits=AT_ONCE)

        assert (pull_extractor(SMALL) / FILES[0]).read_bytes() == WEIGHTS
        assert mirror.bytes_sent(f"/{FILES[0]}") == len(WEIGHTS)

    def test_another_file_than_its_name_promises_is_deleted(self, mirror: Mirror, tmp_path: Path) -> None:
        mirror.serve(f"/{FILES[0]}", b"something else")

        with pytest.raises(DownloadDamagedError, match="arrived damaged: its SHA-256"):
            pull_extractor(SMALL)
        assert not [name for name in names(tmp_path) if name.endswith((".pth", ".part"))]

    def test_panns_is_held_to_its_known_checksum(self, mirror: Mirror, tmp_path: Path) -> None:
        mirror.serve("/records/3987831/files/Cnn14_16k_mAP%3D0.438.pth", b"something else")

        with pytest.raises(DownloadDamagedError, match=r"Cnn14_16k_mAP=0\.438\.pth arrived damaged"):
            pull_extractor(PANNS, tmp_path / "mine", limits=AT_ONCE)

    @pytest.mark.usefixtures("mirror")
    def test_one_process_at_a_time(self, tmp_path: Path) -> None:
        with FileLock(tmp_path / ".vggish.lock"), pytest.raises(PullRunningError):
            pull_extractor(SMALL, tmp_path)

    def test_offline_asks_nobody(self, mirror: Mirror, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("RETAKE_OFFLINE", "1")

        with pytest.raises(OfflineError):
            pull_extractor(SMALL)
        assert not mirror.answers


class TestCommandLine:
    @pytest.mark.usefixtures("mirror")
    def test_pulls_by_name(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        assert main(["models", "pull", "vggish"]) == DONE
        assert capsys.readouterr().out.strip() == str(tmp_path / "models" / ".listeners")

    def test_tells_what_went_wrong(self, mirror: Mirror, capsys: pytest.CaptureFixture[str]) -> None:
        mirror.files.clear()

        assert main(["models", "pull", "vggish"]) == FAILED
        assert "the server refused" in capsys.readouterr().err


class TestRemove:
    @pytest.mark.usefixtures("mirror")
    def test_frees_what_was_pulled_and_nothing_else(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        folder = pull_extractor(SMALL)
        (folder / "mine.pth").write_bytes(b"another net")

        assert main(["models", "remove", "vggish", "--yes"]) == DONE

        assert "removed vggish" in capsys.readouterr().out
        assert names(tmp_path) == {"mine.pth"}

    @pytest.mark.usefixtures("mirror")
    def test_of_what_is_not_here_says_so(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert main(["models", "remove", "vggish", "--yes"]) == FAILED

        assert "vggish" in capsys.readouterr().err

    @pytest.mark.usefixtures("mirror")
    def test_leaves_a_pull_alone_that_runs(self) -> None:
        folder = pull_extractor(SMALL)
        with FileLock(folder / ".vggish.lock"), pytest.raises(PullRunningError):
            remove_extractor(SMALL)

        assert names(folder) == set(FILES)
