"""Stable Audio 3 in small: nets with random weights, and their files in both forms."""

import json
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from engine.families.stable_audio.config import DiTConfig, DurationConfig, SameConfig, StableAudioConfig
from engine.families.stable_audio.nets import build_dit, build_duration, build_same, build_text_encoder

WIDTH, TOKENS = 24, 16
LETTERS = "abcdefghijklmnopqrstuvwxyz"

_SMALL = SameConfig(
    patch_size=4,
    encoder_channels=8,
    encoder_c_mults=(2,),
    encoder_strides=(4,),
    encoder_transformer_depths=(2,),
    latent_dim=6,
    dim_heads=8,
    chunk_size=8,
)
_SLIDING = SameConfig(
    patch_size=4,
    encoder_channels=8,
    encoder_c_mults=(2,),
    encoder_strides=(4,),
    encoder_transformer_depths=(3,),
    latent_dim=6,
    dim_heads=8,
    sliding_window=1,
    decoder_sinusoidal_blocks=(2,),
    chunk_size=128,
    chunk_midpoint_shift=False,
    decoder_mapping_kernel=1,
)
_DIT = DiTConfig(
    io_channels=6,
    embed_dim=32,
    depth=2,
    num_heads=2,
    cond_token_dim=WIDTH,
    global_cond_dim=WIDTH,
    local_add_cond_dim=7,
    timestep_features_dim=16,
    ff_mult=2,
    num_memory_tokens=3,
)


def small_config() -> StableAudioConfig:
    """As small-sfx: plain attention, chunks in the autoencoder."""
    return StableAudioConfig("tiny-small", _DIT, _SMALL, DurationConfig(WIDTH, 256), max_tokens=TOKENS)


def medium_config() -> StableAudioConfig:
    """As medium: differential attention, a sliding window in the autoencoder."""
    dit = DiTConfig(**{**vars(_DIT), "use_differential_attention": True})
    return StableAudioConfig("tiny-medium", dit, _SLIDING, DurationConfig(WIDTH, 256), longest_s=380, max_tokens=TOKENS)


def text_config() -> dict[str, Any]:
    module = {
        "vocab_size": 64,
        "hidden_size": WIDTH,
        "intermediate_size": 32,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
        "num_key_value_heads": 1,
        "head_dim": 12,
        "query_pre_attn_scalar": 12,
        "model_type": "t5_gemma_module",
    }
    return {"model_type": "t5gemma", "encoder": module, "decoder": module, "vocab_size": 64}


def randomised(net: nn.Module, seed: int = 0) -> nn.Module:
    """With random weights everywhere, also where training starts from zeros."""
    source = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, value in net.named_parameters():
            fan_in = value[0].numel() if value.ndim > 1 else 16
            drawn = torch.randn(value.shape, generator=source) / max(fan_in, 1) ** 0.5
            value.copy_(value + drawn if name.endswith(("gamma", "alpha", "scale")) else drawn)
    return net.eval()


class TinyNets:
    """The nets of a config, and how they are written down."""

    def __init__(self, config: StableAudioConfig) -> None:
        self.config = config
        self.dit = randomised(build_dit(config.dit), 1)
        self.same = randomised(build_same(config.same), 2)
        self.duration = randomised(build_duration(config.duration), 3)
        self.text = randomised(build_text_encoder(text_config()), 4)

    def write_folder(self, folder: Path) -> Path:
        """As diffusers writes it, by its own hand."""
        index = {"_class_name": "StableAudio3Pipeline", "vae": ["diffusers", "AutoencoderSAME"]}
        _write_json(folder / "model_index.json", index)
        for part, net in (("transformer", self.dit), ("vae", self.same), ("duration_embedder", self.duration)):
            net.save_pretrained(folder / part)  # type: ignore[operator]
        _write_json(folder / "scheduler/scheduler_config.json", {"stochastic_sampling": True})
        self.text.save_pretrained(folder / "text_encoder")  # type: ignore[operator]
        write_tokenizer(folder / "tokenizer")
        return folder

    def write_authors(self, folder: Path) -> Path:
        """As the authors' repositories hold it."""
        folder.mkdir(parents=True, exist_ok=True)
        _write_json(folder / "model_config.json", authors_json(self.config))
        save_file(self.authors_tensors(), folder / "model.safetensors")
        text = folder / "t5gemma-b-b-ul2"
        write_tokenizer(text)
        _write_json(text / "config.json", text_config())
        encoder = {f"model.{name}": tensor.bfloat16() for name, tensor in self.text.state_dict().items()}
        decoder = {"model.decoder.norm.weight": torch.ones(WIDTH), "lm_head.out_proj.weight": torch.ones(64, WIDTH)}
        save_file(encoder | decoder, text / "model.safetensors")
        return folder

    def authors_tensors(self) -> dict[str, Tensor]:
        """All weights but the text encoder's, under the authors' names and in their layout."""
        same, dit = self.config.same.use_differential_attention, self.config.dit.use_differential_attention
        named = {
            **_each(self.same, _authors_vae, same),
            **_each(self.dit, _authors_dit, dit),
            **_each(self.duration, _authors_duration, False),
        }
        return named | {"pretransform.model.bottleneck.noise_scaling_factor": torch.ones(1, 0, 1)}


def write_tokenizer(folder: Path) -> None:
    """One token a letter, as Gemma's tokenizer falls back to."""
    from transformers import GemmaTokenizer

    folder.mkdir(parents=True, exist_ok=True)
    tokens = ("<pad>", "<eos>", "<bos>", "<unk>", "<mask>", "▁", *LETTERS)
    vocab = {token: index for index, token in enumerate(tokens)}
    GemmaTokenizer(vocab=vocab, merges=[]).save_pretrained(folder)


