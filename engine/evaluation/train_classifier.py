"""Train the classifier on corpus clips: `python -m engine.evaluation.train_classifier` (a few minutes on one core).

With `--recordings FOLDER` it learns from labelled recordings too, and is tested on packages that it never heard.

Not for musicians: only a new sound or attribute of the corpus needs it. The training seeds (2,000,000 up) differ from
those of the model (below 1,000,000) and those of the test (10,000,000 up).
"""

import argparse
import math
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path

import torch
from torch import Tensor

from engine.evaluation.attribute_head import AttributeHead
from engine.evaluation.classifier import SHIPPED, ClassifierOutput, SoundClassifier, save_classifier
from engine.evaluation.classifier_clips import LabelledClips, OnStage, attribute_places, labelled_clips
from engine.evaluation.recorded_clips import RecordedClips
from engine.mel import MelConfig
from engine.sounds import SOUNDS

TRAINING_SEED = 2_000_000
HELD_OUT_SEED = 10_000_000
_PLACES = ("cache", "output", "recordings")  # folders, which say nothing to others
SILENCE = math.log(MelConfig().floor)


@dataclass(frozen=True)
class ClassifierSettings:
    """Sizes and lengths of the recipe; the defaults made the shipped classifier."""

    clips_per_class: int = 150  # to learn from
    test_clips_per_class: int = 20  # to be tested on
    steps: int = 1000
    batch: int = 32
    peak_rate: float = 3e-3  # of AdamW, cosine to a twentieth
    weight_decay: float = 1e-2
    attribute_steps: int = 1000  # of the attribute head alone, at the end
    attribute_batch: int = 64
    attribute_noise: float = 0.2  # on its statistics, standard deviations: since generated clips differ a little
    attribute_weight: float = 0.5  # of the attributes' loss relative to the classes'
    gain_range: float = 3.0  # natural-log units: +-26 dB of level
    recordings: Path | None = None  # a folder of labelled recordings to learn from beside the corpus
    recorded_batch: int = 24  # of them in a step, and half as many corpus clips that are varied like them
    folds: int = 3  # in which packages of recordings are left out to be tested on; 0: no test
    fold_steps: int = 500  # of each test
    seed: int = 0
    cache: Path | None = None  # folder for the log-mels, so that a second run starts at once
    output: Path = SHIPPED


def run(settings: ClassifierSettings, on_progress: OnStage = print) -> float:
    """Render, train, test, save. Returns the share of held-out corpus clips that are named correctly."""
    learn = labelled_clips(settings.clips_per_class, TRAINING_SEED, settings.cache, on_progress)
    held_out = labelled_clips(settings.test_clips_per_class, HELD_OUT_SEED, settings.cache, on_progress)
    recorded = RecordedClips.read(settings.recordings, settings.seed) if settings.recordings else None
    classifier = train(settings, learn, on_progress, recorded)
    recognised = outputs(classifier, held_out.mels)
    softer, louder = (outputs(classifier, at_level(held_out.mels, gain)) for gain in (-20, 20))
    results = {
        name: accuracy(output, held_out)
        for name, output in (("+0 dB", recognised), ("-20 dB", softer), ("+20 dB", louder))
    }
    confused = confusions(recognised, held_out)
    attributes = attribute_accuracy(classifier, recognised, held_out)
    on_progress(f"held-out accuracy {results}; recognised as something else: {confused or 'none'}")
    on_progress(f"held-out accuracy of the attributes {attributes}")
    metadata: dict[str, object] = {
        "held_out_accuracy": results,
        "class_accuracy": class_accuracy(recognised, held_out),
        "attribute_accuracy": attributes,
        "confusions": confused,
        "training_seeds": [TRAINING_SEED, TRAINING_SEED + len(learn.mels)],
        "test_seeds": [HELD_OUT_SEED, HELD_OUT_SEED + len(held_out.mels)],
        "settings": {name: value for name, value in asdict(settings).items() if name not in _PLACES},
    }
    if recorded and settings.folds > 1:
        metadata["recordings"] = named_by_package(settings, learn, recorded, on_progress)
    save_classifier(classifier, settings.output, metadata)
    return results["+0 dB"]


