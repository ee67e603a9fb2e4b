"""The Create page: a few words, perhaps a clip, Enter; the take appears below, to play and to drag out."""

from PySide6.QtCore import Signal
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import QLineEdit, QWidget

from bridge.desktop.state.controller import AppController, new_job
from bridge.desktop.state.job_item import JobItem
from bridge.desktop.state.live_connection import LiveJob, clip_in_live
from bridge.desktop.state.parameters import TITLES, needs
from bridge.desktop.state.render_form import RenderForm, form_of, not_in_form
from bridge.desktop.widgets.basic import (
    Banner,
    Button,
    Page,
    ProgressBar,
    Segments,
    card,
    clear,
    column,
    label,
    row,
    take_last,
)
from bridge.desktop.widgets.clip_drop_area import ClipDropArea
from bridge.desktop.widgets.parameter_panel import ParameterPanel
from bridge.desktop.widgets.take_card import TakeCard
from bridge.errors import BridgeError
from bridge.jobs.job import JobState
from bridge.plain_words import error_in_window, sentence
from bridge.wire.messages import RenderRequest
from bridge.wire.parsing import Message

_PLACEHOLDERS = {
    "generate": "What should it sound like? For example: heavy rain on a tin roof",
    "restyle": "What should the clip become? For example: footsteps in deep snow",
    "inpaint": "What should the marked part sound like? For example: breaking glass",
    "vary": "Optional: a few words may help",
    "upscale": "Optional: a few words may help",
}
_MAX_TAKES = 12


