"""The classifier's recipe with recordings: they are learnt from, and those of packages left out are tested on."""

from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch

from engine.evaluation.classifier import SoundClassifier
from engine.evaluation.classifier_clips import labelled_clips
from engine.evaluation.recorded_clips import RecordedClips
from engine.evaluation.train_classifier import ClassifierSettings, named_by_package, run, train
from engine.sounds import SOUNDS, render

FEW = ClassifierSettings(
    clips_per_class=1,
    test_clips_per_class=1,
    steps=3,
    batch=4,
    recorded_batch=6,
    attribute_steps=1,
    fold_steps=2,
    folds=2,
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Stand-ins for recordings: corpus clips of seeds that no recipe uses, in two packages."""
    folder = tmp_path_factory.mktemp("recordings")
    for place, kind in enumerate(("rain", "siren", "bell")):
        (folder / kind).mkdir()
        for package in ("one", "two"):
            waveform = render(kind, 50_000_000 + place, 1.5, 16_000).waveform
            soundfile.write(folder / kind / f"{package}__{kind}.wav", waveform, 16_000)
    return folder


@pytest.fixture(scope="module")
def recorded(folder: Path) -> RecordedClips:
    return RecordedClips.read(folder, seed=1)


def test_folds_keep_packages_apart(recorded: RecordedClips) -> None:
    for taught, others in recorded.folds(2):
        packages = [{recorded.recordings.packages[k] for k in part} for part in (taught, others)]
        assert not packages[0] & packages[1]
        assert sorted([*taught, *others]) == list(range(6))
        assert recorded.only(others).recordings.kinds == ("bell", "rain", "siren")


def test_the_loss_falls_on_what_is_taught(recorded: RecordedClips) -> None:
    torch.manual_seed(1)
    classifier, generator = SoundClassifier(SOUNDS), torch.Generator().manual_seed(1)
    clips = labelled_clips(1, 60_000_000, None, lambda _: None)
    optimizer = torch.optim.AdamW(classifier.parameters(), 3e-3)
    losses = []
    for _ in range(24):
        loss = recorded.loss(classifier, clips, 6, generator)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert np.mean(losses[-5:]) < 0.95 * np.mean(losses[:5])


def test_training_with_recordings_makes_another_net(recorded: RecordedClips) -> None:
    clips = labelled_clips(1, 60_000_000, None, lambda _: None)
    alone, beside = train(FEW, clips, print), train(FEW, clips, print, recorded)
    assert not torch.equal(alone.head.weight, beside.head.weight)


def test_all_recordings_are_tested_on_once(recorded: RecordedClips) -> None:
    clips = labelled_clips(1, 60_000_000, None, lambda _: None)
    named = named_by_package(FEW, clips, recorded, print)
    assert named["clips"] == 6
    assert 0 <= named["first"] <= named["in_five"] <= 1


@pytest.mark.slow
def test_the_recipe_notes_how_it_names_recordings(folder: Path, tmp_path: Path) -> None:
    from dataclasses import replace

    run(replace(FEW, recordings=folder, output=tmp_path), print)
    assert '"recordings": {' in (tmp_path / "classifier.json").read_text(encoding="utf-8")
