"""Human voices: a larynx and breath through formants that move, so that they sing, laugh and babble."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np

from engine.sounds.synthesis import Signal, SynthContext
from engine.sounds.vocal import Decibels, Tract, Unrest, drift, evened, larynx, shaped, swell, utter

_VOWELS_HZ = np.asarray(
    (
        (730, 1090, 2440, 3400, 4500),  # ah
        (530, 1840, 2480, 3450, 4500),  # eh
        (270, 2290, 3010, 3600, 4600),  # ee
        (570, 840, 2410, 3300, 4400),  # oh
        (300, 870, 2240, 3300, 4400),  # oo
    ),
    dtype=np.float64,
)
"""Formants of a man's vowels after Peterson and Barney (1952); the fourth and fifth are typical ones."""

_HIGH_HZ = (5600.0, 6900.0, 8600.0, 10800.0, 13500.0)
"""Resonances above the vowels: about one for every 1100 Hz at first, blurred further up."""

_GAINS_DB = (12.0, 13.0, 12.0, 11.0, 8.0, 6.0, 5.0, 4.0, 4.0, 4.0)
_WIDTHS_HZ = (60.0, 85.0, 130.0, 190.0, 270.0, 400.0, 500.0, 700.0, 900.0, 1400.0)

_PUFF = (
    (0.0, 0.95, 0.0, 0.1),
    (0.2, 1.0, 0.0, 0.8),
    (0.34, 1.1, 1.0, 0.4),
    (0.55, 1.0, 0.75, 0.25),
    (0.8, 0.85, 0, 0.15),
)
"""One "ha": moments as shares of its period, each with a pitch's bend, how voiced and how breathed it is."""


@dataclass
class _Course:
    """Knots of a curve that is straight between them: moments in seconds, and a value or a row at each."""

    times: list[float] = field(default_factory=list)
    values: list[Signal] = field(default_factory=list)

    def pass_through(self, time_s: float, *values: float) -> None:
        self.times.append(time_s)
        self.values.append(np.asarray(values, dtype=np.float64))

    def at(self, times_s: Signal, column: int = 0) -> Signal:
        return np.interp(times_s, self.times, np.stack(self.values)[:, column])


@dataclass(frozen=True)
class _Person:
    """One speaker or singer: the pitch they start from, the length of their throat against a man's, how clear it is."""

    base_hz: float
    size: float
    tilt_db: float
    unrest: Unrest

    @classmethod
    def meet(cls, synth: SynthContext, base_hz: float) -> _Person:
        """A person of about this pitch; high voices have shorter throats."""
        size = synth.uniform(0.93, 1.06) if base_hz < 200 else synth.uniform(0.78, 0.9)
        unrest = Unrest(0.012, synth.uniform(0.08, 0.2), synth.uniform(0, 0.12), synth.uniform(0.0, 0.03))
        return cls(base_hz, size, synth.uniform(5.5, 12.0), unrest)

    def voice(self, synth: SynthContext, pitch_hz: Signal, loudness: Signal, breath: Signal, vowels: _Course) -> Signal:
        """Their voice for the whole clip: pitch in Hz, loudness and breath from 0 to 1, all [T]."""
        rows = [(*row, *_HIGH_HZ) for row in np.stack(vowels.values)]
        tract = Tract(rows, _GAINS_DB, _WIDTHS_HZ, self.tilt_db, 3.0, vowels.times)
        return utter(synth, synth.seconds, pitch_hz, tract, loudness, breath=breath, unrest=self.unrest, size=self.size)


