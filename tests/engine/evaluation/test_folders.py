"""Folders of real files against each other, and every way in which they do not belong together."""

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch

from engine.cli import DONE, main
from engine.errors import EvaluationError
from engine.evaluation.captions_file import Caption
from engine.evaluation.classifier import SoundClassifier, load_classifier
from engine.evaluation.evaluation_errors import (
    ClipFolderMissingError,
    ClipUnusableError,
    LengthMismatchError,
    NoPairsError,
    PairMissingError,
    RateMismatchError,
    TooFewClipsError,
)
from engine.evaluation.feature_extraction import ClassifierExtractor, VggishExtractor
from engine.evaluation.folders import evaluate_folders, read_folder
from engine.evaluation.reconstruction import log_spectral_distance, mel_l1
from engine.evaluation.vggish import Vggish, VggishConfig
from engine.sounds import render

SOUNDS = ("rain", "dog", "siren")


class OneAnswer:
    """A CLAP to which every sound is at an angle of 60 degrees from every text."""

    def embed_text(self, prompts: Sequence[str]) -> torch.Tensor:
        return torch.tensor([[1.0, 0.0]]).expand(len(prompts), 2)

    def embed_audio(self, waveform: torch.Tensor, sample_rate: int) -> torch.Tensor:
        assert sample_rate == 16_000
        return torch.tensor([[0.5, 0.75**0.5]]).expand(len(waveform), 2)


def narrow_vggish() -> VggishExtractor:
    with torch.random.fork_rng():
        torch.manual_seed(3)
        return VggishExtractor(Vggish(VggishConfig(channels=(4, 4, 8, 8), hidden=16, embedding_dim=6)).eval())


@pytest.fixture(scope="module")
def classifier() -> SoundClassifier:
    return load_classifier()


def write_clips(folder: Path, seed: int, names: Sequence[str] = SOUNDS, rate: int = 16_000, gain: float = 1.0) -> Path:
    folder.mkdir()
    for name in names:
        waveform = render(name, seed, 2.0, rate).waveform
        soundfile.write(folder / f"{name}.wav", gain * waveform, rate, subtype="FLOAT")
    return folder


@pytest.fixture
def made(tmp_path: Path) -> Path:
    return write_clips(tmp_path / "made", seed=14_000_000)


@pytest.fixture
def real(tmp_path: Path) -> Path:
    return write_clips(tmp_path / "real", seed=15_000_000)


class TestFigures:
    def test_a_folder_against_itself_is_perfect(self, made: Path, classifier: SoundClassifier) -> None:
        report = evaluate_folders(made, made, classifier)

        assert report.frechet == pytest.approx(0, abs=1e-6)
        assert (report.lsd_db, report.mel_l1, report.spectral_convergence) == (0, 0, 0)
        assert (report.generated, report.reference, report.pairs, report.sample_rate) == (3, 3, 3, 16_000)

    def test_paired_distances_are_means_over_the_pairs(
        self, made: Path, real: Path, classifier: SoundClassifier
    ) -> None:
        pairs = [
            [torch.from_numpy(render(name, seed, 2.0).waveform[None]) for seed in (14_000_000, 15_000_000)]
            for name in SOUNDS
        ]

        report = evaluate_folders(made, real, classifier)

        assert report.lsd_db == pytest.approx(
            np.mean([log_spectral_distance(*pair).item() for pair in pairs]), rel=1e-4
        )
        assert report.mel_l1 == pytest.approx(np.mean([mel_l1(*pair).item() for pair in pairs]), rel=1e-4)

    def test_other_names_are_compared_as_sets_only(
        self, made: Path, tmp_path: Path, classifier: SoundClassifier
    ) -> None:
        other = write_clips(tmp_path / "other", 16_000_000, ("wind", "fire", "cow", "frog"))

        report = evaluate_folders(made, other, classifier)

        assert report.frechet > 0
        assert (report.pairs, report.lsd_db, report.mel_l1, report.spectral_convergence) == (0, None, None, None)

    def test_level_differs_in_decibels_at_other_rates_too(self, tmp_path: Path, classifier: SoundClassifier) -> None:
        loud = write_clips(tmp_path / "loud", 1, rate=44_100)
        soft = write_clips(tmp_path / "soft", 1, rate=44_100, gain=0.5)

        report = evaluate_folders(soft, loud, classifier)

        assert report.sample_rate == 44_100
        assert report.lsd_db is not None
        assert 1 < report.lsd_db <= 6.03  # less where both are under the floor

    def test_captions_bring_a_score_and_a_class_table(
        self, made: Path, real: Path, classifier: SoundClassifier
    ) -> None:
        captions = {
            "rain.wav": Caption("heavy rain", "rain"),
            "dog.wav": Caption("dog", "siren"),
            "siren.wav": Caption("a wail"),
        }

        report = evaluate_folders(made, real, classifier, captions, OneAnswer())

        assert report.clap_score == pytest.approx(0.5)
        assert report.accuracy == 0.5
        assert [(row.sound, row.right, row.heard_as) for row in report.classes] == [
            ("siren", 0, {"dog": 1}),
            ("rain", 1, {}),
        ]
        assert "CLAP score                 0.500" in report.to_text()

    def test_a_slightly_longer_partner_is_cut(self, made: Path, tmp_path: Path, classifier: SoundClassifier) -> None:
        longer = tmp_path / "longer"
        longer.mkdir()
        for path in made.iterdir():
            samples, rate = soundfile.read(path, dtype="float32")
            soundfile.write(longer / path.name, np.pad(samples, (0, 160)), rate, subtype="FLOAT")

        assert evaluate_folders(made, longer, classifier).lsd_db == pytest.approx(0, abs=1e-6)


