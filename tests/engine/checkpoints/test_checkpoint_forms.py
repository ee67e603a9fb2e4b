"""The forms that people have AudioLDM in: how files are called, cut, wrapped, rounded, and where they lie."""

import json
import os
import shutil
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from transformers import ClapAudioConfig, ClapConfig, ClapModel

from engine.checkpoints.assemble import assemble
from engine.checkpoints.convert import import_checkpoint
from engine.checkpoints.foreign import read_foreign
from engine.checkpoints.import_errors import (
    CheckpointMissingError,
    CheckpointUnknownError,
    CheckpointUnreadableError,
    ShardsMissingError,
    WeightsNotFiniteError,
)
from engine.checkpoints.locations import locate
from engine.checkpoints.provenance import default_name, licence_of
from engine.checkpoints.store import read_config
from engine.errors import InvalidRequestError
from engine.presets import PRESETS
from tests.engine.foreign_checkpoints import laion_clap, original_checkpoint, write_diffusers_folder

COMMIT = "0123456789abcdef0123456789abcdef01234567"
UNET, EMA = "model.diffusion_model.", "model_ema.diffusion_model"


@pytest.fixture(scope="module")
def expected(tensors, tmp_path_factory):
    """What our model gets from the plain file."""
    file = tmp_path_factory.mktemp("plain") / "plain.ckpt"
    torch.save({"state_dict": tensors}, file)
    return {name: tensor.clone() for name, tensor in assemble(read_foreign(file)).items()}


def rounded(tensors, kind):
    return {n: t.to(kind) if t.is_floating_point() and t.ndim else t for n, t in tensors.items()}


def plain(tensors):
    return {name: tensor.contiguous().clone() for name, tensor in tensors.items()}


def renamed(tensors, old, new):
    return {name.replace(old, new, 1): tensor for name, tensor in tensors.items()}


def prefixed(tensors, prefix):
    return {prefix + name: tensor for name, tensor in tensors.items()}


WRAPPED = {
    "bare": lambda t: t,
    "model_state_dict": lambda t: {"model_state_dict": t, "epoch": 3},
    "params": lambda t: {"params": t},
    "ema": lambda t: {"ema": t, "step": 1},
    "DeepSpeed": lambda t: {"module": t, "optimizer": {}, "global_steps": 1},
    "nested": lambda t: {"model": {"state_dict": t}},
    "an empty state beside it": lambda t: {"state_dict": {}, "model": t},
    "optimiser beside it": lambda t: {"model": t, "optimizer": {"state": {0: {"exp_avg": torch.zeros(3)}}}},
    "DataParallel": lambda t: {"state_dict": prefixed(t, "module.")},
    "compiled net": lambda t: {"state_dict": renamed(t, UNET, f"{UNET}_orig_mod.")},
    "compiled whole": lambda t: prefixed(t, "_orig_mod."),
    "compiled in DataParallel in DeepSpeed": lambda t: {"module": prefixed(t, "module._orig_mod.")},
    "in a module of a training program": lambda t: {"state_dict": prefixed(t, "latent_diffusion.")},
    "parameters": lambda t: {
        "state_dict": {n: torch.nn.Parameter(v) if v.is_floating_point() else v for n, v in t.items()}
    },
}


