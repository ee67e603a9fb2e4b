"""A strict fake of what Live gives to control surfaces: the objects of a Set, and the modules around them.

Names, types and counts of arguments are declared here and held against the published stubs by a test. A member that is
not there, an argument of another type, an object that is gone, a change outside an undo step: each is an error, and is
also written down in `Set.offences`, so that code which catches everything cannot hide it.
"""

import threading
from pathlib import Path
from types import ModuleType
from typing import Any

import soundfile

from tests.daw_scripts.ableton.strict_surface import CInstance, ControlSurface

TYPES: dict[str, Any] = {"str": str, "float": (int, float), "int": int, "bool": bool, "int | None": (int, type(None))}
"""How the stubs spell a type, and what Live takes for it."""

BEATS_A_SECOND = 2.0
"""Every Set of the fake has 120 BPM."""

PROBES = {"clip_slots", "create_take_lane"}
"""Members that may be asked for where they may be missing: on a take lane, in an older Live."""


class Member:
    """What all members check before they answer."""

    def __set_name__(self, owner: Any, name: str) -> None:
        self.name = name

    def check(self, thing: Any) -> None:
        if threading.current_thread() is not threading.main_thread():
            thing.live.offend(f"{self.name} was used on a thread")
        if thing.is_gone:
            raise RuntimeError("the object is gone")


class Field(Member):
    """A property, by the name of its type; `sets` says whether it may be set."""

    def __init__(self, kind: Any, *, sets: Any = False) -> None:
        self.kind, self.sets = kind, sets

    def __get__(self, thing: Any, owner: Any = None) -> Any:
        if thing is None:
            return self
        self.check(thing)
        return thing.facts[self.name]

    def __set__(self, thing: Any, value: Any) -> None:
        self.check(thing)
        if not self.sets:
            thing.live.offend(f"{type(thing).__name__}.{self.name} cannot be set")
        thing.live.check_type(self.name, self.kind, value)
        thing.live.change(f"{type(thing).__name__}.{self.name}")
        thing.facts[self.name] = value


class Method(Member):
    """A method, by the names of its parameters' types; `optional` of them may be left out."""

    def __init__(self, *kinds: Any, optional: Any = 0, changes: Any = True) -> None:
        self.kinds, self.optional, self.changes = kinds, optional, changes

    def __call__(self, function: Any) -> Any:
        self.function = function
        return self

    def __get__(self, thing: Any, owner: Any = None) -> Any:
        if thing is None:
            return self
        self.check(thing)
        return lambda *args: self.act(thing, args)

    def act(self, thing: Any, args: Any) -> Any:
        if not len(self.kinds) - self.optional <= len(args) <= len(self.kinds):
            thing.live.offend(f"{self.name} takes {len(self.kinds)} arguments, not {len(args)}")
        for kind, value in zip(self.kinds, args, strict=False):
            thing.live.check_type(self.name, kind, value)
        if self.changes:
            thing.live.change(f"{type(thing).__name__}.{self.name}")
        return self.function(thing, *args)


class LomObject:
    """An object of the Set."""

    canonical_parent = Field("LomObject | None")

    def __init__(self, live: Any, **facts: Any) -> None:
        vars(self).update(live=live, facts=facts, is_gone=False)

    def __getattr__(self, name: str) -> Any:
        if name not in PROBES:
            self.live.offend(f"{type(self).__name__} has no member {name}")
        raise AttributeError(name)

    def __setattr__(self, name: str, value: Any) -> None:
        if not isinstance(getattr(type(self), name, None), Field):
            self.live.offend(f"{type(self).__name__} has no member {name}")
        super().__setattr__(name, value)

    def remove(self) -> None:
        """Delete it, as the musician does."""
        vars(self)["is_gone"] = True


class End(Field):
    """An end of a clip, in beats while it is warped and in seconds otherwise: a start is set before its end only."""

    def __init__(self, other: Any) -> None:
        super().__init__("float", sets=True)
        self.other = other

    def __set__(self, clip: Any, value: Any) -> None:
        start, end = sorted((self.name, self.other), key=lambda name: "end" in name)
        ends = clip.facts | {self.name: value}
        if not ends[start] < ends[end]:
            raise RuntimeError(f"{self.name} would be {value}, and {self.other} is {clip.facts[self.other]}")
        super().__set__(clip, value)
        clip.settle()


class Warping(Field):
    """The Warp switch: without it no loop, and seconds for beats."""

    def __set__(self, clip: Any, value: Any) -> None:
        if clip.facts[self.name] and not value:
            clip.facts.update({name: clip.facts[name] / BEATS_A_SECOND for name in clip.ends()}, looping=False)
        super().__set__(clip, value)
        clip.settle()