def train(
    settings: ClassifierSettings, clips: LabelledClips, on_progress: OnStage, recorded: RecordedClips | None = None
) -> SoundClassifier:
    """Cross-entropy with smoothed labels on varied clips; no global random state is touched."""
    values = clips.values()
    with torch.random.fork_rng():
        torch.manual_seed(settings.seed)  # the layers draw their first weights from the global generator
        classifier = SoundClassifier(SOUNDS, values)
    places = {kind: attribute_places(clips.attributes, values[kind], kind) for kind in values}
    generator = torch.Generator().manual_seed(settings.seed)
    optimizer = torch.optim.AdamW(classifier.parameters(), settings.peak_rate, weight_decay=settings.weight_decay)
    started = time.monotonic()
    for step in range(settings.steps):
        optimizer.param_groups[0]["lr"] = settings.peak_rate * _rate(step / settings.steps)
        chosen = torch.randint(len(clips.mels), (settings.batch,), generator=generator)
        mels = clips.mels[chosen].float()
        varied = vary(mels, settings.gain_range, generator)
        output = classifier.predict(varied, loudest=mels.amax(dim=(1, 2, 3)))
        loss = torch.nn.functional.cross_entropy(output.classes, clips.classes[chosen], label_smoothing=0.05)
        if varied.shape == mels.shape:  # half a clip may hold half of the events: its attributes are not its own
            truths = {kind: place[chosen] for kind, place in places.items()}
            loss = loss + settings.attribute_weight * attribute_loss(output.attributes, truths)
        if recorded:
            loss = loss + recorded.loss(classifier, clips, settings.recorded_batch, generator)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if step % 50 == 0:
            on_progress(f"step {step}/{settings.steps}, loss {loss.item():.3f}, {time.monotonic() - started:.0f} s")
    if settings.attribute_steps:
        teach_attributes(classifier.eval(), settings, clips)
    return _with_feature_scale(classifier.eval(), clips.mels)


def named_by_package(
    settings: ClassifierSettings, clips: LabelledClips, recorded: RecordedClips, on_progress: OnStage
) -> dict[str, float]:
    """Train once for each fold of the packages, and name the recordings of the others."""
    shorter = replace(settings, steps=settings.fold_steps, attribute_steps=0)
    logits, places = [], []
    for taught, others in recorded.folds(settings.folds):
        classifier = train(shorter, clips, on_progress, recorded.only(taught))
        logits.append(recorded.only(others).logits(classifier))
        places.append(recorded.classes[torch.from_numpy(others)])
    rank = ranks(torch.cat(logits), torch.cat(places))
    result = {"clips": len(rank), "first": _share(rank == 0), "in_five": _share(rank < 5)}
    on_progress(f"recordings of packages that were not taught: {result}")
    return result


def ranks(logits: Tensor, places: Tensor) -> Tensor:
    """How many classes are likelier than the right one, [n]."""
    return (logits > logits.gather(1, places[:, None])).sum(dim=1)


