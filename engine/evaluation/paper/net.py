"""The net of the trained comparisons, and its training: first without any condition, then as a variant has it.

It begins as the model's own denoiser that has forgotten its conditions and its attention: what sounds look like it
knows, so a short training shows what conditions do. (Nets from nothing are named right in 3 % after 400 steps, as if by
chance.) The start is common to all variants with one kind of attention and of prediction.
"""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.optim import AdamW, Optimizer

from engine.audioldm import AudioLDM
from engine.diffusion.guidance import Prediction
from engine.errors import CancelledError
from engine.evaluation.paper.cells import Results, ShouldStop
from engine.evaluation.paper.material import LatentBatch, Material
from engine.evaluation.paper.variants import AUDIO, Attention, Variant
from engine.evaluation.paper_budget import Budget
from engine.models.unet import UNet
from engine.training.ema import Ema
from engine.training.loop import CHECKPOINT_FILE, LoopSettings, OnReport, run_loop, step_optimiser
from engine.training.objective import Objective
from engine.training.workers import Workers

_EMA_LIMIT = 0.998
_DROP_SHARE = 0.1  # of conditions that become the empty prompt's, as in the paper
_START_SEED = 1_000
_CONDITION = ("condition.", "deepen.")  # how the names of weights begin that read the condition
_ATTENTION = ".attention."  # what the names of an attention's weights hold
_OUTPUT = "conv_out."
OnMark = Callable[[int, UNet], None]  # steps done, the averaged net


def prediction_of(model: AudioLDM, variant: Variant) -> Prediction:
    """What a variant's net predicts."""
    return "eps" if variant.predicts_noise else model.config.prediction


def forgetful_unet(model: AudioLDM, attention: Attention, *, predicts_otherwise: bool) -> UNet:
    """The model's denoiser, but what reads conditions and all attention is drawn from PyTorch's global generator.

    So is its last layer, if it will predict something else.
    """
    net = UNet(replace(model.config.unet, attention=attention))
    forgotten = (*_CONDITION, _OUTPUT) if predicts_otherwise else _CONDITION
    known = {
        name: tensor
        for name, tensor in model.unet.state_dict().items()
        if not name.startswith(forgotten) and _ATTENTION not in name
    }
    net.load_state_dict(net.state_dict() | known)
    return net.to(model.device)


class NetRecipe:
    """The paper's objective on batches of a variant, or on latents alone, all conditions being zero."""

    def __init__(
        self,
        material: Material,
        variant: Variant,
        net: UNet,
        learning_rate: float,
        on_mark: OnMark,
        should_stop: ShouldStop,
        *,
        conditioned: bool = True,
    ) -> None:
        self._material, self._variant, self._on_mark, self._should_stop = material, variant, on_mark, should_stop
        self._net = net.to(memory_format=torch.channels_last).train()  # type: ignore[call-overload]
        self._ema = Ema(self._net, _EMA_LIMIT)
        self.kept: dict[str, nn.Module] = {"net": self._net, "ema": self._ema.shadow}
        adamw = AdamW(self._net.parameters(), learning_rate, (0.9, 0.99), weight_decay=1e-3)
        self.optimisers: dict[str, Optimizer] = {"adamw": adamw}
        self._conditioned, model = conditioned, material.model
        self._objective = Objective(
            model.config.schedule, prediction_of(model, variant), model.device, even_levels=variant.even_levels
        )
        self.kept |= self._objective.kept
        self.optimisers |= self._objective.optimisers
        self._rows = material.rows(variant)
        self._likelihoods = material.likelihoods(variant, self._rows)
        with torch.no_grad():
            self._empty = material.encoder(variant.encoder).embed_text([""]).cpu()  # [1, D]

    def train_step(self, step: int, rng: np.random.Generator) -> dict[str, float]:
        if self._should_stop():
            raise CancelledError
        batch = self._batch(rng)
        losses, t = self._objective.losses(self._net, batch.x0, batch.condition, rng)
        loss = self._objective.mean(losses, t, Workers())
        step_optimiser(self.optimisers["adamw"], loss, Workers(), max_norm=1.0)
        self._ema.update(self._net, step)
        shadow = self._ema.shadow
        assert isinstance(shadow, UNet), "the average of a net is a net"
        self._on_mark(step + 1, shadow)
        return {"mse": losses.mean().item()}

    def _batch(self, rng: np.random.Generator) -> LatentBatch:
        count, material = self._material.budget.batch_size, self._material
        rows = np.sort(rng.choice(self._rows, count, p=self._likelihoods))
        x0 = material.scaled_latents(rows)
        if not self._conditioned:
            return LatentBatch(x0, torch.zeros(count, self._empty.shape[1], device=x0.device))
        condition = material.conditions(self._variant, rows, rng)
        dropped = torch.from_numpy(rng.random(count) < _DROP_SHARE)
        return LatentBatch(x0, torch.where(dropped[:, None], self._empty, condition).to(x0.device))

    def save_result(self) -> None:
        """Checkpoints hold all there is."""

    def make_samples(self) -> dict[str, Tensor]:
        """Nothing: its results are figures."""
        return {}


def start_net(
    material: Material, variant: Variant, results: Results, on_report: OnReport, should_stop: ShouldStop
) -> UNet:
    """The net from which trainings of such a variant begin: trained once, then kept."""
    budget, name = material.budget, f"start_{variant.attention}{'_noise' if variant.predicts_noise else ''}"
    path, plain = results.folder / f"{name}.safetensors", replace(AUDIO, predicts_noise=variant.predicts_noise)
    with results.locked(path.name):
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(_START_SEED)
            net = forgetful_unet(material.model, variant.attention, predicts_otherwise=variant.predicts_noise)
        if not path.exists():
            loop = _loop(results.folder / name, budget.start_steps, budget, _START_SEED)
            recipe = NetRecipe(material, plain, net, loop.learning_rate, _no_mark, should_stop, conditioned=False)
            save_file(_train(recipe, loop, on_report), path)
        net.load_state_dict(load_file(path))
    return net


def train_variant(
    material: Material,
    variant: Variant,
    seed: int,
    start: UNet,
    folder: Path,
    on_report: OnReport,
    on_mark: OnMark,
    should_stop: ShouldStop,
) -> None:
    """Fine-tune `start`; `on_mark` is called after every step with the averaged net."""
    loop = _loop(folder, material.budget.cell_steps, material.budget, seed)
    _train(NetRecipe(material, variant, start, loop.learning_rate, on_mark, should_stop), loop, on_report)


def _loop(folder: Path, num_steps: int, budget: Budget, seed: int) -> LoopSettings:
    """A tenth of the steps to warm up."""
    return LoopSettings(folder, num_steps, budget.learning_rate, max(1, num_steps // 10), seed=seed)


def _train(recipe: NetRecipe, loop: LoopSettings, on_report: OnReport) -> dict[str, Tensor]:
    """Run, or go on, to the end; returns the averaged weights and leaves no checkpoint."""
    with torch.random.fork_rng(devices=[]):
        run_loop(lambda: recipe, loop, Workers(), on_report)
    (loop.folder / CHECKPOINT_FILE).unlink()
    return {name: tensor.detach().cpu().contiguous() for name, tensor in recipe.kept["ema"].state_dict().items()}


def _no_mark(step: int, net: UNet) -> None:
    """Starts are not watched."""