class Looping(Field):
    """The Loop switch, which an unwarped clip does not have."""

    def __set__(self, clip: Any, value: Any) -> None:
        if value and not clip.facts["warping"]:
            raise RuntimeError("unwarped audio cannot be looped")
        super().__set__(clip, value)


class Clip(LomObject):
    """Of an unlooped clip one hears `loop_start` to `loop_end`; its markers are places of their own."""

    name = Field("str", sets=True)
    is_audio_clip = Field("bool")
    is_arrangement_clip = Field("bool")
    file_path = Field("str")
    warping = Warping("bool", sets=True)
    looping = Looping("bool", sets=True)
    loop_start = End("loop_end")
    loop_end = End("loop_start")
    start_marker = End("end_marker")
    end_marker = End("start_marker")
    start_time = Field("float")
    end_time = Field("float")
    gain = Field("float", sets=True)

    def ends(self) -> list[Any]:
        return [name for name, field in vars(type(self)).items() if isinstance(field, End)]

    def settle(self) -> None:
        """What Live sees to: an unwarped clip plays nothing beyond its file; an unlooped one is as long as it plays."""
        facts = self.facts
        if not facts["warping"]:
            seconds = soundfile.info(facts["file_path"]).duration
            facts.update(loop_start=max(facts["loop_start"], 0.0), loop_end=min(facts["loop_end"], seconds))
        beats = (facts["loop_end"] - facts["loop_start"]) * (1 if facts["warping"] else BEATS_A_SECOND)
        if not facts["looping"]:
            facts["end_time"] = facts["start_time"] + beats


class ClipSlot(LomObject):
    clip = Field("Clip")
    has_clip = Field("bool")

    @Method("str")
    def create_audio_clip(self, file_path: Any) -> Any:
        if self.facts["has_clip"]:
            raise RuntimeError("the slot is taken")
        clip = self.live.new_clip(file_path, canonical_parent=self)
        self.facts.update(clip=clip, has_clip=True)
        return clip


class TakeLane(LomObject):
    name = Field("str", sets=True)
    arrangement_clips = Field("Vector[Clip]")

    @Method("str", "float")
    def create_audio_clip(self, file_path: Any, start_time: Any) -> Any:
        return self.live.place(self, file_path, start_time)


class Track(LomObject):
    name = Field("str", sets=True)
    has_audio_input = Field("bool")
    clip_slots = Field("Vector[ClipSlot]")
    arrangement_clips = Field("Vector[Clip]")
    take_lanes = Field("Vector[TakeLane]")

    @Method("str", "float")
    def create_audio_clip(self, file_path: Any, position: float) -> Any:
        return self.live.place(self, file_path, position)

    @Method()
    def create_take_lane(self) -> Any:
        self.facts["take_lanes"].append(TakeLane(self.live, canonical_parent=self, name="Take", arrangement_clips=[]))
        return self.facts["take_lanes"][-1]


class OldTrack(Track):
    """A track of a Live before 12.2: no take lanes for scripts."""

    def __getattribute__(self, name: str) -> Any:
        if name in ("create_take_lane", "take_lanes"):
            raise AttributeError(name)
        return super().__getattribute__(name)


class SongView(LomObject):
    detail_clip = Field("Clip | None", sets=True)
    highlighted_clip_slot = Field("ClipSlot", sets=True)


class Song(LomObject):
    view = Field("View")
    tracks = Field("Vector[Track]")
    scenes = Field("Vector[Scene]")

    @Method("int")
    def create_scene(self, index: int) -> Any:
        assert index == -1
        return self.live.add_scene()

    @Method("int | None", optional=1)
    def create_audio_track(self, index: int | None = None) -> Any:
        return self.live.add_track("Audio", index)

    @Method(changes=False)
    def begin_undo_step(self) -> None:
        assert self.live.open_step is None, "an undo step inside an undo step"
        self.live.open_step = []

    @Method(changes=False)
    def end_undo_step(self) -> None:
        self.live.undo_steps.append(self.live.open_step)
        self.live.open_step = None


class Application(LomObject):
    @Method(changes=False)
    def get_major_version(self) -> Any:
        return self.live.version[0]

    @Method(changes=False)
    def get_minor_version(self) -> Any:
        return self.live.version[1]

    @Method(changes=False)
    def get_bugfix_version(self) -> Any:
        return self.live.version[2]


