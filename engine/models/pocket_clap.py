"""A CLAP of half a million parameters for the shipped model, trained on the procedural corpus.

Audio: a convolutional tower on 40-ms pooled log-mel, helped by the spectrum of its slow modulations (how often events
come). Text: words as bags of hashed character n-grams (Bojanowski et al. 2017), so "raining" is close to "rain" and no
vocabulary file is needed, then a small transformer. Same interface as the CLAP of the published checkpoints.
"""

import re
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from engine.mel import LogMel, MelConfig

_WORD = re.compile(r"[^\W_]+(?:['-][^\W_]+)*")
_POOL = 4  # mel frames per step of the audio tower: 40 ms
_MODULATIONS = 64  # bins of the modulation spectrum: 0.2 to 12.5 Hz
_EAR_RANGES = 4  # of frequency, that the ear for recordings keeps apart
_EAR_DEPTH = 11.5 / 3  # standard deviations of the log-mel below the loudest point that it hears: 100 dB
_POCKET_SECONDS = 5.12  # length of the clips that the audio tower was trained on


@dataclass(frozen=True)
class PocketClapConfig:
    embedding_dim: int = 128  # D
    audio_channels: tuple[int, ...] = (32, 64, 96, 128)
    ear_channels: tuple[int, ...] | None = None  # of the ear for recordings; None: the tower has none
    text_width: int = 128
    text_layers: int = 2
    num_buckets: int = 4096  # of the n-gram hash; bucket 0 pads
    max_words: int = 24  # the rest of a longer prompt is not read
    max_pieces: int = 20  # n-grams per word
    sharpness: float = 6.0  # factor on cosines whose softmax says how likely a recording is of each kind
    mel_mean: float = -4.5
    mel_std: float = 3.0
    known_words: tuple[str, ...] = field(default=(), repr=False)  # words that name a sound of the training corpus


def words_of(prompt: str) -> list[str]:
    """The words of a prompt in any script, in lower case."""
    return _WORD.findall(prompt.lower())


def hashed_pieces(word: str, num_buckets: int, max_pieces: int) -> list[int]:
    """The word itself and its character 3- to 5-grams, each as a bucket from 1 to num_buckets - 1."""
    marked = f"<{word}>"
    grams = [marked[i : i + n] for n in (3, 4, 5) for i in range(len(marked) - n + 1) if n < len(marked)]
    return [1 + zlib.crc32(piece.encode()) % (num_buckets - 1) for piece in [marked, *grams][:max_pieces]]


class PocketTextTower(nn.Module):
    """Word pieces [B, L, P] -> [B, D]; position 0 is a start token, so that the empty prompt has an embedding too."""

    def __init__(self, config: PocketClapConfig) -> None:
        super().__init__()
        self.config = config
        width = config.text_width
        self.pieces = nn.Embedding(config.num_buckets, width, padding_idx=0)
        self.positions = nn.Parameter(torch.randn(config.max_words + 1, width) * 0.02)
        layer = nn.TransformerEncoderLayer(width, 4, 2 * width, 0.1, batch_first=True, norm_first=True)
        self.transformer = nn.TransformerEncoder(layer, config.text_layers, enable_nested_tensor=False)
        self.project = nn.Linear(width, config.embedding_dim)

    def tokenise(self, prompts: Sequence[str]) -> Tensor:
        """Prompts -> int64 [B, L, P]; every prompt starts with the token "<>", zeros pad."""
        config = self.config
        rows = [
            [
                hashed_pieces(word, config.num_buckets, config.max_pieces)
                for word in ["", *words_of(prompt)[: config.max_words]]
            ]
            for prompt in prompts
        ]
        ids = torch.zeros(len(rows), max(map(len, rows)), config.max_pieces, dtype=torch.int64)
        for b, row in enumerate(rows):
            for position, pieces in enumerate(row):
                ids[b, position, : len(pieces)] = torch.tensor(pieces)
        return ids

    def forward(self, ids: Tensor) -> Tensor:
        used = (ids > 0).float()  # [B, L, P]
        counts = used.sum(2, keepdim=True)
        words = self.pieces(ids).sum(2) / counts.clamp(min=1)
        padding = counts[..., 0] == 0
        hidden = self.transformer(words + self.positions[: ids.shape[1]], src_key_padding_mask=padding)
        kept = (~padding).float()[..., None]
        out: Tensor = self.project((hidden * kept).sum(1) / kept.sum(1))
        return out


class RecordingEar(nn.Module):
    """Pooled log-mel -> what is added to the tower's unit vector, [B, D]: at first nothing, learned from recordings.

    It hears each clip relative to its loudest point, and each band relative to its own mean, so that neither level nor
    the colour of microphone and room say much; and it keeps four ranges of frequency apart.
    """

    def __init__(self, channels: tuple[int, ...], embedding_dim: int) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for index, (narrow, wide) in enumerate(pairwise((3, *channels))):
            layers += [nn.Conv2d(narrow, wide, 3, (2, 2), 1, bias=False), nn.BatchNorm2d(wide), nn.ReLU()]
            if index > 1:
                layers += [nn.Conv2d(wide, wide, 3, 1, 1, bias=False), nn.BatchNorm2d(wide), nn.ReLU()]
        self.convolutions = nn.Sequential(*layers)
        width = 2 * _EAR_RANGES * channels[-1]
        last = nn.Linear(256, embedding_dim)
        nn.init.zeros_(last.weight)
        nn.init.zeros_(last.bias)
        hidden = [nn.Linear(width, 256), nn.LayerNorm(256), nn.GELU()]  # which cannot die while the ear says nothing
        self.head = nn.Sequential(nn.Dropout(0.2), *hidden, nn.Dropout(0.2), last)

    def forward(self, pooled: Tensor) -> Tensor:
        """[B, 2, N/4, M] -> [B, D]."""
        relative = (pooled - pooled.amax((1, 2, 3), keepdim=True)).clamp(min=-_EAR_DEPTH) / 2 + 1
        levelled = pooled[:, :1] - pooled[:, :1].mean(2, keepdim=True)
        hidden = self.convolutions(torch.cat([relative, levelled], dim=1))
        ranges = F.adaptive_avg_pool2d(hidden, (hidden.shape[2], _EAR_RANGES))
        out: Tensor = self.head(torch.cat([ranges.mean(2), ranges.amax(2)], dim=1).flatten(1))
        return out


