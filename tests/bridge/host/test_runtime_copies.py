"""Copies of the runtime file, for programs that may read their own folders only."""

import json
import stat

import pytest

from bridge.host.runtime_copies import add_copy_folder, copy_folders, remove_copy_folder


class TestCopies:
    def test_a_daemon_writes_them_for_its_user_only_and_takes_them_away(self, start_daemon, state_dir, tmp_path):
        folder = tmp_path / "Extensions Data" / "retake.retake"
        add_copy_folder(state_dir, folder)
        daemon = start_daemon()
        ours, copy = state_dir / "runtime.json", folder / "runtime.json"

        assert json.loads(copy.read_text()) == json.loads(ours.read_text())
        assert stat.S_IMODE(copy.stat().st_mode) == 0o600
        daemon.stop()
        assert not copy.exists()

    def test_a_running_daemon_is_published_at_once(self, daemon, state_dir, tmp_path):
        add_copy_folder(state_dir, tmp_path)

        assert json.loads((tmp_path / "runtime.json").read_text())["token"] == daemon.runtime.token

    @pytest.mark.usefixtures("daemon")
    def test_a_folder_is_named_once_and_can_be_forgotten(self, state_dir, tmp_path):
        add_copy_folder(state_dir, tmp_path / "kept")
        for _ in range(2):
            add_copy_folder(state_dir, tmp_path / "gone")
        remove_copy_folder(state_dir, tmp_path / "gone")

        assert copy_folders(state_dir) == [tmp_path / "kept"]
        assert not (tmp_path / "gone" / "runtime.json").exists()

    def test_a_folder_that_cannot_be_written_does_not_keep_the_daemon_from_starting(
        self, start_daemon, state_dir, tmp_path
    ):
        (tmp_path / "file").touch()
        add_copy_folder(state_dir, tmp_path / "file" / "folder")
        add_copy_folder(state_dir, tmp_path / "fine")
        start_daemon()

        assert (tmp_path / "fine" / "runtime.json").exists()

    def test_a_damaged_list_names_no_folders(self, state_dir):
        (state_dir / "runtime-copies.json").write_text("{")

        assert copy_folders(state_dir) == []
