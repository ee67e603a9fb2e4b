"""Takes into the Set: free slots in the session, take lanes or new tracks in the arrangement; one undo step."""

from __future__ import annotations

from typing import Any, Sequence

from .excerpt import Excerpt

MINIMUM = (12, 0, 5)
"""Before this Live no script can create audio clips."""


def can_place(version: tuple[int, int, int]) -> bool:
    return version >= MINIMUM


def place(song: Any, excerpt: Excerpt, paths: Sequence[str], names: Sequence[str]) -> None:
    """Create a clip for each file, beside the original. Raises what Live raises; Undo takes all of it away again."""
    song.begin_undo_step()
    try:
        targets = _slots(song, excerpt, len(paths)) if excerpt.slot is not None else _lanes(song, excerpt, names)
        for target, path, name in zip(targets, paths, names):
            where = () if excerpt.slot is not None else (excerpt.start_time,)
            clip = target.create_audio_clip(path, *where)
            clip.name = name
            _shape(clip, excerpt)
    finally:
        song.end_undo_step()


def _slots(song: Any, excerpt: Excerpt, count: int) -> list[Any]:
    """Free slots of the clip's track, below it; new scenes where there are too few."""
    here = list(excerpt.track.clip_slots).index(excerpt.slot)
    while True:
        slots = [slot for slot in list(excerpt.track.clip_slots)[here:] if not slot.has_clip]
        if len(slots) >= count:
            return slots[:count]
        song.create_scene(-1)


def _lanes(song: Any, excerpt: Excerpt, names: Sequence[str]) -> list[Any]:
    """One take lane for each take; where Live has none (before 12.2), one new audio track for each."""
    if hasattr(excerpt.track, "create_take_lane"):
        targets = [excerpt.track.create_take_lane() for _ in names]
    else:
        after = list(song.tracks).index(excerpt.track) + 1
        targets = [song.create_audio_track(after + index) for index in range(len(names))]
    for target, name in zip(targets, names):
        target.name = name
    return targets


def _shape(clip: Any, excerpt: Excerpt) -> None:
    """Play what the original plays, as loud: the take's file is as long as the original's.

    Ends before starts: of a new clip, which begins with its file, no start may be moved behind its end.
    """
    if clip.looping:
        clip.looping = False
    clip.warping = False
    if excerpt.ends is not None:
        clip.loop_end = clip.end_marker = excerpt.ends[1]
        clip.loop_start = clip.start_marker = excerpt.ends[0]
    if excerpt.gain is not None:
        clip.gain = excerpt.gain
