"""The packages of Linux, made of a folder with stand-ins for the programs: what is where, and the same every time."""

import configparser
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

from installer import linux_packages
from installer.build import write_sums
from installer.dependencies import PACKAGES, LibraryUnknownError, depends, glibc_version, system_libraries
from installer.orphans import without_orphans
from installer.product import HERE, VERSION, has_tray, programs

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="packages of Linux are made on Linux")
needs_dpkg = pytest.mark.skipif(shutil.which("dpkg-deb") is None, reason="dpkg-deb is Debian's")
needs_readelf = pytest.mark.skipif(shutil.which("readelf") is None, reason="readelf is in binutils")

EPOCH_S = 1_700_000_000


@pytest.fixture
def folder(tmp_path):
    """A folder as PyInstaller leaves it, with small programs of the system in place of ours."""
    folder = tmp_path / "retake"
    (folder / "_internal" / "engine").mkdir(parents=True)
    for program in programs():
        shutil.copy("/bin/true", folder / program.file)
    (folder / "_internal" / "engine" / "model").write_bytes(bytes(10_000))
    (folder / "_internal" / "link").symlink_to("engine/model")
    return folder


class TestArchive:
    def test_unpacks_into_one_folder_with_what_brings_it_into_the_menu(self, folder, tmp_path):
        target = linux_packages.write_archive(folder, tmp_path / linux_packages.archive_name(), EPOCH_S)
        with tarfile.open(target) as archive:
            names = {member.name: member for member in archive}

        top = f"retake-{VERSION}"
        assert {name.split("/")[0] for name in names} == {top}
        assert {f"{top}/retake", f"{top}/retake-send", f"{top}/install.sh", f"{top}/share/retake.svg"} <= set(names)
        assert names[f"{top}/install.sh"].mode == names[f"{top}/retake"].mode == 0o755
        assert names[f"{top}/_internal/link"].issym()

    def test_twice_gives_the_same_bytes(self, folder, tmp_path):
        first = linux_packages.write_archive(folder, tmp_path / "1.tar.gz", EPOCH_S).read_bytes()
        (folder / "retake").touch()

        assert linux_packages.write_archive(folder, tmp_path / "2.tar.gz", EPOCH_S).read_bytes() == first

    def test_its_script_installs_and_removes_again(self, folder, tmp_path):
        target = linux_packages.write_archive(folder, tmp_path / "retake.tar.gz", EPOCH_S)
        with tarfile.open(target) as archive:
            archive.extractall(tmp_path / "my programs", filter="data")
        script = tmp_path / "my programs" / f"retake-{VERSION}" / "install.sh"
        home = tmp_path / "home"
        home.mkdir()
        environment = {"HOME": str(home), "PATH": "/usr/bin:/bin"}

        subprocess.run(["sh", script], env=environment, check=True, capture_output=True)
        link = home / ".local" / "bin" / "retake-send"
        assert link.resolve() == script.parent / "retake-send"
        entry = home / ".local" / "share" / "applications" / "retake.desktop"
        assert entry.exists() == has_tray()
        if has_tray():
            assert f'Exec="{script.parent}/retake-tray"' in entry.read_text(encoding="utf-8")

        subprocess.run(["sh", script, "--remove"], env=environment, check=True, capture_output=True)
        assert [path for path in home.rglob("*") if not path.is_dir()] == []


@needs_dpkg
@needs_readelf
class TestDeb:
    @pytest.fixture
    def package(self, folder, tmp_path):
        return linux_packages.write_package(folder, tmp_path / "retake.deb", tmp_path / "work", EPOCH_S)

    def test_control_says_what_it_is_and_needs(self, package):
        asked = ["dpkg-deb", "--field", package, "Package", "Version", "Depends", "Installed-Size"]
        said = subprocess.run(asked, capture_output=True, text=True, check=True).stdout

        assert f"Package: retake\nVersion: {VERSION}\n" in said
        assert "libc6 (>= 2." in said
        assert int(said.split("Installed-Size: ")[1].split()[0]) > 10

    def test_programs_are_in_opt_and_on_the_path(self, package, tmp_path):
        subprocess.run(["dpkg-deb", "--extract", package, tmp_path / "root"], check=True)
        root = tmp_path / "root"

        for program in programs():
            assert (root / "usr" / "bin" / program.name).readlink() == Path("/opt/retake") / program.file
            assert (root / "opt" / "retake" / program.file).stat().st_mode & 0o111
        assert (root / "usr/share/icons/hicolor/scalable/apps/retake.svg").is_file()
        assert (root / "usr/share/doc/retake/copyright").is_file()
        assert (root / "usr/share/applications/retake.desktop").is_file() == has_tray()

    def test_twice_gives_the_same_bytes(self, folder, package, tmp_path):
        again = linux_packages.write_package(folder, tmp_path / "2.deb", tmp_path / "work", EPOCH_S)

        assert again.read_bytes() == package.read_bytes()


