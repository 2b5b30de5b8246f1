"""The plant now: a thread listens to the collector, histories come from the historian.

Threads: the listener applies what comes to the table; two workers ask the historian; views run on the Qt thread and
only read. Nothing here waits on the Qt thread.
"""

import itertools
import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace

import numpy as np

from hmi.core.alarm import Alarm, AlarmState
from hmi.core.batch import Batch
from hmi.core.clock import MINUTE, SECOND, Clock
from hmi.core.command import Write, WriteState
from hmi.core.event import Coverage, Event
from hmi.core.home import Home
from hmi.core.plant import Plant
from hmi.core.problem import Problem
from hmi.core.series import Series, append_tail, raw_series
from hmi.core.session import Health, HistoryUnavailableError, LinkState, Mode
from hmi.core.table import Table
from hmi.history.reader import Reader
from hmi.link import message
from hmi.link.client import LinkConnection
from hmi.link.endpoint import EndpointError
from hmi.link.frame import Frame, batch_of

log = logging.getLogger(__name__)

LoadPlant = Callable[[Mapping[str, str], Mapping[str, str]], tuple[Plant | None, list[Problem]]]
"""Files and environment to a plant, as the collector does it."""

SILENT_US = 3 * SECOND
"""The collector speaks once a second; after three it is silent, and nothing on a screen counts as fresh."""
_RING_US = 15 * MINUTE
_KEEP_WRITES_US = 10 * MINUTE
_RETRY_S = (0.1, 0.2, 0.5, 1.0, 2.0)


