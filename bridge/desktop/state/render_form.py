"""What the musician asks for on the Create page, and the way from there to a request and back. Pure."""

import math
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, cast

from bridge.desktop.state.parameters import ALWAYS_SENT, ON_THE_PAGE, has, needs, parameters_of, rows_of
from bridge.errors import BridgeError
from bridge.operation_table import OPERATIONS, SEEDS, row_of
from bridge.wire.messages import REQUESTS, RenderRequest

CLIENT = "Retake window"
BELONGS_TO = {"like_weight": "like", "follow_what": "follow"}
"""Parameters that mean nothing without a sound."""
_SEED = row_of("generate", "seed")


class FormIncompleteError(BridgeError):
    """Something is still missing on the Create page."""

    code = "incomplete"


@dataclass(frozen=True)
class RenderForm:
    """Everything on the Create page; `part` is start and end in seconds of the clip, None for the whole of it.

    `values` are the other parameters by their names on the wire; one that is missing is as the table says. Only the
    seed is drawn where it is missing, by `settled`.
    """

    operation: str = "generate"
    prompt: str = ""
    clip: str | None = None
    part: tuple[float, float] | None = None
    values: Mapping[str, Any] = field(default_factory=dict)

    def __getitem__(self, name: str) -> Any:
        """Return a parameter's value, the table's default where it is not set."""
        value = self.values.get(name)
        return rows_of(self.operation)[name].get("default") if value is None else value

    def settled(self) -> "RenderForm":
        """Return the form with a seed, drawn where it has none."""
        if self.values.get("seed") is not None:
            return self
        return replace(self, values={**self.values, "seed": drawn_seed()})

    def missing(self, *, from_live: bool = False) -> str | None:
        """Say what is missing before this can be asked for; None when nothing is."""
        if needs(self.operation, "prompt") and not self.prompt.strip() and not self.values.get("like"):
            return "Say in a few words what it should sound like."
        if needs(self.operation, "clip") and self.clip is None and not from_live:
            return "Choose the clip that it starts from: drop one here, or open a file."
        if needs(self.operation, "start_s") and self.part is None:
            if from_live:
                return "Inpaint needs a part of the clip: open its file here, or use `retake live inpaint`."
            return "Mark the part to replace: drag over the waveform."
        return None

    def request(self, job: str, output_dir: str | None = None) -> RenderRequest:
        """Return the form as a request.

        Raises FormIncompleteError when something is missing, ProtocolError when a value is wrong.
        """
        missing = self.missing()
        if missing is not None:
            raise FormIncompleteError(missing, "then press Enter again")
        keys: dict[str, Any] = {"job": job, "prompt": self.prompt.strip(), "client": CLIENT} | self._given()
        if output_dir is not None:
            keys["output_dir"] = output_dir
        if needs(self.operation, "clip"):
            keys["clip"] = self.clip
        if self.part is not None and has(self.operation, "start_s"):
            keys["start_s"], end_s = self.part
            keys |= {} if math.isinf(end_s) else {"end_s": end_s}
        kind = cast(type[RenderRequest], REQUESTS[OPERATIONS[self.operation]["address"]])
        return kind(**keys)

    def words_for_live(self) -> list[Any]:
        """Return the form as the arguments of Live's control surface after the id, keys included."""
        fixed = [name for name in OPERATIONS[self.operation]["fixed"] if name not in ("job", "clip")]
        start_s, end_s = self.part or (0.0, 0.0)
        own = {"prompt": self.prompt.strip(), "start_s": start_s, "end_s": end_s}
        words = [own[name] for name in fixed]
        keys = {} if "prompt" in fixed or not own["prompt"] else {"prompt": own["prompt"]}
        rows = rows_of(self.operation)
        keys |= {name: value for name, value in self._given().items() if "live_surface" in rows[name]["x-surfaces"]}
        for name, value in keys.items():
            words += [name, int(value) if isinstance(value, bool) else value]
        return words

    def _given(self) -> dict[str, Any]:
        """Return the parameters that a request names: those that are not as the table says, and a seed."""
        values = {**self.values, **{name: self[name] for name in ALWAYS_SENT if has(self.operation, name)}}
        values["seed"] = self.settled()["seed"]
        for name, sound in BELONGS_TO.items():
            if not values.get(sound):
                values.pop(name, None)
        if values.get("follow") and self.values.get("seconds") is None:
            values.pop("seconds")  # as long as the clip
        rows = parameters_of(self.operation)
        return {
            name: values[name]
            for name, row in rows.items()
            if name in values and (name in (*ALWAYS_SENT, "seed") or values[name] not in (None, "", row.get("default")))
        }


def drawn_seed() -> int:
    """Draw a seed, of few enough digits to be read out and typed."""
    return secrets.randbelow(1_000_000)


def form_of(request: RenderRequest) -> RenderForm:
    """Read a request back into the fields of the Create page."""
    operation = request.address.rpartition("/")[2]
    start_s, end_s = getattr(request, "start_s", None), getattr(request, "end_s", None)
    is_part = start_s is not None or end_s is not None
    values = {name: value for name in parameters_of(operation) if (value := getattr(request, name)) not in (None, "")}
    return RenderForm(
        operation=operation,
        prompt=request.prompt,
        clip=getattr(request, "clip", None),
        part=(start_s or 0.0, math.inf if end_s is None else end_s) if is_part else None,
        values={"seed": _SEED["default"]} | values,
    )


def not_in_form(request: RenderRequest) -> list[str]:
    """Name what shaped a take and has no field on the Create page, such as further regions."""
    operation = request.address.rpartition("/")[2]
    shown = {*parameters_of(operation), *ON_THE_PAGE}
    rows = OPERATIONS[operation]["properties"]
    return [str(row["x-label"]) for name, row in rows.items() if name not in shown and getattr(request, name)]


def again(request: RenderRequest, job: str, *, seed: int | None = None) -> RenderRequest:
    """Ask for the same once more, under a new job id; with another seed if one is given."""
    chosen = request.seed if seed is None else seed
    return replace(request, job=job, seed=chosen, reply=None, client=CLIENT)


def next_seed(request: RenderRequest) -> int:
    return ((int(_SEED["default"]) if request.seed is None else request.seed) + 1) % SEEDS
