"""A small model of what a REAPER project holds, with what its user may do to it, and its undo history."""

import copy
import uuid
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import soundfile

from tests.daw_scripts.reaper.reaper_signatures import ScriptError

TAKE_VALUES = {
    "D_STARTOFFS": 0.0,
    "D_VOL": 1.0,
    "D_PAN": 0.0,
    "D_PANLAW": -1.0,
    "D_PLAYRATE": 1.0,
    "D_PITCH": 0.0,
    "B_PPITCH": 1.0,
    "I_CHANMODE": 0.0,
}
ITEM_VALUES = {
    "D_POSITION": 0.0,
    "D_LENGTH": 0.0,
    "D_VOL": 1.0,
    "D_FADEINLEN": 0.01,
    "D_FADEOUTLEN": 0.01,
    "B_LOOPSRC": 1.0,
    "B_MUTE": 0.0,
}


def new_guid() -> Any:
    return "{" + str(uuid.uuid4()).upper() + "}"


@dataclass(frozen=True, eq=False)
class Source:
    """What a take plays: a file, or a part of another source, perhaps backwards; or MIDI."""

    type: str
    path: str = ""
    parent: "Source | None" = None
    start: float = 0.0
    length: float = 0.0
    is_reversed: bool = False
    kind = "PCM_source"
    is_alive = True

    @classmethod
    def of_file(cls, path: Path) -> Any:
        return cls("WAVE", str(path), length=soundfile.info(path).duration)

    @property
    def file(self) -> Any:
        return self if self.parent is None else self.parent.file


class Thing:
    """What scripts hold pointers to; a pointer to what is deleted is not good any more."""

    kind = ""

    def __init__(self, guid: Any = None) -> None:
        self.guid = guid or new_guid()
        self.is_alive = True
        self.ext: dict[Any, Any] = {}


class Take(Thing):
    kind = "MediaItem_Take"

    def __init__(self, source: Any = None, name: str = "", guid: Any = None, **values: Any) -> None:
        super().__init__(guid)
        self.source, self.name = source, name
        self.values = TAKE_VALUES | values
        self.item = None

    def state(self) -> dict[str, Any]:
        return {"guid": self.guid, "source": self.source, "name": self.name, "ext": dict(self.ext), **self.values}


class Item(Thing):
    kind = "MediaItem"

    def __init__(self, guid: Any = None, **values: Any) -> None:
        super().__init__(guid)
        self.values = ITEM_VALUES | values
        self.takes: list[Any] = []
        self.active = 0
        self.is_selected = False
        self.track: Any = None

    def add(self, take: Any) -> Any:
        take.item = self
        self.takes.append(take)
        return take

    def state(self) -> dict[str, Any]:
        takes = [take.state() for take in self.takes]
        return {"guid": self.guid, "ext": dict(self.ext), "active": self.active, "takes": takes, **self.values}

    @property
    def active_take(self) -> Any:
        return self.takes[self.active] if self.takes else None


class Track(Thing):
    kind = "MediaTrack"

    def __init__(self, guid: Any = None) -> None:
        super().__init__(guid)
        self.items: list[Any] = []
        self.is_selected = False

    def state(self) -> dict[str, Any]:
        return {"guid": self.guid, "items": [item.state() for item in self.items]}


@dataclass(eq=False)
class Project:
    """A project tab. Scripts may change it inside undo blocks only; `history` holds the names and what was before."""

    folder: Path
    path: str = ""
    tracks: list[Track] = field(default_factory=list)
    cursor: float = 0.0
    time_selection: tuple[float, float] = (0.0, 0.0)
    history: list[tuple[str, list]] = field(default_factory=list)
    before_block: list | None = None
    kind = "ReaProject"
    is_alive = True

    def state(self) -> list[Any]:
        return [track.state() for track in self.tracks]

    def change(self) -> None:
        """Called before everything that a script changes."""
        if self.before_block is None:
            raise ScriptError("a script changed the project outside an undo block")

    def begin_block(self) -> None:
        if self.before_block is not None:
            raise ScriptError("an undo block inside an undo block")
        self.before_block = self.state()

    def end_block(self, name: str) -> None:
        if self.before_block is None:
            raise ScriptError("an undo block ended that was never begun")
        if self.before_block != self.state():
            self.history.append((name, self.before_block))
        self.before_block = None

    def undo(self) -> Any:
        """One step back, by the user: the name of the step."""
        name, before = self.history.pop()
        self._restore(before)
        return name

    def reload(self) -> Any:
        """Save, close and open the project again: the same content, new pointers."""
        saved = copy.copy(self.state())
        other = Project(self.folder, self.path)
        other._restore(saved)
        return other

    def _restore(self, tracks: Any) -> None:
        for item in self.items:
            item.is_alive = False
        self.tracks = [self._restore_track(saved) for saved in tracks]

    @staticmethod
    def _restore_track(saved: Any) -> Any:
        track = Track(saved["guid"])
        for saved_item in saved["items"]:
            item = Item(saved_item["guid"], **{name: saved_item[name] for name in ITEM_VALUES})
            item.ext, item.active, item.track = dict(saved_item["ext"]), saved_item["active"], track
            for old in saved_item["takes"]:
                values = {name: old[name] for name in TAKE_VALUES}
                item.add(Take(old["source"], old["name"], old["guid"], **values)).ext = dict(old["ext"])
            track.items.append(item)
        return track

    @property
    def items(self) -> list[Any]:
        return [item for track in self.tracks for item in track.items]

    # What the user does; the user's own undo steps are left out.

    def add_track(self) -> Any:
        self.tracks.append(Track())
        return self.tracks[-1]

    def add_item(
        self,
        track: Any,
        source: Any,
        position: float = 0.0,
        length: float | None = None,
        name: str = "",
        item_values: Any = None,
        **take_values: Any,
    ) -> Any:
        item = Item(D_POSITION=position, D_LENGTH=length or source.length, **(item_values or {}))
        if source is not None:
            item.add(Take(source, name or Path(source.file.path).name, **take_values))
        item.track, item.is_selected = track, True
        track.items.append(item)
        return item

    def delete(self, item: Any) -> None:
        item.track.items.remove(item)
        item.is_alive = False
        for take in item.takes:
            take.is_alive = False

    def delete_track(self, track: Any) -> None:
        for item in list(track.items):
            self.delete(item)
        self.tracks.remove(track)
        track.is_alive = False

    def trim_left(self, item: Any, seconds: float) -> None:
        item.values["D_POSITION"] += seconds
        item.values["D_LENGTH"] -= seconds
        for take in item.takes:
            take.values["D_STARTOFFS"] += seconds * take.values["D_PLAYRATE"]

    def split(self, item: Any, seconds: float) -> Any:
        """Cut an item so many seconds after its start: the right part, which has new GUIDs."""
        right = Item(**item.values)
        right.track, right.active, right.ext = item.track, item.active, dict(item.ext)
        for take in item.takes:
            right.add(Take(take.source, take.name, **take.values)).ext = dict(take.ext)
        item.track.items.insert(item.track.items.index(item) + 1, right)
        self.trim_left(right, seconds)
        item.values["D_LENGTH"] = seconds
        return right
