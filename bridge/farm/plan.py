"""The settings of the render farm, as they are passed to its process. Pure."""

import json
from dataclasses import asdict, dataclass
from typing import Self


@dataclass(frozen=True)
class FarmPlan:
    """Where the cluster is, and what an actor takes of it; `actors` 0 is as many as it has room for.

    `address` is "local" (a cluster of this machine alone), "auto" (the one that this machine belongs to),
    "ray://host:10001", or "host:6379" where this machine belongs to that cluster. `wait_s` is how long a job waits for
    a cluster, or for an actor, that is not there.
    """

    address: str
    gpus: float = 1.0
    cpus: float = 1.0
    actors: int = 0
    wait_s: float = 60.0

    @classmethod
    def from_json(cls, text: str) -> Self:
        return cls(**json.loads(text))

    def to_json(self) -> str:
        return json.dumps(asdict(self))

    def room(self, cpus: float, gpus: float) -> int:
        """Return how many actors a cluster with these CPUs and GPUs has room for; without a GPU they use CPUs."""
        if gpus and self.gpus:
            room = min(gpus / self.gpus, cpus / self.cpus if self.cpus else gpus / self.gpus)
        else:
            room = cpus / (self.cpus or 1.0)
        return min(int(room + 1e-6), self.actors or int(room + 1e-6))
