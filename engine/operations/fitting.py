"""A replacement made to fit its region: as loud as what it replaces, with air above the model's band.

Shape letters: C channels, t samples of the replacement.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import torch

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


def level_for(replaced: Samples, sides: Sequence[Samples], sample_rate: int) -> Level:
    """The replaced sound's level; but both sides' where it is an event among them or a gap, and no measure itself."""
    own, both, *each = (level_of(one, sample_rate) for one in (replaced, np.concatenate(sides, axis=1), *sides))
    lufs = [side.lufs for side in each if not side.is_silent]
    return own if not lufs or min(lufs) - GAP_LU <= own.lufs <= max(lufs) + EVENT_LU else both


def air_beside(sides: Sequence[Samples], replaced: Samples, sample_rate: int, from_hz: float) -> Air:
    """The air of the sides; where there are none, or they are silent, the shape of the replaced sound's own."""
    usable = [side for side in sides if side.shape[1] >= SHORTEST_S * sample_rate]
    if not usable or all(level_of(side, sample_rate).is_silent for side in usable):
        usable = [replaced]
    air = air_of(usable, sample_rate, from_hz)
    if air.is_silent:
        return air
    together = np.concatenate(usable, axis=1) if len(usable) > 1 else usable[0]
    below, whole = level_of(together, sample_rate, below_hz=from_hz).lufs, level_of(together, sample_rate).lufs
    return replace(air, lufs=below, share_lu=max(0.0, whole - below) if np.isfinite(below) else 0.0)
