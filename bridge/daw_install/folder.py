"""One folder of installed scripts: a plan of what to write, move and delete, and its execution.

`retake.json` in that folder records what Retake put there, with its SHA-256. A file that differs from its record is the
musician's: it is kept, and a new version comes beside it as `<name>.new`, or it is first moved away to `<name>.bak`.
"""

import contextlib
import hashlib
import json
import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

LOCATION_FILE = "retake.json"
"""Records where Retake is, for the scripts, and what we installed."""


@dataclass(frozen=True)
class Step:
    """What happens to one file: `content` is written to it, or it moves to `target`, or it is deleted, or nothing.

    `action` is installed, updated, unchanged, kept, offered, backed up or removed; `failed` once it went wrong.
    """

    action: str
    file: str
    content: bytes | None = None
    target: str = ""
    reason: str = ""


@dataclass(frozen=True)
class InstallRecord:
    """What the last installation left here: the shipped SHA-256 of each file, and the folders it created."""

    files: dict[str, str] = field(default_factory=dict)
    made: list[str] = field(default_factory=list)

    @classmethod
    def read(cls, folder: Path) -> "InstallRecord | None":
        """Read a folder's record; None if there is none, or it is damaged."""
        try:
            text = json.loads((folder / LOCATION_FILE).read_text(encoding="utf-8"))
            files = {name: sha for name, sha in text["files"].items() if _is_inside(name) and isinstance(sha, str)}
            return cls(files, [name for name in text["made"] if name in (".", "..")])
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return None


def _is_inside(name: str) -> bool:
    """A record that was tampered with must not lead out of its folder."""
    return not name.startswith("/") and ".." not in name.split("/") and not set(name) & {"\\", ":"}


# ------------------------------------------------------------------------------------------------- planning


def plan_installation(folder: Path, shipped: Mapping[str, bytes], *, force: bool) -> list[Step]:
    """Return the steps after which `folder` has the shipped files, and none of ours that are no longer shipped."""
    recorded = (InstallRecord.read(folder) or InstallRecord()).files
    steps = [step for name in shipped for step in _install_file(folder, name, shipped[name], recorded, force=force)]
    spoken_for = set(shipped) | {step.file for step in steps}
    for name in sorted(set(recorded) - spoken_for):
        steps += _remove_file(folder, name, recorded[name], force=False)
    return steps


def plan_removal(folder: Path, shipped: Mapping[str, bytes], *, force: bool) -> list[Step]:
    """Return the steps that remove our files; without a record these are the files that equal shipped ones."""
    record = InstallRecord.read(folder)
    files = {name: _sha256(content) for name, content in shipped.items()} if record is None else record.files
    return [step for name in sorted(files) for step in _remove_file(folder, name, files[name], force=force)]


def _install_file(
    folder: Path, name: str, content: bytes, recorded: Mapping[str, str], *, force: bool
) -> Iterator[Step]:
    there, wanted = _fingerprint(folder / name), _sha256(content)
    if there is None:
        yield Step("installed", name, content)
    elif there == wanted:
        yield Step("unchanged", name)
    elif there == recorded.get(name):
        yield Step("updated", name, content)
    elif force:
        yield Step("backed up", name, target=_free_name(folder, name, ".bak"))
        yield Step("updated", name, content)
    else:
        yield Step("kept", name)
        yield from _offer(folder, name, content, recorded)


def _offer(folder: Path, name: str, content: bytes, recorded: Mapping[str, str]) -> Iterator[Step]:
    """Write a new version beside the musician's file, once: if it was deleted, it is not written again."""
    wanted = _sha256(content)
    earlier = [offer for offer in recorded if offer.startswith(f"{name}.new")]
    ours = [offer for offer in earlier if _fingerprint(folder / offer) == recorded[offer]]
    if recorded.get(name) == wanted:
        yield from (Step("unchanged", offer) for offer in ours if recorded[offer] == wanted)
    else:
        yield Step("offered", ours[0] if ours else _free_name(folder, name, ".new"), content)


def _remove_file(folder: Path, name: str, recorded: str, *, force: bool) -> Iterator[Step]:
    there = _fingerprint(folder / name)
    if there == recorded:
        yield Step("removed", name)
    elif there is not None and force:
        yield Step("backed up", name, target=_free_name(folder, name, ".bak"))
    elif there is not None:
        yield Step("kept", name)


