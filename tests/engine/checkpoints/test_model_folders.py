"""Opening a model folder: whatever its files say, it is a model or broken, and no memory is taken for lies."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from engine.checkpoints.blueprint import draw_up
from engine.checkpoints.catalogue import SHIPPED_MODELS
from engine.checkpoints.config_json import config_from_json, config_to_json
from engine.checkpoints.store import load_model, open_model, read_config, save_model
from engine.errors import ModelBrokenError, ModelFamilyUnknownError
from engine.presets import PRESETS, TINY
from tests.engine.odd_folders import ODD_FOLDERS

ODD_VALUES = [-1, 0, 3, 10**6, 10**13, 10**40, -0.5, 1e308, True, None, "x", [], [1], [10**9], [-1, 2], [1] * 4000, {}]


@pytest.fixture(scope="module")
def whole(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("whole")
    save_model(open_model("tiny"), folder)
    return folder


@pytest.fixture
def folder(whole, tmp_path) -> Path:
    """A model folder of a test's own."""
    for file in whole.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    return tmp_path


def rewrite(folder: Path, *path: str, value: Any) -> None:
    values = group = json.loads((folder / "config.json").read_text())
    for name in path[:-1]:
        group = group[name]
    group[path[-1]] = value
    (folder / "config.json").write_text(json.dumps(values))


