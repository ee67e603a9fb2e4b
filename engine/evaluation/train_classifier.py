"""Train the judge on real corpus clips: `python -m engine.evaluation.train_classifier` (a few minutes on one core).

Hidden from musicians: only a new corpus class calls for it. The training seeds (2,000,000 up) meet neither those of the
model (below 1,000,000) nor those of the test (10,000,000 up).
"""

import argparse
import math
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, fields
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from engine.evaluation.classifier import SAMPLE_RATE, SHIPPED, SoundClassifier, save_classifier
from engine.mel import LogMel, MelConfig
from engine.sounds import SOUNDS, render

TRAINING_SEED = 2_000_000
HELD_OUT_SEED = 10_000_000
SECONDS = 5.12  # of every corpus clip
SILENCE = math.log(MelConfig().floor)
OnProgress = Callable[[str], None]


@dataclass(frozen=True)
class ClassifierSettings:
    """Sizes and lengths of the recipe; the defaults made the shipped judge."""

    clips_per_class: int = 150  # to learn from
    test_clips_per_class: int = 20  # to be tested on
    steps: int = 600
    batch: int = 32
    peak_rate: float = 3e-3  # of AdamW, cosine to a twentieth
    weight_decay: float = 1e-2
    gain_range: float = 3.0  # natural-log units: +-26 dB of level
    seed: int = 0
    cache: Path | None = None  # folder for the log-mels, so that a second run starts at once
    output: Path = SHIPPED


def run(settings: ClassifierSettings, on_progress: OnProgress = print) -> float:
    """Render, train, test, save. Returns the share of held-out real clips that are named rightly."""
    learn, labels = corpus(settings.clips_per_class, TRAINING_SEED, settings.cache, on_progress)
    held_out, truths = corpus(settings.test_clips_per_class, HELD_OUT_SEED, settings.cache, on_progress)
    classifier = train(settings, learn, labels, on_progress)
    results = {f"{gain:+d} dB": accuracy(classifier, at_level(held_out, gain), truths) for gain in (0, -20, 20)}
    confused = confusions(classifier, held_out, truths)
    on_progress(f"held-out accuracy {results}; heard as something else: {confused or 'none'}")
    story = {
        "held_out_accuracy": results,
        "confusions": confused,
        "training_seeds": [TRAINING_SEED, TRAINING_SEED + len(learn)],
        "test_seeds": [HELD_OUT_SEED, HELD_OUT_SEED + len(held_out)],
        "settings": {name: value for name, value in asdict(settings).items() if name not in ("cache", "output")},
    }
    save_classifier(classifier, settings.output, story)
    return results["+0 dB"]


def corpus(clips_per_class: int, first_seed: int, cache: Path | None, on_progress: OnProgress) -> tuple[Tensor, Tensor]:
    """Real clips as log-mel [n, 1, N, M] in float16, classes taking turns, and their class indices [n]."""
    count = clips_per_class * len(SOUNDS)
    labels = torch.arange(count) % len(SOUNDS)
    kept = cache / f"judge_{len(SOUNDS)}_{first_seed}_{count}.npy" if cache else None
    if kept and kept.exists():
        return torch.from_numpy(np.load(kept)), labels
    on_progress(f"rendering {count} clips from seed {first_seed}")
    log_mel = LogMel(MelConfig())
    mels = torch.cat([log_mel(torch.from_numpy(waveform[None])).half() for waveform in _waveforms(count, first_seed)])
    if kept:
        kept.parent.mkdir(parents=True, exist_ok=True)
        np.save(kept, mels.numpy())
    return mels, labels


def _waveforms(count: int, first_seed: int) -> Iterator[NDArray[np.float32]]:
    for index in range(count):
        yield render(SOUNDS[index % len(SOUNDS)], first_seed + index, SECONDS, SAMPLE_RATE).waveform


