"""Weather and fire."""

from __future__ import annotations

import numpy as np

from engine.sounds.synthesis import Signal, SynthContext
from engine.sounds.vocal import evened, shaped


def _ticks(synth: SynthContext, kinds: list[Signal], rate_hz: float, shape: float) -> Signal:
    """Short sounds of a few kinds at random moments, few loud ones among many faint (a Pareto law of `shape`)."""
    number = max(2, int(rate_hz * synth.seconds))
    moments = synth.random.uniform(0, 0.995 * synth.seconds, number)
    gains = np.minimum(synth.random.pareto(shape, number) + 0.15, 4.0)
    which = synth.random.integers(0, len(kinds), number)
    track = synth.silence()
    for moment, gain, kind in zip(moments, gains, which, strict=True):
        synth.place(track, kinds[kind], float(moment), float(gain))
    return track


def _drop_ticks(synth: SynthContext, centre_hz: float) -> list[Signal]:
    """Raindrops as they hit what lies under them: ten ticks about a centre, a few of which ring as a puddle does."""
    ticks = []
    for _ in range(10):
        seconds, centre = 0.03, centre_hz * 2 ** synth.uniform(-1.0, 1.0)
        tick = synth.bandpass(synth.noise(seconds), min(0.5 * centre, 3500), 3.2 * centre, order=1)
        tick = tick * synth.decay(seconds, synth.uniform(0.001, 0.006), 0.0004)
        if synth.uniform(0, 1) < 0.3:
            time, pitch = synth.span(seconds), synth.uniform(1200, 5200)
            tick = tick + 0.5 * np.sin(2 * np.pi * pitch * time * (1 + 4 * time)) * np.exp(-time / 0.006)
        ticks.append(tick)
    return ticks


def rain(synth: SynthContext) -> Signal:
    """A hiss from 1 to 20 kHz whose bands wander, under drops that hit leaves, stones and puddles."""
    is_heavy = synth.choose("intensity", "heavy", "light") == "heavy"
    edge, top_db = synth.uniform(400, 1000), synth.uniform(-12, -4)
    hertz = (40, 0.4 * edge, edge, 2 * edge, 7000, 12000, 20000)
    levels_db = (-26, -22, -5, 0, -2, top_db, top_db - 8)
    hiss = evened(synth.texture(hertz, levels_db, depth_db=1.2 if is_heavy else 2.0, rate_hz=6))
    drops = _ticks(
        synth,
        _drop_ticks(synth, synth.uniform(1500, 4500)),
        synth.uniform(60, 150) if is_heavy else synth.uniform(20, 60),
        1.8,
    )
    wetness = synth.uniform(0.6, 2.0) if is_heavy else synth.uniform(2.5, 6.0)
    falling: Signal = hiss + wetness * drops / (np.max(np.abs(drops)) + 1e-9) * (2.0 if is_heavy else 3.0)
    return falling


def wind(synth: SynthContext) -> Signal:
    """Gusts: a broad rush and one or two howls whose pitch climbs with the gust, leaves above, rumble below."""
    is_low = synth.choose("pitch", "low", "high") == "low"
    centre = synth.uniform(170, 340) if is_low else synth.uniform(680, 1250)
    gusts = np.clip(0.75 * synth.wander(0.9) + 0.35 * synth.wander(3.5), 0, 1)
    eddies = [0.5 * gusts + 0.6 * synth.wander(rate) for rate in (1.5, 2.5, 4.0, 6.0)]  # large ones are slow and low
    howls = [
        (synth.uniform(0.8, 2.2), synth.uniform(0, 14), synth.uniform(0.05, 0.25)) for _ in range(synth.count(1, 3))
    ]
    slope_db, width = synth.uniform(9, 15), synth.uniform(0.6, 1.1)

    def decibels(times: Signal, bins: Signal) -> Signal:
        force = np.interp(times, synth.time, gusts)[:, None]
        octave = np.log2(bins[None, :] / (centre * (0.85 + 0.35 * force)))
        level: Signal = -np.where(octave > 0, slope_db * np.maximum(0, octave - 0.3 * width), -6 * octave)
        for ratio, peak, narrow in howls:
            level = level + peak * force / (1 + ((octave - np.log2(ratio)) / narrow) ** 2)
        for number, eddy in enumerate(eddies):
            share = np.maximum(0, 1 - np.abs(np.clip(np.log2(bins / centre), -2, 4) / 2 + 1 - number))
            level = level + 22 * (np.interp(times, synth.time, eddy)[:, None] - 1) * share
        return level

    body = evened(shaped(synth, synth.noise(), decibels, 0.06))
    leaves = synth.texture((200, 1500, 4000, 9000, 20000), (-30, -8, 0, -6, -22), rate_hz=7)
    rumble = synth.texture((20, 90, 250, 1000, 20000), (0, -3, -20, -50, -90), depth_db=5, rate_hz=8)
    blowing: Signal = (
        body + synth.uniform(0.005, 0.07) * gusts**2 * evened(leaves) + synth.uniform(0.02, 0.25) * evened(rumble)
    )
    return blowing


