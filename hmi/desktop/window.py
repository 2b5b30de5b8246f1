"""The main window: banner, navigation, the views, time bar; live and replay are the same views on another session."""

import threading
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, cast

from PySide6.QtCore import Qt
from PySide6.QtGui import QCloseEvent, QKeyEvent, QResizeEvent
from PySide6.QtWidgets import QFrame, QScrollArea, QVBoxLayout, QWidget

from hmi.core.clock import MINUTE, SECOND, Clock
from hmi.core.problem import Severity
from hmi.core.screen import Open, Screen
from hmi.core.session import Mode, Session
from hmi.desktop.alarm_model import keys_waiting
from hmi.desktop.alarm_view import AlarmView
from hmi.desktop.banner import Banner
from hmi.desktop.furniture import Blink, dress
from hmi.desktop.keys import Keys
from hmi.desktop.navigation import Navigation
from hmi.desktop.operations import Operations
from hmi.desktop.palette import Palette
from hmi.desktop.panes import Panes
from hmi.desktop.place import OpenScreens, Place, Trail, View, parent_of, screens_of_level, tags_in, title_of, way_to
from hmi.desktop.pump import FramePump
from hmi.desktop.rewind import MakeReplay, Replay, next_speed
from hmi.desktop.search import Command, Hit, Kind, tag_of
from hmi.desktop.stage import COMPACT_BELOW, LEAST_HEIGHT, LEAST_WIDTH, ReplayFrame, Stage
from hmi.desktop.style import palette_of, stylesheet_of, trend_look
from hmi.desktop.time_bar import TimeBar
from hmi.mimic.theme import ThemeName, Themes
from hmi.mimic.view import MimicView
from hmi.trend.view import TrendView


