"""The models as `retake models … --json` lists them. Pure."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

LICENCES = {
    "CC BY-NC-SA 4.0": (
        "https://creativecommons.org/licenses/by-nc-sa/4.0/",
        "Not for commercial use. Name the authors (Liu et al.). Share derived work under the same terms.",
    ),
    "Apache-2.0": (
        "https://www.apache.org/licenses/LICENSE-2.0",
        "Free for any use, commercial use included. Trained by Retake on sounds that it synthesised itself.",
    ),
    "Stability AI Community License": (
        "https://stability.ai/license",
        "Free below one million dollars of revenue a year; above that, ask Stability AI.",
    ),
    "Gemma Terms of Use": (
        "https://ai.google.dev/gemma/terms",
        "For its text encoder: pass its restrictions of use (section 3.2) on with it.",
    ),
}
"""Where a licence can be read, and what it means in a sentence or two."""
_MAX_NAMED = 3  # folders that cannot be used


@dataclass(frozen=True)
class Model:
    """One model; `size_bytes` is its size on disk if installed, otherwise that of the download."""

    name: str
    size_bytes: int
    licence: str
    about: str = ""
    folder: str = ""
    is_installed: bool = False
    is_shipped: bool = False

    @property
    def licences(self) -> list[str]:
        """Each licence that holds for it."""
        return self.licence.split(" and ")

    @property
    def size(self) -> str:
        return spelled_bytes(self.size_bytes)


@dataclass(frozen=True)
class PullProgress:
    """Progress of a download: `fraction` 0..1, and the current step."""

    fraction: float
    text: str


def spelled_bytes(count: int) -> str:
    """Return a number of bytes as people read it."""
    return f"{count / 1e9:.1f} GB" if count >= 1e9 else f"{count / 1e6:.1f} MB"


def parse_models(text: str) -> list[Model]:
    """Return the models that `retake models list --json` printed. Raises ValueError for anything else."""
    try:
        content = json.loads(text)
        about = {offer["name"]: offer for offer in content["published"]}
        installed = [_installed(row, about) for row in content["models"]]
        offers = [_offered(row) for row in content["published"] if not row["installed"]]
    except (KeyError, TypeError) as error:
        raise ValueError(f"the list of models lacks {error}") from error
    return [*installed, *offers]


def parse_passed_over(text: str) -> str:
    """Return a sentence about the folders in the same answer that hold no usable model; "" if there are none."""
    rows = json.loads(text).get("passed_over", [])
    named = "; ".join(f"{Path(row['folder']).name} ({row['reason']})" for row in rows[:_MAX_NAMED])
    more = f"; and {len(rows) - _MAX_NAMED} more" if len(rows) > _MAX_NAMED else ""
    return f"Some folders among the models cannot be used: {named}{more}. Repair or delete them." if rows else ""


def _installed(row: Mapping[str, Any], about: Mapping[str, Mapping[str, Any]]) -> Model:
    good_at = about.get(row["name"], {}).get("good_at", "")
    good_at = good_at or ("small and quick; many kinds of sound effects" if row["shipped"] else "imported from a file")
    facts = (row["name"], int(row["size_bytes"]), row["licence"], good_at, row["folder"])
    return Model(*facts, is_installed=True, is_shipped=bool(row["shipped"]))


def _offered(row: Mapping[str, Any]) -> Model:
    return Model(row["name"], int(row["about_bytes"]), row["licence"], row["good_at"])


def parse_pull_progress(line: str) -> PullProgress | None:
    """Return the progress in a line of `retake models pull … --json`; None for other lines, such as warnings."""
    try:
        content = json.loads(line)
        return PullProgress(min(max(float(content["fraction"]), 0.0), 1.0), str(content["text"]))
    except (ValueError, KeyError, TypeError):
        return None


def parse_error(stdout: str, stderr: str) -> tuple[str, str]:
    """Return the sentence and the hint of a failed command."""
    try:
        error = json.loads(stdout)["error"]
        return str(error["text"]), str(error["hint"])
    except (ValueError, KeyError, TypeError):
        lines = [line for line in stderr.strip().splitlines() if parse_pull_progress(line) is None]
        return (lines[-1] if lines else "it ended without a message"), "the daemon's log may say more"
