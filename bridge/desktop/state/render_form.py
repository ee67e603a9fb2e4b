"""What the musician asks for on the Create page, and the way from there to a request and back. Pure."""

import secrets
from dataclasses import dataclass, replace
from typing import Any

from bridge.errors import BridgeError
from bridge.operation_table import DRAFT_STEPS, OPERATIONS, SEEDS, row_of
from bridge.wire.messages import Generate, Inpaint, RenderRequest, Restyle, Upscale, Vary

CLIENT = "Retake window"
SECONDS: float = row_of("generate", "seconds")["default"]
LENGTHS_S: tuple[float, float] = (row_of("generate", "seconds")["minimum"], row_of("generate", "seconds")["maximum"])
MAX_CANDIDATES: int = row_of("generate", "candidates")["maximum"]

NEEDS_CLIP = frozenset(name for name, operation in OPERATIONS.items() if "clip" in operation["required"])
NEEDS_PROMPT = frozenset(name for name, operation in OPERATIONS.items() if "prompt" in operation["required"])
HAS_STRENGTH: dict[str, float] = {
    name: operation["properties"]["strength"]["default"]
    for name, operation in OPERATIONS.items()
    if "strength" in operation["properties"]
}
"""Operations with a strength, and the engine's own choice of it."""
HAS_PART = frozenset(name for name, operation in OPERATIONS.items() if "start_s" in operation["properties"])


class FormIncompleteError(BridgeError):
    """Something is still missing on the Create page."""

    code = "incomplete"


@dataclass(frozen=True)
class RenderForm:
    """Everything on the Create page; `part` is start and end in seconds of the clip, None for the whole of it.

    `seed` is None for another one with every sound: `settled` draws it.
    """

    operation: str = "generate"
    prompt: str = ""
    clip: str | None = None
    part: tuple[float, float] | None = None
    strength: float = 0.5
    seconds: float = SECONDS
    seed: int | None = None
    candidates: int = 1
    model: str | None = None
    is_draft: bool = False

    def settled(self) -> "RenderForm":
        """Give the form with a seed of its own, if it has none."""
        return self if self.seed is not None else replace(self, seed=drawn_seed())

    def missing(self, *, from_live: bool = False) -> str | None:
        """Say what is missing before this can be asked for; None when nothing is."""
        if self.operation in NEEDS_PROMPT and not self.prompt.strip():
            return "Say in a few words what it should sound like."
        if self.operation in NEEDS_CLIP and self.clip is None and not from_live:
            return "Choose the clip that it starts from: drop one here, or open a file."
        if self.operation == "inpaint" and self.part is None:
            return "Mark the part that should be made anew: drag over the waveform."
        return None

    def request(self, job: str, output_dir: str | None = None) -> RenderRequest:
        """Return it as a request.

        Raises FormIncompleteError when something is missing, ProtocolError when a value is wrong.
        """
        missing = self.missing()
        if missing is not None:
            raise FormIncompleteError(missing, "then press Enter again")
        keys: dict[str, Any] = {
            "job": job,
            "prompt": self.prompt.strip(),
            "seed": self.settled().seed,
            "candidates": self.candidates if self.candidates != 1 else None,
            "model": self.model,
            "draft": True if self.is_draft else None,
            "output_dir": output_dir,
            "client": CLIENT,
        }
        start_s, end_s = self.part or (None, None)
        match self.operation:
            case "generate":
                return Generate(**_given(keys | {"seconds": self.seconds}))
            case "inpaint":
                return Inpaint(**_given(keys), clip=self.clip or "", start_s=start_s or 0.0, end_s=end_s or 0.0)
            case "restyle":
                return Restyle(**_given(keys | self._movement()), clip=self.clip or "")
            case "vary":
                return Vary(**_given(keys | self._movement()), clip=self.clip or "")
            case _:
                return Upscale(**_given(keys | {"start_s": start_s, "end_s": end_s}), clip=self.clip or "")

    def words_for_live(self) -> list[Any]:
        """Write it as the arguments that Live's control surface takes after the id, keys included."""
        words: list[Any] = [self.prompt.strip()] if self.operation in NEEDS_PROMPT else []
        if self.operation == "inpaint" and self.part is not None:
            words += self.part
        if self.operation in HAS_STRENGTH:
            words += ["strength", self.strength]
        if self.operation == "generate":
            words += ["seconds", self.seconds]
        words += ["seed", self.settled().seed]
        if self.candidates != 1:
            words += ["candidates", self.candidates]
        if self.model is not None:
            words += ["model", self.model]
        return words + (["steps", DRAFT_STEPS] if self.is_draft else [])

    def _movement(self) -> dict[str, Any]:
        start_s, end_s = self.part or (None, None)
        return {"strength": self.strength, "start_s": start_s, "end_s": end_s}


def drawn_seed() -> int:
    """Draw a seed, of few enough digits to be read out and typed."""
    return secrets.randbelow(1_000_000)


def _given(keys: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in keys.items() if value is not None}


def form_of(request: RenderRequest) -> RenderForm:
    """Read a request back into the fields of the Create page."""
    operation = request.address.rpartition("/")[2]
    start_s, end_s = getattr(request, "start_s", None), getattr(request, "end_s", None)
    return RenderForm(
        operation=operation,
        prompt=request.prompt,
        clip=getattr(request, "clip", None),
        part=None if end_s is None else (start_s or 0.0, end_s),
        strength=_or(getattr(request, "strength", None), HAS_STRENGTH.get(operation, 0.5)),
        seconds=_or(getattr(request, "seconds", None), SECONDS),
        seed=1 if request.seed is None else request.seed,
        candidates=request.candidates or 1,
        model=request.model,
        is_draft=bool(request.draft) or request.steps == DRAFT_STEPS,
    )


def again(request: RenderRequest, job: str, *, seed: int | None = None) -> RenderRequest:
    """Ask for the same once more, under a new job id; with another seed if one is given."""
    chosen = request.seed if seed is None else seed
    return replace(request, job=job, seed=chosen, reply=None, client=CLIENT)


def next_seed(request: RenderRequest) -> int:
    return ((1 if request.seed is None else request.seed) + 1) % SEEDS


def _or(value: float | None, otherwise: float) -> float:
    return otherwise if value is None else value
