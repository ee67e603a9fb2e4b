"""Corpus clips for the classifier: log-mels, classes and attributes; cached in a folder if one is given."""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from engine.evaluation.classifier import SAMPLE_RATE
from engine.mel import LogMel, MelConfig
from engine.sounds import SOUNDS, render

SECONDS = 5.12  # of every corpus clip
OnStage = Callable[[str], None]


@dataclass(frozen=True)
class LabelledClips:
    """n clips, classes taking turns."""

    mels: Tensor  # [n, 1, N, M], float16
    classes: Tensor  # [n], places in SOUNDS
    attributes: tuple[Mapping[str, str], ...]  # of each clip: kind -> value

    def values(self) -> dict[str, tuple[str, ...]]:
        """Return every kind of attribute that occurs, with its values, both in alphabetical order."""
        met = {(kind, value) for attributes in self.attributes for kind, value in attributes.items()}
        kinds = sorted({kind for kind, _ in met})
        return {kind: tuple(sorted(value for one, value in met if one == kind)) for kind in kinds}


def attribute_places(attributes: Iterable[Mapping[str, str]], values: Sequence[str], kind: str) -> Tensor:
    """The place of each clip's value of a kind among `values`, -1 where it has none or another one: [n]."""
    places = {value: place for place, value in enumerate(values)}
    return torch.tensor([places.get(one.get(kind, ""), -1) for one in attributes], dtype=torch.long)


def labelled_clips(clips_per_class: int, first_seed: int, cache: Path | None, on_progress: OnStage) -> LabelledClips:
    """Render the clips, or read them from `cache` where an earlier run left them."""
    count = clips_per_class * len(SOUNDS)
    classes = torch.arange(count) % len(SOUNDS)
    name = f"judge_{len(SOUNDS)}_{first_seed}_{count}"
    kept = (cache / f"{name}.npy", cache / f"{name}.json") if cache else None
    if kept and all(path.exists() for path in kept):
        attributes = json.loads(kept[1].read_text(encoding="utf-8"))
        return LabelledClips(torch.from_numpy(np.load(kept[0])), classes, tuple(attributes))
    on_progress(f"rendering {count} clips from seed {first_seed}")
    log_mel = LogMel(MelConfig())
    mels, attributes = [], []
    for index in range(count):
        sound = render(SOUNDS[index % len(SOUNDS)], first_seed + index, SECONDS, SAMPLE_RATE)
        mels.append(log_mel(torch.from_numpy(sound.waveform[None])).half())
        attributes.append(dict(sound.attributes))
    clips = LabelledClips(torch.cat(mels), classes, tuple(attributes))
    if kept:
        kept[0].parent.mkdir(parents=True, exist_ok=True)
        np.save(kept[0], clips.mels.numpy())
        kept[1].write_text(json.dumps(attributes), encoding="utf-8")
    return clips
