"""The sampler of training clips: which ones a step uses, so that all processes together see each clip once a round."""

import numpy as np
from numpy.typing import NDArray

from engine.training.workers import Workers


class ClipSampler:
    """A new random order of all clips for every round; the processes take a batch each in turn.

    A round uses every clip once, and some from the order's beginning again to fill up its last step. A step's clips
    follow from its number alone, so a resumed run continues as if it had never stopped.
    """

    def __init__(self, total: int, batch_size: int, workers: Workers, seed: int) -> None:
        self.total, self.batch_size, self.workers, self.seed = total, batch_size, workers, seed
        self.steps_a_round = -(-total // (batch_size * workers.count))
        self._round, self._order = -1, np.arange(0)

    def at(self, step: int) -> NDArray[np.int64]:
        """Return this process's clips, [B]; none twice unless a batch is larger than the whole set."""
        which, place = divmod(step, self.steps_a_round)
        if which != self._round:
            order = np.random.default_rng((self.seed, which)).permutation(self.total)
            self._round, self._order = which, order
        first = (place * self.workers.count + self.workers.rank) * self.batch_size
        chosen: NDArray[np.int64] = self._order[(first + np.arange(self.batch_size)) % self.total]
        return chosen
