"""Several tries at a take: the first that matches the prompt well enough is kept, or else the best of them.

The reference's script renders three sounds for every take and keeps the one that CLAP ranks first. Most first tries are
good, so here another is made only where the CLAP score is below the threshold.

Shape letters: n candidates that a rendering makes, Z latent channels, H rows, W columns, D embedding.
"""

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from engine.operations.long_sounds import decode_long
from engine.operations.sampling import Rendering


def tries_of(rendering: Rendering, wanted: int | None) -> int:
    """Return the maximum number of tries for a take. A model without an audio tower cannot choose, and makes one.

    By default it is the model's own number; but one for sounds longer than a window, which take long enough, and for
    prompts that the model does not know, which no try will match.
    """
    model, prompt = rendering.model, rendering.condition.prompt
    if not model.clap.has_audio_tower:
        return 1
    if wanted is not None:
        return int(wanted)
    is_beyond = bool(prompt) and not model.clap.knows(prompt)
    window = model.config.window_rows * model.samples_per_row
    return 1 if is_beyond or rendering.num_samples > window else model.config.default_tries


@dataclass(frozen=True)
class _Try:
    """Candidate `number` as it came out, and its score."""

    number: int
    latent: Tensor  # [Z, H, W]
    score: float


class Tries:
    """What a rendering of one channel has made so far: the best try for each of its candidates.

    while (trial := tries.next()) is not None:
        tries.record(trial.sample(trial.noise(), trial.timesteps()), trial.candidates)
    rendering, latent = tries.best()
    """

    def __init__(self, rendering: Rendering, limit: int) -> None:
        self.rendering, self.limit, self._round = rendering, limit, 0
        self._best: dict[int, _Try] = {}  # by candidate

    def next(self) -> Rendering | None:
        """What to sample next: candidates without a good match, with noise of their own; None when it is enough."""
        count, good = self.rendering.sampling.candidates, self.rendering.model.config.good_match
        wanting = [c for c in range(count) if c not in self._best or good is None or self._best[c].score < good]
        if self._round == self.limit or not wanting:
            return None
        numbers = tuple(candidate + self._round * count for candidate in wanting)
        return replace(self.rendering, chosen=numbers, reporter=self.rendering.reporter.round(self._round, self.limit))

    def record(self, latent: Tensor, numbers: tuple[int, ...]) -> None:
        """Record the latents [n, Z, H, W] of the candidates of `next`, where they are better than earlier ones."""
        self._round += 1
        for number, one in zip(numbers, latent, strict=True):
            score = self._score(one[None]) if self.limit > 1 else 0.0
            candidate = number % self.rendering.sampling.candidates
            before = self._best.get(candidate)
            if before is None or score > before.score:
                self._best[candidate] = _Try(number, one, score)

    def best(self) -> tuple[Rendering, Tensor]:
        """The rendering of the best tries and their latents [n, Z, H, W], in the order of the candidates."""
        best = [self._best[candidate] for candidate in sorted(self._best)]
        chosen = tuple(one.number for one in best)
        return replace(self.rendering, chosen=chosen), torch.stack([one.latent for one in best])

    def _score(self, latent: Tensor) -> float:
        """Return the cosine of the condition and a latent's [1, Z, H, W] embedding, without a vocoder if possible."""
        rendering, model = self.rendering, self.rendering.model
        log_mel = decode_long(model, latent, rendering.windows, rendering.reporter.check)
        frames = -(-rendering.num_samples // model.config.mel.hop)
        (score,) = rendering.matches(model.embed_log_mel(log_mel[:, :, :frames]))
        return score
