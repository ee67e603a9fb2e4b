"""Why scripts cannot be installed; a branch of the tree in errors.py, for the command line only.

InstallError
  ScriptsMissingError         this Retake came without its scripts
  FolderMissingError          --path names nothing, or a file
  HostMissingError            the host that was named is not where hosts are
"""

from collections.abc import Iterable
from pathlib import Path

from bridge.errors import BridgeError


class InstallError(BridgeError):
    """Scripts that cannot be installed."""

    code = "install_failed"


class ScriptsMissingError(InstallError):
    code = "scripts_missing"

    def __init__(self, name: str, *, kind: str = "folder") -> None:
        super().__init__(f"this Retake came without its {kind} {name}", "reinstall Retake, as its README says")


class HostFolderMissingError(InstallError):
    code = "folder_missing"

    def __init__(self, path: Path) -> None:
        super().__init__(f"there is no folder at {path}", "check the path given with --path")


class HostMissingError(InstallError):
    code = "host_missing"

    def __init__(self, host: str, looked_in: Iterable[Path]) -> None:
        folders = ", ".join(str(folder) for folder in looked_in)
        self.is_at_home_here = bool(folders)
        if folders:
            text = f"{host} was not found; looked in {folders}"
            hint = "start it once, so that it makes its folders, or name its folder with --path"
        else:
            text = f"{host} does not run on this system"
            hint = "if you have its folder here nevertheless, name it with --path"
        super().__init__(text, hint)
