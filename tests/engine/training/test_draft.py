"""The draft net learns the denoiser's walks, stops and goes on exactly, and never outlives its denoiser."""

import argparse
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from engine.audioldm import DraftConfig
from engine.checkpoints.store import load_model
from engine.diffusion.guidance import prediction_between, read_prediction
from engine.diffusion.schedule import lay_schedule
from engine.diffusion.solvers import sample_ddim
from engine.sounds import SOUNDS
from engine.training import cli
from engine.training.datasets import ClipSettings, render_clips
from engine.training.loop import LoopSettings, read_log
from engine.training.parts import draft_of, join_parts
from engine.training.train_draft import (
    DraftRecipe,
    DraftSettings,
    Trajectories,
    prepare_trajectories,
    short_timesteps,
    train_draft,
    trajectory_rows,
)
from engine.training.train_ldm import LdmSettings, prepare_latents, train_ldm
from engine.training.training_errors import DenoiserChangedError, DenoiserMissingError
from engine.training.workers import Workers

ALONE = Workers()
TIMESTEPS = (999, 500, 200)


def loop(folder: Path, steps: int) -> LoopSettings:
    return LoopSettings(folder, steps, 1e-3, warmup_steps=2, report_every=2, decay_share=0.0)


def settings_for(run: Path, steps: int, **changes: object) -> DraftSettings:
    settings = DraftSettings(run / "clips", run / "parts", loop(run / "draft", steps), "tiny", 6, 6, TIMESTEPS, 2)
    return replace(settings, **changes)


def heights(run: Path) -> list[int]:
    """Of the run's walks, in latent rows."""
    settings = settings_for(run, 1)
    return [
        trajectory_rows(join_parts(run / "parts", "tiny"), settings, index)
        for index in range(settings.num_trajectories)
    ]


@pytest.fixture(autouse=True)
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def trained(tmp_path_factory) -> Path:
    """A run whose denoiser has learnt for two steps, and has walked."""
    run = tmp_path_factory.mktemp("run")
    render_clips(ClipSettings(run / "clips", len(SOUNDS), seconds=1.28, num_processes=1))
    ldm = LdmSettings(run / "clips", run / "parts", loop(run / "ldm", 2), "tiny", batch_size=4, captions_per_clip=1)
    prepare_latents(ALONE, ldm)
    train_ldm(ALONE, ldm)
    prepare_trajectories(ALONE, settings_for(run, 1))
    return run


@pytest.fixture
def run(trained, tmp_path) -> Path:
    return Path(shutil.copytree(trained, tmp_path / "run"))


class TestLanding:
    @pytest.mark.parametrize("kind", ["v", "eps"])
    def test_the_prediction_leads_ddim_to_where_it_should_land(self, kind):
        generator = torch.Generator().manual_seed(0)
        x, landing = (torch.randn(1, 2, 4, 4, generator=generator, dtype=torch.float64) for _ in range(2))
        schedule = join_parts(Path("none"), "tiny").config.schedule
        ends = (torch.tensor(schedule.alpha_bar(t), dtype=torch.float64) for t in (700, 300))
        now, after = ends

        prediction = prediction_between(x, now, landing, after, kind)

        steps = sample_ddim(
            lambda x, t: read_prediction(prediction, x, schedule.level(t), kind), x, lay_schedule(schedule, [700, 300])
        )
        torch.testing.assert_close(next(steps), landing)


