"""Forms of the Create page become requests, and come back from them."""

import math

import pytest

from bridge.desktop.state.parameters import parameters_of
from bridge.desktop.state.render_form import FormIncompleteError, RenderForm, again, form_of, next_seed, not_in_form
from bridge.wire.messages import Generate, Inpaint, Restyle

OTHER_VALUES = {
    "seconds": 2.5,
    "tries": 3,
    "like": "/like.wav",
    "like_weight": 0.25,
    "width": 0.75,
    "follow": "/hum.wav",
    "follow_what": "loudness,pitch",
    "candidates": 2,
    "negative": "hum",
    "steps": 6,
    "guidance": 4.5,
    "sampler": "ddim",
    "draft": True,
    "strength": 0.3,
    "keep_air": True,
    "model_band": True,
    "structure": 0.0,
    "low_hz": 200.0,
    "high_hz": 900.0,
    "cutoff_hz": 4000.0,
    "output_rate": 96_000,
    "output_channels": "mono",
    "output_bits": "16",
    "model": "nano",
}
"""A value for every parameter that is not its default."""


class TestForm:
    @pytest.mark.parametrize("operation", ["generate", "restyle", "inpaint", "vary", "upscale"])
    def test_comes_back_from_its_request(self, operation):
        asked = OTHER_VALUES | {"seed": 9}
        values = {name: asked[name] for name in parameters_of(operation)}
        from_clip = operation != "generate"
        form = RenderForm(
            operation, "rain", "/clip.wav" if from_clip else None, (0.5, 1.0) if from_clip else None, values
        )

        assert form_of(form.request("job")) == form

    def test_names_what_has_no_field(self):
        request = Inpaint(job="a", clip="/c.wav", prompt="x", start_s=1.0, end_s=2.0, region=((3.0, 4.0),))

        assert not_in_form(request) == ["Further regions"]

    def test_a_part_without_an_end_goes_to_the_end(self):
        request = Restyle(job="a", clip="/c.wav", prompt="x", start_s=1.0)

        assert form_of(request).part == (1.0, math.inf)
        assert (form_of(request).request("b").start_s, form_of(request).request("b").end_s) == (1.0, None)

    def test_what_is_as_the_table_says_is_not_sent(self):
        request = RenderForm(values={"candidates": 1, "negative": "", "draft": False}, prompt="rain").request("job")

        assert (request.seconds, request.candidates, request.negative, request.draft) == (5.12, None, None, None)

    def test_the_weight_of_no_sound_is_not_sent(self):
        assert RenderForm(prompt="rain", values={"like_weight": 0.9}).request("job").like_weight is None
        assert RenderForm(prompt="rain", values={"follow_what": "pitch"}).request("job").follow_what is None

    def test_a_clip_to_follow_gives_its_length_unless_one_is_set(self):
        free = RenderForm(prompt="rain", values={"follow": "/hum.wav"})
        long = RenderForm(prompt="rain", values={"follow": "/hum.wav", "seconds": 9.0})

        assert free.request("job").seconds is None
        assert long.request("job").seconds == 9
        assert RenderForm(prompt="rain").request("job").seconds == 5.12

    def test_another_sound_may_take_the_place_of_words(self):
        assert RenderForm(values={"like": "/rain.wav"}).request("job").like == "/rain.wav"

    def test_of_a_clip_in_live_cannot_be_inpainted_without_a_part(self):
        assert "retake live inpaint" in RenderForm("inpaint", "glass").missing(from_live=True)

    def test_for_live_is_what_the_control_surface_takes(self):
        """Of vary the prompt is a key, a switch is 0 or 1, and what the surface lacks is left out."""
        words = RenderForm("vary", "softer", values={"seed": 3, "draft": True, "strength": 0.2}).words_for_live()

        assert sorted(zip(words[::2], words[1::2], strict=True)) == [
            ("draft", 1),
            ("prompt", "softer"),
            ("seed", 3),
            ("strength", 0.2),
        ]

    def test_without_words_is_refused(self):
        with pytest.raises(FormIncompleteError, match="few words"):
            RenderForm().request("job")

    def test_vary_needs_no_words(self):
        assert RenderForm("vary", "", "/clip.wav").request("job").prompt == ""

    def test_again_keeps_everything_but_the_seed(self):
        request = Generate(job="a", prompt="rain", seed=4, steps=7, reply="/r.json")
        repeated = again(request, "b", seed=next_seed(request))

        assert (repeated.job, repeated.seed, repeated.steps, repeated.reply) == ("b", 5, 7, None)

    def test_for_live_is_words_then_keys(self):
        words = RenderForm("restyle", "rain", values={"seed": 3, "candidates": 2}).words_for_live()

        assert words == ["rain", "strength", 0.5, "seed", 3, "candidates", 2]
