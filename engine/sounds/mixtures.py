"""Two sounds in one clip: both at once, one in the background of the other, or one after the other."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.sounds.corpus import CORPUS
from engine.sounds.corpus_entry import RECORDED
from engine.sounds.mixture_captions import Relation, mixture_captions
from engine.sounds.recording import with_floor
from engine.sounds.rendering import Sound, render


@dataclass(frozen=True)
class Scene:
    """Sounds that occur in one place: steady ones, and distinct events."""

    beds: tuple[str, ...]
    events: tuple[str, ...]


def _scene(beds: str, events: str) -> Scene:
    return Scene(*(tuple(name for name in names.split() if name in CORPUS) for names in (beds, events)))


SCENES: tuple[Scene, ...] = (
    _scene(  # out in the country
        "rain wind ocean fire crickets stream bees mosquito",
        "dog cat cow frog birds thunder footsteps church_bell bell train_horn drops sheep horse rooster owl wolf "
        "whoosh gunshot flute guitar laughter speech singing bubbles crow seagull duck chicken cuckoo pig lion splash "
        "hand_saw wood_impact rope violin cough",
    ),
    _scene(  # in the street
        "rain wind engine helicopter applause traffic crowd motorcycle airplane train chainsaw",
        "dog siren train_horn footsteps alarm phone glass explosion church_bell birds thunder whoosh car_horn "
        "door_slam hammer gunshot speech laughter crow metal_impact door cough trumpet",
    ),
    _scene(  # in the house
        "rain wind fire drill vacuum crowd fan washing_machine mosquito radio_static",
        "clock typing footsteps knock phone door_creak glass cat dog drops bell alarm thunder birds door_slam hammer "
        "click notification piano guitar speech laughter singing cough door cloth paper zip lock scissors hand_saw "
        "wood_impact metal_impact cuckoo violin",
    ),
    _scene(  # on a stage, in a studio
        "drone applause crowd",
        "kick snare hihat bell whoosh clock footsteps birds piano guitar flute shaker singing laughter tom cymbal "
        "violin trumpet riser cough cloth paper",
    ),
    _scene(  # in a game
        "drone engine helicopter fire wind radio_static",
        "laser coin explosion whoosh alarm siren footsteps glass sword gunshot power_up click notification ui_success "
        "ui_error magic robot glitch riser heartbeat metal_impact wood_impact rope lock splash lion",
    ),
)

_RELATIONS: tuple[Relation, ...] = ("together", "behind", "behind", "followed", "followed")
_BEDS_SHARE = 0.15  # of what sounds at once: two beds
QUIETER_DB = (6.0, 14.0)  # the background below the foreground
_ALIKE_DB = (-2.0, 2.0)
_STREAM = 77  # keeps the choices of a mixture apart from those of a sound of the same seed
_FADE_S = 0.1
_BLOCK_S = 0.2


@dataclass(frozen=True)
class Mixture:
    """A finished clip of two sounds, named in the order in which `relation` names them.

    Waveform float32 [T] is the sum of the layers, float32 [2, T].
    """

    waveform: NDArray[np.float32]
    caption: str
    names: tuple[str, str]
    attributes: tuple[Mapping[str, str], Mapping[str, str]]
    relation: Relation
    layers: NDArray[np.float32]
    seed: int
    sample_rate: int


def loudness_db(waveform: NDArray[np.float32], sample_rate: int) -> float:
    """Level of the loudest fifth of a second in dB, so that a bark counts for as much as rain that is as loud."""
    block = max(1, min(len(waveform), round(_BLOCK_S * sample_rate)))
    energy = np.cumsum(np.concatenate([[0.0], np.square(waveform, dtype=np.float64)]))
    return float(10 * np.log10(np.max(energy[block:] - energy[:-block]) / block + 1e-12))


def _choose_names(random: np.random.Generator, relation: Relation) -> tuple[str, str]:
    """Two different sounds of one scene."""
    scene = SCENES[int(random.integers(len(SCENES)))]
    if relation == "followed":
        first, second = random.choice(len(scene.events), 2, replace=False)
        return scene.events[first], scene.events[second]
    if random.uniform() < _BEDS_SHARE and len(scene.beds) > 1:
        first, second = random.choice(len(scene.beds), 2, replace=False)
        return scene.beds[first], scene.beds[second]
    return scene.events[int(random.integers(len(scene.events)))], scene.beds[int(random.integers(len(scene.beds)))]


def _after_each_other(
    random: np.random.Generator, names: tuple[str, str], seed: int, seconds: float, sample_rate: int
) -> tuple[tuple[Sound, Sound], NDArray[np.float64]]:
    """The first sound up to about the middle, faded out at its end, and the second from there on."""
    first_s = seconds * float(random.uniform(0.4, 0.55))
    second_at = round((first_s + min(0.25, 0.04 * seconds)) * sample_rate)
    total = round(seconds * sample_rate)
    first = render(names[0], seed, first_s, sample_rate, has_floor=False, is_edited=False)
    second = render(names[1], seed, (total - second_at) / sample_rate, sample_rate, has_floor=False, is_edited=False)
    layers = np.zeros((2, total))
    fade = min(round(_FADE_S * sample_rate), len(first.waveform))
    layers[0, : len(first.waveform)] = first.waveform
    layers[0, len(first.waveform) - fade : len(first.waveform)] *= np.linspace(1, 0, fade)
    layers[1, second_at:] = second.waveform
    return (first, second), layers


def _lay_floor(random: np.random.Generator, layers: NDArray[np.float64], first_end: int, sample_rate: int) -> None:
    """Lay one noise floor under both sounds in place, as one recording has; each layer gets its own part of it."""
    hiss = np.random.default_rng(random.integers(2**63))
    whole = layers.sum(axis=0)
    floor = with_floor(whole, RECORDED, random, hiss, sample_rate) - whole
    layers[0, :first_end] += floor[:first_end]
    layers[1, first_end:] += floor[first_end:]


def render_mixture(seed: int, seconds: float = 5.12, sample_rate: int = 16000) -> Mixture:
    """One clip of two sounds that occur in one place, 1 s to 30 s long, at any `sample_rate` in Hz from 8000.

    Neither has a level of its own: the two are 6 to 14 dB apart where one is in the background, else close together.
    The same arguments give the same clip.
    """
    random = np.random.default_rng([seed, _STREAM])
    relation = _RELATIONS[int(random.integers(len(_RELATIONS)))]
    names = _choose_names(random, relation)
    if relation == "followed":
        sounds, layers = _after_each_other(random, names, seed, seconds, sample_rate)
    else:
        sounds = (
            render(names[0], seed, seconds, sample_rate, has_floor=False, is_edited=False),
            render(names[1], seed, seconds, sample_rate, is_edited=False),
        )
        layers = np.stack([sound.waveform for sound in sounds]).astype(np.float64)
    lower_db = float(random.uniform(*(QUIETER_DB if relation == "behind" else _ALIKE_DB)))
    for index, level_db in enumerate((0.0, -lower_db)):
        layers[index] *= 10 ** ((level_db - loudness_db(layers[index].astype(np.float32), sample_rate)) / 20)
    if relation == "followed":
        _lay_floor(random, layers, len(sounds[0].waveform), sample_rate)
    layers *= float(random.uniform(0.3, 0.9)) / (np.max(np.abs(layers.sum(axis=0))) + 1e-9)
    attributes = (_without_level(sounds[0]), _without_level(sounds[1]))
    return Mixture(
        waveform=layers.sum(axis=0).astype(np.float32),
        caption=mixture_captions(names, attributes, relation, seed)[0],
        names=names,
        attributes=attributes,
        relation=relation,
        layers=layers.astype(np.float32),
        seed=seed,
        sample_rate=sample_rate,
    )


def _without_level(sound: Sound) -> dict[str, str]:
    return {kind: value for kind, value in sound.attributes.items() if kind != "level"}
