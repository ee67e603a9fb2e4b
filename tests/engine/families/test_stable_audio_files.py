"""Stable Audio 3's files: diffusers' folder and the authors' own form, whole, in pieces, and damaged."""

import json
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from engine.checkpoints.catalogue import look_through
from engine.checkpoints.stable_audio import find_stable_audio, open_stable_audio, read_stable_audio_config
from engine.checkpoints.stable_audio_folders import holds_stable_audio
from engine.errors import ModelBrokenError
from tests.engine.families.tiny_stable_audio import TOKENS


@pytest.fixture(scope="module")
def folders(medium, small, tmp_path_factory):
    root = tmp_path_factory.mktemp("stable_audio")
    return {
        "diffusers": medium.write_folder(root / "diffusers"),
        "authors": medium.write_authors(root / "authors"),
        "small": small.write_authors(root / "small"),
    }


@pytest.fixture
def copied(folders, tmp_path):
    def copy(form):
        return Path(shutil.copytree(folders[form], tmp_path / form))

    return copy


def assert_same_weights(parts, nets):
    for opened, net in ((parts.dit, nets.dit), (parts.same, nets.same), (parts.duration, nets.duration)):
        wanted = net.state_dict()
        assert set(opened.state_dict()) == set(wanted)
        assert all(torch.equal(tensor, wanted[name]) for name, tensor in opened.state_dict().items())


def change(path, **values):
    path.write_text(json.dumps(json.loads(path.read_text()) | values))


def in_pieces(path, count):
    """Cut one file of weights into several with an index, as hubs hold large ones."""
    tensors = load_file(path)
    names = sorted(tensors)
    stem = path.name.removesuffix(".safetensors")
    weight_map = {}
    for piece in range(count):
        own = {name: tensors[name] for name in names[piece::count]}
        file = f"{stem}-{piece + 1:05}-of-{count:05}.safetensors"
        save_file(own, path.with_name(file))
        weight_map |= dict.fromkeys(own, file)
    path.with_name(f"{stem}.safetensors.index.json").write_text(json.dumps({"weight_map": weight_map}))
    path.unlink()


class TestForms:
    @pytest.mark.parametrize("form", ["diffusers", "authors"])
    def test_both_hold_the_same_model(self, folders, medium, form):
        assert holds_stable_audio(folders[form])

        parts = open_stable_audio(folders[form])

        assert_same_weights(parts, medium)
        assert parts.config.dit == medium.config.dit
        assert (parts.config.same.sliding_window, parts.config.same.samples_per_row) == (1, 16)

    def test_the_authors_small_models_say_how_their_autoencoder_attends(self, folders, small):
        parts = open_stable_audio(folders["small"])

        assert_same_weights(parts, small)
        assert replace(parts.config, name=small.config.name) == small.config

    def test_a_base_model_is_known_by_its_objective(self, copied):
        folder = copied("authors")
        values = json.loads((folder / "model_config.json").read_text())
        values["model"]["diffusion"]["diffusion_objective"] = "rectified_flow"
        (folder / "model_config.json").write_text(json.dumps(values))

        config = read_stable_audio_config(folder)

        assert (config.objective, config.default_guidance, config.default_steps) == ("flow", 7.0, 50)

    @pytest.mark.parametrize("form", ["diffusers", "authors"])
    def test_weights_in_several_files(self, copied, medium, form):
        folder = copied(form)
        file = "model.safetensors" if form == "authors" else "transformer/diffusion_pytorch_model.safetensors"
        in_pieces(folder / file, 3)

        assert_same_weights(open_stable_audio(folder), medium)

    def test_a_variant_in_half_precision(self, copied, medium):
        folder = copied("diffusers")
        whole = folder / "transformer/diffusion_pytorch_model.safetensors"
        save_file(
            {name: tensor.half() for name, tensor in load_file(whole).items()},
            whole.with_name("diffusion_pytorch_model.fp16.safetensors"),
        )
        whole.unlink()

        opened = open_stable_audio(folder).dit

        assert all(value.dtype == torch.float32 for value in opened.state_dict().values())
        torch.testing.assert_close(dict(opened.state_dict()), dict(medium.dit.state_dict()), atol=2e-3, rtol=2e-3)

    def test_they_are_listed_among_the_models_with_both_licences(self, folders):
        entries, passed_over = look_through(folders["small"].parent)

        listed = {entry.name: entry for entry in entries if not entry.shipped}
        assert set(listed) == {"diffusers", "authors", "small"}
        assert not [place for place in passed_over if place.folder.parent == folders["small"].parent]
        assert all("Stability" in entry.licence and "Gemma" in entry.licence for entry in listed.values())
        assert all(entry.size_bytes > 50_000 for entry in listed.values())
        assert find_stable_audio("small", folders["small"].parent) == folders["small"]

    def test_other_folders_are_none(self, tmp_path):
        (tmp_path / "model_index.json").write_text('{"_class_name": "AudioLDMPipeline"}')

        assert not holds_stable_audio(tmp_path)
        assert not holds_stable_audio(tmp_path / "nowhere")


