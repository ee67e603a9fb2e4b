"""A model in the making: one safetensors file per part, so that parts can be trained at the same time, then joined."""

import hashlib
import json
import os
from collections.abc import Iterable, Sequence
from dataclasses import asdict, replace
from pathlib import Path

from safetensors.torch import load_file, save_file
from torch import nn

from engine.audioldm import AudioLDM, AudioLDMConfig, DraftConfig
from engine.checkpoints.store import open_model
from engine.models.pocket_clap import PocketClapConfig, words_of
from engine.models.unet import UNet
from engine.models.vocoder import HiFiGanConfig
from engine.presets import PRESETS
from engine.sounds import SOUND_WORDS, SOUNDS
from engine.training.training_errors import CurvesDifferError, RunBegunError, StartDiffersError

_VOCABULARY_FILE, _START_FILE, _DRAFT_FILE = "vocabulary.json", "start.json", "draft.json"
_CURVES_FILE = "curves.json"  # the names of the curves that the denoiser follows
_EAR_FILE, _SPLIT_FILE = "ear.json", "split.json"
_SHORT = 2  # letters of words that name no sound
_SAY_NOTHING = (
    "and", "are", "for", "from", "into", "its", "over", "some", "that", "the", "then", "this", "very", "while", "with",
)  # fmt: skip

SMALL_HIFI_GAN = HiFiGanConfig(
    channels=128,
    kernels=(11, 8, 4, 4, 4),
    residual_kernels=(3, 7),
    dilations=(1, 3),
    mel_mean=-4.5,
    mel_std=3.0,
)


def config_for_training(preset: str) -> AudioLDMConfig:
    """A preset's config with the corpus' words in it."""
    config = PRESETS[preset]
    if isinstance(config.clap, PocketClapConfig):
        clap = replace(config.clap, known_words=tuple(sorted(SOUND_WORDS)))
        config = replace(config, clap=clap, sounds=tuple(SOUNDS))
    return config


def save_vocabulary(folder: Path, captions: Iterable[str], sounds: Sequence[str]) -> None:
    """Record the words of a library's captions instead of the corpus', for the model that will be joined."""
    folder.mkdir(parents=True, exist_ok=True)
    words = sorted({word for caption in captions for word in words_of(caption) if len(word) > _SHORT})
    text = json.dumps({"words": [word for word in words if word not in _SAY_NOTHING], "sounds": list(sounds)})
    (folder / _VOCABULARY_FILE).write_text(text, encoding="utf-8")


def _with_vocabulary(config: AudioLDMConfig, folder: Path) -> AudioLDMConfig:
    path = folder / _VOCABULARY_FILE
    if not path.exists() or not isinstance(config.clap, PocketClapConfig):
        return config
    noted = json.loads(path.read_text(encoding="utf-8"))
    return replace(config, clap=replace(config.clap, known_words=tuple(noted["words"])), sounds=tuple(noted["sounds"]))


def note_ear(folder: Path, channels: Sequence[int], sharpness: float | None) -> None:
    """Record that the part `clap` has an ear for recordings, and how sharp its scores are (None: as before)."""
    noted = {"channels": list(channels), "sharpness": sharpness}
    (folder / _EAR_FILE).write_text(json.dumps(noted), encoding="utf-8")


def config_for_run(folder: Path, preset: str) -> AudioLDMConfig:
    """A preset's config, with what the run's CLAP has learnt of words and recordings."""
    config, path = _with_vocabulary(config_for_training(preset), folder), folder / _EAR_FILE
    if not path.exists() or not isinstance(config.clap, PocketClapConfig):
        return config
    noted = json.loads(path.read_text(encoding="utf-8"))
    sharpness = noted["sharpness"] or config.clap.sharpness
    return replace(config, clap=replace(config.clap, ear_channels=tuple(noted["channels"]), sharpness=sharpness))


def trainable_vocoder(config: AudioLDMConfig) -> HiFiGanConfig:
    """The preset's own HiFi-GAN, or a small one for presets whose vocoder has nothing to learn."""
    return config.vocoder if isinstance(config.vocoder, HiFiGanConfig) else SMALL_HIFI_GAN


