"""The settings that the rooms of the daemon need to answer requests and to run jobs."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bridge.host.paths import PathRules
from bridge.preview.supervisor import PreviewRules


@dataclass(frozen=True, kw_only=True)
class DaemonRules:
    """The rules of a daemon, for as long as it runs. `token` is None when commands need none."""

    token: str | None
    state_folder: Path
    model: str
    device: str
    idle_unload_s: float
    resume_within_s: float
    batch_jobs: int
    paths: PathRules
    player_command: Sequence[str]
    previews: PreviewRules