class Set:
    """A Set of the musician's, and Live around it."""

    def __init__(self, version: Any = (12, 3, 6)) -> None:
        self.version, self.loops_new_clips = version, False
        self.offences: list[Any] = []
        self.undo_steps: list[Any] = []
        self.open_step: Any = None
        self.messages: list[Any] = []
        self.log: list[Any] = []
        self.scheduled: list[Any] = []
        self.c_instance = CInstance(self)
        self.application = Application(self, canonical_parent=None)
        view = SongView(self, canonical_parent=None, detail_clip=None, highlighted_clip_slot=None)
        self.song = Song(self, canonical_parent=None, view=view, tracks=[], scenes=[])
        for _ in range(3):
            self.add_scene()

    def offend(self, sentence: Any) -> None:
        self.offences.append(sentence)
        raise TypeError(sentence)

    def check_type(self, name: str, kind: Any, value: Any) -> None:
        allowed = TYPES[kind]
        if not isinstance(value, allowed) or (isinstance(value, bool) and kind != "bool"):
            self.offend(f"{name}: {value!r} is no {kind}")

    def change(self, what: Any) -> None:
        if self.open_step is None:
            self.offend(f"{what} outside an undo step")
        self.open_step.append(what)

    # ------------------------------------------------------------------------- what the Set is made of

    def add_scene(self) -> Any:
        self.song.facts["scenes"].append(LomObject(self, canonical_parent=self.song))
        for track in self.song.facts["tracks"]:
            track.facts["clip_slots"].append(self.new_slot(track))
        return self.song.facts["scenes"][-1]

    def new_slot(self, track: Any) -> Any:
        return ClipSlot(self, canonical_parent=track, clip=None, has_clip=False)

    def add_track(self, name: str, index: int | None = None, *, is_audio: Any = True) -> Any:
        kind = Track if self.version >= (12, 2, 0) else OldTrack
        track = kind(self, canonical_parent=self.song, name=name, has_audio_input=is_audio)
        track.facts.update(arrangement_clips=[], take_lanes=[])
        track.facts["clip_slots"] = [self.new_slot(track) for _ in self.song.facts["scenes"]]
        tracks = self.song.facts["tracks"]
        tracks.insert(len(tracks) if index is None else index, track)
        return track

    def new_clip(self, file_path: Any, **facts: Any) -> Any:
        """What Live makes of a file: a warped clip of its whole length, as its default preference says."""
        if self.version < (12, 0, 5):
            self.offend("create_audio_clip is not there before 12.0.5")
        beats = soundfile.info(file_path).duration * BEATS_A_SECOND
        kept: dict[str, Any] = {
            "is_audio_clip": True,
            "warping": True,
            "looping": self.loops_new_clips,
            "gain": 0.4,
            "start_time": 0.0,
        }
        kept |= {"start_marker": 0.0, "end_marker": beats, "loop_start": 0.0, "loop_end": beats, "end_time": beats}
        kept |= {"is_arrangement_clip": False, "name": Path(file_path).stem, "file_path": file_path}
        clip = Clip(self, **(kept | facts))
        clip.settle()
        return clip

    def place(self, lane: Any, file_path: Any, start_time: Any) -> Any:
        clip = self.new_clip(file_path, canonical_parent=lane, start_time=start_time, is_arrangement_clip=True)
        lane.facts["arrangement_clips"].append(clip)
        return clip

    def own_clip(self, file: Path, parent: Any, /, **facts: Any) -> Any:
        """A clip that the musician has made, in view."""
        version, self.version = self.version, (12, 3, 6)
        clip = self.new_clip(str(file), canonical_parent=parent)
        self.version = version
        if not facts.get("warping"):
            clip.facts.update({name: clip.facts[name] / BEATS_A_SECOND for name in clip.ends()})
            clip.facts.update(warping=False, looping=False)
        clip.facts.update(facts)
        if clip.facts["file_path"]:
            clip.settle()
        if isinstance(parent, ClipSlot):
            parent.facts.update(clip=clip, has_clip=True)
        else:
            clip.facts["is_arrangement_clip"] = True
            parent.facts["arrangement_clips"].append(clip)
        self.song.facts["view"].facts["detail_clip"] = clip
        return clip

    # ---------------------------------------------------------------------------------- Live's own modules

    def tick(self) -> None:
        """A tenth of a second of Live: what was scheduled is due."""
        due, self.scheduled = self.scheduled, []
        for callback in due:
            callback()

    def modules(self) -> Any:
        """Give the modules that Live puts before a script, by their names."""
        names = ("Live", "Live.Application", "ableton", "ableton.v2", "ableton.v2.control_surface")
        modules: dict[str, Any] = {name: ModuleType(name) for name in names}
        modules["Live"].Application = modules["Live.Application"]
        modules["Live.Application"].get_application = lambda: self.application
        modules["ableton.v2.control_surface"].ControlSurface = ControlSurface
        return modules


CLASSES = {"Clip": Clip, "ClipSlot": ClipSlot, "TakeLane": TakeLane, "Track": Track, "Song": Song}
CLASSES |= {"Song.View": SongView, "Application": Application, "LomObject": LomObject}
"""The fake of each class of the stubs."""
