"""The parts assembled: waveform -> log-mel -> latent and back, prompts and sounds -> embeddings, and the denoiser.

The only file that knows the strides between the spaces, and the only one that scales latents.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from engine.diffusion.guidance import DenoiseFollowing, Net, Prediction, guided_denoiser
from engine.diffusion.path import VariancePreserving
from engine.diffusion.schedule import NoiseSchedule, lay_schedule, timesteps_for
from engine.diffusion.solvers import SAMPLERS, Sampler, sample_dpm_solver_2m
from engine.mel import LogMel, MelConfig
from engine.model import Capabilities, Habits, Scorer
from engine.models.clap import ClapConfig, LaionClap
from engine.models.clap_interface import Clap
from engine.models.pocket_clap import PocketClap, PocketClapConfig
from engine.models.unet import UNet, UNetConfig
from engine.models.vae import Vae, VaeConfig
from engine.models.vocoder import HiFiGanConfig, VocoderConfig, build_vocoder


@dataclass(frozen=True)
class DraftConfig:
    """Of the draft net: a second denoiser of the UNet's shape, distilled to few long DDIM steps, guidance included."""

    timesteps: tuple[int, ...]  # descending; it knows no others
    guidance: float  # of the denoiser that it was distilled from; it needs none itself


@dataclass(frozen=True)
class AudioLDMConfig:
    """Everything that distinguishes one model from another except its weights; the defaults are AudioLDM-S."""

    name: str
    mel: MelConfig = field(default_factory=MelConfig)
    vae: VaeConfig = field(default_factory=VaeConfig)
    unet: UNetConfig = field(default_factory=UNetConfig)
    vocoder: VocoderConfig = field(default_factory=HiFiGanConfig)
    clap: ClapConfig | PocketClapConfig = field(default_factory=ClapConfig)
    schedule: VariancePreserving = field(default_factory=VariancePreserving)
    prediction: Prediction = "eps"
    draft: DraftConfig | None = None
    clip_x0: float | None = None  # bound on predicted clean latents
    normalise_peak: float | None = 0.5  # clips are brought to this peak before they are encoded; None keeps their level
    window_rows: int = 256  # latent rows of a training clip: 10.24 s
    shortest_s: float = 2.5  # shortest render in seconds, then cut; the published nets were trained on nothing shorter
    default_steps: int = 25
    default_guidance: float = 2.5
    default_tries: int = 1  # at most, for a take from words; see engine/operations/tries.py
    good_match: float | None = None  # CLAP score from which on no further try is made; None: all are, the best is kept
    default_structure: float = 0.0  # of a restyle: 0 is plain noising, as the reference does it; up to 1
    sounds: tuple[str, ...] = ()  # what it can make, where that is a short list
    licence: str = "Apache-2.0"
    source: str = ""  # where the weights came from, in words; empty for Retake's own


