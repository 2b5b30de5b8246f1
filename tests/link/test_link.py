"""The link between collector and desktop, over real sockets, both ways it can be opened."""

import asyncio
import math
import struct
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hmi.core.alarm import Alarm, AlarmState
from hmi.core.batch import Batch, make_batch
from hmi.core.command import Write, WriteState
from hmi.core.device import DeviceHealth, DeviceState
from hmi.core.problem import Place, Problem
from hmi.core.session import Health, HistorianHealth, HistorianState, LinkState
from hmi.core.table import Table
from hmi.link import message
from hmi.link.client import LinkConnection, request
from hmi.link.endpoint import EndpointError
from hmi.link.frame import Frame, FrameError, batch_frame, batch_of, decode, encode
from hmi.link.server import LinkServer, Welcome


class Plantlet:
    """A collector reduced to what the link asks of it."""

    def __init__(self) -> None:
        self.table = Table(3)
        self.table.apply(make_batch([0, 1], 5, [1.5, 2.5]))
        self.asked: list[tuple[str, Any]] = []
        self.stopped_by = ""

    def welcome(self) -> Welcome:
        return Welcome(
            {"plant.yaml": "name: Ä"},
            {"HMI_DEVICE_PLC_1_PORT": "1502"},
            "r1",
            [Problem(Place("screens/a.yaml", 3, 5), "E1", "unknown tag", "did you mean 'a'?")],
            self.table.snapshot(),
            [Alarm("LT/high", AlarmState.UNACKNOWLEDGED, 7, value=math.nan)],
            [],
            Health(LinkState.OK, 1, HistorianHealth(HistorianState.OK, "postgresql"), (), "eva"),
            "dsn",
        )

    async def write(self, tag: str, value: float | int | bool | str, confirmed: bool, who: str) -> Write:
        self.asked.append((tag, value))
        return Write("w1", tag, value, who, WriteState.CONFIRMED, 1, 2, 3, 0.5, "", confirmed)

    async def acknowledge(self, keys: Any, who: str) -> int:
        return len(keys)

    async def since(self, tags: Any, time_us: int) -> Batch:
        return make_batch(tags, time_us, [float(t) for t in tags])

    def status(self) -> dict[str, Any]:
        return {"tags": 3}

    def stop(self, who: str) -> None:
        self.stopped_by = who


class Running:
    """A link server on an event loop in a thread."""

    def __init__(self, path: Path, unix: bool) -> None:
        self.handler = Plantlet()
        self.server = LinkServer(path, self.handler, unix)
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self.loop.run_forever)
        self.thread.start()
        self.call(self.server.start())

    def call(self, coroutine: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop).result(5)

    def send(self, function: Any, *args: Any) -> None:
        self.loop.call_soon_threadsafe(function, *args)

    def stop(self) -> None:
        self.call(self.server.stop())
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join(5)
        self.loop.close()


@pytest.fixture(params=[True, False], ids=["unix socket", "port with token"])
def link(request: pytest.FixtureRequest, tmp_path: Path) -> Any:
    running = Running(tmp_path / "run" / "c.sock", request.param)
    yield running, lambda: LinkConnection(tmp_path / "run" / "c.sock", unix=request.param)
    running.stop()


def wait_until(condition: Any) -> None:
    end = time.monotonic() + 5
    while not condition():
        assert time.monotonic() < end, "it did not happen within 5 s"
        threading.Event().wait(0.005)


def test_that_a_desktop_is_welcomed_with_all_it_needs_to_begin(link: Any) -> None:
    _, connect = link
    with connect() as connection:
        connection.send(Frame("watch"))
        welcome = connection.receive(5)
    assert welcome.kind == "welcome"
    assert welcome.body["files"] == {"plant.yaml": "name: Ä"}
    assert message.problem_from(welcome.body["problems"][0]).hint == "did you mean 'a'?"
    assert math.isnan(message.alarm_from(welcome.body["alarms"][0]).value)
    batch = batch_of(welcome)
    assert batch.value[:2].tolist() == [1.5, 2.5]
    assert math.isnan(batch.value[2])


def test_that_batches_arrive_as_they_were_sent(link: Any) -> None:
    running, connect = link
    sent = make_batch([0, 2], [10, 11], [1.0, math.nan], [0, 0x80310000], 3, [1, 2**60 + 1], ["Pumpe", None])
    with connect() as connection:
        connection.send(Frame("watch"))
        connection.receive(5)
        running.send(running.server.send_batch, sent)
        got = batch_of(connection.receive(5))
    for name in ("tag", "time_us", "value", "status", "delay_us", "whole"):
        np.testing.assert_array_equal(getattr(got, name), getattr(sent, name))
    assert got.text is not None
    assert got.text.tolist() == ["Pumpe", None]


def test_that_a_write_is_answered_with_what_became_of_it(link: Any) -> None:
    running, connect = link
    with connect() as connection:
        connection.send(Frame("write", {"id": 4, "tag": "P.sp", "value": 7.5, "confirmed": True}))
        reply = connection.receive(5)
    assert reply.body["id"] == 4
    assert message.write_from(reply.body["write"]).state is WriteState.CONFIRMED
    assert running.handler.asked == [("P.sp", 7.5)]


@pytest.mark.logs("request 'write' of .* failed")
def test_that_an_unknown_or_broken_request_is_refused_in_words(link: Any) -> None:
    _, connect = link
    with connect() as connection:
        connection.send(Frame("dance", {"id": 1}))
        assert "knows no request 'dance'" in connection.receive(5).body["error"]
        connection.send(Frame("write", {"id": 2}))
        assert "could not do 'write'" in connection.receive(5).body["error"]


