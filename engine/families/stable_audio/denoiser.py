"""The denoiser as samplers know it: what the net says of the flow becomes a clean latent and its noise.

Shape letters: B batch, Z latent channels, H latent rows, L tokens, D embedding.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Self, cast

import torch
from torch import Tensor, nn

from engine.diffusion.guidance import Denoised, DenoiseFollowing, guide


@dataclass(frozen=True)
class StableAudioCondition:
    """What a take should be: its prompt, its length, and the latent that is given in some of its rows."""

    context: Tensor  # [B, L + 1, D]: the prompt's tokens, and the length as one more
    mask: Tensor  # [B, L + 1], 1 for tokens that mean something
    duration: Tensor  # [B, D]
    given: Tensor | None = None  # [B, 1 + Z, H]: 1 where the latent is given, and it there; 0 elsewhere

    def __len__(self) -> int:
        return len(self.context)

    def repeated(self, times: int) -> Self:
        """Each of the B conditions `times` times in a row."""
        return self._each(lambda values: values.repeat_interleave(times, dim=0))

    def joined(self, other: Self) -> Self:
        """This one's conditions, then the other's; what is given is this one's in both."""
        return replace(
            self,
            context=torch.cat([self.context, other.context]),
            mask=torch.cat([self.mask, other.mask]),
            duration=torch.cat([self.duration, other.duration]),
            given=None if self.given is None else torch.cat([self.given, self.given]),
        )

    def _each(self, work: Callable[[Tensor], Tensor]) -> Self:
        context, mask, duration = map(work, (self.context, self.mask, self.duration))
        given = None if self.given is None else work(self.given)
        return replace(self, context=context, mask=mask, duration=duration, given=given)


def given_rows(latent: Tensor, keep: Tensor) -> Tensor:
    """Latent [B, Z, H] and keep [H] or [B, 1, H], 1 where it is given -> [B, 1 + Z, H], as the net takes it."""
    mask = keep.to(latent).expand(len(latent), 1, latent.shape[-1])
    return torch.cat([mask, latent * mask], dim=1)


def nothing_given(like: Tensor) -> Tensor:
    """The same for a take of which no row is given: all zeros."""
    return torch.zeros(len(like), 1 + like.shape[1], like.shape[2]).to(like)


def denoiser_of(
    net: nn.Module, condition: StableAudioCondition, negative: StableAudioCondition | None, guidance: float
) -> DenoiseFollowing:
    """(x [B, Z, H], σ, given or none) -> (x0, ε), towards the condition; from `negative` where guidance is not 1.

    v = dx/dσ = ε - x0 is what the net says; x0 = x - σ v and ε = x + (1 - σ) v (Lipman et al. 2023; Liu et al. 2023).
    """
    dtype = cast("Tensor", next(net.parameters())).dtype
    guided = guidance != 1 and negative is not None

    def denoise(x: Tensor, sigma: float, given: Tensor | None = None, /) -> Denoised:
        wanted = condition.repeated(len(x) // len(condition))
        if given is not None:
            wanted = replace(wanted, given=given)
        if guided and negative is not None:
            wanted = replace(negative.repeated(len(x) // len(negative)), given=wanted.given).joined(wanted)
        inputs = torch.cat([x, x]) if guided else x
        v: Tensor = net(
            inputs.to(dtype),
            torch.full((len(inputs),), sigma, device=x.device),
            encoder_hidden_states=wanted.context.to(dtype),
            global_hidden_states=wanted.duration.to(dtype),
            encoder_attention_mask=wanted.mask,
            local_add_cond=None if wanted.given is None else wanted.given.to(dtype),
            return_dict=False,
        )[0].float()
        if guided:
            unguided, towards = v.chunk(2)
            v = guide(unguided, towards, guidance)
        return Denoised(x - sigma * v, x + (1 - sigma) * v)

    return denoise
