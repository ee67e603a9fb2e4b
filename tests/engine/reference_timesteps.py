"""The timesteps of the reference implementation's DDIM, which other implementations are compared at."""

from engine.diffusion.path import VariancePreserving


def leading_timesteps(num_steps: int, schedule: VariancePreserving) -> list[int]:
    """Return them in descending order: (0, c, 2c, ...) + 1 with c = 1000 // num_steps, kept inside the schedule."""
    stride = schedule.num_train_steps // num_steps
    return [min(i * stride + 1, schedule.num_train_steps - 1) for i in reversed(range(num_steps))]
