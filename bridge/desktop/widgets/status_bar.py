"""The bar below the pages: the daemon's state and activity, and recent errors."""

from PySide6.QtCore import Qt, QTimer
from PySide6.QtWidgets import QWidget

from bridge.desktop.state.job_store import Summary
from bridge.desktop.widgets.basic import Button, NameLabel, ProgressBar, label, row, set_role
from bridge.wire.messages import StatusReply

COMPLAINT_MS = 10_000
"""How long an error is shown."""


class StatusBar(QWidget):
    """One line: the state on the left, the facts on the right."""

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("statusBar")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self._standing, self._is_alarming = "Connecting to the daemon…", False
        self._complaint = ""
        self.state, self.facts = NameLabel("small"), label("", "small")
        self.activity = ProgressBar()
        self.activity.setFixedWidth(150)
        self.activity.hide()
        self.dismiss = Button("", "close", "slim", "Dismiss")
        self.dismiss.clicked.connect(lambda: self.complain(""))
        self._leaving = QTimer(self)
        self._leaving.setSingleShot(True)
        self._leaving.setInterval(COMPLAINT_MS)
        self._leaving.timeout.connect(lambda: self.complain(""))
        layout = row(self.state, self.dismiss, self.activity, self.facts, gap=14)
        layout.setStretch(0, 1)
        layout.setContentsMargins(28, 4, 28, 4)
        self.setLayout(layout)
        self.setFixedHeight(36)
        self._show()

    def show_connection(self, *, is_up: bool, trouble: str) -> None:
        """Show the connection; a daemon that has just gone is back in a moment, and no error."""
        waiting = f"{trouble}. Trying again…" if trouble else "Reconnecting…"
        self._standing, self._is_alarming = "Ready" if is_up else waiting, bool(trouble) and not is_up
        self._show()

    def show_summary(self, summary: Summary, *, is_connected: bool) -> None:
        """Show the current job and its progress."""
        is_working = summary.status == "working"
        self.activity.setVisible(is_working)
        self.activity.show_fraction(summary.fraction if summary.fraction > 0 else -1)
        if is_connected:
            self._standing, self._is_alarming = summary.text if is_working else "Ready", False
        self._show()

    def show_status(self, status: StatusReply) -> None:
        """Show the model and its device."""
        self.facts.setText(f"{status.model} · {status.device}")
        self.facts.setToolTip(f"Retake {status.version}: model {status.model} on {status.device}, {status.state}")

    def complain(self, text: str) -> None:
        """Show an error for some seconds, or until it is dismissed; nothing replaces it before that."""
        self._complaint = text
        if text:
            self._leaving.start()
        else:
            self._leaving.stop()
        self._show()

    def _show(self) -> None:
        set_role(self.state, "alarm" if self._complaint or self._is_alarming else "small")
        self.state.setText(self._complaint or self._standing)
        self.state.setToolTip(self._complaint or self._standing)
        self.dismiss.setVisible(bool(self._complaint))
