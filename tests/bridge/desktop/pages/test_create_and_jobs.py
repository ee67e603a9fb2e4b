"""Create and Jobs in the real window, beside a real daemon whose render process does what the prompt says."""

import json
import socket
import threading
from dataclasses import replace

import pytest
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QDropEvent
from PySide6.QtTest import QTest
from pythonosc.osc_message_builder import OscMessageBuilder

from bridge.desktop.state.job_item import JobItem
from bridge.desktop.state.parameters import TITLES
from bridge.jobs.job import JobState
from bridge.wire.messages import Cancel, Generate, Pause
from bridge.wire.osc_codec import decode


@pytest.fixture
def page(window):
    window.show_page("create")
    return window.create_page


class TestAsking:
    def test_enter_in_the_prompt_starts_a_job(self, page, until, app):
        page.prompt.setText("rain")
        QTest.keyClick(page.prompt, Qt.Key.Key_Return)

        assert page.is_busy
        until(lambda: not page.is_busy)
        (entry,) = app.controller.jobs
        assert (entry.state, entry.title) == (JobState.DONE, "rain")

    def test_progress_shows_below_the_button(self, page, until):
        page.prompt.setText("slow")
        page.go()
        until(lambda: "Step" in page.stage.text() and page.percent.text())

        assert page.cancel_button.isVisible()
        page.cancel()
        until(lambda: not page.is_busy)
        assert not page.cancel_button.isVisible()

    def test_enter_while_one_is_made_asks_for_another(self, page, until, app):
        page.prompt.setText("slow")
        QTest.keyClick(page.prompt, Qt.Key.Key_Return)
        until(lambda: "Step" in page.stage.text())
        for prompt in ("rain", "wind"):
            page.prompt.setText(prompt)
            QTest.keyClick(page.prompt, Qt.Key.Key_Return)
        assert page.waiting.text() == "2 more waiting"
        page.cancel()
        until(lambda: not page.is_busy)

        ends = {entry.title: entry.state for entry in app.controller.jobs}
        assert ends == {"slow": JobState.CANCELLED, "rain": JobState.DONE, "wind": JobState.DONE}
        assert page.takes.count() == 2

    def test_a_new_take_is_scrolled_into_view(self, page, window, until, ask):
        window.resize(820, 560)
        ask("rain", candidates=4)
        best = page.takes.itemAt(0).widget()
        viewport = page._area.viewport()

        until(lambda: viewport.rect().contains(best.mapTo(viewport, QPoint(4, 40))))

    def test_each_sound_has_another_seed_until_one_is_kept(self, page, ask):
        drawn = [ask("rain").request.seed for _ in range(3)]
        page.parameters.seed.keep.click()
        kept = [ask("rain").request.seed for _ in range(2)]
        page.parameters.seed.keep.click()

        assert len(set(drawn)) > 1
        assert kept == [drawn[-1]] * 2
        assert page.parameters.seed.line.text() == ""
        assert "seed" not in page.form.values

    def test_escape_cancels(self, page, until, app):
        page.prompt.setText("slow")
        page.go()
        until(lambda: "Step" in page.stage.text())
        page.cancel()
        until(lambda: not page.is_busy)

        assert next(iter(app.controller.jobs)).state is JobState.CANCELLED
        assert page.banner.text.text() == "Cancelled. Nothing was written."
        assert page.button.isVisible()

    def test_a_failure_is_told_with_its_hint(self, page, ask):
        assert ask("refuses").state is JobState.FAILED
        assert page.banner.text.text() == "No. Other."
        assert page.banner.property("role") == "bad"

    def test_a_warning_is_shown(self, page, ask):
        assert ask("warns").state is JobState.DONE
        assert page.banner.text.text() == "An unknown sound."

    def test_nothing_is_sent_without_words(self, page, app):
        page.go()

        assert not page.is_busy
        assert not list(app.controller.jobs)
        assert page.banner.text.text() == "Say in a few words what it should sound like."

    @pytest.mark.parametrize("operation", ["restyle", "inpaint", "vary", "upscale"])
    def test_what_needs_a_clip_says_so(self, page, operation):
        page.show_operation(operation)
        page.prompt.setText("rain")
        page.go()

        assert page.banner.text.text().startswith("Choose the clip")
        assert not page.is_busy

    def test_inpainting_needs_a_part(self, page, clip):
        page.show_operation("inpaint")
        page.clip_area.take(clip)
        page.prompt.setText("glass")
        page.go()

        assert page.banner.text.text().startswith("Mark the part")

    def test_of_each_operation_sends_what_the_page_says(self, page, clip, app, until):
        for operation in TITLES:
            page.show_operation(operation)
            page.prompt.setText("slow thunder")
            if operation != "generate":
                page.clip_area.take(clip)
                page.clip_area.mark((0.5, 1.25))
            page.parameters.seed.line.setText("77")
            page.parameters.fields["candidates"].editor.setValue(3)
            page.parameters.fields["strength"].slider.setValue(70)
            page.parameters.fields["draft"].editor.setChecked(True)
            page.go()
            request = app.controller.jobs.find(page._jobs[-1]).request

            assert request.address == f"/retake/{operation}"
            assert (request.seed, request.candidates, request.draft) == (77, 3, True)
            assert getattr(request, "strength", 0.7) == 0.7
            assert getattr(request, "clip", clip) == clip
            assert getattr(request, "start_s", 0.5) == 0.5
            until(lambda: "Step" in page.stage.text())
            page.cancel()
            until(lambda: not page.is_busy)

    def test_dice_roll_another_seed(self, page):
        seeds = set()
        for _ in range(8):
            page.parameters.seed.dice.click()
            seeds.add(page.form["seed"])

        assert len(seeds) > 1

    def test_installed_models_can_be_chosen(self, page, until):
        until(lambda: page.parameters.fields["model"].choice.findText("stand-in") >= 0)
        page.parameters.fields["model"].choice.setCurrentText("stand-in")

        assert page.form["model"] == "stand-in"


