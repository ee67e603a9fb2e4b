"""The command line, run for real with the tiny preset: files, words, exit codes, and nothing overwritten."""

import argparse
import json
import os
import re
import select
import signal
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
import soundfile
from setuptools import find_packages

from engine.cli import CANCELLED, COMMANDS, DONE, FAILED, WRONG_USAGE, Command, main
from engine.cli.commands import load
from engine.diffusion.solvers import SAMPLERS
from engine.errors import PackageMissingError
from engine.operation_table import rows_of

TINY = ("--model", "tiny", "--device", "cpu")
QUICK = (*TINY, "--steps", "2")
HOUSE = Path(__file__).parents[3]


@pytest.fixture(autouse=True)
def working_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def clip(working_folder: Path) -> Path:
    """One second of stereo noise, 24-bit, 44.1 kHz."""
    samples = 0.1 * np.random.default_rng(1).standard_normal((44_100, 2))
    soundfile.write(working_folder / "clip.wav", samples, 44_100, subtype="PCM_24")
    return Path("clip.wav")


@pytest.fixture
def files(clip: Path) -> Path:
    """The clip, among files that are none."""
    noise = np.random.default_rng(2).standard_normal(16_000).astype(np.float32) * 0.1
    Path("text.wav").write_text("hello", encoding="utf-8")
    soundfile.write("empty.wav", noise[:0], 16_000)
    soundfile.write("nan.wav", np.where(noise > 0.2, np.nan, noise), 16_000, subtype="FLOAT")
    soundfile.write("surround.wav", np.stack([noise] * 6, axis=1), 48_000)
    return clip.parent


class TestHelp:
    def test_lists_every_command(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert main(["--help"]) == DONE
        shown = capsys.readouterr().out

        for command in COMMANDS:
            assert command.name in shown
            assert command.summary in shown

    @pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.name)
    def test_of_every_command_explains_it(self, command: Command, capsys: pytest.CaptureFixture[str]) -> None:
        assert main([command.name, "--help"]) == DONE
        assert f"usage: retake {command.name}" in capsys.readouterr().out

    @pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.name)
    def test_every_command_can_be_found(self, command: Command) -> None:
        assert callable(load(command.arguments))
        assert callable(load(command.run))

    @pytest.mark.parametrize("words", [("--help",), ("generate", "--help"), ("inpaint", "--nonsense"), ("--version",)])
    def test_does_not_wait_for_torch(self, words: tuple[str, ...]) -> None:
        code = f"import sys; from engine.cli import main; main({list(words)}); sys.exit('torch' in sys.modules)"
        environment = os.environ | {"PYTHONPATH": str(HOUSE)}

        done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, check=False)

        assert done.returncode == 0, "torch was imported"

    def test_another_house_may_add_its_commands(self, capsys: pytest.CaptureFixture[str]) -> None:
        row = Command("greet", "say hello", f"{__name__}:add_greeting", f"{__name__}:run_greeting")
        sys.modules.setdefault(__name__, sys.modules[self.__module__])

        assert main(["greet", "Ada"], commands=(*COMMANDS, row)) == 7
        assert capsys.readouterr().out == "hello Ada\n"

    def test_offers_the_samplers_that_there_are(self) -> None:
        assert set(rows_of("generate")["sampler"]["enum"]) == set(SAMPLERS)

    def test_a_list_of_words_is_explained_by_its_words(self, capsys: pytest.CaptureFixture[str]) -> None:
        main(["generate", "--help"])
        shown = " ".join(capsys.readouterr().out.split())
        assert "--follow-what A,B what of that clip" in shown
        assert "one or more of loudness, brightness, pitch; default loudness)" in shown

    @pytest.mark.parametrize(
        ("what", "sentence"),
        [
            ("pitch,loudness", "there is no file at gone.wav"),
            ("pitch,loud", "one or more of loudness, brightness, pitch"),
        ],
    )
    def test_a_list_of_words_has_any_order(self, capsys: pytest.CaptureFixture[str], what: str, sentence: str) -> None:
        follow = ["--follow", "gone.wav"] if sentence.endswith(".wav") else []
        assert main(["generate", "rain", *follow, "--follow-what", what]) == FAILED
        assert sentence in capsys.readouterr().err

    def test_a_missing_optional_package_is_named(self) -> None:
        with pytest.raises(PackageMissingError, match="--picture needs the package 'no_such_package'") as caught:
            load("no_such_package.drawing:draw", "--picture")

        assert "retake[train]" in caught.value.hint


