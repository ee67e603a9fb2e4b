"""`retake settings`: every setting, its value, its source; and an example that says what is built in."""

import json
import os
import tomllib
from dataclasses import asdict, fields

import pytest

from bridge.clients.settings_command import example, main
from bridge.host.settings import Settings, load_settings, survey_settings


@pytest.fixture(autouse=True)
def _no_settings_of_this_user(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.delenv("RETAKE_CONFIG", raising=False)


class TestTable:
    def test_names_every_setting_and_where_it_comes_from(self, capsys, monkeypatch, tmp_path):
        file = tmp_path / "retake.toml"
        file.write_text('model = "s"\n')
        monkeypatch.setenv("RETAKE_CONFIG", str(file))
        monkeypatch.setenv("RETAKE_PORT", "1234")

        assert main(["--device", "cpu"]) == 0
        rows = {line.split()[0]: line for line in capsys.readouterr().out.splitlines()}
        assert list(rows) == [entry.name for entry in fields(Settings)]
        assert rows["model"].endswith(str(file))
        assert rows["port"].endswith("the environment variable RETAKE_PORT")
        assert rows["device"].split()[1:] == ['"cpu"', "the", "command", "line"]
        assert rows["queue_capacity"].split()[1:] == ["200", "built", "in"]
        assert "not set" in rows["output_dir"]

    def test_as_json_holds_the_same(self, capsys, monkeypatch, tmp_path):
        monkeypatch.setenv("RETAKE_OUTPUT_DIR", str(tmp_path))

        assert main(["--json"]) == 0
        told = json.loads(capsys.readouterr().out)
        assert told["errors"] == []
        assert told["settings"]["output_dir"]["value"] == str(tmp_path)
        assert told["settings"]["output_dir"]["source"] == "the environment variable RETAKE_OUTPUT_DIR"
        assert told["settings"]["port"] == {
            "value": 53170,
            "source": "built in",
            "about": Settings.__dataclass_fields__["port"].metadata["about"],
        }


class TestFolders:
    """The setting that is a list of paths."""

    @pytest.fixture
    def folders(self, monkeypatch, tmp_path):
        folders = [tmp_path / "a", tmp_path / 'b "c"', tmp_path / "d é"]
        monkeypatch.setenv("RETAKE_ALLOWED_FOLDERS", os.pathsep.join(map(str, folders)))
        return [str(folder) for folder in folders]

    def test_are_a_list_in_the_table(self, capsys, folders):
        assert main([]) == 0
        (row,) = [line for line in capsys.readouterr().out.splitlines() if line.startswith("allowed_folders")]
        assert json.dumps(folders, ensure_ascii=False) in row

    def test_are_a_list_as_json(self, capsys, folders):
        assert main(["--json"]) == 0
        assert json.loads(capsys.readouterr().out)["settings"]["allowed_folders"]["value"] == folders

    @pytest.mark.parametrize("entry", fields(Settings), ids=lambda entry: entry.name)
    def test_like_every_other_value_can_be_told(self, capsys, monkeypatch, entry, tmp_path):
        values = {int: "7", float: "3.5", bool: "true", str: "auto"}
        value = {"log_level": "debug", "port": "7"}.get(entry.name, values.get(entry.type, str(tmp_path)))
        monkeypatch.setenv(f"RETAKE_{entry.name.upper()}", value)

        assert main([]) == 0
        assert main(["--json"]) == 0
        assert "environment" in capsys.readouterr().out


class TestBadSettings:
    def test_are_all_named_with_their_sources(self, capsys, monkeypatch, tmp_path):
        file = tmp_path / "retake.toml"
        file.write_text("prot = 1\nqueue_capacity = 0\n")
        monkeypatch.setenv("RETAKE_CONFIG", str(file))
        monkeypatch.setenv("RETAKE_PORT", "many")

        assert main([]) == 1
        told = capsys.readouterr()
        assert f"there is no setting prot, which is 1 in {file}; did you mean port?" in told.err
        assert f"the setting queue_capacity is 0 in {file}; expected at least 1 job" in told.err
        assert "the setting port is 'many' in the environment variable RETAKE_PORT" in told.err
        assert "53170" in told.out

    def test_of_a_damaged_file_leave_the_other_sources_in_force(self, tmp_path):
        file = tmp_path / "retake.toml"
        file.write_bytes(b"\xff\xfe\0")
        survey = survey_settings({"RETAKE_CONFIG": str(file), "RETAKE_PORT": "7"}, {})

        assert survey.values == {"port": 7}
        assert [error.name for error in survey.errors] == ["config"]
        assert "retake settings --example" in survey.errors[0].hint

    def test_do_not_shadow_a_good_one_from_a_weaker_source(self, tmp_path):
        file = tmp_path / "retake.toml"
        file.write_text("port = 7\n")
        survey = survey_settings({"RETAKE_CONFIG": str(file), "RETAKE_PORT": "70000"}, {})

        assert survey.values == {"port": 7}
        assert "RETAKE_PORT" in survey.errors[0].text


class TestExample:
    def test_is_toml_that_equals_what_is_built_in(self, tmp_path):
        file = tmp_path / "retake.toml"
        file.write_text(example(), encoding="utf-8")

        assert load_settings({"RETAKE_CONFIG": str(file)}, {}) == Settings()
        built_in = {name: value for name, value in asdict(Settings()).items() if value is not None}
        assert tomllib.loads(example()) == json.loads(json.dumps(built_in))

    def test_explains_every_setting_in_a_comment(self):
        for entry in fields(Settings):
            assert f"# {entry.metadata['about']}\n" in example()
            assert f"{entry.name} = " in example()

    def test_may_be_used_with_its_comments_taken_away(self):
        text = example().replace("# output_dir", "output_dir").replace("# models_dir", "models_dir")

        assert {entry.name for entry in fields(Settings)} >= set(tomllib.loads(text))
        assert tomllib.loads(text)["output_dir"] == "/a/folder"

    def test_is_printed_alone(self, capsys):
        assert main(["--example"]) == 0
        assert capsys.readouterr().out == example() + "\n"
