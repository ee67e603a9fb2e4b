"""A command of the command line as a row, and how its code is found: by name, when it is needed.

So `retake --help` and `retake models list` start without torch.
"""

import importlib
from dataclasses import dataclass
from typing import Any

from engine.errors import PackageMissingError


@dataclass(frozen=True)
class Command:
    """A sub-command; `arguments` and `run` are "module:function"."""

    name: str
    summary: str
    arguments: str  # (parser) -> None: light, imported for the command's own --help
    run: str  # (parsed arguments) -> exit code: may import torch


def load(reference: str, purpose: str = "this command", extra: str = "train") -> Any:
    """What "module:function" names; the one place where the command line imports by name.

    Raises PackageMissingError when `purpose` needs a package that is not installed; `extra` is what brings it.
    """
    module, _, function = reference.partition(":")
    try:
        return getattr(importlib.import_module(module), function)
    except ModuleNotFoundError as error:
        if not error.name or error.name.split(".")[0] in ("engine", "bridge"):
            raise
        raise PackageMissingError(error.name, purpose, extra) from error
