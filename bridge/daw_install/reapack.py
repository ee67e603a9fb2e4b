"""Where ReaPack, REAPER's package manager, keeps Retake's scripts: a second set would duplicate every action."""

from pathlib import Path

_ACTION = "Retake_Restyle*.lua"
_DEPTHS = ("*/*", "*/*/*")
"""ReaPack's folders in REAPER's `Scripts`: the index's name, then the category, which may be nested."""


def reapack_folder(scripts: Path) -> Path | None:
    """Return the folder of Retake's scripts that ReaPack installed in `Scripts`, or None."""
    try:
        found = sorted(file for depth in _DEPTHS for file in scripts.glob(f"{depth}/{_ACTION}") if file.is_file())
    except OSError:
        return None
    return next((file.parent for file in found if (file.parent / "modules").is_dir()), None)
