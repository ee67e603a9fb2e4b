"""Where a take is to go: its prompt; with CLAP a vector of a prompt, a sound to be like, or both, and the negative one.

Shape letter: D embedding.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from engine.audio import Audio
from engine.audioldm import AudioLDM
from engine.model import SoundModel
from engine.operations.excerpt import take_excerpt
from engine.operations.log_mels import has_log_mels
from engine.requests import Sampling

# Cosine of a sound and the nearest name that the model knows. On nano a tenth of the corpus's held-out sounds has
# less; of 578 recordings that nobody taught it a half has, of which 18 % are recognised; of the others 40 %.
SURE = 0.65
WORDS_LEAD = 0.5  # the sound's weight up to which the words have an effect


@dataclass(frozen=True, eq=False)
class Condition:
    """What is wanted, in words."""

    prompt: str
    settings: Mapping[str, Any]  # what the story records beside the prompts: the weight of a sound, never its samples
    warnings: list[str]


@dataclass(frozen=True, eq=False)
class EmbeddedCondition(Condition):
    """Where the denoiser is to go, and from where away."""

    wanted: Tensor  # [1, D], a unit vector
    negative: Tensor  # [1, D]; of the empty negative prompt, which is the unconditional one

    @property
    def is_open(self) -> bool:
        """No prompt, no sound and no negative prompt: guidance would have no direction."""
        return torch.equal(self.wanted, self.negative)


def condition_of(model: SoundModel[Any], prompt: str, sampling: Sampling) -> Condition:
    """The prompt, embedded and perhaps mixed with a sound where the model has CLAP; with what the story warns of.

    Raises:
        AudioTowerMissingError: see `embedded_condition`.
    """
    if has_log_mels(model):
        return embedded_condition(model, prompt, sampling)
    return Condition(prompt, {}, list(_plain_warnings(model, prompt, sampling)))


def embedded_condition(model: AudioLDM, prompt: str, sampling: Sampling) -> EmbeddedCondition:
    """The prompt's embedding, that of the sound in `like` where there is no prompt, or a mixture by `like_weight`.

    Mixed: normalise(w · sound + (1 - w) · prompt), on the sphere that both towers were trained to share.

    Raises:
        AudioTowerMissingError: `like` is given, and the model's CLAP has no audio tower.
    """
    text, negative = model.embed_text([prompt, sampling.negative_prompt]).split(1)
    wanted, settings, warnings = text, {}, _warnings(model, prompt, sampling)
    if sampling.like is not None:
        sound = embed_clip(model, sampling.like)
        weight = float(sampling.like_weight) if prompt else 1.0
        wanted = F.normalize(weight * sound + (1 - weight) * text, dim=1)
        settings = {"like_weight": weight}
        if weight > WORDS_LEAD:
            warnings += _doubts(model, sound)
    return EmbeddedCondition(prompt, settings, warnings, wanted, negative)


def embed_clip(model: AudioLDM, clip: Audio) -> Tensor:
    """Return the CLAP embedding [1, D] of a clip of any rate and length, at the level of an excerpt.

    The clip is resampled to the model's rate, as in training, then to CLAP's.
    """
    mono = take_excerpt(clip.as_heard(), 0, clip.num_samples, model.sample_rate, model.config.normalise_peak)
    return model.embed_audio(torch.from_numpy(mono.waveform))


def _doubts(model: AudioLDM, sound: Tensor) -> list[str]:
    """Return a warning if a sound [1, D] is unlike all that the model knows; without a list of sounds, none."""
    names = [name.replace("_", " ") for name in model.config.sounds]
    if not names:
        return []
    likeness, nearest = (sound.float() @ model.embed_text(names).float().T)[0].max(dim=0)
    if float(likeness) >= SURE:
        return []
    doubt = f"the model {model.config.name} is not sure what it hears in the sound (perhaps: {names[int(nearest)]})"
    return [f"{doubt}, so the take may be of another kind. A prompt that says what it is helps"]


def _plain_warnings(model: SoundModel[Any], prompt: str, sampling: Sampling) -> Iterator[str]:
    for words in dict.fromkeys((prompt, sampling.negative_prompt)):
        if cut := model.left_out(words):
            yield f"the model {model.name} does not read all of so long a prompt; left out: {cut!r}"
    if sampling.candidates > 1 and model.scorer is None:
        what = f"the model {model.name} cannot hear its takes"
        yield f"{what}: they are in the order in which they were made, not ranked"


def _warnings(model: AudioLDM, prompt: str, sampling: Sampling) -> list[str]:
    """Sentences for what renders all the same, but perhaps not as it was meant."""
    warnings = []
    name = model.config.name
    if prompt and not model.clap.knows(prompt):
        known = f"; it knows: {', '.join(model.config.sounds)}" if model.config.sounds else ""
        what = f"the model {name} knows no sound in {prompt!r}{known}"
        warnings.append(f"{what}. For other sounds use a bigger model: `retake models list` shows them")
    if sampling.candidates > 1 and not model.clap.has_audio_tower:
        what = f"the model {name} has no audio tower and cannot hear its takes"
        warnings.append(f"{what}: they are in the order in which they were made, not ranked")
    return warnings