@needs_readelf
class TestDependencies:
    def test_the_systems_libraries_are_found(self, folder):
        assert "libc.so.6" in system_libraries(folder)
        assert f"libc6 (>= {glibc_version(folder)})" in depends(folder)[0]
        assert "libportaudio2" in depends(folder)[0]

    def test_one_that_the_table_does_not_name_fails_the_build(self, folder, monkeypatch):
        monkeypatch.delitem(PACKAGES, "libc.so.6")
        with pytest.raises(LibraryUnknownError, match=r"libc\.so\.6 \(for "):
            depends(folder)


class TestDesktopEntries:
    @pytest.fixture(params=["retake.desktop", "retake-autostart.desktop"])
    def entry(self, request):
        return HERE / "linux" / request.param

    def test_is_what_the_specification_asks_for(self, entry):
        parsed = configparser.ConfigParser(interpolation=None, comment_prefixes="#", strict=True)
        parsed.optionxform = str
        parsed.read(entry, encoding="utf-8")
        told = parsed["Desktop Entry"]

        assert told["Type"] == "Application"
        assert told["Exec"] == told["TryExec"] == "/opt/retake/retake-tray"
        assert told["Icon"] == "retake"
        assert told["Terminal"] == "false"
        assert told["Categories"].endswith(";")

    def test_autostart_is_off_until_somebody_wants_it(self):
        assert "\nHidden=true\n" in (HERE / "linux" / "retake-autostart.desktop").read_text(encoding="utf-8")
        assert "Hidden" not in (HERE / "linux" / "retake.desktop").read_text(encoding="utf-8")

    @pytest.mark.skipif(shutil.which("desktop-file-validate") is None, reason="desktop-file-utils is not installed")
    def test_passes_the_validator(self, entry):
        done = subprocess.run(["desktop-file-validate", entry], capture_output=True, text=True, check=False)

        assert done.stdout + done.stderr == ""


@pytest.mark.parametrize("script", ["linux/prerm", "linux/install.sh", "macos/make_dmg.sh"])
def test_shell_scripts_are_understood(script):
    assert subprocess.run(["sh", "-n", HERE / script], check=False).returncode == 0
    assert (HERE / script).stat().st_mode & 0o100


def test_sums_are_what_sha256sum_reads(tmp_path):
    (tmp_path / "b.deb").write_bytes(b"two")
    (tmp_path / "a.tar.gz").write_bytes(b"one")
    write_sums([tmp_path / "b.deb", tmp_path / "a.tar.gz"], tmp_path / "SHA256SUMS")

    done = subprocess.run(["sha256sum", "--check", "SHA256SUMS"], cwd=tmp_path, capture_output=True, check=False)
    assert done.returncode == 0
    assert done.stdout == b"a.tar.gz: OK\nb.deb: OK\n"


@needs_readelf
class TestOrphans:
    def test_a_library_that_nobody_needs_goes_with_those_that_only_it_needed(self, tmp_path):
        compiler = shutil.which("cc")
        if compiler is None:
            pytest.skip("a C compiler makes the libraries")
        for name, needed in (("inner", []), ("outer", ["-linner"]), ("used", [])):
            (tmp_path / f"{name}.c").write_text(f"int {name}_() {{ return 1; }}\n", encoding="utf-8")
            made = ["-shared", "-fPIC", "-Wl,--no-as-needed", f"-Wl,-soname,lib{name}.so.1", "-L", tmp_path, *needed]
            output = tmp_path / f"lib{name}.so"
            subprocess.run([compiler, tmp_path / f"{name}.c", *made, "-o", output], check=True)
        (tmp_path / "plugin.c").write_text("int plugin_() { return 1; }\n", encoding="utf-8")
        plugin = ["-shared", "-fPIC", "-Wl,--no-as-needed", "-L", tmp_path, "-lused", "-o", tmp_path / "plugin.so"]
        subprocess.run([compiler, tmp_path / "plugin.c", *plugin], check=True)
        rows = [(f"lib{name}.so.1", str(tmp_path / f"lib{name}.so"), "BINARY") for name in ("inner", "outer", "used")]
        rows += [("plugins/plugin.so", str(tmp_path / "plugin.so"), "BINARY"), ("libpython3.so.1", "/none", "BINARY")]

        assert [row[0] for row in without_orphans(rows)] == ["libused.so.1", "plugins/plugin.so", "libpython3.so.1"]
