"""`retake install-scripts`: installs Retake's scripts into REAPER, Ardour and Ableton Live, or removes them."""

import argparse
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from bridge import __version__
from bridge.daw_install.errors import HostFolderMissingError, HostMissingError
from bridge.daw_install.folder import (
    LOCATION_FILE,
    InstallRecord,
    Step,
    carry_out_installation,
    carry_out_removal,
    plan_installation,
    plan_removal,
    remove_if_empty,
)
from bridge.daw_install.hosts import HostPlatform, ScriptFolder
from bridge.daw_install.memory import forget, recall, remember
from bridge.daw_install.parts import (
    HOSTS,
    PARTS,
    extension_storage,
    is_familiar,
    named_place,
    others_folder,
    remaining_clicks,
    shipped_files,
    source_folder,
    target_folder,
)
from bridge.daw_install.report import InstallOutcome, facts, sentences
from bridge.errors import BridgeError
from bridge.host.discovery import state_folder
from bridge.host.entry import enter
from bridge.host.program import own_program, own_sender
from bridge.host.runtime_copies import add_copy_folder, remove_copy_folder

_LINKED = "this folder is a link to Retake's own scripts, which stay unchanged"
_STRANGE = "{folder} does not look like a folder of {host}: see that --path is right, or start {host} there once"
_STAYS = "the extension itself is removed in Live: Settings, Extensions"
_NO_SENDER = "retake-send was not found beside this Retake; the scripts will look where installers put it"
_REAPACK = "ReaPack keeps the actions, in {folder}; this folder only tells them where Retake is"
_LOCATED = "the actions are not installed here; this folder only tells them where Retake is"


def main(argv: Sequence[str] | None = None, machine: HostPlatform | None = None) -> int:
    """Install, update or remove: 0 success, 1 something failed or nothing was found, 2 wrong usage."""
    options = _options(argv)
    machine = machine or HostPlatform(sys.platform, os.environ, Path.home())
    outcomes: list[InstallOutcome] = []
    errors: list[BridgeError] = []
    for host in [options.host] if options.host else HOSTS:
        try:
            places = _places(host, options, machine)
            outcomes += [_settle(host, place, options) for place in places]
        except BridgeError as error:
            errors.append(error)
    if not options.dry_run:
        _remember(outcomes, remove=options.remove)
    new = [] if options.remove else [outcome for outcome in outcomes if not outcome.are_actions_elsewhere]
    parts = {outcome.place.part: outcome.host for outcome in new}
    clicks = {part: remaining_clicks(host, part) for part, host in parts.items()}
    if options.json:
        print(json.dumps(_as_json(outcomes, errors, clicks), indent=1, ensure_ascii=False))
    else:
        _print(outcomes, errors, clicks, options)
    is_failure = errors and (options.host or not outcomes) and not options.remove
    return 1 if is_failure or any(outcome.has_failed for outcome in outcomes) else 0


def _options(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="retake install-scripts",
        description="Install Retake's scripts into REAPER, Ardour and Ableton Live, or update them.",
        epilog="A file that you changed is never replaced: the new version is written beside it, as NAME.new.",
    )
    parser.add_argument("host", nargs="?", choices=HOSTS, metavar="HOST", help=f"{', '.join(HOSTS)}; default: all")
    parser.add_argument(
        "--path", type=Path, metavar="FOLDER", help="HOST's own folder, such as that of a portable REAPER"
    )
    parser.add_argument("--dry-run", action="store_true", help="only print what would happen")
    parser.add_argument("--remove", action="store_true", help="remove the scripts")
    parser.add_argument(
        "--force", action="store_true", help="move files that you changed to NAME.bak, and replace them"
    )
    parser.add_argument("--json", action="store_true", help="machine-readable")
    parser.add_argument(
        "--locate", action="store_true", help="REAPER: only record where Retake is, for scripts that ReaPack installed"
    )
    options = parser.parse_args(argv)
    if options.locate:
        if options.host not in (None, "reaper") or options.remove:
            parser.error(
                "--locate is for the scripts that ReaPack installed in REAPER: `--locate`, or `reaper --locate`"
            )
        options.host = "reaper"
    if options.path is not None and options.host is None:
        parser.error("--path needs a HOST: whose folder is it?")
    return options


def _places(host: str, options: argparse.Namespace, machine: HostPlatform) -> list[ScriptFolder]:
    """Return the folders to work on: the named one, or those that are found or remembered."""
    if options.path is not None:
        path = options.path.expanduser().absolute()
        if not path.exists():
            raise HostFolderMissingError(path)
        return [named_place(HOSTS[host], path)]
    places = known_places(host, machine, state_folder(os.environ))
    if not places:
        raise HostMissingError(HOSTS[host].name, HOSTS[host].looks_in(machine))
    return places


