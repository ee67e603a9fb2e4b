"""The trainings that are compared, one row each: the same net, the same start, the same number of steps."""

from dataclasses import dataclass, replace
from typing import Literal

TextEncoderName = Literal["clap", "names", "ngrams"]
Attention = Literal["transformer", "plain"]


@dataclass(frozen=True)
class Variant:
    """How a net is trained; the defaults are the paper's AudioLDM-S."""

    name: str
    title: str  # as tables have it
    text_share: float = 0.0  # of conditions that are a caption's embedding, not the sound's
    encoder: TextEncoderName = "clap"  # of captions, in training and at sampling
    attention: Attention = "transformer"  # two attentions and a feed-forward net, or one attention alone
    long_tail: bool = False  # classes are as frequent as `prompts.frequencies` has them, in training and in the test
    balanced: bool = False  # every class is drawn equally often, however few clips it has
    mixtures: bool = False  # clips mixed with clips join the others: conditioning augmentation, λ ~ Beta(5, 5)
    predicts_noise: bool = False  # and not what the model's net predicts, v
    even_levels: bool = False  # all noise levels count equally in the loss
    watched: bool = False  # measured in the course of the training, too


AUDIO = Variant("audio", "audio", watched=True)
BOTH = replace(AUDIO, name="both", title="text and audio", text_share=0.5)
TEXT = replace(AUDIO, name="text", title="text", text_share=1.0)
NAMES = Variant("names", "text, a tower that knows classes", text_share=1.0, encoder="names")
NGRAMS = Variant("ngrams", "text, a bag of n-grams", text_share=1.0, encoder="ngrams")
SIMPLE_ATTENTION = Variant("simple_attention", "simple attention", attention="plain")
LONG_TAIL = Variant("long_tail", "long tail", long_tail=True)
BALANCED = Variant("balanced", "long tail, balanced sampling", long_tail=True, balanced=True)
MIXTURES = Variant("mixtures", "conditioning augmentation", mixtures=True)
NOISE = Variant("noise", "the net predicts the noise", predicts_noise=True)
EVEN_LEVELS = Variant("even_levels", "it predicts v, every level weighs the same", even_levels=True)

VARIANTS: dict[str, Variant] = {
    variant.name: variant
    for variant in (
        AUDIO,
        BOTH,
        TEXT,
        NAMES,
        NGRAMS,
        SIMPLE_ATTENTION,
        LONG_TAIL,
        BALANCED,
        MIXTURES,
        NOISE,
        EVEN_LEVELS,
    )
}
TRAINED_BY_PART: dict[str, tuple[Variant, ...]] = {
    "conditioning": (AUDIO, BOTH, TEXT),
    "encoder": (AUDIO, TEXT, NAMES, NGRAMS),
    "ablation": (AUDIO, SIMPLE_ATTENTION, LONG_TAIL, BALANCED, MIXTURES),
    "objective": (AUDIO, NOISE, EVEN_LEVELS),
}
