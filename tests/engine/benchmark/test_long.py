"""`retake benchmark --long`: the way from clips to ratios, on the smallest model and short clips."""

import itertools
import json
import sys
from pathlib import Path

import pytest

from engine import CancelledError, Engine
from engine.benchmark.long import LongClips, measure
from engine.cli.benchmark import long_in_words

ASKED = LongClips(lengths=(2, 1), steps=2, runs=1)
COMMITTED = Path(__file__).parents[3] / "engine" / "benchmark_long.json"


@pytest.fixture(scope="module")
def tiny() -> Engine:
    return Engine.load("tiny", "cpu")


class TestReport:
    def test_each_length_has_its_costs_the_shortest_first(self, tiny: Engine) -> None:
        rows = measure(tiny, ASKED)["lengths"]

        assert [row["seconds"] for row in rows] == [1, 2]
        assert all(row["wall_s_per_second"] > 0 and row["processor_s_per_second"] > 0 for row in rows)

    def test_its_ratios_follow_from_its_costs(self, tiny: Engine) -> None:
        report = measure(tiny, ASKED)

        costs = [row["wall_s_per_second"] for row in report["lengths"]]
        assert report["ratios"]["wall_largest_to_smallest"] == pytest.approx(max(costs) / min(costs), rel=0.05)

    @pytest.mark.skipif(sys.platform != "linux", reason="other systems do not tell")
    def test_the_peak_is_of_the_whole_process(self, tiny: Engine) -> None:
        report = measure(tiny, ASKED)

        shortest, longest = (row["peak_bytes"] for row in report["lengths"])
        assert min(shortest, longest) > 2**26  # Python and PyTorch alone
        assert report["ratios"]["peak_longest_to_shortest"] == pytest.approx(longest / shortest, abs=0.001)
        sounds = 2 * 2 * 48_000 * 4  # bytes a second: clip and take, two channels each
        growth = (longest - 2 * sounds) / (shortest - sounds)
        assert report["ratios"]["peak_without_clip_and_take"] == pytest.approx(growth, abs=0.001)

    def test_tells_how_far_it_is_and_how_many_steps_the_model_takes(self, tiny: Engine) -> None:
        news: list[tuple[float, str]] = []
        report = measure(tiny, LongClips(lengths=(1, 2), runs=1), lambda *one: news.append(one))

        assert [text for _, text in news] == ["1 s, memory", "2 s, memory", "1 s, run 1 of 1", "2 s, run 1 of 1"]
        assert [share for share, _ in news] == sorted(share for share, _ in news)
        assert report["settings"]["steps"] == 4

    def test_in_words(self, tiny: Engine) -> None:
        report = measure(tiny, ASKED)
        report["lengths"][0]["peak_bytes"] = 300 * 2**20
        report["ratios"]["peak_longest_to_shortest"] = None

        title, first, _, *ratios = long_in_words(report).splitlines()

        assert title.startswith(
            "restyles with tiny on cpu in 2 steps, of 2 channels at 48000 Hz, median of 1 warm runs"
        )
        assert first.startswith("   1 s  ")
        assert first.endswith(" s of processor, at most 300 MiB of memory")
        assert len(ratios) == 1

    def test_stops_when_it_is_told_to(self, tiny: Engine) -> None:
        with pytest.raises(CancelledError):
            measure(tiny, ASKED, should_stop=lambda: True)


def test_the_committed_report_says_that_long_clips_cost_no_more() -> None:
    """As measured on the machine that it names: a second of a longer clip is at most a tenth dearer."""
    report = json.loads(COMMITTED.read_text(encoding="utf-8"))

    assert [row["seconds"] for row in report["lengths"]] == [10, 30, 60, 120]
    assert report["ratios"]["peak_without_clip_and_take"] <= 1.3
    costs = [row["wall_s_per_second"] for row in report["lengths"]]
    assert all(longer <= 1.1 * shorter for shorter, longer in itertools.combinations(costs, 2))
