"""Weapons: guns and swords."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from engine.sounds.bodies import DAMPED_METAL, Body, StruckBody, bar, contact, resonate, trailing, unit
from engine.sounds.combustion import firing, soft_impulses
from engine.sounds.moving_noise import moving_noise
from engine.sounds.partials import is_alone, spread
from engine.sounds.synthesis import Signal, SynthContext, hump

_MOST_TICKS = 12


def _bursts(synth: SynthContext) -> Iterator[float]:
    """Moments of automatic fire: bursts of three to a dozen shots with rests between."""
    moment = synth.uniform(0.02, min(0.4, 0.2 * synth.seconds))
    interval = 1 / synth.uniform(8.0, 13.0)
    while moment < synth.seconds:
        for _ in range(synth.count(5, 13)):
            yield moment
            moment += interval * synth.uniform(0.96, 1.05)
        moment += synth.uniform(0.35, 0.9)


def _shot(synth: SynthContext, blast_s: float, fall_s: float, hertz: float) -> Signal:
    """A muzzle blast after Friedlander, (1 - t/T) exp(-t/T), torn by turbulence, with the crack of the bullet."""
    seconds = max(5 * fall_s, min(0.35, 9 * fall_s))
    time, noise = synth.span(seconds), synth.noise(seconds)
    wave = (1 - time / blast_s) * np.exp(-time / blast_s)
    torn = synth.lowpass(noise, hertz * synth.uniform(0.8, 1.2), 1) * np.exp(-time / fall_s)
    torn += synth.uniform(0.1, 0.5) * synth.lowpass(noise, 4 * hertz, 1) * np.exp(-time / (0.45 * fall_s))
    torn += synth.uniform(0.0, 0.5) * min(1.0, hertz / 2500) * noise * np.exp(-time / (0.2 * fall_s))
    crack = synth.noise(0.03) * synth.decay(0.03, synth.uniform(0.0008, 0.003), 1e-5)
    blast = 2.2 * wave + 1.8 * torn
    blast[: len(crack)] += synth.uniform(0.8, 1.6) * crack
    shot = np.tanh(blast)
    return synth.highpass(shot, hertz / 8, 1)


def _answers(synth: SynthContext, track: Signal, shots: Signal, *, is_huge: bool) -> Signal:
    """What walls and land send back: single slaps, each duller than the shot, and a tail whose highs die first."""
    answered = track.copy()
    for delay_s in np.exp(synth.random.uniform(np.log(0.02), np.log(0.45), synth.count(2, 7))):
        start = round(float(delay_s) * synth.sample_rate)
        slap = synth.lowpass(track[: max(1, synth.num_samples - start)], synth.uniform(900, 4500), 1)
        answered[start:] += synth.uniform(0.06, 0.35) * (0.08 / (0.05 + delay_s)) ** 0.4 * slap[: len(answered[start:])]
    length = synth.uniform(0.25, 0.6) if is_huge else synth.uniform(0.12, 0.35)
    share = synth.uniform(0.06, 0.25)
    noise, at_once = synth.noise(), trailing(synth, shots, 0.015)
    for low, high, fall in ((60, 250, 1.0), (250, 1000, 0.8), (1000, 3500, 0.5), (3500, 12000, 0.25)):
        envelope = trailing(synth, shots, fall * length) - at_once
        air = synth.bandpass(noise, low, high, 1)
        answered += share * (1.4 if is_huge and low < 1000 else 0.7) * envelope * unit(air)
    return answered


def _ricochet(synth: SynthContext) -> Signal:
    """A bullet that bounced off something tumbles away: a torn whine that sinks."""
    seconds = synth.uniform(0.2, 0.6)
    time = synth.span(seconds)
    pitch = float(spread(synth, 1200, 3500)) * np.exp(-time * synth.uniform(1, 4))
    tumbling = 1 + 0.15 * np.sin(synth.phase(synth.uniform(30, 90) * np.exp(-2 * time)))
    whine = np.sin(synth.phase(pitch * tumbling)) + 0.6 * synth.bandpass(synth.noise(seconds), 900, 5000, 1)
    made: Signal = whine * np.exp(-time / (0.3 * seconds)) * np.minimum(1, time / 0.01)
    return made


def gunshot(synth: SynthContext) -> Signal:
    """Shots: crack and muzzle blast, the slap of walls, a tail over the land; single ones or automatic fire."""
    is_slow = synth.choose("speed", "slow", "fast") == "slow"
    is_huge = synth.choose("size", "huge", "small") == "huge"
    blast_s = synth.uniform(0.0025, 0.006) if is_huge else synth.uniform(0.0003, 0.001)
    longest = (0.3 if is_huge else 0.15) if is_slow else (0.08 if is_huge else 0.03)
    fall_s = float(spread(synth, 0.04 if is_huge else 0.01, longest))
    hertz = synth.uniform(400, 900) if is_huge else synth.uniform(2500, 6000)
    track = synth.silence()
    starts, gains = [], []
    moments = synth.onsets(synth.uniform(0.7, 1.3), 0.3) if is_slow else _bursts(synth)
    for start_s in [synth.uniform(0, 0.1)] if is_slow and is_alone(synth, 0.6) else moments:
        starts.append(start_s)
        gains.append(synth.uniform(0.7, 1))
        synth.place(track, _shot(synth, blast_s, fall_s, hertz), start_s, gains[-1])
        if synth.uniform(0, 1) < 0.5:  # the bolt, or a case that falls
            click = contact(synth, 0.02, 12000)
            synth.place(track, click, start_s + synth.uniform(0.03, 0.3), synth.uniform(0.02, 0.1))
        if is_slow and synth.uniform(0, 1) < 0.15:
            synth.place(track, _ricochet(synth), start_s + synth.uniform(0.01, 0.15), synth.uniform(0.1, 0.7))
    shots = soft_impulses(synth, np.array(starts), np.array(gains))
    return _answers(synth, track, shots, is_huge=is_huge)


def _blade(synth: SynthContext, lowest_hz: float, highest_hz: float) -> Body:
    """Bending, twisting and edgewise modes stand so dense that no order is heard; few of them last.

    Recorded clashes lose 10 dB in 30 to 40 ms and 20 dB in 50 to 130, and have next to nothing below 1.5 kHz.
    """
    hertz = np.sort(np.exp(synth.random.uniform(np.log(lowest_hz), np.log(highest_hz), 28)))
    falls = np.exp(synth.random.normal(np.log(synth.uniform(0.02, 0.05)), 0.5, 28))
    falls[synth.random.uniform(0, 1, 28) < synth.uniform(0.0, 0.15)] *= synth.uniform(2, 7)
    return Body(hertz, falls)


def _tick(synth: SynthContext, hardness_hz: float) -> Signal:
    """Edge on edge: noise, at times narrowed to what the blades are hard enough for."""
    tick = contact(synth, float(spread(synth, 0.05, 0.5)), 16000)
    if synth.uniform(0, 1) < 0.6:
        tick = synth.bandpass(tick, 0.25 * hardness_hz, 1.2 * hardness_hz, 1)
    return tick


def _clash(
    synth: SynthContext, blades: tuple[StruckBody, StruckBody], ticks: list[Signal], hardness_hz: float
) -> Signal:
    """Blade on blade: both ring, and for some hundredths of a second they bounce off each other.

    `ticks` are those of the clashes before, to which this one's are added; where there are plenty, some come again.
    """
    clash = np.zeros(len(synth.span(0.65)))
    delay, strength = 0.0, 1.0
    for _ in range(synth.count(2, 6)):
        for blade in blades:
            synth.place(
                clash, blade.blow(hardness_hz * (0.5 + strength), 0.0, 0.8), delay, strength * synth.uniform(0.25, 0.8)
            )
        tick = _tick(synth, hardness_hz) if len(ticks) < _MOST_TICKS else ticks.pop(synth.count(0, len(ticks)))
        ticks.append(tick)
        synth.place(clash, tick, delay, synth.uniform(1.0, 2.5) * strength)
        delay += float(np.exp(synth.uniform(np.log(0.006), np.log(0.12))))
        strength *= synth.uniform(0.35, 0.75)
    return clash


def _scrape(synth: SynthContext, slides: Signal, edge_hz: float) -> Signal:
    """Edges that slide: stick-slip hiss whose comb moves with the point of contact, and the blade that sings along."""
    num_knots = max(4, round(5 * synth.seconds))
    point = np.exp(synth.random.uniform(np.log(0.00015), np.log(0.0012), num_knots))
    hertz = (200.0, 700.0, 1500.0, 3000.0, 6000.0, 10000.0, 14000.0, 18000.0)
    levels = -6.0 * np.abs(np.log2(np.array(hertz) / edge_hz)) ** 1.2
    hiss = moving_noise(synth, hertz, levels, wander_db=5, wander_hz=9, comb=(point, 0.85))
    times, gains = firing(synth, synth.uniform(60, 260) * (0.4 + synth.wander(4) + slides), [(0.0, 1.0)], 0.5)
    slips = soft_impulses(synth, times, gains) * slides
    blade = bar(synth, DAMPED_METAL, edge_hz / synth.uniform(4, 9), 6)
    sung = resonate(synth, slips, blade, np.full(len(blade.hertz), 0.3))
    return slides * hiss * (0.5 + 0.5 * synth.wander(25)) * 1.3 + synth.uniform(0.1, 0.5) * sung


def sword(synth: SynthContext) -> Signal:
    """Sword play: two blades clash, bounce and ring in modes that are no harmonics, and slide along each other."""
    is_slow = synth.choose("speed", "slow", "fast") == "slow"
    is_low = synth.choose("pitch", "low", "high") == "low"
    lowest, highest = (
        (synth.uniform(700, 1500), synth.uniform(4500, 6500)) if is_low else (synth.uniform(2400, 4500), 14e3)
    )
    blades = (
        StruckBody(synth, _blade(synth, lowest, highest), 0.45),
        StruckBody(synth, _blade(synth, lowest * synth.uniform(0.8, 1.3), highest), 0.45),
    )
    track, slides, ticks = synth.silence(), synth.silence(), list[Signal]()
    swing_s, is_swung = 0.24 if is_slow else 0.12, synth.uniform(0, 1) < 0.6
    for start in synth.onsets(synth.uniform(0.7, 1.1) if is_slow else synth.uniform(2.4, 3.4), 0.25):
        if is_swung:
            swing = synth.bandpass(synth.noise(swing_s), synth.uniform(300, 900), synth.uniform(2000, 7000), 1)
            synth.place(track, swing * hump(len(swing)) ** 2, start, synth.uniform(0.2, 1.3))
        met = start + 0.8 * swing_s
        synth.place(track, _clash(synth, blades, ticks, highest), met, synth.uniform(0.5, 1))
        if synth.uniform(0, 1) < (0.55 if is_slow else 0.3):
            seconds = synth.uniform(0.15, 0.6) if is_slow else synth.uniform(0.08, 0.2)
            slide = hump(len(synth.span(seconds))) ** synth.uniform(0.4, 1.0)
            synth.place(slides, slide, met + synth.uniform(0.0, 0.06), synth.uniform(0.3, 1))
    edge = synth.uniform(1800, 3000) if is_low else synth.uniform(5000, 8500)
    track += synth.uniform(0.3, 0.9) * _scrape(synth, slides, edge)
    return track
