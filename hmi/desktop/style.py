"""A theme as Qt's palette, the furniture's stylesheet and the look of trends; made anew when the theme changes."""

from PySide6.QtGui import QColor, QPainter, QPalette

from hmi.core.alarm import AlarmState
from hmi.core.status import Quality
from hmi.mimic.marks import alarm_shape, dot_brush, hatch_brush, quality_mark
from hmi.mimic.theme import Theme
from hmi.trend.look import Look


def palette_of(theme: Theme) -> QPalette:
    """For everything that Fusion draws by itself: menus, scroll bars, tool tips."""
    palette = QPalette()
    role = QPalette.ColorRole
    for which, color in (
        (role.Window, theme.panel), (role.WindowText, theme.ink), (role.Base, theme.well),
        (role.AlternateBase, theme.well),
        (role.Text, theme.ink), (role.PlaceholderText, theme.ink2), (role.Button, theme.panel),
        (role.ButtonText, theme.ink), (role.ToolTipBase, theme.canvas), (role.ToolTipText, theme.ink),
        (role.Highlight, theme.ink), (role.HighlightedText, theme.canvas), (role.BrightText, theme.ink),
        (role.Link, theme.ink), (role.LinkVisited, theme.ink), (role.Light, theme.hair), (role.Midlight, theme.hair),
        (role.Mid, theme.line), (role.Dark, theme.line), (role.Shadow, theme.chrome),
    ):  # fmt: skip
        palette.setColor(which, color)
    for which in (role.WindowText, role.Text, role.ButtonText):
        palette.setColor(QPalette.ColorGroup.Disabled, which, theme.ink3)
    return palette


def stylesheet_of(theme: Theme) -> str:
    """Fields, lists, scroll bars and menus. Buttons and marks paint themselves."""

    def hexes(color: QColor) -> str:
        return color.name()

    ink, ink2, line, hair, well, panel, canvas = (
        hexes(c) for c in (theme.ink, theme.ink2, theme.line, theme.hair, theme.well, theme.panel, theme.canvas)
    )
    return f"""
    QLineEdit {{ background: {well}; color: {ink}; border: 1px solid {line}; border-radius: 2px; padding: 0 7px;
                 font: 14px B612; selection-background-color: {ink}; selection-color: {canvas}; }}
    QLineEdit:focus {{ border: 2px solid {ink}; padding: 0 6px; }}
    QLineEdit:disabled {{ border: 1px dashed {hair}; color: {ink2}; background: transparent; }}
    QLineEdit[wrong="true"] {{ border: 2px dashed {ink}; }}
    QLineEdit#palette-field {{ border: 0; font: 20px B612; background: {panel}; padding: 0; }}
    QLabel {{ color: {ink}; font: 14px B612; background: transparent; }}
    QLabel[tone="dim"] {{ color: {ink2}; }}
    QLabel[role="small"] {{ color: {ink2}; font: 12px B612; }}
    QLabel[role="head"] {{ font: bold 18px B612; }}
    QLabel[role="big"] {{ font: bold 40px B612; }}
    QLabel[role="bold"] {{ font: bold 14px B612; }}
    QLabel[role="large"] {{ font: bold 20px B612; }}
    QTableView, QListView, QTextBrowser {{ background: {canvas}; color: {ink}; border: 0; font: 14px B612;
                                          outline: 0; }}
    QListView#side, QTextBrowser {{ background: {panel}; }}
    QHeaderView {{ background: {canvas}; border: 0; }}
    QHeaderView::section {{ background: {canvas}; color: {ink2}; border: 0; border-bottom: 1px solid {line};
                            font: 12px B612; padding: 0 8px; }}
    QHeaderView::section:first {{ padding: 0 0 0 18px; }}
    QScrollArea {{ border: 0; }}
    QScrollArea#scroll, QScrollArea#scroll > QWidget, QScrollArea#scroll > QWidget > QWidget {{
                 background: transparent; }}
    QScrollBar:vertical {{ background: {panel}; width: 12px; margin: 0; }}
    QScrollBar:horizontal {{ background: {panel}; height: 12px; margin: 0; }}
    QScrollBar::handle {{ background: {line}; border: 3px solid {panel}; min-height: 32px; min-width: 32px; }}
    QScrollBar::add-line, QScrollBar::sub-line {{ width: 0; height: 0; }}
    QScrollBar::add-page, QScrollBar::sub-page {{ background: none; }}
    QComboBox {{ background: {panel}; color: {ink}; border: 1px solid {line}; border-radius: 2px; padding: 0 8px;
                 font: 14px B612; min-height: 30px; }}
    QComboBox:focus {{ border: 2px solid {ink}; }}
    QComboBox QAbstractItemView {{ background: {panel}; color: {ink}; selection-background-color: {well};
                                   selection-color: {ink}; border: 2px solid {ink}; }}
    QMenu {{ background: {panel}; color: {ink}; border: 2px solid {ink}; font: 14px B612; padding: 4px 0; }}
    QMenu::item {{ padding: 8px 24px; }}
    QMenu::item:selected {{ background: {well}; border-left: 4px solid {ink}; padding-left: 20px; }}
    QMenu::item:disabled {{ color: {ink2}; }}
    QToolTip {{ background: {canvas}; color: {ink}; border: 1px solid {ink}; font: 14px B612; padding: 6px; }}
    """


def trend_look(theme: Theme) -> Look:
    """What the trend is drawn with: the same colours and marks as everywhere."""

    def alarm(painter: QPainter, priority: int, state: AlarmState, x: float, y: float, scale: float) -> None:
        alarm_shape(painter, priority, state, x, y, scale, theme)

    def quality(painter: QPainter, mark: Quality, x: float, y: float) -> None:
        quality_mark(painter, mark, x, y, theme)

    return Look(
        theme.canvas, theme.panel, theme.well, theme.band, theme.hair, theme.line, theme.ink, theme.ink2, theme.ink3,
        tuple(theme.pen[n] for n in range(1, 9)), hatch_brush(theme), dot_brush(theme), alarm, quality,
    )  # fmt: skip
