"""The shipped model gives on one seed what was recorded when it was trained, whatever machine it runs on."""

from dataclasses import replace

import numpy as np
import pytest

from engine import Engine
from tests.engine.golden import make_nano

TOLERANCE = 0.05  # natural-log units on a tile; another seed differs by more than 1


@pytest.fixture(scope="module")
def engine():
    return Engine.load("nano", "cpu")


@pytest.fixture(scope="module")
def recorded():
    with np.load(make_nano.RECORD) as record:
        return dict(record)


class TestShippedModel:
    def test_weights_are_those_that_were_recorded(self, recorded):
        assert str(recorded["weights"]) == make_nano.weights_hash()

    @pytest.mark.parametrize("name", make_nano.REQUESTS)
    def test_a_seed_gives_the_recorded_take(self, engine, recorded, name):
        tiles = make_nano.tiles_of(engine.run(make_nano.REQUESTS[name])[0])

        assert np.abs(tiles - recorded[name]).max() <= TOLERANCE

    def test_another_seed_would_be_noticed(self, engine, recorded):
        other = replace(make_nano.REQUESTS["draft"], seed=9)

        assert np.abs(make_nano.tiles_of(engine.run(other)[0]) - recorded["draft"]).max() > 1