class TestFile:
    @pytest.mark.slow
    @pytest.mark.parametrize("wrap", WRAPPED.values(), ids=WRAPPED.keys())
    def test_wrapped_as_training_programs_do(self, tensors, tmp_path, expected, wrap):
        torch.save(wrap(tensors), tmp_path / "file.pt")
        self.check(tmp_path / "file.pt", expected)

    @pytest.mark.slow
    @pytest.mark.parametrize("name", ["a.ckpt", "a.bin", "a.SAFETENSORS", "a", "a.ckpt?download=1", "a b (1).txt"])
    def test_of_safetensors_under_any_name(self, tensors, tmp_path, expected, name):
        save_file(plain(tensors), tmp_path / name)
        self.check(tmp_path / name, expected)

    @pytest.mark.slow
    @pytest.mark.parametrize("zipped", [True, False], ids=["zip", "old form"])
    @pytest.mark.parametrize("name", ["a.safetensors", "a.SAFETENSORS", "a"])
    def test_of_pickles_under_any_name(self, tensors, tmp_path, expected, name, zipped):
        torch.save({"state_dict": tensors}, tmp_path / name, _use_new_zipfile_serialization=zipped)
        self.check(tmp_path / name, expected)

    @pytest.mark.slow
    @pytest.mark.parametrize("kind", [torch.float16, torch.bfloat16, torch.float8_e4m3fn, torch.float64])
    def test_rounded_to_less_with_its_noise_schedule(self, tensors, tmp_path, expected, kind):
        save_file(rounded(plain(tensors), kind), tmp_path / "file.safetensors")
        made = assemble(read_foreign(tmp_path / "file.safetensors"))
        assert made.keys() == expected.keys()
        # and kept in full again afterwards
        save_file({n: t.float() for n, t in rounded(plain(tensors), kind).items()}, tmp_path / "again.safetensors")
        assert assemble(read_foreign(tmp_path / "again.safetensors")).keys() == expected.keys()

    @pytest.mark.slow
    @pytest.mark.parametrize("share", [1.02, 0.98])
    def test_with_another_schedule_is_refused_in_any_precision(self, tensors, tmp_path, share):
        for kind in (torch.float32, torch.float16, torch.bfloat16):
            other = tensors | {"alphas_cumprod": tensors["alphas_cumprod"] ** share}
            save_file(rounded(plain(other), kind), tmp_path / "file.safetensors")
            with pytest.raises(CheckpointUnknownError, match="noise schedule"):
                read_foreign(tmp_path / "file.safetensors")

    @pytest.mark.parametrize("given", ["all-00001-of-00002.safetensors", "all.safetensors.index.json"])
    def test_cut_into_pieces(self, tensors, tmp_path, expected, given):
        names = list(tensors)
        pieces = {f"all-0000{n}-of-00002.safetensors": names[n - 1 :: 2] for n in (1, 2)}
        for file, inside in pieces.items():
            save_file(plain({name: tensors[name] for name in inside}), tmp_path / file)
        weight_map = {name: file for file, inside in pieces.items() for name in inside}
        (tmp_path / "all.safetensors.index.json").write_text(json.dumps({"metadata": {}, "weight_map": weight_map}))
        self.check(tmp_path / given, expected)
        (tmp_path / "all-00002-of-00002.safetensors").unlink()
        with pytest.raises(ShardsMissingError, match=r"all-00002-of-00002\.safetensors missing"):
            read_foreign(tmp_path / given)

    def test_with_a_second_clap_is_conditioned_by_its_own(self, modules, clap, scramble, tmp_path, expected):
        """As AudioLDM's authors' later files are: the one under `clap.` only scores."""
        other = {f"clap.model.{name}": tensor for name, tensor in laion_clap(scramble, seed=99).state_dict().items()}
        own = original_checkpoint(modules, clap, averaged=False, stage="cond_stage_models.0")
        for order, tensors in enumerate(({**own, **other}, {**other, **own})):
            torch.save({"state_dict": tensors}, tmp_path / f"{order}.ckpt")
            self.check(tmp_path / f"{order}.ckpt", expected)

    def test_whose_weights_are_no_numbers_is_refused_by_name(
        self, tensors, words_folder, tmp_path, models, left_behind
    ):
        name = "first_stage_model.decoder.conv_in.weight"
        spoilt = tensors | {name: torch.full_like(tensors[name], float("nan"))}
        torch.save({"state_dict": spoilt}, tmp_path / "file.ckpt")
        with pytest.raises(WeightsNotFiniteError, match=r"vae\.decoder\.conv_in\.weight"):
            import_checkpoint(tmp_path / "file.ckpt", models_dir=models, tokenizer=words_folder)
        assert left_behind() == []

    def check(self, file, expected):
        made = assemble(read_foreign(file))
        assert made.keys() == expected.keys()
        assert all(torch.equal(made[name], expected[name]) for name in made)


