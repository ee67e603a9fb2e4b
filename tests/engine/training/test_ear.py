"""An ear for recordings: it learns from a folder of them, what CLAP knew stays, and the model that is joined has it."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch

from engine.audio import Audio
from engine.checkpoints.store import load_model, save_model
from engine.engine import Engine
from engine.evaluation.train_classifier import ranks
from engine.models.pocket_clap import PocketClap
from engine.presets import build
from engine.sounds import SOUNDS, render
from engine.training import cli
from engine.training.datasets import Clips, ClipSettings, render_clips
from engine.training.loop import LoopSettings, read_log
from engine.training.parts import config_for_run, config_for_training, join_parts, note_ear, save_part, split_model
from engine.training.train_clap import ClapSettings, HeldPlaces, train_clap
from engine.training.train_ear import EarSettings, Hearing, hearing_of, train_ear
from engine.training.training_errors import ClapUntrainedError
from engine.training.workers import Workers

ALONE = Workers()
KINDS = ("rain", "siren", "bell", "dog")


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> Clips:
    folder = tmp_path_factory.mktemp("clips")
    return render_clips(ClipSettings(folder, 2 * len(SOUNDS), seconds=1.28, num_processes=1))


@pytest.fixture(scope="module")
def recordings(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Stand-ins: corpus clips of seeds that no recipe uses, in four packages."""
    folder = tmp_path_factory.mktemp("recordings")
    for place, kind in enumerate(KINDS):
        (folder / kind).mkdir()
        for package in range(4):
            waveform = render(kind, 40_000_000 + 10 * place + package, 1.5, 16_000).waveform
            soundfile.write(folder / kind / f"p{package}__{kind}.wav", waveform, 16_000)
    return folder


@pytest.fixture(autouse=True)
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def begun(parts: Path, seed: int = 1) -> PocketClap:
    clap = build(config_for_training("tiny"), seed).clap
    save_part(parts, "clap", clap)
    return clap


def loop(folder: Path, steps: int) -> LoopSettings:
    return LoopSettings(folder, steps, 4e-3, warmup_steps=2, report_every=4, decay_share=0.0)


def ear(clips: Clips, run: Path, recordings: Path, steps: int, folds: int = 0) -> EarSettings:
    return EarSettings(clips.folder, run, recordings, loop(run / "ear", steps), "tiny", 12, folds)


