"""The functions that scripts may call, on the model of a project; the host checks arguments and results around them."""

# ruff: noqa: N802 - the names are those of the API

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

from tests.daw_scripts.reaper.reaper_accessor import Accessor, samples_of
from tests.daw_scripts.reaper.reaper_project import ITEM_VALUES, TAKE_VALUES, Item, Source, Take, Track, new_guid
from tests.daw_scripts.reaper.reaper_signatures import ScriptError


class SampleBuffer:
    """A reaper.array."""

    kind = "reaper.array"
    is_alive = True

    def __init__(self, size: Any, lua: Any) -> None:
        self.data = np.full(int(size), np.nan)  # as unknown as fresh memory
        self._lua = lua

    def clear(self) -> None:
        self.data[:] = 0.0

    def table(self, offset: Any, size: Any) -> Any:
        return self._lua.table_from(self.data[int(offset) - 1 : int(offset) - 1 + int(size)].tolist())


class Functions:
    """One method for each documented function that is modelled, by its own name."""

    def __init__(self, host: Any, script: Any) -> None:
        self._host = host
        self._script = script

    def _project(self, project: Any) -> Any:
        if project in (None, 0):
            return self._host.current
        if project not in self._host.projects:
            raise ScriptError("a pointer to a project that is not open any more")
        return project

    def _project_of(self, track: Any) -> Any:
        return next(project for project in self._host.projects if track in project.tracks)

    def _change(self, thing: Any) -> None:
        item: Any = thing.item if isinstance(thing, Take) else thing
        self._project_of(item if isinstance(item, Track) else item.track).change()

    # ---------------------------------------------------------------- projects, tracks, items

    def EnumProjects(self, index: int) -> Any:
        if index == -1:
            return self._host.current, self._host.current.path
        projects = self._host.projects
        return (projects[index], projects[index].path) if index < len(projects) else (None, None)

    def ValidatePtr2(self, project: Any, pointer: Any, kind: Any) -> Any:
        is_there = kind == f"{pointer.kind}*" and pointer.is_alive
        item = pointer.item if isinstance(pointer, Take) else pointer
        return is_there and item in self._project(project).items

    def CountTracks(self, project: Any) -> int:
        return len(self._project(project).tracks)

    def GetTrack(self, project: Any, index: int) -> Any:
        return _at(self._project(project).tracks, index)

    def GetSelectedTrack(self, project: Any, index: int) -> Any:
        return _at([track for track in self._project(project).tracks if track.is_selected], index)

    def GetTrackGUID(self, track: Any) -> Any:
        return track.guid

    def InsertTrackAtIndex(self, index: int, _with_defaults: Any) -> None:
        self._host.current.change()
        self._host.current.tracks.insert(int(index), Track())

    def TrackList_AdjustWindows(self, _is_minor: Any) -> None:
        pass

    def CountMediaItems(self, project: Any) -> int:
        return len(self._project(project).items)

    def GetMediaItem(self, project: Any, index: int) -> Any:
        return _at(self._project(project).items, index)

    def CountSelectedMediaItems(self, project: Any) -> Any:
        return sum(item.is_selected for item in self._project(project).items)

    def GetSelectedMediaItem(self, project: Any, index: int) -> Any:
        return _at([item for item in self._project(project).items if item.is_selected], index)

    def GetMediaItem_Track(self, item: Any) -> Any:
        return item.track

    def AddMediaItemToTrack(self, track: Any) -> Any:
        self._change(track)
        item = Item()
        item.track = track
        track.items.append(item)
        return item

    def GetMediaItemInfo_Value(self, item: Any, name: str) -> float:
        return float(_known(item.values, name, ITEM_VALUES))

    def SetMediaItemInfo_Value(self, item: Any, name: str, value: Any) -> bool:
        _known(item.values, name, ITEM_VALUES)
        self._change(item)
        item.values[name] = float(value)
        return True

    def GetSetMediaItemInfo_String(self, item: Any, name: str, text: str, is_set: Any) -> Any:
        return self._text(item, name, text, is_set)

    def GetSet_LoopTimeRange2(
        self, project: Any, is_set: Any, _is_loop: Any, _start: Any, _end: Any, _seek: Any
    ) -> Any:
        if is_set:
            raise ScriptError("a script moved the user's time selection")
        return self._project(project).time_selection

    def GetCursorPositionEx(self, project: Any) -> Any:
        return self._project(project).cursor

    def UpdateItemInProject(self, item: Any) -> None:
        pass

    def UpdateArrange(self) -> None:
        pass

    # ---------------------------------------------------------------- takes and sources

    def CountTakes(self, item: Any) -> int:
        return len(item.takes)

    def GetTake(self, item: Any, index: int) -> Any:
        return _at(item.takes, index)

    def GetActiveTake(self, item: Any) -> Any:
        return item.active_take

    def SetActiveTake(self, take: Any) -> None:
        self._change(take)
        take.item.active = take.item.takes.index(take)

    def GetTakeName(self, take: Any) -> Any:
        return take.name

    def TakeIsMIDI(self, take: Any) -> bool:
        return take.source.type == "MIDI"

    def AddTakeToMediaItem(self, item: Any) -> Any:
        self._change(item)
        return item.add(Take())

    def GetMediaItemTakeInfo_Value(self, take: Any, name: str) -> float:
        return float(_known(take.values, name, TAKE_VALUES))

    def SetMediaItemTakeInfo_Value(self, take: Any, name: str, value: Any) -> bool:
        _known(take.values, name, TAKE_VALUES)
        self._change(take)
        take.values[name] = float(value)
        return True

    def GetSetMediaItemTakeInfo_String(self, take: Any, name: str, text: str, is_set: Any) -> Any:
        return self._text(take, name, text, is_set)

    def _text(self, thing: Any, name: str, text: str, is_set: Any) -> tuple[bool, Any]:
        is_data = name.startswith("P_EXT:")
        if not (is_data or name == "GUID" or (name == "P_NAME" and isinstance(thing, Take))):
            raise ScriptError(f"{thing.kind} has no text {name}")
        if is_set:
            self._change(thing)
            if is_data:
                if any(mark in text for mark in "\"'`\n"):
                    raise ScriptError(f"{text!r} does not survive in a project file")
                thing.ext[name] = text
            elif name == "P_NAME":
                thing.name = text
            else:
                raise ScriptError("a script changed a GUID")
        value = thing.ext.get(name) if is_data else (thing.guid if name == "GUID" else thing.name)
        return value is not None, value or ""

    def GetMediaItemTake_Source(self, take: Any) -> Any:
        return take.source

    def SetMediaItemTake_Source(self, take: Any, source: Any) -> bool:
        self._change(take)
        take.source = source
        return True

    def GetMediaSourceParent(self, source: Any) -> Any:
        return source.parent

    def GetMediaSourceFileName(self, source: Any) -> Any:
        return source.path

    def GetMediaSourceNumChannels(self, source: Any) -> Any:
        if source.type == "SECTION" or source.file.type == "MIDI":
            return 0  # as some versions of REAPER say of sections
        return soundfile.info(source.path).channels

    def GetMediaSourceSampleRate(self, source: Any) -> Any:
        if source.type == "SECTION" or source.file.type == "MIDI":
            return 0
        return soundfile.info(source.path).samplerate

    def PCM_Source_CreateFromFile(self, path: str) -> Any:
        try:
            return Source.of_file(Path(path))
        except soundfile.LibsndfileError:
            return None

    def PCM_Source_BuildPeaks(self, source: Any, mode: Any) -> Any:
        steps = self._host.peaks.setdefault(source.path, [])
        steps.append(int(mode))
        return {0: 1, 1: 0 if steps.count(1) > 2 else 50, 2: 0}[int(mode)]

    def CreateTakeAudioAccessor(self, take: Any) -> Any:
        accessor = Accessor(take)
        self._host.accessors.append(accessor)
        return accessor

    def DestroyAudioAccessor(self, accessor: Any) -> None:
        accessor.is_alive = False

    def GetAudioAccessorSamples(
        self, accessor: Any, rate: int, num_channels: Any, start_s: Any, num_frames: Any, buffer: Any
    ) -> int:
        if len(buffer.data) < num_frames * num_channels:
            raise ScriptError("the buffer is smaller than what is asked for")
        channels = samples_of(accessor.take.source)[0].shape[1]
        if num_channels != channels:
            raise ScriptError(f"the take has {channels} channels, and {num_channels} are asked for")
        frames = accessor.read(rate, int(num_channels), start_s, int(num_frames))
        buffer.data[: frames.size] = frames.ravel()
        return int(len(frames) > 0)

    def new_array(self, size: Any) -> Any:
        return SampleBuffer(size, self._script.lua)

    # ---------------------------------------------------------------- undo and screen

    def PreventUIRefresh(self, count: int) -> None:
        if self._host.refresh_locks + count < 0:
            raise ScriptError("more PreventUIRefresh(-1) than (1)")
        self._host.refresh_locks += int(count)

    def Undo_BeginBlock2(self, project: Any) -> None:
        self._project(project).begin_block()

    def Undo_EndBlock2(self, project: Any, name: str, flags: Any) -> None:
        if not int(flags) & 4:
            raise ScriptError("an undo step about items without their flag 4")
        self._project(project).end_block(name)

    def Main_OnCommand(self, command: int, _flag: Any) -> None:
        self._host.commands.append(int(command))

    # ---------------------------------------------------------------- dialogs and memory

    def ShowMessageBox(self, text: str, title: str, _type: Any) -> int:
        self._host.messages.append((title, text))
        return 1

    def GetUserInputs(self, title: str, count: int, captions: Any, values: Any) -> Any:
        return self._host.answer_dialog(title, int(count), captions, values)

    def HasExtState(self, section: Any, key: str) -> Any:
        return (section, key) in self._host.session_state or (section, key) in self._host.kept_state

    def GetExtState(self, section: Any, key: str) -> Any:
        kept = self._host.kept_state.get((section, key), "")
        return self._host.session_state.get((section, key), _from_ini(kept))

    def SetExtState(self, section: Any, key: str, value: Any, is_kept: Any) -> None:
        if is_kept:
            if "\n" in value:
                raise ScriptError("a value with a line break does not survive in reaper-extstate.ini")
            self._host.kept_state[section, key] = value
        self._host.session_state[section, key] = value

    # ---------------------------------------------------------------- the machine

    def GetOS(self) -> Any:
        return self._host.system

    def GetResourcePath(self) -> str:
        return str(self._host.resources)

    def GetProjectPath(self) -> str:
        return str(self._host.current.folder)

    def GetProjectPathEx(self, project: Any) -> str:
        return str(self._project(project).folder)

    def RecursiveCreateDirectory(self, path: str, _ignored: Any) -> int:
        Path(path).mkdir(parents=True, exist_ok=True)
        return 0

    def file_exists(self, path: str) -> Any:
        is_systems = path.startswith(("/opt/", "/usr/", "/Applications/"))
        return path in self._host.programs or (Path(path).is_file() and not is_systems)

    def ExecProcess(self, command: str, timeout_ms: Any) -> Any:
        return self._host.execute(command, int(timeout_ms))

    def genGuid(self, _guid: Any) -> Any:
        return new_guid()

    def time_precise(self) -> Any:
        self._host.clock_skew_s += self._host.clock_step_s
        return time.monotonic() + self._host.clock_skew_s

    def get_action_context(self) -> tuple[bool, Any, int, int, Any, Any, Any, str]:
        return True, os.fspath(self._script.path), 0, 40001, -1, -1, -1, ""

    def defer(self, code: Callable[[], Any]) -> None:
        self._script.deferred.append(code)

    def atexit(self, code: Callable[[], Any]) -> None:
        self._script.at_exit.append(code)


def _from_ini(value: Any) -> Any:
    """A value as Windows reads it from a file of settings: without blanks around it, nor one pair of quotes."""
    value = value.strip()
    is_quoted = len(value) > 1 and value[0] == value[-1] and value[0] in "'\""
    return value[1:-1] if is_quoted else value


def _at(things: Any, index: int) -> Any:
    return things[int(index)] if 0 <= index < len(things) else None


def _known(values: Any, name: str, names: Any) -> Any:
    if name not in names:
        raise ScriptError(f"there is no value {name}")
    return values[name]
