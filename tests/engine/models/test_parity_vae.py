"""The mel autoencoder against diffusers' AutoencoderKL, and its published size."""

import pytest
import torch

from engine.models.vae import Vae, VaeConfig
from tests.engine.twins import diffusers_vae

NARROW = VaeConfig(base_channels=32)


def log_mel(frames: int) -> torch.Tensor:
    """Values like those of the front end, [2, 1, N, 64]."""
    return -5 + 3 * torch.randn(2, 1, frames, 64, generator=torch.Generator().manual_seed(3))


@torch.inference_mode()
def check_encoder(vae: Vae, relative_error, frames: int) -> None:
    ours, theirs = vae.encode(log_mel(frames)), diffusers_vae(vae).encode(log_mel(frames)).latent_dist
    assert ours.mean.shape == (2, 8, frames // 4, 16)
    assert relative_error(ours.mean, theirs.mean) <= 1e-5
    assert relative_error(ours.logvar, theirs.logvar) <= 1e-5


@torch.inference_mode()
def check_decoder(vae: Vae, relative_error, frames: int) -> None:
    latent = torch.randn(2, 8, frames // 4, 16, generator=torch.Generator().manual_seed(4))
    assert relative_error(vae.decode(latent), diffusers_vae(vae).decode(latent).sample) <= 1e-5


class TestSize:
    def test_is_the_published_one(self):
        with torch.device("meta"):
            vae = Vae(VaeConfig())
        sizes = {name: sum(p.numel() for p in part.parameters()) for name, part in vae.named_children()}
        assert sizes == {"encoder": 22_395_024, "decoder": 32_981_505, "quant_conv": 272, "post_quant_conv": 72}
        assert sum(sizes.values()) == 55_376_873


@pytest.fixture(scope="module")
def vae(scramble) -> Vae:
    return scramble(Vae(NARROW), 1)


class TestAgreementWithDiffusers:
    def test_encode(self, vae, relative_error):
        check_encoder(vae, relative_error, frames=32)

    def test_decode(self, vae, relative_error):
        check_decoder(vae, relative_error, frames=32)

    def test_kl(self, vae):
        """The divergence is diffusers' own, which sums over a latent what we leave per element."""
        posterior = vae.encode(log_mel(32))
        theirs = diffusers_vae(vae).encode(log_mel(32)).latent_dist.kl()
        assert torch.allclose(posterior.kl().sum(dim=(1, 2, 3)), theirs, rtol=1e-4)

    @pytest.mark.slow
    def test_at_full_width(self, scramble, relative_error):
        vae = scramble(Vae(VaeConfig()), 2)
        check_encoder(vae, relative_error, frames=16)
        check_decoder(vae, relative_error, frames=16)
