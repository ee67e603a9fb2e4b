"""Patches: what of a clip is to be made anew, each from one time to another and from one frequency to another."""

import math
from collections.abc import Iterable
from dataclasses import dataclass

from engine.audio import Audio
from engine.requests.clip_checks import require_region
from engine.requests.regions import Given, Region, merge_regions


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
