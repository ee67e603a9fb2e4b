"""The Models page against a server on this machine: licence first, real progress, stop, go on, remove."""

import hashlib
import json
import sys
from pathlib import Path

import pytest
import torch
from PySide6.QtWidgets import QLabel, QPushButton

from bridge.desktop.pages.models import LicenceDialog
from engine.checkpoints.published import ROBERTA
from engine.models.clap_tokenizer import RobertaTokenizer
from tests.engine.foreign_checkpoints import diffusers_modules, laion_clap, original_checkpoint
from tests.engine.mirror import Fault, mirror_running

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]
NAME, WHERE = "audioldm-s-full-v2", "/records/77/files/narrow.ckpt"


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory):
    """The authors' file of a narrow model with random weights."""

    def scramble(net, seed):
        generator = torch.Generator().manual_seed(seed)
        for value in net.parameters():
            value.data.copy_(0.02 * torch.randn(value.shape, generator=generator))
        return net.eval()

    path = tmp_path_factory.mktemp("original") / "narrow.ckpt"
    weights = original_checkpoint(diffusers_modules(scramble), laion_clap(scramble), averaged=False)
    torch.save({"state_dict": weights}, path)
    content = path.read_bytes()
    path.unlink()
    return content


@pytest.fixture
def server(tmp_path, monkeypatch, checkpoint):
    """A mirror of all that a pull needs, and commands that know the narrow checkpoint."""
    RobertaTokenizer.bytes_only().write(tmp_path)
    vocabulary = json.loads((tmp_path / "tokenizer.json").read_text(encoding="utf-8"))["model"]["vocab"]
    files = {"vocab.json": json.dumps(vocabulary).encode(), "merges.txt": b"#version: 0.2\n"}
    rows = [(name, len(content), hashlib.sha256(content).hexdigest()) for name, content in files.items()]
    with mirror_running() as mirror:
        for name, content in files.items():
            mirror.serve(f"/{ROBERTA}/{name}", content)
        mirror.serve(WHERE, checkpoint)
        for variable, value in {
            "RETAKE_ZENODO_URL": mirror.url,
            "HF_ENDPOINT": mirror.url + "/",
            "NO_PROXY": "127.0.0.1",
            "RETAKE_MODELS": str(tmp_path / "models"),
            "RETAKE_NARROW": json.dumps({"tokenizer": rows, "size": len(checkpoint)}),
        }.items():
            monkeypatch.setenv(variable, value)
        for variable in ("RETAKE_OFFLINE", "HF_HUB_OFFLINE"):
            monkeypatch.delenv(variable, raising=False)
        root = str(Path(__file__).parents[4])
        monkeypatch.setenv("PYTHONPATH", root)
        yield mirror


@pytest.fixture
def command():
    script = str(Path(__file__).with_name("pull_narrow.py"))
    return lambda *words: [sys.executable, script, *words]


@pytest.fixture
def page(server, window, until):  # noqa: ARG001 - the commands have to know the server
    window.show_page("models")
    until(lambda: NAME in window.models_page.rows)
    return window.models_page


def pull(page, until):
    page.rows[NAME].pull_button.click()
    dialog = until(lambda: page.findChild(LicenceDialog))
    dialog.accept_button.click()


class TestList:
    def test_shows_what_is_there_and_what_could_be(self, page):
        assert page.rows["nano"].model.is_shipped
        assert not page.rows["nano"].remove_button.isVisible()
        assert page.rows[NAME].pull_button.isVisible()
        assert page.rows[NAME].model.licence == "CC BY-NC-SA 4.0"


class TestPull:
    def test_shows_the_licence_first_and_asks_for_nothing_without_it(self, page, server, until):
        page.rows[NAME].pull_button.click()
        dialog = until(lambda: page.findChild(LicenceDialog))
        words = " ".join(it.text() for it in dialog.findChildren(QLabel))
        assert "CC BY-NC-SA 4.0" in words
        assert "Not for commercial use" in words
        next(it for it in dialog.findChildren(QPushButton) if it.text() == "Not now").click()

        assert server.answers == []

    def test_installs_with_real_progress_and_remove_deletes(self, page, until, tmp_path):
        told = []
        pull(page, until)
        page._runs[NAME].line.connect(told.append)
        row = page.rows[NAME]
        until(lambda: row.progress.value() > 0)
        assert row.cancel_button.isVisible()
        until(lambda: NAME in page.rows and page.rows[NAME].model.is_installed)

        shares = [json.loads(line)["fraction"] for line in told if line.startswith("{")]
        assert len(shares) > 3
        assert shares == sorted(shares)
        assert (tmp_path / "models" / NAME / "config.json").exists()
        page.rows[NAME].remove_button.click()
        page.confirm_button.click()
        until(lambda: NAME in page.rows and not page.rows[NAME].model.is_installed)
        assert not (tmp_path / "models" / NAME).exists()

    def test_can_be_stopped(self, page, server, until, tmp_path):
        server.fail(WHERE, Fault(cut_after=50_000, hang_s=300.0))
        pull(page, until)
        until(lambda: page.rows[NAME].progress.value() > 0 or server.asked(WHERE))
        page.rows[NAME].cancel_button.click()
        until(lambda: not page._runs)

        assert "was stopped" in page.banner.text.text()
        assert not (tmp_path / "models" / NAME).exists()

    def test_that_fails_says_why(self, page, server, until):
        server.fail(WHERE, *[Fault(status=404)] * 20)
        pull(page, until)
        until(lambda: not page._runs)

        assert page.banner.property("role") == "bad"
        assert "404" in page.banner.text.text()
