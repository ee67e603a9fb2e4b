"""What a recording adds: a noise floor, a colour, a place; and noise that does not flicker as one."""

from itertools import pairwise

import numpy as np
import pytest

from engine.sounds import SOUNDS, render, render_mixture
from engine.sounds.corpus_entry import RECORDED
from engine.sounds.excerpts import CONTINUOUS, LOST_IN_AN_EXCERPT, excerpt, trimmed
from engine.sounds.mixtures import SCENES
from engine.sounds.recording import coloured
from engine.sounds.rooms import hall, indoors, sounding_in
from engine.sounds.synthesis import SynthContext

SINGLE = ("dog", "clock", "footsteps", "drops", "hammer", "knock", "frog", "bell")


def studio(seed, seconds=5.12, sample_rate=16000):
    return SynthContext(
        np.random.default_rng(seed), np.random.default_rng(seed + 1000), round(seconds * sample_rate), sample_rate
    )


def frames_db(waveform, sample_rate, frame_s=0.05):
    """Level of every 50 ms in dB below the loudest one."""
    frame = round(frame_s * sample_rate)
    power = np.mean(np.square(waveform[: len(waveform) // frame * frame].reshape(-1, frame), dtype=np.float64), axis=1)
    return 10 * np.log10(power / power.max() + 1e-20)


def low_db(name, seed, **how):
    """The 5th-percentile frame of a clip, below its loudest."""
    return np.percentile(frames_db(render(name, seed, **how).waveform, 16000), 5)


def band_envelopes(waveform, sample_rate):
    """Levels in dB [frames, 6] of octave bands from 125 Hz."""
    size = round(0.064 * sample_rate)
    frames = waveform[: len(waveform) // size * size].reshape(-1, size) * np.hanning(size)
    power = np.abs(np.fft.rfft(frames, axis=1)) ** 2
    hertz = np.fft.rfftfreq(size, 1 / sample_rate)
    bands = [power[:, (hertz >= low) & (hertz < 2 * low)].sum(axis=1) for low in (125, 250, 500, 1000, 2000, 4000)]
    return 10 * np.log10(np.stack(bands, axis=1))


class TestFloor:
    def test_single_events_lie_over_a_floor_as_in_recordings(self):
        """Recordings: the 5th-percentile frame lies 31 dB below the loudest, -45 to -22 dB for half of the clips."""
        lows = [low_db(n, s, is_edited=False) for n in SINGLE for s in range(10)]
        lower, middle, upper = np.percentile(lows, (25, 50, 75))
        assert -50 < lower < middle - 3
        assert -42 < middle < -30
        assert middle + 3 < upper < -24

    def test_what_never_passed_through_air_is_cleaner(self):
        lows = {
            name: np.median([low_db(name, s, is_edited=False) for s in range(12)]) for name in ("notification", "knock")
        }
        assert lows["notification"] < lows["knock"] - 12

    @pytest.mark.parametrize("sample_rate", [8000, 16000, 48000])
    def test_as_the_microphone_heard_it_no_clip_has_digital_silence_at_any_rate(self, sample_rate):
        for name in (*SINGLE, "laser"):
            waveform = render(name, 3, 2.0, sample_rate, is_edited=False).waveform
            assert frames_db(waveform, sample_rate).min() > -100

    def test_the_same_events_at_another_rate_and_without_a_floor(self):
        low, high = (render("clock", 4, 3.0, rate, is_edited=False) for rate in (16000, 48000))
        dry = render("clock", 4, 3.0, 16000, has_floor=False, is_edited=False)
        courses = [np.maximum(frames_db(s.waveform, s.sample_rate, 0.02), -25) for s in (low, high, dry)]
        assert np.corrcoef(courses[0], courses[1])[0, 1] > 0.9
        assert np.corrcoef(courses[0], courses[2])[0, 1] > 0.9

    def test_one_floor_lies_under_sounds_that_follow_each_other(self):
        found = [m for m in (render_mixture(seed) for seed in range(30)) if m.relation == "followed"]
        assert len(found) >= 5
        for mixture in found:
            assert frames_db(mixture.waveform, mixture.sample_rate).min() > -70


def heard_s(waveform, sample_rate=16000):
    """Seconds from the first to the last frame within 50 dB of the loudest."""
    places = np.nonzero(frames_db(waveform, sample_rate) > -50)[0]
    return 0.05 * (places[-1] - places[0] + 1)


class TestEdits:
    def test_four_in_ten_clips_have_no_floor_that_is_heard_and_the_others_keep_theirs(self):
        """Libraries hold sounds cut or gated from their floor beside others that keep it."""
        lows = np.array([low_db(name, 40 + s) for name in SINGLE for s in range(10)])
        assert 0.35 < np.mean(lows < -62) < 0.75
        assert -48 < np.median(lows[lows > -62]) < -28

    def test_events_are_often_short_and_what_goes_on_mostly_fills_its_clip(self):
        """Recordings: half of those of events last less than 1 s, three quarters of those of ambiences over 2 s."""
        events = [heard_s(render(n, s).waveform) for n in ("hammer", "gunshot", "door", "laughter") for s in range(12)]
        ambiences = [heard_s(render(n, s).waveform) for n in ("rain", "fan", "traffic", "wind") for s in range(12)]
        assert np.mean(np.array(events) < 2.5) > 0.2
        assert np.mean(np.array(ambiences) > 4.5) > 0.6
        assert min(ambiences) > 0.9

    def test_an_excerpt_begins_with_an_attack_and_claims_no_more_than_it_holds(self):
        track = np.zeros(80000)
        for at in range(8000, 80000, 16000):
            track[at : at + 3000] = np.exp(-np.arange(3000) / 800)
        found = [excerpt(track, "hammer", np.random.default_rng(seed), 16000) for seed in range(60)]
        stretches = [clip for clip in found if clip is not None]
        assert 18 < len(stretches) < 42
        for clip in stretches:
            assert clip.shape == track.shape
            start = np.argmax(np.abs(clip) > 1e-3)
            assert np.max(np.abs(clip[start : start + 400])) > 0.7
        for seed in range(40):
            whole, cut = (render("hammer", seed, is_edited=edited).attributes for edited in (False, True))
            assert cut == whole or cut == {k: v for k, v in whole.items() if k not in LOST_IN_AN_EXCERPT}

    def test_a_counted_clip_keeps_all_its_events(self):
        for seed in range(40):
            whole, cut = (render("snare", seed, 3.0, 8000, is_edited=edited) for edited in (False, True))
            assert whole.attributes.get("count") == cut.attributes.get("count")

    def test_trimming_leaves_the_sound_and_nothing_after_it(self):
        heard = np.zeros(32000)
        heard[8000:12000] = np.sin(np.arange(4000) * 0.3)
        clip = trimmed(heard + 0.01, heard, np.random.default_rng(0), 16000)
        assert np.sum(clip**2) == pytest.approx(np.sum(heard**2), rel=0.1)
        assert np.max(np.abs(clip[:400])) > 0.9
        assert not np.any(clip[8000:])

    def test_what_goes_on_is_what_lies_behind_other_sounds(self):
        assert set(SOUNDS) >= CONTINUOUS
        assert {name for scene in SCENES for name in scene.beds} == CONTINUOUS

    def test_a_tenth_of_clips_end_below_17_khz_as_games_and_mp3s_do(self):
        noise = np.random.default_rng(0).standard_normal(48000)
        hertz = np.fft.rfftfreq(48000, 1 / 48000)
        edges = []
        for seed in range(200):
            random, edits = np.random.default_rng(seed), np.random.default_rng(seed + 1000)
            power = np.abs(np.fft.rfft(coloured(noise, RECORDED, random, 48000, edits))) ** 2
            edges.append(hertz[np.nonzero(power > 1e-6 * power.max())[0][-1]])
        assert 0.04 < np.mean(np.array(edges) < 17300) < 0.2
        assert min(edges) < 9000


class TestTexture:
    @pytest.mark.parametrize("sample_rate", [8000, 16000, 48000])
    def test_its_bands_wander_each_on_its_own(self, sample_rate):
        """Recordings' bands correlate by .08; one envelope over all of them would give more than .9."""
        pairs = []
        for seed in range(6):
            synth = studio(seed, sample_rate=sample_rate)
            noise = synth.texture((50, 1000, 20000), (6, 0, -12), depth_db=6, rate_hz=2)
            levels = band_envelopes(noise, sample_rate)[:, : 5 if sample_rate == 8000 else 6]
            assert levels.std(axis=0).mean() > 3
            matrix = np.corrcoef(levels.T)
            pairs += [matrix[i, j] for i in range(len(matrix)) for j in range(i + 2, len(matrix))]
        assert abs(np.mean(pairs)) < 0.15

    def test_it_has_the_spectrum_that_was_asked_for(self):
        levels = band_envelopes(studio(1).texture((125, 8000), (0, -36), depth_db=0), 16000).mean(axis=0)
        assert np.diff(levels) == pytest.approx([3.0 - 6.0] * 5, abs=1.2)  # each octave is 3 dB wider

    def test_white_noise_is_as_loud_as_the_studio_s(self):
        synth = studio(2)
        assert np.std(synth.texture((50, 20000), (0, 0), depth_db=0)) == pytest.approx(np.std(synth.noise()), rel=0.05)


class TestResonate:
    def test_a_moving_resonance_carries_its_peak_along(self):
        synth = studio(3, 2.0)
        course = np.linspace(500, 3000, synth.num_samples)
        track = synth.resonate(synth.noise(), [course], [120.0], [1.0])
        spectra = np.abs(np.fft.rfft(track.reshape(20, -1), axis=1)) ** 2
        hertz = np.fft.rfftfreq(spectra.shape[1] * 2 - 2, 1 / 16000)
        peaks = hertz[np.argmax(spectra, axis=1)]
        assert peaks == pytest.approx(course.reshape(20, -1).mean(axis=1), abs=220)


class TestTimes:
    def test_bursts_come_in_runs_with_pauses(self):
        gaps = np.concatenate([np.diff(list(studio(seed, 20.0).bursts(8.0))) for seed in range(5)])
        assert np.median(gaps) == pytest.approx(1 / 8, rel=0.3)
        assert 0.08 < np.mean(gaps > 0.35) < 0.5
        assert np.std(np.log(gaps)) > 0.4

    def test_paces_drift(self):
        gaps = np.diff(list(studio(4, 30.0).paces(2.0)))
        assert np.mean(gaps) == pytest.approx(0.5, rel=0.2)
        assert 0.04 < np.std(gaps) / np.mean(gaps) < 0.3
        halves = np.array_split(gaps, 4)
        assert np.ptp([np.mean(half) for half in halves]) > 0.02


class TestPlaces:
    def response(self, make, seed, sample_rate=48000):
        impulse = np.zeros(sample_rate * 2)
        impulse[100] = 1.0
        random, hiss = np.random.default_rng(seed), np.random.default_rng(seed + 1)
        return sounding_in(impulse, make(random), random, hiss, sample_rate)[101:]

    def test_each_place_answers_differently_and_in_the_full_band(self):
        answers = [self.response(indoors, seed) for seed in range(4)]
        for first, second in pairwise(answers):
            assert abs(np.corrcoef(first[:4000], second[:4000])[0, 1]) < 0.5
        for answer in answers:
            power = np.abs(np.fft.rfft(answer)) ** 2
            hertz = np.fft.rfftfreq(len(answer), 1 / 48000)
            assert power[(hertz > 8000) & (hertz < 20000)].mean() > 0.003 * power[(hertz > 500) & (hertz < 2000)].mean()

    def test_a_hall_sounds_on_and_a_room_does_not(self):
        late = {
            make: np.median([np.sum(self.response(make, s)[24000:] ** 2) for s in range(5)]) for make in (hall, indoors)
        }
        assert late[hall] > 100 * late[indoors]
