"""What files a diffusers folder on the Hub has: one commit of it, its weights as safetensors where there are any."""

import re
from collections.abc import Callable, Collection
from dataclasses import dataclass

from huggingface_hub import HfApi, hf_hub_url

from engine.checkpoints.connection import CONNECTION, advice
from engine.checkpoints.download_errors import DownloadRefusedError
from engine.checkpoints.published import RemoteFile

_WANTED = re.compile(r"model_index\.json|(\w+)/(config|scheduler_config)\.json|tokenizer/\w+\.(json|txt)")
_WEIGHTS = ("diffusion_pytorch_model", "model", "pytorch_model")
_WEIGHT_FOLDERS = ("unet", "vae", "vocoder", "text_encoder")


@dataclass(frozen=True)
class Snapshot:
    """The files of one commit."""

    commit: str
    files: tuple[RemoteFile, ...]


def list_snapshot(
    repository: str,
    revision: str,
    endpoint: str,
    timeout_s: float,
    choose: Callable[[Collection[str]], list[str]] | None = None,
    token: str | None = None,
) -> Snapshot:
    """Ask the Hub for the commit that `revision` (a branch, tag or commit) is now, and for its files.

    `choose` names those that are wanted; without it they are those of a diffusers folder of AudioLDM.

    Raises:
        DownloadRefusedError: the Hub does not answer, or does not have it.
    """
    try:
        api = HfApi(endpoint=endpoint, token=token or False)  # what is public needs none, and no mirror knows the user
        info = api.model_info(repository, revision=revision, files_metadata=True, timeout=timeout_s)
    except Exception as error:  # the Hub's client passes on what its HTTP library raises, and changes that library
        reason, hint = str(error).strip().split("\n")[0], advice(endpoint, error)
        status = getattr(getattr(error, "response", None), "status_code", None)
        advised = None if hint == CONNECTION else hint
        raise DownloadRefusedError(f"{endpoint}/{repository}", reason, advised, status) from error
    files = []
    siblings = {sibling.rfilename: sibling for sibling in info.siblings or ()}
    for name in (choose or choose_files)(siblings):
        sibling = siblings[name]
        url = hf_hub_url(repository, name, revision=info.sha, endpoint=endpoint)
        files.append(RemoteFile(url, name, sibling.size, sibling.lfs.sha256 if sibling.lfs else None))
    return Snapshot(str(info.sha), tuple(files))


def choose_files(names: Collection[str]) -> list[str]:
    """Of all names in a repository those that the import reads: configs, the tokenizer, each net's weights once."""
    chosen = [name for name in sorted(names) if _WANTED.fullmatch(name)]
    for folder in _WEIGHT_FOLDERS:
        candidates = [f"{folder}/{stem}{ending}" for ending in (".safetensors", ".bin") for stem in _WEIGHTS]
        chosen += [name for name in candidates if name in names][:1]
    return chosen
