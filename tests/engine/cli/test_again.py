"""`retake again`: the story inside a take, or beside it, is enough to make it once more, sample by sample."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

from engine.audio import Audio
from engine.checkpoints.store import save_model
from engine.cli import DONE, FAILED, main
from engine.presets import PRESETS, build

QUICK = ("--model", "tiny", "--device", "cpu", "--steps", "2", "-o", "take.wav")


@pytest.fixture(autouse=True)
def working_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def clip(working_folder: Path) -> Path:
    """One second of stereo, dull, 24-bit, 44.1 kHz."""
    return noise(working_folder / "clip.wav", seed=1)


@pytest.fixture
def like(working_folder: Path) -> Path:
    return noise(working_folder / "like.wav", seed=2)


def noise(path: Path, seed: int) -> Path:
    spectrum = np.fft.rfft(np.random.default_rng(seed).standard_normal((44_100, 2)), axis=0)
    spectrum[3000:] = 0
    samples = np.fft.irfft(spectrum, axis=0)
    soundfile.write(path, 0.3 * samples / np.abs(samples).max(), 44_100, subtype="PCM_24")
    return path


def samples(path: str | Path) -> np.ndarray:
    return soundfile.read(path, dtype="int32", always_2d=True)[0]


REQUESTS = {
    "generate": ["generate", "rain", "--seconds", "0.5", "--seed", "9", "--negative", "wind", "--sampler", "ddim"],
    "generate like a clip": ["generate", "--like", "like.wav", "--seconds", "0.5", "--guidance", "3"],
    "generate, mixed": ["generate", "rain", "--like", "like.wav", "--like-weight", "0.3", "--seconds", "0.5"],
    "restyle": ["restyle", "clip.wav", "rain", "--strength", "0.7", "--seed", "3"],
    "restyle of a part": ["restyle", "clip.wav", "rain", "--start", "0.2", "--end", "0.6", "--keep-air"],
    "restyle by nothing": ["restyle", "clip.wav", "rain", "--strength", "0"],
    "vary": ["vary", "clip.wav", "--strength", "0.6"],
    "vary with words": ["vary", "clip.wav", "rain", "--like-weight", "0.2"],
    "inpaint": ["inpaint", "clip.wav", "rain", "--start", "0.2", "--end", "0.4", "--low-hz", "300", "--keep-air"],
    "inpaint with bands": [
        "inpaint",
        "clip.wav",
        "rain",
        "--region",
        "0",
        "0.2",
        "--region",
        "0.5",
        "0.7",
        "300",
        "900",
    ],
    "inpaint like a clip": ["inpaint", "clip.wav", "--like", "like.wav", "--region", "0.1", "0.3"],
    "upscale": ["upscale", "clip.wav"],
    "upscale to another rate": ["upscale", "clip.wav", "--like", "like.wav", "--output-rate", "48000"],
    "upscale from here": ["upscale", "clip.wav", "birds", "--cutoff-hz", "4000", "--start", "0.2"],
}


@pytest.mark.usefixtures("clip", "like")
class TestTheSameTake:
    @pytest.mark.parametrize("words", REQUESTS.values(), ids=REQUESTS)
    def test_every_operation_is_repeated_sample_by_sample(
        self, words: list[str], capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert main([*words, *QUICK]) == DONE
        assert main(["again", "take.wav", "-o", "again.wav"]) == DONE

        assert (samples("take.wav") == samples("again.wav")).all()
        first, second = (json.loads(Path(name).read_text(encoding="utf-8")) for name in ("take.json", "again.json"))
        assert first == second
        assert "not the sound" not in capsys.readouterr().err

    def test_any_of_several_candidates_is_repeated_alone(self, working_folder: Path) -> None:
        main(["restyle", "--seed", "1", "clip.wav", "rain", "--candidates", "3", *QUICK])
        for number in (1, 2, 3):
            name = "take.wav" if number == 1 else f"take ({number}).wav"
            assert main(["again", name, "-o", f"again{number}.wav"]) == DONE
            assert (samples(name) == samples(f"again{number}.wav")).all()

        assert len(list(working_folder.glob("again*.wav"))) == 3

    def test_the_sidecar_is_enough(self) -> None:
        main(["vary", "--seed", "1", "clip.wav", *QUICK])
        shutil.copy("take.json", "story.json")

        assert main(["again", "story.json", "-o", "again.wav"]) == DONE
        assert (samples("take.wav") == samples("again.wav")).all()

    def test_the_wav_is_enough_wherever_it_is(self, tmp_path_factory: pytest.TempPathFactory) -> None:
        """Also with a story that libsndfile finds too long to read."""
        main(["restyle", "--seed", "1", "clip.wav", "rain " * 199, "--negative", "雨" * 999, *QUICK])
        elsewhere = shutil.copy("take.wav", tmp_path_factory.mktemp("elsewhere"))

        assert main(["again", str(elsewhere), "-o", "again.wav"]) == DONE
        assert (samples("take.wav") == samples("again.wav")).all()

    def test_a_repeated_take_is_repeated(self) -> None:
        main(["vary", "--seed", "1", "clip.wav", *QUICK])
        main(["again", "take.wav", "-o", "second.wav"])

        assert main(["again", "second.wav", "-o", "third.wav"]) == DONE
        assert (samples("take.wav") == samples("third.wav")).all()

    def test_finds_a_name_of_its_own(self, capsys: pytest.CaptureFixture[str]) -> None:
        main(["vary", "--seed", "1", "clip.wav", *QUICK])
        capsys.readouterr()

        main(["again", "take.wav"])
        main(["again", "take.wav"])
        assert capsys.readouterr().out.splitlines() == ["clip vary s1.wav", "clip vary s1 (2).wav"]

    def test_a_model_in_a_folder_is_found_from_elsewhere(
        self, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        save_model(build(PRESETS["tiny"]), Path("mine"), half=False)
        words = ["generate", "rain", "--seconds", "0.3", "--steps", "1", "--device", "cpu", "--model", "mine"]
        assert main([*words, "-o", "take.wav"]) == DONE
        take = Path("take.wav").absolute()
        monkeypatch.chdir(tmp_path_factory.mktemp("elsewhere"))

        assert main(["again", str(take), "-o", "again.wav"]) == DONE
        assert (samples(take) == samples("again.wav")).all()

    def test_says_when_it_became_another_sound(self, capsys: pytest.CaptureFixture[str]) -> None:
        main(["generate", "--seed", "1", "rain", "--seconds", "0.5", *QUICK])
        story = json.loads(Path("take.json").read_text(encoding="utf-8"))
        Path("take.wav").unlink()
        soundfile.write("take.wav", np.zeros(8000), 16_000)
        capsys.readouterr()

        assert story["warnings"] == []
        assert main(["again", "take.wav", "-o", "again.wav"]) == DONE
        assert "warning: it is not the sound of take.wav" in capsys.readouterr().err


@pytest.mark.usefixtures("clip")
class TestAnotherSeed:
    def test_makes_another_take_of_the_same_request(self) -> None:
        main(["restyle", "--seed", "1", "clip.wav", "rain", "--strength", "0.9", *QUICK])
        main(["restyle", "clip.wav", "rain", "--strength", "0.9", "--seed", "5", *QUICK[:-1], "asked.wav"])

        assert main(["again", "take.wav", "--seed", "5", "-o", "again.wav"]) == DONE
        assert (samples("again.wav") == samples("asked.wav")).all()
        assert (samples("again.wav") != samples("take.wav")).any()

    def test_may_be_a_random_one_which_is_said(self, capsys: pytest.CaptureFixture[str]) -> None:
        main(["restyle", "--seed", "1", "clip.wav", "rain", "--strength", "0.9", *QUICK])
        capsys.readouterr()
        assert main(["again", "take.wav", "--seed", "random", "-o", "again.wav"]) == DONE

        assert "drawn at random" in capsys.readouterr().err
        assert (samples("again.wav") != samples("take.wav")).any()

    def test_keeps_the_best_of_as_many_candidates(self, working_folder: Path) -> None:
        main(["generate", "--seed", "1", "rain", "--seconds", "0.5", "--candidates", "3", *QUICK])
        main(["generate", "rain", "--seconds", "0.5", "--candidates", "3", "--seed", "5", *QUICK[:-1], "asked.wav"])

        assert main(["again", "take (3).wav", "--seed", "5", "-o", "again.wav"]) == DONE
        assert (samples("again.wav") == samples("asked.wav")).all()
        assert not (working_folder / "again (2).wav").exists()


class TestSources:
    def test_a_clip_that_moved_is_named(self, clip: Path, capsys: pytest.CaptureFixture[str]) -> None:
        main(["vary", "--seed", "1", str(clip), *QUICK])
        clip.rename("moved.wav")
        capsys.readouterr()

        assert main(["again", "take.wav", "-o", "again.wav"]) == FAILED
        text, hint = capsys.readouterr().err.splitlines()
        assert text == f"the take cannot be made again: it was made from a clip, and there is no file at {clip}"
        assert hint == "hint: say where that clip lies now: --clip FILE"
        assert main(["again", "take.wav", "--clip", "moved.wav", "-o", "again.wav"]) == DONE
        assert (samples("take.wav") == samples("again.wav")).all()

    def test_a_clip_to_be_like_that_moved_is_named(self, like: Path, capsys: pytest.CaptureFixture[str]) -> None:
        main(["generate", "--seed", "1", "--like", str(like), "--seconds", "0.3", *QUICK])
        like.rename("moved.wav")

        assert main(["again", "take.wav", "-o", "again.wav"]) == FAILED
        assert "--like FILE" in capsys.readouterr().err
        assert main(["again", "take.wav", "--like", "moved.wav", "-o", "again.wav"]) == DONE

    def test_a_clip_that_became_another_sound_is_refused(
        self, clip: Path, working_folder: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        main(["vary", "--seed", "1", str(clip), *QUICK])
        noise(clip, seed=3)
        before = sorted(working_folder.iterdir())

        assert main(["again", "take.wav", "-o", "again.wav"]) == FAILED
        assert f"{clip} is not the sound any more" in capsys.readouterr().err
        assert sorted(working_folder.iterdir()) == before

    def test_a_clip_that_only_got_another_name_or_tags_is_the_same_sound(self, clip: Path) -> None:
        """The fingerprint is that of the samples."""
        main(["vary", "--seed", "1", str(clip), *QUICK])
        Audio(Audio.read(clip).samples, 44_100, {"title": "tagged"}, "PCM_24").write("tagged.wav")

        assert main(["again", "take.wav", "--clip", "tagged.wav", "-o", "again.wav"]) == DONE
        assert (samples("take.wav") == samples("again.wav")).all()


class TestBrokenStories:
    @pytest.mark.parametrize(
        ("story", "sentence"),
        [
            pytest.param("no json", "there is no story in take.json", id="not JSON"),
            pytest.param([1], "there is no story in take.json", id="a list"),
            pytest.param({}, "its story names the operation None", id="nothing"),
            pytest.param({"operation": ["vary"]}, "its story names the operation ['vary']", id="strange operation"),
            pytest.param({"operation": "sing"}, "known are generate, restyle", id="unknown operation"),
            pytest.param({"operation": "generate"}, "prompt is empty", id="no prompt"),
            pytest.param({"operation": "generate", "prompt": 5}, "prompt is 5", id="a number as prompt"),
            pytest.param({"operation": "generate", "prompt": "x", "seed": "y"}, "seed is 'y'", id="a word as seed"),
            pytest.param({"operation": "vary"}, "its story does not say where", id="no clip"),
            pytest.param(
                {"operation": "generate", "prompt": "x", "like_sha256": "0"}, "does not say where", id="samples alone"
            ),
            pytest.param({"operation": "vary", "clip": 5}, "there is no file at 5", id="a number as clip"),
            pytest.param(
                {"operation": "generate", "prompt": "x", "seconds": 0.2, "steps": 1, "model": "tiny", "candidate": 7},
                "candidate 7 of 1",
                id="no such candidate",
            ),
            pytest.param(
                {"operation": "generate", "prompt": "x", "device": "abacus"}, "device 'abacus'", id="other machine"
            ),
        ],
    )
    def test_are_refused_with_a_sentence(
        self, working_folder: Path, story: object, sentence: str, capsys: pytest.CaptureFixture[str]
    ) -> None:
        text = story if isinstance(story, str) else json.dumps(story)
        Path("take.json").write_text(text, encoding="utf-8")

        assert main(["again", "take.json"]) == FAILED
        said, hint = capsys.readouterr().err.splitlines()
        assert sentence in said
        assert hint.startswith("hint: ")
        assert [path.name for path in working_folder.iterdir()] == ["take.json"]


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="names of files are Unicode there")
def test_names_that_are_no_text_go_in_and_out(clip: Path) -> None:
    """The story keeps the bytes of a name as `surrogateescape` has them; take names that Retake chooses are text."""
    clip.rename(odd := clip.with_name(os.fsdecode(b"caf\xe9.wav")))
    take = os.fsdecode(b"th\xe9.wav")
    for words in (
        ["vary", "--seed", "1", odd.name, *QUICK[:-1], take],
        ["restyle", "--seed", "1", take, "rain", *QUICK[:-2], "--like", odd.name],
        ["again", take],
    ):
        done = subprocess.run([sys.executable, "-m", "bridge", *words], capture_output=True, check=False)
        assert (done.returncode, done.stdout.count(b"\n")) == (DONE, 1), done.stderr

    made = {path.name for path in clip.parent.glob("*.wav")}
    assert made == {odd.name, take, "caf- vary s1.wav", "th- restyle rain s1.wav"}
    assert json.loads(Path(take).with_suffix(".json").read_text("ascii"))["clip"].endswith(odd.name)
