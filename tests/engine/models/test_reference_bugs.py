"""What the reference implementation of AudioLDM does wrong and we do not: checkpoints, models, training.

Each name says what holds here, each docstring what happens there. `test_reference_bugs.py` of the folder above and of
`operations/` have the rest.
"""

import re
import socket
import tomllib
from argparse import ArgumentParser
from contextlib import suppress
from dataclasses import replace
from inspect import signature
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from engine import Engine, Generate
from engine.audioldm import AudioLDM
from engine.checkpoints.convert import import_checkpoint
from engine.checkpoints.import_errors import WeightsMissingError
from engine.checkpoints.store import load_model, save_model
from engine.cli.arguments import add_generate
from engine.models.layers import SelfAttention
from engine.models.unet import UNet
from engine.presets import PRESETS, build
from engine.training.loop import LoopSettings
from engine.training.train_ldm import LdmRecipe, LdmSettings
from engine.training.workers import Workers
from tests.audit_events import addresses_called
from tests.engine.foreign_checkpoints import (
    SCALE,
    Modules,
    diffusers_modules,
    laion_clap,
    original_checkpoint,
    original_unet,
    write_diffusers_folder,
    write_tokenizer,
)

HOUSE = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def modules(scramble) -> Modules:
    return diffusers_modules(scramble, heads=8)


@pytest.fixture(scope="module")
def checkpoint(scramble, modules) -> dict[str, Tensor]:
    return original_checkpoint(modules, laion_clap(scramble))


def imported(tensors: dict[str, Tensor], folder: Path) -> AudioLDM:
    """The model that comes of an original file with these tensors."""
    torch.save({"state_dict": tensors}, folder / "audioldm-s-full.ckpt")
    words = write_tokenizer(folder / "words")
    return load_model(import_checkpoint(folder / "audioldm-s-full.ckpt", "s-full", folder, tokenizer=words))


@pytest.fixture(scope="module")
def arrival(checkpoint, tmp_path_factory) -> tuple[AudioLDM, list[str]]:
    """The model of the whole file, and the addresses that were called for it."""
    with addresses_called() as called:
        return imported(checkpoint, tmp_path_factory.mktemp("whole")), called


@pytest.fixture(scope="module")
def model(arrival) -> AudioLDM:
    return arrival[0]


class TestCheckpoints:
    def test_stray_position_ids_do_no_harm(self, checkpoint, model: AudioLDM) -> None:
        """There newer versions of transformers refuse the whole file for them."""
        assert "cond_stage_model.model.text_branch.embeddings.position_ids" in checkpoint
        assert torch.isfinite(model.embed_text(["rain"])).all()

    @pytest.mark.parametrize("name", ["first_stage_model.vocoder.conv_post.weight", "scale_factor"])
    def test_a_missing_tensor_is_an_error_that_names_it(self, checkpoint, tmp_path: Path, name: str) -> None:
        """There what is missing stays random, and nobody hears of it."""
        with pytest.raises(WeightsMissingError, match=re.escape(name)):
            imported({key: tensor for key, tensor in checkpoint.items() if key != name}, tmp_path)

    def test_the_latent_scale_comes_from_the_file(self, checkpoint, model: AudioLDM, tmp_path: Path) -> None:
        """Every checkpoint has its own; 0.18215, or another one's, decodes it wrongly."""
        latent = torch.randn(1, 8, 8, 16, generator=torch.Generator().manual_seed(0))
        other = imported({**checkpoint, "scale_factor": torch.tensor(0.9655)}, tmp_path)
        for one, scale in ((model, SCALE), (other, 0.9655)):
            assert one.latent_scale.tolist() == pytest.approx([scale] * 8)
            with torch.inference_mode():
                assert torch.allclose(one.decode(latent), one.vae.decode(latent / scale), atol=1e-4)

    def test_the_averaged_weights_are_taken(self, modules, model: AudioLDM) -> None:
        """Diffusers' converter takes the raw ones, unless it is told not to."""
        averaged = original_unet(modules.unet)["time_embed.0.weight"]
        assert torch.equal(model.unet.time1.weight, averaged)

    def test_a_diffusers_folder_gets_the_heads_that_were_trained(self, modules, tmp_path: Path) -> None:
        """In diffusers eight everywhere, as the folder says: other sounds from the same weights."""
        folder = write_diffusers_folder(modules, tmp_path / "folder")
        unet = load_model(import_checkpoint(folder, models_dir=tmp_path / "models")).unet
        assert numbers_of_heads(unet) == {2, 3, 5}  # 64, 96 and 160 channels, 32 for each head

    def test_no_address_is_called_to_load_and_to_run(self, arrival: tuple[AudioLDM, list[str]]) -> None:
        """There RoBERTa's files are fetched from the network whenever it starts."""
        model, called = arrival
        with addresses_called() as called_to_run:
            assert Engine(model).run(Generate("rain", seconds=0.1, steps=1))[0].num_samples == 4_800
        assert called + called_to_run == []

    def test_an_address_would_be_noticed(self) -> None:
        with addresses_called() as called, suppress(OSError):
            socket.create_connection(("127.0.0.1", 9), timeout=1).close()
        assert [address.split()[0] for address in called] == ["socket.getaddrinfo", "socket.connect"]


