"""Published checkpoints pulled from a server on this machine: installed whole and ready to run, or not at all."""

import hashlib
import json
import os
import pty
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from filelock import FileLock

from engine.checkpoints import published
from engine.checkpoints.catalogue import list_models
from engine.checkpoints.download import pull
from engine.checkpoints.download_errors import (
    DownloadDamagedError,
    DownloadError,
    DownloadRefusedError,
    FormMissingError,
    NotPublishedError,
    OfflineError,
    PullRunningError,
    ServerUnreachableError,
)
from engine.checkpoints.hub_listing import choose_files
from engine.checkpoints.import_errors import CheckpointUnreadableError
from engine.checkpoints.published import DIFFUSERS, LICENCE, PUBLISHED, Published, find_published
from engine.checkpoints.store import load_model, read_config
from engine.checkpoints.transfer import RetryLimits
from engine.cli import CANCELLED, DONE, FAILED
from engine.errors import CheckpointError, ModelDiskFullError, OutputExistsError
from tests.engine import narrow_offers
from tests.engine.foreign_checkpoints import diffusers_modules, laion_clap, original_checkpoint, write_diffusers_folder
from tests.engine.mirror import Fault, Mirror, mirror_running
from tests.engine.narrow_offers import FILE, HUB, NAME, RECORD, main, narrow, vocabulary

HOUSE = Path(__file__).parents[3]
WHERE, ABOUT = f"/records/{RECORD}/files/{FILE}", f"/api/records/{RECORD}"
COMMIT = "c0ffee" * 6 + "c0de"
AT_ONCE = RetryLimits(tries=1, first_wait_s=0.0, timeout_s=5.0)


