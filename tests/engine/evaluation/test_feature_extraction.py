"""The listening nets against independent implementations on random weights, and their files in every condition."""

import importlib.util
import sys
import types
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torchlibrosa.stft import LogmelFilterBank, Spectrogram
from torchvggish import torchvggish, vggish_input

from engine.audio import Audio
from engine.checkpoints.feature_extractors import PANNS, VGGISH
from engine.evaluation.classifier import load_classifier
from engine.evaluation.cnn14 import Cnn14, Cnn14Config
from engine.evaluation.evaluation_errors import (
    ClipUnusableError,
    ExtractorBrokenError,
    ExtractorMissingError,
    NotFiniteError,
)
from engine.evaluation.extractor_weights import load_cnn14, load_vggish
from engine.evaluation.feature_extraction import (
    ClassifierExtractor,
    PannsExtractor,
    VggishExtractor,
    as_published,
    extract_features,
)
from engine.evaluation.vggish import MINIMUM_SAMPLES, Vggish, VggishConfig, examples_of
from engine.sinc import resample_by_sinc
from engine.sounds import render

NARROW_CNN = Cnn14Config(channels=(4, 4, 8, 8, 8, 16), num_classes=7)
NARROW_VGG = VggishConfig(channels=(4, 4, 8, 8), hidden=16, embedding_dim=6)


def clip(name: str = "dog", seconds: float = 2.5) -> np.ndarray:
    return render(name, 5, seconds, 16_000).waveform


def randomise(net: torch.nn.Module, seed: int = 0) -> torch.nn.Module:
    """Weights that keep a signal alive, and statistics of normalisation that are not those of a new net."""
    generator = torch.Generator().manual_seed(seed)
    for name, tensor in net.state_dict().items():
        if "running_var" in name:
            tensor.copy_(0.5 + torch.rand(tensor.shape, generator=generator))
        elif name.startswith(("spectrogram_extractor", "logmel_extractor")) or not tensor.is_floating_point():
            continue
        elif tensor.ndim > 1:
            tensor.copy_(torch.randn(tensor.shape, generator=generator) * (2 / tensor[0].numel()) ** 0.5)
        else:
            tensor.copy_(1 + 0.1 * torch.randn(tensor.shape, generator=generator))
    return net.eval().requires_grad_(requires_grad=False)


@pytest.fixture(scope="module")
def panns() -> types.ModuleType:
    """The nets of `panns_inference`, without its front door, which would go to the network for a list of labels."""
    folder = importlib.util.find_spec("panns_inference").submodule_search_locations[0]  # type: ignore[union-attr,index]
    package = types.ModuleType("panns_nets")
    package.__path__ = [folder]
    sys.modules["panns_nets"] = package
    spec = importlib.util.spec_from_file_location("panns_nets.models", Path(folder) / "models.py")
    module = importlib.util.module_from_spec(spec)  # type: ignore[arg-type]
    sys.modules["panns_nets.models"] = module
    spec.loader.exec_module(module)  # type: ignore[union-attr]
    return module


