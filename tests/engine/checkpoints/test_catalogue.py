"""Listing and finding models: one damaged folder among them stands in nobody's way."""

import json
import os

import pytest

from engine.checkpoints.catalogue import find_model, list_models, look_through, read_json
from engine.cli import main
from engine.errors import ModelBrokenError, ModelNotFoundError
from tests.engine.odd_folders import ODD_FOLDERS, valid_config

IS_ROOT = hasattr(os, "geteuid") and os.geteuid() == 0


@pytest.fixture(params=ODD_FOLDERS)
def odd(request, models):
    """A folder `odd` among the models, and a word of what is to be said about it; a sound one stands behind it."""
    make, word = ODD_FOLDERS[request.param]
    (models / "whole").mkdir(parents=True)
    (models / "whole" / "config.json").write_text(valid_config())
    make(models / "odd")
    return models / "odd", word


@pytest.mark.timeout(20)
class TestAnOddFolder:
    def test_is_passed_over_and_named(self, odd, models):
        folder, word = odd
        entries, passed_over = look_through(models)

        assert [entry.name for entry in entries] == ["nano", "whole"]
        assert [broken.folder for broken in passed_over] == [folder]
        assert word in passed_over[0].reason

    def test_hides_no_other_model(self, odd, models):
        assert odd
        assert find_model("nano", models).name == "nano"
        assert find_model("whole", models) == models / "whole"

    def test_asked_for_by_name_or_path_is_called_broken(self, odd, models):
        folder, word = odd
        for name in ("odd", str(folder)):
            with pytest.raises((ModelBrokenError, ModelNotFoundError)) as caught:
                read_json(find_model(name, models))
            assert name != "odd" or word in caught.value.text

    def test_is_named_by_the_command(self, odd, models, monkeypatch, capsys):
        folder, word = odd
        monkeypatch.setenv("RETAKE_MODELS", str(models))
        assert main(["models", "list", "--json"]) == 0
        out, err = capsys.readouterr()
        assert [broken["folder"] for broken in json.loads(out)["passed_over"]] == [str(folder)]
        assert f"passed over {folder}" in err
        assert word in err


class TestTheList:
    def test_leaves_out_in_silence_what_is_no_model(self, models):
        models.mkdir()
        (models / "notes.txt").write_text("mine")
        (models / "samples").mkdir()
        (models / ".downloads").mkdir()
        (models / ".downloads" / "config.json").write_text("{")
        assert [entry.name for entry in list_models(models)] == ["nano"]
        assert look_through(models)[1] == []

    @pytest.mark.skipif(IS_ROOT, reason="root may read everything")
    def test_names_folders_that_may_not_be_read(self, models):
        (models / "closed").mkdir(parents=True)
        (models / "closed").chmod(0)
        assert [broken.folder.name for broken in look_through(models)[1]] == ["closed"]
        (models / "closed").chmod(0o700)

    def test_names_a_models_folder_that_is_none(self, models):
        models.write_text("a file")
        entries, passed_over = look_through(models)
        assert [entry.name for entry in entries] == ["nano"]
        assert [broken.folder for broken in passed_over] == [models]

    def test_names_a_folder_whose_name_nobody_can_ask_for(self, models):
        folder = os.fsencode(models) + b"/caf\xe9"
        os.makedirs(folder)
        with open(folder + b"/config.json", "w") as file:
            file.write(valid_config())
        assert "its name is no text" in look_through(models)[1][0].reason

    def test_reads_a_config_with_a_byte_order_mark(self, models):
        (models / "windows").mkdir(parents=True)
        (models / "windows" / "config.json").write_text(valid_config(), encoding="utf-8-sig")
        assert [entry.name for entry in list_models(models)] == ["nano", "windows"]


class TestAMissingModel:
    @pytest.mark.parametrize(
        "name",
        ["audioldm-s-full-v2", "audioldm-full-s-v2", "cvssp/audioldm-s-full-v2", "AudioLDM-S-Full-v2"],
    )
    def test_that_was_published_is_not_downloaded_yet(self, models, name):
        with pytest.raises(ModelNotFoundError, match="is not downloaded yet") as caught:
            find_model(name, models)
        assert caught.value.hint == "`retake models pull audioldm-s-full-v2`"

    @pytest.mark.parametrize("name", ["no-such", "", "a\0b", "~nobody-here/x", "x" * 5000], ids=repr)
    def test_of_any_other_name_is_told_with_the_way_to_it(self, models, name):
        with pytest.raises(ModelNotFoundError, match="installed: nano") as caught:
            find_model(name, models)
        assert "retake models pull" in caught.value.hint
