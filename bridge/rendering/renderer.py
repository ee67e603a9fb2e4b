"""From a request to files: the engine's request, its takes, their WAVs. Nothing else in `rendering` renders.

Importing this module imports torch: only the render process does.
"""

import logging
import math
import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, Protocol

from bridge import __version__
from bridge.errors import BridgeError, UnforeseenError
from bridge.host.entry import limit_of
from bridge.jobs.housekeeping import folders_of_jobs
from bridge.jobs.journal import JOURNAL_FILE
from bridge.operation_table import rows_of
from bridge.rendering.audio_io import Destination, read_clips, take_name
from bridge.rendering.pipe import RenderSetup
from bridge.wire import messages
from bridge.wire.messages import Done, Fail, ModelsReply, Notice, RenderRequest, Reply, UseModel
from engine import (
    Audio,
    Engine,
    EngineError,
    Generate,
    Inpaint,
    Progress,
    Request,
    Restyle,
    Upscale,
    Vary,
    clear_abandoned,
    list_models,
    look_through,
)

log = logging.getLogger(__name__)

_REQUESTS: dict[str, type[Request]] = {
    "generate": Generate,
    "restyle": Restyle,
    "inpaint": Inpaint,
    "vary": Vary,
    "upscale": Upscale,
}

Send = Callable[[Reply], None]
ShouldStop = Callable[[RenderRequest], bool]


class InferenceBackend(Protocol):
    """Where takes are made: an engine in this process, or one on another machine."""

    @property
    def device_name(self) -> str: ...

    @property
    def sample_rate(self) -> int: ...

    def run(
        self, request: Request, on_step: Callable[[Progress], None], should_stop: Callable[[], bool]
    ) -> list[Audio]: ...

    def run_together(
        self,
        requests: Sequence[Generate],
        on_step: Sequence[Callable[[Progress], None]],
        should_stop: Sequence[Callable[[], bool]],
    ) -> list[list[Audio] | EngineError]: ...

    def unload(self) -> None: ...


class Renderer:
    """Turns requests into files, one at a time, with a model that stays loaded, wherever `load` loads it.

    `send` passes the replies on; of a farm it is called from several threads.
    """

    def __init__(
        self, setup: RenderSetup, send: Send, load: Callable[[str, str, Path | None], InferenceBackend] = Engine.load
    ) -> None:
        self._setup = setup
        self._paths = setup.path_rules
        self._send = send
        self._load_backend = load
        self._engine: InferenceBackend | None = None
        self._model = ""

    def render(self, request: RenderRequest, should_stop: ShouldStop) -> None:
        """Render a request and send the replies about it; the last is a Done or a Fail, whatever happens."""
        self._conclude(request, request.job, lambda: self._render(request, should_stop))

    def load(self, request: UseModel) -> None:
        """Load a model ahead of the jobs that use it, and send a Done or a Fail."""
        self._conclude(request, "", lambda: self._load(request.model))

    def warm(self) -> None:
        """Load the model of requests that name none; an error is logged, and the first job fails with it."""
        try:
            self._engine_for(self._setup.model, "")
        except EngineError as error:
            log.warning("%s", error)

    def tidy(self) -> None:
        """Remove what a killed render process left unfinished in the folders of the latest jobs; errors are logged."""
        if self._setup.state_dir is None:
            return
        try:
            folders = folders_of_jobs(Path(self._setup.state_dir) / JOURNAL_FILE, self._paths)
        except sqlite3.Error as error:
            log.warning("no unfinished files were removed: %s", error)
            return
        for folder in folders:
            clear_abandoned(folder)

    def _conclude(self, request: messages.Request, job: str, work: Callable[[], tuple[str, ...]]) -> None:
        """Do some work and send its end: the files that it wrote, or the error."""
        try:
            end: Reply = Done(request.address, job, work())
        except (EngineError, BridgeError) as error:
            end = Fail(request.address, job, error.code, error.text, error.hint)
        except Exception as error:
            log.exception("job %s", job)
            crash = limit_of(error) or UnforeseenError(error)
            end = Fail(request.address, job, crash.code, crash.text, crash.hint)
        self._send(end)

    def _load(self, model: str) -> tuple[str, ...]:
        self._engine_for(model, "")
        return ()

    def render_together(self, requests: Sequence[messages.Generate], should_stop: ShouldStop) -> None:
        """Render requests of one model in shared calls of the net; each one's last reply is a Done or a Fail."""
        tasks = []
        for request in requests:
            try:
                tasks.append((request, *self._prepared(request)))
            except (EngineError, BridgeError):
                self.render(request, should_stop)  # which sends the error
        try:
            outcomes = self._outcomes(tasks, should_stop)
        except (EngineError, BridgeError):  # no such model, or too little memory or room for all of them at once
            for request, *_ in tasks:
                self.render(request, should_stop)
            return
        for (request, _, destination), outcome in zip(tasks, outcomes, strict=True):
            self._conclude(request, request.job, partial(self._write, request, destination, outcome))

    def _outcomes(
        self, tasks: Sequence[tuple[messages.Generate, Request, Destination]], should_stop: ShouldStop
    ) -> list[list[Audio] | EngineError]:
        if not tasks:
            return []
        first = tasks[0][0]
        engine = self._engine_for(first.model or self._setup.model, first.job)
        for _, task, destination in tasks:
            destination.require_room(task, engine.sample_rate, self._setup.max_output_bytes)
        wanted = [task for _, task, _ in tasks if isinstance(task, Generate)]
        on_step = [partial(self._report, request) for request, *_ in tasks]
        stops = [partial(should_stop, request) for request, *_ in tasks]
        return engine.run_together(wanted, on_step, stops)

    def _render(self, request: RenderRequest, should_stop: ShouldStop) -> tuple[str, ...]:
        task, destination = self._prepared(request)
        engine = self._engine_for(request.model or self._setup.model, request.job)
        destination.require_room(task, engine.sample_rate, self._setup.max_output_bytes)
        takes = engine.run(task, partial(self._report, request), partial(should_stop, request))
        return self._write(request, destination, takes)

    def _prepared(self, request: RenderRequest) -> tuple[Request, Destination]:
        """Read the clips, and make the folder of the results."""
        self._paths.check_clips(request)
        return engine_request(request, self._setup.max_clip_min), Destination.of(request, self._paths)

    def _write(
        self, request: RenderRequest, destination: Destination, takes: list[Audio] | EngineError
    ) -> tuple[str, ...]:
        if isinstance(takes, EngineError):
            raise takes
        for warning in dict.fromkeys(text for take in takes for text in take.story.get("warnings", ())):
            self._send(Notice(request.job, warning))
        self._send(messages.Progress(request.job, 1.0, "writing"))
        names = [take_name(request, take.story["seed"]) for take in takes]
        named = [replace(take, story={**take.story, "job": request.job}) for take in takes]
        written = destination.write(named, names)
        if written and written[0].parent != destination.folder:
            where = f"the folder {destination.folder} is not there any more; the result is in {written[0].parent}"
            self._send(Notice(request.job, where))
        return tuple(str(path) for path in written)

    def _engine_for(self, name: str, job: str) -> InferenceBackend:
        """Return the model of that name, loaded before or now; `job` is the one that loading is reported for."""
        if self._engine is None or self._model != name:
            if self._engine is not None:
                self._engine.unload()
                self._engine = None
            self._send(messages.Progress(job, 0.0, "loading"))
            self._engine = self._load_backend(name, self._setup.device, self._setup.models_folder)
            self._model = name
            self._send(messages.StatusReply(__version__, "idle", name, self._engine.device_name, 0))
        return self._engine

    def _report(self, request: RenderRequest, step: Progress) -> None:
        self._send(messages.Progress(request.job, step.fraction, step.stage))


