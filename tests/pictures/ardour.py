"""A take in a real Ardour: a region restyled through the menu and the dialog, as its user does it."""

import os
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree as ET

import soundfile

from tests.e2e.ardour.ardour_config import seed_config
from tests.e2e.ardour.ardour_host import Ardour, running, wait_for
from tests.e2e.ardour.ardour_session import RATE, Clip, make_session
from tests.pictures.screen import PATIENCE_S

ROOT = Path(__file__).parents[2]
CLIP = ROOT / "tests" / "clips" / "footfalls.wav"
PROMPT = "heavy rain on a tin roof"
CUT = "1348x654+0+0"
"""What of the screen is shown: Ardour without its overview at the bottom."""


def take_picture(folder: Path, target: Path) -> None:
    """Restyle a region in Ardour and save what it shows in `target`. `folder` is for the files of all programs."""
    environment = _environment(folder)
    config = folder / "config" / "ardour7"
    _run(environment, "install-scripts", "ardour", "--path", str(config))
    hand = ROOT / "tests" / "e2e" / "ardour" / "driver_hook.lua"
    seed_config(folder / "config", [config / "scripts" / "retake_restyle.lua"], [hand])
    session = make_session(folder / "song", [Clip(CLIP, 1, RATE // 2, 0, soundfile.info(CLIP).frames)], environment)
    _lay_out(session)
    command = [sys.executable, "-m", "bridge", "daemon", "--port", "0", "--model", "nano"]
    daemon = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL)
    try:
        wait_for((folder / "state" / "runtime.json").exists, "the daemon is there")
        with running(Ardour(folder, session, environment, folder)) as ardour:
            _restyle(ardour)
            raw = ardour.picture("ardour")
    finally:
        daemon.terminate()
        daemon.wait()
    few = ["-crop", CUT, "+repage", "-strip", "+dither", "-colors", "256", "-define", "png:compression-level=9"]
    subprocess.run(["convert", str(raw), *few, f"png8:{target}/ardour.png"], check=True)


def _environment(folder: Path) -> dict[str, str]:
    own = {"HOME": "home", "XDG_CONFIG_HOME": "config", "XDG_CACHE_HOME": "cache", "XDG_DATA_HOME": "data"}
    own |= {"RETAKE_STATE_DIR": "state"}
    (folder / "config" / "ardour7").mkdir(parents=True)  # as Ardour's first start leaves it
    (folder / "home").mkdir()
    return {
        **os.environ,
        **{name: str(folder / word) for name, word in own.items()},
        "LC_ALL": "C.UTF-8",
        "OMP_NUM_THREADS": "1",
    }


def _run(environment: dict[str, str], *words: str) -> None:
    command = [sys.executable, "-m", "bridge", *words]
    subprocess.run(command, cwd=ROOT, env=environment, check=True, stdout=subprocess.DEVNULL)


def _lay_out(session: Path) -> None:
    """Show the layers of the tracks above one another, as the menu of a track does."""
    tree = ET.parse(session)
    root = tree.getroot()
    found, routes = root.find("Extra"), root.find("Routes")
    assert routes is not None
    extra = ET.SubElement(root, "Extra") if found is None else found
    interface = ET.SubElement(ET.SubElement(extra, "UI"), "GUIObjectState")
    for route in routes:
        look = {"layer-display": "Stacked", "visible": "1"}
        ET.SubElement(interface, "Object", {"id": f"rtav {route.get('id')}", **look})
    tree.write(session, encoding="UTF-8", xml_declaration=True)


def _restyle(ardour: Ardour) -> None:
    ardour.select_regions("footfalls")
    ardour.act("LuaAction/script-1")
    dialog = ardour.dialog("Retake: Restyle")
    ardour.type(dialog, PROMPT)
    ardour.close(dialog, "alt+o")
    wait_for(lambda: len(ardour.regions()) == 2, "the take is in the session", PATIENCE_S)
    wait_for(lambda: not ardour.is_open("Retake"), "its window is closed")
    ardour.select_regions("footfalls")
    ardour.act("Editor/zoom-to-selection")
    ardour.lua("return true")
    ardour.select_regions()