@pytest.fixture
def folder(diffusers_folder, tmp_path) -> Path:
    return Path(shutil.copytree(diffusers_folder, tmp_path / "copy"))


@pytest.fixture(scope="module")
def from_folder(diffusers_folder):
    return {name: tensor.clone() for name, tensor in assemble(read_foreign(diffusers_folder)).items()}


def same(folder, expected):
    made = assemble(read_foreign(folder))
    return made.keys() == expected.keys() and all(torch.equal(made[name], expected[name]) for name in made)


class TestFolder:
    @pytest.mark.slow
    @pytest.mark.parametrize("variant", [None, "fp16", "non_ema"])
    def test_with_parts_cut_into_pieces(self, folder, modules, from_folder, variant):
        for part in ("unet", "vae", "text_encoder"):
            for file in (folder / part).glob("*.safetensors"):
                file.unlink()
            getattr(modules, part).save_pretrained(folder / part, max_shard_size="400KB", variant=variant)
        assert len(list((folder / "unet").glob("*-of-*"))) > 1
        assert same(folder, from_folder)

    @pytest.mark.slow
    @pytest.mark.parametrize("variant", ["fp16", "bf16", "non_ema", "fp8_e4m3", "my-own"])
    @pytest.mark.parametrize("pickled", [False, True], ids=["safetensors", "bin"])
    def test_with_files_of_a_variant(self, modules, tmp_path, from_folder, variant, pickled):
        folder = write_diffusers_folder(modules, tmp_path / "folder", pickled=pickled)
        for file in [*folder.glob("*/*.safetensors"), *folder.glob("*/*.bin")]:
            file.rename(file.with_suffix(f".{variant}{file.suffix}"))
        assert same(folder, from_folder)
        raw = "raw weights" in " ".join(read_foreign(folder).remarks)
        assert raw == (variant == "non_ema")

    def test_with_several_variants_takes_the_full_and_averaged_one(self, folder, from_folder):
        for variant in ("fp16", "non_ema"):
            for file in folder.glob("*/*model.safetensors"):
                shutil.copy(folder / "vae" / "config.json", file.with_suffix(f".{variant}.safetensors"))
        assert same(folder, from_folder)

    def test_with_a_pointer_in_place_of_one_variant_takes_the_other(self, folder, from_folder):
        for file in folder.glob("*/*model.safetensors"):
            file.rename(file.with_suffix(".fp16.safetensors"))
            file.write_text("version https://git-lfs.github.com/spec/v1\noid sha256:ab\nsize 740140000\n")
        assert same(folder, from_folder)

    @pytest.mark.parametrize("with_index", [True, False])
    def test_with_pieces_missing_names_them(self, folder, modules, models, with_index, left_behind):
        (folder / "unet" / "diffusion_pytorch_model.safetensors").unlink()
        modules.unet.save_pretrained(folder / "unet", max_shard_size="400KB")
        gone = sorted((folder / "unet").glob("*-of-*"))[1]
        gone.unlink()
        if not with_index:
            next((folder / "unet").glob("*.index.json")).unlink()
        with pytest.raises(ShardsMissingError, match=f"{gone.name} missing"):
            import_checkpoint(folder, models_dir=models)
        assert left_behind() == []

    def test_of_music_ldm_has_the_same_nets(self, folder, from_folder):
        (folder / "model_index.json").write_text(json.dumps({"_class_name": "MusicLDMPipeline"}))
        assert same(folder, from_folder)
        assert "MusicLDM" in read_foreign(folder).remarks[0]

    def test_of_music_ldm_may_have_a_whole_clap(self, folder, modules, from_folder):
        """Then it hears, too."""
        audio = ClapAudioConfig(
            patch_embeds_hidden_size=32, depths=[1, 1, 2, 1], num_attention_heads=[2, 4, 8, 16], hidden_size=256,
            projection_dim=64,
        )  # fmt: skip
        config = ClapConfig(
            text_config=modules.text_encoder.config.to_dict(), audio_config=audio.to_dict(), projection_dim=64
        )
        whole = ClapModel(config)
        whole.text_model.load_state_dict(modules.text_encoder.text_model.state_dict())
        whole.text_projection.load_state_dict(modules.text_encoder.text_projection.state_dict())
        shutil.rmtree(folder / "text_encoder")
        whole.save_pretrained(folder / "text_encoder")
        (folder / "model_index.json").write_text(json.dumps({"_class_name": "MusicLDMPipeline"}))

        made = assemble(read_foreign(folder))
        assert all(torch.equal(made[name], from_folder[name]) for name in from_folder)
        assert any("audio_branch" in name for name in made)

    def test_with_a_byte_order_mark_in_its_notes(self, folder, from_folder):
        for file in folder.glob("**/*.json"):
            file.write_bytes(b"\xef\xbb\xbf" + file.read_bytes())
        (folder / "tokenizer" / "tokenizer.json").write_bytes(
            (folder / "tokenizer" / "tokenizer.json").read_bytes()[3:]
        )
        assert same(folder, from_folder)