def _lose_piece(folder):
    in_pieces(folder / "transformer/diffusion_pytorch_model.safetensors", 3)
    (folder / "transformer/diffusion_pytorch_model-00002-of-00003.safetensors").unlink()


def _cut_off(folder):
    path = folder / "vae/diffusion_pytorch_model.safetensors"
    path.write_bytes(path.read_bytes()[:-40])


def _half_downloaded(folder):
    path = folder / "transformer/diffusion_pytorch_model.safetensors"
    path.rename(path.with_name(path.name + ".incomplete"))


def _lose_layer(folder):
    path = folder / "transformer/diffusion_pytorch_model.safetensors"
    tensors = load_file(path)
    del tensors["proj_in.weight"]
    save_file(tensors, path)


def _pickled(folder):
    path = folder / "vae/diffusion_pytorch_model.safetensors"
    torch.save(load_file(path), path.with_name("diffusion_pytorch_model.bin"))
    path.unlink()


def _not_finite(folder):
    path = folder / "duration_embedder/diffusion_pytorch_model.safetensors"
    tensors = load_file(path)
    tensors["linear.bias"][0] = torch.nan
    save_file(tensors, path)


class TestDamagedFolder:
    @pytest.mark.parametrize(
        ("damage", "words"),
        [
            pytest.param(_lose_piece, "00002-of-00003", id="a piece is missing"),
            pytest.param(_cut_off, "bytes; expected", id="cut off"),
            pytest.param(_half_downloaded, "there is no checkpoint", id="half downloaded"),
            pytest.param(lambda folder: shutil.rmtree(folder / "text_encoder"), "text encoder", id="no text encoder"),
            pytest.param(lambda folder: shutil.rmtree(folder / "tokenizer"), "tokenizer", id="no tokenizer"),
            pytest.param(lambda folder: shutil.rmtree(folder / "vae"), "vae/config.json", id="no autoencoder"),
            pytest.param(_lose_layer, "transformer: proj_in.weight missing", id="no layer"),
            pytest.param(_pickled, "could run code", id="pickle"),
            pytest.param(_not_finite, "duration_embedder: linear.bias no numbers", id="not finite"),
            pytest.param(
                lambda folder: change(folder / "transformer/config.json", embed_dim=64),
                "another size",
                id="another size",
            ),
            pytest.param(
                lambda folder: change(folder / "transformer/config.json", depth="many"),
                "depth is 'many'",
                id="no number",
            ),
            pytest.param(
                lambda folder: change(folder / "model_index.json", _class_name="StableAudioPipeline"),
                "it is a 'StableAudioPipeline'",
                id="another family",
            ),
            pytest.param(
                lambda folder: (folder / "vae/config.json").write_text("{"), "vae/config.json: ", id="no JSON"
            ),
        ],
    )
    def test_is_refused_with_a_sentence_and_a_hint(self, copied, damage, words):
        folder = copied("diffusers")
        damage(folder)

        with pytest.raises(ModelBrokenError) as refused:
            open_stable_audio(folder)

        assert words in refused.value.text
        assert str(folder) in refused.value.text
        assert refused.value.hint

    def test_a_text_encoder_that_does_not_fit_is_told_by_the_first_prompt(self, copied):
        folder = copied("diffusers")
        config = folder / "text_encoder/config.json"
        values = json.loads(config.read_text())
        values["encoder"]["intermediate_size"] = 48
        config.write_text(json.dumps(values))
        reader = open_stable_audio(folder).reader

        with pytest.raises(ModelBrokenError, match="text_encoder: it has another size"):
            reader.read(["rain"])


