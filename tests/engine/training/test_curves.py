"""A denoiser that learns to follow curves: grown from one that does not, fed the clips' own; nothing else changes."""

import argparse
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from engine.checkpoints.store import load_model, open_model, save_model
from engine.gesture import CURVES, relative_curves
from engine.presets import build
from engine.sounds import SOUNDS
from engine.training import cli
from engine.training.clip_gestures import CURVES_FILE, ClipGestures
from engine.training.datasets import Clips, ClipSettings, render_clips
from engine.training.loop import LoopSettings, read_log
from engine.training.parts import config_for_training, curves_of, join_parts, note_curves, save_part
from engine.training.train_draft import DraftSettings, Trajectories, prepare_trajectories, train_draft
from engine.training.train_ldm import LdmRecipe, LdmSettings, prepare_latents, train_ldm
from engine.training.training_errors import CurvesDifferError
from engine.training.workers import Workers

ALONE = Workers()


@pytest.fixture(autouse=True)
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def clips(tmp_path_factory) -> Clips:
    return render_clips(ClipSettings(tmp_path_factory.mktemp("clips"), len(SOUNDS), seconds=1.28, num_processes=1))


def settings_for(clips: Clips, run: Path, steps: int, **changes: object) -> LdmSettings:
    loop = LoopSettings(run / "ldm", steps, 1e-3, warmup_steps=2, report_every=2, decay_share=0.0)
    settings = LdmSettings(clips.folder, run / "parts", loop, "tiny", batch_size=8, captions_per_clip=2)
    return replace(settings, **changes)


@pytest.fixture(scope="module")
def trained(clips, tmp_path_factory) -> Path:
    """A run whose denoiser has learnt to follow loudness and pitch for a few steps."""
    run = tmp_path_factory.mktemp("run")
    save_part(run / "parts", "unet", build(config_for_training("tiny"), 1).unet)
    note_curves(run / "parts", ("loudness", "pitch"), begun=False)
    settings = settings_for(clips, run, 12, shorter_share=0.5, emphasis={"rain": 2})
    prepare_latents(ALONE, settings)
    train_ldm(ALONE, settings)
    return run


class TestGrowing:
    def test_a_trained_part_gets_layers_at_zero(self, tmp_path):
        known = build(config_for_training("tiny"), 1).unet
        save_part(tmp_path, "unet", known)

        note_curves(tmp_path, ("loudness",), begun=False)
        note_curves(tmp_path, ("loudness", "pitch"), begun=False)

        grown = join_parts(tmp_path, "tiny")
        assert grown.config.unet.curves == ("loudness", "pitch")
        state = grown.unet.state_dict()
        assert all(torch.equal(state[name], tensor) for name, tensor in known.state_dict().items())
        assert [name for name in state if name not in known.state_dict() and not state[name].any()] == [
            "follow.curves.loudness.weight",
            "follow.curves.pitch.weight",
        ]

    def test_a_model_makes_the_same_with_them(self, tmp_path):
        shipped = open_model("tiny")
        save_part(tmp_path, "unet", shipped.unet)
        note_curves(tmp_path, CURVES, begun=False)
        x = torch.randn(1, *shipped.latent_shape(16), generator=torch.Generator().manual_seed(1))
        given = x, torch.tensor([500]), shipped.embed_text(["rain"])

        with torch.no_grad():
            grown = join_parts(tmp_path, "tiny").unet(*given, torch.rand(1, 3, 16))

            assert torch.equal(grown, shipped.unet(*given))

    def test_from_an_installed_model(self, tmp_path):
        save_model(build(config_for_training("tiny"), 1), tmp_path / "mine", half=False)
        parser = argparse.ArgumentParser()
        cli.add_arguments(parser)
        assert cli.run(parser.parse_args(["split", str(tmp_path / "mine"), "--run", str(tmp_path / "run")])) == 0

        note_curves(tmp_path / "run" / "parts", ("brightness",), begun=False)
        save_model(join_parts(tmp_path / "run" / "parts", "tiny"), tmp_path / "grown")

        assert load_model(tmp_path / "grown").config.unet.curves == ("brightness",)
        assert cli.run(parser.parse_args(["split", str(tmp_path / "grown"), "--run", str(tmp_path / "again")])) == 0
        assert curves_of(tmp_path / "again" / "parts") == ("brightness",)

    def test_curves_are_neither_lost_nor_added_later(self, trained):
        parts = trained / "parts"
        note_curves(parts, ("loudness", "pitch"), begun=True)

        with pytest.raises(CurvesDifferError, match="to follow loudness, pitch, not loudness") as caught:
            note_curves(parts, ("loudness",), begun=False)
        assert "--curves" in caught.value.hint
        with pytest.raises(CurvesDifferError):
            note_curves(parts, CURVES, begun=True)

    @pytest.mark.parametrize("text", ["", "loudness,loudness", "loud", "loudness pitch"])
    def test_the_option_takes_known_names_once(self, text, capsys):
        parser = argparse.ArgumentParser()
        cli.add_arguments(parser)

        with pytest.raises(SystemExit):
            parser.parse_args(["ldm", "--run", "x", "--curves", text])
        assert "loudness,brightness,pitch" in capsys.readouterr().err
        assert parser.parse_args(["ldm", "--run", "x", "--curves", "pitch,loudness"]).curves == ("loudness", "pitch")


