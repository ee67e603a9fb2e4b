"""The studio in which every procedural sound is made: noise, filters, envelopes, event times, ringing modes."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import cast

import numpy as np
from numpy.typing import NDArray
from scipy.signal import butter, sosfilt

from engine.sounds.counts import NUMBERS
from engine.sounds.texture import (
    FRAME_S,
    band_levels_db,
    filtered_by_frames,
    frame_samples,
    noise_with_levels,
    num_frames_of,
    peak_gains,
    wandering_levels,
)

Signal = NDArray[np.float64]

REFERENCE_RATE = 16000
"""Hz; noise and impulses keep, at every sample rate, the loudness in a band that they have at this one."""

_STEPS_PER_OCTAVE = 24
_COUNTED_SHARE = 0.6  # of the clips of a sound whose events can be counted
_SINGLE_SHARE = 0.5  # of the counted ones: what a library holds of such sounds is mostly one event
_AT_ONCE_SHARE = 0.6  # of the single ones: the event begins where its file does


@lru_cache(maxsize=4096)
def _design(kind: str, order: int, edges: tuple[float, ...], sample_rate: int) -> Signal:
    """Second-order sections [S, 6] of a Butterworth filter; `edges` in Hz, one or two."""
    edge = edges[0] if len(edges) == 1 else list(edges)
    return cast(Signal, butter(order, edge, kind, fs=sample_rate, output="sos"))


def _snap(cutoff_hz: float) -> float:
    """The nearest 1/24 octave, so that random cut-offs share a few hundred designs."""
    return float(2.0 ** (round(np.log2(cutoff_hz) * _STEPS_PER_OCTAVE) / _STEPS_PER_OCTAVE))


@dataclass
class SynthContext:
    """One rendering: its length, its rate, its randomness, and the attributes that the sound chose for itself.

    `random` decides what happens and when; `hiss` only supplies noise, so that one seed means the same events at
    every sample rate. All waveforms are float64 [T].
    """

    random: np.random.Generator
    hiss: np.random.Generator
    num_samples: int
    sample_rate: int
    attributes: dict[str, str] = field(default_factory=dict)
    event_seconds: float | None = None  # that one event fills; None: the events of this sound are not counted

    @property
    def seconds(self) -> float:
        """Length of the clip."""
        return self.num_samples / self.sample_rate

    @cached_property
    def time(self) -> Signal:
        """Seconds since the start, [T]."""
        return np.arange(self.num_samples) / self.sample_rate

    def choose(self, kind: str, *values: str) -> str:
        """Pick one of `values` and note it as the attribute `kind`."""
        value = values[int(self.random.integers(len(values)))]
        self.attributes[kind] = value
        return value

    def uniform(self, low: float, high: float) -> float:
        """A number between `low` and `high`."""
        return float(self.random.uniform(low, high))

    def count(self, low: int, high: int) -> int:
        """A whole number from `low` up to, not including, `high`."""
        return int(self.random.integers(low, high))

    def around(self, centre: float, share: float) -> float:
        """A positive number near `centre`, off by about `share` of it: no two events need be alike."""
        off = max(-2.5, min(2.5, float(self.random.standard_normal())))
        return centre * math.exp(share * off)

    def strength(self, spread_db: float = 4.0) -> float:
        """The gain of one event among its like: 1 at the most, as a rule `spread_db` less, at times far less."""
        return float(10 ** (-min(24.0, float(self.random.exponential(spread_db))) / 20))

    def span(self, seconds: float) -> Signal:
        """Times in seconds of an event that lasts `seconds`."""
        return np.arange(max(8, round(seconds * self.sample_rate))) / self.sample_rate

    def silence(self) -> Signal:
        """An empty clip [T]."""
        return np.zeros(self.num_samples)

    def noise(self, seconds: float | None = None) -> Signal:
        """White noise of the clip's length, or of an event's."""
        length = self.num_samples if seconds is None else len(self.span(seconds))
        noise: Signal = self.hiss.standard_normal(length) * np.sqrt(self.sample_rate / REFERENCE_RATE)
        return noise

    def texture(
        self,
        hertz: Sequence[float],
        levels_db: Sequence[float],
        depth_db: float = 3.0,
        rate_hz: float = 3.0,
        seconds: float | None = None,
    ) -> Signal:
        """Noise of a spectrum given by points, whose bands wander each on its own, so that it never flickers as one.

        The points are joined by straight lines over the logarithm of frequency; 0 dB is white noise of deviation 1.
        Half-octave bands rise and fall by about `depth_db`, `rate_hz` turns a second; of the clip's length, or an
        event's.
        """
        num_samples = self.num_samples if seconds is None else len(self.span(seconds))
        frame = frame_samples(FRAME_S, self.sample_rate)
        num_frames = num_frames_of(num_samples, frame)
        wander = wandering_levels(self.random, num_frames, num_samples / self.sample_rate, rate_hz)
        levels = band_levels_db(hertz, levels_db) + depth_db * wander
        noise = noise_with_levels(self.hiss, levels, num_samples, frame, self.sample_rate)
        return noise * math.sqrt(self.sample_rate / REFERENCE_RATE)

    def resonate(
        self,
        track: Signal,
        centres_hz: Sequence[Signal | float],
        widths_hz: Sequence[Signal | float],
        gains: Sequence[Signal | float],
        frame_s: float = FRAME_S,
    ) -> Signal:
        """The track through resonances that move: each centre, width and gain is a curve as long as it, or a number.

        What a moving hinge, throat or string does to its pulses. Widths below 2 / `frame_s` Hz are not resolved.
        """
        frame = frame_samples(frame_s, self.sample_rate)
        places = np.minimum(np.arange(num_frames_of(len(track), frame)) * (frame // 2), len(track) - 1)
        centres, widths, heights = (
            np.stack([np.broadcast_to(np.asarray(c, dtype=np.float64), track.shape)[places] for c in curves], axis=1)
            for curves in (centres_hz, widths_hz, gains)
        )
        bins = np.fft.rfftfreq(frame, 1 / self.sample_rate)
        return filtered_by_frames(track, peak_gains(bins, centres, widths, heights), frame)

    def impulses(self, times_s: Signal, gains: Signal | float = 1.0) -> Signal:
        """Clicks at the given times, [T]."""
        track = self.silence()
        inside = (times_s >= 0) & (times_s * self.sample_rate < self.num_samples)
        places = (times_s[inside] * self.sample_rate).astype(np.int64)
        np.add.at(track, places, np.broadcast_to(gains, times_s.shape)[inside])
        return track * (self.sample_rate / REFERENCE_RATE)

    def scatter(self, rate_hz: float, low: float, high: float) -> Signal:
        """Clicks at random moments, `rate_hz` a second on average, gains between `low` and `high`."""
        num_clicks = max(2, round(rate_hz * self.seconds))
        times = self.random.uniform(0, self.seconds, num_clicks)
        return self.impulses(times, self.random.uniform(low, high, num_clicks))

    def number_of_events(self, gap_s: float, event_s: float | None = None) -> int | None:
        """How many events this clip holds if it is one of the counted ones, noted as "count"; None: as many as come.

        No more than fit `gap_s` apart with `event_s` for the last. A single event has no speed.
        """
        if self.event_seconds is None or self.uniform(0, 1) > _COUNTED_SHARE:
            return None
        room_s = 0.95 * self.seconds - (event_s or self.event_seconds)
        if room_s < 0:
            return None
        more = tuple(NUMBERS)[1 : 1 + int(room_s / gap_s)]
        if more and self.uniform(0, 1) > _SINGLE_SHARE:
            return 1 + tuple(NUMBERS).index(self.choose("count", *more))
        self.choose("count", next(iter(NUMBERS)))
        self.attributes.pop("speed", None)
        return 1

    def _lead(self, number: int, longest_s: float) -> float:
        """Seconds before the first of `number` counted events; a single one often comes at once."""
        is_at_once = number == 1 and self.uniform(0, 1) < _AT_ONCE_SHARE
        return self.uniform(0, min(0.1, longest_s) if is_at_once else longest_s)

    def _counted(self, number: int, shortest_gap_s: float, longest_gap_s: float) -> Iterator[float]:
        """Return the times in seconds of exactly `number` events, with room for the last."""
        latest = self.seconds - (self.event_seconds or 0.0)
        moments = np.cumsum([0.0, *self.random.uniform(shortest_gap_s, longest_gap_s, number - 1)])
        moments *= min(1.0, latest / max(float(moments[-1]), 1e-9))
        rest_s = max(0.0, latest - float(moments[-1]))  # scaled moments may end a rounding late
        lead = self._lead(number, min(0.8, rest_s))
        yield from (lead + float(moment) for moment in moments)

    def turns(self, period_s: float, sounding_s: float, latest_start_s: float) -> Signal:
        """Seconds since the last of a row of evenly spaced events began, [T]; `period_s` where none sounds.

        An event lasts `sounding_s`; the clip begins up to `latest_start_s` into the first, counted ones are whole.
        """
        if number := self.number_of_events(period_s, sounding_s):
            last_end = (number - 1) * period_s + sounding_s
            time = self.time - self._lead(number, min(0.4, max(0.0, self.seconds - last_end)))
            is_counted = (time >= 0) & (time < number * period_s)
            return np.where(is_counted, time % period_s, period_s)
        return (self.time + self.uniform(0, latest_start_s)) % period_s

    def onsets(self, rate_hz: float, jitter: float = 0.1) -> Iterator[float]:
        """Moments in seconds of a beat of `rate_hz`, each interval off by the share `jitter`."""
        if number := self.number_of_events(1 / rate_hz):
            yield from self._counted(number, (1 - jitter) / rate_hz, (1 + jitter) / rate_hz)
            return
        moment = self.uniform(0, min(1 / rate_hz, 0.8, 0.25 * self.seconds))
        while moment < self.seconds:
            yield moment
            moment += max(0.03, (1 + jitter * float(self.random.standard_normal())) / rate_hz)

    def occasions(self, latest_first_s: float, shortest_gap_s: float, longest_gap_s: float) -> Iterator[float]:
        """Moments in seconds of a rare event, the first of them early."""
        gap_s = min(shortest_gap_s, self.event_seconds or shortest_gap_s)
        if number := self.number_of_events(gap_s):
            yield from self._counted(number, gap_s, min(2 * gap_s, longest_gap_s))
            return
        moment = self.uniform(0.02, 1.0) * min(latest_first_s, 0.25 * self.seconds)
        while moment < self.seconds:
            yield moment
            moment += self.uniform(shortest_gap_s, longest_gap_s)

    def bursts(
        self,
        rate_hz: float,
        spread: float = 0.35,
        run: tuple[int, int] = (2, 9),
        pause_s: tuple[float, float] = (0.3, 1.2),
    ) -> Iterator[float]:
        """Moments in seconds of events that come in runs: uneven gaps, a tempo for each run, pauses between runs.

        `rate_hz` is the middle tempo within a run, `spread` the share by which gaps differ, `run` the fewest and the
        most events of a run.
        """
        if number := self.number_of_events(1 / rate_hz):
            yield from self._counted(number, 0.7 / rate_hz, 1.5 / rate_hz)
            return
        moment = self.uniform(0.02, 1.0) * min(1 / rate_hz, 0.5, 0.2 * self.seconds)
        while moment < self.seconds:
            tempo = self.around(rate_hz, 0.15)
            for _ in range(self.count(run[0], run[1] + 1)):
                if moment >= self.seconds:
                    return
                yield moment
                moment += max(0.02, self.around(1 / tempo, spread))
            moment += self.uniform(*pause_s)

    def paces(self, rate_hz: float, spread: float = 0.06, drift: float = 0.12) -> Iterator[float]:
        """Moments in seconds of what a body repeats: a tempo that drifts by the share `drift`, gaps off by `spread`."""
        if number := self.number_of_events(1 / rate_hz):
            yield from self._counted(number, 0.85 / rate_hz, 1.2 / rate_hz)
            return
        moment = self.uniform(0, min(1 / rate_hz, 0.8, 0.25 * self.seconds))
        strayed = 0.0
        while moment < self.seconds:
            yield moment
            strayed = 0.8 * strayed + 0.6 * drift * float(self.random.standard_normal())
            moment += max(0.03, self.around(1 / rate_hz, spread) * float(np.exp(strayed)))

    def wander(self, rate_hz: float) -> Signal:
        """A slow random curve between 0 and 1, about `rate_hz` turns a second, [T]."""
        num_knots = max(4, int(self.seconds * rate_hz) + 3)
        knots = self.random.uniform(0, 1, num_knots)
        return np.interp(np.linspace(0, num_knots - 1, self.num_samples), np.arange(num_knots), knots)

    def place(self, track: Signal, event: Signal, start_s: float, gain: float = 1.0) -> None:
        """Add an event to a track in place; what runs over the end is cut."""
        start = round(start_s * self.sample_rate)
        if 0 <= start < len(track):
            part = event[: len(track) - start]
            track[start : start + len(part)] += gain * part

    def _clamp(self, cutoff_hz: float) -> float:
        return min(max(_snap(cutoff_hz), 20.0), 0.485 * self.sample_rate)

    def _filter(self, kind: str, track: Signal, edges: Iterable[float], order: int) -> Signal:
        sections = _design(kind, order, tuple(self._clamp(edge) for edge in edges), self.sample_rate)
        return cast(Signal, sosfilt(sections, track))

    def lowpass(self, track: Signal, cutoff_hz: float, order: int = 2) -> Signal:
        """Butterworth low-pass."""
        return self._filter("lowpass", track, (cutoff_hz,), order)

    def highpass(self, track: Signal, cutoff_hz: float, order: int = 2) -> Signal:
        """Butterworth high-pass."""
        return self._filter("highpass", track, (cutoff_hz,), order)

    def bandpass(self, track: Signal, low_hz: float, high_hz: float, order: int = 2) -> Signal:
        """Butterworth band-pass."""
        return self._filter("bandpass", track, (low_hz, high_hz), order)

    def decay(self, seconds: float, fall_s: float, rise_s: float = 0.002) -> Signal:
        """An envelope that rises in `rise_s` and falls to 1/e in `fall_s`."""
        time = self.span(seconds)
        envelope: Signal = np.exp(-time / fall_s) * np.minimum(1.0, time / rise_s)
        return envelope

    def phase(self, frequency_hz: Signal) -> Signal:
        """The running phase in radians of a frequency curve."""
        return 2 * np.pi * np.cumsum(frequency_hz) / self.sample_rate

    def harmonics(self, frequency_hz: Signal, num_harmonics: int, slope: float) -> Signal:
        """A tone whose k-th partial has the amplitude k**-slope; partials above the Nyquist frequency are left out."""
        phase = self.phase(frequency_hz)
        shifts = self.random.uniform(0, 6.28, num_harmonics)
        most = max(1, int(0.48 * self.sample_rate / float(np.max(frequency_hz))))
        tone = np.zeros(len(phase))
        for k in range(1, min(num_harmonics, most) + 1):
            tone += np.sin(k * phase + shifts[k - 1]) * k**-slope
        return tone

    def pulses(self, frequency_hz: Signal, width_hz: float) -> Signal:
        """Smooth pulses of height 1 at a frequency curve; their partials fade as a bell curve of `width_hz`."""
        sharpness = np.square(min(width_hz, self.sample_rate / 7) / frequency_hz)
        train: Signal = np.exp(sharpness * (np.cos(self.phase(frequency_hz)) - 1))
        return train

    def modes(
        self,
        frequency_hz: float,
        ratios: Sequence[float],
        falls_s: Sequence[float],
        gains: Sequence[float],
        seconds: float,
    ) -> Signal:
        """A struck body: decaying partials at `ratios` of a frequency, each with its fall and gain."""
        time = self.span(seconds)
        ring = np.zeros(len(time))
        shifts = self.random.uniform(0, 6.28, len(ratios))
        for ratio, fall_s, gain, shift in zip(ratios, falls_s, gains, shifts, strict=True):
            if frequency_hz * ratio < 0.48 * self.sample_rate:
                ring += gain * np.sin(2 * np.pi * frequency_hz * ratio * time + shift) * np.exp(-time / fall_s)
        struck: Signal = ring * np.minimum(1.0, time / 0.001)
        return struck

    def gate(self, is_open: NDArray[np.bool_], softness_hz: float) -> Signal:
        """An on/off curve with its corners rounded by a first-order low-pass."""
        return self.lowpass(is_open.astype(np.float64), softness_hz, order=1)


def hump(num_samples: int) -> Signal:
    """A raised cosine that starts and ends at nothing."""
    return np.hanning(num_samples)
