"""A screen that exists in memory only, and the programs on it."""

import os
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

PATIENCE_S = 900.0
T = TypeVar("T")


def wait_for(look: Callable[[], T], what: str) -> T:
    """Return what `look` finds, as soon as it finds something. Raises TimeoutError."""
    deadline = time.monotonic() + PATIENCE_S
    while not (found := look()):
        if time.monotonic() > deadline:
            raise TimeoutError(f"{what}: not within {PATIENCE_S:.0f} s")
        time.sleep(0.1)
    return found


class Screen:
    """An X server of its own, its programs, and a user's hands. `environment` is for programs that appear on it."""

    def __init__(self, folder: Path, size: tuple[int, int]) -> None:
        """Home, settings and state of the programs lie in `folder`; `size` is in pixels."""
        self.folder = folder
        own = {"HOME": "home", "XDG_CONFIG_HOME": "config", "XDG_CACHE_HOME": "cache", "XDG_DATA_HOME": "data"}
        own |= {"RETAKE_STATE_DIR": "state"}
        for name in own.values():
            (folder / name).mkdir()
        others = {name: value for name, value in os.environ.items() if not name.startswith(("QT_", "DBUS_", "WAYLAND"))}
        self.environment = (
            others
            | {name: str(folder / word) for name, word in own.items()}
            | {"LC_ALL": "C.UTF-8", "OMP_NUM_THREADS": "1"}
        )
        self._started: list[subprocess.Popen[bytes]] = []
        reading, writing = os.pipe()
        server = ("Xvfb", "-displayfd", str(writing), "-screen", "0", f"{size[0]}x{size[1]}x24", "-nolisten", "tcp")
        self.start(*server, keep=(writing,))
        os.close(writing)
        with os.fdopen(reading) as display:  # read to its end, or Xvfb stops
            self.environment["DISPLAY"] = f":{display.readline().strip()}"

    def start(self, *command: str, keep: tuple[int, ...] = ()) -> None:
        """Start a program; `keep` names file descriptors for it."""
        with (self.folder / f"{Path(command[0]).name}.log").open("ab") as log:
            process = subprocess.Popen(
                command, env=self.environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log, pass_fds=keep
            )
        self._started.append(process)

    def stop(self) -> None:
        """End the programs, the last one first."""
        for process in reversed(self._started):
            process.terminate()
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def window(self, title: str) -> str:
        """Return the id of the window with this title, as soon as there is one."""
        return wait_for(lambda: self._find(title), f"the window {title}")

    def _find(self, title: str) -> str:
        found = self.xdotool("search", "--onlyvisible", "--name", f"^{title}$", check=False)
        return found.split()[-1] if found else ""

    def xdotool(self, *words: str, check: bool = True) -> str:
        """Press keys, move the mouse, or look for windows. Return what xdotool prints."""
        done = subprocess.run(["xdotool", *words], env=self.environment, capture_output=True, text=True, check=check)
        return done.stdout

    def picture(self, window: str, target: Path) -> None:
        """Save a window (or `root`) as a PNG of 256 colours at most, which is all that flat areas need."""
        quiet = ["-strip", "+dither", "-colors", "256", "-define", "png:compression-level=9"]
        subprocess.run(["import", "-window", window, *quiet, f"png8:{target}"], env=self.environment, check=True)


@contextmanager
def screen(folder: Path, size: tuple[int, int]) -> Iterator[Screen]:
    """Open a screen, and close it with all of its programs; after a failure print what they said."""
    opened = Screen(folder, size)
    try:
        yield opened
    except Exception:
        for log in folder.glob("*.log"):
            print(f"--- {log.name}\n{log.read_text(errors='replace')[-2000:]}")
        raise
    finally:
        opened.stop()