class TestDamagedAuthorsForm:
    @pytest.mark.parametrize(
        ("values", "words"),
        [
            ({"model_type": "autoencoder"}, "its model_type is 'autoencoder'"),
            ({"model": {}}, "it says nothing of 'diffusion'"),
        ],
    )
    def test_another_family(self, copied, values, words):
        folder = copied("authors")
        change(folder / "model_config.json", **values)

        with pytest.raises(ModelBrokenError, match=words):
            open_stable_audio(folder)

    def test_weights_that_nobody_knows(self, copied):
        folder = copied("authors")
        path = folder / "model.safetensors"
        save_file(load_file(path) | {"model.decoder.weight": torch.ones(3), "strange": torch.ones(1)}, path)

        with pytest.raises(ModelBrokenError, match=r"not known here: .*strange"):
            open_stable_audio(folder)

    def test_the_small_models_weights_do_not_fit_medium_s_config(self, copied, folders):
        folder = copied("authors")
        shutil.copy(folders["small"] / "model.safetensors", folder / "model.safetensors")

        with pytest.raises(ModelBrokenError, match="transformer: "):
            open_stable_audio(folder)


class TestPrompts:
    def test_the_two_forms_read_them_alike(self, folders):
        texts = [open_stable_audio(folders[form]).reader.read(["rain", "a dog"]) for form in ("diffusers", "authors")]

        assert texts[1].embedding.shape == (2, TOKENS, texts[0].embedding.shape[-1])
        own = [text.embedding[text.mask.bool()] for text in texts]  # the one pads to 256 tokens, the other to 16
        torch.testing.assert_close(own[0], own[1], atol=0.1, rtol=0.1)  # the authors hold it in bfloat16

    def test_what_is_too_long_is_named(self, folders):
        reader = open_stable_audio(folders["authors"]).reader

        assert reader.cut("rain on a roof") == ""
        assert reader.cut("rain on a roof at night") == "t night", "16 letters and spaces are read"

    def test_the_encoder_leaves_the_memory_and_comes_back(self, folders):
        reader = open_stable_audio(folders["authors"]).reader
        assert not reader.is_loaded
        before = reader.read(["rain"])
        reader.unload()
        assert not reader.is_loaded

        assert torch.equal(reader.read(["rain"]).embedding, before.embedding)
        assert not reader.is_loaded, "it was read before"
        alone = reader.read(["rain", "wind"]).embedding
        assert reader.is_loaded
        assert torch.equal(alone[:1], before.embedding)


def test_without_diffusers_it_says_how_to_get_it():
    script = """
import sys
sys.modules["diffusers"] = None
from engine.errors import PackageMissingError
from engine.families.stable_audio.config import DiTConfig
from engine.families.stable_audio.nets import build_dit
assert "transformers" not in sys.modules
try:
    build_dit(DiTConfig())
except PackageMissingError as error:
    print(error.text, error.hint)
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)

    assert "diffusers>=0.42" in done.stdout
    assert 'pip install "retake[stable-audio]"' in done.stdout