class TestClip:
    def test_can_be_dropped(self, page, clip, until):
        page.show_operation("restyle")
        data = QMimeData()
        data.setUrls([QUrl.fromLocalFile(clip)])
        buttons, keys = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
        page.clip_area.dropEvent(QDropEvent(QPointF(9, 9), Qt.DropAction.CopyAction, data, buttons, keys))

        assert page.form.clip == clip
        until(lambda: page.clip_area.view.picture is not None)
        assert page.clip_area.facts.text() == "3.00 s · 44.1 kHz · stereo · 24-bit"

    def test_part_is_marked_by_dragging_over_the_waveform(self, page, clip, until):
        page.show_operation("inpaint")
        page.clip_area.take(clip)
        until(lambda: page.clip_area.view.picture is not None)
        view = page.clip_area.view
        left, right, middle = view.width() // 3, 2 * view.width() // 3, view.height() // 2
        QTest.mousePress(view, Qt.MouseButton.LeftButton, pos=QPoint(left, middle))
        QTest.mouseMove(view, QPoint(right, middle))
        QTest.mouseRelease(view, Qt.MouseButton.LeftButton, pos=QPoint(right, middle))

        start_s, end_s = page.form.part
        assert (start_s, end_s) == pytest.approx((1.0, 2.0), abs=0.05)
        assert page.clip_area.start.value() == pytest.approx(start_s, abs=0.01)

    def test_part_can_be_typed(self, page, clip, until):
        page.show_operation("restyle")
        page.clip_area.take(clip)
        until(lambda: page.clip_area.view.picture is not None)
        page.clip_area.start.setValue(1.5)

        assert page.form.part == (1.5, 3.0)
        page.clip_area.whole.click()
        assert page.form.part is None

    def test_that_is_no_audio_is_refused_where_it_is_shown(self, page, tmp_path, until):
        (tmp_path / "fake.wav").write_text("no")
        page.show_operation("restyle")
        page.clip_area.take(str(tmp_path / "fake.wav"))

        until(lambda: page.clip_area.view._message == "This file cannot be read as audio.")

    def test_in_live_is_missing_without_live(self, page, until):
        page.show_operation("restyle")
        page.clip_area.live_button.click()

        until(lambda: page.banner.text.text().startswith("Live does not run"))


