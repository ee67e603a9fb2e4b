"""A model's config as JSON and back: every value has the right type and a range that a net can be built from.

Foreign or truncated configs are refused with the name of the setting, before anything is built.
"""

import math
from dataclasses import asdict, fields, is_dataclass
from types import NoneType, UnionType
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from engine.audioldm import AudioLDMConfig, DraftConfig
from engine.checkpoints.catalogue import CONFIG_FORMAT
from engine.gesture import CURVES
from engine.models.clap import ClapConfig
from engine.models.pocket_clap import PocketClapConfig
from engine.models.vocoder import GriffinLimConfig, HiFiGanConfig

FAMILY = "audioldm"
"""Of the models whose nets are in these files; what names no family was written before there were others."""
Config = TypeVar("Config")

_KINDS: dict[str, type] = {
    kind.__name__: kind for kind in (ClapConfig, PocketClapConfig, GriffinLimConfig, HiFiGanConfig, DraftConfig)
}
_LONGEST = 64  # lists of numbers; lists of words are limited by the file only
# Far beyond every net that makes sense, and small enough that none of them fills the memory with its front end alone
_RANGES: dict[str, tuple[float, float]] = {
    # audio
    "sample_rate": (1000, 400_000),
    "n_fft": (16, 16_384),
    "hop": (1, 16_384),
    "num_mels": (4, 512),
    "fmin": (0, 200_000),
    "fmax": (1, 200_000),
    "floor": (1e-30, 1),
    "mel_mean": (-1000, 1000),
    "mel_std": (1e-6, 1000),
    # nets
    "base_channels": (1, 4096),
    "channel_mult": (1, 64),
    "num_res_blocks": (1, 16),
    "attention_levels": (0, 15),
    "head_dim": (1, 4096),
    "num_heads": (1, 4096),
    "latent_channels": (1, 1024),
    "condition_size": (1, 16_384),
    "groups": (1, 4096),
    "patch_size": (1, 32),
    "condition_scale": (1e-6, 1e6),
    "embedding_hidden": (0, 65_536),
    "channels": (1, 16_384),
    "rates": (1, 64),
    "kernels": (1, 512),
    "residual_kernels": (1, 512),
    "dilations": (1, 512),
    "num_iterations": (0, 10_000),
    "num_inversion_steps": (0, 10_000),
    "momentum": (0, 2),
    "embedding_dim": (1, 16_384),
    "text_norm_eps": (1e-20, 1),
    "audio_channels": (1, 4096),
    "ear_channels": (1, 4096),
    "sharpness": (0.1, 1000),
    "text_width": (4, 8192),
    "text_layers": (1, 64),
    "num_buckets": (2, 10_000_000),
    "max_words": (1, 2048),
    "max_pieces": (1, 1024),
    # diffusion and how it is used
    "num_train_steps": (2, 100_000),
    "beta_start": (1e-9, 0.999),
    "beta_end": (1e-9, 0.999),
    "timesteps": (0, 100_000),
    "guidance": (0, 1000),
    "clip_x0": (1e-3, 1e6),
    "normalise_peak": (1e-6, 1),
    "window_rows": (1, 65_536),
    "shortest_s": (0, 60),
    "default_steps": (1, 1000),
    "default_guidance": (0, 1000),
    "default_tries": (1, 100),
    "good_match": (-1, 1),
    "default_structure": (0, 1),
}


def config_to_json(config: AudioLDMConfig) -> dict[str, Any]:
    """Plain values; the parts that come in several kinds carry theirs."""
    values = asdict(config)
    for part in ("vocoder", "clap", "draft"):
        if values[part] is not None:
            values[part]["kind"] = type(getattr(config, part)).__name__
    return {"format": CONFIG_FORMAT, "family": FAMILY, **values}


def config_from_json(values: dict[str, Any]) -> AudioLDMConfig:
    """The reverse of `config_to_json`.

    Raises:
        ValueError: a setting is unknown, missing or out of range; the message says which.
    """
    values = dict(values)
    if values.pop("format", None) != CONFIG_FORMAT:
        raise ValueError(f"expected format {CONFIG_FORMAT}")
    if (family := values.pop("family", FAMILY)) != FAMILY:
        raise ValueError(f"its family is {family!r}; expected {FAMILY!r}")
    config = _parse(AudioLDMConfig, values)
    check_config(config)
    return config


