"""Retake compared with diffusers' pipeline at equal steps, and with the reference's default recipe.

The reference's code is not run: its recipe is (200 DDIM steps, three candidates, guidance, all three decoded and ranked
by CLAP), on diffusers' nets, which are quicker than its own. A few of its steps are timed, and the rest extrapolated.
"""

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn

from engine.audioldm import AudioLDM, AudioLDMConfig
from engine.benchmark.clock import describe_machine, stages_timed
from engine.benchmark.peer import Peer
from engine.engine import Engine, prepare_for_inference
from engine.errors import CancelledError
from engine.models.fast_convolution import prepare
from engine.presets import build
from engine.requests import Generate

PROMPT = "heavy rain on a tin roof"
REFERENCE_STEPS, REFERENCE_CANDIDATES = 200, 3

OnStage = Callable[[str], None]  # what is being timed


@dataclass(frozen=True)
class Comparison:
    """Settings of both sides."""

    config: AudioLDMConfig
    steps: int
    seconds: float = 10.24
    guidance: float = 2.5
    runs: int = 3
    reference_steps: int = 6  # of the reference's 200 that are really made


def compare(
    asked: Comparison, on_round: OnStage = lambda _: None, should_stop: Callable[[], bool] = lambda: False
) -> dict[str, Any]:
    """Time both sides in turn, `runs` times after a warm-up, then the reference's recipe once.

    Raises CancelledError when `should_stop` returns True, at the next step of either side.
    """
    model = prepare_for_inference(build(asked.config), torch.float32)
    engine, peer = Engine(model, asked.config.name), Peer(asked.config)
    request = Generate(PROMPT, asked.seconds, steps=asked.steps, guidance=asked.guidance, model_band=True)
    ours, theirs = [], []
    for turn in range(asked.runs + 1):
        on_round(f"run {turn} of {asked.runs}" if turn else "warming up")
        ours.append(_timed(_stages(model), lambda: engine.run(request, should_stop=should_stop)))
        theirs.append(_timed(peer.stages, lambda: _ask(peer, asked, should_stop)))
    on_round("the reference's recipe")
    reference = _time_reference(peer, model, asked, should_stop)
    on_round("the difference")
    ours_s, theirs_s = (statistics.median(sum(run.values()) for run in side[1:]) for side in (ours, theirs))
    return {
        "machine": describe_machine(),
        "settings": {
            "model": asked.config.name, "weights": "random", "precision": "float32", "prompt": PROMPT,
            "seconds": asked.seconds, "steps": asked.steps, "guidance": asked.guidance, "candidates": 1,
            "runs": asked.runs,
        },
        "ours": _summary(ours[1:]),
        "diffusers": _summary(theirs[1:]),
        "reference": reference,
        "difference_to_plain_nets": _differences(model, asked),
        "ratios": {
            "diffusers_equal_steps": round(theirs_s / ours_s, 3),
            "reference_defaults": round(reference["total_s"] / ours_s, 2),
        },
    }  # fmt: skip


def _stages(model: AudioLDM) -> dict[str, nn.Module]:
    text: nn.Module = model.clap.text_branch  # type: ignore[attr-defined]
    return {"text": text, "unet": model.unet, "vae": model.vae.decoder, "vocoder": model.vocoder}


def _timed(stages: dict[str, nn.Module], act: Callable[[], object]) -> dict[str, float]:
    with torch.inference_mode(), stages_timed(stages) as seconds:
        act()
    return seconds


def _ask(peer: Peer, asked: Comparison, should_stop: Callable[[], bool], candidates: int = 1) -> list[float]:
    """The moments at which its steps were done, seconds of the clock."""
    moments: list[float] = []

    def note(*_: object) -> None:
        if should_stop():
            raise CancelledError
        moments.append(time.perf_counter())

    peer.generate(PROMPT, asked.seconds, asked.steps, asked.guidance, candidates, note)
    return moments


def _time_reference(peer: Peer, model: AudioLDM, asked: Comparison, should_stop: Callable[[], bool]) -> dict[str, Any]:
    """Return the seconds of the whole recipe; steps that were not run cost the median of those that were."""
    made = min(REFERENCE_STEPS, max(2, asked.reference_steps))
    num_samples = round(asked.seconds * model.sample_rate)
    waveforms = torch.randn(REFERENCE_CANDIDATES, num_samples, generator=torch.Generator().manual_seed(1)) / 10
    with torch.inference_mode():
        began = time.perf_counter()
        moments = _ask(peer, replace(asked, steps=made), should_stop, REFERENCE_CANDIDATES)
        measured = time.perf_counter() - began
        began = time.perf_counter()
        model.embed_audio(waveforms)
        ranking = time.perf_counter() - began
    steps = [after - before for before, after in pairwise(moments)]
    step = statistics.median(steps)
    return {
        "recipe": f"{REFERENCE_STEPS} DDIM steps, {REFERENCE_CANDIDATES} candidates, guidance, ranked by CLAP",
        "nets": "diffusers'",
        "steps_measured": made,
        "scaled": made < REFERENCE_STEPS,
        "step_s": [round(value, 4) for value in steps],
        "measured_s": round(measured, 3),
        "ranking_s": round(ranking, 3),
        "total_s": round(measured + ranking + (REFERENCE_STEPS - made) * step, 2),
    }


def _summary(runs: list[dict[str, float]]) -> dict[str, Any]:
    wholes = [sum(run.values()) for run in runs]
    stages = {stage: statistics.median(run[stage] for run in runs) for stage in runs[0]}
    return {
        "median_s": round(statistics.median(wholes), 3),
        "runs_s": [round(whole, 3) for whole in wholes],
        "stages_s": {stage: round(value, 3) for stage, value in stages.items()},
        "shares": {stage: round(value / sum(stages.values()), 3) for stage, value in stages.items()},
    }


def _differences(model: AudioLDM, asked: Comparison) -> dict[str, float]:
    """Relative differences of each net's output, the short way and the plain way, for the same input."""
    generator = torch.Generator().manual_seed(2)
    shape = model.latent_shape(model.rows_for(round(asked.seconds * model.sample_rate)))
    x = torch.randn(2, *shape, generator=generator)
    condition = torch.nn.functional.normalize(
        torch.randn(2, model.config.unet.condition_size, generator=generator), dim=1
    )

    def outputs(mel: Tensor | None) -> list[Tensor]:
        with torch.inference_mode():
            decoded = model.decode(x[:1])
            return [
                model.unet(x, torch.tensor([500, 500]), condition),
                decoded,
                model.vocode(decoded if mel is None else mel),
            ]

    short = outputs(None)
    prepare(model, short=False)
    model.to(memory_format=torch.contiguous_format)  # type: ignore[call-overload]  # where PyTorch's norms round least
    plain = outputs(short[1])
    prepare_for_inference(model, torch.float32)
    names = ("latent", "log_mel", "waveform")
    return {
        name: float(f"{(one - other).norm() / other.norm():.1e}")
        for name, one, other in zip(names, short, plain, strict=True)
    }
