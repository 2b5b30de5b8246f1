"""Bench `e2e`: from the socket of a device to a committed row, with a real collector and the embedded PostgreSQL.

A device on loopback serves float32 values that are each one higher at every read, so that a lost or a doubled sample
shows as a hole or a repetition in the stored series itself. The load rises until the collector no longer keeps up; the
figure is the highest rate that it did keep up with, as rows that the database counts. The peers do the same work as
such collectors are usually written, in this run and on the same database server: as fast as they can, without spool,
quality, alarms or restart.
"""

import asyncio
import os
import shutil
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import psycopg

from hmi.collector.process import last_run, start_detached, status, stop
from hmi.core.home import Home, home_of
from hmi.history.embedded import EmbeddedPostgres
from tests.bench.fast_device import DeviceProcess
from tests.bench.figure import Figure

BENCH = "e2e"
PERIOD_S = 0.1
VALUES_A_DEVICE = 2_000
LOADS = (20_000, 40_000, 60_000, 80_000, 100_000, 130_000, 160_000)
WINDOW_S = 10
PEER_S = 5.0
KEPT_UP = 0.97
MOST_GROWTH = 0.03
"""Samples that wait for the database may become more by this share of the load: the count is a second old."""


@dataclass(frozen=True, slots=True)
class Level:
    """What one load brought. Rates are per second of the window; the counts are of the whole run.

    `growth` is how many more samples wait for the database each second, `rate` what was accepted and not left waiting.
    """

    planned: float
    served: float
    accepted_rate: float
    growth: float
    waiting: int
    collector_us: float
    database_us: float
    accepted: int
    rows: int
    holes: int
    doubled: int
    under_way: int
    """Served by the device and not accepted, since the driver ended with them in hand."""

    @property
    def sustained(self) -> bool:
        return (
            min(self.served, self.accepted_rate) >= KEPT_UP * self.planned and self.growth <= MOST_GROWTH * self.planned
        )

    @property
    def rate(self) -> float:
        return self.accepted_rate - max(0.0, self.growth)

    @property
    def lost(self) -> int:
        return self.holes + self.doubled + max(0, self.accepted - self.rows)


def figures() -> Iterator[Figure]:
    best, limit = None, None
    lost = 0
    for load in LOADS:
        level = measure(load)
        lost += level.lost
        if not level.sustained:
            limit = level
            break
        best = level
    reached = best or limit
    assert reached is not None
    rate = reached.rate
    with peer_database() as dsn:
        blocks = asyncio.run(blocks_and_executemany(dsn))
        naive = asyncio.run(one_by_one_and_insert(dsn))
    yield Figure(BENCH, "e2e_samples_per_s", rate, "samples/s", "pymodbus blocks, executemany", blocks)
    yield Figure(BENCH, "e2e_samples_per_s", rate, "samples/s", "pymodbus one by one, INSERT each", naive)
    yield Figure(BENCH, "e2e_samples_lost", lost, "samples")
    yield Figure(BENCH, "e2e_collector_us_per_sample", reached.collector_us, "us CPU")
    yield Figure(BENCH, "e2e_database_us_per_sample", reached.database_us, "us CPU")
    if limit is not None:
        yield Figure(BENCH, "e2e_overloaded_samples_per_s", limit.rate, "samples/s")


def measure(load: float, window_s: int = WINDOW_S) -> Level:
    """Run a fresh plant under a load of samples per second, and count."""
    tags = round(load * PERIOD_S)
    sizes = [min(VALUES_A_DEVICE, tags - first) for first in range(0, tags, VALUES_A_DEVICE)]
    with open_folder() as folder, DeviceProcess(len(sizes)) as device:
        plant = write_plant(folder / "plant", device.ports, sizes)
        environment = {**os.environ, "HMI_HOME": str(folder / "home")}
        home = home_of(plant, environment)
        pid = start_detached(plant, home, environment)
        try:
            _wait_for_rows(home)
            own = [psutil.Process(pid)]
            server = _database(home)
            served, cpu, base = _served(device), _cpu_s(own), _cpu_s(server)
            begun, taken, looks = time.monotonic(), _state(home)["samples_taken"], []
            for second in range(window_s + 1):
                threading.Event().wait(max(0.0, begun + second - time.monotonic()))
                looks.append((time.monotonic() - begun, _state(home)["samples_waiting"]))
            took = time.monotonic() - begun
            served, taken = _served(device) - served, _state(home)["samples_taken"] - taken
            cpu, base = _cpu_s(own) - cpu, _cpu_s(server) - base
        finally:
            stop(home)
        total = device.ask("served")["values"]
        last = last_run(home)
        rows, holes, doubled, good = _count(home)
        return Level(
            planned=tags / PERIOD_S,
            served=served / took,
            accepted_rate=taken / took,
            growth=float(np.polyfit(*zip(*looks, strict=True), 1)[0]),
            waiting=looks[-1][1],
            collector_us=1e6 * cpu / max(taken, 1),
            database_us=1e6 * base / max(taken, 1),
            accepted=int(last["samples_taken"]),
            rows=rows,
            holes=holes,
            doubled=doubled,
            under_way=total - good,
        )


