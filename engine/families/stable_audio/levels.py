"""Noise levels of Stable Audio 3: where its denoiser is asked on the way from noise to sound, on the straight path."""

import torch


def noise_shares(num_steps: int, lowest_log_snr: float, highest_log_snr: float, start: float = 1.0) -> list[float]:
    """σ at each step, from `start` down, num_steps of them.

    Evenly spaced in ln((1 - σ) / σ) between the bounds, as the authors' code places them. Below 1 the way begins at
    exactly `start`, where the clip was noised to, and its second level is what a start of 1 would have at that share:
    for some starts the first step therefore adds noise.
    """
    share = torch.linspace(start, 0.0, num_steps + 1)
    sigmas = torch.sigmoid(share * (highest_log_snr - lowest_log_snr) - highest_log_snr)
    return [start, *sigmas[1:-1].tolist()]
