"""A desktop's eyes and hands: GLib, by which GNOME, Xfce and others read menu entries and start what they name."""

import ctypes
import ctypes.util
from pathlib import Path

GIO = ctypes.util.find_library("gio-2.0")

FOLDERS = [
    "plain",
    "my programs",
    "R&D",
    "a|b",
    "it's",
    'say "hi"',
    "back\\slash",
    "\\n\\s\\\\",
    "$HOME",
    "`id`",
    "50% off %f",
    "a=b",
    "100%=`$x`",
    "a;b (x) #1 ~*?<>!",
    "Ton für Ton",
    "-e",
    "[draft]",
    " led and trailed ",
]
"""Names that a folder may have, with every sign that means something in a shell, in sed or in a menu entry."""


def launch(entry: Path) -> bool:
    """Start what a menu entry names; False when GLib refuses the entry or cannot start its program."""
    gio = ctypes.CDLL(GIO)
    gio.g_desktop_app_info_new_from_filename.restype = ctypes.c_void_p
    gio.g_app_info_launch.argtypes = [ctypes.c_void_p] * 4
    application = gio.g_desktop_app_info_new_from_filename(str(entry).encode())
    return bool(application) and bool(gio.g_app_info_launch(application, None, None, None))
