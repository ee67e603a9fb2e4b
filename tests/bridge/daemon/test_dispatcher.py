"""What clients receive: acknowledgement, progress, result, refusal; by a real socket, from a stand-in that renders."""

import os
import signal
import time

import pytest

from bridge import __version__
from bridge.daemon.osc_server import IncomingMessage
from bridge.wire.messages import (
    Ack,
    Cancel,
    Done,
    Fail,
    Generate,
    Inpaint,
    JobEntry,
    JobQuery,
    JobReply,
    Jobs,
    Models,
    ModelsReply,
    Notice,
    Notify,
    Progress,
    Quit,
    Restyle,
    Status,
    StatusReply,
    Sync,
    Synced,
    Unload,
    UseModel,
    Version,
    VersionReply,
)
from bridge.wire.parsing import to_message
from tests.audit_events import before


class TestJob:
    def test_is_acknowledged_then_followed_to_its_end(self, ear, generate):
        ear.say(generate("one"))

        assert ear.hear() == Ack("one", 0)
        assert ear.wait_for_end("one") == Done("/retake/generate", "one", ("/results/one.wav",))
        assert next(reply.stage for reply in ear.heard if isinstance(reply, Progress)) == "loading"

    @pytest.mark.parametrize(
        "request_",
        [
            Restyle(job="j", clip="/clip.wav", prompt="fine"),
            Inpaint(job="j", clip="/clip.wav", prompt="fine", start_s=1, end_s=2),
        ],
        ids=["restyle", "inpaint"],
    )
    def test_is_answered_under_its_own_address(self, ear, request_):
        ear.say(request_)

        assert ear.wait_for_end("j").command == request_.address

    def test_sends_its_warnings(self, ear, generate):
        ear.say(generate("one", "warns"))

        assert ear.wait_for(Notice) == Notice("one", "an unknown sound")
        assert isinstance(ear.wait_for_end("one"), Done)

    def test_of_another_gets_its_position_in_the_queue(self, ear, generate):
        ear.say(generate("one", "slow"))
        ear.wait_for(Progress)
        ear.say(generate("two"))
        ear.say(generate("three"))

        assert ear.wait_for(Ack, job="two").position == 1
        assert ear.wait_for(Ack, job="three").position == 2

    def test_runs_in_the_order_of_arrival(self, ear, generate):
        for job in ("one", "two", "three"):
            ear.say(generate(job))

        assert [ear.wait_for(Done).job for _ in range(3)] == ["one", "two", "three"]

    def test_reports_at_most_five_times_a_second(self, ear, generate):
        """Counted from before the request, so that a machine with much else to do finds fewer and never more."""
        began_at, count = time.monotonic(), 0
        ear.say(generate("one", "slow"))
        while (seconds := time.monotonic() - began_at) < 1.5:
            ear.wait_for(Progress)
            count += 1

        assert count <= seconds * 5 + 2

    def test_that_cannot_be_rendered_fails_with_the_reason_and_is_not_tried_again(self, ear, generate):
        ear.say(generate("one", "refuses"))

        assert ear.wait_for_end("one") == Fail("/retake/generate", "one", "bad_value", "no", "other")

    def test_is_refused_when_too_many_wait(self, start_daemon, connect, generate):
        ear = connect(start_daemon(queue_capacity=1, cancel_grace_s=0.5))
        ear.say(generate("one", "slow"))
        ear.wait_for(Progress)
        ear.say(generate("two"))
        ear.say(generate("three"))

        assert ear.wait_for(Fail).code == "queue_full"
        ear.say(JobQuery(job="three"))
        assert ear.wait_for(Fail).code == "unknown_job"


class TestSendingAgain:
    def test_makes_one_job_and_gives_the_same_answer(self, ear, generate):
        ear.say(generate("one"))
        ear.say(generate("one"))

        assert ear.hear() == Ack("one", 0)
        assert ear.wait_for(Ack) == Ack("one", 0)
        first = ear.wait_for_end("one")
        ear.say(generate("one"))
        assert ear.hear() == Ack("one", 0)
        assert ear.hear() == first
        assert ear.hear(0.3) is None

    def test_from_another_port_brings_the_replies_there_too(self, daemon, connect, generate):
        first, second = connect(daemon), connect(daemon)
        first.say(generate("one"))
        first.wait_for(Ack)
        second.say(generate("one"))

        assert isinstance(first.wait_for_end("one"), Done)
        assert isinstance(second.wait_for_end("one"), Done)

    def test_a_different_request_under_the_same_id_is_refused(self, ear, generate):
        ear.say(generate("one"))
        ear.wait_for_end("one")
        ear.say(generate("one", seed=2))

        assert ear.hear().code == "job_id_reused"


