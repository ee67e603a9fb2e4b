"""What libraries do to sounds before they keep them: a short stretch taken out, silence trimmed, ends faded.

Half of the recordings of single sounds last less than a second, a quarter less than 0.4 s: one event, or a part of a
longer row of them, from its attack on, with nothing after it. Recordings of what goes on, such as rain, last 2 to 8 s.
"""

from __future__ import annotations

import math

import numpy as np

from engine.sounds.texture import Signal

_GOING_ON = """
    rain wind ocean fire crickets stream bees mosquito engine helicopter applause traffic crowd motorcycle airplane
    train chainsaw drill vacuum fan washing_machine radio_static drone
"""
CONTINUOUS = frozenset(_GOING_ON.split())
"""Sounds that go on: they are seldom cut short."""

LOST_IN_AN_EXCERPT = ("speed", "length", "contour")
"""Attributes that a short stretch of a sound need not show."""

_FRAME_S = 0.02
_RISE_DB = 6.0  # over the frames before: an attack
_PAUSE_DB = -20.0  # below the loudest frame: between two events
_LONGEST_WAIT_S = 1.5  # for such a pause
_HEARD_DB = -50.0  # below the loudest frame: where a clip is trimmed
_REPEATED_SHARE = 0.15
_SHARES = {True: 0.15, False: 0.5}  # of the clips of sounds that go on, and of those that are made of events
_SHORTEST_CLIP_S = 1.0  # shorter ones are left whole


def _levels_db(track: Signal, sample_rate: int) -> Signal:
    """Level of every 20 ms [N] in dB below the loudest."""
    frame = round(_FRAME_S * sample_rate)
    power = np.mean(np.square(track[: len(track) // frame * frame].reshape(-1, frame)), axis=1)
    levels: Signal = 10 * np.log10(power / (power.max() + 1e-30) + 1e-15)
    return levels


def _faded(stretch: Signal, rise_s: float, fall_s: float, sample_rate: int) -> Signal:
    rise, fall = (min(len(stretch), max(1, round(seconds * sample_rate))) for seconds in (rise_s, fall_s))
    stretch = stretch.copy()
    stretch[:rise] *= np.linspace(0, 1, rise)
    stretch[len(stretch) - fall :] *= np.square(np.linspace(1, 0, fall))
    return stretch


def _start_s(track: Signal, wanted_s: float, sample_rate: int) -> float:
    """The attack next to `wanted_s`, or the next moment at which the sound is heard at all."""
    levels = np.pad(_levels_db(track, sample_rate), (2, 0), constant_values=-60.0)
    before = np.maximum(levels[:-2], levels[1:-1])
    levels = levels[2:]
    places = np.nonzero((levels > -15) & (levels > before + _RISE_DB))[0]
    if not len(places):
        places = np.nonzero(levels > -15)[0]
    nearest = places[np.argmin(np.abs(places * _FRAME_S - wanted_s))]
    return max(0.0, float(nearest) * _FRAME_S - 0.01)


def _to_the_next_pause(track: Signal, start_s: float, length_s: float, sample_rate: int) -> float:
    """Seconds of a stretch that is cut where the sound pauses, if it does so soon: an event is kept to its end."""
    first = round((start_s + length_s) / _FRAME_S)
    quiet = np.nonzero(_levels_db(track, sample_rate)[first : first + round(_LONGEST_WAIT_S / _FRAME_S)] < _PAUSE_DB)[0]
    return length_s + (float(quiet[0]) * _FRAME_S if len(quiet) else 0.0)


def excerpt(
    track: Signal, name: str, random: np.random.Generator, sample_rate: int, at_least_s: float = 0.0
) -> Signal | None:
    """A clip as long as the track that holds a short stretch of it, at times repeated; None where it stays whole.

    Half of the clips of sounds that are made of events, a seventh of those that go on, hold a stretch of 0.2 to 3 s, or
    of 1 to 4 s; `at_least_s` is what one event needs.
    """
    goes_on = name in CONTINUOUS
    chosen, place, length, lead = random.uniform(size=4)
    off = float(np.clip(random.standard_normal(), -2, 2))
    seconds = len(track) / sample_rate
    if seconds < _SHORTEST_CLIP_S or chosen > _SHARES[goes_on]:
        return None
    middle_s, spread, longest_s = (2.5, 0.4, 4.0) if goes_on else (0.8, 0.7, 3.0)
    length = max(at_least_s, min(middle_s * math.exp(spread * off), longest_s))
    length = min(length, 0.8 * seconds)
    start_s = _start_s(track, float(place) * (seconds - length), sample_rate)
    length = _to_the_next_pause(track, start_s, length, sample_rate)
    start = round(start_s * sample_rate)
    stretch = track[start : start + round(length * sample_rate)]
    stretch = _faded(stretch, 0.002, float(random.uniform(0.01, 0.1)), sample_rate)
    lead_s = float(random.uniform(0, 0.1)) if lead < 0.7 else float(random.uniform(0, max(0.1, seconds - length)))
    is_repeated = not goes_on and random.uniform() < _REPEATED_SHARE
    pause_s = float(random.uniform(0.05, 0.6))
    clip = np.zeros(len(track))
    at = round(lead_s * sample_rate)
    while at < len(clip):
        part = stretch[: len(clip) - at]
        clip[at : at + len(part)] += part
        at += len(stretch) + round(pause_s * sample_rate)
        if not is_repeated:
            break
    return clip


def trimmed(clip: Signal, heard: Signal, random: np.random.Generator, sample_rate: int) -> Signal:
    """The clip from where `heard`, the sound without its noise floor, begins to where it ends; nothing after it."""
    places = np.nonzero(_levels_db(heard, sample_rate) > _HEARD_DB)[0]
    first, last = max(0.0, float(places[0]) * _FRAME_S - 0.01), float(places[-1] + 1) * _FRAME_S
    last += float(random.uniform(0.0, 0.15))
    stretch = clip[round(first * sample_rate) : round(last * sample_rate)]
    stretch = _faded(stretch, 0.002, float(random.uniform(0.005, 0.05)), sample_rate)
    return np.pad(stretch, (0, len(clip) - len(stretch)))
