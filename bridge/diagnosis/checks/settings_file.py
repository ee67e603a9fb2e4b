"""Whether every setting is valid; each invalid one is named with its source."""

from collections.abc import Iterator
from pathlib import Path

from bridge.diagnosis.checks.finding import Finding, ok, problem
from bridge.diagnosis.checks.surroundings import Surroundings
from bridge.host.settings import Settings, SettingsReport, config_file, survey_settings


def check_settings(surroundings: Surroundings) -> Iterator[Finding]:
    survey = survey_settings(surroundings.environment, {})
    for error in survey.errors:
        yield problem(f"setting {error.name}", error.text, error.hint)
    if not survey.errors:
        yield ok("settings", _sentence(survey, config_file(surroundings.environment, {})))


def _sentence(survey: SettingsReport, file: Path) -> str:
    where = f"settings file {file}" if file.exists() else f"no settings file (it would be {file})"
    count = len(survey.origins)
    return f"{where}; {'every setting has its default' if not count else f'{count} set, all of them valid'}"


def valid_settings(surroundings: Surroundings) -> Settings:
    """Return the settings, with the built-in value for each invalid one."""
    return Settings(**survey_settings(surroundings.environment, {}).values)
