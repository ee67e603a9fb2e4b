"""The samplers against diffusers' schedulers: whole trajectories of an exact denoiser and of a net."""

from collections.abc import Callable

import pytest
import torch
from diffusers import DDIMScheduler, DPMSolverMultistepScheduler
from torch import Tensor, nn

from engine.diffusion.guidance import Denoise, Denoised, read_prediction
from engine.diffusion.path import VariancePreserving
from engine.diffusion.schedule import lay_schedule, timesteps_for
from engine.diffusion.solvers import sample_ddim, sample_dpm_solver_2m, sample_dpm_solver_2m_sde
from tests.engine.reference_timesteps import leading_timesteps

SCHEDULE = VariancePreserving()
PUBLISHED = {"beta_start": 0.0015, "beta_end": 0.0195, "beta_schedule": "scaled_linear", "num_train_timesteps": 1000}
Predict = Callable[[Tensor, int], Tensor]  # (x_t, t) -> eps


def noise() -> Tensor:
    return torch.randn(2, 8, 16, 4, generator=torch.Generator().manual_seed(1))


def predict_for_gaussian_sounds(x: Tensor, t: int) -> Tensor:
    """The exact ε for latents that are Gaussian around 0.5 with deviation 0.3: E[ε | x_t]."""
    alpha_bar = SCHEDULE.alpha_bar(t)
    return (1 - alpha_bar) ** 0.5 * (x - alpha_bar**0.5 * 0.5) / (alpha_bar * 0.3**2 + 1 - alpha_bar)


def predict_by_a_net() -> Predict:
    """A small random net, as bent as a real one."""
    with torch.random.fork_rng():
        torch.manual_seed(2)
        net = nn.Sequential(nn.Conv2d(9, 24, 3, padding=1), nn.SiLU(), nn.Conv2d(24, 8, 3, padding=1)).requires_grad_(
            False
        )

    def predict(x: Tensor, t: int) -> Tensor:
        return x + 0.5 * net(torch.cat([x, torch.full_like(x[:, :1], t / 1000)], dim=1))

    return predict


PREDICTIONS = {"exact denoiser": predict_for_gaussian_sounds, "net": predict_by_a_net()}


def denoiser(predict: Predict) -> Denoise:
    def denoise(x: Tensor, time: float) -> Denoised:
        return read_prediction(predict(x, int(time)), x, SCHEDULE.level(time), "eps")

    return denoise


def their_trajectory(scheduler: DDIMScheduler | DPMSolverMultistepScheduler, predict: Predict) -> list[Tensor]:
    x, trajectory, generator = noise(), [], torch.Generator().manual_seed(5)
    fresh = {"generator": generator} if "sde" in scheduler.config.get("algorithm_type", "") else {}
    for t in scheduler.timesteps:
        x = scheduler.step(predict(x, int(t)), t, x, **fresh).prev_sample
        trajectory.append(x)
    return trajectory


def test_schedule_is_diffusers_own(relative_error):
    theirs = DDIMScheduler(**PUBLISHED).alphas_cumprod
    assert relative_error(SCHEDULE.alphas_cumprod, theirs.double()) <= 1e-6


class TestTimesteps:
    @pytest.mark.parametrize("num_steps", [steps for steps in range(1, 501) if 1000 % steps == 0])
    def test_ddim_s_are_diffusers_own_wherever_they_divide_the_schedule(self, num_steps):
        """At 1000 the reference and diffusers overrun the schedule."""
        scheduler = DDIMScheduler(**PUBLISHED, steps_offset=1)
        scheduler.set_timesteps(num_steps)
        assert leading_timesteps(num_steps, SCHEDULE) == scheduler.timesteps.tolist()

    def test_dpm_solver_s_are_diffusers_own_at_any_number(self):
        """Halves may be rounded up or down: 499.5, in 26 steps, is 500 here and 499 there."""
        for num_steps in range(1, 500):
            scheduler = DPMSolverMultistepScheduler(**PUBLISHED)
            scheduler.set_timesteps(num_steps)
            ours = timesteps_for(num_steps, SCHEDULE)
            for i, (mine, theirs) in enumerate(zip(ours, scheduler.timesteps.tolist(), strict=True)):
                is_half = 2 * 999 * i % num_steps == 0 and 999 * i % num_steps != 0
                assert mine == theirs or (is_half and abs(mine - theirs) == 1)


@pytest.mark.parametrize("predict", PREDICTIONS.values(), ids=PREDICTIONS.keys())
class TestWholeTrajectories:
    @pytest.mark.parametrize("num_steps", [10, 50, 200])
    def test_ddim_with_eta_0(self, predict, num_steps, relative_error):
        scheduler = DDIMScheduler(**PUBLISHED, steps_offset=1, set_alpha_to_one=False, clip_sample=False)
        scheduler.set_timesteps(num_steps)
        timesteps = leading_timesteps(num_steps, SCHEDULE)
        assert timesteps == scheduler.timesteps.tolist()
        ours = list(sample_ddim(denoiser(predict), noise(), lay_schedule(SCHEDULE, timesteps)))
        for mine, expected in zip(ours, their_trajectory(scheduler, predict), strict=True):
            assert relative_error(mine, expected) <= 1e-4

    @pytest.mark.parametrize("num_steps", [4, 20, 25, 50])
    def test_dpm_solver_2m(self, predict, num_steps, relative_error):
        scheduler = DPMSolverMultistepScheduler(**PUBLISHED, final_sigmas_type="zero")
        scheduler.set_timesteps(num_steps)
        timesteps = timesteps_for(num_steps, SCHEDULE)
        assert timesteps == scheduler.timesteps.tolist()
        ours = list(sample_dpm_solver_2m(denoiser(predict), noise(), lay_schedule(SCHEDULE, timesteps)))
        for mine, expected in zip(ours, their_trajectory(scheduler, predict), strict=True):
            assert relative_error(mine, expected) <= 1e-4

    @pytest.mark.parametrize("num_steps", [4, 20, 25, 50])
    def test_dpm_solver_2m_with_fresh_noise_at_every_step(self, predict, num_steps, relative_error):
        scheduler = DPMSolverMultistepScheduler(**PUBLISHED, final_sigmas_type="zero", algorithm_type="sde-dpmsolver++")
        scheduler.set_timesteps(num_steps)
        generator = torch.Generator().manual_seed(5)
        ours = list(
            sample_dpm_solver_2m_sde(
                denoiser(predict),
                noise(),
                lay_schedule(SCHEDULE, timesteps_for(num_steps, SCHEDULE)),
                draw=lambda: torch.randn(noise().shape, generator=generator),
            )
        )
        for mine, expected in zip(ours, their_trajectory(scheduler, predict), strict=True):
            assert relative_error(mine, expected) <= 1e-4


@pytest.mark.parametrize(
    "sampler",
    [sample_ddim, sample_dpm_solver_2m, sample_dpm_solver_2m_sde],
    ids=["ddim", "dpm++2m", "dpm++2m-sde"],
)
def test_the_exact_denoiser_leads_to_its_sounds(sampler):
    """Fifty steps turn unit noise into the distribution that the denoiser stands for: mean 0.5, deviation 0.3."""
    *_, sample = sampler(
        denoiser(predict_for_gaussian_sounds), noise(), lay_schedule(SCHEDULE, timesteps_for(50, SCHEDULE))
    )
    assert float(sample.mean()) == pytest.approx(0.5, abs=0.05)
    assert float(sample.std()) == pytest.approx(0.3, abs=0.05)