def _fingerprint(path: Path) -> str | None:
    """Return a file's SHA-256; None if it is missing, and "unreadable" if it cannot be read."""
    if not os.path.lexists(path):
        return None
    try:
        return _sha256(path.read_bytes())
    except OSError:
        return "unreadable"


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _free_name(folder: Path, name: str, suffix: str) -> str:
    """Return an unused name."""
    number, free = 1, name + suffix
    while os.path.lexists(folder / free):
        number += 1
        free = f"{name}{suffix}{number}"
    return free


# ------------------------------------------------------------------------------------------------ execution


def carry_out_installation(
    folder: Path, steps: Iterable[Step], shipped: Mapping[str, bytes], location: Mapping[str, str]
) -> list[Step]:
    """Execute a plan, then write the record; failed steps say why, and do not stop the others."""
    before = InstallRecord.read(folder) or InstallRecord()
    made = before.made or [name for name in (".", "..") if not Path(os.path.normpath(folder / name)).exists()]
    done = _execute_all(folder, steps)
    if done and all(step.action == "failed" for step in done):
        return done
    _clear_folders(folder, (step for step in done if step.action == "removed"))
    record = InstallRecord(_recorded_after(before.files, done, shipped), made)
    return [*done, *_write_location(folder, location, record)]


def _recorded_after(before: Mapping[str, str], done: list[Step], shipped: Mapping[str, bytes]) -> dict[str, str]:
    """Return our files now; for a file that the musician changed, the version that was shipped."""
    files: dict[str, str] = {}
    for step in done:
        name = step.file
        if step.action == "failed":
            files |= {name: before[name]} if name in before else {}
        elif step.content is not None:
            files[name] = _sha256(step.content)
        elif step.action in ("unchanged", "kept"):
            files |= {name: _sha256(shipped[name])} if name in shipped else {}
            files |= {name: before[name]} if name not in shipped and step.action == "unchanged" else {}
    return files


def _write_location(folder: Path, location: Mapping[str, str], record: InstallRecord) -> Iterator[Step]:
    about = "Written by `retake install-scripts`, and rewritten each time. It tells the scripts where Retake is."
    content: dict[str, Any] = {"about": about, **location, "made": record.made, "files": record.files}
    text = json.dumps(content, indent=1, ensure_ascii=False).encode("utf-8", "backslashreplace")
    path = folder / LOCATION_FILE
    if not path.exists() or path.read_bytes() != text:
        yield _execute(folder, Step("updated" if path.exists() else "installed", LOCATION_FILE, text))


def carry_out_removal(folder: Path, steps: Iterable[Step]) -> list[Step]:
    """Execute a plan, then remove the record and empty folders."""
    record = InstallRecord.read(folder)
    done = _execute_all(folder, steps)
    if any(step.action == "failed" for step in done):
        return done
    if record is not None:
        done.append(_execute(folder, Step("removed", LOCATION_FILE)))
    _clear_folders(folder, done)
    for name in record.made if record is not None else ():
        remove_if_empty(Path(os.path.normpath(folder / name)))
    return done


def _clear_folders(folder: Path, steps: Iterable[Step]) -> None:
    """Remove folders inside this one that are now empty."""
    for name in sorted({str(PurePosixPath(step.file).parent) for step in steps}, reverse=True):
        remove_if_empty(folder / name / "__pycache__")
        if name != ".":
            remove_if_empty(folder / name)


def _execute_all(folder: Path, steps: Iterable[Step]) -> list[Step]:
    """Execute the steps in order; a file that could not be backed up is not overwritten."""
    done: list[Step] = []
    for step in steps:
        if not any(earlier.file == step.file and earlier.action == "failed" for earlier in done):
            done.append(_execute(folder, step))
    return done


def _execute(folder: Path, step: Step) -> Step:
    path = folder / step.file
    try:
        if step.content is not None:
            _write(path, step.content)
        elif step.target:
            os.rename(path, folder / step.target)
        elif step.action == "removed":
            path.unlink(missing_ok=True)
            _forget_compiled(path)
    except OSError as error:
        return Step("failed", step.file, reason=error.strerror or str(error))
    return step


def _write(path: Path, content: bytes) -> None:
    """Write a file atomically: a host may read it at any moment."""
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        fresh.write_bytes(content)
        os.replace(fresh, path)
    finally:
        fresh.unlink(missing_ok=True)


def _forget_compiled(path: Path) -> None:
    """Remove the bytecode that a host's Python compiled."""
    if path.suffix == ".py":
        for compiled in (path.parent / "__pycache__").glob(f"{path.stem}.*.pyc"):
            compiled.unlink(missing_ok=True)


def remove_if_empty(folder: Path) -> None:
    """Remove a folder if it is empty and exists."""
    with contextlib.suppress(OSError):
        folder.rmdir()
