"""Levels as pairs: the same solvers on both paths of noise, and bits as they were when levels were ᾱ alone."""

import math
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise

import pytest
import torch
from torch import Tensor

from engine.diffusion.guidance import Denoise, Denoised
from engine.diffusion.path import CLEAN, NoisePath, StraightFlow, VariancePreserving
from engine.diffusion.schedule import lay_schedule, timesteps_for
from engine.diffusion.solvers import (
    SAMPLERS,
    Sampler,
    sample_ddim,
    sample_dpm_solver_2m,
    sample_dpm_solver_2m_sde,
    sample_ping_pong,
)

MEAN, DEVIATION = 0.5, 0.3  # of the latents that the exact denoiser knows
DIFFUSION, FLOW = VariancePreserving(), StraightFlow()


def noise(seed: int = 1) -> Tensor:
    return torch.randn(2, 8, 16, generator=torch.Generator().manual_seed(seed))


def exact_denoiser(path: NoisePath) -> Denoise:
    """E[x0 | x] and E[ε | x] for latents that are Gaussian around MEAN with DEVIATION."""

    def denoise(x: Tensor, time: float) -> Denoised:
        signal, spread = path.level(time)
        share = (x - signal * MEAN) / (signal**2 * DEVIATION**2 + spread**2)
        return Denoised(MEAN + signal * DEVIATION**2 * share, spread * share)

    return denoise


def flow_times(count: int, first: float = 1.0) -> list[float]:
    return [first - first * i / count for i in range(count)]


class TestLevels:
    def test_a_variance_preserving_level_has_the_power_of_one(self) -> None:
        levels = [DIFFUSION.level(t) for t in range(1000)]
        assert all(signal**2 + spread**2 == pytest.approx(1) for signal, spread in levels)

    def test_a_flow_goes_straight_from_noise_to_signal(self) -> None:
        assert (FLOW.level(1.0), FLOW.level(0.25), FLOW.level(0.0)) == ((0, 1), (0.75, 0.25), CLEAN)

    def test_a_schedule_tells_each_step_where_it_leads(self) -> None:
        steps = list(lay_schedule(FLOW, [0.75, 0.5]))
        assert steps == [(0.75, (0.25, 0.75), (0.5, 0.5), False), (0.5, (0.5, 0.5), CLEAN, True)]


@pytest.mark.parametrize("path", [DIFFUSION, FLOW], ids=["diffusion", "flow"])
class TestEverySolverOnEveryPath:
    @pytest.mark.parametrize("sampler", SAMPLERS.values(), ids=SAMPLERS)
    def test_the_exact_denoiser_leads_to_its_sounds(self, path: NoisePath, sampler: Sampler) -> None:
        """From pure noise, at which a flow has no signal at all."""
        times = timesteps_for(50, DIFFUSION) if path is DIFFUSION else flow_times(50)
        source = torch.Generator().manual_seed(3)
        denoise, schedule = exact_denoiser(path), lay_schedule(path, times)
        *_, made = sampler(denoise, noise(), schedule, draw=lambda: torch.randn(2, 8, 16, generator=source))
        assert torch.isfinite(made).all()
        assert float(made.mean()) == pytest.approx(MEAN, abs=0.06)
        assert float(made.std()) == pytest.approx(DEVIATION, abs=0.06)

    @pytest.mark.parametrize("sampler", [*SAMPLERS.values(), sample_ping_pong], ids=[*SAMPLERS, "ping-pong"])
    def test_what_is_imposed_stays(self, path: NoisePath, sampler: Sampler) -> None:
        times = timesteps_for(5, DIFFUSION) if path is DIFFUSION else flow_times(5)
        observed, reached = torch.full((2, 8, 16), 7.0), []

        def impose(x: Tensor, level: object) -> Tensor:
            reached.append(level)
            return torch.where(torch.arange(16) < 4, observed, x)

        *_, made = sampler(exact_denoiser(path), noise(), lay_schedule(path, times), draw=noise, impose=impose)
        assert torch.equal(made[..., :4], observed[..., :4])
        assert len(reached) == 5
        assert reached[-1] == CLEAN


