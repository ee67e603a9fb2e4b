"""What all requests share: the knobs of sampling, and the checks after which a request that exists is valid."""

from dataclasses import dataclass
from numbers import Integral, Real

from engine.audio import SHORTEST_S, Audio, region_samples
from engine.diffusion.samplers import SAMPLERS
from engine.errors import (
    AudioEmptyError,
    ClipTooLongError,
    EmptyPromptError,
    InvalidRequestError,
    PromptTooLongError,
    SilentClipError,
)

LONGEST_S = 600.0  # seconds of sound that one request renders
LONGEST_PROMPT = 1_000  # characters
LARGEST_SEED = 2**32 - 1
QUIETEST_LIKE = 1e-4  # peak, -80 dB of full scale: a quieter clip is not like anything


@dataclass(frozen=True, kw_only=True)
class Sampling:
    """The knobs that every request has; None leaves a choice to the model.

    Raises:
        InvalidRequestError: a value is of the wrong type or out of its range.
        AudioEmptyError, ClipTooLongError, SilentClipError: nothing can be like that clip.
    """

    seed: int = 1  # 0 to 4294967295; the same seed makes the same sound
    steps: int | None = None  # 1 to 1000 evaluations of the denoiser
    guidance: float | None = None  # 1 (as it comes) to 30: how hard the prompt is followed
    candidates: int = 1  # 1 to 16 takes, best first
    negative_prompt: str = ""  # what it should not sound like
    sampler: str | None = None  # a name in engine.diffusion.samplers.SAMPLERS; None: the one that suits best
    draft: bool = False  # rough but quick: the model's draft net, or else few steps; see engine/operations/plan.py
    like: Audio | None = None  # what it should sound like, as a sound: its CLAP embedding joins the prompt's
    like_weight: float = 0.5  # 0 (the prompt alone) to 1 (the sound alone); without a prompt it is the sound alone

    def __post_init__(self) -> None:
        require_whole("seed", self.seed, 0, LARGEST_SEED)
        require_whole("candidates", self.candidates, 1, 16)
        if self.steps is not None:
            require_whole("steps", self.steps, 1, 1000)
        if self.guidance is not None:
            require_number("guidance", self.guidance, 0, 30)
        if self.sampler is not None and self.sampler not in SAMPLERS:
            raise InvalidRequestError("sampler", self.sampler, f"one of {', '.join(SAMPLERS)}")
        if not isinstance(self.draft, bool):
            raise InvalidRequestError("draft", self.draft, "True or False")
        object.__setattr__(self, "negative_prompt", require_text("negative_prompt", self.negative_prompt))
        require_number("like_weight", self.like_weight, 0, 1)
        if self.like is not None:
            _require_like(self.like)


def require_prompt(prompt: str, like: Audio | None) -> str:
    """The prompt without blanks around it; any language, any script. Where a clip says what is wanted it may be empty.

    Raises:
        EmptyPromptError, PromptTooLongError, InvalidRequestError: it is no text, or not a usable one.
    """
    text = require_text("prompt", prompt)
    if not text and like is None:
        raise EmptyPromptError
    return text


def require_text(name: str, value: object) -> str:
    if not isinstance(value, str):
        raise InvalidRequestError(name, value, "text")
    try:
        value.encode()
    except UnicodeEncodeError:  # bytes of another encoding, of which no model could hear anything
        raise InvalidRequestError(name, value, "text in UTF-8") from None
    if len(value.strip()) > LONGEST_PROMPT:
        raise PromptTooLongError(len(value.strip()), LONGEST_PROMPT)
    return value.strip()


def require_whole(name: str, value: object, lowest: int, highest: int) -> None:
    if isinstance(value, bool) or not isinstance(value, Integral) or not lowest <= int(value) <= highest:
        raise InvalidRequestError(name, value, f"a whole number from {lowest} to {highest}")


def require_number(name: str, value: object, lowest: float, highest: float) -> None:
    """NaN is in no range."""
    if isinstance(value, bool) or not isinstance(value, Real) or not lowest <= float(value) <= highest:
        raise InvalidRequestError(name, value, f"a number from {lowest:g} to {highest:g}")


def require_clip(clip: object, name: str = "clip") -> None:
    """Raises InvalidRequestError for what is no `Audio`, AudioEmptyError for a clip of less than 0.02 s."""
    if not isinstance(clip, Audio):
        raise InvalidRequestError(name, type(clip).__name__, "an Audio", f'read it with Audio.read("{name}.wav")')
    if clip.seconds < SHORTEST_S:
        raise AudioEmptyError(clip.seconds, SHORTEST_S)


def _require_like(like: Audio) -> None:
    require_clip(like, "like")
    if like.seconds > LONGEST_S:
        raise ClipTooLongError(like.seconds, LONGEST_S)
    require_audible(like, "like")


def require_audible(clip: Audio, name: str) -> None:
    """Raises SilentClipError for a clip in which nothing is heard that a sound could be like."""
    peak = clip.as_heard().peak
    if peak < QUIETEST_LIKE:
        raise SilentClipError(name, peak)


def require_region(clip: Audio, start_s: float | None, end_s: float | None) -> tuple[int, int]:
    """The region's first sample and the one after its last.

    Raises:
        RegionError: it is empty, reversed or outside the clip.
        AudioEmptyError: it lasts less than 0.02 s.
        ClipTooLongError: it lasts more than 600 s.
    """
    for name, value in (("start_s", start_s), ("end_s", end_s)):
        if value is not None and (isinstance(value, bool) or not isinstance(value, Real)):
            raise InvalidRequestError(name, value, "a time in seconds")
    start, end = region_samples(clip.num_samples, clip.sample_rate, start_s, end_s)
    seconds = (end - start) / clip.sample_rate
    if seconds < SHORTEST_S:
        raise AudioEmptyError(seconds, SHORTEST_S)
    if seconds > LONGEST_S:
        raise ClipTooLongError(seconds, LONGEST_S)
    return start, end