class TestCancel:
    def test_takes_a_waiting_job_out_of_the_queue(self, ear, generate):
        ear.say(generate("one", "slow"))
        ear.say(generate("two"))
        ear.wait_for(Ack, job="two")
        ear.say(Cancel(job="two"))

        assert ear.wait_for(Fail, job="two").code == "cancelled"
        assert ear.wait_for(Done, job="two").command == "/retake/cancel"

    def test_stops_a_running_job_and_keeps_its_process(self, daemon, ear, generate):
        ear.say(generate("one", "slow"))
        while "step" not in ear.wait_for(Progress).stage:
            pass
        process = daemon.worker_pid
        ear.say(Cancel(job="one"))

        assert ear.wait_for(Done, job="one").command == "/retake/cancel"
        assert ear.wait_for(Fail, job="one").code == "cancelled"
        ear.say(generate("two"))
        assert isinstance(ear.wait_for_end("two"), Done)
        assert daemon.worker_pid == process

    def test_stops_a_job_whose_model_is_still_loading_at_once(self, start_daemon, connect, generate):
        ear = connect(start_daemon(cancel_grace_s=60))
        ear.say(generate("one", "loads"))
        ear.wait_for(Progress)
        ear.say(Cancel(job="one"))

        assert ear.wait_for(Fail, job="one").code == "cancelled"
        ear.say(generate("two"))
        assert isinstance(ear.wait_for_end("two"), Done)

    def test_stops_by_force_a_job_that_does_not_listen(self, daemon, ear, generate):
        ear.say(generate("one", "deaf"))
        while "step" not in ear.wait_for(Progress).stage:
            pass
        process = daemon.worker_pid
        ear.say(Cancel(job="one"))

        assert ear.wait_for(Fail, job="one").code == "cancelled"
        ear.say(generate("two"))
        assert isinstance(ear.wait_for_end("two"), Done)
        assert daemon.worker_pid != process

    def test_of_a_cancelled_job_is_confirmed_again(self, ear, generate):
        ear.say(generate("one", "slow"))
        ear.say(Cancel(job="one"))
        ear.wait_for(Fail, job="one")
        ear.say(Cancel(job="one"))

        assert ear.wait_for(Done) == Done("/retake/cancel", "one")

    @pytest.mark.parametrize(("job", "code"), [("finished", "job_finished"), ("nobody", "unknown_job")])
    def test_of_nothing_that_runs_is_refused(self, ear, generate, job, code):
        ear.say(generate("finished"))
        ear.wait_for_end("finished")
        ear.say(Cancel(job=job))

        reply = ear.hear()
        assert (reply.command, reply.job, reply.code) == ("/retake/cancel", job, code)


class TestRenderProcess:
    def test_that_dies_once_is_replaced_and_the_job_is_done(self, ear, generate, tmp_path):
        ear.say(generate("one", f"dies-once {tmp_path / 'died'}"))

        assert isinstance(ear.wait_for_end("one"), Done)
        assert (tmp_path / "died").exists()

    def test_that_dies_twice_fails_the_job_and_serves_the_next(self, ear, generate):
        ear.say(generate("one", "dies"))
        failure = ear.wait_for_end("one")

        assert failure.code == "worker_died"
        assert "exit code 9" in failure.text
        ear.say(generate("two"))
        assert isinstance(ear.wait_for_end("two"), Done)

    def test_that_talks_nonsense_is_ended(self, ear, generate):
        ear.say(generate("one", "babbles"))

        assert ear.wait_for_end("one").code == "worker_died"

    def test_killed_between_jobs_is_replaced(self, daemon, ear, generate):
        ear.say(generate("one"))
        ear.wait_for_end("one")
        os.kill(daemon.worker_pid, signal.SIGKILL)
        ear.say(generate("two"))

        assert isinstance(ear.wait_for_end("two"), Done)

    def test_leaves_after_some_time_without_work(self, start_daemon, connect, generate, wait_until, alive):
        daemon = start_daemon(idle_unload_min=0.2 / 60)
        ear = connect(daemon)
        ear.say(generate("one"))
        ear.wait_for_end("one")
        process = daemon.worker_pid
        wait_until(lambda: not alive(process))

        ear.say(generate("two"))
        assert isinstance(ear.wait_for_end("two"), Done)


