"""The documents are true: links lead somewhere, options and variables exist, examples run."""

import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import fields
from functools import cache
from pathlib import Path

import pytest

from bridge.host.settings import Settings

ROOT = Path(__file__).parents[2]
DOCS = sorted((ROOT / "docs").glob("*.md"))
TRACKED = (
    "*.md",
    "docs/*.md",
    "bridge/**/*.md",
    "engine/**/*.md",
    "installer/*.md",
    "daw_scripts/*/*.md",
    "tests/**/*.md",
)
PAGES = sorted({page for pattern in TRACKED for page in ROOT.glob(pattern) if "node_modules" not in page.parts})
OWN = {"RETAKE_RENDER_SETUP"}
"""Variables that Retake's processes leave for each other."""


def without_code(page: Path) -> str:
    text = re.sub(r"^```.*?^```", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    return re.sub(r"`[^`\n]*`", "", text)


def blocks(page: Path, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", page.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)


def anchors(page: Path) -> set[str]:
    """Return what links to a page may end in, as code hosts name its headings."""
    titles = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


def test_every_link_leads_somewhere():
    broken = []
    for page in PAGES:
        for link in re.findall(r"\]\(([^)\s]+)\)", without_code(page)):
            if re.match(r"[a-z]+:", link):
                continue
            path, _, anchor = link.partition("#")
            target = (page.parent / path) if path else page
            if not target.exists() or (anchor and anchor not in anchors(target)):
                broken.append(f"{page.relative_to(ROOT)}: {link}")

    assert broken == []


def test_the_index_lists_every_page():
    index = (ROOT / "docs" / "index.md").read_text(encoding="utf-8")

    assert [page.name for page in DOCS if page.name != "index.md" and f"]({page.name})" not in index] == []


def test_pictures_are_small_and_used():
    text = "".join(page.read_text(encoding="utf-8") for page in PAGES)
    pictures = sorted((ROOT / "docs" / "images").iterdir())

    assert [picture.name for picture in pictures if picture.stat().st_size > 150_000] == []
    assert [picture.name for picture in pictures if f"images/{picture.name})" not in text] == []


@cache
def help_of(*words: str) -> str:
    command = [sys.executable, "-m", "bridge", *words, "--help"]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False).stdout


def test_commands_have_the_options_that_the_documents_give_them():
    wrong = []
    for page in (ROOT / "README.md", *DOCS):
        for line in "".join(blocks(page, "(?:sh|console)")).splitlines():
            words = re.sub(r'"[^"]*"', "_", line).split()
            if words[0] not in {"retake", "retake-send"}:
                continue
            command = ["send"] if words[0] == "retake-send" else words[1:2]
            if command[0] in {"models", "train"}:
                command = words[1:3]
            options = {word for word in words if re.match(r"--?[a-z]", word)}
            known = set(re.findall(r"(?<!\w)--?[a-z][\w-]*", help_of(*command)))
            wrong += [f"{page.name}: {line}: {option}" for option in sorted(options - known)]

    assert wrong == []


def test_every_environment_variable_is_documented_and_every_documented_one_exists():
    files = [file for folder in ("engine", "bridge", "daw_scripts") for file in (ROOT / folder).rglob("*.py")]
    code = "".join(file.read_text(encoding="utf-8") for file in files)
    read = set(re.findall(r'"(RETAKE_[A-Z_]+)"', code)) - OWN - {f"RETAKE_{it.name.upper()}" for it in fields(Settings)}
    documented = (ROOT / "docs" / "commands.md").read_text(encoding="utf-8").partition("## Environment variables")[2]

    assert set(re.findall(r"`(RETAKE_[A-Z_]+)`", documented)) == read


@pytest.fixture
def shell(tmp_path):
    """Run a block of commands in a folder with the tests' clips and the examples, in a home of its own."""
    for name in ("tests", "examples"):
        (tmp_path / name).symlink_to(ROOT / name)
    (tmp_path / "bin").mkdir()
    for name, module in (("retake", "bridge"), ("retake-send", "bridge.clients.send")):
        (tmp_path / "bin" / name).write_text(f'#!/bin/sh\nexec "{sys.executable}" -m {module} "$@"\n')
        (tmp_path / "bin" / name).chmod(0o755)
    folders = {
        "HOME": tmp_path / "home",
        "RETAKE_STATE_DIR": tmp_path / "state",
        "XDG_CONFIG_HOME": tmp_path / "config",
    }
    (tmp_path / "home").mkdir()
    path = {"PATH": f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}", "PYTHONPATH": str(ROOT), "RETAKE_PORT": "0"}
    environment = os.environ | {name: str(folder) for name, folder in folders.items()} | path

    def run(text: str) -> str:
        command = [shutil.which("bash"), "-euo", "pipefail", "-c", text]
        done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"{text}\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}"
        return done.stdout

    yield run
    subprocess.run(["bash", "-c", "retake-send quit"], cwd=tmp_path, env=environment, capture_output=True, check=False)


@pytest.mark.slow
class TestExamples:
    def test_of_the_readme_make_six_sounds(self, shell, tmp_path):
        shell(blocks(ROOT / "README.md", "sh")[2])

        assert len(list(tmp_path.glob("*.wav"))) == 6

    @pytest.mark.timeout(900)
    def test_of_the_commands_run_one_after_the_other(self, shell, tmp_path):
        for block in blocks(ROOT / "docs" / "commands.md", "sh"):
            shell(block)

        assert (tmp_path / "laser-again.wav").read_bytes() == (tmp_path / "laser.wav").read_bytes()
        assert len(list((tmp_path / "library").glob("*.wav"))) == 4

    def test_of_the_models_run(self, shell):
        assert all("nano" in shell(block) for block in blocks(ROOT / "docs" / "models.md", "sh"))

    def test_in_python_run(self, shell, tmp_path):
        for number, example in enumerate(blocks(ROOT / "docs" / "python.md", "python")):
            (tmp_path / f"example_{number}.py").write_text(example)
            shell(f'"{sys.executable}" example_{number}.py')

        assert {"thunder.wav", "glass-1.wav", "glass-2.wav"} <= {file.name for file in tmp_path.glob("*.wav")}


class TestOscClient:
    def test_prints_where_the_take_lies(self, shell):
        shell("retake-send status --start")
        printed = shell(f'"{sys.executable}" examples/osc_client.py "a dog barks"').splitlines()
        take = Path(printed[-1].split(" ", 4)[-1])

        assert printed[0].startswith("/retake/ack ")
        assert printed[-1].startswith("/done /retake/generate ")
        assert json.loads(take.with_suffix(".json").read_text(encoding="utf-8"))["prompt"] == "a dog barks"

    def test_is_as_short_as_its_documents_say(self):
        code = (ROOT / "examples" / "osc_client.py").read_text(encoding="utf-8").partition("\nstate = ")[2]

        assert len(code.splitlines()) <= 15
