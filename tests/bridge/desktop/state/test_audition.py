"""Source and result play in turn at the same position."""

import pytest

from bridge.desktop.state.audition import Audition


class TestAudition:
    @pytest.fixture
    def heard(self):
        return []

    @pytest.fixture
    def clock(self):
        return [100.0]

    @pytest.fixture
    def audition(self, heard, clock):
        return Audition(
            lambda path, at: heard.append((path, round(at, 3))), lambda: heard.append("stop"), lambda: clock[0]
        )

    def test_switches_sides_at_the_same_place(self, audition, heard, clock):
        audition.play("a.wav")
        audition.follow("playing", "a.wav", 0.5, 4.0)
        clock[0] += 1.0
        audition.switch_to("b.wav")

        assert heard == [("a.wav", 0.0), ("b.wav", 1.5)]

    def test_late_words_about_the_other_side_are_passed_over(self, audition):
        audition.play("a.wav")
        audition.follow("playing", "a.wav", 0.5, 4.0)
        audition.switch_to("b.wav")
        assert not audition.follow("stopped", "a.wav", 0.6, 4.0)

        assert audition.path == "b.wav"

    def test_does_not_move_before_it_sounds_nor_past_the_end(self, audition, clock):
        audition.play("a.wav", 1.0)
        clock[0] += 5.0
        assert audition.position_s == 1.0
        audition.follow("playing", "a.wav", 1.0, 2.0)
        clock[0] += 5.0

        assert audition.position_s == 2.0

    def test_ends(self, audition):
        audition.play("a.wav")
        audition.follow("starting", "a.wav", 0.0, 0.0)
        audition.follow("playing", "a.wav", 0.1, 1.0)
        audition.follow("ended", "a.wav", 1.0, 1.0)

        assert audition.path is None

    def test_of_a_path_that_plays_stops_it(self, audition, heard):
        audition.toggle("a.wav")
        audition.toggle("a.wav")

        assert heard == [("a.wav", 0.0), "stop"]
