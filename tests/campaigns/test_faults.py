"""Each fault, and what PROTOCOL.md says of it."""

import pytest

from tests.campaigns.faults import FAULTS, run_faults
from tests.campaigns.report import silent


@pytest.mark.slow
@pytest.mark.parametrize("name", FAULTS)
def test_does_what_the_protocol_says(tmp_path, name):
    report = run_faults(seed=1, say=silent, root=tmp_path, only=name)
    if name in report.skipped:
        pytest.skip(report.skipped[name])

    assert report.failures() == []