class TestLive:
    """The control surface is played by a socket that answers as daw_scripts/ableton/README.md says."""

    @pytest.fixture
    def live(self, state_dir):
        surface = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        surface.bind(("127.0.0.1", 0))
        (state_dir / "live.json").write_text(json.dumps({"port": surface.getsockname()[1], "token": "t"}))
        heard = []

        def send(client, address, *args):
            builder = OscMessageBuilder(address=address)
            for value in args:
                builder.add_arg(value)
            surface.sendto(builder.build().dgram, client)

        def answer():
            while True:
                try:
                    datagram, client = surface.recvfrom(65536)
                except OSError:
                    return
                for address, args in decode(datagram):
                    heard.append((address, list(args)))
                    if address.endswith("status"):
                        send(client, "/retake/live/status.reply", args[0], "0.1", 0, "Drum loop")
                    elif address.endswith("restyle"):
                        send(client, "/retake/live/progress", args[0], 0.5, "step 1/2")
                        send(client, "/done", address, args[0], 1, "/take.wav")
                    elif address.endswith("end"):
                        return

        thread = threading.Thread(target=answer)
        thread.start()
        yield heard
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as last:
            last.sendto(OscMessageBuilder(address="/end").build().dgram, surface.getsockname())
        thread.join()
        surface.close()

    def test_restyles_the_clip_that_it_shows(self, live, page, until):
        page.show_operation("restyle")
        page.clip_area.live_button.click()
        until(lambda: page.clip_area.live_clip == "Drum loop")
        page.prompt.setText("rain")
        page.parameters.seed.line.setText("1")
        page.go()
        until(lambda: not page.is_busy)

        address, args = live[-1]
        assert address == "/retake/live/restyle"
        assert args[1:8] == ["rain", "strength", 0.5, "seed", 1, "token", "t"]
        assert page.banner.text.text() == "The take is in Live, beside the clip."


class TestKeyboard:
    def test_prompt_has_the_focus_and_tab_leads_to_the_button(self, page, window):
        window.activateWindow()
        page.on_shown()
        assert window.focusWidget() is page.prompt
        seen = []
        for _ in range(20):
            QTest.keyClick(window.focusWidget(), Qt.Key.Key_Tab)
            seen.append(window.focusWidget())
            if seen[-1] is page.button:
                break

        assert page.button in seen
        length, more = page.parameters.fields["seconds"].editor, page.parameters.more_button
        order = [length, page.parameters.seed.line, more, page.button]
        assert sorted(order, key=seen.index) == order

    def test_pages_have_numbers(self, window, qt):
        for number, name in enumerate(["create", "jobs", "history"], 1):
            QTest.keyClick(window, getattr(Qt.Key, f"Key_{number}"), Qt.KeyboardModifier.ControlModifier)
            qt.processEvents()
            assert window.page == name

    def test_everything_that_can_be_pressed_has_a_name(self, window):
        from PySide6.QtWidgets import QAbstractButton

        nameless = [it for it in window.findChildren(QAbstractButton) if not (it.text() or it.accessibleName())]

        assert [
            it for it in nameless if "qt_" not in it.objectName() and type(it).__module__.startswith("bridge")
        ] == []