def singing(synth: SynthContext) -> Signal:
    """A singer: phrases of vowels on a tune, sliding between its notes, with vibrato that grows; breaths between."""
    is_slow = synth.choose("speed", "slow", "fast") == "slow"
    is_low = synth.choose("pitch", "low", "high") == "low"
    if synth.uniform(0, 1) < 0.5:
        synth.attributes.pop("speed")  # a held note has none
        return _held(synth, synth.uniform(100, 190) if is_low else synth.uniform(300, 700))
    person = _Person.meet(synth, synth.uniform(100, 150) if is_low else synth.uniform(300, 410))
    notes, vowels, loudness, breath, shake = _Course(), _Course(), _Course(), _Course(), _Course()
    scale = ((0, 2, 4, 5, 7, 9), (0, 2, 3, 5, 7, 8), (0, 3, 5, 7, 10, 12))[synth.count(0, 3)]
    step, moment = synth.count(0, 4), synth.uniform(0.02, min(0.3, 0.15 * synth.seconds))
    loudness.pass_through(moment, 0.0)
    breath.pass_through(moment, 0.1)
    left = synth.count(3, 8)
    while moment < synth.seconds:
        seconds = synth.uniform(0.7, 1.5) if is_slow else synth.uniform(0.2, 0.42)
        step = int(np.clip(step + synth.count(-2, 3), 0, 5))
        pitch, vowel = person.base_hz * 2 ** (scale[step] / 12), _VOWELS_HZ[synth.count(0, 5)]
        slide, force = synth.uniform(0.04, 0.14), synth.uniform(0.7, 1)
        for place, bend in ((min(slide, 0.4 * seconds), synth.uniform(0.985, 1.01)), (seconds - 0.04, 1.0)):
            notes.pass_through(moment + place, pitch * bend)
            vowels.pass_through(moment + place, *(vowel * synth.random.uniform(0.96, 1.04, 5)))
        for place, gain in ((0.08, force), (seconds - 0.06, 0.9 * force), (seconds, synth.uniform(0.2, 0.9) * force)):
            loudness.pass_through(moment + place, gain)
        for place, depth in ((0.0, 0.1), (0.5 * seconds, 0.5), (0.95 * seconds, 1.0)):
            shake.pass_through(moment + place, depth)
        breath.pass_through(moment + 0.5 * seconds, 0.12)
        moment, left = moment + seconds, left - 1
        if left == 0:
            rest, left = synth.uniform(0.25, 0.5), synth.count(3, 8)
            loudness.pass_through(moment + 0.04, 0.0)
            for place, gain in ((0.3, 0.0), (0.6, 0.4), (0.95, 0.0)):
                breath.pass_through(moment + place * rest, gain)
            loudness.pass_through(moment + rest, 0.0)
            moment += rest
    vibrato = np.sin(synth.phase(synth.uniform(4.8, 6.4) * (0.9 + 0.2 * synth.wander(2)))) * shake.at(synth.time)
    depth = synth.uniform(0.012, 0.03) if is_slow else synth.uniform(0.004, 0.014)
    pitch_hz = notes.at(synth.time) * (1 + depth * vibrato + 0.006 * (synth.wander(6) - 0.5))
    level = loudness.at(synth.time) * (1 + 0.12 * vibrato)
    return person.voice(synth, pitch_hz, level, breath.at(synth.time), vowels)


_CHORDS = ((1.0,), (1.0,), (1.0, 2.0), (1.0, 1.5, 2.0), (1.0, 1.26, 1.5), (1.0, 1.19, 1.5))


def _held(synth: SynthContext, base_hz: float) -> Signal:
    """One to five singers who hold a vowel on a note or on a chord, once or a few times, from the very start."""
    number, chord = (1, 1, 2, 4, 5)[synth.count(0, 5)], _CHORDS[synth.count(0, len(_CHORDS))]
    vowel = _VOWELS_HZ[(0, 0, 0, 3, 4, 4, 1)[synth.count(0, 7)]] * synth.random.uniform(0.95, 1.05, 5)
    person, track = _Person.meet(synth, base_hz), synth.silence()
    moment, shake = synth.uniform(0, min(0.15, 0.1 * synth.seconds)), synth.uniform(0, 0.015)
    while moment < synth.seconds:
        seconds = min(synth.uniform(0.7, 4.5), synth.seconds - moment + 0.1)
        rise_s, fall_s = synth.uniform(0.02, 0.4), synth.uniform(0.05, 0.6)
        source = np.zeros(len(synth.span(seconds)))
        for singer in range(number):
            phase = synth.phase(synth.uniform(4.6, 6.2) * (1 + 0.1 * drift(synth, seconds, 2))) + synth.uniform(0, 6)
            wave = 1 + shake * np.sin(phase) + 0.005 * drift(synth, seconds, 4)
            pitch = base_hz * chord[singer % len(chord)] * synth.uniform(0.992, 1.008) * wave
            source += synth.uniform(0.4, 1) * larynx(synth, seconds, pitch, Unrest(0.004, 0.06))
        source += synth.uniform(0.1, 1.2) * synth.noise(seconds)
        rows = [(*row, *_HIGH_HZ) for row in (vowel, vowel * synth.random.uniform(0.94, 1.06, 5))]
        tract = Tract(rows, _GAINS_DB, _WIDTHS_HZ, person.tilt_db, 3.0)
        note = shaped(synth, source * swell(synth, seconds, rise_s, fall_s), _response(tract, seconds, person.size))
        synth.place(track, evened(note), moment, synth.strength(1.0))
        moment += seconds + (synth.uniform(-0.05, 0.4) if synth.uniform(0, 1) < 0.5 else 60)
        base_hz *= 2 ** (synth.count(-4, 5) / 12) if base_hz > 200 else 2 ** (synth.count(-2, 3) / 12)
    return track