class MainWindow(QScrollArea):
    """Below 1280 by 720 it scrolls, and says so in its title. All methods run on the Qt thread."""

    def __init__(self, session: Session, replay: MakeReplay, theme: ThemeName, clock: Clock) -> None:
        super().__init__()
        self.live = session
        self.session: Session = session
        self._make_replay = replay
        self._clock = clock
        self._theme_name: ThemeName = theme
        self._themes = Themes()
        self.theme = self._themes.get(theme, session.mode is Mode.REPLAY)
        self._compact = False
        self._versions = (session.plant_version, id(session.table))
        self._wrong = 0
        self._body = QWidget()
        self._body.setMinimumSize(LEAST_WIDTH, LEAST_HEIGHT)
        self.setWidget(self._body)
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.banner = Banner(session, self.theme)
        self.navigation = Navigation(session, session, self.theme)
        self.stage = Stage(self.theme)
        self.time_bar = TimeBar(session, session, self.theme)
        column = QVBoxLayout(self._body)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        for part in (self.banner, self.navigation, self.stage, self.time_bar):
            column.addWidget(part, 1 if part is self.stage else 0)
        self.replay_frame = ReplayFrame(self.theme, self._body)
        self.operations = Operations(self.stage, session, self)
        self.panes = Panes(self.stage, session, self.theme, self.operations, self._window_rows, self)
        self.search = Palette(self.theme, session, session, self.stage)
        self.stage.show_palette(self.search)
        self.mimic: MimicView | None = None
        self.alarm_view: AlarmView | None = None
        self.trend: TrendView | None = None
        self.screen_shown: Screen | None = None
        self._drawn: object = None
        self._screens = OpenScreens()
        self.trail = Trail(Place(session.plant.start_screen))
        self.pump = FramePump(self.frame, clock, self)
        self._keys = Keys(self)
        self._connect()
        self._install_keys()
        self._apply_theme()
        self.replay_frame.setVisible(session.mode is Mode.REPLAY)
        self._show_here()
        self.resize(1920, 1080)

    def _connect(self) -> None:
        self.banner.acknowledge_asked.connect(lambda key: self.operations.acknowledge([key]))
        self.banner.alarms_asked.connect(self.show_alarms)
        self.banner.top_asked.connect(self.show_alarm)
        self.navigation.level_asked.connect(self.choose_level)
        self.navigation.trend_asked.connect(lambda: self.show_trend())
        self.navigation.alarms_asked.connect(lambda: self.show_alarms())
        self.navigation.palette_asked.connect(self.open_palette)
        self.navigation.status_asked.connect(self.panes.toggle_status)
        self.navigation.live_asked.connect(self.go_live)
        self.time_bar.time_asked.connect(self.go_to_time)
        self.time_bar.live_asked.connect(self.go_live)
        self.time_bar.play_asked.connect(self.play)
        self.time_bar.pause_asked.connect(self.pause)
        self.time_bar.speed_asked.connect(self.set_speed)
        self.time_bar.field.left.connect(self.focus_view)
        self.operations.answered.connect(self.focus_view)
        self.panes.opened.connect(self._on_opened)
        self.panes.trend_asked.connect(self.show_trend)
        self.panes.closed.connect(self.focus_view)
        self.search.closed.connect(self.focus_view)
        self.search.chosen.connect(self._on_hit)
        self.search.faceplate_asked.connect(lambda hit: self.open_faceplate(Open(tag=tag_of(hit, self.session.plant))))
        self.search.trend_asked.connect(lambda hit: self.show_trend(tag_of(hit, self.session.plant)))

    def _install_keys(self) -> None:
        key = Qt.Key
        self._keys.everywhere({
            "Ctrl+K": self.open_palette, "F1": self.panes.toggle_manual, "F2": self.acknowledge_chosen,
            "Shift+F2": self.acknowledge_in_view, "F6": self.show_trend, "F7": self.show_alarms,
            "F8": self.replay_chosen, "F9": self.show_why, "F12": self.panes.toggle_status,
            "Ctrl+G": self.time_bar.field.begin, "Ctrl+F": self.focus_filter, "Ctrl+Shift+L": self.toggle_theme,
            "Alt+1": lambda: self.choose_level(1), "Alt+2": lambda: self.choose_level(2),
            "Alt+3": lambda: self.choose_level(3), "Alt+4": lambda: self.choose_level(4), "Alt+Up": self.go_up,
            "Alt+Left": lambda: self.go_along(-1), "Alt+Right": lambda: self.go_along(1),
        })  # fmt: skip
        self._keys.plain({
            key.Key_Escape: self.step_out, key.Key_Space: self.time_bar.toggle, key.Key_End: self.go_live,
            key.Key_BracketLeft: partial(self.time_bar.step, False),
            key.Key_BracketRight: partial(self.time_bar.step, True),
            key.Key_Plus: lambda: self.change_speed(True), key.Key_Equal: lambda: self.change_speed(True),
            key.Key_Minus: lambda: self.change_speed(False),
        })  # fmt: skip

    def frame(self) -> None:
        """Bring everything that is visible up to date. Called by the pump 20 times a second, or by a test."""
        self.live.tick()
        if self.session is not self.live:
            self.session.tick()
        self._follow_plant()
        phase = self._clock.monotonic_us() // 1000 % 2000
        blink = Blink.at(phase)
        self.banner.frame(blink)
        self.navigation.frame(tuple(self.live.problems), blink)
        self.time_bar.frame()
        view = self.stage.view
        if isinstance(view, MimicView):
            view.set_phase(phase)
            view.frame()
        elif isinstance(view, AlarmView):
            view.frame(blink)
        elif isinstance(view, TrendView):
            view.frame()
        self.panes.frame(phase)

    def _follow_plant(self) -> None:
        live = self.live
        versions = (live.plant_version, id(live.table))
        if versions == self._versions:
            return
        other_tags = versions[1] != self._versions[1]
        self._versions = versions
        wrong = sum(problem.severity is Severity.ERROR for problem in live.problems)
        if wrong and wrong != self._wrong:
            noun = "problem" if wrong == 1 else "problems"
            self.operations.tell(f"{wrong} {noun} in the plant's files. F12 shows them.")
        self._wrong = wrong
        self._name_window()
        if self.session is live:
            self._take_session(other_tags)

    def _take_session(self, anew: bool) -> None:
        """Show the same place on `self.session`; `anew` where its tags or its time are others than before."""
        if anew:
            for view in (self.alarm_view, self.trend):
                if view is not None:
                    view.set_session(self.session)
            if self.mimic is not None:
                self.mimic.set_session(self.session, self.theme)
        self._show_here()
        self.panes.reopen(self.session)

    def go_to_screen(self, name: str, params: Mapping[str, Any] | None = None) -> None:
        """Open a screen; a name that does not exist is told to the operator."""
        if name not in self.session.plant.screens:
            self.operations.tell(f"There is no screen '{name}'.")
            return
        self.trail.go(Place(name, dict(params or {})))
        self._show_here()

    def _show_here(self) -> None:
        place, plant = self.trail.here, self.session.plant
        if place.view is View.SCREEN:
            self._show_screen(place)
        else:
            self.stage.show_view(self._alarms() if place.view is View.ALARMS else self._trend())
        self.focus_view()
        head = plant.screens.get(place.screen)
        view = {View.TREND: "Trend", View.ALARMS: "Alarms"}.get(place.view, "")
        crumbs = {level: title_of(plant, screen) for level, screen in way_to(plant, place.screen).items()}
        self.navigation.show_place(crumbs, head.level if head is not None else 1, view)

    def _show_screen(self, place: Place) -> None:
        plant = self.session.plant
        drawn = (id(plant), self.live.plant_version, place)
        if drawn == self._drawn and self.mimic is not None:
            # Another session of the same plant: what is drawn is right already, and drawing it anew would take time.
            self.stage.show_view(self.mimic)
            return
        self._drawn = drawn
        known = place.screen in plant.screens
        self.screen_shown = self._screens.open(
            plant, place.screen if known else plant.start_screen, place.parameters if known else {}
        )
        if self.mimic is None:
            self.mimic = MimicView(self.session, self.screen_shown, self.theme, self.stage, self._compact)
            self.mimic.opened.connect(self._on_opened)
            self.mimic.write_requested.connect(self.operations.ask_write)
            self._keys.space_of(self.mimic)
        else:
            self.mimic.set_screen(self.screen_shown)
        self.stage.show_view(self.mimic)

    def _alarms(self) -> AlarmView:
        if self.alarm_view is None:
            view = AlarmView(self.theme, self.session)
            view.set_compact(self._compact)
            view.acknowledge_asked.connect(self.operations.acknowledge)
            view.screen_asked.connect(self.go_to_screen)
            view.replay_asked.connect(self.go_to_time)
            view.faceplate_asked.connect(lambda tag: self.open_faceplate(Open(tag=tag)))
            self.alarm_view = view
        return self.alarm_view

    def _trend(self) -> TrendView:
        if self.trend is None:
            self.trend = TrendView(self.session, trend_look(self.theme))
            self.trend.set_compact(self._compact)
        return self.trend

    def focus_view(self) -> None:
        """The keyboard goes to the view, unless something lies over it that waits for an answer."""
        over = self.search.isVisible() or self.stage.question.isVisible()
        if self.stage.view is not None and not over:
            self.stage.view.setFocus(Qt.FocusReason.OtherFocusReason)

    def _go_to_view(self, view: View) -> None:
        here = self.trail.here
        self.trail.go(Place(here.screen, here.parameters, view))
        self._show_here()

    def show_alarms(self, priority: int = 0) -> None:
        """The alarm list, F7; a count in the banner asks for its priority only."""
        self._go_to_view(View.ALARMS)
        if priority:
            self._alarms().show_priority(priority)

    def show_alarm(self, key: str) -> None:
        """The alarm list with the cursor on one alarm."""
        self.show_alarms()
        self._alarms().frame(Blink())
        self._alarms().select(key)

    def show_trend(self, tag: str = "") -> None:
        """The trend, F6; with a tag it is added as a pen."""
        self._go_to_view(View.TREND)
        if tag:
            self._trend().add_pen(tag)

    def choose_level(self, level: int) -> None:
        """To the screen of that level on the way here; from there, or without one, a list of the level's screens."""
        plant, here = self.session.plant, self.trail.here
        way = way_to(plant, here.screen)
        if level in way and (way[level] != here.screen or here.view is not View.SCREEN):
            self.go_to_screen(way[level])
            return
        names = screens_of_level(plant, level)
        if len(names) == 1:
            self.go_to_screen(names[0])
            return
        self.navigation.offer(level, [(title_of(plant, name), partial(self.go_to_screen, name)) for name in names])

    def go_up(self) -> None:
        """Alt+Up: from a view to its screen, from a screen to its parent."""
        here = self.trail.here
        if here.view is not View.SCREEN:
            self.go_to_screen(here.screen, here.parameters)
            return
        parent = parent_of(self.session.plant, here.screen)
        if parent is not None:
            self.go_to_screen(parent)

    def go_along(self, steps: int) -> None:
        """Alt+Left, Alt+Right: back and forward."""
        if self.trail.move(steps):
            self._show_here()

    def open_faceplate(self, target: Open, tag: str = "") -> None:
        """What a click asks for: a screen of faceplates/ with its parameters, or the faceplate of one tag."""
        self.panes.open_faceplate(target, tag)

    def show_why(self) -> None:
        """F9: why the value that the keyboard is at is what it is."""
        if self.panes.show_why():
            return
        focused = self.mimic.focused if self.mimic is not None and self.stage.view is self.mimic else None
        if focused is not None and focused.main_tag is not None:
            self.open_faceplate(Open(tag=focused.main_tag.name))
        else:
            self.operations.tell("Choose an element first (Tab, arrows or a click), then F9.")

    def _on_opened(self, target: object, tag: str) -> None:
        opened = cast("Open | None", target)
        if opened is not None and opened.screen is not None:
            self.go_to_screen(opened.screen, opened.with_)
        else:
            self.open_faceplate(opened if opened is not None else Open(tag=tag), tag)

    def _window_rows(self) -> list[tuple[str, str]]:
        drawn = [] if self.mimic is None else [("Screen", f"{self.mimic.frame_ms:.1f} ms CPU in the last frame")]
        return [("Frame", self.pump.words), *drawn]

    @property
    def replay(self) -> Replay | None:
        """The session of the past, while one is shown."""
        return cast("Replay", self.session) if self.session.mode is Mode.REPLAY else None

    def go_to_time(self, time_us: int) -> None:
        """Take the whole plant to a time. Live, this begins the replay; the way back is `go_live`."""
        if self.replay is None:
            time_us = min(int(time_us), self.live.now_us())
            self._switch(self._make_replay(time_us))
        else:
            # The live session of a picture of the past is that picture's replay: its now is no limit.
            self.replay.go_to(int(time_us) if self.live is self.session else min(int(time_us), self.live.now_us()))
        self.time_bar.show_time(int(time_us))

    def go_live(self) -> None:
        """Esc in the end, or End: the plant now. A trend that was moved follows again."""
        if self.trend is not None and self.stage.view is self.trend:
            self.trend.follow()
        if self.session is not self.live:
            self._switch(self.live)

    def play(self, speed: float) -> None:
        """Let replay run; live, it begins a second before now."""
        if self.replay is None:
            self.go_to_time(self.live.now_us() - SECOND)
        if self.replay is not None:
            self.replay.play(speed)

    def pause(self) -> None:
        if self.replay is not None:
            self.replay.pause()

    def set_speed(self, speed: float) -> None:
        """Of replay; playing goes on at it, a pause stays one until Space."""
        replay = self.replay
        if replay is None or replay.playing:
            self.play(speed)
        else:
            replay.speed = speed

    def change_speed(self, faster: bool) -> None:
        if self.replay is not None:
            self.set_speed(next_speed(self.replay.speed, faster))

    def _switch(self, session: Session) -> None:
        before, self.session = self.session, session
        self.operations.session = session
        if self.stage.question.isVisible():
            self.stage.question.answer(False)
        for part in (self.banner, self.navigation, self.time_bar):
            part.set_session(session)
        self._apply_theme()
        self._take_session(anew=True)
        self.replay_frame.setVisible(session.mode is Mode.REPLAY)
        self.replay_frame.raise_()
        if before is not self.live:
            # Its queries may still be under way; nobody waits for them on the Qt thread.
            threading.Thread(target=before.close, name="replay-close", daemon=True).start()

    def acknowledge_chosen(self) -> None:
        """F2: what is selected in the list, else the alarm in the banner."""
        view, top = self.alarm_view, self.banner.text.top
        if view is not None and self.stage.view is view and view.selected():
            self.operations.acknowledge([record.rule.key for record in view.selected()])
        elif top is not None:
            self.operations.acknowledge([top.alarm.key])

    def acknowledge_in_view(self) -> None:
        """Shift+F2: in the list what it shows, on a screen the alarms of its tags."""
        keys: list[str] = []
        if self.alarm_view is not None and self.stage.view is self.alarm_view:
            keys = self.alarm_view.keys_in_view
        elif self.screen_shown is not None and self.stage.view is self.mimic:
            keys = keys_waiting(self.session, tags_in(self.screen_shown, self.session.plant))
        if keys:
            self.operations.acknowledge(keys)
        else:
            self.operations.tell("Nothing here waits to be acknowledged.")

    def replay_chosen(self) -> None:
        """F8: a minute before the selected alarm, or the one in the banner."""
        if self.alarm_view is not None and self.stage.view is self.alarm_view:
            self.alarm_view.detail.replay_it()
        elif self.banner.text.top is not None:
            self.go_to_time(self.banner.text.top.alarm.raised_us - MINUTE)

    def open_palette(self) -> None:
        """Ctrl+K, and once more to close it."""
        if self.search.isVisible():
            self.search.end()
        else:
            self.search.begin(self.session)
            self.stage.show_palette(self.search)

    def _on_hit(self, found: object) -> None:
        hit = cast("Hit", found)
        if hit.kind is Kind.SCREEN:
            self.go_to_screen(hit.key)
        elif hit.kind is Kind.TIME:
            self.go_to_time(hit.time_us)
        elif hit.kind is Kind.ALARM:
            self.show_alarm(hit.key)
        elif hit.kind is Kind.TAG:
            self.open_faceplate(Open(tag=hit.key))
        else:
            command = Command.STATUS if hit.kind is Kind.DEVICE else Command(hit.key)
            actions: dict[Command, Callable[[], None]] = {
                Command.TREND: self.show_trend, Command.ALARMS: self.show_alarms, Command.LIVE: self.go_live,
                Command.ACKNOWLEDGE: self.acknowledge_in_view, Command.THEME: self.toggle_theme,
                Command.STATUS: self.panes.toggle_status, Command.MANUAL: self.panes.toggle_manual,
            }  # fmt: skip
            actions[command]()

    def focus_filter(self) -> None:
        """Ctrl+F: the filter of the view, the palette where it has none."""
        view = self.stage.view
        if isinstance(view, AlarmView):
            view.focus_filter()
        elif isinstance(view, TrendView):
            view.focus_search()
        else:
            self.open_palette()

    def step_out(self) -> None:
        """Esc, innermost first: palette, question, pane, replay."""
        if self.search.isVisible():
            self.search.end()
        elif self.stage.question.isVisible():
            self.stage.question.answer(False)
        elif self.panes.is_open:
            self.panes.close()
        else:
            self.go_live()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if not self._keys.take(event):
            super().keyPressEvent(event)

    def toggle_theme(self) -> None:
        """Ctrl+Shift+L: light or dark."""
        self._theme_name = "light" if self._theme_name == "dark" else "dark"
        self._apply_theme()
        if self.mimic is not None:
            self.mimic.set_theme(self.theme)
        self.panes.reopen(self.session)

    def _apply_theme(self) -> None:
        theme = self.theme = self._themes.get(self._theme_name, self.session.mode is Mode.REPLAY)
        self.setPalette(palette_of(theme))
        self.stage.set_sheet(sheet := stylesheet_of(theme))
        for part in (self.banner, self.navigation, self.time_bar, self.verticalScrollBar(), self.horizontalScrollBar()):
            part.setStyleSheet(sheet)
        dress(self._body, theme)
        self.panes.set_theme(theme)
        if self.trend is not None:
            self.trend.set_look(trend_look(theme))

    def _name_window(self) -> None:
        small = self.viewport().width() < LEAST_WIDTH or self.viewport().height() < LEAST_HEIGHT
        more = f" (window smaller than {LEAST_WIDTH} × {LEAST_HEIGHT}: scroll)" if small else ""
        self.setWindowTitle(f"{self.live.plant.name} - Hindsight{more}")

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        compact = self.viewport().width() < COMPACT_BELOW
        if compact != self._compact:
            self._compact = compact
            for part in (self.banner, self.navigation, self.time_bar, self.mimic, self.alarm_view, self.trend):
                if part is not None:
                    part.set_compact(compact)
        size = self.viewport().size().expandedTo(self._body.minimumSize())
        self.replay_frame.setGeometry(0, 0, size.width(), size.height())
        self.replay_frame.raise_()
        self._name_window()

    def closeEvent(self, event: QCloseEvent) -> None:
        self.pump.stop()
        if self.session is not self.live:
            self._switch(self.live)
        super().closeEvent(event)
