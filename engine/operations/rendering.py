"""What the operations have in common: from a condition and a seed to latents, from there to waveforms, and their order.

For any model, as `engine/model.py` describes it; `mel_rendering.py` is for those whose latents are of log-mels. A mono
model makes each channel of a clip from the same noise; for a stereo model they are one sound.

Shape letters: n candidates, C' computed channels, B = n, times C' with a mono model (candidate by candidate), Z latent
channels, H rows, C curves of the denoiser, T' samples at the model's rate.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor

from engine.diffusion.guidance import Denoise, DenoiseFollowing
from engine.diffusion.schedule import NoiseSchedule
from engine.diffusion.solvers import Draw, Impose
from engine.errors import ModelBrokenError
from engine.model import SoundModel
from engine.operations.condition import Condition
from engine.operations.contour import Contour
from engine.operations.full_band import takes_air
from engine.operations.masks import MaskedSpan, imposing, observed_rows
from engine.operations.performance import Performance
from engine.operations.plan import SamplingPlan, plan_of
from engine.operations.progress import ProgressReporter
from engine.operations.windows import Windows, lay_windows, over_windows
from engine.requests import Sampling
from engine.wav_writer import Samples

NOISE, PHASES, STEPS, OBSERVED, AIR = range(5)  # what a candidate's generators are for


@dataclass(frozen=True)
class Rendering:
    """One excerpt on its way through the model; what is too short for it is padded with silence."""

    model: SoundModel[Any]
    condition: Condition
    sampling: Sampling
    reporter: ProgressReporter
    num_samples: int  # T', at the model's rate
    num_channels: int = 1  # C'
    excerpt_index: int = 0  # excerpts of one request get noise of their own
    curves: Tensor | None = None  # [1, C, H] that the takes follow, NaN where they are free
    performance: Performance | None = None  # brings decoded takes the rest of the way to these curves
    correlation: float | None = None  # of left and right, for which a second take is made; None where none is
    chosen: tuple[int, ...] = ()  # the candidates' numbers, which their noise goes by; none: from 0 on
    windows: Windows = field(init=False)
    plan: SamplingPlan = field(init=False)

    def __post_init__(self) -> None:
        model = self.model
        rows = model.rows_for(max(self.num_samples, round(model.habits.shortest_s * model.sample_rate)))
        object.__setattr__(self, "windows", lay_windows(rows, model.window_rows, model.row_multiple))
        object.__setattr__(self, "plan", plan_of(model, self.sampling))

    @property
    def candidates(self) -> tuple[int, ...]:
        """The numbers of those that are rendered: [n]."""
        return self.chosen or tuple(range(self.sampling.candidates))

    @property
    def sounds(self) -> int:
        """How many sounds of the model one take is made of."""
        return self.num_channels if self.model.channels == 1 else 1

    @property
    def makes_air(self) -> bool:
        """Whether what the model makes gets highs: not if they are unwanted, or the model's band is another."""
        return not self.sampling.model_band and takes_air(self.model.sample_rate, self.model.top_hz)

    @property
    def is_known(self) -> bool:
        """Whether the model knows a sound of the prompt, as far as it can tell."""
        return True

    @property
    def makes_event(self) -> bool:
        """Whether the prompt asks for an event, such as a bark, and for no ambience, as far as the model can tell."""
        return False

    @property
    def can_share(self) -> bool:
        """Whether other requests can be sampled in the same calls of the net."""
        return False

    def schedule(self, strength: float = 1.0) -> NoiseSchedule:
        """The noise levels from that share of the way down (SDEdit's n0 = strength · N)."""
        return self.plan.schedule(strength)

    def depth(self, strength: float, structure: float) -> float:
        """The share of the way from which a restyle starts."""
        del structure
        return strength

    def denoiser(self) -> DenoiseFollowing:
        """Towards what is wanted, by the net and the guidance of the plan."""
        model, guidance = self.model, self.plan.guidance
        longest = model.window_rows * model.samples_per_row
        seconds = min(self.num_samples, longest) / model.sample_rate
        prompts = [self.condition.prompt, self.sampling.negative_prompt] if guidance != 1 else [self.condition.prompt]
        wanted, *negative = (model.condition([prompt], seconds) for prompt in prompts)
        return model.denoiser(wanted, negative[0] if negative else None, guidance)

    def noise(self) -> Tensor:
        """What sampling starts from: unit normal [B, Z, H, ...], the same for all channels of a candidate."""
        return self._source(NOISE)()

    def draw(self) -> Draw:
        """A source of noise like `noise`, new at every call, for samplers that add some at every step."""
        return self._source(STEPS)

    def observed_noise(self, start: Tensor) -> Draw:
        """The noise [B, Z, H, ...] on what is known, at every step: that of the start where the sampler adds none.

        A sampler that adds fresh noise meets fresh noise on the known cells, too, as its steps assume everywhere.
        """
        return self._source(OBSERVED) if self.plan.adds_noise else lambda: start

    def _source(self, purpose: int) -> Draw:
        """Each candidate draws from its own generator, on the processor.

        So neither the number of candidates nor the device changes what a seed sounds like.
        """
        shape = self.model.latent_shape(self.windows.rows)
        generators = [self.generator(candidate, purpose) for candidate in self.candidates]

        def draw_once() -> Tensor:
            draws = torch.stack([torch.randn(shape, generator=generator) for generator in generators])
            return draws.repeat_interleave(self.sounds, dim=0).to(self.model.device)

        return draw_once

    def generator(self, candidate: int, purpose: int) -> torch.Generator:
        """The source of randomness of one candidate, for one purpose."""
        roots = [self.sampling.seed, candidate, purpose, self.excerpt_index]
        state = np.random.SeedSequence(roots).generate_state(1, np.uint64)[0]
        return torch.Generator().manual_seed(int(state >> np.uint64(1)))

    def encode(self, waveform: Samples) -> Tensor:
        """Waveform [C', T'] -> latent [B / n, Z, H, ...]."""
        self.reporter.encoding()
        channels = torch.from_numpy(np.ascontiguousarray(waveform))
        if self.model.channels == 1:
            return self.model.encode_sound(channels[:, None])
        return self.model.encode_sound(channels.expand(self.model.channels, -1)[None])

    def contour(self, waveform: Samples, structure: float) -> Contour | None:
        """Return the loudness contour of waveform [C', T'] that its takes follow; None where no structure is wanted."""
        del waveform, structure
        return None

    def for_each(self, latent: Tensor) -> Tensor:
        """Latent [B / n, Z, H, ...] of what is edited -> the same for each candidate, [B, Z, H, ...]."""
        return latent.repeat(self.sampling.candidates, *[1] * (latent.dim() - 1))

    def sample(
        self,
        x: Tensor,
        schedule: NoiseSchedule,
        impose: Impose | None = None,
        contour: Contour | None = None,
        given: Tensor | None = None,
    ) -> Tensor:
        """From x [B, Z, H, ...], noised to the schedule's first level, to a clean latent, held to a contour if given.

        `given` is what a native mask tells the net, row by row; it comes with the windows as curves do.
        """
        model = self.model
        if given is None and model.capabilities.native_mask:
            given = model.given(x, None)
        beside = given if self.curves is None else self.curves.expand(len(x), -1, -1)
        in_windows = over_windows(self.denoiser(), self.windows, self.reporter.check, beside)
        denoise = self._held(in_windows, contour)
        latents = self.plan.solver(denoise, x, schedule, draw=self.draw(), impose=impose)
        for step, latent in enumerate(latents, start=1):
            self.reporter.step(step, len(schedule))
            x = latent
        return x

    def _held(self, denoise: Denoise, contour: Contour | None) -> Denoise:
        del contour
        return denoise

    def fill(self, latent: Tensor, spans: Sequence[MaskedSpan]) -> Tensor:
        """Latent [B / n, Z, H, ...] of what is edited -> new ones for all candidates, its spans replaced.

        What stays is given to a net that was trained to continue it, and imposed at every step on any other.
        """
        known, noise, schedule = self.for_each(latent), self.noise(), self.schedule()
        stays = self.observed(spans)
        if self.model.capabilities.native_mask:
            return self.sample(noise, schedule, given=self.model.given(known, stays.float()))
        stays = stays.to(known.device).view(*stays.shape, *[1] * (known.dim() - 2 - stays.dim()))
        impose = imposing(known, stays, self.observed_noise(noise))
        return self.sample(impose(noise, schedule.levels[0]), schedule, impose)

    def observed(self, spans: Sequence[MaskedSpan]) -> Tensor:
        """Which rows keep what was observed, bool [H]; nothing is known beyond the excerpt."""
        unit, rows = self.model.samples_per_row, self.windows.rows
        beyond = MaskedSpan(-(-self.num_samples // unit) * unit, rows * unit)
        return observed_rows(rows, unit, [*spans, beyond])

    def waveforms(self, latent: Tensor, contour: Contour | None = None) -> Samples:
        """Latent [B, Z, H, ...] -> waveforms [n, C', T'], shaped by a contour if given.

        Raises:
            ModelBrokenError: the model made samples that are not numbers.
        """
        made = np.empty((len(latent), self.model.channels, self.num_samples), np.float32)
        for index, one in enumerate(latent):
            self.reporter.decoding(index, len(latent))
            waveform = self._decoded(one[None], index, contour)
            if not np.isfinite(waveform).all():
                raise ModelBrokenError(self.model.name, "it made samples that are not numbers")
            made[index] = waveform[:, : self.num_samples]
        takes = made.reshape(-1, self.sounds * self.model.channels, self.num_samples)
        return takes if takes.shape[1] == self.num_channels else takes.mean(axis=1, keepdims=True)

    def _decoded(self, latent: Tensor, index: int, contour: Contour | None) -> Samples:
        """One of the latents, [1, Z, H, ...] -> waveform [C, T] of the model's channels."""
        del contour
        phases = self.generator(self.candidates[index // self.sounds], PHASES)
        waveform: Samples = self.model.decode_sound(latent, phases)[0].cpu().numpy()
        return waveform

    def rank(self, made: Sequence[Samples]) -> list[tuple[int, float | None]]:
        """What each candidate made, [T'] each -> (candidate, score), best first.

        The score is the cosine of the condition and the sound in the scorer's space; equal scores keep their order. A
        model without one has no scores, and its candidates keep their order.
        """
        scorer = self.model.scorer
        if scorer is None:
            return [(candidate, None) for candidate in range(len(made))]
        sounds = [torch.from_numpy(waveform)[None].to(self.model.device) for waveform in made]
        scores = self.matches(torch.cat([scorer.embed_audio(sound, self.model.sample_rate) for sound in sounds]))
        order = sorted(range(len(scores)), key=lambda candidate: -scores[candidate])
        return [(candidate, scores[candidate]) for candidate in order]

    def score(self, latent: Tensor) -> float:
        """Return the score of one latent [1, Z, H, ...], for a model that has a scorer."""
        assert self.model.scorer is not None
        sound = self.model.decode_sound(latent, self.generator(0, PHASES))[..., : self.num_samples].mean(dim=1)
        (score,) = self.matches(self.model.scorer.embed_audio(sound, self.model.sample_rate))
        return score

    def matches(self, made: Tensor) -> list[float]:
        """Embeddings of sounds [n, D] -> their cosines with what is wanted."""
        cosines: list[float] = (made.float() @ self._wanted().float()).tolist()
        return cosines

    def _wanted(self) -> Tensor:
        """Where the scorer has what is wanted, [D]."""
        assert self.model.scorer is not None
        return self.model.scorer.embed_text([self.condition.prompt])[0]

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
            "steps": len(self.schedule()),
            "guidance": self.plan.guidance,
            "negative": self.sampling.negative_prompt,
            **({"sampler": self.plan.sampler} if self.plan.sampler else {}),
            "model_band": bool(self.sampling.model_band),
            "candidate": candidate + 1,
            "candidates": int(self.sampling.candidates),
            "score": score,
            "model": self.model.name,
            "model_rate_hz": self.model.sample_rate,
            "warnings": [*self.condition.warnings, *self.plan.warnings],
        }
