"""The lines between the daemon and its render process: the messages of the wire as JSON, one a line. Pure.

Three kinds of line are no messages. Two are for the watchdog: HEARTBEAT comes from a thread of its own, every
HEARTBEAT_S, as long as the process runs at all; PROGRESS_PING comes from the working thread, as it makes progress.
A line that begins with SLOTS says how many jobs the process can render at a time.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Self

from bridge.host.paths import PathRules
from bridge.host.settings import MAX_CLIP_BYTES, MAX_CLIP_MIN, MAX_OUTPUT_BYTES
from bridge.wire.messages import Reply, Request
from bridge.wire.parsing import parse_reply, parse_request, to_message

HEARTBEAT = b"\n"
PROGRESS_PING = b".\n"
SLOTS = b"#"
HEARTBEAT_S = 1.0
SETUP_VARIABLE, IN_ENVIRONMENT = "RETAKE_RENDER_SETUP", "in-environment"
"""The environment variable of a RenderSetup, and what the command line holds in place of one."""


@dataclass(frozen=True)
class RenderSetup:
    """What the render process needs before the first request.

    It travels in the environment, and not on the command line, which every user of the machine can read.
    """

    model: str
    device: str
    models_dir: str | None = None
    output_dir: str | None = None
    state_dir: str | None = None
    allowed_folders: tuple[str, ...] = ()
    max_clip_bytes: int = MAX_CLIP_BYTES
    max_clip_min: float = MAX_CLIP_MIN
    max_output_bytes: int = MAX_OUTPUT_BYTES

    @classmethod
    def from_json(cls, text: str) -> Self:
        return cls(**json.loads(text))

    @classmethod
    def given(cls, word: str, environment: Mapping[str, str]) -> Self:
        """Read a setup from the command line, or from the environment if `word` is IN_ENVIRONMENT."""
        return cls.from_json(environment[SETUP_VARIABLE] if word == IN_ENVIRONMENT else word)

    @property
    def models_folder(self) -> Path | None:
        return Path(self.models_dir) if self.models_dir else None

    @property
    def path_rules(self) -> PathRules:
        return PathRules(
            output_dir=Path(self.output_dir) if self.output_dir else None,
            allowed_folders=tuple(map(Path, self.allowed_folders)),
            max_clip_bytes=self.max_clip_bytes,
        )

    def to_json(self) -> str:
        return json.dumps(asdict(self))


def to_line(value: Request | Reply) -> bytes:
    return json.dumps(to_message(value)).encode() + b"\n"


def to_shared_line(requests: Sequence[Request]) -> bytes:
    """Write requests that are to be rendered together."""
    return json.dumps([to_message(request) for request in requests]).encode() + b"\n"


def requests_from_line(line: bytes) -> tuple[Request, ...]:
    """Read what `to_line` or `to_shared_line` wrote. Raises ProtocolError or ValueError."""
    content = json.loads(line)
    messages = content if isinstance(content[0], list) else [content]
    return tuple(parse_request(*message) for message in messages)


def reply_from_line(line: bytes) -> Reply:
    """Read a reply as `to_line` wrote it. Raises ProtocolError or ValueError."""
    return parse_reply(*json.loads(line))