def teach_attributes(classifier: SoundClassifier, settings: ClassifierSettings, clips: LabelledClips) -> None:
    """Train the attribute head again from scratch, on the clips as they are, with everything else frozen.

    Augmented levels, noise and cuts make classes robust, but hide rooms and numbers; and statistics at one scale are
    learned in a fraction of the steps.
    """
    values = classifier.attributes
    with torch.random.fork_rng():
        torch.manual_seed(settings.seed)
        head = AttributeHead(values, classifier.embedding.in_features // 2, clips.mels.shape[3])
        statistics = _statistics(classifier, clips.mels)
        head.scale_to(statistics)
        _fit(head.train(), statistics, clips, settings)
    classifier.attribute_ear = head.eval()


def _fit(head: AttributeHead, statistics: Tensor, clips: LabelledClips, settings: ClassifierSettings) -> None:
    places = {kind: attribute_places(clips.attributes, values, kind) for kind, values in clips.values().items()}
    optimizer = torch.optim.AdamW(head.parameters(), settings.peak_rate, weight_decay=settings.weight_decay)
    for step in range(settings.attribute_steps):
        optimizer.param_groups[0]["lr"] = settings.peak_rate * _rate(step / settings.attribute_steps)
        chosen = torch.randint(len(statistics), (settings.attribute_batch,))
        shaken = statistics[chosen] + settings.attribute_noise * head.std * torch.randn(len(chosen), len(head.std))
        loss = attribute_loss(head(shaken), {kind: place[chosen] for kind, place in places.items()})
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()


@torch.no_grad()
def _statistics(classifier: SoundClassifier, mels: Tensor) -> Tensor:
    return torch.cat([classifier.forward_features(batch.float())[2] for batch in torch.split(mels, 32)])


def attribute_loss(logits: Mapping[str, Tensor], truths: Mapping[str, Tensor]) -> Tensor:
    """Cross-entropy with smoothed labels over every attribute that a clip of the batch has; places below 0 are none."""
    terms = [
        torch.nn.functional.cross_entropy(logits[kind], places, ignore_index=-1, label_smoothing=0.05, reduction="sum")
        for kind, places in truths.items()
    ]
    known = sum(int((places >= 0).sum()) for places in truths.values())
    return torch.stack(terms).sum() / max(1, known) if terms else torch.zeros(())


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
def outputs(classifier: SoundClassifier, mels: Tensor) -> ClassifierOutput:
    """The net's output for all clips, 32 at a time."""
    parts = [classifier.predict(batch.float()) for batch in torch.split(mels, 32)]
    attributes = {kind: torch.cat([part.attributes[kind] for part in parts]) for kind in classifier.attributes}
    return ClassifierOutput(
        torch.cat([part.classes for part in parts]), attributes, torch.cat([part.embedding for part in parts])
    )


def accuracy(output: ClassifierOutput, clips: LabelledClips) -> float:
    """Share of the clips that are named rightly."""
    return _share(output.classes.argmax(dim=1) == clips.classes)


def class_accuracy(output: ClassifierOutput, clips: LabelledClips) -> dict[str, float]:
    """The same for every class by itself."""
    right = output.classes.argmax(dim=1) == clips.classes
    return {sound: _share(right[clips.classes == place]) for place, sound in enumerate(SOUNDS)}


def attribute_accuracy(classifier: SoundClassifier, output: ClassifierOutput, clips: LabelledClips) -> dict[str, float]:
    """Share of the clips with a kind of attribute whose value is named rightly, by kind."""
    shares = {}
    for kind, values in classifier.attributes.items():
        places = attribute_places(clips.attributes, values, kind)
        has_one = torch.tensor([kind in attributes for attributes in clips.attributes])
        if has_one.any():
            shares[kind] = _share((output.attributes[kind].argmax(dim=1) == places)[has_one])
    return shares


def confusions(output: ClassifierOutput, clips: LabelledClips) -> dict[str, int]:
    """How often one class was recognised as another: {"rain as fire": 2}, most frequent first."""
    pairs = zip(output.classes.argmax(dim=1).tolist(), clips.classes.tolist(), strict=True)
    wrong = [f"{SOUNDS[truth]} as {SOUNDS[recognised]}" for recognised, truth in pairs if recognised != truth]
    return {pair: wrong.count(pair) for pair in sorted(set(wrong), key=lambda pair: (-wrong.count(pair), pair))}


def _share(right: Tensor) -> float:
    return round(right.double().mean().item(), 4)


def _rate(progress: float) -> float:
    """Linear warm-up over 2 %, then a cosine to a twentieth."""
    return min(1.0, progress / 0.02 + 1e-3) * (0.05 + 0.95 * (0.5 + 0.5 * math.cos(math.pi * progress)))


@torch.no_grad()
def _with_feature_scale(classifier: SoundClassifier, mels: Tensor) -> SoundClassifier:
    chosen = mels[:: max(1, len(mels) // 1000)]
    embeddings = outputs(classifier, chosen).embedding
    classifier.feature_mean.copy_(embeddings.mean(dim=0))
    classifier.feature_std.copy_(embeddings.std(dim=0).clamp(min=1e-3))
    return classifier


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m engine.evaluation.train_classifier", description=__doc__)
    for field in fields(ClassifierSettings):
        kind = Path if field.name in _PLACES else type(field.default)
        option = "--" + field.name.replace("_", "-")
        parser.add_argument(option, type=kind, default=field.default, help=f"default {field.default}")
    run(ClassifierSettings(**vars(parser.parse_args())))


if __name__ == "__main__":
    main()
