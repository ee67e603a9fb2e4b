"""The Models page: installed and downloadable models, the licence before a download, progress, removal."""

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QUrl
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QFrame, QMessageBox, QStackedWidget, QWidget

from bridge.desktop.state.background_tasks import CommandRun
from bridge.desktop.state.controller import AppController
from bridge.desktop.state.daemon_settings import read_settings
from bridge.desktop.state.model_list import (
    LICENCES,
    Model,
    PullProgress,
    parse_error,
    parse_models,
    parse_passed_over,
    parse_pull_progress,
)
from bridge.desktop.widgets.basic import (
    Banner,
    Button,
    EmptyState,
    NameLabel,
    Page,
    ProgressBar,
    card,
    clear,
    column,
    fill,
    label,
    row,
)
from bridge.host.settings import Settings
from bridge.plain_words import reason_of, sentence

_CANCELLED = 130


class LicenceDialog(QDialog):
    """Shows the licence of a model; nothing is downloaded before it is accepted."""

    def __init__(self, model: Model, parent: QWidget) -> None:
        super().__init__(parent)
        self.setWindowTitle(f"Licence of {model.name}")
        buttons = QDialogButtonBox()
        self.accept_button = buttons.addButton("Accept and download", QDialogButtonBox.ButtonRole.AcceptRole)
        self.accept_button.setProperty("role", "primary")
        buttons.addButton("Not now", QDialogButtonBox.ButtonRole.RejectRole)
        buttons.accepted.connect(self.accept)
        buttons.rejected.connect(self.reject)
        unknown = "", "Read it before you use what the model generates."
        about = {licence: LICENCES.get(licence, unknown) for licence in model.licences}
        reading = [self._reader(licence, address) for licence, (address, _) in about.items() if address]
        text = f"{model.name} is licensed under {model.licence}."
        means = [meaning if len(about) == 1 else f"{licence}: {meaning}" for licence, (_, meaning) in about.items()]
        more = ", and the converted model needs about as much again" if len(about) == 1 else ""
        size = f"The download is about {model.size}{more}."
        meanings = column(*(label(meaning, wraps=True) for meaning in means), gap=8)
        words = column(label(text, "heading", wraps=True), meanings, label(size, "muted", wraps=True), gap=8)
        layout = column(words, 8, row(*reading, None, buttons))
        layout.setContentsMargins(26, 24, 26, 20)
        self.setLayout(layout)
        self.setMinimumWidth(500)

    @staticmethod
    def _reader(licence: str, address: str) -> Button:
        button = Button("Read the licence", role="quiet", tip=licence)
        button.clicked.connect(lambda: QDesktopServices.openUrl(QUrl(address)))
        return button


class ModelRow(QFrame):
    """One model, with its button."""

    def __init__(self, model: Model, on_pull: Callable[[Model], None], on_remove: Callable[[Model], None]) -> None:
        super().__init__()
        self.model = model
        badge = "comes with Retake" if model.is_shipped else "installed" if model.is_installed else ""
        self.pull_button = Button("Download", "down", tip=f"Show the licence, then download {model.name}")
        self.pull_button.clicked.connect(lambda: on_pull(model))
        self.pull_button.setVisible(not model.is_installed)
        self.remove_button = Button("Remove", "close", tip=f"Delete {model.name} from this computer")
        self.remove_button.clicked.connect(lambda: on_remove(model))
        self.remove_button.setVisible(model.is_installed and not model.is_shipped)
        self.cancel_button = Button("Cancel", "close", tip="Stop; the part that is downloaded is kept for next time")
        self.cancel_button.hide()
        self.progress, self.stage = ProgressBar(), NameLabel("small")
        self._moving = QWidget()
        self._moving.setLayout(column(self.progress, self.stage, gap=5))
        self._moving.hide()
        name = row(label(model.name, "strong"), *([label(badge, "chip-accent")] if badge else []), None)
        facts = label(f"{model.size} · {model.licence}", "small", wraps=True)
        left = column(
            name, label(model.about[:1].upper() + model.about[1:], "muted", wraps=True), facts, self._moving, gap=5
        )
        box = row(left, self.pull_button, self.cancel_button, self.remove_button, gap=14)
        box.setStretch(0, 1)
        fill(self, column(card(box, padding=16)))

    def show_pull(self, news: PullProgress) -> None:
        """Show the progress of the download."""
        self.pull_button.hide()
        self.cancel_button.show()
        self._moving.show()
        self.progress.show_fraction(news.fraction if news.fraction > 0 else -1)
        self.stage.setText(f"{100 * news.fraction:.0f} %  {news.text}")


