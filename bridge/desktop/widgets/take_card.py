"""One take as a card: waveform, playback, dragging, its folder."""

from pathlib import Path

from PySide6.QtWidgets import QFrame

from bridge.desktop.state.controller import AppController
from bridge.desktop.state.sound_picture import Picture
from bridge.desktop.widgets.basic import Button, NameLabel, card, column, fill, label, row
from bridge.desktop.widgets.files_out import DragHandle, reveal
from bridge.desktop.widgets.sound_view import SoundView


class TakeCard(QFrame):
    """A new take; clicking its waveform plays from there."""

    def __init__(self, controller: AppController, path: str, title: str) -> None:
        super().__init__()
        self.path = path
        self._controller = controller
        self.play_button = Button("", "play", "play", "Play this take")
        self.play_button.clicked.connect(lambda: controller.audition.toggle(path))
        self.view = SoundView("result")
        self.view.setFixedHeight(64)
        self.view.sought.connect(lambda second: controller.audition.play(path, second))
        self.handle = DragHandle(path)
        self.facts = label("", "small")
        show = Button("", "folder", "quiet", "Show the file in its folder")
        show.clicked.connect(lambda: reveal(path))
        name = NameLabel(text=Path(path).name)
        name.setToolTip(path)
        titles = row(label(title, "chip"), name)
        titles.setStretch(1, 1)
        head = row(column(titles, self.facts, gap=4), self.handle, show)
        head.setStretch(0, 1)
        fill(self, column(card(row(self.play_button, column(head, self.view, gap=8), gap=16))))
        controller.playing_changed.connect(self._show_playing)
        controller.playhead_moved.connect(self._move)
        controller.picture(path, self._show_picture)
        self._show_playing()

    def _show_picture(self, picture: Picture | None) -> None:
        self.view.show_picture(picture, "" if picture else "this file can no longer be read")
        self.facts.setText(picture.sentence if picture else "")

    def _show_playing(self) -> None:
        is_mine = self._controller.audition.path == self.path
        self.play_button.show_picture("stop" if is_mine else "play")
        if not is_mine:
            self.view.show_playhead(None)

    def _move(self, path: str, position_s: float) -> None:
        if path == self.path:
            self.view.show_playhead(position_s)
