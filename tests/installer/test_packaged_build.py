"""The packages themselves, built and run: only where RETAKE_BUILD=1 asks for it, since it takes its time."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from installer.licences import FILE
from installer.product import NAME, VERSION

ROOT = Path(__file__).parents[2]
BUILD_S, SMOKE_S = 5400, 1800

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(3 * BUILD_S),
    pytest.mark.skipif(os.environ.get("RETAKE_BUILD") != "1", reason="RETAKE_BUILD=1 builds and runs the packages"),
]


@pytest.fixture(scope="module")
def python(tmp_path_factory):
    """A Python with what Retake needs and nothing of the tests: RETAKE_BUILD_PYTHON, or a fresh venv."""
    if given := os.environ.get("RETAKE_BUILD_PYTHON"):
        return given
    folder = tmp_path_factory.mktemp("venv")
    subprocess.run([sys.executable, "-m", "venv", folder], check=True)
    install = [folder / "bin" / "python", "-m", "pip", "install", "-q", "-c", "constraints.txt", ".[desktop,installer]"]
    subprocess.run(install, cwd=ROOT, check=True, timeout=BUILD_S)
    return str(folder / "bin" / "python")


@pytest.fixture(scope="module")
def dist(python, tmp_path_factory):
    """Everything that one command builds."""
    folder = tmp_path_factory.mktemp("packages")
    command = [python, "-m", "installer.build", "--dist", folder / "dist", "--work", folder / "work", "--quick"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=BUILD_S)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder / "dist"


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory):
    """A narrow checkpoint of another maker, with both of CLAP's towers, and its tokenizer."""
    folder = tmp_path_factory.mktemp("foreign")
    program = "import sys; from write_checkpoint import main; main(sys.argv[1])"
    path = os.pathsep.join(map(str, (ROOT, ROOT / "tests" / "installer", ROOT / "tests" / "engine")))
    subprocess.run([sys.executable, "-c", program, folder], env=os.environ | {"PYTHONPATH": path}, check=True)
    return ["--checkpoint", folder / "foreign.ckpt", "--tokenizer", folder / "words"]


def test_the_frozen_programs_do_what_a_musician_does(python, dist, checkpoint):
    command = [python, "-m", "installer.smoke", dist / NAME, *checkpoint]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=SMOKE_S)

    assert done.returncode == 0, done.stdout + done.stderr


def test_every_bundled_distribution_has_its_licence(dist):
    text = (dist / NAME / "_internal" / FILE).read_text(encoding="utf-8")
    bundled = [path.stem.rsplit("-", 1)[0] for path in (dist / NAME / "_internal").glob("*.dist-info")]

    assert len(bundled) > 5
    for name in bundled:
        assert name == NAME or f"{name.replace('_', '-')} ".lower() in text.replace("_", "-").lower()


def test_nothing_under_the_gpl_alone_is_inside(dist):
    assert not [path.name for path in (dist / NAME).rglob("*") if "readline" in path.name or "gdbm" in path.name]


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="packages of Linux are made on Linux")
def test_packages_and_their_sums_agree(dist):
    assert subprocess.run(["sha256sum", "--check", "SHA256SUMS"], cwd=dist, check=False).returncode == 0
    assert {path.suffix for path in dist.glob(f"{NAME}*{VERSION}*")} == {".gz", ".deb"}


@pytest.mark.skipif(shutil.which("debootstrap") is None, reason="debootstrap makes the clean root")
@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="a chroot needs root's rights")
def test_the_deb_installs_runs_and_leaves_in_a_clean_root(python, dist, checkpoint):
    (package,) = dist.glob("*.deb")
    command = [python, "-m", "installer.clean_root", package, *checkpoint]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=SMOKE_S)

    assert done.returncode == 0, done.stdout + done.stderr
