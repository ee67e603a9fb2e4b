"""Trains the denoiser on latents: the paper's objective, conditioned on the sound's own embedding or on a caption's.

Liu et al. 2023, §3.3 and appendix: audio embeddings in training, text at sampling; 10 % of conditions dropped; EMA.
Latents and embeddings are computed once and memory-mapped. A net that follows curves is given the clips' own.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.lib.format import open_memmap
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.optim import AdamW, Optimizer

from engine.audioldm import AudioLDM
from engine.diffusion.guidance import guided_denoiser
from engine.diffusion.schedule import lay_schedule, timesteps_for
from engine.diffusion.solvers import sample_dpm_solver_2m
from engine.gesture import measure_curves
from engine.mel import MelConfig
from engine.models.unet import UNet
from engine.training.clip_gestures import CURVES_FILE, ClipGestures, measure_clips
from engine.training.clip_sampler import ClipSampler
from engine.training.datasets import Clips
from engine.training.ema import Ema
from engine.training.lengths import draw_rows
from engine.training.loop import LoopSettings, OnReport, run_loop, step_optimiser
from engine.training.lora import adapt, merged
from engine.training.objective import Objective
from engine.training.parts import LatentScaling, curves_of, join_parts, part_mark, save_part, start_of
from engine.training.training_errors import ClassUnknownError, CorpusDiffersError
from engine.training.workers import Workers

_BATCH = 32  # clips that are encoded at once
_EMBEDDER_FILE = "embedder.json"  # beside the embeddings: the mark of the CLAP that made them
_CURVES_FASTER = 5.0  # than the net's rate
_NUM_SAMPLES, _SAMPLE_STEPS = 4, 15  # captions that samples are made of on the way, and their steps
OnCount = Callable[[int, int], None]  # done, total


@dataclass(frozen=True)
class LdmSettings:
    clips: Path
    parts: Path
    loop: LoopSettings
    preset: str = "nano"
    batch_size: int = 8  # in each process
    text_share: float = 0.5  # of conditions that are a caption's embedding; 0 is the paper's choice
    drop_share: float = 0.1  # of conditions that become the empty prompt's
    mixup_share: float = 0.0  # of latents that are mixtures of two sounds (the paper's conditioning augmentation)
    captions_per_clip: int = 16
    ema_limit: float = 0.998
    scale_exponent: float = 0.5  # of a latent channel's share of the patches' deviation; 0 is unit variance everywhere
    device: str = "cpu"
    rank: int = 0  # of the changes that fine-tuning makes; 0: every weight learns
    shorter_share: float = 0.0  # of steps that learn from the clips' beginnings only, of a length that each step draws
    compiles: bool = False  # the net, for clips of full length: a minute or two before the first step, then faster
    emphasis: Mapping[str, int] = field(default_factory=dict)  # how many times a round the clips of a class are used


class Latents:
    """Training data of the denoiser: latents [K, Z, H, W], embeddings of sounds [K, D] and of captions [K, C, D].

    The latents are moved to a card if they fill less than half of its free memory; otherwise they stay on disk.
    """

    def __init__(self, folder: Path, device: torch.device | str = "cpu") -> None:
        self.latents: NDArray[np.float16] = np.load(folder / "latents.npy", mmap_mode="r")
        self.audio = torch.from_numpy(np.load(folder / "audio.npy"))
        self.text = torch.from_numpy(np.load(folder / "text.npy"))
        self.device = torch.device(device)
        on_card = self.device.type == "cuda" and self.latents.nbytes < torch.cuda.mem_get_info(self.device)[0] / 2
        self._held = torch.from_numpy(np.array(self.latents)).to(self.device) if on_card else None

    def __len__(self) -> int:
        return len(self.latents)

    def at(self, chosen: NDArray[np.int64]) -> Tensor:
        """The latents of these clips, not scaled, on the device: float32 [B, Z, H, W]."""
        if self._held is not None:
            return self._held[torch.from_numpy(chosen).to(self.device)].float()
        return torch.from_numpy(self.latents[chosen].astype(np.float32)).to(self.device)


def prepare_latents(workers: Workers, settings: LdmSettings, on_progress: OnCount | None = None) -> None:
    """Encode and embed every clip and its captions, and set the scale of latents; work already done is kept.

    Clips are embedded again if the CLAP has been trained since.
    """
    folder = settings.clips / "latents"
    started = start_of(settings.parts) is not None  # from a model whose scale of latents stays
    scaled = started or (settings.parts / "latents.safetensors").exists()
    encoded = scaled and (folder / "text.npy").exists()
    folder.mkdir(exist_ok=True)
    _measure_curves(workers, settings, on_progress)
    if encoded and _embedder(folder) in (None, part_mark(settings.parts, "clap")):
        return
    model, clips = join_parts(settings.parts, settings.preset).to(settings.device), Clips(settings.clips)
    if not encoded:
        encode_clips(workers, model, clips, settings, on_progress)
    if workers.leads:
        if not scaled:
            _set_scale(model, np.load(folder / "latents.npy", mmap_mode="r"), settings)
        embed_clips(model, clips, settings)
    workers.wait()


def _measure_curves(workers: Workers, settings: LdmSettings, on_progress: OnCount | None) -> None:
    """Where the run's denoiser follows curves, measure those of all clips, once."""
    folder = settings.clips / "latents"
    if not curves_of(settings.parts) or (folder / CURVES_FILE).exists():
        return
    model, clips = join_parts(settings.parts, settings.preset), Clips(settings.clips)
    shape = len(clips) + _num_mixed(settings, len(clips)), model.config.window_rows

    def measure(chosen: NDArray[np.int64]) -> Tensor:
        return measure_curves(_mixed(clips, chosen), model.sample_rate, model.samples_per_row)

    measure_clips(workers, folder, shape, measure, on_progress)


