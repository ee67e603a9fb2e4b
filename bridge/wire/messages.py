"""Requests and replies as frozen values that are valid once constructed. Pure: no socket, no clock, no file.

The grammar of a request is its class: `fixed` names its first arguments, in order; its other fields are its keys, and
a key that stays None leaves the choice to the engine. PROTOCOL.md says the same in words, and a test compares them.
"""

import math
from dataclasses import MISSING, dataclass, field, fields, make_dataclass
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar, cast

from bridge.errors import BadValueError, RegionOrderError
from bridge.operation_table import OPERATIONS, rows_of
from bridge.wire.arguments import ARGUMENTS, Region

PROTOCOL_VERSION = 1

MIN_LEVEL_DB, MAX_LEVEL_DB = -120.0, 6.0
"""Of a preview, as gain; also the lowest peak level that is reported."""

# ------------------------------------------------------------------------------------------------ requests


@dataclass(frozen=True, kw_only=True)
class Request:
    """What a client asks; each field is checked by its kind in ARGUMENTS, and a wrong one raises a ProtocolError."""

    address: ClassVar[str]
    fixed: ClassVar[tuple[str, ...]] = ()
    needs_token: ClassVar[bool] = True

    token: str = field(default="", repr=False, compare=False)

    def __post_init__(self) -> None:
        for entry in fields(self):
            value = getattr(self, entry.name)
            if value is not entry.default:
                object.__setattr__(self, entry.name, ARGUMENTS[entry.name].check(entry.name, value))

    @classmethod
    def key_names(cls) -> tuple[str, ...]:
        """Name the keys that may follow the fixed arguments, in pairs with their values."""
        return tuple(entry.name for entry in fields(cls) if entry.name not in cls.fixed)


@dataclass(frozen=True, kw_only=True)
class RenderRequest(Request):
    """A job that ends in audio files, steered by a prompt, by a sound that they should be like, or by both.

    The fields' order is that in which they are written on the wire, and by which batches know what they have done.
    """

    job: str
    prompt: str
    like: str | None = None
    like_weight: float | None = None
    seed: int | None = None
    draft: bool | None = None
    steps: int | None = None
    guidance: float | None = None
    candidates: int | None = None
    negative: str | None = None
    model: str | None = None
    sampler: str | None = None
    reply: str | None = None
    output_dir: str | None = None
    client: str | None = None
    priority: str | None = None
    deadline_unix: float | None = None

    if TYPE_CHECKING:  # the fields that `operation` takes from the table

        def __init__(self, **values: Any) -> None: ...

        def __getattr__(self, name: str) -> Any: ...


Render = TypeVar("Render", bound=RenderRequest)


@dataclass(frozen=True, kw_only=True)
class ClipRequest(RenderRequest):
    """A job that starts from a clip."""

    clip: str


def operation(written: type[Render]) -> type[Render]:
    """Make a class the request of the operation of its name: every row of the table that it lacks becomes a field.

    A class itself names only the fields that the bridge's own code uses by name.
    """
    name = written.__name__.lower()
    has = {entry.name: entry for entry in fields(written)}
    missing = []
    for key, row in rows_of(name).items():
        if key not in has:
            missing.append((key, Any) if "default" not in row else (key, Any, field(default=None)))
        elif "default" in row and has[key].default is MISSING:
            missing.append((key, Any, field(default=row["default"])))
    facts = {"address": OPERATIONS[name]["address"], "fixed": tuple(OPERATIONS[name]["fixed"])}
    facts |= {"__doc__": written.__doc__, "__module__": written.__module__}
    made = make_dataclass(written.__name__, missing, bases=(written,), namespace=facts, frozen=True, kw_only=True)
    return cast("type[Render]", made)


@operation
class Generate(RenderRequest):
    """A sound from a prompt, or like another sound."""


@operation
class Restyle(ClipRequest):
    """A clip, or a part of it, moved towards the prompt."""


@operation
class Vary(ClipRequest):
    """A variation of a clip, or of a part of it."""


@operation
class Upscale(ClipRequest):
    """A clip with the high frequencies that it lacks."""