class TestListeners:
    def test_each_adds_its_figures(self, made: Path, real: Path, classifier: SoundClassifier) -> None:
        """Our own judge's must be those that stand at the top, too."""
        report = evaluate_folders(made, real, classifier, extractors=[ClassifierExtractor(classifier), narrow_vggish()])

        ours, vggish = report.measurements
        assert ours.figures["frechet"] == pytest.approx(report.frechet, rel=1e-4)
        assert ours.figures["kl_softmax"] > 0
        assert (vggish.generated, vggish.dimensions) == (6, 6)
        assert "vggish: 6 against 6 rows" in report.to_text()
        assert report.to_json()["measurements"][1]["figures"] == vggish.figures

    def test_a_folder_against_itself(self, made: Path, classifier: SoundClassifier) -> None:
        (figures,) = [m.figures for m in evaluate_folders(made, made, classifier, seed=narrow_vggish()).measurements]

        assert figures["frechet"] == pytest.approx(0, abs=1e-6)
        assert figures["kl_gaussian"] == pytest.approx(0, abs=1e-6)

    def test_sets_without_pairs_have_no_divergence(
        self, made: Path, tmp_path: Path, classifier: SoundClassifier
    ) -> None:
        other = write_clips(tmp_path / "other", 16_000_000, ("wind", "fire", "cow", "frog"))

        report = evaluate_folders(made, other, classifier, extractors=[ClassifierExtractor(classifier)])

        assert "kl_softmax" not in report.measurements[0].figures
        with pytest.raises(NoPairsError, match="no clip has a partner"):
            evaluate_folders(made, other, classifier, seed=narrow_vggish())

    def test_a_clip_too_short_for_a_net_is_named(self, made: Path, classifier: SoundClassifier) -> None:
        soundfile.write(made / "dog.wav", render("dog", 1, 0.5).waveform, 16_000)

        with pytest.raises(ClipUnusableError, match=r"made.dog\.wav: .*0\.5"):
            evaluate_folders(made, made, classifier, extractors=[narrow_vggish()])

    @pytest.mark.parametrize("features", ["judge", "classifier", "judge,classifier"])
    def test_from_the_command_line(
        self, made: Path, real: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], features: str
    ) -> None:
        report = tmp_path / "report.json"

        assert main(["evaluate", str(made), str(real), "--features", features, "--json", str(report)]) == DONE
        (measured,) = json.loads(report.read_text(encoding="utf-8"))["measurements"]
        assert measured["listener"] == "judge"
        assert set(measured["figures"]) >= {"frechet", "inception", "kl_softmax", "kl_sigmoid"}
        assert "KL, softmax" in capsys.readouterr().out


class TestRefusals:
    def refused(
        self,
        kind: type[EvaluationError],
        words: str,
        made: Path,
        real: Path,
        captions: dict[str, Caption] | None = None,
    ) -> None:
        with pytest.raises(kind, match=words) as caught:
            evaluate_folders(made, real, SoundClassifier(SOUNDS).eval(), captions)

        assert caught.value.hint

    def test_no_folder(self, made: Path, tmp_path: Path) -> None:
        self.refused(ClipFolderMissingError, "there is no folder at .*nowhere", made, tmp_path / "nowhere")

    def test_one_clip(self, made: Path, tmp_path: Path) -> None:
        self.refused(TooFewClipsError, "holds 1 clips", made, write_clips(tmp_path / "one", 1, ("rain",)))

    def test_mixed_rates(self, made: Path, tmp_path: Path) -> None:
        other = write_clips(tmp_path / "other", 1, rate=22_050)
        self.refused(RateMismatchError, "rain.wav has 22050 Hz|dog.wav has 22050 Hz|have 22050 Hz", made, other)

    def test_a_missing_partner(self, made: Path, real: Path) -> None:
        (real / "dog.wav").unlink()
        self.refused(PairMissingError, "real has no partner for dog.wav", made, real)

    def test_a_partner_of_another_length(self, made: Path, real: Path) -> None:
        soundfile.write(real / "dog.wav", render("dog", 1, 3.0).waveform, 16_000)
        self.refused(LengthMismatchError, r"dog.wav lasts 2.00 s; its reference lasts 3.00 s", made, real)

    def test_samples_that_are_not_numbers(self, made: Path, real: Path) -> None:
        broken = render("dog", 1, 2.0).waveform.copy()
        broken[100] = np.nan
        soundfile.write(real / "dog.wav", broken, 16_000, subtype="FLOAT")
        self.refused(ClipUnusableError, "dog.wav: .*1 samples that are not numbers", made, real)

    def test_what_macos_leaves_beside_each_file_is_no_clip(self, made: Path) -> None:
        (made / "._a.wav").write_bytes(b"\0\5\x16\7")
        (made / ".DS_Store").write_bytes(b"\0\0\0\1Bud1")

        assert not [name for name in read_folder(made) if name.startswith(".")]

    def test_a_file_that_is_no_audio(self, made: Path, real: Path) -> None:
        (real / "dog.wav").write_text("woof", encoding="utf-8")
        self.refused(ClipUnusableError, "dog.wav: ", made, real)

    def test_a_caption_without_its_clip(self, made: Path, real: Path) -> None:
        captions = {name: Caption("x") for name in ("rain.wav", "dog.wav", "siren.wav", "cow.wav")}
        self.refused(PairMissingError, "made has no clip for cow.wav", made, real, captions)

    def test_a_clip_without_its_caption(self, made: Path, real: Path) -> None:
        self.refused(PairMissingError, "no caption for dog.wav, siren.wav", made, real, {"rain.wav": Caption("x")})
