"""A short run of malformed files: strange names, damaged sounds, and an answer to each."""

import random

import pytest

from tests.campaigns.broken_files import FORMATS, make_broken, sound_files
from tests.campaigns.files import documented_codes, run_files
from tests.campaigns.report import silent


class TestBrokenFiles:
    def test_are_the_same_for_the_same_seed(self, tmp_path):
        sounds = sound_files()

        assert _made(tmp_path / "a", sounds) == _made(tmp_path / "b", sounds)

    def test_are_of_every_format(self):
        assert set(sound_files()) == set(FORMATS)


def _made(folder, sounds):
    folder.mkdir()
    dice = random.Random(4)
    paths = [make_broken(folder, number, sounds, dice)[0] for number in range(100)]
    return [(path.name, path.read_bytes()) for path in paths]


class TestDocumentedCodes:
    def test_are_those_of_the_protocol(self):
        assert {"file_unreadable", "clip_silent", "output_failed", "bad_token"} <= documented_codes()
        assert "code" not in documented_codes()


@pytest.mark.slow
def test_every_malformed_file_gets_its_answer(tmp_path):
    report = run_files(seed=3, num_files=80, say=silent, root=tmp_path)

    assert report.failures() == []
