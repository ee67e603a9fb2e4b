"""What the model's autoencoder and vocoder leave of a sound: waveform -> log-mel -> latent and all the way back."""

import numpy as np
import torch
from numpy.typing import NDArray

from engine.audio import Audio
from engine.audioldm import AudioLDM
from engine.evaluation.classifier import SAMPLE_RATE, mono_16_khz
from engine.operations.condition import embedded_condition
from engine.operations.excerpt import take_excerpt
from engine.operations.mel_rendering import MelRendering
from engine.operations.progress import ProgressReporter
from engine.requests import Sampling

Waveform = NDArray[np.float32]  # [T] at 16 kHz


@torch.inference_mode()
def round_trip(model: AudioLDM, waveform: Waveform) -> Waveform:
    """Return what autoencoder and vocoder make of a clip, without a step of diffusion in between: [T] -> [T].

    No generated sound can be closer to the corpus than this. Raises ModelBrokenError when it is not finite.
    """
    clip = Audio(waveform, SAMPLE_RATE)
    excerpt = take_excerpt(clip, 0, clip.num_samples, model.sample_rate, model.config.normalise_peak)
    sampling = Sampling()
    size = excerpt.waveform.shape[1]
    condition = embedded_condition(model, "sound", sampling)
    rendering = MelRendering(model, condition, sampling, ProgressReporter(), size, excerpt.num_channels)
    made = rendering.waveforms(rendering.encode(excerpt.waveform))[0]
    return mono_16_khz(Audio(excerpt.restore(made), SAMPLE_RATE))