def numbers_of_heads(unet: UNet) -> set[int]:
    return {layer.num_heads for layer in unet.modules() if isinstance(layer, SelfAttention)}


class TestModels:
    @pytest.mark.parametrize(
        ("name", "heads"), [("s", {8, 12, 20}), ("m", {12, 18, 30}), ("l", {8, 12, 20})], ids=["s", "m", "l"]
    )
    def test_attention_has_the_heads_that_were_trained(self, name: str, heads: set[int]) -> None:
        """In diffusers it has eight everywhere: other sounds from the same weights."""
        with torch.device("meta"):
            unet = UNet(PRESETS[name].unet)
        assert numbers_of_heads(unet) == heads

    def test_the_model_that_is_asked_for_is_the_one_that_runs(self, tmp_path: Path) -> None:
        """There the path to a checkpoint is ignored."""
        save_model(build(replace(PRESETS["tiny"], name="mine"), seed=5), tmp_path / "mine")
        request = Generate("rain", seconds=0.2, steps=1)
        (take,) = Engine.load(tmp_path / "mine", "cpu").run(request)
        assert take.story["model"].endswith("mine")
        assert not np.array_equal(take.samples, Engine.load("tiny", "cpu").run(request)[0].samples)

    def test_the_default_model_is_the_one_that_the_help_names(self) -> None:
        """There the help names one and another is run."""
        parser = ArgumentParser()
        add_generate(parser)
        assert parser.get_default("model") == signature(Engine.load).parameters["model"].default == "nano"
        assert "default nano" in parser.format_help()

    def test_one_licence_is_told_everywhere(self) -> None:
        """There the licence file and the package's own description contradict each other."""
        project = tomllib.loads((HOUSE / "pyproject.toml").read_text(encoding="utf-8"))["project"]
        assert project["license"] == PRESETS["nano"].licence == "Apache-2.0"
        assert "Apache License" in (HOUSE / "LICENSE").read_text(encoding="utf-8")
        assert {PRESETS[name].licence for name in "sml"} == {"CC BY-NC-SA 4.0"}


class TestTraining:
    def test_one_condition_in_ten_is_dropped(self, tmp_path: Path) -> None:
        """There by the data first and by the conditioner again: nearly one in five."""
        (tmp_path / "latents").mkdir()
        for name, shape in (("latents", (4, 8, 32, 16)), ("audio", (4, 32)), ("text", (4, 2, 32))):
            kind = np.float16 if name == "latents" else np.float32
            np.save(tmp_path / "latents" / f"{name}.npy", np.ones(shape, kind))
        loop = LoopSettings(tmp_path, num_steps=1, learning_rate=1e-4)
        recipe = LdmRecipe(LdmSettings(tmp_path, tmp_path, loop, preset="tiny", batch_size=4_000), Workers())
        _, condition = recipe._batch(0, np.random.default_rng(0))
        dropped = (condition - recipe.empty).abs().amax(dim=1) < 1e-6
        assert float(dropped.float().mean()) == pytest.approx(0.1, abs=0.02)
