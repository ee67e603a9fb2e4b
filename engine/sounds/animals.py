"""Animals of house and pond: barks, meows, moos, croaks, birdsong and insects at night."""

from __future__ import annotations

import numpy as np

from engine.sounds.synthesis import Signal, SynthContext, hump
from engine.sounds.vocal import Tract, Unrest, curve, drift, evened, swell, tremble, utter

_BARK = Tract(
    ((550, 1250, 2400, 3700, 5200, 8200), (820, 1600, 2700, 4000, 5600, 8600), (480, 1050, 2300, 3700, 5200, 8200)),
    (13, 15, 9, 6, 5, 6),
    (240, 320, 400, 500, 800, 1500),
    tilt_db=11.0,
    low_db=10.0,
)
_MEOW = Tract(
    (
        (500, 2300, 3400, 5000, 8000),
        (950, 1750, 3300, 5000, 8000),
        (900, 1500, 3200, 4800, 8000),
        (600, 1000, 3000, 4800, 8000),
    ),
    (11, 13, 9, 6, 6),
    (200, 320, 450, 700, 1500),
    tilt_db=10.0,
)
_MOO = Tract(
    (
        (240, 900, 2200, 3200, 5500),
        (360, 1000, 2400, 3300, 5500),
        (600, 1150, 2500, 3500, 5800),
        (380, 950, 2400, 3400, 5600),
    ),
    (13, 10, 8, 8, 5),
    (120, 200, 350, 450, 1200),
    tilt_db=7.0,
)


def dog(synth: SynthContext) -> Signal:
    """Barks: 60 to 250 ms of a rough voice whose jaw opens and shuts, singly, in pairs and in volleys."""
    is_slow = synth.choose("speed", "slow", "fast") == "slow"
    is_low = synth.choose("pitch", "low", "high") == "low"
    base = synth.uniform(190, 330) if is_low else synth.uniform(470, 760)
    size = synth.uniform(1.0, 1.3) if is_low else synth.uniform(0.68, 0.85)
    length = synth.uniform(0.11, 0.22) if is_low else synth.uniform(0.06, 0.13)
    unrest = Unrest(jitter=0.08, shimmer=0.4, rough=synth.uniform(0, 0.6), chaos=synth.uniform(0.1, 0.5))
    track = synth.silence()
    for start in synth.onsets(synth.uniform(0.9, 1.2) if is_slow else synth.uniform(2.3, 3.2), 0.18):
        seconds = length * synth.uniform(0.8, 1.25)
        top = base * synth.uniform(0.88, 1.15)
        pitch = curve(synth, seconds, (0, 0.75 * top), (0.3, 1.15 * top), (0.6, 1.08 * top), (1, 0.6 * top))
        loudness = swell(synth, seconds, 0.012, 0.5 * seconds)
        bark = utter(synth, seconds, pitch, _BARK, loudness, breath=0.5 * loudness, unrest=unrest, size=size)
        synth.place(track, bark, start, synth.uniform(0.6, 1))
    return track


def cat(synth: SynthContext) -> Signal:
    """Meows: an arch of pitch through a mouth that opens from "ee" over "ah" to "oo", some of them creaky."""
    is_slow = synth.choose("speed", "slow", "fast") == "slow"
    is_low = synth.choose("pitch", "low", "high") == "low"
    base = synth.uniform(300, 430) if is_low else synth.uniform(640, 880)
    size = synth.uniform(1.0, 1.15) if is_low else synth.uniform(0.8, 0.95)
    unrest = Unrest(
        jitter=0.015, shimmer=0.15, rough=synth.uniform(0, 0.35 if is_low else 0.05), chaos=synth.uniform(0, 0.08)
    )
    track = synth.silence()
    rate_hz = synth.uniform(0.55, 0.75) if is_slow else synth.uniform(1.3, 1.7)
    for start in synth.onsets(rate_hz, 0.18):
        seconds = synth.uniform(0.65, 1.1) if is_slow else synth.uniform(0.28, 0.42)
        top, peak = base * synth.uniform(0.92, 1.12), synth.uniform(0.25, 0.6)
        ends = synth.uniform(0.7, 0.95), synth.uniform(0.55, 0.85)
        pitch = top * curve(synth, seconds, (0, ends[0]), (peak, 1.2), (min(0.95, peak + 0.3), 1.08), (1, ends[1]))
        pitch = pitch * (1 + 0.012 * tremble(synth, seconds, synth.uniform(5, 12)))
        loudness = swell(synth, seconds, 0.2 * seconds, 0.45 * seconds) * (0.85 + 0.15 * drift(synth, seconds, 8))
        meow = utter(synth, seconds, pitch, _MEOW, loudness, breath=0.35 * loudness, unrest=unrest, size=size)
        synth.place(track, meow, start, synth.uniform(0.6, 1))
    return track