@operation
@dataclass(frozen=True, kw_only=True)
class Inpaint(ClipRequest):
    """A clip with regions that are generated again."""

    start_s: float
    end_s: float
    region: tuple[Region, ...] = ()

    def __post_init__(self) -> None:
        super().__post_init__()
        for start_s, end_s, *_ in self.regions:
            if not 0 <= start_s < end_s:
                raise RegionOrderError(start_s, end_s)

    @property
    def regions(self) -> tuple[Region, ...]:
        """All regions, the fixed one first."""
        return ((self.start_s, self.end_s), *self.region)


@dataclass(frozen=True, kw_only=True)
class Cancel(Request):
    """Take a job out of the queue, or stop it."""

    address: ClassVar[str] = "/retake/cancel"
    fixed: ClassVar[tuple[str, ...]] = ("job",)

    job: str


@dataclass(frozen=True, kw_only=True)
class JobQuery(Request):
    """What is the state of a job? The sender gets the further replies about it, too."""

    address: ClassVar[str] = "/retake/job"
    fixed: ClassVar[tuple[str, ...]] = ("job",)

    job: str


@dataclass(frozen=True, kw_only=True)
class Sync(Request):
    """Answer when all earlier jobs of this sender have ended."""

    address: ClassVar[str] = "/retake/sync"
    fixed: ClassVar[tuple[str, ...]] = ("number",)
    needs_token: ClassVar[bool] = False

    number: int


@dataclass(frozen=True, kw_only=True)
class Notify(Request):
    """Send this client the replies about every job (1), or no longer (0)."""

    address: ClassVar[str] = "/retake/notify"
    fixed: ClassVar[tuple[str, ...]] = ("on",)

    on: bool


@dataclass(frozen=True, kw_only=True)
class Status(Request):
    """What is the daemon doing?"""

    address: ClassVar[str] = "/retake/status"
    needs_token: ClassVar[bool] = False


@dataclass(frozen=True, kw_only=True)
class Version(Request):
    """Which version of Retake is this?"""

    address: ClassVar[str] = "/retake/version"
    needs_token: ClassVar[bool] = False


@dataclass(frozen=True, kw_only=True)
class Models(Request):
    """Which models are installed?"""

    address: ClassVar[str] = "/retake/models"
    needs_token: ClassVar[bool] = False


@dataclass(frozen=True, kw_only=True)
class Jobs(Request):
    """Which jobs were there? The newest first."""

    address: ClassVar[str] = "/retake/jobs"

    text: str = ""
    state: str = ""
    limit: int = 20


@dataclass(frozen=True, kw_only=True)
class UseModel(Request):
    """Load a model now, and use it for requests that name none."""

    address: ClassVar[str] = "/retake/model"
    fixed: ClassVar[tuple[str, ...]] = ("model",)

    model: str


@dataclass(frozen=True, kw_only=True)
class Unload(Request):
    """Unload the model."""

    address: ClassVar[str] = "/retake/unload"


@dataclass(frozen=True, kw_only=True)
class Pause(Request):
    """Begin no job of any client from now on (1), or go on (0)."""

    address: ClassVar[str] = "/retake/pause"
    fixed: ClassVar[tuple[str, ...]] = ("on",)

    on: bool


@dataclass(frozen=True, kw_only=True)
class Preview(Request):
    """Play a sound file, or a part of it, on this machine, in place of what it plays now."""

    address: ClassVar[str] = "/retake/preview"
    fixed: ClassVar[tuple[str, ...]] = ("path",)

    path: str
    device: str | None = None
    level_db: float | None = None
    start_s: float | None = None
    end_s: float | None = None
    loop: bool | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        start_s, end_s = self.start_s or 0.0, math.inf if self.end_s is None else self.end_s
        if not 0 <= start_s < end_s:
            raise RegionOrderError(start_s, end_s)
        if self.level_db is not None and not MIN_LEVEL_DB <= self.level_db <= MAX_LEVEL_DB:
            raise BadValueError("level_db", self.level_db, f"{MIN_LEVEL_DB:g} to {MAX_LEVEL_DB:g} dB")


@dataclass(frozen=True, kw_only=True)
class Stop(Request):
    """Stop what is played."""

    address: ClassVar[str] = "/retake/stop"


@dataclass(frozen=True, kw_only=True)
class Quit(Request):
    """Stop the daemon."""

    address: ClassVar[str] = "/retake/quit"


