"""The First run page: device, disk, a first sound, scripts for the DAWs found; each with one button."""

import os
import shutil
from pathlib import Path

import platformdirs
from PySide6.QtCore import Signal

from bridge.desktop.state.background_tasks import CommandRun
from bridge.desktop.state.controller import AppController, new_job
from bridge.desktop.state.job_item import JobItem
from bridge.desktop.state.model_list import parse_error, spelled_bytes
from bridge.desktop.state.script_hosts import NAMES, InstalledScripts, InstallReport, parse_report
from bridge.desktop.widgets.basic import Banner, Button, Page, clear, column, label, row, set_role
from bridge.desktop.widgets.check_row import CheckRow
from bridge.jobs.job import JobState
from bridge.plain_words import error_in_window, sentence
from bridge.wire.messages import Generate, StatusReply

FIRST_PROMPT = "a large church bell rings"
_FIRST_SECONDS = 4.0
_ENOUGH_BYTES = 2_000_000_000
_PROCESSORS = frozenset({"cpu", "auto"})


class FirstRunPage(Page):
    """Leads from a new installation to the first sound, and into the DAW."""

    left = Signal()

    def __init__(self, controller: AppController) -> None:
        super().__init__("Welcome to Retake", "Four quick checks, and you hear your first sound.")
        self._controller = controller
        self._job: str | None = None
        self._run: CommandRun | None = None
        self.listen_button = Button("Make the first sound", "play", "primary")
        self.listen_button.clicked.connect(self.make_sound)
        self.replay_button = Button("Play again", "play")
        self.replay_button.hide()
        self.device = CheckRow("device", "Processor or graphics card", "Detected when the first sound is made.")
        self.disk = CheckRow("disk", "Disk space", "Checking…")
        self.sound = CheckRow(
            "create",
            "The first sound",
            f"“{FIRST_PROMPT}”: made on this machine.",
            self.listen_button,
            self.replay_button,
        )
        self.look_button = Button("Look again", "again")
        self.look_button.clicked.connect(self.look_for_daws)
        self.look_button.hide()
        self.scripts = CheckRow("live", "Your DAWs", "Looking for REAPER, Ardour and Ableton Live…", self.look_button)
        self.places = column(gap=8)
        self.banner = Banner()
        self.done_button = Button("Start creating")
        self.done_button.clicked.connect(self.finish)
        for check in (self.device, self.disk, self.sound, self.scripts):
            self.body.addWidget(check)
        self.body.addLayout(self.places)
        self.body.addWidget(self.banner)
        self.body.addLayout(row(self.done_button, label("You can return to this page under First run.", "small"), None))
        self.body.addStretch(1)
        controller.status_changed.connect(self._show_device)
        controller.job_changed.connect(self._follow)

    def on_shown(self) -> None:
        """Run the checks that take no time."""
        if self._controller.status is not None:
            self._show_device(self._controller.status)
        self._controller.tasks.run(
            _free_bytes, self._show_disk, lambda error: self.disk.say(sentence(*error_in_window(error)), "bad")
        )
        self.look_for_daws()
        self.listen_button.setFocus()

    def finish(self) -> None:
        self._controller.prefer(is_set_up=True)
        self.left.emit()

    # -------------------------------------------------------------------------------------- device and disk

    def _show_device(self, status: StatusReply) -> None:
        if status.device == "auto":
            return
        name = "this computer's processor" if status.device in _PROCESSORS else status.device
        self.device.say(f"{name[:1].upper()}{name[1:]}, with the model {status.model}.", "good")

    def _show_disk(self, free: int) -> None:
        is_enough = free >= _ENOUGH_BYTES
        more = (
            ""
            if is_enough
            else " Larger models need more: 2.5 to 7 GB for a download, and as much again for the model."
        )
        self.disk.say(f"{spelled_bytes(free)} free.{more}", "good" if is_enough else "bad")

    # ------------------------------------------------------------------------------------------- first sound

    def make_sound(self) -> None:
        """Generate a short sound, and play it."""
        if self._job is None:
            self._job = new_job()
            self.listen_button.setEnabled(False)
            self.sound.progress.show()
            request = Generate(job=self._job, prompt=FIRST_PROMPT, seconds=_FIRST_SECONDS, seed=1, client="First run")
            self._controller.submit(request)

    def _follow(self, entry: JobItem) -> None:
        if entry.job != self._job:
            return
        if not entry.state.is_final:
            self.sound.say(entry.stage[:1].upper() + entry.stage[1:])
            self.sound.progress.show_fraction(entry.fraction if entry.fraction > 0 else -1)
            return
        self._job = None
        self.listen_button.setEnabled(True)
        self.sound.progress.hide()
        if entry.state is JobState.DONE:
            self._play(entry.paths[0])
        elif entry.error is not None:
            self.sound.say(sentence(entry.error.text, entry.error.hint), "bad")

    def _play(self, path: str) -> None:
        self.sound.say(f"“{FIRST_PROMPT}”: made on this machine. It is in {Path(path).parent}.", "good")
        self.listen_button.hide()
        self.replay_button.show()
        set_role(self.done_button, "primary")
        self.replay_button.clicked.connect(lambda: self._controller.audition.play(path))
        self._controller.audition.play(path)

    # -------------------------------------------------------------------------------------------------- DAWs

    def look_for_daws(self) -> None:
        """Find the installed DAWs; change nothing."""
        self._install("--dry-run")

    def install(self, place: InstalledScripts) -> None:
        """Install the scripts into a DAW."""
        self._install(place.host)

    def _install(self, *words: str) -> None:
        if self._run is None or not self._run.is_running:
            self._run = CommandRun(self._controller.own_command("install-scripts", *words, "--json"), self)
            is_trial = "--dry-run" in words
            self._run.ended.connect(lambda code, out, err: self._show_report(code, out, err, is_trial=is_trial))

    def _show_report(self, code: int, stdout: str, stderr: str, *, is_trial: bool) -> None:
        try:
            report = parse_report(stdout)
        except ValueError:
            text, hint = parse_error(stdout, stderr)
            self.scripts.say(sentence(text, hint, f"exit code {code}"), "bad")
            return
        if is_trial:
            self._show_places(report)
        else:
            self._show_clicks(report)
            self.look_for_daws()

    def _show_places(self, report: InstallReport) -> None:
        clear(self.places)
        self.look_button.setVisible(not report.places)
        if not report.places:
            self.scripts.say("None found. Start your DAW once, then look again; this window also works without one.")
            return
        names = ", ".join(dict.fromkeys(NAMES.get(place.host, place.program) for place in report.places))
        is_ready = not any(place.todo for place in report.places)
        self.scripts.say(f"Found: {names}.", "good" if is_ready else "waiting")
        for place in report.places:
            button = Button("Install the scripts", "down")
            button.clicked.connect(lambda _=False, place=place: self.install(place))
            button.setVisible(place.todo > 0)
            self.places.addWidget(CheckRow("folder", place.program, f"{place.folder}\n{place.state}", button))

    def _show_clicks(self, report: InstallReport) -> None:
        failures = [f"{place.program}: {place.failure}" for place in report.places if place.failure]
        clicks = [text.replace("`", "").replace("*", "") for _, text in report.clicks if text]
        self.banner.say("\n\n".join([*failures, *clicks]), "bad" if failures else "warning")

    def close_runs(self) -> None:
        """Stop running commands when the window closes."""
        if self._run is not None:
            self._run.close()


def _free_bytes() -> int:
    """Return the free bytes where models would be stored; the folder may not exist yet."""
    folder = Path(os.environ.get("RETAKE_MODELS") or platformdirs.user_data_path("retake", appauthor=False))
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    return shutil.disk_usage(folder).free
