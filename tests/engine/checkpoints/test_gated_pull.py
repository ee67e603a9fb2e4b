"""Stable Audio 3 pulled with the user's own token from a server on this machine: whole and ready to open, or not."""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from huggingface_hub import get_token

from engine.checkpoints.catalogue import find_model, list_models
from engine.checkpoints.download_errors import (
    DownloadDamagedError,
    ModelGatedError,
    OfflineError,
    ServerUnreachableError,
    WrongFileError,
)
from engine.checkpoints.gated_download import pull_stable_audio
from engine.checkpoints.stable_audio import open_stable_audio
from engine.checkpoints.stable_audio_offers import LICENCES, STABLE_AUDIO, PublishedStableAudio
from engine.checkpoints.transfer import RetryLimits
from engine.cli import DONE, FAILED, main
from engine.errors import ModelBrokenError, ModelDiskFullError, ModelNotFoundError, OutputExistsError
from tests.engine.families.tiny_stable_audio import TinyNets, small_config
from tests.engine.mirror import Fault, Mirror, mirror_running

OFFER = replace(STABLE_AUDIO[0], about_bytes=1_000_000)
TOKEN, COMMIT = "hf_of_a_test", "c0ffee" * 6 + "c0de"
AT_ONCE = RetryLimits(tries=1, first_wait_s=0.0, timeout_s=5.0)
WEIGHTS = f"/{OFFER.hub}/resolve/{COMMIT}/model.safetensors"


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """The authors' repository of a tiny model, with what lies about in it."""
    folder = TinyNets(small_config()).write_authors(tmp_path_factory.mktemp("authors"))
    found = {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    return found | {"LICENSE.md": b"terms", "demo.mp4": b"a film", "model.ckpt": b"the same as a pickle"}


@pytest.fixture
def elsewhere() -> Iterator[Mirror]:
    """Where the Hub keeps large files."""
    with mirror_running() as mirror:
        yield mirror


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Mirror]:
    """The Hub; the user has a new models folder and no token."""
    with mirror_running() as mirror:
        for variable, value in {
            "HF_ENDPOINT": mirror.url, "NO_PROXY": "127.0.0.1", "RETAKE_MODELS": str(tmp_path / "models"),
            "HF_TOKEN": "",
        }.items():  # fmt: skip
            monkeypatch.setenv(variable, value)
        for variable in ("RETAKE_OFFLINE", "HF_HUB_OFFLINE"):
            monkeypatch.delenv(variable, raising=False)
        yield mirror


@pytest.fixture
def nobody(hub: Mirror) -> None:  # noqa: ARG001 - which takes HF_TOKEN away
    if get_token():
        pytest.skip("this machine has a stored login")


