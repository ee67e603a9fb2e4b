"""The daemon's settings: built-in, then a TOML file, then the environment, then flags; checked once, then frozen.

A plain dataclass, because importing pydantic-settings alone takes half of the 0.5 s in which the daemon has to answer.
"""

import argparse
import json
import os
import re
import tomllib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import Field, dataclass, field, fields
from pathlib import Path
from typing import Any

import platformdirs

from bridge.errors import SettingsError, SettingsFileError, UnknownSettingError
from bridge.host.plain_file import open_plain

MAX_CLIP_BYTES = 8 * 2**30
MAX_CLIP_MIN = 120.0
MAX_OUTPUT_BYTES = 16 * 2**30
LOG_LEVELS = ("debug", "info", "warning", "error")


def user_config_file() -> Path:
    try:
        return platformdirs.user_config_path("retake", appauthor=False) / "retake.toml"
    except RuntimeError:  # a user without a home has no file
        return Path("/nonexistent/retake.toml")


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Every setting. `idle_unload_min` is RETAKE_IDLE_UNLOAD_MIN in the environment and --idle-unload-min as a flag."""

    port: int = field(
        default=53170,
        metadata={"about": "UDP port on 127.0.0.1; if it is taken, the next free one; 0 takes any"},
    )
    output_dir: Path | None = field(
        default=None, metadata={"about": "folder for results; if not set, beside the clip or in Music/Retake"}
    )
    models_dir: Path | None = field(default=None, metadata={"about": "folder of the installed models"})
    model: str = field(default="nano", metadata={"about": "model for requests that name none"})
    device: str = field(default="auto", metadata={"about": "auto, cpu, cuda or mps"})
    require_token: bool = field(
        default=True, metadata={"about": "refuse commands without the token of the runtime file"}
    )
    idle_unload_min: float = field(
        default=30.0, metadata={"about": "minutes without work after which the model is unloaded"}
    )
    batch_jobs: int = field(
        default=0, metadata={"about": "jobs of equal shape that are rendered together; 0 is 8 on a GPU and 1 elsewhere"}
    )
    farm: str = field(
        default="",
        metadata={
            "about": "Ray cluster that renders: auto, local, or an address such as ray://head:10001 (extra `farm`)"
        },
    )
    farm_gpus: float = field(default=1.0, metadata={"about": "GPUs of each actor of the farm; 0.5 puts two on a card"})
    farm_cpus: float = field(default=1.0, metadata={"about": "CPUs of each actor of the farm"})
    farm_actors: int = field(default=0, metadata={"about": "maximum number of actors of the farm; 0 is as many as fit"})
    farm_wait_s: float = field(
        default=60.0, metadata={"about": "seconds that a job waits for a farm that cannot be reached"}
    )
    farm_fallback: bool = field(
        default=False, metadata={"about": "render jobs on this machine when the farm loses them"}
    )
    queue_capacity: int = field(default=200, metadata={"about": "maximum number of waiting jobs"})
    cancel_grace_s: float = field(
        default=10.0, metadata={"about": "seconds after which a cancelled job that has not stopped is killed"}
    )
    worker_silence_s: float = field(
        default=60.0, metadata={"about": "seconds without a sign of life after which the render process is replaced"}
    )
    worker_stuck_min: float = field(
        default=20.0, metadata={"about": "minutes without progress in a job after which the render process is replaced"}
    )
    resume_within_h: float = field(
        default=12.0, metadata={"about": "hours within which a job is requeued after the daemon was killed"}
    )
    allowed_folders: tuple[Path, ...] = field(
        default=(), metadata={"about": "more folders that results may be written to, including their subfolders"}
    )
    max_clip_bytes: int = field(
        default=MAX_CLIP_BYTES, metadata={"about": "size of the largest clip that is read, in bytes"}
    )
    max_clip_min: float = field(
        default=MAX_CLIP_MIN,
        metadata={"about": "length of the longest clip that is read, in minutes, however small its file is"},
    )
    max_output_bytes: int = field(
        default=MAX_OUTPUT_BYTES, metadata={"about": "size of the largest result of a job, in bytes"}
    )
    history_days: int = field(default=365, metadata={"about": "days for which finished jobs are remembered"})
    history_jobs: int = field(default=100_000, metadata={"about": "number of finished jobs that are remembered"})
    preview_device: str = field(
        default="", metadata={"about": "output device of previews, its name or a part of it; the system's if not set"}
    )
    preview_level_db: float = field(default=0.0, metadata={"about": "level of previews, -120 to 6 dB"})
    log_level: str = field(default="info", metadata={"about": f"one of {', '.join(LOG_LEVELS)}"})

    def __post_init__(self) -> None:
        _require(0 <= self.port <= 65535, "port", self.port, "a port from 0 to 65535")
        _require(self.idle_unload_min > 0, "idle_unload_min", self.idle_unload_min, "more than 0 minutes")
        _require(0 <= self.batch_jobs <= 64, "batch_jobs", self.batch_jobs, "0 to 64 jobs")
        _require(_is_farm(self.farm), "farm", self.farm, "auto, local, ray://host:port or host:port")
        _require(0 <= self.farm_gpus <= 8, "farm_gpus", self.farm_gpus, "0 to 8 GPUs")
        _require(0 < self.farm_cpus <= 256, "farm_cpus", self.farm_cpus, "more than 0 CPUs")
        _require(self.farm_actors >= 0, "farm_actors", self.farm_actors, "0 or more actors")
        _require(self.farm_wait_s >= 1, "farm_wait_s", self.farm_wait_s, "at least 1 second")
        _require(self.queue_capacity > 0, "queue_capacity", self.queue_capacity, "at least 1 job")
        _require(self.cancel_grace_s > 0, "cancel_grace_s", self.cancel_grace_s, "more than 0 seconds")
        _require(self.worker_silence_s >= 1, "worker_silence_s", self.worker_silence_s, "at least 1 second")
        _require(self.worker_stuck_min > 0, "worker_stuck_min", self.worker_stuck_min, "more than 0 minutes")
        _require(self.resume_within_h >= 0, "resume_within_h", self.resume_within_h, "0 hours or more")
        _require(self.max_clip_min > 0, "max_clip_min", self.max_clip_min, "more than 0 minutes")
        for name in ("max_clip_bytes", "max_output_bytes", "history_days", "history_jobs"):
            _require(getattr(self, name) > 0, name, getattr(self, name), "at least 1")
        _require(-120 <= self.preview_level_db <= 6, "preview_level_db", self.preview_level_db, "-120 to 6 dB")
        _require(self.log_level in LOG_LEVELS, "log_level", self.log_level, f"one of {', '.join(LOG_LEVELS)}")


def _is_farm(address: str) -> bool:
    return address in {"", "auto", "local"} or re.fullmatch(r"(ray://)?[^\s/:]+:\d{1,5}", address) is not None


def _require(is_fine: bool, name: str, value: object, expected: str) -> None:
    if not is_fine:
        raise SettingsError(name, value, "the settings", expected)


_WORDS = {"1": True, "true": True, "yes": True, "on": True, "0": False, "false": False, "no": False, "off": False}


def _read_switch(value: Any) -> bool:
    return value if isinstance(value, bool) else _WORDS[value.lower()]


def _read_path(value: Any) -> Path:
    return Path(value).expanduser().absolute()


def _read_paths(value: Any) -> tuple[Path, ...]:
    """Read a list of paths, or a word with the system's separator between them: `/takes:/mnt/takes`."""
    words = [value] if isinstance(value, str) else value
    return tuple(_read_path(part) for word in words for part in word.split(os.pathsep) if part)


