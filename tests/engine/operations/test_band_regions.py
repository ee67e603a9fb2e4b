"""Regions with bands: however they are written, become samples and frequencies or a sentence."""

from typing import Any

import numpy as np
import pytest

from engine import Audio, Inpaint, InvalidRequestError, RegionError
from engine.operations.band_regions import BandRegion, lay_band_regions

CLIP = Audio(np.zeros((1, 3 * 8_000), np.float32), 8_000)


def band_regions(*regions: Any, **band: float) -> list[BandRegion]:
    request = Inpaint(CLIP, "rain", regions, **band)
    return lay_band_regions(CLIP, request.regions, request.low_hz, request.high_hz)


def test_a_region_has_its_own_band_or_the_requests() -> None:
    assert band_regions((0, 1), (2, 3, 500, 900), low_hz=100.0) == [
        BandRegion(0, 8_000, 100.0, None),
        BandRegion(16_000, 24_000, 500.0, 900.0),
    ]


def test_a_side_of_a_band_may_be_open() -> None:
    assert band_regions((0, 1, None, 300), (1, 2, 2_000, None)) == [
        BandRegion(0, 8_000, None, 300.0),
        BandRegion(8_000, 16_000, 2_000.0, None),
    ]


def test_only_regions_of_one_band_are_merged() -> None:
    merged = band_regions((0, 1, 100, 300), (0.5, 1.5, 100, 300), (0.5, 2, 600, 900))
    assert merged == [BandRegion(0, 12_000, 100.0, 300.0), BandRegion(4_000, 16_000, 600.0, 900.0)]
    assert Inpaint(CLIP, "rain", [(0, 1, 100, 300), (0.5, 2, 600, 900)]).sample_regions() == [(0, 16_000)]


@pytest.mark.parametrize(
    ("one", "other", "shared"),
    [
        ((None, None), (100.0, 200.0), True),
        ((None, 300.0), (300.0, None), False),
        ((100.0, 500.0), (400.0, 900.0), True),
        ((None, 300.0), (None, 100.0), True),
    ],
)
def test_bands_that_overlap(one: Any, other: Any, shared: bool) -> None:
    assert BandRegion(0, 1, *one).shares_band(BandRegion(5, 6, *other)) is shared


@pytest.mark.parametrize(
    "regions",
    [[(0, 1, 100)], [(0, 1, 100, 200, 300)], ["01"], [(0, 1, "low", 200)], 5, [(0, 1, float("nan"), 200)]],
    ids=["three numbers", "five numbers", "text", "words for a band", "a number", "no number"],
)
def test_what_is_no_region(regions: Any) -> None:
    with pytest.raises(InvalidRequestError):
        Inpaint(CLIP, "rain", regions)


@pytest.mark.parametrize(
    ("region", "sentence"),
    [
        ((0, 1, 900, 300), r"high_hz is 300; expected more than low_hz, 900"),
        ((0, 1, -1, 300), r"low_hz is -1"),
        ((0, 1, None, 5), r"high_hz is 5"),
    ],
)
def test_bands_that_cannot_be(region: Any, sentence: str) -> None:
    with pytest.raises(InvalidRequestError, match=sentence):
        Inpaint(CLIP, "rain", [region])


def test_a_region_with_a_band_must_lie_in_the_clip_too() -> None:
    with pytest.raises(RegionError):
        Inpaint(CLIP, "rain", [(0, 1), (2, 4, 100, 300)])