class TestCnn14:
    @pytest.mark.slow
    def test_is_the_published_net(self, panns: types.ModuleType, tmp_path: Path) -> None:
        """At full size, by way of a file as its authors saved it."""
        peer = randomise(panns.Cnn14(16_000, 512, 160, 64, 50, 8_000, 527))
        torch.save({"iteration": 1, "model": peer.state_dict()}, tmp_path / PANNS.files[0])
        waveform = torch.from_numpy(clip())[None]

        embedding, logits = load_cnn14(tmp_path)(waveform)
        expected = peer(waveform)

        assert embedding.shape == (1, 2048)
        torch.testing.assert_close(embedding, expected["embedding"], rtol=1e-3, atol=1e-3)
        torch.testing.assert_close(logits.sigmoid(), expected["clipwise_output"], rtol=1e-3, atol=1e-3)

    def test_has_the_published_names_and_shapes(self, panns: types.ModuleType) -> None:
        with torch.device("meta"):
            peer = panns.ConvBlock(1, 64).state_dict()
        ours = Cnn14(NARROW_CNN).state_dict()

        assert {name.removeprefix("conv_block1.") for name in ours if name.startswith("conv_block1.")} == set(peer)
        assert {name.split(".")[0] for name in ours} == {
            "logmel_extractor", "bn0", *(f"conv_block{n}" for n in range(1, 7)), "fc1", "fc_audioset",
        }  # fmt: skip

    def test_front_end_is_torchlibrosas(self) -> None:
        spectrogram = Spectrogram(n_fft=512, hop_length=160)
        mel = LogmelFilterBank(sr=16_000, n_fft=512, n_mels=64, fmin=50, fmax=8_000, ref=1.0, amin=1e-10, top_db=None)
        waveform, net = torch.from_numpy(clip("rain"))[None], Cnn14(NARROW_CNN)

        ours, expected = net.logmel_extractor(waveform), mel(spectrogram(waveform))

        assert ours.shape == expected.shape
        torch.testing.assert_close(ours, expected, rtol=0, atol=2e-2)  # dB; quiet bins differ by rounding
        torch.testing.assert_close(net.logmel_extractor.melW, mel.melW.data, rtol=1e-4, atol=1e-7)

    def test_short_clips_are_filled_up_to_two_seconds(self) -> None:
        net = randomise(Cnn14(NARROW_CNN))
        short = torch.from_numpy(clip(seconds=0.5))[None]
        padded = torch.nn.functional.pad(short, (0, 32_000 - short.shape[1]))

        torch.testing.assert_close(net(short)[0], net(padded)[0])


class TestVggish:
    @pytest.mark.slow
    def test_is_the_published_net(self, tmp_path: Path) -> None:
        peer = randomise(torchvggish.VGG(torchvggish.make_layers(), postprocess=False))
        torch.save(peer.state_dict(), tmp_path / VGGISH.files[0], _use_new_zipfile_serialization=False)
        waveform = clip(seconds=3.0)

        ours = load_vggish(tmp_path)(examples_of(torch.from_numpy(waveform)))
        theirs = peer(vggish_input.waveform_to_examples(waveform, 16_000).detach())

        assert ours.shape == (3, 128)
        torch.testing.assert_close(torch.relu(ours), theirs, rtol=1e-3, atol=1e-4)

    def test_examples_are_the_published_ones(self) -> None:
        waveform = clip("siren", 2.2)

        ours = examples_of(torch.from_numpy(waveform))
        expected = vggish_input.waveform_to_examples(waveform, 16_000).detach()

        assert ours.shape == (2, 1, 96, 64)
        torch.testing.assert_close(ours, expected, rtol=1e-4, atol=1e-4)

    @pytest.mark.parametrize(
        ("samples", "count"), [(MINIMUM_SAMPLES, 1), (2 * 96 * 160 + 239, 1), (2 * 96 * 160 + 240, 2)]
    )
    def test_what_does_not_fill_an_example_is_left_out(self, samples: int, count: int) -> None:
        assert len(examples_of(torch.zeros(samples))) == count

    def test_less_than_one_example_is_refused(self) -> None:
        with pytest.raises(ValueError, match="15599 samples; expected at least 15600"):
            examples_of(torch.zeros(MINIMUM_SAMPLES - 1))

    def test_released_form_is_the_published_postprocessing(self) -> None:
        net = randomise(Vggish(NARROW_VGG))
        net.pca_eigen_vectors.copy_(torch.linalg.qr(torch.randn(6, 6, generator=torch.Generator().manual_seed(1)))[0])
        net.pca_means.fill_(0.3)
        peer = torchvggish.Postprocessor.__new__(torchvggish.Postprocessor)  # its constructor downloads
        peer._pca_matrix, peer._pca_means = net.pca_eigen_vectors, net.pca_means[:, None]
        examples = examples_of(torch.from_numpy(clip(seconds=3.0)))

        released = net.released(examples)

        assert released.min() >= 0
        assert released.max() <= 255
        torch.testing.assert_close(released, peer.postprocess(torch.relu(net(examples))))


