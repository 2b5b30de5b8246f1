"""OPC UA: one subscription for all tags of a server, with loss found by asking the server whether it lives."""

import asyncio
from collections.abc import Sequence
from typing import Any

from asyncua import ua
from asyncua.ua.attribute_ids import AttributeIds

from hmi.core.batch import Batch
from hmi.core.clock import Clock
from hmi.core.device import Device, DeviceError, Publish, WriteRefused
from hmi.core.status import BAD_COMMUNICATION_ERROR, BAD_NO_COMMUNICATION, BAD_NOT_CONNECTED, BAD_TIMEOUT
from hmi.core.tag import Tag
from hmi.drivers.opcua_codec import Decoder, raw_value
from hmi.drivers.opcua_connection import Connection, ServerRefused, status_words
from hmi.drivers.opcua_kind import OpcUaOptions
from hmi.drivers.opcua_subscription import Subscription

UNKNOWN_OUTCOME = frozenset({BAD_TIMEOUT, BAD_COMMUNICATION_ERROR, BAD_NO_COMMUNICATION, BAD_NOT_CONNECTED})
"""Answers of a server that lost its own device while it wrote: the value may have arrived or not."""


class OpcUaDriver:
    """One OPC UA server. See `hmi.core.device.Driver`."""

    def __init__(self, device: Device, tags: Sequence[Tag], clock: Clock) -> None:
        self._name = device.name
        self._options: OpcUaOptions = device.options
        self._clock = clock
        self._tags = tuple(tags)
        self._types: dict[int, ua.VariantType] = {}
        self._connection: Connection | None = None
        self._requests = 0
        self._alive_us = 0
        self._dropped = 0

    @property
    def requests(self) -> int:
        return self._requests + (self._connection.requests if self._connection else 0)

    @property
    def alive_us(self) -> int:
        return max(self._alive_us, self._connection.alive_us if self._connection else 0)

    @property
    def dropped(self) -> int:
        """Values and messages known to be lost between the server's sources and us, up to the last loss."""
        return self._dropped

    async def open(self) -> None:
        await self.close()
        self._types.clear()
        self._connection = Connection(self._name, self._options, self._clock)
        await self._connection.open()

    async def run(self, publish: Publish) -> None:
        connection = self._connected()
        subscription = Subscription(connection, self._tags)
        refused = await subscription.open()
        parts = {
            "values": subscription.hand_over(publish),
            "refused tags": subscription.report_refused(refused, publish),
            "keep-alive": subscription.keep_alive(),
            "loss": connection.wait_for_loss(),
        }
        tasks = [asyncio.create_task(part, name=f"{self._name}: {what}") for what, part in parts.items()]
        try:
            ended, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in ended:
                task.result()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            subscription.publish_waiting(publish)
            self._dropped += subscription.dropped

    async def write(self, tag: Tag, value: float | int | bool | str) -> None:
        connection = self._connected()
        node_id = ua.NodeId.from_string(tag.address.strip())
        try:
            if tag.index not in self._types:
                self._types[tag.index] = await connection.node_type(node_id)
            node_type = self._types[tag.index]
            raw = raw_value(tag, value, node_type.name)
            # Without times: many servers refuse a write that brings its own.
            written = ua.WriteValue(
                NodeId=node_id, AttributeId=AttributeIds.Value, Value=ua.DataValue(ua.Variant(raw, node_type))
            )
            results = await connection.ask(connection.session.write(ua.WriteParameters(NodesToWrite=[written])))
        except ServerRefused as error:
            raise WriteRefused(f"{self._name} refuses the write to {tag.address}: {error}") from error
        except ValueError as error:
            raise WriteRefused(f"{tag.name}: {error}") from error
        if int(results[0].value) in UNKNOWN_OUTCOME:
            raise DeviceError(f"{connection.where} cannot say what became of the write: {status_words(results[0])}")
        if not results[0].is_good():
            self._types.pop(tag.index, None)
            raise WriteRefused(f"{self._name} refuses the write to {tag.address}: {status_words(results[0])}")

    async def read(self, tag: Tag) -> Batch:
        connection = self._connected()
        node_id = ua.NodeId.from_string(tag.address.strip())
        try:
            values: list[Any] = await connection.ask(connection.session.read_attributes([node_id], AttributeIds.Value))
        except ServerRefused as error:
            raise DeviceError(f"{connection.where}: {error}") from error
        return Decoder([tag]).decode([0], values, [self._clock.now_us()])

    async def close(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            await connection.close()
            self._requests += connection.requests
            self._alive_us = max(self._alive_us, connection.alive_us)

    def _connected(self) -> Connection:
        if self._connection is None:
            raise DeviceError(f"{self._name} is not connected")
        return self._connection
