"""About the house: saws, vacuum cleaners, hammers and slamming doors."""

from __future__ import annotations

import numpy as np

from engine.sounds.synthesis import Signal, SynthContext, hump


def chainsaw(synth: SynthContext) -> Signal:
    """A two-stroke saw: a rasping buzz at full throttle that sags in the wood, and sputters in between."""
    is_low = synth.choose("pitch", "low", "high") == "low"
    is_long = synth.choose("length", "long", "short") == "long"
    period = synth.uniform(2.6, 3.6) if is_long else synth.uniform(0.7, 1.0)
    turn = (synth.time / period + synth.uniform(0, 0.1)) % 1
    throttle = synth.lowpass(((turn > 0.06) & (turn < (0.85 if is_long else 0.6))).astype(np.float64), 5, order=1)
    sag = np.clip((turn - 0.25) / 0.1, 0, 1) * throttle * (0.7 + 0.3 * synth.wander(6))
    full = synth.uniform(88, 110) if is_low else synth.uniform(185, 230)
    pitch = full * (0.3 + 0.7 * throttle - 0.14 * sag) * (1 + 0.03 * synth.wander(25))
    shots = synth.pulses(pitch, 3500) * (0.65 + 0.7 * synth.wander(40))
    buzz = synth.bandpass(shots, 300, 1500, order=1) + 1.6 * synth.bandpass(shots, 2000, 6500, order=1)
    chain = synth.bandpass(synth.noise(), 1500, 7000, order=1) * (0.12 * throttle + 0.2 * sag)
    saw: Signal = buzz * (0.5 + 0.5 * throttle) + chain
    return saw


def vacuum(synth: SynthContext) -> Signal:
    """A vacuum cleaner: the motor howls up to its speed, then whines on in a steady rush of air."""
    is_low = synth.choose("pitch", "low", "high") == "low"
    top = synth.uniform(260, 340) if is_low else synth.uniform(680, 860)
    start = min(synth.uniform(0.15, 0.3), 0.15 * synth.seconds)
    spin = 1 - np.exp(-(synth.time + 0.15 * start) / start)
    load = 1 - 0.025 * np.sin(2 * np.pi * synth.uniform(0.5, 0.9) * synth.time + synth.uniform(0, 6.28))
    pitch = top * spin * load
    whine = synth.harmonics(pitch, 4, 0.9) + 0.25 * np.sin(synth.phase(6.97 * np.minimum(pitch, 800)))
    air = synth.bandpass(synth.noise(), 250, 2200, order=1)
    if not is_low:
        air = 0.5 * air + synth.bandpass(synth.noise(), 1500, 6000, order=1)
    cleaner: Signal = spin**2 * (0.55 * whine + 0.7 * air)
    return cleaner


def hammer(synth: SynthContext) -> Signal:
    """Blows of a hammer: dead and clicking on a nail in wood, or ringing on metal with small rebounds."""
    is_slow = synth.choose("speed", "slow", "fast") == "slow"
    is_wood = synth.choose("surface", "wood", "metal") == "wood"
    rate = synth.uniform(0.95, 1.4) if is_slow else synth.uniform(3.0, 4.0)
    board, nail, anvil = synth.uniform(110, 150), synth.uniform(1700, 2300), synth.uniform(820, 1150)
    falls = (0.14, 0.18, 0.12, 0.08) if is_slow else (0.06, 0.08, 0.06, 0.04)
    track = synth.silence()
    for blow, start in enumerate(synth.onsets(rate, 0.03)):
        click = synth.highpass(synth.noise(0.02), 2000) * synth.decay(0.02, 0.003, 0.0003)
        gain = synth.uniform(0.75, 1)
        synth.place(track, click, start, gain * (0.8 if is_wood else 0.5))
        if is_wood:
            sunk = nail * 1.04 ** (blow % 6)
            thunk = synth.modes(board, (1, 2.2, 4.1), (0.045, 0.025, 0.012), (1.3, 0.6, 0.4), 0.25)
            synth.place(track, thunk + synth.modes(sunk, (1, 1.63), (0.022, 0.015), (0.6, 0.4), 0.25), start, gain)
            continue
        ring = synth.modes(anvil, (1, 2.32, 3.87, 5.11), falls, (0.5, 1, 0.7, 0.5), 0.6)
        for delay, share in ((0.0, 1.0), (0.34, 0.22), (0.52, 0.12)) if is_slow else ((0.0, 1.0),):
            synth.place(track, ring, start + delay, gain * share)
    return track


def door_slam(synth: SynthContext) -> Signal:
    """Doors thrown shut: a breath of air, a bang, the latch, and a frame that rattles or a sheet that booms."""
    is_wooden = synth.choose("material", "wooden", "metallic") == "wooden"
    is_heavy = synth.choose("intensity", "heavy", "light") == "heavy"
    base = synth.uniform(55, 80) if is_heavy else synth.uniform(170, 230)
    track = synth.silence()
    for start in synth.occasions(0.4, 2.2, 3.4):
        breath = synth.bandpass(synth.noise(0.24), 150, 900) * np.linspace(0, 1, len(synth.span(0.24))) ** 2
        synth.place(track, breath, start, 0.15)
        bang = start + 0.24
        synth.place(track, _bang(synth, base, is_heavy=is_heavy), bang)
        for delay in (0.035, synth.uniform(0.07, 0.09)):
            latch = synth.modes(synth.uniform(1500, 2400), (1, 1.7), (0.01, 0.008), (1, 0.6), 0.05)
            synth.place(track, latch, bang + delay, 0.3)
        if is_wooden:
            knocks = bang + 0.06 + np.cumsum(synth.random.uniform(0.02, 0.045, 9))
            rattle = synth.impulses(knocks, 0.8 ** np.arange(9) * synth.random.uniform(0.6, 1, 9))
            track += 1.6 * synth.bandpass(rattle, 400, 1600, order=1)
            continue
        sheet = synth.modes(
            base * 3.1, (1, 1.58, 2.41, 3.3, 4.9), (0.5, 0.4, 0.35, 0.25, 0.18), (1, 1, 0.8, 0.6, 0.5), 1.6
        )
        synth.place(track, sheet, bang, 0.5)
    return track


def _bang(synth: SynthContext, base_hz: float, *, is_heavy: bool) -> Signal:
    """The blow of the leaf on its frame, with the short answer of the room."""
    thump = synth.modes(base_hz, (1, 1.9, 3.2), (0.09, 0.05, 0.03), (2.5, 1.2, 0.6), 0.6)
    crack = synth.lowpass(synth.noise(0.6), 1800 if is_heavy else 4500, order=1) * synth.decay(0.6, 0.022, 0.0005)
    room = synth.lowpass(synth.noise(0.6), 600 if is_heavy else 1500, order=1) * hump(2 * len(crack))[len(crack) :] ** 4
    slam: Signal = thump * (1.0 if is_heavy else 0.5) + 1.2 * crack + 0.12 * room
    return slam
