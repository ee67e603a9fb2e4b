"""Makes sinc.npz, of torchaudio alone (2.11, not among the tests' needs): `python tests/engine/golden/make_sinc.py`.

Noise at one rate, and what `torchaudio.functional.resample` makes of it with its defaults, computed in float64.
"""

from pathlib import Path

import numpy as np
import torch
from torchaudio.functional import resample

RATES = ((16_000, 48_000), (44_100, 16_000), (22_050, 16_000))

if __name__ == "__main__":
    waveform = torch.from_numpy(np.random.default_rng(5).standard_normal((2, 500)) * 0.3)
    made = {f"{old}_{new}": resample(waveform, old, new).float().numpy() for old, new in RATES}
    np.savez_compressed(Path(__file__).with_name("sinc.npz"), waveform=waveform.float().numpy(), **made)
