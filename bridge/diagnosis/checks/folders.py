"""Whether Retake's folders can be written to, whether other users are kept out, and how much space is free."""

import os
import shutil
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path

import platformdirs

from bridge.diagnosis.checks.finding import Finding, ok, problem, warning
from bridge.diagnosis.checks.settings_file import valid_settings
from bridge.diagnosis.checks.surroundings import Surroundings
from bridge.host.discovery import runtime_file

_TIGHT_BYTES, _LITTLE_BYTES = 100_000_000, 1_000_000_000
_HOMELESS = "set the environment variable HOME, or RETAKE_STATE_DIR to a folder of your own"


def check_state_folder(surroundings: Surroundings) -> Iterator[Finding]:
    folder = surroundings.state
    if folder is None:
        yield problem(
            "state folder", "this user has no home folder, so the daemon has no place for its files", _HOMELESS
        )
        return
    refusal = _refusal(folder)
    if refusal:
        yield problem(
            "state folder",
            f"the daemon cannot write to its folder {folder}: {refusal}",
            "make it yours and writable, or set RETAKE_STATE_DIR to a folder that is",
        )
    elif not folder.exists():
        yield ok("state folder", f"{folder} is not there yet, and can be made")
    else:
        yield from _look_at_rights(folder, surroundings.machine.system)


def _look_at_rights(folder: Path, system: str) -> Iterator[Finding]:
    """Check whether other users can look in; on Windows the user's profile prevents that."""
    token_file = runtime_file(folder)
    if system == "win32":
        yield ok("state folder", f"{folder} can be written to")
    elif token_file.exists() and stat.S_IMODE(token_file.stat().st_mode) & 0o077:
        yield problem(
            "state folder",
            f"other users may read {token_file}, and with it the token that commands the daemon",
            f'chmod 600 "{token_file}", then `retake send quit` and `retake daemon`, for a new token',
        )
    elif stat.S_IMODE(folder.stat().st_mode) & 0o077:
        yield warning("state folder", f"other users may look into {folder}", f'chmod 700 "{folder}"')
    else:
        yield ok("state folder", f"{folder} can be written to, by you alone")


def check_output_folder(surroundings: Surroundings) -> Iterator[Finding]:
    folder = _output_folder(surroundings)
    refusal = _refusal(folder)
    if refusal:
        yield problem(
            "output folder",
            f"results cannot be written to {folder}: {refusal}",
            "set `output_dir` to a folder that you may write to",
        )
    else:
        there = "can be written to" if folder.exists() else "is not there yet, and can be made"
        yield ok("output folder", f"{folder} {there}")


def check_disk_space(surroundings: Surroundings) -> Iterator[Finding]:
    places = {"output folder": _output_folder(surroundings), "models folder": models_folder(surroundings)}
    if surroundings.state is not None:
        places["state folder"] = surroundings.state
    for what, folder in places.items():
        usage = shutil.disk_usage(_nearest_existing(folder))
        if usage.total:  # a virtual file system, such as /proc, has no size
            yield _room(f"room in {what}", folder, usage.free)


def _room(name: str, folder: Path, free: int) -> Finding:
    text = f"{free / 1e9:.1f} GB free for {folder}"
    if free < _TIGHT_BYTES:
        return problem(name, f"only {text}", "free some space, or move the folder by the settings")
    if free < _LITTLE_BYTES:
        return warning(name, f"only {text}", "free some space before you download models or render much")
    return ok(name, text)


def _output_folder(surroundings: Surroundings) -> Path:
    """Return the folder for generated sounds, as `audio_io.output_folder` chooses it."""
    return valid_settings(surroundings).output_dir or platformdirs.user_music_path().absolute() / "Retake"


def models_folder(surroundings: Surroundings) -> Path:
    """Return the folder of the user's models, as the engine chooses it."""
    named = surroundings.environment.get("RETAKE_MODELS")
    own = Path(named) if named else platformdirs.user_data_path("retake", appauthor=False) / "models"
    return valid_settings(surroundings).models_dir or own.absolute()


def _refusal(folder: Path) -> str:
    """Return why a folder cannot be written to, "" if it can, by writing and removing a file."""
    nearest = _nearest_existing(folder)
    if not nearest.is_dir():
        return f"{nearest} is a file"
    try:
        with tempfile.NamedTemporaryFile(prefix=".retake-", dir=nearest) as draft:
            draft.write(b"Retake")
            draft.flush()
    except OSError as error:
        return error.strerror or str(error)
    return ""


def _nearest_existing(folder: Path) -> Path:
    """Return the folder, or the innermost one around it that exists."""
    return next((path for path in (folder, *folder.parents) if os.path.lexists(path)), Path(folder.anchor))