def _response(tract: Tract, seconds: float, size: float) -> Decibels:
    def decibels(times: Signal, bins: Signal) -> Signal:
        return tract.decibels(seconds, size, times, bins)

    return decibels


def laughter(synth: SynthContext) -> Signal:
    """Laughter: bouts of "ha", each a puff of breath and a short vowel, sinking and fading; then a breath drawn in.

    Some laugh once and are silent; some with more air than voice, some hoarse, some bright.
    """
    is_slow = synth.choose("speed", "slow", "fast") == "slow"
    is_low = synth.choose("pitch", "low", "high") == "low"
    person = _someone_hoarse(synth, synth.uniform(110, 200) if is_low else synth.uniform(290, 520))
    period = 1 / (synth.uniform(2.9, 3.4) if is_slow else synth.uniform(4.8, 6.6))
    vowel = _VOWELS_HZ[(0, 0, 1, 1, 3, 2)[synth.count(0, 6)]]
    pitch, loudness, breath, vowels = _Course(), _Course(), _Course(), _Course()
    moment, is_once = synth.uniform(0.0, min(0.3, 0.15 * synth.seconds)), synth.uniform(0, 1) < 0.5
    if is_once:
        synth.attributes.pop("speed")  # too short a bout to tell
    airiness, sinking = float(np.exp(synth.uniform(-1, 1.3))), synth.uniform(0.0, 0.5)
    breath.pass_through(moment, 0.0)
    while moment < synth.seconds:
        top = person.base_hz * synth.uniform(1.0, 1.5)
        num_puffs = synth.count(3, 6) if is_slow else synth.count(4, 11)
        for puff in range(num_puffs):
            share = puff / num_puffs
            sunk, force = 1 - sinking * share, (1 - 0.75 * share) * synth.uniform(0.5, 1)
            bent, airy, this = synth.uniform(0.88, 1.15), synth.uniform(0.4, 1.6), period * synth.uniform(0.8, 1.2)
            for place, bend, voiced, breathed in _PUFF:
                at = moment + place * this
                pitch.pass_through(at, top * sunk * bend * bent)
                loudness.pass_through(at, force * voiced)
                breath.pass_through(at, force * breathed * airy)
            vowels.pass_through(moment + 0.4 * this, *(vowel * synth.random.uniform(0.9, 1.1, 5)))
            moment += this
        rest = synth.uniform(0.4, 0.85)
        for place, breathed in ((0.1, 0.0), (0.5, synth.uniform(0.1, 0.6)), (0.9, 0.0)):
            breath.pass_through(moment + place * rest, 0.0 if is_once else breathed)
        moment += 60 if is_once else rest
    time = synth.time
    shaken = pitch.at(time) * (1 + 0.06 * (synth.wander(25) - 0.5))
    air = breath.at(time)
    voice = person.voice(synth, shaken, loudness.at(time), airiness * air, vowels)
    return _with_gusts(synth, voice, airiness * air)


def _someone_hoarse(synth: SynthContext, base_hz: float) -> _Person:
    hoarse = Unrest(synth.uniform(0.01, 0.06), 0.3, synth.uniform(0, 0.5), synth.uniform(0, 0.25))
    return replace(_Person.meet(synth, base_hz), unrest=hoarse, tilt_db=synth.uniform(3.0, 10.0))


