"""Whose turn it is: which clips a step learns from, so that all processes together go through the whole of them."""

import numpy as np
from numpy.typing import NDArray

from engine.training.workers import Workers


class ClipSampler:
    """An order of all clips, drawn anew for every round; the processes take it in turn, a batch each.

    In a round every clip is met: once, but for those from the order's beginning that fill up the round's last step. A
    step's clips follow from its number alone, so a resumed run goes on as if it had never stopped.
    """

    def __init__(self, total: int, batch_size: int, workers: Workers, seed: int) -> None:
        self.total, self.batch_size, self.workers, self.seed = total, batch_size, workers, seed
        self.steps_a_round = -(-total // (batch_size * workers.count))
        self._round, self._order = -1, np.arange(0)

    def at(self, step: int) -> NDArray[np.int64]:
        """This process's clips, [B]; none twice unless a batch is larger than the whole."""
        which, place = divmod(step, self.steps_a_round)
        if which != self._round:
            order = np.random.default_rng((self.seed, which)).permutation(self.total)
            self._round, self._order = which, order
        first = (place * self.workers.count + self.workers.rank) * self.batch_size
        chosen: NDArray[np.int64] = self._order[(first + np.arange(self.batch_size)) % self.total]
        return chosen