class TestLearning:
    def test_the_loss_falls_and_the_layers_learn(self, trained):
        reports = list(read_log(trained / "ldm"))
        weights = join_parts(trained / "parts", "tiny").unet.state_dict()

        assert all(np.isfinite(report["mse"]) for report in reports)
        assert {"mse_following", "mse_free"} <= {name for report in reports for name in report}
        assert weights["follow.curves.loudness.weight"].any()
        assert weights["follow.curves.pitch.weight"].any()

    def test_a_net_learns_what_curves_tell_it(self, clips, tmp_path):
        """Fed with nothing but loudness, at the same noise, its error becomes smaller than without."""
        save_part(tmp_path / "parts", "unet", build(config_for_training("tiny"), 1).unet)
        note_curves(tmp_path / "parts", ("loudness",), begun=False)
        settings = settings_for(clips, tmp_path, 150)
        settings = replace(settings, loop=replace(settings.loop, learning_rate=2e-2))
        prepare_latents(ALONE, settings)
        train_ldm(ALONE, settings)

        recipe = LdmRecipe(settings, ALONE)
        chosen = np.arange(len(SOUNDS))
        model, measured = recipe.model, recipe.gestures
        assert measured is not None
        x0 = (recipe.data.at(chosen) - model.latent_mean[:, None, None]) * model.latent_scale[:, None, None]
        condition = recipe.data.audio[chosen]
        curves = relative_curves(torch.from_numpy(measured.measured[chosen].astype(np.float32)))[:, :1]
        errors = np.zeros((3, 2))  # of three noises: without and with
        with torch.no_grad():
            for seed, pair in enumerate(errors):
                for k, given in enumerate(((), (curves,))):
                    torch.manual_seed(seed)
                    rng = np.random.default_rng(seed + 1)
                    losses, _ = recipe.objective.losses(recipe.ema.shadow, x0, condition, rng, *given)
                    pair[k] = losses.mean().item()
        without, following = errors.mean(axis=0)
        assert following < 0.97 * without

    def test_without_curves_nothing_is_measured_and_nothing_else_changes(self, tmp_path):
        plain = render_clips(ClipSettings(tmp_path / "clips", 33, seconds=1.28, num_processes=1))
        settings = settings_for(plain, tmp_path, 2)
        prepare_latents(ALONE, settings)
        train_ldm(ALONE, settings)

        assert not (tmp_path / "clips" / "latents" / CURVES_FILE).exists()
        assert not any(name.startswith("follow") for name in join_parts(tmp_path / "parts", "tiny").unet.state_dict())

    def test_clips_that_were_encoded_before_are_measured_later(self, tmp_path):
        plain = render_clips(ClipSettings(tmp_path / "clips", 33, seconds=1.28, num_processes=1))
        settings = settings_for(plain, tmp_path, 1)
        prepare_latents(ALONE, settings)
        encoded = (tmp_path / "clips" / "latents" / "latents.npy").stat().st_mtime_ns

        note_curves(settings.parts, CURVES, begun=False)
        prepare_latents(ALONE, settings)

        assert (tmp_path / "clips" / "latents" / "latents.npy").stat().st_mtime_ns == encoded
        assert np.load(tmp_path / "clips" / "latents" / CURVES_FILE).shape == (33, 3, 32)

    def test_a_draft_net_follows_too(self, clips, trained):
        loop = LoopSettings(trained / "draft", 3, 1e-3, warmup_steps=1, report_every=1)
        settings = DraftSettings(clips.folder, trained / "parts", loop, "tiny", 6, 12, (999, 500), 2, shorter_share=0.5)
        prepare_trajectories(ALONE, settings)
        train_draft(ALONE, settings)

        curves = Trajectories(settings.folder).curves
        assert curves.shape == (12, 2, 32)
        assert 0 < np.isnan(curves).all((1, 2)).sum() < 12
        model = join_parts(trained / "parts", "tiny")
        assert model.draft is not None
        assert model.draft.state_dict()["follow.curves.loudness.weight"].any()


@pytest.mark.usefixtures("trained")
class TestRoughness:
    def test_half_of_the_clips_have_no_curves_and_the_others_some(self, clips):
        gestures = ClipGestures(clips.folder / "latents", ("loudness", "brightness"))
        loud = np.flatnonzero(~np.isnan(gestures.measured[:, :2].astype(np.float32)).all(2).any(1))
        drawn = gestures.draw(np.repeat(loud, 10), 32, np.random.default_rng(0))

        known = ~drawn.isnan().all(2)
        shares = [
            (known == torch.tensor(kinds)).all(1).float().mean().item()
            for kinds in ((False, False), (True, False), (False, True), (True, True))
        ]
        assert shares[0] == pytest.approx(0.5, abs=0.05)
        assert min(shares[1:]) > 0.1
        assert drawn[~drawn.isnan()].abs().max() <= 1

    def test_the_same_generator_draws_the_same(self, clips):
        gestures = ClipGestures(clips.folder / "latents", CURVES)
        first, again, other = (gestures.draw(np.arange(20), 16, np.random.default_rng(seed)) for seed in (1, 1, 2))

        assert first.shape == (20, 3, 16)
        assert torch.equal(first.nan_to_num(7), again.nan_to_num(7))
        assert not torch.equal(first.nan_to_num(7), other.nan_to_num(7))
