"""What `import_checkpoint` refuses, with which words, and that a refusal leaves nothing behind."""

import json
import os
import pickle
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import save

from engine.checkpoints.convert import import_checkpoint
from engine.checkpoints.import_errors import (
    CheckpointMissingError,
    CheckpointUnknownError,
    CheckpointUnreadableError,
    CheckpointUnsafeError,
    TokenizerMissingError,
    WeightsMissingError,
    WeightsShapeError,
)
from engine.errors import ModelBrokenError
from engine.models.clap_tokenizer import RobertaTokenizer
from tests.engine.foreign_checkpoints import (
    write_diffusers_folder,
)

Tensors = dict[str, torch.Tensor]
UNET = "model.diffusion_model."


# --- files that are no checkpoints -----------------------------------------------------------------------------------


class Trap:
    """A pickle that makes a folder when it is read carelessly."""

    def __init__(self, path: str) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Callable[..., None], tuple[str]]:
        return os.mkdir, (self.path,)


def write_text(file: Path) -> None:
    file.write_text("<!DOCTYPE html>\n<title>404 Not Found</title>\n")


def write_jpeg(file: Path) -> None:
    file.write_bytes(bytes.fromhex("ffd8ffe000104a46494600010100000100010000") + bytes(range(256)))


def write_empty(file: Path) -> None:
    file.write_bytes(b"")