class TestEar:
    def test_learns_to_name_recordings(self, clips: Clips, recordings: Path, tmp_path: Path) -> None:
        begun(tmp_path)
        train_ear(ALONE, ear(clips, tmp_path, recordings, 40))
        reports = list(read_log(tmp_path / "ear"))
        assert reports[-1]["naming"] < 0.95 * reports[0]["naming"]

    def test_says_nothing_before_it_has_learnt(self, clips: Clips, recordings: Path, tmp_path: Path) -> None:
        clap = begun(tmp_path)
        train_ear(ALONE, ear(clips, tmp_path, recordings, 0))
        with_ear = join_parts(tmp_path, "tiny").clap
        assert with_ear.audio.ear is not None
        log_mel = clips.log_mel(np.arange(6))
        with torch.no_grad():
            assert torch.allclose(with_ear.embed_log_mel(log_mel), clap.embed_log_mel(log_mel), atol=1e-6)

    def test_text_stays_to_the_bit(self, clips: Clips, recordings: Path, tmp_path: Path) -> None:
        clap, words = begun(tmp_path), ["a dog barking", "rain", ""]
        train_ear(ALONE, ear(clips, tmp_path, recordings, 3))
        after = join_parts(tmp_path, "tiny").clap
        assert torch.equal(after.embed_text(words), clap.embed_text(words))

    def test_packages_that_are_tested_on_were_not_taught(self, clips: Clips, recordings: Path, tmp_path: Path) -> None:
        begun(tmp_path)
        heard: list[Hearing] = []
        train_ear(ALONE, ear(clips, tmp_path, recordings, 2, folds=2), None, heard.append)
        (hearing,) = heard
        assert hearing.clips == 16
        assert 0 <= hearing.first <= hearing.in_five <= 1
        assert join_parts(tmp_path, "tiny").config.clap.sharpness == hearing.sharpness
        assert "16 recordings of packages not taught" in str(hearing)

    def test_needs_a_clap(self, clips: Clips, recordings: Path, tmp_path: Path) -> None:
        with pytest.raises(ClapUntrainedError):
            train_ear(ALONE, ear(clips, tmp_path, recordings, 1))

    def test_survives_saving_and_splitting(self, tmp_path: Path) -> None:
        config = config_for_training("tiny")
        config = replace(config, clap=replace(config.clap, ear_channels=(8, 8, 16, 16), sharpness=7.5))
        model = build(config)
        torch.nn.init.normal_(model.clap.audio.ear.head[-1].weight)
        save_model(model, tmp_path / "model")
        split_model(str(tmp_path / "model"), tmp_path / "parts")
        joined = join_parts(tmp_path / "parts", "tiny")
        clip = Audio(render("dog", 1, 1.0, 16_000).waveform, 16_000)
        assert joined.config.clap == config_for_run(tmp_path / "parts", "tiny").clap == config.clap
        heard = [Engine(one).listen(clip) for one in (load_model(tmp_path / "model", torch.device("cpu")), joined)]
        assert [sound.score for sound in heard[0]] == pytest.approx([sound.score for sound in heard[1]], abs=1e-3)

    def test_the_command_prints_what_it_hears(
        self, recordings: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        begun(tmp_path / "parts")
        parser = cli.argparse.ArgumentParser()
        cli.add_arguments(parser)
        words = [
            "--preset",
            "tiny",
            "--clips",
            "66",
            "--steps",
            "2",
            "--batch",
            "6",
            "--folds",
            "2",
            "--listen-every",
            "0",
        ]
        args = parser.parse_args(["ear", "--run", str(tmp_path), "--recordings", str(recordings), *words])
        assert cli.run(args) == 0
        assert "recordings of packages not taught: first" in capsys.readouterr().out


class TestHearing:
    def test_counts_ranks_and_finds_the_sharpness_that_fits(self) -> None:
        """Cosines whose softmax at 8 is right by construction."""
        rng = np.random.default_rng(1)
        cosines = torch.from_numpy(rng.uniform(-0.3, 0.6, (4_000, 12)))
        likely = (8 * cosines).softmax(1).numpy()
        places = np.array([rng.choice(12, p=one) for one in likely])
        hearing = hearing_of(cosines, places)
        assert hearing.sharpness == pytest.approx(8, rel=0.12)
        assert hearing.first == pytest.approx(float((cosines.argmax(1).numpy() == places).mean()))
        assert hearing.in_five > hearing.first

    def test_ranks(self) -> None:
        logits = torch.tensor([[0.1, 0.9, 0.5], [0.3, 0.2, 0.1]])
        assert ranks(logits, torch.tensor([1, 2])).tolist() == [0, 2]


class TestHold:
    def test_what_a_split_model_knew_stays_near_its_place(self, clips: Clips, tmp_path: Path) -> None:
        moved = []
        for hold in (0.0, 20.0):
            parts = tmp_path / str(hold)
            clap = begun(parts)
            (parts / "split.json").write_text(json.dumps({"sounds": SOUNDS}), encoding="utf-8")
            settings = ClapSettings(clips.folder, parts, loop(parts / "clap", 12), "tiny", batch_size=32, hold=hold)
            train_clap(ALONE, settings)
            after, words = join_parts(parts, "tiny").clap, [clips.caption(k, k) for k in range(40)]
            with torch.no_grad():
                moved.append(float((1 - (after.embed_text(words) * clap.embed_text(words)).sum(1)).mean()))
        assert moved[1] < 0.4 * moved[0]

    def test_kinds_that_it_did_not_know_are_free(self, clips: Clips, tmp_path: Path) -> None:
        clap = begun(tmp_path)
        settings = ClapSettings(clips.folder, tmp_path, loop(tmp_path / "clap", 1), "tiny", hold=1.0)
        assert not HeldPlaces(settings, clap, clips).known.any()

    def test_of_the_shipped_model_most_corpus_clips_are_held(self, clips: Clips, tmp_path: Path) -> None:
        split_model("nano", tmp_path)
        clap = join_parts(tmp_path, "nano").clap
        held = HeldPlaces(ClapSettings(clips.folder, tmp_path, loop(tmp_path / "clap", 1), hold=1.0), clap, clips)
        assert float(held.known.float().mean()) > 0.7
        note_ear(tmp_path, (8, 8), None)
        assert config_for_run(tmp_path, "nano").clap.sharpness == 6.0
