"""A short campaign against a farm of two nodes on this machine."""

import pytest

from tests.campaigns.report import silent

pytest.importorskip("ray", reason="the extra `farm` is not installed")

from tests.campaigns.farm import run_farm


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.xdist_group("ray")
def test_every_job_is_answered_once_whatever_is_killed(tmp_path):
    report = run_farm(seed=1, num_jobs=36, say=silent, root=tmp_path)

    assert report.failures() == []
    assert report.figures["jobs"] == 36
