"""A model that notes what passes through it: prompts, sounds, latents and conditions. It computes as any other."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from torch import Tensor

from engine import Engine
from engine.audioldm import AudioLDM, AudioLDMConfig
from engine.diffusion.guidance import Denoised, DenoiseFollowing
from engine.presets import PRESETS, build


@dataclass
class Notes:
    """In the order of what happened."""

    prompts: list[str] = field(default_factory=list)  # embedded
    encoded: list[Tensor] = field(default_factory=list)  # latents that the encoder gave
    conditions: list[Tensor] = field(default_factory=list)  # that denoisers were made for
    denoised: list[tuple[Tensor, int]] = field(default_factory=list)  # x_t and t that a denoiser was asked about
    decoded: list[Tensor] = field(default_factory=list)  # latents that the decoder got


class Watched(AudioLDM):
    """Writes into `notes`, which may be exchanged for empty ones."""

    notes: Notes

    def embed_text(self, prompts: Sequence[str]) -> Tensor:
        self.notes.prompts.extend(prompts)
        return super().embed_text(prompts)

    def encode(self, log_mel: Tensor) -> Tensor:
        self.notes.encoded.append(super().encode(log_mel))
        return self.notes.encoded[-1]

    def denoiser(self, embedding: Tensor, *settings: Any, **named: Any) -> DenoiseFollowing:
        self.notes.conditions.append(embedding)
        denoise = super().denoiser(embedding, *settings, **named)

        def noted(x: Tensor, time: float, curves: Tensor | None = None, /) -> Denoised:
            self.notes.denoised.append((x.clone(), int(time)))
            return denoise(x, time, curves)

        return noted

    def decode(self, latent: Tensor) -> Tensor:
        self.notes.decoded.append(latent.clone())
        return super().decode(latent)


def watched_engine(config: AudioLDMConfig = PRESETS["tiny"]) -> tuple[Engine, Watched]:
    """An engine around a watched model with the weights that `build` gives."""
    model = Watched(config)
    model.notes = Notes()
    model.load_state_dict(build(config).state_dict())
    return Engine(model.eval()), model
