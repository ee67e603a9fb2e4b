"""The claims of the paper against our figures: findings follow from the numbers, RESULTS.md from the cells."""

import json
import math
from pathlib import Path

import pytest

from engine.evaluation.paper.cells import Cell, CellResult
from engine.evaluation.paper.parts import parts_of
from engine.evaluation.paper.plots import draw_panels
from engine.evaluation.paper.published import CLAIMS, LOWER_IS_BETTER, PUBLISHED, Claim
from engine.evaluation.paper.report import CELLS_FILE, PICTURES, REMARKS_FILE, ReportContext, write_report
from engine.evaluation.paper.tables import markdown_table, panels_of
from engine.evaluation.paper.verdicts import ClaimStatus, check_claim, published_pair, spread_of
from engine.evaluation.paper_budget import BUDGETS, PARTS

BUDGET = BUDGETS["small"]
FD = Claim("conditioning", "audio is better", "trained", "audio", "both", "frechet")


def outcomes(metric: str = "frechet", experiment: str = "trained", **values: list[float]) -> list[CellResult]:
    """A figure for each seed, from 1, of each variant."""
    return [
        CellResult(Cell(experiment, variant, seed), {metric: value}, 30.0)
        for variant, figures in values.items()
        for seed, value in enumerate(figures, start=1)
    ]


class TestFindings:
    def test_agrees_where_the_advantage_stands_out_of_its_spread(self):
        verdict = check_claim(FD, outcomes(audio=[20.0, 22.0, 21.0], both=[24.0, 27.0, 25.0]))

        assert verdict.finding is ClaimStatus.AGREES
        assert verdict.advantage == pytest.approx(13 / 3)
        assert verdict.num_seeds == 3

    def test_disagrees_when_the_same_numbers_change_places(self):
        verdict = check_claim(FD, outcomes(both=[20.0, 22.0, 21.0], audio=[24.0, 27.0, 25.0]))

        assert verdict.finding is ClaimStatus.DISAGREES
        assert verdict.advantage == pytest.approx(-13 / 3)

    def test_is_undecided_within_the_spread(self):
        assert check_claim(FD, outcomes(audio=[20.0, 26.0], both=[24.0, 25.0])).finding is ClaimStatus.UNDECIDED

    def test_one_seed_decides_nothing(self):
        verdict = check_claim(FD, outcomes(audio=[20.0], both=[60.0]))

        assert (verdict.finding, verdict.error) == (ClaimStatus.UNDECIDED, math.inf)

    def test_compares_seeds_with_themselves(self):
        """Seed by seed the advantage is 1, though prompts differ in difficulty by far more."""
        verdict = check_claim(FD, outcomes(audio=[10.0, 50.0, 90.0], both=[11.0, 51.0, 91.01, 500.0]))

        assert (verdict.finding, verdict.num_seeds) == (ClaimStatus.AGREES, 3)

    @pytest.mark.parametrize("metric", LOWER_IS_BETTER)
    def test_knows_which_direction_is_better(self, metric):
        claim = Claim("conditioning", "", "trained", "audio", "both", metric)
        small, large = [1.0, 1.1], [2.0, 2.2]
        better, worse = (small, large) if LOWER_IS_BETTER[metric] else (large, small)

        assert check_claim(claim, outcomes(metric, audio=better, both=worse)).finding is ClaimStatus.AGREES

    def test_says_what_was_not_measured(self):
        assert check_claim(FD, outcomes(audio=[1.0])).finding is ClaimStatus.UNKNOWN

    def test_the_papers_own_figures_agree_with_what_it_claims(self):
        for claim in CLAIMS:
            pair = published_pair(claim)
            if pair is not None and claim.metric in PUBLISHED.get((claim.experiment, claim.better), {}):
                assert pair[0] < pair[1] if LOWER_IS_BETTER[claim.metric] else pair[0] > pair[1], claim


class TestClaims:
    def test_every_part_has_some(self):
        assert {claim.part for claim in CLAIMS} == set(PARTS) - {"objective"}  # the paper has nothing on that

    @pytest.mark.parametrize("claim", CLAIMS, ids=lambda claim: f"{claim.worse}-{claim.metric}")
    def test_every_variant_is_measured_in_its_part(self, claim):
        part = parts_of(BUDGET)[claim.part]
        rows = {(row.experiment, row.variant) for table in part.tables for row in table.rows}

        assert {(claim.experiment, claim.better), (claim.experiment, claim.worse)} <= rows

    def test_all_that_is_published_stands_in_a_table(self):
        tables = [table for part in parts_of(BUDGET).values() for table in part.tables]
        shown = {(row.experiment, row.variant) for table in tables for row in table.rows}

        assert set(PUBLISHED) <= shown


