"""LAION CLAP's audio tower as transformers computes it, behind a front end of ours: for where laion-clap is missing.

    waveform [B, T] at 48 kHz -> power spectrogram -> 64 mel bands -> decibels [B, 1, N, 64] -> HTSAT -> [B, width]

Equal to laion-clap's to 4e-7 of the embedding's length. State dicts have laion-clap's names, whatever transformers
calls its layers, so that a model on disk is the same model for both.
"""

from importlib import import_module
from typing import Any

import torch
from torch import Tensor, nn

from engine.mel import MelConfig, slaney_filterbank
from engine.models.clap_names import laion_name, transformers_names
from engine.models.clap_sizes import FRONT_END, AudioTower

_OURS, _THEIRS = "audio_branch.", "audio_model.audio_encoder."  # where the tower is in a whole CLAP
_WINDOW, _SHIFT, _MASKED = 8, 4, -100.0  # the windows of attention, in patches; added to what is not to be attended


class TransformersHtsat:
    """Audio towers computed by transformers' ClapModel."""

    def build(self, tower: AudioTower) -> nn.Module:
        """Return an HTSAT with random weights, on the CPU even under `torch.device("meta")`."""
        with torch.device("cpu"):  # some versions read numbers out of tensors while they build it
            return _HtsatTower(tower)

    def embed(self, net: nn.Module, waveform: Tensor) -> Tensor:
        """Waveform [B, num_samples] at the tower's rate -> what it sends to the projection [B, width]."""
        embedding: Tensor = net(waveform)
        return embedding


class DecibelMel(nn.Module):
    """Waveform [B, T] at `sample_rate` Hz -> log-mel [B, 1, 1 + T // hop, 64] in decibels, as laion-clap makes it."""

    window: Tensor
    filterbank: Tensor

    def __init__(self, sample_rate: int) -> None:
        super().__init__()
        mel = MelConfig(
            sample_rate=sample_rate, n_fft=FRONT_END.n_fft, hop=FRONT_END.hop, num_mels=FRONT_END.mel_bins,
            fmin=FRONT_END.fmin, fmax=FRONT_END.fmax,
        )  # fmt: skip
        # no weights: computed here, so that no file in half precision can round them
        self.register_buffer("window", torch.hann_window(FRONT_END.n_fft), persistent=False)
        self.register_buffer("filterbank", slaney_filterbank(mel), persistent=False)

    def forward(self, waveform: Tensor) -> Tensor:
        spectrum = torch.stft(
            waveform, FRONT_END.n_fft, FRONT_END.hop, window=self.window, center=True, pad_mode="reflect",
            return_complex=True,
        )  # fmt: skip
        power = torch.view_as_real(spectrum).square().sum(dim=-1)  # [B, n_fft // 2 + 1, N]
        bands = (self.filterbank @ power).clamp(min=FRONT_END.amin)
        return 10 * torch.log10(bands).transpose(1, 2).unsqueeze(1)


class _HtsatTower(nn.Module):
    """Front end and encoder, with what a whole tower of laion-clap's holds beside them: kept, never computed with."""

    def __init__(self, tower: AudioTower) -> None:
        super().__init__()
        transformers = import_module("transformers")
        config = transformers.ClapAudioConfig(
            patch_embeds_hidden_size=tower.dim, hidden_size=tower.width, depths=list(tower.depths),
            num_attention_heads=list(tower.num_heads), num_mel_bins=FRONT_END.mel_bins,
        )  # fmt: skip
        self.front_end = DecibelMel(tower.sample_rate)
        self.encoder: nn.Module = transformers.ClapAudioModel(config).audio_encoder
        classes = FRONT_END.num_classes
        self.tscam_conv = nn.Conv2d(tower.width, classes, kernel_size=(2, 3), padding=(0, 1))
        self.head = nn.Linear(classes, classes)
        self.masks = _attention_masks(tower)
        self.sources = _sources(self.encoder)
        self.register_state_dict_post_hook(_rename_for_disk)  # type: ignore[no-untyped-call]
        self.register_load_state_dict_pre_hook(_rename_for_transformers)  # type: ignore[no-untyped-call]

    def forward(self, waveform: Tensor) -> Tensor:
        """Waveform [B, T] -> [B, width]."""
        pooled: Tensor = self.encoder(self.front_end(waveform)).pooler_output
        return pooled


def _sources(encoder: nn.Module) -> dict[str, tuple[str, ...]]:
    """Map our name of each tensor to transformers' inside the encoder: one, or three that are joined."""
    ours = dict.fromkeys(laion_name(_THEIRS + theirs) for theirs in encoder.state_dict())
    return {
        name.removeprefix(_OURS): tuple(theirs.removeprefix(_THEIRS) for theirs in transformers_names(name))
        for name in ours
    }


def _rename_for_disk(net: nn.Module, tensors: dict[str, Tensor], prefix: str, _metadata: dict[str, Any]) -> None:
    """After `state_dict()`: laion-clap's names in place of transformers', and its attention masks."""
    assert isinstance(net, _HtsatTower)
    for ours, theirs in net.sources.items():
        pieces = [tensors.pop(f"{prefix}encoder.{name}") for name in theirs]
        tensors[prefix + ours] = pieces[0] if len(pieces) == 1 else torch.cat(pieces)
    tensors.update({prefix + name: mask.clone() for name, mask in net.masks.items()})


def _rename_for_transformers(net: nn.Module, tensors: dict[str, Tensor], prefix: str, *_: object) -> None:
    """Before `load_state_dict()`: transformers' names in place of laion-clap's; what is missing stays missing."""
    assert isinstance(net, _HtsatTower)
    for name in net.masks:
        tensors.pop(prefix + name, None)
    for ours, theirs in net.sources.items():
        if prefix + ours in tensors:
            whole = tensors.pop(prefix + ours)
            pieces = whole.chunk(len(theirs)) if len(theirs) > 1 else (whole,)
            tensors.update({f"{prefix}encoder.{name}": piece for name, piece in zip(theirs, pieces, strict=True)})


def _attention_masks(tower: AudioTower) -> dict[str, Tensor]:
    """Return what laion-clap keeps for each block whose windows are shifted (Liu et al. 2021, section 3.2).

    Transformers computes the same masks when it needs them.
    """
    masks: dict[str, Tensor] = {}
    for stage, depth in enumerate(tower.depths):
        side = 64 // 2**stage  # patches
        if side > _WINDOW:
            masks |= {f"layers.{stage}.blocks.{block}.attn_mask": _mask(side) for block in range(1, depth, 2)}
    return masks


def _mask(side: int) -> Tensor:
    """Return what is added to the attention of each window of a shifted square: [windows, 64, 64], 0 or -100."""
    region = torch.zeros(side, dtype=torch.int64)  # which rows were neighbours before the shift
    region[-_WINDOW:-_SHIFT], region[-_SHIFT:] = 1, 2
    square = 3 * region[:, None] + region  # [side, side]
    windows = square.unfold(0, _WINDOW, _WINDOW).unfold(1, _WINDOW, _WINDOW).reshape(-1, _WINDOW**2)
    strangers = windows[:, None, :] != windows[:, :, None]
    return torch.zeros(strangers.shape).masked_fill(strangers, _MASKED)
