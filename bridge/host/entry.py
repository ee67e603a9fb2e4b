"""What every program of Retake's needs before it begins: streams that accept any text, a home, a working folder.

The program that starts us may have closed our streams, chosen an encoding that lacks our letters, or stopped reading
halfway; the exit code is right nevertheless. A limit of the system (files, processes, memory) becomes a sentence.
"""

import codecs
import contextlib
import errno
import io
import os
import stat
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TextIO

from bridge.errors import BridgeError

_AS_IT_IS = "retake-as-it-is"
_SPENT = {
    errno.EMFILE: ("no more files can be opened at once", "allow more with `ulimit -n 1024`, and start it again"),
    errno.ENFILE: ("no more files can be opened at once", "end other programs, and start it again"),
    errno.EAGAIN: ("no more processes can be started", "end other programs, or allow more with `ulimit -u`"),
    errno.ENOMEM: ("there is too little memory", "end other programs, or allow more with `ulimit -v`"),
}
"""What has run out, and what to do, by the system's own numbers."""
_FEWEST_FILES = 64
_SAID = {
    "can't start new thread": errno.EAGAIN,
    "cannot allocate memory": errno.ENOMEM,
    "can't allocate memory": errno.ENOMEM,
    "failed to map segment": errno.ENOMEM,
    "unable to allocate": errno.ENOMEM,
    "too many open files": errno.EMFILE,
}
"""The same limits in the words of libraries that give no number."""


class LimitError(BridgeError):
    """The system provides no more files, processes or memory."""

    code = "system_limit"


class GroundError(BridgeError):
    """There is no folder to work in, or output cannot be written."""

    code = "no_ground"


def enter(program: Callable[[], int]) -> int:
    """Prepare streams and folders, run a program and return its exit code; 1 where the system denies what it needs."""
    _open_what_is_closed()
    _replace_streams()
    try:
        _require_folder()
        _ensure_home()
        code = program()
        _flush()
    except Exception as error:
        denied = error if isinstance(error, GroundError) else limit_of(error)
        if denied is None:
            raise
        print(f"{denied.text}\nhint: {denied.hint}", file=sys.stderr)
        return 1
    return code


def require_files() -> None:
    """Raise LimitError where so few files may be open at once that a daemon would fail some time later."""
    if sys.platform == "win32":
        return
    import resource  # noqa: PLC0415 - there is none on Windows, and only the daemon needs it

    allowed, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    if not 0 <= allowed < _FEWEST_FILES:
        return
    if 0 <= most < _FEWEST_FILES:
        text = f"no more than {most} files may be open at once; {_FEWEST_FILES} are needed"
        raise LimitError(text, _SPENT[errno.EMFILE][1])
    resource.setrlimit(resource.RLIMIT_NOFILE, (_FEWEST_FILES, most))


def limit_of(error: BaseException) -> LimitError | None:
    """Return the limit of the system that an error, or its cause, is about; None when it is about none."""
    for one in _causes(error):
        number = errno.ENOMEM if isinstance(one, MemoryError) else getattr(one, "errno", None)
        if number not in _SPENT and isinstance(one, OSError | ImportError | RuntimeError):
            number = next((number for words, number in _SAID.items() if words in str(one).lower()), None)
        if number in _SPENT and not (number == errno.EAGAIN and isinstance(one, OSError) and one.filename):
            return LimitError(*_SPENT[number])
    return None


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


# ------------------------------------------------------------------------------------------------- streams


def _open_what_is_closed() -> None:
    """Open the standard descriptors: else the next file gets one, and a library's messages to stderr go into it."""
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # gets the smallest free number
    for name in ("stdin", "stdout", "stderr"):
        if getattr(sys, name) is None:  # also of a program without a console
            mode = "r" if name == "stdin" else "w"
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: SIM115 - open as long as we are


def _replace_streams() -> None:
    """Replace the output streams, so that no text fails for its letters or because its reader has gone."""
    codecs.register_error(_AS_IT_IS, _spell)
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is getattr(sys, f"__{name}__") and isinstance(stream, io.TextIOWrapper):
            with contextlib.suppress(OSError, ValueError):
                setattr(sys, name, _tolerant(stream))


def _tolerant(stream: io.TextIOWrapper) -> TextIO:
    stream.flush()
    buffer: io.RawIOBase | io.BufferedWriter = _TolerantFile(stream.fileno(), "wb", closefd=False)
    return io.TextIOWrapper(
        io.BufferedWriter(buffer),
        encoding=stream.encoding,
        errors=_AS_IT_IS,
        line_buffering=stream.line_buffering or stream.isatty(),
        write_through=stream.write_through,
    )


class _TolerantFile(io.FileIO):
    """A stream whose reader may go: the program goes on, and further output is discarded."""

    def write(self, data: "bytes | bytearray | memoryview") -> int:  # type: ignore[override]
        try:
            return super().write(data) or 0
        except OSError as error:
            if error.errno != errno.EPIPE and not (sys.platform == "win32" and error.errno == errno.EINVAL):
                raise
            _silence(self.fileno())
            return len(data)


def _silence(number: int) -> None:
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, number)
    os.close(nowhere)


def _spell(error: UnicodeError) -> tuple[bytes | str, int]:
    """Encode bytes of a file's name as they are, and letters that the encoding lacks as escapes."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    spelled = b"".join(
        bytes([ord(letter) - 0xDC00]) if "\udc80" <= letter <= "\udcff" else letter.encode("ascii", "backslashreplace")
        for letter in error.object[error.start : error.end]
    )
    return spelled, error.end


def _flush() -> None:
    """Flush stdout. Raises GroundError where it cannot be written, such as on a full disk."""
    try:
        sys.stdout.flush()
    except OSError as error:
        with contextlib.suppress(OSError, ValueError):
            _silence(sys.stdout.fileno())
        raise GroundError(
            f"what was found out could not be written: {error.strerror or error}", "free some space, and ask again"
        ) from error


# ------------------------------------------------------------------------------------------------- folders


def _require_folder() -> None:
    """Raise GroundError when the working folder is gone: paths would mean nothing, and libraries would not load."""
    try:
        os.getcwd()
    except OSError as error:
        raise GroundError(
            "the folder that this was started in is not there any more", "change to another folder, and start it again"
        ) from error


def _ensure_home() -> None:
    """Set HOME to a private folder where the system knows none, as in a container with an unlisted user."""
    try:
        Path.home()
    except RuntimeError:
        os.environ["HOME"] = str(_private_folder())


def _private_folder() -> Path:
    """Return this user's folder under the temporary one, made if need be. Raises GroundError when it is not theirs."""
    import tempfile  # noqa: PLC0415 - it would cost each call of `retake-send` a tenth of its time, and is rarely needed

    user = os.getuid() if sys.platform != "win32" else os.getpid()
    folder = Path(tempfile.gettempdir()) / f"retake-home-{user}"
    with contextlib.suppress(FileExistsError):
        folder.mkdir(mode=0o700)
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or (sys.platform != "win32" and found.st_uid != user) or found.st_mode & 0o077:
        raise GroundError(
            f"this user has no home folder, and {folder} is not theirs alone", "set HOME to a folder that is"
        )
    return folder
