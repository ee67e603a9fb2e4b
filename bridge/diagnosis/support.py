"""`retake support`: collects diagnostics in one zip file; no token, and no audio or prompts unless requested."""

import argparse
import itertools
import os
import sys
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

from bridge.diagnosis.checks.surroundings import own_surroundings
from bridge.diagnosis.doctor import CHECKS
from bridge.diagnosis.support_contents import ENTRIES, SupportBundle, cleaned_log, write_entry
from bridge.diagnosis.support_errors import BundleExistsError, BundleWriteError, SupportError
from bridge.errors import BridgeError

_INTERRUPTED = 130
_HIDDEN = "Prompts and other words of yours are hidden, and paths cut to file names."
_SHOWN = "Prompts and paths are readable, as you asked."


def main(argv: Sequence[str] | None = None, checks: Mapping[str, str] = CHECKS) -> int:
    """Write the bundle and print its name; return 1 if it cannot be written, 130 when interrupted."""
    options = _options(argv)
    bundle = SupportBundle(own_surroundings(), tuple(options.with_audio), options.with_prompts, checks)
    try:
        if options.list:
            print("\n".join(_listing(bundle)))
            return 0
        file = _write(options.output, bundle)
    except BridgeError as error:
        print(f"{error.text}\nhint: {error.hint}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return _INTERRUPTED
    print(f"wrote {file}\nNothing was sent. Have a look inside if you like, then attach it to your report.")
    return 0


def _options(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="retake support",
        description="Collect diagnostics in one zip file. It is written here, and not sent anywhere.",
        epilog="The token and the name of your home folder are never in it.",
    )
    parser.add_argument("-o", "--output", type=Path, metavar="FILE", help="default: retake-support-<date>.zip, here")
    parser.add_argument("--list", action="store_true", help="only list what it would contain")
    parser.add_argument("--with-prompts", action="store_true", help="leave prompts and paths readable")
    parser.add_argument(
        "--with-audio",
        action="append",
        default=[],
        metavar="JOB",
        help="include the clip and the results of this job; results contain their prompt; may be repeated",
    )
    return parser.parse_args(argv)


def _listing(bundle: SupportBundle) -> Iterator[str]:
    """Yield what the bundle would contain. Raises SupportError for audio of an unknown job."""
    rows = [(name, about) for name, (about, _) in ENTRIES.items()]
    rows += [(f"logs/{file.name}", f"{file.stat().st_size / 1000:.1f} kB") for file in bundle.logs]
    rows += [(name, str(path) if path.is_file() else f"missing: {path}") for name, path in _audio(bundle)]
    width = max(len(name) for name, _ in rows)
    yield from (f"{name:<{width}}  {about}" for name, about in rows)
    yield ""
    yield _privacy(bundle)


def _privacy(bundle: SupportBundle) -> str:
    return f"{_SHOWN if bundle.with_prompts else _HIDDEN} The token and your home folder's name are left out."


def _audio(bundle: SupportBundle) -> list[tuple[str, Path]]:
    """Return the requested audio. Raises SupportError."""
    try:
        return list(bundle.audio())
    except BridgeError:
        raise
    except Exception as error:
        raise SupportError(f"the journal cannot be read: {error}", "leave --with-audio out") from error


def _write(wanted: Path | None, bundle: SupportBundle) -> Path:
    """Write the complete bundle or nothing, and never over another file. Raises SupportError."""
    audio = _audio(bundle)
    file, stream = _open_fresh(wanted)
    try:
        with stream, zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
            _fill(archive, bundle, audio)
    except BaseException as error:
        file.unlink(missing_ok=True)
        if isinstance(error, OSError):
            raise BundleWriteError(file, error.strerror or error) from error
        raise
    return file


def _open_fresh(wanted: Path | None) -> tuple[Path, IO[bytes]]:
    """Create the requested file, or the first free one of `retake-support-<date>.zip`, `…-2.zip` and so on."""
    if wanted is not None:
        return _create(wanted.expanduser().absolute())
    stem = f"retake-support-{datetime.now(UTC).astimezone():%Y-%m-%d}"
    for number in itertools.count(1):
        try:
            return _create(Path.cwd() / (f"{stem}.zip" if number == 1 else f"{stem}-{number}.zip"))
        except BundleExistsError:
            continue
    raise AssertionError("itertools.count ends")


def _create(file: Path) -> tuple[Path, IO[bytes]]:
    """Create a new file that only its user may read. Raises SupportError."""
    try:
        return file, open(file, "xb", opener=lambda path, flags: os.open(path, flags, 0o600))
    except FileExistsError as error:
        raise BundleExistsError(file) from error
    except OSError as error:
        raise BundleWriteError(file, error.strerror or error) from error


def _fill(archive: zipfile.ZipFile, bundle: SupportBundle, audio: list[tuple[str, Path]]) -> None:
    missing = [name for name, path in audio if not path.is_file()]
    about = [f"{name}: {about}" for name, (about, _) in ENTRIES.items()]
    gone = [f"{name} was requested, but no longer exists" for name in missing]
    archive.writestr("README.txt", "\n".join(["A support bundle of Retake.", *about, _privacy(bundle), *gone, ""]))
    for name in ENTRIES:
        archive.writestr(name, write_entry(name, bundle))
    for log in bundle.logs:
        archive.writestr(f"logs/{log.name}", cleaned_log(log, bundle))
    for name, path in audio:
        if name not in missing:
            archive.write(path, name)
