"""The log-mel front end: waveform [B, T] -> log-mel [B, 1, N, M], as AudioLDM's vocoder was trained with.

Magnitude STFT (power 1), Slaney mel scale and area norm, natural logarithm of max(mel, floor); not normalised further.
"""

from dataclasses import dataclass
from typing import Literal, get_args

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from engine.errors import ModelBrokenError

Centre = Literal["vocoder", "librosa"]


@dataclass(frozen=True)
class MelConfig:
    """The published AudioLDM front end; 10.24 s are 1024 frames."""

    sample_rate: int = 16_000  # Hz
    n_fft: int = 1024  # samples of window and transform, periodic Hann
    hop: int = 160  # samples: 100 frames a second
    num_mels: int = 64  # M
    fmin: float = 0.0  # Hz
    fmax: float = 8_000.0  # Hz
    floor: float = 1e-5  # ln(floor) = -11.51 is silence
    centre: Centre = "vocoder"  # how frames are centred, see `LogMel`; "librosa" encodes clips as the reference does

    def __post_init__(self) -> None:
        if self.centre not in get_args(Centre):
            expected = ", ".join(get_args(Centre))
            raise ModelBrokenError("its front end's config", f"centre is {self.centre!r}; expected {expected}")

    @property
    def frames_per_second(self) -> float:
        return self.sample_rate / self.hop


def slaney_filterbank(config: MelConfig) -> Tensor:
    """Triangles of unit area on Slaney's mel scale (linear below 1 kHz, logarithmic above): [M, n_fft // 2 + 1]."""
    with torch.device("cpu"):  # computed even where a net is built without memory, on the device `meta`
        return _slaney_filterbank(config)


def _slaney_filterbank(config: MelConfig) -> Tensor:
    step_hz, knee_hz, log_step = 200 / 3, 1000.0, torch.log(torch.tensor(6.4, dtype=torch.float64)) / 27

    def to_mel(hz: Tensor) -> Tensor:
        above = knee_hz / step_hz + torch.log(hz.clamp(min=knee_hz) / knee_hz) / log_step
        return torch.where(hz >= knee_hz, above, hz / step_hz)

    def to_hz(mel: Tensor) -> Tensor:
        knee = knee_hz / step_hz
        return torch.where(mel >= knee, knee_hz * torch.exp(log_step * (mel - knee)), mel * step_hz)

    ends = to_mel(torch.tensor([config.fmin, config.fmax], dtype=torch.float64))
    edges = to_hz(torch.linspace(ends[0].item(), ends[1].item(), config.num_mels + 2, dtype=torch.float64))  # [M + 2]
    bins = torch.linspace(0, config.sample_rate / 2, config.n_fft // 2 + 1, dtype=torch.float64)
    slopes, widths = edges[:, None] - bins, edges.diff()[:, None]
    rising, falling = -slopes[:-2] / widths[:-1], slopes[2:] / widths[1:]
    triangles = torch.minimum(rising, falling).clamp(min=0)
    return (triangles * (2 / (edges[2:] - edges[:-2]))[:, None]).float()


class LogMel(nn.Module):
    """waveform [B, T] -> log-mel [B, 1, N, M], N = T // hop.

    `centre="vocoder"` pads (n_fft - hop) / 2 on both sides: frame k is centred on sample hop·k + hop/2, the form that a
    vocoder inverts without shift. `centre="librosa"` pads n_fft / 2: frame k is centred on sample hop·k, half a hop
    earlier; the frame that librosa has beyond the N-th is left out, as the reference does.
    """

    window: Tensor
    filterbank: Tensor

    def __init__(self, config: MelConfig) -> None:
        super().__init__()
        self.config = config
        self.pad = (config.n_fft - config.hop) // 2 if config.centre == "vocoder" else config.n_fft // 2
        self.register_buffer("window", torch.hann_window(config.n_fft, device="cpu"), persistent=False)
        self.register_buffer("filterbank", slaney_filterbank(config), persistent=False)

    def forward(self, waveform: Tensor) -> Tensor:
        """Waveforms shorter than the padding are first filled up with silence on the right."""
        short = self.pad + 1 - waveform.shape[-1]
        if short > 0:
            waveform = F.pad(waveform, (0, short))
        padded = F.pad(waveform[:, None], (self.pad, self.pad), mode="reflect")[:, 0]
        spectrum = torch.stft(
            padded, self.config.n_fft, self.config.hop, window=self.window, center=False, return_complex=True
        )  # [B, n_fft // 2 + 1, N]
        if self.config.centre == "librosa":
            spectrum = spectrum[..., :-1]
        mel = torch.einsum("mf,bfn->bnm", self.filterbank, spectrum.abs())
        return mel.clamp(min=self.config.floor).log()[:, None]
