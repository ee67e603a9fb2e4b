"""Imported checkpoints compute what diffusers', transformers' and laion-clap's own modules compute."""

from collections.abc import Mapping
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn
from transformers import ClapAudioConfig, ClapModel, ClapTextConfig
from transformers.models.clap.configuration_clap import ClapConfig as TransformersClapConfig

from engine.audioldm import AudioLDM
from engine.checkpoints.assemble import assemble
from engine.checkpoints.convert import import_checkpoint
from engine.checkpoints.foreign import Foreign, read_foreign
from engine.checkpoints.store import load_model
from engine.errors import AudioTowerMissingError
from engine.models.clap import LaionClap
from engine.models.clap_sizes import AUDIO_TOWERS, TEXT_TOWERS
from engine.models.clap_transformers import DecibelMel
from tests.engine.foreign_checkpoints import (
    SCALE,
    Modules,
    diffusers_modules,
    laion_clap,
    original_checkpoint,
    write_diffusers_folder,
)

WORDS = ["rain on a tin roof", ""]
CLOSE = 1e-5


@torch.inference_mode()
def check_nets(model: AudioLDM, theirs: Modules, relative_error, rows: int = 16) -> None:
    """UNet, VAE both ways, and vocoder."""
    generator = torch.Generator().manual_seed(3)
    latent = torch.randn(2, 8, rows, 16, generator=generator)
    log_mel = -5 + 3 * torch.randn(2, 1, 4 * rows, 64, generator=generator)
    condition = torch.randn(2, model.clap.embedding_dim, generator=generator)
    t = torch.tensor([7, 901])
    expected = theirs.unet(latent, t, encoder_hidden_states=None, class_labels=condition).sample
    assert relative_error(model.unet(latent, t, condition), expected) <= CLOSE
    posterior, their_posterior = model.vae.encode(log_mel), theirs.vae.encode(log_mel).latent_dist
    assert relative_error(posterior.mean, their_posterior.mean) <= CLOSE
    assert relative_error(posterior.logvar, their_posterior.logvar) <= CLOSE
    raw = latent / SCALE
    assert relative_error(model.decode(latent), theirs.vae.decode(raw).sample) <= CLOSE
    waveform = theirs.vocoder(log_mel[:, 0])[:, : 640 * rows]
    assert relative_error(model.vocode(log_mel), waveform) <= CLOSE


@torch.inference_mode()
def check_diffusers_words(model: AudioLDM, theirs: Modules, relative_error) -> None:
    assert isinstance(model.clap, LaionClap)
    assert model.clap.tokenizer is not None
    ids, mask = model.clap.tokenizer.encode(WORDS)
    expected = nn.functional.normalize(theirs.text_encoder(input_ids=ids, attention_mask=mask).text_embeds, dim=-1)
    assert relative_error(model.embed_text(WORDS), expected) <= CLOSE


@torch.inference_mode()
def check_laion_towers(model: AudioLDM, theirs: nn.Module, relative_error) -> None:
    assert isinstance(model.clap, LaionClap)
    assert model.clap.tokenizer is not None
    ids, mask = model.clap.tokenizer.encode(WORDS)
    read = theirs.text_projection(theirs.text_branch(input_ids=ids, attention_mask=mask).pooler_output)
    assert relative_error(model.embed_text(WORDS), nn.functional.normalize(read, dim=-1)) <= CLOSE
    check_laion_ear(model, theirs, relative_error)


@torch.inference_mode()
def check_laion_ear(model: AudioLDM, theirs: nn.Module, relative_error) -> None:
    waveform = 0.3 * torch.randn(1, 480000, generator=torch.Generator().manual_seed(4))
    heard = theirs.audio_projection(theirs.audio_branch({"waveform": waveform}, device="cpu")["embedding"])
    ours = model.clap.embed_audio(waveform, 48000)
    assert relative_error(ours, nn.functional.normalize(heard, dim=-1)) <= CLOSE


@pytest.fixture(scope="module")
def from_folder(diffusers_folder, tmp_path_factory) -> AudioLDM:
    """The model imported from a diffusers folder, once for all who only look at it."""
    return load_model(import_checkpoint(diffusers_folder, models_dir=tmp_path_factory.mktemp("from folder")))


