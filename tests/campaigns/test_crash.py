"""A short crash campaign: a few `kill -9`, and everything is accounted for."""

import pytest

from tests.campaigns.crash import run_crash
from tests.campaigns.report import silent


@pytest.mark.slow
@pytest.mark.parametrize("seed", [2, 3])
def test_no_job_is_lost_and_no_file_is_broken(tmp_path, seed):
    report = run_crash(seed, num_kills=2, say=silent, root=tmp_path)

    assert report.failures() == []
