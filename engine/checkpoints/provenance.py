"""Name and licence of an imported model, as far as its path, its notes and its shape reveal them."""

import re
from collections.abc import Iterator
from pathlib import Path

from engine.audioldm import AudioLDMConfig
from engine.checkpoints.locations import Location
from engine.checkpoints.model_files import open_plain
from engine.checkpoints.published import LICENCE, PUBLISHED, Published, published_as
from engine.checkpoints.shards import plain_stem
from engine.presets import PRESETS

UNKNOWN_LICENCE = "unknown; ask whoever trained it"
_LONGEST = 100  # letters of a name
_README_BYTES = 100_000
_COMMIT = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_BROWSER_COPY = re.compile(r"( \(\d+\)|\(\d+\)| - copy| copy)+$", re.IGNORECASE)
_UNFINISHED = re.compile(r"\.(part|partial|crdownload|download|incomplete|tmp)$", re.IGNORECASE)
_LICENCE_LINE = re.compile(r"^license:\s*[\"']?([\w.-]+)", re.MULTILINE)
_WRITTEN = {"cc": "CC", "by": "BY", "nc": "NC", "sa": "SA", "nd": "ND"}


def default_name(path: Path, repository: str | None = None) -> str:
    """Return the default name of a checkpoint: the published name if it has one, else that of its file.

    Returns "" if neither makes a name.
    """
    stem = _stem_of(path.name)
    own = stem if repository is None or path.suffix else repository.rpartition("/")[2]
    for text in (repository, own, stem):
        if text and (published := published_as(text)):
            return published
    if _COMMIT.fullmatch(own):
        own = f"imported-{own[:8]}"
    return re.sub(r"[^\w.+-]+", "-", own).strip("-.+")[:_LONGEST]


def licence_of(location: Location, name: str, digests: dict[Path, str], config: AudioLDMConfig) -> str:
    """Return the licence as text; never more permissive than what is known of the published checkpoints.

    `digests` holds the SHA-256 of the files of weights, where they were computed.
    """
    stated = _licence_in_readme(location.path)
    if any(_is_of(row, location, name, digests) for row in PUBLISHED) or stated == LICENCE:
        return LICENCE
    shape = next((preset for preset in ("s", "m", "l") if _same_nets(config, PRESETS[preset])), None)
    if shape is None:
        return stated or UNKNOWN_LICENCE
    if stated:
        return f"{stated}, its README says; the published AudioLDM-{shape.upper()} is under {LICENCE}"
    return f"perhaps {LICENCE}, as the published AudioLDM-{shape.upper()} of this shape; ask whoever trained it"


def _stem_of(name: str) -> str:
    """A file's name without what browsers, downloads and programs put at its end."""
    stem = _UNFINISHED.sub("", name.partition("?")[0])
    while True:
        shorter = _BROWSER_COPY.sub("", plain_stem(stem))
        if shorter == stem:
            return stem
        stem = shorter


def _is_of(row: Published, location: Location, name: str, digests: dict[Path, str]) -> bool:
    """Whether a checkpoint is this published one: by name, a folder's above it, its repository or its fingerprint."""
    return row.name == name or row.name in _names_of(location) or row.sha256 in digests.values()


def _names_of(location: Location) -> Iterator[str]:
    texts = [_stem_of(part) for part in location.path.parts[-4:]]
    for text in (location.repository, location.repository and location.repository.rpartition("/")[2], *texts):
        if text and (published := published_as(text)):
            yield published


def _licence_in_readme(path: Path) -> str | None:
    """The licence in the head of the README that repositories of models have."""
    folder = path if path.is_dir() else path.parent
    try:
        with open_plain(folder / "README.md") as file:
            text = file.read(_README_BYTES).decode("utf-8", "replace")
    except (OSError, ValueError):
        return None
    head = text.split("\n---", 1)[0] if text.startswith("---") else ""
    match = _LICENCE_LINE.search(head)
    return _as_written(match[1]) if match and match[1] != "other" else None


def _as_written(identifier: str) -> str:
    """A licence's identifier as people write it: cc-by-nc-sa-4.0 is CC BY-NC-SA 4.0."""
    words = identifier.lower().split("-")
    if words[0] == "cc":
        kinds = [_WRITTEN[word] for word in words[1:] if word in _WRITTEN]
        return " ".join(["CC", "-".join(kinds), *(word for word in words[1:] if word not in _WRITTEN)])
    return {"mit": "MIT", "apache": "Apache"}.get(words[0], words[0]) + "".join(f"-{word}" for word in words[1:])


def _same_nets(one: AudioLDMConfig, other: AudioLDMConfig) -> bool:
    def nets(config: AudioLDMConfig) -> tuple[object, ...]:
        return config.unet.base_channels, config.unet.channel_mult, config.unet.condition_size, config.vae

    return nets(one) == nets(other)