def save_part(folder: Path, name: str, module: nn.Module) -> None:
    """Replace the part atomically."""
    folder.mkdir(parents=True, exist_ok=True)
    partial = folder / f"{name}.safetensors.part"
    save_file({key: tensor.detach().cpu().contiguous() for key, tensor in module.state_dict().items()}, partial)
    os.replace(partial, folder / f"{name}.safetensors")


def load_part(folder: Path, name: str, module: nn.Module) -> bool:
    """Fill the module from its part; False if that part is not trained yet."""
    path = folder / f"{name}.safetensors"
    if not path.exists():
        return False
    module.load_state_dict(load_file(path))
    return True


class LatentScaling(nn.Module):
    """The two buffers by which latents are centred and scaled, as a part of their own."""

    def __init__(self, model: AudioLDM) -> None:
        super().__init__()
        self.register_buffer("latent_mean", model.latent_mean)
        self.register_buffer("latent_scale", model.latent_scale)


def split_model(model: str, folder: Path) -> list[str]:
    """Put the parts of an installed model, or of one in a folder, where recipes find them, to be trained further.

    Returns the parts' names. A draft net is left out: it belongs to the denoiser that it was distilled from.
    Unlike after `note_start`, all parts may be trained, CLAP and VAE too.

    Raises:
        RunBegunError: there are parts already.
        ModelNotFoundError, ModelBrokenError: there is no such model.
    """
    if (folder / _START_FILE).exists() or any(folder.glob("*.safetensors")):
        raise RunBegunError(folder)
    opened = open_model(model)
    clap = opened.clap
    assert isinstance(clap, nn.Module), "a CLAP is a module"
    parts = {"clap": clap, "vae": opened.vae, "latents": LatentScaling(opened), "unet": opened.unet}
    if isinstance(opened.config.vocoder, HiFiGanConfig):
        parts["vocoder"] = opened.vocoder
    for name, module in parts.items():
        save_part(folder, name, module)
    _write_curves(folder, opened.config.unet.curves)
    (folder / _SPLIT_FILE).write_text(json.dumps({"sounds": opened.config.sounds}), encoding="utf-8")
    if isinstance(opened.config.clap, PocketClapConfig) and opened.config.clap.ear_channels:
        note_ear(folder, opened.config.clap.ear_channels, opened.config.clap.sharpness)
    return list(parts)


def sounds_at_split(folder: Path) -> tuple[str, ...]:
    """The sounds that a model knew when it was taken apart; none where the run began otherwise."""
    path = folder / _SPLIT_FILE
    return tuple(json.loads(path.read_text(encoding="utf-8"))["sounds"]) if path.exists() else ()


def note_start(folder: Path, model: str) -> None:
    """Let the run begin from an installed model, or from one in a folder, instead of from nothing.

    Raises:
        StartDiffersError: it has begun already, otherwise.
        ModelNotFoundError, ModelBrokenError: there is no such model.
    """
    path = folder / _START_FILE
    began = json.loads(path.read_text(encoding="utf-8"))["model"] if path.exists() else None
    if began == model:
        return
    if began or any(folder.glob("*.safetensors")):
        raise StartDiffersError(folder, began, model)
    curves = open_model(model).config.unet.curves  # or fail at once if it cannot be opened
    folder.mkdir(parents=True, exist_ok=True)
    _write_curves(folder, curves)
    path.write_text(json.dumps({"model": model}), encoding="utf-8")


def start_of(folder: Path) -> str | None:
    """The model that the run began from, None: nothing."""
    path = folder / _START_FILE
    return str(json.loads(path.read_text(encoding="utf-8"))["model"]) if path.exists() else None


def note_curves(folder: Path, names: Sequence[str], *, begun: bool) -> None:
    """Let the run's denoiser follow curves of these names; a trained part gets layers for them, at zero.

    Raises:
        CurvesDifferError: it follows others that would be lost, or its training has `begun`, with other curves.
    """
    known = curves_of(folder)
    if known == tuple(names):
        return
    if begun or set(known) - set(names):
        raise CurvesDifferError(folder, known, names)
    folder.mkdir(parents=True, exist_ok=True)
    _write_curves(folder, names)


