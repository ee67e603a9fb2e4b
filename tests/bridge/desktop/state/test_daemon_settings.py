"""The daemon's settings file is changed line by line."""

import tomllib

import pytest

from bridge.desktop.state.daemon_settings import read_settings, write_settings
from bridge.errors import SettingsError


class TestDaemonSettings:
    def test_keep_comments_and_order(self, tmp_path):
        file = tmp_path / "retake.toml"
        file.write_text('# mine\nport = 4000  # here\ndevice = "cpu"\n')
        write_settings(file, {"device": "auto", "output_dir": '/x "y"', "model": None})

        assert file.read_text().startswith("# mine\nport = 4000  # here\n")
        assert tomllib.loads(file.read_text()) == {"port": 4000, "device": "auto", "output_dir": '/x "y"'}
        assert read_settings(file).port == 4000

    def test_replace_the_first_line_of_a_file_with_a_byte_order_mark(self, tmp_path):
        file = tmp_path / "retake.toml"
        file.write_text('\ufeffdevice = "cpu"\n', encoding="utf-8")
        write_settings(file, {"device": "auto"})

        assert read_settings(file).device == "auto"

    def test_a_link_stays_a_link(self, tmp_path):
        dotfiles = tmp_path / "dotfiles"
        dotfiles.mkdir()
        real, link = dotfiles / "retake.toml", tmp_path / "retake.toml"
        real.write_text("# mine\nport = 0\n")
        link.symlink_to("dotfiles/retake.toml")
        write_settings(link, {"device": "cpu"})

        assert link.is_symlink()
        assert real.read_text() == '# mine\nport = 0\ndevice = "cpu"\n'

    def test_none_takes_a_line_out(self, tmp_path):
        file = tmp_path / "retake.toml"
        file.write_text('device = "cpu"\nport = 0')
        write_settings(file, {"device": None})

        assert file.read_text() == "port = 0"

    def test_a_wrong_value_leaves_the_file_as_it_is(self, tmp_path):
        file = tmp_path / "retake.toml"
        file.write_text("port = 0\n")
        with pytest.raises(SettingsError):
            write_settings(file, {"idle_unload_min": -1.0})

        assert file.read_text() == "port = 0\n"
