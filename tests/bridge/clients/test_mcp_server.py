"""`retake mcp` as an assistant uses it: the official client on stdio, a real daemon, the shipped model, a real clip."""

import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import anyio
import pytest
import soundfile
from mcp import Client
from mcp.client.stdio import StdioServerParameters, stdio_client

from bridge.clients.mcp_server import tools
from bridge.host.discovery import find_daemon, wait_for_end
from bridge.operation_table import OPERATIONS

ROOT = Path(__file__).parents[3]
QUICK = {"steps": 2, "seed": 3}
QUERIES = {"again", "jobs", "cancel", "models", "status"}


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """A user whose daemon is started by the first tool that needs one."""
    folder = tmp_path_factory.mktemp("mcp")
    (folder / "clips").mkdir()
    shutil.copy(ROOT / "tests" / "clips" / "footfalls.wav", folder / "clips")
    yield folder
    environment = environment_of(folder)
    subprocess.run(
        [sys.executable, "-m", "bridge", "send", "quit"], cwd=ROOT, env=environment, capture_output=True, check=False
    )
    wait_for_end(folder / "state", 20)


def environment_of(folder):
    return os.environ | {
        "RETAKE_STATE_DIR": str(folder / "state"),
        "RETAKE_ALLOWED_FOLDERS": str(folder),
        "RETAKE_OUTPUT_DIR": str(folder / "results"),
        "XDG_CONFIG_HOME": str(folder / "config"),
    }


def ask(home, *calls, progress=None):
    """Call tools one after another in one session; their results."""

    async def session():
        server = StdioServerParameters(
            command=sys.executable, args=["-m", "bridge", "mcp"], cwd=str(ROOT), env=environment_of(home)
        )
        async with Client(stdio_client(server)) as client:
            listed = await client.list_tools()
            return [listed.tools, *[await client.call_tool(*call, progress_callback=progress) for call in calls]]

    return anyio.run(session)


def render(home, tool, values):
    _, result = ask(home, (tool, values))
    assert not result.is_error, result.content
    return result.structured_content


class TestTools:
    def test_are_the_operations_and_the_questions(self, home):
        (listed,) = ask(home)
        assert {tool.name for tool in listed} == {*OPERATIONS, *QUERIES}

    @pytest.mark.parametrize("name", OPERATIONS)
    def test_have_the_tables_schema(self, name):
        schema = next(tool for tool in tools() if tool.name == name).input_schema
        table = OPERATIONS[name]
        assert schema["required"] == sorted(table["required"])
        assert set(schema["properties"]) == {*table["properties"], "model", "output_dir", "priority"}
        for key, row in table["properties"].items():
            kept = {word: row[word] for word in ("minimum", "maximum", "description") if word in row}
            assert kept.items() <= schema["properties"][key].items()
            assert not [word for word in schema["properties"][key] if word.startswith("x-")]


class TestRendering:
    def test_generates_and_says_where_the_file_is(self, home):
        news = []

        async def note(fraction, total, stage):
            news.append((fraction, total, stage))

        _, result = ask(home, ("generate", {"prompt": "rain", "seconds": 0.64, "tries": 1, **QUICK}), progress=note)

        assert not result.is_error, result.content
        (path,) = result.structured_content["paths"]
        assert Path(path).is_relative_to(home / "results")
        assert soundfile.info(path).duration == pytest.approx(0.64)
        assert [block.uri for block in result.content if block.type == "resource_link"] == [Path(path).as_uri()]
        fractions = [fraction for fraction, _, _ in news]
        assert fractions == sorted(fractions)
        assert {total for _, total, _ in news} == {1.0}
        assert "loading" in {stage for _, _, stage in news}

    def test_restyles_a_clip_and_leaves_it_as_it_is(self, home):
        clip = home / "clips" / "footfalls.wav"
        before = clip.read_bytes()

        done = render(home, "restyle", {"clip": str(clip), "prompt": "heavy rain on a tin roof", **QUICK})

        assert clip.read_bytes() == before
        (path,) = done["paths"]
        take, source = soundfile.info(path), soundfile.info(clip)
        assert (take.frames, take.samplerate, take.channels) == (source.frames, source.samplerate, source.channels)

    @pytest.mark.slow
    def test_the_same_request_gives_the_same_samples(self, home):
        values = {"prompt": "wind", "seconds": 0.64, "tries": 1, **QUICK}
        first, second = (render(home, "generate", values)["paths"][0] for _ in range(2))
        assert first != second
        assert (soundfile.read(first)[0] == soundfile.read(second)[0]).all()

    @pytest.mark.slow
    def test_inpaints_several_regions(self, home):
        clip = str(home / "clips" / "footfalls.wav")
        values = {"clip": clip, "prompt": "glass", "start_s": 0.5, "end_s": 0.8, "region": ["1.0 1.3"], **QUICK}
        assert len(render(home, "inpaint", values)["paths"]) == 1

    @pytest.mark.slow
    def test_again_draws_another_seed_or_takes_the_given_one(self, home):
        first = render(home, "generate", {"prompt": "fire", "seconds": 0.64, "tries": 1, **QUICK})
        other = render(home, "again", {"job": first["job"]})
        same = render(home, "again", {"job": first["job"], "seed": 3})
        samples = [soundfile.read(done["paths"][0])[0] for done in (first, other, same)]
        assert (samples[0] != samples[1]).any()
        assert (samples[0] == samples[2]).all()


