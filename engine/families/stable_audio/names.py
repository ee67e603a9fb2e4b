"""What the authors' file calls the weights of Stable Audio 3, and what diffusers' nets call them.

The same translation as that of diffusers' conversion script, as tables. One layout differs, too: in differential
attention the authors' queries, keys and values lie in one matrix as q k v q₂ k₂, in diffusers' as q q₂ k k₂ v.
"""

import re
from collections.abc import Iterable, Mapping

import torch
from torch import Tensor

DIT, VAE, DURATION, TEXT = "transformer", "vae", "duration_embedder", "text_encoder"

_NUMBER = r"(\d+)"
_FEED_FORWARD = (("ff.ff.0.proj", "ff.proj_in"), ("ff.ff.2", "ff.proj_out"))
_RESAMPLING = (  # of each layer in a resampling block of the autoencoder
    ("pre_norm", "norm_attn"),
    ("self_attn.", "attn."),
    ("ff_norm", "norm_ff"),
    *_FEED_FORWARD,
)
_DIT = (  # of the denoiser, outside its blocks
    ("transformer.project_in", "proj_in"),
    ("transformer.project_out", "proj_out"),
    ("transformer.memory_tokens", "memory_tokens"),
    ("transformer.rotary_pos_emb", "rotary_pos_emb"),
    ("transformer.global_cond_embedder", "global_cond_embedder"),
)
_PREFIXES = (  # longest first
    ("conditioner.conditioners.seconds_total.embedder.embedding.1.", DURATION, "linear."),
    ("conditioner.conditioners.prompt.padding_embedding", DIT, "prompt_padding_embedding"),
    ("conditioner.conditioners.prompt.model.", TEXT, ""),
    ("pretransform.model.", VAE, ""),
    ("model.model.", DIT, ""),
)
_UNUSED = re.compile(  # kept in the file, and computed or not needed here
    r"pretransform\.model\..*\.rope\.inv_freq|pretransform\.model\.bottleneck\.noise_scaling_factor"
    r"|conditioner\.conditioners\.seconds_total\.embedder\.embedding\.0\..*"
)
_QKV = re.compile(r".*attn\.to_qkv\.weight")


def place_of(name: str, levels: int) -> tuple[str, str] | None:
    """The part and the diffusers name of one of the authors' weights; `levels`: resampling blocks on each side.

    None is for what no net here needs. Raises KeyError for a name that is none of this family's.
    """
    if _UNUSED.fullmatch(name):
        return None
    for prefix, part, start in _PREFIXES:
        if name.startswith(prefix):
            rest = name.removeprefix(prefix)
            return part, start + _inside(part, rest, levels)
    raise KeyError(name)


def split_parts(
    tensors: Mapping[str, Tensor], levels: int, differential: Mapping[str, bool]
) -> dict[str, dict[str, Tensor]]:
    """The authors' weights by part, under diffusers' names and in its layout; only differential q, k, v are copied.

    Raises:
        KeyError: a name is none of this family's.
    """
    parts: dict[str, dict[str, Tensor]] = {DIT: {}, VAE: {}, DURATION: {}, TEXT: {}}
    for name, tensor in tensors.items():
        if (place := place_of(name, levels)) is not None:
            part, own = place
            is_mixed = differential.get(part, False) and _QKV.fullmatch(own)
            parts[part][own] = _as_diffusers(tensor) if is_mixed else tensor
    return parts


def text_encoder_names(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Of a T5Gemma's weights those of the encoder, named as in transformers' `T5GemmaEncoderModel`.

    The authors' folder holds the whole model, decoder included.
    """
    plain = {name.removeprefix("model."): tensor for name, tensor in tensors.items()}
    return {name: tensor for name, tensor in plain.items() if name.startswith("encoder.")}


def unknown_names(names: Iterable[str], levels: int) -> list[str]:
    """Those that are none of this family's."""
    return [name for name in names if not _is_known(name, levels)]


def _is_known(name: str, levels: int) -> bool:
    try:
        place_of(name, levels)
    except KeyError:
        return False
    return True


def _inside(part: str, name: str, levels: int) -> str:
    if part == DIT and name:
        return _in_dit(name)
    return _in_vae(name, levels) if part == VAE else name


def _in_dit(name: str) -> str:
    if match := re.fullmatch(rf"transformer\.layers\.{_NUMBER}\.(.+)", name):
        return f"transformer_blocks.{match[1]}.{_renamed(match[2], _FEED_FORWARD)}"
    return _renamed(name, _DIT)


def _in_vae(name: str, levels: int) -> str:
    """Each side is a list: the encoder's blocks, a transposition, its projection; the decoder begins with these two."""
    match = re.fullmatch(rf"(encoder|decoder)\.layers\.{_NUMBER}\.(.+)", name)
    if match is None:
        return name.replace("bottleneck.scaling_factor", "bottleneck.scale")
    side, index, rest = match[1], int(match[2]), match[3]
    projection, first = (levels + 1, 0) if side == "encoder" else (1, 3)
    if index == projection:
        return f"{side}.proj.{rest}"
    if not first <= index < first + levels:
        raise KeyError(name)
    return f"{side}.blocks.{index - first}.{_renamed(rest, _RESAMPLING) if rest.startswith('transformers.') else rest}"


def _renamed(name: str, table: Iterable[tuple[str, str]]) -> str:
    for old, new in table:
        if old in name:
            return name.replace(old, new, 1)
    return name


def _as_diffusers(weight: Tensor) -> Tensor:
    """Rows q k v q₂ k₂ -> q q₂ k k₂ v."""
    q, k, v, q_two, k_two = weight.chunk(5)
    return torch.cat([q, q_two, k, k_two, v])
