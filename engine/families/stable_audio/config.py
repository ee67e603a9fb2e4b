"""The shape of a Stable Audio 3 model, read from its authors' `model_config.json` or from a diffusers folder's parts.

Pure: dictionaries in, values out; no file is opened and no net is built. What does not fit raises ValueError, whose
words say what was found and what was expected.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Literal, TypeVar

AUTHORS_TYPE = "diffusion_cond"
"""What the authors' file calls models of this kind, among autoencoders and others."""
PIPELINES = ("StableAudio3Pipeline", "StableAudio3AudioToAudioPipeline", "StableAudio3InpaintPipeline")
"""Whose parts a diffusers folder holds, by its model_index.json."""
PARTS = ("transformer", "vae", "duration_embedder", "text_encoder", "tokenizer")
MAX_TOKENS = 256
LICENCE = "Stability AI Community License and Gemma Terms of Use"
"""Of the weights: the first of all but the text encoder, the second of that."""

FlowObjective = Literal["denoiser", "flow"]
"""Of the post-trained models, few noisy steps without guidance; of the base ones, many with it."""
_OBJECTIVES: dict[str, FlowObjective] = {"rf_denoiser": "denoiser", "rectified_flow": "flow"}
_Shape = TypeVar("_Shape")


@dataclass(frozen=True)
class DiTConfig:
    """Of the denoiser; the names are those of diffusers' `StableAudio3DiTModel`."""

    io_channels: int = 256
    patch_size: int = 1
    embed_dim: int = 1024
    depth: int = 20
    num_heads: int = 16
    cond_token_dim: int = 768
    global_cond_dim: int = 768
    local_add_cond_dim: int = 257  # one row of the mask, and the latent where it is given
    timestep_features_dim: int = 256
    ff_mult: float = 4.0
    num_memory_tokens: int = 64
    use_differential_attention: bool = False


