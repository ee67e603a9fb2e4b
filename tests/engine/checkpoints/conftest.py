"""Narrow checkpoints in the forms that others write, made once; and a models folder to import them into."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from tests.engine.foreign_checkpoints import (
    Modules,
    diffusers_modules,
    laion_clap,
    original_checkpoint,
    write_diffusers_folder,
    write_tokenizer,
)


@pytest.fixture(scope="session")
def modules(scramble: Any) -> Modules:
    return diffusers_modules(scramble)


@pytest.fixture(scope="session")
def clap(scramble: Any) -> nn.Module:
    return laion_clap(scramble)


@pytest.fixture(scope="session")
def tensors(modules: Any, clap: Any) -> dict[str, Tensor]:
    """The original file's, without moving average, so that a test can take one away."""
    return original_checkpoint(modules, clap, averaged=False)


@pytest.fixture(scope="session")
def words_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tokenizer(tmp_path_factory.mktemp("words") / "tokenizer")


@pytest.fixture(scope="session")
def checkpoint(tensors: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("original") / "audioldm-m-full.ckpt"
    torch.save({"state_dict": tensors}, file)
    return file


@pytest.fixture(scope="session")
def diffusers_folder(modules: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_diffusers_folder(modules, tmp_path_factory.mktemp("folder") / "mine")


@pytest.fixture
def models(tmp_path: Path) -> Path:
    return tmp_path / "models"


@pytest.fixture
def left_behind(models: Any) -> Callable[..., Any]:
    """What lies in the models folder, by name."""
    return lambda: sorted(path.name for path in models.iterdir()) if models.exists() else []
