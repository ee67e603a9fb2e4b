"""The six AudioLDM checkpoints that their authors published: addresses, sizes and known checksums.

A size or checksum that was not confirmed by two sources is None: the download is then checked against what the server
itself reports, and its SHA-256 is recorded in the imported model. Nothing here needs PyTorch or a connection.

Zenodo labels its records CC BY 4.0; the authors' repository and their pages on the Hub say CC BY-NC-SA 4.0. Retake
assumes the stricter of the two.
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from engine.checkpoints.download_errors import FormMissingError, NotPublishedError, OfflineError

SAMPLE_RATE, CHANNELS, AT_ONCE_S = 16_000, 1, 10.24  # of all six
LICENCE = "CC BY-NC-SA 4.0"
LICENCE_URL = "https://creativecommons.org/licenses/by-nc-sa/4.0/"
LICENCE_MEANS = "not for commercial use; name the authors (Liu et al.); share what you derive on the same terms"
CheckpointForm = Literal["original", "diffusers"]
ORIGINAL: CheckpointForm = "original"
DIFFUSERS: CheckpointForm = "diffusers"


@dataclass(frozen=True)
class RemoteFile:
    """One file on a server, and what is known of it; what is None cannot be checked."""

    url: str
    name: str  # in the download's folder; may have folders in it
    size: int | None = None  # bytes
    sha256: str | None = None
    md5: str | None = None  # Zenodo knows no other checksum
    token: str | None = field(default=None, repr=False)  # of the user's, for that server alone


ROBERTA = "FacebookAI/roberta-base/resolve/e2da8e2f811d1448a5b465c236feacd80ffbac7b"
TOKENIZER: tuple[tuple[str, int, str], ...] = (  # name, bytes, SHA-256
    ("vocab.json", 898_823, "9e7f63c2d15d666b52e21d250d2e513b87c9b713cfa6987a82ed89e5e6e50655"),
    ("merges.txt", 456_318, "1ce1664773c50f3e0cc8842619a93edc4624525b728b188a9e0be33b7726adc5"),
)


@dataclass(frozen=True)
class Published:
    """One published checkpoint; `parameters` counts what stays of it after the import."""

    name: str
    record: int  # on Zenodo
    file: str  # in that record
    good_at: str
    parameters: int
    about_bytes: int  # of the original file
    size: int | None = None
    sha256: str | None = None
    md5: str | None = None
    hub: str | None = None  # the diffusers form; none was published of the two fine-tuned ones
    revision: str = "main"  # of `hub`: no commit is known beforehand, so the newest is looked up and then held to
    tokenizer: tuple[tuple[str, int, str], ...] = TOKENIZER

    @property
    def original(self) -> RemoteFile:
        """The authors' own file, under the name that the import reads."""
        url = f"{zenodo()}/records/{self.record}/files/{self.file}?download=1"
        return RemoteFile(url, f"{self.name}.ckpt", self.size, self.sha256, self.md5)

    def tokenizer_files(self) -> tuple[RemoteFile, ...]:
        """RoBERTa's vocabulary (MIT), which the original checkpoints were trained with and do not hold."""
        return tuple(
            RemoteFile(f"{hub()}/{ROBERTA}/{name}", name, size, sha256) for name, size, sha256 in self.tokenizer
        )

    @property
    def forms(self) -> tuple[CheckpointForm, ...]:
        return (ORIGINAL, DIFFUSERS) if self.hub else (ORIGINAL,)

    def diffusers(self) -> str:
        """The Hub repository of the diffusers form.

        Raises:
            FormMissingError: there is none.
        """
        if self.hub is None:
            raise FormMissingError(self.name, DIFFUSERS)
        return self.hub


def refuse_offline() -> None:
    """Raises OfflineError when RETAKE_OFFLINE or HF_HUB_OFFLINE is set; nothing but `pull` ever connects."""
    for variable in ("RETAKE_OFFLINE", "HF_HUB_OFFLINE"):
        if os.environ.get(variable, "").lower() not in ("", "0", "no", "off", "false"):
            raise OfflineError(variable)


def zenodo() -> str:
    """Where the records are; the environment variable RETAKE_ZENODO_URL names a mirror."""
    return (os.environ.get("RETAKE_ZENODO_URL") or "https://zenodo.org").rstrip("/")


def hub() -> str:
    """Where the Hub is; the environment variable HF_ENDPOINT names a mirror."""
    return (os.environ.get("HF_ENDPOINT") or "https://huggingface.co").rstrip("/")


_S, _M, _L = 451_000_000, 727_000_000, 1_005_000_000  # UNet, VAE, vocoder and both towers of CLAP

PUBLISHED: tuple[Published, ...] = (
    Published(
        "audioldm-s-full-v2",
        7698295,
        "audioldm-full-s-v2.ckpt",
        "small, trained longer than audioldm-s-full; the one to begin with",
        _S,
        2_560_000_000,
        hub="cvssp/audioldm-s-full-v2",
    ),
    Published(
        "audioldm-s-full",
        7600541,
        "audioldm-s-full",
        "small, the first release",
        _S,
        2_560_000_000,
        hub="cvssp/audioldm",
    ),
    Published(
        "audioldm-m-full",
        7813012,
        "audioldm-m-full.ckpt",
        "medium; its authors like its sounds best",
        _M,
        4_571_683_377,
        size=4_571_683_377,
        sha256="936914a388905e1fc179c148a41a2b1552dba322ce474160b1cfa0f01ac26f8f",
        md5="46bad9f176651404b3cf1484942749b9",
        hub="cvssp/audioldm-m-full",
    ),
    Published(
        "audioldm-l-full",
        7698295,
        "audioldm-full-l.ckpt",
        "large; the best figures in the paper, the slowest",
        _L,
        7_000_000_000,
        hub="cvssp/audioldm-l-full",
    ),
    Published(
        "audioldm-s-text-ft",
        7813012,
        "audioldm-s-text-ft.ckpt",
        "small, fine-tuned on the captions of AudioCaps and MusicCaps",
        _S,
        2_558_980_807,
    ),
    Published(
        "audioldm-m-text-ft",
        7813012,
        "audioldm-m-text-ft.ckpt",
        "medium, fine-tuned on the captions of AudioCaps and MusicCaps",
        _M,
        4_571_676_474,
    ),
)


def published_as(text: str) -> str | None:
    """The name here of a published checkpoint that goes by `text`: by this name, its file's or its repository's."""
    for row in PUBLISHED:
        names = {row.name, row.file, row.file.removesuffix(".ckpt")}
        names |= {row.hub, row.hub.rpartition("/")[2]} if row.hub else set()
        if text.lower() in names:
            return row.name
    return None


def find_published(name: str, rows: Sequence[Published] = PUBLISHED) -> Published:
    """The published checkpoint of that name.

    Raises:
        NotPublishedError: there is none; the error lists those that there are.
    """
    for published in rows:
        if published.name == name:
            return published
    raise NotPublishedError(name, [published.name for published in rows])
