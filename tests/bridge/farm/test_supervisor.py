"""The farm as the daemon sees it: several jobs at a time, and nothing lost with a node."""

import asyncio
import sys
from pathlib import Path

import pytest

from bridge.daemon.assembly import build
from bridge.farm.plan import FarmPlan
from bridge.host.settings import Settings
from bridge.rendering.supervisor import RenderSupervisor
from bridge.wire.messages import Ack, Cancel, Done, Fail, Models, ModelsReply, Progress, Status, StatusReply
from tests.daemons import STAND_IN, ThreadedDaemon

STAND_IN_FARM = Path(__file__).parents[1] / "stand_in_farm.py"


class FarmDaemon(ThreadedDaemon):
    """A daemon whose farm is the stand-in, and whose own render process is the usual one."""

    async def _serve(self):
        self.daemon = await build(
            self.settings,
            self.state_dir,
            [sys.executable, str(STAND_IN)],
            farm_command=[sys.executable, str(STAND_IN_FARM)],
        )
        self.loop = asyncio.get_running_loop()
        self.loop.call_soon(self.is_up.set)
        await self.daemon.serve()


@pytest.fixture
def start_farm(state_dir):
    started = []

    def start(**settings):
        started.append(FarmDaemon(Settings(port=0, farm="local", cancel_grace_s=0.5, **settings), state_dir))
        return started[-1]

    yield start
    for daemon in started:
        daemon.stop()


@pytest.fixture
def ear(start_farm, connect):
    return connect(start_farm())


class TestFarm:
    def test_renders_as_many_jobs_at_a_time_as_it_has_places(self, ear, generate):
        ear.say(generate("one", "pair"))  # each ends when the other has begun
        ear.say(generate("two", "pair"))

        assert {ear.wait_for(Done).job for _ in range(2)} == {"one", "two"}

    def test_lets_a_third_job_wait_and_the_more_urgent_pass(self, ear, generate):
        for job in ("one", "two"):
            ear.say(generate(job, "slow"))
            ear.wait_for(Progress, job=job)
        ear.say(generate("batch", priority="batch"))
        ear.say(generate("draft", priority="draft"))
        ear.wait_for(Ack, job="draft")
        ear.say(Cancel(job="one"))  # one place, for one after the other

        ends = [ear.wait_for(Done, Fail).job for _ in range(4)]
        assert ends.index("draft") < ends.index("batch")

    def test_stops_one_job_and_leaves_the_other_alone(self, ear, generate):
        for job in ("one", "two"):
            ear.say(generate(job, "slow"))
            ear.wait_for(Progress, job=job)
        ear.say(Cancel(job="one"))

        assert ear.wait_for(Fail, job="one").code == "cancelled"
        assert isinstance(ear.wait_for(Progress, job="two"), Progress)

    @pytest.mark.parametrize("word", ["lost-once", "dies-once"], ids=["a lost node", "a lost cluster"])
    def test_tries_a_job_again_after(self, ear, generate, tmp_path, word):
        ear.say(generate("one", f"{word} {tmp_path / 'mark'}"))

        assert isinstance(ear.wait_for_end("one"), Done)

    def test_fails_a_job_that_is_lost_twice_with_the_reason(self, ear, generate):
        ear.say(generate("one", "lost"))
        end = ear.wait_for_end("one")

        assert (end.code, "node 7 was lost" in end.text) == ("farm_lost", True)

    def test_renders_here_what_is_lost_where_the_settings_say_so(self, start_farm, connect, generate):
        ear = connect(start_farm(farm_fallback=True))
        ear.say(generate("one", "lost"))

        assert ear.wait_for_end("one").paths == ("/results/one.wav",)

    def test_answers_for_its_models_and_its_state(self, ear, generate):
        ear.say(Models())
        assert ear.wait_for(ModelsReply).names == ("nano",)
        ear.say(generate("one", "slow"))
        ear.wait_for(Progress, job="one")
        ear.say(Status())

        assert ear.wait_for(StatusReply).queue_length == 1

    def test_is_not_there_without_the_setting(self, daemon):
        assert isinstance(daemon.daemon.supervisor, RenderSupervisor)


class TestPlan:
    @pytest.mark.parametrize(
        ("plan", "cpus", "gpus", "room"),
        [
            (FarmPlan("auto"), 64, 8, 8),
            (FarmPlan("auto", gpus=0.5), 64, 8, 16),
            (FarmPlan("auto", gpus=0.5), 4, 8, 4),
            (FarmPlan("auto"), 4, 0, 4),
            (FarmPlan("auto", gpus=0.0, cpus=2.0), 5, 1, 2),
            (FarmPlan("auto", actors=3), 64, 8, 3),
            (FarmPlan("auto"), 0, 0, 0),
        ],
        ids=["a card each", "two on a card", "few CPUs", "no card", "cards unused", "a limit", "no node"],
    )
    def test_has_room_for_this_many_actors(self, plan, cpus, gpus, room):
        assert plan.room(cpus, gpus) == room

    def test_survives_its_way_to_the_process(self):
        plan = FarmPlan("ray://head:10001", gpus=0.25, actors=2)

        assert FarmPlan.from_json(plan.to_json()) == plan
