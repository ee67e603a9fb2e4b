"""The player's supervisor: which client gets which reports, and what its death or silence does."""

import asyncio
import os
import signal
import sys
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from bridge.preview.supervisor import Previewer, PreviewRules
from bridge.wire.messages import Done, Fail, Preview, PreviewReply, Stop

STAND_IN = [sys.executable, str(Path(__file__).parents[1] / "stand_in_player.py")]
ME, OTHER = ("127.0.0.1", 1), ("127.0.0.1", 2)
PATIENCE_S = 60.0


class Stage:
    """A previewer, and everything that it told."""

    def __init__(self, command, rules):
        self.told = []
        self._news = asyncio.Queue()
        self.previewer = Previewer(command, rules, self._tell)

    def _tell(self, reply, client):
        self.told.append((reply, client))
        self._news.put_nowait((reply, client))

    def ask(self, request, client=ME):
        self.previewer.accept(request, client)

    async def wait_for(self, wanted, client=ME):
        """The next reply of which `wanted` is true."""
        async with asyncio.timeout(PATIENCE_S):
            while True:
                reply, hearer = await self._news.get()
                if hearer == client and wanted(reply):
                    return reply

    async def wait_for_end(self, path, client=ME):
        return await self.wait_for(
            lambda reply: isinstance(reply, PreviewReply) and reply.path == path and reply.is_final, client
        )

    async def wait_until_the_player_is_gone(self):
        async with asyncio.timeout(PATIENCE_S):
            while self.previewer.player_pid is not None:  # noqa: ASYNC110 - nobody tells
                await asyncio.sleep(0.01)

    def failures(self):
        return [reply for reply, _ in self.told if isinstance(reply, Fail)]


@asynccontextmanager
async def a_stage(command=STAND_IN, **rules):
    stage = Stage(command, PreviewRules(start_s=PATIENCE_S, **{"silence_s": PATIENCE_S} | rules))
    try:
        yield stage
    finally:
        await stage.previewer.close()


def is_done(reply):
    return isinstance(reply, Done) and reply.command == Preview.address


def is_stop_done(reply):
    return reply == Done(Stop.address, "")


def is_playing(reply):
    return isinstance(reply, PreviewReply) and reply.state == "playing"


def plays(test):
    """Run an asynchronous test."""

    def run(self):
        asyncio.run(test(self))

    run.__doc__ = test.__doc__
    return run


class TestPreview:
    @plays
    async def test_is_reported_from_its_start_to_its_end(self):
        async with a_stage() as stage:
            stage.ask(Preview(path="/short"))
            await stage.wait_for_end("/short")

        assert [type(reply) for reply, _ in stage.told] == [PreviewReply, Done, PreviewReply]
        assert [reply.state for reply, _ in stage.told if isinstance(reply, PreviewReply)] == ["starting", "ended"]

    @plays
    async def test_gets_device_and_level_of_the_settings(self):
        async with a_stage(device="booth", level_db=-3.0) as stage:
            stage.ask(Preview(path="/short"))

            assert (await stage.wait_for(is_done)).paths == ("/short on booth at -3",)

    @plays
    async def test_may_choose_device_and_level_itself(self):
        async with a_stage(device="booth", level_db=-3.0) as stage:
            stage.ask(Preview(path="/short", device="studio", level_db=0))

            assert (await stage.wait_for(is_done)).paths == ("/short on studio at 0",)

    @plays
    async def test_takes_the_place_of_the_one_before(self):
        async with a_stage() as stage:
            stage.ask(Preview(path="/long"))
            await stage.wait_for(is_playing)
            stage.ask(Preview(path="/short"), OTHER)

            assert (await stage.wait_for_end("/long")).state == "stopped"
            assert (await stage.wait_for_end("/short", OTHER)).state == "ended"
            assert not stage.failures()

    @plays
    async def test_that_never_sounded_because_of_the_next_hears_so(self):
        async with a_stage() as stage:
            stage.ask(Preview(path="/long"))
            await stage.wait_for(is_playing)
            stage.ask(Preview(path="/other"))
            stage.ask(Preview(path="/short"))
            await stage.wait_for_end("/short")

        assert [failure.code for failure in stage.failures()] == ["preview_replaced"]

    @plays
    async def test_sent_again_before_it_sounds_is_the_same(self):
        async with a_stage() as stage:
            for _ in range(5):
                stage.ask(Preview(path="/long"))
            await stage.wait_for(is_playing)

            assert [reply.state for reply, _ in stage.told[:5]] == ["starting"] * 5
            assert sum(isinstance(reply, Done) for reply, _ in stage.told) == 1
            assert not stage.failures()

    @plays
    async def test_that_is_refused_hears_why(self):
        async with a_stage() as stage:
            stage.ask(Preview(path="/refuses"))

            assert (await stage.wait_for_end("/refuses")).state == "failed"
            assert [failure.code for failure in stage.failures()] == ["device_unknown"]

    @plays
    async def test_of_a_flood_only_the_last_one_sounds_in_full(self):
        async with a_stage() as stage:
            for number in range(200):
                stage.ask(Preview(path=f"/{number}"))
            stage.ask(Preview(path="/short"))

            assert (await stage.wait_for_end("/short")).state == "ended"
            assert len(stage.failures()) >= 199


