"""The recipes for Windows and macOS, which cannot be run here: that they name what the build makes, and one version."""

import plistlib
import re
import struct
import tomllib
from pathlib import Path

from bridge import __version__
from installer import macos
from installer.product import BUNDLE_ID, HERE, NAME, RETAKE, SEND, SENDW, TRAY, VERSION, WINDOWS_APP_ID, icon, programs

ROOT = Path(__file__).parents[2]
INNO = (HERE / "windows" / "retake.iss").read_text(encoding="utf-8")
DMG = (HERE / "macos" / "make_dmg.sh").read_text(encoding="utf-8")


class TestVersion:
    def test_stands_in_one_place(self):
        project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))

        assert "version" not in project["project"]
        assert project["tool"]["setuptools"]["dynamic"]["version"] == {"attr": "bridge.__version__"}
        assert __version__ == VERSION

    def test_no_recipe_repeats_it(self):
        kinds = (".py", ".iss", ".sh", ".spec", ".plist", ".desktop")
        recipes = {
            path.relative_to(HERE).as_posix(): path.read_text(encoding="utf-8").replace("127.0.0.1", "")
            for path in HERE.rglob("*")
            if path.suffix in kinds and "__pycache__" not in path.parts
        }
        repeating = [name for name, text in recipes.items() if VERSION in text]

        assert {"retake.spec", "windows/retake.iss", "macos/make_dmg.sh"} <= set(recipes)
        assert not repeating, "\n".join(repeating)


class TestWindows:
    def test_gets_its_version_from_the_build(self):
        assert "AppVersion={#Version}" in INNO
        assert "#error" in INNO.split("[Setup]")[0]

    def test_is_one_product_for_ever(self):
        assert f"AppId={{{{{WINDOWS_APP_ID}}}" in INNO

    def test_needs_no_administrator(self):
        assert "PrivilegesRequired=lowest" in INNO
        assert "HKLM" not in INNO
        assert "{pf}" not in INNO

    def test_names_programs_that_are_built(self):
        named = set(re.findall(r"\{app\}\\([\w-]+)\.exe", INNO))

        assert named <= {program.name for program in (RETAKE, SEND, TRAY)}
        assert {TRAY.name, SEND.name} <= named

    def test_daws_get_a_sender_without_a_window(self):
        assert SENDW not in programs(system="linux")
        assert SENDW in programs(system="win32")
        assert not SENDW.has_terminal
        assert (HERE / SENDW.script).is_file()

    def test_names_files_that_exist(self):
        for name in re.findall(r"^(?:LicenseFile|SetupIconFile)=(.+)$", INNO, re.MULTILINE):
            assert (HERE / "windows" / name.replace("\\", "/")).resolve().is_file(), name

    def test_autostart_is_asked_for_and_off(self):
        (task,) = re.findall(r'Name: "autostart".*', INNO)

        assert "Flags: unchecked" in task
        assert re.search(r"Run\"; ValueType: string; ValueName: \"retake\".*Tasks: autostart", INNO)

    def test_uninstalling_takes_whole_entries_off_the_path_only(self):
        (looked_for,) = re.findall(r"Start := Pos\((.+)\);", INNO)

        assert looked_for == "Uppercase(Ours) + ';', Uppercase(Path) + ';'"

    def test_every_task_is_used(self):
        tasks = re.findall(r'^Name: "(\w+)"; Description', INNO, re.MULTILINE)

        assert tasks
        for task in tasks:
            assert f"Tasks: {task}" in INNO


class TestMacos:
    def test_lives_in_the_menu_bar(self):
        told = macos.info_plist()

        assert told["LSUIElement"] is True
        assert told["CFBundleIdentifier"] == BUNDLE_ID
        assert told["CFBundleShortVersionString"] == told["CFBundleVersion"] == VERSION
        assert plistlib.loads(plistlib.dumps(told)) == told

    def test_asks_for_no_more_rights_than_python_needs(self):
        rights = plistlib.loads(macos.ENTITLEMENTS.read_bytes())

        assert set(rights.values()) == {True}
        assert {name.removeprefix("com.apple.security.cs.") for name in rights} == {
            "allow-jit",
            "allow-unsigned-executable-memory",
            "disable-library-validation",
        }

    def test_is_signed_hardened_before_it_is_packed_and_notarised_after(self):
        words = ("codesign --force", "codesign --verify", "hdiutil create", "notarytool submit")
        steps = [DMG.index(word) for word in words]

        assert steps == sorted(steps)
        assert "--options runtime" in DMG
        assert "entitlements.plist" in DMG

    def test_the_spec_makes_the_app_that_is_packed(self):
        spec = (HERE / "retake.spec").read_text(encoding="utf-8")

        assert "BUNDLE(" in spec
        assert "macos.info_plist()" in spec


class TestIcons:
    def test_every_system_has_one_of_its_kind(self):
        heads = {"win32": b"\0\0\1\0", "darwin": b"icns", "linux": b"\x89PNG"}
        for system, head in heads.items():
            assert Path(icon(system)).read_bytes().startswith(head)

    def test_the_icns_is_as_long_as_it_says(self):
        content = (HERE / "icons" / f"{NAME}.icns").read_bytes()

        assert struct.unpack(">I", content[4:8]) == (len(content),)