class AudioLDM(nn.Module):
    """A model with its parts; weights are random until a checkpoint is loaded.

    The denoisers may compute in half precision; autoencoder, vocoder and CLAP, and all that comes out, are float32.

    Shape letters: B batch, T samples, N mel frames, M mel bins, Z latent channels, H latent rows, W latent columns,
    D embedding.
    """

    latent_mean: Tensor
    latent_scale: Tensor

    def __init__(self, config: AudioLDMConfig) -> None:
        super().__init__()
        self.config = config
        self.log_mel = LogMel(config.mel)
        self.vae = Vae(config.vae)
        self.unet = UNet(config.unet)
        self.vocoder = build_vocoder(config.vocoder, config.mel)
        self._clap = (
            PocketClap(config.clap, config.mel) if isinstance(config.clap, PocketClapConfig) else LaionClap(config.clap)
        )
        self.register_buffer("latent_mean", torch.zeros(config.vae.latent_channels))
        self.register_buffer("latent_scale", torch.ones(config.vae.latent_channels))
        self.draft = UNet(config.unet) if config.draft else None

    @property
    def clap(self) -> Clap:
        return self._clap

    @property
    def name(self) -> str:
        return self.config.name

    @property
    def channels(self) -> int:
        return 1

    @property
    def window_rows(self) -> int:
        """Latent rows of a training clip."""
        return self.config.window_rows

    @property
    def default_steps(self) -> int:
        return self.config.default_steps

    @property
    def default_guidance(self) -> float:
        return self.config.default_guidance

    @property
    def top_hz(self) -> float:
        """Hz."""
        return min(self.config.mel.fmax, self.config.mel.sample_rate / 2)

    @property
    def habits(self) -> Habits:
        config = self.config
        return Habits(
            shortest_s=config.shortest_s,
            peak=config.normalise_peak,
            structure=config.default_structure,
            tries=config.default_tries,
            good_match=config.good_match,
        )

    @property
    def capabilities(self) -> Capabilities:
        return Capabilities(
            hearing=True,
            log_mels=True,
            curves=tuple(self.config.unet.curves),
            contour=True,
            band_masks=True,
            widening=True,
            samplers=tuple(SAMPLERS),
        )

    @property
    def scorer(self) -> Scorer | None:
        return self.clap if self.clap.has_audio_tower else None

    @property
    def solver(self) -> Sampler:
        return sample_dpm_solver_2m

    @property
    def device(self) -> torch.device:
        return self.latent_scale.device

    @property
    def sample_rate(self) -> int:
        """Hz."""
        return self.config.mel.sample_rate

    @property
    def samples_per_row(self) -> int:
        """Waveform samples in one latent row."""
        return self.config.mel.hop * self.config.vae.stride

    @property
    def row_multiple(self) -> int:
        """Latent rows come in multiples of this."""
        return self.config.unet.stride

    def rows_for(self, num_samples: int) -> int:
        """Return the number of latent rows that cover `num_samples`, rounded up to what the UNet accepts."""
        unit = self.samples_per_row * self.row_multiple
        return max(1, -(-num_samples // unit)) * self.row_multiple

    def latent_shape(self, rows: int) -> tuple[int, int, int]:
        """Return (Z, H, W) of a latent with that many rows."""
        return self.config.vae.latent_channels, rows, self.config.mel.num_mels // self.config.vae.stride

    def condition(self, prompts: Sequence[str], seconds: float) -> Tensor:
        """Prompts -> [B, D]; nets of this family are not told a length."""
        del seconds
        return self.embed_text(prompts)

    def left_out(self, prompt: str) -> str:
        """Nothing that could be told: CLAP embeds what it reads of a prompt."""
        del prompt
        return ""

    def schedule(self, num_steps: int, start: float = 1.0) -> NoiseSchedule:
        """From that share of the way down to the clean latent."""
        path = self.config.schedule
        return lay_schedule(path, timesteps_for(num_steps, path, start))

    def given(self, latent: Tensor, keep: Tensor | None) -> None:
        """Nothing: what is known is imposed on the latent."""

    def encode_sound(self, waveform: Tensor) -> Tensor:
        """Waveform [B, 1, T] at the model's rate -> latent [B, Z, H, W]; silence fills what is missing to rows."""
        missing = self.rows_for(waveform.shape[-1]) * self.samples_per_row - waveform.shape[-1]
        return self.encode(self.log_mel(F.pad(waveform[:, 0].to(self.device), (0, missing))))

    def decode_sound(self, latent: Tensor, generator: torch.Generator | None = None) -> Tensor:
        """Latent [B, Z, H, W] -> waveform [B, 1, T]; the generator is for vocoders that draw phases."""
        return self.vocode(self.decode(latent), generator)[:, None]

    def embed_text(self, prompts: Sequence[str]) -> Tensor:
        """Prompts -> [B, D]; the empty prompt is the unconditional embedding."""
        return self.clap.embed_text(prompts)

    def embed_audio(self, waveform: Tensor) -> Tensor:
        """Waveform [B, T] at the model's rate -> [B, D]."""
        return self.clap.embed_audio(waveform.to(self.device), self.sample_rate)

    def embed_log_mel(self, log_mel: Tensor) -> Tensor:
        """Log-mel [B, 1, N, M] -> [B, D], without a vocoder where CLAP accepts log-mels of this kind."""
        if isinstance(self._clap, PocketClap):
            return self._clap.embed_log_mel(log_mel)
        return self.embed_audio(self.vocode(log_mel))

    def encode(self, log_mel: Tensor) -> Tensor:
        """Log-mel [B, 1, N, M], N = H · vae.stride -> latent [B, Z, H, W], the posterior's mean."""
        mean = self.vae.encode(log_mel).mean
        return (mean - self._per_channel(self.latent_mean)) * self._per_channel(self.latent_scale)

    def decode(self, latent: Tensor) -> Tensor:
        """Latent [B, Z, H, W] -> log-mel [B, 1, N, M]."""
        return self.vae.decode(latent / self._per_channel(self.latent_scale) + self._per_channel(self.latent_mean))

    @property
    def sketches(self) -> bool:
        """Whether the autoencoder has a linear path, which `sketch` and `encode_change` need."""
        return self.config.vae.linear_skip

    def sketch(self, latent: Tensor) -> Tensor:
        """Latent [B, Z, H, W] -> log-mel [B, 1, N, M]: an approximation of `decode` at next to no cost."""
        return self.vae.decode_linearly(
            latent / self._per_channel(self.latent_scale) + self._per_channel(self.latent_mean)
        )

    def encode_change(self, change: Tensor) -> Tensor:
        """A change of the log-mel [B, 1, N, M] -> what it changes in the latent [B, Z, H, W], nearly."""
        return self.vae.encode_change(change) * self._per_channel(self.latent_scale)

    def vocode(self, log_mel: Tensor, generator: torch.Generator | None = None) -> Tensor:
        """Log-mel [B, 1, N, M] -> waveform [B, N·hop]; the generator is for vocoders that draw phases."""
        waveform: Tensor = self.vocoder(log_mel, generator)
        return waveform

    def denoiser(
        self, embedding: Tensor, negative: Tensor | None = None, guidance: float | None = None
    ) -> DenoiseFollowing:
        """A denoiser towards embedding [B, D], away from negative [B, D] (the empty prompt if None)."""
        if negative is None:
            negative = self.embed_text([""]).expand_as(embedding)
        scale = self.config.default_guidance if guidance is None else guidance
        return guided_denoiser(
            in_own_format(self.unet),
            embedding,
            negative,
            scale,
            self.config.schedule,
            self.config.prediction,
            self.config.clip_x0,
        )

    def draft_denoiser(self, embedding: Tensor) -> DenoiseFollowing:
        """The draft net's denoiser towards embedding [B, D], for DDIM at the timesteps of `config.draft` alone."""
        assert self.draft is not None, "a model without a draft net"
        config = self.config
        return guided_denoiser(
            in_own_format(self.draft),
            embedding,
            embedding,
            1.0,
            config.schedule,
            config.prediction,
            config.clip_x0,
        )

    def _per_channel(self, values: Tensor) -> Tensor:
        return values[:, None, None]


def in_own_format(net: UNet) -> Net:
    """The net with float32 inputs and outputs, whatever it computes in: only what goes through the net is rounded.

    x0, ε and guidance are differences of its outputs and of x; formed in half precision they would add six times the
    error that the net itself makes.
    """
    dtype = net.conv_in.weight.dtype

    def predict(x: Tensor, t: Tensor, condition: Tensor, curves: Tensor | None = None) -> Tensor:
        prediction: Tensor = net(x.to(dtype), t, condition.to(dtype), curves)
        return prediction.float()

    return predict
