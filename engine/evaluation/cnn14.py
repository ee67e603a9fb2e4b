"""PANNs Cnn14 at 16 kHz: waveform -> an embedding and the logits of AudioSet's 527 classes (Kong et al. 2020).

Parameters bear their published names. The two fixed convolutions by which the published net computes its STFT are left
to `torch.stft`; the mel matrix is taken from the file. No weights ship: `retake models pull panns`.
"""

from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from engine.mel import MelConfig, slaney_filterbank

SAMPLE_RATE = 16_000  # Hz
MINIMUM_SAMPLES = 32_000  # shorter clips are filled up with silence, as audioldm_eval does
FRONT_END = MelConfig(sample_rate=SAMPLE_RATE, n_fft=512, hop=160, num_mels=64, fmin=50.0, fmax=8_000.0)
COMPUTED = ("spectrogram_extractor.",)  # published tensors that are formulas, not learned, and not needed here
_QUIETEST = 1e-10  # power


@dataclass(frozen=True)
class Cnn14Config:
    """The published sizes; narrower ones are for tests."""

    channels: tuple[int, ...] = (64, 128, 256, 512, 1024, 2048)
    num_classes: int = 527


class Cnn14(nn.Module):
    """waveform [B, T] -> embedding [B, 2048] after its ReLU, and logits [B, 527] before any sigmoid."""

    def __init__(self, config: Cnn14Config | None = None) -> None:
        super().__init__()
        self.config = config or Cnn14Config()
        width = self.config.channels[-1]
        self.logmel_extractor = _PowerMel()
        self.bn0 = nn.BatchNorm2d(FRONT_END.num_mels)
        for number, (narrow, wide) in enumerate(pairwise((1, *self.config.channels)), start=1):
            self.add_module(f"conv_block{number}", _ConvBlock(narrow, wide))
        self.fc1 = nn.Linear(width, width)
        self.fc_audioset = nn.Linear(width, self.config.num_classes)

    def forward(self, waveform: Tensor) -> tuple[Tensor, Tensor]:
        short = MINIMUM_SAMPLES - waveform.shape[-1]
        log_mel = self.logmel_extractor(F.pad(waveform, (0, short)) if short > 0 else waveform)  # [B, 1, N, M]
        hidden = self.bn0(log_mel.transpose(1, 3)).transpose(1, 3)
        count = len(self.config.channels)
        for number in range(1, count + 1):
            hidden = self.get_submodule(f"conv_block{number}")(hidden)
            if number < count:
                hidden = F.avg_pool2d(hidden, 2)
        over_time = hidden.mean(dim=3)  # [B, C, N / 32]
        embedding = F.relu(self.fc1(over_time.amax(dim=2) + over_time.mean(dim=2)))
        return embedding, self.fc_audioset(embedding)


class _PowerMel(nn.Module):
    """waveform [B, T] -> power mel in decibels [B, 1, N, M], frames centred, edges reflected."""

    melW: Tensor  # noqa: N815 - its published name; [n_fft // 2 + 1, M]
    window: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("melW", slaney_filterbank(FRONT_END).T.contiguous())
        self.register_buffer("window", torch.hann_window(FRONT_END.n_fft), persistent=False)

    def forward(self, waveform: Tensor) -> Tensor:
        spectrum = torch.stft(
            waveform, FRONT_END.n_fft, FRONT_END.hop, window=self.window, pad_mode="reflect", return_complex=True
        )
        power = spectrum.real.square() + spectrum.imag.square()  # [B, n_fft // 2 + 1, N]
        return 10 * (power.transpose(1, 2) @ self.melW).clamp(min=_QUIETEST).log10()[:, None]


class _ConvBlock(nn.Module):
    """Two 3x3 convolutions, each normalised and rectified."""

    def __init__(self, narrow: int, wide: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(narrow, wide, 3, padding=1, bias=False)
        self.conv2 = nn.Conv2d(wide, wide, 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(wide)
        self.bn2 = nn.BatchNorm2d(wide)

    def forward(self, hidden: Tensor) -> Tensor:
        return F.relu(self.bn2(self.conv2(F.relu(self.bn1(self.conv1(hidden))))))
