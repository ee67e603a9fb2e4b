"""From a request to files: the engine's request, its takes, their WAVs. Nothing else here knows the engine.

Importing this room imports torch: only the render process does.
"""

import logging
from collections.abc import Callable
from typing import Any

from bridge import __version__, messages
from bridge.audio_io import Destination, read_clips, take_name
from bridge.errors import BridgeError, UnforeseenError
from bridge.messages import Done, Fail, ModelsReply, Notice, RenderRequest, Reply
from bridge.pipe import RenderSetup
from engine import Engine, EngineError, Generate, Inpaint, Progress, Request, Restyle, Upscale, Vary, list_models

log = logging.getLogger(__name__)

Tell = Callable[[Reply], None]
ShouldStop = Callable[[RenderRequest], bool]


class Renderer:
    """Turns requests into files, one at a time, with a model that stays loaded."""

    def __init__(self, setup: RenderSetup, tell: Tell) -> None:
        self._setup = setup
        self._paths = setup.path_rules
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
        self._paths.check_clips(request)
        task = engine_request(request)
        destination = Destination.of(request, self._paths)
        engine = self._engine_for(request)
        destination.require_room(task, engine.sample_rate, self._setup.max_output_bytes)
        takes = engine.run(
            task, on_step=lambda news: self._report(request, news), should_stop=lambda: should_stop(request)
        )
        for warning in dict.fromkeys(text for take in takes for text in take.story.get("warnings", ())):
            self._tell(Notice(request.job, warning))
        self._tell(messages.Progress(request.job, 1.0, "writing"))
        names = [take_name(request, take.story["seed"]) for take in takes]
        return tuple(str(path) for path in destination.write(takes, names))

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


def engine_request(request: RenderRequest) -> Request:
    """Say a request in the engine's words; what the client left open stays open. Raises EngineError."""
    knobs = _given(
        prompt=request.prompt,
        like_weight=request.like_weight,
        seed=request.seed,
        steps=request.steps,
        guidance=request.guidance,
        candidates=request.candidates,
        negative_prompt=request.negative,
        sampler=request.sampler,
        **read_clips(request),
    )
    match request:
        case messages.Generate():
            return Generate(**knobs, **_given(seconds=request.seconds))
        case messages.Restyle():
            return Restyle(**knobs, **_moved(request))
        case messages.Vary():
            return Vary(**knobs, **_moved(request))
        case messages.Inpaint():
            band = _given(low_hz=request.low_hz, high_hz=request.high_hz, keep_air=request.keep_air)
            return Inpaint(regions=request.regions, **knobs, **band)
        case messages.Upscale():
            part = _given(start_s=request.start_s, end_s=request.end_s)
            return Upscale(**knobs, **part, **_given(cutoff_hz=request.cutoff_hz, output_rate=request.output_rate))
        case _:
            raise AssertionError(request)


def _moved(request: messages.Restyle | messages.Vary) -> dict[str, Any]:
    """Give what says how far which part of a clip is moved."""
    part = {"start_s": request.start_s, "end_s": request.end_s}
    return _given(strength=request.strength, keep_air=request.keep_air, **part)


def _given(**values: Any) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}


def installed_models(setup: RenderSetup) -> ModelsReply:
    """Name the models that can be asked for."""
    return ModelsReply(tuple(entry.name for entry in list_models(setup.models_folder)))
