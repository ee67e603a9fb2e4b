"""The rows that a job on the wire has beside its operation's: who asks, how urgently, and where results go."""

from typing import Annotated, Literal

from pydantic import ConfigDict
from pydantic.dataclasses import dataclass

from engine.requests.knob import FORMS, SURFACES, Knob
from engine.requests.sampling import DRAFT_STEPS

_FOR_PROGRAMS = dict.fromkeys(("cli", *FORMS), "filled in by the program itself")
_BY_BATCH = {"batch": "set by the batch itself"}
_NO_FILES = {"cli": "the command writes the file itself; -o names it"}


@dataclass(frozen=True, kw_only=True, config=ConfigDict(strict=True, extra="forbid"))
class JobKeys:
    """What every job can say beside its operation. Only the table knows this class: the wire has its own requests."""

    job: Annotated[
        str,
        Knob(
            "Job",
            "chosen by the client: 1 to 100 printable characters, never used for another request",
            kind="job",
            schema={"type": "string", "minLength": 1, "maxLength": 100},
            leaves_out=_FOR_PROGRAMS | _BY_BATCH,
        ),
    ]
    model: Annotated[
        str | None,
        Knob("Model", "an installed model's name, or a folder", metavar="NAME", default="as in the settings"),
    ] = None
    reply: Annotated[
        str | None,
        Knob(
            "Reply file",
            "a file in which the job's state is kept up to date",
            kind="path",
            default="none",
            leaves_out=_FOR_PROGRAMS,
        ),
    ] = None
    output_dir: Annotated[
        str | None,
        Knob(
            "Folder",
            "folder for the results; created if it does not exist",
            kind="path",
            default="as in the settings, or beside the clip",
            leaves_out=_FOR_PROGRAMS | _NO_FILES | _BY_BATCH,
        ),
    ] = None
    client: Annotated[
        str | None,
        Knob(
            "Client",
            "name of the program that sends the request, kept in the journal",
            default="none",
            leaves_out=_FOR_PROGRAMS,
        ),
    ] = None
    priority: Annotated[
        Literal["draft", "normal", "batch"] | None,
        Knob(
            "Priority",
            "how urgent it is",
            kind="priority",
            default=f"draft for a draft or at most {DRAFT_STEPS} steps, otherwise normal",
            leaves_out=_FOR_PROGRAMS,
        ),
    ] = None
    deadline_unix: Annotated[
        float | None,
        Knob(
            "Deadline",
            "Unix time, sent as d; a job that has not started by then fails with too_late",
            unit="s",
            default="none",
            leaves_out=_FOR_PROGRAMS,
        ),
    ] = None
    token: Annotated[
        str,
        Knob(
            "Token",
            "from the runtime file",
            leaves_out=dict.fromkeys((s for s in SURFACES if s != "wire"), "read from the runtime file by the program"),
        ),
    ] = ""