class TestHangingProcess:
    """A process that was stopped, or is alive without getting on, costs the same as one that dies."""

    def test_that_is_suspended_is_replaced_and_the_job_is_done(self, start_daemon, connect, generate, tmp_path):
        ear = connect(start_daemon(worker_silence_s=1))
        ear.say(generate("one", f"freezes-once {tmp_path / 'froze'}"))

        assert isinstance(ear.wait_for_end("one"), Done)
        assert (tmp_path / "froze").exists()

    def test_that_hangs_twice_fails_the_job_and_serves_the_next(self, start_daemon, connect, generate, alive):
        daemon = start_daemon(worker_silence_s=1)
        ear = connect(daemon)
        ear.say(generate("one", "freezes"))
        ear.wait_for(Progress)
        assert ear.wait_for_end("one").code == "worker_hung"
        process = daemon.worker_pid

        ear.say(generate("two"))
        assert isinstance(ear.wait_for_end("two"), Done)
        assert not alive(process)

    def test_that_lives_without_getting_on_is_replaced(self, start_daemon, connect, generate):
        ear = connect(start_daemon(worker_silence_s=30, worker_stuck_min=1 / 60))
        ear.say(generate("one", "spins"))

        assert ear.wait_for_end("one").code == "worker_hung"

    def test_that_is_cancelled_meanwhile_is_cancelled(self, start_daemon, connect, generate):
        ear = connect(start_daemon(worker_silence_s=30, cancel_grace_s=0.2))
        ear.say(generate("one", "freezes"))
        ear.wait_for(Progress)
        ear.say(Cancel(job="one"))

        assert ear.wait_for(Fail, job="one").code == "cancelled"


class TestDeadline:
    def test_that_has_passed_refuses_the_job(self, ear, generate):
        ear.say(generate("one", deadline_unix=time.time() - 60))
        reply = ear.hear()

        assert (reply.code, reply.job) == ("too_late", "one")
        ear.say(JobQuery(job="one"))
        assert ear.hear().code == "unknown_job"

    def test_that_passes_while_the_job_waits_fails_it(self, ear, generate):
        ear.say(generate("one", "slow"))
        ear.wait_for(Progress)
        deadline = time.time() + 1
        ear.say(generate("two", deadline_unix=deadline))
        ear.wait_for(Ack, job="two")
        while time.time() < deadline:
            time.sleep(0.05)
        ear.say(Cancel(job="one"))

        assert ear.wait_for_end("two").code == "too_late"

    def test_that_is_met_changes_nothing(self, ear, generate):
        ear.say(generate("one", deadline_unix=time.time() + 600))

        assert isinstance(ear.wait_for_end("one"), Done)


class TestModel:
    def test_is_loaded_ahead_and_serves_requests_that_name_none(self, ear, generate):
        ear.say(UseModel(model="other"))

        assert ear.hear() == Progress("", 0.0, "loading")
        assert ear.wait_for(Done) == Done("/retake/model", "")
        ear.say(generate("one"))
        ear.wait_for_end("one")
        ear.say(Status(), token="")
        assert ear.wait_for(StatusReply).model == "other"

    def test_asked_for_again_while_it_loads_is_answered_once(self, ear):
        for _ in range(3):
            ear.say(UseModel(model="other"))

        assert ear.wait_for(Done) == Done("/retake/model", "")
        assert ear.hear(0.5) is None

    def test_that_is_missing_is_refused_in_the_engines_words(self, ear):
        ear.say(UseModel(model="missing"))

        assert ear.wait_for(Fail) == Fail("/retake/model", "", "model_missing", "there is no such model", "look again")

    def test_is_unloaded_on_request(self, daemon, ear, generate, alive):
        ear.say(generate("one"))
        ear.wait_for_end("one")
        process = daemon.worker_pid
        ear.say(Unload())

        assert ear.wait_for(Done) == Done("/retake/unload", "")
        assert not alive(process)

    def test_stays_while_a_job_runs(self, ear, generate):
        ear.say(generate("one", "slow"))
        ear.wait_for(Progress)
        ear.say(Unload())

        assert ear.wait_for(Fail).code == "busy"


