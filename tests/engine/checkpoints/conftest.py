"""Narrow checkpoints in the forms that others write, made once; and a models folder to import them into."""

from pathlib import Path

import pytest
import torch
from foreign_checkpoints import (
    Modules,
    diffusers_modules,
    laion_clap,
    original_checkpoint,
    write_diffusers_folder,
    write_tokenizer,
)
from torch import Tensor, nn


@pytest.fixture(scope="package")
def modules(scramble) -> Modules:
    return diffusers_modules(scramble)


@pytest.fixture(scope="package")
def clap(scramble) -> nn.Module:
    return laion_clap(scramble)


@pytest.fixture(scope="package")
def tensors(modules, clap) -> dict[str, Tensor]:
    """The original file's, without moving average, so that a test can take one away."""
    return original_checkpoint(modules, clap, averaged=False)


@pytest.fixture(scope="package")
def words_folder(tmp_path_factory) -> Path:
    return write_tokenizer(tmp_path_factory.mktemp("words") / "tokenizer")


@pytest.fixture(scope="package")
def checkpoint(tensors, tmp_path_factory) -> Path:
    file = tmp_path_factory.mktemp("original") / "audioldm-m-full.ckpt"
    torch.save({"state_dict": tensors}, file)
    return file


@pytest.fixture(scope="package")
def diffusers_folder(modules, tmp_path_factory) -> Path:
    return write_diffusers_folder(modules, tmp_path_factory.mktemp("folder") / "mine")


@pytest.fixture
def models(tmp_path) -> Path:
    return tmp_path / "models"


@pytest.fixture
def left_behind(models):
    """What lies in the models folder, by name."""
    return lambda: sorted(path.name for path in models.iterdir()) if models.exists() else []
