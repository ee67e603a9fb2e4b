"""Several processes that train one model: what each learns from, exact resumption, and torchrun."""

import json
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch

from engine.training.clip_sampler import ClipSampler
from engine.training.datasets import Clips, ClipSettings, render_clips
from engine.training.loop import LoopSettings
from engine.training.train_ldm import LdmSettings, prepare_latents, train_ldm
from engine.training.workers import Workers, run_together

ROOT = Path(__file__).parents[3]


def samplers(total: int, batch_size: int, count: int) -> list[ClipSampler]:
    return [ClipSampler(total, batch_size, Workers(rank, count), seed=3) for rank in range(count)]


class TestTurns:
    def test_in_a_round_all_processes_together_meet_every_clip_once(self) -> None:
        processes = samplers(48, 4, 3)

        for which in (0, 1):
            steps = range(4 * which, 4 * which + 4)
            met = [set(np.concatenate([one.at(step) for step in steps]).tolist()) for one in processes]
            assert [len(clips) for clips in met] == [16, 16, 16]
            assert set.union(*met) == set(range(48))

    def test_clips_that_fill_up_a_round_are_few_and_never_twice_in_a_batch(self) -> None:
        processes = samplers(50, 4, 3)
        batches = [one.at(step) for step in range(5) for one in processes]

        assert all(len(set(batch.tolist())) == 4 for batch in batches)
        times = np.bincount(np.concatenate(batches), minlength=50)
        assert times.min() == 1
        assert times.sum() == 60

    def test_every_round_has_another_order(self) -> None:
        (one,) = samplers(32, 8, 1)
        rounds = [np.concatenate([one.at(step) for step in range(4 * r, 4 * r + 4)]) for r in range(4)]

        assert all((a != b).any() for a, b in pairwise(rounds))

    def test_a_step_is_the_same_whatever_was_asked_before(self) -> None:
        (going_on,), (resumed,) = samplers(20, 6, 1), samplers(20, 6, 1)
        all_steps = [going_on.at(step) for step in range(12)]

        np.testing.assert_array_equal(resumed.at(11), all_steps[11])
        np.testing.assert_array_equal(resumed.at(0), all_steps[0])

    def test_fewer_clips_than_a_batch_are_repeated(self) -> None:
        (one,) = samplers(3, 8, 1)

        assert np.bincount(one.at(5)).tolist() in ([3, 3, 2], [3, 2, 3], [2, 3, 3])


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> Clips:
    folder = tmp_path_factory.mktemp("clips")
    return render_clips(ClipSettings(folder, 24, seconds=1.28, num_processes=1))


def ldm_settings(clips: Clips, folder: Path, steps: int) -> LdmSettings:
    loop = LoopSettings(folder / "ldm", steps, 1e-3, warmup_steps=2, report_every=2, decay_share=0.0)
    return LdmSettings(clips.folder, folder, loop, "tiny", batch_size=4, captions_per_clip=2)


@pytest.mark.timeout(1200)  # each starts several processes, beside whatever else the machine does
class TestTwoProcesses:
    @pytest.mark.slow
    def test_go_on_exactly_where_they_stopped(self, clips: Clips, tmp_path: Path) -> None:
        prepare_latents(Workers(), ldm_settings(clips, tmp_path / "whole", 6))
        shutil.copytree(tmp_path / "whole", tmp_path / "halves")
        for name, stops in (("whole", (6,)), ("halves", (3, 6))):
            for steps in stops:
                run_together(train_ldm, (ldm_settings(clips, tmp_path / name, steps),), 2)

        whole, halves = (
            torch.load(tmp_path / name / "ldm" / "checkpoint.pt", weights_only=True) for name in ("whole", "halves")
        )
        assert whole["step"] == halves["step"] == 6
        for part in ("unet", "ema", "levels"):
            for name, tensor in whole["kept"][part].items():
                torch.testing.assert_close(halves["kept"][part][name], tensor, rtol=0, atol=0)

    @pytest.mark.slow
    def test_that_torchrun_starts_share_one_run(self, tmp_path: Path) -> None:
        """One of them renders the clips, and both train. Without the -- torchrun takes our --run for its own."""
        run = tmp_path / "run"

        (agent,) = ended([start_agent(run, 2, "--standalone", "--nproc-per-node", "2")])

        assert agent.stderr.count("step 2/2") == 1
        assert json.loads((run / "ldm" / "losses.jsonl").read_text().splitlines()[-1])["step"] == 2
        assert len(Clips(run / "clips")) == 24

    @pytest.mark.slow
    def test_that_two_agents_of_torchrun_start_share_one_run_and_go_on(self, tmp_path: Path) -> None:
        """As on two machines that see one folder; here both are this one."""
        run = tmp_path / "run"
        for steps in (2, 4):
            with socket.socket() as probe:
                probe.bind(("127.0.0.1", 0))
                port = str(probe.getsockname()[1])
            meeting = "--nnodes", "2", "--nproc-per-node", "1", "--master-addr", "127.0.0.1", "--master-port", port

            agents = ended([start_agent(run, steps, *meeting, "--node-rank", rank) for rank in ("0", "1")])

            assert sum(agent.stderr.count(f"step {steps}/{steps}") for agent in agents) == 1
        steps_told = [json.loads(line)["step"] for line in (run / "ldm" / "losses.jsonl").read_text().splitlines()]
        assert steps_told == [2, 4]


def start_agent(run: Path, steps: int, *options: str) -> subprocess.Popen[str]:
    """A torchrun that trains a small denoiser for so many steps."""
    torchrun = [sys.executable, "-m", "torch.distributed.run", *options, "-m", "--", "bridge"]
    command = ["train", "ldm", "--run", str(run), "--preset", "tiny", "--clips", "24", "--steps", str(steps)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    return subprocess.Popen(
        [*torchrun, *command, "--batch", "4", "--listen-every", "0"],
        cwd=run.parent,
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )


def ended(agents: Sequence[subprocess.Popen[str]]) -> list[subprocess.CompletedProcess[str]]:
    """All of them, each having succeeded."""
    done = []
    try:
        for agent in agents:
            _, told = agent.communicate(timeout=1100)
            assert agent.returncode == 0, told
            done.append(subprocess.CompletedProcess(agent.args, agent.returncode, "", told))
    finally:
        for agent in agents:
            agent.kill()
            agent.communicate()
    return done