class PocketAudioTower(nn.Module):
    """Pooled log-mel of 5.12 s -> [B, D]."""

    def __init__(self, config: PocketClapConfig, num_mels: int) -> None:
        super().__init__()
        self.config = config
        layers: list[nn.Module] = []
        channels = 2
        for index, width in enumerate(config.audio_channels):
            layers += [nn.Conv2d(channels, width, 3, (2, 2), 1), nn.BatchNorm2d(width), nn.ReLU()]
            if index > 1:
                layers += [nn.Conv2d(width, width, 3, 1, 1), nn.BatchNorm2d(width), nn.ReLU()]
            channels = width
        self.convolutions = nn.Sequential(*layers)
        self.modulation = nn.Linear(_MODULATIONS, 64)
        self.head = nn.Sequential(nn.Linear(2 * channels + 64, 256), nn.ReLU(), nn.Linear(256, config.embedding_dim))
        self.num_mels = num_mels
        self.ear = RecordingEar(config.ear_channels, config.embedding_dim) if config.ear_channels else None

    def pool(self, log_mel: Tensor) -> Tensor:
        """log-mel [B, 1, N, M] -> mean and maximum over 40 ms, [B, 2, 128, M]; shorter clips are repeated."""
        wanted = 2 * _MODULATIONS * _POOL
        log_mel = log_mel.repeat(1, 1, -(-wanted // log_mel.shape[2]), 1)[:, :, :wanted]
        x = ((log_mel[:, 0] - self.config.mel_mean) / self.config.mel_std).unflatten(1, (-1, _POOL))
        return torch.stack([x.mean(2), x.amax(2)], dim=1)

    def forward(self, pooled: Tensor) -> Tensor:
        """[B, 2, N/4, M] -> [B, D], not normalised."""
        out = self.without_ear(pooled)
        return out if self.ear is None else F.normalize(out, dim=1) + self.ear(pooled)

    def without_ear(self, pooled: Tensor) -> Tensor:
        """The same by what was learnt from the corpus alone."""
        hidden = self.convolutions(pooled)
        loudness = pooled[:, 1].mean(2)
        modulation = torch.fft.rfft(loudness - loudness.mean(1, keepdim=True), dim=1).abs()[:, 1 : _MODULATIONS + 1]
        features = [hidden.mean((2, 3)), hidden.amax((2, 3)), self.modulation(torch.log1p(modulation))]
        out: Tensor = self.head(torch.cat(features, dim=1))
        return out


class PocketClap(nn.Module):
    """Both towers, with the learned temperature of their contrast (Radford et al. 2021)."""

    def __init__(self, config: PocketClapConfig, mel: MelConfig) -> None:
        super().__init__()
        self.config = config
        self.log_mel = LogMel(mel)
        self.text = PocketTextTower(config)
        self.audio = PocketAudioTower(config, mel.num_mels)
        self.log_temperature = nn.Parameter(torch.tensor(1 / 0.07).log())
        self._known = frozenset(config.known_words)

    @property
    def embedding_dim(self) -> int:
        return self.config.embedding_dim

    @property
    def has_audio_tower(self) -> bool:
        return True

    def embed_text(self, prompts: Sequence[str]) -> Tensor:
        """Prompts -> unit vectors [B, D]."""
        return F.normalize(self.text(self.text.tokenise(prompts).to(self.log_temperature.device)), dim=1)

    def embed_audio(self, waveform: Tensor, sample_rate: int) -> Tensor:
        """Waveform [B, T] -> unit vectors [B, D]; short clips are repeated, long ones averaged over windows."""
        if sample_rate != self.log_mel.config.sample_rate:
            message = f"PocketClap hears {self.log_mel.config.sample_rate} Hz, not {sample_rate} Hz"
            raise ValueError(message)
        window = round(_POCKET_SECONDS * sample_rate)
        repeats = -(-window // waveform.shape[1])
        whole = waveform.repeat(1, repeats) if repeats > 1 else waveform
        num_windows = max(1, whole.shape[1] // window)
        windows = whole[:, : num_windows * window].unflatten(1, (num_windows, window))  # [B, K, window]
        embedded = [self.embed_log_mel(self.log_mel(one)) for one in windows.unbind(1)]
        return F.normalize(torch.stack(embedded).mean(dim=0), dim=1)

    def embed_log_mel(self, log_mel: Tensor) -> Tensor:
        """Log-mel [B, 1, N, M] -> unit vectors [B, D], of the first 5.12 s; shorter ones are repeated."""
        return F.normalize(self.audio(self.audio.pool(log_mel)), dim=1)

    def knows(self, prompt: str) -> bool:
        """Whether a word of the prompt names a sound of the training corpus."""
        return not self._known or any(word in self._known for word in words_of(prompt))
