"""Files written tensor by tensor are what safetensors' own library reads."""

import pytest
import torch
from safetensors.torch import load_file

from engine.checkpoints.tensor_file import stored_bytes, write_tensors

TENSORS = {
    "half": torch.arange(7, dtype=torch.float16),
    "brain": torch.arange(3, dtype=torch.bfloat16),
    "single": torch.randn(3, 5, generator=torch.Generator().manual_seed(1)),
    "double": torch.linspace(0, 1, 4, dtype=torch.float64),
    "transposed": torch.arange(6.0).reshape(2, 3).T,
    "repeated": torch.tensor(0.5).expand(8),
    "number": torch.tensor(3.0),
    "whole": torch.arange(5),
    "short": torch.arange(5, dtype=torch.int32),
    "empty": torch.zeros(0, 4),
}


def test_what_is_written_is_read_again(tmp_path):
    write_tensors(TENSORS, tmp_path / "file", lambda _: None)
    read = load_file(tmp_path / "file")
    assert set(read) == set(TENSORS)
    for name, tensor in TENSORS.items():
        kept = {torch.float64: torch.float32, torch.int32: torch.int64}.get(tensor.dtype, tensor.dtype)
        assert torch.equal(read[name], tensor.to(kept)), name


def test_the_size_is_known_beforehand(tmp_path):
    write_tensors(TENSORS, tmp_path / "file", lambda _: None)
    written = (tmp_path / "file").read_bytes()
    assert len(written) - 8 - int.from_bytes(written[:8], "little") == stored_bytes(TENSORS)


def test_progress_rises_to_one(tmp_path):
    shares: list[float] = []
    write_tensors(TENSORS, tmp_path / "file", shares.append)
    assert shares == sorted(shares)
    assert shares[-1] == 1


def test_what_is_there_is_not_overwritten(tmp_path):
    (tmp_path / "file").write_text("mine")
    with pytest.raises(FileExistsError):
        write_tensors(TENSORS, tmp_path / "file", lambda _: None)
    assert (tmp_path / "file").read_text() == "mine"
