"""What every CLAP can do, whichever towers it has: text and audio -> unit vectors in one space (Wu et al. 2023)."""

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

from torch import Tensor


@runtime_checkable
class Clap(Protocol):
    """Two towers that agree: the cosine of a sound's and a caption's embedding says how well they fit."""

    @property
    def embedding_dim(self) -> int:
        """D, the length of the unit vectors."""
        ...

    @property
    def has_audio_tower(self) -> bool:
        """Whether it has an audio tower; some published checkpoints come without."""
        ...

    def embed_text(self, prompts: Sequence[str]) -> Tensor:
        """Prompts -> unit vectors [B, D]; the empty prompt stands for no condition."""
        ...

    def embed_audio(self, waveform: Tensor, sample_rate: int) -> Tensor:
        """Waveform [B, T] at sample_rate Hz -> unit vectors [B, D].

        Raises:
            AudioTowerMissingError: it has no audio tower.
        """
        ...

    def knows(self, prompt: str) -> bool:
        """Whether the prompt names a sound that this CLAP was trained on (True where that is not known)."""
        ...
