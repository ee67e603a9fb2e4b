"""Source and result side by side, played in turn at the same position."""

from functools import partial
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import QWidget

from bridge.desktop.state.controller import AppController
from bridge.desktop.state.sound_picture import Picture
from bridge.desktop.widgets.basic import Button, NameLabel, Segments, column, fill, label, row
from bridge.desktop.widgets.sound_view import Side, SoundView


class CompareView(QWidget):
    """A is the source, B the result; switching during playback keeps the position."""

    def __init__(self, controller: AppController) -> None:
        super().__init__()
        self._controller = controller
        self._paths: dict[str, str | None] = {"source": None, "result": None}
        self.views: dict[str, SoundView] = {}
        self._facts = {side: NameLabel("small") for side in self._paths}
        self._titles = {side: NameLabel() for side in self._paths}
        panes = row(gap=16)
        self._panes: dict[str, QWidget] = {}
        panes.addWidget(self._pane("source", "A  Source"), 1)
        panes.addWidget(self._pane("result", "B  Result"), 1)
        self.play_button = Button("", "play", "play", "Play or stop (Space in the list)")
        self.play_button.clicked.connect(self.toggle)
        self.sides = Segments([("source", "A"), ("result", "B")], "which side plays")
        self.sides.choose("result")
        self.sides.chosen.connect(self.choose_side)
        self.time = label("", "muted")
        self.time.setMinimumWidth(96)
        self.transport = row(self.play_button, self.sides, self.time, None, gap=14)
        layout = column(panes, self.transport, gap=14)
        layout.setStretch(0, 1)
        self.setLayout(layout)
        QShortcut(QKeySequence("A"), self, lambda: self.choose_side("source"))
        QShortcut(QKeySequence("B"), self, lambda: self.choose_side("result"))
        controller.playing_changed.connect(self._show_playing)
        controller.playhead_moved.connect(self._move)

    def play_by_space(self, widget: QWidget) -> None:
        """Let the space bar play and stop while `widget` has the focus; elsewhere it presses buttons."""
        shortcut = QShortcut(QKeySequence("Space"), widget, self.toggle)
        shortcut.setContext(Qt.ShortcutContext.WidgetShortcut)

    def _pane(self, side: Side, letter: str) -> QWidget:
        view = SoundView(side, has_spectrum=True)
        view.sought.connect(lambda second, side=side: self._play(side, second))
        self.views[side] = view
        layout = column(row(label(letter, "chip"), self._titles[side], gap=8), view, self._facts[side])
        layout.setStretch(1, 1)
        made = fill(QWidget(), layout)
        self._panes[side] = made
        return made

    def show_files(self, source: str | None, result: str | None) -> None:
        """Show a result, and its source where it has one."""
        self._paths = {"source": source, "result": result}
        self._panes["source"].setVisible(source is not None)
        self.sides.setVisible(source is not None)
        if source is None:
            self.sides.choose("result")
        for side, path in self._paths.items():
            self._titles[side].setText(Path(path).name if path else "")
            self._titles[side].setToolTip(path or "")
            self._facts[side].setText(" ")
            self.views[side].show_picture(None, "reading…" if path else "")
            if path is not None:
                self._controller.picture(path, partial(self._show, side, path))
        self._show_playing()

    def _show(self, side: str, path: str, picture: Picture | None) -> None:
        if self._paths[side] != path:
            return
        self.views[side].show_picture(picture, "" if picture else "This file no longer exists.")
        self._facts[side].setText(picture.sentence if picture else path)

    # ---------------------------------------------------------------------------------------------- playing

    @property
    def side(self) -> str:
        return self.sides.value

    @property
    def is_playing(self) -> bool:
        return self._controller.audition.path is not None and self._controller.audition.path in self._paths.values()

    def toggle(self) -> None:
        """Play the chosen side from its beginning, or stop."""
        if self.is_playing:
            self._controller.audition.stop()
        else:
            self._play(self.side, 0.0)

    def choose_side(self, side: str) -> None:
        """Choose a side; playback continues with it at the same position."""
        path = self._paths[side]
        if path is None:
            return
        self.sides.choose(side)
        if self.is_playing:
            self._controller.audition.switch_to(path)

    def _play(self, side: str, second: float) -> None:
        path = self._paths[side]
        if path is not None:
            self.sides.choose(side)
            self._controller.audition.play(path, second)

    def _show_playing(self) -> None:
        self.play_button.show_picture("stop" if self.is_playing else "play")
        if not self.is_playing:
            for view in self.views.values():
                view.show_playhead(None)
            self.time.setText("")

    def _move(self, path: str, position_s: float) -> None:
        if path not in self._paths.values():
            return
        for view in self.views.values():
            view.show_playhead(position_s)
        picture = self.views[self.side].picture
        end = f" / {picture.seconds:.2f} s" if picture else " s"
        self.time.setText(f"{position_s:.2f}{end}")
