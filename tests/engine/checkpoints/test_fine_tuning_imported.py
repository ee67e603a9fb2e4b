"""A checkpoint of others, imported, then fine-tuned on files of one's own."""

from pathlib import Path

import pytest
import soundfile
import torch

from engine.checkpoints.convert import import_checkpoint
from engine.checkpoints.store import load_model
from engine.cli import DONE, main
from engine.sounds import render


@pytest.mark.slow
@pytest.mark.parametrize("how", [["--rank", "2"], []], ids=["slim changes", "in full"])
def test_an_imported_checkpoint_learns_and_keeps_its_form(
    checkpoint: Path, words_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, how: list[str]
) -> None:
    monkeypatch.setenv("RETAKE_MODELS", str(tmp_path / "models"))
    start = import_checkpoint(checkpoint, "narrow", tmp_path / "models", tokenizer=words_folder)
    for index, sound in enumerate(("rain", "dog")):
        soundfile.write(tmp_path / f"{sound}.wav", render(sound, index, 2.0).waveform, 16_000)
    library = tmp_path / "mine.csv"
    library.write_text("file,caption\nrain.wav,my rain\ndog.wav,my dog\n", encoding="utf-8")
    run = ["--run", str(tmp_path / "run")]
    train = ["train", "ldm", *run, "--start", "narrow", "--manifest", str(library), "--steps", "2", "--batch", "2"]

    assert main([*train, "--rate", "1e-2", *how]) == DONE
    assert main(["train", "join", *run, "-o", str(tmp_path / "tuned")]) == DONE

    before, after = load_model(start), load_model(tmp_path / "tuned")
    assert after.config == before.config
    moved = {
        name.split(".")[0]
        for name, tensor in before.state_dict().items()
        if not torch.equal(tensor.half(), after.state_dict()[name].half())
    }
    assert moved == {"unet"}
    assert torch.equal(after.embed_text(["my dog"]).isfinite().all(), torch.tensor(data=True))
