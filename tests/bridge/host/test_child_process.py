"""A child process, tried with real ones: what it says arrives in order, what it logs never blocks it, and it ends."""

import asyncio
import logging
import sys
import time

from bridge.host.child_process import ChildProcess, start_process


class Echo(ChildProcess):
    """Collects the lines; "bad" is one that it does not understand."""

    def __init__(self, process):
        self.heard = []
        self.has_ended = asyncio.Event()
        super().__init__(process, "echo")

    def read(self, line):
        if line == b"bad\n":
            raise ValueError(line)
        self.heard.append(line.decode().strip())

    def note_end(self):
        self.heard.append("end")
        self.has_ended.set()


def run(program: str, scene=None) -> Echo:
    """Run Python text as a child until it has ended; `scene` may do something with it before."""

    async def main():
        child = Echo(await start_process([sys.executable, "-u", "-c", program]))
        if scene is not None:
            await scene(child)
        async with asyncio.timeout(30):
            await child.has_ended.wait()
        await child.end()
        return child

    return asyncio.run(main())


class TestLines:
    def test_arrive_in_order_and_the_end_comes_last(self):
        child = run("print('one'); print('two')")

        assert child.heard == ["one", "two", "end"]
        assert (child.is_alive, child.exit_code) == (False, 0)

    def test_reach_the_child(self):
        async def scene(child):
            child.send(b"hello\n")

        assert run("print(input())", scene).heard == ["hello", "end"]

    def test_that_cannot_be_read_end_the_child(self):
        child = run("import time; print('bad'); time.sleep(60)")

        assert child.heard == ["end"]
        assert child.exit_code != 0


class TestLog:
    def test_is_copied_into_ours(self, caplog):
        with caplog.at_level(logging.INFO):
            child = run("import sys; print('careful', file=sys.stderr)")

        assert f"echo {child.pid}: careful" in caplog.messages

    def test_goes_on_after_a_line_that_is_too_long(self, caplog):
        """A full pipe would block the child for ever."""
        with caplog.at_level(logging.INFO):
            child = run("import sys; sys.stderr.write('x' * 9_000_000 + '\\nlast\\n'); print('done')")

        assert child.heard == ["done", "end"]
        assert any(text.endswith(": last") for text in caplog.messages)


class TestEnd:
    def test_comes_by_itself_when_stdin_closes(self):
        async def scene(child):
            await child.end()

        child = run("import sys; sys.stdin.read(); print('bye')", scene)

        assert (child.heard, child.exit_code, child.is_usable) == (["bye", "end"], 0, False)

    def test_comes_by_force_after_the_grace(self):
        async def scene(child):
            await child.end(grace_s=0.2)

        began_at = time.monotonic()
        child = run("import time; time.sleep(60)", scene)

        assert child.exit_code != 0
        assert time.monotonic() - began_at < 30
