"""Names of the files that the command line writes."""

import re
from pathlib import Path

import pytest

from engine.cli.outputs import choose_outputs, default_words, refuge
from engine.errors import InvalidRequestError, OutputExistsError, OutputWriteError


@pytest.fixture(autouse=True)
def working_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


class TestNamesThatWereAskedFor:
    def test_one_take_has_the_name_itself(self) -> None:
        assert choose_outputs(Path("rain.wav"), "unused", 1) == [Path("rain.wav")]

    def test_further_takes_are_numbered(self) -> None:
        assert choose_outputs(Path("a/rain.WAV"), "unused", 3) == [
            Path("a/rain.WAV"),
            Path("a/rain (2).WAV"),
            Path("a/rain (3).WAV"),
        ]

    def test_a_missing_ending_is_added(self) -> None:
        assert choose_outputs(Path("rain"), "unused", 1) == [Path("rain.wav")]

    @pytest.mark.parametrize("taken", ["rain.wav", "rain (2).wav", "rain.json"], ids=["first", "further", "story"])
    def test_a_taken_name_is_refused(self, working_folder: Path, taken: str) -> None:
        (working_folder / taken).write_text("mine", encoding="utf-8")

        with pytest.raises(OutputExistsError, match=f"{re.escape(taken)} exists already"):
            choose_outputs(Path("rain.wav"), "unused", 2)

    def test_a_link_to_nowhere_is_taken_too(self, working_folder: Path) -> None:
        (working_folder / "rain.wav").symlink_to("nowhere")

        with pytest.raises(OutputExistsError):
            choose_outputs(Path("rain.wav"), "unused", 1)

    @pytest.mark.parametrize("name", ["rain.mp3", "rain.flac"])
    def test_other_formats_are_refused(self, name: str) -> None:
        with pytest.raises(InvalidRequestError, match=r"output is 'rain\..*'; expected a name that ends in .wav"):
            choose_outputs(Path(name), "unused", 1)


class TestPlacesThatFail:
    """They fail before the work, not after it."""

    def test_a_missing_folder_is_made(self, working_folder: Path) -> None:
        wanted = working_folder / "new" / "deeper" / "rain.wav"
        assert choose_outputs(wanted, "unused", 1) == [wanted]
        assert list(wanted.parent.iterdir()) == []

    def test_a_folder_that_is_a_file_and_a_name_too_long_are_refused(self, working_folder: Path) -> None:
        (working_folder / "file").touch()
        with pytest.raises(OutputWriteError, match="could not be written"):
            choose_outputs(Path("file/rain.wav"), "unused", 1)
        with pytest.raises(OutputWriteError) as caught:
            choose_outputs(Path("x" * 300 + ".wav"), "unused", 1)
        assert "a shorter name" in caught.value.hint

    def test_a_take_whose_folder_vanished_has_a_refuge(self, working_folder: Path) -> None:
        assert refuge(Path("gone/rain.wav")) == working_folder / "rain.wav"


class TestNamesOfOurOwn:
    def test_go_into_the_folder_that_was_asked_for(self, working_folder: Path) -> None:
        assert choose_outputs(working_folder, "rain s1", 1) == [working_folder / "rain s1.wav"]

    def test_pass_over_what_is_there(self, working_folder: Path) -> None:
        (working_folder / "rain s1.wav").touch()
        (working_folder / "rain s1 (3).wav").touch()

        assert [path.name for path in choose_outputs(None, "rain s1", 2)] == ["rain s1 (2).wav", "rain s1 (4).wav"]

    @pytest.mark.parametrize(
        ("arguments", "expected"),
        [
            pytest.param(("generate", "Heavy rain, on tin!", 7), "generate heavy-rain-on-tin s7", id="generate"),
            pytest.param(
                ("restyle", "thunder", 1, Path("a/My Clip.wav")), "My Clip restyle thunder s1", id="with a clip"
            ),
            pytest.param(("generate", "../../etc/passwd", 1), "generate etc-passwd s1", id="no ways out of the folder"),
            pytest.param(("generate", "雨の音", 1), "generate 雨の音 s1", id="another script"),
            pytest.param(("generate", "???", 1), "generate s1", id="nothing to read"),
            pytest.param(
                ("vary", "", 1, Path("Vox 12:30 take?.wav")), "Vox 12-30 take- vary s1", id="a clip no stick takes"
            ),
        ],
    )
    def test_say_what_is_in_the_file(self, arguments: tuple, expected: str) -> None:
        assert default_words(*arguments) == expected

    @pytest.mark.parametrize("prompt", ["long " * 400, "雨" * 1000], ids=["many words", "three bytes a letter"])
    def test_stay_under_120_bytes(self, working_folder: Path, prompt: str) -> None:
        words = default_words("restyle", prompt, 4_294_967_295, Path(prompt[:80]))
        (working_folder / f"{words}.wav").touch()

        (path,) = choose_outputs(None, words, 1)

        assert len(path.name.encode()) <= 120
        assert words.endswith(" s4294967295")