def write_plant(folder: Path, ports: list[int], sizes: list[int]) -> Path:
    """A plant with one Modbus device a port and so many float32 tags in each, all read ten times a second."""
    devices, rows = [], ["name,device,address,type,unit,period,low,high"]
    for d, (port, size) in enumerate(zip(ports, sizes, strict=True)):
        devices.append(f"  PLC-{d}: {{driver: modbus-tcp, host: 127.0.0.1, port: {port}, timeout: 5s}}\n")
        rows += [f"D{d}.T{n},PLC-{d},holding:{2 * n},float32,m,100ms,0,1000" for n in range(size)]
    screen = "version: 1\nscreen: {title: Bench}\nelements:\n  - {type: value, at: [10, 10], value: D0.T0}\n"
    files = {
        "plant.yaml": f"version: 1\nname: Load\nstart: overview\ndevices:\n{''.join(devices)}",
        "tags/tags.csv": "\n".join(rows) + "\n",
        "screens/overview.yaml": screen,
    }
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    return folder


@contextmanager
def open_folder() -> Iterator[Path]:
    """A folder that the user which PostgreSQL runs as can enter."""
    folder = Path(tempfile.mkdtemp(prefix="hmi-bench-"))
    folder.chmod(0o755)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _served(device: DeviceProcess) -> int:
    return int(device.ask("served")["values"])


def _state(home: Home) -> dict[str, Any]:
    found = status(home)
    if found is None:
        raise SystemExit("the collector of the bench has ended")
    return found


def _wait_for_rows(home: Home) -> None:
    """Until rows arrive and what piled up while the database was being made is in it."""
    end = time.monotonic() + 60
    while time.monotonic() < end:
        now = _state(home)
        if now["samples_stored"] and now["samples_waiting"] < now["samples_stored"]:
            threading.Event().wait(3.0)
            return
        threading.Event().wait(0.2)


def _database(home: Home) -> list[psutil.Process]:
    """The processes of the embedded server."""
    with EmbeddedPostgres(home.database).lease("bench") as dsn, psycopg.connect(dsn) as connection:
        found = connection.execute("SELECT pg_backend_pid()").fetchone()
        assert found is not None
        postmaster = psutil.Process(found[0]).parent()
        assert postmaster is not None
        return [postmaster, *postmaster.children(recursive=True)]


def _cpu_s(processes: list[psutil.Process]) -> float:
    total = 0.0
    for process in processes:
        try:
            times = process.cpu_times()
        except psutil.NoSuchProcess:
            continue
        # With the connections that have ended meanwhile.
        total += times.user + times.system + times.children_user + times.children_system
    return total


def _count(home: Home) -> tuple[int, int, int, int]:
    """All rows; holes and repetitions in the counted series; rows with a value."""
    with EmbeddedPostgres(home.database).lease("bench") as dsn, psycopg.connect(dsn) as connection:
        found = connection.execute(
            "SELECT (SELECT count(*) FROM sample), sum(high - low + 1 - different), sum(n - different), sum(n) FROM ("
            "SELECT count(*) n, count(DISTINCT v_num) different, min(v_num) low, max(v_num) high"
            " FROM sample WHERE v_num IS NOT NULL GROUP BY tag_id) each"
        ).fetchone()
    assert found is not None
    rows, holes, doubled, good = (int(x) for x in found)
    return rows, holes, doubled, good


# -- peers -------------------------------------------------------------------------------------------------------------


@contextmanager
def peer_database() -> Iterator[str]:
    with open_folder() as folder, EmbeddedPostgres(folder / "postgresql").lease("bench") as dsn:
        with psycopg.connect(dsn, autocommit=True) as connection:
            connection.execute("CREATE TABLE peer (time timestamptz, tag text, value float8)")
        yield dsn


async def blocks_and_executemany(dsn: str) -> float:
    """Blocks of 125 registers, a Python float a value, one executemany and commit a block."""
    from pymodbus.client import AsyncModbusTcpClient

    with DeviceProcess(1) as device, psycopg.connect(dsn) as connection:
        client = AsyncModbusTcpClient("127.0.0.1", port=device.ports[0])
        await client.connect()
        begun, n = time.monotonic(), 0
        while time.monotonic() - begun < PEER_S:
            first = n % VALUES_A_DEVICE // 62 * 62
            registers = (await client.read_holding_registers(2 * first, count=124)).registers
            values = client.convert_from_registers(registers, client.DATATYPE.FLOAT32)
            assert isinstance(values, list)
            rows = [(f"T{first + k}", value) for k, value in enumerate(values)]
            connection.cursor().executemany("INSERT INTO peer VALUES (now(), %s, %s)", rows)
            connection.commit()
            n += len(rows)
        took = time.monotonic() - begun
        client.close()
    return n / took


async def one_by_one_and_insert(dsn: str) -> float:
    """One request and one INSERT a value, a commit a second."""
    from pymodbus.client import AsyncModbusTcpClient

    with DeviceProcess(1) as device, psycopg.connect(dsn) as connection:
        client = AsyncModbusTcpClient("127.0.0.1", port=device.ports[0])
        await client.connect()
        begun = committed = time.monotonic()
        n = 0
        while time.monotonic() - begun < PEER_S:
            registers = (await client.read_holding_registers(2 * (n % VALUES_A_DEVICE), count=2)).registers
            value = client.convert_from_registers(registers, client.DATATYPE.FLOAT32)
            connection.execute("INSERT INTO peer VALUES (now(), %s, %s)", (f"T{n}", value))
            n += 1
            if time.monotonic() - committed > 1:
                connection.commit()
                committed = time.monotonic()
        connection.commit()
        took = time.monotonic() - begun
        client.close()
    return n / took


if __name__ == "__main__":
    for figure in figures():
        print(figure.as_text(), flush=True)