class TestName:
    @pytest.mark.parametrize(
        ("file", "name"),
        [
            ("audioldm-full-s-v2 (1).ckpt", "audioldm-s-full-v2"),
            ("audioldm-full-s-v2.ckpt?download=1", "audioldm-s-full-v2"),
            ("audioldm-full-s-v2 - Copy.ckpt", "audioldm-s-full-v2"),
            ("audioldm-m-full.ckpt.part", "audioldm-m-full"),
            ("AudioLDM-M-Full.CKPT", "audioldm-m-full"),
            ("my model.ckpt", "my-model"),
            (".hidden.ckpt", "hidden"),
            ("Модель.ckpt", "Модель"),
            ("rain & wind!.safetensors", "rain-wind"),
            ("a-00001-of-00003.safetensors", "a"),
            (COMMIT, "imported-01234567"),
            ("x" * 200 + ".ckpt", "x" * 100),
            ("???", ""),
        ],
    )
    def test_is_sensible(self, file, name):
        assert default_name(Path(file)) == name

    def test_of_the_folder_one_stands_in(self, diffusers_folder, models, monkeypatch):
        monkeypatch.chdir(diffusers_folder)
        assert import_checkpoint(Path(), models_dir=models).name == diffusers_folder.name

    @pytest.mark.parametrize("file", ["nano.ckpt", "(1).ckpt", "???.ckpt"])
    def test_that_cannot_be_is_told_with_the_option(self, checkpoint, tmp_path, models, file, words_folder):
        (tmp_path / file).symlink_to(checkpoint)
        with pytest.raises(InvalidRequestError) as caught:
            import_checkpoint(tmp_path / file, models_dir=models, tokenizer=words_folder)
        assert "--name NAME" in caught.value.hint


@pytest.fixture
def cache(diffusers_folder, tmp_path) -> Path:
    """A repository as huggingface_hub keeps it."""
    top = tmp_path / "hub" / "models--cvssp--audioldm-s-full-v2"
    snapshot = top / "snapshots" / COMMIT
    for number, file in enumerate(sorted(diffusers_folder.rglob("*.*"))):
        if file.is_file():
            link = snapshot / file.relative_to(diffusers_folder)
            link.parent.mkdir(parents=True, exist_ok=True)
            (top / "blobs").mkdir(exist_ok=True)
            shutil.copy(file, top / "blobs" / f"{number:064}")
            link.symlink_to(os.path.relpath(top / "blobs" / f"{number:064}", link.parent))
    (top / "refs").mkdir()
    (top / "refs" / "main").write_text(COMMIT)
    return top


