"""Recordings for listeners: read with kind and package, varied without end, and divided so that tests are fair."""

import csv
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch

from engine.sounds import SOUNDS, render
from engine.training.augmentation import SILENCE, crossed, mixed_up, record_anew
from engine.training.recordings import as_heard, folds, read_recordings, variants
from engine.training.training_errors import RecordingsMissingError

KINDS = ("rain", "dog", "bell")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two packages of recordings at odd rates, in a folder for each kind, among files that are none."""
    for number, kind in enumerate(KINDS):
        (tmp_path / kind).mkdir()
        for package, rate in (("one", 44_100), ("two", 22_050)):
            waveform = render(kind, number, 1.5, rate).waveform
            soundfile.write(tmp_path / kind / f"{package}__{kind}.flac", np.stack([waveform, waveform], axis=1), rate)
    (tmp_path / "saxophone").mkdir()
    soundfile.write(tmp_path / "saxophone" / "one__saxophone.wav", np.full(8_000, 0.1), 16_000)
    soundfile.write(tmp_path / "dog" / "one__silence.wav", np.zeros(8_000), 16_000)
    (tmp_path / "dog" / "one__text.wav").write_text("no sound", encoding="utf-8")
    return tmp_path


def generator(seed: int = 1) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


class TestReading:
    def test_by_folder(self, folder: Path) -> None:
        recordings = read_recordings(folder, SOUNDS)
        assert sorted(recordings.kinds) == sorted(2 * KINDS)
        assert set(recordings.packages) == {"one", "two"}
        assert set(recordings.left_out) == {"saxophone/one__saxophone.wav", "dog/one__silence.wav", "dog/one__text.wav"}
        for waveform in recordings.waveforms:
            assert len(waveform) == pytest.approx(1.5 * 16_000, abs=2)
            assert np.abs(waveform).max() == pytest.approx(1)
            assert abs(waveform.mean()) < 1e-3

    def test_by_list(self, folder: Path) -> None:
        with (folder / "clips.csv").open("w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows(
                [("path", "kind", "package"), ("dog/two__dog.flac", "dog", "kennel"), ("gone.wav", "dog", "kennel")]
            )
        recordings = read_recordings(folder, SOUNDS)
        assert (recordings.kinds, recordings.packages, recordings.left_out) == (("dog",), ("kennel",), ("gone.wav",))

    def test_places_are_those_of_the_given_sounds(self, folder: Path) -> None:
        recordings = read_recordings(folder, KINDS)
        assert [KINDS[place] for place in recordings.places(KINDS)] == list(recordings.kinds)

    def test_a_folder_without_any_is_refused(self, tmp_path: Path) -> None:
        with pytest.raises(RecordingsMissingError, match="no recordings of rain, dog, bell and"):
            read_recordings(tmp_path, (*KINDS, "cat"))


class TestFolds:
    def test_packages_stay_whole_and_folds_are_of_like_size(self) -> None:
        packages = ["a"] * 7 + ["b"] * 5 + ["c"] * 4 + ["d"] * 2
        fold_of = folds(packages, 2)
        assert all(
            len({fold for fold, name in zip(fold_of, packages, strict=True) if name == one}) == 1 for one in "abcd"
        )
        assert sorted(np.bincount(fold_of)) == [9, 9]


class TestVariants:
    def test_no_two_are_alike_and_all_are_whole(self, folder: Path) -> None:
        recordings = read_recordings(folder, KINDS)
        mels = variants(recordings.waveforms, 4, seed=1, seconds=1.28)
        assert mels.shape == (6, 4, 128, 64)
        assert torch.isfinite(mels).all()
        flat = mels.flatten(0, 1).flatten(1).float()
        assert float(torch.cdist(flat, flat)[~torch.eye(len(flat), dtype=bool)].min()) > 1
        assert torch.equal(mels, variants(recordings.waveforms, 4, seed=1, seconds=1.28))

    @pytest.mark.parametrize(("seconds", "windows"), [(0.3, 1), (5.2, 1), (30.0, 3)])
    def test_what_is_tested_are_the_first_windows(self, seconds: float, windows: int) -> None:
        waveform = render("rain", 1, seconds, 16_000).waveform
        assert as_heard(waveform).shape == (windows, 512, 64)


class TestAugmentation:
    mels = torch.stack([as_heard(render(kind, 3, 5.12, 16_000).waveform)[0] for kind in (*KINDS, "siren")])

    def test_every_time_another_of_the_same_shape(self) -> None:
        one, two = (record_anew(self.mels, generator(seed)) for seed in (1, 2))
        assert one.shape == self.mels.shape
        assert torch.isfinite(one).all()
        assert float(one.min()) >= SILENCE
        assert not torch.allclose(one, two)
        assert torch.equal(one, record_anew(self.mels, generator(1)))

    def test_without_strength_only_level_and_place_in_time_change(self) -> None:
        made = record_anew(self.mels, generator(), strength=0.0)
        for one, other in zip(self.mels, made, strict=True):
            best = max(
                float(torch.corrcoef(torch.stack([one.roll(k, 0).flatten(), other.flatten()]))[0, 1])
                for k in range(0, 512, 1)
            )
            assert best > 0.97

    def test_crossed_clips_keep_their_rhythm(self) -> None:
        """What changes is each band's mean and spread: its course stays."""
        made = crossed(self.mels, generator())
        loud = self.mels[0, :, 20] > SILENCE
        pairs = torch.stack([self.mels[0, loud, 20], made[0, loud, 20]])
        assert float(torch.corrcoef(pairs)[0, 1]) > 0.95

    def test_targets_are_mixed_as_the_sounds_are(self) -> None:
        _, targets = mixed_up(self.mels, torch.eye(4), generator())
        assert torch.allclose(targets.sum(1), torch.ones(4))
        assert bool((targets.diagonal() >= 0.5 - 1e-6).all())
