"""Regions of a clip as a request names them, in seconds and Hz, and as pairs of samples."""

from collections.abc import Iterable, Sequence

from engine.errors import InvalidRequestError

LOWEST_HZ, HIGHEST_HZ = 20.0, 200_000.0

Given = tuple[float, float] | tuple[float, float, float | None, float | None]
"""start_s, end_s; then, where it has a band of its own, low_hz and high_hz."""
Region = tuple[int, int]
"""The first sample and the one after the last."""


def parse_regions(regions: object) -> tuple[Given, ...]:
    """Return pairs of seconds, or pairs with their own band, at least one.

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
    _require_hz("low_hz", low_hz, 0)
    _require_hz("high_hz", high_hz, LOWEST_HZ)
    require_band(low_hz, high_hz)
    return (start_s, end_s) if len(region) == 2 else (start_s, end_s, low_hz, high_hz)


def _require_hz(name: str, value: float | None, lowest: float) -> None:
    """NaN is in no range."""
    if value is not None and not lowest <= value <= HIGHEST_HZ:
        raise InvalidRequestError(name, value, f"a number from {lowest:g} to {HIGHEST_HZ:g}")


def require_band(low_hz: float | None, high_hz: float | None) -> None:
    """Raises InvalidRequestError for a band that is empty."""
    if low_hz is not None and high_hz is not None and low_hz >= high_hz:
        raise InvalidRequestError("high_hz", high_hz, f"more than low_hz, {low_hz:g}")


def merge_regions(regions: Iterable[Region]) -> list[Region]:
    """Return them in order, those that overlap or touch as one."""
    merged: list[Region] = []
    for start, end in sorted(regions):
        if merged and start <= merged[-1][1]:
            merged[-1] = merged[-1][0], max(end, merged[-1][1])
        else:
            merged.append((start, end))
    return merged
