"""The Jobs page: running, waiting and recently finished jobs, which can be cancelled or tried again."""

from PySide6.QtWidgets import QFrame, QStackedWidget, QWidget

from bridge.desktop.state.controller import AppController
from bridge.desktop.state.job_item import JobItem
from bridge.desktop.state.parameters import TITLES
from bridge.desktop.widgets.basic import (
    Button,
    EmptyState,
    NameLabel,
    Page,
    ProgressBar,
    card,
    column,
    elided,
    fill,
    label,
    row,
    set_role,
    take_last,
)
from bridge.jobs.job import JobState
from bridge.plain_words import sentence

PAUSE_TIP = "Start no more jobs, from this window or a DAW, until you resume. The running job continues."
_MAX_ENDED = 30
_MAX_WAITING = 50
"""How many waiting jobs are listed; the heading counts all of them."""
_WORDS = {
    JobState.QUEUED: "waiting",
    JobState.RUNNING: "running",
    JobState.DONE: "done",
    JobState.FAILED: "failed",
    JobState.CANCELLED: "cancelled",
}
_ROLES = {JobState.RUNNING: "accent", JobState.DONE: "good", JobState.FAILED: "alarm"}


class JobRow(QFrame):
    """One job, updated in place so that buttons do not move under the mouse."""

    def __init__(self, controller: AppController, entry: JobItem) -> None:
        super().__init__()
        self._controller = controller
        self._entry = entry
        self.operation, self.title = label("", "chip"), NameLabel()
        self.client, self.state, self.stage = label("", "small"), label(""), label("", "muted")
        self.error = label("", "alarm", wraps=True)
        self.progress = ProgressBar()
        self.cancel_button = Button("Cancel", "close")
        self.cancel_button.clicked.connect(lambda: self._controller.cancel(self._entry.job))
        self.retry_button = Button("Try again", "again")
        self.retry_button.clicked.connect(lambda: self._controller.repeat(self._entry, is_new_seed=False))
        head = row(self.operation, self.title, self.client, self.stage, self.state)
        head.setStretch(1, 1)
        left = column(head, self.progress, self.error, gap=8)
        box = row(left, self.cancel_button, self.retry_button, gap=18)
        box.setStretch(0, 1)
        fill(self, column(card(box, padding=14)))
        self.show_entry(entry)

    def show_entry(self, entry: JobItem) -> None:
        """Show the state of the job."""
        self._entry = entry
        is_running = entry.state is JobState.RUNNING
        self.operation.setText(TITLES.get(entry.operation, "Job"))
        self.title.setText(entry.title)
        client = entry.request.client if entry.request else None
        self.client.setText(f"from {elided(client, 24)}" if client and client != "Retake window" else "")
        self.stage.setText("" if entry.state.is_final else entry.stage)
        self.state.setText(_WORDS[entry.state])
        set_role(self.state, _ROLES.get(entry.state, "muted"))
        self.progress.setVisible(is_running)
        self.progress.show_fraction(entry.fraction if entry.fraction > 0 else -1)
        has_failed = entry.state is JobState.FAILED and entry.error is not None
        self.error.setVisible(has_failed)
        if has_failed and entry.error is not None:
            self.error.setText(sentence(entry.error.text, entry.error.hint))
        self.cancel_button.setVisible(not entry.state.is_final)
        can_retry = entry.state in {JobState.FAILED, JobState.CANCELLED} and entry.request is not None
        self.retry_button.setVisible(can_retry)


class JobsPage(Page):
    """All jobs: of this window, of DAW scripts, of a terminal."""

    def __init__(self, controller: AppController) -> None:
        super().__init__("Jobs", "All jobs, from this window and from your DAW.")
        self._controller = controller
        self._rows: dict[str, JobRow] = {}
        self.waiting, self.ended = column(gap=10), column(gap=10)
        self._waiting_label, self._ended_label = label("Now", "heading"), label("Earlier", "heading")
        self.pause_button = Button("&Pause", "pause", tip=PAUSE_TIP)
        self.pause_button.setCheckable(True)
        self.pause_button.clicked.connect(lambda on: controller.pause(on=on))
        self.buttons.addWidget(self.pause_button)
        listed = QWidget()
        listed.setLayout(column(self._waiting_label, self.waiting, 6, self._ended_label, self.ended, None, gap=10))
        self._stack = QStackedWidget()
        self._stack.addWidget(
            EmptyState("jobs", "No jobs", "Make a sound on the Create page, or with a script in your DAW.")
        )
        self._stack.addWidget(listed)
        self.body.addWidget(self._stack, 1)
        controller.job_changed.connect(self._show)
        controller.refilled.connect(self.refill)
        controller.paused_changed.connect(self._show_paused)
        self.refill()

    def row_of(self, job: str) -> JobRow | None:
        return self._rows.get(job)

    def refill(self) -> None:
        """Update the lists; existing rows are kept, so that nothing moves under the mouse."""
        entries = list(self._controller.jobs)
        ended = [entry for entry in entries if entry.state.is_final][-_MAX_ENDED:]
        waiting = [entry for entry in entries if not entry.state.is_final][:_MAX_WAITING]
        for layout, listed in ((self.waiting, waiting), (self.ended, ended[::-1])):
            for index, entry in enumerate(listed):
                layout.insertWidget(index, self._row_for(entry))
        self._show_labels()

    def _row_for(self, entry: JobItem) -> JobRow:
        if entry.job not in self._rows:
            self._rows[entry.job] = JobRow(self._controller, entry)
        self._rows[entry.job].show_entry(entry)
        return self._rows[entry.job]

    def on_shown(self) -> None:
        """Read the journal, for replies that were lost."""
        self._controller.acknowledge_failure()
        self._controller.refill()

    def _show(self, entry: JobItem) -> None:
        is_new = entry.job not in self._rows
        if is_new and not entry.state.is_final and self.waiting.count() >= _MAX_WAITING:
            self._show_labels()
            return
        shown = self._row_for(entry)
        if entry.state.is_final and (is_new or self.waiting.indexOf(shown) >= 0):
            self.ended.insertWidget(0, shown)
            if self.waiting.count() < min(_MAX_WAITING, len(self._controller.jobs.unfinished())):
                self.refill()
        elif is_new:
            self.waiting.addWidget(shown)
        while self.ended.count() > _MAX_ENDED:
            gone = take_last(self.ended)
            self._rows = {job: it for job, it in self._rows.items() if it is not gone}
        self._show_labels()

    def _show_labels(self) -> None:
        number = self._controller.jobs.count_waiting()
        self._waiting_label.setText(f"Now: {number} waiting" if number else "Now")
        self._waiting_label.setVisible(self.waiting.count() > 0)
        self._ended_label.setVisible(self.ended.count() > 0)
        self._stack.setCurrentIndex(1 if self._rows else 0)

    def _show_paused(self, on: bool) -> None:
        self.pause_button.setChecked(on)
        self.pause_button.say("&Resume" if on else "&Pause")
        self.pause_button.show_picture("play" if on else "pause")
