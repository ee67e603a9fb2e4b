"""Learning rates of the denoiser: nano's own from scratch, the authors' for a published model."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from engine.checkpoints.catalogue import find_model
from engine.checkpoints.store import read_config
from engine.training.parts import start_of


@dataclass(frozen=True)
class Rates:
    """Peak learning rate, steps until it is reached, last share of steps with a falling rate, decay of the average."""

    rate: float
    warmup: int
    decay_share: float
    ema: float


FROM_NOTHING = Rates(8e-4, 60, 0.65, 0.998)
AUTHORS = Rates(1e-4, 2000, 0.0, 0.9999)
"""The published training configurations: AdamW at 1e-4, a linear warm-up, then constant; LitEma's decay."""
_FAR_ABOVE = {True: 20.0, False: 4.0}  # times the authors' rate; changes of a low rank bear more


def rates_of(parts: Path) -> Rates:
    """Return a run's default rates: the authors' if it started from a model that predicts noise.

    Raises:
        ModelNotFoundError, ModelBrokenError: the model that it started from is gone, or damaged.
    """
    start = start_of(parts)
    if start is None or start == "tiny":
        return FROM_NOTHING
    return AUTHORS if read_config(find_model(start)).prediction == "eps" else FROM_NOTHING


def warnings_about(chosen: Rates, usual: Rates, num_steps: int, *, lora: bool) -> Iterator[str]:
    """Sentences on what would spoil a published model, or not change it."""
    if usual is not AUTHORS:
        return
    if chosen.rate > _FAR_ABOVE[lora] * AUTHORS.rate:
        yield (
            f"a rate of {chosen.rate:g} is far above the {AUTHORS.rate:g} that this model was trained with: "
            "it may forget what it knows; listen to the samples, or leave --rate out"
        )
    if chosen.warmup >= num_steps:
        yield (
            f"the rate rises over {chosen.warmup} steps, and there are {num_steps}: it stays low; "
            "give more --steps or a smaller --warmup"
        )