@torch.no_grad()
def encode_clips(
    workers: Workers, model: AudioLDM, clips: Clips, settings: LdmSettings, on_progress: OnCount | None = None
) -> None:
    """latents.npy float16 [K, Z, H, W]: the posteriors' means, not scaled yet; every process encodes its share."""
    path = settings.clips / "latents" / "latents.npy"
    total = len(clips) + _num_mixed(settings, len(clips))
    if workers.leads and not path.exists():
        open_memmap(path, "w+", np.float16, (total, *model.latent_shape(model.config.window_rows))).flush()
    workers.wait()
    latents = np.load(path, mmap_mode="r+")
    for start in range(workers.rank * _BATCH, total, workers.count * _BATCH):
        rows = np.arange(start, min(start + _BATCH, total))
        kept = rows[-1] < len(clips) and model.config.mel == MelConfig()  # its front end made the clips' log-mels
        source = clips.log_mel(rows) if kept else _mixed(clips, rows)
        log_mel = source.to(model.device) if kept else model.log_mel(source.to(model.device))
        latents[rows] = model.vae.encode(log_mel).mean.cpu().numpy().astype(np.float16)
        if on_progress and workers.leads:
            on_progress(int(rows[-1]) + 1, total)
    latents.flush()
    workers.wait()


@torch.no_grad()
def embed_clips(model: AudioLDM, clips: Clips, settings: LdmSettings) -> None:
    """audio.npy [K, D] and text.npy [K, C, D]: embeddings of clips and of their captions; mixtures have none."""
    folder = settings.clips / "latents"
    total = len(clips) + _num_mixed(settings, len(clips))
    parts = [np.arange(start, min(start + _BATCH, total)) for start in range(0, total, _BATCH)]
    source = (_mixed(clips, part).to(model.device) for part in parts)
    audio = [model.clap.embed_audio(waveform, model.sample_rate).cpu().numpy() for waveform in source]
    np.save(folder / "audio.npy", np.concatenate(audio))
    text = np.zeros((total, settings.captions_per_clip, model.clap.embedding_dim), np.float32)
    for part in np.array_split(np.arange(len(clips)), -(-len(clips) // _BATCH)):
        wordings = [clips.caption(int(k), 1000 * int(k) + c) for k in part for c in range(settings.captions_per_clip)]
        text[part] = model.clap.embed_text(wordings).cpu().numpy().reshape(len(part), settings.captions_per_clip, -1)
    np.save(folder / "text.npy", text)
    (folder / _EMBEDDER_FILE).write_text(json.dumps(part_mark(settings.parts, "clap")), encoding="utf-8")


def _embedder(latents: Path) -> str | None:
    """Return the mark of the CLAP that embedded the clips; None if it was not recorded."""
    path = latents / _EMBEDDER_FILE
    return str(json.loads(path.read_text(encoding="utf-8"))) if path.exists() else None


def round_of(settings: LdmSettings, total: int) -> NDArray[np.int64]:
    """Return the latents of a round, [R]: every one of `total` once, those of emphasised classes several times.

    Raises:
        ClassUnknownError: the clips have no such class.
    """
    times = np.ones(total, np.int64)
    if settings.emphasis:
        clips = Clips(settings.clips)
        for name, count in settings.emphasis.items():
            if name not in clips.class_names:
                raise ClassUnknownError(name, clips.class_names)
            times[: len(clips)][clips.classes == clips.class_names.index(name)] = count
    return np.repeat(np.arange(total), times)


def _num_mixed(settings: LdmSettings, clips: int) -> int:
    return int(settings.mixup_share * clips)


def _require_mixtures(settings: LdmSettings) -> None:
    clips, folder = len(Clips(settings.clips)), settings.clips / "latents"
    held = len(np.load(folder / "latents.npy", mmap_mode="r")) - clips
    if held != _num_mixed(settings, clips):
        raise CorpusDiffersError(folder, f"latents of {held} mixed clips", str(_num_mixed(settings, clips)))


def _mixed(clips: Clips, indices: NDArray[np.int64]) -> Tensor:
    """Clips as they are; past the last one, λ x1 + (1 - λ) x2 of two of them, λ ~ Beta(5, 5)."""
    plain, rest = indices[indices < len(clips)], indices[indices >= len(clips)]
    parts = [clips.waveform(plain)] if len(plain) else []
    for index in rest:
        rng = np.random.default_rng(int(index))
        share, pair = rng.beta(5, 5), rng.choice(len(clips), 2, replace=False)
        first, second = clips.waveform(pair)
        parts.append((share * first + (1 - share) * second)[None])
    return torch.cat(parts)


@torch.no_grad()
def _set_scale(model: AudioLDM, latents: NDArray[np.float16], settings: LdmSettings) -> None:
    """Centre each channel; scale it to unit variance, times its component's weight where the VAE started from PCA."""
    sample = torch.from_numpy(latents[:: max(1, len(latents) // 512)].astype(np.float32))
    mean, deviation = sample.mean((0, 2, 3)), sample.std((0, 2, 3))
    weight = torch.ones_like(deviation)
    if model.vae.linear_decoder is not None:
        spread = model.vae.linear_decoder.weight.flatten(1).norm(dim=1).cpu()
        weight = (spread / spread.max()) ** settings.scale_exponent
    model.latent_mean.copy_(mean)
    model.latent_scale.copy_(weight / deviation)
    save_part(settings.parts, "latents", LatentScaling(model))


class LdmRecipe:
    """See the module's docstring."""

    def __init__(self, settings: LdmSettings, workers: Workers) -> None:
        self.settings, self.workers = settings, workers
        self.device = torch.device(settings.device)
        model = join_parts(settings.parts, settings.preset).to(self.device)
        self.model, self.unet = model, model.unet.to(memory_format=torch.channels_last).train()  # type: ignore[call-overload]
        if settings.rank:
            adapt(self.unet, settings.rank)
            if self.unet.follow is not None:
                self.unet.follow.requires_grad_(requires_grad=True)  # they are new, and have no rank to spare
        self.compiled: nn.Module = torch.compile(self.unet) if settings.compiles else self.unet  # type: ignore[assignment]
        self.ema = Ema(self.unet, settings.ema_limit)
        self.kept: dict[str, nn.Module] = {"unet": self.unet, "ema": self.ema.shadow}
        self.optimisers: dict[str, Optimizer] = {
            "adamw": AdamW(
                _groups(self.unet),
                settings.loop.learning_rate,
                (0.9, 0.99),
                weight_decay=1e-3,
            )
        }
        config = model.config  # the published objective predicts the noise and weighs nothing
        even_levels = config.prediction == "v"
        self.objective = Objective(config.schedule, config.prediction, self.device, even_levels=even_levels)
        self.kept |= self.objective.kept
        self.optimisers |= self.objective.optimisers
        self.data = Latents(settings.clips / "latents", self.device)
        names = config.unet.curves
        self.gestures = ClipGestures(settings.clips / "latents", names) if names else None
        self.rows = round_of(settings, len(self.data))
        self.sampler = ClipSampler(len(self.rows), settings.batch_size, workers, settings.loop.seed)
        with torch.no_grad():
            self.empty = model.embed_text([""])  # [1, D]

    def train_step(self, step: int, rng: np.random.Generator) -> dict[str, float]:
        x0, condition = self._batch(step, rng)
        rows = self._rows(step)
        net = self.compiled if rows == self.model.config.window_rows else self.unet  # every shape would be compiled
        given = self._given(step, rows, rng)
        losses, t = self.objective.losses(net, x0[:, :, :rows], condition, rng, *given)
        loss = self.objective.mean(losses, t, self.workers)
        step_optimiser(self.optimisers["adamw"], loss, self.workers, max_norm=1.0)
        self.ema.update(self.unet, step)
        return {"mse": losses.mean().item(), **_by_curves(losses.detach(), *given)}

    def _batch(self, step: int, rng: np.random.Generator) -> tuple[Tensor, Tensor]:
        """Scaled latents [B, Z, H, W] and their conditions [B, D]."""
        count = self.settings.batch_size
        chosen = np.sort(self.rows[self.sampler.at(step)])
        model = self.model
        x0 = (self.data.at(chosen) - model.latent_mean[:, None, None]) * model.latent_scale[:, None, None]
        condition = self.data.audio[chosen]
        caption = self.data.text[chosen, rng.integers(self.data.text.shape[1], size=count)]
        by_text = torch.from_numpy(rng.random(count) < self.settings.text_share) & caption.any(1)
        condition = torch.where(by_text[:, None], caption, condition).to(self.device)
        dropped = torch.from_numpy(rng.random(count) < self.settings.drop_share).to(self.device)
        return x0, torch.where(dropped[:, None], self.empty, condition)

    def _given(self, step: int, rows: int, rng: np.random.Generator) -> tuple[Tensor, ...]:
        """The curves [B, C, rows] of this step's clips, for a net that follows some."""
        if self.gestures is None:
            return ()
        chosen = np.sort(self.rows[self.sampler.at(step)])
        return (self.gestures.draw(chosen, rows, rng).to(self.device),)

    def _rows(self, step: int) -> int:
        """Latent rows of this step's clips, in every process alike."""
        rng = np.random.default_rng((self.settings.loop.seed, step))
        return draw_rows(rng, self.model.config.window_rows, self.model.row_multiple, self.settings.shorter_share)

    def save_result(self) -> None:
        save_part(self.settings.parts, "unet", merged(self.ema.shadow))

    @torch.no_grad()
    def make_samples(self) -> dict[str, Tensor]:
        """What the averaged net makes of a few captions, the same each time."""
        clips = Clips(self.settings.clips)
        prompts = [clips.caption(k, k) for k in np.linspace(0, len(clips) - 1, _NUM_SAMPLES).astype(int)]
        model, config = self.model, self.model.config
        condition, negative = model.embed_text(prompts), self.empty.expand(_NUM_SAMPLES, -1)
        denoise = guided_denoiser(
            self.ema.shadow, condition, negative, config.default_guidance, config.schedule, config.prediction,
            config.clip_x0,
        )  # fmt: skip
        x = torch.randn(_NUM_SAMPLES, *model.latent_shape(config.window_rows)).to(self.device)
        schedule = lay_schedule(config.schedule, timesteps_for(_SAMPLE_STEPS, config.schedule))
        for latent in sample_dpm_solver_2m(denoise, x, schedule):
            x = latent
        waveforms = model.vocode(model.decode(x).float())
        return dict(zip(prompts, waveforms, strict=True))


def _groups(unet: UNet) -> list[dict[str, Any]]:
    """What learns; layers for curves faster, since few of their weights are used at a time, and they begin at zero."""
    curves = list(unet.follow.parameters()) if unet.follow is not None else []
    new = {id(parameter) for parameter in curves}
    others = [p for p in unet.parameters() if p.requires_grad and id(p) not in new]
    return [{"params": others}, *([{"params": curves, "rate_factor": _CURVES_FASTER}] if curves else [])]


def _by_curves(losses: Tensor, curves: Tensor | None = None) -> dict[str, float]:
    """The mean loss of clips that were given curves, and that of the others."""
    if curves is None:
        return {}
    following = ~curves.isnan().all(2).all(1)
    split = {"mse_following": losses[following], "mse_free": losses[~following]}
    return {name: part.mean().item() for name, part in split.items() if len(part)}


def train_ldm(workers: Workers, settings: LdmSettings, on_report: OnReport | None = None) -> None:
    """Train, or go on training, and leave the part `unet` (the averaged one).

    Raises:
        CorpusDiffersError: the latents were made with another share of mixed clips.
        ClassUnknownError: `emphasis` names a class that the clips do not have.
    """
    _require_mixtures(settings)
    run_loop(lambda: LdmRecipe(settings, workers), settings.loop, workers, on_report)
