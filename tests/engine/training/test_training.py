"""The recipes run, get better, stop and go on exactly, and several processes train one model."""

import argparse
import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch._dynamo.utils import counters

from engine.audio import Audio
from engine.checkpoints.store import load_model, open_model
from engine.models.vae import Vae
from engine.models.vocoder import GriffinLim, HiFiGan, HiFiGanConfig
from engine.presets import build
from engine.sounds import SOUNDS, mixture_captions, render
from engine.training import cli
from engine.training.datasets import MIXED, PEAK, Clips, ClipSettings, plan_clips, render_clips
from engine.training.ema import Ema
from engine.training.loop import LoopSettings, read_log
from engine.training.parts import config_for_training, join_parts, save_part
from engine.training.train_clap import AttributeHeads, ClapRecipe, ClapSettings, train_clap
from engine.training.train_ldm import Latents, LdmRecipe, LdmSettings, prepare_latents, round_of, train_ldm
from engine.training.train_vae import VaeRecipe, VaeSettings, train_vae
from engine.training.train_vocoder import VocoderSettings, train_vocoder
from engine.training.training_errors import ClapUntrainedError, ClassUnknownError, CorpusDiffersError, RunBegunError
from engine.training.workers import Workers

SECONDS = 1.28  # the tiny preset's window
ALONE = Workers()


@pytest.fixture(scope="module")
def clips(tmp_path_factory):
    folder = tmp_path_factory.mktemp("clips")
    return render_clips(ClipSettings(folder, 2 * len(SOUNDS), seconds=SECONDS, num_processes=1))


@pytest.fixture(autouse=True)
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def loop(folder: Path, steps: int, rate: float = 1e-3) -> LoopSettings:
    return LoopSettings(folder, steps, rate, warmup_steps=2, report_every=2, decay_share=0.0)


def mean_of(reports: list[dict[str, float]], name: str) -> float:
    """The mean of a figure over some reports: a single batch says little."""
    return float(np.mean([report[name] for report in reports]))


def parameters_of(path: Path) -> dict[str, torch.Tensor]:
    return torch.load(path / "checkpoint.pt", weights_only=True)["kept"]


