"""A model as its config describes it, drawn on the device `meta`: every name and shape, and no memory taken."""

from pathlib import Path

import torch
from torch import Tensor

from engine.audioldm import AudioLDM, AudioLDMConfig
from engine.checkpoints.small_weights import SCALE
from engine.checkpoints.tensor_file import read_shapes
from engine.errors import ModelBrokenError
from engine.models.pocket_clap import PocketClap
from engine.models.vocoder import HiFiGan

_NAMED = 3  # tensors that an error names


def draw_up(config: AudioLDMConfig, folder: Path) -> AudioLDM:
    """The model without its weights, after all of its nets were tried on tensors without contents.

    Raises:
        ModelBrokenError: no net can be built from the config, or the nets do not fit together.
    """
    try:
        with torch.device("meta"), torch.no_grad():
            model = AudioLDM(config)
            _try_out(model)
    except ModelBrokenError:
        raise
    except Exception as error:  # a net that cannot be built fails in any way
        said = str(error).strip().split("\n")[0] or type(error).__name__
        raise ModelBrokenError(folder, f"no net can be built from its config ({said[:200]})") from error
    return model


def require_promised(model: AudioLDM, weights: Path) -> None:
    """See in the header of a file whether it holds what the drawing needs, and nothing else.

    Raises:
        ModelBrokenError: it is damaged, or holds other weights.
    """
    try:
        found = read_shapes(weights)
    except (OSError, ValueError) as error:
        words = (error.strerror or str(error)) if isinstance(error, OSError) else str(error)
        raise ModelBrokenError(weights.parent, f"{weights.name}: {words}") from error
    expected = {name: tuple(tensor.shape) for name, tensor in model.state_dict().items()}
    factors = {name + SCALE: shape[:1] for name, shape in expected.items() if name + SCALE in found and len(shape) > 1}
    expected |= {name: shape for name, shape in factors.items() if name not in expected}
    missing = [name for name in expected if name not in found]
    surplus = [name for name in found if name not in expected]
    others = [name for name, shape in expected.items() if name in found and found[name] != shape]
    if missing or surplus or others:
        differences = [f"{name} is missing" for name in missing] + [f"{name} is too much" for name in surplus]
        differences += [f"{name} is {list(found[name])}, expected {list(expected[name])}" for name in others]
        more = f" and {len(differences) - _NAMED} more" if len(differences) > _NAMED else ""
        reason = f"{weights.name} does not fit its config: {', '.join(differences[:_NAMED])}{more}"
        raise ModelBrokenError(weights.parent, reason)


def _try_out(model: AudioLDM) -> None:
    """Send the shortest latent through the nets. Raises whatever they raise where they do not fit together."""
    config = model.config
    latent = torch.zeros(1, *model.latent_shape(model.row_multiple))
    predicted = model.unet(latent, torch.zeros(1, dtype=torch.int64), torch.zeros(1, config.unet.condition_size))
    log_mel = model.vae.decode(latent)
    again = model.vae.encode(log_mel).mean
    _require(predicted, latent.shape)
    _require(again, latent.shape)
    _require(log_mel, (1, 1, model.row_multiple * config.vae.stride, config.mel.num_mels))
    if isinstance(model.vocoder, HiFiGan):
        _require(model.vocoder(log_mel), (1, log_mel.shape[2] * config.mel.hop))
    if isinstance(model.clap, PocketClap):
        _require(model.clap.embed_log_mel(log_mel), (1, config.clap.embedding_dim))


def _require(tensor: Tensor, shape: tuple[int, ...] | torch.Size) -> None:
    if tuple(tensor.shape) != tuple(shape):
        raise ValueError(f"a net makes {list(tensor.shape)}, expected {list(shape)}")
