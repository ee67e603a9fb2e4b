"""Regions: merged where they meet, grouped where the model can hear them at once."""

import pytest

from engine.operations.regions import excerpt_around, group_regions
from engine.requests.regions import merge_regions


def test_overlapping_and_touching_regions_become_one_in_order() -> None:
    assert merge_regions([(50, 60), (0, 10), (10, 20), (15, 18), (55, 70)]) == [(0, 20), (50, 70)]


def test_neighbours_share_an_excerpt_and_distant_regions_do_not() -> None:
    regions = [(100, 200), (300, 400), (5_000, 5_100)]
    assert group_regions(regions, reach=1_000, context=100) == [[(100, 200), (300, 400)], [(5_000, 5_100)]]
    assert group_regions(regions, reach=400, context=100) == [[region] for region in regions]


@pytest.mark.parametrize(
    ("group", "num_samples", "expected"),
    [
        pytest.param([(4_000, 5_000)], 10_000, (3_500, 5_500), id="centred"),
        pytest.param([(0, 1_000)], 10_000, (0, 2_000), id="at the start"),
        pytest.param([(9_500, 10_000)], 10_000, (8_000, 10_000), id="at the end"),
        pytest.param([(100, 200)], 500, (0, 500), id="a short clip is heard whole"),
        pytest.param([(2_000, 8_000)], 10_000, (1_700, 8_300), id="longer than the model hears at once"),
    ],
)
def test_what_is_heard_around_a_group(
    group: list[tuple[int, int]], num_samples: int, expected: tuple[int, int]
) -> None:
    assert excerpt_around(group, num_samples, reach=2_000, context=300) == expected
