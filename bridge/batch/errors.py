"""Why a batch cannot begin or go on; each class writes its own sentence from facts."""

from collections.abc import Iterable
from pathlib import Path

from bridge.errors import BridgeError, nearest
from bridge.plain_words import at_terminal


class BatchListError(BridgeError):
    """A list that cannot be read as one."""

    code = "bad_batch_list"

    def __init__(self, file: Path, reason: object, hint: str = "") -> None:
        super().__init__(
            f"{file} is no list of requests: {reason}",
            hint
            or "a list is a table (.csv, .tsv) with a head such as `prompt,seconds,seed`, a .jsonl with an object a "
            "line, or a .txt with a prompt a line",
        )


class BatchRowError(BridgeError):
    """One row of a list that cannot be a request."""

    code = "bad_batch_row"

    def __init__(self, file: Path, row: int, error: BridgeError) -> None:
        super().__init__(f"row {row} of {file}: {at_terminal(error.text)}", at_terminal(error.hint))


class BatchColumnError(BridgeError):
    """A column that its operation does not have; skipping it silently could hide a mistake."""

    code = "bad_batch_row"

    def __init__(self, name: str, operation: str, known: Iterable[str]) -> None:
        names = sorted(known)
        super().__init__(
            f"{operation} has no column or key {name!r}",
            nearest(name, names, f"take it out of the list, or name it one of {', '.join(names)}"),
        )


class BatchCellMissingError(BridgeError):
    code = "bad_batch_row"

    def __init__(self, name: str) -> None:
        super().__init__(f"it has no {name}", f"fill in its {name}, or leave the row out")


class BatchFolderError(BridgeError):
    """The folder of the results cannot be used."""

    code = "bad_batch_folder"

    def __init__(self, folder: Path, reason: object) -> None:
        super().__init__(
            f"the folder {folder} cannot be used: {reason}", "choose a folder that you may write to with -o"
        )


class BatchBusyError(BridgeError):
    code = "batch_busy"

    def __init__(self, folder: Path) -> None:
        super().__init__(
            f"another batch writes into {folder} now", "wait for its end, or choose another folder with -o"
        )


class BatchRefusedError(BridgeError):
    """The daemon refuses one request for a reason that applies to all."""

    code = "batch_refused"

    def __init__(self, text: str, hint: str) -> None:
        super().__init__(f"the daemon refuses the batch: {text}", hint)