def curves_of(folder: Path) -> tuple[str, ...]:
    """Return the names of the curves that the run's denoiser follows."""
    path = folder / _CURVES_FILE
    return tuple(json.loads(path.read_text(encoding="utf-8"))) if path.exists() else ()


def _write_curves(folder: Path, names: Sequence[str]) -> None:
    if names:
        (folder / _CURVES_FILE).write_text(json.dumps(list(names)), encoding="utf-8")


def part_mark(folder: Path, name: str) -> str:
    """Return what identifies a trained part of a run: its SHA-256, or the model that the run started from."""
    path = folder / f"{name}.safetensors"
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.exists() else str(start_of(folder))


def save_draft(folder: Path, draft: nn.Module, config: DraftConfig, teacher: str) -> None:
    """Replace the part `draft`, and record its config and the mark of the denoiser that it was distilled from."""
    save_part(folder, "draft", draft)
    noted = {"teacher": teacher, **asdict(config)}
    (folder / _DRAFT_FILE).write_text(json.dumps(noted), encoding="utf-8")


def draft_of(folder: Path) -> DraftConfig | None:
    """Return the config of the trained draft net; None if there is none, or if the denoiser has been trained since."""
    path = folder / _DRAFT_FILE
    if not path.exists() or not (folder / "draft.safetensors").exists():
        return None
    noted = json.loads(path.read_text(encoding="utf-8"))
    if noted["teacher"] != part_mark(folder, "unet"):
        return None
    return DraftConfig(tuple(noted["timesteps"]), noted["guidance"])


def _load_draft(folder: Path, model: AudioLDM) -> None:
    """Add the draft net to the model; one that it started with is dropped if its denoiser has changed."""
    config = draft_of(folder)
    if config is None and not (folder / "unet.safetensors").exists():
        return
    model.config = replace(model.config, draft=config)
    model.draft = UNet(model.config.unet).eval() if config else None
    if model.draft is not None:
        _load_denoiser(folder, "draft", model.draft)


def _load_denoiser(folder: Path, name: str, net: UNet) -> None:
    """Fill the net from its part, if there is one; layers for curves that the part does not have stay at zero."""
    path = folder / f"{name}.safetensors"
    if path.exists():
        new = {key: tensor for key, tensor in net.state_dict().items() if key.startswith("follow.")}
        net.load_state_dict(new | load_file(path))


def _grow(model: AudioLDM, curves: tuple[str, ...]) -> None:
    """Give the denoiser layers for these curves, at zero, beside all that it knows."""
    if curves == model.config.unet.curves:
        return
    model.config = replace(model.config, unet=replace(model.config.unet, curves=curves))
    known, model.unet = model.unet.state_dict(), UNet(model.config.unet).eval()
    model.unet.load_state_dict(model.unet.state_dict() | known)


def join_parts(folder: Path, preset: str) -> AudioLDM:
    """The model with every part that is trained so far; the others are random, or those of the model it began from."""
    if start := start_of(folder):
        model = open_model(start)
        _grow(model, curves_of(folder))
        _load_denoiser(folder, "unet", model.unet)
        _load_draft(folder, model)
        return model
    config = config_for_run(folder, preset)
    if (folder / "vocoder.safetensors").exists():
        config = replace(config, vocoder=trainable_vocoder(config))
    model = AudioLDM(replace(config, unet=replace(config.unet, curves=curves_of(folder)))).eval()
    clap = model.clap
    assert isinstance(clap, nn.Module), "a CLAP is a module"
    for name, module in (
        ("clap", clap),
        ("vae", model.vae),
        ("latents", LatentScaling(model)),
        ("vocoder", model.vocoder),
    ):
        load_part(folder, name, module)
    _load_denoiser(folder, "unet", model.unet)
    _load_draft(folder, model)
    return model
