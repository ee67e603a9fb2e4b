"""LAION's CLAP through both of its libraries: agreement, names on disk, sizes, windows, tokenizer, no leaks."""

import json
import subprocess
import sys

import pytest
import torch
from torch import nn
from transformers import ClapFeatureExtractor, RobertaTokenizer

from engine.errors import ModelBrokenError
from engine.models.clap import ClapConfig, LaionClap, fit_windows
from engine.models.clap_back_end import BackEnd, installed_back_end
from engine.models.clap_interface import Clap
from engine.models.clap_tokenizer import MAX_TOKENS
from engine.models.clap_tokenizer import RobertaTokenizer as OurTokenizer
from tests.engine.laion_module import needs_laion_clap, whole_laion_clap
from tests.engine.twins import transformers_clap

SMALL = ClapConfig(audio_tower="HTSAT-test", text_tower="roberta-test", embedding_dim=64)
WORDS = ["rain on a tin roof", "a dog barks twice", ""]


def sound(seconds: float, sample_rate: int = 48000, seed: int = 0, batch: int = 1) -> torch.Tensor:
    """A noisy glide [B, T]."""
    generator = torch.Generator().manual_seed(seed)
    time = torch.arange(int(seconds * sample_rate)) / sample_rate
    noise = 0.1 * torch.randn(batch, len(time), generator=generator)
    return noise + 0.4 * torch.sin(2 * torch.pi * (300 + 200 * time) * time)


@pytest.fixture(scope="module", params=[pytest.param("laion-clap", marks=needs_laion_clap), "transformers"])
def clap(scramble, request) -> LaionClap:
    """The small CLAP, once with each library behind it."""
    return scramble(LaionClap(SMALL, OurTokenizer.bytes_only(), request.param), seed=1)


def twin(clap: LaionClap, back_end: BackEnd) -> LaionClap:
    """The same weights, computed by another library."""
    other = LaionClap(clap.config, clap.tokenizer, back_end)
    other.load_state_dict(clap.state_dict())
    return other


# --- the two libraries -----------------------------------------------------------------------------------------------

CLIPS = {
    "ten seconds": (10.0, 48000, 1.0),
    "short, repeated": (3.0, 48000, 1.0),
    "long, at another rate": (26.0, 16000, 1.0),
    "soft": (5.0, 48000, 1e-4),
    "silent": (10.0, 48000, 0.0),
}


@pytest.fixture(
    scope="module",
    params=["HTSAT-test", *(pytest.param(name, marks=pytest.mark.slow) for name in ("HTSAT-tiny", "HTSAT-base"))],
)
def pair(scramble, request) -> tuple[LaionClap, LaionClap]:
    """The same weights, computed by laion-clap and by transformers."""
    config = ClapConfig(audio_tower=request.param, text_tower="roberta-test", embedding_dim=64)
    laions = scramble(LaionClap(config, OurTokenizer.bytes_only(), "laion-clap"), seed=1)
    return laions, twin(laions, "transformers")


@needs_laion_clap
class TestBothLibraries:
    @torch.inference_mode()
    @pytest.mark.parametrize("clip", CLIPS)
    def test_they_hear_the_same(self, pair, relative_error, clip):
        seconds, rate, gain = CLIPS[clip]
        waveform = gain * sound(seconds, rate, batch=2)
        laions, transformers_ = (clap.embed_audio(waveform, rate) for clap in pair)
        assert relative_error(transformers_, laions) <= 4e-7

    @torch.inference_mode()
    def test_they_read_the_same(self, pair, relative_error):
        laions, transformers_ = (clap.embed_text(WORDS) for clap in pair)
        assert relative_error(transformers_, laions) <= 1e-6

    def test_they_keep_the_same_tensors_under_the_same_names(self, pair):
        """So a model folder that one has written is the other's, too; this goes there and back."""
        laions, transformers_ = (clap.state_dict() for clap in pair)
        assert sorted(laions) == sorted(transformers_)
        assert all(torch.equal(transformers_[name], tensor) for name, tensor in laions.items())
        assert twin(pair[1], "laion-clap").state_dict().keys() == laions.keys()

    def test_a_missing_tensor_is_missed_and_a_strange_one_refused(self, pair):
        for clap in pair:
            state = clap.state_dict()
            state["audio_branch.stranger.weight"] = state.pop("audio_branch.layers.0.blocks.0.attn.qkv.weight")
            with pytest.raises(RuntimeError, match=r"Missing key.*\n.*Unexpected key.*audio_branch\.stranger"):
                clap.load_state_dict(state)


# --- agreement with an independent implementation --------------------------------------------------------------------


