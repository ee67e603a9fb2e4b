"""Names of the files that the command line writes: readable, short, and never one that is taken."""

import errno
import itertools
import os
import re
import tempfile
import unicodedata
from contextlib import suppress
from pathlib import Path

from engine.errors import InvalidRequestError, OutputExistsError, OutputWriteError
from engine.file_names import safe_name
from engine.wav_writer import sidecar_path

MOST_BYTES = 120  # of a name, so that every file system takes it
SUFFIX = ".wav"


def choose_outputs(wanted: Path | None, words: str, count: int) -> list[Path]:
    """`count` paths that do not exist: `wanted` (a file or a folder), or named after `words` in the working folder.

    They can be written: their folder is made where it is missing, and each name is tried.

    Raises:
        OutputExistsError: the given name is taken.
        InvalidRequestError: it does not end in .wav.
        OutputWriteError: nothing can be written there, or not under that name.
    """
    try:
        paths = _chosen(wanted, words, count)
    except OSError as error:  # such as a name that is too long for the file system
        raise OutputWriteError(wanted or Path(), error.strerror or str(error), error.errno) from error
    for path in paths:
        _try_name(path)
    return paths


def _try_name(path: Path) -> None:
    """Find out before the work what would fail after it."""
    try:
        if not path.parent.is_dir():
            path.parent.mkdir(parents=True)
    except OSError as error:
        raise OutputWriteError(path.parent, error.strerror or str(error), error.errno) from error
    try:
        path.open("xb").close()
        path.unlink()
    except FileExistsError:
        raise OutputExistsError(path) from None
    except OSError as error:
        raise OutputWriteError(path, error.strerror or str(error), error.errno) from error


def _chosen(wanted: Path | None, words: str, count: int) -> list[Path]:
    if wanted is None or wanted.is_dir():
        return _free_paths(wanted or Path(), words, count)
    if wanted.suffix.lower() not in ("", SUFFIX):
        raise InvalidRequestError("output", str(wanted), "a name that ends in .wav")
    first = wanted if wanted.suffix else wanted.with_name(wanted.name + SUFFIX)
    paths = [_numbered(first, number) for number in range(1, count + 1)]
    for path in paths:
        refuse_existing(path)
        refuse_existing(sidecar_path(path))
    return paths


def refuge(path: Path) -> Path:
    """A free path for a take whose own folder vanished while it was made: in the working folder, or the user's own.

    Raises OutputWriteError when there is no such place.
    """
    for folder in (Path.cwd, Path.home, lambda: Path(tempfile.gettempdir())):
        with suppress(OSError, RuntimeError, OutputWriteError):
            return choose_outputs(folder(), path.stem, 1)[0]
    raise OutputWriteError(path, os.strerror(errno.ENOENT), errno.ENOENT)


def refuse_existing(path: Path) -> None:
    """Raises OutputExistsError when the path exists, even as a broken link."""
    if os.path.lexists(path):
        raise OutputExistsError(path)


def default_words(operation: str, prompt: str, seed: int, clip: Path | None = None) -> str:
    """`<clip> <operation> <prompt> s<seed>`, without what file systems or shells dislike in a prompt."""
    ending = f" s{seed}"
    stem = safe_name(clip.stem, MOST_BYTES // 3) if clip else ""
    words = " ".join(filter(None, (stem, operation, _slug(prompt))))
    return _cut(words, MOST_BYTES - len(f" (999){SUFFIX}") - len(ending)) + ending


def _free_paths(folder: Path, words: str, count: int) -> list[Path]:
    numbered = (_numbered(folder / (words + SUFFIX), number) for number in itertools.count(1))
    free = (path for path in numbered if not any(map(os.path.lexists, (path, sidecar_path(path)))))
    return list(itertools.islice(free, count))


def _numbered(path: Path, number: int) -> Path:
    """The names in their order: name.wav, name (2).wav, name (3).wav."""
    return path if number == 1 else path.with_name(f"{path.stem} ({number}){path.suffix}")


def _slug(text: str) -> str:
    """Letters and digits of any script, single hyphens between them."""
    return re.sub(r"[\W_]+", "-", unicodedata.normalize("NFC", text)).strip("-").lower()


def _cut(text: str, most_bytes: int) -> str:
    return text.encode()[:most_bytes].decode(errors="ignore").rstrip("- ")
