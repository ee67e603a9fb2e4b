"""Looking at what clients name, on threads: a drive that hangs keeps nobody waiting but who asked for it.

No flag of an open keeps a look from waiting for a network drive that does not answer, so the daemon's own thread does
not look. It waits for a moment, in which nearly every look is done; what takes longer is asked for again later.
"""

import threading
from collections.abc import Callable, Hashable
from concurrent.futures import Future, wait
from typing import Any, TypeVar

from bridge.errors import BridgeError

_MOMENT_S, _SHORT_MOMENT_S = 0.1, 0.02
_MAX_AT_ONCE = 32
"""Looks that may hang; each of them keeps a thread."""

_T = TypeVar("_T")


class FolderSilentError(BridgeError):
    """A drive that does not answer, at least not yet."""

    code = "folder_silent"

    def __init__(self) -> None:
        super().__init__(
            "a folder that the request names does not answer", "see that its drive is connected, then send it again"
        )


class FileThreads:
    """Runs looks; who asks again with an equal key hears of the look that was begun before."""

    def __init__(self) -> None:
        self._begun: dict[Hashable, Future[Any]] = {}

    def run(self, key: Hashable, look: Callable[[], _T]) -> _T:
        """Give what a look gives, or raise what it raises.

        Raises FolderSilentError when it is not done yet, or when too many others are not: ask again in a while.
        """
        if key not in self._begun:
            self._begin(key, look)
        future: Future[_T] = self._begun[key]
        wait([future], _MOMENT_S if len(self._begun) == 1 else _SHORT_MOMENT_S)
        if not future.done():
            raise FolderSilentError
        del self._begun[key]
        return future.result()

    def _begin(self, key: Hashable, look: Callable[[], Any]) -> None:
        if len(self._begun) >= _MAX_AT_ONCE:  # those that are done, and that nobody came back for
            self._begun = {other: future for other, future in self._begun.items() if not future.done()}
        if len(self._begun) >= _MAX_AT_ONCE:
            raise FolderSilentError
        future = self._begun[key] = Future()
        threading.Thread(target=_carry_out, args=(look, future), name="look", daemon=True).start()


def _carry_out(look: Callable[[], Any], future: Future[Any]) -> None:
    try:
        future.set_result(look())
    except BaseException as error:  # noqa: BLE001 - it is raised where the result is asked for
        future.set_exception(error)