def authors_json(config: StableAudioConfig) -> dict[str, Any]:
    """What a `model_config.json` of the authors' says, as far as anyone reads it."""
    same, dit = config.same, config.dit
    side: dict[str, Any] = {
        "channels": same.encoder_channels,
        "c_mults": list(same.encoder_c_mults),
        "strides": list(same.encoder_strides),
        "transformer_depths": list(same.encoder_transformer_depths),
        "latent_dim": same.latent_dim,
        "dim_heads": same.dim_heads,
        "variable_stride": True,
    }
    if same.sliding_window is None:
        side |= {"chunk_size": same.chunk_size, "chunk_midpoint_shift": same.chunk_midpoint_shift}
    else:
        side |= {"sliding_window": [same.sliding_window] * 2}
    decoder = {**side, "conv_mapping": same.decoder_mapping_kernel == 3}
    decoder["sinusoidal_blocks"] = list(same.decoder_sinusoidal_blocks)
    return {
        "model_type": "diffusion_cond",
        "sample_size": int(config.longest_s * same.sampling_rate),
        "sample_rate": same.sampling_rate,
        "audio_channels": same.audio_channels,
        "model": {
            "pretransform": {
                "type": "autoencoder",
                "config": {
                    "encoder": {"type": "same", "config": side},
                    "decoder": {"type": "same", "config": decoder},
                    "downsampling_ratio": same.samples_per_row,
                },
            },
            "conditioning": {
                "cond_dim": WIDTH,
                "configs": [
                    {"id": "prompt", "type": "t5gemma", "config": {"max_length": config.max_tokens}},
                    {"id": "seconds_total", "type": "number", "config": {"min_val": 0, "max_val": 384}},
                ],
            },
            "diffusion": {
                "diffusion_objective": {"denoiser": "rf_denoiser", "flow": "rectified_flow"}[config.objective],
                "config": {
                    "io_channels": dit.io_channels,
                    "embed_dim": dit.embed_dim,
                    "depth": dit.depth,
                    "num_heads": dit.num_heads,
                    "cond_token_dim": dit.cond_token_dim,
                    "global_cond_dim": dit.global_cond_dim,
                    "local_add_cond_dim": dit.local_add_cond_dim,
                    "timestep_features_dim": dit.timestep_features_dim,
                    "num_memory_tokens": dit.num_memory_tokens,
                    "ff_kwargs": {"mult": dit.ff_mult},
                    "attn_kwargs": {"differential": dit.use_differential_attention},
                },
            },
        },
    }


def _each(net: nn.Module, rename: Callable[[str], str], differential: bool) -> dict[str, Tensor]:
    named = {}
    for name, tensor in net.state_dict().items():
        own = tensor.clone()
        if differential and name.endswith("attn.to_qkv.weight"):
            q, q_two, k, k_two, v = own.chunk(5)
            own = torch.cat([q, k, v, q_two, k_two])
        named[rename(name)] = own
    return named


def _authors_vae(name: str) -> str:
    table = {
        "encoder.blocks.0.": "encoder.layers.0.",
        "encoder.proj.": "encoder.layers.2.",
        "decoder.proj.": "decoder.layers.1.",
        "decoder.blocks.0.": "decoder.layers.3.",
        "bottleneck.scale": "bottleneck.scaling_factor",
        ".norm_attn.": ".pre_norm.",
        ".attn.": ".self_attn.",
        ".norm_ff.": ".ff_norm.",
        ".ff.proj_in.": ".ff.ff.0.proj.",
        ".ff.proj_out.": ".ff.ff.2.",
    }
    return "pretransform.model." + _replaced(name, table)


def _authors_dit(name: str) -> str:
    if name == "prompt_padding_embedding":
        return "conditioner.conditioners.prompt.padding_embedding"
    table = {
        "transformer_blocks.": "transformer.layers.",
        ".ff.proj_in.": ".ff.ff.0.proj.",
        ".ff.proj_out.": ".ff.ff.2.",
    }
    inside = ("memory_tokens", "rotary_pos_emb.", "global_cond_embedder.")
    if name.startswith(inside):
        return f"model.model.transformer.{name}"
    if name.startswith("proj_"):
        return "model.model.transformer.project_" + name.removeprefix("proj_")
    return "model.model." + _replaced(name, table)


def _authors_duration(name: str) -> str:
    base = "conditioner.conditioners.seconds_total.embedder.embedding."
    return base + (f"1.{name.removeprefix('linear.')}" if name.startswith("linear.") else f"0.{name}")


def _replaced(name: str, table: Mapping[str, str]) -> str:
    for old, new in table.items():
        name = name.replace(old, new)
    return name


def _write_json(path: Path, values: Mapping[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(values), encoding="utf-8")


def pipeline(kind: str, folder: Path, nets: TinyNets) -> Any:
    """One of diffusers' pipelines around the same nets."""
    import diffusers
    from transformers import AutoTokenizer

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        made = getattr(diffusers, kind)(
            vae=nets.same,
            text_encoder=nets.text,
            tokenizer=AutoTokenizer.from_pretrained(folder / "tokenizer"),
            duration_embedder=nets.duration,
            transformer=nets.dit,
            scheduler=diffusers.FlowMatchEulerDiscreteScheduler(
                num_train_timesteps=1,  # the net is told σ itself
                stochastic_sampling=nets.config.objective == "denoiser",
            ),
        )
    made.set_progress_bar_config(disable=True)
    return made
