"""The comparison with diffusers and with the reference's recipe, on narrow nets: the same way as at full size."""

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from engine.benchmark.clock import describe_machine, stages_timed
from engine.benchmark.published import Comparison, compare
from engine.cli.benchmark import published_in_words
from engine.errors import CancelledError
from engine.models.clap import ClapConfig
from engine.models.unet import UNetConfig
from engine.models.vae import VaeConfig
from engine.models.vocoder import HiFiGanConfig
from engine.presets import S

NARROW = replace(
    S,
    name="narrow",
    unet=UNetConfig(base_channels=32, head_dim=8, condition_size=64),
    vae=VaeConfig(base_channels=32),
    vocoder=HiFiGanConfig(channels=256),
    clap=ClapConfig(audio_tower="HTSAT-test", text_tower="roberta-test", embedding_dim=64),
)
ASKED = Comparison(NARROW, steps=2, seconds=0.32, runs=1, reference_steps=3)


@pytest.fixture(scope="module")
def report() -> Mapping[str, Any]:
    return compare(ASKED)


@pytest.mark.slow  # diffusers is imported, and four pipelines run
class TestReport:
    def test_its_ratios_follow_from_its_seconds(self, report) -> None:
        ours, theirs, reference = report["ours"]["median_s"], report["diffusers"]["median_s"], report["reference"]

        assert report["ratios"]["diffusers_equal_steps"] == pytest.approx(theirs / ours, rel=0.05)
        assert report["ratios"]["reference_defaults"] == pytest.approx(reference["total_s"] / ours, rel=0.05)

    def test_says_what_was_scaled(self, report) -> None:
        reference = report["reference"]

        assert (reference["scaled"], reference["steps_measured"], len(reference["step_s"])) == (True, 3, 2)
        assert reference["total_s"] > reference["measured_s"]

    def test_divides_both_sides_into_the_same_stages(self, report) -> None:
        assert list(report["ours"]["stages_s"]) == ["text", "unet", "vae", "vocoder", "rest"]
        for side in ("ours", "diffusers"):
            assert list(report[side]["stages_s"]) == list(report["ours"]["stages_s"])
            assert sum(report[side]["shares"].values()) == pytest.approx(1, abs=0.01)
            assert all(report[side]["stages_s"][stage] > 0 for stage in ("unet", "vae", "vocoder"))

    def test_proves_that_the_short_way_makes_the_same(self, report) -> None:
        assert set(report["difference_to_plain_nets"]) == {"latent", "log_mel", "waveform"}
        assert 0 < max(report["difference_to_plain_nets"].values()) < 1e-5

    def test_is_json_with_the_machine_in_it(self, report) -> None:
        assert json.loads(json.dumps(report))["machine"] == describe_machine()
        assert {"processor", "cores", "threads", "torch"} <= set(describe_machine())

    def test_in_words(self, report) -> None:
        lines = published_in_words(report).splitlines()

        assert lines[0].startswith("0.32 s with narrow (random weights) in 2 steps, median of 1 warm runs on ")
        assert "reckoned from 3 steps" in lines[3]
        assert lines[-2].startswith("ratio ")

    def test_stops_at_the_next_step(self) -> None:
        with pytest.raises(CancelledError):
            compare(ASKED, should_stop=lambda: True)


def test_stages_leave_the_rest_and_take_their_hooks_along() -> None:
    net = nn.Linear(4, 4)
    with stages_timed({"net": net}) as seconds:
        net(torch.zeros(1, 4))
    net(torch.zeros(1, 4))

    assert min(seconds["net"], seconds["rest"]) > 0
    assert not net._forward_hooks


def test_the_committed_report_has_the_ratios() -> None:
    path = Path(__file__).parents[3] / "engine" / "benchmark.json"
    if not path.exists():
        pytest.skip("not measured yet")

    assert {"reference_defaults", "diffusers_equal_steps"} <= set(json.loads(path.read_text())["ratios"])
