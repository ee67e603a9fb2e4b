"""The packages of Linux: a .tar.gz that runs where it is unpacked, and a .deb; the same input gives the same bytes."""

import gzip
import os
import platform
import shutil
import subprocess
import tarfile
from collections.abc import Iterator
from pathlib import Path

from installer.dependencies import depends
from installer.product import HERE, MAINTAINER, NAME, ROOT, SUMMARY, TITLE, VERSION, has_tray, programs

OPT = Path("opt") / NAME
_SHARED = HERE / "linux"
_ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}
XZ_LEVEL, QUICK_LEVEL = 6, 0
"""Of the .deb: what is released takes eight minutes of a processor and is a sixth smaller than what is quick."""


def architecture() -> str:
    """Return this machine's architecture as Debian calls it."""
    machine = platform.machine()
    return _ARCHITECTURES.get(machine, machine)


def archive_name() -> str:
    return f"{NAME}-{VERSION}-linux-{platform.machine()}.tar.gz"


def package_name() -> str:
    return f"{NAME}_{VERSION}_{architecture()}.deb"


def write_archive(folder: Path, target: Path, epoch_s: int) -> Path:
    """Pack the folder of programs, with what brings it into a user's menu; every time in it is `epoch_s`."""
    extra = {"install.sh": _SHARED / "install.sh", "share/retake.desktop": _SHARED / "retake.desktop"}
    extra |= {"share/retake.svg": HERE / "icons" / "retake.svg"}
    members = {path.relative_to(folder).as_posix(): path for path in _tree(folder)} | extra

    def settled(member: tarfile.TarInfo) -> tarfile.TarInfo:
        member.mtime, member.uid, member.gid, member.uname, member.gname = epoch_s, 0, 0, "", ""
        member.mode = 0o755 if member.isdir() or member.mode & 0o100 else 0o644
        return member

    with (
        target.open("wb") as file,
        gzip.GzipFile("", "wb", 6, file, mtime=epoch_s) as packed,
        tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as archive,
    ):
        for name, path in sorted(members.items()):
            archive.add(path, f"{NAME}-{VERSION}/{name}", recursive=False, filter=settled)
    return target


def write_package(folder: Path, target: Path, work: Path, epoch_s: int, level: int = XZ_LEVEL) -> Path:
    """Build the .deb of the folder of programs."""
    shutil.rmtree(work, ignore_errors=True)
    shutil.copytree(folder, work / OPT, symlinks=True)
    _lay_out(work)
    for path in _tree(work):
        if not path.is_symlink():
            path.chmod(0o755 if path.is_dir() or path.stat().st_mode & 0o100 else 0o644)
    _write(work / "DEBIAN" / "control", control(folder, _size_kib(work)))
    command = ["dpkg-deb", "--root-owner-group", "-Zxz", f"-z{level}", "--build", str(work), str(target)]
    subprocess.run(command, check=True, env=os.environ | {"SOURCE_DATE_EPOCH": str(epoch_s)}, stdout=subprocess.DEVNULL)  # noqa: S603
    shutil.rmtree(work)
    return target


def control(folder: Path, size_kib: int) -> str:
    """Write the package's control file."""
    needed, wanted = depends(folder)
    fields = {
        "Package": NAME,
        "Version": VERSION,
        "Architecture": architecture(),
        "Maintainer": MAINTAINER,
        "Installed-Size": str(size_kib),
        "Depends": ", ".join(needed),
        "Recommends": ", ".join(wanted),
        "Section": "sound",
        "Priority": "optional",
        "Description": f"{SUMMARY}\n"
        f" Give {TITLE} a clip and a few words, and you get a new take: same place, same\n"
        " length, your original untouched. Works offline, with scripts for REAPER,\n"
        " Ardour and Ableton Live.",
    }
    return "".join(f"{name}: {value}\n" for name, value in fields.items() if value)


def _lay_out(work: Path) -> None:
    """Put what belongs outside /opt into place: links to the programs, menu entry, icon, autostart, documents."""
    for program in programs():
        link = work / "usr" / "bin" / program.name
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to(Path("/") / OPT / program.file)
    share = work / "usr" / "share"
    icons = share / "icons" / "hicolor"
    _copy(HERE / "icons" / "retake.svg", icons / "scalable" / "apps" / "retake.svg")
    _copy(HERE / "icons" / "retake.png", icons / "256x256" / "apps" / "retake.png")
    if has_tray():
        _copy(_SHARED / "retake.desktop", share / "applications" / "retake.desktop")
        _copy(_SHARED / "retake-autostart.desktop", work / "etc" / "xdg" / "autostart" / "retake.desktop")
        _write(work / "DEBIAN" / "conffiles", "/etc/xdg/autostart/retake.desktop\n")
    _write(share / "doc" / NAME / "copyright", copyright_file())
    changes = gzip.compress((ROOT / "CHANGELOG.md").read_bytes(), 9, mtime=0)
    (share / "doc" / NAME / "changelog.gz").write_bytes(changes)
    _copy(_SHARED / "prerm", work / "DEBIAN" / "prerm")


def copyright_file() -> str:
    """Write the copyright file that Debian asks for."""
    return (
        "Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/\n"
        f"Upstream-Name: {TITLE}\n"
        f"Comment: the parts of others and their licences are in /{OPT}/_internal/THIRD-PARTY-LICENCES.txt\n\n"
        f"Files: *\nCopyright: {MAINTAINER}\nLicense: Apache-2.0\n"
        " On Debian systems the text is in /usr/share/common-licenses/Apache-2.0.\n"
    )


def _tree(folder: Path) -> Iterator[Path]:
    """Return everything below a folder, links as links."""
    for root, folders, files in os.walk(folder):
        for name in sorted([*folders, *files]):
            yield Path(root) / name


def _size_kib(folder: Path) -> int:
    return sum(-(-path.lstat().st_size // 1024) for path in _tree(folder))


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target)
    target.chmod(source.stat().st_mode & 0o777)


def _write(target: Path, text: str) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(text, encoding="utf-8")