@dataclass(frozen=True)
class SameConfig:
    """Of the autoencoder; the defaults are SAME-S, whose attention sees two chunks, where SAME-L's window slides."""

    audio_channels: int = 2
    patch_size: int = 256
    encoder_channels: int = 128
    encoder_c_mults: tuple[int, ...] = (6,)
    encoder_strides: tuple[int, ...] = (16,)
    encoder_transformer_depths: tuple[int, ...] = (6,)
    latent_dim: int = 256
    use_differential_attention: bool = True
    dim_heads: int = 64
    ff_mult: int = 3
    sliding_window: int | None = None  # latent rows to each side that attention sees; None: chunks
    encoder_sinusoidal_blocks: tuple[int, ...] = (0,)
    decoder_sinusoidal_blocks: tuple[int, ...] = (0,)
    sampling_rate: int = 44_100
    chunk_size: int = 32  # patches in a chunk, where no window slides
    chunk_midpoint_shift: bool = True  # from the middle layer on, chunks lie half a chunk later
    decoder_mapping_kernel: int = 3

    @property
    def samples_per_row(self) -> int:
        return self.patch_size * math.prod(self.encoder_strides)

    @property
    def row_multiple(self) -> int:
        """Latent rows come in multiples of this: whole chunks."""
        return 1 if self.sliding_window is not None else max(1, self.chunk_size // self.encoder_strides[-1])


@dataclass(frozen=True)
class DurationConfig:
    """Of the embedder of the length; the names are those of diffusers' `StableAudio3DurationEmbedder`."""

    output_dim: int = 768
    fourier_dim: int = 256
    min_val: float = 0.0
    max_val: float = 384.0
    min_freq: float = 0.5
    max_freq: float = 10_000.0


@dataclass(frozen=True)
class StableAudioConfig:
    """Everything that distinguishes one Stable Audio 3 from another except its weights."""

    name: str
    dit: DiTConfig = field(default_factory=DiTConfig)
    same: SameConfig = field(default_factory=SameConfig)
    duration: DurationConfig = field(default_factory=DurationConfig)
    objective: FlowObjective = "denoiser"
    longest_s: float = 120.0
    max_tokens: int = MAX_TOKENS
    lowest_log_snr: float = -6.2  # ln((1 - σ) / σ) at the noisiest step, and at the end of the way
    highest_log_snr: float = 2.0
    masks_always: bool = True  # where nothing is given, too, as its authors do it; diffusers then gives no mask
    licence: str = LICENCE

    @property
    def default_steps(self) -> int:
        return 8 if self.objective == "denoiser" else 50

    @property
    def default_guidance(self) -> float:
        """1 is none; the post-trained models have it in their weights."""
        return 1.0 if self.objective == "denoiser" else 7.0


def read_authors_config(values: Mapping[str, Any], name: str) -> StableAudioConfig:
    """The config in a `model_config.json`; keys that it leaves out have the defaults of its authors' code.

    Raises:
        ValueError: it is of another family, or of a shape that is not known here.
    """
    if values.get("model_type") != AUTHORS_TYPE:
        raise ValueError(f"its model_type is {values.get('model_type')!r}; expected {AUTHORS_TYPE!r}")
    model = _object(values, "model")
    diffusion, autoencoder = _object(model, "diffusion"), _object(_object(model, "pretransform"), "config")
    if "encoder" not in autoencoder or _object(autoencoder, "encoder").get("type") != "same":
        raise ValueError("its autoencoder is not SAME, as that of Stable Audio 3 is")
    objective = _OBJECTIVES.get(str(diffusion.get("diffusion_objective")))
    if objective is None:
        raise ValueError(f"its objective is {diffusion.get('diffusion_objective')!r}; expected {_or(_OBJECTIVES)}")
    same, (tokens, duration) = _authors_same(autoencoder, values), _authors_conditions(model)
    return StableAudioConfig(
        name=name,
        dit=_authors_dit(_object(diffusion, "config")),
        same=same,
        duration=duration,
        objective=objective,
        longest_s=int(values.get("sample_size", 120 * same.sampling_rate)) // same.sampling_rate,
        max_tokens=tokens,
    )


def read_parts_config(parts: Mapping[str, Mapping[str, Any]], name: str) -> StableAudioConfig:
    """The config from the parts of a diffusers folder: `transformer`, `vae`, `duration_embedder` and `scheduler`.

    Raises:
        ValueError: a part has another shape than is known here.
    """
    dit = _known(DiTConfig, parts["transformer"], "transformer")
    duration = _known(DurationConfig, parts["duration_embedder"], "duration_embedder")
    # diffusers knows the sliding window alone, and the narrow mapping; what it does not write is not there
    native: dict[str, Any] = {"sliding_window": 1, "decoder_mapping_kernel": 1, "use_differential_attention": True}
    same = _known(SameConfig, native | dict(parts["vae"]), "vae")
    stochastic = bool(parts.get("scheduler", {}).get("stochastic_sampling", True))
    return StableAudioConfig(
        name=name,
        dit=dit,
        same=same,
        duration=duration,
        objective="denoiser" if stochastic else "flow",
        longest_s=120.0 if dit.embed_dim <= DiTConfig.embed_dim else 380.0,  # the small ones, and medium
    )


def _authors_dit(values: Mapping[str, Any]) -> DiTConfig:
    attention = values.get("attn_kwargs", {})
    return DiTConfig(
        io_channels=int(values["io_channels"]),
        patch_size=int(values.get("patch_size", 1)),
        embed_dim=int(values["embed_dim"]),
        depth=int(values["depth"]),
        num_heads=int(values["num_heads"]),
        cond_token_dim=int(values["cond_token_dim"]),
        global_cond_dim=int(values["global_cond_dim"]),
        local_add_cond_dim=int(values["local_add_cond_dim"]),
        timestep_features_dim=int(values.get("timestep_features_dim", 256)),
        ff_mult=float(values.get("ff_kwargs", {}).get("mult", 4.0)),
        num_memory_tokens=int(values.get("num_memory_tokens", 0)),
        use_differential_attention=bool(attention.get("differential", False)),
    )


def _authors_same(autoencoder: Mapping[str, Any], values: Mapping[str, Any]) -> SameConfig:
    encoder, decoder = (_object(_object(autoencoder, side), "config") for side in ("encoder", "decoder"))
    strides = tuple(map(int, encoder["strides"]))
    for key in ("channels", "c_mults", "strides", "transformer_depths", "sliding_window", "chunk_size"):
        if encoder.get(key) != decoder.get(key):
            raise ValueError(f"{key} of encoder and decoder differ: {encoder.get(key)} and {decoder.get(key)}")
    if not (encoder.get("variable_stride") and decoder.get("variable_stride")) or encoder.get("conv_mapping"):
        raise ValueError("its autoencoder is another SAME than those of the released models")
    return SameConfig(
        audio_channels=int(values.get("audio_channels", 2)),
        patch_size=int(autoencoder["downsampling_ratio"]) // math.prod(strides),
        encoder_channels=int(encoder["channels"]),
        encoder_c_mults=tuple(map(int, encoder["c_mults"])),
        encoder_strides=strides,
        encoder_transformer_depths=tuple(map(int, encoder["transformer_depths"])),
        latent_dim=int(encoder["latent_dim"]),
        use_differential_attention=bool(encoder.get("differential", True)),
        dim_heads=int(encoder.get("dim_heads", 128)),
        ff_mult=int(encoder.get("ff_mult", 3)),
        sliding_window=_window(encoder.get("sliding_window")),
        encoder_sinusoidal_blocks=_each(encoder.get("sinusoidal_blocks", 0), len(strides)),
        decoder_sinusoidal_blocks=_each(decoder.get("sinusoidal_blocks", 0), len(strides)),
        sampling_rate=int(values["sample_rate"]),
        chunk_size=int(encoder.get("chunk_size", 128)),
        chunk_midpoint_shift=bool(encoder.get("chunk_midpoint_shift", False)),
        decoder_mapping_kernel=3 if decoder.get("conv_mapping") else 1,
    )


def _authors_conditions(model: Mapping[str, Any]) -> tuple[int, DurationConfig]:
    """How many tokens a prompt may have, and the embedder of the length."""
    conditioning = _object(model, "conditioning")
    configs = {entry["id"]: entry for entry in conditioning.get("configs", ())}
    if missing := {"prompt", "seconds_total"} - set(configs):
        raise ValueError(f"it is not conditioned on {_or(missing)}")
    prompt, seconds = configs["prompt"], _object(configs["seconds_total"], "config")
    if prompt.get("type") != "t5gemma":
        raise ValueError(f"its prompts are read by {prompt.get('type')!r}; expected 't5gemma'")
    duration = DurationConfig(
        output_dim=int(conditioning["cond_dim"]),
        min_val=float(seconds.get("min_val", 0)),
        max_val=float(seconds.get("max_val", 1)),
    )
    return int(_object(prompt, "config").get("max_length", 128)), duration


def _known(kind: type[_Shape], values: Mapping[str, Any], part: str) -> _Shape:
    """The values that `kind` has, lists as tuples; private keys and unknown ones are diffusers' own affair."""
    names = {entry.name for entry in fields(kind)}  # type: ignore[arg-type]  # only dataclasses come
    told = {key: tuple(value) if isinstance(value, list) else value for key, value in values.items() if key in names}
    for key, value in told.items():
        if not isinstance(value, int | float | tuple) and value is not None:
            raise ValueError(f"{part}: {key} is {value!r}")
    return kind(**told)


def _object(values: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    found = values.get(key)
    if not isinstance(found, Mapping):
        raise ValueError(f"it says nothing of {key!r}")  # noqa: TRY004 - a foreign file, not a wrong call
    return found


def _window(value: object) -> int | None:
    """Latent rows that attention sees to each side; the authors write both sides."""
    if value is None:
        return None
    sides = set(map(int, value)) if isinstance(value, list) else {int(str(value))}
    if len(sides) != 1:
        raise ValueError(f"its attention sees {value} rows: as many before as behind were expected")
    return sides.pop()


def _each(value: object, levels: int) -> tuple[int, ...]:
    return tuple(map(int, value)) if isinstance(value, list) else (int(str(value)),) * levels


def _or(names: Mapping[str, object] | set[str]) -> str:
    return " or ".join(sorted(map(repr, names)))