def _with_gusts(synth: SynthContext, voice: Signal, air: Signal) -> Signal:
    """The voice, and the air [T] that bursts out with it: it hisses at the teeth, up to 15 kHz."""
    gust = synth.texture((150, 900, 2500, 6000, 11000, 15000, 20000), (-18, -2, 0, -4, -9, -18, -40), 4, 12)
    burst = air * gust / (np.std(air * gust) + 1e-9) * float(np.std(voice))
    laughed: Signal = voice + synth.uniform(0.1, 0.7) * max(0.3, float(np.max(air)) / 2) * burst
    return laughed


@dataclass
class _Talk:
    """The curves of a talking voice: how voiced it is, its two hisses ("s" and "sh"), its breath, its formants."""

    pitch: _Course = field(default_factory=_Course)
    loudness: _Course = field(default_factory=_Course)
    sharp: _Course = field(default_factory=_Course)
    broad: _Course = field(default_factory=_Course)
    vowels: _Course = field(default_factory=_Course)

    def pass_through(self, time_s: float, loudness: float, sharp: float, broad: float, formants_hz: Signal) -> None:
        self.loudness.pass_through(time_s, loudness)
        self.sharp.pass_through(time_s, sharp)
        self.broad.pass_through(time_s, broad)
        self.vowels.pass_through(time_s, *formants_hz)

    def add_syllable(self, synth: SynthContext, start_s: float, seconds: float, force: float) -> None:
        """A hiss, a stop with its burst, a nasal or a liquid, then a vowel that its consonant colours on both sides."""
        closed, sharp, broad, burst = _CONSONANTS[synth.count(0, len(_CONSONANTS))]
        vowel = _VOWELS_HZ[synth.count(0, len(_VOWELS_HZ))] * synth.random.uniform(0.9, 1.1, 5)
        locus = np.asarray((280, synth.uniform(900, 2100), 2500, 3400, 4500))
        opening = min(synth.uniform(0.05, 0.11), 0.4 * seconds)
        self.pass_through(start_s, closed, 0.0, 0.0, locus)
        self.pass_through(start_s + 0.3 * opening, closed, sharp, broad, locus)
        self.pass_through(start_s + 0.8 * opening, closed, sharp, broad, locus)
        self.pass_through(start_s + 0.86 * opening, closed, burst, burst, locus)
        self.pass_through(start_s + 1.25 * opening, force, 0.0, 0.1 * burst, 0.3 * locus + 0.7 * vowel)
        self.pass_through(start_s + 0.5 * (seconds + opening), force, 0.0, 0.0, vowel)
        self.pass_through(start_s + seconds - 0.02, 0.5 * force, 0.0, 0.0, 0.75 * vowel + 0.25 * locus)

    def add_phrase(self, synth: SynthContext, base_hz: float, start_s: float, mean_s: float, number: int) -> float:
        """Syllables under one falling arch of pitch, the stressed ones higher, longer and louder; where it ends."""
        moment, top = start_s, synth.uniform(0.9, 1.12)
        self.loudness.pass_through(moment - 0.02, 0.0)
        for index in range(number):
            is_stressed = synth.uniform(0, 1) < 0.35
            seconds = mean_s * synth.uniform(0.7, 1.05) * (1.25 if is_stressed or index == number - 1 else 1.0)
            tune = (
                top
                * base_hz
                * (1.16 - 0.32 * index / number)
                * synth.uniform(0.93, 1.1)
                * (1.12 if is_stressed else 1.0)
            )
            self.add_syllable(
                synth, moment, seconds, synth.uniform(0.8, 1.0) if is_stressed else synth.uniform(0.6, 0.9)
            )
            self.pitch.pass_through(moment, tune)
            self.pitch.pass_through(moment + 0.6 * seconds, tune * synth.uniform(0.9, 1.12))
            moment += seconds
        self.loudness.pass_through(moment + 0.03, 0.0)
        return moment


