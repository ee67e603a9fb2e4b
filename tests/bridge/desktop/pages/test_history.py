"""History in the real window: compare, listen, repeat, drag out; beside a daemon that renders with the tiny model."""

import shutil
from ctypes.util import find_library
from pathlib import Path

import numpy as np
import pytest
import soundfile
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest

from bridge.desktop.widgets.files_out import mime_of
from bridge.jobs.job import JobState
from bridge.wire.messages import Restyle
from tests.bridge.sound_server import RATE, SoundServer

pytestmark = pytest.mark.slow
missing = [name for name in ("pulseaudio", "pactl", "parec") if shutil.which(name) is None]
missing += [] if find_library("portaudio") else ["libportaudio2"]
missing += [] if list(Path("/usr/lib").glob("**/libasound_module_pcm_pulse.so")) else ["libasound2-plugins"]


@pytest.fixture
def rendered(start_process, open_app, until, clip, tmp_path):
    """The app, with one restyled clip of the tiny model in its history."""
    assert start_process("--output-dir", str(tmp_path / "takes")).runtime
    app = open_app()
    until(lambda: app.controller.is_connected)
    app.controller.submit(Restyle(job="first", clip=clip, prompt="thunder", seed=3, strength=0.6, steps=2))
    until(app.controller.jobs.results)
    app.window.show_page("history")
    return app


@pytest.fixture
def page(rendered):
    return rendered.window.history_page


class TestResult:
    def test_is_shown_beside_its_source(self, page, clip, until):
        views = page.compare.views
        until(lambda: all(view.picture is not None for view in views.values()))

        assert views["source"].picture.path == clip
        assert views["result"].picture.path == page.handle.path
        assert views["source"].picture.seconds == views["result"].picture.seconds == 3.0
        assert page.prompt.text() == "thunder"
        assert not views["source"].visibleRegion().isEmpty()

    def test_is_found_by_words(self, page):
        page.search.setText("thunder restyle")
        assert page.results.count() == 1
        page.search.setText("rain")

        assert page.results.count() == 0

    def test_is_dragged_out_as_a_file(self, page):
        drag = page.handle.begin_drag()

        (url,) = drag.mimeData().urls()
        assert url.toLocalFile() == page.handle.path
        assert drag.mimeData().hasFormat("text/uri-list")
        assert bytes(drag.mimeData().data("text/uri-list").data()).strip() == url.toEncoded().data()
        assert soundfile.info(url.toLocalFile()).frames == 3 * 44_100
        drag.deleteLater()

    def test_is_made_again_with_the_next_seed(self, rendered, page, until):
        page.again_button.click()
        until(lambda: len(rendered.controller.jobs.results()) == 2)

        assert rendered.window.page == "jobs"
        assert [it.request.seed for it in rendered.controller.jobs.results()] == [4, 3]

    def test_with_the_same_seed_is_the_same_sound(self, rendered, page, until):
        page.same_button.click()
        until(lambda: len(rendered.controller.jobs.results()) == 2)
        first, second = (soundfile.read(it.paths[0])[0] for it in rendered.controller.jobs.results())

        assert np.array_equal(first, second)

    def test_opens_on_the_create_page_for_changes(self, rendered, page, clip):
        page.edit_button.click()
        form = rendered.window.create_page.form

        assert rendered.window.page == "create"
        assert (form.operation, form.prompt, form.clip, form["seed"], form["strength"]) == (
            "restyle",
            "thunder",
            clip,
            3,
            0.6,
        )

    def test_whose_file_is_gone_says_so(self, rendered, page, until):
        Path(page.handle.path).unlink()
        rendered.controller._pictures.clear()
        page.compare.show_files(None, page.handle.path)

        until(lambda: page.compare.views["result"]._message == "This file no longer exists.")


def test_names_with_any_letters_are_dragged_whole(tmp_path):
    path = tmp_path / "ein Höhlen-Echo #1 %20 (2).wav"
    path.touch()

    assert mime_of([path]).urls()[0].toLocalFile() == str(path)


