"""Which library computes the audio tower of LAION's CLAP: laion-clap where it is installed, else transformers.

Both give the same vectors (to 4e-7 of their length) from the same weights. laion-clap cannot be installed beside
Python 3.13 or NumPy 2, and the packaged Retake leaves it out.
"""

from functools import cache
from importlib.util import find_spec
from typing import Literal

BackEnd = Literal["laion-clap", "transformers"]

_LAION_NEEDS = ("laion_clap", "torchlibrosa", "librosa", "h5py")  # a part of them is no use


@cache
def installed_back_end() -> BackEnd:
    """Return the library that a CLAP is built with unless its maker names one."""
    return "laion-clap" if all(find_spec(name) for name in _LAION_NEEDS) else "transformers"
