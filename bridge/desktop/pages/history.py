"""The History page: every result beside its source, with its request; repeat it, or drag it to the DAW."""

from PySide6.QtCore import Signal
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import QLineEdit, QStackedWidget, QWidget

from bridge.desktop.state.controller import AppController
from bridge.desktop.state.job_item import JobItem, facts_of
from bridge.desktop.state.parameters import TITLES
from bridge.desktop.widgets.basic import (
    Banner,
    Button,
    EmptyState,
    Page,
    card,
    clear,
    column,
    elided,
    fill,
    label,
    row,
    scrolled,
)
from bridge.desktop.widgets.compare_view import CompareView
from bridge.desktop.widgets.files_out import DragHandle, reveal
from bridge.desktop.widgets.flow_layout import FlowLayout
from bridge.desktop.widgets.history_list import HistoryList, ResultFile
from bridge.plain_words import sentence
from bridge.wire.messages import RenderRequest


class HistoryPage(Page):
    """A list on the left, one result on the right; `change_wanted` asks for its request to be opened."""

    change_wanted = Signal(RenderRequest)
    create_wanted = Signal()
    repeated = Signal(JobItem)

    def __init__(self, controller: AppController) -> None:
        super().__init__("History", "Every take, beside its source.", scrolls=False)
        self._controller = controller
        self.search = QLineEdit()
        self.search.setPlaceholderText("Search (Ctrl+F)")
        self.search.setClearButtonEnabled(True)
        self.search.setAccessibleName("search the history")
        self.search.textChanged.connect(self.refill)
        self.results = HistoryList()
        self.results.currentItemChanged.connect(self._show_current)
        self.compare = CompareView(controller)
        self.compare.play_by_space(self.results)
        left = QWidget()
        left.setFixedWidth(256)
        left.setLayout(column(self.search, self.results))
        create = Button("Create a sound", role="primary")
        create.clicked.connect(self.create_wanted)
        self._stack = QStackedWidget()
        self._stack.addWidget(EmptyState("history", "No takes yet", "Everything you make appears here.", create))
        both = QWidget()
        both.setLayout(row(left, self._make_detail(), gap=22))
        self._stack.addWidget(both)
        self.body.addWidget(self._stack, 1)
        QShortcut(QKeySequence("Ctrl+F"), self, self.search.setFocus)
        controller.refilled.connect(self.refill)
        controller.job_changed.connect(self._follow)
        self.refill()

    def _make_detail(self) -> QWidget:
        self.operation, self.prompt = label("", "chip-accent"), label("", "heading", wraps=True)
        self.warning = Banner()
        self._facts = FlowLayout(gap=26, line_gap=8)
        self.handle = DragHandle()
        self.again_button = Button("&Again, new seed", "again", "primary", "The same words with the next seed (Ctrl+N)")
        self.again_button.setShortcut("Ctrl+N")
        self.same_button = Button("Same &seed", tip="Make the identical take again")
        self.edit_button = Button("&Change…", tip="Open these settings on the Create page")
        self.reveal_button = Button("", "folder", tip="Show the file in its folder")
        self.again_button.clicked.connect(lambda: self._again(is_new_seed=True))
        self.same_button.clicked.connect(lambda: self._again(is_new_seed=False))
        self.edit_button.clicked.connect(self._edit)
        self.reveal_button.clicked.connect(lambda: reveal(self.handle.path))
        head = row(self.operation, self.prompt, gap=10)
        head.setStretch(1, 1)
        out = fill(QWidget(), row(self.handle, self.reveal_button))
        actions = FlowLayout(self.again_button, self.same_button, self.edit_button, out, gap=8, line_gap=8)
        box = column(head, self.warning, self.compare, self._facts, actions, gap=14)
        box.setStretch(2, 1)
        return scrolled(card(box))

    # --------------------------------------------------------------------------------------------- showing

    def refill(self) -> None:
        """List all results that match the search."""
        every = [
            ResultFile(entry, path, rank)
            for entry in self._controller.jobs.results()
            for rank, path in enumerate(entry.paths, 1)
        ]
        self.results.fill([result for result in every if result.matches(self.search.text())])
        self._stack.setCurrentIndex(1 if every else 0)
        self._show_current()

    def choose(self, path: str) -> None:
        """Select a result by its file."""
        for index in range(self.results.count()):
            self.results.setCurrentRow(index)
            if self.results.current_result is not None and self.results.current_result.path == path:
                return

    def on_shown(self) -> None:
        self.results.setFocus()

    def _follow(self, entry: JobItem) -> None:
        if entry.state.is_final and entry.paths:
            self.refill()

    def _show_current(self) -> None:
        result = self.results.current_result
        if result is None or self.handle.path == result.path:
            return
        entry = result.entry
        if self.compare.is_playing:
            self._controller.audition.stop()
        self.operation.setText(TITLES.get(entry.operation, "Job"))
        self.prompt.setText(elided(entry.title, 160))
        self.warning.say(sentence(*entry.warnings))
        self.handle.path = result.path
        heard = (getattr(entry.request, name, None) for name in ("follow", "like"))
        source = str(entry.clip) if entry.clip else next((path for path in heard if path), None)
        self.compare.show_files(source, result.path)
        self._show_facts(result)
        for button in (self.again_button, self.same_button, self.edit_button):
            button.setEnabled(entry.request is not None)

    def _show_facts(self, result: ResultFile) -> None:
        clear(self._facts)
        facts = facts_of(result.entry.request) if result.entry.request else []
        if len(result.entry.paths) > 1:
            facts.append(("Rank", f"{result.rank} of {len(result.entry.paths)}"))
        for name, value in facts:
            cell = fill(QWidget(), column(label(name, "label"), label(elided(value, 28)), gap=1))
            cell.setToolTip(value)
            self._facts.addWidget(cell)

    # ---------------------------------------------------------------------------------------------- acting

    def _again(self, *, is_new_seed: bool) -> None:
        result = self.results.current_result
        if result is not None:
            entry = self._controller.repeat(result.entry, is_new_seed=is_new_seed)
            if entry is not None:
                self.repeated.emit(entry)

    def _edit(self) -> None:
        result = self.results.current_result
        if result is not None and result.entry.request is not None:
            self.change_wanted.emit(result.entry.request)
