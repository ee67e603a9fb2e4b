"""The models as `retake models … --json` tells of them: read here, row by row. Pure."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

LICENCES = {
    "CC BY-NC-SA 4.0": (
        "https://creativecommons.org/licenses/by-nc-sa/4.0/",
        "Not for commercial use. Name the authors (Liu et al.). Share what you derive on the same terms.",
    ),
    "Apache-2.0": (
        "https://www.apache.org/licenses/LICENSE-2.0",
        "Free for any use, commercial use included. Made by Retake from sounds that it synthesises itself.",
    ),
}
"""Where a licence stands, and what it means in a sentence or two."""
_TOLD = 3  # folders that cannot be used


@dataclass(frozen=True)
class Model:
    """One model, installed or to be had; `size_bytes` is on disk for the former, of the download for the latter."""

    name: str
    size_bytes: int
    licence: str
    about: str = ""
    folder: str = ""
    is_installed: bool = False
    is_shipped: bool = False

    @property
    def size(self) -> str:
        return spelled_bytes(self.size_bytes)


@dataclass(frozen=True)
class PullNews:
    """How far a pull is: `fraction` 0..1, and what is being done."""

    fraction: float
    text: str


def spelled_bytes(count: int) -> str:
    """Spell a number of bytes as people read it."""
    return f"{count / 1e9:.1f} GB" if count >= 1e9 else f"{count / 1e6:.1f} MB"


def parse_models(text: str) -> list[Model]:
    """Read the answer of `retake models list --json`. Raises ValueError when it is none."""
    try:
        content = json.loads(text)
        about = {offer["name"]: offer for offer in content["published"]}
        installed = [_installed(row, about) for row in content["models"]]
        offers = [_offered(row) for row in content["published"] if not row["installed"]]
    except (KeyError, TypeError) as error:
        raise ValueError(f"the list of models lacks {error}") from error
    return [*installed, *offers]


def parse_passed_over(text: str) -> str:
    """What the same answer says of folders among the models that cannot be used, as a sentence; "" where all can be."""
    rows = json.loads(text).get("passed_over", [])
    told = "; ".join(f"{Path(row['folder']).name} ({row['reason']})" for row in rows[:_TOLD])
    more = f"; and {len(rows) - _TOLD} more" if len(rows) > _TOLD else ""
    return f"Among the models lies what cannot be used: {told}{more}. Repair or delete it." if rows else ""


def _installed(row: Mapping[str, Any], about: Mapping[str, Mapping[str, Any]]) -> Model:
    told = about.get(row["name"], {}).get("good_at", "")
    told = told or ("small and quick; many kinds of sound effects" if row["shipped"] else "imported from a file")
    facts = (row["name"], int(row["size_bytes"]), row["licence"], told, row["folder"])
    return Model(*facts, is_installed=True, is_shipped=bool(row["shipped"]))


def _offered(row: Mapping[str, Any]) -> Model:
    return Model(row["name"], int(row["about_bytes"]), row["licence"], row["good_at"])


def parse_pull_news(line: str) -> PullNews | None:
    """Read a line of `retake models pull … --json` on stderr; None when it is something else, such as a warning."""
    try:
        content = json.loads(line)
        return PullNews(min(max(float(content["fraction"]), 0.0), 1.0), str(content["text"]))
    except (ValueError, KeyError, TypeError):
        return None


def parse_error(stdout: str, stderr: str) -> tuple[str, str]:
    """Find what a failed command said: sentence and hint."""
    try:
        error = json.loads(stdout)["error"]
        return str(error["text"]), str(error["hint"])
    except (ValueError, KeyError, TypeError):
        lines = [line for line in stderr.strip().splitlines() if parse_pull_news(line) is None]
        return (lines[-1] if lines else "it ended without a word"), "the daemon's log may say more"