def settings(values: dict[str, Any], above: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    for name, value in values.items():
        yield (*above, name)
        if isinstance(value, dict):
            yield from settings(value, (*above, name))


class TestConfig:
    @pytest.mark.parametrize("preset", PRESETS)
    def test_of_every_preset_comes_back_as_it_was(self, preset):
        config = PRESETS[preset]
        assert config_from_json(json.loads(json.dumps(config_to_json(config)))) == config

    def test_names_its_family_and_without_one_is_audioldm_s(self, folder):
        written = json.loads((folder / "config.json").read_text())
        older = {key: value for key, value in written.items() if key != "family"}
        (folder / "config.json").write_text(json.dumps(older))

        assert written["family"] == "audioldm"
        assert read_config(folder) == TINY
        assert read_config(SHIPPED_MODELS / "nano").name == "nano"

    def test_of_an_unknown_family_says_so_and_what_to_do(self, folder):
        rewrite(folder, "family", value="whale_song")

        with pytest.raises(ModelFamilyUnknownError) as refused:
            load_model(folder)

        assert refused.value.text == f"the model at {folder} is of the family 'whale_song'; expected audioldm"
        assert "update Retake" in refused.value.hint

    @pytest.mark.timeout(300)
    @pytest.mark.parametrize("path", list(settings(config_to_json(TINY))), ids=".".join)
    def test_with_any_odd_value_is_a_config_or_broken(self, folder, path):
        for value in ODD_VALUES:
            rewrite(folder, *path, value=value)
            with suppress(ModelBrokenError):
                draw_up(read_config(folder), folder)

    @pytest.mark.parametrize("name", [name for name in ODD_FOLDERS if "link to" not in name])
    def test_that_is_none_is_broken(self, tmp_path, name):
        ODD_FOLDERS[name][0](tmp_path / "odd")
        with pytest.raises(ModelBrokenError):
            load_model(tmp_path / "odd")

    @pytest.mark.parametrize(
        ("path", "value", "words"),
        [
            (("unet", "base_channels"), "128", "base_channels is '128'; expected a whole number"),
            (("unet", "base_channels"), 10**12, "base_channels is 1000000000000; expected 1 to 4096"),
            (("unet", "base_channels"), True, "base_channels is True; expected a whole number"),
            (("unet", "groups"), 7, "no net can be built"),
            (("unet", "depth"), 3, "unknown settings of UNetConfig: depth"),
            (("vae", "channel_mult"), [1] * 1000, "1000 numbers"),
            (("vocoder", "kind"), "WaveNet", "kind 'WaveNet'; expected HiFiGanConfig, GriffinLimConfig"),
            (("vocoder",), 5, "vocoder is 5"),
            (("draft",), {"kind": "DraftConfig", "timesteps": [1, 2], "guidance": 1.0}, "timesteps do not fall"),
            (("mel", "n_fft"), 10**9, "n_fft is 1000000000"),
            (("mel", "num_mels"), 65, "65 mel bands do not fit"),
            (("schedule", "num_train_steps"), 10**11, "num_train_steps"),
            (("default_steps",), 0, "default_steps is 0; expected 1 to 1000"),
            (("sounds",), ["rain", 5], "sounds is 5; expected words"),
            (("licence",), None, "names no licence"),
        ],
    )
    def test_is_refused_with_the_setting_s_name(self, folder, path, value, words):
        rewrite(folder, *path, value=value)
        with pytest.raises(ModelBrokenError) as caught:
            load_model(folder)
        assert words in caught.value.text


class TestWeights:
    def test_that_fit_come_back(self, folder):
        model, expected = load_model(folder).state_dict(), open_model("tiny").state_dict()
        assert model.keys() == expected.keys()
        assert all(torch.equal(model[name].half(), expected[name].half()) for name in model)

    def test_are_the_model_s_own_once_they_are_read(self, folder):
        model = load_model(folder)
        before = model.unet.conv_in.weight.clone()
        os.truncate(folder / "model.safetensors", 0)
        assert torch.equal(model.unet.conv_in.weight, before)

    @pytest.mark.parametrize(
        ("damage", "words"),
        [
            (lambda file: os.truncate(file, file.stat().st_size - 1), "bytes; expected"),
            (lambda file: os.truncate(file, 100), "cut off in its header"),
            (lambda file: file.write_bytes(b""), "does not begin as"),
            (lambda file: file.write_bytes(b"\xff" * 1000), "does not begin as"),
            (lambda file: file.write_bytes((200_000).to_bytes(8, "little") + b"[" * 200_000), "header is damaged"),
            (lambda file: file.write_text("version https://git-lfs.github.com/spec/v1\n"), "does not begin as"),
            (lambda file: file.unlink(), "No such file"),
            (lambda file: (file.unlink(), os.mkfifo(file)), "a pipe"),
            (lambda file: (file.unlink(), file.mkdir()), "a folder"),
            (lambda file: (file.unlink(), file.symlink_to("/dev/zero")), "a device"),
        ],
        ids=["a byte less", "cut in the header", "empty", "noise", "nested", "a pointer", "gone", "pipe", "folder",
             "device"],
    )  # fmt: skip
    @pytest.mark.timeout(30)
    def test_that_are_damaged_are_told(self, folder, damage, words):
        damage(folder / "model.safetensors")
        with pytest.raises(ModelBrokenError) as caught:
            load_model(folder)
        assert words in caught.value.text

    @pytest.mark.parametrize(
        ("change", "words"),
        [
            (lambda t: t.pop("unet.conv_in.weight"), "unet.conv_in.weight is missing"),
            (lambda t: t.update({"extra": torch.zeros(1)}), "extra is too much"),
            (lambda t: t.update({"latent_mean": torch.zeros(3)}), "latent_mean is [3], expected [8]"),
        ],
    )
    def test_that_do_not_fit_are_named(self, folder, change, words):
        tensors = load_file(folder / "model.safetensors")
        change(tensors)
        save_file(tensors, folder / "model.safetensors")
        with pytest.raises(ModelBrokenError) as caught:
            load_model(folder)
        assert words in caught.value.text


MEASURE = """
import resource, sys
from pathlib import Path
from engine.checkpoints.store import load_model
from engine.errors import ModelBrokenError, ModelFamilyUnknownError
import engine.presets
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
try:
    load_model(Path(sys.argv[1]))
    print("loaded")
except ModelBrokenError as error:
    print("broken", (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="no resource module")
@pytest.mark.timeout(120)
@pytest.mark.slow
class TestMemory:
    @pytest.mark.parametrize(
        "changes",
        [
            {("unet", "base_channels"): 4096, ("unet", "head_dim"): 64},
            {("clap", "text_width"): 8192, ("clap", "text_layers"): 64, ("clap", "num_buckets"): 10_000_000},
            {("unet", "num_res_blocks"): 16, ("vae", "num_res_blocks"): 16, ("vae", "base_channels"): 4096},
            {("clap", "audio_channels"): [4096] * 8},
        ],
        ids=["wide denoiser", "large text tower", "many blocks", "wide ear"],
    )
    def test_is_not_taken_for_what_the_file_does_not_hold(self, tmp_path, changes):
        (tmp_path / "model.safetensors").write_bytes((SHIPPED_MODELS / "nano" / "model.safetensors").read_bytes())
        (tmp_path / "config.json").write_bytes((SHIPPED_MODELS / "nano" / "config.json").read_bytes())
        for path, value in changes.items():
            rewrite(tmp_path, *path, value=value)
        done = subprocess.run(
            [sys.executable, "-c", MEASURE, str(tmp_path)], capture_output=True, text=True, check=True
        ).stdout.split()
        assert done[0] == "broken"
        assert int(done[1]) < 150  # megabytes