def train(settings: ClassifierSettings, mels: Tensor, labels: Tensor, on_progress: OnProgress) -> SoundClassifier:
    """Cross-entropy with smoothed labels on varied clips; no global random state is touched."""
    with torch.random.fork_rng():
        torch.manual_seed(settings.seed)  # the layers draw their first weights from the global generator
        classifier = SoundClassifier(SOUNDS)
    generator = torch.Generator().manual_seed(settings.seed)
    optimizer = torch.optim.AdamW(classifier.parameters(), settings.peak_rate, weight_decay=settings.weight_decay)
    started = time.monotonic()
    for step in range(settings.steps):
        optimizer.param_groups[0]["lr"] = settings.peak_rate * _rate(step / settings.steps)
        chosen = torch.randint(len(mels), (settings.batch,), generator=generator)
        logits = classifier(vary(mels[chosen].float(), settings.gain_range, generator))
        loss = torch.nn.functional.cross_entropy(logits, labels[chosen], label_smoothing=0.05)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if step % 50 == 0:
            on_progress(f"step {step}/{settings.steps}, loss {loss.item():.3f}, {time.monotonic() - started:.0f} s")
    return _with_feature_scale(classifier.eval(), mels)


def vary(mels: Tensor, gain_range: float, generator: torch.Generator) -> Tensor:
    """Another level, sometimes another length (at least half) and a little noise: [B, 1, N, M] -> [B, 1, N', M]."""
    gains = (torch.rand(len(mels), 1, 1, 1, generator=generator) * 2 - 1) * gain_range
    varied = (mels + gains).clamp(min=SILENCE)
    if torch.rand((), generator=generator) < 0.5:
        depth = 0.3 * torch.rand((), generator=generator)
        varied = varied + depth * torch.randn(varied.shape, generator=generator)
    if torch.rand((), generator=generator) < 0.2:
        frames = int(mels.shape[2] * (0.5 + 0.5 * torch.rand((), generator=generator)))
        start = int((mels.shape[2] - frames) * torch.rand((), generator=generator))
        varied = varied[:, :, start : start + frames]
    return varied


def at_level(mels: Tensor, gain_db: float) -> Tensor:
    """The same clips louder or softer; what falls under the floor of the log-mel is lost, as it would be in audio."""
    return (mels.float() + gain_db * math.log(10) / 20).clamp(min=SILENCE)


@torch.no_grad()
def predictions(classifier: SoundClassifier, mels: Tensor) -> Tensor:
    return torch.cat([classifier(batch.float()).argmax(dim=1) for batch in torch.split(mels, 32)])


def accuracy(classifier: SoundClassifier, mels: Tensor, labels: Tensor) -> float:
    return round((predictions(classifier, mels) == labels).double().mean().item(), 4)


def confusions(classifier: SoundClassifier, mels: Tensor, labels: Tensor) -> dict[str, int]:
    """How often one class was heard as another: {"rain as fire": 2}, most frequent first."""
    pairs = zip(predictions(classifier, mels).tolist(), labels.tolist(), strict=True)
    wrong = [f"{SOUNDS[truth]} as {SOUNDS[heard]}" for heard, truth in pairs if heard != truth]
    return {pair: wrong.count(pair) for pair in sorted(set(wrong), key=lambda pair: (-wrong.count(pair), pair))}


def _rate(progress: float) -> float:
    """Linear warm-up over 2 %, then a cosine to a twentieth."""
    return min(1.0, progress / 0.02 + 1e-3) * (0.05 + 0.95 * (0.5 + 0.5 * math.cos(math.pi * progress)))


@torch.no_grad()
def _with_feature_scale(classifier: SoundClassifier, mels: Tensor) -> SoundClassifier:
    chosen = mels[:: max(1, len(mels) // 1000)]
    embeddings = torch.cat([classifier.embed(batch.float()) for batch in torch.split(chosen, 32)])
    classifier.feature_mean.copy_(embeddings.mean(dim=0))
    classifier.feature_std.copy_(embeddings.std(dim=0).clamp(min=1e-3))
    return classifier


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m engine.evaluation.train_classifier", description=__doc__)
    for field in fields(ClassifierSettings):
        kind = Path if field.name in ("cache", "output") else type(field.default)
        option = "--" + field.name.replace("_", "-")
        parser.add_argument(option, type=kind, default=field.default, help=f"default {field.default}")
    run(ClassifierSettings(**vars(parser.parse_args())))


if __name__ == "__main__":
    main()
