"""The main window: banner, navigation, the views, time bar; live and replay are the same views on another session."""

import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, cast

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QCloseEvent, QKeyEvent, QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QFrame, QMenu, QScrollArea, QVBoxLayout, QWidget

from hmi.core.alarm import AlarmState
from hmi.core.clock import SECOND, Clock
from hmi.core.command import Write, WriteState
from hmi.core.problem import Severity
from hmi.core.screen import Open, Screen
from hmi.core.session import Mode, Session
from hmi.desktop.alarm_view import AlarmView
from hmi.desktop.banner import Banner
from hmi.desktop.faceplate import WHY, FaceplatePane, Subject
from hmi.desktop.furniture import Themed, dress
from hmi.desktop.keys import Keys
from hmi.desktop.manual import ManualPane
from hmi.desktop.navigation import Navigation
from hmi.desktop.palette import Palette
from hmi.desktop.place import Place, Trail, View, parent_of, screens_of_level, tags_in, title_of, way_to
from hmi.desktop.pump import FramePump
from hmi.desktop.rewind import Replay, next_speed
from hmi.desktop.search import Command, Hit, Kind
from hmi.desktop.stage import COMPACT_BELOW, Stage
from hmi.desktop.status_pane import StatusPane
from hmi.desktop.style import palette_of, stylesheet_of, trend_look
from hmi.desktop.time_bar import TimeBar
from hmi.desktop.why import outcome, written
from hmi.desktop.words import value_text
from hmi.mimic.theme import Theme, ThemeName
from hmi.mimic.view import MimicView
from hmi.trend.handover import Handover
from hmi.trend.view import TrendView

log = logging.getLogger(__name__)

MakeReplay = Callable[[int], Session]
LEAST_WIDTH, LEAST_HEIGHT = 1280, 720
_FRAME_PX = 8


class ReplayFrame(QWidget, Themed):
    """The blue frame of replay: over everything, in nobody's way."""

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self.theme = theme
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.setAttribute(Qt.WidgetAttribute.WA_NoSystemBackground)
        self.hide()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        w, h, px = self.width(), self.height(), _FRAME_PX
        for edge in (QRectF(0, 0, w, px), QRectF(0, h - px, w, px), QRectF(0, 0, px, h), QRectF(w - px, 0, px, h)):
            painter.fillRect(edge, self.theme.replay_blue)