def front_end(clap: LaionClap) -> nn.Module:
    """Waveform -> decibels, as the CLAP's own library computes them."""
    if clap.back_end == "transformers":
        return clap.audio_branch.front_end
    return nn.Sequential(clap.audio_branch.spectrogram_extractor, clap.audio_branch.logmel_extractor)


@torch.inference_mode()
def text_of_both(clap: LaionClap) -> tuple[torch.Tensor, torch.Tensor]:
    theirs = transformers_clap(clap)
    ids, mask = clap.tokenizer.encode(WORDS)
    pooled = theirs.text_model(input_ids=ids, attention_mask=mask).pooler_output
    expected = nn.functional.normalize(theirs.text_projection(pooled), dim=-1)
    return clap.embed_text(WORDS), expected


@torch.inference_mode()
def audio_of_both(clap: LaionClap) -> tuple[torch.Tensor, torch.Tensor]:
    theirs = transformers_clap(clap)
    waveform = sound(10.0, batch=2)
    decibels = front_end(clap)(waveform)
    pooled = theirs.audio_model(input_features=decibels).pooler_output
    expected = nn.functional.normalize(theirs.audio_projection(pooled), dim=-1)
    return clap.embed_audio(waveform, 48000), expected


class TestAgreementWithTransformers:
    def test_text(self, clap, relative_error):
        assert relative_error(*text_of_both(clap)) <= 1e-5

    @torch.inference_mode()
    def test_text_padded_to_the_full_length_as_the_reference_pads_it(self, clap, relative_error):
        """Padding is masked, so ours, which stops at the longest prompt, gives the same."""
        theirs = transformers_clap(clap)
        ids, mask = clap.tokenizer.encode(WORDS)
        missing = MAX_TOKENS - ids.shape[1]
        ids, mask = nn.functional.pad(ids, (0, missing), value=1), nn.functional.pad(mask, (0, missing))
        pooled = theirs.text_model(input_ids=ids, attention_mask=mask).pooler_output
        expected = nn.functional.normalize(theirs.text_projection(pooled), dim=-1)
        assert relative_error(clap.embed_text(WORDS), expected) <= 1e-5

    def test_audio(self, clap, relative_error):
        assert relative_error(*audio_of_both(clap)) <= 1e-5

    def test_front_end(self, clap):
        """The decibels of laion-clap's front end are those of ClapFeatureExtractor as it should be set."""
        extractor = ClapFeatureExtractor(frequency_min=50, padding="repeatpad", truncation="rand_trunc")
        waveform = sound(3.0)
        expected = extractor(waveform[0].numpy(), sampling_rate=48000, return_tensors="pt")["input_features"]
        window = fit_windows(waveform, 480000)[:, 0]
        ours = front_end(clap)(window)
        assert ours.shape == expected.shape == (1, 1, 1001, 64)
        assert (ours - expected).abs().max() < 1e-3  # dB

    @pytest.mark.slow
    @pytest.mark.parametrize("audio_tower", ["HTSAT-tiny", "HTSAT-base"])
    def test_at_the_published_sizes(self, audio_tower, scramble, relative_error):
        clap = scramble(LaionClap(ClapConfig(audio_tower=audio_tower), OurTokenizer.bytes_only()), seed=2)
        assert relative_error(*text_of_both(clap)) <= 1e-5
        assert relative_error(*audio_of_both(clap)) <= 1e-5


# --- what is in it ---------------------------------------------------------------------------------------------------


class TestSize:
    @pytest.mark.parametrize(
        ("audio_tower", "millions"), [("HTSAT-tiny", 158.3), ("HTSAT-base", 199.6)], ids=["tiny", "base"]
    )
    def test_whole_laion_clap_has_the_published_size(self, audio_tower, millions):
        with torch.device("meta"):
            whole = whole_laion_clap("roberta-base", audio_tower, 512)
        assert sum(p.numel() for p in whole.parameters()) / 1e6 == pytest.approx(millions, abs=0.06)

    def test_only_what_nobody_asks_for_is_left_out(self):
        """A foreign file has our keys and, beyond them, these only."""
        whole = set(whole_laion_clap("roberta-test", "HTSAT-test", 64).state_dict())
        ours = set(LaionClap(SMALL).state_dict())
        assert ours < whole
        left_out = {key.rsplit(".", 1)[0].split(".sequential")[0] for key in whole - ours}
        assert left_out == {
            "text_transform",
            "audio_transform",
            "logit_scale_a",
            "logit_scale_t",
            "audio_branch.spectrogram_extractor.stft.conv_real",
            "audio_branch.spectrogram_extractor.stft.conv_imag",
            "audio_branch.logmel_extractor",
        }

    def test_unknown_tower_is_named(self):
        with pytest.raises(ModelBrokenError, match="'HTSAT-huge'; expected HTSAT-tiny, HTSAT-base"):
            ClapConfig(audio_tower="HTSAT-huge")


