"""The comparisons that need no training: the shipped model with other settings, and its edits compared with no edit."""

import time
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import torch
from numpy.typing import NDArray

from engine.audio import Audio
from engine.engine import Engine
from engine.evaluation.classifier import SAMPLE_RATE, SoundClassifier, classify, mono_16_khz
from engine.evaluation.paper.cells import Cell, CellResult, ShouldStop
from engine.evaluation.paper.features import figures_of
from engine.evaluation.paper.parts import GUIDANCE, INPAINTING, PROCESSED, STEPS, UNPROCESSED, UPSCALING
from engine.evaluation.paper.prompts import Prompt, held_out_prompts, in_turn
from engine.evaluation.paper_budget import Budget
from engine.evaluation.reconstruction import log_spectral_distance, published_lsd
from engine.requests import Generate, Inpaint, Upscale

NARROW_RATE = 8_000  # Hz, from which clips are brought to 16 kHz, as in the paper
HOLE = 0.25, 0.75  # of a clip: what is replaced

Waveform = NDArray[np.float32]  # [T] at 16 kHz


class SampledCells:
    """Measures cells of these experiments; the engine is loaded for the first one."""

    def __init__(
        self,
        load_engine: Callable[[], Engine],
        seconds: float,
        classifier: SoundClassifier,
        budget: Budget,
        should_stop: ShouldStop,
    ) -> None:
        self._load_engine, self._seconds = load_engine, seconds
        self._classifier, self._budget, self._should_stop = classifier, budget, should_stop
        self._loaded: Engine | None = None

    def measure(self, cell: Cell) -> CellResult:
        began = time.process_time()
        measure = {
            STEPS: self._with_steps,
            GUIDANCE: self._with_guidance,
            UPSCALING: self._upscaled,
            INPAINTING: self._inpainted,
        }[cell.experiment]
        figures = measure(cell.variant, self._prompts(cell.seed))
        return CellResult(cell, figures, time.process_time() - began)

    @property
    def _engine(self) -> Engine:
        if self._loaded is None:
            self._loaded = self._load_engine()
        return self._loaded

    def _prompts(self, seed: int) -> list[Prompt]:
        """Each seed continues where the classes of the one before ended."""
        count = self._budget.prompts
        return held_out_prompts(in_turn(count, seed * count), seed, self._seconds)

    def _with_steps(self, variant: str, prompts: Sequence[Prompt]) -> dict[str, float]:
        return self._generated(prompts, lambda request: replace(request, steps=int(variant), sampler="ddim"))

    def _with_guidance(self, variant: str, prompts: Sequence[Prompt]) -> dict[str, float]:
        return self._generated(prompts, lambda request: replace(request, guidance=float(variant)))

    def _generated(self, prompts: Sequence[Prompt], varied: Callable[[Generate], Generate]) -> dict[str, float]:
        requests = [
            Generate(prompt.text, self._seconds, seed=prompt.seed, tries=1, model_band=True) for prompt in prompts
        ]
        made = [self._take(varied(request)) for request in requests]
        return self._compared(prompts, made, [prompt.waveform for prompt in prompts])

    def _upscaled(self, variant: str, prompts: Sequence[Prompt]) -> dict[str, float]:
        """Log-spectral distance to the whole clip, of what was left at 8 kHz and of what was made of that."""
        distances = []
        for prompt in prompts:
            narrow = Audio(prompt.waveform, SAMPLE_RATE).resample(NARROW_RATE)
            if variant == UNPROCESSED:
                wide = narrow.resample(SAMPLE_RATE).samples[0]
            else:
                wide = self._take(Upscale(narrow, prompt.text, seed=prompt.seed, cutoff_hz=NARROW_RATE / 2))
            size = min(len(wide), len(prompt.waveform))
            estimate, target = (
                torch.from_numpy(np.ascontiguousarray(side[:size]))[None] for side in (wide, prompt.waveform)
            )
            distances.append([float(measure(estimate, target)) for measure in (published_lsd, log_spectral_distance)])
        return dict(zip(("lsd", "lsd_db"), np.mean(distances, axis=0).tolist(), strict=True))

    def _inpainted(self, variant: str, prompts: Sequence[Prompt]) -> dict[str, float]:
        """The gap alone and the whole clip, left silent or filled, compared with the corpus clips."""
        start_s, end_s = (share * self._seconds for share in HOLE)
        hole = slice(round(start_s * SAMPLE_RATE), round(end_s * SAMPLE_RATE))
        made = []
        for prompt in prompts:
            waveform = prompt.waveform.copy()
            waveform[hole] = 0
            if variant == PROCESSED:
                clip = Audio(waveform, SAMPLE_RATE)
                waveform = self._take(Inpaint(clip, prompt.text, [(start_s, end_s)], seed=prompt.seed))
            made.append(waveform)
        corpus = [prompt.waveform for prompt in prompts]
        alone = self._compared(prompts, [one[hole] for one in made], [one[hole] for one in corpus])
        whole = self._compared(prompts, made, corpus)
        return {
            "hole_frechet": alone["frechet"],
            "hole_accuracy": alone["accuracy"],
            "frechet": whole["frechet"],
            "accuracy": whole["accuracy"],
        }

    def _take(self, request: Generate | Inpaint | Upscale) -> Waveform:
        """One take, never the best of several."""
        return mono_16_khz(self._engine.run(request, should_stop=self._should_stop)[0])

    def _compared(
        self, prompts: Sequence[Prompt], made: Sequence[Waveform], corpus: Sequence[Waveform]
    ) -> dict[str, float]:
        recognised, recognised_corpus = classify(self._classifier, made), classify(self._classifier, corpus)
        return figures_of([prompt.sound for prompt in prompts], recognised, recognised_corpus)
