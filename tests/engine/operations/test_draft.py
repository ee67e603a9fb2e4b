"""Drafts: few steps of the draft net where a model has one, few steps of its denoiser where it has none."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from engine import Audio, Engine, Generate, Inpaint, InvalidRequestError, Restyle, Upscale, Vary
from engine.audioldm import DraftConfig
from engine.engine import prepare_for_inference
from engine.operations.plan import plan_of
from engine.presets import TINY, build
from engine.requests import DRAFT_STEPS
from engine.take_provenance import request_of

RAIN = Generate("rain", seconds=0.4, seed=3, draft=True)
DRAFT = DraftConfig((999, 600, 200), 2.0)


@pytest.fixture(scope="module")
def drafting() -> Engine:
    """The tiny model with a random draft net."""
    model = build(replace(TINY, draft=DRAFT))
    model.load_state_dict(build(TINY).state_dict(), strict=False)
    return Engine(prepare_for_inference(model, torch.float32))


class TestWithADraftNet:
    def test_it_takes_the_nets_own_steps_without_guidance(self, drafting: Engine) -> None:
        stages = []
        (take,) = drafting.run(RAIN, on_step=lambda news: stages.append(news.stage))

        told = {key: take.story[key] for key in ("draft", "steps", "guidance", "sampler", "warnings")}
        assert told == {"draft": True, "steps": 3, "guidance": 1.0, "sampler": "ddim", "warnings": []}
        assert [stage for stage in stages if stage.startswith("step")] == ["step 1/3", "step 2/3", "step 3/3"]

    def test_another_net_makes_another_sound(self, drafting: Engine) -> None:
        asked = replace(RAIN, draft=False, steps=3, guidance=1, sampler="ddim")

        assert not np.array_equal(drafting.run(RAIN)[0].samples, drafting.run(asked)[0].samples)

    def test_without_draft_the_model_is_as_before(self, drafting: Engine, tiny: Engine) -> None:
        asked = replace(RAIN, draft=False)

        assert "draft" not in tiny.run(asked)[0].story
        assert np.array_equal(drafting.run(asked)[0].samples, tiny.run(asked)[0].samples)

    def test_what_it_cannot_heed_is_told(self, drafting: Engine) -> None:
        (take,) = drafting.run(replace(RAIN, steps=50, guidance=4, negative_prompt="wind"))

        assert take.story["steps"] == 3
        assert [warning.split(" tiny ")[1] for warning in take.story["warnings"]] == [
            "always takes 3 steps, not 50",
            "has its guidance built in; 4 was not heeded",
            "does not heed the negative prompt 'wind'",
        ]

    def test_its_story_makes_it_again_without_warnings(self, drafting: Engine) -> None:
        (take,) = drafting.run(RAIN)

        (again,) = drafting.run(request_of(take.story, {}))

        assert np.array_equal(again.samples, take.samples)
        assert again.story == take.story

    @pytest.mark.parametrize(("strength", "steps"), [(0.01, 1), (0.3, 1), (0.5, 2), (0.7, 2), (0.9, 3), (1.0, 3)])
    def test_strength_chooses_the_nearest_of_its_timesteps(self, drafting: Engine, strength: float, steps: int) -> None:
        assert plan_of(drafting._loaded(), RAIN).schedule(strength).times == DRAFT.timesteps[-steps:]

    @pytest.mark.parametrize("kind", [Restyle, Vary, Inpaint, Upscale])
    def test_every_operation_has_drafts(self, drafting: Engine, clip: Audio, kind: type) -> None:
        rest = {"regions": [(0.4, 0.8)]} if kind is Inpaint else {"cutoff_hz": 2_000} if kind is Upscale else {}
        (take,) = drafting.run(kind(clip=clip, prompt="rain", draft=True, **rest))

        assert take.samples.shape == clip.samples.shape
        assert take.story["draft"] is True

    def test_together_with_others_it_sounds_as_alone(self, drafting: Engine) -> None:
        requests = [RAIN, replace(RAIN, seed=4), replace(RAIN, draft=False, steps=3)]

        together = drafting.run_together(requests, [lambda _: None] * 3, [lambda: False] * 3)

        for request, takes in zip(requests, together, strict=True):
            assert isinstance(takes, list)
            assert np.array_equal(takes[0].samples, drafting.run(request)[0].samples)


class TestWithoutADraftNet:
    def test_few_steps_of_the_denoiser_with_guidance(self, tiny: Engine) -> None:
        (take,) = tiny.run(RAIN)

        assert (take.story["steps"], take.story["guidance"], take.story["sampler"]) == (DRAFT_STEPS, 2.0, "dpm++2m")
        assert take.story["draft"] is True

    def test_what_is_asked_for_is_heeded(self, tiny: Engine) -> None:
        (take,) = tiny.run(replace(RAIN, steps=2, guidance=1))

        assert (take.story["steps"], take.story["guidance"], take.story["warnings"]) == (2, 1.0, [])


def test_draft_is_yes_or_no() -> None:
    with pytest.raises(InvalidRequestError, match="draft is 4; expected True or False"):
        Generate("rain", draft=4)  # type: ignore[arg-type]
