"""Patches: what of a clip is to be made anew, each from one time to another and from one frequency to another."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from engine.audio import Audio
from engine.errors import InvalidRequestError
from engine.operations.regions import Region, merge_regions
from engine.operations.request import require_number, require_region

LOWEST_HZ, HIGHEST_HZ = 20.0, 200_000.0

Given = tuple[float, float] | tuple[float, float, float | None, float | None]  # start_s, end_s, low_hz, high_hz


@dataclass(frozen=True)
class Patch:
    """Samples `start` to `end`, between two frequencies; None leaves that side open."""

    start: int
    end: int
    low_hz: float | None
    high_hz: float | None

    @property
    def region(self) -> Region:
        return self.start, self.end

    def shares_band(self, other: "Patch") -> bool:
        """Whether some frequency belongs to both."""
        lowest = max(self.low_hz or 0.0, other.low_hz or 0.0)
        return lowest < min(self.high_hz or math.inf, other.high_hz or math.inf)


def parse_regions(regions: object) -> tuple[Given, ...]:
    """Pairs of seconds, or pairs with their own band, at least one.

    Raises:
        InvalidRequestError: it is something else, or a band is empty or out of range.
    """
    error = InvalidRequestError("regions", regions, "(1.0, 2.0) for each, or (1.0, 2.0, 300.0, 4000.0) with its band")
    if not isinstance(regions, Iterable):
        raise error
    parsed = tuple(_parse_region(region, error) for region in regions)
    if not parsed:
        raise error
    return parsed


def _parse_region(region: object, error: InvalidRequestError) -> Given:
    """A side of the band that is None, or 0 Hz below, is open."""
    if not isinstance(region, Sequence) or isinstance(region, str) or len(region) not in (2, 4):
        raise error
    try:
        start_s, end_s = float(region[0]), float(region[1])
        low_hz, high_hz = (None if hz is None else float(hz) for hz in region[2:] or (None, None))
    except (TypeError, ValueError):
        raise error from None
    require_band(low_hz, high_hz)
    return (start_s, end_s) if len(region) == 2 else (start_s, end_s, low_hz, high_hz)


def require_band(low_hz: float | None, high_hz: float | None) -> None:
    """Raises InvalidRequestError for a band that is empty, or begins or ends where nobody hears."""
    if low_hz is not None:
        require_number("low_hz", low_hz, 0, HIGHEST_HZ)
    if high_hz is not None:
        require_number("high_hz", high_hz, LOWEST_HZ, HIGHEST_HZ)
    if low_hz is not None and high_hz is not None and low_hz >= high_hz:
        raise InvalidRequestError("high_hz", high_hz, f"more than low_hz, {low_hz:g}")


def lay_patches(clip: Audio, regions: Iterable[Given], low_hz: float | None, high_hz: float | None) -> list[Patch]:
    """Regions -> patches in order; a region without a band gets the one given here, those of one band are merged.

    Raises:
        RegionError, AudioEmptyError, ClipTooLongError: see `require_region`.
    """
    bands: dict[tuple[float | None, float | None], list[Region]] = {}
    for start_s, end_s, *own in regions:
        band = (own[0], own[1]) if own else (low_hz, high_hz)
        bands.setdefault(band, []).append(require_region(clip, start_s, end_s))
    patches = [Patch(*region, *band) for band, spans in bands.items() for region in merge_regions(spans)]
    return sorted(patches, key=lambda patch: (patch.region, patch.low_hz or 0.0, patch.high_hz or math.inf))