# --- what it promises ------------------------------------------------------------------------------------------------


class TestEmbedding:
    def test_it_is_a_clap_like_any_other(self, clap):
        assert isinstance(clap, Clap)
        assert clap.knows("anything at all")

    def test_text_vectors_have_unit_length(self, clap):
        embedding = clap.embed_text(WORDS)
        assert embedding.shape == (3, clap.embedding_dim)
        assert torch.allclose(embedding.norm(dim=-1), torch.ones(3), atol=1e-6)

    @pytest.mark.parametrize("seconds", [0.05, 3.0, 10.24, 26.0])
    def test_audio_vectors_have_unit_length_at_any_duration(self, clap, seconds):
        embedding = clap.embed_audio(sound(seconds, 16000, batch=2), 16000)
        assert embedding.shape == (2, clap.embedding_dim)
        assert torch.allclose(embedding.norm(dim=-1), torch.ones(2), atol=1e-6)

    def test_a_prompt_has_the_same_vector_alone_and_in_a_batch(self, clap):
        """Padding is masked, so a longer neighbour changes nothing."""
        together = clap.embed_text(["rain", "a very long description of wind in the trees"])[0]
        assert torch.allclose(clap.embed_text(["rain"])[0], together, atol=1e-6)

    def test_a_clip_has_the_same_vector_every_time_and_in_training_mode(self, clap):
        waveform = sound(12.0, 16000)
        first = clap.embed_audio(waveform, 16000)
        nn.Sequential(clap).train()
        assert torch.equal(clap.embed_audio(waveform, 16000), first)

    def test_different_sounds_and_prompts_differ(self, clap):
        assert not torch.allclose(clap.embed_audio(sound(2.0), 48000), clap.embed_audio(sound(2.0, seed=5), 48000))
        assert not torch.allclose(*clap.embed_text(["rain", "dog"]))

    def test_the_rate_of_the_clip_hardly_matters(self, clap):
        """One glide below 5 kHz, at 16 and at 48 kHz, means the same."""
        time = torch.arange(10 * 48000) / 48000
        glide = 0.5 * torch.sin(2 * torch.pi * (300 + 200 * time) * time)[None]
        fine, coarse = clap.embed_audio(glide, 48000), clap.embed_audio(glide[:, ::3], 16000)
        assert float((fine * coarse).sum()) > 0.99

    def test_half_precision_of_the_model_around_does_not_reach_it(self, clap):
        before = clap.embed_audio(sound(1.0), 48000)
        nn.Sequential(clap).half()
        assert torch.equal(clap.embed_audio(sound(1.0), 48000), before)

    def test_nothing_asks_for_gradients(self, clap):
        assert not any(p.requires_grad for p in clap.parameters())

    def test_without_tokenizer_a_prompt_is_refused(self):
        with pytest.raises(ModelBrokenError, match="no tokenizer files"):
            LaionClap(SMALL).embed_text(["rain"])


class TestWindows:
    def test_short_clip_is_repeated_whole_and_then_padded(self):
        windows = fit_windows(torch.arange(1.0, 4.0)[None], 8)
        assert windows.tolist() == [[[1, 2, 3, 1, 2, 3, 0, 0]]]

    def test_clip_of_the_window_s_length_is_left_alone(self):
        assert fit_windows(torch.arange(8.0)[None], 8).tolist() == [[list(range(8))]]

    def test_slightly_longer_clip_is_centred(self):
        assert fit_windows(torch.arange(10.0)[None], 8).tolist() == [[list(range(1, 9))]]

    def test_long_clip_is_heard_from_end_to_end(self):
        windows = fit_windows(torch.arange(27.0).expand(2, -1), 8)
        assert windows.shape == (2, 3, 8)
        assert windows[1, :, 0].tolist() == [0, 10, 19]


# --- tokenizer -------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def vocabulary_folder(tmp_path_factory):
    """A byte-level vocabulary with a handful of merges, in the two files that a diffusers folder has."""
    folder = tmp_path_factory.mktemp("tokenizer")
    ours = OurTokenizer.bytes_only()
    ours.write(folder)
    merges = ["r a", "i n", "ra in", "Ġ rain", "d o", "do g"]
    tokens = json.loads((folder / "tokenizer.json").read_text())["model"]["vocab"]
    (folder / "tokenizer.json").unlink()
    for merge in merges:
        tokens[merge.replace(" ", "")] = len(tokens)
    (folder / "vocab.json").write_text(json.dumps(tokens))
    (folder / "merges.txt").write_text("\n".join(["#version: 0.2", *merges]) + "\n")
    return folder


