"""Golden arrays pin the front end, the schedule and the samplers; calculus says where the samplers must arrive.

The arrays were made by librosa and diffusers alone, see `golden/make_golden.py`.
"""

import math
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from engine.diffusion.guidance import Denoised, read_prediction
from engine.diffusion.path import VariancePreserving
from engine.diffusion.schedule import lay_schedule, timesteps_for
from engine.diffusion.solvers import SAMPLERS, Sampler
from engine.mel import LogMel, MelConfig, slaney_filterbank
from tests.engine.reference_timesteps import leading_timesteps

GOLDEN = Path(__file__).with_name("golden")
SCHEDULE = VariancePreserving()
MEAN, DEVIATION = 0.5, 0.3  # of the latents that the exact denoiser knows


def golden(file: str, name: str) -> Tensor:
    with np.load(GOLDEN / file) as arrays:
        return torch.from_numpy(arrays[name])


def denoise_gaussian(x: Tensor, time: float) -> Denoised:
    """E[x0 | x_t] and E[eps | x_t] for latents that are Gaussian around MEAN with DEVIATION."""
    alpha_bar = SCHEDULE.alpha_bar(int(time))
    eps = (1 - alpha_bar) ** 0.5 * (x - alpha_bar**0.5 * MEAN) / (alpha_bar * DEVIATION**2 + 1 - alpha_bar)
    return read_prediction(eps, x, SCHEDULE.level(time), "eps")


class TestFrontEnd:
    def test_filterbank(self, relative_error):
        assert relative_error(slaney_filterbank(MelConfig()), golden("front_end.npz", "filterbank")) <= 1e-6

    @pytest.mark.parametrize("centre", ["vocoder", "librosa"])
    def test_log_mel(self, centre, relative_error):
        ours = LogMel(MelConfig(centre=centre))(golden("front_end.npz", "waveform")[None])
        assert relative_error(ours[0, 0], golden("front_end.npz", f"log_mel_{centre}")) <= 1e-5

    def test_the_two_conventions_are_half_a_hop_apart(self):
        """An impulse on sample 800 is the middle of librosa's frame 5, and between the vocoder's frames 4 and 5."""
        impulse = torch.zeros(1, 1600)
        impulse[0, 800] = 1
        loudness = {
            centre: LogMel(MelConfig(centre=centre))(impulse)[0, 0].mean(dim=1) for centre in ("vocoder", "librosa")
        }
        assert int(loudness["librosa"].argmax()) == 5
        assert torch.allclose(loudness["vocoder"][4], loudness["vocoder"][5], atol=1e-3)


class TestSamplers:
    def test_schedule(self, relative_error):
        ours = SCHEDULE.alphas_cumprod.float()
        assert relative_error(ours, golden("samplers.npz", "alphas_cumprod")) <= 1e-6

    @pytest.mark.parametrize(("sampler", "name"), [("ddim", "ddim"), ("dpm++2m", "dpm")])
    def test_trajectory(self, sampler, name, relative_error):
        timesteps = golden("samplers.npz", f"{name}_timesteps").tolist()
        chosen = leading_timesteps(50, SCHEDULE) if name == "ddim" else timesteps_for(20, SCHEDULE)
        assert chosen == timesteps
        latents = SAMPLERS[sampler](
            denoise_gaussian, golden("samplers.npz", "noise"), lay_schedule(SCHEDULE, timesteps)
        )
        for ours, expected in zip(latents, golden("samplers.npz", name), strict=True):
            assert relative_error(ours, expected) <= 1e-5


def exact_flow(x: Tensor, t: int, later: int) -> Tensor:
    """Where the probability flow carries x from timestep t to a later one: its place in the Gaussian stays the same."""

    def moments(step: int) -> tuple[float, float]:
        alpha_bar = SCHEDULE.alpha_bar(step)
        return math.sqrt(alpha_bar) * MEAN, math.sqrt(alpha_bar * DEVIATION**2 + 1 - alpha_bar)

    (mean, deviation), (later_mean, later_deviation) = moments(t), moments(later)
    return later_mean + later_deviation * (x - mean) / deviation


def error_after(sampler: Sampler, stride: int) -> float:
    """How far from the exact flow the sampler is at timestep 103, coming from 999 in steps of `stride`."""
    timesteps = list(range(999, 102, -stride))
    x = golden("samplers.npz", "noise").double()
    *_, reached, _clean = sampler(denoise_gaussian, x, lay_schedule(SCHEDULE, timesteps))
    expected = exact_flow(x, 999, 103)
    return float((reached - expected).norm() / expected.norm())


class TestConvergence:
    @pytest.mark.parametrize(("sampler", "order"), [("ddim", 1), ("dpm++2m", 2)])
    def test_each_halving_of_the_step_divides_the_error_by_two_to_the_order(self, sampler, order):
        errors = [error_after(SAMPLERS[sampler], stride) for stride in (32, 16, 8, 4, 2)]
        reached = [math.log2(coarse / fine) for coarse, fine in pairwise(errors)]
        assert reached == pytest.approx([order] * 4, abs=0.05)

    def test_the_second_order_pays_at_sixteen_steps(self):
        errors = {name: error_after(sampler, 56) for name, sampler in SAMPLERS.items()}
        assert errors["dpm++2m"] < errors["ddim"] / 5


@pytest.mark.slow
def test_the_script_makes_the_same_arrays_again(tmp_path):
    subprocess.run([sys.executable, GOLDEN / "make_golden.py", tmp_path], check=True)
    for name in ("front_end.npz", "samplers.npz"):
        with np.load(GOLDEN / name) as kept, np.load(tmp_path / name) as made:
            assert set(kept) == set(made)
            for array in kept:
                assert np.allclose(kept[array], made[array], rtol=1e-5, atol=1e-6)
