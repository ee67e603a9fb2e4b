"""RoBERTa's byte-level BPE tokenizer (Liu et al. 2019, section 4.4), read from a model folder, never from a hub."""

from collections.abc import Sequence
from pathlib import Path

import torch
from tokenizers import Tokenizer, models, pre_tokenizers, processors
from torch import Tensor

from engine.errors import ModelBrokenError
from engine.file_names import text_name

BEGIN, PAD, END, UNKNOWN, MASK = "<s>", "<pad>", "</s>", "<unk>", "<mask>"
MAX_TOKENS = 512  # of RoBERTa's 514 positions the first two are never used: counting starts at the padding id + 1


class RobertaTokenizer:
    """Prompts -> token ids, with the mask that tells words from padding.

    A prompt becomes `<s> words </s>`; the empty prompt is `<s></s>`. What goes beyond `MAX_TOKENS` is cut. A batch is
    padded to its longest prompt only: with the mask this gives what RoBERTa gives at full length, at a fraction of
    the cost.

        RobertaTokenizer.read(folder)       from `tokenizer.json`, or from `vocab.json` and `merges.txt`
        RobertaTokenizer.bytes_only()       256 bytes and no merges: for random weights, which know no words anyway
    """

    def __init__(self, bpe: Tokenizer) -> None:
        bpe.enable_truncation(MAX_TOKENS)
        bpe.enable_padding(pad_id=_token_id(bpe, PAD), pad_token=PAD)
        self._bpe = bpe

    @classmethod
    def read(cls, folder: Path) -> "RobertaTokenizer":
        """Read the tokenizer in `folder`.

        Raises:
            ModelBrokenError: the files are missing or are not a RoBERTa vocabulary.
        """
        whole, vocabulary, merges = (folder / name for name in ("tokenizer.json", "vocab.json", "merges.txt"))
        try:
            if whole.exists():
                return cls(Tokenizer.from_buffer(whole.read_bytes()))
            with text_name(vocabulary) as words, text_name(merges) as pairs:
                return cls(_roberta(models.BPE.from_file(words, pairs)))
        except Exception as error:  # the Rust library behind tokenizers raises bare Exception
            raise ModelBrokenError(folder, f"its tokenizer files are missing or damaged ({error})") from error

    @classmethod
    def bytes_only(cls) -> "RobertaTokenizer":
        """Build one without any file: every byte of the prompt's UTF-8 is a token (ids 0 to 260)."""
        tokens = [BEGIN, PAD, END, UNKNOWN, *sorted(pre_tokenizers.ByteLevel.alphabet()), MASK]
        return cls(_roberta(models.BPE({token: index for index, token in enumerate(tokens)}, [])))

    def write(self, folder: Path) -> None:
        """Write `tokenizer.json` into `folder`, for `read` to find."""
        (folder / "tokenizer.json").write_text(self._bpe.to_str(pretty=True), encoding="utf-8")

    @property
    def vocabulary_size(self) -> int:
        return self._bpe.get_vocab_size()

    def encode(self, prompts: Sequence[str]) -> tuple[Tensor, Tensor]:
        """Prompts -> (token ids int64 [B, L], mask int64 [B, L]: 1 for a token, 0 for padding); L <= 512."""
        encodings = self._bpe.encode_batch(list(prompts))
        ids = torch.tensor([encoding.ids for encoding in encodings])
        mask = torch.tensor([encoding.attention_mask for encoding in encodings])
        return ids, mask


def _roberta(model: models.BPE) -> Tokenizer:
    """Dress a bare BPE as RoBERTa: bytes before, no prefix space, `<s> … </s>` around."""
    bpe = Tokenizer(model)
    bpe.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    bpe.post_processor = processors.RobertaProcessing(
        (END, _token_id(bpe, END)), (BEGIN, _token_id(bpe, BEGIN)), add_prefix_space=False
    )
    bpe.add_special_tokens([BEGIN, PAD, END, UNKNOWN, MASK])
    return bpe


def _token_id(bpe: Tokenizer, token: str) -> int:
    token_id = bpe.token_to_id(token)
    if token_id is None:
        raise ValueError(f"the vocabulary has no {token}, as RoBERTa's does")
    return token_id
