"""One excerpt on its way through a model that makes stereo sound from latents by flow matching.

What `sampling.py` is for models with log-mels and CLAP. Here the clip's channels are one sound, made together.

Shape letters: n candidates, Z latent channels, H rows, T' samples at the model's rate.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor

from engine.diffusion.guidance import Denoise, DenoiseFollowing
from engine.diffusion.schedule import NoiseSchedule
from engine.diffusion.solvers import Draw, sample_ddim, sample_ping_pong
from engine.errors import InvalidRequestError, ModelBrokenError
from engine.families.stable_audio.denoiser import given_rows, nothing_given
from engine.families.stable_audio.stable_audio import StableAudio
from engine.operations.progress import ProgressReporter
from engine.operations.windows import Windows, lay_windows, over_windows
from engine.requests import Sampling
from engine.wav_writer import Samples

DRAFT_STEPS = 4
NOISE, STEPS = 0, 2  # what a candidate's generators are for, as in sampling.py
_STRAIGHT = "ddim"  # what requests call the one deterministic way along a flow


@dataclass(frozen=True)
class FlowRendering:
    """What is rendered, and how; all candidates together."""

    model: StableAudio
    prompt: str
    sampling: Sampling
    reporter: ProgressReporter
    num_samples: int  # T'
    excerpt_index: int = 0  # excerpts of one request get noise of their own
    windows: Windows = field(init=False)

    def __post_init__(self) -> None:
        model = self.model
        windows = lay_windows(model.rows_for(self.num_samples), model.window_rows, model.row_multiple)
        object.__setattr__(self, "windows", windows)

    @property
    def steps(self) -> int:
        return self.sampling.steps or (DRAFT_STEPS if self.sampling.draft else self.model.config.default_steps)

    @property
    def guidance(self) -> float:
        given = self.sampling.guidance
        return self.model.config.default_guidance if given is None else float(given)

    def generator(self, candidate: int, purpose: int) -> torch.Generator:
        """The source of randomness of one candidate, for one purpose."""
        roots = [self.sampling.seed, candidate, purpose, self.excerpt_index]
        state = np.random.SeedSequence(roots).generate_state(1, np.uint64)[0]
        return torch.Generator().manual_seed(int(state >> np.uint64(1)))

    def encode(self, waveform: Samples) -> Tensor:
        """Waveform [C', T'], mono or stereo -> latent [1, Z, H]."""
        self.reporter.encoding()
        sides = torch.from_numpy(np.ascontiguousarray(waveform)).expand(self.model.channels, -1)
        return self.model.encode(sides[None])

    def noise(self) -> Tensor:
        """What sampling starts from: unit normal [n, Z, H]."""
        return self._source(NOISE)()

    def sample(self, x: Tensor, start: float = 1.0, latent: Tensor | None = None, keep: Tensor | None = None) -> Tensor:
        """From x [n, Z, H], noised to σ = `start`, to a clean latent.

        Where keep [H] is 1 the rows of `latent` [1, Z, H] are given to the net, which was trained to continue them.
        """
        schedule = self.model.schedule(self.steps, start)
        given = nothing_given(x) if self.model.config.masks_always else None
        if latent is not None and keep is not None:
            given = given_rows(latent, keep).expand(len(x), -1, -1)
        # what is given is cut into the windows' rows, as curves are
        windowed = over_windows(self._denoiser(), self.windows, self.reporter.check, given)
        for step, latest in enumerate(self._walk(windowed, x, schedule), start=1):
            self.reporter.step(step, len(schedule))
            x = latest
        return x

    def waveforms(self, latent: Tensor) -> Samples:
        """Latent [n, Z, H] -> waveforms [n, 2, T'].

        Raises:
            ModelBrokenError: the model made samples that are not numbers.
        """
        made = np.empty((len(latent), self.model.channels, self.num_samples), np.float32)
        for index, one in enumerate(latent):
            self.reporter.decoding(index, len(latent))
            waveform = self.model.decode(one[None])[0].cpu().numpy()
            if not np.isfinite(waveform).all():
                raise ModelBrokenError(self.model.config.name, "it made samples that are not numbers")
            made[index] = waveform[:, : self.num_samples]
        return made

    def provenance(self, operation: str, candidate: int, settings: Mapping[str, Any]) -> dict[str, Any]:
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
            "score": None,
            "model": self.model.config.name,
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

    def _walk(self, denoise: Denoise, x: Tensor, schedule: NoiseSchedule) -> Iterator[Tensor]:
        if self.model.config.objective == "denoiser" and self.sampling.sampler is None:
            return sample_ping_pong(denoise, x, schedule, draw=self._source(STEPS))
        return sample_ddim(denoise, x, schedule)

    def _source(self, purpose: int) -> Draw:
        """Each candidate draws from its own generator, on the processor: no number of takes, and no device, matters."""
        shape = self.model.latent_shape(self.windows.rows)
        generators = [self.generator(candidate, purpose) for candidate in range(self.sampling.candidates)]

        def draw() -> Tensor:
            return torch.stack([torch.randn(shape, generator=one) for one in generators]).to(self.model.device)

        return draw

    def _warnings(self) -> Iterator[str]:
        name = self.model.config.name
        for prompt in dict.fromkeys((self.prompt, self.sampling.negative_prompt)):
            if cut := self.model.reader.cut(prompt):
                yield f"the model {name} reads {self.model.reader.max_tokens} tokens of a prompt; left out: {cut!r}"
        if self.sampling.candidates > 1:
            yield f"the model {name} cannot hear its takes: they are in the order in which they were made, not ranked"
        if self.sampling.negative_prompt and self.guidance == 1:
            negative = self.sampling.negative_prompt
            yield f'guidance 1 does not heed the negative prompt "{negative}"; more than 1 does'


def require_possible(model: StableAudio, request: Sampling, **unused: object) -> None:
    """Refuse, before any work, what this kind of model cannot do; `unused`: further knobs, by name, with their values.

    Raises:
        InvalidRequestError: it is asked for.
    """
    name = model.config.name
    hint = f"leave it out, or use a model of the AudioLDM family, such as nano, instead of {name}"
    for knob, value in {"like": request.like, **unused}.items():
        if value:
            given = "a clip" if hasattr(value, "samples") else value
            raise InvalidRequestError(knob, given, f"none: the model {name} has nothing to do it with", hint)
    if request.sampler not in (None, _STRAIGHT):
        raise InvalidRequestError("sampler", request.sampler, f"none or '{_STRAIGHT}' with the model {name}")