class MainWindow(QScrollArea):
    """Below 1280 by 720 it scrolls, and says so in its title. All methods run on the Qt thread."""

    def __init__(self, session: Session, replay: MakeReplay, theme: ThemeName, clock: Clock) -> None:
        super().__init__()
        self.live = session
        self.session: Session = session
        self._make_replay = replay
        self._clock = clock
        self._theme_name: ThemeName = theme
        self.theme = Theme.load(theme)
        self._compact = False
        self._asked_speed = 1.0
        self._versions = (session.plant_version, id(session.table))
        self._wrong = -1
        self._question: Callable[[], None] | None = None
        self._handover = Handover(self)
        self._body = QWidget()
        self._body.setMinimumSize(LEAST_WIDTH, LEAST_HEIGHT)
        self.setWidget(self._body)
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        column = QVBoxLayout(self._body)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        self.banner = Banner(session, self.theme)
        self.navigation = Navigation(session, session, self.theme)
        self.stage = Stage(self.theme)
        self.time_bar = TimeBar(session, session, self.theme)
        for part in (self.banner, self.navigation, self.stage, self.time_bar):
            column.addWidget(part, 1 if part is self.stage else 0)
        self.frame_of_replay = ReplayFrame(self.theme, self._body)
        self.palette_view = Palette(self.theme, session, session, self.stage)
        self.palette_view.closed.connect(lambda: self._focus_view())
        self.stage.show_palette(self.palette_view)
        self.mimic: MimicView | None = None
        self.alarm_view: AlarmView | None = None
        self.trend: TrendView | None = None
        self.faceplate: FaceplatePane | None = None
        self.status: StatusPane | None = None
        self.manual: ManualPane | None = None
        self.screen: Screen | None = None
        self.trail = Trail(Place(session.plant.start_screen))
        self.pump = FramePump(self.frame, clock, self)
        self._keys = Keys(self)
        self._connect()
        self._apply_theme()
        self.setWindowTitle(self._title())
        self._show_here()
        self.resize(1920, 1080)

    def _connect(self) -> None:
        self.banner.acknowledge_asked.connect(lambda key: self.acknowledge([key]))
        self.banner.alarms_asked.connect(self.show_alarms)
        self.banner.top_asked.connect(self._on_top)
        self.navigation.level_asked.connect(self.choose_level)
        self.navigation.trend_asked.connect(self.show_trend)
        self.navigation.alarms_asked.connect(lambda: self.show_alarms())
        self.navigation.palette_asked.connect(self.open_palette)
        self.navigation.status_asked.connect(self.toggle_status)
        self.navigation.live_asked.connect(self.go_live)
        self.time_bar.time_asked.connect(self.go_to_time)
        self.time_bar.live_asked.connect(self.go_live)
        self.time_bar.play_asked.connect(self.play)
        self.time_bar.pause_asked.connect(self.pause)
        self.time_bar.speed_asked.connect(self.set_speed)
        self.time_bar.field.left.connect(lambda: self._focus_view())
        self.stage.question.answered.connect(self._on_answer)
        self.palette_view.chosen.connect(self._on_hit)
        self.palette_view.faceplate_asked.connect(self._on_hit_faceplate)
        self.palette_view.trend_asked.connect(self._on_hit_trend)
        key = Qt.Key
        self._keys.everywhere({
            "Ctrl+K": self.open_palette, "F1": self.toggle_manual, "F2": self.acknowledge_chosen,
            "Shift+F2": self.acknowledge_in_view, "F6": self.show_trend, "F7": lambda: self.show_alarms(),
            "F8": self.replay_chosen, "F9": self.show_why, "F12": self.toggle_status, "Ctrl+G": self.time_bar.field.begin,
            "Ctrl+F": self.focus_filter, "Ctrl+Shift+L": self.toggle_theme, "Alt+1": lambda: self.choose_level(1),
            "Alt+2": lambda: self.choose_level(2), "Alt+3": lambda: self.choose_level(3),
            "Alt+4": lambda: self.choose_level(4), "Alt+Up": self.go_up, "Alt+Left": lambda: self.go_along(-1),
            "Alt+Right": lambda: self.go_along(1),
        })  # fmt: skip
        self._keys.plain({
            key.Key_Escape: self.step_out, key.Key_Space: self.time_bar.toggle, key.Key_End: self.go_live,
            key.Key_BracketLeft: lambda: self.time_bar.step(False), key.Key_BracketRight: lambda: self.time_bar.step(True),
            key.Key_Plus: lambda: self.change_speed(True), key.Key_Equal: lambda: self.change_speed(True),
            key.Key_Minus: lambda: self.change_speed(False),
        })  # fmt: skip

    # -- every frame -----------------------------------------------------------------------------------------------

    def frame(self) -> None:
        """Bring everything that is visible up to date. Called by the pump 20 times a second, or by a test."""
        replay = self.replay
        if replay is not None:
            replay.tick()
        self._follow_plant()
        phase = self._clock.monotonic_us() // 1000 % 2000
        ring, urgent = phase % 1000 < 500, phase % 500 < 250
        self.banner.frame(ring, urgent)
        self.navigation.frame(tuple(self.live.problems), ring, urgent)
        self.time_bar.frame()
        view = self.trail.here.view
        if view is View.SCREEN and self.mimic is not None:
            self.mimic.set_phase(phase)
            self.mimic.frame()
        elif view is View.ALARMS and self.alarm_view is not None:
            self.alarm_view.frame(ring, urgent)
        elif view is View.TREND and self.trend is not None:
            self.trend.frame()
        pane = self.stage.pane
        if pane is not None and pane is self.faceplate:
            self.faceplate.set_phase(phase)
            self.faceplate.frame()
        elif pane is not None and pane is self.status:
            self.status.frame()

    def _follow_plant(self) -> None:
        live = self.live
        versions = (live.plant_version, id(live.table))
        if versions == self._versions:
            return
        fresh_table = versions[1] != self._versions[1]
        self._versions = versions
        wrong = sum(p.severity is Severity.ERROR for p in live.problems)
        if wrong and wrong != self._wrong:
            self.stage.notice.tell(f"{wrong} {'problem' if wrong == 1 else 'problems'} in the plant's files. F12 shows them.")
        self._wrong = wrong
        self.setWindowTitle(self._title())
        if self.session.mode is Mode.LIVE:
            self._rebuild(fresh_table)

    def _rebuild(self, everything: bool) -> None:
        """The plant's files have changed: the same place in its new form."""
        if everything:
            for view in (self.alarm_view, self.trend):
                if view is not None:
                    view.set_session(self.session)
        faceplate, tab = self.faceplate, WHY
        if self.mimic is not None and everything:
            self.mimic.set_session(self.session, self.theme)
        self._show_here()
        if faceplate is not None and self.stage.pane is faceplate:
            self._show_faceplate(self._subject_again(faceplate.subject), tab)

    def _title(self) -> str:
        name = f"{self.live.plant.name} - Hindsight"
        small = self.width() < LEAST_WIDTH or self.height() < LEAST_HEIGHT
        return f"{name} (window smaller than {LEAST_WIDTH} × {LEAST_HEIGHT}: scroll)" if small else name

    # -- screens and views -----------------------------------------------------------------------------------------

    def go_to_screen(self, name: str, params: Mapping[str, Any] | None = None) -> None:
        """Open a screen; a name that does not exist is told to the operator."""
        if name not in self.session.plant.screens:
            self.stage.notice.tell(f"There is no screen '{name}'.")
            return
        self.trail.go(Place(name, dict(params or {})))
        self._show_here()

    def _show_here(self) -> None:
        place = self.trail.here
        plant = self.session.plant
        if place.view is View.SCREEN:
            self._show_screen(place)
        elif place.view is View.ALARMS:
            self.stage.show_view(self._alarm_view())
        else:
            self.stage.show_view(self._trend_view())
        way = way_to(plant, place.screen)
        head = plant.screens.get(place.screen)
        view = {View.TREND: "Trend", View.ALARMS: "Alarms"}.get(place.view, "")
        crumbs = {level: title_of(plant, screen) for level, screen in way.items()}
        self.navigation.show_place(crumbs, head.level if head is not None else 1, view)

    def _show_screen(self, place: Place) -> None:
        name = place.screen if place.screen in self.session.plant.screens else self.session.plant.start_screen
        try:
            self.screen, _ = self.session.plant.open_screen(name, place.parameters)
        except KeyError:
            self.stage.notice.tell(f"There is no screen '{name}'.")
            return
        if self.mimic is None:
            self.mimic = MimicView(self.session, self.screen, self.theme, self.stage, self._compact)
            self.mimic.opened.connect(self._on_opened)
            self.mimic.write_requested.connect(self.ask_write)
        else:
            self.mimic.set_screen(self.screen)
        self.stage.show_view(self.mimic)
        self._focus_view()

    def _alarm_view(self) -> AlarmView:
        if self.alarm_view is None:
            self.alarm_view = AlarmView(self.theme, self.session)
            self.alarm_view.set_compact(self._compact)
            self.alarm_view.acknowledge_asked.connect(self.acknowledge)
            self.alarm_view.screen_asked.connect(self.go_to_screen)
            self.alarm_view.replay_asked.connect(self.go_to_time)
            self.alarm_view.faceplate_asked.connect(lambda tag: self.open_faceplate(Open(tag=tag)))
        return self.alarm_view

    def _trend_view(self) -> TrendView:
        if self.trend is None:
            self.trend = TrendView(self.session, trend_look(self.theme))
        return self.trend

    def _focus_view(self) -> None:
        view = self.stage.view
        if view is not None:
            view.setFocus(Qt.FocusReason.OtherFocusReason)

    def show_alarms(self, priority: int = 0) -> None:
        """The alarm list, F7; a count in the banner asks for its priority only."""
        self.trail.go(Place(self.trail.here.screen, self.trail.here.parameters, View.ALARMS))
        self._show_here()
        if priority:
            self._alarm_view().show_priority(priority)

    def show_trend(self, tag: str = "") -> None:
        """The trend, F6; with a tag it is added as a pen."""
        self.trail.go(Place(self.trail.here.screen, self.trail.here.parameters, View.TREND))
        self._show_here()
        if tag:
            self._trend_view().add_pen(tag)

    def choose_level(self, level: int) -> None:
        """To the screen of that level on the way here; from there, or where there is none, a list of the level's screens."""
        plant = self.session.plant
        way = way_to(plant, self.trail.here.screen)
        here = self.trail.here
        if level in way and (way[level] != here.screen or here.view is not View.SCREEN):
            self.go_to_screen(way[level])
            return
        names = screens_of_level(plant, level)
        if len(names) == 1:
            self.go_to_screen(names[0])
            return
        menu = QMenu(self)
        for name in names:
            menu.addAction(title_of(plant, name), lambda name=name: self.go_to_screen(name))
        if not names:
            menu.addAction("No screen of this level").setEnabled(False)
        menu.aboutToHide.connect(menu.deleteLater)
        tab = self.navigation.levels[level - 1]
        menu.popup(tab.mapToGlobal(tab.rect().bottomLeft()))

    def go_up(self) -> None:
        """Alt+Up."""
        if self.trail.here.view is not View.SCREEN:
            self.go_to_screen(self.trail.here.screen, self.trail.here.parameters)
            return
        parent = parent_of(self.session.plant, self.trail.here.screen)
        if parent is not None:
            self.go_to_screen(parent)

    def go_along(self, steps: int) -> None:
        """Alt+Left, Alt+Right: back and forward."""
        if self.trail.move(steps):
            self._show_here()

    # -- panes -----------------------------------------------------------------------------------------------------

    def open_faceplate(self, target: Open, tag: str = "", tab: int = WHY) -> None:
        """The faceplate that a click asks for: a screen of faceplates/ with its parameters, or that of one tag."""
        plant = self.session.plant
        name = target.faceplate
        if name is not None:
            full = name if name in plant.screens else f"faceplates/{name}"
            if full not in plant.screens:
                self.stage.notice.tell(f"There is no faceplate '{name}'.")
                return
            screen, _ = plant.open_screen(full, target.with_)
            self._place_of_faceplate = (full, dict(target.with_))
            self._show_faceplate(Subject(screen, tag), tab)
            return
        about = target.tag or tag
        if about in plant.tag_index:
            self._show_faceplate(Subject(None, about), tab)

    _place_of_faceplate: tuple[str, dict[str, Any]] = ("", {})

    def _subject_again(self, subject: Subject) -> Subject:
        """The same faceplate from the plant as it is now."""
        plant = self.session.plant
        if subject.screen is not None and subject.screen.name in plant.screens:
            name, parameters = self._place_of_faceplate
            return Subject(plant.open_screen(name, parameters)[0], subject.tag)
        return Subject(None, subject.tag)

    def _show_faceplate(self, subject: Subject, tab: int) -> None:
        if subject.screen is None and subject.tag not in self.session.plant.tag_index:
            self.close_pane()
            return
        before = self.faceplate
        pane = FaceplatePane(self.theme, self.session, subject, self._ask_confirmed, tab)
        pane.closed.connect(self.close_pane)
        pane.trend_asked.connect(self.show_trend)
        pane.opened.connect(self._on_opened)
        pane.write_asked.connect(self.ask_write)
        self.faceplate = pane
        self.stage.show_pane(pane)
        pane.frame()
        if before is not None:
            before.deleteLater()

    def close_pane(self) -> None:
        pane = self.stage.pane
        self.stage.show_pane(None)
        if pane is not None and pane is self.faceplate:
            self.faceplate = None
            pane.deleteLater()
        self._focus_view()

    def toggle_status(self) -> None:
        """F12, or a click on the health line."""
        if self.status is not None and self.stage.pane is self.status:
            self.close_pane()
            return
        if self.status is None:
            self.status = StatusPane(self.theme, self.live, self._window_rows)
            self.status.closed.connect(self.close_pane)
        self.stage.show_pane(self.status)
        self.status.frame()

    def toggle_manual(self) -> None:
        """F1."""
        if self.manual is not None and self.stage.pane is self.manual:
            self.close_pane()
            return
        if self.manual is None:
            self.manual = ManualPane(self.theme)
            self.manual.closed.connect(self.close_pane)
        self.stage.show_pane(self.manual)

    def _window_rows(self) -> list[tuple[str, str]]:
        pump = self.pump
        rows = [("Frame", f"{pump.median_ms:.1f} ms, worst of 10 s {pump.worst_ms:.0f} ms, {pump.slow} above 50 ms")]
        if self.mimic is not None:
            rows.append(("Screen", f"{self.mimic.frame_ms:.1f} ms CPU in the last frame"))
        return rows

    def show_why(self) -> None:
        """F9: the tab 'Why this value?' of what the keyboard is at."""
        if self.faceplate is not None and self.stage.pane is self.faceplate:
            self.faceplate.show_tab(WHY)
            return
        tag = self.mimic.focus_tag if self.mimic is not None else ""
        if tag:
            self.open_faceplate(Open(tag=tag))
        else:
            self.stage.notice.tell("Choose an element first (Tab, arrows or a click), then F9.")

    def _on_opened(self, target: object, tag: str) -> None:
        opened = cast(Open, target)
        if opened is not None and opened.screen is not None:
            self.go_to_screen(opened.screen, opened.with_)
        elif opened is not None:
            self.open_faceplate(opened, tag)
        elif tag:
            self.open_faceplate(Open(tag=tag))

    # -- time ------------------------------------------------------------------------------------------------------

    @property
    def replay(self) -> Replay | None:
        """The session of the past, while one is shown."""
        return cast(Replay, self.session) if self.session.mode is Mode.REPLAY else None

    def go_to_time(self, time_us: int) -> None:
        """Take the whole plant to a time. Live, this begins the replay; the way back is `go_live`."""
        time_us = min(int(time_us), self.live.now_us())
        replay = self.replay
        if replay is None:
            self._switch(self._make_replay(time_us))
        else:
            replay.go_to(time_us)
        self.time_bar.show_time(time_us)

    def go_live(self) -> None:
        """Esc in the end, or End: the plant now. In a trend that was moved, it follows again."""
        if self.trail.here.view is View.TREND and self.trend is not None:
            self.trend.follow()
        if self.replay is not None:
            self._switch(self.live)

    def play(self, speed: float) -> None:
        """Let replay run; live, it begins a little before now."""
        if self.replay is None:
            self.go_to_time(self.live.now_us() - SECOND)
        replay = self.replay
        if replay is not None:
            replay.play(speed)

    def pause(self) -> None:
        if self.replay is not None:
            self.replay.pause()

    def set_speed(self, speed: float) -> None:
        """Of replay; playing goes on at it, a pause stays one until Space."""
        replay = self.replay
        if replay is None:
            self.play(speed)
        elif replay.playing:
            replay.play(speed)
        else:
            replay.speed = speed

    def change_speed(self, faster: bool) -> None:
        if self.replay is not None:
            self.set_speed(next_speed(self.replay.speed, faster))

    def _switch(self, session: Session) -> None:
        before, self.session = self.session, session
        self.theme = Theme.load(self._theme_name, session.mode is Mode.REPLAY)
        for part in (self.banner, self.navigation, self.time_bar):
            part.set_session(session)
        for view in (self.alarm_view, self.trend):
            if view is not None:
                view.set_session(session)
        if self.mimic is not None:
            self.mimic.set_session(session, self.theme)
        self._apply_theme()
        if self.stage.question.isVisible():
            self.stage.question.answer(False)
        self.frame_of_replay.setVisible(session.mode is Mode.REPLAY)
        self.frame_of_replay.raise_()
        self._show_here()
        pane = self.stage.pane
        if self.faceplate is not None and pane is self.faceplate:
            self._show_faceplate(self._subject_again(self.faceplate.subject), WHY)
        if before.mode is Mode.REPLAY:
            # Its queries may still be under way; nobody waits for them on the Qt thread.
            threading.Thread(target=before.close, name="replay-close", daemon=True).start()

    # -- alarms and writes -----------------------------------------------------------------------------------------

    def acknowledge(self, keys: Sequence[str]) -> None:
        """Tell the collector that an operator has seen these alarms."""
        if self.session.mode is Mode.REPLAY:
            self.stage.notice.tell("This is how it was then. Acknowledge in the live plant.")
            return
        if keys:
            self._handover.take(self.live.acknowledge(list(keys)), self._on_acknowledged, self._on_failed)

    def _on_acknowledged(self, changed: int) -> None:
        if not changed:
            self.stage.notice.tell("Nothing was left to acknowledge.")

    def _on_failed(self, error: BaseException) -> None:
        self.stage.notice.tell(f"Not done: {error}")

    def acknowledge_chosen(self) -> None:
        """F2: what is selected in the list, else the alarm in the banner."""
        if self.trail.here.view is View.ALARMS and self.alarm_view is not None and self.alarm_view.selected():
            self.acknowledge([record.rule.key for record in self.alarm_view.selected()])
        elif self.banner.text.top is not None:
            self.acknowledge([self.banner.text.top.alarm.key])

    def acknowledge_in_view(self) -> None:
        """Shift+F2: in the list what it shows, on a screen the alarms of its tags."""
        if self.trail.here.view is View.ALARMS and self.alarm_view is not None:
            self.acknowledge(self.alarm_view.keys_in_view)
            return
        if self.trail.here.view is not View.SCREEN or self.screen is None:
            return
        plant = self.session.plant
        names = set(tags_in(self.screen, plant))
        waiting = (AlarmState.UNACKNOWLEDGED, AlarmState.RETURNED)
        keys = [
            a.key for a in self.session.alarms if a.state in waiting and a.key in plant.rule and plant.rule[a.key].source in names
        ]
        if keys:
            self.acknowledge(keys)
        else:
            self.stage.notice.tell("No unacknowledged alarm of this screen.")

    def replay_chosen(self) -> None:
        """F8: a minute before the selected alarm, or the one in the banner."""
        if self.trail.here.view is View.ALARMS and self.alarm_view is not None:
            self.alarm_view.detail.replay_it()
        elif self.banner.text.top is not None:
            self.go_to_time(self.banner.text.top.alarm.raised_us - 60 * SECOND)

    def _on_top(self, key: str) -> None:
        self.show_alarms()
        self._alarm_view().frame(True, True)
        self._alarm_view().select(key)

    def _ask_confirmed(self, tag: str, value: float | bool | str) -> None:
        self.ask_write(tag, value, "")

    def ask_write(self, tag: str, value: object, question: str) -> None:
        """Write one value, after a question in place where the screen or the tag wants one."""
        given = cast("float | int | bool | str", value)
        if self.session.mode is Mode.REPLAY:
            self.stage.notice.tell("Replay shows the past: writing is locked.")
            return
        rule = self.session.plant.tag(tag)
        if not question and rule.write is not None and rule.write.confirm:
            question = f"Set {rule.description or tag} to {value_text(rule, given)}?"
        if not question:
            self._write(tag, given, confirmed=False)
            return
        self._question = lambda: self._write(tag, given, confirmed=True)
        self.stage.question.ask(question)

    def _on_answer(self, yes: bool) -> None:
        action, self._question = self._question, None
        if yes and action is not None:
            action()
        if not self.stage.question.isVisible():
            self._focus_view()

    def _write(self, tag: str, value: float | int | bool | str, confirmed: bool) -> None:
        self._handover.take(self.live.write(tag, value, confirmed), self._on_written, self._on_failed)

    def _on_written(self, write: Write) -> None:
        if write.state is not WriteState.CONFIRMED:
            self.stage.notice.tell(f"{write.tag} to {written(self.live, write)}: {outcome(write)}")

    # -- palette ---------------------------------------------------------------------------------------------------

    def open_palette(self) -> None:
        """Ctrl+K."""
        if self.palette_view.isVisible():
            self.palette_view.end()
        else:
            self.palette_view.begin(self.session)
            self.stage.show_palette(self.palette_view)

    def _on_hit(self, found: object) -> None:
        hit = cast(Hit, found)
        if hit.kind is Kind.SCREEN:
            self.go_to_screen(hit.key)
        elif hit.kind is Kind.TIME:
            self.go_to_time(hit.time_us)
        elif hit.kind is Kind.ALARM:
            self._on_top(hit.key)
        elif hit.kind is Kind.DEVICE:
            if self.stage.pane is not self.status or self.status is None:
                self.toggle_status()
        elif hit.kind is Kind.COMMAND:
            self._do(Command(hit.key))
        else:
            self.open_faceplate(Open(tag=hit.key))

    def _do(self, command: Command) -> None:
        {
            Command.TREND: self.show_trend, Command.ALARMS: self.show_alarms, Command.LIVE: self.go_live,
            Command.ACKNOWLEDGE: self.acknowledge_in_view, Command.THEME: self.toggle_theme,
            Command.STATUS: self.toggle_status, Command.MANUAL: self.toggle_manual,
        }[command]()  # fmt: skip

    def _tag_of(self, hit: Hit) -> str:
        if hit.kind is Kind.TAG:
            return hit.key
        rule = self.session.plant.rule.get(hit.key) if hit.kind is Kind.ALARM else None
        return self.session.plant.tags[rule.tag].name if rule is not None and rule.tag >= 0 else ""

    def _on_hit_faceplate(self, found: object) -> None:
        tag = self._tag_of(cast(Hit, found))
        if tag:
            self.open_faceplate(Open(tag=tag))

    def _on_hit_trend(self, found: object) -> None:
        tag = self._tag_of(cast(Hit, found))
        if tag:
            self.show_trend(tag)

    # -- keys, theme, size -----------------------------------------------------------------------------------------

    def focus_filter(self) -> None:
        """Ctrl+F."""
        if self.trail.here.view is View.ALARMS and self.alarm_view is not None:
            self.alarm_view.focus_filter()
        elif self.trail.here.view is View.TREND and self.trend is not None:
            self.trend.focus_search()
        else:
            self.open_palette()

    def step_out(self) -> None:
        """Esc, innermost first: palette, question, pane, replay."""
        if self.palette_view.isVisible():
            self.palette_view.end()
        elif self.stage.question.isVisible():
            self.stage.question.answer(False)
        elif self.stage.pane is not None:
            self.close_pane()
        else:
            self.go_live()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if not self._keys.take(event):
            super().keyPressEvent(event)

    def toggle_theme(self) -> None:
        """Ctrl+Shift+L."""
        other: Literal["light", "dark"] = "light" if self._theme_name == "dark" else "dark"
        self._theme_name = other
        self.theme = Theme.load(other, self.session.mode is Mode.REPLAY)
        self._apply_theme()
        if self.faceplate is not None and self.stage.pane is self.faceplate:
            self._show_faceplate(self._subject_again(self.faceplate.subject), WHY)

    def _apply_theme(self) -> None:
        theme = self.theme
        self.setPalette(palette_of(theme))
        self.setStyleSheet(stylesheet_of(theme))
        dress(self._body, theme)
        for pane in (self.status, self.manual, self.alarm_view):
            if pane is not None:
                dress(pane, theme)
        if self.mimic is not None:
            self.mimic.set_theme(theme)
        if self.trend is not None:
            self.trend.set_look(trend_look(theme))

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        compact = self.viewport().width() < COMPACT_BELOW
        if compact != self._compact:
            self._compact = compact
            for part in (self.banner, self.navigation, self.time_bar, self.mimic, self.alarm_view, self.trend):
                if part is not None:
                    part.set_compact(compact)
        size = self.viewport().size().expandedTo(self._body.minimumSize())
        self.frame_of_replay.setGeometry(0, 0, size.width(), size.height())
        self.frame_of_replay.raise_()
        self.setWindowTitle(self._title())

    def closeEvent(self, event: QCloseEvent) -> None:
        self.pump.stop()
        if self.replay is not None:
            self.replay.pause()
        super().closeEvent(event)