def cow(synth: SynthContext) -> Signal:
    """Moos: a long heavy voice, nasal at first, whose mouth opens and shuts; some break upwards or rattle."""
    is_low = synth.choose("pitch", "low", "high") == "low"
    base = synth.uniform(85, 118) if is_low else synth.uniform(180, 255)
    size = synth.uniform(0.95, 1.2) if is_low else synth.uniform(0.8, 0.95)
    unrest = Unrest(
        jitter=0.02, shimmer=0.25, rough=synth.uniform(0, 0.5 if is_low else 0.2), chaos=synth.uniform(0.02, 0.15)
    )
    track = synth.silence()
    for start in synth.occasions(0.5, 2.3, 3.4):
        seconds = synth.uniform(1.1, 1.95)
        rise = synth.uniform(0.7, 0.95)
        pitch = base * curve(synth, seconds, (0, rise), (0.25, 1.0), (0.6, synth.uniform(1.05, 1.3)), (1, 0.75))
        pitch = pitch * (1 + 0.03 * drift(synth, seconds, 7))
        loudness = swell(synth, seconds, 0.3, 0.25) * (0.9 + 0.1 * drift(synth, seconds, 6))
        moo = utter(synth, seconds, pitch, _MOO, loudness, breath=0.6 * loudness, unrest=unrest, size=size)
        synth.place(track, moo, start, synth.uniform(0.7, 1))
    return track


def _croak(synth: SynthContext, centre: float, pulse_rate: float, seconds: float) -> Signal:
    """One croak: pulses that ring in a vocal sac at `centre` and at its double, each of its own strength."""
    pulse_s = 1 / pulse_rate * np.cumsum(synth.random.uniform(0.85, 1.15, max(3, round(seconds * pulse_rate))))
    strength = np.sin(np.pi * np.clip(pulse_s / pulse_s[-1], 0.05, 0.97)) ** 0.5 * synth.random.uniform(
        0.6, 1, len(pulse_s)
    )
    time = synth.span(min(0.09, 2.5 / pulse_rate))
    fall = np.exp(-time * pulse_rate * 2.2)
    croak = np.zeros(len(synth.span(float(pulse_s[-1]) + 0.1)))
    for moment, gain in zip(pulse_s, strength, strict=True):
        bend = 1 + 0.12 * (moment / pulse_s[-1]) + 0.02 * synth.uniform(-1, 1)
        ring = sum(
            level * np.sin(2 * np.pi * multiple * bend * centre * time + multiple)
            for multiple, level in ((0.34, 0.16), (1, 1.0), (1.93, 0.85), (2.9, 0.16), (4.1, 0.06), (6.3, 0.02))
            if multiple * bend * centre < 0.47 * synth.sample_rate
        )
        synth.place(croak, (ring + 0.02 * synth.hiss.standard_normal(len(time))) * fall, float(moment), float(gain))
    return croak


def frog(synth: SynthContext) -> Signal:
    """Croaks of pulses, single or in twos ("rib-bit"), over a pond where others answer from afar."""
    is_slow = synth.choose("speed", "slow", "fast") == "slow"
    is_low = synth.choose("pitch", "low", "high") == "low"
    centre = synth.uniform(500, 950) if is_low else synth.uniform(1500, 2600)
    pulse_rate = synth.uniform(22, 40) if is_low else synth.uniform(35, 70)
    is_double = synth.uniform(0, 1) < 0.5
    track = synth.silence()
    if "count" not in synth.attributes and synth.uniform(0, 1) < 0.4:
        return _trillers(synth, centre, is_slow=is_slow)
    for start in synth.onsets(synth.uniform(0.8, 1.1) if is_slow else synth.uniform(2.2, 2.7), 0.12):
        first = synth.uniform(0.1, 0.16) if is_double else synth.uniform(0.18, 0.32)
        synth.place(track, _croak(synth, centre * synth.uniform(0.95, 1.05), pulse_rate, first), start, 0.75)
        if is_double:
            second = _croak(synth, 1.15 * centre, 1.1 * pulse_rate, synth.uniform(0.12, 0.18))
            synth.place(track, second, start + first + 0.05, synth.uniform(0.8, 1))
    track /= np.max(np.abs(track)) + 1e-9
    if synth.event_seconds is None or "count" not in synth.attributes:
        track = track + _far_frogs(synth, centre)
    return track


