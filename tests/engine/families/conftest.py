"""Tiny models of the families, made once for all tests."""

import pytest

from tests.engine.families.tiny_stable_audio import TinyNets, medium_config, small_config


@pytest.fixture(scope="package")
def medium() -> TinyNets:
    return TinyNets(medium_config())


@pytest.fixture(scope="package")
def small() -> TinyNets:
    return TinyNets(small_config())
