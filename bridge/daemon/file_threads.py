"""Checks of files that clients name, on threads: a drive that hangs delays only the client that named it.

Opening a file on a network drive that does not answer blocks, whatever flags are set, so the daemon's own thread never
does it. It waits for a moment, in which nearly every check is done; for a longer one it asks again later.
"""

import threading
from collections.abc import Callable, Hashable
from concurrent.futures import Future, wait
from typing import Any, TypeVar

from bridge.errors import BridgeError

_MOMENT_S, _SHORT_MOMENT_S = 0.1, 0.02
_MAX_AT_ONCE = 32
"""Checks that may hang at a time; each of them keeps a thread."""

_T = TypeVar("_T")


class FolderSilentError(BridgeError):
    """A drive that does not answer, at least not yet."""

    code = "folder_silent"

    def __init__(self) -> None:
        super().__init__(
            "a folder that the request names does not answer", "see that its drive is connected, then send it again"
        )


class FileThreads:
    """Runs checks. Asking again with an equal key returns the result of the check that was begun before.

    Only the event loop's thread calls `run`; a check's own thread touches nothing but its Future, so there is no lock.
    """

    def __init__(self) -> None:
        self._begun: dict[Hashable, Future[Any]] = {}

    def run(self, key: Hashable, check: Callable[[], _T]) -> _T:
        """Return what a check returns, or raise what it raises.

        Raises FolderSilentError when it is not done yet, or when too many others are not: ask again in a while.
        """
        if key not in self._begun:
            self._begin(key, check)
        future: Future[_T] = self._begun[key]
        wait([future], _MOMENT_S if len(self._begun) == 1 else _SHORT_MOMENT_S)
        if not future.done():
            raise FolderSilentError
        del self._begun[key]
        return future.result()

    def _begin(self, key: Hashable, check: Callable[[], Any]) -> None:
        if len(self._begun) >= _MAX_AT_ONCE:  # finished checks whose clients did not ask again
            self._begun = {other: future for other, future in self._begun.items() if not future.done()}
        if len(self._begun) >= _MAX_AT_ONCE:
            raise FolderSilentError
        future = self._begun[key] = Future()
        threading.Thread(
            target=_carry_out, args=(check, future), name="file check", daemon=True
        ).start()  # daemon: one that hangs must not keep us from ending


def _carry_out(check: Callable[[], Any], future: Future[Any]) -> None:
    try:
        future.set_result(check())
    except BaseException as error:  # noqa: BLE001 - it is raised where the result is asked for
        future.set_exception(error)