class TestJobs:
    def test_of_other_programs_are_listed_with_what_they_asked_for(self, window, connect, daemon, until):
        connect(daemon).say(Generate(job="theirs", prompt="slow wind", client="REAPER"))
        row = until(lambda: window.jobs_page.row_of("theirs"))
        until(lambda: row.title.text() == "slow wind" and row.stage.text().startswith("step"))

        assert row.client.text() == "from REAPER"
        row.cancel_button.click()
        until(lambda: row.state.text() == "cancelled")

    def test_that_failed_can_be_tried_again(self, window, ask, app, until):
        failed = ask("refuses")
        row = window.jobs_page.row_of(failed.job)
        assert row.error.text() == "No. Other."
        row.retry_button.click()
        until(lambda: sum(entry.state is JobState.FAILED for entry in app.controller.jobs) == 2)

        assert {entry.title for entry in app.controller.jobs} == {"refuses"}

    def test_running_one_moves_to_the_ended_ones(self, window, ask):
        done = ask("fine")
        row = window.jobs_page.row_of(done.job)

        assert window.jobs_page.ended.indexOf(row) == 0
        assert window.jobs_page.waiting.count() == 0
        assert row.state.text() == "done"

    def test_of_other_programs_are_listed_while_they_wait(self, window, connect, daemon, until):
        reaper = connect(daemon)
        reaper.say(Generate(job="runs", prompt="slow wind", client="REAPER"))
        for name in ("first", "second"):
            reaper.say(Generate(job=name, prompt=f"fine {name}", client="REAPER"))
        rows = [until(lambda name=name: window.jobs_page.row_of(name)) for name in ("first", "second")]
        until(lambda: [row.title.text() for row in rows] == ["fine first", "fine second"])

        assert [row.state.text() for row in rows] == ["waiting", "waiting"]
        assert window.jobs_page._waiting_label.text() == "Now: 2 waiting"
        window._controller.cancel("runs")
        until(lambda: [row.state.text() for row in rows] == ["done", "done"])

    def test_whose_news_were_lost_are_listed_nevertheless(self, window, app, connect, daemon, until):
        """As after a restart of the daemon: it knows of jobs that nobody told the window of."""
        connect(daemon).say(Generate(job="runs", prompt="slow wind"))
        until(lambda: window.jobs_page.row_of("runs"))
        app.controller.jobs._entries.clear()
        app.controller.jobs._entries["gone"] = JobItem(job="gone")

        until(lambda: app.controller.jobs.find("runs"))
        app.controller.cancel("runs")

    def test_pause_holds_what_everybody_asks_for(self, window, app, connect, daemon, until):
        window.jobs_page.pause_button.click()
        until(lambda: app.controller.status.paused)
        page = window.create_page
        page.prompt.setText("fine")
        page.go()
        connect(daemon).say(Generate(job="theirs", prompt="fine", client="REAPER"))
        row = until(lambda: window.jobs_page.row_of("theirs"))
        until(lambda: row.stage.text() == "paused" and page.stage.text() == "Paused")
        assert app.tray.pause.isChecked()
        assert window.jobs_page.pause_button.text().strip() == "&Resume"
        app.tray.pause.trigger()
        until(lambda: not page.is_busy and row.state.text() == "done")

        assert not window.jobs_page.pause_button.isChecked()
        assert {entry.state for entry in app.controller.jobs} == {JobState.DONE}

    def test_pause_of_another_program_shows_here(self, window, app, connect, daemon, until):
        script = connect(daemon)
        script.say(Pause(on=True))
        until(window.jobs_page.pause_button.isChecked)
        script.say(Pause(on=False))

        until(lambda: not window.jobs_page.pause_button.isChecked())
        assert not app.controller.is_paused

    def test_held_back_can_be_cancelled(self, window, app, until):
        app.controller.pause(on=True)
        page = window.create_page
        page.prompt.setText("fine")
        page.go()
        until(lambda: page.stage.text() == "Paused")
        page.cancel()
        until(lambda: not page.is_busy)
        app.controller.pause(on=False)

        assert next(iter(app.controller.jobs)).state is JobState.CANCELLED

    def test_a_crowd_of_them_is_counted_and_not_all_listed(self, window, app, connect, daemon, until):
        app.controller.pause(on=True)
        until(lambda: app.controller.status.paused)
        crowd = connect(daemon)
        for number in range(60):
            crowd.say(Generate(job=f"job{number}", prompt="fine", client="REAPER"))
            crowd.hear()
        until(lambda: window.jobs_page._waiting_label.text() == "Now: 60 waiting")

        assert window.jobs_page.waiting.count() == 50
        for number in range(60):
            crowd.say(Cancel(job=f"job{number}"))
        until(lambda: app.controller.jobs.count_waiting() == 0)
        assert window.jobs_page.waiting.count() == 0

    def test_damaged_history_is_told_once(self, window, app):
        status = app.controller.status
        app.controller.status_changed.emit(replace(status, notes=("The history was damaged.",)))

        assert window.notice.text.text() == "The history was damaged."

    def test_are_there_again_after_a_restart(self, ask, open_app, app, until):
        ask("fine")
        app.close()
        again = open_app()

        until(lambda: [entry.title for entry in again.controller.jobs] == ["fine"])
        assert again.window.jobs_page.row_of(next(iter(again.controller.jobs)).job) is not None


class TestTray:
    def test_shows_how_things_stand(self, app, ask, window, until):
        tray = app.tray
        assert tray._shown[0] == "idle"
        window.create_page.prompt.setText("slow")
        window.create_page.go()
        until(lambda: tray._shown[0] == "working" and tray._shown[1] > 0)
        assert "slow: step" in tray.icon.toolTip()
        window.create_page.cancel()
        until(lambda: not window.create_page.is_busy)
        ask("refuses")
        assert tray._shown[0] == "error"
        window.show_page("jobs")

        assert tray._shown[0] == "idle"

    def test_menu_has_the_recent_takes(self, app, ask):
        ask("fine one")
        ask("fine two")
        app.tray.refresh()

        assert [action.text() for action in app.tray.recent.actions()] == ["fine two", "fine one"]
        assert app.tray.play_last.isEnabled()

    def test_a_recent_take_opens_in_the_history(self, app, ask, window):
        done = ask("fine")
        app.tray.refresh()
        app.tray.recent.actions()[0].trigger()

        assert window.page == "history"
        assert window.history_page.results.current_result.path == done.paths[0]

    def test_menu_leads_to_every_place(self, app, window):
        app.tray.settings.trigger()
        assert window.page == "settings"
        app.tray.scripts.trigger()
        assert window.page == "first-run"

    def test_start_at_login_is_a_switch(self, app, machine):
        entry = machine.home / ".config" / "autostart" / "retake.desktop"
        app.tray.login.trigger()
        assert "tray --hidden" in entry.read_text()
        app.tray.login.trigger()

        assert not entry.exists()