_Reader = tuple[str, tuple[type, ...], Callable[[Any], Any]]
_READERS: dict[Any, _Reader] = {
    int: ("a whole number", (int, str), int),
    float: ("a number", (int, float, str), float),
    bool: ("true or false", (bool, str), _read_switch),
    str: ("a string", (str,), str),
    Path | None: ("a path", (str, Path), _read_path),
    tuple[Path, ...]: ("a list of paths", (str, list), _read_paths),
}
"""What a setting of a type is called, which types it may be given as, and how it is read."""


@dataclass(frozen=True)
class SettingsReport:
    """What is set and can be used, the source of each such value, and an error for all that cannot be used."""

    values: dict[str, Any]
    origins: dict[str, str]
    errors: list[SettingsError]


def load_settings(environment: Mapping[str, str], flags: Mapping[str, Any]) -> Settings:
    """Put the settings together, later sources over earlier ones. Raises SettingsError, which names the source."""
    survey = survey_settings(environment, flags)
    if survey.errors:
        raise survey.errors[0]
    return Settings(**survey.values)


def survey_settings(environment: Mapping[str, str], flags: Mapping[str, Any]) -> SettingsReport:
    """Read all sources, later ones over earlier ones, and go on where one cannot be used."""
    known = {entry.name: entry for entry in fields(Settings)}
    survey = SettingsReport({}, {}, [])
    try:
        in_file = _read_file(environment, flags)
    except SettingsError as error:
        survey.errors.append(error)
        in_file = {}
    for source, name, value in _sources(in_file, environment, flags):
        try:
            if name not in known:
                raise UnknownSettingError(name, value, source, known)
            survey.values[name] = _converted(known[name], value, source)
            survey.origins[name] = source
        except SettingsError as error:
            survey.errors.append(error)
    return survey