def _trillers(synth: SynthContext, centre: float, *, is_slow: bool) -> Signal:
    """Tree frogs: rows of short rising notes, each with its own edge, that several sing across each other."""
    track, near = synth.silence(), 1.0
    for _ in range(synth.count(1, 4)):
        pitch, seconds = centre * synth.uniform(0.9, 1.4), synth.uniform(0.03, 0.07)
        pulse = synth.uniform(110, 320)  # the buzz that makes a stack of each note
        time = synth.span(seconds)
        climb = 1 + synth.uniform(0.0, 0.25) * time / seconds
        phase = synth.phase(pitch * climb)
        buzz = 1 + synth.uniform(0.4, 1.0) * np.cos(synth.phase(pulse * climb))
        note = (np.sin(phase) + 0.25 * np.sin(2 * phase) + 0.05 * np.sin(4 * phase + 1)) * buzz * hump(len(time)) ** 0.6
        rate, moment = synth.uniform(9, 14), synth.uniform(0, 0.4)
        while moment < synth.seconds:
            for index in range(synth.count(3, 6) if is_slow else synth.count(5, 10)):
                synth.place(track, note, moment, near * min(1.0, 0.5 + 0.2 * index) * synth.uniform(0.7, 1))
                moment += synth.around(1 / rate, 0.05)
            moment += synth.uniform(0.7, 1.2) if is_slow else synth.uniform(0.15, 0.35)
        near = synth.uniform(0.1, 0.5)
    return track + 0.3 * _far_frogs(synth, centre)


def _far_frogs(synth: SynthContext, centre: float) -> Signal:
    """The rest of the pond, faint."""
    pond = synth.silence()
    croaks = [_croak(synth, centre * synth.uniform(0.7, 1.4), synth.uniform(25, 60), 0.2) for _ in range(3)]
    for moment in np.cumsum(synth.random.exponential(0.35, int(3 * synth.seconds) + 1)):
        synth.place(pond, croaks[synth.count(0, 3)], float(moment), synth.uniform(0.02, 0.12))
    return synth.lowpass(pond, 3500, order=1)


def _whistle(synth: SynthContext, seconds: float, pitch: Signal, purity: float) -> Signal:
    """A syrinx: almost a sine, with weak partials and a little air in step with it."""
    phase = synth.phase(pitch * (1 + 0.003 * drift(synth, seconds, 90)))
    tone = np.sin(phase)
    for multiple in (2, 3, 4):
        if multiple * float(np.max(pitch)) < 0.47 * synth.sample_rate:
            tone = tone + purity**multiple * np.sin(multiple * phase + multiple)
    air = 0.006 * synth.noise(seconds)
    song: Signal = (tone + air) * hump(len(phase)) ** synth.uniform(0.4, 1.1)
    return song


def _song_note(synth: SynthContext, base: float, style: int) -> tuple[float, Signal]:
    """Seconds and waveform of a note: a glide, an arch, a fast trill, a buzz, or a held whistle."""
    seconds = (0.09, 0.16, 0.3, 0.14, 0.35)[style] * synth.uniform(0.6, 1.5)
    course = np.linspace(0, 1, len(synth.span(seconds)))
    if style == 0:
        bend = 1 + synth.uniform(-0.4, 0.4) * (course - 0.5)
    elif style == 1:
        bend = 1 + synth.uniform(-0.35, 0.45) * np.sin(np.pi * course) + synth.uniform(-0.2, 0.2) * course
    elif style == 2:
        bend = 1 + synth.uniform(0.05, 0.2) * tremble(synth, seconds, synth.uniform(18, 45))
    elif style == 3:
        bend = 1 + synth.uniform(0.03, 0.1) * tremble(synth, seconds, synth.uniform(70, 160))
    else:
        bend = 1 + synth.uniform(-0.12, 0.12) * course
    pitch = np.clip(base * bend * synth.uniform(0.85, 1.2), 1500, 9500)
    return seconds, _whistle(synth, seconds, pitch, synth.uniform(0.05, 0.35))


