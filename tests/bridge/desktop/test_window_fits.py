"""The window at its smallest: nothing is cut, on any page, in both themes; the wheel only scrolls; colours tell."""

import itertools
import os

import pytest
from PySide6.QtCore import QPoint, QPointF, QSize, Qt
from PySide6.QtGui import QColor, QFontMetrics, QWheelEvent
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractSlider,
    QAbstractSpinBox,
    QApplication,
    QComboBox,
    QLabel,
    QLineEdit,
    QScrollArea,
    QScrollBar,
    QWidget,
)

from bridge.desktop.state.parameters import TITLES
from bridge.desktop.widgets.basic import Banner, NameLabel
from bridge.desktop.widgets.theme import apply_theme, colours
from bridge.desktop.window import PAGE_NAMES
from bridge.errors import PreviewFailedError, PreviewReplacedError
from bridge.plain_words import sentence
from bridge.wire.messages import Fail, Preview, Progress, Restyle, StatusReply

SIZES = ((820, 560), (900, 600), (960, 540), (1120, 760))
VIEWS = [*(("create", one) for one in TITLES), *((name, "") for name in PAGE_NAMES if name != "create")]
LONG = "an extraordinarily long description of " + "footsteps-in-deep-snow " * 6
FIELDS = (QAbstractSlider, QAbstractSpinBox, QComboBox)


@pytest.fixture
def settle(qt):
    """Let layouts come to rest."""

    def run():
        for _ in range(6):
            QApplication.sendPostedEvents()
            qt.processEvents()

    return run


@pytest.fixture
def full(app, window, until, clip, ask, settle):
    """A window with something of everything on its pages: takes, failures, long names, messages."""
    ask("rain", candidates=2)
    page = window.create_page
    page.clip_area.take(clip)
    page.parameters.fields["model"].choice.addItem("a-model-with-" + "a-very-long-name-" * 5)
    until(page.clip_area.facts.text)
    request = Restyle(job="long", clip=f"/takes/{LONG}.wav", prompt=LONG, seed=4_294_967_295, client="REAPER " + LONG)
    failure = Fail(request.address, "long", "file_missing", f"there is no file at /takes/{LONG}.wav", LONG)
    running = Restyle(job="runs", clip=clip, prompt=LONG, seed=1, steps=200, guidance=12.5, model="m" * 40)
    app.controller.jobs.add(request)
    app.controller.jobs.add(running)
    app.controller._announce(app.controller.jobs.apply(failure))
    app.controller._announce(app.controller.jobs.apply(Progress("runs", 0.4, "step 40 of 200, try 2 of 3")))
    app.controller.status_changed.emit(StatusReply("0.1.0", "idle", "nano", "NVIDIA H200 Tensor Core GPU", 1))
    window.models_page.on_shown()
    until(lambda: window.models_page.rows)
    for banner in window.findChildren(Banner):
        if banner is not window.notice:
            banner.say(sentence(LONG, LONG), "bad")
    settle()
    return window


def cut(widget):
    """Say what of a visible widget cannot be seen, or read; nothing when all can."""
    parent = widget.parentWidget()
    area = next((one for one in ancestors(widget) if isinstance(one, QScrollArea)), None)
    edge = area.viewport() if area is not None and area is not parent else widget.window()
    here = widget.rect().translated(widget.mapTo(edge, QPoint(0, 0)))
    if here.left() < 0 or here.right() > edge.width():
        return f"reaches from {here.left()} to {here.right()} of {edge.width()}"
    if area is None and (here.top() < 0 or here.bottom() > edge.height()):
        return f"reaches down from {here.top()} to {here.bottom()} of {edge.height()}"
    box = widget.geometry()
    if parent is not None and not isinstance(parent.parentWidget(), QScrollArea) and not parent.rect().contains(box):
        return f"lies at {box} in {parent.rect()}"
    return unreadable(widget)


def ancestors(widget):
    while (widget := widget.parentWidget()) is not None:
        yield widget


def unreadable(widget):
    """Say how much room the words lack; those that are shortened on purpose end in dots."""
    if isinstance(widget, NameLabel):
        return ""
    if isinstance(widget, QLabel) and widget.text():
        if widget.wordWrap():
            lacks = widget.heightForWidth(widget.width()) - widget.height()
        else:
            lacks = widget.sizeHint().width() - widget.width()
        return f"lacks {lacks} pixels" if lacks > 1 else ""
    if isinstance(widget, QAbstractButton) and widget.text():
        lacks = widget.sizeHint().width() - widget.width()
        return f"lacks {lacks} pixels" if lacks > 1 else ""
    if isinstance(widget, QAbstractSpinBox):
        line = widget.findChild(QLineEdit)
        lacks = QFontMetrics(line.font()).horizontalAdvance(line.text()) - line.width()
        return f"lacks {lacks} pixels" if lacks > 0 else ""
    return ""


def faults(window):
    """Everything in a window that is cut, by its words or its kind."""
    for widget in window.findChildren(QWidget):
        if widget.isVisible() and not widget.isWindow() and not isinstance(widget, QScrollBar) and widget.width():
            told = cut(widget)
            if told:
                words = widget.text()[:40] if isinstance(widget, QLabel | QAbstractButton) else widget.accessibleName()
                yield f"{type(widget).__name__} {words!r} {told}"


