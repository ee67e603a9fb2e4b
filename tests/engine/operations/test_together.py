"""Sounds made together: each is what it would have been alone, and each can be cancelled alone."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import numpy as np
import torch
from torch import nn

from engine import CancelledError, Engine, EngineError, Generate, Progress
from engine.errors import AudioTowerMissingError
from engine.operations.progress import ProgressReporter
from engine.operations.together import generate_together, shape_of

KEYS = {"seconds": 0.4, "steps": 3}
REQUESTS = [
    Generate("rain", seed=1, **KEYS),
    Generate("a dog barks", seed=2, candidates=2, negative_prompt="birds", **KEYS),
    Generate("bell", seed=1, **KEYS),
]


def run_together(engine: Engine, requests, stops=None):
    """The outcomes, and the news of each."""
    news = [[] for _ in requests]
    stops = stops or [lambda: False] * len(requests)
    return engine.run_together(requests, [one.append for one in news], stops), news


def run_many_at_once(engine: Engine, requests):
    """The outcomes, with calls of the net for many rows, as on a GPU."""
    reporters = [ProgressReporter(lambda _: None, lambda: False) for _ in requests]
    with torch.inference_mode():
        return generate_together(engine._model, requests, reporters, at_once=16)


@contextmanager
def before_each_call(net: nn.Module, act: Callable[..., None]) -> Iterator[None]:
    """Let `act` see what each call of a net gets; what it raises, the call raises."""
    handle = net.register_forward_pre_hook(lambda _, arguments: act(*arguments))
    try:
        yield
    finally:
        handle.remove()


class TestCompany:
    def test_changes_no_sample(self, tiny: Engine) -> None:
        outcomes, _ = run_together(tiny, REQUESTS)

        for request, takes in zip(REQUESTS, outcomes, strict=True):
            alone = tiny.run(request)
            assert [take.story for take in takes] == [take.story for take in alone]
            assert all(np.array_equal(one.samples, other.samples) for one, other in zip(takes, alone, strict=True))

    def test_shares_the_calls_of_the_net(self, tiny: Engine) -> None:
        """As on a GPU; there the sums may come in another order, so the samples are equal up to rounding only."""
        calls = []
        with before_each_call(tiny._model.unet, lambda x, *_: calls.append(len(x))):
            outcomes = run_many_at_once(tiny, REQUESTS)

        assert calls == [2 * 4] * 3  # with and without the prompt, four rows, three steps
        for request, takes in zip(REQUESTS, outcomes, strict=True):
            for take, alone in zip(takes, tiny.run(request), strict=True):
                assert np.abs(take.samples - alone.samples).max() < 1e-3 * alone.peak

    def test_of_another_shape_or_length_is_answered_all_the_same(self, tiny: Engine) -> None:
        requests = [REQUESTS[0], Generate("rain", seconds=0.5, steps=3), Generate("rain", seconds=0.4, steps=2)]
        long = [Generate("rain", seconds=4.0, steps=2), Generate("bell", seconds=4.0, steps=2)]

        for group in (requests, long):
            outcomes, _ = run_together(tiny, group)
            for request, (take,) in zip(group, outcomes, strict=True):
                assert np.array_equal(take.samples, tiny.run(request)[0].samples)

    def test_tells_each_how_far_it_is(self, tiny: Engine) -> None:
        _, news = run_together(tiny, REQUESTS)

        for one in news:
            assert all(isinstance(item, Progress) for item in one)
            assert [item.stage for item in one if item.step] == ["step 1/3", "step 2/3", "step 3/3"]

    def test_lets_a_mistake_harm_only_its_own(self, tiny: Engine) -> None:
        words = tiny._model.clap.text
        bell = words.tokenise(["bell"])

        def fail(ids: torch.Tensor) -> None:
            if any(torch.equal(row, bell[0]) for row in ids):
                raise AudioTowerMissingError

        with before_each_call(words, fail):
            outcomes, _ = run_together(tiny, REQUESTS)
        assert [isinstance(outcome, EngineError) for outcome in outcomes] == [False, False, True]


class TestCancelling:
    def test_one_leaves_the_others_alone(self, tiny: Engine) -> None:
        steps = []
        stops = [lambda: False, lambda: len(steps) > 1, lambda: False]
        outcomes = tiny.run_together(REQUESTS, [lambda _: None, steps.append, lambda _: None], stops)

        assert isinstance(outcomes[1], CancelledError)
        for index in (0, 2):
            assert np.array_equal(outcomes[index][0].samples, tiny.run(REQUESTS[index])[0].samples)

    def test_all_stops_the_work(self, tiny: Engine) -> None:
        calls = []
        with before_each_call(tiny._model.unet, lambda x, *_: calls.append(len(x))):
            outcomes, _ = run_together(tiny, REQUESTS, [lambda: True] * 3)

        assert calls == []
        assert all(isinstance(outcome, CancelledError) for outcome in outcomes)


class TestSmallDevice:
    def test_gets_fewer_at_once(self, tiny: Engine) -> None:
        calls = []

        def lack_memory(x: torch.Tensor, *_: object) -> None:
            calls.append(len(x))
            if len(x) > 2:
                raise torch.OutOfMemoryError

        with before_each_call(tiny._model.unet, lack_memory):
            outcomes = run_many_at_once(tiny, REQUESTS)

        assert not any(isinstance(outcome, EngineError) for outcome in outcomes)
        assert {2, 8} <= set(calls)


def test_shape_is_what_shared_calls_need() -> None:
    assert shape_of(REQUESTS[0]) == shape_of(REQUESTS[1])
    assert shape_of(Generate("rain", seed=1, seconds=0.4, steps=3, sampler="ddim")) != shape_of(REQUESTS[0])
