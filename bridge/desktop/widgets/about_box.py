"""The About box: versions, licences, privacy, and a check for updates on request."""

import os
import platform
from collections.abc import Callable

import PySide6
from PySide6.QtCore import Qt, QUrl, qVersion
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QDialog, QLabel, QWidget

from bridge import __version__
from bridge.desktop.state.controller import AppController
from bridge.desktop.state.updates import VARIABLE, UpdateManifest, fetch_manifest, is_newer
from bridge.desktop.widgets.basic import Banner, Button, column, label, row, rule
from bridge.desktop.widgets.icons import GROUND, mark
from bridge.plain_words import error_in_window, sentence
from bridge.wire.messages import PROTOCOL_VERSION

PRIVACY = (
    "No telemetry. Retake sends nothing about you, your sounds or this computer. It connects to the network "
    "only when you download a model or check for updates."
)
LICENCES = (
    ("Retake and its model nano", "Apache-2.0"),
    ("Qt and PySide6", "LGPL-3.0, used as separate libraries that you may replace"),
    ("PyTorch, NumPy, SciPy", "BSD-3-Clause"),
    ("libsndfile, libsoxr", "LGPL-2.1"),
    ("transformers, tokenizers, safetensors", "Apache-2.0"),
    ("laion-clap, where it is installed", "CC0-1.0"),
    ("PortAudio", "MIT"),
)
"""What Retake is made of, and the licence of each part."""


class AboutBox(QDialog):
    """Shows version, licences and privacy."""

    def __init__(self, controller: AppController, parent: QWidget) -> None:
        super().__init__(parent)
        self._controller = controller
        self.setWindowTitle("About Retake")
        picture = QLabel()
        pixmap = mark(round(56 * self.devicePixelRatioF()), "#ffffff", ground=GROUND)
        pixmap.setDevicePixelRatio(self.devicePixelRatioF())
        picture.setPixmap(pixmap)
        self.versions = label(
            f"Version {__version__} · protocol {PROTOCOL_VERSION} · Qt {qVersion()} · PySide {PySide6.__version__} · "
            f"Python {platform.python_version()}",
            "small",
        )
        self.versions.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        head = row(picture, column(label("Retake", "title"), self.versions, gap=2), None, gap=16)
        self.privacy = label(PRIVACY, wraps=True)
        licences = column(gap=4)
        for name, licence in LICENCES:
            licences.addLayout(row(label(name), None, label(licence, "muted"), gap=24))
        self.check_button = Button("Check for updates", "again")
        self.check_button.clicked.connect(self.check)
        self.notes_button = Button("Release notes", role="primary")
        self.notes_button.hide()
        close = Button("Close")
        close.clicked.connect(self.accept)
        self.banner = Banner()
        buttons = row(self.check_button, self.notes_button, None, close)
        words = column(head, rule(), self.privacy, rule(), label("Licences", "heading"), licences, 4, gap=14)
        layout = column(words, self.banner, buttons, gap=14)
        layout.setContentsMargins(28, 26, 28, 22)
        self.setLayout(layout)
        self.setFixedWidth(640)

    def check(self) -> None:
        """Check the update address, if one is set."""
        address = os.environ.get(VARIABLE) or self._controller.preferences.update_url
        if not address:
            self.banner.say("No update address is set, so nothing was checked. You can set one in Settings.")
            return
        self.check_button.setEnabled(False)
        self.banner.say("Checking…")
        self._controller.tasks.run(lambda: fetch_manifest(address), self._show_manifest, self._complain)

    def _show_manifest(self, manifest: UpdateManifest) -> None:
        self.check_button.setEnabled(True)
        if not is_newer(manifest.version, __version__):
            self.banner.say(f"You have the latest version, {__version__}.")
            return
        self.banner.say(f"Version {manifest.version} of {manifest.released} is available. Nothing was downloaded.")
        self.notes_button.show()
        self.notes_button.clicked.connect(_opener(manifest.notes_url))

    def _complain(self, error: Exception) -> None:
        self.check_button.setEnabled(True)
        self.banner.say(sentence(*error_in_window(error)), "bad")


def _opener(address: str) -> Callable[[], None]:
    return lambda: (QDesktopServices.openUrl(QUrl(address)), None)[1]
