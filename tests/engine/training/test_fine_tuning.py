"""Fine-tuning an installed model, in full or by slim changes: what learns, what stays, and what comes out."""

from pathlib import Path

import pytest
import soundfile
import torch

from engine.checkpoints.store import load_model, open_model, save_model
from engine.cli import DONE, FAILED, main
from engine.sounds import render
from engine.training.lora import LoraLinear, adapt, merged


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("library")
    lines = ["file,caption"]
    for index, sound in enumerate(("rain", "dog", "siren", "wind")):
        soundfile.write(folder / f"{sound}.wav", render(sound, index, 1.28).waveform, 16_000)
        lines.append(f"{sound}.wav,my {sound}")
    (folder / "mine.csv").write_text("\n".join(lines), encoding="utf-8")
    return folder / "mine.csv"


@pytest.fixture(scope="module")
def start(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An installed model: the tiny preset with random weights."""
    folder = tmp_path_factory.mktemp("models") / "mine"
    save_model(open_model("tiny"), folder, half=False)
    return folder


def tune(run: Path, start: Path, library: Path, *options: str, steps: int = 2) -> Path:
    train = ["train", "ldm", "--run", str(run), "--start", str(start), "--manifest", str(library), *options]
    assert main([*train, "--steps", str(steps), "--batch", "2", "--rate", "1e-2"]) == DONE
    model = run / f"model {steps}"
    assert main(["train", "join", "--run", str(run), "-o", str(model)]) == DONE
    return model


def changed(first: Path, second: Path) -> set[str]:
    """Names of tensors that differ by more than the half precision in which models are saved."""
    before, after = (load_model(folder).state_dict() for folder in (first, second))
    assert before.keys() == after.keys()
    return {name for name, tensor in before.items() if not torch.equal(tensor.half(), after[name].half())}


class TestLowRank:
    def net(self) -> torch.nn.Module:
        with torch.random.fork_rng():
            torch.manual_seed(1)
            return torch.nn.ModuleDict({"query": torch.nn.Linear(6, 4), "other": torch.nn.Linear(6, 4)})

    def test_changes_nothing_at_first(self) -> None:
        net, x = self.net(), torch.randn(3, 6)
        before = net["query"](x)

        torch.testing.assert_close(adapt(net, 2)["query"](x), before)

    def test_only_the_slim_changes_learn(self) -> None:
        net = adapt(self.net(), 2)

        assert {name for name, p in net.named_parameters() if p.requires_grad} == {"query.down", "query.up"}
        assert net["query"].down.shape == (2, 6)
        assert net["query"].up.shape == (4, 2)

    def test_merged_does_the_same_under_the_old_names(self) -> None:
        net, x = adapt(self.net(), 2), torch.randn(3, 6)
        torch.nn.init.normal_(net["query"].up)

        plain = merged(net)

        assert plain.state_dict().keys() == self.net().state_dict().keys()
        torch.testing.assert_close(plain["query"](x), net["query"](x))
        assert isinstance(net["query"], LoraLinear)  # the one that goes on learning is as it was


class TestFineTuning:
    @pytest.mark.slow
    def test_slim_changes_touch_attention_only(self, start: Path, library: Path, tmp_path: Path) -> None:
        model = tune(tmp_path / "run", start, library, "--rank", "2", steps=4)

        names = changed(start, model)
        assert names
        assert all(name.startswith("unet.") and name.endswith(".weight") for name in names)
        kinds = {name.split(".")[-2] for name in names}
        assert kinds <= {"query", "key", "value", "query_key_value", "project", "out"}
        assert load_model(model).config == load_model(start).config

    @pytest.mark.slow
    def test_in_full_every_part_of_the_denoiser_learns_and_nothing_else(
        self, start: Path, library: Path, tmp_path: Path
    ) -> None:
        names = changed(start, tune(tmp_path / "run", start, library, steps=4))

        assert {name.split(".")[0] for name in names} == {"unet"}
        assert any("conv" in name for name in names)

    @pytest.mark.slow
    def test_goes_on_exactly_where_it_stopped(self, start: Path, library: Path, tmp_path: Path) -> None:
        whole = tune(tmp_path / "whole", start, library, "--rank", "2", "--decay-share", "0", steps=4)
        tune(tmp_path / "halves", start, library, "--rank", "2", "--decay-share", "0", steps=2)
        halves = tune(tmp_path / "halves", start, library, "--rank", "2", "--decay-share", "0", steps=4)

        first, second = load_model(whole).unet.state_dict(), load_model(halves).unet.state_dict()
        for name, tensor in first.items():
            torch.testing.assert_close(second[name], tensor, rtol=0, atol=0)

    def test_a_model_that_is_not_there(self, library: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        command = ["train", "ldm", "--run", str(tmp_path), "--start", "nowhere", "--manifest", str(library)]

        assert main(command) == FAILED
        assert "nowhere" in capsys.readouterr().err
        assert not list(tmp_path.rglob("start.json"))

    def test_a_run_that_began_otherwise(
        self, start: Path, library: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        (tmp_path / "parts").mkdir()
        (tmp_path / "parts" / "unet.safetensors").touch()
        command = ["train", "ldm", "--run", str(tmp_path), "--start", str(start), "--manifest", str(library)]

        assert main(command) == FAILED
        assert "began from nothing" in capsys.readouterr().err
