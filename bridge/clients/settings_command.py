"""`retake settings`: every setting, its value and its source; or an example of a settings file."""

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
    """Print the settings; return 1 if one is invalid, so that the daemon would not start."""
    parser = argparse.ArgumentParser(
        prog="retake settings",
        description="Show every setting, its value and its source: flags override the environment, the "
        "environment the settings file, and the file the built-in values.",
    )
    parser.add_argument("--json", action="store_true", help="machine-readable")
    parser.add_argument("--example", action="store_true", help="print a settings file with the built-in values")
    add_flags(parser)
    flags = vars(parser.parse_args(argv))
    as_json, wants_example = flags.pop("json"), flags.pop("example")
    if wants_example:
        print(example())
        return 0
    report = survey_settings(os.environ, flags)
    if as_json:
        print(json.dumps(facts(report), indent=1))
    else:
        _print(report)
    return 1 if report.errors else 0


def facts(report: SettingsReport) -> dict[str, Any]:
    """Return the settings as JSON values, with their sources and errors."""
    values = Settings(**report.values)
    rows = {
        entry.name: {
            "value": _plain(getattr(values, entry.name)),
            "source": report.origins.get(entry.name, _BUILT_IN),
            "about": entry.metadata["about"],
        }
        for entry in fields(Settings)
    }
    errors = [{"code": error.code, "text": error.text, "hint": error.hint} for error in report.errors]
    return {"settings": rows, "errors": errors}


def _plain(value: Any) -> Any:
    if isinstance(value, tuple):
        return [_plain(one) for one in value]
    return str(value) if isinstance(value, Path) else value


def _print(report: SettingsReport) -> None:
    values = Settings(**report.values)
    names = [entry.name for entry in fields(Settings)]
    texts = {name: _written(_plain(getattr(values, name))) or "not set" for name in names}
    widths = max(map(len, names)), max(map(len, texts.values()))
    for name in names:
        print(f"{name:<{widths[0]}}  {texts[name]:<{widths[1]}}  {report.origins.get(name, _BUILT_IN)}")
    for error in report.errors:
        print(f"{error.text}\nhint: {error.hint}", file=sys.stderr)


def example() -> str:
    """Return a settings file with every built-in value; a setting without one is a comment."""
    return "\n".join(_example_lines())


def _example_lines() -> Iterator[str]:
    yield f"# Settings of Retake's daemon. Save what you change as {user_config_file()}"
    yield "# and start the daemon again: `retake send quit`, `retake daemon`. `retake settings` shows what applies."
    for entry in fields(Settings):
        yield f"\n# {entry.metadata['about']}"
        yield _assignment(entry)


def _assignment(entry: Field[Any]) -> str:
    written = _written(_plain(entry.default))
    return f"{entry.name} = {written}" if written else f'# {entry.name} = "/a/folder"'


def _written(value: Any) -> str:
    """Return a value as TOML; "" for None."""
    return "" if value is None else json.dumps(value, ensure_ascii=False)