class TestStop:
    @plays
    async def test_ends_what_plays_and_is_answered_after_that(self):
        async with a_stage() as stage:
            stage.ask(Preview(path="/long"))
            await stage.wait_for(is_playing)
            stage.ask(Stop(), OTHER)
            await stage.wait_for(is_stop_done, OTHER)

        states = [reply.state for reply, _ in stage.told if isinstance(reply, PreviewReply)]
        assert states[-1] == "stopped"
        assert stage.told[-1] == (Done(Stop.address, ""), OTHER)

    @plays
    async def test_of_nothing_is_done_at_once(self):
        async with a_stage() as stage:
            stage.ask(Stop())

            assert stage.told == [(Done(Stop.address, ""), ME)]

    @plays
    async def test_before_the_first_sound_holds_too(self):
        async with a_stage() as stage:
            stage.ask(Preview(path="/long"))
            stage.ask(Stop())
            await stage.wait_for_end("/long")

            assert not any(is_playing(reply) for reply, _ in stage.told[-1:])

    @plays
    async def test_at_the_end_of_the_daemon_is_reported(self):
        async with a_stage() as stage:
            stage.ask(Preview(path="/long"))
            await stage.wait_for(is_playing)

        assert stage.told[-1] == (PreviewReply("stopped", "/long"), ME)
        assert stage.previewer.player_pid is None


class TestPlayerThat:
    @plays
    async def test_is_killed_costs_a_sentence_and_the_next_preview_gets_a_new_one(self):
        async with a_stage() as stage:
            stage.ask(Preview(path="/long"))
            await stage.wait_for(is_playing)
            first = stage.previewer.player_pid
            os.kill(first, signal.SIGKILL)

            assert (await stage.wait_for_end("/long")).state == "failed"
            assert "the player ended with code -9" in stage.failures()[0].text
            stage.ask(Preview(path="/short"))
            assert (await stage.wait_for_end("/short")).state == "ended"

    @plays
    async def test_is_killed_between_two_previews_is_not_missed(self):
        async with a_stage() as stage:
            stage.ask(Preview(path="/short"))
            await stage.wait_for_end("/short")
            os.kill(stage.previewer.player_pid, signal.SIGKILL)
            await stage.wait_until_the_player_is_gone()
            stage.ask(Preview(path="/short"))

            assert (await stage.wait_for_end("/short")).state == "ended"

    @plays
    async def test_never_starts_to_play_is_ended(self):
        async with a_stage() as stage:
            stage.previewer._rules = PreviewRules(start_s=1.0)
            stage.ask(Preview(path="/hangs"))

            assert (await stage.wait_for_end("/hangs")).state == "failed"
            assert "said nothing for 1 s" in stage.failures()[0].text
            assert stage.previewer.player_pid is None

    @plays
    async def test_freezes_is_ended_and_the_next_preview_plays(self):
        async with a_stage(silence_s=2.0) as stage:
            stage.ask(Preview(path="/freezes"))

            assert (await stage.wait_for_end("/freezes")).state == "failed"
            stage.ask(Preview(path="/short"))
            assert (await stage.wait_for_end("/short")).state == "ended"

    @plays
    async def test_freezes_does_not_keep_a_stop_from_being_answered(self):
        async with a_stage(silence_s=2.0) as stage:
            stage.ask(Preview(path="/freezes"))
            await stage.wait_for(is_done)
            stage.ask(Stop())
            await stage.wait_for(is_stop_done)

    @plays
    async def test_dies_or_babbles_is_reported(self):
        async with a_stage() as stage:
            for path in ("/dies", "/babbles"):
                stage.ask(Preview(path=path))

                assert (await stage.wait_for_end(path)).state == "failed"
            assert [failure.code for failure in stage.failures()] == ["preview_failed"] * 2

    @plays
    async def test_cannot_be_started_is_reported(self):
        async with a_stage(["/nowhere/retake", "player"]) as stage:
            stage.ask(Preview(path="/short"))

            assert (await stage.wait_for_end("/short")).state == "failed"
            assert "the player cannot be started" in stage.failures()[0].text

    @plays
    async def test_has_nothing_to_do_goes_and_comes_back(self):
        async with a_stage(idle_s=0.1) as stage:
            stage.ask(Preview(path="/short"))
            await stage.wait_for_end("/short")
            await stage.wait_until_the_player_is_gone()
            stage.ask(Preview(path="/short"))

            assert (await stage.wait_for_end("/short")).state == "ended"


REFUSED = {
    "level too high": {"level_db": 6.1},
    "level too low": {"level_db": -121},
    "reversed part": {"start_s": 2, "end_s": 1},
    "part before the file": {"start_s": -1},
    "relative path": {"path": "clip.wav"},
}


class TestRequest:
    @pytest.mark.parametrize("keys", REFUSED.values(), ids=REFUSED)
    def test_that_cannot_be_is_refused(self, keys):
        with pytest.raises(Exception, match="expected"):
            Preview(**{"path": "/clip.wav"} | keys)

    def test_needs_the_token(self, ear):
        for request in (Preview(path="/clip.wav"), Stop()):
            ear.say(request, token="wrong")

            assert ear.hear().code == "bad_token"