def check_config(config: AudioLDMConfig) -> None:
    """Check all ranges of a config, and what its parts have to agree on.

    Raises:
        ValueError: they do not agree; the message says where.
    """
    _check_ranges(config)
    mel, vae, unet, schedule = config.mel, config.vae, config.unet, config.schedule
    agreements = [
        (mel.hop <= mel.n_fft, f"the hop {mel.hop} is longer than n_fft {mel.n_fft}"),
        (mel.fmin < mel.fmax <= mel.sample_rate / 2, f"no mel bands lie between {mel.fmin:g} and {mel.fmax:g} Hz"),
        (unet.latent_channels == vae.latent_channels, "UNet and VAE have another number of latent_channels"),
        (mel.num_mels % (vae.stride * unet.stride) == 0, f"{mel.num_mels} mel bands do not fit the nets' strides"),
        (config.window_rows % unet.stride == 0, f"window_rows {config.window_rows} does not fit the UNet's stride"),
        (
            unet.condition_size == config.clap.embedding_dim,
            "the embedding_dim of CLAP is not the UNet's condition_size",
        ),
        (set(unet.curves) <= set(CURVES), f"the UNet's curves {', '.join(unet.curves)} are not all known"),
        (len(set(unet.curves)) == len(unet.curves), "the UNet's curves name one twice"),
        (schedule.beta_start <= schedule.beta_end, "beta_start is above beta_end"),
        (all(level < len(unet.channel_mult) for level in unet.attention_levels), "attention_levels has no such level"),
    ]
    if isinstance(config.vocoder, HiFiGanConfig):
        vocoder = config.vocoder
        agreements += [
            (vocoder.num_mels == mel.num_mels, "the vocoder has another number of num_mels than the front end"),
            (len(vocoder.rates) == len(vocoder.kernels) > 0, "the vocoder's rates and kernels are not as many"),
            (vocoder.hop == mel.hop, f"the vocoder's rates make a hop of {vocoder.hop}, the front end's is {mel.hop}"),
            (vocoder.channels % 2 ** len(vocoder.rates) == 0, "the vocoder's channels cannot be halved at every rate"),
        ]
    if config.draft is not None:
        steps = config.draft.timesteps
        agreements += [
            (len(steps) > 0 and list(steps) == sorted(set(steps), reverse=True), "the draft's timesteps do not fall"),
            (max(steps, default=0) < schedule.num_train_steps, "the draft's timesteps are beyond the schedule"),
        ]
    for holds, otherwise in agreements:
        if not holds:
            raise ValueError(otherwise)


def _parse(kind: type[Config], values: dict[str, Any]) -> Config:
    hints = get_type_hints(kind)
    known = {item.name for item in fields(kind)}  # type: ignore[arg-type]
    unknown = values.keys() - known - {"kind"}
    if unknown:
        raise ValueError(f"unknown settings of {kind.__name__}: {', '.join(sorted(unknown))}")
    parsed = {name: _fit(name, value, hints[name]) for name, value in values.items() if name != "kind"}
    try:
        return kind(**parsed)
    except TypeError as error:
        raise ValueError(f"settings of {kind.__name__} are missing ({error})") from error


def _fit(name: str, value: Any, hint: Any) -> Any:
    """The value as the type that is expected. Raises ValueError where it has another."""
    if get_origin(hint) in (Union, UnionType):
        return _fit(name, value, _member(name, value, get_args(hint)))
    if get_origin(hint) is Literal:
        if value in get_args(hint) and isinstance(value, str):
            return value
        raise ValueError(f"{name} is {_told(value)}; expected {', '.join(map(str, get_args(hint)))}")
    if get_origin(hint) is tuple:
        if not isinstance(value, list):
            raise ValueError(f"{name} is {_told(value)}; expected a list")
        return tuple(_fit(name, item, get_args(hint)[0]) for item in value)
    if is_dataclass(hint) and isinstance(value, dict):
        return _parse(hint, value)  # type: ignore[arg-type]
    if hint is float and type(value) in (int, float) and math.isfinite(value):
        return value
    if type(value) is not hint:
        expected = {int: "a whole number", float: "a number", str: "words", bool: "true or false", NoneType: "nothing"}
        raise ValueError(f"{name} is {_told(value)}; expected {expected.get(hint, 'a group of settings')}")
    return value


def _member(name: str, value: Any, members: tuple[Any, ...]) -> Any:
    """Which of several types a value is meant to have."""
    if value is None and NoneType in members:
        return NoneType
    if isinstance(value, dict):
        groups = {kind.__name__: kind for kind in members if is_dataclass(kind) and isinstance(kind, type)}
        if value.get("kind") not in groups:
            raise ValueError(f"{name} is of kind {_told(value.get('kind'))}; expected {', '.join(groups)}")
        return groups[value["kind"]]
    return next(member for member in members if member is not NoneType)


def _check_ranges(config: Any) -> None:
    for item in fields(config):
        value = getattr(config, item.name)
        if is_dataclass(value):
            _check_ranges(value)
        elif item.name in _RANGES and value is not None:
            _check_range(item.name, value)


def _check_range(name: str, value: Any) -> None:
    least, most = _RANGES[name]
    numbers = value if isinstance(value, tuple) else (value,)
    if len(numbers) > _LONGEST:
        raise ValueError(f"{name} has {len(numbers)} numbers; expected {_LONGEST} at most")
    if not numbers and name != "attention_levels":
        raise ValueError(f"{name} is an empty list")
    for number in numbers:
        if not least <= number <= most:
            raise ValueError(f"{name} is {_told(number)}; expected {least:g} to {most:g}")


def _told(value: object) -> str:
    """A value as the sentence quotes it: not longer than a line."""
    text = str(value) if isinstance(value, (int, float)) and abs(value) < 1e15 else repr(value)
    return text if len(text) <= 60 else text[:59] + "…"
