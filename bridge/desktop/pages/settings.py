"""The Settings page: the window's own take effect at once, the daemon's with *Apply*, which restarts it."""

from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QFileDialog,
    QGridLayout,
    QLineEdit,
    QWidget,
)

from bridge.desktop.state.autostart import Autostart
from bridge.desktop.state.controller import AppController
from bridge.desktop.state.daemon_settings import Changes, read_settings, write_settings
from bridge.desktop.state.preferences import Preferences
from bridge.desktop.widgets.basic import (
    Banner,
    Button,
    Page,
    Segments,
    card,
    column,
    label,
    row,
)
from bridge.desktop.widgets.fields import Choice, Number, Slider, Switch
from bridge.desktop.widgets.files_out import open_path
from bridge.host.settings import Settings
from bridge.plain_words import error_in_window, sentence

_LABEL_WIDTH = 190
_DEVICES = ("auto", "cpu", "cuda", "mps")


class SettingsForm(QGridLayout):
    """Labels on the left, fields on the right, an explanation below each."""

    def __init__(self) -> None:
        super().__init__()
        self.setHorizontalSpacing(20)
        self.setVerticalSpacing(4)
        self.setColumnMinimumWidth(0, _LABEL_WIDTH)
        self.setColumnStretch(1, 1)
        self._row = 0

    def add(self, name: str, field: QWidget, about: str = "") -> None:
        """Add a field with its label; Alt and the letter after & focuses it."""
        made = label(name)
        made.setTextFormat(Qt.TextFormat.AutoText)
        made.setBuddy(field)
        field.setAccessibleName(name.replace("&", ""))
        if self._row:
            self.setRowMinimumHeight(self._row, 8)
            self._row += 1
        self.addWidget(made, self._row, 0, Qt.AlignmentFlag.AlignVCenter)
        self.addWidget(field, self._row, 1)
        if about:
            self.addWidget(label(about, "small", wraps=True), self._row + 1, 1)
        self._row += 2


class FolderField(QWidget):
    """A folder, typed or chosen; empty means the built-in one."""

    def __init__(self, placeholder: str) -> None:
        super().__init__()
        self.line = QLineEdit()
        self.line.setPlaceholderText(placeholder)
        self.line.setClearButtonEnabled(True)
        self.setFocusProxy(self.line)
        choose = Button("Choose…", "folder")
        choose.clicked.connect(self._choose)
        layout = row(self.line, choose)
        layout.setStretch(0, 1)
        self.setLayout(layout)

    def _choose(self) -> None:
        folder = QFileDialog.getExistingDirectory(self, "Choose a folder", self.line.text())
        if folder:
            self.line.setText(folder)

    @property
    def value(self) -> str | None:
        return self.line.text().strip() or None

    def show_value(self, folder: Path | None) -> None:
        self.line.setText("" if folder is None else str(folder))


