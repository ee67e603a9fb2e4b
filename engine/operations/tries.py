"""Several tries at a take: the first that matches the prompt well enough is kept, or else the best of them.

The reference's script renders three sounds for every take and keeps the one that CLAP ranks first. Most first tries are
good, so here another is made only where the CLAP score is below the threshold.

Shape letters: n candidates that a rendering makes, Z latent channels, H rows.
"""

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from engine.operations.rendering import Rendering


def tries_of(rendering: Rendering, wanted: int | None) -> int:
    """Return the maximum number of tries for a take. A model that cannot hear cannot choose, and makes one.

    By default it is the model's own number; but one for sounds longer than a window, which take long enough, and for
    prompts that the model does not know, which no try will match.
    """
    model = rendering.model
    if model.scorer is None:
        return 1
    if wanted is not None:
        return int(wanted)
    window = model.window_rows * model.samples_per_row
    return 1 if not rendering.is_known or rendering.num_samples > window else model.habits.tries


@dataclass(frozen=True)
class _Try:
    """Candidate `number` as it came out, and its score."""

    number: int
    latent: Tensor  # [Z, H, ...]
    score: float


class Tries:
    """What a rendering of one sound has made so far: the best try for each of its candidates.

    while (trial := tries.next()) is not None:
        tries.record(trial.sample(trial.noise(), trial.schedule()), trial.candidates)
    rendering, latent = tries.best()
    """

    def __init__(self, rendering: Rendering, limit: int) -> None:
        self.rendering, self.limit, self._round = rendering, limit, 0
        self._best: dict[int, _Try] = {}  # by candidate

    def next(self) -> Rendering | None:
        """What to sample next: candidates without a good match, with noise of their own; None when it is enough."""
        count, good = self.rendering.sampling.candidates, self.rendering.model.habits.good_match
        wanting = [c for c in range(count) if c not in self._best or good is None or self._best[c].score < good]
        if self._round == self.limit or not wanting:
            return None
        numbers = tuple(candidate + self._round * count for candidate in wanting)
        return replace(self.rendering, chosen=numbers, reporter=self.rendering.reporter.round(self._round, self.limit))

    def record(self, latent: Tensor, numbers: tuple[int, ...]) -> None:
        """Record the latents [n, Z, H, ...] of the candidates of `next`, where they are better than earlier ones."""
        self._round += 1
        for number, one in zip(numbers, latent, strict=True):
            score = self.rendering.score(one[None]) if self.limit > 1 else 0.0
            candidate = number % self.rendering.sampling.candidates
            before = self._best.get(candidate)
            if before is None or score > before.score:
                self._best[candidate] = _Try(number, one, score)

    def best(self) -> tuple[Rendering, Tensor]:
        """The rendering of the best tries and their latents [n, Z, H, ...], in the order of the candidates."""
        best = [self._best[candidate] for candidate in sorted(self._best)]
        chosen = tuple(one.number for one in best)
        return replace(self.rendering, chosen=chosen), torch.stack([one.latent for one in best])
