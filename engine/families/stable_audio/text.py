"""Prompts -> what the denoiser attends to: T5Gemma's embeddings, and how much of a prompt it can read.

The encoder is needed before the first step and never after: it can leave the device, or the memory, in between.
"""

from collections import OrderedDict
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

_REMEMBERED = 64  # prompts, of at most 0.8 MB each


class ReadPrompts(NamedTuple):
    """L tokens of each prompt, those past its end included, which the mask tells."""

    embedding: Tensor  # [B, L, D]
    mask: Tensor  # [B, L], 1 for the prompt's own tokens


class PromptReader:
    """A tokenizer and T5Gemma's encoder, which is opened when a prompt needs it.

    reader = PromptReader(tokenizer, open_encoder, 256)
    reader.read(["rain"])           opens the encoder if need be
    reader.unload()                 the next new prompt opens it again; known ones are remembered
    """

    def __init__(self, tokenizer: Any, open_encoder: Callable[[], nn.Module], max_tokens: int) -> None:
        self._tokenizer, self._open = tokenizer, open_encoder
        self._encoder: nn.Module | None = None
        self.max_tokens = max_tokens
        self._known: OrderedDict[str, ReadPrompts] = OrderedDict()
        self._device = torch.device("cpu")

    @property
    def is_loaded(self) -> bool:
        return self._encoder is not None

    def to(self, device: torch.device | str) -> None:
        """Where the encoder computes from now on."""
        self._device = torch.device(device)
        if self._encoder is not None:
            self._encoder.to(self._device)

    def unload(self) -> None:
        """Free the encoder's memory: 1.1 GB in 32 bits."""
        self._encoder = None

    def read(self, prompts: Sequence[str]) -> ReadPrompts:
        """The prompts on the encoder's device; those that were read before cost nothing."""
        if new := [prompt for prompt in dict.fromkeys(prompts) if prompt not in self._known]:
            self._read_new(new)
        read = [self._known[prompt] for prompt in prompts]
        while len(self._known) > _REMEMBERED:
            self._known.popitem(last=False)
        return ReadPrompts(*(torch.cat(values).to(self._device) for values in zip(*read, strict=True)))

    def cut(self, prompt: str) -> str:
        """The end of a prompt that is not read, as the tokenizer spells it; empty where all of it is."""
        whole: list[int] = self._tokenizer(prompt)["input_ids"]
        read: list[int] = self._tokenizer(prompt, truncation=True, max_length=self.max_tokens)["input_ids"]
        if len(whole) <= len(read):
            return ""
        kept = len(read) - sum(1 for given, own in zip(whole, read, strict=False) if given != own)  # an end token
        spelled: str = self._tokenizer.decode(whole[kept:], skip_special_tokens=True)
        return spelled.strip()

    def _read_new(self, prompts: Sequence[str]) -> None:
        if self._encoder is None:
            self._encoder = self._open().to(self._device)
        tokens = self._tokenizer(
            list(prompts), padding="max_length", truncation=True, max_length=self.max_tokens, return_tensors="pt"
        )
        mask = tokens["attention_mask"].to(self._device)
        embedding = self._encoder(tokens["input_ids"].to(self._device), attention_mask=mask)[0]
        for index, prompt in enumerate(prompts):
            self._known[prompt] = ReadPrompts(embedding[index : index + 1].float().cpu(), mask[index : index + 1].cpu())


def open_tokenizer(folder: Path) -> Any:
    """The tokenizer in `folder`; nothing is fetched, and no code of the folder's runs.

    Raises:
        OSError, ValueError: it is missing or damaged.
    """
    from transformers import AutoTokenizer  # noqa: PLC0415 - slow to load, and of this family only

    return AutoTokenizer.from_pretrained(str(folder), local_files_only=True, trust_remote_code=False)
