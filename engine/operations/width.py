"""Width: what a sound of its kind is like in stereo. An ambience surrounds the listener, an event has one place.

An ambience is denoised a second time, from noise that is half the first one's, and both become left and right; see
`engine.operations.stereo`. An event is made once, and placed somewhere in front of the listener.

Shape letters: n candidates, K kinds, D embedding, T' samples at the model's rate.
"""

from collections.abc import Sequence
from dataclasses import replace
from weakref import WeakKeyDictionary

import torch
from torch import Tensor

from engine.audioldm import AudioLDM
from engine.operations.mel_rendering import MelRendering
from engine.operations.rendering import Rendering
from engine.operations.stereo import place, spread
from engine.wav_writer import Samples

# Correlation of left and right as pairs of microphones hear it: low where countless sources are all around, high where
# one big source fills the room.
AMBIENCES = {
    "rain": 0.2, "applause": 0.2, "wind": 0.3, "ocean": 0.3, "stream": 0.3, "crowd": 0.25, "birds": 0.3,
    "crickets": 0.3, "traffic": 0.35, "fire": 0.4, "bees": 0.4, "frog": 0.4, "drops": 0.4, "bubbles": 0.5,
    "laughter": 0.5, "thunder": 0.5, "airplane": 0.5, "drone": 0.5, "magic": 0.5, "riser": 0.6, "train": 0.6,
    "radio static": 0.6, "explosion": 0.6, "splash": 0.6, "whoosh": 0.6, "helicopter": 0.7, "fan": 0.7,
    "washing machine": 0.8, "vacuum": 0.8, "engine": 0.8,
}  # fmt: skip
EVENTS = (
    "dog", "cat", "cow", "sheep", "horse", "rooster", "owl", "wolf", "crow", "duck", "chicken", "cuckoo", "pig", "lion",
    "mosquito", "knock", "footsteps", "door slam", "door creak", "glass", "gunshot", "hammer", "hand saw", "drill",
    "chainsaw", "sword", "coin", "click", "typing", "clock", "phone", "alarm", "siren", "car horn", "train horn",
    "motorcycle", "laser", "notification", "power up", "bell", "church bell", "kick", "snare", "hihat", "tom", "cymbal",
    "shaker", "piano", "guitar", "flute", "violin", "trumpet", "singing", "speech", "cough", "heartbeat", "paper",
    "cloth", "zip", "rope", "lock", "scissors", "robot", "glitch", "seagull", "wood impact", "metal impact", "door",
    "ui success", "ui error",
)  # fmt: skip
_KINDS = (*AMBIENCES, *EVENTS)
_embedded: WeakKeyDictionary[AudioLDM, Tensor] = WeakKeyDictionary()
FURTHEST = 0.6  # from the middle, 0, to one side, 1: where an event may be
SHARED_NOISE = 0.5  # share of an ambience's second noise that is the first one's: the same scene, not another
_PARTNERS = 1000  # added to a candidate's number, beyond all tries, for what its second take draws
_PLACES = 5  # what a generator is for, after those of `sampling`


def widening(rendering: Rendering, width: float) -> Rendering:
    """Return the rendering with the correlation that an ambience gets; its reporter has half the time for each take."""
    if width == 0 or not isinstance(rendering, MelRendering) or (natural := natural_correlation(rendering)) is None:
        return rendering
    return replace(rendering, correlation=1 - width * (1 - natural), reporter=rendering.reporter.part(0, 2))


def widened(rendering: Rendering, waveforms: Sequence[Samples], width: float) -> list[Samples]:
    """What the candidates made, [C', T'] each -> [C, T'] each: as it is at width 0, else from mono to stereo."""
    if width == 0:
        return list(waveforms)
    waveforms = [waveform[0] for waveform in waveforms]
    if rendering.correlation is None:
        return [place(*placed) for placed in zip(waveforms, _positions(rendering, width), strict=True)]
    numbers = tuple(number + _PARTNERS for number in rendering.candidates)
    partners = replace(rendering, chosen=numbers, reporter=rendering.reporter.after())
    noise = SHARED_NOISE**0.5 * rendering.noise() + (1 - SHARED_NOISE) ** 0.5 * partners.noise()
    others = partners.waveforms(partners.sample(noise, partners.schedule()))[:, 0]
    wanted, rate = rendering.correlation, rendering.model.sample_rate
    return [spread(one, other, wanted, rate) for one, other in zip(waveforms, others, strict=True)]


def natural_correlation(rendering: MelRendering) -> float | None:
    """Return the correlation of left and right of the kind that is nearest to what is wanted; None for an event."""
    wanted = rendering.condition.wanted[0].float()
    nearest = int((_embedded_kinds(rendering.model).to(wanted.device) @ wanted).argmax())
    return AMBIENCES.get(_KINDS[nearest])


def _embedded_kinds(model: AudioLDM) -> Tensor:
    """All kinds as the model understands their names, [K, D]: once for each model, since they are a hundred."""
    if model not in _embedded:
        _embedded[model] = model.embed_text(_KINDS).float()
    return _embedded[model]


def _positions(rendering: Rendering, width: float) -> list[float]:
    """Where each candidate is, -1 to 1."""
    generators = (rendering.generator(number, _PLACES) for number in rendering.candidates)
    return [width * FURTHEST * (2 * float(torch.rand((), generator=generator)) - 1) for generator in generators]
