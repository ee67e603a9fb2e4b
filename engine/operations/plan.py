"""How a request is sampled: at which timesteps, by which sampler, with how much guidance, and by which net."""

from collections.abc import Iterator
from dataclasses import dataclass

from engine.audioldm import AudioLDM
from engine.diffusion.path import VariancePreserving
from engine.diffusion.schedule import timesteps_for
from engine.requests import DRAFT_STEPS, Sampling

SAMPLER = "dpm++2m"  # where a request names none


@dataclass(frozen=True)
class SamplingPlan:
    """What the model and the request agree on."""

    timesteps: tuple[int, ...]  # all of them, descending
    path: VariancePreserving
    sampler: str
    guidance: float
    by_draft_net: bool
    warnings: tuple[str, ...] = ()

    def kept(self, strength: float) -> list[int]:
        """Timesteps from exactly that share of the way down: the same share of the steps, at least one.

        A draft net knows only its own timesteps: there they begin at the noise level nearest to the one requested.
        """
        if not self.by_draft_net:
            return timesteps_for(len(self.timesteps), self.path, strength)
        wanted = strength * self.timesteps[0]
        start = min(self.timesteps, key=lambda t: abs(t - wanted))
        return list(self.timesteps[self.timesteps.index(start) :])


def plan_of(model: AudioLDM, request: Sampling) -> SamplingPlan:
    """A draft uses the steps that its net was trained for; everything else uses those of the request."""
    config = model.config
    if request.draft and config.draft:
        warnings = tuple(_unheeded(model, request))
        return SamplingPlan(config.draft.timesteps, config.schedule, "ddim", 1.0, by_draft_net=True, warnings=warnings)
    steps = request.steps or (DRAFT_STEPS if request.draft else config.default_steps)
    guidance = config.default_guidance if request.guidance is None else float(request.guidance)
    timesteps = tuple(timesteps_for(steps, config.schedule))
    sampler, warnings = request.sampler or SAMPLER, _unguided(request, guidance)
    return SamplingPlan(timesteps, config.schedule, sampler, guidance, by_draft_net=False, warnings=warnings)


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