def engine_request(request: RenderRequest, longest_min: float = math.inf) -> Request:
    """Return a request as the engine's own; what the client left open stays open.

    No clip may be longer than `longest_min` minutes. Raises EngineError, ClipRefusedError.
    """
    operation = request.address.rpartition("/")[2]
    given: dict[str, Any] = {"regions": request.regions} if isinstance(request, messages.Inpaint) else {}
    for name, row in rows_of(operation).items():
        value = getattr(request, name)
        if value is not None and row["x-kind"] != "path" and row.get("x-engine") != "regions":
            given[row.get("x-engine", name)] = value
    given |= read_clips(request, longest_min)
    return _REQUESTS[operation](**given)


def installed_models(setup: RenderSetup) -> ModelsReply:
    """Return the names of the installed models."""
    entries, passed_over = look_through(setup.models_folder)
    for broken in passed_over:
        log.warning("passed over the model in %s: %s", broken.folder, broken.reason)
    return ModelsReply(tuple(entry.name for entry in entries))


def open_backend(name: str, device: str, models_folder: Path | None) -> InferenceBackend:
    """Load an engine for requests from another machine. Raises EngineError."""
    return Engine.load(name, device, models_folder)


def folder_to_send(name: str, setup: RenderSetup) -> Path | None:
    """Return the folder of a model that another machine may lack; None for one that is part of Retake, or missing."""
    for entry in list_models(setup.models_folder):
        if entry.name == name:
            return None if entry.shipped else entry.folder
    return folder if ((folder := Path(name).expanduser()) / "config.json").is_file() else None


Outcome = list[list[Audio] | EngineError] | EngineError
"""The takes or the error of each task, or one error for all of them."""


def answer_tasks(
    backend: InferenceBackend,
    tasks: Sequence[Request],
    report: Callable[[int, str, float], None],
    is_cancelled: Callable[[int], bool],
) -> Outcome:
    """Render tasks from another machine; `report` is called with a task's index, its stage and its fraction."""
    own: list[Any] = [_with_own_clips(task) for task in tasks]
    on_step = [partial(_report_task, report, index) for index in range(len(own))]
    stops = [partial(is_cancelled, index) for index in range(len(own))]
    try:
        return (
            backend.run_together(own, on_step, stops) if len(own) > 1 else [backend.run(own[0], on_step[0], stops[0])]
        )
    except EngineError as error:
        return error


def open_outcome(outcome: Outcome) -> list[list[Audio] | EngineError]:
    """Return the takes or the error of each task. Raises the EngineError that ended all of them."""
    if isinstance(outcome, EngineError):
        raise outcome
    return outcome


def _with_own_clips(task: Request) -> Request:
    """Copy the clips of a task: Ray shares their memory between processes, and it cannot be written to."""
    clips = {name: clip for name in ("clip", "like", "follow") if (clip := getattr(task, name, None)) is not None}
    return replace(task, **{name: replace(clip, samples=clip.samples.copy()) for name, clip in clips.items()})


def _report_task(report: Callable[[int, str, float], None], index: int, step: Progress) -> None:
    report(index, step.stage, step.fraction)
