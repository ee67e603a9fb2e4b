"""A row of the table: what one field of a request is called, means and allows, and which surfaces show it. Pure."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import KW_ONLY, dataclass, field
from numbers import Integral, Real
from typing import Annotated, Any, ClassVar, Literal

from pydantic import BeforeValidator, Field, WrapValidator
from pydantic.fields import FieldInfo

SURFACES = ("cli", "wire", "batch", "window", "reaper", "ardour", "live_extension", "live_surface")
"""Where a musician or a program can set a field."""
DAWS = ("reaper", "ardour", "live_extension", "live_surface")
FORMS = ("window", *DAWS)

LONGEST_PROMPT = 1_000
"""Characters of a prompt, without blanks around it."""


def plain_number(value: object) -> object:
    """Return any whole or real number, such as NumPy's, as Python's own; everything else, bools too, as it is."""
    if isinstance(value, bool):
        return value
    if isinstance(value, Integral):
        return int(value)
    if isinstance(value, Real):
        return float(value)
    return value


def only_numbers(value: object, validate: Callable[[object], Any]) -> Any:
    """Check a value as its field does, but take no number from what is none.

    Pydantic's strict float takes everything that has `__float__`, also NumPy's bools, arrays, tensors and decimals.
    """
    checked = validate(plain_number(value))
    if isinstance(checked, float) and not isinstance(value, Real):
        raise ValueError(value)  # noqa: TRY004 - pydantic lets a TypeError through
    return checked


def stripped(value: object) -> object:
    return value.strip() if isinstance(value, str) else value


Text = Annotated[str, Field(max_length=LONGEST_PROMPT), BeforeValidator(stripped)]
"""A prompt, without blanks around it."""


@dataclass(frozen=True)
class Knob:
    """What the table says of a field. As a part of `Annotated` it also makes pydantic hold the field to its limits.

    `wire` is the field's name everywhere but in Python, where the two differ; `option` likewise that on the command
    line. `kind` and `schema` (of JSON) are derived from the field's type where they are not given. `default` says in
    words what happens without a value; `own_defaults` why a surface begins with another one; `leaves_out` why a surface
    does not have the field.
    """

    __is_annotated_types_grouped_metadata__: ClassVar[Literal[True]] = True  # so that pydantic iterates over it

    label: str
    help: str
    _: KW_ONLY
    unit: str = ""
    lowest: float | None = None
    highest: float | None = None
    default: str = ""
    wire: str = ""
    option: str = ""
    metavar: str = ""
    kind: str = ""
    schema: Mapping[str, Any] = field(default_factory=dict)
    own_defaults: Mapping[str, str] = field(default_factory=dict)
    leaves_out: Mapping[str, str] = field(default_factory=dict)

    def __iter__(self) -> Iterator[object]:
        """Yield what pydantic understands of a row."""
        if self.lowest is not None or self.highest is not None:
            yield from Field(ge=self.lowest, le=self.highest).metadata
        yield WrapValidator(only_numbers)

    @property
    def surfaces(self) -> tuple[str, ...]:
        """The surfaces that have the field, in the order of SURFACES."""
        return tuple(surface for surface in SURFACES if surface not in self.leaves_out)


def knobs_of(field: FieldInfo) -> list[Knob]:
    """Return a field's rows of the table; most have one."""
    return [entry for entry in field.metadata if isinstance(entry, Knob)]


def name_outside(request: type, name: str) -> str:
    """Return what a request's field is called where it is written down: as on the wire, if it is one key there."""
    fields: Mapping[str, FieldInfo] = request.__pydantic_fields__  # type: ignore[attr-defined]
    knobs = knobs_of(fields[name])
    return knobs[0].wire or name if len(knobs) == 1 else name