class ModelsPage(Page):
    """Lists models with `retake models list` and downloads with `retake models pull`, as processes."""

    def __init__(self, controller: AppController, settings_file: Path) -> None:
        super().__init__(
            "Models", "The networks that make the sounds. Nothing is downloaded unless you ask for it here."
        )
        self._controller = controller
        self._settings_file = settings_file
        self._variables: dict[str, str] = {}
        self._listing: CommandRun | None = None
        self._runs: dict[str, CommandRun] = {}
        self.rows: dict[str, ModelRow] = {}
        self.banner = Banner()
        self.installed, self.offers = column(gap=10), column(gap=10)
        listed = QWidget()
        listed.setLayout(
            column(label("Installed", "heading"), self.installed, 8, label("To download", "heading"), self.offers, None)
        )
        self._stack = QStackedWidget()
        self._stack.addWidget(EmptyState("models", "Looking for models…", "This takes a moment."))
        self._stack.addWidget(listed)
        self.body.addWidget(self.banner)
        self.body.addWidget(self._stack, 1)

    def on_shown(self) -> None:
        if not self._runs:
            self._controller.tasks.run(lambda: read_settings(self._settings_file), self._list_where, self._complain)

    def _list_where(self, settings: Settings) -> None:
        """Use the models folder of the daemon's settings."""
        self._variables = {} if settings.models_dir is None else {"RETAKE_MODELS": str(settings.models_dir)}
        self.refresh()

    def _complain(self, error: Exception) -> None:
        self.banner.say(sentence(reason_of(error)), "bad")

    def refresh(self) -> None:
        """List the models again."""
        if self._listing is None or not self._listing.is_running:
            self._listing = CommandRun(
                self._controller.own_command("models", "list", "--json"), self, **self._variables
            )
            self._listing.ended.connect(self._show_models)

    def _show_models(self, code: int, stdout: str, stderr: str) -> None:
        try:
            models = parse_models(stdout)
        except ValueError:
            text, hint = parse_error(stdout, stderr)
            self.banner.say(sentence(f"The models cannot be listed (exit code {code}): {text}", hint), "bad")
            return
        if broken := parse_passed_over(stdout):
            self.banner.say(broken, "warning")
        clear(self.installed)
        clear(self.offers)
        self.rows = {}
        for model in models:
            made = ModelRow(model, self.pull, self.remove)
            made.cancel_button.clicked.connect(lambda _=False, name=model.name: self._stop(name))
            self.rows[model.name] = made
            (self.installed if model.is_installed else self.offers).addWidget(made)
        self._stack.setCurrentIndex(1)

    # ----------------------------------------------------------------------------------------------- pulling

    def pull(self, model: Model) -> None:
        """Show the licence; when it is accepted, download."""
        if model.name in self._runs:
            return
        dialog = LicenceDialog(model, self)
        dialog.accepted.connect(lambda: self._begin_pull(model))
        dialog.open()

    def _begin_pull(self, model: Model) -> None:
        self.banner.say("")
        command = self._controller.own_command("models", "pull", model.name, "--accept-licence", "--json")
        run = CommandRun(command, self, **self._variables)
        self._runs[model.name] = run
        self.rows[model.name].show_pull(PullProgress(0.0, "starting"))
        run.line.connect(lambda line: self._show_pull(model.name, line))
        run.ended.connect(lambda *end: self._end_pull(model, *end))

    def _show_pull(self, name: str, line: str) -> None:
        news = parse_pull_progress(line)
        if news is not None and name in self.rows:
            self.rows[name].show_pull(news)

    def _stop(self, name: str) -> None:
        if name in self._runs:
            self.rows[name].stage.setText("stopping…")
            self._runs[name].stop()

    def _end_pull(self, model: Model, code: int, stdout: str, stderr: str) -> None:
        self._runs.pop(model.name).deleteLater()
        if code == 0:
            self.banner.say(f"{model.name} is installed. Choose it on the Create page.", "good")
            self._controller.ask_models()
        elif code in (-1, _CANCELLED):
            self.banner.say(f"The download of {model.name} was stopped. It resumes from there next time.")
        else:
            self.banner.say(sentence(*parse_error(stdout, stderr)), "bad")
        self.refresh()

    # ---------------------------------------------------------------------------------------------- removing

    def remove(self, model: Model) -> None:
        """Ask, then delete."""
        question = QMessageBox(self)
        question.setWindowTitle("Remove a model")
        question.setText(f"Remove {model.name} from this computer?")
        question.setInformativeText(f"This frees {model.size}. You can download it again.")
        self.confirm_button = question.addButton("Remove", QMessageBox.ButtonRole.DestructiveRole)
        question.addButton("Keep it", QMessageBox.ButtonRole.RejectRole)
        self.confirm_button.clicked.connect(lambda: self._begin_removal(model))
        question.open()

    def _begin_removal(self, model: Model) -> None:
        command = self._controller.own_command("models", "remove", model.name, "--yes", "--json")
        run = CommandRun(command, self, **self._variables)
        self._runs[model.name] = run
        run.ended.connect(lambda *end: self._end_removal(model, *end))

    def _end_removal(self, model: Model, code: int, stdout: str, stderr: str) -> None:
        self._runs.pop(model.name).deleteLater()
        if code != 0:
            self.banner.say(sentence(*parse_error(stdout, stderr)), "bad")
        self._controller.ask_models()
        self.refresh()

    def close_runs(self) -> None:
        """Stop running commands when the window closes."""
        for run in [*self._runs.values(), *([self._listing] if self._listing else [])]:
            run.close()