def birds(synth: SynthContext) -> Signal:
    """A singer of one to three species near by, with notes of its own, and the morning chorus behind."""
    is_slow = synth.choose("speed", "slow", "fast") == "slow"
    track = synth.silence()
    for singer in range(synth.count(1, 4)):
        base, gain = synth.uniform(2300, 5800), (1.0 if singer == 0 else synth.uniform(0.1, 0.5))
        repertoire = [_song_note(synth, base, synth.count(0, 5)) for _ in range(synth.count(2, 5))]
        moment = synth.uniform(0, min(0.5, 0.2 * synth.seconds)) + singer * synth.uniform(0, 0.6)
        while moment < synth.seconds:
            is_repeated, index = synth.uniform(0, 1) < 0.5, synth.count(0, len(repertoire))
            for _ in range(synth.count(2, 7)):
                index = index if is_repeated else synth.count(0, len(repertoire))
                seconds, note = repertoire[index]
                synth.place(track, note, moment, gain * synth.uniform(0.5, 1))
                moment += seconds + synth.uniform(0.015, 0.08)
            moment += synth.uniform(0.7, 1.5) if is_slow else synth.uniform(0.1, 0.35)
    leaves = synth.texture((40, 300, 3000, 7000, 20000), (-4, 0, -14, -16, -34), depth_db=3, rate_hz=3)
    far = synth.lowpass(np.roll(track, round(0.37 * len(track))), 5000, order=1)
    wood = 10 ** (-synth.uniform(28, 46) / 20) * evened(leaves)
    morning: Signal = track + synth.uniform(0.02, 0.12) * far + wood
    return morning


def _insect(synth: SynthContext, pitch: float, rate: float, duty: float, flutter_hz: float) -> Signal:
    """One cricket: teeth of a wing in pulses, pulses in chirps; its song is a narrow band with a weak octave."""
    steps = np.cumsum(rate * (1 + 0.12 * (2 * synth.wander(3) - 1))) / synth.sample_rate + synth.uniform(0, 1)
    is_open = synth.gate(steps % 1 < duty, 45)
    pulses = 0.5 + 0.5 * np.sin(synth.phase(flutter_hz * (0.96 + 0.08 * synth.wander(4))))
    strength = is_open * pulses**1.5 * (0.7 + 0.3 * synth.wander(2.5))
    phase = synth.phase(pitch * (1 + 0.006 * (synth.wander(30) - 0.5) + 0.012 * (pulses - 0.5)))
    song = np.sin(phase)
    for multiple, level in ((2, 0.06), (3, 0.012)):
        if multiple * pitch < 0.47 * synth.sample_rate:
            song = song + level * np.sin(multiple * phase)
    chirps: Signal = song * strength
    return chirps


def crickets(synth: SynthContext) -> Signal:
    """A cricket near by, others further off, and the night behind: a field of insects from 3 to 16 kHz."""
    is_slow = synth.choose("speed", "slow", "fast") == "slow"
    pitch = synth.uniform(2600, 5200)
    rate = synth.uniform(1.2, 2) if is_slow else synth.uniform(4, 6)
    flutter_hz = synth.uniform(28, 60)
    track = _insect(synth, pitch, rate, synth.uniform(0.3, 0.5), flutter_hz)
    for _ in range(synth.count(2, 4)):
        far = _insect(
            synth, pitch * synth.uniform(0.85, 1.25), rate * synth.uniform(0.8, 1.3), 0.5, synth.uniform(28, 70)
        )
        track += synth.uniform(0.05, 0.35) * far
    choir = synth.uniform(4000, 8000)
    hertz = (60, 400, 2000, 0.8 * choir, choir, 1.2 * choir, 2.2 * choir, 20000)
    night = synth.texture(hertz, (-26, -34, -26, -8, 0, -7, -18, -32), depth_db=3.0, rate_hz=6)
    night = night * (0.75 + 0.25 * np.sin(synth.phase(synth.uniform(15, 45) * (0.9 + 0.2 * synth.wander(3)))))
    night = 10 ** (-synth.uniform(8, 30) / 20) * evened(night)
    return track + night
