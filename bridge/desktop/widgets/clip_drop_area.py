"""The clip to work on: dropped here, opened, or the one shown in Live; a part of it can be marked."""

from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QDragEnterEvent, QDragLeaveEvent, QDropEvent
from PySide6.QtWidgets import QFileDialog, QFrame, QStackedLayout, QWidget

from bridge.desktop.state.controller import AppController
from bridge.desktop.state.sound_picture import Picture
from bridge.desktop.widgets.basic import Button, NameLabel, column, fill, label, row, set_role
from bridge.desktop.widgets.fields import Number
from bridge.desktop.widgets.files_out import FILTER, dropped_clip
from bridge.desktop.widgets.sound_view import SoundView

_EMPTY, _FULL, _NAME_ONLY = 146, 214, 74
"""Heights, pixels."""


class ClipDropArea(QFrame):
    """Holds a clip; `changed` is emitted when the clip or the marked part changes."""

    changed = Signal()
    live_wanted = Signal()

    def __init__(self, controller: AppController) -> None:
        super().__init__()
        self._controller = controller
        self.clip: str | None = None
        self.live_clip: str | None = None
        """The name of the clip in Live's view, while that is the clip to work on."""
        self._picture: Picture | None = None
        self.setProperty("role", "well")
        self.setAcceptDrops(True)
        self._stack = QStackedLayout(self)
        self._stack.addWidget(self._make_empty())
        self._stack.addWidget(self._make_full())
        self._show_full(is_full=False)

    def _make_empty(self) -> QWidget:
        self.open_button = Button("&Open a file…", "folder")
        self.open_button.clicked.connect(self._open)
        self.live_button = Button("Clip in &Live", "live", tip="Work on the clip that Ableton Live shows in Clip View")
        self.live_button.clicked.connect(self.live_wanted)
        text = label("Drop a clip here", "strong")
        text.setAlignment(Qt.AlignmentFlag.AlignCenter)
        small = label("WAV, AIFF, FLAC, Ogg or MP3. Your file is never changed.", "small")
        small.setAlignment(Qt.AlignmentFlag.AlignCenter)
        return fill(
            QWidget(),
            column(None, text, small, 6, row(None, self.open_button, self.live_button, None), None, gap=4),
            16,
            14,
            16,
            14,
        )

    def _make_full(self) -> QWidget:
        self.name = NameLabel()
        self.facts = label("", "small")
        self.play_button = Button("", "play", "play", "Play the clip")
        self.play_button.clicked.connect(self._toggle_play)
        remove = Button("", "close", "quiet", "Choose another clip")
        remove.clicked.connect(lambda: self.take(None))
        self.view = SoundView("source", can_mark=True)
        self.view.marked.connect(self._mark)
        self.view.sought.connect(self._play_from)
        self.start, self.end = self._second_box("start"), self._second_box("end")
        self.whole = Button("Whole clip", role="quiet")
        self.whole.clicked.connect(lambda: self.mark(None))
        self._part = QWidget()
        self._part.setLayout(row(label("Part", "label"), self.start, label("to", "label"), self.end, self.whole, None))
        head = row(self.play_button, column(self.name, self.facts, gap=2), remove, gap=14)
        head.setStretch(1, 1)
        made = fill(QWidget(), column(head, self.view, self._part, gap=10), 16, 14, 16, 12)
        self._controller.playing_changed.connect(self._show_playing)
        self._controller.playhead_moved.connect(
            lambda path, second: self.view.show_playhead(second) if path == self.clip else None
        )
        return made

    def _second_box(self, name: str) -> Number:
        box = Number(0.0, 0.0, decimals=2, unit=" s", width=92, name=f"{name} of the part, seconds")
        box.setSingleStep(0.1)
        box.valueChanged.connect(self._type)
        return box

    # ------------------------------------------------------------------------------------------------- clip

    def take(self, path: str | None) -> None:
        """Use another clip, or none."""
        if self.clip and self._controller.audition.path == self.clip:
            self._controller.audition.stop()
        self.clip, self.live_clip, self._picture = path, None, None
        self.view.show_mark(None)
        self.view.show_picture(None, "reading…")
        self.name.setText(Path(path).name if path else "")
        self.name.setToolTip(path or "")
        self.facts.setText("")
        self.play_button.show()
        self.view.show()
        self._part.setVisible(path is not None)
        self._show_full(is_full=path is not None)
        if path is not None:
            self._controller.prefer(last_folder=str(Path(path).parent))
            self._controller.picture(path, lambda picture: self._show_picture(path, picture))
        self.changed.emit()

    def take_from_live(self, name: str) -> None:
        """Use the clip that Live shows; only its name is known here."""
        self.take(None)
        self.live_clip = name
        self.name.setText(name)
        self.facts.setText("the clip in view in Ableton Live; the take will be placed beside it")
        self.play_button.hide()
        self.view.hide()
        self._part.hide()
        self._show_full(is_full=True)
        self.changed.emit()

    def _show_full(self, *, is_full: bool) -> None:
        self._stack.setCurrentIndex(1 if is_full else 0)
        self.setFixedHeight(_NAME_ONLY if self.live_clip else _FULL if is_full else _EMPTY)
        set_role(self, "card" if is_full else "well")

    def _show_picture(self, path: str, picture: Picture | None) -> None:
        if path != self.clip:
            return
        self._picture = picture
        mark = self.view.mark
        self.view.show_picture(picture, "" if picture else "This file cannot be read as audio.")
        self.facts.setText(picture.sentence if picture else "")
        for box in (self.start, self.end):
            box.setMaximum(picture.seconds if picture else 0.0)
        if mark is not None and picture is not None:
            mark = mark[0], min(mark[1], picture.seconds)  # an earlier take's part may have no end of its own
        self._show_part(mark)

    def _open(self) -> None:
        folder = self._controller.preferences.last_folder
        path, _ = QFileDialog.getOpenFileName(self, "Open a clip", folder, FILTER)
        if path:
            self.take(path)

    # ------------------------------------------------------------------------------------------------- part

    @property
    def part(self) -> tuple[float, float] | None:
        return self.view.mark

    def mark(self, part: tuple[float, float] | None) -> None:
        """Mark a part, or None for the whole clip."""
        self._show_part(part)
        self.changed.emit()

    def _show_part(self, part: tuple[float, float] | None) -> None:
        self.view.show_mark(part)
        start_s, end_s = part or (0.0, self._picture.seconds if self._picture else 0.0)
        for box, second in ((self.start, start_s), (self.end, end_s)):
            box.blockSignals(True)
            box.setValue(min(second, box.maximum()))
            box.blockSignals(False)
        self.whole.setEnabled(part is not None)

    def _mark(self, start_s: float, end_s: float) -> None:
        self.mark((start_s, end_s))

    def _type(self) -> None:
        start_s, end_s = self.start.value(), self.end.value()
        seconds = self._picture.seconds if self._picture else 0.0
        is_whole = start_s <= 0 and end_s >= round(seconds, 2)
        self.view.show_mark((start_s, end_s) if 0 <= start_s < end_s and not is_whole else None)
        self.whole.setEnabled(self.view.mark is not None)
        self.changed.emit()

    # ---------------------------------------------------------------------------------------------- playing

    def _play_from(self, second: float) -> None:
        if self.clip is not None:
            self._controller.audition.play(self.clip, second)

    def _toggle_play(self) -> None:
        if self.clip is None:
            return
        if self._controller.audition.path == self.clip:
            self._controller.audition.stop()
        else:
            self._controller.audition.play(self.clip, self.part[0] if self.part else 0.0)

    def _show_playing(self) -> None:
        is_mine = self.clip is not None and self._controller.audition.path == self.clip
        self.play_button.show_picture("stop" if is_mine else "play")
        if not is_mine:
            self.view.show_playhead(None)

    # ------------------------------------------------------------------------------------------------- drop

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:  # noqa: N802 - Qt's name
        if dropped_clip(event.mimeData()) is not None:
            event.acceptProposedAction()
            self._glow(is_hot=True)

    def dragLeaveEvent(self, _: QDragLeaveEvent) -> None:  # noqa: N802 - Qt's name
        self._glow(is_hot=False)

    def dropEvent(self, event: QDropEvent) -> None:  # noqa: N802 - Qt's name
        self._glow(is_hot=False)
        path = dropped_clip(event.mimeData())
        if path is not None:
            event.acceptProposedAction()
            self.take(path)

    def _glow(self, *, is_hot: bool) -> None:
        self.setProperty("hot", is_hot)
        self.style().unpolish(self)
        self.style().polish(self)
