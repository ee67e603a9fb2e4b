"""The window: a sidebar of pages, the current page beside it, and a status bar below."""

from functools import partial
from pathlib import Path

from PySide6.QtCore import QByteArray, QSize, Qt, Signal
from PySide6.QtGui import QCloseEvent, QKeySequence, QShortcut
from PySide6.QtWidgets import QButtonGroup, QHBoxLayout, QLabel, QStackedWidget, QWidget

from bridge.desktop.pages.create import CreatePage
from bridge.desktop.pages.first_run import FirstRunPage
from bridge.desktop.pages.history import HistoryPage
from bridge.desktop.pages.jobs import JobsPage
from bridge.desktop.pages.models import ModelsPage
from bridge.desktop.pages.settings import SettingsPage
from bridge.desktop.state.autostart import Autostart
from bridge.desktop.state.controller import AppController
from bridge.desktop.state.job_item import JobItem
from bridge.desktop.widgets.about_box import AboutBox
from bridge.desktop.widgets.basic import Banner, Button, Page, column, fit, label, row
from bridge.desktop.widgets.icons import GROUND, app_icon, mark
from bridge.desktop.widgets.status_bar import StatusBar
from bridge.wire.messages import RenderRequest

_SIZE = QSize(1120, 760)
_SMALLEST = QSize(800, 520)
"""Fits into half of a small screen, and on a laptop with twice the pixel density."""
_SIDEBAR = 186
_PAGES = (
    ("create", "Create", "create"),
    ("jobs", "Jobs", "jobs"),
    ("history", "History", "history"),
    ("models", "Models", "models"),
    ("settings", "Settings", "settings"),
    ("first-run", "First run", "start"),
)
PAGE_NAMES = tuple(name for name, _, _ in _PAGES)


class Window(QWidget):
    """All pages; `closed` is emitted when the user closes it."""

    closed = Signal()

    def __init__(self, controller: AppController, settings_file: Path, autostart: Autostart) -> None:
        super().__init__()
        self._controller = controller
        self.setObjectName("window")
        self.setWindowTitle("Retake")
        self.setWindowIcon(app_icon())
        self.setMinimumSize(_SMALLEST)
        self.create_page = CreatePage(controller)
        self.jobs_page = JobsPage(controller)
        self.history_page = HistoryPage(controller)
        self.models_page = ModelsPage(controller, settings_file)
        self.settings_page = SettingsPage(controller, settings_file, autostart)
        self.first_run_page = FirstRunPage(controller)
        pages = (
            self.create_page,
            self.jobs_page,
            self.history_page,
            self.models_page,
            self.settings_page,
            self.first_run_page,
        )
        self._pages: dict[str, Page] = dict(zip(PAGE_NAMES, pages, strict=True))
        self.status_bar = StatusBar()
        self._stack = QStackedWidget()
        for page in pages:
            self._stack.addWidget(page)
        self._lay_out()
        self._connect()
        fit(self, _SIZE)
        if controller.preferences.geometry:
            self.restoreGeometry(QByteArray.fromHex(controller.preferences.geometry.encode()))
        self.show_page("create" if controller.preferences.is_set_up else "first-run")

    def _lay_out(self) -> None:
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self._make_sidebar())
        right = column(self._make_notice(), self._stack, self.status_bar, gap=0)
        right.setStretch(1, 1)
        layout.addLayout(right, 1)

    def _make_sidebar(self) -> QWidget:
        sidebar = QWidget()
        sidebar.setObjectName("sidebar")
        sidebar.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        sidebar.setFixedWidth(_SIDEBAR)
        picture = QLabel()
        pixmap = mark(round(26 * self.devicePixelRatioF()), "#ffffff", ground=GROUND)
        pixmap.setDevicePixelRatio(self.devicePixelRatioF())
        picture.setPixmap(pixmap)
        self._group = QButtonGroup(self)
        self._buttons: dict[str, Button] = {}
        layout = column(row(6, picture, label("Retake", "brand"), None, gap=9), 14, gap=3)
        for number, (name, text, icon) in enumerate(_PAGES, 1):
            button = Button(f" {text}", icon, "nav", f"{text} (Ctrl+{number})")
            button.setCheckable(True)
            button.clicked.connect(lambda _=False, name=name: self.show_page(name))
            QShortcut(QKeySequence(f"Ctrl+{number}"), self, partial(self.show_page, name))
            self._group.addButton(button)
            self._buttons[name] = button
            if name == "settings":
                layout.addStretch(1)
            layout.addWidget(button)
        about = Button(" About", "about", "nav", tip="Versions, licences, updates")
        about.clicked.connect(self.show_about)
        layout.addWidget(about)
        layout.setContentsMargins(12, 20, 12, 14)
        sidebar.setLayout(layout)
        return sidebar

    def _make_notice(self) -> QWidget:
        self.notice = Banner()
        close = Button("", "close", "quiet", "Dismiss")
        self._notice_box = QWidget()
        close.clicked.connect(self._notice_box.hide)
        layout = row(self.notice, close)
        layout.setStretch(0, 1)
        layout.setContentsMargins(28, 12, 20, 0)
        self._notice_box.setLayout(layout)
        self._notice_box.hide()
        return self._notice_box

    def _connect(self) -> None:
        controller = self._controller
        controller.connection_changed.connect(self._show_connection)
        controller.status_changed.connect(self.status_bar.show_status)
        controller.summary_changed.connect(lambda _: self._show_summary())
        controller.complained.connect(self.status_bar.complain)
        self.history_page.change_wanted.connect(self._change)
        self.history_page.create_wanted.connect(lambda: self.show_page("create"))
        self.history_page.repeated.connect(self._follow_repeat)
        self.first_run_page.left.connect(lambda: self.show_page("create"))

    # ------------------------------------------------------------------------------------------------ pages

    def show_page(self, name: str) -> None:
        """Show a page."""
        self._buttons[name].setChecked(True)
        self._stack.setCurrentWidget(self._pages[name])
        self._pages[name].on_shown()

    @property
    def page(self) -> str:
        return next(name for name, page in self._pages.items() if page is self._stack.currentWidget())

    def show_about(self) -> AboutBox:
        box = AboutBox(self._controller, self)
        box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        box.open()
        return box

    def _change(self, request: RenderRequest) -> None:
        self.create_page.show_request(request)
        self.show_page("create")

    def _follow_repeat(self, _: JobItem) -> None:
        self.show_page("jobs")

    # ------------------------------------------------------------------------------------------- status bar

    def _show_connection(self, is_up: bool, trouble: str) -> None:
        self.status_bar.show_connection(is_up=is_up, trouble=trouble)
        self._show_summary()

    def _show_summary(self) -> None:
        self.status_bar.show_summary(self._controller.jobs.summary(), is_connected=self._controller.is_connected)

    def note(self, text: str) -> None:
        """Show a notice above the pages until it is dismissed."""
        self.notice.say(text)
        self._notice_box.show()

    # ------------------------------------------------------------------------------------- opening, closing

    def come_forward(self) -> None:
        """Show, un-minimise and raise the window."""
        self.setWindowState(self.windowState() & ~Qt.WindowState.WindowMinimized)
        self.show()
        self.raise_()
        self.activateWindow()

    def closeEvent(self, event: QCloseEvent) -> None:  # noqa: N802 - Qt's name
        self._controller.prefer(geometry=bytes(self.saveGeometry().toHex().data()).decode())
        event.accept()
        self.closed.emit()

    def close_runs(self) -> None:
        """Stop the commands of all pages."""
        self.models_page.close_runs()
        self.first_run_page.close_runs()