def known_places(host: str, machine: HostPlatform, state: Path | None) -> list[ScriptFolder]:
    """Return a host's folders: found, or remembered from an earlier installation."""
    found = HOSTS[host].find(machine)
    parts = set(HOSTS[host].folders.values())
    remembered = [
        place
        for place in (recall(state) if state is not None else ())
        if place.part in parts and InstallRecord.read(target_folder(place)) is not None
    ]
    return list({(place.part, place.folder): place for place in [*remembered, *found]}.values())


def _settle(host: str, place: ScriptFolder, options: argparse.Namespace) -> InstallOutcome:
    """Install, update or remove one folder. Raises ScriptsMissingError."""
    if place.part == "extension":
        return _connect_extension(host, place, options)
    folder, shipped = target_folder(place), shipped_files(place)
    if folder.resolve() == source_folder(place).resolve():
        return InstallOutcome(host, place, folder, notes=(_LINKED,))
    if options.remove:
        steps = plan_removal(folder, shipped, force=options.force)
        done = steps if options.dry_run else carry_out_removal(folder, steps)
        return InstallOutcome(host, place, folder, tuple(done), () if options.dry_run else _clear_work(place))
    location = _location()
    notes = [] if "send" in location else [_NO_SENDER]
    if options.path is not None and not is_familiar(HOSTS[host], place):
        notes.append(_STRANGE.format(host=HOSTS[host].name, folder=place.folder.parent))
    theirs = others_folder(place)
    if theirs or options.locate:
        shipped = {}
        notes.append(_REAPACK.format(folder=theirs) if theirs else _LOCATED)
    steps = plan_installation(folder, shipped, force=options.force)
    if not shipped and options.dry_run and InstallRecord.read(folder) is None:
        steps.append(Step("installed", LOCATION_FILE))  # the only change, which --json has to report
    done = steps if options.dry_run else carry_out_installation(folder, steps, shipped, location)
    return InstallOutcome(host, place, folder, tuple(done), tuple(notes), are_actions_elsewhere=not shipped)


def _connect_extension(host: str, place: ScriptFolder, options: argparse.Namespace) -> InstallOutcome:
    """Let the daemon publish its address in the one folder that the extension can read, or stop it."""
    state, storage, folder = state_folder(os.environ), extension_storage(place), target_folder(place)
    if options.remove:
        if not options.dry_run:
            remove_copy_folder(state, storage)
        notes = [f"the daemon writes nothing to {storage} any more"]
        notes += [_STAYS] if folder.exists() else []
        return InstallOutcome(host, place, folder, notes=tuple(notes))
    if not options.dry_run:
        add_copy_folder(state, storage)
    notes = [f"the daemon writes for the extension where it is, in {storage}"]
    build = source_folder(place) / "build.mjs"
    notes += [] if folder.exists() else [f'to make it: node "{build}" --sdk YOUR-COPY.tgz --folder "{folder}"']
    return InstallOutcome(host, place, folder, notes=tuple(notes))


def _clear_work(place: ScriptFolder) -> tuple[str, ...]:
    """Remove the folder of temporary files if it is empty; return a note if it is not."""
    part = PARTS[place.part]
    work = Path(os.path.normpath(target_folder(place) / part.work_folder))
    if not part.work_folder or not work.exists():
        return ()
    remove_if_empty(work)
    return (f"left: {work}, which holds files of unfinished jobs",) if work.exists() else ()


def _location() -> dict[str, str]:
    """Return where our programs are, for scripts that start them."""
    found = {"send": own_sender(), "retake": own_program("retake")}
    return {"version": __version__} | {word: str(path) for word, path in found.items() if path is not None}


def _remember(outcomes: list[InstallOutcome], *, remove: bool) -> None:
    state = state_folder(os.environ)
    if remove:
        forget(state, (outcome.place for outcome in outcomes if not outcome.has_failed))
    else:
        remember(state, (outcome.place for outcome in outcomes if outcome.steps))


def _as_json(outcomes: list[InstallOutcome], errors: list[BridgeError], clicks: dict[str, str]) -> dict[str, object]:
    return {
        "version": __version__,
        "places": [facts(outcome) for outcome in outcomes],
        "errors": [{"code": error.code, "text": error.text, "hint": error.hint} for error in errors],
        "clicks": clicks,
    }


def _print(
    outcomes: list[InstallOutcome], errors: list[BridgeError], clicks: dict[str, str], options: argparse.Namespace
) -> None:
    for outcome in outcomes:
        print("\n".join(sentences(outcome, removing=options.remove, dry_run=options.dry_run)))
    for part, text in clicks.items():
        if text:
            name = next(host.name for host in HOSTS.values() if part in host.folders.values())
            print(f"\nRemaining steps in {name}:\n\n{text}")
    for error in errors:
        if options.host or not isinstance(error, HostMissingError):
            print(f"{error.text}\nhint: {error.hint}", file=sys.stderr)
        elif error.is_at_home_here and not options.remove:
            print(f"\n{error.text}" if outcomes else f"{error.text}\nhint: {error.hint}", file=sys.stderr)


if __name__ == "__main__":
    raise SystemExit(enter(main))