def add_greeting(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name")


def run_greeting(options: argparse.Namespace) -> int:
    print(f"hello {options.name}")
    return 7


class TestGenerate:
    def test_writes_what_was_asked_for(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert main(["generate", "--seed", "1", "rain", "-o", "rain.wav", "--seconds", "0.5", *QUICK]) == DONE

        assert capsys.readouterr().out == "rain.wav\n"
        facts = soundfile.info("rain.wav")
        assert (facts.samplerate, facts.channels, facts.frames) == (48_000, 1, 24_000)

    def test_each_sound_is_another_and_the_seed_of_it_is_said(self, capsys: pytest.CaptureFixture[str]) -> None:
        words = ["generate", "rain", "--seconds", "0.5", *QUICK]
        said = []
        for choice in ([], ["--seed", "random"], []):
            assert main([*words, *choice]) == DONE
            said.append(capsys.readouterr().err)
        seeds = [
            re.fullmatch(r"seed (\d+), drawn at random; --seed \1 makes this sound again\n", text)[1] for text in said
        ]
        assert main([*words, "--seed", seeds[0], "-o", "once-more.wav"]) == DONE

        assert len(set(seeds)) > 1
        first = Path(f"generate rain s{seeds[0]}.wav")
        assert first.read_bytes() == Path("once-more.wav").read_bytes()
        assert capsys.readouterr().err == ""

    def test_candidates_are_numbered_best_first(self, capsys: pytest.CaptureFixture[str]) -> None:
        words = [
            "generate",
            "rain",
            "-o",
            "r.wav",
            "--seconds",
            "0.5",
            "--candidates",
            "3",
            "--seed",
            "1",
            "--json",
            *QUICK,
        ]

        assert main(words) == DONE

        takes = json.loads(capsys.readouterr().out)["takes"]
        assert [take["path"] for take in takes] == ["r.wav", "r (2).wav", "r (3).wav"]
        assert [take["score"] for take in takes] == sorted((take["score"] for take in takes), reverse=True)
        assert all(Path(take["path"]).exists() for take in takes)
        assert {(take["prompt"], take["seed"], take["steps"], take["model"]) for take in takes} == {
            ("rain", 1, 2, "tiny")
        }

    def test_without_a_name_finds_one_of_its_own(self, capsys: pytest.CaptureFixture[str]) -> None:
        words = ["generate", "Heavy rain!", "--seconds", "0.5", "--seed", "7", *QUICK]

        assert (main(words), main(words)) == (DONE, DONE)

        assert capsys.readouterr().out.splitlines() == ["generate heavy-rain s7.wav", "generate heavy-rain s7 (2).wav"]

    def test_a_clip_may_take_the_place_of_the_words(self, clip: Path, capsys: pytest.CaptureFixture[str]) -> None:
        assert main(["generate", "--seed", "1", "--like", str(clip), "--seconds", "0.5", *QUICK]) == DONE

        assert capsys.readouterr().out == "generate like-clip s1.wav\n"
        assert json.loads(Path("generate like-clip s1.json").read_text(encoding="utf-8"))["like"] == str(
            clip.absolute()
        )

    @pytest.mark.parametrize("weight", ["0", "1"], ids=["words alone", "clip alone"])
    def test_words_and_a_clip_are_mixed_by_weight(self, clip: Path, weight: str) -> None:
        like = ("--like", str(clip))
        one = ["rain"] if weight == "0" else like
        main(["generate", "--seed", "1", *one, "-o", "one.wav", "--seconds", "0.5", *QUICK])
        main(
            [
                "generate",
                "--seed",
                "1",
                *like,
                "--like-weight",
                weight,
                "rain",
                "-o",
                "mixed.wav",
                "--seconds",
                "0.5",
                *QUICK,
            ]
        )
        main(
            [
                "generate",
                "--seed",
                "1",
                *like,
                "--like-weight",
                "0.5",
                "rain",
                "-o",
                "half.wav",
                "--seconds",
                "0.5",
                *QUICK,
            ]
        )

        one_alone, mixed, half = (soundfile.read(name)[0] for name in ("one.wav", "mixed.wav", "half.wav"))
        assert mixed == pytest.approx(one_alone, abs=1e-3)
        assert np.abs(half - one_alone).max() > 1e-3

    def test_the_same_seed_gives_the_same_sound(self) -> None:
        for name in ("a.wav", "b.wav"):
            main(["generate", "rain", "-o", name, "--seconds", "0.5", "--seed", "3", *QUICK])
        main(["generate", "rain", "-o", "c.wav", "--seconds", "0.5", "--seed", "4", *QUICK])

        first, second, third = (soundfile.read(name)[0] for name in ("a.wav", "b.wav", "c.wav"))
        assert (first == second).all()
        assert (first != third).any()

    def test_is_silent_on_stderr_when_nothing_is_wrong(self, capsys: pytest.CaptureFixture[str]) -> None:
        """No progress bar where stderr is no terminal."""
        main(["generate", "--seed", "1", "rain", "-o", "rain.wav", "--seconds", "0.5", *QUICK])

        assert capsys.readouterr().err == ""

    def test_nothing_is_overwritten(self, working_folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        (working_folder / "rain.wav").write_text("mine", encoding="utf-8")

        assert main(["generate", "--seed", "1", "rain", "-o", "rain.wav", *QUICK]) == FAILED

        assert (working_folder / "rain.wav").read_text(encoding="utf-8") == "mine"
        assert capsys.readouterr().err.splitlines() == [
            "rain.wav exists already and is not overwritten",
            "hint: choose another name or folder",
        ]


class TestEditing:
    def test_restyle_keeps_the_shape_of_the_clip(self, clip: Path) -> None:
        assert (
            main(["restyle", "--seed", "1", str(clip), "thunder", "-o", "out.wav", "--strength", "0.8", *QUICK]) == DONE
        )

        facts = soundfile.info("out.wav")
        assert (facts.samplerate, facts.channels, facts.frames, facts.subtype) == (44_100, 2, 44_100, "PCM_24")

    def test_restyle_leaves_the_rest_of_the_clip_alone(self, clip: Path) -> None:
        main(
            ["restyle", "--seed", "1", str(clip), "thunder", "-o", "out.wav", "--start", "0.5", "--end", "0.9", *QUICK]
        )

        before, after = (soundfile.read(name, dtype="int32")[0] for name in (clip, "out.wav"))
        assert (before[:17_640] == after[:17_640]).all()
        assert (before != after).any()

    def test_inpaint_takes_several_gaps(self, clip: Path) -> None:
        gaps = ("--start", "0.1", "--end", "0.2", "--region", "0.5", "0.6")

        assert main(["inpaint", "--seed", "1", str(clip), "birds", "-o", "out.wav", *gaps, *QUICK]) == DONE

        before, after = (soundfile.read(name, dtype="int32")[0] for name in (clip, "out.wav"))
        changed = np.flatnonzero((before != after).any(axis=1)) / 44_100
        assert ((changed > 0.05) & (changed < 0.65)).all()
        assert (changed < 0.25).any()
        assert (changed > 0.45).any()
        assert not ((changed > 0.3) & (changed < 0.4)).any()

    def test_inpaint_takes_a_band_for_a_gap(self, clip: Path) -> None:
        gaps = ("--region", "0.1", "0.2", "1000", "4000", "--region", "0.5", "0.6")

        assert main(["inpaint", "--seed", "1", str(clip), "birds", "-o", "out.wav", *gaps, *QUICK]) == DONE

        before, after = (soundfile.read(name)[0] for name in (clip, "out.wav"))
        spectra = (
            np.abs(np.fft.rfft((after - before)[4410:8820], axis=0)),
            np.abs(np.fft.rfft(before[4410:8820], axis=0)),
        )
        changed, whole = (np.square(spectrum).sum(axis=1) for spectrum in spectra)
        hz = np.fft.rfftfreq(4410, 1 / 44_100)
        outside = (hz < 700) | (hz > 4600)
        assert changed[outside].sum() < 0.01 * changed.sum()
        assert changed[~outside].sum() > 0.1 * whole[~outside].sum()
        assert (before[22_050:26_460] != after[22_050:26_460]).any()

    def test_vary_needs_no_words(self, clip: Path, capsys: pytest.CaptureFixture[str]) -> None:
        assert main(["vary", "--seed", "1", str(clip), "--start", "0.5", *QUICK]) == DONE

        assert capsys.readouterr().out == "clip vary s1.wav\n"
        before, after = (soundfile.read(name, dtype="int32")[0] for name in (clip, "clip vary s1.wav"))
        assert before.shape == after.shape
        assert (before[:22_050] == after[:22_050]).all()
        assert (before[22_050:] != after[22_050:]).any()

    def test_upscale_keeps_what_the_clip_holds(self, clip: Path, capsys: pytest.CaptureFixture[str]) -> None:
        assert main(["upscale", "--seed", "1", str(clip), "--cutoff-hz", "4000", *QUICK]) == DONE

        assert capsys.readouterr().out == "clip upscale s1.wav\n"
        before, after = (soundfile.read(name)[0] for name in (clip, "clip upscale s1.wav"))
        changed = np.abs(np.fft.rfft(after - before, axis=0)).sum(axis=1)
        hz = np.fft.rfftfreq(44_100, 1 / 44_100)
        assert after.shape == before.shape
        assert changed[hz < 3500].max() < 0.01 * changed[hz > 4500].max()

    def test_words_may_come_behind_options(self, clip: Path) -> None:
        words = ["vary", "--seed", "2", str(clip), "--strength", "0.2", "rain", "-o", "out.wav", *QUICK]

        assert main(words) == DONE
        assert json.loads(Path("out.json").read_text(encoding="utf-8"))["prompt"] == "rain"

    def test_names_its_result_after_the_clip(self, clip: Path, capsys: pytest.CaptureFixture[str]) -> None:
        main(["inpaint", "--seed", "1", str(clip), "glass break", "--start", "0.2", "--end", "0.4", *QUICK])

        assert capsys.readouterr().out == "clip inpaint glass-break s1.wav\n"


class TestBenchmark:
    def test_reports_stages_and_the_ratio_of_two_settings(self, capsys: pytest.CaptureFixture[str]) -> None:
        words = ["benchmark", "--runs", "3", "--seconds", "0.5", "--against", "candidates=4", "--json", *QUICK]

        assert main(words) == DONE

        report = json.loads(capsys.readouterr().out)
        assert (report["model"], report["device"], report["runs"]) == ("tiny", "cpu", 3)
        for one in (report["this"], report["other"]):
            assert 0 < one["fastest_s"] <= one["median_s"] <= one["slowest_s"]
            assert set(one["stages_s"]) == {"sampling", "decoding"}
            assert 0 < sum(one["stages_s"].values()) < 2 * one["slowest_s"]
        assert report["ratio"] == pytest.approx(report["other"]["median_s"] / report["this"]["median_s"], rel=0.01)

    def test_speaks_in_plain_text(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert main(["benchmark", "--runs", "1", "--seconds", "0.5", *QUICK]) == DONE

        first, *rest = capsys.readouterr().out.splitlines()
        assert first == "0.5 s with tiny on cpu, median of 1 warm runs"
        assert [line.split()[0] for line in rest[1:]] == ["sampling", "decoding"]


class TestBadInput:
    @pytest.mark.parametrize(
        ("words", "sentence"),
        [
            pytest.param(["generate", ""], "prompt is empty", id="no prompt"),
            pytest.param(["generate", "x" * 5000], "the prompt has 5000 characters", id="endless prompt"),
            pytest.param(["generate", "rain", "--seconds", "0"], "--seconds is 0; expected", id="no length"),
            pytest.param(["generate", "rain", "--seconds", "nan"], "seconds is nan", id="length is not a number"),
            pytest.param(["generate", "rain", "--seconds", "1e9"], "--seconds is 1000000000", id="endless"),
            pytest.param(["generate", "rain", "--steps", "0"], "--steps is 0; expected a whole number", id="no steps"),
            pytest.param(["generate", "rain", "--candidates", "99"], "--candidates is 99", id="too many takes"),
            pytest.param(["generate", "rain", "--candidates", "0"], "--candidates is 0", id="no takes"),
            pytest.param(["generate", "rain", "--seed", "-1"], "--seed is -1", id="negative seed"),
            pytest.param(["generate", "rain", "--model", "no-such"], "no model 'no-such'", id="unknown model"),
            pytest.param(["generate", "rain", "-o", "rain.mp3"], "a name that ends in .wav", id="other format"),
            pytest.param(
                [
                    "generate",
                    "rain",
                    "--model",
                    "tiny",
                    "--steps",
                    "1",
                    "--seconds",
                    "0.2",
                    "-o",
                    "/proc/no/such/folder/a.wav",
                ],
                "/proc/no/such/folder",
                id="no such folder",
            ),
            pytest.param(["restyle", "none.wav", "rain"], "there is no file at none.wav", id="no clip"),
            pytest.param(["restyle", "text.wav", "rain"], "text.wav could not be read as audio", id="not audio"),
            pytest.param(["restyle", "empty.wav", "rain"], "the clip lasts 0.000 s", id="empty clip"),
            pytest.param(["restyle", "nan.wav", "rain"], "samples that are not numbers", id="NaN in the clip"),
            pytest.param(["restyle", "surround.wav", "rain"], "the clip has 6 channels", id="5.1"),
            pytest.param(["restyle", ".", "rain"], "could not be read as audio", id="a folder as clip"),
            pytest.param(["restyle", "clip.wav", "rain", "--strength", "2"], "--strength is 2", id="too strong"),
            pytest.param(
                ["restyle", "clip.wav", "rain", "--start", "0.8", "--end", "0.2"],
                "the region 0.8 s to 0.2 s",
                id="reversed region",
            ),
            pytest.param(
                ["inpaint", "clip.wav", "rain", "--start", "5", "--end", "6"], "the region 5 s to 6 s", id="outside"
            ),
            pytest.param(
                [
                    "inpaint",
                    "clip.wav",
                    "rain",
                    "--start",
                    "0.1",
                    "--end",
                    "0.2",
                    "--low-hz",
                    "900",
                    "--high-hz",
                    "300",
                ],
                "--high-hz is 300; expected more than --low-hz",
                id="reversed band",
            ),
            pytest.param(["generate", "--like", "none.wav"], "there is no file at none.wav", id="no clip to be like"),
            pytest.param(
                ["generate", "--like", "clip.wav", "--like-weight", "2"], "--like-weight is 2", id="too much like it"
            ),
            pytest.param(["vary", "none.wav"], "there is no file at none.wav", id="nothing to vary"),
            pytest.param(["vary", "clip.wav", "--strength", "-1"], "--strength is -1", id="too weak"),
            pytest.param(["upscale", "clip.wav", "--cutoff-hz", "0"], "--cutoff-hz is 0", id="no cutoff"),
            pytest.param(["upscale", "clip.wav", "--output-rate", "5"], "--output-rate is 5", id="no rate"),
            pytest.param(["inpaint", "clip.wav", "rain", "--region", "0", "9"], "the region 0 s to 9 s", id="far out"),
            pytest.param(["again", "none.wav"], "there is no file at none.wav", id="nothing to repeat"),
            pytest.param(["again", "clip.wav"], "there is no story in clip.json", id="no story"),
            pytest.param(["again", "none.json"], "there is no story in none.json", id="no sidecar"),
            pytest.param(["models", "show", "no-such"], "no model 'no-such'", id="unknown model shown"),
            pytest.param(["benchmark", "--runs", "0"], "runs is 0", id="no runs"),
            pytest.param(["benchmark", "--against", "colour=red"], "against is 'colour=red'", id="unknown setting"),
            pytest.param(["benchmark", "--against", "steps=many"], "against is 'steps=many'", id="bad setting"),
            pytest.param(["evaluate", "a", "b"], "there is no folder at a", id="no folder"),
            pytest.param(["evaluate", "a", "b", "--features", "ears"], "features is 'ears'", id="unknown listener"),
            pytest.param(
                ["evaluate", "a", "b", "--pipeline", "paper", "--weights", "."],
                "the weights of panns are not at",
                id="no weights",
            ),
            pytest.param(["evaluate", "--sounds", "rain,unicorn"], "sounds is 'unicorn'", id="unknown sound"),
            pytest.param(["evaluate", "--per-class", "0"], "holds 0 clips; at least 2", id="no clips"),
            pytest.param(["evaluate", "--json", "text.wav"], "text.wav exists already", id="report exists"),
            pytest.param(["evaluate", "--picture", "text.wav"], "text.wav exists already", id="picture exists"),
        ],
    )
    def test_fails_with_a_sentence_and_a_hint(
        self, files: Path, capsys: pytest.CaptureFixture[str], words: list[str], sentence: str
    ) -> None:
        before = {path.name: path.read_bytes() for path in files.iterdir()}

        assert main(words) == FAILED

        said = capsys.readouterr()
        text, hint = said.err.splitlines()
        assert sentence in text
        assert hint.startswith("hint: ")
        assert said.out == ""
        assert {path.name: path.read_bytes() for path in files.iterdir()} == before

    @pytest.mark.parametrize(
        ("words", "sentence"),
        [
            pytest.param([], "the following arguments are required: COMMAND", id="nothing"),
            pytest.param(["sing"], "invalid choice: 'sing'", id="unknown command"),
            pytest.param(["generate"], "required: prompt", id="no prompt"),
            pytest.param(["generate", "rain", "--loud"], "unrecognized arguments: --loud", id="unknown option"),
            pytest.param(["generate", "rain", "--seconds", "long"], "'long' is no number", id="no number"),
            pytest.param(["generate", "rain", "--steps", "1.5"], "'1.5' is no whole number", id="no whole number"),
            pytest.param(["generate", "rain", "--sampler", "euler"], "invalid choice: 'euler'", id="unknown sampler"),
            pytest.param(["inpaint", "clip.wav", "rain"], "say where the gap is", id="no gap"),
            pytest.param(["inpaint", "clip.wav", "rain", "--start", "1"], "--start and --end go together", id="no end"),
            pytest.param(["restyle", "clip.wav"], "required: prompt", id="neither words nor a clip to be like"),
            pytest.param(["vary"], "required: clip", id="no clip"),
            pytest.param(["upscale", "clip.wav", "rain", "more"], "unrecognized arguments: more", id="two prompts"),
            pytest.param(["again"], "required: FILE", id="no take"),
            pytest.param(
                ["inpaint", "clip.wav", "rain", "--region", "1", "2", "300"], "not 3 numbers", id="half a band"
            ),
            pytest.param(["evaluate", "a"], "give two folders", id="one folder"),
            pytest.param(["evaluate", "a", "b", "c"], "give two folders", id="three folders"),
            pytest.param(
                ["evaluate", "a", "b", "--picture", "p.png"], "drawn for models, and", id="picture of folders"
            ),
            pytest.param(["evaluate", "--captions", "c.csv"], "belongs to folders", id="captions without folders"),
            pytest.param(["evaluate", "--pipeline", "seed"], "belongs to folders", id="pipeline without folders"),
            pytest.param(["evaluate", "--json", "."], "put --json last", id="report into a folder"),
        ],
    )
    def test_wrong_usage_is_explained(
        self, capsys: pytest.CaptureFixture[str], words: list[str], sentence: str
    ) -> None:
        assert main(words) == WRONG_USAGE

        said = capsys.readouterr().err
        assert sentence in said
        assert said.startswith("usage: retake")

    def test_json_carries_the_error_too(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert main(["restyle", "--seed", "1", "none.wav", "rain", "--json"]) == FAILED

        error = json.loads(capsys.readouterr().out)["error"]
        assert error["code"] == "file_missing"
        assert error["hint"]

    def test_a_prompt_that_the_model_cannot_know_is_warned_of(self, capsys: pytest.CaptureFixture[str]) -> None:
        """Rendered all the same: a warning on stderr, exit 0."""
        assert main(["generate", "--seed", "1", "zxqv", "-o", "a.wav", "--seconds", "0.5", *QUICK]) == DONE
        story = json.loads(Path("a.json").read_text(encoding="utf-8"))

        assert capsys.readouterr().err == "".join(f"warning: {text}\n" for text in story["warnings"])


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="needs a pseudo-terminal")
class TestOnATerminal:
    """With a pseudo-terminal as stderr the progress bar can be seen, and Ctrl-C can come at the right moment."""

    def test_ctrl_c_stops_between_steps_and_leaves_nothing(self, working_folder: Path) -> None:
        words = ("generate", "rain", "-o", "rain.wav", "--seconds", "20", "--steps", "1000", *TINY)
        with on_terminal(*words) as (process, terminal):
            shown = read_until(terminal, "step 3/1000")
            process.send_signal(signal.SIGINT)
            said = read_until(terminal, "hint: ")
            status = process.wait(60)

        assert "loading the model" in shown
        assert "the job was cancelled" in said
        assert "Traceback" not in said
        assert status == CANCELLED
        assert list(working_folder.iterdir()) == []

    def test_ctrl_c_while_the_model_loads_is_heard_too(self, working_folder: Path) -> None:
        with on_terminal("generate", "rain", "-o", "rain.wav", "--steps", "1000", *TINY) as (process, terminal):
            read_until(terminal, "loading the model")
            process.send_signal(signal.SIGINT)
            status = process.wait(60)

        assert status == CANCELLED
        assert list(working_folder.iterdir()) == []


@contextmanager
def on_terminal(*words: str) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    """The command line in a process of its own, with the end of the terminal that its stderr is."""
    code = "import sys; from engine.cli import main; sys.exit(main())"
    environment = os.environ | {"PYTHONPATH": str(HOUSE), "OMP_NUM_THREADS": "1"}
    terminal, stderr = os.openpty()
    process = subprocess.Popen(
        [sys.executable, "-c", code, *words], env=environment, stdout=subprocess.DEVNULL, stderr=stderr
    )
    os.close(stderr)
    try:
        yield process, terminal
    finally:
        process.kill()
        process.wait()
        os.close(terminal)


def read_until(terminal: int, words: str) -> str:
    """What the terminal shows up to `words`; fails when it shows nothing more."""
    shown = ""
    while words not in shown:
        assert select.select([terminal], [], [], 120)[0], f"waited in vain for {words!r} after {shown!r}"
        try:
            shown += os.read(terminal, 1024).decode()
        except OSError:  # the other end is closed
            pytest.fail(f"no {words!r} in {shown!r}")
    return shown


class TestThePaperInPackages:
    """Packages leave `engine.evaluation.paper` out: its module is taken for missing, as Python itself does it."""

    WITHOUT = (
        "import sys; sys.modules['engine.evaluation.paper'] = None; from engine.cli import main; sys.exit(main({!r}))"
    )

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-c", self.WITHOUT.format(list(arguments))]
        return subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)

    def test_says_that_it_runs_from_a_clone(self, tmp_path: Path) -> None:
        done = self.run("evaluate", "--paper", "-o", str(tmp_path / "paper"))

        assert done.returncode == 1
        assert "runs from a clone of Retake's repository" in done.stderr
        assert not (tmp_path / "paper").exists()

    def test_all_else_of_the_command_is_there(self) -> None:
        done = self.run("evaluate", "--help")

        assert done.returncode == 0
        assert "--paper" in done.stdout

    def test_wheels_have_no_package_of_it(self) -> None:
        config = tomllib.loads((HOUSE / "pyproject.toml").read_text(encoding="utf-8"))
        found = find_packages(str(HOUSE), **config["tool"]["setuptools"]["packages"]["find"])

        assert "engine.evaluation" in found
        assert "engine.evaluation.paper" not in found
