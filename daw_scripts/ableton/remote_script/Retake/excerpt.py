"""What is known of the clip in view when a command comes; as values, for it may be gone when its take comes."""

from __future__ import annotations

from typing import Any

from .commands import Refusal

_HINT = "click an audio clip, so that Live shows it in Clip View, then try again"


class Excerpt:
    """A clip's file and region, and the place where its takes belong; without a file, just the place."""

    def __init__(self, track: Any, slot: Any, start_time: float) -> None:
        self.track, self.slot, self.start_time = track, slot, start_time
        self.file, self.name, self.is_warped = "", str(track.name), False
        self.gain: float | None = None
        self.ends: tuple[float, float] | None = None

    def read(self, clip: Any) -> None:
        """Of an unwarped clip Live plays loop_start to loop_end, seconds of its file, wherever its markers stand.

        Those of a warped clip are beats, and not used.
        """
        self.file, self.name, self.gain, self.is_warped = clip.file_path, clip.name, clip.gain, clip.warping
        if not self.is_warped:
            self.ends = (clip.loop_start, clip.loop_end)

    def forget_shape(self) -> None:
        """Keep the place, for a sound that has nothing of the clip."""
        self.gain, self.ends, self.is_warped = None, None, False

    @property
    def start_s(self) -> float:
        return max(self.ends[0], 0.0) if self.ends else 0.0


def clip_in_view(song: Any) -> Excerpt:
    """Read the clip that Live shows. Raises Refusal when there is none, or none with audio."""
    clip = song.view.detail_clip
    if clip is None:
        raise Refusal("no_clip", "no clip is in view", _HINT)
    if not clip.is_audio_clip:
        raise Refusal("no_clip", "the clip in view is a MIDI clip", _HINT)
    if not clip.file_path:
        raise Refusal("no_clip", "the clip in view has no file", _HINT)
    excerpt = _place_of(clip)
    excerpt.read(clip)
    return excerpt


def _place_of(clip: Any) -> Excerpt:
    if not clip.is_arrangement_clip:
        return Excerpt(clip.canonical_parent.canonical_parent, clip.canonical_parent, 0.0)
    parent = clip.canonical_parent
    track = parent if hasattr(parent, "clip_slots") else parent.canonical_parent  # a take lane's parent is its track
    return Excerpt(track, None, clip.start_time)


def place_in_view(song: Any) -> Excerpt:
    """For a sound that needs no clip: the place of the clip in view, else the highlighted slot. Raises Refusal."""
    clip = song.view.detail_clip
    if clip is not None and clip.is_audio_clip:
        excerpt = clip_in_view(song)
        excerpt.forget_shape()
        return excerpt
    slot = song.view.highlighted_clip_slot
    if slot is None or not slot.canonical_parent.has_audio_input:
        raise Refusal("no_clip", "neither an audio clip nor a slot of an audio track is chosen", _HINT)
    return Excerpt(slot.canonical_parent, slot, 0.0)
