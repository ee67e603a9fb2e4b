"""A sound file becomes a picture."""

import numpy as np
import pytest
import soundfile

from bridge.desktop.state.sound_picture import COLUMNS, ROWS, read_picture
from engine import AudioUnreadableError
from tests.engine.sound_files.surgery import encoded, sweep, with_flac_total


class TestPicture:
    def test_of_a_tone_has_one_bright_row(self, tmp_path):
        time = np.arange(48_000) / 48_000
        soundfile.write(tmp_path / "tone.wav", 0.5 * np.sin(2 * np.pi * 1000 * time), 48_000, subtype="PCM_16")
        picture = read_picture(tmp_path / "tone.wav")

        assert picture.peaks.shape == (COLUMNS, 2)
        assert picture.spectrum.shape == (ROWS, COLUMNS)
        assert picture.peaks.min() == pytest.approx(-0.5, abs=0.01)
        brightest = int(picture.spectrum[:, COLUMNS // 2].argmax())
        hertz = 20_000 * (40 / 20_000) ** ((brightest + 0.5) / ROWS)
        assert hertz == pytest.approx(1000, rel=0.1)
        assert picture.sentence == "1.00 s · 48 kHz · mono · 16-bit"

    def test_of_a_stream_goes_to_its_end(self, tmp_path):
        data = with_flac_total(encoded(tmp_path / "a.flac", sweep(), subtype="PCM_16"), 0)
        (tmp_path / "b.flac").write_bytes(data)
        picture = read_picture(tmp_path / "b.flac")

        assert picture.sentence.startswith("2.00 s")
        assert np.array_equal(picture.peaks, read_picture(tmp_path / "a.flac").peaks)

    def test_of_a_short_and_silent_file_is_still_one(self, tmp_path):
        soundfile.write(tmp_path / "click.wav", np.zeros(10), 16_000)

        assert read_picture(tmp_path / "click.wav").spectrum.max() == 0

    def test_says_when_it_is_no_audio(self, tmp_path):
        (tmp_path / "no.wav").write_text("no")
        with pytest.raises(AudioUnreadableError, match="by its content it is no WAV"):
            read_picture(tmp_path / "no.wav")
