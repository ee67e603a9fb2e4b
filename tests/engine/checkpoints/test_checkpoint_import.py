"""What `import_checkpoint` makes of a checkpoint: name, size, licence, source; progress; and how it is stopped."""

import argparse
import json
import os
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from diffusers import AutoencoderKL, UNet2DConditionModel

from engine import Engine, Generate
from engine.audioldm import AudioLDM
from engine.checkpoints.assemble import assemble
from engine.checkpoints.convert import _require_space, import_checkpoint
from engine.checkpoints.foreign import read_foreign
from engine.checkpoints.provenance import default_name
from engine.checkpoints.store import load_model, read_config
from engine.cli import main
from engine.errors import CancelledError, InvalidRequestError, ModelDiskFullError, OutputExistsError
from engine.models.clap_tokenizer import RobertaTokenizer
from engine.presets import PRESETS
from tests.engine.foreign_checkpoints import (
    Modules,
    diffusers_modules,
    laion_clap,
    original_checkpoint,
)


def as_wide_as(file: Path, base: int) -> Path:
    """A file with the tensors of a large net, all zeros."""
    widths = tuple(base * mult for mult in (1, 2, 3, 5))
    with torch.device("meta"):
        unet = UNet2DConditionModel(
            in_channels=8, out_channels=8, block_out_channels=widths, layers_per_block=2,
            down_block_types=("DownBlock2D", *["CrossAttnDownBlock2D"] * 3),
            up_block_types=(*["CrossAttnUpBlock2D"] * 3, "UpBlock2D"), cross_attention_dim=widths,
            class_embed_type="simple_projection", projection_class_embeddings_input_dim=512,
            class_embeddings_concat=True,
        )  # fmt: skip
        vae = AutoencoderKL(
            in_channels=1, out_channels=1, latent_channels=8, layers_per_block=2,
            down_block_types=("DownEncoderBlock2D",) * 3, up_block_types=("UpDecoderBlock2D",) * 3,
            block_out_channels=(128, 256, 512),
        )  # fmt: skip
    narrow = diffusers_modules(lambda net, _: net, vocoder=1024)
    tower = "HTSAT-base" if base == 192 else "HTSAT-tiny"
    clap = laion_clap(lambda net, _: net, tower, "roberta-base", 512)
    whole = original_checkpoint(Modules(unet, vae, narrow.vocoder, narrow.text_encoder), clap, averaged=False)
    return write_hollow(whole, file)


def write_hollow(tensors: dict[str, torch.Tensor], file: Path) -> Path:
    """A file as long as the tensors, which takes no room on the disk: what is not written there are zeros."""
    written = {name: tensors[name] for name in ("scale_factor", "alphas_cumprod")}
    header, end = {}, 0
    for name, tensor in {**written, **tensors}.items():
        start, end = end, end + 4 * tensor.numel()
        header[name] = {"dtype": "F32", "shape": list(tensor.shape), "data_offsets": [start, end]}
    encoded = json.dumps(header).encode()
    with file.open("wb") as stream:
        stream.write(len(encoded).to_bytes(8, "little") + encoded)
        for tensor in written.values():
            stream.write(tensor.float().numpy().tobytes())
        stream.truncate(8 + len(encoded) + end)
    return file


@pytest.mark.slow
class TestSize:
    @pytest.mark.parametrize(("preset", "base"), [("s", 128), ("m", 192), ("l", 256)])
    def test_is_seen_in_the_shapes(self, tmp_path, preset, base):
        foreign = read_foreign(as_wide_as(tmp_path / "file.ckpt", base))
        expected = PRESETS[preset]
        for part in ("unet", "vae", "vocoder", "clap", "mel", "schedule"):
            assert getattr(foreign.config, part) == getattr(expected, part)
        assert len(assemble(foreign)) > 1000

    def test_larger_than_the_disk_is_refused(self, models, left_behind):
        with pytest.raises(ModelDiskFullError, match=r"\d+.\d GB are needed in .*models; \d+.\d GB are free"):
            _require_space(models, 10**18)
        assert left_behind() == []


# --- the model that comes out ----------------------------------------------------------------------------------------