@pytest.fixture(scope="module")
def published(modules, clap, tmp_path_factory) -> Path:
    """The original file as it was published."""
    file = tmp_path_factory.mktemp("published") / "audioldm-s-full-v2.ckpt"
    torch.save({"state_dict": original_checkpoint(modules, clap)}, file)
    return file


@pytest.fixture(scope="module")
def expected(published) -> dict[str, Tensor]:
    """Our tensors of the published file."""
    return {name: tensor.clone() for name, tensor in assemble(read_foreign(published)).items()}


def check_tensors(path: Path, expected: Mapping[str, Tensor], clap: Path | None = None) -> Foreign:
    """What is read there are the same tensors; where weight norm is folded, up to rounding."""
    foreign = read_foreign(path, clap)
    made = assemble(foreign)
    assert made.keys() == expected.keys()
    for name, tensor in made.items():
        torch.testing.assert_close(
            tensor, expected[name], rtol=1e-6, atol=1e-7, msg=lambda text, n=name: f"{n}: {text}"
        )
    return foreign


class TestDiffusersFolder:
    def test_every_net_agrees(self, from_folder, modules, relative_error):
        check_nets(from_folder, modules, relative_error)
        check_diffusers_words(from_folder, modules, relative_error)

    def test_pickles_with_old_names_hold_the_same_tensors(self, diffusers_folder, modules, tmp_path):
        folder = write_diffusers_folder(modules, tmp_path / "audioldm-s-full-v2", pickled=True)
        check_tensors(folder, assemble(read_foreign(diffusers_folder)))

    def test_diffusers_number_of_heads_on_demand(self, scramble, tmp_path, relative_error):
        """Eight everywhere is what diffusers computes with; the originals, and so our default, is another net."""
        theirs = diffusers_modules(scramble, heads=8)
        folder = write_diffusers_folder(theirs, tmp_path / "folder")
        eight = load_model(import_checkpoint(folder, "eight", tmp_path / "models", heads="diffusers"))
        assert eight.config.unet.num_heads == 8
        check_nets(eight, theirs, relative_error)
        usual = load_model(import_checkpoint(folder, "usual", tmp_path / "models"))
        with pytest.raises(AssertionError):
            check_nets(usual, theirs, relative_error)

    def test_without_audio_tower_it_reads_but_does_not_hear(self, from_folder):
        assert not from_folder.clap.has_audio_tower
        with pytest.raises(AudioTowerMissingError, match="cannot hear"):
            from_folder.embed_audio(torch.zeros(1, 16000))

    def test_laion_clap_file_lends_it_an_ear(self, diffusers_folder, modules, clap, tmp_path, relative_error):
        file, parallel = tmp_path / "clap.pt", tmp_path / "parallel.pt"
        torch.save({"epoch": 15, "state_dict": clap.state_dict()}, file)
        torch.save({"epoch": 15, "state_dict": {f"module.{k}": v for k, v in clap.state_dict().items()}}, parallel)
        model = load_model(import_checkpoint(diffusers_folder, models_dir=tmp_path / "models", clap=file))
        check_diffusers_words(model, modules, relative_error)
        check_laion_ear(model, clap, relative_error)
        assert "differ" in model.config.source  # the two text towers are strangers here
        check_tensors(diffusers_folder, assemble(read_foreign(diffusers_folder, file)), clap=parallel)

    @torch.inference_mode()
    def test_transformers_clap_lends_it_an_ear(self, diffusers_folder, scramble, tmp_path, relative_error):
        text, audio = TEXT_TOWERS["roberta-test"], AUDIO_TOWERS["HTSAT-test"]
        text_config = ClapTextConfig(
            vocab_size=text.vocabulary_size, num_hidden_layers=1, intermediate_size=text.feed_forward, projection_dim=64
        )
        audio_config = ClapAudioConfig(
            patch_embeds_hidden_size=audio.dim, hidden_size=audio.width, depths=list(audio.depths),
            num_attention_heads=list(audio.num_heads), projection_dim=64,
        )  # fmt: skip
        config = TransformersClapConfig(
            text_config=text_config.to_dict(), audio_config=audio_config.to_dict(), projection_dim=64
        )
        theirs = scramble(ClapModel(config), 5)
        theirs.save_pretrained(tmp_path / "clap")
        folder = import_checkpoint(diffusers_folder, models_dir=tmp_path / "models", clap=tmp_path / "clap")
        model = load_model(folder)
        waveform = 0.3 * torch.randn(1, 480000, generator=torch.Generator().manual_seed(4))
        decibels = DecibelMel(48000)(waveform)
        pooled = theirs.audio_model(input_features=decibels).pooler_output
        expected = nn.functional.normalize(theirs.audio_projection(pooled), dim=-1)
        assert relative_error(model.clap.embed_audio(waveform, 48000), expected) <= CLOSE