class TestHubCache:
    @pytest.mark.slow
    @pytest.mark.parametrize("inside", [".", "snapshots", f"snapshots/{COMMIT}", "blobs", "refs",
                                        f"snapshots/{COMMIT}/model_index.json"])  # fmt: skip
    def test_has_name_and_licence(self, cache, models, inside):
        folder = import_checkpoint(cache / inside, models_dir=models)
        config = read_config(folder)
        assert folder.name == config.name == "audioldm-s-full-v2"
        assert config.licence == "CC BY-NC-SA 4.0"

    def test_keeps_the_licence_under_another_name(self, cache, models):
        assert read_config(import_checkpoint(cache, "mine", models)).licence == "CC BY-NC-SA 4.0"

    def test_without_branches_takes_the_newest_copy(self, cache, models):
        shutil.rmtree(cache / "refs")
        assert import_checkpoint(cache, models_dir=models).name == "audioldm-s-full-v2"

    def test_of_a_single_file_is_found_by_its_blob(self, checkpoint, tmp_path):
        top = tmp_path / "models--who--sounds"
        (top / "snapshots" / COMMIT).mkdir(parents=True)
        (top / "blobs").mkdir()
        shutil.copy(checkpoint, top / "blobs" / "ab12")
        (top / "snapshots" / COMMIT / "audioldm-full-l.ckpt").symlink_to("../../blobs/ab12")
        for path in (top, top / "blobs" / "ab12", top / "snapshots" / COMMIT):
            found = locate(path)
            assert default_name(found.path, found.repository) == "audioldm-l-full"


class TestOtherPlaces:
    def test_a_folder_with_one_checkpoint_stands_for_it(self, checkpoint, tmp_path):
        shutil.copy(checkpoint, tmp_path / "only.ckpt")
        (tmp_path / "notes.txt").write_text("mine")
        assert locate(tmp_path).path == tmp_path / "only.ckpt"

    def test_a_folder_with_several_is_asked_about(self, checkpoint, tmp_path):
        for name in ("a.ckpt", "b.ckpt"):
            (tmp_path / name).symlink_to(checkpoint)
        with pytest.raises(CheckpointMissingError) as caught:
            locate(tmp_path)
        assert "a.ckpt, b.ckpt" in caught.value.hint

    @pytest.mark.parametrize("part", ["unet", "unet/diffusion_pytorch_model.safetensors"])
    def test_a_part_of_a_folder_leads_above(self, folder, part):
        with pytest.raises(CheckpointMissingError) as caught:
            locate(folder / part)
        assert str(folder) in caught.value.hint

    def test_a_folder_without_its_index_is_told_so(self, folder):
        (folder / "model_index.json").unlink()
        with pytest.raises(CheckpointMissingError) as caught:
            locate(folder)
        assert "model_index.json is missing" in caught.value.hint

    def test_the_whole_cache_is_asked_about(self, cache):
        with pytest.raises(CheckpointMissingError) as caught:
            locate(cache.parent)
        assert cache.name in caught.value.hint

    def test_a_part_whose_download_was_not_finished_is_told(self, folder):
        file = next((folder / "vocoder").glob("*.safetensors"))
        file.rename(file.with_name(file.name + ".incomplete"))
        with pytest.raises(CheckpointMissingError) as caught:
            read_foreign(folder)
        assert "was not finished" in caught.value.hint