class TestQuestions:
    def test_jobs_name_their_files(self, home):
        done = render(home, "generate", {"prompt": "a bell in a hall", "seconds": 0.64, "tries": 1, **QUICK})
        _, found = ask(home, ("jobs", {"text": "bell in a hall"}))
        assert [(job["job"], job["path"]) for job in found.structured_content["jobs"]] == [
            (done["job"], done["paths"][0])
        ]

    def test_models_and_status(self, home):
        _, models, status = ask(home, ("models", {}), ("status", {}))
        assert "nano" in models.structured_content["models"]
        assert status.structured_content["results"] == str(home / "results")
        assert status.structured_content["queue_length"] == 0


REFUSALS = {
    "a path without its folder": ("restyle", {"clip": "clip.wav", "prompt": "rain"}, "relative_path"),
    "a clip that is not there": ("restyle", {"clip": "/nowhere/clip.wav", "prompt": "rain"}, "file_missing"),
    "a folder that is not the user's": ("generate", {"prompt": "rain", "output_dir": "/etc"}, "path_not_allowed"),
    "a field too many": ("generate", {"prompt": "rain", "colour": "red"}, "unknown_key"),
    "a word for a number": ("generate", {"prompt": "rain", "seconds": "long"}, "wrong_type"),
    "a field too few": ("restyle", {"clip": "/clip.wav"}, "missing_argument"),
    "a job that is not known": ("again", {"job": "none"}, "unknown_job"),
    "no job": ("cancel", {}, "missing_argument"),
    "a tool that there is not": ("reverse", {}, "unknown_address"),
}


def test_refuses_with_a_sentence_and_a_hint(home):
    _, *results = ask(home, *[(tool, values) for tool, values, _ in REFUSALS.values()])
    assert all(result.is_error for result in results)
    assert all("\nhint: " in result.content[0].text for result in results)
    said = {name: result.structured_content["code"] for name, result in zip(REFUSALS, results, strict=True)}
    assert said == {name: code for name, (_, _, code) in REFUSALS.items()}


@pytest.mark.slow
def test_giving_a_call_up_cancels_its_job(home):
    """1,000 steps take minutes: a job that was not cancelled would still be there."""

    async def session():
        server = StdioServerParameters(
            command=sys.executable, args=["-m", "bridge", "mcp"], cwd=str(ROOT), env=environment_of(home)
        )
        async with Client(stdio_client(server)) as client:
            with anyio.move_on_after(5):
                await client.call_tool(
                    "generate", {"prompt": "a long wind", "seconds": 5.12, "steps": 1000, "tries": 1}
                )
            deadline = time.monotonic() + 60
            while time.monotonic() < deadline:
                jobs = await client.call_tool("jobs", {"text": "a long wind"})
                states = [job["state"] for job in jobs.structured_content["jobs"]]
                if states == ["cancelled"]:
                    break
                await anyio.sleep(0.2)
            return states

    assert anyio.run(session) == ["cancelled"]


@pytest.mark.slow
def test_a_daemon_that_dies_in_between_is_replaced(home):
    ask(home, ("status", {}))
    runtime = find_daemon(home / "state")
    os.kill(runtime.pid, 9)
    assert render(home, "generate", {"prompt": "rain", "seconds": 0.64, "tries": 1, **QUICK})["paths"]
    assert find_daemon(home / "state").pid != runtime.pid


def test_without_the_package_a_sentence_says_so():
    program = (
        "import sys; sys.modules['mcp'] = None\nfrom bridge.clients.mcp_command import main\nraise SystemExit(main([]))"
    )
    said = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False)
    assert said.returncode == 1
    assert said.stderr == 'the package mcp is not installed\nhint: pip install "retake[mcp]"\n'
    assert not json.dumps(said.stdout).strip('"')
