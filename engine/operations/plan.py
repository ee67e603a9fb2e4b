"""How a request is sampled: at which noise levels, by which solver, with how much guidance, and by which net."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from engine.audioldm import AudioLDM, DraftConfig
from engine.diffusion.path import VariancePreserving
from engine.diffusion.schedule import NoiseSchedule, lay_schedule
from engine.diffusion.solvers import ADDING_NOISE, SAMPLERS, Sampler, sample_ping_pong
from engine.model import SoundModel
from engine.operations.log_mels import has_log_mels
from engine.requests import Sampling


@dataclass(frozen=True)
class DraftNet:
    """A draft net's own timesteps; it knows no others."""

    config: DraftConfig
    path: VariancePreserving

    def schedule(self, strength: float) -> NoiseSchedule:
        """They begin at the noise level nearest to the one requested."""
        timesteps = self.config.timesteps
        wanted = strength * timesteps[0]
        start = min(timesteps, key=lambda t: abs(t - wanted))
        return lay_schedule(self.path, timesteps[timesteps.index(start) :])


@dataclass(frozen=True)
class SamplingPlan:
    """What the model and the request agree on."""

    model: SoundModel[Any]
    num_steps: int
    guidance: float
    sampler: str | None  # the name of the solver, where it has one
    draft_net: DraftNet | None = None
    warnings: tuple[str, ...] = ()

    def schedule(self, strength: float = 1.0) -> NoiseSchedule:
        """Noise levels from exactly that share of the way down: the same share of the steps, at least one."""
        if self.draft_net is not None:
            return self.draft_net.schedule(strength)
        return self.model.schedule(self.num_steps, strength)

    @property
    def solver(self) -> Sampler:
        return self.model.solver if self.sampler is None else SAMPLERS[self.sampler]

    @property
    def adds_noise(self) -> bool:
        """Whether the solver adds fresh noise at every step."""
        return self.sampler in ADDING_NOISE or self.solver is sample_ping_pong


def plan_of(model: SoundModel[Any], request: Sampling) -> SamplingPlan:
    """A draft uses the steps that its net was trained for; everything else uses those of the request."""
    if request.draft and has_log_mels(model) and model.config.draft:
        net, warnings = DraftNet(model.config.draft, model.config.schedule), tuple(_unheeded(model, request))
        return SamplingPlan(model, len(net.config.timesteps), 1.0, "ddim", net, warnings)
    steps = request.steps or (model.habits.draft_steps if request.draft else model.default_steps)
    guidance = model.default_guidance if request.guidance is None else float(request.guidance)
    own = next((name for name, solver in SAMPLERS.items() if solver is model.solver), None)
    return SamplingPlan(model, steps, guidance, request.sampler or own, warnings=_unguided(request, guidance))


def _unguided(request: Sampling, guidance: float) -> tuple[str, ...]:
    """A sentence where a negative prompt has no effect, since only guidance leads away from it."""
    if not request.negative_prompt or guidance != 1:
        return ()
    return (f'guidance 1 does not heed the negative prompt "{request.negative_prompt}"; more than 1 does',)


def _unheeded(model: AudioLDM, request: Sampling) -> Iterator[str]:
    """Sentences for options that a draft net ignores; the story of a draft leaves them out."""
    assert model.config.draft
    steps = len(model.config.draft.timesteps)
    if request.steps not in (None, steps):
        yield f"a draft of {model.config.name} always takes {steps} steps, not {request.steps}"
    if request.guidance not in (None, 1):
        yield f"a draft of {model.config.name} has its guidance built in; {request.guidance:g} was not heeded"
    if request.negative_prompt:
        yield f"a draft of {model.config.name} does not heed the negative prompt {request.negative_prompt!r}"
