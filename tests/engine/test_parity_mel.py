"""The log-mel front end against librosa, in both of its centre conventions."""

from dataclasses import replace

import librosa
import numpy as np
import pytest
import torch

from engine import Audio, Engine, Restyle
from engine.checkpoints.store import load_model, save_model
from engine.errors import ModelBrokenError
from engine.mel import LogMel, MelConfig, slaney_filterbank
from engine.presets import PRESETS, build

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

    @pytest.mark.parametrize("centre", ["vocoder", "librosa"])
    def test_log_mel(self, config, centre, relative_error):
        pad = (config.n_fft - config.hop) // 2 if centre == "vocoder" else config.n_fft // 2
        sound = waveform(config.hop * 40)
        expected = np.stack([librosa_log_mel(row.numpy(), config, pad)[:40] for row in sound])
        ours = LogMel(replace(config, centre=centre))(sound)
        assert ours.shape == (2, 1, 40, config.num_mels)
        assert relative_error(ours[:, 0], torch.from_numpy(expected).float()) <= 1e-5

    def test_librosa_s_own_centring(self, config, relative_error):
        """`centre="librosa"` is what librosa does when it is left alone (with reflecting ends), but the last frame."""
        sound = waveform(config.hop * 40)[0].numpy()
        magnitude = np.abs(librosa.stft(sound, n_fft=config.n_fft, hop_length=config.hop, pad_mode="reflect"))
        mel = slaney_filterbank(config).numpy() @ magnitude[:, :-1]
        expected = torch.from_numpy(np.log(np.maximum(mel, config.floor)).T)
        ours = LogMel(replace(config, centre="librosa"))(torch.from_numpy(sound)[None])
        assert relative_error(ours[0, 0], expected) <= 1e-5


@pytest.mark.parametrize("centre", ["vocoder", "librosa"])
@pytest.mark.parametrize("num_samples", [1600, 1601, 1759, 163_840])
def test_a_frame_a_hop_in_both_conventions(centre, num_samples):
    assert LogMel(MelConfig(centre=centre))(torch.zeros(1, num_samples)).shape == (1, 1, num_samples // 160, 64)


class TestCentreAsASetting:
    def test_it_is_kept_in_a_model_s_folder(self, tmp_path):
        preset = PRESETS["tiny"]
        save_model(build(replace(preset, mel=replace(preset.mel, centre="librosa"))), tmp_path)
        assert load_model(tmp_path).log_mel.pad == 512

    def test_a_clip_is_restyled_with_either(self):
        clip = Audio(waveform(8_000)[:1].numpy(), 16_000)
        takes = []
        for centre in ("vocoder", "librosa"):
            model = build(replace(PRESETS["tiny"], mel=MelConfig(centre=centre)))
            takes += Engine(model).run(Restyle(clip, "thunder", strength=0.2, steps=5))
        assert takes[0].num_samples == takes[1].num_samples == clip.num_samples
        assert not np.allclose(takes[0].samples, takes[1].samples, atol=1e-3)

    def test_a_third_is_refused(self):
        with pytest.raises(ModelBrokenError, match="centre is 'left'; expected vocoder, librosa"):
            MelConfig(centre="left")


def test_silence_is_the_floor():
    assert torch.equal(LogMel(MelConfig())(torch.zeros(1, 1600)), torch.full((1, 1, 10, 64), 1e-5).log())
