"""What a file of weights is, by its content, since a suffix may be wrong."""

import re
import stat
from pathlib import Path
from typing import Literal

from engine.checkpoints.import_errors import CheckpointMissingError, CheckpointUnreadableError
from engine.checkpoints.model_files import explained, open_plain

FileKind = Literal["safetensors", "zip", "pickle"]

_HEAD = 1024  # bytes that decide
_LARGEST_HEADER = 100_000_000  # bytes of JSON in a safetensors file, by its format
_AGAIN = "download it again, and compare its size with the server's"
_UNPACK = "unpack it, and give the file or folder inside"
_FOREIGN = "AudioLDM is read as .ckpt, .safetensors or a folder of diffusers'"
_ARCHIVES = (
    (b"\x1f\x8b", "gzip"), (b"7z\xbc\xaf\x27\x1c", "7z"), (b"Rar!", "RAR"), (b"BZh", "bzip2"), (b"\xfd7zXZ", "xz"),
    (b"\x28\xb5\x2f\xfd", "zstd"),
)  # fmt: skip
_OTHERS = (
    (b"GGUF", "GGUF"), (b"\x89HDF", "HDF5"), (b"\x93NUMPY", "NumPy"), (b"%PDF", "PDF"), (b"RIFF", "WAV"),
    (b"\xff\xd8\xff", "JPEG"), (b"\x89PNG", "PNG"), (b"fLaC", "FLAC"), (b"ID3", "MP3"), (b"OggS", "Ogg"),
)  # fmt: skip


def kind_of(path: Path) -> FileKind:
    """Return how the weights in a file are stored.

    Raises:
        CheckpointMissingError: there is no such file.
        CheckpointUnreadableError: it is something else; the error says what, and what to do.
    """
    head, size = _begin(path)
    if head.startswith(b"PK\x03\x04"):
        return "zip"
    if (length := int.from_bytes(head[:8], "little")) <= _LARGEST_HEADER and head[8:9] == b"{":
        if length + 8 > size:
            raise CheckpointUnreadableError(path, f"it ends after {size} bytes, within its header", _AGAIN)
        return "safetensors"
    if head[:1] == b"\x80" and head[1:2] in (b"\x02", b"\x03", b"\x04", b"\x05"):
        return "pickle"
    raise _told(path, head, size)


def holds_weights(path: Path) -> bool:
    """Whether a file is one of weights at all."""
    try:
        kind_of(path)
    except (CheckpointMissingError, CheckpointUnreadableError):
        return False
    return True


def _begin(path: Path) -> tuple[bytes, int]:
    """The first bytes, and the size."""
    try:
        if stat.S_ISDIR(path.stat().st_mode):
            raise CheckpointMissingError(path)
        with open_plain(path) as file:
            return file.read(_HEAD), path.stat().st_size
    except FileNotFoundError as error:
        raise CheckpointMissingError(path) from error
    except (OSError, ValueError) as error:
        raise CheckpointUnreadableError(path, explained(error), "give a file that you may read") from error


def _told(path: Path, head: bytes, size: int) -> CheckpointUnreadableError:
    """What a file is that holds no weights."""
    if not size:
        return CheckpointUnreadableError(path, "it is empty", _AGAIN)
    if not head.strip(b"\0"):
        return CheckpointUnreadableError(path, "it begins with zeros: nothing was written there yet", _AGAIN)
    found = _pointer(head) or _by_signature(head) or _text(head)
    return CheckpointUnreadableError(
        path, *(found or ("it is no file of PyTorch's, and no safetensors file", _FOREIGN))
    )


def _pointer(head: bytes) -> tuple[str, str] | None:
    """What a clone without Git LFS has instead of a large file: reason and hint."""
    if not head.startswith(b"version https://git-lfs"):
        return None
    size = re.search(rb"^size (\d{1,15})$", head, re.MULTILINE)
    stands_for = f", which stands for a file of {int(size[1]) / 1e6:.1f} MB" if size else ""
    hint = "in the folder that was cloned: `git lfs install`, then `git lfs pull`; or download the file itself"
    return f"it is a pointer of Git LFS{stands_for}", hint


def _by_signature(head: bytes) -> tuple[str, str] | None:
    for magic, name in _ARCHIVES:
        if head.startswith(magic):
            return f"it is an archive ({name})", _UNPACK
    if head[257:262] == b"ustar":
        hint = f"{_UNPACK}; a checkpoint that PyTorch wrote so before 2017 has to be saved anew"
        return "it is an archive (tar)", hint
    for magic, name in _OTHERS:
        if head.startswith(magic):
            return f"it is a file of another kind ({name})", _FOREIGN
    return None


def _text(head: bytes) -> tuple[str, str] | None:
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    if re.match(rb"<(!doctype|html|head|\?xml|!--)", text, re.IGNORECASE):
        hint = "download the file itself: the link led to a page about it, or to a login"
        return "it is a web page, not a file of weights", hint
    words = re.sub(r"[\r\n\t]", " ", text.decode("utf-8", "ignore"))
    if not words.isprintable() or b"\xff" in text:
        return None
    return f"it is a text that begins “{words.strip()[:60]}”", _FOREIGN
