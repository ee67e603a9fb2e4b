"""Reading files that PyTorch pickled: none of their code is run, and they take no more memory than the file's size.

A pickle is a program. Before PyTorch's own safe loader sees it, its length, its instructions and the names that it
imports are checked: a few bytes could allocate gigabytes, and a small archive could unpack to them.
"""

import io
import pickle
import pickletools
import re
import tempfile
import warnings
from collections import OrderedDict
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO
from zipfile import BadZipFile, ZipFile

import torch

from engine.checkpoints.file_kinds import FileKind
from engine.checkpoints.import_errors import CheckpointUnreadableError, CheckpointUnsafeError
from engine.checkpoints.model_files import open_plain

MAX_PICKLE_BYTES = 64_000_000
"""Of names, shapes and notes; those of a published checkpoint have half a megabyte."""
_MAX_INSTRUCTIONS = 3_000_000  # each makes an object of up to some hundred bytes; a published checkpoint has 100,000
_MAX_RECORDS, _MAX_DIRECTORY_BYTES = 200_000, 32_000_000
# Modules in whose classes training programs leave notes: settings, scores, states of callbacks
_BOOKKEEPING = (
    "pytorch_lightning.", "lightning.", "lightning_fabric.", "omegaconf.", "numpy.", "argparse.", "collections.",
    "pathlib.", "datetime.", "typing.", "deepspeed.",
)  # fmt: skip
_TENSOR_MAKERS = {
    f"torch._utils._rebuild_{kind}" for kind in
    ("tensor", "tensor_v2", "tensor_v3", "parameter", "parameter_with_state")
}  # fmt: skip
_CONTAINERS = {
    "collections.OrderedDict", "collections.Counter", "_codecs.encode", "builtins.set", "builtins.complex",
    "__builtin__.set", "__builtin__.complex",
}  # fmt: skip
_CODECS_THAT_GROW = {"hex", "base64", "uu", "quopri", "bz2", "zlib", "zip"}
_PICKLES_IN_A_ROW = 5  # magic number, protocol, system, contents, names of storages
_END, _ZIP64_LOCATOR, _ZIP64_END = b"PK\x05\x06", b"PK\x06\x07", b"PK\x06\x06"


def unpickled(path: Path, kind: FileKind) -> Any:
    """Return what is in a pickle, if it holds only tensors, numbers, text and containers.

    The notes of training programs (settings, states of callbacks) are read as hollow objects, without their code.

    Raises:
        CheckpointUnreadableError: it is damaged, or would take more memory than the file's size.
        CheckpointUnsafeError: it would run code.
    """
    if kind == "zip":
        require_sound_archive(path)
    asked = _names_asked_for(path, kind)
    strange = sorted(name for name in asked if not _is_harmless(name))
    if strange:
        raise CheckpointUnsafeError(path, strange)
    hollow: list[Any] = [(_hollow(name), name) for name in asked if name.startswith(_BOOKKEEPING)
              and name not in _CONTAINERS]  # fmt: skip
    try:
        with torch.serialization.safe_globals(hollow), warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # about pickles that torch has not written
            return _load(path, kind)
    except pickle.UnpicklingError as error:  # its words advise to read the file unsafely; ours do not
        if found := re.findall(r"GLOBAL ([\w.]+)", str(error)):
            raise CheckpointUnsafeError(path, found[:1]) from error
        hint = "give what torch.save wrote, or a .safetensors file"
        raise CheckpointUnreadableError(path, "it is a pickle, but none of PyTorch's", hint) from error
    except Exception as error:  # a reading of arbitrary bytes may fail in any way
        raise CheckpointUnreadableError(path, _first_sentence(error)) from error


def _load(path: Path, kind: FileKind) -> Any:
    """What PyTorch's careful reader makes of a file, under a name that does not mislead it: it goes by the ending."""
    if kind == "pickle":
        with open_plain(path) as file:
            return torch.load(file, map_location="cpu", weights_only=True)
    with tempfile.TemporaryDirectory() as folder:
        plain = Path(folder) / "checkpoint"
        try:
            plain.symlink_to(path.absolute())
        except (OSError, NotImplementedError):  # as on a Windows that allows no links
            plain = path
        return torch.load(plain, map_location="cpu", weights_only=True, mmap=True)


def require_sound_archive(path: Path) -> None:
    """See in the directory of a zipped checkpoint that it unpacks to no more than it has.

    Raises:
        CheckpointUnreadableError: it does not, or it is no checkpoint.
    """
    try:
        with open_plain(path) as file:
            _require_small_directory(path, file)
            with ZipFile(file) as archive:
                records = archive.infolist()
    except (BadZipFile, OSError, ValueError, NotImplementedError, LookupError) as error:
        raise CheckpointUnreadableError(path, f"it is a zip archive cut short, or damaged ({error})") from error
    pickles = [record for record in records if record.filename.rpartition("/")[2] == "data.pkl"]
    if not pickles:
        raise CheckpointUnreadableError(
            path, "it is a zip archive, but no checkpoint of PyTorch's", "unpack it, and give the file or folder inside"
        )
    if any(record.file_size > MAX_PICKLE_BYTES for record in pickles):
        claimed = max(record.file_size for record in pickles) / 1e6
        raise _TooLargeError(path, f"its names and shapes would take {claimed:.0f} MB, of which 64 MB are read")
    size, unpacked = path.stat().st_size, sum(record.file_size for record in records)
    if unpacked > size:
        raise _TooLargeError(path, f"its {size / 1e6:.1f} MB would unpack to {unpacked / 1e6:.0f} MB")


