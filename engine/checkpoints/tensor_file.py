"""A .safetensors file written tensor by tensor: little memory, progress on the way, and a place to stop.

The format: 8 bytes with the length of a JSON header, the header (name -> dtype, shape, offsets), then all the bytes.
"""

import json
from collections.abc import Callable, Mapping
from pathlib import Path

import torch
from torch import Tensor

_DTYPES = {torch.float32: "F32", torch.float16: "F16", torch.bfloat16: "BF16", torch.int64: "I64"}
_ALIGNMENT = 8


def stored_dtype(tensor: Tensor) -> torch.dtype:
    """Nothing is lost: half precision stays half, everything else becomes float32; whole numbers stay whole."""
    if not tensor.is_floating_point():
        return torch.int64
    return tensor.dtype if tensor.dtype in (torch.float16, torch.bfloat16) else torch.float32


def stored_bytes(tensors: Mapping[str, Tensor]) -> int:
    """How many bytes the tensors take on disk, the header left out."""
    return sum(tensor.numel() * stored_dtype(tensor).itemsize for tensor in tensors.values())


def write_tensors(tensors: Mapping[str, Tensor], path: Path, on_share: Callable[[float], None]) -> None:
    """Write a new file; `on_share` hears how much of it is done, and may raise to stop.

    Raises:
        OSError: the disk refused.
    """
    header, end = {}, 0
    tensors = dict(sorted(tensors.items(), key=lambda item: -stored_dtype(item[1]).itemsize))  # keeps all aligned
    for name, tensor in tensors.items():
        dtype = stored_dtype(tensor)
        start, end = end, end + tensor.numel() * dtype.itemsize
        header[name] = {"dtype": _DTYPES[dtype], "shape": list(tensor.shape), "data_offsets": [start, end]}
    encoded = json.dumps(header).encode()
    encoded += b" " * (-len(encoded) % _ALIGNMENT)
    done = 0
    with path.open("xb") as file:
        file.write(len(encoded).to_bytes(8, "little") + encoded)
        for tensor in tensors.values():
            flat = tensor.detach().to(stored_dtype(tensor)).contiguous().reshape(-1)
            done += file.write(flat.view(torch.uint8).numpy().data)
            on_share(done / max(end, 1))
