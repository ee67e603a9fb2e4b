"""Why there is no support bundle; a branch of the tree in errors.py, for the command line only.

SupportError
  BundleExistsError           -o names a file that is there
  BundleWriteError            the file cannot be written
  UnknownAudioJobError        --with-audio names a job that the journal does not know
"""

from pathlib import Path

from bridge.errors import BridgeError


class SupportError(BridgeError):
    """A support bundle that cannot be made."""

    code = "support_failed"


class BundleExistsError(SupportError):
    code = "bundle_exists"

    def __init__(self, file: Path) -> None:
        super().__init__(f"there is a file at {file} already", "choose another name with -o, or leave -o out")


class BundleWriteError(SupportError):
    code = "bundle_failed"

    def __init__(self, file: Path, reason: object) -> None:
        super().__init__(f"the support bundle cannot be written to {file}: {reason}", "name another place with -o")


class UnknownAudioJobError(SupportError):
    code = "no_such_job"

    def __init__(self, job: str) -> None:
        super().__init__(f"the journal knows no job {job}", "`retake support` without --with-audio lists the jobs")
