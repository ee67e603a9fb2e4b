"""Stand-ins for packages that the bundle leaves out: with them, CLAP's towers are the same as with the real ones."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
STAND_INS = ROOT / "installer" / "stand_ins"

_SUM_UP = """
import sys
import torch
from engine.models.clap_towers import AUDIO_TOWERS, TEXT_TOWERS, build_towers
torch.manual_seed(0)
towers = build_towers(TEXT_TOWERS["roberta-test"], AUDIO_TOWERS["HTSAT-test"], 64)
print(sys.modules["numba"].__file__, sys.modules["h5py"].__file__)
print(sum(float(value.double().abs().sum()) for value in towers.state_dict().values()))
"""


def run(*folders):
    return subprocess.run(
        [sys.executable, "-c", _SUM_UP],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(map(str, folders))},
        capture_output=True,
        text=True,
        check=True,
    ).stdout.splitlines()


@pytest.mark.slow
def test_clap_is_the_same_with_them():
    files, total = run(STAND_INS, ROOT)
    others, expected = run(ROOT)

    assert all(str(STAND_INS) in file for file in files.split())
    assert str(STAND_INS) not in others
    assert total == expected


def test_what_needs_a_compiler_says_so():
    program = (
        "import numba\n@numba.jit(nopython=True)\ndef plain(x): return x + 1\n"
        "@numba.guvectorize([], '')\ndef odd(x): pass\n"
        "assert plain(1) == 2\nodd(1)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], env={"PYTHONPATH": str(STAND_INS)}, capture_output=True, text=True, check=False
    )

    assert "odd needs numba, which is not part of the packaged Retake" in done.stderr