class TestHistory:
    def test_lists_the_newest_first_then_says_that_this_was_all(self, ear, generate):
        for job, prompt in (("one", "fine"), ("two", "refuses"), ("three", "fine")):
            ear.say(generate(job, prompt))
            ear.wait_for_end(job)
        ear.say(Jobs())
        ear.wait_for(Done)
        entries = [reply for reply in ear.heard if isinstance(reply, JobEntry)]

        assert [(entry.job, entry.state, entry.path, entry.code) for entry in entries] == [
            ("three", "done", "/results/three.wav", ""),
            ("two", "failed", "", "bad_value"),
            ("one", "done", "/results/one.wav", ""),
        ]
        assert {(entry.command, entry.prompt) for entry in entries[::2]} == {("/retake/generate", "fine")}

    def test_is_searched(self, ear, generate):
        for job in ("one", "two"):
            ear.say(generate(job))
            ear.wait_for_end(job)
        ear.say(Jobs(text="TWO", state="done", limit=5))
        ear.wait_for(JobEntry)

        assert ear.heard[-1].job == "two"
        assert ear.hear() == Done("/retake/jobs", "")


class TestAlike:
    """Jobs of equal shape are rendered together where the device gains by it, here because the setting says so."""

    @pytest.fixture
    def ear(self, start_daemon, connect):
        return connect(start_daemon(batch_jobs=3, cancel_grace_s=0.5))

    def test_are_begun_together_wherever_they_wait(self, ear, generate):
        ear.say(generate("first", "slow"))
        ear.wait_for(Progress)
        for job, keys in (("a", {}), ("other", {"seconds": 3.0}), ("b", {}), ("c", {}), ("d", {})):
            ear.say(generate(job, **keys))
            ear.wait_for(Ack, job=job)
        ear.say(Cancel(job="first"))
        started = []
        while len(started) < 5:
            news = ear.wait_for(Progress)
            if news.stage == "loading":
                started.append(news.job)

        assert started == ["a", "b", "c", "other", "d"]
        assert isinstance(ear.wait_for_end("d"), Done)
        assert {reply.job for reply in ear.heard if isinstance(reply, Done)} >= {"a", "b", "c", "other", "d"}

    def test_are_each_tried_once_more_when_the_process_dies_over_them(self, ear, generate, tmp_path):
        ear.say(generate("first", "slow"))
        ear.wait_for(Progress)
        for job, prompt in (("a", f"dies-once {tmp_path / 'died'}"), ("b", "fine"), ("c", "dies")):
            ear.say(generate(job, prompt))
            ear.wait_for(Ack, job=job)
        ear.say(Cancel(job="first"))
        ends = {}
        while not {"a", "b", "c"} <= set(ends):
            end = ear.wait_for(Done, Fail)
            ends[end.job] = end

        assert isinstance(ends["a"], Done)
        assert isinstance(ends["b"], Done)
        assert ends["c"].code == "worker_died"

    def test_can_be_cancelled_alone(self, ear, generate):
        ear.say(generate("first", "slow"))
        ear.wait_for(Progress)
        for job, prompt in (("a", "slow"), ("b", "fine")):
            ear.say(generate(job, prompt))
            ear.wait_for(Ack, job=job)
        ear.say(Cancel(job="first"))
        while "step" not in ear.wait_for(Progress, job="a").stage:
            pass
        ear.say(Cancel(job="a"))

        assert ear.wait_for(Fail, job="a").code == "cancelled"
        assert isinstance(ear.wait_for_end("b"), Done)


class TestOrder:
    def test_is_by_urgency_then_by_turns(self, daemon, connect, generate):
        ear, other = connect(daemon), connect(daemon)
        listener = connect(daemon)
        listener.say(Notify(on=True))
        listener.wait_for(Done)
        ear.say(generate("first", "slow"))
        ear.wait_for(Progress)
        for job, keys in (("batch", {"priority": "batch"}), ("a1", {}), ("a2", {}), ("draft", {"steps": 4})):
            ear.say(generate(job, **keys))
            ear.wait_for(Ack, job=job)
        other.say(generate("b1"))
        other.wait_for(Ack)
        ear.say(Cancel(job="first"))
        listener.wait_for_end("first")

        assert [listener.wait_for(Done).job for _ in range(5)] == ["draft", "a1", "b1", "a2", "batch"]