class TestOriginalFile:
    def test_every_net_agrees(self, published, modules, clap, words_folder, tmp_path, relative_error):
        model = load_model(import_checkpoint(published, models_dir=tmp_path / "models", tokenizer=words_folder))
        check_nets(model, modules, relative_error)
        check_laion_towers(model, clap, relative_error)
        assert "raw weights" not in model.config.source

    @pytest.mark.parametrize(
        "shape",
        [{"averaged": False}, {"weight_norm": True}, {"stage": "cond_stage_models.0"}],
        ids=["without moving average", "with weight norm", "as the training code saves it"],
    )
    def test_other_forms_hold_the_same_tensors(self, modules, clap, expected, tmp_path, shape):
        file = tmp_path / "audioldm-s-full-v2.ckpt"
        torch.save({"state_dict": original_checkpoint(modules, clap, **shape)}, file)
        foreign = check_tensors(file, expected)
        assert ("raw weights" in " ".join(foreign.remarks)) == ("averaged" in shape)

    def test_bare_state_dict(self, modules, clap, expected, tmp_path):
        torch.save(original_checkpoint(modules, clap), tmp_path / "mine.pt")
        check_tensors(tmp_path / "mine.pt", expected)

    def test_moving_average_alone_is_enough(self, modules, clap, expected, tmp_path):
        """Files are also passed on without the raw weights, which are of no use for sampling."""
        tensors = original_checkpoint(modules, clap)
        pruned = {name: tensor for name, tensor in tensors.items() if not name.startswith("model.diffusion_model.")}
        torch.save({"state_dict": pruned}, tmp_path / "pruned.ckpt")
        check_tensors(tmp_path / "pruned.ckpt", expected)

    def test_half_precision_stays_as_it_is(self, modules, clap, words_folder, tmp_path):
        """Nothing is lost, and nothing is blown up either."""
        tensors = original_checkpoint(modules, clap)
        file = tmp_path / "half.ckpt"
        torch.save({k: v.half() if v.is_floating_point() else v for k, v in tensors.items()}, file)
        folder = import_checkpoint(file, models_dir=tmp_path / "models", tokenizer=words_folder)
        weights = load_model(folder).unet.state_dict()
        assert torch.equal(weights["time1.weight"], modules.unet.time_embedding.linear_1.weight.half().float())
        assert (folder / "model.safetensors").stat().st_size < 0.51 * sum(
            4 * tensor.numel() for tensor in load_model(folder).state_dict().values()
        )


@pytest.mark.slow
class TestFullSize:
    @pytest.mark.parametrize("form", ["original file", "diffusers folder"])
    def test_audioldm_s_agrees(self, form, scramble, tmp_path, relative_error, words_folder):
        theirs = diffusers_modules(
            scramble, base=128, heads=(4, 8, 12, 20), vae=128, vocoder=1024, embedding=512,
            text="roberta-base" if form == "diffusers folder" else "roberta-test",
        )  # fmt: skip
        source = tmp_path / "audioldm-s-full"
        if form == "original file":
            clap = laion_clap(scramble, "HTSAT-tiny", "roberta-base", 512)
            torch.save({"state_dict": original_checkpoint(theirs, clap)}, source)
        else:
            write_diffusers_folder(theirs, source)
        folder = import_checkpoint(source, models_dir=tmp_path / "models", tokenizer=words_folder)
        model = load_model(folder)
        (folder / "model.safetensors").unlink()
        check_nets(model, theirs, relative_error, rows=8)
        if form == "original file":
            source.unlink()
            check_laion_towers(model, clap, relative_error)
        else:
            check_diffusers_words(model, theirs, relative_error)
