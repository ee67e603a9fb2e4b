"""Why a batch cannot begin or go on; each class writes its own sentence from facts."""

from pathlib import Path

from bridge.errors import BridgeError


class BatchListError(BridgeError):
    """A list that cannot be read as one."""

    code = "bad_batch_list"

    def __init__(self, file: Path, reason: object) -> None:
        super().__init__(
            f"{file} is no list of requests: {reason}",
            "expected .csv with a head such as `prompt,seconds,seed`, .jsonl with an object a line, "
            "or .txt with a prompt a line",
        )


class BatchRowError(BridgeError):
    """One row of a list that cannot be a request; nothing of the list is rendered."""

    code = "bad_batch_row"

    def __init__(self, file: Path, row: int, error: BridgeError) -> None:
        super().__init__(f"row {row} of {file}: {error.text}", error.hint)


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
    """What the daemon says of one request holds for all."""

    code = "batch_refused"

    def __init__(self, text: str, hint: str) -> None:
        super().__init__(f"the daemon refuses the batch: {text}", hint)