@pytest.mark.skipif(bool(missing), reason=f"needs {', '.join(missing)} to hear what is played")
@pytest.mark.timeout(600)
class TestListening:
    @pytest.fixture
    def speakers(self, monkeypatch):
        server = SoundServer()
        for name, value in server.environment.items():
            monkeypatch.setenv(name, value)
        yield server
        server.end()

    @pytest.fixture
    def files(self, tmp_path):
        """Two sides that no ear confuses, with every part of each unlike any other."""
        made = []
        for seed in (1, 2):
            steps = np.random.default_rng(seed).standard_normal(round(8 * RATE / 16))
            wave = np.convolve(np.repeat(steps, 16), np.hanning(64) / 32, "same") * 0.1
            made.append(wave.astype(np.float32))
            soundfile.write(tmp_path / f"{seed}.wav", np.stack([wave, wave], axis=1), RATE, subtype="FLOAT")
        return made, str(tmp_path / "1.wav"), str(tmp_path / "2.wav")

    def test_to_both_sides_stays_at_the_same_place(self, speakers, start_daemon, open_app, until, files):
        start_daemon()
        app = open_app(audition_device="studio", audition_level_db=0.0)
        until(lambda: app.controller.is_connected)
        waves, source, result = files
        app.window.show_page("history")
        compare = app.window.history_page.compare
        app.window.history_page._stack.setCurrentIndex(1)
        compare.show_files(source, result)
        audition = app.controller.audition
        switched_at = []

        def listen(_):
            switched_at.clear()
            compare.choose_side("source")
            compare.toggle()
            until(lambda: audition.is_confirmed and audition.position_s > 1.5)
            compare.choose_side("result")
            switched_at.append(audition.position_s)
            assert audition.path == result
            until(lambda: audition.is_confirmed and audition.position_s > switched_at[0] + 1.5)
            compare.toggle()
            until(lambda: audition.path is None)

        def is_in_sync(recording):
            at = round(switched_at[0] * RATE)
            before, after = waves[0][RATE // 2 : RATE], waves[1][at + RATE // 10 : at + RATE // 2]
            skipped = waves[1][max(0, at - RATE) : at - RATE // 5]
            return recording.holds(before) and recording.holds(after) and not recording.holds(skipped, rate_of_hits=0.3)

        assert speakers.hears(listen, is_in_sync)
        until(lambda: compare.play_button._picture == "play")

    @pytest.mark.usefixtures("speakers")
    def test_begins_where_the_waveform_is_clicked(self, start_daemon, open_app, until, files):
        start_daemon()
        app = open_app(audition_device="studio")
        until(lambda: app.controller.is_connected)
        app.window.show_page("history")
        app.window.history_page._stack.setCurrentIndex(1)
        compare = app.window.history_page.compare
        compare.show_files(None, files[2])
        view = compare.views["result"]
        until(lambda: view.picture is not None)
        QTest.mouseClick(view, Qt.MouseButton.LeftButton, pos=QPoint(view.width() // 2, 20))
        until(lambda: app.controller.audition.is_confirmed)

        assert app.controller.audition.position_s >= 4.0 - 0.1
        app.tray.toggle_last()
        until(lambda: app.controller.audition.path is None)


def test_a_preview_that_fails_is_told(app, window, until, tmp_path):
    app.controller.audition.play(tmp_path / "nothing.wav")
    until(lambda: app.controller.audition.path is None)

    strip = window.status_bar
    assert "nothing.wav" in strip.state.toolTip()
    assert (strip.state.property("role"), strip.dismiss.isVisible()) == ("alarm", True)
    strip.dismiss.click()
    assert (strip.state.text(), strip.state.property("role")) == ("Ready", "small")


def test_takes_of_a_job_are_listed_one_by_one(rendered, page, clip, until):
    request = Restyle(job="three", clip=clip, prompt="rain", candidates=3, steps=1)
    entry = rendered.controller.submit(request)
    until(lambda: rendered.controller.jobs.find(entry.job).state is JobState.DONE)

    assert page.results.count() == 4
    assert "take 1 of 3" in page.results.item(0).data(Qt.ItemDataRole.UserRole).summary
