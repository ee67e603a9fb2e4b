"""Clips of any length and any panorama: what a second costs, what memory it takes, and where its sources stay."""

import subprocess
import sys
from collections import Counter
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from engine import Audio, Engine, Generate, Inpaint, Restyle, Vary
from engine.audio import SHORTEST_S
from engine.presets import PRESETS, build
from engine.requests import LONGEST_S

RESTYLE_AND_SAY_THE_PEAK = """
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from engine import Audio, Engine, Restyle
from engine.engine import prepare_for_inference
from engine.presets import PRESETS, build

torch.set_num_threads(1)
seconds, rate = int(sys.argv[1]), 48_000
quick = replace(PRESETS[sys.argv[2]], vocoder=PRESETS["tiny"].vocoder)  # whose few iterations take the same memory
engine = Engine(prepare_for_inference(build(quick), torch.float32))
noise = np.random.default_rng(0).standard_normal((int(sys.argv[3]), seconds * rate), dtype=np.float32) * np.float32(0.1)
clip = Audio(noise, rate)
Path("/proc/self/clear_refs").write_text("5")  # the peak so far is forgotten
takes = engine.run(Restyle(clip, "rain", steps=2))
peak = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))
print(int(peak.split()[1]) * 1024 - noise.nbytes - takes[0].samples.nbytes)
"""


def noise_clip(seconds: float, sample_rate: int = 16_000, channels: int = 1) -> Audio:
    noise = np.random.default_rng(2).standard_normal((channels, round(seconds * sample_rate)), dtype=np.float32)
    return Audio(noise * np.float32(0.1), sample_rate, encoding="PCM_24")


def peak_bytes(seconds: int, model: str, channels: int) -> int:
    """The most memory that a restyle at 48 kHz takes, without the clip's samples and the take's.

    The smaller of two runs: what the allocator keeps for itself differs by some per cent from run to run.
    """
    command = [sys.executable, "-c", RESTYLE_AND_SAY_THE_PEAK, str(seconds), model, str(channels)]
    runs = (subprocess.run(command, capture_output=True, text=True, check=True) for _ in range(2))
    return min(int(run.stdout) for run in runs)


class TestLengths:
    @pytest.mark.parametrize("seconds", [SHORTEST_S, 0.05, 0.11, 0.29])
    @pytest.mark.parametrize("channels", [1, 2], ids=["mono", "stereo"])
    def test_the_shortest_clips(self, tiny: Engine, seconds: float, channels: int) -> None:
        clip = noise_clip(seconds, 44_100, channels)
        for request in (
            Restyle(clip, "rain"),
            Vary(clip),
            Inpaint(clip, "rain", [(0.0, max(SHORTEST_S, seconds / 2))]),
        ):
            (take,) = tiny.run(request)
            assert take.samples.shape == clip.samples.shape
            assert 0.01 < take.peak <= 1

    @pytest.mark.slow
    def test_the_longest_clip(self, tiny: Engine) -> None:
        clip = noise_clip(LONGEST_S, 8_000)
        (take,) = tiny.run(Restyle(clip, "rain", steps=1))
        assert take.num_samples == clip.num_samples
        seconds = np.sqrt(np.square(take.samples).reshape(600, -1).mean(axis=1))
        assert seconds.min() > 0.2 * np.median(seconds)

    @pytest.mark.slow
    def test_the_longest_sound_from_words(self, tiny: Engine) -> None:
        (take,) = tiny.run(Generate("rain", seconds=LONGEST_S, steps=1))
        assert take.num_samples == 600 * tiny.sample_rate


class TestCost:
    @pytest.mark.slow
    def test_a_second_costs_the_same_at_every_length(self) -> None:
        """Rows that UNet and autoencoder compute, frames that the vocoder does, for each second: within a tenth."""
        costs = [computed(seconds) for seconds in (5, 10, 30, 60, 120)]
        for part in costs[0]:
            each = [cost[part] for cost in costs]
            assert max(each) < 1.1 * min(each), part


def computed(seconds: int) -> Counter[str]:
    """Per second of a restyle over two steps, in a model with nano's window: cells of time that each net was given."""
    model = build(replace(PRESETS["tiny"], window_rows=128))
    cells: Counter[str] = Counter()

    def counting(name: str) -> Any:
        def count(_net: torch.nn.Module, inputs: tuple[torch.Tensor, ...]) -> None:
            cells[name] += inputs[0].shape[0] * inputs[0].shape[2]

        return count

    nets = {"unet": model.unet, "encoder": model.vae.encoder, "decoder": model.vae.decoder, "vocoder": model.vocoder}
    for name, net in nets.items():
        net.register_forward_pre_hook(counting(name))
    Engine(model).run(Restyle(noise_clip(seconds), "rain", steps=4))
    return Counter({name: number / seconds for name, number in cells.items()})


class TestMemory:
    @pytest.mark.slow
    @pytest.mark.timeout(1200)  # four processes, beside whatever else the machine does
    @pytest.mark.skipif(sys.platform != "linux", reason="reads the peak from /proc")
    @pytest.mark.parametrize(("model", "channels"), [("tiny", 1), ("nano", 2)], ids=["tiny, mono", "nano, stereo"])
    def test_two_minutes_take_hardly_more_than_ten_seconds(self, model: str, channels: int) -> None:
        assert peak_bytes(120, model, channels) < 1.3 * peak_bytes(10, model, channels)


class TestPanorama:
    @pytest.mark.parametrize(
        ("left", "right"),
        [(1.0, 0.5), (0.03, 1.0), (1.0, 0.0), (0.0, 1.0), (0.7, -0.7), (0.3, -1.0)],
        ids=["left", "far right", "hard left", "hard right", "opposite polarity", "right, opposite polarity"],
    )
    def test_one_source_stays_where_it_is(self, tiny: Engine, left: float, right: float) -> None:
        """It is made once: the take's channels have the clip's levels and polarities, sample by sample."""
        mono = noise_clip(0.6, 44_100).samples
        (take,) = tiny.run(Restyle(Audio(mono * np.array([[left], [right]], np.float32), 44_100), "rain"))
        assert np.abs(take.samples[0] * right - take.samples[1] * left).max() < 1e-5
        assert take.peak > 0.01

    def test_two_sources_are_two(self, tiny: Engine) -> None:
        (take,) = tiny.run(Restyle(noise_clip(0.6, 44_100, channels=2), "rain"))
        assert abs(np.corrcoef(take.samples)[0, 1]) < 0.999

    def test_a_region_of_a_panned_clip(self, tiny: Engine) -> None:
        samples = noise_clip(1.0, 44_100).samples * np.array([[1.0], [0.25]], np.float32)
        (take,) = tiny.run(Inpaint(Audio(samples, 44_100), "glass breaks", [(0.4, 0.6)]))
        made = take.samples[:, round(0.44 * 44_100) : round(0.56 * 44_100)]
        assert np.abs(made[1] - 0.25 * made[0]).max() < 1e-5