def config_file(environment: Mapping[str, str], flags: Mapping[str, Any]) -> Path:
    """Return the settings file that is named, or the user's."""
    chosen = flags.get("config") or environment.get("RETAKE_CONFIG")
    return Path(chosen) if chosen else user_config_file()


def _sources(
    in_file: Mapping[str, Any], environment: Mapping[str, str], flags: Mapping[str, Any]
) -> Iterator[tuple[str, str, Any]]:
    """Yield (source, name, value) of everything that is set, the weakest source first."""
    file = str(config_file(environment, flags))
    for name, value in in_file.items():
        yield file, name, value
    for entry in fields(Settings):
        variable = f"RETAKE_{entry.name.upper()}"
        if variable in environment:
            yield f"the environment variable {variable}", entry.name, environment[variable]
    for name, value in flags.items():
        if name != "config" and value is not None:
            yield "the command line", name, value


def _read_file(environment: Mapping[str, str], flags: Mapping[str, Any]) -> dict[str, Any]:
    file = config_file(environment, flags)
    is_required = bool(flags.get("config") or environment.get("RETAKE_CONFIG"))
    try:
        if not is_required and not file.exists():
            return {}
        return tomllib.loads(text_of(file))
    except tomllib.TOMLDecodeError as error:
        raise SettingsFileError(file, _explained(error)) from error
    except (OSError, ValueError) as error:
        raise SettingsFileError(file, error) from error


def _explained(error: tomllib.TOMLDecodeError) -> str:
    """Return where and what is wrong in a settings file, without the words of its parser."""
    place = re.search(r"at (line \d+|end of document)", str(error))
    where = place[1].replace("end of document", "its end") if place else "a line of it"
    if "overwrite" in str(error) or "twice" in str(error):
        return f"{where} sets something that is set before already"
    return f"{where} is not written as `name = value`, with text in quotation marks"


def text_of(file: Path) -> str:
    """Read a settings file, in UTF-8 or UTF-16, with a byte order mark or without. Raises OSError, ValueError."""
    with open_plain(file, follow_links=True) as opened:
        content = opened.read()
    try:
        return content.decode(json.detect_encoding(content)).replace("\r\n", "\n")
    except UnicodeDecodeError:
        raise ValueError("it is no text in UTF-8 or UTF-16") from None


def _converted(entry: Field[Any], value: Any, source: str) -> Any:
    """Convert a word, or a TOML value, to the type of the setting, and check that the setting may have that value."""
    expected, accepted, read = _READERS[entry.type]
    if not isinstance(value, accepted) or (isinstance(value, bool) and bool not in accepted):
        raise SettingsError(entry.name, value, source, expected)
    try:
        converted = read(value)
        Settings(**{entry.name: converted})
    except (ValueError, KeyError, AttributeError, OverflowError, RuntimeError):
        raise SettingsError(entry.name, value, source, expected) from None
    except SettingsError as error:
        raise SettingsError(entry.name, value, source, error.expected) from None
    return converted


def add_flags(parser: argparse.ArgumentParser) -> None:
    """Add one flag for each setting, and --config."""
    parser.add_argument("--config", metavar="FILE", help="settings file (TOML)")
    for entry in fields(Settings):
        flag = f"--{entry.name.replace('_', '-')}"
        shown = f" (default: {entry.default})" if entry.default not in (None, "", ()) else ""
        action = "append" if entry.default == () else "store"
        parser.add_argument(flag, metavar="VALUE", action=action, help=entry.metadata["about"] + shown)
