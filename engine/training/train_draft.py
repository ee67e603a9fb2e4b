"""Distils the denoiser into the draft net: few long DDIM steps, each with the guidance in it.

The denoiser goes from noise to latents in many short guided steps; the draft net learns to make several of them at
once, from their start to their end. That is progressive distillation (Salimans and Ho 2022) in one round, with guidance
included (Meng et al. 2023). The trajectories are deterministic, so each step has one right answer and nothing blurs;
they are computed once and stored on disk, since a step of one costs almost as much as a training step on it. Where the
denoiser follows curves, half of its trajectories do.

Shape letters: K trajectories, S draft steps, C curves, Z latent channels, H latent rows, W latent columns, D embedding.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from numpy.lib.format import open_memmap
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.optim import AdamW, Optimizer

from engine.audioldm import AudioLDM, DraftConfig
from engine.diffusion.guidance import Denoise, DenoiseFollowing, guided_denoiser, prediction_between
from engine.diffusion.path import VariancePreserving
from engine.diffusion.schedule import lay_schedule
from engine.diffusion.solvers import sample_ddim, sample_dpm_solver_2m
from engine.training.clip_gestures import CURVES_FILE, ClipGestures
from engine.training.ema import Ema
from engine.training.lengths import draw_rows
from engine.training.loop import LoopSettings, OnReport, run_loop, step_optimiser
from engine.training.parts import join_parts, part_mark, save_draft, start_of
from engine.training.precision import in_mixed_precision
from engine.training.train_ldm import Latents
from engine.training.training_errors import DenoiserChangedError, DenoiserMissingError
from engine.training.workers import Workers

_NUM_SAMPLES = 2  # trajectories that are played as samples
_AT_ONCE = 32  # trajectories of one length that are made together
OnCount = Callable[[int, int], None]  # done, total


@dataclass(frozen=True)
class DraftSettings:
    clips: Path
    parts: Path
    loop: LoopSettings
    preset: str = "nano"
    batch_size: int = 8  # in each process
    num_trajectories: int = 1600
    timesteps: tuple[int, ...] = (999, 650, 375, 100)  # where draft steps begin: each is equally hard at first
    short_steps: int = 3  # of the denoiser in a draft step
    guidance: float | None = None  # of the denoiser; None is the model's own
    text_share: float = 0.7  # of conditions that are a caption's embedding; the others are a sound's
    drop_share: float = 0.05  # of conditions that are the empty prompt's
    shorter_share: float = 0.25  # of trajectories that are shorter than the model's window
    ema_limit: float = 0.99
    device: str = "cpu"

    @property
    def folder(self) -> Path:
        """Of the trajectories."""
        return self.loop.folder / "walks"


class Trajectories:
    """From noise to latents: places float16 [K, S + 1, Z, H, W], the last one clean, and conditions [K, D].

    Those of a denoiser that follows curves have theirs, [K, C, H]. A shorter one fills the first of the H rows only.
    """

    def __init__(self, folder: Path, *, writable: bool = False) -> None:
        mode: Literal["r", "r+"] = "r+" if writable else "r"
        self.places: NDArray[np.float16] = np.load(folder / "places.npy", mmap_mode=mode)
        self.conditions: NDArray[np.float32] = np.load(folder / "conditions.npy", mmap_mode=mode)
        followed = folder / CURVES_FILE
        self.curves: NDArray[np.float16] = (
            np.load(followed, mmap_mode=mode) if followed.exists() else np.empty((len(self.places), 0, 1), np.float16)
        )
        self.done: NDArray[np.bool_] = np.load(folder / "done.npy", mmap_mode=mode)

    def __len__(self) -> int:
        return len(self.places)


def prepare_trajectories(workers: Workers, settings: DraftSettings, on_progress: OnCount | None = None) -> None:
    """Compute the denoiser's trajectories; every process makes its share, and none is made twice.

    Raises:
        DenoiserMissingError: it is not trained yet.
        DenoiserChangedError: earlier trajectories are another denoiser's, or were made with other settings.
    """
    if not (settings.parts / "unet.safetensors").exists() and start_of(settings.parts) is None:
        raise DenoiserMissingError(settings.parts)
    model = join_parts(settings.parts, settings.preset).to(settings.device)
    if workers.leads:
        _open_arrays(settings, model)
    workers.wait()
    trajectories, data = Trajectories(settings.folder, writable=True), Latents(settings.clips / "latents")
    gestures = _gestures(model, settings)
    mine = np.arange(workers.rank, len(trajectories), workers.count)
    mine = mine[~trajectories.done[mine]]
    rows = np.array([trajectory_rows(model, settings, int(index)) for index in mine], int)
    left = len(mine)
    for length in np.unique(rows):
        of_length = mine[rows == length]
        for together in np.array_split(of_length, -(-len(of_length) // _AT_ONCE)):
            conditions = torch.cat([_draw_condition(model, data, settings, int(index)) for index in together])
            curves = [_draw_curves(gestures, data, settings, int(index), int(length)) for index in together]
            trajectories.conditions[together] = conditions.cpu().numpy()
            if gestures is not None:
                trajectories.curves[together, :, :length] = torch.cat(curves).numpy()
            trajectories.places[together, :, :, :length] = _sample_trajectories(
                model, settings, conditions, together, torch.cat(curves)
            )
            trajectories.done[together] = True
            left -= len(together)
            if on_progress and workers.leads:
                on_progress(len(trajectories) - left * workers.count, len(trajectories))
    workers.wait()


def _open_arrays(settings: DraftSettings, model: AudioLDM) -> None:
    """Create the files on the first call; further trajectories are appended."""
    folder = settings.folder
    folder.mkdir(parents=True, exist_ok=True)
    _record_teacher(folder, settings, model)
    before = Trajectories(folder) if (folder / "done.npy").exists() else None
    if before is not None and len(before) >= settings.num_trajectories:
        return
    rows, num_curves = model.config.window_rows, len(model.config.unet.curves)
    arrays: list[tuple[str, type[np.generic], tuple[int, ...]]] = [
        ("places", np.float16, (len(settings.timesteps) + 1, *model.latent_shape(rows))),
        ("conditions", np.float32, (model.clap.embedding_dim,)),
        *([("curves", np.float16, (num_curves, rows))] if num_curves else []),
        ("done", np.bool_, ()),  # last: files without it are incomplete
    ]
    for name, kind, rest in arrays:
        partial = folder / f"{name}.part.npy"
        array = open_memmap(partial, "w+", kind, (settings.num_trajectories, *rest))
        if before is not None:
            array[: len(before)] = getattr(before, name)
        array.flush()
        partial.replace(folder / f"{name}.npy")


def _record_teacher(folder: Path, settings: DraftSettings, model: AudioLDM) -> None:
    """Record the denoiser and its settings. Raises DenoiserChangedError if others are recorded already."""
    guidance = _guidance(settings, model)
    mark, share = part_mark(settings.parts, "unet"), settings.shorter_share
    teacher = [mark, list(settings.timesteps), settings.short_steps, guidance, share]
    path = folder / "walker.json"
    if path.exists() and json.loads(path.read_text(encoding="utf-8")) != teacher:
        raise DenoiserChangedError(settings.loop.folder)
    path.write_text(json.dumps(teacher), encoding="utf-8")


def _guidance(settings: DraftSettings, model: AudioLDM) -> float:
    return model.config.default_guidance if settings.guidance is None else settings.guidance


def _draw_condition(model: AudioLDM, data: Latents, settings: DraftSettings, index: int) -> Tensor:
    """A clip's embedding, one of its captions', or the empty prompt's: [1, D]."""
    rng = np.random.default_rng((settings.loop.seed, index, 0))
    clip, wording, kind = rng.integers(len(data)), rng.integers(data.text.shape[1]), rng.random()
    if kind < settings.drop_share:
        with torch.no_grad():
            return model.embed_text([""]).float()
    caption = data.text[clip, wording]
    by_text = kind < settings.drop_share + settings.text_share * (1 - settings.drop_share) and bool(caption.any())
    return (caption if by_text else data.audio[clip])[None].to(settings.device)


