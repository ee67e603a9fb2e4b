"""Long sounds: windows that cover everything, agree with themselves and leave no seam."""

from itertools import pairwise

import numpy as np
import pytest
import torch
from torch import Tensor

from engine import CancelledError
from engine.diffusion.guidance import Denoised
from engine.operations.windows import LONGEST_ALONE, Windows, blend, lay_windows, over_windows


def go_on() -> None:
    """Nobody wants to stop."""


def pieces_of(whole: Tensor, windows: Windows, per_row: int = 1) -> list[Tensor]:
    return [whole[:, :, per_row * start : per_row * end] for start, end in windows]


class TestLaying:
    @pytest.mark.parametrize("rows", [4, 32, 40])
    def test_up_to_a_window_and_a_quarter_there_is_one(self, rows: int) -> None:
        windows = lay_windows(rows, 32, 4)
        assert list(windows) == list(windows.moved(3)) == [(0, rows)]

    @pytest.mark.parametrize("step", range(8))
    @pytest.mark.parametrize(("longest", "multiple", "overlap"), [(32, 4, 4), (128, 4, 8), (256, 8, 16)])
    def test_windows_cover_all_rows_overlap_alike_and_stay_on_the_grid(
        self, longest: int, multiple: int, overlap: int, step: int
    ) -> None:
        for rows in range(longest * 5 // 4 + multiple, 8 * longest, multiple):
            windows = list(lay_windows(rows, longest, multiple).moved(step))

            assert windows[0][0] == 0
            assert windows[-1][1] == rows
            assert all(bound % multiple == 0 for window in windows for bound in window)
            assert {left[1] - right[0] for left, right in pairwise(windows)} == {overlap}
            assert max(end - start for start, end in windows) <= LONGEST_ALONE * longest
            assert all(end - start <= longest for start, end in windows[1:-1])

    def test_no_border_stays_where_it_was(self) -> None:
        """Over 20 steps of ten seconds every second of sound, but for the ends', sees some border."""
        windows = lay_windows(256, 128, 4)
        borders = [start for step in range(20) for start, _ in list(windows.moved(step))[1:]]
        seen, _ = np.histogram(borders, bins=np.arange(16, 256 - 24, 24))
        assert seen.min() >= 1
        assert max(borders.count(border) for border in borders) <= 2

    @pytest.mark.parametrize(("longest", "multiple"), [(128, 4), (256, 8)], ids=["nano", "published"])
    def test_cost_a_second_hardly_depends_on_length(self, longest: int, multiple: int) -> None:
        """Rows computed for each row of the sound, over 20 steps."""
        costs = []
        for seconds in (5, 10, 20, 30, 60, 120, 600):
            rows = -(-seconds * 25 // multiple) * multiple
            steps = [lay_windows(rows, longest, multiple).moved(step) for step in range(20)]
            costs.append(sum(end - start for windows in steps for start, end in windows) / 20 / (25 * seconds))
        assert max(costs) / min(costs) < 1.1


class TestBlending:
    @pytest.mark.parametrize("step", [0, 1, 7], ids=["as laid", "moved once", "moved often"])
    def test_what_all_windows_agree_on_stays_as_it_is(self, step: int) -> None:
        whole = torch.randn(2, 3, 100, 5)
        windows = lay_windows(100, 32, 4).moved(step)
        assert torch.allclose(blend(windows, pieces_of(whole, windows), dim=2), whole, atol=1e-6)

    def test_windows_that_disagree_are_joined_without_a_step(self) -> None:
        """Window k says k; over an overlap of 16 rows the blend never moves by more than a tenth a row."""
        windows = lay_windows(600, 256, 8)
        blended = blend(
            windows, [torch.full((1, 1, end - start, 1), float(k)) for k, (start, end) in enumerate(windows)], 2
        )
        steps = blended.flatten().diff()
        assert (steps >= -1e-6).all()
        assert steps.max() < 0.1

    def test_several_cells_a_row(self) -> None:
        frames = torch.randn(1, 1, 400, 64)
        windows = lay_windows(100, 32, 4)
        assert torch.allclose(blend(windows, pieces_of(frames, windows, 4), dim=2), frames, atol=1e-6)


class TestDenoising:
    def test_a_denoiser_that_looks_at_one_cell_sees_no_windows(self) -> None:
        x = torch.randn(2, 8, 100, 16)
        denoise = over_windows(lambda y, t: Denoised(y * t, y + 1), lay_windows(100, 32, 4), go_on)

        x0, eps = denoise(x, 3)

        assert torch.allclose(x0, 3 * x, atol=1e-5)
        assert torch.allclose(eps, x + 1, atol=1e-5)

    def test_a_denoiser_that_feels_its_borders_leaves_no_seam(self) -> None:
        """Each window says its own mean, up to 0.15 off its neighbour's: after 16 steps no border can be seen.

        The mean of the steps moves by less than 0.02 from row to row; with windows that stay it moves by 0.05.
        """
        x = torch.linspace(0, 1, 200)[None, None, :, None].expand(1, 8, 200, 16)
        windows = lay_windows(200, 32, 4)
        denoise = over_windows(lambda y, _: Denoised(y.mean(2, keepdim=True).expand_as(y), y), windows, go_on)
        steps = torch.stack([denoise(x, 1).x0[0, 0, :, 0] for _ in range(16)]).mean(dim=0).diff()
        assert steps.abs().max() < 0.02
        assert (steps > -1e-5).all()

    def test_windows_move_alike_in_every_run(self) -> None:
        x, windows = torch.randn(2, 8, 100, 16), lay_windows(100, 32, 4)
        runs = [over_windows(lambda y, _: Denoised(y - y.mean(), y), windows, go_on) for _ in range(2)]
        for t in range(5):
            assert torch.equal(runs[0](x, t).x0, runs[1](x, t).x0)

    def test_what_lies_together_in_a_batch_does_not_mix(self) -> None:
        x, windows = torch.randn(3, 8, 100, 16), lay_windows(100, 32, 4)
        together = over_windows(lambda y, _: Denoised(y * y.amax((1, 2, 3), True), y), windows, go_on)(x, 1)
        for k in range(3):
            alone = over_windows(lambda y, _: Denoised(y * y.amax((1, 2, 3), True), y), windows, go_on)
            assert torch.equal(alone(x[k : k + 1], 1).x0, together.x0[k : k + 1])

    def test_stopping_is_possible_within_a_step(self) -> None:
        def stop() -> None:
            raise CancelledError

        denoise = over_windows(lambda y, _: Denoised(y, y), lay_windows(100, 32, 4), stop)
        with pytest.raises(CancelledError):
            denoise(torch.zeros(1, 8, 100, 16), 1)