class TestQuestions:
    def test_status_names_state_model_and_queue(self, ear, generate):
        ear.say(Status(), token="")
        assert ear.hear() == StatusReply(__version__, "idle", "nano", "auto", 0)

        ear.say(generate("one", "slow"))
        ear.say(generate("two"))
        while "step" not in ear.wait_for(Progress).stage:
            pass
        ear.say(Status(), token="")
        assert ear.wait_for(StatusReply) == StatusReply(__version__, "rendering", "stand-in", "cpu", 2)

    def test_version_names_that_of_the_protocol_too(self, ear):
        ear.say(Version(), token="")

        assert ear.hear() == VersionReply(__version__, 1)

    def test_models_are_listed_even_while_a_job_runs(self, ear, generate):
        ear.say(Models(), token="")
        assert ear.hear() == ModelsReply(("nano", "stand-in"))

        ear.say(generate("one", "slow"))
        ear.wait_for(Progress)
        ear.say(Models(), token="")
        assert ear.wait_for(ModelsReply).names == ("nano", "stand-in")

    def test_a_job_is_described_and_its_end_repeated(self, daemon, connect, generate):
        ear, late = connect(daemon), connect(daemon)
        ear.say(generate("one"))
        end = ear.wait_for_end("one")
        late.say(JobQuery(job="one"))

        assert late.hear() == JobReply("one", "done", 1.0, "done")
        assert late.hear() == end

    def test_who_asks_for_a_running_job_hears_its_end(self, daemon, connect, generate):
        ear, late = connect(daemon), connect(daemon)
        ear.say(generate("one"))
        ear.wait_for(Progress)
        late.say(JobQuery(job="one"))

        assert late.hear().state == "running"
        assert isinstance(late.wait_for_end("one"), Done)

    def test_sync_waits_for_all_earlier_jobs_of_the_sender(self, ear, generate):
        for job in ("one", "two"):
            ear.say(generate(job))
        ear.say(Sync(number=7), token="")

        assert ear.wait_for(Synced) == Synced(7)
        assert {reply.job for reply in ear.heard if isinstance(reply, Done)} == {"one", "two"}

    def test_sync_waits_for_no_later_job(self, ear, generate):
        ear.say(generate("one"))
        ear.wait_for(Ack)
        ear.say(Sync(number=7), token="")
        ear.say(generate("two", "slow"))

        assert ear.wait_for(Synced) == Synced(7)
        assert {reply.job for reply in ear.heard if isinstance(reply, Done)} == {"one"}

    def test_sync_without_jobs_is_answered_at_once(self, daemon, connect, generate):
        busy, idle = connect(daemon), connect(daemon)
        busy.say(generate("one", "slow"))
        busy.wait_for(Ack)
        idle.say(Sync(number=1), token="")

        assert idle.hear() == Synced(1)

    def test_notify_brings_the_replies_about_all_jobs_until_it_is_switched_off(self, daemon, connect, generate):
        ear, listener = connect(daemon), connect(daemon)
        listener.say(Notify(on=True))
        assert listener.hear() == Done("/retake/notify", "")
        ear.say(generate("one"))
        assert isinstance(listener.wait_for_end("one"), Done)

        listener.say(Notify(on=False))
        listener.wait_for(Done)
        ear.say(generate("two"))
        ear.wait_for_end("two")
        assert listener.hear(0.2) is None


class TestToken:
    @pytest.mark.parametrize(
        "request_",
        [
            Generate(job="j", prompt="fine"),
            Cancel(job="j"),
            JobQuery(job="j"),
            Jobs(),
            Notify(on=True),
            UseModel(model="s"),
            Unload(),
            Quit(),
        ],
        ids=lambda request: request.address,
    )
    @pytest.mark.parametrize("token", ["", "guessed", "gué"], ids=["missing", "wrong", "not-ascii"])
    def test_is_needed_for_what_touches_files_or_work(self, ear, request_, token):
        ear.say(request_, token=token)

        reply = ear.hear()
        assert (reply.command, reply.code) == (request_.address, "bad_token")
        assert "runtime.json" in reply.hint
        ear.say(Status(), token="")
        assert ear.hear().queue_length == 0

    def test_is_not_needed_when_the_settings_say_so(self, start_daemon, connect, generate):
        ear = connect(start_daemon(require_token=False))
        ear.say(generate("one"), token="")

        assert isinstance(ear.wait_for_end("one"), Done)


