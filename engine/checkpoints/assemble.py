"""Foreign parts -> the state dict of our model: every tensor found, of the right shape, and none left over."""

from collections.abc import Iterator, Mapping

import torch
from torch import Tensor, nn

from engine.checkpoints.foreign import Foreign
from engine.checkpoints.foreign_files import Weights
from engine.checkpoints.foreign_names import Names, clap_names, unet_names, vae_names, vocoder_names
from engine.checkpoints.import_errors import WeightsMissingError, WeightsShapeError
from engine.models.clap import ClapConfig, LaionClap
from engine.models.unet import UNet
from engine.models.vae import Vae
from engine.models.vocoder import HiFiGan, HiFiGanConfig


def assemble(foreign: Foreign) -> dict[str, Tensor]:
    """Return our names -> tensors; these stay in their files until they are read.

    Raises:
        WeightsMissingError, WeightsShapeError: the parts are not what AudioLDM is made of.
    """
    tensors: dict[str, Tensor] = {}
    for prefix, part, expected, names in _parts(foreign):
        tensors.update({prefix + ours: tensor for ours, tensor in _translated(expected, names, part)})
    for weights, groups in (
        (foreign.unet, ("",)),
        (foreign.vae, ("encoder.", "decoder.")),
        (foreign.vocoder, ("ups", "resblocks.", "conv_")),
        (foreign.text, ("text_branch.", "text_model.", "text_projection.")),
        (foreign.audio, ("audio_branch.", "audio_model.", "audio_projection.")),
    ):
        if weights is not None and (unused := weights.unused(*groups)):
            raise WeightsShapeError(weights.part, [f"{name} is too much" for name in unused])
    channels = foreign.config.vae.latent_channels
    tensors["latent_mean"] = torch.zeros(channels)
    tensors["latent_scale"] = foreign.latent_scale.detach().float().reshape(1).expand(channels)
    return tensors


def _parts(foreign: Foreign) -> Iterator[tuple[str, Weights, Mapping[str, Tensor], Names]]:
    """For each part: our prefix, its weights, our tensors (their shapes count) and the translation of names."""
    config = foreign.config
    assert isinstance(config.vocoder, HiFiGanConfig), "foreign checkpoints have HiFi-GAN"
    assert isinstance(config.clap, ClapConfig), "foreign checkpoints have LAION's CLAP"
    with torch.device("meta"):
        unet, vae, vocoder = UNet(config.unet), Vae(config.vae), HiFiGan(config.vocoder)
        clap = LaionClap(config.clap)
    yield "unet.", foreign.unet, _ours(unet), unet_names(config.unet, foreign.unet.form)
    yield "vae.", foreign.vae, _ours(vae), vae_names(config.vae, foreign.vae.form)
    yield "vocoder.", foreign.vocoder, _ours(vocoder), vocoder_names(config.vocoder, foreign.vocoder.form)
    towers = _ours(clap)
    audio = {name: tensor for name, tensor in towers.items() if name.startswith("audio_")}
    text = {name: tensor for name, tensor in towers.items() if name not in audio}
    yield "_clap.", foreign.text, text, clap_names(foreign.text.form)
    if foreign.audio is not None:
        yield "_clap.", foreign.audio, audio, clap_names(foreign.audio.form)


def _ours(net: nn.Module) -> Mapping[str, Tensor]:
    ours: Mapping[str, Tensor] = net.state_dict()
    return ours


def _translated(expected: Mapping[str, Tensor], names: Names, weights: Weights) -> list[tuple[str, Tensor]]:
    """Yield our names and their foreign tensors.

    Raises:
        WeightsMissingError, WeightsShapeError: with all that is missing or of another shape.
    """
    found, missing, misshapen = [], [], []
    for ours, like in expected.items():
        foreign = names(ours)
        pieces = [(name, weights.get(name)) for name in foreign]
        absent = [name for name, piece in pieces if piece is None]
        there = [piece for _, piece in pieces if piece is not None]
        if absent:
            missing += [weights.prefix + name for name in absent]
        elif not foreign:
            found.append((ours, _constant(ours, like)))
        elif not _fits(there, like):
            shapes = " + ".join(str(list(piece.shape)) for piece in there)
            misshapen.append(f"{foreign[0]} is {shapes}, expected {list(like.shape)}")
        else:
            joined = there[0] if len(there) == 1 else torch.cat(there)
            found.append((ours, joined.detach().reshape(like.shape)))
    if missing:
        raise WeightsMissingError(weights.part, missing)
    if misshapen:
        raise WeightsShapeError(weights.part, misshapen)
    return found


def _fits(pieces: list[Tensor], like: Tensor) -> bool:
    """Whether the pieces, joined, have our shape; a 1 x 1 convolution is as good as a linear map."""

    def essential(shape: torch.Size) -> list[int]:
        return [size for size in shape if size != 1]

    joined = torch.Size([sum(piece.shape[0] for piece in pieces), *pieces[0].shape[1:]]) if len(pieces) > 1 else None
    return essential(joined or pieces[0].shape) == essential(like.shape)


def _constant(ours: str, like: Tensor) -> Tensor:
    """What transformers does not keep: attention masks, which follow from the shape, and layers that are never used."""
    return like.clone() if ours.endswith("attn_mask") else torch.zeros(like.shape)