class _TooLargeError(CheckpointUnreadableError):
    """A small file that would allocate a lot of memory."""

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(path, reason, "PyTorch writes no such file; use one from its authors")


def _require_small_directory(path: Path, file: BinaryIO) -> None:
    """Look at how long the list of records is before it is read."""
    size = path.stat().st_size
    file.seek(max(0, size - (1 << 16) - 22 - 20))
    tail = file.read()
    end = tail.rfind(_END)
    if end < 0 or len(tail) < end + 22:
        raise BadZipFile("its end is missing")
    count = int.from_bytes(tail[end + 10 : end + 12], "little")
    length = int.from_bytes(tail[end + 12 : end + 16], "little")
    locator = tail[max(0, end - 20) : end]
    if locator.startswith(_ZIP64_LOCATOR):
        file.seek(min(int.from_bytes(locator[8:16], "little"), size))
        record = file.read(56)
        if record.startswith(_ZIP64_END):
            count, length = int.from_bytes(record[32:40], "little"), int.from_bytes(record[40:48], "little")
    if count > _MAX_RECORDS or length > _MAX_DIRECTORY_BYTES:
        raise _TooLargeError(path, f"it lists {count} records")
    file.seek(0)


def _names_asked_for(path: Path, kind: FileKind) -> set[str]:
    """Every function and class that the pickles in a file name.

    Raises:
        CheckpointUnreadableError: a pickle is damaged, or longer than sense.
    """
    names: set[str] = set()
    texts: set[str] = set()
    count = 0
    try:
        for opcode, argument in _instructions(path, kind):
            count += 1
            if count > _MAX_INSTRUCTIONS:
                raise _TooLargeError(path, f"its pickle has more than {_MAX_INSTRUCTIONS} instructions")
            if opcode == "GLOBAL":
                names.add(str(argument).replace(" ", "."))
            elif isinstance(argument, str) and len(argument) < 20:
                texts.add(argument.lower().removesuffix("_codec").removesuffix("-codec"))
    except (ValueError, LookupError, OverflowError, EOFError, BadZipFile, OSError, NotImplementedError) as error:
        raise CheckpointUnreadableError(path, "it is empty, or ends too early, or is damaged") from error
    if "_codecs.encode" in names and texts & _CODECS_THAT_GROW:
        raise CheckpointUnsafeError(path, ["_codecs.encode"])
    return names


def _instructions(path: Path, kind: FileKind) -> Iterator[tuple[str, Any]]:
    """The instructions of all pickles in a file; PyTorch wrote five into it, one after the other, until 2020."""
    with open_plain(path) as file:
        if kind == "zip":
            with ZipFile(file) as archive:
                for name in archive.namelist():
                    if name.rpartition("/")[2] == "data.pkl":
                        with archive.open(name) as record:
                            yield from _read(io.BytesIO(record.read(MAX_PICKLE_BYTES)))
            return
        stream = io.BytesIO(file.read(MAX_PICKLE_BYTES))
    for _ in range(_PICKLES_IN_A_ROW):
        place = stream.tell()
        begins = stream.read(1) == b"\x80"
        stream.seek(place)
        if begins:
            yield from _read(stream)


def _read(stream: io.BytesIO) -> Iterator[tuple[str, Any]]:
    for opcode, argument, _ in pickletools.genops(stream):
        yield opcode.name, argument


def _is_harmless(name: str) -> bool:
    """Whether it makes tensors, numbers, words and containers only, no larger than what the file holds for them."""
    if name.startswith("torch._utils."):
        return name in _TENSOR_MAKERS
    return name in _CONTAINERS or name.startswith((*_BOOKKEEPING, "torch."))  # torch's own reader is strict with these


def _hollow(name: str) -> type:
    """A class that takes anything and does nothing; the unpickler fills only dictionaries that it knows."""
    if name.endswith("Dict"):
        return OrderedDict

    def swallow(self: object, *_: object, **__: object) -> None:
        del self

    return type(name.rpartition(".")[2], (), {"__init__": swallow, "__setstate__": swallow})


def _first_sentence(error: Exception) -> str:
    if isinstance(error, EOFError):
        return "it is empty, or ends too early"
    if isinstance(error, MemoryError):
        return "it asks for more memory than there is"
    if not isinstance(error, OSError | RuntimeError | ValueError):
        return "it is damaged"
    said = re.sub(r"^\[enforce fail at [^]]*\][ .]*", "", str(error).strip()) or type(error).__name__
    return said.splitlines()[0].split(". ")[0]
