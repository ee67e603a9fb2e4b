"""Width: what a sound of its kind is like in stereo. An ambience surrounds the listener, an event has one place.

An ambience is denoised a second time, from noise that is half the first one's, and both become left and right; see
`engine.operations.stereo`. An event is made once, and placed somewhere in front of the listener.

Shape letters: n candidates, K kinds, D embedding, T' samples at the model's rate.
"""

from collections.abc import Sequence
from dataclasses import replace

import torch

from engine.operations.ambiences import natural_correlation
from engine.operations.mel_rendering import MelRendering
from engine.operations.rendering import Rendering
from engine.operations.stereo import place, spread
from engine.wav_writer import Samples

FURTHEST = 0.6  # from the middle, 0, to one side, 1: where an event may be
SHARED_NOISE = 0.5  # share of an ambience's second noise that is the first one's: the same scene, not another
_PARTNERS = 1000  # added to a candidate's number, beyond all tries, for what its second take draws
_PLACES = 5  # what a generator is for, after those of `sampling`


def widening(rendering: Rendering, width: float) -> Rendering:
    """Return the rendering with the correlation that an ambience gets; its reporter has half the time for each take."""
    if width == 0 or not isinstance(rendering, MelRendering):
        return rendering
    natural = natural_correlation(rendering.model, rendering.condition.wanted)
    if natural is None:
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


def _positions(rendering: Rendering, width: float) -> list[float]:
    """Where each candidate is, -1 to 1."""
    generators = (rendering.generator(number, _PLACES) for number in rendering.candidates)
    return [width * FURTHEST * (2 * float(torch.rand((), generator=generator)) - 1) for generator in generators]
