"""The list of results on the History page: two lines each, newest first, filtered by words."""

from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QPainter
from PySide6.QtWidgets import QListWidget, QListWidgetItem, QStyle, QStyledItemDelegate, QStyleOptionViewItem

from bridge.desktop.state.job_item import JobItem
from bridge.desktop.state.parameters import TITLES
from bridge.desktop.widgets.theme import current

_ROLE = Qt.ItemDataRole.UserRole


class ResultFile(NamedTuple):
    """One file that a job wrote: its entry, its path, its rank among the takes, from 1 on."""

    entry: JobItem
    path: str
    rank: int

    @property
    def summary(self) -> str:
        """Operation, clip, rank and time, in one line."""
        parts = [TITLES.get(self.entry.operation, "Job")]
        if self.entry.clip is not None:
            parts.append(self.entry.clip.stem)
        if len(self.entry.paths) > 1:
            parts.append(f"take {self.rank} of {len(self.entry.paths)}")
        return " · ".join([*parts, spelled_day(self.entry.created_at)])

    def matches(self, words: str) -> bool:
        text = f"{self.entry.title} {self.entry.operation} {Path(self.path).name}".lower()
        return all(word in text for word in words.lower().split())


def spelled_day(created_at: str, now: datetime | None = None) -> str:
    """Return a time as people write it: today's as hours and minutes, others as a date."""
    try:
        made = datetime.fromisoformat(created_at).astimezone()
    except ValueError:
        return "just now"
    today = (now or datetime.now(UTC)).astimezone().date()
    if made.date() == today:
        return f"today {made:%H:%M}"
    return f"{made.day} {made:%b}" if made.year == today.year else f"{made.day} {made:%b %Y}"


class HistoryList(QListWidget):
    """The results; `current_result` is the selected one."""

    def __init__(self) -> None:
        super().__init__()
        self.setItemDelegate(_TwoLines(self))
        self.setUniformItemSizes(True)
        self.setVerticalScrollMode(QListWidget.ScrollMode.ScrollPerPixel)
        self.setAccessibleName("results")

    def fill(self, results: list[ResultFile]) -> None:
        """Show these results, and keep the selection."""
        kept = self.current_result
        self.blockSignals(True)
        self.clear()
        for result in results:
            item = QListWidgetItem(result.entry.title)
            item.setData(_ROLE, result)
            item.setData(Qt.ItemDataRole.AccessibleDescriptionRole, result.summary)
            item.setToolTip(result.path)
            self.addItem(item)
        self.blockSignals(False)
        paths = [result.path for result in results]
        if paths:
            self.setCurrentRow(paths.index(kept.path) if kept is not None and kept.path in paths else 0)

    @property
    def current_result(self) -> ResultFile | None:
        item = self.currentItem()
        result: ResultFile | None = None if item is None else item.data(_ROLE)
        return result


class _TwoLines(QStyledItemDelegate):
    """Paints an item: the prompt above, operation and time below."""

    def paint(
        self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> None:
        result: ResultFile = index.data(_ROLE)
        chosen = current()
        state = option.state
        field = QRectF(option.rect).adjusted(2, 1, -2, -1)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        is_chosen = bool(state & QStyle.StateFlag.State_Selected)
        is_hot = bool(state & QStyle.StateFlag.State_MouseOver)
        if is_chosen or is_hot:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(QColor(chosen.accent_soft if is_chosen else chosen.sunken))
            painter.drawRoundedRect(field, 7, 7)
        inner = field.adjusted(11, 8, -9, -7)
        font = painter.font()
        font.setWeight(font.Weight.DemiBold)
        painter.setFont(font)
        self._write(painter, inner, Qt.AlignmentFlag.AlignTop, result.entry.title, chosen.text)
        font.setWeight(font.Weight.Normal)
        font.setPointSizeF(font.pointSizeF() * 0.88)
        painter.setFont(font)
        self._write(painter, inner, Qt.AlignmentFlag.AlignBottom, result.summary, chosen.muted)
        painter.restore()

    def _write(self, painter: QPainter, field: QRectF, where: Qt.AlignmentFlag, text: str, colour: str) -> None:
        painter.setPen(QColor(colour))
        shown = painter.fontMetrics().elidedText(text, Qt.TextElideMode.ElideRight, int(field.width()))
        painter.drawText(field, where, shown)

    def sizeHint(  # noqa: N802 - Qt's name
        self, option: QStyleOptionViewItem, _: QModelIndex | QPersistentModelIndex
    ) -> QSize:
        return QSize(200, option.fontMetrics.height() * 2 + 22)