class TestTokenizer:
    @pytest.mark.parametrize("prompt", ["rain", "the rain, and  a dog", "", "Glocken – 鐘 🔔", "rain " * 700])
    def test_agrees_with_transformers(self, vocabulary_folder, prompt):
        theirs = RobertaTokenizer.from_pretrained(str(vocabulary_folder), local_files_only=True)
        expected = theirs([prompt, "dog"], padding=True, truncation=True, max_length=512, return_tensors="pt")
        ids, mask = OurTokenizer.read(vocabulary_folder).encode([prompt, "dog"])
        assert torch.equal(ids, expected["input_ids"])
        assert torch.equal(mask, expected["attention_mask"])

    def test_merges_make_words_into_single_tokens(self, vocabulary_folder):
        ids, _ = OurTokenizer.read(vocabulary_folder).encode(["rain rain dog"])
        assert ids.shape[1] == 2 + 1 + 1 + 2  # begin and end, "rain", " rain", " " and "dog"

    def test_the_empty_prompt_is_begin_and_end(self):
        ids, mask = OurTokenizer.bytes_only().encode([""])
        assert ids.tolist() == [[0, 2]]
        assert mask.tolist() == [[1, 1]]

    def test_a_long_prompt_is_cut(self):
        ids, _ = OurTokenizer.bytes_only().encode(["x" * 5000])
        assert ids.shape == (1, MAX_TOKENS)
        assert ids[0, -1] == 2

    def test_what_is_written_is_read_again(self, vocabulary_folder, tmp_path):
        OurTokenizer.read(vocabulary_folder).write(tmp_path)
        for folder in (vocabulary_folder, tmp_path):
            assert OurTokenizer.read(folder).encode(["rain"])[0].shape == (1, 3)

    def test_missing_files_are_named(self, tmp_path):
        with pytest.raises(ModelBrokenError, match="tokenizer files are missing or damaged"):
            OurTokenizer.read(tmp_path)

    def test_another_model_s_vocabulary_is_refused(self, tmp_path):
        (tmp_path / "vocab.json").write_text(json.dumps({"a": 0, "b": 1}))
        (tmp_path / "merges.txt").write_text("#version: 0.2\n")
        with pytest.raises(ModelBrokenError, match="the vocabulary has no </s>"):
            OurTokenizer.read(tmp_path)


# --- the narrow import -----------------------------------------------------------------------------------------------

LOOK_AROUND = """
import json, socket, sys
def refuse(*_): raise AssertionError("the network was asked")
socket.socket.connect = socket.getaddrinfo = refuse
import engine.models.clap as room
early = sorted({"transformers", "laion_clap", "librosa"} & set(sys.modules))
clap = room.LaionClap(room.ClapConfig("HTSAT-test", "roberta-test", 64), back_end=sys.argv[1])
print(json.dumps({
    "early": early,
    "laion-clap": "laion_clap" in sys.modules,
    "leaked": sorted({"torchvision", "wandb", "webdataset", "pandas", "sklearn", "laion_clap.hook"} & set(sys.modules)),
}))
"""


class TestNarrowImport:
    @pytest.mark.slow
    @pytest.mark.parametrize("library", [pytest.param("laion-clap", marks=needs_laion_clap), "transformers"])
    def test_a_fresh_process_imports_little_and_late_and_asks_no_network(self, library):
        command = [sys.executable, "-c", LOOK_AROUND, library]
        seen = json.loads(subprocess.run(command, capture_output=True, check=True, text=True).stdout)
        assert seen == {"early": [], "laion-clap": library == "laion-clap", "leaked": []}

    @pytest.mark.usefixtures("clap")
    def test_no_stand_in_stays_behind(self):
        """Whoever looks for torchvision afterwards meets the real one or none."""
        stand_in = sys.modules.get("torchvision.ops.misc")
        assert stand_in is None or hasattr(stand_in, "__file__")


WITHOUT = """
import sys
for name in sys.argv[1:]:
    sys.modules[name] = None  # as if it were not installed
from engine.models.clap import ClapConfig, LaionClap
clap = LaionClap(ClapConfig("HTSAT-test", "roberta-test", 64))
print(clap.back_end, type(clap.audio_branch).__module__)
"""


class TestChoice:
    @needs_laion_clap
    def test_laion_clap_is_taken_where_it_is_installed(self):
        assert installed_back_end() == "laion-clap"
        assert LaionClap(SMALL).back_end == "laion-clap"

    @pytest.mark.slow
    @pytest.mark.parametrize("missing", ["laion_clap", "librosa"])
    def test_without_it_or_what_it_needs_transformers_computes(self, missing):
        command = [sys.executable, "-c", WITHOUT, missing]
        said = subprocess.run(command, capture_output=True, check=True, text=True).stdout.split()
        assert said == ["transformers", "engine.models.clap_transformers"]