RENDER_REQUESTS: tuple[type[RenderRequest], ...] = (Generate, Restyle, Vary, Inpaint, Upscale)
OTHER_REQUESTS: tuple[type[Request], ...] = (
    Cancel,
    JobQuery,
    Jobs,
    Sync,
    Notify,
    Status,
    Version,
    Models,
    UseModel,
    Unload,
    Pause,
    Quit,
)
PREVIEW_REQUESTS: tuple[type[Request], ...] = (Preview, Stop)
REQUESTS: dict[str, type[Request]] = {
    kind.address: kind for kind in (*RENDER_REQUESTS, *PREVIEW_REQUESTS, *OTHER_REQUESTS)
}

# ------------------------------------------------------------------------------------------------- replies


@dataclass(frozen=True)
class Reply:
    """What a client receives. The fields are the arguments, in order; a tuple comes last: length, then items."""

    address: ClassVar[str]


@dataclass(frozen=True)
class Ack(Reply):
    """The job is in the journal, and `position` jobs come before it."""

    address: ClassVar[str] = "/retake/ack"

    job: str
    position: int


@dataclass(frozen=True)
class Progress(Reply):
    """How far a job is: `fraction` 0..1; `stage` in words, such as "loading", "step 3/20", "writing"."""

    address: ClassVar[str] = "/retake/progress"

    job: str
    fraction: float
    stage: str


@dataclass(frozen=True)
class Notice(Reply):
    """Something that the musician should know about a job, which goes on."""

    address: ClassVar[str] = "/retake/warning"

    job: str
    text: str


@dataclass(frozen=True)
class Done(Reply):
    """`command` is finished, and `paths` are the files that it wrote, best first."""

    address: ClassVar[str] = "/done"

    command: str
    job: str
    paths: tuple[str, ...] = ()


@dataclass(frozen=True)
class Fail(Reply):
    """`command` is refused, or has failed."""

    address: ClassVar[str] = "/fail"

    command: str
    job: str
    code: str
    text: str
    hint: str


@dataclass(frozen=True)
class JobReply(Reply):
    """The state of a job; the /done or /fail of a finished one follows."""

    address: ClassVar[str] = "/retake/job.reply"

    job: str
    state: str
    fraction: float
    stage: str


@dataclass(frozen=True)
class JobEntry(Reply):
    """One job of many: what was asked for, when (UTC, ISO 8601), and what became of it."""

    address: ClassVar[str] = "/retake/jobs.reply"

    job: str
    state: str
    command: str
    prompt: str
    accepted_at: str
    path: str
    code: str


@dataclass(frozen=True)
class Synced(Reply):
    """All jobs that the sender asked for before /retake/sync are finished."""

    address: ClassVar[str] = "/synced"

    number: int


@dataclass(frozen=True)
class StatusReply(Reply):
    """`state` is idle, loading or rendering; `queue_length` counts unfinished jobs; while `paused` is 1 none begins.

    `notes` are sentences that the musician should read.
    """

    address: ClassVar[str] = "/retake/status.reply"

    version: str
    state: str
    model: str
    device: str
    queue_length: int
    paused: int = 0
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class VersionReply(Reply):
    """The version of Retake, and that of the protocol."""

    address: ClassVar[str] = "/retake/version.reply"

    version: str
    protocol: int


@dataclass(frozen=True)
class ModelsReply(Reply):
    """The names of the models that are installed."""

    address: ClassVar[str] = "/retake/models.reply"

    names: tuple[str, ...] = ()


@dataclass(frozen=True)
class PreviewReply(Reply):
    """Where a preview is: `state` is starting, playing, or at its end one of ended, stopped and failed.

    `position_s` is seconds of the file from its beginning, `duration_s` the file's length; `level_db` is the peak of
    what went to the device since the last report, dBFS.
    """

    address: ClassVar[str] = "/retake/preview.reply"

    state: str
    path: str
    position_s: float = 0.0
    duration_s: float = 0.0
    level_db: float = MIN_LEVEL_DB

    @property
    def is_final(self) -> bool:
        return self.state in {"ended", "stopped", "failed"}


REPLIES: dict[str, type[Reply]] = {
    kind.address: kind
    for kind in (
        Ack,
        Progress,
        Notice,
        Done,
        Fail,
        JobReply,
        JobEntry,
        Synced,
        StatusReply,
        VersionReply,
        ModelsReply,
        PreviewReply,
    )
}
