"""Vary: the clip again without a word, at its own rate, length and loudness; the further the stronger."""

import numpy as np
import pytest
import torch

from engine import Audio, Engine, InvalidRequestError, Vary
from engine.errors import SilentClipError
from engine.evaluation.reconstruction import mel_l1
from engine.operations.condition import embed_clip
from engine.operations.loudness import level_of
from engine.sounds import render


class TestTake:
    def test_it_is_as_the_clip_was_but_not_the_clip(self, tiny: Engine, clip: Audio) -> None:
        (take,) = tiny.run(Vary(clip))
        assert take.samples.shape == clip.samples.shape
        assert (take.sample_rate, take.encoding) == (44_100, "PCM_24")
        assert level_of(take.samples, 44_100).lufs == pytest.approx(level_of(clip.samples, 44_100).lufs, abs=0.5)
        assert not np.array_equal(take.samples, clip.samples)

    def test_only_the_region_changes(self, tiny: Engine, clip: Audio) -> None:
        (take,) = tiny.run(Vary(clip, start_s=0.5, end_s=1.0))
        assert np.array_equal(take.samples[:, :22_050], clip.samples[:, :22_050])
        assert np.array_equal(take.samples[:, 44_100:], clip.samples[:, 44_100:])
        assert (take.samples != clip.samples)[:, 22_050:44_100].mean() > 0.99

    def test_no_strength_is_the_clip_itself(self, tiny: Engine, clip: Audio) -> None:
        assert np.array_equal(tiny.run(Vary(clip, strength=0))[0].samples, clip.samples)

    def test_the_story_names_it(self, tiny: Engine, clip: Audio) -> None:
        (take,) = tiny.run(Vary(clip, strength=0.6, seed=4))
        told = {name: take.story[name] for name in ("operation", "prompt", "strength", "like_weight", "seed")}
        assert told == {"operation": "vary", "prompt": "", "strength": 0.6, "like_weight": 1.0, "seed": 4}
        assert take.story["warnings"] == []

    def test_a_channel_turned_over_is_varied_too(self, tiny: Engine) -> None:
        mono = (np.random.default_rng(4).standard_normal((1, 16_000)) * 0.1).astype(np.float32)
        (take,) = tiny.run(Vary(Audio(np.concatenate([mono, -mono]), 16_000)))
        assert np.allclose(take.samples[0], -take.samples[1], atol=1e-6)

    def test_words_join_in(self, tiny: Engine, clip: Audio) -> None:
        alone, joined = tiny.run(Vary(clip))[0], tiny.run(Vary(clip, prompt="rain"))[0]
        assert joined.story["like_weight"] == 0.5
        assert not np.array_equal(alone.samples, joined.samples)

    def test_the_same_request_gives_the_same_takes_in_order(self, tiny: Engine, clip: Audio) -> None:
        request = Vary(clip, candidates=3)
        for one, other in zip(tiny.run(request), tiny.run(request), strict=True):
            assert np.array_equal(one.samples, other.samples)
            assert one.story == other.story


class TestRefused:
    def test_silence_cannot_be_varied(self, tiny: Engine) -> None:
        with pytest.raises(SilentClipError, match=r"^the clip is silent"):
            tiny.run(Vary(Audio(np.zeros((2, 8_000), np.float32), 16_000)))

    def test_strength_is_from_0_to_1(self, clip: Audio) -> None:
        with pytest.raises(InvalidRequestError, match="strength is 2; expected a number from 0 to 1"):
            Vary(clip, strength=2)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["dog", "helicopter", "bell"])
def test_takes_stay_the_same_kind_of_sound_and_go_further_with_strength(nano: Engine, name: str) -> None:
    clip, model = Audio(render(name, seed=90_001, seconds=3.0).waveform, 16_000), nano._loaded()
    takes = [nano.run(Vary(clip, strength=strength))[0] for strength in (0.2, 0.6, 1.0)]
    with torch.inference_mode():
        likeness = [float((embed_clip(model, take) @ embed_clip(model, clip).T).item()) for take in takes]
    distances = [float(mel_l1(torch.from_numpy(take.samples), torch.from_numpy(clip.samples))) for take in takes]
    assert min(likeness) > 0.8
    assert distances[0] < 0.99 * min(distances[1:]), "from some strength on nothing is left to lose"
