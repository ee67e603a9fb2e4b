"""A kind is a population: recordings are long and short, single and in rows, dull and bright; so are our clips."""

import numpy as np
import pytest

from engine.sounds.corpus import CORPUS
from engine.sounds.synthesis import SynthContext

RATE = 16000
SECONDS = 5.12


def tracks(name, number=24):
    """Clips of a kind as it is synthesised, with no room, microphone or floor, and their attributes."""
    for seed in range(number):
        context = SynthContext(
            np.random.default_rng(seed), np.random.default_rng(seed + 1000), round(SECONDS * RATE), RATE
        )
        yield CORPUS[name].synthesise(context), context.attributes


def levels(track, frame_s=0.02):
    """The level of each frame against the loudest, [F]."""
    frame = round(frame_s * RATE)
    frames = track[: len(track) // frame * frame].reshape(-1, frame)
    level = np.sqrt(np.mean(frames**2, axis=1))
    return level / (np.max(level) + 1e-12)


def sounding_s(track):
    """Seconds from the first to the last frame that is less than 40 dB below the loudest."""
    heard = np.flatnonzero(levels(track) > 0.01)
    return 0.02 * (heard[-1] - heard[0] + 1)


def centroid_hz(track):
    power = np.abs(np.fft.rfft(track)) ** 2
    return np.sum(power * np.fft.rfftfreq(len(track), 1 / RATE)) / np.sum(power)


class TestLengths:
    @pytest.mark.parametrize(
        ("name", "shortest_s", "longest_s"),
        [  # how long the recordings last: half of the clips, or a third, are as short, the others go on
            ("speech", 0.15, 3.0),
            ("laughter", 0.5, 3.5),
            ("singing", 0.6, 4.6),
            ("footsteps", 0.05, 1.5),
            ("door", 0.1, 3.0),
        ],
    )
    def test_some_clips_hold_as_little_as_recordings(self, name, shortest_s, longest_s):
        lengths = np.array([sounding_s(track) for track, _ in tracks(name)])
        share = np.mean((lengths > shortest_s) & (lengths < longest_s))
        assert 0.15 < share < 0.8

    @pytest.mark.parametrize("name", ["speech", "singing", "footsteps", "door"])
    def test_what_happens_once_has_no_speed(self, name):
        spoken = ["speed" in attributes for _, attributes in tracks(name)]
        assert 0.2 < np.mean(spoken) < 0.9


class TestColours:
    @pytest.mark.parametrize(
        ("name", "octaves"),
        [
            ("footsteps", 1.0),
            ("door", 1.5),
            ("laughter", 0.7),
            ("rope", 0.5),
            ("pig", 0.7),
            ("duck", 0.4),
            ("train", 1.0),
            ("explosion", 0.4),
        ],
    )
    def test_clips_differ_as_much_as_recordings_do(self, name, octaves):
        """Half of the clips of a kind lie further apart than this; recordings of it do."""
        lower, upper = np.percentile([np.log2(centroid_hz(track)) for track, _ in tracks(name)], (10, 90))
        assert upper - lower > octaves


class TestCharacter:
    def test_laughter_is_breath_as_much_as_voice(self):
        """Above 4 kHz recorded laughs lie 8 to 30 dB below what is under it."""
        shares = []
        for track, _ in tracks("laughter"):
            power = np.abs(np.fft.rfft(track)) ** 2
            edge = round(4000 * len(track) / RATE)
            shares.append(10 * np.log10(np.sum(power[edge:]) / np.sum(power[:edge])))
        assert -25 < np.median(shares) < -6

    def test_a_held_note_stays_on_its_pitch(self):
        strayed = []
        for track, attributes in tracks("singing"):
            if "speed" not in attributes:
                frame = track[: RATE // 2]
                later = track[RATE // 5 : RATE // 5 + RATE // 2]
                bins = [np.argmax(np.abs(np.fft.rfft(part * np.hanning(len(part))))) for part in (frame, later)]
                strayed.append(abs(np.log2((bins[0] + 1) / (bins[1] + 1))))
        assert len(strayed) > 5
        assert np.median(strayed) < 1 / 12

    def test_steam_and_electric_trains_occur(self):
        spread = [np.std(levels(track, 0.05)) for track, _ in tracks("train")]
        assert max(spread) > 0.2
        assert min(spread) < 0.15