class TestBadMessages:
    def test_are_answered_with_address_job_and_code(self, ear):
        ear.send_raw(b"/retake/cancl\0\0\0,s\0\0j\0\0\0")

        assert ear.hear() == Fail(
            "/retake/cancl", "", "unknown_address", "there is no address /retake/cancl", "did you mean /retake/cancel?"
        )

    def test_name_the_job_that_they_meant(self, ear):
        ear.send_raw(b"/retake/restyle\0,s\0\0j17\0")

        assert (ear.hear().job, ear.heard[-1].code) == ("j17", "missing_argument")

    @pytest.mark.parametrize(
        "datagram",
        [b"", b"\0", b"hello", b"/", b"/a", b"#bundle\0", os.urandom(1000), b"#bundle\0" + b"\xff" * 400],
        ids=["empty", "zero", "words", "slash", "unpadded", "half-a-bundle", "noise", "negative-sizes"],
    )
    def test_that_are_not_osc_are_dropped_without_effect(self, ear, datagram):
        ear.send_raw(datagram)
        ear.say(Status(), token="")

        assert isinstance(ear.hear(), StatusReply)

    def test_do_not_end_the_daemon_when_they_meet_a_defect(self, ear, tmp_path):
        """Whatever goes wrong inside, the client gets a sentence and the next request is served."""
        clip = tmp_path / "clip.wav"
        clip.touch()

        def fail(path, *_):
            assert path != str(clip), "a defect"

        with before("open", fail):
            ear.say(Restyle(job="one", clip=str(clip), prompt="fine"))
            assert ear.wait_for(Fail).code == "internal_error"
        ear.say(Version(), token="")
        assert isinstance(ear.hear(), VersionReply)


class TestBundle:
    def test_is_answered_in_its_order(self, ear):
        element = b"/retake/version\0,\0\0\0"
        other = b"/retake/status\0\0,\0\0\0"
        bundle = b"#bundle\0" + b"\xff" * 8
        for part in (element, other):
            bundle += len(part).to_bytes(4, "big") + part
        ear.send_raw(bundle)

        assert isinstance(ear.hear(), VersionReply)
        assert isinstance(ear.hear(), StatusReply)


class TestQuit:
    def test_interrupts_what_is_unfinished_and_leaves_nothing_behind(self, daemon, ear, generate, state_dir, alive):
        ear.say(generate("one", "slow"))
        ear.say(generate("two"))
        ear.wait_for(Progress)
        process = daemon.worker_pid
        ear.say(Quit())

        assert ear.wait_for(Done) == Done("/retake/quit", "")
        assert [ear.wait_for(Fail).code for _ in range(2)] == ["interrupted", "interrupted"]
        daemon.thread.join(10)
        assert not daemon.thread.is_alive()
        assert not alive(process)
        assert not (state_dir / "runtime.json").exists()

    @pytest.mark.parametrize("ticks", range(6))
    def test_in_the_moment_when_a_job_arrives_is_obeyed(self, start_daemon, generate, ticks):
        """Some ways to wait with a time limit swallow a cancellation that comes together with what they waited for."""
        daemon = start_daemon()
        message = IncomingMessage(to_message(generate("one", "slow", token=daemon.runtime.token)), ("127.0.0.1", 9))

        def close_after(ticks):
            if ticks:
                daemon.loop.call_soon(close_after, ticks - 1)
            else:
                daemon.daemon.closing.set()

        def collide():
            daemon.daemon.dispatcher.take(message)
            close_after(ticks)

        daemon.loop.call_soon_threadsafe(collide)
        daemon.thread.join(10)
        assert not daemon.thread.is_alive()


class TestReplyFile:
    def test_follows_the_job_from_the_queue_to_its_end(self, ear, generate, tmp_path, read_json):
        path = tmp_path / "réply.json"
        ear.say(generate("one", "warns", reply=str(path)))
        ear.wait_for(Ack)
        assert read_json(path)["job"] == "one"
        ear.wait_for_end("one")

        assert read_json(path) == {
            "job": "one",
            "state": "done",
            "progress": 1.0,
            "stage": "done",
            "paths": ["/results/one.wav"],
            "warnings": ["an unknown sound"],
            "error": None,
        }
        assert list(tmp_path.glob("*.json*")) == [path]

    def test_says_why_a_job_failed(self, ear, generate, tmp_path, read_json):
        path = tmp_path / "reply.json"
        ear.say(generate("one", "refuses", reply=str(path)))
        ear.wait_for_end("one")

        assert read_json(path)["error"] == {"code": "bad_value", "text": "no", "hint": "other"}

    def test_that_another_program_wrote_is_refused_and_left_alone(self, ear, generate, tmp_path):
        path = tmp_path / "song.json"
        path.write_text('{"tempo": 120}')
        ear.say(generate("one", reply=str(path)))

        assert ear.hear().code == "bad_reply_file"
        assert path.read_text() == '{"tempo": 120}'
        ear.say(JobQuery(job="one"))
        assert ear.hear().code == "unknown_job"
