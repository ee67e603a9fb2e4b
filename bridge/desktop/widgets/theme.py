"""The window's look: two sets of colours, one scale of type and spacing, and the style sheet made from them."""

from dataclasses import dataclass, fields

from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QFont, QGuiApplication, QPalette
from PySide6.QtWidgets import QApplication

GAP = 8
"""Pixels; all distances are multiples of half of it."""
MARGIN = 28
_SMALLEST_POINTS = 10.0


@dataclass(frozen=True)
class Colours:
    """Colours by their purpose; `on_x` is for text on x."""

    ground: str
    surface: str
    raised: str
    sunken: str
    line: str
    strong_line: str
    text: str
    muted: str
    accent: str
    accent_hover: str
    accent_soft: str
    on_accent: str
    good: str
    warning: str
    warning_soft: str
    bad: str
    bad_soft: str
    source: str


LIGHT = Colours(
    ground="#f5f4f2",
    surface="#ffffff",
    raised="#fbfaf9",
    sunken="#efedea",
    line="#e2dfdb",
    strong_line="#c9c4be",
    text="#1d1b19",
    muted="#66605a",
    accent="#b83a17",
    accent_hover="#a13011",
    accent_soft="#fbe9e2",
    on_accent="#ffffff",
    good="#2b7a4b",
    warning="#8a5a00",
    warning_soft="#fdf3dc",
    bad="#b3261e",
    bad_soft="#fdeceb",
    source="#4f6d8f",
)
DARK = Colours(
    ground="#151618",
    surface="#1d1f22",
    raised="#26292d",
    sunken="#111214",
    line="#2f3237",
    strong_line="#484d54",
    text="#eceae7",
    muted="#a3a09b",
    accent="#ff8a5f",
    accent_hover="#ffa07c",
    accent_soft="#3a2820",
    on_accent="#23120b",
    good="#6fce96",
    warning="#f0c060",
    warning_soft="#352c18",
    bad="#ff8f87",
    bad_soft="#3a2221",
    source="#8fb1d8",
)


def is_dark_wanted(theme: str) -> bool:
    """Return whether to be dark; `system` follows the desktop, and is light where it has no preference."""
    if theme != "system":
        return theme == "dark"
    return QGuiApplication.styleHints().colorScheme() == Qt.ColorScheme.Dark


def colours(theme: str) -> Colours:
    return DARK if is_dark_wanted(theme) else LIGHT


def current() -> Colours:
    """Return the application's current colours."""
    app = QApplication.instance()
    return DARK if app is not None and app.property("dark") else LIGHT


def apply_theme(app: QApplication, theme: str) -> Colours:
    """Apply the colours to the whole application."""
    chosen = colours(theme)
    app.setProperty("dark", chosen is DARK)
    app.setStyle("Fusion")
    font = QFont(app.property("system font") or app.font())
    if app.property("system font") is None:
        app.setProperty("system font", QFont(app.font()))
    font.setPointSizeF(max(font.pointSizeF(), _SMALLEST_POINTS))
    app.setFont(font)
    app.setPalette(_palette(chosen))
    app.setStyleSheet(style_sheet(chosen, font.pointSizeF()))
    return chosen


def _palette(chosen: Colours) -> QPalette:
    palette = QPalette()
    roles = {
        QPalette.ColorRole.Window: chosen.ground,
        QPalette.ColorRole.WindowText: chosen.text,
        QPalette.ColorRole.Base: chosen.surface,
        QPalette.ColorRole.AlternateBase: chosen.raised,
        QPalette.ColorRole.Text: chosen.text,
        QPalette.ColorRole.Button: chosen.raised,
        QPalette.ColorRole.ButtonText: chosen.text,
        QPalette.ColorRole.Highlight: chosen.accent,
        QPalette.ColorRole.HighlightedText: chosen.on_accent,
        QPalette.ColorRole.PlaceholderText: chosen.muted,
        QPalette.ColorRole.ToolTipBase: chosen.raised,
        QPalette.ColorRole.ToolTipText: chosen.text,
        QPalette.ColorRole.Link: chosen.accent,
        QPalette.ColorRole.Mid: chosen.line,
        QPalette.ColorRole.Light: chosen.raised,
        QPalette.ColorRole.Dark: chosen.strong_line,
    }
    for role, colour in roles.items():
        palette.setColor(role, QColor(colour))
    for role in (QPalette.ColorRole.WindowText, QPalette.ColorRole.Text, QPalette.ColorRole.ButtonText):
        palette.setColor(QPalette.ColorGroup.Disabled, role, QColor(chosen.strong_line))
    return palette


