"""First run, Settings and About in the real window."""

import json
import platform

import pytest
from PySide6.QtCore import QStandardPaths
from PySide6.QtWidgets import QPushButton

from bridge import __version__
from bridge.desktop.pages.first_run import FIRST_PROMPT
from bridge.desktop.state.updates import UpdateError, UpdateManifest, fetch_manifest, is_newer, parse_manifest
from bridge.desktop.widgets.about_box import PRIVACY
from bridge.desktop.widgets.theme import DARK
from tests.engine.mirror import mirror_running


@pytest.fixture
def reaper(state_dir, tmp_path, monkeypatch):  # noqa: ARG001 - the state folder sets the same variables first
    """A home in which REAPER was started once."""
    home = tmp_path / "musician"
    (home / ".config" / "REAPER").mkdir(parents=True)
    (home / ".config" / "REAPER" / "reaper.ini").write_text("[REAPER]\n")
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(home / ".config"))
    QStandardPaths.setTestModeEnabled(True)
    yield home / ".config" / "REAPER" / "Scripts" / "Retake"
    QStandardPaths.setTestModeEnabled(False)


@pytest.mark.slow
class TestFirstRun:
    @pytest.mark.usefixtures("daemon")
    def test_is_what_a_new_user_sees(self, open_app):
        assert open_app(is_set_up=False).window.page == "first-run"

    def test_walks_from_the_device_to_the_scripts(self, reaper, start_process, open_app, until, tmp_path):
        assert start_process("--output-dir", str(tmp_path / "takes")).runtime
        app = open_app(is_set_up=False)
        page = app.window.first_run_page
        until(lambda: page.disk.status != "waiting" and app.controller.is_connected)
        assert " free." in page.disk.text.text()
        page.listen_button.click()
        until(lambda: page.sound.status == "good")
        assert page.replay_button.isVisible()
        until(lambda: page.device.status == "good")
        assert "with the model tiny" in page.device.text.text()
        (entry,) = app.controller.jobs.results()
        assert entry.title == FIRST_PROMPT
        until(lambda: "REAPER" in page.scripts.text.text())
        assert not reaper.exists()
        next(it for it in page.findChildren(QPushButton) if it.text().strip() == "Install the scripts").click()
        until(lambda: page.banner.isVisible() and page.scripts.status == "good")

        assert list(reaper.glob("*.lua"))
        assert "Actions" in page.banner.text.text()
        page.done_button.click()
        assert app.window.page == "create"
        assert app.controller.preferences.is_set_up

    @pytest.mark.usefixtures("daemon")
    def test_says_when_there_is_no_daw(self, open_app, until, monkeypatch, tmp_path):
        monkeypatch.setenv("HOME", str(tmp_path))
        app = open_app(is_set_up=False)

        until(lambda: "None found" in app.window.first_run_page.scripts.text.text())


class TestSettings:
    @pytest.fixture
    def page(self, window):
        window.show_page("settings")
        return window.settings_page

    def test_dark_and_light_change_at_once(self, page, qt, window):
        page.theme.button("dark").click()
        assert qt.property("dark")
        assert window.palette().window().color().name() == DARK.ground
        page.theme.button("light").click()

        assert not qt.property("dark")

    def test_of_the_window_are_kept(self, page, tmp_path, until):
        page.closing.button("quit").click()

        until(lambda: json.loads((tmp_path / "desktop.json").read_text())["closing"] == "quit")

    def test_start_at_login(self, page, machine):
        page.login.click()
        assert (machine.home / ".config" / "autostart" / "retake.desktop").exists()
        page.login.click()

        assert not (machine.home / ".config" / "autostart" / "retake.desktop").exists()

    def test_of_the_daemon_are_written_when_applied(self, page, tmp_path, until):
        (tmp_path / "retake.toml").write_text("# mine\nport = 0\n")
        until(lambda: page.idle_min.value() == 30.0)
        page.compute.setCurrentText("cpu")
        page.output_dir.line.setText(str(tmp_path))
        page.apply()
        until(lambda: page.banner.text.text().startswith("Saved"))

        assert (tmp_path / "retake.toml").read_text() == (
            f'# mine\nport = 0\noutput_dir = "{tmp_path}"\nmodel = "nano"\ndevice = "cpu"\nidle_unload_min = 30.0\n'
        )


