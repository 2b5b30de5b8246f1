"""What it costs to read devices: CPU of this process, beside what the libraries alone need for the same.

Times are CPU times, since those of a loopback connection depend on which core runs what.
"""

import asyncio
import struct
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from hmi.core.batch import Batch
from hmi.core.clock import SystemClock
from hmi.core.device import Device
from hmi.core.tag import DataType, Scale, Tag
from hmi.drivers import DRIVERS
from hmi.drivers.modbus_address import Area, parse_address
from hmi.drivers.modbus_codec import BlockDecoder, Layout
from hmi.drivers.modbus_plan import Item, Limits, make_plan
from tests.bench.figure import Figure

BENCH = "drivers"
FLOATS = 1000
REPEATS = 3

# A device that costs nothing: any registers, from a process of its own. Prints its port.
_DEVICE = """
import socket, struct
server = socket.create_server(("127.0.0.1", 0))
print(server.getsockname()[1], flush=True)
body = bytes(range(250))
while True:
    peer, _ = server.accept()
    peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    while request := peer.recv(12):
        transaction, _, _, unit, function, _, count = struct.unpack(">HHHBBHH", request)
        head = struct.pack(">HHHBBB", transaction, 0, 3 + 2 * count, unit, function, 2 * count)
        peer.sendall(head + body[: 2 * count])
"""


def figures() -> Iterator[Figure]:
    yield from _coalescing()
    yield from _decoding()
    yield from _modbus()
    yield from _notifications()


def _floats(step: int) -> list[Tag]:
    return [
        Tag(f"T-{n}", n, DataType.FLOAT32, device="PLC", address=f"holding:{step * n}", scale=Scale(0.1, 4.0))
        for n in range(FLOATS)
    ]


def _items(tags: list[Tag]) -> list[Item]:
    return [Item(tag, parse_address(tag.address, tag.data_type)) for tag in tags]


def _coalescing() -> Iterator[Figure]:
    for name, step in (("dense", 2), ("gap_6", 8), ("gap_38", 40)):
        for max_gap in (16, 122):
            blocks = make_plan(_items(_floats(step)), Limits(max_gap=max_gap))
            yield Figure(
                BENCH, f"requests_1000_{name}_max_gap_{max_gap}", len(blocks), "requests", "one by one", FLOATS
            )


def _decoding() -> Iterator[Figure]:
    (block, *_) = make_plan(_items(_floats(2)), Limits())
    decoder = BlockDecoder(block, Layout())
    words = np.arange(block.count, dtype=">u2")
    registers = words.tolist()
    n = len(block.items)
    ours = _cpu_ns(lambda: decoder.decode(words, 0), 5000) / n
    raw = words.tobytes()

    def by_struct() -> None:
        for k in range(n):
            struct.unpack_from(">f", raw, 4 * k)[0] * 0.1 + 4.0

    from pymodbus.client import AsyncModbusTcpClient

    convert = AsyncModbusTcpClient.convert_from_registers
    float32 = AsyncModbusTcpClient.DATATYPE.FLOAT32

    def by_library() -> None:
        for k in range(n):
            convert(registers[2 * k : 2 * k + 2], float32)

    yield Figure(BENCH, "decode_ns_per_value", ours, "ns", "struct per value", _cpu_ns(by_struct, 1000) / n)
    yield Figure(BENCH, "decode_ns_per_value", ours, "ns", "pymodbus per value", _cpu_ns(by_library, 200) / n)


def _modbus() -> Iterator[Figure]:
    with subprocess.Popen([sys.executable, "-c", _DEVICE], stdout=subprocess.PIPE, text=True) as device:
        try:
            assert device.stdout is not None
            port = int(device.stdout.readline())
            yield from asyncio.run(_modbus_pairs(port))
        finally:
            device.kill()


