"""Makes the golden arrays beside it, of librosa and diffusers alone: `python tests/engine/golden/make_golden.py`.

Nothing of ours is imported. The arrays change only when what we hold to be right changes.
"""

import sys
from pathlib import Path

import librosa
import numpy as np
import torch
from diffusers import DDIMScheduler, DPMSolverMultistepScheduler
from numpy.typing import NDArray

RATE, N_FFT, HOP, NUM_MELS, FLOOR = 16_000, 1024, 160, 64, 1e-5
SCHEDULE = {"beta_start": 0.0015, "beta_end": 0.0195, "beta_schedule": "scaled_linear", "num_train_timesteps": 1000}
MEAN, DEVIATION = 0.5, 0.3  # of the Gaussian that the analytic denoiser stands for

Array = NDArray[np.floating]


def front_end() -> dict[str, Array]:
    """A fifth of a second of a glide with noise, silent at its end, and its log-mel in both centre conventions."""
    time = np.arange(3200) / RATE
    glide = 0.4 * np.sin(2 * np.pi * (200 + 9_000 * time) * time) * (time < 0.15)
    waveform = (glide + 0.05 * np.random.default_rng(1).standard_normal(3200) * (time < 0.1)).astype(np.float32)
    filters = librosa.filters.mel(sr=RATE, n_fft=N_FFT, n_mels=NUM_MELS, fmin=0, fmax=8000)

    def log_mel(pad: int) -> Array:
        padded = np.pad(waveform.astype(np.float64), pad, mode="reflect")
        magnitude = np.abs(librosa.stft(padded, n_fft=N_FFT, hop_length=HOP, window="hann", center=False))
        return np.log(np.maximum(filters @ magnitude, FLOOR)).T[: len(waveform) // HOP].astype(np.float32)

    return {
        "waveform": waveform,
        "filterbank": filters,
        "log_mel_vocoder": log_mel((N_FFT - HOP) // 2),
        "log_mel_librosa": log_mel(N_FFT // 2),
    }


def samplers() -> dict[str, Array]:
    """The schedule, and whole trajectories of both samplers for Gaussian sounds."""
    ddim = DDIMScheduler(**SCHEDULE, steps_offset=1, set_alpha_to_one=False, clip_sample=False)
    dpm = DPMSolverMultistepScheduler(**SCHEDULE, final_sigmas_type="zero")
    noise = np.random.default_rng(2).standard_normal((1, 2, 4, 4)).astype(np.float32)
    ddim.set_timesteps(50)
    dpm.set_timesteps(20)
    return {
        "alphas_cumprod": ddim.alphas_cumprod.numpy(),
        "noise": noise,
        "ddim_timesteps": ddim.timesteps.numpy(),
        "ddim": _trajectory(ddim, noise),
        "dpm_timesteps": dpm.timesteps.numpy(),
        "dpm": _trajectory(dpm, noise),
    }


def _trajectory(scheduler: DDIMScheduler | DPMSolverMultistepScheduler, noise: Array) -> Array:
    """Latents after each step, [steps, 1, 2, 4, 4]; the denoiser is the exact ε for the Gaussian."""
    x, trajectory = torch.from_numpy(noise), []
    for t in scheduler.timesteps:
        alpha_bar = float(scheduler.alphas_cumprod[t])
        eps = (1 - alpha_bar) ** 0.5 * (x - alpha_bar**0.5 * MEAN) / (alpha_bar * DEVIATION**2 + 1 - alpha_bar)
        x = scheduler.step(eps, t, x).prev_sample
        trajectory.append(x.numpy())
    return np.stack(trajectory)


if __name__ == "__main__":
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent
    np.savez_compressed(folder / "front_end.npz", **front_end())
    np.savez_compressed(folder / "samplers.npz", **samplers())