def _gestures(model: AudioLDM, settings: DraftSettings) -> ClipGestures | None:
    names = model.config.unet.curves
    return ClipGestures(settings.clips / "latents", names) if names else None


def _draw_curves(
    gestures: ClipGestures | None, data: Latents, settings: DraftSettings, index: int, rows: int
) -> Tensor:
    """What a trajectory follows, of the same clip as its condition: [1, C, rows]."""
    if gestures is None:
        return torch.empty(1, 0, rows)
    clip = np.random.default_rng((settings.loop.seed, index, 0)).integers(len(data), size=1)
    return gestures.draw(clip, rows, np.random.default_rng((settings.loop.seed, index, 3)))


def trajectory_rows(model: AudioLDM, settings: DraftSettings, index: int) -> int:
    """Return the latent rows of a trajectory: the model's window, or a part of it."""
    rng = np.random.default_rng((settings.loop.seed, index, 2))
    return draw_rows(rng, model.config.window_rows, model.row_multiple, settings.shorter_share)


@torch.inference_mode()
def _sample_trajectories(
    model: AudioLDM, settings: DraftSettings, conditions: Tensor, indices: NDArray[np.int64], curves: Tensor
) -> NDArray[np.float16]:
    """From noise along the denoiser's short steps: where each draft step begins, and the end, [B, S + 1, Z, h, W]."""
    seeds = [int(np.random.SeedSequence((settings.loop.seed, int(k), 1)).generate_state(1)[0]) for k in indices]
    shape = model.latent_shape(curves.shape[2])
    noise = torch.stack([torch.randn(shape, generator=torch.Generator().manual_seed(seed)) for seed in seeds])
    noise = noise.to(settings.device)
    denoise = _following(model.denoiser(conditions, guidance=settings.guidance), curves.to(settings.device))
    timesteps = short_timesteps(settings.timesteps, settings.short_steps)
    places = [noise, *sample_dpm_solver_2m(denoise, noise, lay_schedule(model.config.schedule, timesteps))]
    trajectory: NDArray[np.float16] = (
        torch.stack(places[:: settings.short_steps], dim=1).cpu().numpy().astype(np.float16)
    )
    return trajectory


