"""Small files that ask for a lot of memory: refused with a reason, before they have it."""

import json
import os
import pickle
import struct
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from tests.engine.foreign_checkpoints import write_diffusers_folder

GIGABYTE = 1_000_000_000
IMPORT = """
import resource, sys
from pathlib import Path
from engine.checkpoints.convert import import_checkpoint
from engine.errors import EngineError
from engine.models.clap import ClapConfig, LaionClap
LaionClap(ClapConfig("HTSAT-test", "roberta-test", 64))  # imports what every import imports
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
for name in sys.argv[2:]:
    try:
        import_checkpoint(Path(name), "bomb", Path(sys.argv[1]))
        print(name, "imported", 0, "", sep="|")
    except EngineError as error:
        taken = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024
        print(name, error.code, taken, error.text, sep="|")
"""


def archive(file: Path, data: bytes, compression: int = zipfile.ZIP_STORED, records: int = 1) -> None:
    """A checkpoint as PyTorch zips it."""
    with zipfile.ZipFile(file, "w", compression) as zipped:
        for index in range(records):
            zipped.writestr(f"archive{index or ''}/data.pkl", data)
        zipped.writestr("archive/version", b"3\n")
        zipped.writestr("archive/byteorder", b"little")


def call(name: bytes, argument: bytes) -> bytes:
    """A pickle, protocol 2, of what a function makes of one argument."""
    return b"\x80\x02c" + name + b"\n" + argument + b"\x85R."


ASKS_FOR_FOUR_GIGABYTES = b"\x8a\x05" + (4 * GIGABYTE).to_bytes(5, "little")
DOUBLED = (
    b"\x80\x02c_codecs\nencode\nq\x00X\x01\x00\x00\x00aX\x06\x00\x00\x00latin1\x86R"
    + b"q\x01h\x00h\x01X\x03\x00\x00\x00hex\x86R" * 31
    + b"."
)


def deflated_pickle(file: Path) -> None:
    archive(file, b"\x80\x02" + b"]0" * 40_000_000 + b"N.", zipfile.ZIP_DEFLATED)


def deflated_small_pickle(file: Path) -> None:
    archive(file, b"\x80\x02" + b"]0" * 20_000_000 + b"N.", zipfile.ZIP_DEFLATED)


def many_pickles(file: Path) -> None:
    archive(file, b"\x80\x02" + b"]0" * 5_000_000 + b"N.", zipfile.ZIP_DEFLATED, records=5)


def many_objects(file: Path) -> None:
    archive(file, b"\x80\x02" + b"}" * 5_000_000 + b".")


def many_objects_bare(file: Path) -> None:
    file.write_bytes(b"\x80\x02" + b"}" * 5_000_000 + b".")


def bytearray_zipped(file: Path) -> None:
    archive(file, call(b"builtins\nbytearray", ASKS_FOR_FOUR_GIGABYTES))


def bytearray_bare(file: Path) -> None:
    file.write_bytes(call(b"builtins\nbytearray", ASKS_FOR_FOUR_GIGABYTES))


def bytearray_old_names(file: Path) -> None:
    file.write_bytes(call(b"__builtin__\nbytearray", ASKS_FOR_FOUR_GIGABYTES))


def bytearray_in_old_form(file: Path) -> None:
    parts = (0x1950A86A20F9469CFC6C, 1001, {"little_endian": True})
    file.write_bytes(b"".join(pickle.dumps(part, 2) for part in parts)
                     + call(b"builtins\nbytearray", ASKS_FOR_FOUR_GIGABYTES) + pickle.dumps([], 2))  # fmt: skip


def text_doubled_again_and_again(file: Path) -> None:
    archive(file, DOUBLED)


def repeated_number(file: Path) -> None:
    torch.save({"state_dict": {"a": torch.zeros(1).expand(GIGABYTE)}}, file)