@pytest.fixture
def logged_in(hub: Mirror, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: ARG001 - which takes HF_TOKEN away
    monkeypatch.setenv("HF_TOKEN", TOKEN)


@pytest.fixture
def models(tmp_path: Path) -> Path:
    return tmp_path / "models"


def serve(hub: Mirror, files: dict[str, bytes], elsewhere: Mirror) -> None:
    """As the Hub does it: all may see the list, the files need a token, and are sent for to other addresses."""
    siblings = []
    for name, content in files.items():
        where, sha256 = f"/{OFFER.hub}/resolve/{COMMIT}/{name}", hashlib.sha256(content).hexdigest()
        about = {"rfilename": name, "size": len(content), "blobId": hashlib.sha1(content).hexdigest()}
        if name.endswith(".safetensors"):
            about["lfs"] = {"sha256": sha256, "size": len(content), "pointerSize": 134}
            hub.serve(where, b"", token=TOKEN, redirect=elsewhere.serve(f"/large/{sha256}", content))
        else:  # at the same server, which wants the token again
            hub.serve(f"/cache/{name}", content, token=TOKEN)
            hub.serve(where, b"", token=TOKEN, redirect=f"/cache/{name}")
        siblings.append(about)
    listing = {"id": OFFER.hub, "sha": COMMIT, "gated": "auto", "siblings": siblings}
    hub.serve_json(f"/api/models/{OFFER.hub}/revision/main", listing)


@pytest.mark.usefixtures("logged_in")
class TestWithAccess:
    def test_is_installed_and_opens(
        self, hub: Mirror, files: dict[str, bytes], elsewhere: Mirror, models: Path
    ) -> None:
        serve(hub, files, elsewhere)
        news: list[tuple[float, str]] = []
        folder = pull_stable_audio(OFFER, on_progress=lambda *new: news.append(new))

        assert folder == models / OFFER.name == find_model(OFFER.name)
        assert open_stable_audio(folder).config.name == OFFER.name
        installed = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
        assert installed == set(files) - {"demo.mp4", "model.ckpt"}
        assert [path.name for path in models.iterdir()] == [OFFER.name]
        assert [share for share, _ in news] == sorted(share for share, _ in news)
        assert news[-1][0] == 1

    def test_no_other_server_sees_the_token(self, hub: Mirror, files: dict[str, bytes], elsewhere: Mirror) -> None:
        serve(hub, files, elsewhere)
        pull_stable_audio(OFFER)

        assert {answer.token for answer in hub.answers} == {TOKEN}
        assert {answer.token for answer in elsewhere.answers} == {""}

    def test_goes_on_where_it_stopped(self, hub: Mirror, files: dict[str, bytes], elsewhere: Mirror) -> None:
        serve(hub, files, elsewhere)
        large = f"/large/{hashlib.sha256(files['model.safetensors']).hexdigest()}"
        elsewhere.fail(large, Fault(cut_after=1000))
        with pytest.raises(ServerUnreachableError, match="kept"):
            pull_stable_audio(OFFER, limits=AT_ONCE)
        assert list_models() == [entry for entry in list_models() if entry.shipped], "what is half there is no model"

        pull_stable_audio(OFFER, limits=AT_ONCE)

        assert [answer.asked_range for answer in elsewhere.answers if answer.path == large] == ["", "bytes=1000-"]
        assert elsewhere.bytes_sent(large) == len(files["model.safetensors"])

    def test_what_arrives_otherwise_than_the_hub_lists_is_not_installed(
        self, hub: Mirror, files: dict[str, bytes], elsewhere: Mirror, models: Path
    ) -> None:
        serve(hub, files, elsewhere)
        content = files["model.safetensors"]
        elsewhere.change(f"/large/{hashlib.sha256(content).hexdigest()}", content=content[:-1] + b"\0")

        with pytest.raises(DownloadDamagedError, match="SHA-256"):
            pull_stable_audio(OFFER)
        assert not (models / OFFER.name).exists()

    def test_a_repository_of_something_else(self, hub: Mirror, elsewhere: Mirror, models: Path) -> None:
        serve(hub, {"README.md": b"moved"}, elsewhere)

        with pytest.raises(WrongFileError, match=r"model_config\.json and model\.safetensors"):
            pull_stable_audio(OFFER)
        assert not (models / OFFER.name).exists()

    def test_another_family_is_thrown_away(
        self, hub: Mirror, files: dict[str, bytes], elsewhere: Mirror, models: Path
    ) -> None:
        serve(hub, files | {"model_config.json": json.dumps({"model_type": "autoencoder"}).encode()}, elsewhere)

        with pytest.raises(ModelBrokenError, match="model_type is 'autoencoder'"):
            pull_stable_audio(OFFER)
        assert not any(models.rglob("*.safetensors"))


class TestWithoutAccess:
    @pytest.mark.usefixtures("nobody")
    def test_who_is_not_logged_in_is_told_where_and_how(
        self, hub: Mirror, files: dict[str, bytes], elsewhere: Mirror
    ) -> None:
        serve(hub, files, elsewhere)
        with pytest.raises(ModelGatedError) as caught:
            pull_stable_audio(OFFER)

        assert caught.value.code == "model_gated"
        assert f"gives {OFFER.name} only to those who accepted its terms, and nobody is logged in" in caught.value.text
        assert caught.value.hint == (
            f"accept the terms at {hub.url}/{OFFER.hub}, then run `hf auth login`, or set HF_TOKEN, and pull again"
        )
        assert elsewhere.answers == []

    def test_who_has_not_accepted_the_terms_is_told_where(
        self, hub: Mirror, files: dict[str, bytes], elsewhere: Mirror, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("HF_TOKEN", "hf_of_somebody_else")
        serve(hub, files, elsewhere)
        with pytest.raises(ModelGatedError, match="the account of your token has no access") as caught:
            pull_stable_audio(OFFER)

        assert caught.value.hint == f"accept the terms at {hub.url}/{OFFER.hub}, then pull again"

    @pytest.mark.usefixtures("nobody")
    def test_a_list_that_is_gated_too(self, hub: Mirror, files: dict[str, bytes], elsewhere: Mirror) -> None:
        serve(hub, files, elsewhere)
        hub.change(f"/api/models/{OFFER.hub}/revision/main", token=TOKEN)

        with pytest.raises(ModelGatedError, match="it says 401"):
            pull_stable_audio(OFFER)


class TestBeforeAnythingIsAsked:
    def test_offline_is_offline(self, hub: Mirror, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("RETAKE_OFFLINE", "1")
        with pytest.raises(OfflineError):
            pull_stable_audio(OFFER)
        assert hub.answers == []

    def test_an_installed_one_is_not_overwritten(self, hub: Mirror, models: Path) -> None:
        (models / OFFER.name).mkdir(parents=True)
        with pytest.raises(OutputExistsError):
            pull_stable_audio(OFFER)
        assert hub.answers == []

    def test_there_must_be_room(self, hub: Mirror) -> None:
        with pytest.raises(ModelDiskFullError):
            pull_stable_audio(replace(OFFER, about_bytes=10**18))
        assert hub.answers == []


class TestCommandLine:
    def test_both_licences_are_shown_and_asked_for(self, hub: Mirror, capsys: pytest.CaptureFixture[str]) -> None:
        assert main(["models", "pull", OFFER.name]) == FAILED
        told = capsys.readouterr().err

        for licence in LICENCES:
            assert f"licence: {licence.name}, {licence.url}" in told
        assert "is under Stability AI Community License and Gemma Terms of Use, which was not accepted" in told
        assert hub.answers == []

    @pytest.mark.usefixtures("logged_in")
    @pytest.mark.usefixtures("hub")
    def test_pull_list_show_and_remove(
        self, hub: Mirror, files: dict[str, bytes], elsewhere: Mirror, models: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        serve(hub, files, elsewhere)
        assert main(["models", "pull", OFFER.hub, "--accept-licence"]) == DONE
        assert capsys.readouterr().out == f"{models / OFFER.name}\n"
        assert main(["models", "list"]) == DONE
        row = next(line for line in capsys.readouterr().out.splitlines() if line.startswith(f"{OFFER.name} "))
        assert "44.1 kHz stereo" in row
        assert "Stability AI Community License and Gemma Terms of Use" in row
        assert main(["models", "remove", OFFER.name, "-y"]) == DONE
        assert [*models.iterdir()] == []

    def test_the_list_shows_size_rate_channels_length_and_licences(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert main(["models", "list"]) == DONE
        rows = {line.split()[0]: " ".join(line.split()) for line in capsys.readouterr().out.splitlines()}

        assert "16 kHz mono, 5.12 s at once Apache-2.0 shipped" in rows["nano"]
        assert "16 kHz mono, 10.24 s at once CC BY-NC-SA 4.0" in rows["audioldm-l-full"]
        for row in STABLE_AUDIO:
            size = f"{row.about_bytes / 1e6:.1f} MB 44.1 kHz stereo, {row.at_once_s:g} s at once"
            assert f"{size} Stability AI Community License and Gemma Terms of Use to pull: " in rows[row.name]

    @pytest.mark.usefixtures("hub")
    @pytest.mark.parametrize("row", STABLE_AUDIO, ids=lambda row: row.name)
    @pytest.mark.usefixtures("hub")
    def test_one_that_is_not_there_says_how_to_get_it(self, row: PublishedStableAudio) -> None:
        for name in (row.name, row.hub):
            with pytest.raises(ModelNotFoundError, match="is not downloaded yet") as caught:
                find_model(name)
            assert caught.value.hint == f"`retake models pull {row.name}`"

    def test_an_unknown_name_is_answered_with_all_names(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert main(["models", "pull", "stable-audio-4"]) == FAILED
        told = capsys.readouterr().err
        assert all(row.name in told for row in STABLE_AUDIO)
        assert "audioldm-s-full-v2" in told