@pytest.fixture(scope="module")
def checkpoint(scramble: Any, tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """The authors' file of a narrow model with random weights."""
    path = tmp_path_factory.mktemp("original") / FILE
    weights = original_checkpoint(diffusers_modules(scramble), laion_clap(scramble), averaged=False)
    torch.save({"state_dict": weights}, path)
    content = path.read_bytes()
    path.unlink()
    return content


@pytest.fixture(scope="module")
def snapshot(scramble: Any, tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """The same as a repository on the Hub, where the weights lie twice, and other things lie about."""
    folder = write_diffusers_folder(diffusers_modules(scramble), tmp_path_factory.mktemp("diffusers") / "narrow")
    files = {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    return files | {
        "unet/diffusion_pytorch_model.bin": b"the same as a pickle",
        "unet/diffusion_pytorch_model.fp16.safetensors": b"the same in half precision",
        "README.md": b"# AudioLDM",
    }


@pytest.fixture
def mirror(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Mirror]:
    """Zenodo and the Hub in one, with the tokenizer; the user's models folder is a new one."""
    with mirror_running() as mirror:
        for name, content in vocabulary().items():
            mirror.serve(f"/{published.ROBERTA}/{name}", content)
        for variable, value in {
            "RETAKE_ZENODO_URL": mirror.url, "HF_ENDPOINT": mirror.url + "/", "NO_PROXY": "127.0.0.1",
            "RETAKE_MODELS": str(tmp_path / "models"),
        }.items():  # fmt: skip
            monkeypatch.setenv(variable, value)
        for variable in ("RETAKE_OFFLINE", "HF_HUB_OFFLINE"):
            monkeypatch.delenv(variable, raising=False)
        yield mirror


@pytest.fixture
def models(tmp_path: Path) -> Path:
    return tmp_path / "models"


def serve_hub(mirror: Mirror, snapshot: dict[str, bytes], revision: str = "main") -> None:
    """As the Hub does it: large files lie elsewhere, and the listing tells their SHA-256."""
    siblings = []
    for name, content in snapshot.items():
        large = name.endswith((".safetensors", ".bin"))
        sha256 = hashlib.sha256(content).hexdigest()
        where = f"/{HUB}/resolve/{COMMIT}/{name}"
        mirror.serve(where, content, redirect=mirror.serve(f"/large/{sha256}", content) if large else "")
        about = {"rfilename": name, "size": len(content), "blobId": hashlib.sha1(content).hexdigest()}
        siblings.append(
            about | ({"lfs": {"sha256": sha256, "size": len(content), "pointerSize": 134}} if large else {})
        )
    mirror.serve_json(f"/api/models/{HUB}/revision/{revision}", {"id": HUB, "sha": COMMIT, "siblings": siblings})


def left_over(models: Path) -> list[str]:
    return sorted(path.relative_to(models).as_posix() for path in models.rglob("*")) if models.exists() else []


class TestTable:
    def test_knows_all_six(self) -> None:
        assert {row.name for row in PUBLISHED} == {
            "audioldm-s-full", "audioldm-s-full-v2", "audioldm-s-text-ft",
            "audioldm-m-full", "audioldm-m-text-ft", "audioldm-l-full",
        }  # fmt: skip

    @pytest.mark.parametrize("row", PUBLISHED, ids=[row.name for row in PUBLISHED])
    def test_every_row_is_sound(self, row: Published) -> None:
        assert row.original.url == f"https://zenodo.org/records/{row.record}/files/{row.file}?download=1"
        assert row.original.name == f"{row.name}.ckpt"
        assert row.size in (None, row.about_bytes)
        assert [len(row.sha256 or "0" * 64), len(row.md5 or "0" * 32)] == [64, 32]
        assert (DIFFUSERS in row.forms) == (row.hub is not None) == ("text-ft" not in row.name)

    def test_an_unknown_name_is_answered_with_the_known_ones(self) -> None:
        with pytest.raises(NotPublishedError, match="no published checkpoint 'audioldm-xl'; published: audioldm-s"):
            find_published("audioldm-xl")


class TestOriginalForm:
    def test_is_installed_and_runs(self, mirror: Mirror, checkpoint: bytes, models: Path) -> None:
        url = mirror.serve(WHERE, checkpoint)
        news: list[tuple[float, str]] = []
        folder = pull(narrow(), on_progress=lambda *new: news.append(new))
        config, model = read_config(folder), load_model(folder)

        assert folder == models / NAME
        assert (config.name, config.licence) == (NAME, LICENCE)
        assert config.source.startswith(f"{url}?download=1, sha256 {hashlib.sha256(checkpoint).hexdigest()}")
        assert model.clap.has_audio_tower
        assert model.clap.embed_text(["rain"]).isfinite().all()
        shares = [share for share, _ in news]
        assert shares == sorted(shares)
        assert (shares[0] >= 0, shares[-1]) == (True, pytest.approx(1.0))
        assert [entry.name for entry in list_models()] == ["nano", NAME]

    def test_leaves_no_download_behind(self, mirror: Mirror, checkpoint: bytes, models: Path) -> None:
        mirror.serve(WHERE, checkpoint)
        pull(narrow())

        assert {path.split("/")[0] for path in left_over(models)} == {NAME}

    @pytest.mark.slow
    def test_a_kept_download_serves_again(self, mirror: Mirror, checkpoint: bytes, models: Path) -> None:
        mirror.serve(WHERE, checkpoint)
        pull(narrow(), keep_download=True)
        (models / NAME).rename(models / "another")
        mirror.answers.clear()
        pull(narrow())

        assert mirror.bytes_sent(WHERE) == 0
        assert {path.split("/")[0] for path in left_over(models)} == {NAME, "another"}

    def test_an_interrupted_pull_is_gone_on_with(self, mirror: Mirror, checkpoint: bytes, models: Path) -> None:
        mirror.serve(WHERE, checkpoint)
        mirror.fail(WHERE, Fault(cut_after=5_000_000))
        with pytest.raises(ServerUnreachableError, match=r"5\.0 MB are kept"):
            pull(narrow(), limits=AT_ONCE)
        assert [entry.name for entry in list_models()] == ["nano"]
        pull(narrow(), limits=AT_ONCE)

        assert mirror.bytes_sent(WHERE) == len(checkpoint)
        assert (models / NAME).is_dir()

    @pytest.mark.parametrize(
        ("row", "record"),
        [
            pytest.param(narrow(sha256="0" * 64), {}, id="known to Retake"),
            pytest.param(narrow(), {"checksum": f"md5:{'0' * 32}"}, id="in Zenodo's record"),
        ],
    )
    def test_another_checksum_installs_nothing(
        self, mirror: Mirror, checkpoint: bytes, models: Path, row: Published, record: dict[str, str]
    ) -> None:
        mirror.serve(WHERE, checkpoint[:100_000])
        mirror.serve_json(ABOUT, {"files": [{"key": "other", "checksum": "md5:1"}, {"key": FILE, **record}]})
        with pytest.raises(DownloadDamagedError, match=rf"{NAME}\.ckpt arrived damaged"):
            pull(row)

        assert not (models / NAME).exists()
        assert not [path for path in left_over(models) if path.endswith((".ckpt", ".part"))]

    def test_the_size_in_zenodos_record_is_held_to(self, mirror: Mirror, checkpoint: bytes) -> None:
        mirror.serve(WHERE, checkpoint[:100_000])
        mirror.serve_json(ABOUT, {"files": [{"key": FILE, "size": 100_001}]})

        with pytest.raises(DownloadError, match="sent 100000 bytes; expected the 100001 bytes"):
            pull(narrow())

    @pytest.mark.parametrize(
        ("cut", "error"),
        [
            pytest.param(slice(None, -100_000), CheckpointUnreadableError, id="cut short"),
            pytest.param(slice(100, None), CheckpointError, id="its head missing"),
            pytest.param(slice(0, 0), CheckpointError, id="empty"),
        ],
    )
    def test_what_is_no_checkpoint_is_thrown_away(
        self, mirror: Mirror, checkpoint: bytes, models: Path, cut: slice, error: type[CheckpointError]
    ) -> None:
        """Nobody knew a checksum: then the next pull must not go on from the same bytes."""
        mirror.serve(WHERE, checkpoint[cut])
        with pytest.raises(error) as caught:
            pull(narrow())

        assert caught.value.hint
        assert left_over(models) == []

    def test_a_vocabulary_that_is_another_is_refused(self, mirror: Mirror, models: Path) -> None:
        mirror.change(f"/{published.ROBERTA}/merges.txt", content=b"#version: 0.3\n")

        with pytest.raises(DownloadDamagedError, match=r"merges\.txt arrived damaged: its SHA-256"):
            pull(narrow())
        assert not (models / NAME).exists()


class TestDiffusersForm:
    def test_is_installed_from_one_commit(self, mirror: Mirror, snapshot: dict[str, bytes]) -> None:
        serve_hub(mirror, snapshot)
        folder = pull(narrow(), form=DIFFUSERS)
        config, model = read_config(folder), load_model(folder)
        files = {answer.path.removeprefix(f"/{HUB}/resolve/{COMMIT}/") for answer in mirror.answers}

        assert config.source.startswith(f"{mirror.url}/{HUB} at {COMMIT}")
        assert not model.clap.has_audio_tower
        assert model.clap.embed_text(["rain"]).isfinite().all()
        assert {name for name in snapshot if name not in files} == {
            "unet/diffusion_pytorch_model.bin", "unet/diffusion_pytorch_model.fp16.safetensors", "README.md",
        }  # fmt: skip

    def test_a_large_file_is_gone_on_with(self, mirror: Mirror, snapshot: dict[str, bytes]) -> None:
        serve_hub(mirror, snapshot)
        weights = snapshot["unet/diffusion_pytorch_model.safetensors"]
        where = f"/large/{hashlib.sha256(weights).hexdigest()}"
        mirror.fail(where, Fault(cut_after=1_000_000))
        with pytest.raises(ServerUnreachableError):
            pull(narrow(), form=DIFFUSERS, limits=AT_ONCE)
        pull(narrow(), form=DIFFUSERS, limits=AT_ONCE)

        assert mirror.bytes_sent(where) == len(weights)

    def test_another_sha256_than_the_hub_lists_installs_nothing(
        self, mirror: Mirror, snapshot: dict[str, bytes], models: Path
    ) -> None:
        serve_hub(mirror, snapshot)
        weights = snapshot["vae/diffusion_pytorch_model.safetensors"]
        mirror.change(f"/large/{hashlib.sha256(weights).hexdigest()}", content=weights[:-1] + b"?")
        with pytest.raises(DownloadDamagedError, match="its SHA-256 is"):
            pull(narrow(), form=DIFFUSERS)

        assert not (models / NAME).exists()

    def test_a_revision_can_be_asked_for(self, mirror: Mirror, snapshot: dict[str, bytes]) -> None:
        serve_hub(mirror, {"README.md": b"old"}, "main")
        serve_hub(mirror, snapshot, COMMIT)

        assert pull(narrow(), form=DIFFUSERS, revision=COMMIT).is_dir()

    def test_a_repository_that_is_gone(self, mirror: Mirror) -> None:
        with pytest.raises(DownloadRefusedError, match=f"the server refused {mirror.url}/{HUB}: "):
            pull(narrow(), form=DIFFUSERS)

    def test_what_was_not_published_in_it(self, mirror: Mirror) -> None:
        with pytest.raises(FormMissingError, match="was not published in the diffusers form"):
            pull(replace(narrow(), hub=None), form=DIFFUSERS)
        assert mirror.answers == []

    @pytest.mark.parametrize(
        ("names", "chosen"),
        [
            pytest.param(["vae/config.json", "vae/diffusion_pytorch_model.bin"], "all", id="a pickle if need be"),
            pytest.param(["text_encoder/model.safetensors", "text_encoder/pytorch_model.bin"],
                         ["text_encoder/model.safetensors"], id="safetensors first"),
            pytest.param(["tokenizer/vocab.json", "tokenizer/merges.txt", "tokenizer/special_tokens_map.json"], "all",
                         id="the tokenizer"),
            pytest.param(["tokenizer/../../evil.json", "../config.json", "/etc/config.json", "a/b/config.json"], [],
                         id="nothing that leads out of the folder"),
            pytest.param(["unet/flax_model.msgpack", "README.md", ".gitattributes"], [], id="nothing else"),
        ],
    )  # fmt: skip
    def test_chooses_what_the_import_reads(self, names: list[str], chosen: list[str] | str) -> None:
        assert sorted(choose_files(names)) == sorted(names if chosen == "all" else chosen)


class TestBeforeAnythingIsAsked:
    @pytest.mark.parametrize("variable", ["RETAKE_OFFLINE", "HF_HUB_OFFLINE"])
    def test_offline_is_offline(self, mirror: Mirror, monkeypatch: pytest.MonkeyPatch, variable: str) -> None:
        monkeypatch.setenv(variable, "1")
        with pytest.raises(OfflineError, match=f"nothing is downloaded: {variable} says to stay offline"):
            pull(narrow())

        assert mirror.answers == []

    def test_an_installed_model_is_not_overwritten(self, mirror: Mirror, models: Path) -> None:
        (models / NAME).mkdir(parents=True)
        with pytest.raises(OutputExistsError):
            pull(narrow())

        assert mirror.answers == []

    @pytest.mark.parametrize(
        "row",
        [
            pytest.param(replace(narrow(), about_bytes=10**17), id="the download"),
            pytest.param(replace(narrow(), parameters=10**17), id="the model"),
        ],
    )
    def test_there_must_be_room_for_both(self, mirror: Mirror, row: Published, models: Path) -> None:
        with pytest.raises(ModelDiskFullError, match="GB are needed"):
            pull(row)

        assert mirror.answers == []
        assert left_over(models) == []

    def test_two_do_not_pull_the_same_at_once(self, mirror: Mirror, models: Path) -> None:
        folder = models / ".downloads" / NAME
        folder.mkdir(parents=True)
        with FileLock(folder / "original.lock"), pytest.raises(PullRunningError, match="another process is pulling"):
            pull(narrow())

        assert mirror.answers == []


class TestCommandLine:
    def test_pull_list_and_remove(
        self, mirror: Mirror, checkpoint: bytes, models: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        mirror.serve(WHERE, checkpoint)

        assert main(["models", "pull", NAME, "--accept-licence"]) == DONE
        assert capsys.readouterr().out == f"{models / NAME}\n"
        assert main(["models", "list"]) == DONE
        assert f"installed in {models / NAME}" in capsys.readouterr().out
        assert main(["models", "remove", NAME, "-y"]) == DONE
        assert "MB are free again" in capsys.readouterr().out
        assert main(["models", "list"]) == DONE
        assert f"16 kHz mono, 10.24 s at once   {LICENCE}    to pull: tests" in capsys.readouterr().out
        assert left_over(models) == []

    def test_json_lists_what_is_there_and_what_could_be(
        self, mirror: Mirror, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert main(["models", "list", "--json"]) == DONE
        told = json.loads(capsys.readouterr().out)

        assert [model["name"] for model in told["models"]] == ["nano"]
        assert told["published"] == [
            {"name": NAME, "about_bytes": 50_000_000, "licence": LICENCE, "forms": ["original", "diffusers"],
             "good_at": "tests", "installed": False, "sample_rate": 16_000, "channels": 1, "at_once_s": 10.24}
        ]  # fmt: skip
        assert mirror.answers == []

    def test_json_tells_progress_line_by_line(
        self, mirror: Mirror, checkpoint: bytes, models: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        mirror.serve(WHERE, checkpoint)
        assert main(["models", "pull", NAME, "--accept-licence", "--json"]) == DONE
        told = capsys.readouterr()
        news = [json.loads(line) for line in told.err.splitlines() if line.startswith("{")]

        assert json.loads(told.out) == {"name": NAME, "folder": str(models / NAME)}
        assert [set(line) for line in news] == [{"fraction", "text"}] * len(news)
        assert [line["fraction"] for line in news] == sorted(line["fraction"] for line in news)
        assert len(news) > 3

    def test_without_a_terminal_the_licence_must_be_accepted_in_words(
        self, mirror: Mirror, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert main(["models", "pull", NAME]) == FAILED
        told = capsys.readouterr().err

        assert f"licence: {LICENCE}" in told
        assert "not for commercial use" in told
        assert f"{NAME} is under {LICENCE}, which was not accepted; nothing was downloaded" in told
        assert "--accept-licence" in told
        assert mirror.answers == []

    @pytest.mark.parametrize(
        ("answer", "code"),
        [
            pytest.param("y\n", DONE, id="yes", marks=pytest.mark.slow),
            pytest.param("no\n", FAILED, id="no"),
            pytest.param("\n", FAILED, id="nothing", marks=pytest.mark.slow),
        ],
    )
    def test_at_a_terminal_it_is_asked(self, mirror: Mirror, checkpoint: bytes, answer: str, code: int) -> None:
        mirror.serve(WHERE, checkpoint)
        person, terminal = pty.openpty()
        command = [sys.executable, narrow_offers.__file__, "models", "pull", NAME]
        environment = os.environ | {"PYTHONPATH": str(HOUSE)}
        os.write(person, answer.encode())
        done = subprocess.run(command, env=environment, stdin=terminal, capture_output=True, text=True, check=False)
        os.close(terminal)
        os.close(person)

        assert done.returncode == code
        assert "Do you accept this licence? [y/N]" in done.stderr
        assert (mirror.answers != []) == (code == DONE)

    @pytest.mark.usefixtures("mirror")
    def test_offline_is_said_before_the_licence(
        self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        monkeypatch.setenv("RETAKE_OFFLINE", "1")

        assert main(["models", "pull", NAME]) == FAILED
        assert capsys.readouterr().err.startswith("nothing is downloaded: RETAKE_OFFLINE says to stay offline\nhint: ")

    @pytest.mark.slow
    def test_ctrl_c_keeps_what_has_arrived(self, mirror: Mirror, models: Path) -> None:
        content = bytes(1_000_000)
        mirror.serve(WHERE, content)
        mirror.fail(WHERE, Fault(cut_after=400_000, hang_s=60.0))
        command = [sys.executable, narrow_offers.__file__, "models", "pull", NAME, "-y"]
        environment = os.environ | {"PYTHONPATH": str(HOUSE)}
        with subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True) as process:
            part = models / ".downloads" / NAME / "original" / f"{NAME}.ckpt.part"
            while not part.exists() or part.stat().st_size < 400_000:
                assert process.poll() is None
                time.sleep(0.05)
            process.send_signal(signal.SIGINT)
            _, told = process.communicate(timeout=30)

        assert process.returncode == CANCELLED
        assert told.startswith(f"pulling {NAME} was stopped; no model was installed, and what has arrived is kept\n")
        assert part.read_bytes() == content[:400_000]


@pytest.mark.usefixtures("mirror")
class TestRemoving:
    @pytest.fixture
    def installed(self, models: Path) -> Path:
        """Something that looks like a model, and another beside it."""
        for name in (NAME, "mine"):
            (models / name).mkdir(parents=True)
            (models / name / "config.json").write_text('{"licence": "mine"}', encoding="utf-8")
        return models / NAME

    def test_asks_first(self, installed: Path, capsys: pytest.CaptureFixture[str]) -> None:
        assert main(["models", "remove", NAME]) == FAILED

        assert (
            f"{NAME} was not removed: the user has not confirmed\nhint: answer yes, or give --yes"
            in capsys.readouterr().err
        )
        assert installed.is_dir()

    @pytest.mark.usefixtures("installed")
    def test_takes_that_model_only(self, models: Path) -> None:
        assert main(["models", "remove", NAME, "--yes"]) == DONE
        assert left_over(models) == ["mine", "mine/config.json"]

    def test_takes_a_download_that_was_never_finished(self, models: Path) -> None:
        part = models / ".downloads" / NAME / "original" / "half.ckpt.part"
        part.parent.mkdir(parents=True)
        part.write_bytes(b"half")

        assert main(["models", "remove", NAME, "-y"]) == DONE
        assert left_over(models) == []

    @pytest.mark.parametrize(
        ("name", "words"),
        [
            pytest.param("nano", "nano is part of Retake and is not removed", id="the shipped model"),
            pytest.param("none", "there is no model 'none'", id="what is not there"),
            pytest.param("../outside", "'../outside' is not a folder of its own", id="a way out of the models folder"),
            pytest.param("{outside}", "is not a folder of its own", id="a path"),
            pytest.param("linked", "'linked' is not a folder of its own", id="a link to elsewhere"),
            pytest.param(".downloads", "'.downloads' is not a folder of its own", id="the folder of downloads"),
            pytest.param(".", "'.' is not a folder of its own", id="the models folder itself"),
            pytest.param("", "'' is not a folder of its own", id="nothing"),
        ],
    )
    @pytest.mark.usefixtures("installed")
    def test_refuses_all_else(self, models: Path, capsys: pytest.CaptureFixture[str], name: str, words: str) -> None:
        outside = models.parent / "outside"
        outside.mkdir()
        (outside / "config.json").write_text('{"licence": "mine"}', encoding="utf-8")
        (models / "linked").symlink_to(outside)
        before = left_over(models.parent)

        assert main(["models", "remove", name.format(outside=outside), "-y"]) == FAILED
        assert words in capsys.readouterr().err
        assert left_over(models.parent) == before


GUARD = """
import sys

def guard(event, _):
    if event in ("socket.connect", "socket.getaddrinfo", "socket.gethostbyname", "socket.sendto"):
        raise SystemExit("connects: " + event)

sys.addaudithook(guard)
from engine.cli import main
sys.exit(main(sys.argv[1:]))
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param(["models", "list"], id="list"),
        pytest.param(["models", "show", "nano"], id="show"),
        pytest.param(["generate", "rain", "--model", "tiny", "--steps", "2", "--seconds", "0.5", "--seed", "1"],
                     id="generate"),
        pytest.param(["generate", "rain", "--model", NAME, "--steps", "2", "--seconds", "0.5", "--seed", "1",
                      "--candidates", "2"], id="generate with an imported model and rank"),
        pytest.param(["models", "pull", NAME, "-y"], id="pull"),
    ],
)  # fmt: skip
def test_nothing_but_pull_ever_connects(
    mirror: Mirror, checkpoint: bytes, models: Path, tmp_path: Path, arguments: list[str]
) -> None:
    """Python tells of every connection and every name that is looked up before it happens; here that is fatal."""
    if "--candidates" in arguments:
        mirror.serve(WHERE, checkpoint)
        pull(narrow())
    environment = {**os.environ, "RETAKE_MODELS": str(models), "PYTHONPATH": str(HOUSE)}
    done = subprocess.run(
        [sys.executable, "-c", GUARD, *arguments],
        cwd=tmp_path, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip

    if "pull" in arguments:
        assert "connects: socket." in done.stderr, "the guard sees connections"
    else:
        assert (done.returncode, done.stderr) == (DONE, "")