class TestSize:
    def test_nothing_is_cut_on_any_page(self, full, qt, settle):
        told = []
        for theme, (width, height) in itertools.product(("light", "dark"), SIZES):
            apply_theme(qt, theme)
            full.resize(width, height)
            settle()
            assert full.size() == QSize(width, height)
            for name, operation in VIEWS:
                full.show_page(name)
                if operation:
                    full.create_page.show_operation(operation)
                    full.create_page.banner.say(sentence(LONG), "bad")
                settle()
                told += [f"{name} {operation} {width}x{height} {theme}: {fault}" for fault in faults(full)]
                if "RETAKE_SHOTS" in os.environ:
                    file = f"{name}-{operation}-{width}x{height}-{theme}.png"
                    full.grab().save(os.path.join(os.environ["RETAKE_SHOTS"], file))

        assert not told, "\n" + "\n".join(told)

    def test_fits_into_a_laptop_whose_pixels_count_double(self, window):
        assert window.minimumSizeHint().expandedTo(window.minimumSize()).width() <= 820
        assert window.minimumSizeHint().expandedTo(window.minimumSize()).height() <= 540


class TestWheel:
    def test_over_a_field_that_nobody_went_to_scrolls_the_page(self, full, qt, settle):
        full.resize(820, 560)
        turned = 0
        for name, operation in itertools.product(PAGE_NAMES, TITLES):
            full.show_page(name)
            full.create_page.show_operation(operation)
            settle()
            for field in full.findChildren(QWidget):
                if not isinstance(field, FIELDS) or not field.isVisible() or isinstance(field, QScrollBar):
                    continue
                full.setFocus()
                before = value_of(field)
                for degrees in (120, -120, -120, 120, 120):
                    turn(qt, field, degrees)
                    assert value_of(field) == before, f"{name}: {field.accessibleName()}"
                assert not field.hasFocus()
                turned += 1

        assert turned > 20

    def test_over_a_field_in_use_changes_it(self, full, qt, settle):
        full.show_page("create")
        full.create_page.show_operation("generate")
        full.activateWindow()
        field = full.create_page.parameters.fields["candidates"].editor
        field.setFocus()
        settle()
        turn(qt, field, 120)

        assert field.value() == 2 + field.hasFocus() - 1


def value_of(field):
    return field.currentIndex() if isinstance(field, QComboBox) else field.value()


def turn(qt, field, degrees):
    """Turn the wheel by one notch over the middle of a field, as the system sends it."""
    middle = QPointF(field.rect().center())
    nothing, begin = Qt.KeyboardModifier.NoModifier, Qt.ScrollPhase.NoScrollPhase
    under = field.findChild(QLineEdit) or field
    event = QWheelEvent(
        QPointF(under.mapFrom(field, middle.toPoint())) if under is not field else middle,
        QPointF(field.mapToGlobal(middle.toPoint())),
        QPoint(),
        QPoint(0, degrees),
        Qt.MouseButton.NoButton,
        nothing,
        begin,
        False,
    )
    qt.sendEvent(under, event)
    qt.processEvents()


class TestBanner:
    @pytest.mark.parametrize("theme", ["light", "dark"])
    @pytest.mark.parametrize("role", ["bad", "warning", "good"])
    def test_has_the_colour_of_what_it_says(self, window, qt, settle, theme, role):
        apply_theme(qt, theme)
        banner = window.create_page.banner
        for said in ("warning", "bad", "good", role):
            banner.say("Something.", said)
            settle()
            assert colour_of(banner) == getattr(colours(theme), said)

    def test_keeps_it_when_the_theme_changes(self, window, qt, settle):
        banner = window.create_page.banner
        banner.say("Something.", "bad")
        for theme in ("dark", "light", "dark", "light"):
            apply_theme(qt, theme)
            settle()
            assert colour_of(banner) == colours(theme).bad


def colour_of(banner):
    return QColor(banner.text.palette().color(banner.text.foregroundRole())).name()


class TestComplaints:
    def fail(self, error):
        return Fail(Preview.address, "", error.code, error.text, error.hint)

    def test_that_another_preview_came_first_is_no_complaint(self, app, window):
        app.controller._receive(self.fail(PreviewReplacedError()))

        assert window.status_bar.state.property("role") == "small"

    def test_leave_by_themselves(self, app, window):
        app.controller._receive(self.fail(PreviewFailedError("[Errno -9985] Device unavailable")))
        assert window.status_bar.state.text().startswith("The preview failed: Device unavailable")
        assert window.status_bar._leaving.isActive()
        window.status_bar._leaving.timeout.emit()

        assert window.status_bar.state.text() == "Ready"
        assert not window.status_bar.dismiss.isVisible()

    def test_stand_while_a_job_goes_on(self, app, window):
        app.controller._receive(self.fail(PreviewFailedError("Device unavailable")))
        app.controller.jobs.add(Restyle(job="j", clip="/c.wav", prompt="rain"))
        app.controller._announce(app.controller.jobs.apply(Progress("j", 0.5, "step 1 of 2")))

        assert "Device unavailable" in window.status_bar.state.text()


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("https://huggingface.co/x could not be fetched", "https://huggingface.co/x could not be fetched."),
        ("rain.wav is gone", "rain.wav is gone."),
        ("/takes/rain.wav is gone", "/takes/rain.wav is gone."),
        ("the clip is gone", "The clip is gone."),
        ("don't", "Don't."),
    ],
)
def test_a_sentence_begins_with_a_capital_unless_its_first_word_is_a_name(said, shown):
    assert sentence(said) == shown
