"""A real Ardour on a screen of its own, and the hands and eyes of its user: menu actions, keys, pictures."""

import contextlib
import os
import re
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from pythonosc.udp_client import SimpleUDPClient

PATIENCE_S = 200.0
"""Of use on a machine that does much else at the same time; no test waits so long elsewhere."""

_PORTS = range(3819, 3850)
_SCREEN = "1600x900x24"


def wait_for(condition: Callable[[], object], what: str, patience_s: float = PATIENCE_S) -> object:
    deadline = time.monotonic() + patience_s
    while not (found := condition()):
        assert time.monotonic() < deadline, f"{what}: not within {patience_s} s"
        time.sleep(0.05)
    return found


class Ardour:
    """One run of Ardour with a session. `folder` belongs to it; pictures go to `pictures`."""

    def __init__(self, folder: Path, session: Path, environment: dict[str, str], pictures: Path) -> None:
        self.folder, self.session, self.pictures = folder, session, pictures
        self._environment = environment | {"RETAKE_E2E_DIR": str(folder)}
        self._started: list[subprocess.Popen[bytes]] = []
        self._osc: SimpleUDPClient | None = None

    def start(self) -> None:
        reading, writing = os.pipe()
        self._start("Xvfb", "-displayfd", str(writing), "-screen", "0", _SCREEN, "-nolisten", "tcp", keep=writing)
        os.close(writing)
        with os.fdopen(reading) as display:  # to its end: Xvfb stops when nobody hears all of it
            self._environment["DISPLAY"] = f":{display.readline().strip()}"
        self._ardour = self._start("ardour", "--no-splash", "--no-announcements", str(self.session.parent))
        wait_for(self._is_ready, "Ardour is ready")
        self._osc = SimpleUDPClient("127.0.0.1", int(str(wait_for(self._port, "Ardour's OSC port"))))

    def _start(self, *command: str, keep: int | None = None) -> subprocess.Popen[bytes]:
        with (self.folder / f"{command[0]}.log").open("wb") as log:
            process = subprocess.Popen(
                command,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                pass_fds=() if keep is None else (keep,),
            )
        self._started.append(process)
        return process

    def _is_ready(self) -> bool:
        assert self._ardour.poll() is None, (self.folder / "ardour.log").read_text()
        return (self.folder / "ready").exists()

    def _port(self) -> int | None:
        """Find the UDP port that this very process listens on: 3819, or the next one that was free."""
        sockets = set()
        for descriptor in Path(f"/proc/{self._ardour.pid}/fd").iterdir():
            with contextlib.suppress(OSError):
                sockets.update(re.findall(r"socket:\[(\d+)\]", os.readlink(descriptor)))
        for line in Path("/proc/net/udp").read_text().splitlines()[1:]:
            fields = line.split()
            port = int(fields[1].rpartition(":")[2], 16)
            if fields[9] in sockets and port in _PORTS:
                return port
        return None

    def stop(self) -> None:
        if self._osc:
            self._osc._sock.close()
        for process in reversed(self._started):
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    # --------------------------------------------------------------------------------------------- Ardour's Lua

    def lua(self, chunk: str, patience_s: float = PATIENCE_S) -> str:
        """Run a chunk in Ardour's GUI thread and give what it returns."""
        answer = self.folder / "answer"
        answer.unlink(missing_ok=True)
        fresh = self.folder / "chunk.lua.part"
        fresh.write_text(chunk, encoding="utf-8")
        os.replace(fresh, self.folder / "chunk.lua")
        wait_for(answer.exists, f"an answer to {chunk[:60]}", patience_s)
        state, _, value = answer.read_text(encoding="utf-8").partition(" ")
        assert state == "FINE", value
        return value

    def regions(self) -> list[str]:
        """Describe what lies on the tracks, top layer last: track, name, position, length, layer, whether muted."""
        text = self.lua(
            "local rows = {} for route in Session:get_tracks():iter() do local list = {} "
            "for it in route:to_track():playlist():region_list():iter() do list[#list + 1] = it end "
            "table.sort(list, function(a, b) return a:layer() < b:layer() end) "
            "for _, it in ipairs(list) do rows[#rows + 1] = table.concat({ route:name(), it:name(), "
            "it:position():samples(), it:length():samples(), it:layer(), tostring(it:muted()) }, '|') end end "
            "return table.concat(rows, '\\n')"
        )
        return text.splitlines()

    def select_regions(self, *names: str) -> None:
        """Select nothing but these; an empty list alone would leave the selection as it is."""
        wanted = " or ".join(f"it:name() == {name!r}" for name in names) or "false"
        self.lua(
            "Editor:get_selection():clear_all() local list = ArdourUI.SelectionList() "
            "for route in Session:get_tracks():iter() do for it in route:to_track():playlist():region_list():iter() do "
            f"if {wanted} then list:push_back(Editor:regionview_from_region(it)) end end end "
            "Editor:set_selection(list, ArdourUI.SelectionOp.Set)"
        )

    def undo(self) -> None:
        self.lua("Editor:undo(1)")

    def redo(self) -> None:
        self.lua("Editor:redo(1)")

    # ------------------------------------------------------------------------------------------ menus and dialogs

    def act(self, action: str) -> None:
        """Do what a click on a menu entry does, without waiting for its end."""
        assert self._osc
        self._osc.send_message("/access_action", action)

    def dialog(self, title: str) -> str:
        """Wait for a window whose title begins so, and until it has settled and hears keys."""
        window = str(wait_for(lambda: self._windows(title), f"the window {title}"))
        self._xdotool("windowfocus", window, "sleep", "0.4")
        return window

    def is_open(self, title: str) -> bool:
        return bool(self._windows(title))

    def _windows(self, title: str) -> str:
        found = self._xdotool("search", "--onlyvisible", "--name", f"^{re.escape(title)}", check=False)
        return found.split()[0] if found else ""

    def window_named(self, title: str) -> str:
        """Find a window of exactly this title."""
        found = self._xdotool("search", "--onlyvisible", "--name", f"^{re.escape(title)}$", check=False)
        return found.split()[0] if found else ""

    def drag(self, start: tuple[int, int], end: tuple[int, int]) -> None:
        """Press the left button at one point of the screen and let it go at another."""
        moves = [("mousemove", *map(str, point), "sleep", "0.1") for point in (start, end)]
        self._xdotool(*moves[0], "mousedown", "1", "sleep", "0.1", *moves[1], "mouseup", "1", "sleep", "0.1")

    def press(self, window: str, *keys: str) -> None:
        self._xdotool(*self._keys(window, *keys))

    @staticmethod
    def _keys(window: str, *keys: str) -> tuple[str, ...]:
        return ("windowfocus", window, "sleep", "0.1", "key", "--delay", "60", *keys)

    def type(self, window: str, text: str) -> None:
        self.press(window, "ctrl+a", "BackSpace")
        self._xdotool("type", "--delay", "20", text)

    def close(self, window: str, key: str) -> None:
        """Press the button that a key stands for; a window that was busy does not hear it the first time."""
        deadline = time.monotonic() + PATIENCE_S
        while window in self._xdotool("search", "--onlyvisible", "--name", ".", check=False).split():
            assert time.monotonic() < deadline, f"{key} does not close the window"
            self._xdotool(*self._keys(window, key), check=False)  # it may have closed by now
            time.sleep(0.3)

    def _xdotool(self, *words: str, check: bool = True) -> str:
        done = subprocess.run(["xdotool", *words], env=self._environment, capture_output=True, text=True, check=check)
        return done.stdout

    def picture(self, name: str) -> Path:
        self.pictures.mkdir(parents=True, exist_ok=True)
        path = self.pictures / f"{re.sub(r'[^0-9A-Za-z_-]+', '-', name)}.png"  # ImageMagick reads [ ] and : otherwise
        subprocess.run(["import", "-window", "root", str(path)], env=self._environment, check=True)
        return path

    # ------------------------------------------------------------------------------------------------------ saving

    def save(self) -> None:
        """Save the session, and wait until Ardour has written the history, too, and is free again."""
        before = self.session.stat().st_mtime_ns
        self.act("Common/Save")
        wait_for(lambda: self.session.stat().st_mtime_ns != before, "the session is saved")
        self.lua("return true")


@contextlib.contextmanager
def running(ardour: Ardour) -> Iterator[Ardour]:
    """Start and stop; of a failure a picture is left."""
    try:
        ardour.start()
        yield ardour
    except BaseException:
        with contextlib.suppress(Exception):
            ardour.picture("failure")
        raise
    finally:
        ardour.stop()
