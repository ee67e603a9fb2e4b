"""The rows that every operation has: how its takes are sampled, and what they should be like."""

from collections.abc import Callable
from typing import Annotated, Any, Literal, Self

from pydantic import ConfigDict, PlainValidator, ValidationError, model_validator
from pydantic.dataclasses import dataclass

from engine.audio import Audio
from engine.errors import EmptyPromptError
from engine.requests.clip_checks import require_like
from engine.requests.knob import DAWS, Knob, Text
from engine.requests.refusals import refusal_of

LARGEST_SEED = 2**32 - 1
DRAFT_STEPS = 6
"""Sampling steps of a draft by a model without a draft net, with guidance; a job with as many or fewer is urgent."""

STRICT = ConfigDict(strict=True, extra="forbid")
SamplerName = Literal["dpm++2m", "dpm++2m-sde", "ddim"]

NO_FILE_FIELD = {
    "ardour": "the dialog has no field for a file",
    "live_extension": "the dialog has no field for a file",
}
_DRAWN = "random: a different one each time, shown with the result"


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Sampling:
    """The knobs that every request has; None leaves a choice to the model.

    Raises:
        InvalidRequestError: a value is of the wrong type or out of its range.
        AudioEmptyError, ClipTooLongError, SilentClipError: nothing can be like that clip.
    """

    like: Annotated[
        Audio | None,
        PlainValidator(require_like),
        Knob(
            "Like this sound",
            "an audio file that the result should sound like; mixed with the prompt, if there is one",
            kind="path",
            metavar="CLIP",
            schema={"type": "string"},
            leaves_out=NO_FILE_FIELD,
        ),
    ] = None
    like_weight: Annotated[
        float,
        Knob(
            "Weight of that sound",
            "0 follows only the prompt, 1 only the sound of like",
            lowest=0,
            highest=1,
            metavar="W",
            leaves_out=NO_FILE_FIELD,
        ),
    ] = 0.5
    seed: Annotated[
        int,
        Knob(
            "Seed",
            "the same request with the same seed makes the same sound",
            lowest=0,
            highest=LARGEST_SEED,
            own_defaults={"cli": _DRAWN, "window": _DRAWN},
        ),
    ] = 1
    draft: Annotated[
        bool,
        Knob(
            "Draft",
            "fast but rough, to try out a prompt: with the model's draft net, which has its own steps and guidance, or"
            f" else with {DRAFT_STEPS} steps",
        ),
    ] = False
    steps: Annotated[
        int | None,
        Knob("Steps", "sampling steps; more is slower and finer", lowest=1, highest=1000, default="the model's"),
    ] = None
    guidance: Annotated[
        float | None,
        Knob(
            "Guidance", "how closely the prompt is followed", lowest=0, highest=30, metavar="G", default="the model's"
        ),
    ] = None
    candidates: Annotated[int, Knob("Takes", "number of takes; the best comes first", lowest=1, highest=16)] = 1
    negative_prompt: Annotated[
        Text, Knob("Negative prompt", "what it should not sound like", wire="negative", metavar="WORDS")
    ] = ""
    sampler: Annotated[
        SamplerName | None,
        Knob(
            "Sampler",
            "the sampling method",
            default="dpm++2m, or dpm++2m-sde where structure is kept",
        ),
    ] = None

    model_band: Annotated[
        bool,
        Knob(
            "Only the model's band",
            "leave out the highs, up to 24 kHz, that are made from what lies below them: new sounds end where the model"
            " ends and have its sample rate, 16 kHz, and an edit's highs are plain noise",
            leaves_out=dict.fromkeys(DAWS, "takes in a session have all their highs"),
        ),
    ] = False

    @model_validator(mode="wrap")
    @classmethod
    def _in_our_words(cls, values: Any, validate: Callable[[Any], Self]) -> Self:
        """Pydantic finds what is wrong; the engine's errors say it."""
        try:
            return validate(values)
        except ValidationError as error:
            raise refusal_of(cls, error) from None


def require_prompt(prompt: str, like: Audio | None) -> None:
    """Raises EmptyPromptError where neither words nor a sound say what is wanted."""
    if not prompt and like is None:
        raise EmptyPromptError
