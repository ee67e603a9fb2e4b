"""What may lie among the models after a power cut, an interrupted copy, or when another program put it there."""

import json
import os
import socket
from collections.abc import Callable
from pathlib import Path

Odd = Callable[[Path], None]


def _text(words: str | bytes) -> Odd:
    def write(folder: Path) -> None:
        folder.mkdir()
        (folder / "config.json").write_bytes(words if isinstance(words, bytes) else words.encode())

    return write


def _pipe(folder: Path) -> None:
    folder.mkdir()
    os.mkfifo(folder / "config.json")


def _socket(folder: Path) -> None:
    folder.mkdir()
    with socket.socket(socket.AF_UNIX) as listening:
        where = os.getcwd()
        os.chdir(folder)  # a socket's path may have 107 letters only
        listening.bind("config.json")
        os.chdir(where)


def _folder(folder: Path) -> None:
    (folder / "config.json").mkdir(parents=True)


def _device(folder: Path) -> None:
    folder.mkdir()
    (folder / "config.json").symlink_to("/dev/zero")


def _loop(folder: Path) -> None:
    folder.symlink_to(folder.name)


def _nowhere(folder: Path) -> None:
    folder.symlink_to("/no/such/disk/model")


def _loop_inside(folder: Path) -> None:
    folder.mkdir()
    (folder / "config.json").symlink_to("config.json")


def _huge(folder: Path) -> None:
    folder.mkdir()
    (folder / "config.json").write_text("{")
    os.truncate(folder / "config.json", 50_000_000_000)


def _weights_alone(folder: Path) -> None:
    folder.mkdir()
    (folder / "model.safetensors").write_bytes(b"")


ODD_FOLDERS: dict[str, tuple[Odd, str]] = {  # what lies there, and a word of the reason that is given
    "half a config": (_text('{"format": 1, "name": "x"'), "cut off"),
    "empty config": (_text(""), "it is empty"),
    "blank config": (_text("\n\n"), "it is empty"),
    "zeros": (_text(bytes(300)), "no JSON"),
    "not utf-8": (_text(b'{"name": "\xff\xfe"}'), "no text in UTF-8"),
    "another program's": (_text("{}"), "format"),
    "licence is a number": (_text('{"format": 1, "licence": 5}'), "licence"),
    "a list": (_text("[1, 2]"), "no JSON object"),
    "a word": (_text('"model"'), "no JSON object"),
    "deeply nested": (_text("[" * 200_000), "nested too deeply"),
    "a number without end": (_text('{"format": ' + "1" * 10_000 + "}"), "config.json"),
    "no number": (_text('{"format": NaN}'), "NaN"),
    "a pipe": (_pipe, "a pipe"),
    "a socket": (_socket, "a socket"),
    "a folder": (_folder, "a folder"),
    "a device": (_device, "a device"),
    "a link to itself": (_loop, "link"),
    "a link to nowhere": (_nowhere, "link"),
    "config is a link to itself": (_loop_inside, "config.json"),
    "fifty gigabytes": (_huge, "MB"),
    "weights alone": (_weights_alone, "no config.json"),
}


def valid_config(**changes: object) -> str:
    """The least that is listed as a model."""
    return json.dumps({"format": 1, "name": "x", "licence": "none", **changes})
