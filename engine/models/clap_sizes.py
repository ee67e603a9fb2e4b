"""The sizes that LAION's CLAP comes in, and the front end that all of them share."""

from dataclasses import dataclass


@dataclass(frozen=True)
class TextTower:
    """RoBERTa (Liu et al. 2019). The published text projection fixes the width at 768."""

    num_layers: int = 12
    vocabulary_size: int = 50265
    num_heads: int = 12
    feed_forward: int = 3072
    num_positions: int = 514
    width: int = 768
    norm_eps: float = 1e-5  # of the layer norms


@dataclass(frozen=True)
class AudioTower:
    """HTSAT (Chen et al. 2022): a Swin transformer on the log-mel of ten seconds, folded to 256 x 256."""

    dim: int = 96  # of the first stage; doubles at each of the three next ones
    depths: tuple[int, int, int, int] = (2, 2, 6, 2)
    num_heads: tuple[int, int, int, int] = (4, 8, 16, 32)
    sample_rate: int = 48000  # Hz
    num_samples: int = 480000  # the tower takes exactly ten seconds

    @property
    def width(self) -> int:
        """Length of the vector that leaves the tower."""
        return 8 * self.dim


@dataclass(frozen=True)
class FrontEnd:
    """Power spectrogram, Slaney mel bands, decibels: 1001 frames of 10 ms for ten seconds at 48 kHz."""

    mel_bins: int = 64
    n_fft: int = 1024  # samples of window and transform, periodic Hann
    hop: int = 480  # samples
    fmin: float = 50.0  # Hz
    fmax: float = 14000.0  # Hz
    amin: float = 1e-10  # power below which all is -100 dB
    num_classes: int = 527  # AudioSet's, of two layers that CLAP's training left in the tower


TEXT_TOWERS: dict[str, TextTower] = {
    "roberta-base": TextTower(),
    "roberta-test": TextTower(num_layers=1, vocabulary_size=512, feed_forward=256),
}
AUDIO_TOWERS: dict[str, AudioTower] = {
    "HTSAT-tiny": AudioTower(),
    "HTSAT-base": AudioTower(dim=128, depths=(2, 2, 12, 2)),
    "HTSAT-test": AudioTower(dim=32, depths=(1, 1, 2, 1), num_heads=(2, 4, 8, 16)),
}
FRONT_END = FrontEnd()
