"""What the doctor says of a render farm."""

import os
import socket
from contextlib import closing

import pytest

from bridge.diagnosis.checks.farm import check_farm
from bridge.diagnosis.checks.finding import FindingState
from bridge.diagnosis.checks.surroundings import own_surroundings

pytestmark = pytest.mark.usefixtures("state_dir")


@pytest.fixture
def look(monkeypatch):
    def look(address):
        if address:
            monkeypatch.setenv("RETAKE_FARM", address)
        return list(check_farm(own_surroundings()))

    return look


def test_there_is_none_by_default(look):
    assert [finding.state for finding in look("")] == [FindingState.OK]


@pytest.fixture
def ray_is_installed():
    pytest.importorskip("ray", reason="the extra `farm` is not installed")


@pytest.mark.usefixtures("ray_is_installed")
class TestFarm:
    def test_that_answers_is_fine(self, look, monkeypatch):
        monkeypatch.delenv("RAY_AUTH_MODE", raising=False)
        with closing(socket.create_server(("127.0.0.1", 0))) as server:
            findings = look(f"ray://127.0.0.1:{server.getsockname()[1]}")

        assert [finding.state for finding in findings] == [FindingState.OK]

    def test_that_nobody_keeps_is_a_problem_with_its_address(self, look, monkeypatch):
        monkeypatch.delenv("RAY_AUTH_MODE", raising=False)
        with closing(socket.create_server(("127.0.0.1", 0))) as server:
            address = f"ray://127.0.0.1:{server.getsockname()[1]}"
        (finding,) = look(address)

        assert (finding.state, address in finding.text) == (FindingState.PROBLEM, True)

    def test_whose_door_is_open_is_warned_of(self, look, monkeypatch):
        monkeypatch.setenv("RAY_AUTH_MODE", "disabled")

        assert FindingState.WARNING in [finding.state for finding in look("local")]

    @pytest.mark.skipif(os.name != "posix", reason="rights are those of POSIX")
    def test_whose_token_others_may_read_is_warned_of(self, look, monkeypatch, tmp_path):
        token = tmp_path / "auth_token"
        token.write_text("secret")
        monkeypatch.setenv("RAY_AUTH_TOKEN_PATH", str(token))
        token.chmod(0o600)
        assert "farm token" not in [finding.name for finding in look("local")]

        token.chmod(0o644)
        (finding,) = (finding for finding in look("local") if finding.name == "farm token")
        assert (finding.state, str(token) in finding.text) == (FindingState.WARNING, True)
