"""Where ReaPack, REAPER's package manager, keeps Retake's scripts: with a second set, every action is there twice."""

from pathlib import Path

_ACTION = "Retake_Restyle*.lua"
_DEPTHS = ("*/*", "*/*/*")
"""ReaPack's folders in REAPER's `Scripts`: the index's name, then the category, which may have categories inside."""


def reapack_folder(scripts: Path) -> Path | None:
    """Find the set of Retake's scripts that ReaPack brought into REAPER's folder `Scripts`; None if there is none."""
    try:
        found = sorted(file for depth in _DEPTHS for file in scripts.glob(f"{depth}/{_ACTION}") if file.is_file())
    except OSError:
        return None
    return next((file.parent for file in found if (file.parent / "modules").is_dir()), None)
