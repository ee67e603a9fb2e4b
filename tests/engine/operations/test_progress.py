"""Progress: only forwards, and a way to stop."""

import pytest

from engine.errors import CancelledError
from engine.operations.progress import Progress, ProgressReporter


def test_fractions_only_grow_and_end_below_one() -> None:
    """`writing` comes after the operation; it is the writer's to report."""
    news: list[Progress] = []
    reporter = ProgressReporter(news.append)
    for part in (reporter.part(0, 2), reporter.part(1, 2)):
        part.encoding()
        for step in (1, 2, 3):
            part.step(step, 3)
        part.decoding(0, 2)
        part.decoding(1, 2)

    fractions = [one.fraction for one in news]
    assert fractions == sorted(fractions)
    assert fractions[0] == 0
    assert 0.95 < fractions[-1] < 1
    assert [one.stage for one in news[:5]] == ["encoding", "step 1/3", "step 2/3", "step 3/3", "decoding"]
    assert (news[2].step, news[2].num_steps) == (2, 3)


def test_should_stop_is_asked_at_every_turn() -> None:
    answers = iter([False, False, True])
    reporter = ProgressReporter(should_stop=lambda: next(answers))
    reporter.encoding()
    reporter.step(1, 3)
    with pytest.raises(CancelledError, match="was cancelled"):
        reporter.step(2, 3)
