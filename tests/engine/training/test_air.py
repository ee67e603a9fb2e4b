"""The air net's training: which recordings teach it, what it reads of them, and that it learns."""

from pathlib import Path

import numpy as np
import pytest

from engine import Audio
from engine.cli import DONE, main
from engine.models.air_net import AirNet, load_air_net
from engine.operations.air_spectra import LINE_HZ, UPPER
from engine.operations.bands import keep_band
from engine.training.air_material import AirLibrary, pieces_of, recordings_in
from engine.training.train_air import AirSettings, train_air
from engine.training.training_errors import NothingToLearnError


def hiss(
    path: Path, seed: int, seconds: float = 1.0, rate: int = 48_000, until_hz: float | None = None, dull: bool = False
) -> Path:
    """Bursts of white noise, perhaps cut off, perhaps 16 dB softer above 7 kHz."""
    random = np.random.default_rng(seed)
    noise = random.standard_normal((1, round(seconds * rate))) * 0.1 * (1 + (np.arange(seconds * rate) % 9_600 < 2_400))
    if dull:
        noise = keep_band(noise, rate, None, 7_000) + 0.15 * noise
    path.parent.mkdir(exist_ok=True)
    Audio(keep_band(noise.astype(np.float32), rate, None, until_hz), rate).write(path)
    return path


class TestMaterial:
    def test_folders_in_folders_are_read_in_order(self, tmp_path: Path) -> None:
        paths = [hiss(tmp_path / folder / "a.wav", 1, 0.1) for folder in ("b", "a")]
        (tmp_path / "a" / "notes.txt").write_text("no sound")
        (tmp_path / "a" / "._a.wav").write_bytes(b"a Mac was here")
        assert recordings_in([tmp_path]) == sorted(paths)

    @pytest.mark.parametrize(("until_hz", "rate"), [(8_000, 48_000), (None, 16_000)], ids=["cut off", "low rate"])
    def test_what_has_no_highs_teaches_nothing(self, tmp_path: Path, until_hz: float | None, rate: int) -> None:
        assert pieces_of(hiss(tmp_path / "a.wav", 1, rate=rate, until_hz=until_hz)) == []

    def test_bands_above_a_cut_are_not_known(self, tmp_path: Path) -> None:
        piece, *_ = pieces_of(hiss(tmp_path / "a.wav", 1, until_hz=14_000))
        assert piece.known[UPPER[1:] * LINE_HZ < 12_500].all()
        assert not piece.known[UPPER[1:] * LINE_HZ > 14_500].any()

    def test_a_damaged_file_is_passed_over(self, tmp_path: Path) -> None:
        (tmp_path / "a.wav").write_bytes(b"RIFF and nothing else")
        assert pieces_of(tmp_path / "a.wav") == []

    def test_white_noise_is_as_loud_above_as_below(self, tmp_path: Path) -> None:
        library = AirLibrary()
        library.add(tmp_path, pieces_of(hiss(tmp_path / "a.wav", 1, 4)))
        assert library.mean_levels()[:-1] == pytest.approx(0, abs=1.5)

    def test_many_alike_come_more_seldom(self, tmp_path: Path) -> None:
        library, piece = AirLibrary(), pieces_of(hiss(tmp_path / "a.wav", 1))[:1]
        other = pieces_of(hiss(tmp_path / "b.wav", 2))[:1]
        for _ in range(16):
            library.add(tmp_path / "notes", piece)
        library.add(tmp_path / "rain", other)
        random = np.random.default_rng(1)
        rain = np.mean([library.draw(random) is other[0] for _ in range(2_000)])
        assert rain == pytest.approx(1 / 5, abs=0.03)


class TestLearning:
    def test_the_error_falls(self, tmp_path: Path) -> None:
        for seed in range(3):
            hiss(tmp_path / "clips" / f"{seed}.wav", seed, 2, dull=True)
        told: list[str] = []
        settings = AirSettings((tmp_path / "clips",), tmp_path / "net", steps=200, batch=4, frames=96)
        net = train_air(settings, on_stage=told.append)
        first, last = (float(line.split("bands ")[1].split(" ")[0]) for line in told if "bands" in line)
        assert last < 0.8 * first
        assert isinstance(net, AirNet)
        assert load_air_net(tmp_path / "net").mean_levels[3] == pytest.approx(-16, abs=3)

    def test_the_same_seed_trains_the_same_net(self, tmp_path: Path) -> None:
        hiss(tmp_path / "clips" / "a.wav", 1)
        nets = [
            train_air(AirSettings((tmp_path / "clips",), tmp_path / name, 3, 2, 64), on_stage=lambda _: None)
            for name in ("one", "two")
        ]
        assert (nets[0].head.weight == nets[1].head.weight).all()

    def test_nothing_to_learn_is_said(self, tmp_path: Path) -> None:
        hiss(tmp_path / "a.wav", 1, rate=16_000)
        with pytest.raises(NothingToLearnError, match="none of 1 sound files"):
            train_air(AirSettings((tmp_path,), tmp_path / "net"), on_stage=lambda _: None)


class TestCommand:
    def test_trains_and_refuses_to_replace(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        hiss(tmp_path / "clips" / "a.wav", 1, 0.5)
        command = ["train", "air", str(tmp_path / "clips"), "-o", str(tmp_path / "net"), "--steps", "2"]
        assert main([*command, "--codec", "tiny"]) == DONE
        assert f"wrote {tmp_path / 'net'}" in capsys.readouterr().out
        assert load_air_net(tmp_path / "net").config.bands == len(UPPER) - 1
        assert main(command) != DONE
