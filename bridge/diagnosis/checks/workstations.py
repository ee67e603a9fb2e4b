"""Which DAWs are installed, whether Retake's scripts are in each, and whether these are up to date."""

import json
from collections.abc import Iterator
from pathlib import Path

from bridge.daw_install.command import known_places
from bridge.daw_install.folder import LOCATION_FILE, InstallRecord, plan_installation
from bridge.daw_install.hosts import ScriptFolder
from bridge.daw_install.parts import HOSTS, others_folder, shipped_files, target_folder
from bridge.diagnosis.checks.finding import Finding, ok, problem, warning
from bridge.diagnosis.checks.surroundings import Surroundings
from bridge.errors import BridgeError

_PROGRAMS = ("send", "retake")


def check_workstations(surroundings: Surroundings) -> Iterator[Finding]:
    count = 0
    for host in HOSTS:
        for place in known_places(host, surroundings.machine, surroundings.state):
            count += 1
            theirs = others_folder(place)
            yield _look_at_others(host, place, theirs) if theirs else _look_at(host, place)
    if not count:
        names = ", ".join(host.name for host in HOSTS.values())
        yield warning(
            "workstations",
            f"none found of {names}",
            "start yours once, so that it makes its folders, or name its folder: "
            "`retake install-scripts reaper --path FOLDER`",
        )


def _look_at(host: str, place: ScriptFolder) -> Finding:
    folder, remedy = target_folder(place), f"`retake install-scripts {host}`"
    if place.part == "extension":
        there = (
            f"Retake's extension is in {folder}" if folder.exists() else "Retake's extension, an extra, is not there"
        )
        return ok(place.program, there)
    try:
        steps = plan_installation(folder, shipped_files(place), force=False)
    except BridgeError as error:
        return problem(place.program, error.text, error.hint)
    actions = {step.action for step in steps}
    if actions == {"installed"}:
        return warning(place.program, f"found, but Retake's scripts are not in {folder}", remedy)
    lost = _lost_program(folder)
    if lost:
        return problem(place.program, f"its scripts look for Retake at {lost}, which no longer exists", remedy)
    if actions & {"installed", "updated", "removed", "offered"}:
        return warning(place.program, f"the scripts in {folder} are those of another version of Retake", remedy)
    changed = sum(step.action == "kept" for step in steps)
    return ok(place.program, f"scripts up to date in {folder}" + (f"; {changed} changed by you" if changed else ""))


def _look_at_others(host: str, place: ScriptFolder, theirs: Path) -> Finding:
    """Check scripts that ReaPack installed: whether they can find Retake, and whether there is a second set."""
    folder, remedy = target_folder(place), f"`retake install-scripts {host}`"
    record, lost = InstallRecord.read(folder), _lost_program(folder)
    if record is None:
        return warning(place.program, f"the scripts of ReaPack in {theirs} do not know where Retake is", remedy)
    if lost:
        return problem(place.program, f"its scripts look for Retake at {lost}, which no longer exists", remedy)
    if record.files:
        return warning(place.program, f"every action is there twice: in {folder}, and by ReaPack in {theirs}", remedy)
    return ok(place.program, f"ReaPack keeps the scripts in {theirs}")


def _lost_program(folder: Path) -> str:
    """Return the program that the scripts would start but that no longer exists; "" if there is none."""
    try:
        location = json.loads((folder / LOCATION_FILE).read_text(encoding="utf-8"))
        programs = [str(location[word]) for word in _PROGRAMS if word in location]
    except (OSError, ValueError, TypeError):
        return ""
    return next((program for program in programs if not Path(program).is_file()), "")
