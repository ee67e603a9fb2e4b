"""Evaluating edits: editors of known worth must come out as what they are."""

import json
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from engine.audio import Audio
from engine.cli import DONE, WRONG_USAGE, main
from engine.errors import CancelledError, InvalidRequestError
from engine.evaluation.classifier import SoundClassifier, load_classifier
from engine.evaluation.edits import CONTEXT_S, GAP_S, SECONDS, EditSettings, evaluate_edits
from engine.evaluation.evaluation_errors import TooFewClipsError
from engine.requests import Inpaint, Restyle
from engine.sounds import render
from engine.sounds.captions import wordings

SOUNDS = ("rain", "siren", "kick", "dog")
SETTINGS = EditSettings(clips_per_class=2, seed=3, sounds=SOUNDS, steps=7, guidance=3.0)


class Copyist:
    """Gives every clip back as it was, and remembers what was asked."""

    def __init__(self) -> None:
        self.asked: list[Restyle | Inpaint] = []

    def run(self, request: Restyle | Inpaint) -> list[Audio]:
        self.asked.append(request)
        return [request.clip]


class Forger(Copyist):
    """Plays a corpus clip of the sound that the prompt names, in the source's place; leaves holes silent."""

    def run(self, request: Restyle | Inpaint) -> list[Audio]:
        self.asked.append(request)
        if isinstance(request, Restyle):
            sound = render(named(request.prompt), 20_000_000 + len(self.asked), is_edited=False)
            return [Audio(sound.waveform, 16_000)]
        samples = request.clip.samples.copy()
        start, end = request.sample_regions()[0]
        samples[:, start:end] = 0
        return [Audio(samples, 16_000)]


def named(prompt: str) -> str:
    """The sound whose held-out wordings share most words with the prompt."""
    words = set(prompt.split())
    shares = {sound: len(words & set(" ".join(wordings(sound, held_out=True)).split())) for sound in SOUNDS}
    return max(shares, key=lambda sound: shares[sound])


@pytest.fixture(scope="module")
def classifier() -> SoundClassifier:
    return load_classifier()


class TestFigures:
    def test_a_copyist_keeps_everything_and_changes_nothing(self, classifier: SoundClassifier) -> None:
        report = evaluate_edits(Copyist(), classifier, SETTINGS)

        assert report.restyle.as_source >= 0.85
        assert report.restyle.as_target <= 0.15
        assert report.restyle.envelope == pytest.approx(1)
        assert report.restyle.envelope_chance < 0.6
        assert report.inpaint.filled == pytest.approx(0, abs=1e-6)
        assert report.inpaint.jump_db == report.inpaint.jump_corpus_db
        assert report.inpaint.silenced > report.inpaint.silenced_clips > 0

    def test_a_forger_hits_every_target_and_keeps_no_envelope(self, classifier: SoundClassifier) -> None:
        report = evaluate_edits(Forger(), classifier, SETTINGS)

        assert report.restyle.as_target >= 0.85
        assert report.restyle.envelope < 0.6
        assert {row.sound for row in report.restyle.classes} == set(SOUNDS)
        assert report.inpaint.filled == pytest.approx(report.inpaint.silenced)
        assert report.inpaint.gain == pytest.approx(1)
        assert report.inpaint.gain_clips == pytest.approx(1)
        assert report.inpaint.jump_db > report.inpaint.jump_corpus_db + 10


class TestRequests:
    def test_targets_are_other_sounds_in_held_out_words_and_all_knobs_are_passed_on(
        self, classifier: SoundClassifier
    ) -> None:
        editor = Copyist()
        evaluate_edits(editor, classifier, SETTINGS)

        restyles = [request for request in editor.asked if isinstance(request, Restyle)]
        sources = [SOUNDS[index % len(SOUNDS)] for index in range(8)]
        targets = [named(request.prompt) for request in restyles]
        assert all(target != source for target, source in zip(targets, sources, strict=True))
        assert set(Counter(targets).values()) == {2}
        assert {(r.strength, r.steps, r.guidance, r.candidates) for r in restyles} == {(0.6, 7, 3.0, 1)}
        assert len({request.seed for request in restyles}) == 8

    def test_holes_lie_in_the_clip_with_room_on_either_side(self, classifier: SoundClassifier) -> None:
        editor = Copyist()
        evaluate_edits(editor, classifier, SETTINGS)

        gaps = [request.regions[0] for request in editor.asked if isinstance(request, Inpaint)]
        assert len(set(gaps)) == 8
        assert all(start >= CONTEXT_S and end <= SECONDS - CONTEXT_S + 1e-9 for start, end in gaps)
        assert [end - start for start, end in gaps] == pytest.approx([GAP_S] * 8)

    def test_progress_and_cancelling(self, classifier: SoundClassifier) -> None:
        seen: list[tuple[int, int]] = []

        with pytest.raises(CancelledError):
            evaluate_edits(
                Copyist(),
                classifier,
                SETTINGS,
                on_clip=lambda done, total: seen.append((done, total)),
                should_stop=lambda: len(seen) == 2,
            )

        assert seen == [(1, 16), (2, 16)]

    def test_one_sound_has_no_other_to_become(self) -> None:
        with pytest.raises(InvalidRequestError, match="at least two"):
            EditSettings(sounds=("rain",))

    def test_no_clips_are_too_few(self) -> None:
        with pytest.raises(TooFewClipsError, match="holds 0 clips"):
            EditSettings(clips_per_class=0)


class TestReport:
    def test_tells_figures_and_where_they_may_not_be_trusted(self, classifier: SoundClassifier) -> None:
        text = evaluate_edits(Forger(), classifier, SETTINGS).to_text()

        assert text.startswith("nano: 8 clips, 2 a sound, seed 3\n")
        for words in (
            "recognised as the target",
            "by chance",
            "1.0 times",
            "jump at a border",
            "8 clips are few",
            "siren",
        ):
            assert words in text

    def test_json_is_plain_even_where_nothing_is_left_to_be_closer(self, classifier: SoundClassifier) -> None:
        content = json.loads(json.dumps(evaluate_edits(Copyist(), classifier, SETTINGS).to_json(), allow_nan=False))

        assert content["restyle"]["clips"] == 8
        assert set(content["inpaint"]) >= {"filled", "silenced", "gain", "gain_clips", "jump_db"}


class TestCommand:
    @pytest.mark.slow
    def test_judges_the_tiny_model(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        monkeypatch.chdir(tmp_path)
        words = ["--model", "tiny", "--device", "cpu", "--per-class", "1", "--sounds", "rain,dog", "--steps", "2"]

        assert main(["evaluate", "--edits", "--strength", "0.8", *words, "--json", "edits.json"]) == DONE

        assert "restyle, strength 0.8" in capsys.readouterr().out
        assert np.isfinite(json.loads((tmp_path / "edits.json").read_text(encoding="utf-8"))["inpaint"]["filled"])

    @pytest.mark.parametrize(
        ("words", "message"),
        [
            pytest.param(["--edits", "a", "b"], "one folder of recordings at most", id="folders"),
            pytest.param(["--edits", "--picture", "sheet.png"], "for --edits with a folder", id="a picture"),
            pytest.param(["--strength", "0.5"], "belongs to --edits", id="strength alone"),
            pytest.param(["--edits", "--seconds", "2"], "--seconds belongs to a model", id="edits of a length"),
        ],
    )
    def test_options_that_do_not_go_together_are_refused(
        self, words: list[str], message: str, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert main(["evaluate", *words]) == WRONG_USAGE

        assert message in capsys.readouterr().err
