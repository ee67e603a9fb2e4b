"""A .safetensors file written tensor by tensor: little memory, progress on the way, a place to stop; its header read.

The format: 8 bytes with the length of a JSON header, the header (name -> dtype, shape, offsets), then all the bytes.
"""

import json
import math
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file
from torch import Tensor

from engine.checkpoints.model_files import open_plain
from engine.file_names import text_name

_DTYPES = {torch.float32: "F32", torch.float16: "F16", torch.bfloat16: "BF16", torch.int64: "I64"}
_ALIGNMENT = 8
_MAX_HEADER = 16_000_000  # bytes; a published model's has 300 kB
_BITS = {
    "BOOL": 8, "U8": 8, "I8": 8, "I16": 16, "U16": 16, "F16": 16, "BF16": 16, "I32": 32, "U32": 32, "F32": 32,
    "I64": 64, "U64": 64, "F64": 64, "F8_E4M3": 8, "F8_E5M2": 8,
}  # fmt: skip


def stored_dtype(tensor: Tensor) -> torch.dtype:
    """Nothing is lost: half precision stays half, everything else becomes float32; whole numbers stay whole."""
    if not tensor.is_floating_point():
        return torch.int64
    return tensor.dtype if tensor.dtype in (torch.float16, torch.bfloat16) else torch.float32


def stored_bytes(tensors: Mapping[str, Tensor]) -> int:
    """How many bytes the tensors take on disk, the header left out."""
    return sum(tensor.numel() * stored_dtype(tensor).itemsize for tensor in tensors.values())


def load_tensors(path: Path) -> dict[str, Tensor]:
    """The tensors of a file, whatever its name. Raises OSError, SafetensorError."""
    with text_name(path) as name:
        return dict(load_file(name))


def write_tensors(tensors: Mapping[str, Tensor], path: Path, on_share: Callable[[float], None]) -> None:
    """Write a new file; `on_share` is called with the share done, and may raise to stop.

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


def read_shapes(path: Path) -> dict[str, tuple[int, ...]]:
    """Return names and shapes of a file's tensors without reading them; checks that their bytes fill it exactly.

    Raises:
        OSError: it cannot be read, or is no plain file.
        ValueError: it is no such file, or damaged; the message says how.
    """
    with open_plain(path) as file:
        start = file.read(8)
        length = int.from_bytes(start, "little")
        size = path.stat().st_size
        if len(start) < 8 or not 2 <= length <= _MAX_HEADER:
            raise ValueError("it does not begin as a safetensors file does")
        if length + 8 > size:
            raise ValueError("it is cut off in its header")
        header = file.read(length)
    try:
        entries = json.loads(header)
        entries.pop("__metadata__", None)
        shapes, ends = {}, [0]
        for name, entry in entries.items():
            shapes[name] = tuple(entry["shape"])
            ends.append(_end_of(name, entry))
    except (ValueError, TypeError, KeyError, AttributeError, IndexError, RecursionError) as error:
        raise ValueError(f"its header is damaged ({type(error).__name__}: {str(error)[:100]})") from error
    if 8 + length + max(ends) != size:
        raise ValueError(f"it has {size} bytes; expected {8 + length + max(ends)}")
    return shapes


def _end_of(name: str, entry: Mapping[str, Any]) -> int:
    """Return where a tensor ends; raises ValueError or another error if its bytes do not match its shape."""
    begin, end = entry["data_offsets"]
    shape, bits = entry["shape"], _BITS[entry["dtype"]]
    if not all(type(number) is int and number >= 0 for number in (begin, end, *shape)):
        raise ValueError(f"{name} has a shape of no whole numbers")
    if (end - begin) * 8 != math.prod(shape) * bits:
        raise ValueError(f"{name} has {end - begin} bytes for the shape {shape}")
    return int(end)