class TestClips:
    def test_hold_every_class_once_before_any_twice(self, clips):
        single = [clip["name"] for clip in clips.about if "name" in clip]
        assert single[: len(SOUNDS)] == list(SOUNDS)

    def test_note_both_sounds_of_a_mixture_which_has_no_class(self, clips):
        mixed = [k for k, clip in enumerate(clips.about) if "names" in clip]

        assert 0.1 * len(clips) < len(mixed) < 0.2 * len(clips)
        assert {int(clips.classes[k]) for k in mixed} == {MIXED}
        assert all(len(clips.about[k]["names"]) == len(clips.about[k]["attributes"]) == 2 for k in mixed)
        assert all(clips.attributes[k] == {} for k in mixed)

    def test_know_the_attributes_and_the_class_of_single_sounds(self, clips):
        for k, clip in enumerate(clips.about):
            if "name" in clip:
                assert clips.attributes[k] == clip["attributes"]
                assert clips.class_names[clips.classes[k]] == clip["name"]

    def test_caption_a_mixture_by_both_sounds(self, clips):
        clip = next(k for k, clip in enumerate(clips.about) if "names" in clip)
        about = clips.about[clip]

        assert clips.caption(clip, 5) == clips.caption(clip, 5)
        assert clips.caption(clip, 5) == mixture_captions(about["names"], about["attributes"], about["relation"], 5)[0]

    def test_places_of_mixtures_depend_on_the_index_alone(self):
        plan = plan_clips(2000, 0.15)

        assert plan[:500] == plan_clips(500, 0.15)
        assert plan.count(None) == pytest.approx(300, abs=3)
        assert None not in plan_clips(500, 0.0)

    def test_two_of_three_single_ones_are_whole_and_the_others_as_libraries_keep_them(self, clips):
        def end(wave):
            return float(np.sqrt(np.mean(wave[-len(wave) // 5 :] ** 2) / np.mean(wave**2)))

        are_whole, ends = [], []
        for k, clip in enumerate(clips.about):
            if "name" in clip:
                whole, quiet, edited = (
                    render(clip["name"], clip["seed"], SECONDS, has_floor=has_floor, is_edited=is_edited).waveform
                    for has_floor, is_edited in ((True, False), (False, False), (True, True))
                )
                is_whole, is_quiet, is_edited = (
                    np.max(np.abs(clips.waveforms[k] / PEAK - wave)) < 1e-4 for wave in (whole, quiet, edited)
                )
                assert is_whole or is_quiet or is_edited
                is_whole, whole = is_whole or is_quiet, quiet if is_quiet else whole
                if is_whole != is_edited:  # some are edited no more than a little
                    are_whole.append(is_whole)
                    ends.append((end(whole), end(edited)))
        full, short = np.mean(ends, axis=0)

        assert 0.58 < np.mean(are_whole) < 0.72
        assert short < 0.7 * full

    def test_are_the_same_in_another_folder(self, clips, tmp_path):
        again = render_clips(ClipSettings(tmp_path, 12, seconds=SECONDS, num_processes=1))

        assert np.array_equal(again.waveforms, clips.waveforms[:12])
        assert again.about == clips.about[:12]

    def test_are_not_rendered_again(self, clips):
        before = (clips.folder / "wav.npy").stat().st_mtime_ns

        render_clips(ClipSettings(clips.folder, len(clips), seconds=SECONDS))

        assert (clips.folder / "wav.npy").stat().st_mtime_ns == before

    def test_refuse_another_number_in_the_same_folder(self, clips):
        with pytest.raises(CorpusDiffersError, match=f"holds {len(clips)} clips, not 7") as caught:
            render_clips(ClipSettings(clips.folder, 7))
        assert "choose another folder" in caught.value.hint

    def test_refuse_another_share_of_mixtures_in_the_same_folder(self, clips):
        with pytest.raises(CorpusDiffersError, match=r"at a share of 0\.15, not 0\.5"):
            render_clips(ClipSettings(clips.folder, len(clips), seconds=SECONDS, mixture_share=0.5))

    def test_never_take_the_place_of_a_lists_clips(self, tmp_path):
        for name in ("wav.npy", "clips.json"):
            (tmp_path / name).write_bytes(b"mine")

        with pytest.raises(CorpusDiffersError, match="holds the clips of a list"):
            render_clips(ClipSettings(tmp_path, 7))
        assert (tmp_path / "wav.npy").read_bytes() == b"mine"

    def test_crops_keep_mel_and_waveform_aligned(self, clips):
        model = join_parts(clips.folder / "none", "tiny")
        log_mel, waveform = clips.crops(np.random.default_rng(0), np.arange(0, 72, 18), 64, 160)

        inner = slice(8, -8)  # the front end pads the ends of a crop, the clip does not
        difference = (model.log_mel(waveform)[:, :, inner] - log_mel[:, :, inner]).abs()

        assert difference.median() < 0.02


class TestSchedule:
    def test_warms_up_holds_and_falls(self):
        settings = LoopSettings(Path(), 1000, 1e-3, warmup_steps=10, decay_share=0.5, final_share=0.1)

        assert settings.rate_at(0) == pytest.approx(1e-4)
        assert settings.rate_at(400) == pytest.approx(1e-3)
        assert settings.rate_at(750) == pytest.approx(0.55e-3)
        assert settings.rate_at(1000) == pytest.approx(1e-4)

    def test_average_follows_the_net_fast_at_first(self):
        net = torch.nn.Linear(1, 1, bias=False)
        ema = Ema(net, limit=0.9)
        with torch.no_grad():
            start = net.weight.item()
            net.weight += 1

        ema.update(net, 0)

        assert ema.shadow.weight.item() == pytest.approx(start + 0.9)


@torch.no_grad()
def reconstruction_error(vae: Vae, log_mel: torch.Tensor) -> float:
    """Return the mean absolute error of what the autoencoder makes of log-mels [B, 1, N, M]."""
    return float((vae.decode(vae.encode(log_mel).mean) - log_mel).abs().mean())


class TestRecipes:
    def test_vae_starts_from_principal_components_and_improves(self, clips, tmp_path):
        settings = VaeSettings(clips.folder, tmp_path, loop(tmp_path / "vae", 1), "tiny", batch_size=4, crop_frames=32)
        log_mel = clips.log_mel(np.arange(0, 72, 6))
        train_vae(ALONE, settings)
        first = reconstruction_error(join_parts(tmp_path, "tiny").vae, log_mel)
        assert first < 0.3, "principal components alone come this close"

        train_vae(ALONE, VaeSettings(clips.folder, tmp_path, loop(tmp_path / "vae", 25), "tiny", 8, 32))

        assert reconstruction_error(join_parts(tmp_path, "tiny").vae, log_mel) < first

    def test_vae_trains_against_its_adversary(self, clips, tmp_path):
        settings = VaeSettings(clips.folder, tmp_path, loop(tmp_path / "vae", 4), "tiny", 4, 32, adversarial_from=2)

        train_vae(ALONE, settings)

        reports = list(read_log(tmp_path / "vae"))
        assert "critic" not in reports[0]
        assert np.isfinite(reports[1]["critic"])

    def test_clap_learns_which_caption_belongs_to_which_sound(self, clips, tmp_path):
        settings = ClapSettings(clips.folder, tmp_path, loop(tmp_path / "clap", 100, 4e-3), "tiny", batch_size=32)

        train_clap(ALONE, settings)

        reports = list(read_log(tmp_path / "clap"))
        assert mean_of(reports[-5:], "contrast") < 0.9 * reports[0]["contrast"]
        assert mean_of(reports[-5:], "naming") < 0.85 * mean_of(reports[:5], "naming")

    @pytest.mark.parametrize("count", [1, 12])
    def test_clap_learns_from_few_clips_which_leave_most_classes_empty(self, tmp_path, count):
        few = render_clips(ClipSettings(tmp_path / "clips", count, seconds=SECONDS, num_processes=1))
        settings = ClapSettings(few.folder, tmp_path, loop(tmp_path / "clap", 6), "tiny", batch_size=32)

        train_clap(ALONE, settings)

        assert np.isfinite([report["naming"] for report in read_log(tmp_path / "clap")]).all()

    def test_clap_names_attributes_with_one_head_for_sounds_and_words(self, clips, tmp_path):
        settings = ClapSettings(clips.folder, tmp_path, loop(tmp_path / "clap", 100, 4e-3), "tiny", batch_size=32)

        train_clap(ALONE, settings)

        reports = list(read_log(tmp_path / "clap"))
        assert mean_of(reports[-5:], "attributes") < 0.95 * mean_of(reports[:5], "attributes")
        heads = AttributeHeads(clips, 32)
        assert heads.kinds["level"] == ["loud", "quiet"]
        for index in (0, 35):
            named = dict(zip(heads.kinds, heads.targets[index].tolist(), strict=True))
            said = clips.about[index]["attributes"]
            assert {kind: heads.kinds[kind][value] for kind, value in named.items() if value >= 0} == said

    def test_text_tower_learns_on_towards_sounds_that_stay(self, clips, tmp_path):
        settings = ClapSettings(clips.folder, tmp_path, loop(tmp_path / "both", 12, 4e-3), "tiny", batch_size=32)
        train_clap(ALONE, settings)
        before = join_parts(tmp_path, "tiny").clap
        log_mel, captions = clips.log_mel(np.arange(8)), [clips.caption(k, k) for k in range(8)]

        train_clap(ALONE, replace(settings, loop=loop(tmp_path / "text", 24, 4e-3), keep_audio=True))

        after = join_parts(tmp_path, "tiny").clap
        with torch.no_grad():
            assert torch.equal(after.embed_log_mel(log_mel), before.embed_log_mel(log_mel))
            assert not torch.equal(after.embed_text(captions), before.embed_text(captions))
        reports = list(read_log(tmp_path / "text"))
        assert reports[-1]["apart"] < 0.7 * reports[0]["apart"]

    def test_a_text_tower_alone_needs_something_to_learn_from(self, clips, tmp_path):
        settings = ClapSettings(clips.folder, tmp_path, loop(tmp_path / "text", 1), "tiny", keep_audio=True)

        with pytest.raises(ClapUntrainedError, match="holds no trained CLAP"):
            train_clap(ALONE, settings)

    def test_vocoder_trains_with_its_adversaries(self, clips, tmp_path):
        small = HiFiGanConfig(channels=32, residual_kernels=(3,), dilations=(1,), mel_mean=-4.5, mel_std=3.0)
        settings = VocoderSettings(
            clips.folder, tmp_path, loop(tmp_path / "vocoder", 4), "tiny", small, 2, 32, adversarial_from=2
        )

        train_vocoder(ALONE, settings)

        assert (tmp_path / "vocoder.safetensors").exists()
        assert all(np.isfinite(list(report.values())).all() for report in read_log(tmp_path / "vocoder"))

    def test_a_trained_vocoder_takes_the_place_of_griffin_lim(self, clips, tmp_path):
        assert isinstance(join_parts(tmp_path, "tiny").vocoder, GriffinLim)

        train_vocoder(
            ALONE, VocoderSettings(clips.folder, tmp_path, loop(tmp_path / "vocoder", 1), "tiny", batch_size=2)
        )

        assert isinstance(join_parts(tmp_path, "tiny").vocoder, HiFiGan)

    def test_ldm_loss_falls(self, clips, tmp_path):
        settings = ldm_settings(clips, tmp_path, 40)
        prepare_latents(ALONE, settings)

        train_ldm(ALONE, settings)

        losses = [report["mse"] for report in read_log(tmp_path / "ldm")]
        assert np.mean(losses[-5:]) < np.mean(losses[:3])

    def test_captions_are_embedded_anew_where_the_text_tower_learnt_on(self, clips, tmp_path):
        settings, embedded = ldm_settings(clips, tmp_path, 1), []
        for seed in (1, 1, 2):
            save_part(tmp_path, "clap", build(config_for_training("tiny"), seed).clap)
            prepare_latents(ALONE, settings)
            embedded.append(np.load(clips.folder / "latents" / "text.npy"))
        latents = np.load(clips.folder / "latents" / "latents.npy")

        assert np.array_equal(embedded[0], embedded[1])
        assert not np.array_equal(embedded[0], embedded[2])
        assert latents.any((1, 2, 3)).all()

    def test_latents_of_mixtures_have_no_caption(self, clips, tmp_path):
        copy = tmp_path / "clips"
        copy.mkdir()
        for file in clips.folder.iterdir():
            if file.is_file():
                (copy / file.name).symlink_to(file)
        settings = LdmSettings(copy, tmp_path, loop(tmp_path / "ldm", 1), "tiny", mixup_share=0.25, captions_per_clip=2)

        prepare_latents(ALONE, settings)

        latents = Latents(copy / "latents")
        total = len(clips) + len(clips) // 4
        assert len(latents) == total
        assert latents.text[: len(clips)].any(2).all()
        assert not latents.text[len(clips) :].any()
        assert latents.audio.norm(dim=1) == pytest.approx(torch.ones(total))
        with pytest.raises(CorpusDiffersError, match=f"latents of {len(clips) // 4} mixed clips, not 0"):
            train_ldm(ALONE, replace(settings, mixup_share=0.0))

    def test_clips_of_an_emphasised_class_come_several_times_a_round(self, clips, tmp_path):
        settings = replace(ldm_settings(clips, tmp_path, 1), emphasis={"rain": 3, "drill": 2})
        mixed = 5

        times = np.bincount(round_of(settings, len(clips) + mixed))

        wanted = {"rain": 3, "drill": 2}
        assert times.tolist() == [wanted.get(clip.get("name"), 1) for clip in clips.about] + [1] * mixed

    def test_an_emphasis_on_what_is_not_there_names_what_is(self, clips, tmp_path):
        settings = replace(ldm_settings(clips, tmp_path, 1), emphasis={"vuvuzela": 3})
        prepare_latents(ALONE, settings)

        with pytest.raises(ClassUnknownError, match="no class 'vuvuzela'") as caught:
            train_ldm(ALONE, settings)

        assert "rain" in caught.value.hint

    def test_some_steps_learn_from_beginnings_that_all_processes_cut_alike(self, clips, tmp_path):
        settings = replace(ldm_settings(clips, tmp_path, 1), shorter_share=0.5)
        prepare_latents(ALONE, settings)
        met: list[list[int]] = []
        for rank in (0, 1):
            recipe = LdmRecipe(settings, Workers(rank, 2))
            heights: list[int] = []
            recipe.unet.register_forward_pre_hook(lambda _net, inputs, to=heights: to.append(inputs[0].shape[2]))
            recipe.workers = ALONE  # its own steps only
            for step in range(40):
                recipe.train_step(step, np.random.default_rng((rank, step)))
            met.append(heights)

        assert met[0] == met[1]
        whole = recipe.model.config.window_rows
        assert met[0].count(whole) == pytest.approx(20, abs=9)
        assert {height % recipe.model.row_multiple for height in met[0]} == {0}
        assert min(met[0]) >= whole / 8
        assert len(set(met[0])) == 4  # the whole, a half, a quarter, an eighth

    @pytest.mark.slow
    @pytest.mark.skipif(shutil.which("g++") is None, reason="torch.compile needs a C++ compiler")
    def test_a_compiled_net_learns_the_same_and_short_clips_are_not_compiled(self, clips, tmp_path):
        settings = replace(ldm_settings(clips, tmp_path, 1), shorter_share=0.5)
        prepare_latents(ALONE, settings)
        losses: list[list[float]] = []
        for compiles in (False, True):
            torch.manual_seed(0)
            recipe = LdmRecipe(replace(settings, compiles=compiles), ALONE)
            counters.clear()
            losses.append([])
            for step in range(6):
                torch.manual_seed(step)
                losses[-1].append(recipe.train_step(step, np.random.default_rng(step))["mse"])
            assert counters["stats"]["unique_graphs"] == compiles

        assert losses[1] == pytest.approx(losses[0], rel=1e-4)


class TestListening:
    def test_a_run_leaves_samples_and_their_spectrograms(self, clips, tmp_path):
        settings = ldm_settings(clips, tmp_path, 2)
        prepare_latents(ALONE, settings)

        train_ldm(ALONE, replace(settings, loop=replace(settings.loop, listen_every_s=0.0)))

        folder = tmp_path / "ldm" / "samples"
        assert {file.name[:6] for file in folder.iterdir()} == {"000001", "000002"}
        waves = sorted(folder.glob("000002 *.wav"))
        assert len(waves) == 4
        assert all(Audio.read(wave).seconds == pytest.approx(1.28) for wave in waves)
        assert (folder / "000002.png").read_bytes().startswith(b"\x89PNG")

    def test_listening_changes_nothing_that_is_learnt(self, clips, tmp_path):
        results = []
        prepare_latents(ALONE, ldm_settings(clips, tmp_path / "deaf", 2))
        shutil.copytree(tmp_path / "deaf", tmp_path / "hearing")
        for name, every in (("deaf", None), ("hearing", 0.0)):
            settings = ldm_settings(clips, tmp_path / name, 2)
            train_ldm(ALONE, replace(settings, loop=replace(settings.loop, listen_every_s=every)))
            results.append(parameters_of(tmp_path / name / "ldm")["ema"])

        assert all(torch.equal(tensor, results[1][name]) for name, tensor in results[0].items())

    def test_an_autoencoder_and_a_vocoder_are_heard_beside_the_original(self, clips, tmp_path):
        heard = replace(loop(tmp_path / "vae", 1), listen_every_s=60.0)
        train_vae(ALONE, VaeSettings(clips.folder, tmp_path, heard, "tiny", 2, 32))
        heard = replace(heard, folder=tmp_path / "vocoder")
        train_vocoder(ALONE, VocoderSettings(clips.folder, tmp_path, heard, "tiny", batch_size=2))

        names = sorted(file.name for file in tmp_path.glob("*/samples/*"))
        assert names == [
            "000001 original.wav", "000001 original.wav", "000001 rebuilt.wav", "000001 vocoded.wav",
            "000001.png", "000001.png",
        ]  # fmt: skip


class TestResuming:
    def test_goes_on_exactly_where_it_stopped(self, clips, tmp_path):
        prepare_latents(ALONE, ldm_settings(clips, tmp_path / "whole", 6))
        shutil.copytree(tmp_path / "whole", tmp_path / "halves")
        for name, stops in (("whole", (6,)), ("halves", (3, 6))):
            for steps in stops:
                run = ldm_settings(clips, tmp_path / name, steps)
                train_ldm(ALONE, replace(run, shorter_share=0.5, emphasis={"rain": 3}))

        whole, halves = (parameters_of(tmp_path / name / "ldm") for name in ("whole", "halves"))

        for part in ("unet", "ema"):
            for name, tensor in whole[part].items():
                torch.testing.assert_close(halves[part][name], tensor, rtol=0, atol=0)


class TestCommand:
    @pytest.mark.slow
    @pytest.mark.timeout(1200)  # a dozen processes, beside whatever else the machine does
    def test_trains_every_part_in_two_processes_and_joins_them(self, tmp_path):
        parser = argparse.ArgumentParser()
        cli.add_arguments(parser)
        common = ["--run", str(tmp_path / "run"), "--preset", "tiny"]
        small = ["--clips", "72", "--steps", "2", "--batch", "8"]
        for part in ("vae", "clap", "ldm"):
            assert cli.run(parser.parse_args([part, *common, *small, "--processes", "2"])) == 0

        assert cli.run(parser.parse_args(["join", *common, "-o", str(tmp_path / "model")])) == 0

        model = load_model(tmp_path / "model")
        assert model.config.sounds == SOUNDS
        assert model.clap.knows("a dog")
        assert not model.clap.knows("a saxophone solo")
        assert json.loads((tmp_path / "run" / "ldm" / "losses.jsonl").read_text().splitlines()[-1])["step"] == 2

    def test_split_is_the_reverse_of_join(self, tmp_path, capsys):
        parser = argparse.ArgumentParser()
        cli.add_arguments(parser)
        run = tmp_path / "run"

        assert cli.run(parser.parse_args(["split", "nano", "--run", str(run)])) == 0

        assert "clap, vae, latents, unet" in capsys.readouterr().out
        joined, shipped = join_parts(run / "parts", "nano"), open_model("nano")
        shipped.draft = None  # stays behind: it belongs to the denoiser as it is
        assert parameters_equal(joined, shipped)
        with pytest.raises(RunBegunError, match="holds trained parts already"):
            cli.run(parser.parse_args(["split", "nano", "--run", str(run)]))


class TestGoingOnFromAPart:
    def test_clap_and_vae_begin_with_the_parts_they_find(self, clips, tmp_path):
        begun = build(config_for_training("tiny"), seed=3)
        assert isinstance(begun.clap, torch.nn.Module)
        for name, module in (("clap", begun.clap), ("vae", begun.vae)):
            save_part(tmp_path, name, module)
        none = LoopSettings(tmp_path / "clap", 0, 1e-3)

        clap = ClapRecipe(ClapSettings(clips.folder, tmp_path, none, "tiny"), ALONE).clap
        vae = VaeRecipe(VaeSettings(clips.folder, tmp_path, none, "tiny"), ALONE).vae

        assert parameters_equal(clap, begun.clap)
        assert parameters_equal(vae, begun.vae)


def parameters_equal(one: torch.nn.Module, other: torch.nn.Module) -> bool:
    pairs = zip(one.state_dict().items(), other.state_dict().items(), strict=True)
    return all(a == b and torch.equal(x, y) for (a, x), (b, y) in pairs)


def ldm_settings(clips: Clips, folder: Path, steps: int) -> LdmSettings:
    return LdmSettings(clips.folder, folder, loop(folder / "ldm", steps), "tiny", batch_size=4, captions_per_clip=2)