def repeated_number_in_old_form(file: Path) -> None:
    torch.save({"state_dict": {"a": torch.zeros(1).expand(GIGABYTE)}}, file, _use_new_zipfile_serialization=False)


def same_numbers_often(file: Path) -> None:
    shared = torch.zeros(10_000_000)
    torch.save({"state_dict": {f"{index}": shared for index in range(100)}}, file)


def hollow_tensor(file: Path) -> None:
    torch.save({"state_dict": {"a": torch.zeros(GIGABYTE, device="meta")}}, file)


def directory_of_millions(file: Path) -> None:
    archive(file, b"\x80\x02}.")
    content = bytearray(file.read_bytes())
    end = content.rindex(b"PK\x05\x06")
    content[end + 12 : end + 16] = struct.pack("<I", GIGABYTE)
    file.write_bytes(content)


def long_header(file: Path) -> None:
    with file.open("wb") as stream:
        stream.write((99_000_000).to_bytes(8, "little") + b'{"a":' + b"[" * 99_000_000)


BOMBS: list[Callable[[Path], None]] = [
    deflated_pickle, deflated_small_pickle, many_pickles, many_objects, many_objects_bare, bytearray_zipped,
    bytearray_bare, bytearray_old_names, bytearray_in_old_form, text_doubled_again_and_again, repeated_number,
    repeated_number_in_old_form, same_numbers_often, hollow_tensor, directory_of_millions, long_header,
]  # fmt: skip


SETTINGS = [
    ("vocoder/config.json", {"resblock_dilation_sizes": [[1] * 400_000]}),
    ("vocoder/config.json", {"upsample_rates": [5, 4, 2, 2, 10**12]}),
    ("scheduler/scheduler_config.json", {"num_train_timesteps": 10**10}),
    ("unet/config.json", {"norm_num_groups": 10**12}),
    ("text_encoder/config.json", {"layer_norm_eps": "x"}),
]
ENDLESS = ["tokenizer/tokenizer.json", "unet/config.json", "model_index.json"]

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform == "win32", reason="no resource module"),
    pytest.mark.timeout(240),
]


def imported_one_after_the_other(paths: list[Path], models: Path) -> dict[str, tuple[str, int, str]]:
    """In one process: code, megabytes that were taken so far, and words."""
    done = subprocess.run(
        [sys.executable, "-c", IMPORT, str(models), *map(str, paths)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert not models.exists()
    rows = [line.split("|", 3) for line in done.stdout.strip().splitlines()]
    return {Path(name).name: (code, int(taken), text) for name, code, taken, text in rows}


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("bombs")
    for write in BOMBS:
        write(folder / write.__name__)
    return imported_one_after_the_other([folder / write.__name__ for write in BOMBS], folder / "models")


@pytest.fixture(scope="module")
def folders(modules, tmp_path_factory):
    top = tmp_path_factory.mktemp("folders")
    for number, (file, settings) in enumerate(SETTINGS):
        folder = write_diffusers_folder(modules, top / str(number))
        values = json.loads((folder / file).read_text())
        (folder / file).write_text(json.dumps({**values, **settings}))
    for number, file in enumerate(ENDLESS, len(SETTINGS)):
        os.truncate(write_diffusers_folder(modules, top / str(number)) / file, 20 * GIGABYTE)
    return imported_one_after_the_other(sorted(top.iterdir()), top / "models")


@pytest.mark.parametrize("name", [write.__name__ for write in BOMBS])
def test_a_file_is_refused_with_little_memory(files, name):
    code, taken, text = files[name]
    assert code in {"checkpoint_unreadable", "checkpoint_unsafe"}, text
    assert taken < 400, text


@pytest.mark.parametrize("number", range(len(SETTINGS) + len(ENDLESS)))
def test_settings_of_a_folder_are_refused_with_little_memory(folders, number):
    code, taken, text = folders[str(number)]
    assert code in {"checkpoint_unknown", "checkpoint_unreadable", "model_broken"}, text
    assert taken < 400, text