class TestTables:
    def test_hold_ours_with_its_spread_and_the_papers(self):
        table = parts_of(BUDGET)["steps"].tables[0]
        measured = outcomes("frechet", "steps", **{"10": [50.0, 54.0], "25": [40.0]})

        rows = markdown_table(table, measured).splitlines()

        assert rows[2].startswith("| steps 10 | 52.00 ± 2.83 [55.84] | –")
        assert rows[3].startswith("| steps 25 | 40.00 [42.84] | –")
        assert rows[4].startswith("| steps 50 | – [35.71] |")

    def test_a_single_seed_has_no_deviation(self):
        spread = spread_of(outcomes(audio=[3.0]), "trained", "audio", "frechet")

        assert spread is not None
        assert (spread.mean, spread.num_seeds) == (3.0, 1)
        assert math.isnan(spread.deviation)

    def test_curves_are_means_over_seeds(self):
        points = [[(1.0, 40.0), (2.0, 30.0)], [(1.0, 44.0), (2.0, 20.0)]]
        watched = [
            CellResult(
                Cell("trained", "audio", seed),
                {"frechet": curve[-1][1]},
                1.0,
                tuple({"step": step, "frechet": value} for step, value in curve),
            )
            for seed, curve in enumerate(points, start=1)
        ]

        *_, panel = panels_of(parts_of(BUDGET)["conditioning"], watched)

        assert panel.title == "FD ↓ during training"
        assert [(line.label, line.places, line.means) for line in panel.lines] == [("audio", (1.0, 2.0), (42.0, 25.0))]


class TestReport:
    def write(self, folder: Path, measured: list[CellResult]) -> str:
        return write_report(folder, ReportContext(BUDGET, "nano", 66), measured, draw_panels).read_text(
            encoding="utf-8"
        )

    def test_says_what_agrees_and_changes_with_the_numbers(self, tmp_path):
        row = "| audio embeddings alone train better than text and audio | FD ↓ | 29.48 against 31.26 |"

        agreeing = self.write(tmp_path, outcomes(audio=[20.0, 22.0], both=[24.0, 26.5]))
        opposing = self.write(tmp_path, outcomes(audio=[24.0, 26.5], both=[20.0, 22.0]))

        assert f"{row} +4.25 ± 0.25 (2 seeds) | agrees |" in agreeing
        assert f"{row} -4.25 ± 0.25 (2 seeds) | disagrees |" in opposing
        assert "1 agrees, 0 disagrees" in agreeing
        assert "0 agrees, 1 disagrees" in opposing

    def test_keeps_all_cells_in_one_file(self, tmp_path):
        measured = outcomes(audio=[20.0, 22.0])

        self.write(tmp_path, measured)

        kept = json.loads((tmp_path / PICTURES / CELLS_FILE).read_text(encoding="utf-8"))
        assert [(one["cell"]["seed"], one["figures"]) for one in kept] == [(1, {"frechet": 20}), (2, {"frechet": 22})]

    def test_shows_pictures_of_what_was_measured_only(self, tmp_path):
        text = self.write(tmp_path, outcomes("lsd", "upscaling", unprocessed=[2.7, 2.8], processed=[1.5, 1.4]))

        pictures = sorted(path.name for path in (tmp_path / PICTURES).glob("*.png"))
        assert pictures == ["editing.png"]
        assert "](results/editing.png)" in text
        assert "results/steps.png" not in text
        picture = (tmp_path / PICTURES / "editing.png").read_bytes()
        assert picture.startswith(b"\x89PNG")
        assert len(picture) <= 100_000

    def test_a_persons_remarks_close_it(self, tmp_path):
        (tmp_path / REMARKS_FILE).write_text("The corpus is balanced by construction.\n", encoding="utf-8")

        text = self.write(tmp_path, [])

        assert text.endswith("## Remarks\n\nThe corpus is balanced by construction.\n")