def _following(denoise: DenoiseFollowing, curves: Tensor) -> Denoise:
    """The denoiser with curves [B, C, H]; as it is where C is 0."""
    return (lambda x, t: denoise(x, t, curves)) if curves.shape[1] else denoise


def short_timesteps(timesteps: tuple[int, ...], count: int) -> list[int]:
    """Each draft step divided into `short_steps`, evenly in t: descending."""
    ends = [*timesteps[1:], 0]
    return [
        round(start + (end - start) * i / count)
        for start, end in zip(timesteps, ends, strict=True)
        for i in range(count)
    ]


class DraftRecipe:
    """See the module's docstring."""

    def __init__(self, settings: DraftSettings, workers: Workers) -> None:
        self.settings, self.workers = settings, workers
        self.device = torch.device(settings.device)
        self.model = join_parts(settings.parts, settings.preset).to(self.device)
        self.draft = self.model.unet.to(memory_format=torch.channels_last).train()  # type: ignore[call-overload]
        self.ema = Ema(self.draft, settings.ema_limit)
        self.kept: dict[str, nn.Module] = {"draft": self.draft, "ema": self.ema.shadow}
        self.optimisers: dict[str, Optimizer] = {
            "adamw": AdamW(self.draft.parameters(), settings.loop.learning_rate, (0.9, 0.99), weight_decay=1e-3)
        }
        self.trajectories, self.teacher = Trajectories(settings.folder), part_mark(settings.parts, "unet")
        self.rows = np.array([trajectory_rows(self.model, settings, index) for index in range(len(self.trajectories))])
        self.alpha_bars = _alpha_bars(settings.timesteps, self.model.config.schedule).to(self.device)  # [S + 1]

    def train_step(self, step: int, rng: np.random.Generator) -> dict[str, float]:
        x, landing, which, condition, given = self._batch(rng)
        now, after = (self.alpha_bars[which + i][:, None, None, None] for i in (0, 1))
        target = prediction_between(x, now, landing, after, self.model.config.prediction)
        t = torch.tensor(self.settings.timesteps, device=self.device)[which]
        prediction: Tensor = in_mixed_precision(self.device, self.draft, x, t, condition, *given)
        errors = (prediction - target).square().mean((1, 2, 3))
        step_optimiser(self.optimisers["adamw"], errors.mean(), self.workers, max_norm=1.0)
        self.ema.update(self.draft, step)
        by_step = {f"mse_{t}": errors[which == i] for i, t in enumerate(self.settings.timesteps)}
        return {"mse": errors.mean().item(), **{k: e.mean().item() for k, e in by_step.items() if len(e)}}

    def _batch(self, rng: np.random.Generator) -> tuple[Tensor, Tensor, Tensor, Tensor, tuple[Tensor, ...]]:
        """Places [B, Z, h, W], where their draft steps land, which steps these are [B], and conditions [B, D].

        Last come curves [B, C, h], if the denoiser follows some. All are of trajectories of one length, drawn in
        proportion to how many there are.
        """
        count, steps = self.settings.batch_size, len(self.settings.timesteps)
        rows = rng.choice(self.rows)
        chosen = rng.choice(np.flatnonzero(self.rows == rows), count)
        which = (rng.permutation(count) + rng.integers(steps)) % steps  # every step as often as the others
        x, landing = (
            torch.from_numpy(self.trajectories.places[chosen, which + i, :, :rows].astype(np.float32)) for i in (0, 1)
        )
        condition = torch.from_numpy(self.trajectories.conditions[chosen])
        return (
            x.to(self.device),
            landing.to(self.device),
            torch.from_numpy(which).to(self.device),
            condition.to(self.device),
            self._given(chosen, rows),
        )

    def _given(self, chosen: NDArray[np.int64], rows: int) -> tuple[Tensor, ...]:
        """The curves [B, C, h] of trajectories, if the denoiser follows some."""
        curves = torch.from_numpy(self.trajectories.curves[chosen, :, :rows].astype(np.float32))
        return (curves.to(self.device),) if curves.shape[1] else ()

    def save_result(self) -> None:
        config = DraftConfig(self.settings.timesteps, _guidance(self.settings, self.model))
        save_draft(self.settings.parts, self.ema.shadow, config, self.teacher)

    @torch.no_grad()
    def make_samples(self) -> dict[str, Tensor]:
        """Return the denoiser's result on the first of its longest trajectories, and the draft net's."""
        config = self.model.config
        first = np.flatnonzero(self.rows == self.rows.max())[:_NUM_SAMPLES]
        places = torch.from_numpy(self.trajectories.places[first].astype(np.float32)).to(self.device)
        condition = torch.from_numpy(self.trajectories.conditions[first]).to(self.device)
        guided = guided_denoiser(
            self.ema.shadow, condition, condition, 1.0, config.schedule, config.prediction, config.clip_x0
        )
        curves = torch.from_numpy(self.trajectories.curves[first].astype(np.float32)).to(self.device)
        denoise = _following(guided, curves)
        x = places[:, 0]
        for latent in sample_ddim(denoise, x, lay_schedule(config.schedule, self.settings.timesteps)):
            x = latent
        samples: dict[str, Tensor] = {}
        for name, latents in (("denoiser", places[:, -1]), ("draft", x)):
            waveforms = self.model.vocode(self.model.decode(latents).float())
            samples |= {f"{name} {k + 1}": waveform for k, waveform in enumerate(waveforms)}
        return samples


def _alpha_bars(timesteps: tuple[int, ...], schedule: VariancePreserving) -> Tensor:
    """ᾱ where each draft step begins, then where the last one ends, [S + 1]."""
    return torch.tensor([*(schedule.alpha_bar(t) for t in timesteps), 1.0])


def train_draft(workers: Workers, settings: DraftSettings, on_report: OnReport | None = None) -> None:
    """Train, or go on training, and leave the part `draft` (the averaged one)."""
    run_loop(lambda: DraftRecipe(settings, workers), settings.loop, workers, on_report)