async def _modbus_pairs(port: int) -> list[Figure]:
    from pymodbus.client import AsyncModbusTcpClient

    entry = DRIVERS["modbus-tcp"]
    tags = _floats(2)
    driver: Any = entry.make(
        Device("PLC", "modbus-tcp", entry.options(host="127.0.0.1", port=port)), tags, SystemClock()
    )
    await driver.open()
    connection = driver._connection
    decoders = [(block, BlockDecoder(block, Layout())) for block in driver.plan]
    taken: list[Batch] = []

    async def cycle() -> None:
        taken.clear()
        for block, decoder in decoders:
            answer = await connection.read(block.area, block.start, block.count)
            taken.append(decoder.decode(answer.values, 0))

    async def requests() -> None:
        for _ in range(500):
            await connection.read(Area.HOLDING, 0, 125)

    ours_request = [await _cpu_us(requests) / 500 for _ in range(REPEATS)]
    ours_cycle = [await _cpu_us(cycle) / FLOATS for _ in range(5 * REPEATS)]
    await driver.close()

    client = AsyncModbusTcpClient("127.0.0.1", port=port)
    await client.connect()

    async def library_requests() -> None:
        for _ in range(500):
            await client.read_holding_registers(0, count=125)

    async def one_by_one() -> None:
        for n in range(FLOATS):
            response = await client.read_holding_registers(2 * n, count=2)
            client.convert_from_registers(response.registers, client.DATATYPE.FLOAT32)

    peer_request = [await _cpu_us(library_requests) / 500 for _ in range(REPEATS)]
    peer_cycle = [await _cpu_us(one_by_one) / FLOATS for _ in range(REPEATS)]
    client.close()
    return [
        Figure(
            BENCH,
            "modbus_us_per_request",
            float(np.median(ours_request)),
            "us CPU",
            "pymodbus client",
            float(np.median(peer_request)),
        ),
        Figure(
            BENCH,
            "modbus_us_per_value",
            float(np.median(ours_cycle)),
            "us CPU",
            "pymodbus one by one",
            float(np.median(peer_cycle)),
        ),
    ]


def _notifications() -> Iterator[Figure]:
    from asyncua import ua
    from asyncua.common.node import Node
    from asyncua.common.subscription import Subscription as LibrarySubscription
    from asyncua.common.subscription import SubscriptionItemData

    from hmi.core.clock import to_datetime
    from hmi.drivers.opcua_connection import Connection
    from hmi.drivers.opcua_subscription import Subscription

    time_of = to_datetime(SystemClock().now_us())
    items = [
        ua.MonitoredItemNotification(
            ClientHandle=n, Value=ua.DataValue(ua.Variant(float(n)), ua.StatusCode(), time_of, time_of)
        )
        for n in range(FLOATS)
    ]
    message = ua.NotificationMessage(NotificationData=[ua.DataChangeNotification(MonitoredItems=items)])
    result = ua.PublishResult(SubscriptionId=1, NotificationMessage=message)

    class Handler:
        def __init__(self) -> None:
            self.values: list[tuple[int, float, int]] = []

        def datachange_notification(self, node: Node, value: Any, data: Any) -> None:
            seen = data.monitored_item.Value
            self.values.append((data.subscription_data.client_handle, value, seen.StatusCode.value))

    async def pair() -> tuple[float, float]:
        connection = Connection("UA", DRIVERS["opcua"].options(url="opc.tcp://127.0.0.1:4840/"), SystemClock())
        ours = Subscription(connection, [Tag(f"T-{n}", n, address=f"i={n}") for n in range(FLOATS)])
        batches: list[Batch] = []

        async def take() -> None:
            ours._take_message(result)
            ours.publish_waiting(batches.append)

        library = LibrarySubscription(connection.session, ua.CreateSubscriptionParameters(), Handler())
        for n in range(FLOATS):
            data = SubscriptionItemData()
            data.client_handle = n
            data.node = Node(connection.session, ua.NodeId(n))
            library._monitored_items[n] = data

        async def dispatch() -> None:
            await library.publish_callback(result)
            await asyncio.gather(*library._dispatch_tasks)

        mine = [await _cpu_us(take) / FLOATS for _ in range(20)]
        peer = [await _cpu_us(dispatch) / FLOATS for _ in range(10)]
        return float(np.median(mine)), float(np.median(peer))

    mine, peer = asyncio.run(pair())
    yield Figure(BENCH, "opcua_us_per_notification", mine, "us CPU", "asyncua handler", peer)


def _cpu_ns(work: Callable[[], object], times: int) -> float:
    """The best of three, which other processes disturbed least."""
    best = float("inf")
    for _ in range(REPEATS):
        start = time.process_time_ns()
        for _ in range(times):
            work()
        best = min(best, (time.process_time_ns() - start) / times)
    return best


async def _cpu_us(work: Callable[[], Any]) -> float:
    start = time.process_time_ns()
    await work()
    return (time.process_time_ns() - start) / 1000


if __name__ == "__main__":
    for figure in figures():
        print(figure.as_json(), flush=True)