@pytest.mark.logs("request 'write' of .* failed")
@pytest.mark.parametrize("value", ["NaN", "-Infinity", "1e999", "9" * 400, "null", "[1]", '"\\ud800"'])
def test_that_a_value_that_no_frame_can_carry_is_answered_and_never_reaches_the_gate(
    tmp_path: Path, value: str
) -> None:
    running = Running(tmp_path / "run" / "c.sock", True)
    with LinkConnection(tmp_path / "run" / "c.sock") as connection:
        body = f'{{"tag": "P.sp", "value": {value}, "confirmed": true, "id": 7}}'
        header = f'{{"kind": "write", "body": {body}, "columns": []}}'.encode()
        connection._socket.sendall(struct.pack("<II", 4 + len(header), len(header)) + header)
        reply = connection.receive(5)
    assert reply.body["id"] == 7
    assert "could not do 'write'" in reply.body["error"]
    assert running.handler.asked == []
    running.stop()


@pytest.mark.parametrize(
    "header",
    [b'{"kind": 1, "body": {}, "columns": []}', b'{"kind": "write", "body": [1], "columns": []}', b"[" * 100_000],
)
def test_that_a_header_of_another_shape_is_no_frame(header: bytes) -> None:
    with pytest.raises(FrameError):
        decode(struct.pack("<I", len(header)) + header)


def test_that_the_collector_can_be_asked_to_stop(tmp_path: Path) -> None:
    running = Running(tmp_path / "run" / "c.sock", True)
    request(tmp_path / "run" / "c.sock", "stop")
    assert running.handler.stopped_by
    assert request(tmp_path / "run" / "c.sock", "status")["status"] == {"tags": 3}
    running.stop()
    with pytest.raises(EndpointError, match="no collector answers"):
        request(tmp_path / "run" / "c.sock", "status")


@pytest.mark.logs("reads too slowly")
def test_that_a_slow_reader_gets_a_fresh_snapshot_and_never_an_old_value_after_it(tmp_path: Path) -> None:
    running = Running(tmp_path / "run" / "c.sock", True)
    many = 20_000

    def flood(number: int) -> None:
        batch = make_batch(np.zeros(many, np.int32), number, np.full(many, float(number)))
        running.handler.table.apply(batch)
        running.server.send_batch(batch)

    with LinkConnection(tmp_path / "run" / "c.sock") as connection:
        connection.send(Frame("watch"))
        connection.receive(5)
        for number in range(1, 101):  # 64 MB that nobody reads
            running.send(flood, number)
        seen: list[float] = []
        kinds = set()
        while not seen or seen[-1] < 100:
            frame = connection.receive(5)
            kinds.add(frame.kind)
            seen.append(float(batch_of(frame).value[0]))
    assert seen == sorted(seen)
    assert "welcome" in kinds
    running.stop()


@pytest.mark.logs("that are no frame: .*disconnected")
def test_that_bytes_which_are_no_frame_end_the_connection_only(tmp_path: Path) -> None:
    running = Running(tmp_path / "run" / "c.sock", True)
    path = tmp_path / "run" / "c.sock"
    bad = LinkConnection(path)
    bad._socket.sendall(b"\x08\x00\x00\x00garbage!")
    with pytest.raises(EndpointError):
        bad.receive(5)
    bad.close()
    assert request(path, "status")["status"] == {"tags": 3}
    running.stop()


def test_that_a_wrong_token_is_turned_away(tmp_path: Path) -> None:
    path = tmp_path / "run" / "c.sock"
    running = Running(path, False)
    port, token = path.read_text().split()
    path.write_text(f"{port} {'0' * len(token)}")
    with LinkConnection(path, unix=False) as connection:
        connection.send(Frame("status", {"id": 1}))
        with pytest.raises(EndpointError):
            connection.receive(5)
    running.stop()


@given(
    st.lists(
        st.tuples(
            st.integers(0, 2**31 - 1),
            st.integers(-(2**62), 2**62),
            st.floats(allow_nan=False),
            st.integers(0, 2**32 - 1),
            st.text(max_size=5) | st.none(),
        ),
        max_size=20,
    )
)
def test_that_any_batch_survives_the_journey(rows: list[tuple[int, int, float, int, str | None]]) -> None:
    tags, times, values, statuses, texts = ([row[i] for row in rows] for i in range(5))
    sent = make_batch(tags, np.array(times, np.int64), values, np.array(statuses, np.uint32), 0, None, texts)  # type: ignore[arg-type]
    got = batch_of(decode(encode(batch_frame("batch", sent))[4:]))
    for name in ("tag", "time_us", "value", "status", "delay_us"):
        np.testing.assert_array_equal(getattr(got, name), getattr(sent, name))
    assert got.text is not None
    assert got.text.tolist() == texts


@given(st.binary(max_size=200))
def test_that_no_bytes_do_more_than_be_refused(data: bytes) -> None:
    try:
        decode(data)
    except FrameError:
        return


def test_that_health_and_writes_come_back_as_they_were() -> None:
    health = Health(
        LinkState.OK,
        5,
        HistorianHealth(HistorianState.BEHIND, "timescaledb", "why", 1, 2, 3, 4, 5),
        (DeviceHealth("PLC-1", DeviceState.LOST, 3, "no answer", 1, 2, 3, 4.5),),
        "eva",
    )
    assert message.health_from(message.health_to(health)) == health
    write = Write("1", "a.b", "text", "eva", WriteState.UNKNOWN, 1, 2, 3, None, "why", True)
    assert message.write_from(message.write_to(write)) == write