class SettingsPage(Page):
    """Two kinds of settings: the window's own, and the daemon's file."""

    def __init__(self, controller: AppController, settings_file: Path, autostart: Autostart) -> None:
        super().__init__(
            "Settings", "This window's settings take effect at once; rendering settings when you apply them."
        )
        self._controller = controller
        self._file = settings_file
        self._autostart = autostart
        self.banner = Banner()
        self.body.addWidget(self.banner)
        self.body.addWidget(label("This window", "heading"))
        self.body.addWidget(card(self._window_form()))
        self.body.addWidget(label("Playback", "heading"))
        self.body.addWidget(card(self._listening_form()))
        self.body.addWidget(label("Rendering", "heading"))
        self.body.addWidget(card(column(self._daemon_form(), 6, self._daemon_actions(), gap=10)))
        self.body.addStretch(1)
        self._show_preferences(controller.preferences)
        controller.preferences_changed.connect(self._show_preferences)
        controller.models_changed.connect(self._show_models)

    def on_shown(self) -> None:
        self.login.setChecked(self._autostart.is_on)
        self._controller.tasks.run(lambda: read_settings(self._file), self._show_settings, self._complain)

    # -------------------------------------------------------------------------------------------- the window

    def _window_form(self) -> SettingsForm:
        form = SettingsForm()
        self.theme = Segments([("system", "Same as system"), ("light", "Light"), ("dark", "Dark")], "appearance")
        self.theme.chosen.connect(lambda theme: self._controller.prefer(theme=theme))
        form.add("Appearance", self.theme)
        self.closing = Segments([("tray", "Keep running in the tray"), ("quit", "Quit")], "closing the window")
        self.closing.chosen.connect(lambda closing: self._controller.prefer(closing=closing))
        form.add("Closing the window", self.closing, "Where there is no tray, closing the window quits.")
        self.login = Switch("Start Retake when I log in")
        self.login.clicked.connect(self._switch_autostart)
        form.add("Start", self.login, "Starts in the tray, without a window.")
        self.keeps_daemon = Switch("Keep the daemon running when I quit")
        self.keeps_daemon.clicked.connect(lambda on: self._controller.prefer(keeps_daemon=on))
        form.add("Quit", self.keeps_daemon, "Otherwise DAW scripts start it again when they need it.")
        self.update_url = QLineEdit()
        self.update_url.setPlaceholderText("none: updates are never checked")
        self.update_url.editingFinished.connect(self._keep_address)
        form.add("&Update address", self.update_url, "Used only when you click Check for updates in About.")
        return form

    def _listening_form(self) -> SettingsForm:
        form = SettingsForm()
        self.device = QLineEdit()
        self.device.setPlaceholderText("the system's output")
        self.device.editingFinished.connect(lambda: self._controller.prefer(audition_device=self.device.text().strip()))
        form.add("&Output", self.device, "Name of a sound device, or how it begins.")
        self.level = Slider(-40, 0)
        self._level_value = label("", "strong")
        self._level_value.setFixedWidth(64)
        self.level.valueChanged.connect(lambda value: self._level_value.setText(f"{value} dB"))
        self.level.sliderReleased.connect(self._keep_level)
        self.level.actionTriggered.connect(lambda _: self._keep_level_soon())
        level = QWidget()
        level.setFocusProxy(self.level)
        level.setLayout(row(self.level, self._level_value))
        form.add("&Level", level)
        return form

    def _show_preferences(self, preferences: Preferences) -> None:
        self.theme.choose(preferences.theme)
        self.closing.choose(preferences.closing)
        self.keeps_daemon.setChecked(preferences.keeps_daemon)
        self.update_url.setText(preferences.update_url)
        self.device.setText(preferences.audition_device)
        if not self.level.isSliderDown():
            self.level.setValue(round(preferences.audition_level_db))
        self._level_value.setText(f"{self.level.value()} dB")

    def _keep_address(self) -> None:
        if self.update_url.text().strip() != self._controller.preferences.update_url:
            self._controller.prefer(update_url=self.update_url.text().strip())

    def _keep_level(self) -> None:
        self._controller.prefer(audition_level_db=float(self.level.value()))

    def _keep_level_soon(self) -> None:
        """Keep the level after a key or click; Qt moves the slider only after this signal."""
        if not self.level.isSliderDown():
            self._controller.prefer(audition_level_db=float(self.level.sliderPosition()))

    def _switch_autostart(self, on: bool) -> None:
        try:
            self._autostart.switch(on=on)
        except OSError as error:
            self.banner.say(f"Start at login could not be changed: {error.strerror or error}.", "bad")
        self.login.setChecked(self._autostart.is_on)

    # -------------------------------------------------------------------------------------------- the daemon

    def _daemon_form(self) -> SettingsForm:
        form = SettingsForm()
        self.output_dir = FolderField("beside the clip; for new sounds, Music/Retake")
        form.add("&Folder for takes", self.output_dir)
        self.models_dir = FolderField("the system's folder for application data")
        form.add("Folder for &models", self.models_dir)
        self.model = Choice()
        self.model.addItem("nano")
        form.add("&Default model", self.model)
        self.compute = Choice()
        self.compute.addItems(_DEVICES)
        form.add("C&ompute on", self.compute, "auto uses the graphics card if there is a suitable one.")
        self.idle_min = Number(0.1, 10_000.0, decimals=1, unit=" min", width=130, name="minutes without work")
        form.add("&Keep the model loaded", self.idle_min, "After this long without a job, its memory is freed.")
        return form

    def _daemon_actions(self) -> QWidget:
        self.apply_button = Button("Apply", role="primary", tip="Save the settings and restart the daemon")
        self.apply_button.clicked.connect(self.apply)
        logs = Button("Logs", "folder", tip="Open the folder with the daemon's logs")
        logs.clicked.connect(lambda: open_path(self._controller.folder))
        made = QWidget()
        made.setLayout(row(self.apply_button, label("restarts the daemon", "small"), None, logs))
        return made

    def _show_settings(self, settings: Settings) -> None:
        self.output_dir.show_value(settings.output_dir)
        self.models_dir.show_value(settings.models_dir)
        if self.model.findText(settings.model) < 0:
            self.model.addItem(settings.model)
        self.model.setCurrentText(settings.model)
        if self.compute.findText(settings.device) < 0:
            self.compute.addItem(settings.device)
        self.compute.setCurrentText(settings.device)
        self.idle_min.setValue(settings.idle_unload_min)

    def _show_models(self, names: tuple[str, ...]) -> None:
        for name in names:
            if self.model.findText(name) < 0:
                self.model.addItem(name)

    def apply(self) -> None:
        """Write the daemon's settings file, and restart the daemon to read it."""
        changes: Changes = {
            "output_dir": self.output_dir.value,
            "models_dir": self.models_dir.value,
            "model": self.model.currentText(),
            "device": self.compute.currentText(),
            "idle_unload_min": self.idle_min.value(),
        }
        self.apply_button.setEnabled(False)
        self._controller.tasks.run(lambda: write_settings(self._file, changes), self._applied, self._complain)

    def _applied(self, _: None) -> None:
        self.apply_button.setEnabled(True)
        self.banner.say("Saved. The daemon restarts with these settings.")
        self._controller.restart_daemon()

    def _complain(self, error: Exception) -> None:
        self.apply_button.setEnabled(True)
        self.banner.say(sentence(*error_in_window(error)), "bad")
