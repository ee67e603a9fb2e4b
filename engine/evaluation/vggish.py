"""VGGish: waveform -> one embedding of 128 numbers for every 0.96 s (Hershey et al. 2017; Gemmeke et al. 2017).

Parameters bear the names of the published PyTorch port. No weights ship: `retake models pull vggish`.
"""

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn

SAMPLE_RATE = 16_000  # Hz
WINDOW, HOP, N_FFT = 400, 160, 512  # samples: 25 ms and 10 ms
NUM_MELS, LOW_HZ, HIGH_HZ = 64, 125.0, 7_500.0
FRAMES = 96  # of an example: 0.96 s
MINIMUM_SAMPLES = WINDOW + (FRAMES - 1) * HOP  # 0.975 s: shorter sounds have no example
_OFFSET = 0.01  # added before the logarithm
_RANGE = 2.0  # to which whitened embeddings are clipped before they become 8 bits


@dataclass(frozen=True)
class VggishConfig:
    """The published sizes; narrower ones are for tests."""

    channels: tuple[int, ...] = (64, 128, 256, 512)
    hidden: int = 4096
    embedding_dim: int = 128


class Vggish(nn.Module):
    """Examples [K, 1, 96, 64] -> embeddings [K, 128].

    `forward` ends before the last ReLU, as Frechet audio distances take them (Kilgour et al. 2019). `released` is the
    form in which AudioSet's own embeddings were released: rectified, whitened by a PCA, and 8 bits.
    """

    pca_eigen_vectors: Tensor  # [128, 128]
    pca_means: Tensor  # [128]

    def __init__(self, config: VggishConfig | None = None) -> None:
        super().__init__()
        self.config = config or VggishConfig()
        c1, c2, c3, c4 = self.config.channels
        layers: list[nn.Module] = []
        for narrow, wide, deep in ((1, c1, False), (c1, c2, False), (c2, c3, True), (c3, c4, True)):
            layers += [nn.Conv2d(narrow, wide, 3, padding=1), nn.ReLU()]
            layers += [nn.Conv2d(wide, wide, 3, padding=1), nn.ReLU()] if deep else []
            layers += [nn.MaxPool2d(2)]
        self.features = nn.Sequential(*layers)
        flat, hidden = c4 * (FRAMES // 16) * (NUM_MELS // 16), self.config.hidden
        self.embeddings = nn.Sequential(
            nn.Linear(flat, hidden), nn.ReLU(), nn.Linear(hidden, hidden), nn.ReLU(),
            nn.Linear(hidden, self.config.embedding_dim),
        )  # fmt: skip
        dim = self.config.embedding_dim
        self.register_buffer("pca_eigen_vectors", torch.eye(dim), persistent=False)
        self.register_buffer("pca_means", torch.zeros(dim), persistent=False)

    def forward(self, examples: Tensor) -> Tensor:
        hidden = self.features(examples).permute(0, 2, 3, 1)  # channels last, as TensorFlow flattens
        embeddings: Tensor = self.embeddings(hidden.flatten(1))
        return embeddings

    def released(self, examples: Tensor) -> Tensor:
        """Whole numbers from 0 to 255, as float: [K, 128]."""
        whitened = (torch.relu(self(examples)) - self.pca_means) @ self.pca_eigen_vectors.T
        return ((whitened.clamp(-_RANGE, _RANGE) + _RANGE) * (255 / (2 * _RANGE))).round()


def examples_of(waveform: Tensor) -> Tensor:
    """Waveform [T] at 16 kHz -> consecutive log-mel examples [K, 1, 96, 64]; the remainder is dropped.

    Raises ValueError below 0.975 s, which is one example.
    """
    if len(waveform) < MINIMUM_SAMPLES:
        raise ValueError(f"{len(waveform)} samples; expected at least {MINIMUM_SAMPLES}")
    frames = waveform.double().unfold(0, WINDOW, HOP) * torch.hann_window(WINDOW, dtype=torch.float64)
    log_mel: Tensor = (torch.fft.rfft(frames, N_FFT).abs() @ htk_filterbank() + _OFFSET).log()  # [N, M]
    count = len(log_mel) // FRAMES
    return log_mel[: count * FRAMES].float().reshape(count, 1, FRAMES, NUM_MELS)


def htk_filterbank() -> Tensor:
    """Triangles of height one, straight on HTK's mel scale; the constant part is left out: [n_fft // 2 + 1, M]."""

    def to_mel(hz: Tensor | float) -> Tensor:
        return 1127.0 * torch.log1p(torch.as_tensor(hz, dtype=torch.float64) / 700.0)

    bins = to_mel(torch.linspace(0, SAMPLE_RATE / 2, N_FFT // 2 + 1, dtype=torch.float64))[:, None]
    low, high = to_mel(LOW_HZ).item(), to_mel(HIGH_HZ).item()
    edges = torch.linspace(low, high, NUM_MELS + 2, dtype=torch.float64)
    rising = (bins - edges[:-2]) / edges.diff()[:-1]
    falling = (edges[2:] - bins) / edges.diff()[1:]
    triangles = torch.minimum(rising, falling).clamp(min=0)
    triangles[0] = 0
    return triangles


def seconds_needed() -> float:
    """The shortest sound that has an embedding, rounded up to a millisecond."""
    return math.ceil(1000 * MINIMUM_SAMPLES / SAMPLE_RATE) / 1000