class CreatePage(Page):
    """Sends one request at a time, and follows it."""

    _live_news = Signal(object)

    def __init__(self, controller: AppController) -> None:
        super().__init__("Create", "Describe a sound in a few words, and listen.")
        self._controller = controller
        self._jobs: list[str] = []
        """Unfinished jobs of this page, in the order of their requests."""
        self._live_job: LiveJob | None = None
        self._live_forms: list[RenderForm] = []
        self.operation = Segments(list(TITLES.items()), "operation")
        self.operation.chosen.connect(self.show_operation)
        self.prompt = QLineEdit()
        self.prompt.setProperty("role", "prompt")
        self.prompt.setMaxLength(1000)
        self.prompt.setClearButtonEnabled(True)
        self.prompt.setAccessibleName("prompt")
        self.prompt.returnPressed.connect(self.go)
        self.banner = Banner()
        self.prompt.textEdited.connect(lambda: self.banner.say(""))
        self.clip_area = ClipDropArea(controller)
        self.clip_area.changed.connect(lambda: self.banner.say(""))
        self.clip_area.live_wanted.connect(self._ask_live)
        self.parameters = ParameterPanel()
        self._lay_out()
        self._bind_keys()
        controller.job_changed.connect(self._follow)
        controller.models_changed.connect(self.parameters.show_models)
        self._live_news.connect(self._receive_live)
        self.show_operation("generate")

    def _lay_out(self) -> None:
        self.button = Button("Generate", role="primary")
        self.button.clicked.connect(self.go)
        self.hint = label("or press Enter", "small")
        self.stage = label("", "muted")
        self.percent = label("", "strong")
        self.waiting = label("", "small")
        self.progress = ProgressBar()
        self.cancel_button = Button("Cancel", "close", tip="Stop this job (Esc)")
        self.cancel_button.clicked.connect(self.cancel)
        self._working = QWidget()
        bar = column(row(self.stage, None, self.waiting, self.percent, gap=14), self.progress, gap=7)
        self._working.setLayout(row(bar, self.cancel_button, gap=18))
        self._working.hide()
        asking = row(self.button, self.hint, None, gap=14)
        self.takes = column(gap=10)
        self.takes_label = label("New takes", "heading")
        self.takes_label.hide()
        self.body.addLayout(row(self.operation, None))
        self.body.addWidget(self.prompt)
        self.body.addWidget(self.banner)
        self.body.addWidget(self.clip_area)
        self.body.addWidget(card(column(self.parameters)))
        self.body.addLayout(asking)
        self.body.addWidget(self._working)
        self.body.addWidget(self.takes_label)
        self.body.addLayout(self.takes)
        self.body.addStretch(1)

    def _bind_keys(self) -> None:
        QShortcut(QKeySequence("Esc"), self, self.cancel)
        QShortcut(QKeySequence("Ctrl+Return"), self, self.go)
        QShortcut(QKeySequence("Ctrl+L"), self, self.prompt.setFocus)
        for before, after in (
            (self.operation.button("upscale"), self.prompt),
            (self.prompt, self.clip_area.open_button),
            (self.clip_area.live_button, self.parameters.fields["seconds"].editor),
            (list(self.parameters.fields.values())[-1].editor, self.button),
        ):
            QWidget.setTabOrder(before, after)

    def on_shown(self) -> None:
        self.prompt.setFocus()

    # ---------------------------------------------------------------------------------------------- requests

    def show_operation(self, operation: str) -> None:
        """Show the fields of an operation."""
        self.operation.choose(operation)
        self.prompt.setPlaceholderText(_PLACEHOLDERS[operation])
        self.clip_area.setVisible(needs(operation, "clip"))
        self.parameters.show_for(operation)
        self.button.setText(TITLES[operation])
        self.banner.say("")

    def show_request(self, request: RenderRequest) -> None:
        """Fill the page with what an earlier take was asked for, to change it and ask again."""
        self.show_form(form_of(request))
        if left_out := not_in_form(request):
            self.banner.say(f"This page has no field for what the take also had: {', '.join(left_out).lower()}.")

    def show_form(self, form: RenderForm) -> None:
        """Fill the page with a form."""
        self.show_operation(form.operation)
        self.prompt.setText(form.prompt)
        if form.clip is not None:
            self.clip_area.take(form.clip)
            self.clip_area.mark(form.part)
        self.parameters.show_form(form)

    @property
    def form(self) -> RenderForm:
        """What the page says now."""
        area = self.clip_area
        return RenderForm(self.operation.value, self.prompt.text(), area.clip, area.part, self.parameters.values())

    @property
    def is_busy(self) -> bool:
        return bool(self._jobs) or self._live_job is not None

    def go(self) -> None:
        """Send what the page says, unless something is missing; earlier requests come first."""
        form = self.form.settled()
        from_live = self.clip_area.live_clip is not None and needs(form.operation, "clip")
        missing = form.missing(from_live=from_live)
        if missing is not None:
            self.banner.say(missing)
            lacks_words = needs(form.operation, "prompt") and not form.prompt.strip()
            (self.prompt if lacks_words else self.clip_area).setFocus()
            return
        self.banner.say("")
        self.parameters.seed.last = form["seed"]
        if from_live:
            self._live_forms.append(form)
            self._go_live()
            return
        job = new_job()
        try:
            request = form.request(job)
        except BridgeError as error:
            self.banner.say(sentence(*error_in_window(error)), "bad")
            return
        self._jobs.append(job)
        if len(self._jobs) == 1:
            self._show_working("sending", 0.0)
        self._controller.submit(request)
        self._show_waiting()

    def cancel(self) -> None:
        """Cancel the first request; those that wait behind it stay."""
        if self._jobs:
            self.stage.setText("stopping…")
            self._controller.cancel(self._jobs[0])
        elif self._live_job is not None:
            self.stage.setText("stopping…")
            self._live_job.cancel()

    # --------------------------------------------------------------------------------------------- following

    def _follow(self, entry: JobItem) -> None:
        if entry.job not in self._jobs:
            return
        if not entry.state.is_final:
            if entry.job == self._jobs[0]:
                self._show_working(entry.stage, entry.fraction)
            return
        self._end(entry.job)
        if entry.state is JobState.DONE:
            self._show_takes(entry)
            self.banner.say(sentence(*entry.warnings))
        elif entry.state is JobState.FAILED and entry.error is not None:
            self.banner.say(sentence(entry.error.text, entry.error.hint), "bad")
        elif entry.state is JobState.CANCELLED:
            self.banner.say("Cancelled. Nothing was written.")

    def _show_working(self, stage: str, fraction: float) -> None:
        self._working.show()
        self.stage.setText(stage[:1].upper() + stage[1:])
        is_moving = fraction > 0
        self.percent.setText(f"{100 * fraction:.0f} %" if is_moving else "")
        self.progress.show_fraction(fraction if is_moving else -1)

    def _show_waiting(self) -> None:
        """Show how many sounds wait behind the current one."""
        count = len(self._jobs) - 1 + len(self._live_forms)
        self.waiting.setText(f"{count} more waiting" if count > 0 else "")

    def _end(self, job: str = "") -> None:
        """Finish one of our jobs, `job` or else the one in Live, and show the next one."""
        if job:
            self._jobs.remove(job)
        else:
            self._live_job = None
        self._show_waiting()
        if self.is_busy:
            self._show_working("waiting", 0.0)
            return
        self._working.hide()
        self.prompt.setFocus()

    def _show_takes(self, entry: JobItem) -> None:
        self.takes_label.show()
        for rank, path in reversed(list(enumerate(entry.paths, 1))):
            title = f"Take {rank} of {len(entry.paths)}" if len(entry.paths) > 1 else TITLES.get(entry.operation, "")
            self.takes.insertWidget(0, TakeCard(self._controller, path, title))
        while self.takes.count() > _MAX_TAKES:
            take_last(self.takes)
        newest = self.takes.itemAt(0)
        if newest is not None and (best := newest.widget()) is not None:
            self.bring_into_view(best)

    def forget_takes(self) -> None:
        """Clear the list of new takes; their files are kept."""
        clear(self.takes)
        self.takes_label.hide()

    # -------------------------------------------------------------------------------------------------- Live

    def _ask_live(self) -> None:
        self.clip_area.live_button.setEnabled(False)
        self._controller.tasks.run(lambda: clip_in_live(self._controller.folder), self._use_live, self._miss_live)

    def _use_live(self, name: str) -> None:
        self.clip_area.live_button.setEnabled(True)
        self.clip_area.take_from_live(name)

    def _miss_live(self, error: Exception) -> None:
        self.clip_area.live_button.setEnabled(True)
        self.banner.say(sentence(*error_in_window(error)))

    def _go_live(self) -> None:
        """Pass the next form on to Live, one at a time."""
        self._show_waiting()
        if self._live_job is not None or not self._live_forms:
            return
        form = self._live_forms.pop(0)
        self._show_waiting()
        job = LiveJob(self._controller.folder, form.operation, form.words_for_live())
        self._live_job = job
        self._show_working("waiting for Live", 0.0)
        self._controller.tasks.run(lambda: job.run(self._live_news.emit), self._receive_live, self._fail_live)

    def _receive_live(self, message: Message) -> None:
        address, args = message
        if address == "/done":
            self._end()
            self.banner.say("The take is in Live, beside the clip.", "good")
            self._go_live()
        elif address == "/fail":
            self._end()
            self.banner.say(sentence(args[3], args[4]), "warning" if args[2] == "cancelled" else "bad")
            self._go_live()
        elif address.endswith("/progress"):
            self._show_working(str(args[2]), float(args[1]))
        elif address.endswith("/warning"):
            self.banner.say(sentence(args[1]))

    def _fail_live(self, error: Exception) -> None:
        self._end()
        self._miss_live(error)
        self._go_live()
