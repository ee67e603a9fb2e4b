"""Several sounds from words at once: requests of equal shape share every call of the net.

On a GPU a call for many costs little more than a call for one. On the processor nothing is gained and nothing changes:
there each row has a call of its own, here as everywhere, so that no take depends on its company.

Shape letters: B rows, all requests' candidates with their tries; Z latent channels, H rows of a latent, W columns.
"""

from collections.abc import Callable, Hashable, Mapping, Sequence
from functools import partial
from typing import Any, cast

import torch
from torch import Tensor

from engine.audio import Audio
from engine.diffusion.guidance import Denoised
from engine.errors import CancelledError, EngineError
from engine.model import SoundModel
from engine.operations.generate import generate, takes_of, tries_at
from engine.operations.mel_rendering import MelRendering
from engine.operations.progress import ProgressReporter
from engine.operations.rendering import Rendering
from engine.operations.tries import Tries
from engine.operations.windows import in_batches
from engine.requests import Generate

Outcome = list[Audio] | EngineError


def shape_of(request: Generate) -> Hashable:
    """What requests must have in common to be sampled together."""
    return request.seconds, request.steps, request.guidance, request.sampler, request.draft


def generate_together(
    model: SoundModel[Any],
    requests: Sequence[Generate],
    reporters: Sequence[ProgressReporter],
    at_once: int | None = None,
) -> list[Outcome]:
    """Each request's candidates, best first, or why there are none; one that is cancelled leaves the others alone.

    Requests that cannot share calls with the first (another shape, longer than a window) are answered one by one.
    `at_once` is how many rows a call of the net has, as many as suit the device by default.
    """
    outcomes: dict[int, Outcome] = {}
    shared: dict[int, Tries] = {}
    for index, (request, reporter) in enumerate(zip(requests, reporters, strict=True)):
        try:
            tries = tries_at(model, request, reporter)
        except EngineError as error:
            outcomes[index] = error
            continue
        if shape_of(request) == shape_of(requests[0]) and tries.rendering.can_share:
            shared[index] = tries
    outcomes |= _try_together(shared, at_once)
    for index in shared.keys() - outcomes.keys():
        outcomes[index] = _finish(shared[index], requests[index])
    return [
        outcomes[index] if index in outcomes else _alone(model, request, reporters[index])
        for index, request in enumerate(requests)
    ]


def _try_together(shared: Mapping[int, Tries], at_once: int | None) -> dict[int, EngineError]:
    """Round after round, until all have enough; those that failed, with why."""
    failed: dict[int, EngineError] = {}
    while True:
        trials = {i: trial for i, tries in shared.items() if i not in failed and (trial := tries.next()) is not None}
        if not trials:
            return failed
        latents = _Batch(list(trials.values()), at_once).sample()
        for (index, trial), latent in zip(trials.items(), latents, strict=True):
            try:
                if isinstance(latent, EngineError):
                    raise latent
                shared[index].record(latent, trial.candidates)
            except EngineError as error:
                failed[index] = error


class _Batch:
    """Renderings of equal shape on their way through the sampler; those that were cancelled are carried along."""

    def __init__(self, renderings: Sequence[Rendering], at_once: int | None) -> None:
        self._renderings = [cast("MelRendering", rendering) for rendering in renderings]  # no others can share
        self._at_once = at_once
        self._cancelled: dict[int, EngineError] = {}
        self._sizes = [len(rendering.candidates) for rendering in renderings]
        self._wanted = self._rows([rendering.condition.wanted for rendering in self._renderings])
        self._negative = self._rows([rendering.condition.negative for rendering in self._renderings])
        self._curves = self._followed()

    def sample(self) -> list[Tensor | EngineError]:
        """A clean latent [n, Z, H, W] for each, or that it was cancelled."""
        first = self._renderings[0]
        schedule = first.schedule()
        x = torch.cat([rendering.noise() for rendering in self._renderings])
        sources = [rendering.draw() for rendering in self._renderings]
        latents = first.plan.solver(self._denoise, x, schedule, draw=lambda: torch.cat([s() for s in sources]))
        try:
            for step, latent in enumerate(latents, start=1):
                x = latent
                self._notify(partial(ProgressReporter.step, step=step, num_steps=len(schedule)))
        except CancelledError as cancelled:
            return [cancelled] * len(self._renderings)
        return [self._cancelled.get(index, latent) for index, latent in enumerate(x.split(self._sizes))]

    def _rows(self, embeddings: Sequence[Tensor]) -> Tensor:
        """[1, D] for each rendering -> [B, D]."""
        repeats = torch.tensor(self._sizes, device=embeddings[0].device)
        return torch.cat(list(embeddings)).repeat_interleave(repeats, dim=0)

    def _followed(self) -> Tensor | None:
        """The curves of all rows, [B, C, H], NaN for those that follow nothing; None if nothing is followed."""
        given = [rendering.curves for rendering in self._renderings if rendering.curves is not None]
        if not given:
            return None
        free = torch.full_like(given[0], torch.nan)
        return self._rows([free if rendering.curves is None else rendering.curves for rendering in self._renderings])

    def _denoise(self, x: Tensor, time: float) -> Denoised:
        first = self._renderings[0]

        def of_rows(numbers: Tensor, time: float, curves: Tensor | None = None, /) -> Denoised:
            rows = numbers[:, 0]
            denoise = first.towards(self._wanted[rows], self._negative[rows])
            return denoise(x[rows], time, curves)

        numbers = torch.arange(len(x), device=x.device)[:, None]
        check = partial(self._notify, ProgressReporter.check)
        return in_batches(of_rows, numbers, time, check, self._at_once, self._curves)

    def _notify(self, report: Callable[[ProgressReporter], None]) -> None:
        """Notify all that are not cancelled. Raises CancelledError when all are."""
        for index, rendering in enumerate(self._renderings):
            if index not in self._cancelled:
                try:
                    report(rendering.reporter)
                except CancelledError as cancelled:
                    self._cancelled[index] = cancelled
        if len(self._cancelled) == len(self._renderings):
            raise CancelledError


def _finish(tries: Tries, request: Generate) -> Outcome:
    try:
        return takes_of(tries, request)
    except EngineError as error:
        return error


def _alone(model: SoundModel[Any], request: Generate, reporter: ProgressReporter) -> Outcome:
    try:
        return generate(model, request, reporter)
    except EngineError as error:
        return error
