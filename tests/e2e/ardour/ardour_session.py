"""Ardour sessions as files: makes one with clips in it, and reads what a saved one says lies where."""

import subprocess
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree as ET

import numpy as np
import soundfile

RATE = 48_000
_TICKS = 282_240_000 // RATE
"""Superclock ticks in a sample."""

_HERE = Path(__file__).parent


@dataclass(frozen=True)
class Clip:
    """A region to put into a session: its file, its track's number, and where it lies, in samples."""

    file: Path
    track: int
    position: int
    start: int
    length: int


@dataclass(frozen=True)
class SavedRegion:
    name: str
    track: str
    position: int
    start: int
    length: int
    layer: int
    gain: float
    is_muted: bool
    sources: tuple[Path, ...]


def make_session(folder: Path, clips: list[Clip], environment: dict[str, str]) -> Path:
    """Make a session with a stereo track and a mono track, without a screen, and put clips on them."""
    command = ["ardour7-lua", str(_HERE / "new_session.lua"), str(folder), folder.name]
    subprocess.run(command, check=True, env=environment, stdin=subprocess.DEVNULL, capture_output=True, timeout=150)
    file = folder / f"{folder.name}.ardour"
    tree = ET.parse(file)
    root = tree.getroot()
    for clip in clips:
        _put(root, clip)
    end = max(clip.position + clip.length for clip in clips) + 10 * RATE
    session_range = {"id": _fresh_id(root), "name": "session", "start": "a0", "end": f"a{end * _TICKS}"}
    more = {"flags": "IsSessionRange", "locked": "0", "position-lock-style": "AudioTime", "timestamp": "0", "cue": "0"}
    ET.SubElement(_part(root, "Locations"), "Location", session_range | more)
    tree.write(file, encoding="UTF-8", xml_declaration=True)
    return file


def _part(root: ET.Element, name: str) -> ET.Element:
    found = root.find(name)
    assert found is not None, name
    return found


def _word(element: ET.Element, name: str) -> str:
    found = element.get(name)
    assert found is not None, name
    return found


def _fresh_id(root: ET.Element) -> str:
    number = int(_word(root, "id-counter")) + 1
    root.set("id-counter", str(number))
    return str(number)


def _put(root: ET.Element, clip: Clip) -> None:
    info = soundfile.info(clip.file)
    sources = [_fresh_id(root) for _ in range(info.channels)]
    for channel, number in enumerate(sources):
        source = {"name": str(clip.file), "type": "audio", "flags": "", "id": number, "natural-position": "a0"}
        source |= {"channel": str(channel), "origin": str(clip.file), "gain": "1", "take-id": ""}
        ET.SubElement(_part(root, "Sources"), "Source", source)
    common = {"name": clip.file.stem, "muted": "0", "opaque": "1", "locked": "0", "automatic": "0", "import": "0"}
    common |= {"external": "1", "hidden": "0", "position-locked": "0", "sync-position": "a0", "ancestral-start": "a0"}
    common |= {"ancestral-length": "a0@a0", "stretch": "1", "shift": "1", "layering-index": "0", "tags": ""}
    common |= {"contents": "0", "envelope-active": "0", "default-fade-in": "1", "default-fade-out": "1"}
    common |= {"fade-in-active": "1", "fade-out-active": "1", "scale-amplitude": "1", "type": "audio"}
    common |= {"first-edit": "nothing", "channels": str(info.channels)}
    for channel, number in enumerate(sources):
        common |= {f"source-{channel}": number, f"master-source-{channel}": number}
    whole = {"whole-file": "1", "start": "a0", "length": f"a{info.frames * _TICKS}@a0", "id": _fresh_id(root)}
    ET.SubElement(_part(root, "Regions"), "Region", common | whole)
    length = f"a{clip.length * _TICKS}@a{clip.position * _TICKS}"
    placed = {"whole-file": "0", "start": f"a{clip.start * _TICKS}", "length": length, "id": _fresh_id(root)}
    ET.SubElement(_playlists(root)[f"Audio {clip.track}"], "Region", common | placed)


def _playlists(root: ET.Element) -> dict[str, ET.Element]:
    """Give the playlist that each audio track plays, by the track's name."""
    by_id = {_word(playlist, "id"): playlist for playlist in _part(root, "Playlists")}
    routes = [route for route in _part(root, "Routes") if route.get("audio-playlist") in by_id]
    return {_word(route, "name"): by_id[_word(route, "audio-playlist")] for route in routes}


def saved_regions(file: Path) -> list[SavedRegion]:
    """List the regions on all tracks of a saved session, in the order of their layers."""
    root = ET.parse(file).getroot()
    own = file.parent / "interchange" / file.stem / "audiofiles"
    files = {
        _word(source, "id"): (own / _word(source, "name"), _word(source, "origin")) for source in _part(root, "Sources")
    }
    sources = {number: file if file.exists() else Path(origin) for number, (file, origin) in files.items()}
    found = []
    for track, playlist in _playlists(root).items():
        for region in playlist.findall("Region"):
            length, position = (int(it.lstrip("a")) // _TICKS for it in _word(region, "length").split("@"))
            channels = range(int(_word(region, "channels")))
            found.append(
                SavedRegion(
                    name=_word(region, "name"),
                    track=track,
                    position=position,
                    start=int(_word(region, "start").lstrip("a")) // _TICKS,
                    length=length,
                    layer=int(_word(region, "layering-index")),
                    gain=float(_word(region, "scale-amplitude")),
                    is_muted=region.get("muted") == "1",
                    sources=tuple(sources[_word(region, f"source-{channel}")] for channel in channels),
                )
            )
    return sorted(found, key=lambda region: region.layer)


def saved_playlists(file: Path) -> dict[str, list[str]]:
    """Give the names of the regions in every playlist that some track has or had, by the playlist's name."""
    root = ET.parse(file).getroot()
    playlists = [*_part(root, "Playlists"), *_part(root, "UnusedPlaylists")]
    return {_word(playlist, "name"): [_word(it, "name") for it in playlist.findall("Region")] for playlist in playlists}


def region_audio(region: SavedRegion) -> np.ndarray:
    """Read the samples [T, C] that a region plays."""
    columns = []
    for channel, file in enumerate(region.sources):
        samples, _ = soundfile.read(file, dtype="float64", always_2d=True)
        columns.append(samples[:, min(channel, samples.shape[1] - 1)])
    return np.stack(columns, axis=1)[region.start : region.start + region.length]


def played(session: Path, place: SavedRegion, margin: int, environment: dict[str, str]) -> np.ndarray:
    """Have Ardour open a saved session and read what it plays where a region lies and `margin` around it: [T, C]."""
    channels, target = len(place.sources), session.parent / "played"
    what = [place.track, str(channels), str(place.position - margin), str(place.length + 2 * margin), str(target)]
    command = ["ardour7-lua", str(_HERE / "read_playlist.lua"), str(session.parent), session.stem, *what]
    subprocess.run(command, check=True, env=environment, stdin=subprocess.DEVNULL, capture_output=True, timeout=150)
    return np.stack([np.fromfile(f"{target}.{channel}", dtype="<f4") for channel in range(channels)], axis=1)
