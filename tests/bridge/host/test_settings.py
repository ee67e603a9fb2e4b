"""Settings: which source wins, and what is refused, naming the source."""

import argparse
import os
from pathlib import Path

import pytest

from bridge.errors import SettingsError
from bridge.host.settings import Settings, add_flags, load_settings, user_config_file


@pytest.fixture(autouse=True)
def no_settings_of_this_user(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))


@pytest.fixture
def config(tmp_path):
    def write(text):
        path = tmp_path / "retake.toml"
        path.write_text(text)
        return {"RETAKE_CONFIG": str(path)}

    return write


def test_without_any_source_the_built_in_values_hold():
    assert load_settings({}, {}) == Settings()


def test_each_source_overrides_the_one_before(config):
    environment = config('port = 1000\nmodel = "s"\ndevice = "cpu"\n') | {"RETAKE_PORT": "2000", "RETAKE_MODEL": "m"}
    settings = load_settings(environment, {"port": "3000", "model": None})

    assert (settings.port, settings.model, settings.device) == (3000, "m", "cpu")


def test_the_users_file_is_read_when_it_is_there():
    user_config_file().parent.mkdir(parents=True)
    user_config_file().write_text("queue_capacity = 7\n")

    assert load_settings({}, {}).queue_capacity == 7


def test_words_and_toml_values_become_the_settings_type(config):
    settings = load_settings(config("idle_unload_min = 5\nrequire_token = false\n"), {"output_dir": "takes"})

    assert settings.idle_unload_min == 5.0
    assert settings.require_token is False
    assert settings.output_dir == Path("takes").absolute()


@pytest.mark.parametrize(("word", "value"), [("0", False), ("No", False), ("on", True), ("TRUE", True)])
def test_a_switch_is_read_from_usual_words(word, value):
    assert load_settings({"RETAKE_REQUIRE_TOKEN": word}, {}).require_token is value


def test_a_list_of_folders_comes_from_every_source(config):
    folders = (Path("/a"), Path("/b"))

    assert load_settings(config('allowed_folders = ["/a", "/b"]'), {}).allowed_folders == folders
    assert load_settings({"RETAKE_ALLOWED_FOLDERS": os.pathsep.join(["/a", "/b"])}, {}).allowed_folders == folders
    assert load_settings({}, {"allowed_folders": ["/a", "/b"]}).allowed_folders == folders


def test_the_flag_of_a_list_may_be_repeated():
    parser = argparse.ArgumentParser()
    add_flags(parser)
    flags = vars(parser.parse_args(["--allowed-folders", "/a", "--allowed-folders", os.pathsep.join(["/b", "/c"])]))

    assert load_settings({}, flags).allowed_folders == (Path("/a"), Path("/b"), Path("/c"))


REFUSED = {
    "number as list": ("allowed_folders = 1", "allowed_folders", "a list of paths"),
    "numbers in a list": ("allowed_folders = [1]", "allowed_folders", "a list of paths"),
    "no history": ("history_days = 0", "history_days", "at least 1"),
    "no result": ("max_output_bytes = 0", "max_output_bytes", "at least 1"),
    "unknown": ("prot = 1", "prot", "did you mean port?"),
    "word as number": ('port = "many"', "port", "a whole number"),
    "truth as number": ("port = true", "port", "a whole number"),
    "number as word": ("model = 3", "model", "a string"),
    "odd switch": ('require_token = "perhaps"', "require_token", "true or false"),
    "port too high": ("port = 70000", "port", "0 to 65535"),
    "no time": ("idle_unload_min = 0", "idle_unload_min", "more than 0"),
    "no room": ("queue_capacity = 0", "queue_capacity", "at least 1"),
    "preview too loud": ("preview_level_db = 7", "preview_level_db", "-120 to 6"),
    "odd log level": ('log_level = "loud"', "log_level", "debug, info"),
    "not TOML": ("port: 1", "config", "line 1 is not written as `name = value`"),
    "set twice": ("port = 1\nport = 2\n", "config", "line 2 sets something that is set before already"),
    "no value": ("port =", "config", "its end is not written"),
    "text without quotes": ("model = nano\nport = 1", "config", "with text in quotation marks"),
}


@pytest.mark.parametrize(("text", "name", "expected"), REFUSED.values(), ids=REFUSED)
def test_a_value_that_cannot_be_used_is_refused_with_its_name(config, text, name, expected):
    with pytest.raises(SettingsError, match=name) as refusal:
        load_settings(config(text), {})

    assert expected in refusal.value.text


def test_a_refusal_names_the_environment_variable():
    with pytest.raises(SettingsError, match="RETAKE_PORT"):
        load_settings({"RETAKE_PORT": "x"}, {})


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le"])
def test_a_file_may_come_from_any_editor(tmp_path, encoding):
    file = tmp_path / "retake.toml"
    file.write_bytes('model = "größer"\r\nport = 53995\r\n'.encode(encoding))

    settings = load_settings({}, {"config": str(file)})
    assert (settings.port, settings.model) == (53995, "größer")


def test_a_file_that_was_named_must_be_there(tmp_path):
    with pytest.raises(SettingsError, match="config"):
        load_settings({}, {"config": str(tmp_path / "missing.toml")})


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such files")
@pytest.mark.timeout(20)
def test_a_pipe_in_its_place_does_not_block_and_a_link_to_a_file_is_followed(tmp_path):
    pipe, link, file = tmp_path / "pipe.toml", tmp_path / "link.toml", tmp_path / "file.toml"
    os.mkfifo(pipe)
    file.write_text("port = 1234")
    link.symlink_to(file)

    with pytest.raises(SettingsError, match="no plain file"):
        load_settings({"RETAKE_CONFIG": str(pipe)}, {})
    assert load_settings({"RETAKE_CONFIG": str(link)}, {}).port == 1234


def test_what_is_no_text_is_reported_without_the_words_of_codecs(tmp_path):
    file = tmp_path / "retake.toml"
    file.write_bytes(b"model = '\xfc'")

    with pytest.raises(SettingsError, match="it is no text in UTF-8 or UTF-16") as raised:
        load_settings({"RETAKE_CONFIG": str(file)}, {})
    assert "codec" not in raised.value.text
