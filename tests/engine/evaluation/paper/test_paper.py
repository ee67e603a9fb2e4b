"""The paper's rerun in miniature: every part runs on the tiny model, goes on where it stopped, and keeps its folder."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from engine.checkpoints.store import open_model
from engine.cli import DONE, main
from engine.errors import CancelledError, InvalidRequestError
from engine.evaluation.classifier import load_classifier
from engine.evaluation.evaluation_errors import PaperFolderError
from engine.evaluation.paper.cells import Cell, CellResult, Results
from engine.evaluation.paper.encoders import NamingTower, NgramBag, train_naming_tower
from engine.evaluation.paper.material import Material
from engine.evaluation.paper.net import forgetful_unet
from engine.evaluation.paper.parts import parts_of
from engine.evaluation.paper.plots import draw_panels
from engine.evaluation.paper.prompts import frequencies, held_out_prompts, in_turn, long_tailed
from engine.evaluation.paper.run import PaperOptions, run_paper
from engine.evaluation.paper.variants import AUDIO, BALANCED, BOTH, LONG_TAIL, MIXTURES, TEXT
from engine.evaluation.paper_budget import Budget
from engine.presets import TINY
from engine.sounds import SOUNDS

BUDGET = Budget(
    "microscopic",
    "seconds",
    clips_per_class=2,
    start_steps=1,
    cell_steps=2,
    batch_size=4,
    marks=2,
    prompts_per_class=1,
    trained_seeds=1,
    prompts=2,
    sampled_seeds=2,
    captions_per_clip=2,
    naming_steps=2,
    sampling_steps=1,
    step_counts=(1, 2),
    guidance_scales=(1.0, 2.0),
)


@pytest.fixture(autouse=True)
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def material(tmp_path_factory) -> Material:
    return Material(open_model("tiny"), BUDGET, Results(tmp_path_factory.mktemp("paper"), {}))


def rerun(folder: Path, *parts: str, budget: Budget = BUDGET, stop_after: int | None = None) -> list[CellResult]:
    """The outcomes told, in order."""
    told: list[CellResult] = []
    run_paper(
        PaperOptions(folder, parts, budget, "tiny"),
        load_classifier(),
        draw_panels,
        torch.device("cpu"),
        on_news=lambda _fraction, _text: None,
        on_outcome=told.append,
        should_stop=lambda: stop_after is not None and len(told) >= stop_after,
    )
    return told


def written(folder: Path) -> dict[str, int]:
    """When each cell was written."""
    return {path.name: path.stat().st_mtime_ns for path in folder.glob("cells/*/*.json")}


class TestSampledParts:
    @pytest.mark.parametrize("part", ["steps", "guidance", "editing"])
    def test_measure_every_cell_and_report_it(self, part, tmp_path):
        told = rerun(tmp_path, part)

        assert [one.cell for one in told] == parts_of(BUDGET)[part].cells(BUDGET)
        assert all(np.isfinite(list(one.figures.values())).all() for one in told)
        assert f"{len(told)} of {len(told)} cells measured" in (tmp_path / "RESULTS.md").read_text(encoding="utf-8")
        assert (tmp_path / "results" / f"{part}.png").stat().st_size <= 100_000

    def test_go_on_where_they_stopped(self, tmp_path):
        with pytest.raises(CancelledError):
            rerun(tmp_path, "steps", stop_after=2)
        before = written(tmp_path)

        told = rerun(tmp_path, "steps")

        assert len(before) == 2
        assert len(told) == 4
        assert {name: when for name, when in written(tmp_path).items() if name in before} == before

    def test_a_seed_gives_the_same_figures_again(self, tmp_path):
        first, second = rerun(tmp_path / "first", "steps"), rerun(tmp_path / "second", "steps")

        assert [one.figures for one in first] == [one.figures for one in second]


@pytest.mark.slow
class TestTrainedParts:
    def test_run_share_cells_and_go_on(self, tmp_path):
        """The audio-conditioned net is common to all four parts, and trained once."""
        with pytest.raises(CancelledError):
            rerun(tmp_path, "conditioning", stop_after=1)
        interrupted = written(tmp_path)
        assert len(interrupted) == 1

        conditioning = rerun(tmp_path, "conditioning")
        others = rerun(tmp_path, "encoder", "ablation", "objective")

        assert {name: when for name, when in written(tmp_path).items() if name in interrupted} == interrupted
        watched = {one.cell.variant: [point["step"] for point in one.curve] for one in conditioning if one.curve}
        assert watched == {"audio": [1, 2], "both": [1, 2], "text": [1, 2]}
        names = {one.cell.variant for one in others}
        assert {"names", "ngrams", "simple_attention", "long_tail", "balanced", "mixtures", "autoencoder"} <= names
        assert {"noise", "even_levels"} <= names
        assert all(np.isfinite(list(one.figures.values())).all() for one in [*conditioning, *others])
        assert not list(tmp_path.glob("runs/*/checkpoint.pt"))
        report = (tmp_path / "RESULTS.md").read_text(encoding="utf-8")
        assert "| simple attention is worse | FD ↓ | 29.48 against 33.12 |" in report
        assert "(one seed) | undecided |" in report


class TestForgetfulNet:
    @pytest.mark.parametrize("attention", ["plain", "transformer"])
    def test_begins_as_the_models_own_but_for_conditions_and_attention(self, attention):
        model = open_model("tiny")

        net, otherwise = (forgetful_unet(model, attention, predicts_otherwise=other) for other in (False, True))

        known, own = model.unet.state_dict(), net.state_dict()
        assert torch.equal(own["down.0.res.conv1.weight"], known["down.0.res.conv1.weight"])
        assert torch.equal(own["conv_out.weight"], known["conv_out.weight"])
        assert not otherwise.state_dict()["conv_out.weight"].any()
        assert not torch.equal(own["condition.weight"], known["condition.weight"])
        assert not any(
            torch.equal(own[name], known[name])
            for name in own
            if ".attention." in name and name in known and own[name].dim() > 1
        )


class TestFolder:
    def test_other_files_are_not_disturbed(self, tmp_path):
        (tmp_path / "song.wav").write_bytes(b"")

        with pytest.raises(PaperFolderError, match="it holds other files"):
            Results(tmp_path, {"budget": "small"})

        assert [path.name for path in tmp_path.iterdir()] == ["song.wav"]

    def test_another_budget_needs_another_folder(self, tmp_path):
        Results(tmp_path, {"budget": "small"})

        with pytest.raises(PaperFolderError, match="its results are of budget small, not full"):
            Results(tmp_path, {"budget": "full"})

    def test_a_cell_is_kept_as_it_was_measured(self, tmp_path):
        outcome = CellResult(Cell("steps", "10", 3), {"frechet": 1.5}, 2.0, ({"step": 1.0, "frechet": 2.0},))
        results = Results(tmp_path / "new", {"budget": "small"})

        assert results.find(outcome.cell) is None
        assert results.answered(outcome.cell, lambda: outcome) == outcome
        assert results.answered(outcome.cell, lambda: pytest.fail("measured twice")) == outcome
        assert results.all() == [outcome]
        assert json.loads((tmp_path / "new/cells/steps/10_3.json").read_text())["figures"] == {"frechet": 1.5}


class TestPrompts:
    def test_are_held_out_and_differ_between_seeds(self):
        first, second = held_out_prompts(["rain", "dog"], 1, 1.0), held_out_prompts(["rain", "dog"], 2, 1.0)

        assert [prompt.sound for prompt in first] == ["rain", "dog"]
        assert {prompt.seed for prompt in first}.isdisjoint(prompt.seed for prompt in second)
        assert not np.array_equal(first[0].waveform, second[0].waveform)

    def test_take_turns_from_where_they_are_told(self):
        assert in_turn(2, len(SOUNDS) - 1) == [SOUNDS[-1], SOUNDS[0]]

    def test_long_tail_has_every_class_and_few_of_most(self):
        names = long_tailed(4 * len(SOUNDS))
        counts = sorted((names.count(sound) for sound in SOUNDS), reverse=True)

        assert counts[-1] >= 1
        assert counts[0] > 4 * np.median(counts)
        assert frequencies().max() == 1


@pytest.mark.slow
class TestMaterial:
    def test_a_long_tail_leaves_clips_out_and_mixtures_add_some(self, material):
        singles = [row for row, clip in enumerate(material.clips.about) if "name" in clip]
        mixed = list(range(len(material.clips), len(material.latents)))

        assert material.rows(AUDIO).tolist() == singles
        assert len(SOUNDS) <= len(material.rows(LONG_TAIL)) < len(singles)
        assert len(mixed) == len(material.clips) // 2
        assert material.rows(MIXTURES).tolist() == singles + mixed

    def test_balance_draws_every_class_alike(self, material):
        rows = material.rows(BALANCED)
        likelihoods = material.likelihoods(BALANCED, rows)

        names = np.array([material.clips.about[row]["name"] for row in rows])
        shares = [likelihoods[names == sound].sum() for sound in SOUNDS]
        assert shares == pytest.approx([1 / len(SOUNDS)] * len(SOUNDS))
        assert material.likelihoods(LONG_TAIL, rows) is None

    def test_conditions_are_the_sounds_or_a_captions(self, material):
        rows = np.arange(8)
        audio, text, both = (
            material.conditions(variant, rows, np.random.default_rng(1)) for variant in (AUDIO, TEXT, BOTH)
        )

        assert torch.equal(audio, material.latents.audio[rows])
        assert all((material.latents.text[row] == one).all(1).any() for row, one in zip(rows, text, strict=True))
        sources = [torch.equal(one, sound) for one, sound in zip(both, audio, strict=True)]
        assert 0 < sum(sources) < len(sources)

    def test_mixtures_are_conditioned_on_sound_alone(self, material):
        rows = np.arange(len(material.clips), len(material.latents))

        conditions = material.conditions(replace(TEXT, mixtures=True), rows, np.random.default_rng(1))

        assert torch.equal(conditions, material.latents.audio[rows])

    def test_is_found_again(self, material):
        again = Material(material.model, material.budget, Results(material.clips.folder.parent, {}))

        assert torch.equal(again.latents.audio, material.latents.audio)

    def test_big_models_are_refused(self, tmp_path):
        model = open_model("tiny")
        model.config = replace(TINY, name="s", clap=object())

        with pytest.raises(InvalidRequestError, match="nano"):
            Material(model, BUDGET, Results(tmp_path, {}))


class TestEncoders:
    PROMPTS = ("rain falls", "heavy rain falls", "a dog barks", "")

    def test_n_grams_are_close_where_words_are(self):
        embedded = NgramBag(TINY.clap).embed_text(self.PROMPTS)

        assert embedded.norm(dim=1) == pytest.approx(torch.ones(4))
        assert embedded[0] @ embedded[1] > embedded[0] @ embedded[2]

    def test_a_tower_learns_to_name_classes_without_a_sound(self):
        torch.manual_seed(0)
        tower = NamingTower(TINY.clap, 2)
        captions, classes = ["rain falls", "heavy rain", "a dog barks", "the dog"], torch.tensor([0, 0, 1, 1])

        with torch.no_grad():  # whoever asks for it first may be measuring
            train_naming_tower(tower, captions, classes, 30)

        assert tower(captions).argmax(1).tolist() == classes.tolist()
        assert tower.embed_text(self.PROMPTS).norm(dim=1) == pytest.approx(torch.ones(4))


class TestCommand:
    def test_refuses_what_does_not_belong_together(self, tmp_path, capsys):
        assert main(["evaluate", "--paper"]) == 2
        assert main(["evaluate", "--part", "steps"]) == 2
        assert main(["evaluate", "a", "b", "--paper", "-o", str(tmp_path)]) == 2
        assert "belong together" in capsys.readouterr().err

    def test_says_that_a_folder_is_taken(self, tmp_path, capsys):
        (tmp_path / "song.wav").write_bytes(b"")

        assert main(["evaluate", "--paper", "-o", str(tmp_path), "--model", "tiny", "--part", "steps"]) == 1

        assert "cannot take the results: it holds other files" in capsys.readouterr().err

    def test_writes_the_report_of_cells_that_are_there(self, tmp_path, capsys):
        """Nothing is left to measure, so the command only writes."""
        from engine.evaluation.paper.run import fingerprint
        from engine.evaluation.paper_budget import BUDGETS

        identity = {"budget": "small", "model": fingerprint(open_model("tiny")), "sounds": len(SOUNDS)}
        results = Results(tmp_path, identity)
        for cell in parts_of(BUDGETS["small"])["guidance"].cells(BUDGETS["small"]):
            results.keep(CellResult(cell, {"frechet": float(cell.variant) + cell.seed}, 1.0))

        assert main(["evaluate", "--paper", "-o", str(tmp_path), "--model", "tiny", "--part", "guidance"]) == DONE

        assert capsys.readouterr().out.strip() == str(tmp_path / "RESULTS.md")
        assert "| scale 3 | 5.00 ± 1.00 |" in (tmp_path / "RESULTS.md").read_text(encoding="utf-8")
