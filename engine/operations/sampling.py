"""What the operations have in common: from a condition and a seed to latents, from there to waveforms, and their order.

Shape letters: n candidates, C' computed channels, B = n·C' (candidate by candidate), Z latent channels, H rows,
W columns, C curves of the denoiser, T' samples at the model's rate.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor

from engine.audioldm import AudioLDM
from engine.diffusion.guidance import DenoiseFollowing
from engine.diffusion.schedule import lay_schedule
from engine.diffusion.solvers import ADDING_NOISE, SAMPLERS, Draw, Impose
from engine.errors import ModelBrokenError
from engine.mel import MelConfig, slaney_filterbank
from engine.operations.condition import Condition
from engine.operations.contour import Contour, loudness_of
from engine.operations.full_band import takes_air
from engine.operations.long_sounds import decode_long, encode_long, log_mel_long, vocode_long
from engine.operations.plan import SamplingPlan, plan_of
from engine.operations.progress import ProgressReporter
from engine.operations.windows import Windows, lay_windows, over_windows
from engine.requests import Sampling
from engine.wav_writer import Samples

NOISE, PHASES, STEPS, OBSERVED, AIR = range(5)  # what a candidate's generators are for


@dataclass(frozen=True)
class Rendering:
    """One excerpt on its way through the model; what is too short for it is padded with silence."""

    model: AudioLDM
    condition: Condition
    sampling: Sampling
    reporter: ProgressReporter
    num_samples: int  # T', at the model's rate
    num_channels: int = 1  # C'
    excerpt_index: int = 0  # excerpts of one request get noise of their own
    curves: Tensor | None = None  # [1, C, H] that the takes follow, NaN where they are free
    correlation: float | None = None  # of left and right, for which a second take is made; None where none is
    chosen: tuple[int, ...] = ()  # the candidates' numbers, which their noise goes by; none: from 0 on
    windows: Windows = field(init=False)
    plan: SamplingPlan = field(init=False)

    def __post_init__(self) -> None:
        model = self.model
        rows = model.rows_for(max(self.num_samples, round(model.config.shortest_s * model.sample_rate)))
        object.__setattr__(self, "windows", lay_windows(rows, model.config.window_rows, model.row_multiple))
        object.__setattr__(self, "plan", plan_of(model, self.sampling))

    @property
    def candidates(self) -> tuple[int, ...]:
        """The numbers of those that are rendered: [n]."""
        return self.chosen or tuple(range(self.sampling.candidates))

    def timesteps(self, strength: float = 1.0) -> list[int]:
        """Descending; `strength` of them are kept, from the clean end (SDEdit's n0 = strength · N)."""
        return self.plan.kept(strength)

    def denoiser(self, wanted: Tensor, negative: Tensor) -> DenoiseFollowing:
        """Towards wanted [B, D], away from negative [B, D], by the net and the guidance of the plan."""
        if self.plan.by_draft_net:
            return self.model.draft_denoiser(wanted)
        guidance = 1.0 if self.condition.is_open else self.plan.guidance
        return self.model.denoiser(wanted, negative, guidance)

    def noise(self) -> Tensor:
        """What sampling starts from: unit normal [B, Z, H, W], the same for all channels of a candidate."""
        return self._source(NOISE)()

    def draw(self) -> Draw:
        """A source of noise like `noise`, new at every call, for samplers that add some at every step."""
        return self._source(STEPS)

    def observed_noise(self, start: Tensor) -> Draw:
        """The noise [B, Z, H, W] on what is known, at every step: that of the start where the sampler adds none.

        A sampler that adds fresh noise meets fresh noise on the known cells, too, as its steps assume everywhere.
        """
        return self._source(OBSERVED) if self.plan.sampler in ADDING_NOISE else lambda: start

    def _source(self, purpose: int) -> Draw:
        """Each candidate draws from its own generator, on the processor.

        So neither the number of candidates nor the device changes what a seed sounds like.
        """
        shape = self.model.latent_shape(self.windows.rows)
        generators = [self.generator(candidate, purpose) for candidate in self.candidates]

        def draw_once() -> Tensor:
            draws = torch.stack([torch.randn(shape, generator=generator) for generator in generators])
            return draws.repeat_interleave(self.num_channels, dim=0).to(self.model.device)

        return draw_once

    def generator(self, candidate: int, purpose: int) -> torch.Generator:
        """The source of randomness of one candidate, for one purpose."""
        roots = [self.sampling.seed, candidate, purpose, self.excerpt_index]
        state = np.random.SeedSequence(roots).generate_state(1, np.uint64)[0]
        return torch.Generator().manual_seed(int(state >> np.uint64(1)))

    @property
    def makes_air(self) -> bool:
        """Whether what the model makes gets highs: not if they are unwanted, or the model's band is another."""
        mel = self.model.config.mel
        return not self.sampling.model_band and takes_air(mel.sample_rate, mel.fmax)

    def encode(self, waveform: Samples) -> Tensor:
        """Waveform [C', T'] -> latent [C', Z, H, W]."""
        self.reporter.encoding()
        return encode_long(self.model, torch.from_numpy(waveform), self.windows, self.reporter.check)

    def contour(self, waveform: Samples, structure: float) -> Contour | None:
        """Return the loudness contour of waveform [C', T'] that its takes follow; None where no structure is wanted."""
        if structure == 0:
            return None
        log_mel = log_mel_long(self.model, torch.from_numpy(waveform), self.windows, self.reporter.check)
        return Contour(loudness_of(log_mel), structure)

    def sample(
        self, x: Tensor, timesteps: Sequence[int], impose: Impose | None = None, contour: Contour | None = None
    ) -> Tensor:
        """From x [B, Z, H, W], noised to timesteps[0], to a clean latent [B, Z, H, W], held to a contour if given."""
        model, condition = self.model, self.condition
        denoise = self.denoiser(condition.wanted, condition.negative)
        curves = None if self.curves is None else self.curves.expand(len(x), -1, -1)
        in_windows = over_windows(denoise, self.windows, self.reporter.check, curves)
        in_windows = in_windows if contour is None else contour.held(in_windows, model)
        sampler = SAMPLERS[self.plan.sampler]
        schedule = lay_schedule(model.config.schedule, timesteps)
        latents = sampler(in_windows, x, schedule, draw=self.draw(), impose=impose)
        for step, latent in enumerate(latents, start=1):
            self.reporter.step(step, len(timesteps))
            x = latent
        return x

    def waveforms(self, latent: Tensor, contour: Contour | None = None) -> Samples:
        """Latent [B, Z, H, W] -> waveforms [n, C', T'], shaped by a contour if given.

        Raises:
            ModelBrokenError: the model made samples that are not numbers.
        """
        made = np.empty((len(latent), self.num_samples), np.float32)
        for index, one in enumerate(latent):
            self.reporter.decoding(index, len(latent))
            log_mel = decode_long(self.model, one[None], self.windows, self.reporter.check)
            if contour is not None:
                log_mel = contour.shape(log_mel, index % self.num_channels, self.model.config.mel)
            log_mel = torch.minimum(log_mel, loudest_log_mel(self.model.config.mel).to(log_mel))
            seeded = partial(self.generator, self.candidates[index // self.num_channels], PHASES)
            waveform = vocode_long(self.model, log_mel, self.windows, seeded, self.reporter.check)
            if not np.isfinite(waveform).all():
                raise ModelBrokenError(self.model.config.name, "it made samples that are not numbers")
            made[index] = waveform[0, : self.num_samples]
        return made.reshape(-1, self.num_channels, self.num_samples)

    def rank(self, made: Sequence[Samples]) -> list[tuple[int, float | None]]:
        """What each candidate made, [T'] each -> (candidate, score), best first.

        The score is the cosine of the condition and the sound's CLAP embedding; equal scores keep their order. A model
        without an audio tower has no scores, and its candidates keep their order.
        """
        if not self.model.clap.has_audio_tower:
            return [(candidate, None) for candidate in range(len(made))]
        embedded = torch.cat([self.model.embed_audio(torch.from_numpy(waveform)[None]) for waveform in made])
        scores = self.matches(embedded)
        order = sorted(range(len(scores)), key=lambda candidate: -scores[candidate])
        return [(candidate, scores[candidate]) for candidate in order]

    def matches(self, made: Tensor) -> list[float]:
        """CLAP embeddings of sounds [n, D] -> their cosines with the condition."""
        cosines: list[float] = (made.float() @ self.condition.wanted[0].float()).tolist()
        return cosines

    def provenance(
        self, operation: str, candidate: int, score: float | None, settings: Mapping[str, Any]
    ) -> dict[str, Any]:
        """How a take came about, in the words of the wire; enough to make it again."""
        return {
            "operation": operation,
            "prompt": self.condition.prompt,
            **self.condition.settings,
            **settings,
            "seed": int(self.sampling.seed),
            **({"draft": True} if self.sampling.draft else {}),
            "steps": len(self.plan.timesteps),
            "guidance": self.plan.guidance,
            "negative": self.sampling.negative_prompt,
            "sampler": self.plan.sampler,
            "model_band": bool(self.sampling.model_band),
            "candidate": candidate + 1,
            "candidates": int(self.sampling.candidates),
            "score": score,
            "model": self.model.config.name,
            "model_rate_hz": self.model.sample_rate,
            "warnings": [*self.condition.warnings, *self.plan.warnings],
        }


def loudest_log_mel(mel: MelConfig) -> Tensor:
    """The log-mel [M] of a full-scale sine in the middle of each band; few sounds within full scale are louder there.

    Guidance overshoots: where a net is unsure it can exceed that a millionfold in a few bands, and
    bringing the take's peak back to full scale would bury everything else.
    """
    lobe = mel.n_fft / 2  # the sum of a Hann window's main lobe: n_fft / 4 in its middle, half of that on either side
    return (slaney_filterbank(mel).amax(dim=1) * lobe).log()