class TestWalks:
    def test_draft_steps_are_cut_into_short_ones(self):
        assert short_timesteps((900, 300), 3) == [900, 700, 500, 300, 200, 100]

    def test_begin_in_noise_and_end_clean(self, run):
        trajectories = Trajectories(run / "draft" / "walks")

        assert trajectories.done.all()
        assert trajectories.places.shape[:2] == (6, 4)
        noise = [place[0, :, :height] for place, height in zip(trajectories.places, heights(run), strict=True)]
        assert [part.std() for part in noise] == pytest.approx([1] * 6, abs=0.1)
        assert np.linalg.norm(trajectories.conditions, axis=1) == pytest.approx(np.ones(6), abs=1e-4)

    def test_are_shorter_now_and_then(self, run):
        trajectories = Trajectories(run / "draft" / "walks")

        filled = [int(np.flatnonzero(place.any((0, 1, 3))).max()) + 1 for place in trajectories.places]

        assert filled == heights(run)
        assert len(set(filled)) > 1
        assert max(filled) == 32

    def test_of_one_length_make_a_batch(self, run):
        recipe = DraftRecipe(settings_for(run, 1), ALONE)
        met = set()
        for seed in range(20):
            x, landing, *_ = recipe._batch(np.random.default_rng(seed))
            assert x.shape == landing.shape
            assert x.any(3).any(1).all(), "rows that no walk filled"
            met.add(x.shape[2])

        assert met == set(heights(run))

    def test_more_are_added_and_the_earlier_ones_stay(self, run):
        before = Trajectories(run / "draft" / "walks").places[:]

        prepare_trajectories(ALONE, settings_for(run, 1, num_trajectories=8))

        after = Trajectories(run / "draft" / "walks")
        assert after.done.all()
        assert len(after) == 8
        assert np.array_equal(after.places[:6], before)

    def test_of_another_denoiser_are_refused(self, run):
        with pytest.raises(DenoiserChangedError) as caught:
            prepare_trajectories(ALONE, settings_for(run, 1, guidance=5.0))

        assert "remove" in caught.value.hint

    def test_need_a_trained_denoiser(self, run):
        (run / "parts" / "unet.safetensors").unlink()

        with pytest.raises(DenoiserMissingError, match="no trained denoiser"):
            prepare_trajectories(ALONE, settings_for(run, 1))


class TestTraining:
    def test_comes_closer_to_the_walks(self, run):
        train_draft(ALONE, settings_for(run, 30))

        reports = list(read_log(run / "draft"))
        assert reports[-1]["mse"] < 0.9 * reports[0]["mse"]
        assert {f"mse_{t}" for t in TIMESTEPS} <= reports[0].keys()

    def test_goes_on_exactly_where_it_stopped(self, run, tmp_path):
        other = Path(shutil.copytree(run, tmp_path / "other"))
        train_draft(ALONE, settings_for(run, 6))
        for steps in (3, 6):
            train_draft(ALONE, settings_for(other, steps))

        whole, halves = (torch.load(folder / "draft" / "checkpoint.pt")["kept"] for folder in (run, other))

        for part in ("draft", "ema"):
            for name, tensor in whole[part].items():
                assert torch.equal(halves[part][name], tensor), name

    def test_the_joined_model_has_it(self, run):
        train_draft(ALONE, settings_for(run, 1))

        model = join_parts(run / "parts", "tiny")

        assert model.config.draft == DraftConfig(TIMESTEPS, 2.0)
        assert model.draft is not None

    def test_a_denoiser_that_has_learnt_on_leaves_it_behind(self, run):
        train_draft(ALONE, settings_for(run, 1))
        train_ldm(ALONE, LdmSettings(run / "clips", run / "parts", loop(run / "ldm", 3), "tiny", batch_size=4))

        assert draft_of(run / "parts") is None
        assert join_parts(run / "parts", "tiny").draft is None


class TestCommand:
    @pytest.mark.slow
    def test_distils_in_two_processes_and_joins(self, run, tmp_path):
        parser = argparse.ArgumentParser()
        cli.add_arguments(parser)
        shutil.rmtree(run / "draft")
        common = ["--run", str(run), "--preset", "tiny"]
        small = ["--clips", str(len(SOUNDS)), "--steps", "2", "--batch", "4", "--trajectories", "3", "--processes", "2"]

        assert cli.run(parser.parse_args(["draft", *common, *small])) == 0
        assert cli.run(parser.parse_args(["join", *common, "-o", str(tmp_path / "model")])) == 0

        assert load_model(tmp_path / "model").config.draft is not None
