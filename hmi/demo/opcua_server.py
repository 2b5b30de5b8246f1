"""UA-1: a real OPC UA server for the pressure zones, energy and weather.

Node ids are `ns=2;s=NAME`. A write outside the range of a node is refused with BadOutOfRange, one that the mode of the
equipment forbids with BadRequestNotAllowed.
"""

import asyncio
import os
import socket
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING, Any

from hmi.core.clock import Clock, to_datetime
from hmi.demo.network import Zone
from hmi.demo.served import ServedLog
from hmi.demo.waterworks import Waterworks

if TYPE_CHECKING:
    from hmi.demo.standard_nodes import SocketUaServer

NAMESPACE = "urn:ostbach-waterworks:ua-1"
_FAST, _NORMAL, _SLOW = 1, 10, 100


@dataclass(frozen=True, slots=True)
class UaPoint:
    """One node. `steps`: it is sampled every so many steps of 100 ms. `kind` is the name of an OPC UA built-in type."""

    name: str
    read: Callable[[], float]
    steps: int = _NORMAL
    kind: str = "Double"
    write: Callable[[float], bool] | None = None
    low: float = 0.0
    high: float = 0.0

    @property
    def convert(self) -> Callable[[float], float | int | bool]:
        return {"Double": float, "Boolean": bool}.get(self.kind, int)


def _zone(zone: Zone, number: int) -> list[UaPoint]:
    valve = zone.valve
    at, of_valve = partial(partial, getattr, zone), partial(partial, getattr, valve)

    def set_pressure(value: float) -> bool:
        valve.setpoint = value
        return True

    def set_auto(value: float) -> bool:
        valve.auto = bool(value)
        return True

    tag = f"V-{number}"
    return [
        UaPoint(f"FT-{number}", at("shown_flow"), _FAST),
        UaPoint(f"PT-{number}", at("shown_pressure"), _FAST),
        UaPoint(f"PT-{number}.sp", of_valve("setpoint"), write=set_pressure, low=3.0, high=6.0),
        UaPoint(f"FQ-{number}", at("volume_m3"), _SLOW),
        UaPoint(f"{tag}.position", of_valve("position"), _FAST),
        UaPoint(f"{tag}.position_sp", of_valve("position_setpoint"), write=valve.ask_position, high=100.0),
        UaPoint(f"{tag}.state", of_valve("state"), _NORMAL, "UInt16"),
        UaPoint(f"{tag}.auto", of_valve("auto"), _NORMAL, "Boolean", set_auto, 0, 1),
        UaPoint(
            f"{tag}.open_command",
            lambda: valve.position_setpoint > 50.0,
            _NORMAL,
            "Boolean",
            lambda v: valve.ask_open(bool(v)),
            0,
            1,
        ),
        UaPoint(f"{tag}.is_open", lambda: valve.position > 98.0, _NORMAL, "Boolean"),
    ]


def zone_points(works: Waterworks, sequence: Callable[[], float], uptime: Callable[[], float]) -> list[UaPoint]:
    """All nodes of UA-1."""
    shown = works.shown
    north, south = works.north, works.south
    points = [UaPoint("UA-1.sequence", sequence, _FAST, "UInt32"), UaPoint("UA-1.uptime", uptime, _SLOW, "UInt32")]
    points += _zone(north, 401) + _zone(south, 402)
    points += [
        UaPoint("AT-410", lambda: north.shown_chlorine),
        UaPoint("AT-420", lambda: south.shown_chlorine),
        UaPoint("JT-310", partial(shown.__getitem__, "JT-310"), _FAST),
        UaPoint("JT-110", partial(shown.__getitem__, "JT-110")),
        UaPoint("Energy.total", lambda: works.energy_kwh, _SLOW),
        UaPoint("Energy.specific", lambda: _specific_energy(works), _NORMAL),
        UaPoint("Energy.voltage_L1", lambda: 401.2 + 0.02 * (works.shown["JT-310"] % 7), _NORMAL),
        UaPoint("Energy.voltage_L2", lambda: 400.4 + 0.02 * (works.shown["JT-310"] % 5), _NORMAL),
        UaPoint("Energy.voltage_L3", lambda: 402.0 + 0.02 * (works.shown["JT-110"] % 6), _NORMAL),
        UaPoint("Energy.frequency", lambda: 50.0 + 0.002 * (works.shown["Weather.wind"] - 3.0), _NORMAL),
        UaPoint("Energy.power_factor", lambda: 0.94 + 0.0002 * (works.shown["JT-310"] - 214.0), _NORMAL),
        UaPoint("Town.hour", lambda: works.town_day_s / 60.0, _SLOW),
    ]
    points += [UaPoint(n, partial(shown.__getitem__, n), _SLOW) for n in sorted(shown) if n.startswith("Weather.")]
    return points


def _specific_energy(works: Waterworks) -> float:
    """kWh for each m³ delivered: kW / (L/s) / 3.6."""
    power = works.shown["JT-310"] + works.shown["JT-110"]
    return power / works.shown["FT-310"] / 3.6 if works.shown["FT-310"] > 1.0 else 0.0


