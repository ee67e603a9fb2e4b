"""`retake settings`: every setting, its value and where that comes from; or an example of a settings file."""

import argparse
import json
import os
import sys
from collections.abc import Iterator, Sequence
from dataclasses import Field, fields
from pathlib import Path
from typing import Any

from bridge.host.settings import Settings, SettingsReport, add_flags, survey_settings, user_config_file

_BUILT_IN = "built in"


def main(argv: Sequence[str] | None = None) -> int:
    """Print the settings; 1 when one cannot be used, and the daemon would therefore not start."""
    parser = argparse.ArgumentParser(
        prog="retake settings",
        description="Show every setting, its value and where it comes from: flags win over the environment, the "
        "environment over the settings file, the file over what is built in.",
    )
    parser.add_argument("--json", action="store_true", help="machine-readable")
    parser.add_argument("--example", action="store_true", help="print a settings file with what is built in")
    add_flags(parser)
    flags = vars(parser.parse_args(argv))
    as_json, wants_example = flags.pop("json"), flags.pop("example")
    if wants_example:
        print(example())
        return 0
    survey = survey_settings(os.environ, flags)
    if as_json:
        print(json.dumps(facts(survey), indent=1))
    else:
        _print(survey)
    return 1 if survey.errors else 0


def facts(survey: SettingsReport) -> dict[str, Any]:
    """Return the settings as JSON can hold them: values, their sources, and what cannot be used."""
    values = Settings(**survey.values)
    rows = {
        entry.name: {
            "value": _plain(getattr(values, entry.name)),
            "source": survey.origins.get(entry.name, _BUILT_IN),
            "about": entry.metadata["about"],
        }
        for entry in fields(Settings)
    }
    errors = [{"code": error.code, "text": error.text, "hint": error.hint} for error in survey.errors]
    return {"settings": rows, "errors": errors}


def _plain(value: Any) -> Any:
    if isinstance(value, tuple):
        return [_plain(one) for one in value]
    return str(value) if isinstance(value, Path) else value


def _print(survey: SettingsReport) -> None:
    values = Settings(**survey.values)
    names = [entry.name for entry in fields(Settings)]
    told = {name: _written(_plain(getattr(values, name))) or "not set" for name in names}
    widths = max(map(len, names)), max(map(len, told.values()))
    for name in names:
        print(f"{name:<{widths[0]}}  {told[name]:<{widths[1]}}  {survey.origins.get(name, _BUILT_IN)}")
    for error in survey.errors:
        print(f"{error.text}\nhint: {error.hint}", file=sys.stderr)


def example() -> str:
    """Write a settings file that sets every setting to what is built in; one without a value is a comment."""
    return "\n".join(_example_lines())


def _example_lines() -> Iterator[str]:
    yield f"# Settings of Retake's daemon. Save what you change as {user_config_file()}"
    yield "# and start the daemon again: `retake send quit`, `retake daemon`. `retake settings` shows what holds."
    for entry in fields(Settings):
        yield f"\n# {entry.metadata['about']}"
        yield _assignment(entry)


def _assignment(entry: Field[Any]) -> str:
    written = _written(_plain(entry.default))
    return f"{entry.name} = {written}" if written else f'# {entry.name} = "/a/folder"'


def _written(value: Any) -> str:
    """Write a value as TOML does; nothing for none."""
    return "" if value is None else json.dumps(value, ensure_ascii=False)
