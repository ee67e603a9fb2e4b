"""PROTOCOL.md and the code say the same, in both directions."""

import re
from dataclasses import fields
from pathlib import Path

import pytest

import engine
from bridge import errors
from bridge.daemon.file_threads import FolderSilentError
from bridge.host.entry import LimitError
from bridge.operation_table import OPERATIONS
from bridge.wire.arguments import ARGUMENTS
from bridge.wire.document import DOCUMENTS, generated
from bridge.wire.messages import REPLIES, REQUESTS, RenderRequest, Request

DOCUMENT = (Path(errors.__file__).parent / "PROTOCOL.md").read_text(encoding="utf-8")
ABSTRACT = {"BridgeError", "ProtocolError", "JobError", "EngineError", "AudioFileError"}


def chapter(title: str) -> str:
    return DOCUMENT.split(f"\n## {title}\n")[1].split("\n## ")[0]


def sections(text: str) -> dict[str, str]:
    parts = re.split(r"^### (\S+)$", text, flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def rows(text: str) -> dict[str, str]:
    """First and second column of the tables in a text, without their heads."""
    table = re.findall(r"^\| (\S+) \| (.+?) \|", text, flags=re.MULTILINE)
    return {first: second for first, second in table if second not in {"type", "meaning"}}


def codes_of(module) -> set[str]:
    names = {name for name in getattr(module, "__all__", None) or vars(module) if name.endswith("Error")}
    return {getattr(module, name).code for name in names - ABSTRACT}


def test_every_request_is_documented_and_every_documented_one_exists():
    assert set(sections(chapter("Requests"))) == set(REQUESTS)


def test_every_reply_is_documented_and_every_documented_one_exists():
    assert set(sections(chapter("Replies"))) == set(REPLIES)


@pytest.mark.parametrize("address", REQUESTS)
def test_the_fixed_arguments_of_a_request_stand_in_its_table(address):
    documented = rows(sections(chapter("Requests"))[address])

    assert tuple(documented) == REQUESTS[address].fixed
    assert all(ARGUMENTS[name].expected == kind for name, kind in documented.items())


@pytest.mark.parametrize("address", REPLIES)
def test_the_arguments_of_a_reply_stand_in_its_table(address):
    assert list(rows(sections(chapter("Replies"))[address])) == [entry.name for entry in fields(REPLIES[address])]


def test_every_key_is_documented_with_its_type_and_every_documented_one_exists():
    documented = rows(chapter("Keys"))
    keys = {key for kind in REQUESTS.values() for key in kind.key_names()}

    assert set(documented) == keys
    assert all(ARGUMENTS[name].expected == kind for name, kind in documented.items())


@pytest.mark.parametrize("address", [kind.address for kind in REQUESTS.values() if issubclass(kind, RenderRequest)])
def test_a_jobs_own_keys_are_named_in_its_section(address):
    shared = set.intersection(*(set(kind.key_names()) for kind in REQUESTS.values() if issubclass(kind, RenderRequest)))
    line = sections(chapter("Requests"))[address].split("Keys: ")[1].split("Token")[0]

    assert set(re.findall(r"`(\w+)`", line)) == set(REQUESTS[address].key_names()) - shared


@pytest.mark.parametrize("kind", REQUESTS.values(), ids=lambda kind: kind.address)
def test_a_section_says_whether_the_token_is_needed(kind: type[Request]):
    assert ("Token needed" in sections(chapter("Requests"))[kind.address]) == kind.needs_token


def test_every_error_code_is_documented_and_every_documented_one_exists():
    others = {LimitError.code, FolderSilentError.code}

    assert set(rows(chapter("Error codes"))) == codes_of(errors) | codes_of(engine) | others


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_the_tables_of_renders_are_those_of_the_operations(document):
    text = document.read_text(encoding="utf-8")

    assert generated(text) == text, "run `python -m bridge.wire.document`"


def test_every_operation_has_its_table():
    assert {name for name in OPERATIONS if f"<!-- {name} -->" not in DOCUMENT} == set()
