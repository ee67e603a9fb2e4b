"""Licences of what is bundled: found for every owner of a file, and the build fails where one is silent."""

from importlib import metadata
from pathlib import Path

import numpy as np
import pytest
import pythonosc

from installer.licences import Licence, LicenceMissingError, collect, distribution_licence, licences_of, write

ROOT = Path(__file__).parents[2]


class Rows:
    """The three lists of an analysis."""

    def __init__(self, *sources: str) -> None:
        self.pure = [("module", source, "PYMODULE") for source in sources]
        self.binaries = self.datas = []


class TestOwners:
    def test_a_file_of_a_distribution_brings_its_licence(self):
        (licence,) = licences_of([Path(np.__file__)])

        assert licence.name == "numpy"
        assert licence.version == metadata.version("numpy")
        assert any("Redistribution and use" in text for text in licence.texts)

    def test_two_files_of_one_bring_it_once(self):
        assert len(licences_of(Path(np.__file__).parent.glob("*.py"))) == 1

    def test_ours_brings_none(self):
        assert licences_of([ROOT / "bridge" / "send.py"]) == []

    def test_pythons_own(self):
        (licence,) = licences_of([Path(metadata.__file__)])

        assert licence.name == "Python"

    def test_a_file_of_nobody_is_not_passed_over(self, tmp_path):
        (tmp_path / "libstray.so").touch()
        (licence,) = licences_of([tmp_path / "libstray.so"])

        assert "libstray.so" in licence.name
        assert not licence.is_known


class TestFile:
    def test_names_version_terms_and_text(self, tmp_path):
        text = collect([Rows(np.__file__, pythonosc.__file__)], tmp_path / "licences.txt").read_text(encoding="utf-8")

        assert f"numpy {metadata.version('numpy')}" in text
        assert "python-osc" in text
        assert text.index("numpy") < text.index("python-osc")

    def test_what_the_build_makes_itself_needs_none(self, tmp_path):
        (tmp_path / "base_library.zip").touch()
        text = collect([Rows(np.__file__, str(tmp_path / "base_library.zip"))], tmp_path / "licences.txt").read_text(
            encoding="utf-8"
        )

        assert "base_library" not in text

    def test_what_is_silent_fails_the_build_by_name(self, tmp_path):
        silent = Licence("mystery", "1.0", "", "", ())
        with pytest.raises(LicenceMissingError, match="mystery"):
            write([silent, Licence("known", "1.0", "MIT", "", ())], tmp_path / "licences.txt")

        assert not (tmp_path / "licences.txt").exists()

    @pytest.mark.parametrize("name", sorted(metadata.packages_distributions()["torch"]))
    def test_of_pytorch_is_whole(self, name):
        licence = distribution_licence(metadata.distribution(name))

        assert licence.is_known
        assert sum(map(len, licence.texts)) > 1000

    def test_a_library_inside_is_named(self):
        assert any("libsndfile" in text for text in distribution_licence(metadata.distribution("soundfile")).texts)
