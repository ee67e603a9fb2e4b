"""Whether a clip, or a region of it, can be worked on; what cannot is refused in a sentence."""

from numbers import Real

from engine.audio import SHORTEST_S, Audio, region_samples
from engine.errors import AudioEmptyError, ClipTooLongError, InvalidRequestError, SilentClipError

LONGEST_S = 600.0
"""Seconds of sound that one request renders."""
QUIETEST_LIKE = 1e-4
"""Peak, -80 dB of full scale: a quieter clip is not like anything, and nothing follows it."""


def require_clip(clip: object, name: str = "clip") -> Audio:
    """Return the clip. Raises InvalidRequestError for what is no `Audio`, AudioEmptyError for less than 0.02 s."""
    if not isinstance(clip, Audio):
        raise InvalidRequestError(name, type(clip).__name__, "an Audio", f'read it with Audio.read("{name}.wav")')
    if clip.seconds < SHORTEST_S:
        raise AudioEmptyError(clip.seconds, SHORTEST_S)
    return clip


def require_like(like: object) -> Audio | None:
    """Return the sound that the result should be like, or None where there is none.

    Raises:
        InvalidRequestError, AudioEmptyError, ClipTooLongError, SilentClipError: nothing can be like it.
    """
    return _require_sound(like, "like")


def require_follow(follow: object) -> Audio | None:
    """Return the clip that the result should follow, or None where there is none.

    Raises:
        InvalidRequestError, AudioEmptyError, ClipTooLongError, SilentClipError: nothing can follow it.
    """
    return _require_sound(follow, "follow")


def _require_sound(sound: object, name: str) -> Audio | None:
    if sound is None:
        return None
    clip = require_clip(sound, name)
    if clip.seconds > LONGEST_S:
        raise ClipTooLongError(clip.seconds, LONGEST_S)
    require_audible(clip, name)
    return clip


def require_audible(clip: Audio, name: str) -> None:
    """Raises SilentClipError for a clip without anything that a sound could be like."""
    peak = clip.as_heard().peak
    if peak < QUIETEST_LIKE:
        raise SilentClipError(name, peak)


def require_region(clip: Audio, start_s: float | None, end_s: float | None) -> tuple[int, int]:
    """Return the region's first sample and the one after its last.

    Raises:
        RegionError: it is empty, reversed or outside the clip.
        AudioEmptyError: it lasts less than 0.02 s.
        ClipTooLongError: it lasts more than 600 s.
    """
    for name, value in (("start_s", start_s), ("end_s", end_s)):
        if value is not None and (isinstance(value, bool) or not isinstance(value, Real)):
            raise InvalidRequestError(name, value, "a time in seconds")
    start, end = region_samples(clip.num_samples, clip.sample_rate, start_s, end_s)
    seconds = (end - start) / clip.sample_rate
    if seconds < SHORTEST_S:
        raise AudioEmptyError(seconds, SHORTEST_S)
    if seconds > LONGEST_S:
        raise ClipTooLongError(seconds, LONGEST_S)
    return start, end
