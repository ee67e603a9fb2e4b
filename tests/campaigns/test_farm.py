"""A short campaign against a farm of two nodes on this machine, and what an actor does when it is not killed."""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from bridge.wire.messages import Done, Fail, Generate
from engine.audio import read_story
from engine.checkpoints.store import save_model
from engine.presets import PRESETS, build
from tests.campaigns.callers import Call, Caller, Crowd
from tests.campaigns.house import House, house
from tests.campaigns.ray_nodes import RayNodes
from tests.campaigns.report import silent
from tests.daemons import PATIENCE_S

pytest.importorskip("ray", reason="the extra `farm` is not installed")

from tests.campaigns.farm import run_farm


@pytest.fixture(scope="module")
def small_farm(tmp_path_factory):
    """A head with one place, a daemon that hands its jobs to it, and a client."""
    root = tmp_path_factory.mktemp("farm")
    with house(root=root) as home, RayNodes() as nodes:
        cache, models = root / "cache", root / "models"
        nodes.environment |= {"RETAKE_FARM_CACHE": str(cache)}
        nodes.start_head()
        home.flags = ("--farm", nodes.address, "--farm-wait-s", "120")
        home.environment |= {**nodes.environment, "RETAKE_MODELS": str(models)}
        home.start()
        home.require_runtime()
        with Crowd([Caller("f", home.runtime)]) as crowd:
            yield SmallFarm(home, crowd, cache, models)


@pytest.fixture(scope="module")
def own_cluster():
    """A head on the machine of the artist, which belongs to the cluster itself."""
    with RayNodes() as nodes:
        nodes.start_head()
        yield nodes


@dataclass(frozen=True)
class SmallFarm:
    home: House
    crowd: Crowd
    cache: Path  # of the node
    models: Path  # of the daemon

    @property
    def caller(self) -> Caller:
        return self.crowd.callers[0]

    def ask(self, job: str, **keys: object) -> Call:
        return self.caller.ask(Generate(job=job, prompt="rain", output_dir=str(self.home.takes), **keys))

    def turn_until(self, is_so: Callable[[], bool]) -> None:
        deadline = time.monotonic() + 4 * PATIENCE_S
        while not is_so():
            assert time.monotonic() < deadline, "nothing came of it in time"
            self.crowd.turn()


@pytest.mark.slow
@pytest.mark.timeout(600)
class TestFarm:
    """One class, so that one process runs one cluster after the other."""

    def test_every_job_is_answered_once_whatever_is_killed(self, tmp_path):
        report = run_farm(seed=1, num_jobs=36, say=silent, root=tmp_path)

        assert report.failures() == []
        assert report.figures["jobs"] == 36

    def test_a_job_is_cancelled_between_its_steps_and_the_actor_goes_on(self, small_farm):
        """Its thousand steps would take much longer than the test has patience for."""
        long = small_farm.ask("long", seconds=60.0, steps=1000, tries=1)
        small_farm.turn_until(lambda: long.stage.startswith("step "))

        small_farm.caller.cancel(long)
        small_farm.turn_until(lambda: long.has_ended)
        after = small_farm.ask("after", seconds=0.5, steps=2)
        small_farm.turn_until(lambda: after.has_ended)

        (end,) = long.ends
        assert isinstance(end, Fail)
        assert end.code == "cancelled"
        assert isinstance(after.ends[0], Done)
        assert not list(small_farm.home.takes.glob("*long*"))

    def test_a_model_that_the_node_lacks_is_brought_once_and_whole(self, small_farm):
        save_model(build(replace(PRESETS["tiny"], name="own"), seed=5), small_farm.models / "own")
        calls = []
        for job in ("first", "second"):
            calls.append(small_farm.ask(job, model="own", seconds=0.5, steps=2))
            small_farm.turn_until(lambda: calls[-1].has_ended)

        assert all(isinstance(call.ends[0], Done) for call in calls)
        (brought,) = small_farm.cache.glob("*/own")
        sent = {file.name: file.read_bytes() for file in (small_farm.models / "own").iterdir()}
        assert {file.name: file.read_bytes() for file in brought.iterdir()} == sent
        stories = [read_story(Path(call.ends[0].paths[0])) for call in calls]
        assert [story["model"] for story in stories] == ["own", "own"]

    @pytest.mark.parametrize("way", ["auto", "host and port"])
    def test_a_machine_of_the_cluster_needs_no_client(self, tmp_path, own_cluster, way):
        """`auto` looks for it as Ray does: at RAY_ADDRESS, then among the clusters of this machine."""
        address = own_cluster.member_address
        with house(root=tmp_path) as home:
            home.flags = ("--farm", "auto" if way == "auto" else address, "--farm-wait-s", "120")
            home.environment |= own_cluster.environment | ({"RAY_ADDRESS": address} if way == "auto" else {})
            home.start()
            home.require_runtime()
            with Crowd([Caller("m", home.runtime)]) as crowd:
                farm = SmallFarm(home, crowd, tmp_path, tmp_path)
                call = farm.ask("member", seconds=0.5, steps=2)
                farm.turn_until(lambda: call.has_ended)

            assert isinstance(call.ends[0], Done)
            assert [take.name for take in home.takes.glob("*.wav")] == [Path(call.ends[0].paths[0]).name]