MANIFEST = {
    "format": 1,
    "version": "99.0",
    "released": "2099-01-01",
    "notes_url": "https://example.org/notes",
    "downloads": [
        {"system": "linux", "kind": "deb", "url": "https://example.org/a.deb", "size_bytes": 5, "sha256": "0" * 64}
    ],
}


class TestAbout:
    def test_says_what_it_is_and_that_nothing_leaves(self, window):
        box = window.show_about()

        assert box.privacy.text() == PRIVACY
        assert PRIVACY.startswith("No telemetry.")
        assert f"Version {__version__}" in box.versions.text()
        assert platform.python_version() in box.versions.text()
        box.close()

    def test_looks_for_nothing_without_an_address(self, window, monkeypatch):
        monkeypatch.delenv("RETAKE_UPDATE_URL", raising=False)
        box = window.show_about()
        box.check_button.click()

        assert box.banner.text.text().startswith("No update address is set")
        box.close()

    @pytest.mark.parametrize(
        ("version", "words"), [("99.0", "Version 99.0"), (__version__, "latest version")], ids=["newer", "the same"]
    )
    def test_asks_the_server_only_when_clicked(self, app, window, until, version, words):
        with mirror_running() as server:
            address = server.serve_json("/manifest.json", MANIFEST | {"version": version})
            app.controller.prefer(update_url=address)
            box = window.show_about()
            assert server.answers == []
            box.check_button.click()
            until(lambda: words in box.banner.text.text())

            assert server.asked("/manifest.json") == 1
            box.close()

    def test_tells_when_the_server_does_not_answer(self, app, window, until):
        with mirror_running() as server:
            app.controller.prefer(update_url=server.url + "/nothing")
            box = window.show_about()
            box.check_button.click()
            until(lambda: "gave no answer" in box.banner.text.text())
            box.close()


class TestManifest:
    def test_is_read_as_documented(self):
        from pathlib import Path

        import bridge.desktop

        document = (Path(bridge.desktop.__file__).parent / "UPDATES.md").read_text(encoding="utf-8")
        example = document.split("```json")[1].split("```")[0]
        manifest = parse_manifest("here", example.encode())

        assert isinstance(manifest, UpdateManifest)
        assert manifest.downloads_for("linux")[0].kind == "deb"
        rows = {line.split("|")[1].strip() for line in document.splitlines() if line.startswith("| ")} - {"key"}
        assert rows == set(MANIFEST) | set(MANIFEST["downloads"][0])

    @pytest.mark.parametrize(
        "change",
        [
            {"format": 2},
            {"version": "new"},
            {"notes_url": "http://example.org"},
            {"notes_url": "file:///etc/passwd"},
            {"downloads": [{"system": "linux"}]},
        ],
        ids=["format", "version", "plain http", "file", "half a download"],
    )
    def test_that_is_wrong_is_refused(self, change):
        with pytest.raises(UpdateError):
            parse_manifest("here", json.dumps(MANIFEST | change).encode())

    def test_is_never_fetched_from_a_file(self, tmp_path):
        with pytest.raises(UpdateError):
            fetch_manifest((tmp_path / "m.json").as_uri())

    @pytest.mark.parametrize(
        ("version", "than", "newer"),
        [("0.2.0", "0.1.9", True), ("0.10", "0.9", True), ("1.0rc1", "1.0", False), ("1.0", "1.0.0", False)],
    )
    def test_versions_are_compared_by_their_numbers(self, version, than, newer):
        assert is_newer(version, than) is newer