class TestName:
    @pytest.mark.parametrize(
        ("file", "name"),
        [
            ("audioldm-full-s-v2.ckpt", "audioldm-s-full-v2"),
            ("audioldm-full-l.ckpt", "audioldm-l-full"),
            ("audioldm-s-full", "audioldm-s-full"),
            ("audioldm-m-text-ft.ckpt", "audioldm-m-text-ft"),
            ("cvssp/audioldm", "audioldm-s-full"),
            ("my.own-v1.2.ckpt", "my.own-v1.2"),
        ],
    )
    def test_comes_from_the_file(self, file, name):
        assert default_name(Path(file)) == name

    @pytest.mark.skipif(sys.platform != "linux", reason="names of files are Unicode there")
    def test_may_be_given_where_the_files_is_no_text(self, checkpoint, diffusers_folder, words_folder, tmp_path):
        models = tmp_path / os.fsdecode(b"mod\xe8les")
        file, folder = (tmp_path / os.fsdecode(name) for name in (b"mod\xe9l.ckpt", b"mod\xe9l"))
        file.symlink_to(checkpoint)
        folder.symlink_to(diffusers_folder)
        for number, source in enumerate((file, folder)):
            folder = import_checkpoint(source, f"mine-{number}", models, tokenizer=words_folder)
            assert load_model(folder).config.name == f"mine-{number}"

    @pytest.mark.parametrize("name", ["../up", "a/b", ".hidden", "nano", "tiny", "with blank", "x" * 500])
    def test_must_be_one_that_can_be_used(self, checkpoint, models, name, left_behind):
        with pytest.raises(InvalidRequestError, match="name is"):
            import_checkpoint(checkpoint, name, models)
        assert left_behind() == []

    def test_a_taken_one_is_refused_and_what_is_there_stays(self, checkpoint, words_folder, models):
        (models / "mine").mkdir(parents=True)
        (models / "mine" / "notes.txt").write_text("keep")
        with pytest.raises(OutputExistsError, match="mine exists already"):
            import_checkpoint(checkpoint, "mine", models, tokenizer=words_folder)
        assert [path.name for path in models.rglob("*")] == ["mine", "notes.txt"]


class TestResult:
    def test_says_where_it_came_from_and_whose_it_is(self, checkpoint, words_folder, models):
        folder = import_checkpoint(checkpoint, models_dir=models, tokenizer=words_folder)
        config, card = read_config(folder), (folder / "MODEL_CARD.md").read_text()
        assert folder.name == config.name == "audioldm-m-full"
        assert config.licence == "CC BY-NC-SA 4.0"
        assert f"{checkpoint}, sha256 " in config.source
        assert config.source in card
        assert config.licence in card
        assert {path.name for path in folder.iterdir()} == {
            "config.json", "model.safetensors", "tokenizer.json", "MODEL_CARD.md",
        }  # fmt: skip

    def test_of_an_unpublished_one_the_licence_is_unknown(self, diffusers_folder, models):
        config = read_config(import_checkpoint(diffusers_folder, "my-own", models))
        assert config.licence.startswith("unknown")
        assert config.source.count("sha256") == 4

    def test_a_given_source_stands_for_path_and_fingerprint(self, diffusers_folder, models):
        folder = import_checkpoint(diffusers_folder, "audioldm-s-full", models, source="the Hub, revision 1")
        assert read_config(folder).source == "the Hub, revision 1"
        assert read_config(folder).licence == "CC BY-NC-SA 4.0"

    def test_notes_of_a_training_program_do_not_disturb(self, tensors, words_folder, tmp_path, models, monkeypatch):
        """They are read as hollow objects, here partly of a module that is gone by then."""
        notes = type("ModelCheckpoint", (), {"__module__": "pytorch_lightning.callbacks"})
        settings = type("AttributeDict", (dict,), {"__module__": "pytorch_lightning.callbacks"})
        stand_in = type(os)("pytorch_lightning.callbacks")
        stand_in.ModelCheckpoint, stand_in.AttributeDict = notes, settings
        with monkeypatch.context() as patch:
            patch.setitem(sys.modules, "pytorch_lightning", stand_in)
            patch.setitem(sys.modules, "pytorch_lightning.callbacks", stand_in)
            saved = {
                "state_dict": tensors,
                "callbacks": {notes: {"best": 1}},
                "hparams": settings(rate=1),
                "best": notes(),
                "score": np.float64(0.9),
                "seeds": np.arange(3),
                "options": argparse.Namespace(rate=1),
                "folder": tmp_path,
            }
            torch.save(saved, tmp_path / "file.ckpt")
        assert import_checkpoint(tmp_path / "file.ckpt", models_dir=models, tokenizer=words_folder).is_dir()

    def test_the_same_seed_sounds_the_same_before_and_after(self, diffusers_folder, models, relative_error):
        request = Generate("rain on a tin roof", seconds=0.3, seed=7, steps=2)
        foreign = read_foreign(diffusers_folder)
        before = AudioLDM(foreign.config)
        before.load_state_dict(assemble(foreign))
        before.clap.tokenizer = RobertaTokenizer.read(diffusers_folder / "tokenizer")
        expected = Engine(before.eval()).run(request)[0].samples
        import_checkpoint(diffusers_folder, "first", models)
        import_checkpoint(diffusers_folder, "second", models)
        first, second = (Engine.load(name, "cpu", models).run(request)[0].samples for name in ("first", "second"))
        assert np.array_equal(first, second)
        assert np.abs(first).max() > 0
        assert relative_error(torch.from_numpy(first), torch.from_numpy(expected)) <= 1e-5


