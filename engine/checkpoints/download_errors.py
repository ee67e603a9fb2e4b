"""What can go wrong when a published model is fetched, or an installed one removed; a branch of the tree in errors.py.

DownloadError                   nothing was installed
  OfflineError                  the user has forbidden network access
  NotPublishedError             no published checkpoint has that name
  FormMissingError              it was not published in that form
  LicenceError                  the licence has not been accepted
  PullRunningError              another process is fetching the same one
  ServerUnreachableError        no answer, or too many dropped connections; what came is kept
  DownloadRefusedError          the server refused
    ModelGatedError             it gives the model only to those who accepted its terms
  WrongFileError                the server sent something else
  DownloadUnwritableError       the file cannot be written; what came is kept
  DownloadDamagedError          a checksum does not match; what came is deleted
  DownloadStoppedError          Ctrl-C; what came is kept (also a CancelledError)
RemovalError                    nothing was removed
  ModelShippedError             it is part of Retake
  NotOursError                  a folder that Retake did not make
  NotConfirmedError             the user has not confirmed
  RemovalFailedError            the system refused
"""

from collections.abc import Iterable
from pathlib import Path

from engine.errors import CancelledError, DownloadError, EngineError, RemovalError


class OfflineError(DownloadError):
    code = "offline"

    def __init__(self, variable: str) -> None:
        super().__init__(
            f"nothing is downloaded: {variable} says to stay offline",
            f"unset {variable}, or get the checkpoint on another machine and use `retake models import PATH`",
        )


class NotPublishedError(DownloadError):
    code = "not_published"

    def __init__(self, name: str, known: Iterable[str]) -> None:
        super().__init__(
            f"there is no published checkpoint {name!r}; published: {', '.join(known)}",
            "choose one of these; a file that you have already is for `retake models import PATH`",
        )


class FormMissingError(DownloadError):
    code = "form_missing"

    def __init__(self, name: str, form: str) -> None:
        super().__init__(f"{name} was not published in the {form} form", "pull it without --form")


class LicenceError(DownloadError):
    code = "licence_not_accepted"

    def __init__(self, name: str, licence: str) -> None:
        super().__init__(
            f"{name} is under {licence}, which was not accepted; nothing was downloaded",
            "read the licence and answer yes, or give --accept-licence where nobody can answer",
        )


class PullRunningError(DownloadError):
    code = "pull_running"

    def __init__(self, name: str) -> None:
        super().__init__(f"another process is pulling {name} already", "let it finish, or stop it first")


class ServerUnreachableError(DownloadError):
    code = "server_unreachable"

    def __init__(self, url: str, reason: str, kept_bytes: int, hint: str) -> None:
        kept = f"; {kept_bytes / 1e6:.1f} MB are kept" if kept_bytes else ""
        super().__init__(f"{url} could not be fetched: {reason}{kept}", hint)


class DownloadRefusedError(DownloadError):
    code = "download_refused"

    def __init__(self, url: str, reason: str, hint: str | None = None, status: int | None = None) -> None:
        self.status = status
        super().__init__(
            f"the server refused {url}: {reason}",
            hint or "try later; or get the file with a browser and use `retake models import PATH`",
        )


class ModelGatedError(DownloadRefusedError):
    code = "model_gated"

    def __init__(self, name: str, page: str, status: int, *, has_token: bool) -> None:
        who = "the account of your token has no access" if has_token else "nobody is logged in"
        EngineError.__init__(
            self,
            f"the Hub gives {name} only to those who accepted its terms, and {who} (it says {status}); what has arrived"
            " is kept",
            f"accept the terms at {page}, then "
            + ("pull again" if has_token else "run `hf auth login`, or set HF_TOKEN, and pull again"),
        )
        self.status = status


class WrongFileError(DownloadError):
    code = "wrong_file"

    def __init__(self, url: str, got: str, expected: str) -> None:
        super().__init__(
            f"{url} sent {got}; expected {expected}",
            "a login page of the network may stand in between: open the address in a browser, then pull again",
        )


class DownloadUnwritableError(DownloadError):
    code = "download_unwritable"

    def __init__(self, path: Path, error: OSError) -> None:
        super().__init__(
            f"{path} could not be written: {error.strerror or error}",
            "free some space or set RETAKE_MODELS to a folder that you may write to, and pull again",
        )


class DownloadDamagedError(DownloadError):
    code = "download_damaged"

    def __init__(self, name: str, kind: str, got: str, expected: str) -> None:
        super().__init__(
            f"{name} arrived damaged: its {kind} is {got}; expected {expected}; it was deleted",
            "pull again; if this comes back, the file on the server has changed: do not use it",
        )


class DownloadStoppedError(DownloadError, CancelledError):
    code = "cancelled"

    def __init__(self, name: str) -> None:
        EngineError.__init__(
            self,
            f"pulling {name} was stopped; no model was installed, and what has arrived is kept",
            f"`retake models pull {name}` goes on from there, `retake models remove {name}` throws it away",
        )


class ModelShippedError(RemovalError):
    code = "model_shipped"

    def __init__(self, name: str) -> None:
        super().__init__(f"{name} is part of Retake and is not removed", "remove a model that you installed yourself")


class NotOursError(RemovalError):
    code = "not_ours"

    def __init__(self, name: str, models_dir: Path) -> None:
        super().__init__(
            f"{name!r} is not a folder of its own in {models_dir}; only such are removed",
            "give a name from `retake models list`, or delete the folder yourself",
        )


class NotConfirmedError(RemovalError):
    code = "not_confirmed"

    def __init__(self, name: str) -> None:
        super().__init__(f"{name} was not removed: the user has not confirmed", "answer yes, or give --yes")


class RemovalFailedError(RemovalError):
    def __init__(self, folder: Path, error: OSError) -> None:
        super().__init__(
            f"{folder} could not be removed: {error.strerror or error}", "stop what uses the model, and try again"
        )
