"""LAION's CLAP (Wu et al. 2023), as the published models have it: prompts and sounds -> unit vectors of one space.

    prompts [B] -> RoBERTa -> pooled [B, 768] -> projection -> normalised [B, D]
    waveform [B, T] -> 48 kHz, ten-second windows -> log-mel -> HTSAT -> [B, 768 or 1024] -> projection -> [B, D]

Importing this file is cheap; transformers, and laion-clap where it is installed, are imported when the first
`LaionClap` is built.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Self

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from engine.errors import AudioTowerMissingError, ModelBrokenError
from engine.models.clap_back_end import BackEnd, installed_back_end
from engine.models.clap_sizes import AUDIO_TOWERS, TEXT_TOWERS
from engine.models.clap_tokenizer import RobertaTokenizer
from engine.models.clap_towers import build_projection, build_text_tower, htsat
from engine.sinc import resample_by_sinc


@dataclass(frozen=True)
class ClapConfig:
    """Which towers, by name, so that a config is plain JSON.

    ClapConfig()                                 audioldm-s and -l: HTSAT-tiny
    ClapConfig(audio_tower="HTSAT-base")         audioldm-m
    ClapConfig(audio_tower=None)                 a diffusers folder: no audio tower, prompts only
    ClapConfig(audio_tower="HTSAT-test", text_tower="roberta-test", embedding_dim=64)    for tests
    """

    audio_tower: str | None = "HTSAT-tiny"
    text_tower: str = "roberta-base"
    embedding_dim: int = 512  # D
    text_norm_eps: float = 1e-5  # of RoBERTa's layer norms; the diffusers folders compute with 1e-12

    def __post_init__(self) -> None:
        known: tuple[str | None, ...]
        for name, value, known in (
            ("audio_tower", self.audio_tower, (*AUDIO_TOWERS, None)),
            ("text_tower", self.text_tower, (*TEXT_TOWERS,)),
        ):
            if value not in known:
                raise ModelBrokenError("its CLAP config", f"{name} is {value!r}; expected {', '.join(map(str, known))}")


class LaionClap(nn.Module):
    """Text and audio towers with laion-clap's own parameter names, frozen, deterministic, always in 32-bit float.

    State dict: `text_branch.*` (RoBERTa), `text_projection.{0,2}.*`, `audio_branch.*` (HTSAT with its unused `head`
    and `tscam_conv`), `audio_projection.{0,2}.*`. Of laion-clap's own keys these are left out: `text_transform.*`,
    `audio_transform.*`, `logit_scale_a`, `logit_scale_t` (nothing asks for them) and the constants of the front end,
    `audio_branch.spectrogram_extractor.*` and `audio_branch.logmel_extractor.*` (computed here, so that no file in
    half precision can round them). Without an audio tower all of `audio_*` is left out.

    `back_end` names the library that computes the audio tower; names and embeddings are the same with both.
    """

    def __init__(
        self, config: ClapConfig, tokenizer: RobertaTokenizer | None = None, back_end: BackEnd | None = None
    ) -> None:
        super().__init__()
        self.config = config
        self.embedding_dim = config.embedding_dim
        self.tokenizer = tokenizer  # may be set later, but before the first prompt
        self.window = None if config.audio_tower is None else AUDIO_TOWERS[config.audio_tower]
        text_tower = replace(TEXT_TOWERS[config.text_tower], norm_eps=config.text_norm_eps)
        self.text_branch = build_text_tower(text_tower)
        self.text_projection = build_projection(text_tower.width, config.embedding_dim)
        self.back_end: BackEnd = back_end or installed_back_end()
        if self.window is not None:
            self.audio_branch = htsat(self.back_end).build(self.window)
            self.audio_projection = build_projection(self.window.width, config.embedding_dim)
        self.requires_grad_(requires_grad=False)
        self.eval()

    @property
    def has_audio_tower(self) -> bool:
        return self.window is not None

    def embed_text(self, prompts: Sequence[str]) -> Tensor:
        """Prompts -> unit vectors [B, D]; the empty prompt is allowed (it is the unconditional one).

        Raises:
            ModelBrokenError: the model has no tokenizer, so no prompt can be read.
        """
        if self.tokenizer is None:
            raise ModelBrokenError("CLAP's text tower", "it has no tokenizer files, so it cannot read a prompt")
        ids, mask = (tensor.to(self._device) for tensor in self.tokenizer.encode(prompts))
        pooled = self.text_branch(input_ids=ids, attention_mask=mask).pooler_output
        return F.normalize(self.text_projection(pooled), dim=-1)

    def embed_audio(self, waveform: Tensor, sample_rate: int) -> Tensor:
        """Waveform [B, T] at `sample_rate` Hz, T >= 1 -> unit vectors [B, D]; the same sound gives the same vector.

        laion-clap crops a long clip at random. Here a clip is embedded in as many ten-second windows as it fills to the
        nearest whole number, spread evenly from end to end (one window: centred), and their vectors are averaged.
        The way to the tower's rate is the short filter that the published denoisers' own training went through.

        Raises:
            AudioTowerMissingError: the model was imported without an audio tower.
        """
        if self.window is None:
            raise AudioTowerMissingError
        at_tower_rate = resample_by_sinc(waveform.to(self._device), sample_rate, self.window.sample_rate)
        windows = fit_windows(at_tower_rate, self.window.num_samples)
        return F.normalize(
            torch.stack([self._embed_window(window) for window in windows.unbind(1)]).mean(dim=0), dim=-1
        )

    def _embed_window(self, window: Tensor) -> Tensor:
        """Waveform [B, T] at the tower's rate, `num_samples` long -> unit vectors [B, D]."""
        embedding = htsat(self.back_end).embed(self.audio_branch, window)
        return F.normalize(self.audio_projection(embedding), dim=-1)

    def knows(self, prompt: str) -> bool:  # noqa: ARG002 - the interface's; a small CLAP has a list of its sounds
        """Whether the prompt names a sound that was trained: True, since that list is not published."""
        return True

    @property
    def _device(self) -> torch.device:
        return next(self.text_projection.parameters()).device

    def train(self, mode: bool = True) -> Self:  # noqa: ARG002 - the signature is torch's
        """Stay in evaluation mode, whatever the model around does: dropout and SpecAugment would be random."""
        return super().train(mode=False)

    def _apply(self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> Self:
        """Follow moves between devices but not casts: the power spectrum of a loud clip exceeds half precision."""

        def move_only(tensor: Tensor) -> Tensor:
            moved = fn(tensor)
            return moved if moved.dtype == tensor.dtype else tensor.to(moved.device)

        applied: Any = super()._apply(move_only, recurse)  # type: ignore[no-untyped-call]
        return applied if isinstance(applied, type(self)) else self


def fit_windows(waveform: Tensor, num_samples: int) -> Tensor:
    """Waveform [B, T] -> windows [B, K, num_samples].

    Shorter clips: repeated as often as they fit, then zeros (laion-clap's "repeatpad"), K = 1. Longer ones:
    K = round(T / num_samples) windows, evenly spread; a single one is centred.
    """
    length = waveform.shape[-1]
    if length <= num_samples:
        repeated = waveform.repeat(1, num_samples // length)
        return F.pad(repeated, (0, num_samples - repeated.shape[-1])).unsqueeze(1)
    count, slack = round(length / num_samples), length - num_samples
    starts = [slack // 2] if count == 1 else [round(index * slack / (count - 1)) for index in range(count)]
    return torch.stack([waveform[:, start : start + num_samples] for start in starts], dim=1)