_CONSONANTS = (
    (0.0, 1.0, 0.1, 0.8),  # s
    (0.0, 0.2, 0.8, 0.5),  # sh
    (0.0, 0.1, 0.15, 0.1),  # f
    (0.15, 0.4, 0.15, 0.2),  # z
    (0.0, 0.0, 0.0, 0.6),  # t, k, p
    (0.0, 0.0, 0.0, 0.3),
    (0.1, 0.0, 0.0, 0.25),  # b, d, g
    (0.3, 0.0, 0.0, 0.0),  # m, n
    (0.45, 0.0, 0.0, 0.0),  # l, r, w
    (0.5, 0.0, 0.0, 0.0),
)
"""Consonants: how voiced, how sharply and how broadly hissed while shut, and the burst as they open."""


def speech(synth: SynthContext) -> Signal:
    """Babble: syllables of no language, with formants that move, hisses and stops, in phrases with breaths between."""
    is_slow = synth.choose("speed", "slow", "fast") == "slow"
    is_low = synth.choose("pitch", "low", "high") == "low"
    person = _Person.meet(synth, synth.uniform(88, 130) if is_low else synth.uniform(200, 290))
    if synth.uniform(0, 1) < 0.45:
        synth.attributes.pop("speed")  # a word or two have none
        return _interjections(synth, person)
    mean_s = 1 / (synth.uniform(2.6, 3.2) if is_slow else synth.uniform(5.5, 6.8))
    talk, breath = _Talk(), _Course()
    breath.pass_through(0.0, 0.05)
    moment = synth.uniform(0.0, min(0.2, 0.1 * synth.seconds))
    while moment < synth.seconds:
        number = synth.count(3, 7) if is_slow else synth.count(5, 14)
        end = talk.add_phrase(synth, person.base_hz, moment, mean_s, number)
        rest = synth.uniform(0.2, 0.5)
        for place, gain in ((0.1, 0.05), (0.6, synth.uniform(0.02, 0.3)), (0.95, 0.05)):
            breath.pass_through(end + place * rest, gain)
        moment = end + rest
    return _said(synth, person, talk, breath)


def _interjections(synth: SynthContext, person: _Person) -> Signal:
    """A word, a grunt, a drawn "ah" or "mm": one to three syllables with a tune of its own, and silence after."""
    talk, breath, moment = _Talk(), _Course(), synth.uniform(0.0, min(0.15, 0.1 * synth.seconds))
    breath.pass_through(0.0, 0.02)
    while moment < synth.seconds:
        number = synth.count(1, 4)
        mean_s = synth.uniform(0.15, 0.4) if number > 1 or synth.uniform(0, 1) < 0.6 else synth.uniform(0.4, 1.2)
        before = len(talk.pitch.values)
        moment = talk.add_phrase(synth, person.base_hz, moment, mean_s, number)
        first, last = synth.uniform(0.75, 1.6), synth.uniform(0.7, 1.7)
        bends = np.geomspace(first, last, len(talk.pitch.values) - before)
        talk.pitch.values[before:] = [v * b for v, b in zip(talk.pitch.values[before:], bends, strict=True)]
        moment += synth.uniform(0.4, 1.5) if synth.uniform(0, 1) < 0.35 else 60
    return _said(synth, person, talk, breath)


def _said(synth: SynthContext, person: _Person, talk: _Talk, breath: _Course) -> Signal:
    """What the curves of a talk sound like, [T]."""
    time = synth.time
    level = talk.loudness.at(time)
    pitch_hz = talk.pitch.at(time) * (1 + 0.02 * (synth.wander(8) - 0.5))
    voiced = person.voice(synth, pitch_hz, level, breath.at(time) + 0.05 * level, talk.vowels)
    hiss = synth.uniform(0.2, 1.0)
    sharp = synth.texture((300, 3500, 5200, 8000, 13000, 20000), (-40, -12, 0, -2, -14, -28), rate_hz=8)
    broad = synth.texture((300, 1400, 2600, 4500, 9000, 20000), (-26, -10, 0, -3, -14, -30), rate_hz=8)
    voiced += hiss * talk.sharp.at(time) * sharp / (np.std(sharp) + 1e-9)
    voiced += hiss * talk.broad.at(time) * broad / (np.std(broad) + 1e-9)
    return voiced
