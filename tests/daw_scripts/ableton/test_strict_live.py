"""The fake of Live, name by name and argument by argument, against what was published of Live's own API."""

import ast
import importlib.metadata
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.daw_scripts.ableton import strict_surface
from tests.daw_scripts.ableton.strict_live import CLASSES, Clip, Field, Method, Set
from tests.daw_scripts.ableton.strict_surface import CInstance, ControlSurface

STUBS = importlib.metadata.distribution("ableton-live-stubs")
FOLDER = Path(str(STUBS.locate_file("Live-stubs")))
CORE = Path(str(importlib.metadata.distribution("ableton-control-surface-core").locate_file("")))
"""Where the packages of Live's own Python lie, as they were published."""
RETAKE = Path(__file__).parents[3] / "daw_scripts" / "ableton" / "remote_script" / "Retake"


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


class TestTheSurfacesBase:
    """The class that a control surface is derived from, and the object that it is given, as they were published."""

    SURFACE = ast.parse((RETAKE / "surface.py").read_text(encoding="utf-8"))
    BASE = CORE / "ableton" / "v2" / "control_surface" / "control_surface.py"

    @staticmethod
    def functions(file, *names):
        """The functions of these classes, by name: their parameters with defaults, and whether they are properties."""
        tree = ast.parse(file.read_text(encoding="utf-8"))
        classes = [node for node in tree.body if isinstance(node, ast.ClassDef) and node.name in names]
        assert [node.name for node in classes] == list(names)
        found = [node for kind in classes for node in kind.body if isinstance(node, ast.FunctionDef)]
        return {node.name: (node.args, "property" in decorators(node)) for node in found}

    def base(self):
        return self.functions(self.BASE, "SimpleControlSurface", "ControlSurface")

    @pytest.mark.parametrize("name", [name for name in vars(ControlSurface) if not name.startswith("__")])
    def test_every_member_of_the_fake_is_published(self, name):
        fake = Path(strict_surface.__file__)
        ours, is_property = self.functions(fake, "ControlSurface")[name]
        theirs, is_theirs = self.base()[name]

        for argument in ours.args:
            argument.annotation = None  # the published class has none

        assert (ast.unparse(ours), is_property) == (ast.unparse(theirs), is_theirs)

    @pytest.mark.parametrize("name", [name for name in vars(CInstance) if not name.startswith("__")])
    def test_every_member_of_what_live_gives_is_published(self, name):
        fake = Path(strict_surface.__file__)
        ours, _ = self.functions(fake, "CInstance")[name]
        theirs, _ = self.functions(CORE / "MidiRemoteScript" / "__init__.py", "MidiRemoteScript")[name]

        assert len(ours.args) == len(theirs.args)

    def test_the_surface_uses_nothing_that_is_neither_its_own_nor_published(self):
        nodes = list(ast.walk(self.SURFACE))
        members = [node for node in nodes if isinstance(node, ast.Attribute) and ast.unparse(node.value) == "self"]
        own = {node.name for node in nodes if isinstance(node, ast.FunctionDef)}
        own |= {node.attr for node in members if isinstance(node.ctx, ast.Store)}

        assert {node.attr for node in members} - own <= {*self.base(), "_c_instance"}

    @pytest.mark.parametrize("python", [sys.executable, "python3.7"], ids=["this Python", "Live 11's Python"])
    def test_it_loads_ticks_and_leaves_on_lives_own_class(self, python, tmp_path):
        program = Path(__file__).with_name("lives_own_class.py")
        if subprocess.run([python, "--version"], capture_output=True, check=False).returncode:
            pytest.skip(f"there is no {python} here")
        environment = os.environ | {"RETAKE_STATE_DIR": str(tmp_path)}
        command = [python, str(program), str(CORE), str(RETAKE.parent)]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=60)

        assert done.returncode == 0, done.stderr
        found = json.loads(done.stdout)
        assert found["log"][0].startswith("Retake: listens on 127.0.0.1:")
        assert found["ticks"] == 10
        assert (found["published"], found["withdrawn"]) == (["live.json"], [])
        assert found["names_in_common"] == ["disconnect"]
        assert found["failed_start"] == ["the log is full"]


class TestTheEndsOfAClip:
    """What Ableton's own reference and those who drive Live from programs say of the ends of a clip."""

    @pytest.mark.parametrize(
        ("name", "words"),
        [
            ("loop_start", "in beats/seconds (unit depends on warping)"),
            ("loop_end", "in beats/seconds (unit depends on warping)"),
            ("start_marker", "in beats/seconds (unit depends on warping)"),
            ("end_marker", "in beats/seconds (unit depends on warping)"),
            ("looping", "Only Warped Audio Clips or MIDI Clip can be looped"),
        ],
    )
    def test_the_units_and_the_loop_are_as_the_stubs_say(self, name, words):
        functions = [node for node in class_in_stubs("Clip").body if isinstance(node, ast.FunctionDef)]
        (text,) = [ast.get_docstring(node) for node in functions if node.name == name and ast.get_docstring(node)]

        assert words in " ".join(text.split())

    @pytest.fixture
    def piece(self, clip):
        live = Set()
        live.open_step = []
        return live.own_clip(clip, live.add_track("Drums"), start_time=8.0)

    def test_an_unlooped_clip_is_as_long_as_from_loop_start_to_loop_end(self, piece):
        piece.loop_end = 0.3
        piece.loop_start = 0.2
        assert piece.end_time == pytest.approx(8.2)

    def test_its_markers_change_nothing_of_that(self, piece):
        piece.end_marker = 99.0
        piece.start_marker = 0.4
        assert (piece.loop_start, piece.loop_end, piece.end_marker, piece.end_time) == (0.0, 0.5, 99.0, 9.0)

    def test_an_unwarped_clip_plays_nothing_beyond_its_file(self, piece):
        piece.loop_end = 99.0
        assert piece.loop_end == 0.5

    @pytest.mark.parametrize(("name", "value"), [("loop_start", 0.5), ("end_marker", 0.0), ("start_marker", 0.6)])
    def test_a_start_stays_before_its_end(self, piece, name, value):
        with pytest.raises(RuntimeError, match=name):
            setattr(piece, name, value)

    def test_an_unwarped_clip_has_no_loop(self, piece):
        with pytest.raises(RuntimeError, match="cannot be looped"):
            piece.looping = True

    def test_a_new_clip_is_warped_and_counts_in_beats_until_it_is_not(self, clip):
        live = Set()
        new = live.new_clip(str(clip))
        assert (new.warping, new.loop_end) == (True, 1.0)

        live.open_step = []
        new.warping = False
        assert (new.loop_end, new.end_time) == (0.5, 1.0)


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
        "a method that the old framework had": lambda: ControlSurface(live.c_instance).log_message("x"),
        "a member that Live does not give": lambda: live.c_instance.log("x"),
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
