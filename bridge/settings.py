"""The daemon's settings: built-in, then a TOML file, then the environment, then flags; checked once, then frozen.

A plain dataclass, because importing pydantic-settings alone takes half of the 0.5 s in which the daemon has to answer.
"""

import argparse
import tomllib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import Field, dataclass, field, fields
from pathlib import Path
from typing import Any

import platformdirs

from bridge.errors import SettingsError, nearest

LOG_LEVELS = ("debug", "info", "warning", "error")


def user_config_file() -> Path:
    return platformdirs.user_config_path("retake", appauthor=False) / "retake.toml"


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Every setting. `idle_unload_min` is RETAKE_IDLE_UNLOAD_MIN in the environment and --idle-unload-min as a flag."""

    port: int = field(
        default=53170,
        metadata={"about": "UDP port on 127.0.0.1; the next free one is taken when it is busy, 0 takes any"},
    )
    output_dir: Path | None = field(
        default=None, metadata={"about": "folder for results; without one: beside the clip, or Music/Retake"}
    )
    models_dir: Path | None = field(default=None, metadata={"about": "folder of the installed models"})
    model: str = field(default="nano", metadata={"about": "model for requests that name none"})
    device: str = field(default="auto", metadata={"about": "auto, cpu, cuda or mps"})
    require_token: bool = field(
        default=True, metadata={"about": "refuse commands without the token of the runtime file"}
    )
    idle_unload_min: float = field(
        default=30.0, metadata={"about": "minutes without work after which the model leaves the memory"}
    )
    queue_capacity: int = field(default=200, metadata={"about": "jobs that may wait"})
    cancel_grace_s: float = field(
        default=10.0, metadata={"about": "seconds after which a cancelled job that goes on is stopped by force"}
    )
    preview_device: str = field(
        default="", metadata={"about": "output device of previews, its name or a part of it; the system's if not set"}
    )
    preview_level_db: float = field(default=0.0, metadata={"about": "level of previews, -120 to 6 dB"})
    log_level: str = field(default="info", metadata={"about": f"one of {', '.join(LOG_LEVELS)}"})

    def __post_init__(self) -> None:
        _require(0 <= self.port <= 65535, "port", self.port, "a port from 0 to 65535")
        _require(self.idle_unload_min > 0, "idle_unload_min", self.idle_unload_min, "more than 0 minutes")
        _require(self.queue_capacity > 0, "queue_capacity", self.queue_capacity, "at least 1 job")
        _require(self.cancel_grace_s > 0, "cancel_grace_s", self.cancel_grace_s, "more than 0 seconds")
        _require(-120 <= self.preview_level_db <= 6, "preview_level_db", self.preview_level_db, "-120 to 6 dB")
        _require(self.log_level in LOG_LEVELS, "log_level", self.log_level, f"one of {', '.join(LOG_LEVELS)}")


def _require(is_fine: bool, name: str, value: object, expected: str) -> None:
    if not is_fine:
        raise SettingsError(name, value, "the settings", expected)


_WORDS = {"1": True, "true": True, "yes": True, "on": True, "0": False, "false": False, "no": False, "off": False}


def _read_switch(value: Any) -> bool:
    return value if isinstance(value, bool) else _WORDS[value.lower()]


def _read_path(value: Any) -> Path:
    return Path(value).expanduser().absolute()


_Reader = tuple[str, tuple[type, ...], Callable[[Any], Any]]
_READERS: dict[Any, _Reader] = {
    int: ("a whole number", (int, str), int),
    float: ("a number", (int, float, str), float),
    bool: ("true or false", (bool, str), _read_switch),
    str: ("a string", (str,), str),
    Path | None: ("a path", (str, Path), _read_path),
}
"""What a setting of a type is called, which types it may be given as, and how it is read."""


def load_settings(environment: Mapping[str, str], flags: Mapping[str, Any]) -> Settings:
    """Put the settings together, later sources over earlier ones. Raises SettingsError, which names the source."""
    known = {entry.name: entry for entry in fields(Settings)}
    values: dict[str, Any] = {}
    for source, name, value in _sources(environment, flags):
        if name not in known:
            raise SettingsError(name, value, source, nearest(name, known, f"one of {', '.join(known)}"))
        values[name] = _converted(known[name], value, source)
    return Settings(**values)


def _sources(environment: Mapping[str, str], flags: Mapping[str, Any]) -> Iterator[tuple[str, str, Any]]:
    """Give (source, name, value) of everything that is set, the weakest first."""
    chosen = flags.get("config") or environment.get("RETAKE_CONFIG")
    file = Path(chosen) if chosen else user_config_file()
    for name, value in _read_file(file, is_required=bool(chosen)).items():
        yield str(file), name, value
    for entry in fields(Settings):
        variable = f"RETAKE_{entry.name.upper()}"
        if variable in environment:
            yield f"the environment variable {variable}", entry.name, environment[variable]
    for name, value in flags.items():
        if name != "config" and value is not None:
            yield "the command line", name, value


def _read_file(file: Path, *, is_required: bool) -> dict[str, Any]:
    if not is_required and not file.exists():
        return {}
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise SettingsError("config", str(file), "the settings", f"a readable TOML file ({error})") from error


def _converted(entry: Field[Any], value: Any, source: str) -> Any:
    """Turn a word, or a TOML value, into the type of the setting."""
    expected, accepted, read = _READERS[entry.type]
    if not isinstance(value, accepted) or (isinstance(value, bool) and bool not in accepted):
        raise SettingsError(entry.name, value, source, expected)
    try:
        return read(value)
    except (ValueError, KeyError):
        raise SettingsError(entry.name, value, source, expected) from None


def add_flags(parser: argparse.ArgumentParser) -> None:
    """Give the parser one flag for each setting, and --config."""
    parser.add_argument("--config", metavar="FILE", help="settings file (TOML)")
    for entry in fields(Settings):
        flag = f"--{entry.name.replace('_', '-')}"
        shown = "" if entry.default in {None, ""} else f" (default: {entry.default})"
        parser.add_argument(flag, metavar="VALUE", help=entry.metadata["about"] + shown)