class TestLicence:
    @pytest.mark.parametrize(
        ("head", "licence"),
        [
            ("---\nlicense: cc-by-nc-sa-4.0\n---\n", "CC BY-NC-SA 4.0"),
            ("---\ntags: [audio]\nlicense: 'mit'\n---\n", "MIT"),
            ("# Mine\nlicense: mit\n", "unknown; ask whoever trained it"),
        ],
    )
    def test_of_a_model_of_another_shape_is_its_readme_s(self, folder, models, head, licence):
        (folder / "README.md").write_text(head)
        assert read_config(import_checkpoint(folder, "mine", models)).licence == licence

    @pytest.mark.parametrize("preset", ["s", "m", "l"])
    def test_of_the_published_shape_is_never_unknown(self, tmp_path, preset):
        location = locate(tmp_path / "whatever.ckpt")
        assert "CC BY-NC-SA 4.0" in licence_of(location, "mine", {}, PRESETS[preset])
        (tmp_path / "README.md").write_text("---\nlicense: mit\n---\n")
        told = licence_of(location, "mine", {}, PRESETS[preset])
        assert "MIT, its README says" in told
        assert "CC BY-NC-SA 4.0" in told

    def test_of_a_published_file_under_any_name_is_known_by_its_fingerprint(self, tmp_path):
        digests = {tmp_path / "x": "936914a388905e1fc179c148a41a2b1552dba322ce474160b1cfa0f01ac26f8f"}
        assert licence_of(locate(tmp_path / "x"), "mine", digests, PRESETS["nano"]) == "CC BY-NC-SA 4.0"

    @pytest.mark.parametrize(
        "path", ["audioldm-s-full-v2/unet.ckpt", "cvssp/audioldm-m-full/x", "audioldm-full-l (1).ckpt"]
    )
    def test_of_a_published_one_is_known_by_its_path(self, tmp_path, path):
        assert licence_of(locate(tmp_path / path), "mine", {}, PRESETS["nano"]) == "CC BY-NC-SA 4.0"


NO_WEIGHTS = {
    "empty": (b"", "it is empty", "download it again"),
    "zeros": (bytes(5000), "begins with zeros", "download it again"),
    "pointer": (
        b"version https://git-lfs.github.com/spec/v1\noid sha256:" + b"a" * 64 + b"\nsize 740140000\n",
        "pointer of Git LFS, which stands for a file of 740.1 MB", "git lfs pull",
    ),
    "web page": (b"<!DOCTYPE html>\n<html>...", "a web page", "download the file itself"),
    "web page with blanks": (b"\n\n  <HTML><head>", "a web page", "download the file itself"),
    "message of a server": (b'{"error": "Entry not found"}', "Entry not found", "AudioLDM is read as"),
    "7z": (b"7z\xbc\xaf\x27\x1c" + bytes(100), "an archive (7z)", "unpack it"),
    "gzip": (b"\x1f\x8b\x08" + bytes(100), "an archive (gzip)", "unpack it"),
    "tar": (b"x" * 257 + b"ustar" + bytes(300), "an archive (tar)", "unpack it"),
    "GGUF": (b"GGUF" + bytes(100), "another kind (GGUF)", "AudioLDM is read as"),
    "noise": (b"\xfe\xfb\x11\x00" * 100, "no file of PyTorch's", "AudioLDM is read as"),
    "cut header": ((5000).to_bytes(8, "little") + b'{"a":', "within its header", "download it again"),
}  # fmt: skip


class TestNoWeights:
    @pytest.mark.parametrize("name", ["file.ckpt", "file.safetensors"])
    @pytest.mark.parametrize(("content", "reason", "hint"), NO_WEIGHTS.values(), ids=NO_WEIGHTS.keys())
    def test_are_told_with_what_to_do(self, tmp_path, models, name, content, reason, hint, left_behind):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(CheckpointUnreadableError) as caught:
            import_checkpoint(tmp_path / name, models_dir=models)
        assert reason in caught.value.text
        assert hint in caught.value.hint
        assert left_behind() == []

    @pytest.mark.timeout(20)
    def test_a_pipe_is_not_waited_for(self, tmp_path, models):
        os.mkfifo(tmp_path / "file.ckpt")
        with pytest.raises(CheckpointUnreadableError, match="a pipe"):
            import_checkpoint(tmp_path / "file.ckpt", models_dir=models)
