"""The functions that scripts may call, on the model of a project; the host checks arguments and results around them."""

# ruff: noqa: N802 - the names are those of the API

import os
import time
from pathlib import Path

import numpy as np
import soundfile
from reaper_accessor import Accessor, samples_of
from reaper_project import ITEM_VALUES, TAKE_VALUES, Item, Source, Take, Track, new_guid
from reaper_signatures import ScriptError


class SampleBuffer:
    """A reaper.array."""

    kind = "reaper.array"
    is_alive = True

    def __init__(self, size, lua):
        self.data = np.full(int(size), np.nan)  # as unknown as fresh memory
        self._lua = lua

    def clear(self):
        self.data[:] = 0.0

    def table(self, offset, size):
        return self._lua.table_from(self.data[int(offset) - 1 : int(offset) - 1 + int(size)].tolist())


class Functions:
    """One method for each documented function that is modelled, by its own name."""

    def __init__(self, host, script):
        self._host = host
        self._script = script

    def _project(self, project):
        if project in (None, 0):
            return self._host.current
        if project not in self._host.projects:
            raise ScriptError("a pointer to a project that is not open any more")
        return project

    def _project_of(self, track):
        return next(project for project in self._host.projects if track in project.tracks)

    def _change(self, thing):
        item = thing.item if isinstance(thing, Take) else thing
        self._project_of(item if isinstance(item, Track) else item.track).change()

    # ---------------------------------------------------------------- projects, tracks, items

    def EnumProjects(self, index):
        if index == -1:
            return self._host.current, self._host.current.path
        projects = self._host.projects
        return (projects[index], projects[index].path) if index < len(projects) else (None, None)

    def ValidatePtr2(self, project, pointer, kind):
        is_there = kind == f"{pointer.kind}*" and pointer.is_alive
        item = pointer.item if isinstance(pointer, Take) else pointer
        return is_there and item in self._project(project).items

    def CountTracks(self, project):
        return len(self._project(project).tracks)

    def GetTrack(self, project, index):
        return _at(self._project(project).tracks, index)

    def GetSelectedTrack(self, project, index):
        return _at([track for track in self._project(project).tracks if track.is_selected], index)

    def GetTrackGUID(self, track):
        return track.guid

    def InsertTrackAtIndex(self, index, _with_defaults):
        self._host.current.change()
        self._host.current.tracks.insert(int(index), Track())

    def TrackList_AdjustWindows(self, _is_minor):
        pass

    def CountMediaItems(self, project):
        return len(self._project(project).items)

    def GetMediaItem(self, project, index):
        return _at(self._project(project).items, index)

    def CountSelectedMediaItems(self, project):
        return sum(item.is_selected for item in self._project(project).items)

    def GetSelectedMediaItem(self, project, index):
        return _at([item for item in self._project(project).items if item.is_selected], index)

    def GetMediaItem_Track(self, item):
        return item.track

    def AddMediaItemToTrack(self, track):
        self._change(track)
        item = Item()
        item.track = track
        track.items.append(item)
        return item

    def GetMediaItemInfo_Value(self, item, name):
        return float(_known(item.values, name, ITEM_VALUES))

    def SetMediaItemInfo_Value(self, item, name, value):
        _known(item.values, name, ITEM_VALUES)
        self._change(item)
        item.values[name] = float(value)
        return True

    def GetSetMediaItemInfo_String(self, item, name, text, is_set):
        return self._text(item, name, text, is_set)

    def GetSet_LoopTimeRange2(self, project, is_set, _is_loop, _start, _end, _seek):
        if is_set:
            raise ScriptError("a script moved the user's time selection")
        return self._project(project).time_selection

    def GetCursorPositionEx(self, project):
        return self._project(project).cursor

    def UpdateItemInProject(self, item):
        pass

    def UpdateArrange(self):
        pass

    # ---------------------------------------------------------------- takes and sources

    def CountTakes(self, item):
        return len(item.takes)

    def GetTake(self, item, index):
        return _at(item.takes, index)

    def GetActiveTake(self, item):
        return item.active_take

    def SetActiveTake(self, take):
        self._change(take)
        take.item.active = take.item.takes.index(take)

    def GetTakeName(self, take):
        return take.name

    def TakeIsMIDI(self, take):
        return take.source.type == "MIDI"

    def AddTakeToMediaItem(self, item):
        self._change(item)
        return item.add(Take())

    def GetMediaItemTakeInfo_Value(self, take, name):
        return float(_known(take.values, name, TAKE_VALUES))

    def SetMediaItemTakeInfo_Value(self, take, name, value):
        _known(take.values, name, TAKE_VALUES)
        self._change(take)
        take.values[name] = float(value)
        return True

    def GetSetMediaItemTakeInfo_String(self, take, name, text, is_set):
        return self._text(take, name, text, is_set)

    def _text(self, thing, name, text, is_set):
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

    def GetMediaItemTake_Source(self, take):
        return take.source

    def SetMediaItemTake_Source(self, take, source):
        self._change(take)
        take.source = source
        return True

    def GetMediaSourceParent(self, source):
        return source.parent

    def GetMediaSourceFileName(self, source):
        return source.path

    def GetMediaSourceNumChannels(self, source):
        if source.type == "SECTION" or source.file.type == "MIDI":
            return 0  # as some versions of REAPER say of sections
        return soundfile.info(source.path).channels

    def GetMediaSourceSampleRate(self, source):
        if source.type == "SECTION" or source.file.type == "MIDI":
            return 0
        return soundfile.info(source.path).samplerate

    def PCM_Source_CreateFromFile(self, path):
        try:
            return Source.of_file(path)
        except soundfile.LibsndfileError:
            return None

    def PCM_Source_BuildPeaks(self, source, mode):
        steps = self._host.peaks.setdefault(source.path, [])
        steps.append(int(mode))
        return {0: 1, 1: 0 if steps.count(1) > 2 else 50, 2: 0}[int(mode)]

    def CreateTakeAudioAccessor(self, take):
        accessor = Accessor(take)
        self._host.accessors.append(accessor)
        return accessor

    def DestroyAudioAccessor(self, accessor):
        accessor.is_alive = False

    def GetAudioAccessorSamples(self, accessor, rate, num_channels, start_s, num_frames, buffer):
        if len(buffer.data) < num_frames * num_channels:
            raise ScriptError("the buffer is smaller than what is asked for")
        channels = samples_of(accessor.take.source)[0].shape[1]
        if num_channels != channels:
            raise ScriptError(f"the take has {channels} channels, and {num_channels} are asked for")
        frames = accessor.read(rate, int(num_channels), start_s, int(num_frames))
        buffer.data[: frames.size] = frames.ravel()
        return int(len(frames) > 0)

    def new_array(self, size):
        return SampleBuffer(size, self._script.lua)

    # ---------------------------------------------------------------- undo and screen

    def PreventUIRefresh(self, count):
        if self._host.refresh_locks + count < 0:
            raise ScriptError("more PreventUIRefresh(-1) than (1)")
        self._host.refresh_locks += int(count)

    def Undo_BeginBlock2(self, project):
        self._project(project).begin_block()

    def Undo_EndBlock2(self, project, name, flags):
        if not int(flags) & 4:
            raise ScriptError("an undo step about items without their flag 4")
        self._project(project).end_block(name)

    def Main_OnCommand(self, command, _flag):
        self._host.commands.append(int(command))

    # ---------------------------------------------------------------- dialogs and memory

    def ShowMessageBox(self, text, title, _type):
        self._host.messages.append((title, text))
        return 1

    def GetUserInputs(self, title, count, captions, values):
        return self._host.answer_dialog(title, int(count), captions, values)

    def HasExtState(self, section, key):
        return (section, key) in self._host.session_state or (section, key) in self._host.kept_state

    def GetExtState(self, section, key):
        kept = self._host.kept_state.get((section, key), "")
        return self._host.session_state.get((section, key), _from_ini(kept))

    def SetExtState(self, section, key, value, is_kept):
        if is_kept:
            if "\n" in value:
                raise ScriptError("a value with a line break does not survive in reaper-extstate.ini")
            self._host.kept_state[section, key] = value
        self._host.session_state[section, key] = value

    # ---------------------------------------------------------------- the machine

    def GetOS(self):
        return self._host.system

    def GetResourcePath(self):
        return str(self._host.resources)

    def GetProjectPath(self):
        return str(self._host.current.folder)

    def GetProjectPathEx(self, project):
        return str(self._project(project).folder)

    def RecursiveCreateDirectory(self, path, _ignored):
        Path(path).mkdir(parents=True, exist_ok=True)
        return 0

    def file_exists(self, path):
        is_systems = path.startswith(("/opt/", "/usr/", "/Applications/"))
        return path in self._host.programs or (Path(path).is_file() and not is_systems)

    def ExecProcess(self, command, timeout_ms):
        return self._host.execute(command, int(timeout_ms))

    def genGuid(self, _guid):
        return new_guid()

    def time_precise(self):
        self._host.clock_skew_s += self._host.clock_step_s
        return time.monotonic() + self._host.clock_skew_s

    def get_action_context(self):
        return True, os.fspath(self._script.path), 0, 40001, -1, -1, -1, ""

    def defer(self, code):
        self._script.deferred.append(code)

    def atexit(self, code):
        self._script.at_exit.append(code)


def _from_ini(value):
    """A value as Windows reads it from a file of settings: without blanks around it, nor one pair of quotes."""
    value = value.strip()
    is_quoted = len(value) > 1 and value[0] == value[-1] and value[0] in "'\""
    return value[1:-1] if is_quoted else value


def _at(things, index):
    return things[int(index)] if 0 <= index < len(things) else None


def _known(values, name, names):
    if name not in names:
        raise ScriptError(f"there is no value {name}")
    return values[name]
