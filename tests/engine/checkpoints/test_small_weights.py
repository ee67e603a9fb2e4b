"""A net in 8 bits comes back nearly as it was, and a model's file holds its draft net that way."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from engine.audioldm import AudioLDM, DraftConfig
from engine.checkpoints.small_weights import squeeze, unsqueeze
from engine.checkpoints.store import load_model, read_config, save_model
from engine.presets import TINY, build

DRAFT = DraftConfig((999, 500), 2.0)


@pytest.fixture(scope="module")
def drafting() -> AudioLDM:
    """The tiny preset with a draft net, all random."""
    return build(replace(TINY, draft=DRAFT))


class TestSqueezing:
    def test_changes_a_weight_by_half_a_step_at_most(self) -> None:
        weight = torch.randn(6, 5, 3, 3) * torch.logspace(-6, 3, 6)[:, None, None, None]

        back = unsqueeze(squeeze({"conv.weight": weight}))["conv.weight"]

        step = weight.abs().amax(dim=(1, 2, 3)) / 127
        assert ((back - weight).abs().amax(dim=(1, 2, 3)) <= 0.5001 * step).all()

    def test_takes_a_byte_a_weight(self) -> None:
        squeezed = squeeze({"linear.weight": torch.randn(4, 100)})

        assert squeezed["linear.weight"].dtype == torch.int8
        assert squeezed["linear.weight.scale"].shape == (4,)

    def test_a_second_time_changes_nothing(self) -> None:
        once = unsqueeze(squeeze({"w": torch.randn(16, 33)}))

        torch.testing.assert_close(unsqueeze(squeeze(once))["w"], once["w"], rtol=1e-6, atol=0)

    def test_channels_of_zeros_stay_zeros(self) -> None:
        assert not unsqueeze(squeeze({"w": torch.zeros(2, 3)}))["w"].any()

    def test_leaves_vectors_and_whole_numbers_alone(self) -> None:
        tensors = {"bias": torch.randn(5), "table": torch.arange(6).view(2, 3), "norm.scale": torch.randn(5)}

        back = unsqueeze(squeeze(tensors))

        assert back.keys() == tensors.keys()
        assert all(torch.equal(back[name], tensor) for name, tensor in tensors.items())


class TestModelFile:
    def test_holds_the_draft_net_in_8_bits(self, drafting: AudioLDM, tmp_path: Path) -> None:
        save_model(drafting, tmp_path)

        stored = load_file(tmp_path / "model.safetensors")
        loaded = load_model(tmp_path)

        assert {stored[name].dtype for name in ("draft.conv_in.weight", "unet.conv_in.weight")} == {
            torch.int8,
            torch.float16,
        }
        assert loaded.config == drafting.config
        assert loaded.draft is not None
        assert drafting.draft is not None
        expected = drafting.draft.conv_in.weight.detach()
        assert (loaded.draft.conv_in.weight - expected).abs().max() <= expected.abs().max() / 127

    def test_of_a_small_model_holds_the_denoiser_in_8_bits_too(self, drafting: AudioLDM, tmp_path: Path) -> None:
        save_model(drafting, tmp_path, small=True)

        stored = load_file(tmp_path / "model.safetensors")

        assert stored["unet.conv_in.weight"].dtype == torch.int8
        assert stored["vae.encoder.conv_in.weight"].dtype == torch.float16
        expected = drafting.unet.conv_in.weight.detach()
        error = (load_model(tmp_path).unet.conv_in.weight - expected).abs().max()
        assert 0 < error <= expected.abs().max() / 127

    def test_in_full_precision_nothing_changes(self, drafting: AudioLDM, tmp_path: Path) -> None:
        save_model(drafting, tmp_path, half=False)

        loaded = load_model(tmp_path).state_dict()

        assert all(torch.equal(loaded[name], tensor) for name, tensor in drafting.state_dict().items())

    def test_a_file_from_before_draft_nets_still_loads(self, tmp_path: Path) -> None:
        save_model(build(TINY), tmp_path)
        path = tmp_path / "config.json"
        values = json.loads(path.read_text())
        del values["draft"]
        path.write_text(json.dumps(values))

        assert read_config(tmp_path) == TINY
        assert load_model(tmp_path).draft is None
