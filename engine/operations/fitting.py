"""A replacement made to fit its region: as loud as what it replaces, with air above the model's band.

Shape letters: C channels, t samples of the replacement.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import torch
from numpy.typing import NDArray

from engine.operations.air import Air, add_air, air_of
from engine.operations.loudness import Level, balancing_gains, level_of, set_loudness
from engine.operations.splice import SILENCE, limit_peak, rms
from engine.operations.surroundings import SHORTEST_S
from engine.wav_writer import Samples

# What is this much louder than both sides is an event to remove; this much softer, a gap to fill.
EVENT_LU, GAP_LU = 6.0, 20.0
BLEED = 10 ** (6 / 20)  # the ends of a replacement may be this much louder than its middle
OUTERMOST_S = 0.00005  # seconds: how loud a clip begins, and ends
EASED_S = 0.001  # seconds, in which a take that would begin or end with a click rises and falls
LEAST_CEILING = 0.05  # where a clip rests on an offset near full scale


def fit(
    replacement: Samples,
    wanted: Level,
    sample_rate: int,
    ceiling: float,
    air: Air | None = None,
    *,
    carrier: torch.Generator,
    learned: bool = False,
) -> None:
    """Bring a replacement [C, t] to a level and balance, with air if given, in place; true peaks stay below `ceiling`.

    In silent surroundings there is no level to keep: the replacement is only turned down where it would be too loud. If
    the model made silence, it stays silence. `learned` air moves as the air net expects, too.
    """
    if wanted.is_silent:
        replacement[:] = limit_peak(replacement, ceiling)
        return
    replacement *= balancing_gains(level_of(replacement, sample_rate), wanted)
    if air is None or air.is_silent:
        set_loudness(replacement, wanted.lufs, ceiling, sample_rate)
        return
    lufs = wanted.lufs - air.share_lu
    set_loudness(replacement, lufs, ceiling, sample_rate)
    add_air(replacement, air.beside(lufs), carrier, sample_rate if learned else None)
    set_loudness(replacement, wanted.lufs, ceiling, sample_rate)


def hush_ends(replacement: Samples, fade: int, *, start: bool, end: bool) -> None:
    """Attenuate what a neighbour's sound bled into the ends of a replacement [C, t], in place.

    The ends are barely audible in their crossfades, but they would be measured, and the rest left too soft.
    """
    inside = rms(replacement[:, fade : replacement.shape[1] - fade])
    for side, fades in ((replacement, start), (replacement[:, ::-1], end)):
        most = BLEED * max(inside, SILENCE)
        if fades and fade > 0 and rms(side[:, :fade]) > most:
            gain = most / rms(side[:, :fade])
            side[:, :fade] *= gain
            ramp = np.linspace(gain, 1.0, min(fade, replacement.shape[1] - 2 * fade), dtype=replacement.dtype)
            side[:, fade : fade + len(ramp)] *= ramp


def ease_ends(
    replacement: Samples,
    replaced: Samples,
    sample_rate: int,
    *,
    start: bool,
    end: bool,
    resting_on: Samples | float = 0.0,
) -> None:
    """Let a replacement [C, t] begin and end no louder than what it replaces, without what that rests on, in place.

    A model may begin in the middle of a sound. Where the clip itself does not, that is a click, whose highs reach far
    beyond those of the clip.
    """
    outermost = max(1, round(OUTERMOST_S * sample_rate))
    fade = min(round(EASED_S * sample_rate), replacement.shape[1] // 4)
    rest = np.broadcast_to(resting_on, replaced.shape)
    backwards = replacement[:, ::-1], replaced[:, ::-1], rest[:, ::-1], end
    for new, old, under, eased in ((replacement, replaced, rest, start), backwards):
        now, wanted = rms(new[:, :outermost]), rms(old[:, :outermost] - under[:, :outermost])
        if eased and fade > 0 and now > wanted:
            rise = np.sin((np.arange(fade) + 0.5) / fade * np.pi / 2) ** 2
            new[:, :fade] *= (wanted / now + (1 - wanted / now) * rise).astype(replacement.dtype)


def level_for(replaced: Samples, sides: Sequence[Samples], sample_rate: int, *, for_event: bool = False) -> Level:
    """The replaced sound's level; but both sides' where it is an event among them or a gap, and no measure itself.

    For an event in its place, such as one bark for another, an event is a measure.
    """
    if _is_event_or_gap(replaced, sides, sample_rate, for_event):
        return level_of(np.concatenate(sides, axis=1), sample_rate)
    return level_of(replaced, sample_rate)


def _is_event_or_gap(replaced: Samples, sides: Sequence[Samples], sample_rate: int, for_event: bool) -> bool:
    """Whether a sound is to be removed, or its absence.

    Beside its only neighbour only silence is a gap, and nothing an event: sounds begin with an attack and die away.
    """
    own, *each = (level_of(one, sample_rate) for one in (replaced, *sides))
    lufs = [side.lufs for side in each if not side.is_silent]
    if len(lufs) < 2:
        return bool(lufs) and own.is_silent
    is_event = own.lufs > max(lufs) + EVENT_LU
    return (is_event and not for_event) or own.lufs < min(lufs) - GAP_LU


def air_beside(
    sides: Sequence[Samples], replaced: Samples, sample_rate: int, from_hz: float, *, for_event: bool = False
) -> Air:
    """The replaced sound's air, held between that of its sides; of both sides together where it is no measure itself.

    An attack is brighter than what follows, and what dies away duller than what went before. But a dull hole between
    two bright sides is to be filled. At a clip's end, or between silent sides, the replaced sound is all there is.
    """
    usable = [side for side in sides if side.shape[1] >= SHORTEST_S * sample_rate]
    usable = [side for side in usable if not level_of(side, sample_rate).is_silent]
    if _is_event_or_gap(replaced, sides, sample_rate, for_event):
        return _air_of(usable or [replaced], sample_rate, from_hz)
    own = _air_of([replaced], sample_rate, from_hz)
    if len(usable) < 2:
        return own
    airs = [_air_of([side], sample_rate, from_hz) for side in usable]
    return _held_between(own, [air.beside(own.lufs) for air in airs if air.mean.size])


def _air_of(sounds: Sequence[Samples], sample_rate: int, from_hz: float) -> Air:
    """Sounds [C, t] -> their air, with how loud they are without it and by how much it makes them louder."""
    air = air_of(sounds, sample_rate, from_hz)
    if air.is_silent:
        return air
    together = np.concatenate(sounds, axis=1) if len(sounds) > 1 else sounds[0]
    below, whole = level_of(together, sample_rate, below_hz=from_hz).lufs, level_of(together, sample_rate).lufs
    return replace(air, lufs=below, share_lu=max(0.0, whole - below) if np.isfinite(below) else 0.0)


def _held_between(own: Air, sides: Sequence[Air]) -> Air:
    """Each band of the air as loud as its own, but no louder than in the louder side, nor softer than in the softer."""
    if not sides or not own.mean.size:
        return sides[0] if sides else own

    def held(name: str) -> NDArray[np.float64]:
        levels = [getattr(side, name) for side in sides]
        clipped: NDArray[np.float64] = np.clip(getattr(own, name), np.minimum(*levels), np.maximum(*levels))
        return clipped

    if len(sides) < 2:
        return own
    likeness = float(np.mean([side.likeness for side in sides]))
    return replace(own, mean=held("mean"), rest=held("rest"), below=held("below"), likeness=likeness)