def write_cut(file: Path) -> None:
    torch.save({"state_dict": {"a": torch.zeros(1000)}}, file)
    os.truncate(file, file.stat().st_size // 2)


def write_cut_old_form(file: Path) -> None:
    torch.save({"state_dict": {"a": torch.zeros(1000)}}, file, _use_new_zipfile_serialization=False)
    os.truncate(file, file.stat().st_size // 2)


def write_other_zip(file: Path) -> None:
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("notes.txt", "rain")


def write_no_tensors(file: Path) -> None:
    torch.save({"state_dict": {"epoch": 3}}, file)


def write_list(file: Path) -> None:
    torch.save([torch.zeros(3)], file)


class TestNoCheckpoint:
    @pytest.mark.parametrize(
        "write",
        [write_text, write_jpeg, write_empty, write_cut, write_cut_old_form, write_other_zip, write_no_tensors,
         write_list],
        ids=lambda write: write.__name__.removeprefix("write_").replace("_", " "),
    )  # fmt: skip
    def test_is_said_to_be_unreadable(self, tmp_path, models, write, left_behind):
        write(tmp_path / "file.ckpt")
        with pytest.raises(CheckpointUnreadableError, match=r"file.ckpt could not be read as a checkpoint: \w"):
            import_checkpoint(tmp_path / "file.ckpt", models_dir=models)
        assert left_behind() == []

    def test_cut_safetensors(self, tmp_path, models):
        whole = save({"a": torch.zeros(300)})
        for content in (b"\x40" + bytes(100), whole[: len(whole) // 2]):
            (tmp_path / "file.safetensors").write_bytes(content)
            with pytest.raises(CheckpointUnreadableError) as refusal:
                import_checkpoint(tmp_path / "file.safetensors", models_dir=models)
            assert "deserializ" not in str(refusal.value)

    @pytest.mark.parametrize("path", ["no such file.ckpt", "."], ids=["nothing there", "folder without index"])
    def test_is_said_to_be_missing(self, tmp_path, models, path):
        with pytest.raises(CheckpointMissingError, match="no checkpoint at"):
            import_checkpoint(tmp_path / path, "name", models)

    @pytest.mark.parametrize("form", ["zip", "old form", "bare pickle"])
    def test_code_in_a_pickle_does_not_run(self, tmp_path, models, form, left_behind):
        trap, file = Trap(str(tmp_path / "it ran")), tmp_path / "file.ckpt"
        if form == "bare pickle":
            file.write_bytes(pickle.dumps({"state_dict": trap}, protocol=2))
        else:
            torch.save({"state_dict": {"a": torch.zeros(3)}, "more": trap}, file,
                       _use_new_zipfile_serialization=form == "zip")  # fmt: skip
        with pytest.raises(CheckpointUnsafeError, match=r"would run \w+\.mkdir, so it was not read"):
            import_checkpoint(file, models_dir=models)
        assert not (tmp_path / "it ran").exists()
        assert left_behind() == []

    def test_one_flipped_bit_is_noticed(self, checkpoint, words_folder, tmp_path, models, left_behind):
        """PyTorch reads tensors without looking at the checksums that it wrote."""
        content = bytearray(checkpoint.read_bytes())
        content[len(content) // 2] ^= 1
        (tmp_path / "flipped.ckpt").write_bytes(content)
        with pytest.raises(CheckpointUnreadableError, match="damaged: Bad CRC"):
            import_checkpoint(tmp_path / "flipped.ckpt", models_dir=models, tokenizer=words_folder)
        assert left_behind() == []


# --- other people's models -------------------------------------------------------------------------------------------


def without(tensors: Tensors, prefix: str, count: int | None = None) -> Tensors:
    gone = [name for name in tensors if name.startswith(prefix)][:count]
    return {name: tensor for name, tensor in tensors.items() if name not in gone}


class TestOtherModels:
    @pytest.mark.parametrize(
        ("change", "error", "words"),
        [
            pytest.param(
                lambda t: without(t, f"{UNET}film_emb"),
                CheckpointUnknownError, "may be Stable Diffusion", id="stable diffusion",
            ),
            pytest.param(lambda t: without(t, UNET), CheckpointUnknownError, "it has no UNet", id="an autoencoder"),
            pytest.param(
                lambda t: without(t, f"{UNET}output_blocks", 9),
                WeightsMissingError, "UNet is not whole.* and 4 more missing", id="some weights gone",
            ),
            pytest.param(
                lambda t: without(t, "first_stage_model.vocoder."),
                WeightsMissingError, "vocoder is not whole: first_stage_model.vocoder.", id="no vocoder",
            ),
            pytest.param(
                lambda t: without(t, "first_stage_model.encoder."),
                WeightsMissingError, "VAE is not whole: first_stage_model.encoder.conv_in", id="no encoder",
            ),
            pytest.param(lambda t: without(t, "cond_stage"), WeightsMissingError, "CLAP is not whole", id="no clap"),
            pytest.param(
                lambda t: without(t, "scale_factor"), WeightsMissingError, "latent scale", id="no latent scale"
            ),
            pytest.param(
                lambda t: {**t, f"{UNET}middle_block.0.in_layers.2.weight": torch.zeros(160, 160, 1, 3)},
                WeightsShapeError, r"middle_block.0.in_layers.2.weight is \[160, 160, 1, 3\], expe", id="wrong shape",
            ),
            pytest.param(
                lambda t: {**t, f"{UNET}middle_block.3.in_layers.2.weight": torch.zeros(3)},
                WeightsShapeError, "middle_block.3.in_layers.2.weight is too much", id="one layer more",
            ),
            pytest.param(
                lambda t: {**t, f"{UNET}film_emb.weight": torch.zeros(3)},
                CheckpointUnknownError, "no net can be built", id="matrix that is a vector",
            ),
            pytest.param(
                lambda t: {**t, "alphas_cumprod": torch.linspace(1, 0, 1000)},
                CheckpointUnknownError, "noise schedule", id="other noise",
            ),
            pytest.param(
                lambda t: {**t, "first_stage_model.vocoder.ups.0.weight": torch.zeros(64, 32, 10)},
                WeightsShapeError, "kernels", id="vocoder of another rate",
            ),
            pytest.param(
                lambda t: without(t, "cond_stage_model.model.audio_branch.layers.3."),
                WeightsShapeError, "audio tower has another shape", id="unknown audio tower",
            ),
        ],
    )  # fmt: skip
    def test_are_refused_with_the_reason(
        self, tensors, words_folder, tmp_path, models, change, error, words, left_behind
    ):
        torch.save({"state_dict": change(tensors)}, tmp_path / "file.ckpt")
        with pytest.raises(error, match=words):
            import_checkpoint(tmp_path / "file.ckpt", models_dir=models, tokenizer=words_folder)
        assert left_behind() == []

    @pytest.mark.parametrize(
        ("file", "settings", "words"),
        [
            ("model_index.json", {"_class_name": "StableDiffusionPipeline"}, "is StableDiffusionPipeline"),
            ("unet/config.json", {"class_embed_type": None}, "class_embed_type is None"),
            ("unet/config.json", {"norm_num_groups": "many"}, "no net can be built"),
            ("vocoder/config.json", {"normalize_before": True}, "normalize_before is True"),
            ("vocoder/config.json", {"upsample_rates": [5, 4]}, "no net can be built"),
            ("scheduler/scheduler_config.json", {"prediction_type": "sample"}, "predicts sample"),
            ("scheduler/scheduler_config.json", {"beta_schedule": "linear"}, "beta_schedule is 'linear'"),
        ],
    )
    def test_folders_with_other_settings_are_refused(
        self, modules, tmp_path, models, file, settings, words, left_behind
    ):
        folder = write_diffusers_folder(modules, tmp_path / "folder")
        before = json.loads((folder / file).read_text())
        (folder / file).write_text(json.dumps({**before, **settings}))
        with pytest.raises(CheckpointUnknownError, match=words):
            import_checkpoint(folder, models_dir=models)
        assert left_behind() == []

    def test_settings_that_are_no_json(self, modules, tmp_path, models):
        folder = write_diffusers_folder(modules, tmp_path / "folder")
        (folder / "vae/config.json").write_text("{")
        with pytest.raises(CheckpointUnreadableError, match=r"vae/config\.json"):
            import_checkpoint(folder, models_dir=models)

    def test_a_second_clap_is_not_needed(self, checkpoint, words_folder, models):
        with pytest.raises(CheckpointUnknownError, match="leave --clap out"):
            import_checkpoint(checkpoint, models_dir=models, tokenizer=words_folder, clap=checkpoint)


# --- what it needs beside the weights --------------------------------------------------------------------------------


class TestTokenizer:
    def test_without_one_the_way_to_it_is_told(self, checkpoint, models, left_behind):
        with pytest.raises(TokenizerMissingError) as caught:
            import_checkpoint(checkpoint, models_dir=models)
        assert "vocab.json and merges.txt of the model roberta-base" in caught.value.hint
        assert left_behind() == []

    def test_a_larger_vocabulary_than_the_text_tower_s_is_refused(self, checkpoint, tmp_path, models):
        RobertaTokenizer.bytes_only().write(tmp_path)
        tokenizer = json.loads((tmp_path / "tokenizer.json").read_text())
        tokenizer["model"]["vocab"] |= {f"word{index}": 300 + index for index in range(300)}
        (tmp_path / "tokenizer.json").write_text(json.dumps(tokenizer))
        with pytest.raises(WeightsShapeError, match="512 tokens, but the tokenizer has"):
            import_checkpoint(checkpoint, models_dir=models, tokenizer=tmp_path)

    def test_damaged_files_are_refused(self, checkpoint, tmp_path, models):
        (tmp_path / "tokenizer.json").write_text("{}")
        with pytest.raises(ModelBrokenError, match="tokenizer files"):
            import_checkpoint(checkpoint, models_dir=models, tokenizer=tmp_path)