def _claps_of_thunder(synth: SynthContext, *, is_near: bool) -> tuple[Signal, Signal, Signal]:
    """Strengths [T] of the crack, the roll and the rumble: the lower, the later and the longer.

    The channel of a flash is crooked: its parts are heard one after another, the nearest first and the strongest.
    """
    crack, roll, rumble = synth.silence(), synth.silence(), synth.silence()
    for start in synth.occasions(0.8, 6.0, 9.0):
        moment = start
        for clap in range(synth.count(5, 12)):
            gain = 1.0 if clap == 0 else synth.uniform(0.25, 0.9) * (0.85**clap if is_near else 1.0)
            rise = synth.uniform(0.003, 0.015) if is_near else synth.uniform(0.08, 0.3)
            synth.place(crack, synth.decay(1.6, synth.uniform(0.06, 0.3), rise), moment, gain * 0.8**clap)
            synth.place(roll, synth.decay(2.6, synth.uniform(0.25, 0.6), 2 * rise), moment, gain)
            synth.place(rumble, synth.decay(4.5, synth.uniform(0.6, 1.3), 0.06 + 2 * rise), moment, gain)
            moment += float(synth.random.exponential(0.16 if is_near else 0.35))
    return crack, roll, rumble


def thunder(synth: SynthContext) -> Signal:
    """A crack that reaches high if it is near, a roll of many claps, and a rumble that outlasts them."""
    is_near = synth.choose("space", "near", "distant") == "near"
    crack, roll, rumble = _claps_of_thunder(synth, is_near=is_near)
    low = synth.texture((20, 60, 130, 300, 800, 4000, 20000), (-12, -1, 0, -12, -30, -62, -84), depth_db=4)
    hertz = (30, 150, 400, 1000, 2500, 20000)
    middle = synth.texture(hertz, (-20, -1, 0, -10, -26, -66), depth_db=4, rate_hz=9)
    slope_db = synth.uniform(4, 9)
    bands_hz = (60, 500, 1000, 2000, 4000, 8000, 20000)
    torn = synth.texture(bands_hz, (-14, 0, *(-slope_db * octaves for octaves in (0.6, 1.6, 2.6, 3.8, 6.0))), 5.0, 20)
    track = rumble * evened(low) + synth.uniform(0.6, 1.6) * roll * evened(middle)
    track += crack * (0.55 + 0.45 * synth.wander(60)) * evened(torn) * (synth.uniform(0.5, 2.5) if is_near else 0.03)
    if synth.uniform(0, 1) < 0.4:
        shower = evened(synth.texture((40, 700, 2000, 8000, 20000), (-30, -6, 0, -3, -16), depth_db=1.5))
        track += 10 ** (-synth.uniform(26, 40) / 20) * float(np.max(np.abs(track))) * 0.3 * shower
    return track


def fire(synth: SynthContext) -> Signal:
    """Crackles of a millisecond, in flurries, few loud ones among many faint; a soft rush of flames that wanders."""
    is_roaring = synth.choose("size", "roaring", "gentle") == "roaring"
    kinds = []
    for _ in range(14):
        seconds, centre = 0.025, 10 ** synth.uniform(3.0, 4.0)
        snap = synth.bandpass(synth.noise(seconds), min(0.4 * centre, 3500), 2.5 * centre, order=1)
        kinds.append(evened(snap) * synth.decay(seconds, 10 ** synth.uniform(-3.4, -2.4), 0.0003))
    crackles = _ticks(synth, kinds, synth.uniform(20, 45) if is_roaring else synth.uniform(8, 25), 1.3)
    for flurry in synth.random.uniform(0, 0.95 * synth.seconds, max(1, round(synth.uniform(0.4, 1.2) * synth.seconds))):
        for later in np.cumsum(synth.random.exponential(0.012, synth.count(4, 16))):
            synth.place(crackles, kinds[synth.count(0, 14)], float(flurry + later), synth.uniform(0.2, 1.5))
    flames = synth.texture(
        (30, 80, 300, 800, 2500, 8000, 20000), (-6, 0, -5, -14, -20, -27, -36), depth_db=4, rate_hz=9
    )
    hiss = synth.texture((100, 1500, 5000, 12000, 20000), (-40, -9, 0, -4, -12), depth_db=3, rate_hz=7)
    rush = (synth.uniform(0.25, 0.6) if is_roaring else synth.uniform(0.02, 0.1)) * evened(flames)
    air = (synth.uniform(0.03, 0.1) if is_roaring else synth.uniform(0.008, 0.04)) * evened(hiss)
    burning: Signal = crackles + rush + air
    return burning
