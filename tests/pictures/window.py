"""The window with sounds in it: the tray app as a user starts it, words typed into it, the shipped model."""

import json
import subprocess
import sys
from pathlib import Path

from tests.pictures.screen import Screen, screen, wait_for

SIZE = (1160, 812)
PROMPTS = ("a church bell rings in the distance", "slow footsteps in a large hall")
CLIPS = Path(__file__).parents[1] / "clips"


def take_pictures(folder: Path, target: Path) -> None:
    """Make sounds in the window and save *Create* and *History* in `target`. `folder` is for the app's files."""
    with screen(folder, (SIZE[0] + 60, SIZE[1] + 60)) as desk:
        takes = folder / "takes"
        (folder / "config" / "retake").mkdir()
        (folder / "config" / "retake" / "desktop.json").write_text(json.dumps({"is_set_up": True, "theme": "dark"}))
        (folder / "config" / "retake" / "retake.toml").write_text(f'port = 0\noutput_dir = "{takes}"\n')
        desk.environment["QT_QPA_PLATFORM"] = "xcb"
        desk.start("openbox")
        desk.start("trayer", "--edge", "bottom", "--widthtype", "request", "--height", "24")
        wait_for(lambda: desk.xdotool("search", "--onlyvisible", "--class", "trayer", check=False), "the tray")
        desk.start(sys.executable, "-m", "bridge", "tray", "--page", "create")
        window = desk.window("Retake.*")
        desk.xdotool("windowmove", window, "20", "30", "windowsize", window, *map(str, SIZE))
        for number, prompt in enumerate(PROMPTS, 1):
            _make(desk, window, prompt, takes, number)
        _save(desk, window, target / "window.png")
        _run(desk, "send", "inpaint", str(CLIPS / "strings.wav"), "breaking glass", "1.0", "2.0", "seed", "3")
        _run(desk, "send", "restyle", str(CLIPS / "footfalls.wav"), "drill", "strength", "0.7", "seed", "3")
        _run(desk, "tray", "--page", "history")
        desk.xdotool("windowfocus", window, "sleep", "1", "key", "Home")
        _save(desk, window, target / "history.png")


def _make(desk: Screen, window: str, prompt: str, takes: Path, number: int) -> None:
    """Type a prompt, press Enter, and wait until there are so many takes."""
    keys = ("key", "--clearmodifiers", "ctrl+l", "ctrl+a")
    desk.xdotool("windowfocus", window, "sleep", "0.5", *keys, "type", "--delay", "20", prompt)
    desk.xdotool("key", "Return")
    wait_for(lambda: len(list(takes.glob("*.wav"))) == number, f"take {number}")


def _run(desk: Screen, *words: str) -> None:
    command = [sys.executable, "-m", "bridge", *words]
    subprocess.run(command, env=desk.environment, check=True, stdout=subprocess.DEVNULL)


def _save(desk: Screen, window: str, target: Path) -> None:
    """Wait for waveforms and animations, then save the window."""
    desk.xdotool("mousemove", "0", "0", "sleep", "4")
    desk.picture(window, target)