class TestWeights:
    def write(self, folder: Path, file: str, net: torch.nn.Module) -> Path:
        torch.save({"model": net.state_dict()}, folder / file)
        return folder

    def test_a_missing_file_says_what_to_do(self, tmp_path: Path) -> None:
        with pytest.raises(ExtractorMissingError, match=r"the weights of panns are not at .*Cnn14_16k") as caught:
            load_cnn14(tmp_path)

        assert "retake models pull panns" in caught.value.hint
        assert "--weights FOLDER" in caught.value.hint

    def test_the_models_folder_is_where_they_are_looked_for(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("RETAKE_MODELS", str(tmp_path))

        with pytest.raises(ExtractorMissingError, match=r"listeners.*vggish-10086976"):
            load_vggish()

    def test_a_converted_file_is_taken_too(self, tmp_path: Path) -> None:
        net = randomise(Cnn14(NARROW_CNN))
        save_file(net.state_dict(), tmp_path / "Cnn14_16k_mAP=0.438.safetensors")

        assert torch.equal(load_cnn14(tmp_path, NARROW_CNN).fc1.weight, net.fc1.weight)

    def test_numpy_notes_of_the_training_are_passed_over(self, tmp_path: Path) -> None:
        """As in the published file, whose sampler kept NumPy arrays."""
        net = randomise(Cnn14(NARROW_CNN))
        notes = {"iteration": 3, "model": net.state_dict(), "sampler": {"indexes": np.arange(4), "pointer": 2}}
        torch.save(notes, tmp_path / PANNS.files[0])

        assert torch.equal(load_cnn14(tmp_path, NARROW_CNN).bn0.running_var, net.bn0.running_var)

    def test_weights_of_another_shape_are_refused(self, tmp_path: Path) -> None:
        self.write(tmp_path, PANNS.files[0], Cnn14(NARROW_CNN))

        with pytest.raises(ExtractorBrokenError, match="size mismatch"):
            load_cnn14(tmp_path, Cnn14Config(channels=(4, 4, 8, 8, 8, 8), num_classes=7))

    def test_weights_that_are_not_numbers_are_refused(self, tmp_path: Path) -> None:
        net = Cnn14(NARROW_CNN).requires_grad_(requires_grad=False)
        net.fc1.bias[0] = torch.nan
        self.write(tmp_path, PANNS.files[0], net)

        with pytest.raises(ExtractorBrokenError, match="weights that are not numbers"):
            load_cnn14(tmp_path, NARROW_CNN)

    def test_a_file_that_would_run_code_is_refused(self, tmp_path: Path) -> None:
        torch.save({"model": Evil()}, tmp_path / PANNS.files[0])

        with pytest.raises(ExtractorBrokenError, match=r"reading it would run .*system"):
            load_cnn14(tmp_path, NARROW_CNN)

    def test_no_weights_at_all(self, tmp_path: Path) -> None:
        (tmp_path / VGGISH.files[0]).write_text("<html>", encoding="utf-8")

        with pytest.raises(ExtractorBrokenError, match="could not be used"):
            load_vggish(tmp_path)

    @pytest.mark.parametrize("kind", ["NumPy", "torch"])
    @pytest.mark.parametrize("zipped", [True, False], ids=["zipped", "as torch 1.4 wrote it"])
    def test_the_released_form_brings_its_pca(self, tmp_path: Path, kind: str, zipped: bool) -> None:
        self.write(tmp_path, VGGISH.files[0], randomise(Vggish(NARROW_VGG)))
        pca = {"pca_eigen_vectors": 2 * np.eye(6), "pca_means": np.full((6, 1), 0.5)}
        values = pca if kind == "NumPy" else {name: torch.from_numpy(array) for name, array in pca.items()}
        torch.save(values, tmp_path / VGGISH.files[1], _use_new_zipfile_serialization=zipped)

        net = load_vggish(tmp_path, NARROW_VGG, released=True)

        assert torch.equal(net.pca_eigen_vectors, 2 * torch.eye(6))
        assert torch.equal(net.pca_means, torch.full((6,), 0.5))

    def test_a_pca_of_another_width_is_refused(self, tmp_path: Path) -> None:
        self.write(tmp_path, VGGISH.files[0], randomise(Vggish(NARROW_VGG)))
        torch.save({"pca_eigen_vectors": torch.eye(5), "pca_means": torch.zeros(5)}, tmp_path / VGGISH.files[1])

        with pytest.raises(ExtractorBrokenError, match="no pca_eigen_vectors of 36 numbers"):
            load_vggish(tmp_path, NARROW_VGG, released=True)


class Evil:
    def __reduce__(self) -> tuple[object, ...]:
        import os

        return os.system, ("true",)


class TestListening:
    def clips(self, *seconds: float) -> dict[str, Audio]:
        return {f"{index}.wav": Audio(clip(seconds=length)[None], 16_000) for index, length in enumerate(seconds)}

    def test_vggish_gives_a_row_for_each_second_and_no_classes(self) -> None:
        heard = extract_features(VggishExtractor(randomise(Vggish(NARROW_VGG))), Path("made"), self.clips(2.0, 3.0))

        assert heard.features.shape == (5, 6)
        assert [len(rows) for rows in heard.rows] == [2, 3]
        assert heard.logits is None

    def test_panns_gives_a_row_a_clip_whatever_its_constant_part(self) -> None:
        extractor = PannsExtractor(randomise(Cnn14(NARROW_CNN)))
        plain, shifted = self.clips(2.5), {"0.wav": Audio(clip()[None] + 0.1, 16_000)}

        heard, again = (
            extract_features(extractor, Path("made"), plain),
            extract_features(extractor, Path("made"), shifted),
        )

        assert heard.features.shape == (1, 16)
        assert heard.logits.shape == (1, 7)
        np.testing.assert_allclose(heard.features, again.features, rtol=1e-2, atol=1e-3)

    def test_our_judge_needs_nothing_from_anywhere(self) -> None:
        heard = extract_features(ClassifierExtractor(load_classifier()), Path("made"), self.clips(1.0, 2.0))

        assert heard.features.shape == (2, 64)
        assert heard.logits.shape[0] == 2

    def test_as_published_only_the_first_channel_is_heard_without_its_mean(self) -> None:
        left, right = clip("dog"), clip("rain")

        heard = as_published(Audio(np.stack([left + 0.1, right]), 16_000))

        np.testing.assert_allclose(heard, left - left.mean(), atol=1e-6)

    def test_as_published_short_clips_are_two_seconds_for_vggish_too(self) -> None:
        """Of 1.25 s one example would be heard; audioldm_eval hears two, the second with silence."""
        extractor = VggishExtractor(randomise(Vggish(NARROW_VGG)))
        padded = np.pad(clip(seconds=1.25), (0, 12_000))
        padded[:20_000] -= clip(seconds=1.25).mean()

        heard = extract_features(extractor, Path("made"), self.clips(1.25, 0.5), as_published)

        assert [len(rows) for rows in heard.rows] == [2, 2]
        np.testing.assert_allclose(heard.rows[0], extractor.extract(padded)[0], rtol=1e-4, atol=1e-5)

    def test_as_published_other_rates_come_by_the_short_sinc(self) -> None:
        at_48_khz = render("dog", 5, 2.5, 48_000).waveform

        heard = as_published(Audio(at_48_khz[None], 48_000))

        expected = resample_by_sinc(torch.from_numpy(at_48_khz - at_48_khz.mean())[None], 48_000, 16_000)[0]
        np.testing.assert_allclose(heard, expected, atol=1e-6)

    def test_a_clip_that_is_too_short_is_named(self) -> None:
        with pytest.raises(ClipUnusableError, match=r"made.1\.wav: .*0\.5"):
            extract_features(VggishExtractor(Vggish(NARROW_VGG)), Path("made"), self.clips(2.0, 0.5))

    def test_nan_from_a_net_names_the_file(self) -> None:
        net = randomise(Cnn14(NARROW_CNN))
        net.fc_audioset.bias[2] = torch.nan

        with pytest.raises(NotFiniteError, match=r"what panns made of made.0\.wav holds 1 values"):
            extract_features(PannsExtractor(net), Path("made"), self.clips(2.0))
