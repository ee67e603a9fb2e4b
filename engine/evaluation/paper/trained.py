"""The trained comparisons cell by cell: train a net as a variant has it, measure it on held-out prompts."""

import json
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from engine.audioldm import AudioLDM
from engine.diffusion.guidance import guided_denoiser
from engine.diffusion.schedule import lay_schedule, timesteps_for
from engine.diffusion.solvers import SAMPLERS
from engine.errors import CancelledError
from engine.evaluation.classifier import BATCH, SoundClassifier, classify_log_mels
from engine.evaluation.paper.cells import Cell, CellResult, Results, ShouldStop
from engine.evaluation.paper.features import figures_of
from engine.evaluation.paper.material import Material
from engine.evaluation.paper.net import prediction_of, start_net, train_variant
from engine.evaluation.paper.parts import AUTOENCODER
from engine.evaluation.paper.prompts import Prompt, held_out_prompts, in_turn, long_tailed
from engine.evaluation.paper.variants import VARIANTS, Variant
from engine.models.unet import UNet
from engine.sounds import SOUNDS
from engine.training.loop import OnReport

_CURVE_FILE = "curve.json"
_SAMPLED = 16  # latents that are sampled at once


class TrainedCells:
    """Measures cells of the experiment; what they share is made for the first one."""

    def __init__(
        self,
        make_material: Callable[[], Material],
        classifier: SoundClassifier,
        results: Results,
        on_report: OnReport,
        should_stop: ShouldStop,
    ) -> None:
        self._make_material, self._classifier, self._results = make_material, classifier, results
        self._on_report, self._should_stop = on_report, should_stop
        self._made: Material | None = None

    @property
    def _material(self) -> Material:
        if self._made is None:
            self._made = self._make_material()
        return self._made

    def measure(self, cell: Cell) -> CellResult:
        """Train and evaluate; an interrupted training resumes from its last checkpoint."""
        material = self._material
        if cell.variant == AUTOENCODER:
            began = time.process_time()
            return CellResult(cell, self._autoencoded(cell.seed), time.process_time() - began)
        variant = VARIANTS[cell.variant]
        start = start_net(material, variant, self._results, self._on_report, self._should_stop)
        folder = self._results.folder / "runs" / f"{variant.name}_{cell.seed}"
        began, marks = time.process_time(), self._marks(variant)
        curve: dict[int, dict[str, float]] = _noted(folder)

        def on_mark(step: int, net: UNet) -> None:
            if step in marks:
                curve[step] = self._measured(net, variant, cell.seed)
                _note(folder, curve)

        train_variant(material, variant, cell.seed, start, folder, self._on_report, on_mark, self._should_stop)
        points = tuple({"step": float(step), **figures} for step, figures in sorted(curve.items()))
        return CellResult(cell, curve[material.budget.cell_steps], time.process_time() - began, points)

    def _marks(self, variant: Variant) -> set[int]:
        """The steps after which the net is measured; the last one always."""
        budget = self._material.budget
        count = budget.marks if variant.watched else 1
        return {round(budget.cell_steps * (index + 1) / count) for index in range(count)}

    def _measured(self, net: UNet, variant: Variant, seed: int) -> dict[str, float]:
        prompts = self._prompts(seed, long_tail=variant.long_tail)
        return self._compared(prompts, self._made_log_mels(net, variant, prompts))

    def _autoencoded(self, seed: int) -> dict[str, float]:
        prompts, model = self._prompts(seed, long_tail=False), self._material.model
        with torch.no_grad():
            log_mels = [model.decode(model.encode(part)) for part in _log_mels(model, prompts).split(_SAMPLED)]
        return self._compared(prompts, torch.cat(log_mels))

    def _prompts(self, seed: int, *, long_tail: bool) -> list[Prompt]:
        count = self._material.budget.prompts_per_class * len(SOUNDS)
        sounds = long_tailed(count) if long_tail else in_turn(count)
        return held_out_prompts(sounds, seed, self._material.seconds)

    def _compared(self, prompts: Sequence[Prompt], log_mels: Tensor) -> dict[str, float]:
        """Log-mels [n, 1, N, M] of n prompts, and those of the corpus clips that the prompts describe."""
        corpus = classify_log_mels(self._classifier, _log_mels(self._material.model, prompts).cpu().split(BATCH))
        made = classify_log_mels(self._classifier, log_mels.cpu().split(BATCH))
        return figures_of([prompt.sound for prompt in prompts], made, corpus)

    @torch.no_grad()
    def _made_log_mels(self, net: UNet, variant: Variant, prompts: Sequence[Prompt]) -> Tensor:
        """What the net makes of the prompts, up to the vocoder: [n, 1, N, M]."""
        made = []
        for start in range(0, len(prompts), _SAMPLED):
            if self._should_stop():
                raise CancelledError
            made.append(self._sampled(net, variant, prompts[start : start + _SAMPLED]))
        return torch.cat(made)

    def _sampled(self, net: UNet, variant: Variant, prompts: Sequence[Prompt]) -> Tensor:
        model, budget, encoder = self._material.model, self._material.budget, self._material.encoder(variant.encoder)
        config, shape = model.config, model.latent_shape(model.config.window_rows)
        noise = [torch.randn(shape, generator=torch.Generator().manual_seed(prompt.seed)) for prompt in prompts]
        wanted = encoder.embed_text([prompt.text for prompt in prompts]).to(model.device)
        empty = encoder.embed_text([""]).to(model.device).expand_as(wanted)
        denoise = guided_denoiser(
            net, wanted, empty, budget.guidance, config.schedule, prediction_of(model, variant), config.clip_x0
        )
        schedule = lay_schedule(config.schedule, timesteps_for(budget.sampling_steps, config.schedule))
        *_, latent = SAMPLERS["dpm++2m"](denoise, torch.stack(noise).to(model.device), schedule)
        return model.decode(latent)


def _log_mels(model: AudioLDM, prompts: Sequence[Prompt]) -> Tensor:
    """Of the corpus clips: [n, 1, N, M]."""
    waveforms = torch.from_numpy(np.stack([prompt.waveform for prompt in prompts]))
    log_mels: Tensor = model.log_mel(waveforms.to(model.device))
    return log_mels


def _noted(folder: Path) -> dict[int, dict[str, float]]:
    path = folder / _CURVE_FILE
    return {int(step): figures for step, figures in json.loads(path.read_text()).items()} if path.exists() else {}


def _note(folder: Path, curve: Mapping[int, Mapping[str, float]]) -> None:
    (folder / _CURVE_FILE).write_text(json.dumps(curve), encoding="utf-8")
