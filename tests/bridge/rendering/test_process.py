"""The render process reads stdin whatever comes, and its end is that of stdin."""

import json
import os
import subprocess
import sys

import pytest

from bridge.rendering.pipe import HEARTBEAT, PROGRESS_PING, RenderSetup, reply_from_line, to_line
from bridge.wire.messages import Cancel, Fail, Generate, Models, ModelsReply

PROGRAM = """
import sys, time
from bridge.host.child_pipes import claim_stdout
from bridge.rendering.pipe import RenderSetup
from bridge.rendering.process import ReplyWriter, RequestReader
writer = ReplyWriter(claim_stdout())
reader = RequestReader(sys.stdin.buffer, writer, RenderSetup.from_json(sys.argv[1]))
while (requests := reader.next()) is not None:
    writer._write(b"?" + requests[0].job.encode() + b"\\n")
    while not reader.should_stop(requests[0]):
        time.sleep(0.01)
    writer._write(b"!" + requests[0].job.encode() + b"\\n")
time.sleep(60)  # a job that hears nothing
"""


@pytest.fixture
def process(tmp_path, request):
    """A render process that needs no model; a parameter is program text to run first."""
    setup = RenderSetup("nano", "cpu", str(tmp_path / "models")).to_json()
    command = [sys.executable, "-c", getattr(request, "param", "") + PROGRAM, setup]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as child:
        yield child
        child.kill()


def hear(process):
    """The next line that is no sign of life."""
    while (line := process.stdout.readline()) in {HEARTBEAT, PROGRESS_PING}:
        pass
    return line


def tell(process, *lines):
    for line in lines:
        process.stdin.write(line)
    process.stdin.flush()


JUNK = {
    "no JSON": b"{\n",
    "no text": b"\xff\xfe\x00\n",
    "empty": b"\n",
    "a number": b"5\n",
    "an empty list": b"[]\n",
    "nested too deeply": b"[" * 200_000 + b"\n",
    "an unknown address": json.dumps(["/retake/nothing", []]).encode() + b"\n",
    "something that is no order": to_line(ModelsReply(("nano",))),
}


@pytest.mark.timeout(60)
class TestTheEar:
    @pytest.mark.parametrize("line", JUNK.values(), ids=JUNK.keys())
    def test_goes_on_hearing_after_what_it_does_not_understand(self, process, line):
        tell(process, line, to_line(Generate(job="one", prompt="rain")))
        assert hear(process) == b"?one\n"
        tell(process, line, to_line(Cancel(job="one")))
        assert hear(process) == b"!one\n"

    @pytest.mark.parametrize("line", [b"", *JUNK.values()], ids=["nothing", *JUNK.keys()])
    def test_ends_the_process_with_stdin(self, process, line):
        tell(process, line)
        process.stdin.close()
        assert process.wait(timeout=30) == 0

    def test_ends_it_while_a_job_runs_too(self, process):
        tell(process, to_line(Generate(job="one", prompt="rain")))
        assert hear(process) == b"?one\n"
        process.stdin.close()
        assert process.wait(timeout=30) == 0

    def test_hears_a_cancel_while_the_models_are_looked_for(self, process):
        tell(process, to_line(Generate(job="one", prompt="rain")))
        assert hear(process) == b"?one\n"
        tell(process, to_line(Models()), to_line(Cancel(job="one")))
        assert hear(process) == b"!one\n"  # before torch is imported, for which the list waits

    def test_lists_the_models_beside_a_broken_one(self, process, tmp_path):
        (tmp_path / "models" / "broken").mkdir(parents=True)
        os.mkfifo(tmp_path / "models" / "broken" / "config.json")
        tell(process, to_line(Models()))
        assert reply_from_line(hear(process)) == ModelsReply(("nano",))

    @pytest.mark.parametrize(
        "process", ["import sys; sys.modules['bridge.rendering.renderer'] = None\n"], indirect=True
    )
    def test_says_so_where_the_models_cannot_be_listed(self, process):
        tell(process, to_line(Models()))
        reply = reply_from_line(hear(process))
        assert isinstance(reply, Fail)
        assert reply.command == Models.address
        tell(process, to_line(Generate(job="one", prompt="rain")))
        assert hear(process) == b"?one\n"