@pytest.mark.parametrize(("sampler", "order"), [(sample_ddim, 1), (sample_dpm_solver_2m, 2)], ids=["ddim", "dpm++2m"])
def test_on_a_flow_each_halving_of_the_step_divides_the_error_by_two_to_the_order(sampler: Sampler, order: int) -> None:
    """Where the flow carries x is known: its place in the Gaussian stays the same."""

    def moments(time: float) -> tuple[float, float]:
        signal, spread = FLOW.level(time)
        return signal * MEAN, math.hypot(signal * DEVIATION, spread)

    def error(count: int) -> float:
        times = [0.9 - 0.6 * i / count for i in range(count + 1)]
        *_, reached, _clean = sampler(exact_denoiser(FLOW), noise().double(), lay_schedule(FLOW, times))
        (mean, deviation), (later_mean, later_deviation) = moments(0.9), moments(0.3)
        expected = later_mean + later_deviation * (noise().double() - mean) / deviation
        return float((reached - expected).norm())

    errors = [error(count) for count in (32, 64, 128, 256)]
    assert [math.log2(coarse / fine) for coarse, fine in pairwise(errors)] == pytest.approx([order] * 3, abs=0.06)


def ddim_in_alpha_bars(denoise: Denoise, x: Tensor, times: Sequence[int], eta: float) -> Iterator[Tensor]:
    final = DIFFUSION.alpha_bar(0) if times[-1] == 1 else 1.0
    for t, following in zip(times, [*times[1:], None], strict=True):
        now = DIFFUSION.alpha_bar(t)
        after = final if following is None else DIFFUSION.alpha_bar(following)
        x0, eps = denoise(x, t)
        sigma = eta * math.sqrt((1 - after) / (1 - now) * (1 - now / after))
        x = math.sqrt(after) * x0 + math.sqrt(max(0.0, 1 - after - sigma**2)) * eps
        if sigma > 0:
            x = x + sigma * noise(t)
        yield x


def multistep_in_alpha_bars(denoise: Denoise, x: Tensor, times: Sequence[int], decay: float) -> Iterator[Tensor]:
    previous_x0, previous_step = torch.empty(0), 0.0
    for t, following in zip(times, [*times[1:], None], strict=True):
        x0, _ = denoise(x, t)
        if following is None:
            yield x0
            return
        now, after = DIFFUSION.alpha_bar(t), DIFFUSION.alpha_bar(following)
        step = 0.5 * math.log(after / (1 - after)) - 0.5 * math.log(now / (1 - now))
        guess = x0 + step / (2 * previous_step) * (x0 - previous_x0) if previous_step else x0
        kept = math.sqrt((1 - after) / (1 - now)) * math.exp((1 - decay) * step)
        x = kept * x - math.sqrt(after) * math.expm1(-decay * step) * guess
        if decay == 2:
            x = x + math.sqrt((1 - after) * -math.expm1(-2 * step)) * noise(t)
        previous_x0, previous_step = x0, step
        yield x


Before = Callable[[Denoise, Tensor, Sequence[int]], Iterator[Tensor]]
BEFORE: list[tuple[Before, Sampler, float]] = [
    (lambda denoise, x, times: ddim_in_alpha_bars(denoise, x, times, 0.0), sample_ddim, 0.0),
    (lambda denoise, x, times: ddim_in_alpha_bars(denoise, x, times, 1.0), sample_ddim, 1.0),
    (lambda denoise, x, times: multistep_in_alpha_bars(denoise, x, times, 1.0), sample_dpm_solver_2m, 0.0),
    (lambda denoise, x, times: multistep_in_alpha_bars(denoise, x, times, 2.0), sample_dpm_solver_2m_sde, 0.0),
]


@pytest.mark.parametrize(("before", "sampler", "eta"), BEFORE, ids=["ddim", "ddim, noisy", "dpm++2m", "dpm++2m-sde"])
def test_takes_have_the_bits_that_they_had_when_levels_were_alpha_bars(
    before: Before, sampler: Sampler, eta: float
) -> None:
    """Coefficients differ by less than float32 can tell, at every number of steps that anyone takes."""
    denoise = exact_denoiser(DIFFUSION)
    for count in (1, 2, 4, 5, 8, 10, 15, 20, 25, 30, 40, 50, 100, 200, 999):
        times = timesteps_for(count, DIFFUSION)
        drawn = iter(times)
        ours = sampler(
            denoise, noise(), lay_schedule(DIFFUSION, times), eta=eta, draw=lambda drawn=drawn: noise(next(drawn))
        )
        for one, other in zip(ours, before(denoise, noise(), times), strict=True):
            assert torch.equal(one, other), count