class TestProgressAndCancelling:
    def test_progress_rises_to_one(self, checkpoint, words_folder, models):
        news: list[tuple[float, str]] = []
        import_checkpoint(checkpoint, models_dir=models, tokenizer=words_folder, on_progress=lambda *n: news.append(n))
        shares = [share for share, _ in news]
        assert shares == sorted(shares)
        assert shares[-1] == 1
        assert {text for _, text in news} == {
            "reading the checkpoint", "checking the file", "taking the fingerprint", "writing the model",
        }  # fmt: skip

    @pytest.mark.parametrize("stage", ["reading", "checking", "taking", "writing"])
    def test_stopped_anywhere_nothing_is_left(self, checkpoint, words_folder, models, stage, left_behind):
        seen: list[str] = []
        with pytest.raises(CancelledError):
            import_checkpoint(
                checkpoint, models_dir=models, tokenizer=words_folder, on_progress=lambda _, text: seen.append(text),
                should_stop=lambda: bool(seen) and seen[-1].startswith(stage),
            )  # fmt: skip
        assert left_behind() == []

    def test_interrupted_while_writing_nothing_is_left(self, checkpoint, words_folder, models, left_behind):
        def interrupt(share: float, _: str) -> None:
            if share > 0.7:
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            import_checkpoint(checkpoint, models_dir=models, tokenizer=words_folder, on_progress=interrupt)
        assert left_behind() == []


class TestCommandLine:
    @pytest.fixture(autouse=True)
    def in_models(self, monkeypatch, models):
        monkeypatch.setenv("RETAKE_MODELS", str(models))

    def test_prints_the_folder_and_warns_of_what_is_missing(self, diffusers_folder, models, capsys):
        assert main(["models", "import", str(diffusers_folder), "--name", "mine"]) == 0
        out, err = capsys.readouterr()
        assert out.strip() == str(models / "mine")
        assert "candidates are not ranked" in err

    def test_as_json(self, checkpoint, words_folder, models, capsys):
        words = ["--tokenizer", str(words_folder), "--heads", "diffusers", "--json"]
        assert main(["models", "import", str(checkpoint), *words]) == 0
        said = json.loads(capsys.readouterr().out)
        assert said["name"] == "audioldm-m-full"
        assert said["folder"] == str(models / "audioldm-m-full")
        assert "raw weights" in said["warnings"][0]
        assert read_config(models / "audioldm-m-full").unet.num_heads == 8

    def test_a_refusal_is_a_sentence_and_a_hint(self, checkpoint, capsys, left_behind):
        assert main(["models", "import", str(checkpoint)]) == 1
        err = capsys.readouterr().err
        assert "no tokenizer" in err
        assert "hint: put vocab.json and merges.txt" in err
        assert left_behind() == []
