"""Human voices: a glottal pulse train and breath through moving formants, so that they sing, laugh and babble."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from engine.sounds.synthesis import Signal, SynthContext

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

_PUFF = (
    (0.0, 0.95, 0.0, 0.05),
    (0.2, 1.0, 0.0, 0.5),
    (0.34, 1.1, 1.0, 0.25),
    (0.55, 1.0, 0.75, 0.12),
    (0.8, 0.85, 0, 0.1),
)
"""One "ha": moments as shares of its period, each with a pitch's bend, how voiced and how breathed it is."""

_HALF_FRAME_S = 0.012
_HIGHEST_HZ = 6500.0
"""Above this the throat passes nothing."""


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


def _glottis(synth: SynthContext, pitch_hz: Signal) -> Signal:
    """A sawtooth with rounded steps (polyBLEP): the spectrum of a voice before the throat shapes it."""
    step = pitch_hz / synth.sample_rate
    turn = np.cumsum(step) % 1
    before, after = (turn - 1) / step, turn / step
    rounded = np.where(turn < step, after + after - after**2 - 1, 0.0)
    rounded += np.where(turn > 1 - step, before**2 + before + before + 1, 0.0)
    pulses: Signal = 2 * turn - 1 - rounded
    return pulses


def _throat(synth: SynthContext, source: Signal, formants_hz: _Course, scale: float) -> Signal:
    """The source through a cascade of resonances that follow `formants_hz`, frame by overlapping frame."""
    half = round(_HALF_FRAME_S * synth.sample_rate)
    num_frames = -(-len(source) // half) + 1
    padded = np.pad(source, (half, (num_frames + 1) * half - len(source) - half))
    window = np.sin(np.pi * (np.arange(2 * half) + 0.5) / (2 * half))
    spectra = np.fft.rfft(sliding_window_view(padded, 2 * half)[::half] * window)
    bins = np.fft.rfftfreq(2 * half, 1 / synth.sample_rate).astype(np.float32)
    times = np.arange(num_frames) * half / synth.sample_rate
    spectra[:, bins > _HIGHEST_HZ] = 0
    bins = bins[bins <= _HIGHEST_HZ]
    response = np.broadcast_to((0.3 + bins / 1500).astype(np.complex64), (num_frames, len(bins))).copy()
    for column in range(_VOWELS_HZ.shape[1]):
        centre = (scale * formants_hz.at(times, column)[:, None]).astype(np.float32)
        ratio = bins / centre
        response /= 1 - ratio**2 + 1j * ratio * ((50 + 0.04 * centre) / centre)
    evened = np.sqrt(np.mean(np.abs(response), axis=1, keepdims=True))
    spectra[:, : len(bins)] *= response / evened
    shaped = np.fft.irfft(spectra, 2 * half) * window
    voiced: Signal = (shaped[1:, :half] + shaped[:-1, half:]).ravel()[: len(source)]
    return voiced


def _voice(synth: SynthContext, pitch_hz: Signal, loudness: Signal, breath: Signal, formants_hz: _Course) -> Signal:
    """A voice whose vocal tract is shorter at high pitch; pitch in Hz, loudness and breath from 0 to 1, all [T]."""
    scale = 1.17 if float(np.mean(pitch_hz)) > 250 else 1.0
    shake = 1 + 0.02 * (synth.wander(14) - 0.5)
    source = loudness * _glottis(synth, pitch_hz * shake) + 0.35 * breath * synth.noise()
    return _throat(synth, source, formants_hz, scale)


def singing(synth: SynthContext) -> Signal:
    """A singer: vowels on the notes of a tune, gliding from one to the next, with vibrato."""
    is_slow = synth.choose("speed", "slow", "fast") == "slow"
    is_low = synth.choose("pitch", "low", "high") == "low"
    base = synth.uniform(105, 145) if is_low else synth.uniform(320, 400)
    notes, vowels, loudness = _Course(), _Course(), _Course()
    moment = synth.uniform(0.02, min(0.3, 0.15 * synth.seconds))
    loudness.pass_through(moment, 0.0)
    while moment < synth.seconds:
        seconds = synth.uniform(0.8, 1.3) if is_slow else synth.uniform(0.25, 0.36)
        pitch = base * 2 ** ((0, 2, 4, 5, 7, 9)[synth.count(0, 6)] / 12)
        vowel = _VOWELS_HZ[synth.count(0, 5)]
        for place in (0.07, seconds - 0.05):
            notes.pass_through(moment + place, pitch)
            vowels.pass_through(moment + place, *vowel)
        for place, gain in ((0.08, 1.0), (seconds - 0.06, 0.9), (seconds, 0.25)):
            loudness.pass_through(moment + place, gain)
        moment += seconds
    vibrato = np.sin(synth.phase(5.2 + synth.wander(1)))
    pitch_hz = notes.at(synth.time) * (1 + (0.022 if is_slow else 0.012) * vibrato)
    level = loudness.at(synth.time)
    return _voice(synth, pitch_hz, level, 0.12 * level, vowels)


def laughter(synth: SynthContext) -> Signal:
    """Laughter: bouts of "ha", each a puff of breath and a short vowel, sinking and fading; then a breath drawn in."""
    is_slow = synth.choose("speed", "slow", "fast") == "slow"
    is_low = synth.choose("pitch", "low", "high") == "low"
    base = synth.uniform(130, 180) if is_low else synth.uniform(330, 430)
    period = 1 / (synth.uniform(2.9, 3.4) if is_slow else synth.uniform(5.0, 6.2))
    vowel = _VOWELS_HZ[(0, 0, 1, 3)[synth.count(0, 4)]]
    pitch, loudness, breath, vowels = _Course(), _Course(), _Course(), _Course()
    vowels.pass_through(0.0, *vowel)
    moment = synth.uniform(0.02, min(0.3, 0.15 * synth.seconds))
    breath.pass_through(moment, 0.0)
    while moment < synth.seconds:
        top, num_puffs = base * synth.uniform(1.1, 1.45), synth.count(4, 6) if is_slow else synth.count(6, 10)
        for puff in range(num_puffs):
            sunk, force = 1 - 0.35 * puff / num_puffs, 1 - 0.55 * puff / num_puffs
            for place, bend, voiced, breathed in _PUFF:
                at = moment + place * period
                pitch.pass_through(at, top * sunk * bend)
                loudness.pass_through(at, force * voiced)
                breath.pass_through(at, force * breathed)
            moment += period * synth.uniform(0.93, 1.07)
        rest = synth.uniform(0.5, 0.8)
        for place, breathed in ((0.1, 0.0), (0.5, 0.25), (0.9, 0.0)):
            breath.pass_through(moment + place * rest, breathed)
        moment += rest
    time = synth.time
    return _voice(synth, pitch.at(time), loudness.at(time), breath.at(time), vowels)


@dataclass
class _Talk:
    """The curves of a talking voice: how voiced it is, how hissed, and its formants."""

    loudness: _Course = field(default_factory=_Course)
    hiss: _Course = field(default_factory=_Course)
    vowels: _Course = field(default_factory=_Course)

    def pass_through(self, time_s: float, loudness: float, hiss: float, formants_hz: Signal) -> None:
        self.loudness.pass_through(time_s, loudness)
        self.hiss.pass_through(time_s, hiss)
        self.vowels.pass_through(time_s, *formants_hz)

    def add_syllable(self, synth: SynthContext, start_s: float, seconds: float) -> None:
        """A hiss, a stop, or a liquid that only dips, then a vowel that its consonant colours on both sides."""
        closed, hissed = ((0.0, 1.0), (0.0, 0.0), (0.35, 0.0))[synth.count(0, 3)]
        vowel = _VOWELS_HZ[synth.count(0, len(_VOWELS_HZ))] * synth.random.uniform(0.92, 1.08, 5)
        locus = np.asarray((280, synth.uniform(900, 2000), 2500, 3400, 4500))
        opening = min(0.08, 0.35 * seconds)
        self.pass_through(start_s, closed, 0.0, locus)
        self.pass_through(start_s + 0.3 * opening, closed, hissed, locus)
        self.pass_through(start_s + 0.8 * opening, closed, hissed, locus)
        self.pass_through(start_s + 1.3 * opening, 1.0, 0.0, 0.3 * locus + 0.7 * vowel)
        self.pass_through(start_s + 0.5 * (seconds + opening), 1.0, 0.0, vowel)
        self.pass_through(start_s + seconds - 0.02, 0.55, 0.0, 0.75 * vowel + 0.25 * locus)


def speech(synth: SynthContext) -> Signal:
    """Babble: syllables of no language, with moving formants, hisses and stops, in phrases whose pitch sinks."""
    is_slow = synth.choose("speed", "slow", "fast") == "slow"
    is_low = synth.choose("pitch", "low", "high") == "low"
    base = synth.uniform(95, 125) if is_low else synth.uniform(225, 290)
    mean_s = 1 / (synth.uniform(2.6, 3.2) if is_slow else synth.uniform(5.5, 6.8))
    pitch, talk = _Course(), _Talk()
    moment = synth.uniform(0.0, min(0.2, 0.1 * synth.seconds))
    while moment < synth.seconds:
        talk.loudness.pass_through(moment - 0.02, 0.0)
        num_syllables = synth.count(4, 7) if is_slow else synth.count(7, 13)
        for index in range(num_syllables):
            seconds = mean_s * synth.uniform(0.75, 1.3)
            tune = base * (1.18 - 0.3 * index / num_syllables) * synth.uniform(0.9, 1.2)
            talk.add_syllable(synth, moment, seconds)
            pitch.pass_through(moment, tune)
            pitch.pass_through(moment + 0.6 * seconds, tune * synth.uniform(0.92, 1.12))
            moment += seconds
        talk.loudness.pass_through(moment + 0.03, 0.0)
        moment += synth.uniform(0.3, 0.55)
    level = talk.loudness.at(synth.time)
    voiced = _voice(synth, pitch.at(synth.time), level, 0.06 * level, talk.vowels)
    voiced /= np.sqrt(np.mean(voiced**2)) + 1e-9
    return voiced + 0.5 * talk.hiss.at(synth.time) * synth.bandpass(synth.noise(), 3500, 7000)