class UaServer:
    """The server. Its counter `UA-1.sequence` rises by one each step."""

    def __init__(self, name: str, clock: Clock) -> None:
        self.name = name
        self.port = 0
        self.served = ServedLog()
        self.sequence = 0
        self._clock = clock
        self._began_us = clock.monotonic_us()
        self._points: list[UaPoint] = []
        self._server: SocketUaServer | None = None
        self._listener: socket.socket | None = None
        self._nodes: dict[Any, UaPoint] = {}
        self._serving = False
        self._changing = asyncio.Lock()

    def uptime_s(self) -> float:
        """Seconds since the server was switched on."""
        return (self._clock.monotonic_us() - self._began_us) / 1e6

    def load(self, points: list[UaPoint]) -> None:
        """Take its nodes, before `start`."""
        self._points = points

    @property
    def listening(self) -> bool:
        return self._listener is not None

    def listen(self) -> None:
        """Take connections, which wait until `start` is done. The port is known from here on, and stays the same."""
        if self._listener is None:
            self._listener = _listening_socket(self.port)
            self.port = int(self._listener.getsockname()[1])

    async def start(self) -> None:
        """Serve: on loopback, at a free port the first time, at the same port later."""
        async with self._changing:
            if self._serving:
                return
            self.listen()
            if self._server is None:
                self._server = await self._build()
            if self._listener is not None:
                await self._server.serve(self._listener)
                self._serving = True

    async def _build(self) -> "SocketUaServer":
        # In a thread: the import takes a second, in which the PLCs must go on answering.
        library = await asyncio.to_thread(import_module, "hmi.demo.standard_nodes")
        ua = _types()
        server: SocketUaServer = library.SocketUaServer()
        await server.init()
        server.set_endpoint(f"opc.tcp://127.0.0.1:{self.port}/")
        server.set_server_name("Ostbach UA-1")
        server.set_security_policy([ua.SecurityPolicyType.NoSecurity])
        server.iserver.attribute_service = _guarded(self, server)
        index = await server.register_namespace(NAMESPACE)
        folder = await server.nodes.objects.add_folder(ua.NodeId("UA-1", index), "UA-1")
        for point in self._points:
            kind = ua.VariantType[point.kind]
            node_id = ua.NodeId(point.name, index)
            node = await folder.add_variable(node_id, point.name, point.convert(point.read()), kind)
            if point.write is not None:
                await node.set_writable()
            self._nodes[node_id] = point
        return server

    async def stop(self) -> None:
        """Stop listening and drop all connections. The nodes live on."""
        async with self._changing:
            listener, self._listener = self._listener, None
            if self._server is not None and self._serving:
                self._serving = False
                await self._server.cut()
            if listener is not None:
                listener.close()

    async def end(self) -> None:
        """Switch off for good."""
        await self.stop()
        server, self._server = self._server, None
        if server is not None:
            await server.stop()

    async def step(self) -> None:
        """Count up and sample the nodes whose time has come."""
        self.sequence = (self.sequence + 1) & 0xFFFFFFFF
        if self._server is None:
            return
        ua = _types()  # not before: a thread may be importing the library for `start`
        now = to_datetime(self._clock.now_us())
        for i, (node_id, point) in enumerate(self._nodes.items()):
            # The slow ones take turns, so that no step does all the work.
            if (self.sequence + i) % point.steps:
                continue
            await self._server.write_attribute_value(node_id, self._value(ua, point, now))
        # With a subscription nobody asks: what is sampled while a client is connected counts as served.
        if self._server.bserver is not None and self._server.bserver.clients:
            self.served.note(self.sequence)

    def _value(self, ua: Any, point: UaPoint, now: Any) -> Any:
        variant = ua.Variant(point.convert(point.read()), ua.VariantType[point.kind])
        return ua.DataValue(variant, SourceTimestamp=now, ServerTimestamp=now)

    async def command(self, node_id: Any, wanted: Any) -> Any:
        """Judge and carry out what a client writes; a status code, or None if this is not one of our nodes."""
        ua = _types()
        point = self._nodes.get(node_id)
        if point is None or self._server is None:
            return None
        self.served.requests += 1
        if point.write is None:
            return ua.StatusCode(ua.StatusCodes.BadNotWritable)
        variant = wanted.Value
        if variant is None or variant.VariantType is not ua.VariantType[point.kind]:
            return ua.StatusCode(ua.StatusCodes.BadTypeMismatch)
        value = float(variant.Value)
        if not point.low <= value <= point.high:
            return ua.StatusCode(ua.StatusCodes.BadOutOfRange)
        if not point.write(value):
            return ua.StatusCode(ua.StatusCodes.BadRequestNotAllowed)
        shown = self._value(ua, point, to_datetime(self._clock.now_us()))
        await self._server.write_attribute_value(node_id, shown)
        return ua.StatusCode()


def _listening_socket(port: int) -> socket.socket:
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    if os.name != "nt":
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("127.0.0.1", port))
    listener.listen(16)
    listener.setblocking(False)
    return listener


def _types() -> Any:
    """The library's types. It declares no exports, and its import costs a second: so not at the head of the file."""
    return import_module("asyncua.ua")


def _guarded(owner: UaServer, server: "SocketUaServer") -> Any:
    """The library's attribute service, with writes to our nodes judged by `owner`."""
    from asyncua.crypto.permission_rules import User
    from asyncua.server.address_space import AttributeService

    ua = _types()

    class GuardedAttributes(AttributeService):
        async def write(self, params: Any, user: Any = None) -> list[Any]:
            results: list[Any] = []
            for item in params.NodesToWrite:
                answer = None
                if item.AttributeId == ua.AttributeIds.Value:
                    answer = await owner.command(item.NodeId, item.Value)
                if answer is None:
                    one = ua.WriteParameters(NodesToWrite=[item])
                    answer = (await super().write(one, user or User()))[0]
                results.append(answer)
            return results

    return GuardedAttributes(server.iserver.aspace)
