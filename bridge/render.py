"""The render process: requests come in by stdin, the engine renders them, news go out by stdout.

It lives as long as its daemon: the end of stdin, for whatever reason, is its end too.
"""

import logging
import os
import queue
import signal
import sys
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from bridge import __version__, messages
from bridge.audio_io import output_folder, read_clip, take_name, write_takes
from bridge.errors import BridgeError, UnforeseenError
from bridge.messages import ClipRequest, Done, Fail, Notice, RenderRequest, Reply
from bridge.pipe import RenderSetup, request_from_line, to_line
from engine import Engine, EngineError, Generate, Inpaint, Progress, Restyle, list_models

_GRACE_S = 5.0
"""How long a job may take to notice that the daemon has gone."""

log = logging.getLogger(__name__)

Tell = Callable[[Reply], None]
ShouldStop = Callable[[], bool]


class Renderer:
    """Turns requests into files, one at a time, with a model that stays loaded."""

    def __init__(self, setup: RenderSetup, tell: Tell) -> None:
        self._setup = setup
        self._tell = tell
        self._engine: Engine | None = None
        self._model = ""

    def render(self, request: RenderRequest, should_stop: ShouldStop) -> None:
        """Render a request and tell its news; the last is a Done or a Fail, whatever happens."""
        try:
            self._tell(Done(request.address, request.job, self._render(request, should_stop)))
        except (EngineError, BridgeError) as error:
            self._tell(Fail(request.address, request.job, error.code, error.text, error.hint))
        except Exception as error:
            log.exception("job %s", request.job)
            crash = UnforeseenError(error)
            self._tell(Fail(request.address, request.job, crash.code, crash.text, crash.hint))

    def _render(self, request: RenderRequest, should_stop: ShouldStop) -> tuple[str, ...]:
        folder = output_folder(request, self._setup.output_dir)
        task = engine_request(request)
        engine = self._engine_for(request)
        takes = engine.run(task, on_step=lambda news: self._report(request, news), should_stop=should_stop)
        for warning in dict.fromkeys(text for take in takes for text in take.story.get("warnings", ())):
            self._tell(Notice(request.job, warning))
        self._tell(messages.Progress(request.job, 1.0, "writing"))
        names = [take_name(request, take.story["seed"]) for take in takes]
        return tuple(str(path) for path in write_takes(takes, folder, names))

    def _engine_for(self, request: RenderRequest) -> Engine:
        """Give the model that a request wants, the warm one if it is that."""
        name = request.model or self._setup.model
        if self._engine is None or self._model != name:
            if self._engine is not None:
                self._engine.unload()
                self._engine = None
            self._tell(messages.Progress(request.job, 0.0, "loading"))
            self._engine, self._model = Engine.load(name, self._setup.device, self._setup.models_folder), name
            self._tell(messages.StatusReply(__version__, "idle", name, self._engine.device_name, 0))
        return self._engine

    def _report(self, request: RenderRequest, news: Progress) -> None:
        self._tell(messages.Progress(request.job, news.fraction, news.stage))


def engine_request(request: RenderRequest) -> Generate | Restyle | Inpaint:
    """Say a request in the engine's words; what the client left open stays open. Raises EngineError."""
    knobs = _given(
        seed=request.seed,
        steps=request.steps,
        guidance=request.guidance,
        candidates=request.candidates,
        negative_prompt=request.negative,
        sampler=request.sampler,
    )
    if isinstance(request, ClipRequest):
        knobs |= _given(clip=read_clip(request), keep_air=request.keep_air)
    match request:
        case messages.Generate():
            return Generate(prompt=request.prompt, **knobs, **_given(seconds=request.seconds))
        case messages.Restyle():
            part = _given(strength=request.strength, start_s=request.start_s, end_s=request.end_s)
            return Restyle(prompt=request.prompt, **knobs, **part)
        case messages.Inpaint():
            band = _given(low_hz=request.low_hz, high_hz=request.high_hz)
            return Inpaint(prompt=request.prompt, regions=request.regions, **knobs, **band)
        case _:
            raise AssertionError(request)


def _given(**values: Any) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}


@dataclass
class _Orders:
    """What the daemon wants, gathered by a thread of its own so that a cancel is heard while a job runs."""

    requests: queue.SimpleQueue[RenderRequest | None]
    cancelled: set[str]
    ended: threading.Event

    def should_stop(self, job: str) -> bool:
        return job in self.cancelled or self.ended.is_set()


def _listen(stdin: BinaryIO, orders: _Orders, tell: Tell, models_dir: Path | None) -> None:
    """Take orders until the daemon says no more; then give the running job a moment, and leave by force."""
    for line in stdin:
        match request_from_line(line):
            case RenderRequest() as request:
                orders.requests.put(request)
            case messages.Cancel(job=job):
                orders.cancelled.add(job)
            case messages.Models():
                tell(messages.ModelsReply(tuple(entry.name for entry in list_models(models_dir))))
            case _:
                log.warning("an order that is none: %r", line)
    orders.ended.set()
    orders.requests.put(None)
    time.sleep(_GRACE_S)
    os._exit(1)


def _claim_stdout() -> BinaryIO:
    """Keep stdout for the daemon alone; what libraries print goes to stderr, into the log."""
    pipe = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    return pipe


def main(argv: Sequence[str]) -> int:
    """Run the render process: `retake worker <RenderSetup as JSON>`."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C in a terminal reaches us too; the daemon decides
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")
    setup = RenderSetup.from_json(argv[0])
    pipe, lock = _claim_stdout(), threading.Lock()

    def tell(reply: Reply) -> None:
        with lock:
            pipe.write(to_line(reply))
            pipe.flush()

    orders = _Orders(queue.SimpleQueue(), set(), threading.Event())
    threading.Thread(target=_listen, args=(sys.stdin.buffer, orders, tell, setup.models_folder), daemon=True).start()
    renderer = Renderer(setup, tell)
    while (request := orders.requests.get()) is not None:
        job = request.job
        renderer.render(request, lambda job=job: orders.should_stop(job))  # type: ignore[misc]
    return 0