class LiveSession:
    """Implements `hmi.core.session.Session` on the link and the historian."""

    mode = Mode.LIVE

    def __init__(self, home: Home, load: LoadPlant, clock: Clock) -> None:
        self._home = home
        self._load = load
        self._clock = clock
        self._ids = itertools.count(1)
        self._lock = threading.Lock()
        self._ready = threading.Event()
        self._closing = threading.Event()
        self._connection: LinkConnection | None = None
        self._asked: dict[int, Future[Frame]] = {}
        self._plant: Plant | None = None
        self._arrived: Plant | None = None
        self._told = False
        self._filled = Table(0)
        self._revision: tuple[object, ...] = ()
        self._names: tuple[str, ...] = ()
        self._health = Health()
        self._heard_us = 0
        self._heard_monotonic_us = 0
        self._link = LinkState.CONNECTING
        self._alarms: dict[str, Alarm] = {}
        self._writes: dict[str, Write] = {}
        self._dsn = ""
        self.table = Table(0)
        self.who = ""
        self.problems: Sequence[Problem] = ()
        self.plant_version = 0
        self.alarms_version = 0
        self.writes_version = 0
        self.reader = Reader(lambda: self._dsn)
        self._workers = ThreadPoolExecutor(2, "history")
        self._listener = threading.Thread(target=self._listen, name="link", daemon=True)
        self._listener.start()

    # -- what views read -------------------------------------------------------------------------------------------

    @property
    def plant(self) -> Plant:
        if self._plant is None:
            raise RuntimeError("the plant is not known before the collector has answered; wait_for_plant first")
        return self._plant

    def wait_for_plant(self, timeout_s: float) -> bool:
        """Whether the collector has sent its plant in time. On the thread of the views."""
        if not self._ready.wait(timeout_s):
            return False
        self.tick()
        return True

    def tick(self) -> None:
        """Once a frame, on the thread of the views: take over a plant that has arrived, with its table.

        Only here do the two change, so that a view never reads a new table by the indices of an old plant.
        """
        with self._lock:
            arrived, table, told = self._arrived, self._filled, self._told
            self._arrived, self._told = None, False
        if arrived is not None:
            self._plant = arrived
            self.table = table
        if told:
            self.plant_version += 1

    def now_us(self) -> int:
        return self._clock.now_us()

    @property
    def health(self) -> Health:
        link = self._link
        if link is LinkState.OK and self._clock.monotonic_us() - self._heard_monotonic_us > SILENT_US:
            link = LinkState.SILENT
        return replace(self._health, link=link, heard_us=self._heard_us, who=self.who)

    @property
    def alarms(self) -> Sequence[Alarm]:
        with self._lock:
            return list(self._alarms.values())

    @property
    def writes(self) -> Sequence[Write]:
        with self._lock:
            return list(self._writes.values())

    @property
    def dsn(self) -> str:
        """Where the historian is, as the collector says; empty while it does not know."""
        return self._dsn

    # -- what views ask --------------------------------------------------------------------------------------------

    def history(self, tags: Sequence[str], start_us: int, end_us: int, buckets: int) -> Future[list[Series]]:
        return self._workers.submit(self._history, list(tags), start_us, end_us, buckets)

    def coverage(self, start_us: int, end_us: int) -> Future[list[Coverage]]:
        return self._workers.submit(self.reader.coverage, start_us, end_us)

    def events(self, start_us: int, end_us: int, limit: int = 10_000) -> Future[list[Event]]:
        return self._workers.submit(self.reader.events, start_us, end_us, limit)

    def write(self, tag: str, value: float | int | bool | str, confirmed: bool = False) -> Future[Write]:
        done: Future[Write] = Future()
        asked_us = self._clock.now_us()

        def answered(reply: Future[Frame]) -> None:
            error = reply.exception()
            if error is None:
                done.set_result(message.write_from(reply.result().body["write"]))
                return
            # The request may have reached the collector before the link broke: nobody can say what became of it.
            sent = not isinstance(error, NotSentError)
            state = WriteState.UNKNOWN if sent else WriteState.FAILED
            done.set_result(
                Write(f"local-{asked_us}", tag, value, self.who, state, asked_us, self._clock.now_us(), why=str(error))
            )

        self._ask("write", {"tag": tag, "value": value, "confirmed": confirmed}).add_done_callback(answered)
        return done

    def acknowledge(self, keys: Sequence[str]) -> Future[int]:
        done: Future[int] = Future()

        def answered(reply: Future[Frame]) -> None:
            error = reply.exception()
            if error is None:
                done.set_result(int(reply.result().body["changed"]))
            else:
                done.set_exception(error)

        self._ask("acknowledge", {"keys": list(keys)}).add_done_callback(answered)
        return done

    def close(self) -> None:
        """Leave; the collector goes on collecting."""
        self._closing.set()
        if self._connection is not None:
            self._connection.close()
        self._listener.join(5)
        self._workers.shutdown(wait=True, cancel_futures=True)
        self.reader.close()

    # -- history with the collector's own memory at its end --------------------------------------------------------

    def _history(self, tags: list[str], start_us: int, end_us: int, buckets: int) -> list[Series]:
        now_us = self._clock.now_us()
        stored: list[Series] | None = None
        failure: HistoryUnavailableError | None = None
        try:
            stored = self.reader.history(tags, start_us, end_us, buckets)
        except HistoryUnavailableError as error:
            failure = error  # the collector's memory may still have what was asked for
        if end_us < now_us - _RING_US:
            if stored is None:
                raise failure or HistoryUnavailableError("nothing was read")
            return stored
        recent = self._recent(tags, max(start_us, now_us - _RING_US))
        if stored is None:
            if failure is not None and (recent is None or start_us < now_us - _RING_US):
                raise failure
            empty = np.empty(0, np.int64)
            stored = [raw_series(tag, start_us, end_us, empty, np.empty(0), np.empty(0, np.uint32)) for tag in tags]
        if recent is None:
            return stored
        index = self.plant.tag_index
        whole = []
        for series in stored:
            mine = recent.take(recent.tag == index.get(series.tag, -1))
            whole.append(append_tail(series, mine.time_us, mine.value, mine.status))
        return whole

    def _recent(self, tags: list[str], since_us: int) -> Batch | None:
        """What the collector has in memory, or None where it does not answer."""
        index = self.plant.tag_index
        numbers = [index[t] for t in tags if t in index]
        try:
            return batch_of(self._ask("since", {"tags": numbers, "time_us": since_us}).result(3.0))
        except (TimeoutError, EndpointError):
            return None

    # -- the link --------------------------------------------------------------------------------------------------

    def _ask(self, kind: str, arguments: dict[str, object]) -> Future[Frame]:
        number = next(self._ids)
        future: Future[Frame] = Future()
        connection = self._connection
        if connection is None or self._link is LinkState.LOST:
            future.set_exception(NotSentError("the collector is not connected"))
            return future
        with self._lock:
            self._asked[number] = future
        try:
            connection.send(Frame(kind, {**arguments, "id": number}))
        except EndpointError as error:
            with self._lock:
                self._asked.pop(number, None)
            future.set_exception(NotSentError(str(error)))
        return future

    def _listen(self) -> None:
        attempt = 0
        while not self._closing.is_set():
            try:
                with LinkConnection(self._home.socket) as connection:
                    self._connection = connection
                    connection.send(Frame("watch"))
                    while not self._closing.is_set():
                        self._take(connection.receive())
                        attempt = 0
            except EndpointError as error:
                self._lost(str(error))
            except Exception as error:
                # A frame that we do not understand, as of another version: the listener must outlive it.
                log.exception("what the collector said cannot be understood; connecting anew")
                self._lost(f"what the collector said cannot be understood: {error!r}")
            self._closing.wait(_RETRY_S[min(attempt, len(_RETRY_S) - 1)])
            attempt += 1

    def _lost(self, why: str) -> None:
        if self._link is not LinkState.CONNECTING:
            self._link = LinkState.LOST
        self._connection = None
        self._give_up_on_replies(why)

    def _give_up_on_replies(self, why: str) -> None:
        with self._lock:
            left, self._asked = list(self._asked.values()), {}
        for future in left:
            future.set_exception(EndpointError(f"{why}, before it answered"))

    def _take(self, frame: Frame) -> None:
        self._heard_us = self._clock.now_us()
        # Silence is measured by this one: a clock that is set back must not make a dead collector look alive.
        self._heard_monotonic_us = self._clock.monotonic_us()
        body = frame.body
        if frame.kind == "batch":
            self._filled.apply(batch_of(frame))
        elif frame.kind == "reply":
            with self._lock:
                future = self._asked.pop(body["id"], None)
            if future is not None:
                if "error" in body:
                    future.set_exception(EndpointError(str(body["error"])))
                else:
                    future.set_result(frame)
        elif frame.kind == "health":
            self._health = message.health_from(body)
        elif frame.kind == "alarms":
            self._take_alarms([message.alarm_from(a) for a in body["alarms"]])
        elif frame.kind == "writes":
            self._take_writes([message.write_from(w) for w in body["writes"]])
        elif frame.kind == "dsn":
            self._dsn = body["dsn"]
        elif frame.kind in ("welcome", "plant"):
            self._take_plant(frame)

    def _take_plant(self, frame: Frame) -> None:
        body = frame.body
        revision = (body["revision"], tuple(sorted(body["environment"].items())))
        if revision != self._revision:
            plant, found = self._load(body["files"], body["environment"])
            if plant is None:
                log.error("the collector's plant cannot be read here: %s", "; ".join(map(str, found)))
                return
            self._revision = revision
            names = tuple(t.name for t in plant.tags)
            with self._lock:
                if names != self._names:
                    self._names = names
                    self._filled = Table(len(names))
                self._arrived = plant
        self._filled.apply(batch_of(frame))
        self.problems = [message.problem_from(p) for p in body["problems"]]
        if frame.kind == "welcome":
            self.who = body["who"]
            self._dsn = body["dsn"] or self._dsn
            self._health = message.health_from(body["health"])
            with self._lock:
                self._alarms = {a.key: a for a in map(message.alarm_from, body["alarms"])}
                self._writes = {w.id: w for w in map(message.write_from, body["writes"])}
            self.alarms_version += 1
            self.writes_version += 1
        self._link = LinkState.OK
        with self._lock:
            self._told = True
        self._ready.set()

    def _take_alarms(self, changed: list[Alarm]) -> None:
        with self._lock:
            for alarm in changed:
                if alarm.state is AlarmState.NORMAL:
                    self._alarms.pop(alarm.key, None)
                else:
                    self._alarms[alarm.key] = alarm
        self.alarms_version += 1

    def _take_writes(self, changed: list[Write]) -> None:
        old_us = self._clock.now_us() - _KEEP_WRITES_US
        with self._lock:
            for write in changed:
                self._writes[write.id] = write
            self._writes = {k: w for k, w in self._writes.items() if not w.state.ended or w.ended_us > old_us}
        self.writes_version += 1


class NotSentError(EndpointError):
    """The request certainly did not leave this process."""
