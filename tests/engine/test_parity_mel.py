"""The log-mel front end against librosa, in both of its centre conventions."""

import librosa
import numpy as np
import pytest
import torch

from engine.mel import LogMel, MelConfig, slaney_filterbank

CONFIGS = {
    "16 kHz, the published one": MelConfig(),
    "48 kHz, another band": MelConfig(sample_rate=48000, hop=480, fmin=50.0, fmax=14000.0),
}


def waveform(num_samples: int) -> torch.Tensor:
    """Noise under a glide, [2, T]."""
    generator = torch.Generator().manual_seed(0)
    time = torch.arange(num_samples) / 16000
    return 0.05 * torch.randn(2, num_samples, generator=generator) + 0.5 * torch.sin(2000 * time * (1 + time))


def librosa_log_mel(samples: np.ndarray, config: MelConfig, pad: int) -> np.ndarray:
    """[T] -> [N, M] in double precision."""
    padded = np.pad(samples.astype(np.float64), pad, mode="reflect")
    magnitude = np.abs(librosa.stft(padded, n_fft=config.n_fft, hop_length=config.hop, window="hann", center=False))
    filters = librosa.filters.mel(
        sr=config.sample_rate, n_fft=config.n_fft, n_mels=config.num_mels, fmin=config.fmin, fmax=config.fmax
    )
    return np.log(np.maximum(filters @ magnitude, config.floor)).T


@pytest.mark.parametrize("config", CONFIGS.values(), ids=CONFIGS.keys())
class TestAgreementWithLibrosa:
    def test_filterbank(self, config, relative_error):
        expected = librosa.filters.mel(
            sr=config.sample_rate, n_fft=config.n_fft, n_mels=config.num_mels, fmin=config.fmin, fmax=config.fmax
        )
        assert relative_error(slaney_filterbank(config), torch.from_numpy(expected)) <= 1e-6

    @pytest.mark.parametrize(("centre", "pad", "extra"), [("vocoder", None, 0), ("librosa", 512, 1)])
    def test_log_mel(self, config, centre, pad, extra, relative_error):
        pad = (config.n_fft - config.hop) // 2 if pad is None else pad
        sound = waveform(config.hop * 40)
        expected = np.stack([librosa_log_mel(row.numpy(), config, pad) for row in sound])
        ours = LogMel(config, centre)(sound)
        assert ours.shape == (2, 1, 40 + extra, config.num_mels)
        assert relative_error(ours[:, 0], torch.from_numpy(expected).float()) <= 1e-5

    def test_librosa_s_own_centring(self, config, relative_error):
        """`centre="librosa"` is what librosa does when it is left alone (with reflecting ends)."""
        sound = waveform(config.hop * 40)[0].numpy()
        magnitude = np.abs(librosa.stft(sound, n_fft=config.n_fft, hop_length=config.hop, pad_mode="reflect"))
        mel = slaney_filterbank(config).numpy() @ magnitude
        expected = torch.from_numpy(np.log(np.maximum(mel, config.floor)).T)
        assert relative_error(LogMel(config, "librosa")(torch.from_numpy(sound)[None])[0, 0], expected) <= 1e-5


def test_silence_is_the_floor():
    assert torch.equal(LogMel(MelConfig())(torch.zeros(1, 1600)), torch.full((1, 1, 10, 64), 1e-5).log())
