"""One excerpt on its way through any model, as `engine/model.py` describes it.

What `sampling.py` is for models with log-mels and CLAP. Here the clip's channels are one sound, made together; a mono
model makes each of them from the same noise.

Shape letters: n candidates, B = n, times the clip's channels with a mono model, Z latent channels, H rows, T' samples
at the model's rate.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor

from engine.diffusion.guidance import DenoiseFollowing
from engine.diffusion.path import NoiseLevel
from engine.diffusion.schedule import NoiseSchedule
from engine.diffusion.solvers import SAMPLERS, Draw, Impose
from engine.errors import ModelBrokenError
from engine.model import SoundModel
from engine.operations.progress import ProgressReporter
from engine.operations.windows import Windows, lay_windows, over_windows
from engine.requests import Sampling
from engine.wav_writer import Samples

DRAFT_STEPS = 4
NOISE, PHASES, STEPS = range(3)  # what a candidate's generators are for, as in sampling.py


@dataclass(frozen=True)
class FlowRendering:
    """What is rendered, and how; all candidates together."""

    model: SoundModel[Any]
    prompt: str
    sampling: Sampling
    reporter: ProgressReporter
    num_samples: int  # T'
    num_channels: int = 1  # of what is edited
    excerpt_index: int = 0  # excerpts of one request get noise of their own
    windows: Windows = field(init=False)

    def __post_init__(self) -> None:
        model = self.model
        windows = lay_windows(model.rows_for(self.num_samples), model.window_rows, model.row_multiple)
        object.__setattr__(self, "windows", windows)

    @property
    def sounds(self) -> int:
        """How many sounds of the model one take is made of."""
        return self.num_channels if self.model.channels == 1 else 1

    @property
    def steps(self) -> int:
        return self.sampling.steps or (DRAFT_STEPS if self.sampling.draft else self.model.default_steps)

    @property
    def guidance(self) -> float:
        given = self.sampling.guidance
        return self.model.default_guidance if given is None else float(given)

    def generator(self, candidate: int, purpose: int) -> torch.Generator:
        """The source of randomness of one candidate, for one purpose."""
        roots = [self.sampling.seed, candidate, purpose, self.excerpt_index]
        state = np.random.SeedSequence(roots).generate_state(1, np.uint64)[0]
        return torch.Generator().manual_seed(int(state >> np.uint64(1)))

    def encode(self, waveform: Samples) -> Tensor:
        """Waveform [C', T'], mono or stereo -> latent [B / n, Z, H, ...]."""
        self.reporter.encoding()
        sides = torch.from_numpy(np.ascontiguousarray(waveform))
        if self.model.channels == 1:
            return self.model.encode_sound(sides[:, None])
        return self.model.encode_sound(sides.expand(self.model.channels, -1)[None])

    def noise(self) -> Tensor:
        """What sampling starts from: unit normal [B, Z, H, ...]."""
        return self._source(NOISE)()

    def schedule(self, start: float = 1.0) -> NoiseSchedule:
        """The noise levels from a share of the way down."""
        return self.model.schedule(self.steps, start)

    def sample(
        self, x: Tensor, schedule: NoiseSchedule, latent: Tensor | None = None, keep: Tensor | None = None
    ) -> Tensor:
        """From x [B, Z, H, ...], noised to the schedule's first level, to a clean latent.

        Where keep [H] is 1 the rows of `latent` [B / n, Z, H, ...] stay: given to a net that was trained to continue
        them, imposed at every step on any other.
        """
        known = x if latent is None else self.for_each(latent)
        has_mask, impose = self.model.capabilities.native_mask, None
        if keep is not None and not has_mask:
            impose = _imposing(known, keep, x)
            x = impose(x, schedule.levels[0])
        given = self.model.given(known, keep) if has_mask else None
        # what is given is cut into the windows' rows, as curves are
        windowed = over_windows(self._denoiser(), self.windows, self.reporter.check, given)
        solver = SAMPLERS[self.sampling.sampler] if self.sampling.sampler else self.model.solver
        latents = solver(windowed, x, schedule, draw=self._source(STEPS), impose=impose)
        for step, latest in enumerate(latents, start=1):
            self.reporter.step(step, len(schedule))
            x = latest
        return x

    def for_each(self, latent: Tensor) -> Tensor:
        """Latent [B / n, Z, H, ...] of what is edited -> the same for each candidate, [B, Z, H, ...]."""
        return latent.repeat(self.sampling.candidates, *[1] * (latent.dim() - 1))

    def waveforms(self, latent: Tensor) -> Samples:
        """Latent [B, Z, H, ...] -> waveforms [n, C', T'].

        Raises:
            ModelBrokenError: the model made samples that are not numbers.
        """
        made = np.empty((len(latent), self.model.channels, self.num_samples), np.float32)
        for index, one in enumerate(latent):
            self.reporter.decoding(index, len(latent))
            phases = self.generator(index // self.sounds, PHASES)
            waveform = self.model.decode_sound(one[None], phases)[0].cpu().numpy()
            if not np.isfinite(waveform).all():
                raise ModelBrokenError(self.model.name, "it made samples that are not numbers")
            made[index] = waveform[:, : self.num_samples]
        return made.reshape(-1, self.sounds * self.model.channels, self.num_samples)

    def rank(self, takes: Sequence[Samples]) -> list[tuple[int, float | None]]:
        """What each candidate made, [C', T'] each -> (candidate, score), best first; as they come without a scorer."""
        scorer = self.model.scorer
        if scorer is None:
            return [(candidate, None) for candidate in range(len(takes))]
        sounds = [torch.from_numpy(take.mean(axis=0, keepdims=True)).to(self.model.device) for take in takes]
        (wanted,) = scorer.embed_text([self.prompt]).float()
        scores = [float(scorer.embed_audio(sound, self.model.sample_rate)[0].float() @ wanted) for sound in sounds]
        return [(candidate, scores[candidate]) for candidate in sorted(range(len(scores)), key=lambda k: -scores[k])]

    def provenance(
        self, operation: str, candidate: int, score: float | None, settings: Mapping[str, Any]
    ) -> dict[str, Any]:
        """How a take came about, in the words of the wire; enough to make it again."""
        return {
            "operation": operation,
            "prompt": self.prompt,
            **settings,
            "seed": int(self.sampling.seed),
            **({"draft": True} if self.sampling.draft else {}),
            "steps": self.steps,
            "guidance": self.guidance,
            "negative": self.sampling.negative_prompt,
            "candidate": candidate + 1,
            "candidates": int(self.sampling.candidates),
            "score": score,
            "model": self.model.name,
            "model_rate_hz": self.model.sample_rate,
            "warnings": list(self._warnings()),
        }

    def _denoiser(self) -> DenoiseFollowing:
        model = self.model
        longest = model.window_rows * model.samples_per_row
        seconds = min(self.num_samples, longest) / model.sample_rate
        prompts = [self.prompt, self.sampling.negative_prompt] if self.guidance != 1 else [self.prompt]
        wanted, *negative = (model.condition([prompt], seconds) for prompt in prompts)
        return model.denoiser(wanted, negative[0] if negative else None, self.guidance)

    def _source(self, purpose: int) -> Draw:
        """Each candidate draws from its own generator, on the processor: no number of takes, and no device, matters."""
        shape = self.model.latent_shape(self.windows.rows)
        generators = [self.generator(candidate, purpose) for candidate in range(self.sampling.candidates)]

        def draw() -> Tensor:
            drawn = torch.stack([torch.randn(shape, generator=one) for one in generators])
            return drawn.repeat_interleave(self.sounds, dim=0).to(self.model.device)

        return draw

    def _warnings(self) -> Iterator[str]:
        name = self.model.name
        for prompt in dict.fromkeys((self.prompt, self.sampling.negative_prompt)):
            if cut := self.model.left_out(prompt):
                yield f"the model {name} does not read all of so long a prompt; left out: {cut!r}"
        if self.sampling.candidates > 1 and self.model.scorer is None:
            yield f"the model {name} cannot hear its takes: they are in the order in which they were made, not ranked"
        if self.sampling.negative_prompt and self.guidance == 1:
            negative = self.sampling.negative_prompt
            yield f'guidance 1 does not heed the negative prompt "{negative}"; more than 1 does'


def _imposing(known: Tensor, keep: Tensor, noise: Tensor) -> Impose:
    """Return the function that puts the rows of `known` where keep [H] is 1 back after each step (see `masks.py`)."""
    stays = keep.bool().to(known.device).view(-1, *[1] * (known.dim() - 3))

    def impose(x: Tensor, level: NoiseLevel) -> Tensor:
        return torch.where(stays, level.mix(known, noise), x)

    return impose