def style_sheet(chosen: Colours, points: float) -> str:
    """Return the style sheet with these colours and sizes."""
    text = _SHEET
    for entry in sorted(fields(chosen), key=lambda entry: -len(entry.name)):
        text = text.replace(f"@{entry.name}", getattr(chosen, entry.name))
    sizes = {"$small": 0.88, "$body": 1.0, "$lead": 1.2, "$title": 1.75}
    for name, ratio in sizes.items():
        text = text.replace(name, f"{points * ratio:.1f}pt")
    return text


_SHEET = """
QWidget#window, QWidget#page, QScrollArea#page, QDialog { background: @ground; }
QWidget#sidebar { background: @surface; border-right: 1px solid @line; }
QWidget#statusBar { background: @surface; border-top: 1px solid @line; }
QLabel { background: transparent; }
QLabel[role="brand"] { font-size: $lead; font-weight: 600; }
QLabel[role="title"] { font-size: $title; font-weight: 600; }
QLabel[role="heading"] { font-size: $lead; font-weight: 600; }
QLabel[role="label"] { font-size: $small; color: @muted; }
QLabel[role="muted"] { color: @muted; }
QLabel[role="small"] { color: @muted; font-size: $small; }
QLabel[role="strong"] { font-weight: 600; }
QLabel[role="good"] { color: @good; }
QLabel[role="alarm"] { color: @bad; }
QLabel[role="accent"] { color: @accent; font-weight: 600; }
QLabel[role="handle"] { background: @sunken; color: @text; border: 1px dashed @strong_line; border-radius: 7px;
    padding: 7px 11px; }
QLabel[role="handle"]:hover { border-color: @accent; color: @accent; }
QLabel[role="chip"] { background: @sunken; color: @muted; border-radius: 4px; padding: 2px 7px; font-size: $small; }
QLabel[role="chip-accent"] { background: @accent_soft; color: @accent; border-radius: 4px; padding: 2px 7px;
    font-size: $small; font-weight: 600; }
QFrame[role="card"] { background: @surface; border: 1px solid @line; border-radius: 10px; }
QFrame[role="well"] { background: @surface; border: 1px dashed @strong_line; border-radius: 10px; }
QFrame[role="well"][hot="true"] { background: @accent_soft; border: 1px dashed @accent; }
QFrame[role="warning"] { background: @warning_soft; border: none; border-radius: 8px; }
QFrame[role="warning"] QLabel { color: @warning; }
Banner[role="good"] { background: @sunken; border: none; border-radius: 8px; }
Banner[role="good"] QLabel { color: @good; }
QFrame[role="bad"] { background: @bad_soft; border: none; border-radius: 8px; }
QFrame[role="bad"] QLabel { color: @bad; }
QFrame[role="rule"] { background: @line; border: none; max-height: 1px; min-height: 1px; }

QPushButton { background: @raised; border: 1px solid @line; border-radius: 7px; padding: 6px 14px; min-height: 20px; }
QPushButton:hover { border-color: @strong_line; background: @surface; }
QPushButton:pressed { background: @sunken; }
QPushButton:focus { border: 1px solid @accent; }
QPushButton:disabled { color: @strong_line; }
QPushButton[role="primary"] { background: @accent; color: @on_accent; border: 1px solid @accent; font-weight: 600;
    padding: 8px 22px; }
QPushButton[role="primary"]:hover { background: @accent_hover; border-color: @accent_hover; }
QPushButton[role="primary"]:focus { border: 2px solid @text; padding: 7px 21px; }
QPushButton[role="primary"]:disabled { background: @sunken; border-color: @line; color: @strong_line; }
QPushButton[role="quiet"] { background: transparent; border: 1px solid transparent; padding: 6px 10px; color: @muted; }
QPushButton[role="quiet"]:hover { background: @sunken; color: @text; }
QPushButton[role="quiet"]:checked { background: @accent_soft; }
QPushButton[role="quiet"]:focus { border: 1px solid @accent; }
QPushButton[role="slim"] { background: transparent; border: 1px solid transparent; padding: 1px 4px; }
QPushButton[role="slim"]:hover { background: @sunken; }
QPushButton[role="slim"]:focus { border: 1px solid @accent; }
QPushButton[role="disclosure"] { background: transparent; border: 1px solid transparent; padding: 2px 8px 2px 0;
    color: @muted; }
QPushButton[role="disclosure"]:hover { color: @text; }
QPushButton[role="disclosure"]:focus { border: 1px solid @accent; }
QPushButton[role="nav"] { background: transparent; border: 1px solid transparent; border-radius: 7px; text-align: left;
    padding: 8px 12px; color: @muted; }
QPushButton[role="nav"]:hover { background: @sunken; color: @text; }
QPushButton[role="nav"]:checked { background: @accent_soft; color: @accent; font-weight: 600; }
QPushButton[role="nav"]:focus { border: 1px solid @accent; }
QPushButton[role="segment"] { background: transparent; border: 1px solid transparent; border-radius: 6px;
    padding: 5px 15px; color: @muted; }
QPushButton[role="segment"]:hover { color: @text; }
QPushButton[role="segment"]:checked { background: @surface; border: 1px solid @strong_line; color: @text; }
QPushButton[role="segment"]:focus { border: 1px solid @accent; }
QFrame[role="segments"] { background: @sunken; border: 1px solid @line; border-radius: 8px; }
QPushButton[role="play"] { border-radius: 18px; min-width: 34px; max-width: 34px; min-height: 34px; max-height: 34px;
    padding: 0; background: @accent; border: 1px solid @accent; }
QPushButton[role="play"]:hover { background: @accent_hover; border-color: @accent_hover; }
QPushButton[role="play"]:focus { border: 2px solid @text; }

QLineEdit, QSpinBox, QDoubleSpinBox, QComboBox, QPlainTextEdit { background: @surface; border: 1px solid @line;
    border-radius: 7px; padding: 5px 9px; min-height: 22px; selection-background-color: @accent;
    selection-color: @on_accent; }
QLineEdit:hover, QSpinBox:hover, QDoubleSpinBox:hover, QComboBox:hover { border-color: @strong_line; }
QLineEdit:focus, QSpinBox:focus, QDoubleSpinBox:focus, QComboBox:focus, QPlainTextEdit:focus {
    border: 1px solid @accent; }
QLineEdit:disabled, QSpinBox:disabled, QDoubleSpinBox:disabled, QComboBox:disabled { color: @strong_line;
    background: @sunken; }
QLineEdit[role="prompt"] { font-size: $lead; padding: 10px 14px; border-radius: 9px; }
QDoubleSpinBox { padding: 5px 3px; }
QDoubleSpinBox::up-button, QDoubleSpinBox::down-button { width: 0; border: none; }
QAbstractSpinBox > QLineEdit { border: none; background: transparent; padding: 0px; min-height: 0px; }
QComboBox::drop-down { border: none; width: 26px; }
QComboBox::down-arrow { image: none; }
QComboBox QAbstractItemView { background: @surface; border: 1px solid @line; outline: none; padding: 4px;
    selection-background-color: @accent_soft; selection-color: @text; }
QSlider { min-height: 22px; }
QSlider::groove:horizontal { height: 4px; background: @line; border-radius: 2px; }
QSlider::sub-page:horizontal { background: @accent; border-radius: 2px; }
QSlider::handle:horizontal { background: @surface; border: 2px solid @accent; width: 12px; height: 12px;
    margin: -6px 0; border-radius: 8px; }
QSlider::handle:horizontal:focus { background: @accent; }
QSlider::sub-page:horizontal:disabled { background: @line; }
QSlider::handle:horizontal:disabled { border-color: @strong_line; }
QProgressBar { background: @sunken; border: none; border-radius: 3px; min-height: 6px; max-height: 6px; }
QProgressBar::chunk { background: @accent; border-radius: 3px; }

QListWidget { background: @surface; border: 1px solid @line; border-radius: 10px; outline: none; padding: 4px; }
QListWidget:focus { border: 1px solid @accent; }
QListWidget::item { border-radius: 7px; padding: 0px; }
QListWidget::item:hover { background: @sunken; }
QListWidget::item:selected { background: @accent_soft; color: @text; }

QScrollArea { border: none; background: transparent; }
QScrollArea > QWidget > QWidget { background: transparent; }
QScrollBar:vertical { background: transparent; width: 10px; margin: 2px; }
QScrollBar::handle:vertical { background: @strong_line; border-radius: 3px; min-height: 32px; }
QScrollBar::add-line, QScrollBar::sub-line, QScrollBar::add-page, QScrollBar::sub-page { background: none; height: 0;
    width: 0; border: none; }
QScrollBar:horizontal { background: transparent; height: 10px; margin: 2px; }
QScrollBar::handle:horizontal { background: @strong_line; border-radius: 3px; min-width: 32px; }
QToolTip { background: @raised; color: @text; border: 1px solid @line; padding: 5px 8px; }
QMenu { background: @surface; border: 1px solid @line; padding: 5px; }
QMenu::item { padding: 6px 26px 6px 30px; border-radius: 5px; }
QMenu::indicator { width: 11px; height: 11px; margin-left: 9px; border: 1px solid @strong_line; border-radius: 3px; }
QMenu::indicator:checked { background: @accent; border-color: @accent; }
QMenu::item:selected { background: @accent_soft; color: @text; }
QMenu::item:disabled { color: @muted; }
QMenu::separator { height: 1px; background: @line; margin: 5px 8px; }
"""
