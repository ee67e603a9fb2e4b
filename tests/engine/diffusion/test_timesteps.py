"""Which timesteps a number of steps means."""

from itertools import pairwise

import pytest

from engine.diffusion.path import VariancePreserving
from engine.diffusion.schedule import timesteps_for

SCHEDULE = VariancePreserving()


@pytest.mark.parametrize("num_steps", [1, 2, 3, 7, 20, 25, 37, 111, 333, 501, 999, 1000])
def test_each_is_met_once_from_the_noisiest_down(num_steps):
    timesteps = timesteps_for(num_steps, SCHEDULE)

    assert len(timesteps) == num_steps
    assert timesteps[0] == 999
    assert all(later < earlier for earlier, later in pairwise(timesteps))
    assert timesteps[-1] >= 0


def test_more_steps_than_were_trained_are_all_of_them():
    assert timesteps_for(5000, SCHEDULE) == list(reversed(range(1000)))


@pytest.mark.parametrize(("strength", "kept"), [(1.0, 20), (0.5, 10), (0.05, 1)])
def test_strength_keeps_the_clean_end(strength, kept):
    whole = timesteps_for(20, SCHEDULE)

    assert timesteps_for(20, SCHEDULE, strength) == whole[-kept:]


@pytest.mark.parametrize("strength", [0.001, 0.01, 0.044, 0.44, 0.45, 0.46, 0.48, 0.999])
@pytest.mark.parametrize("num_steps", [1, 6, 15, 20, 1000])
def test_strength_says_where_to_start_whatever_the_number_of_steps(num_steps, strength):
    """Rounded to whole steps, a slider in a window would stand still for a fifteenth of its way, and then jump."""
    timesteps = timesteps_for(num_steps, SCHEDULE, strength)

    assert timesteps[0] == pytest.approx(999 * strength, abs=1)
    assert len(timesteps) == pytest.approx(max(1, strength * num_steps), abs=1)
    assert all(later < earlier for earlier, later in pairwise(timesteps))
    assert timesteps[-1] >= 0
