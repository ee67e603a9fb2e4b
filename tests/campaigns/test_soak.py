"""A short soak: eight clients at once, each job answered once."""

import pytest

from tests.campaigns.report import silent
from tests.campaigns.soak import run_soak


@pytest.mark.slow
def test_every_job_is_answered_exactly_once(tmp_path):
    report = run_soak(seed=1, num_jobs=48, say=silent, root=tmp_path)

    assert report.failures() == []
    assert report.figures["jobs"] == 49
