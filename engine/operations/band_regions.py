"""Regions with a band: what of a clip is replaced, each from one time to another and one frequency to another."""

import math
from collections.abc import Iterable
from dataclasses import dataclass

from engine.audio import Audio
from engine.requests.clip_checks import require_region
from engine.requests.regions import Given, Region, merge_regions


@dataclass(frozen=True)
class BandRegion:
    """Samples `start` to `end`, between two frequencies; None leaves that side open."""

    start: int
    end: int
    low_hz: float | None
    high_hz: float | None

    @property
    def bounds(self) -> Region:
        return self.start, self.end

    def shares_band(self, other: "BandRegion") -> bool:
        """Whether some frequency belongs to both."""
        lowest = max(self.low_hz or 0.0, other.low_hz or 0.0)
        return lowest < min(self.high_hz or math.inf, other.high_hz or math.inf)


def lay_band_regions(
    clip: Audio, regions: Iterable[Given], low_hz: float | None, high_hz: float | None
) -> list[BandRegion]:
    """Regions in seconds -> in samples with their bands, in order; those of one band are merged.

    A region without a band of its own gets the one given here.

    Raises:
        RegionError, AudioEmptyError, ClipTooLongError: see `require_region`.
    """
    bands: dict[tuple[float | None, float | None], list[Region]] = {}
    for start_s, end_s, *own in regions:
        band = (own[0], own[1]) if own else (low_hz, high_hz)
        bands.setdefault(band, []).append(require_region(clip, start_s, end_s))
    band_regions = [BandRegion(*region, *band) for band, spans in bands.items() for region in merge_regions(spans)]
    return sorted(band_regions, key=lambda one: (one.bounds, one.low_hz or 0.0, one.high_hz or math.inf))
