"""The fake of Live, name by name and argument by argument, against the published stubs of Live's own API."""

import ast
import importlib.metadata
from pathlib import Path

import pytest
from strict_live import CLASSES, Clip, Field, Method, Set

STUBS = importlib.metadata.distribution("ableton-live-stubs")
FOLDER = Path(str(STUBS.locate_file("Live-stubs")))


def class_in_stubs(name):
    """The syntax tree of a class; `Song.View` is a class inside one."""
    outer, *inner = name.split(".")
    body = ast.parse((FOLDER / f"{outer}.pyi").read_text(encoding="utf-8")).body
    for part in (outer, *inner):
        found = next(node for node in body if isinstance(node, ast.ClassDef) and node.name == part)
        body = found.body
    return found


def decorators(function):
    return {ast.unparse(decorator) for decorator in function.decorator_list}


def members(name):
    """Properties, by name and type; those that can be set; methods, by name and their parameters."""
    functions = [node for node in class_in_stubs(name).body if isinstance(node, ast.FunctionDef)]
    properties = {node.name: ast.unparse(node.returns) for node in functions if "property" in decorators(node)}
    settable = {node.name for node in functions if f"{node.name}.setter" in decorators(node)}
    methods = {node.name: node.args for node in functions if not node.decorator_list}
    return properties, settable, methods


DECLARED = [
    pytest.param(name, member, id=f"{name}.{member.name}")
    for name, kind in CLASSES.items()
    for member in vars(kind).values()
    if isinstance(member, Field | Method)
]


@pytest.mark.parametrize(("name", "member"), DECLARED)
def test_every_member_stands_in_the_stubs(name, member):
    properties, settable, methods = members(name)
    if isinstance(member, Field):
        assert properties[member.name] == member.kind
        assert not member.sets or member.name in settable
        return
    parameters = methods[member.name]
    kinds = [ast.unparse(parameter.annotation) for parameter in (*parameters.posonlyargs, *parameters.args)[1:]]
    assert kinds == list(member.kinds)
    assert len(parameters.defaults) == member.optional


def test_the_stubs_are_of_a_live_that_creates_clips_and_take_lanes():
    assert STUBS.version.startswith("12.3")


def wrongs(live):
    track = live.add_track("Drums")
    return {
        "an unknown member": lambda: track.colour,
        "an unknown member that is set": lambda: setattr(track, "colour", 3),
        "a property that cannot be set": lambda: setattr(track, "clip_slots", []),
        "too few arguments": lambda: track.create_audio_clip("/a.wav"),
        "too many arguments": lambda: track.create_take_lane(1),
        "a wrong type": lambda: track.create_audio_clip("/a.wav", "8"),
        "a switch for a number": lambda: live.song.create_scene(True),
        "a change outside an undo step": lambda: live.song.create_scene(-1),
    }


@pytest.mark.parametrize("name", wrongs(Set()))
def test_what_is_wrong_is_an_offence(name):
    live = Set()
    with pytest.raises(TypeError):
        wrongs(live)[name]()

    assert len(live.offences) == 1


def test_an_object_that_is_gone_cannot_be_used(clip):
    live = Set()
    own = live.own_clip(clip, live.add_track("Drums"))
    own.remove()

    with pytest.raises(RuntimeError, match="gone"):
        _ = own.name
    assert isinstance(own, Clip)
