"""The subscription of one run: everything between the messages of an OPC UA server and `publish`.

It works below the handlers of asyncua, which would start a task for every value.
"""

import asyncio
import logging
import math
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from asyncua import ua
from asyncua.ua.attribute_ids import AttributeIds

from hmi.core.clock import MINUTE
from hmi.core.device import DeviceError, Publish
from hmi.core.tag import Tag
from hmi.drivers.opcua_codec import OVERFLOW, Decoder
from hmi.drivers.opcua_connection import SESSION_TIMEOUT_MS, Connection, ServerRefused, status_words
from hmi.drivers.samples import no_values

# Fewer than servers allow: a small one needs a millisecond for each, and has to answer within the timeout.
ITEMS_PER_CALL = 250
LONGEST_QUEUE = 1000
PUBLISH_EVERY_US = 50_000
# The server's program may have been loaded anew: what it did not have is asked for again.
RETRY_US = MINUTE

_log = logging.getLogger(__name__)


class Subscription:
    """A position, here and in messages, is an index into `tags`."""

    def __init__(self, connection: Connection, tags: Sequence[Tag]) -> None:
        self._connection = connection
        self._clock = connection.clock
        self._tags = tags
        self._decoder = Decoder(tags)
        self._id = 0
        self._silence_us = 0
        self._heard_us = self._clock.monotonic_us()
        self._positions: list[int] = []
        self._values: list[Any] = []
        self._received: list[int] = []
        self._arrived = asyncio.Event()
        self._sequence: int | None = None
        self._warned_us: int | None = None
        self.dropped = 0
        """Values that came with the mark that older ones were dropped, and messages that never came."""

    async def open(self) -> dict[int, int]:
        """Subscribe to all tags; the Bad status of each that the server does not take, by position."""
        options = self._connection.options
        beats = max(1, options.keep_alive_us // options.publishing_us)
        parameters = ua.CreateSubscriptionParameters(
            RequestedPublishingInterval=options.publishing_us / 1000,
            RequestedLifetimeCount=max(3 * beats, math.ceil(SESSION_TIMEOUT_MS * 1000 / options.publishing_us)),
            RequestedMaxKeepAliveCount=beats,
            MaxNotificationsPerPublish=0,
            PublishingEnabled=True,
            Priority=0,
        )
        try:
            result = await self._connection.ask(
                self._connection.session.create_subscription(parameters, self._take_message)
            )
        except ServerRefused as error:
            raise DeviceError(f"{self._connection.where} takes no subscription: {error}") from error
        self._id = result.SubscriptionId
        beat_us = int(result.RevisedPublishingInterval * 1000) * max(1, result.RevisedMaxKeepAliveCount)
        self._silence_us = 3 * beat_us + options.timeout_us
        return await self._add(range(len(self._tags)))

    async def hand_over(self, publish: Publish) -> None:
        """Publish what has come, as one batch at a time. Does not end."""
        while True:
            await self._arrived.wait()
            self.publish_waiting(publish)
            await self._clock.sleep_us(PUBLISH_EVERY_US)

    def publish_waiting(self, publish: Publish) -> None:
        """Everything that has come since the last time. Raises `DeviceError` if it is not for us."""
        self._arrived.clear()
        if not self._positions:
            return
        if max(self._positions) >= len(self._tags):
            self._positions, self._values, self._received = [], [], []
            raise DeviceError(f"{self._connection.where} sent a value of an item that nobody asked for")
        positions, values, received = self._positions, self._values, self._received
        self._positions, self._values, self._received = [], [], []
        batch = self._decoder.decode(positions, values, received)
        marked = int(np.count_nonzero((batch.status & OVERFLOW) == OVERFLOW))
        if marked:
            self.dropped += marked
            self._warn(f"queue too short: {marked} values came with the mark that older ones were dropped")
        publish(batch)

    async def report_refused(self, refused: dict[int, int], publish: Publish) -> None:
        """Once a period a Bad sample of each tag that the server does not take; now and then ask for it again."""
        asked_us = self._clock.monotonic_us()
        due = dict.fromkeys((self._tags[position].period_us for position in refused), asked_us)
        while refused:
            now_us = self._clock.monotonic_us()
            if now_us - asked_us >= RETRY_US:
                asked_us = now_us
                refused = await self._add(refused)
            ready = {period_us for period_us, due_us in due.items() if due_us <= now_us}
            for period_us in ready:
                due[period_us] = now_us + period_us
            for status in sorted(set(refused.values())):
                chosen = [p for p, s in refused.items() if s == status and self._tags[p].period_us in ready]
                if chosen:
                    publish(no_values(self._decoder.index[chosen], status, self._clock.now_us()))
            await self._clock.sleep_us(min(due.values()) - now_us)
        # That nothing is refused any more is no reason to end the run.
        await asyncio.Event().wait()

    async def keep_alive(self) -> None:
        """Ask the server whether it lives. Raises `DeviceError` when it does not, or does not for this subscription."""
        while True:
            await self._clock.sleep_us(self._connection.options.keep_alive_us)
            await self._connection.check_running()
            if self._clock.monotonic_us() - self._heard_us > self._silence_us:
                raise DeviceError(f"{self._connection.where} answers, but its subscription is silent")

    async def _add(self, positions: Iterable[int]) -> dict[int, int]:
        refused: dict[int, int] = {}
        todo = list(positions)
        size = ITEMS_PER_CALL
        while todo:
            part = todo[:size]
            parameters = ua.CreateMonitoredItemsParameters(
                SubscriptionId=self._id,
                TimestampsToReturn=ua.TimestampsToReturn.Source,
                ItemsToCreate=[self._item(position) for position in part],
            )
            try:
                results = await self._connection.ask(self._connection.session.create_monitored_items(parameters))
            except ServerRefused as error:
                if size == 1:
                    raise DeviceError(f"{self._connection.where} takes no tags: {error}") from error
                # Some servers take fewer in one call, and not all of them say how many.
                size = max(1, size // 4)
                continue
            todo = todo[len(part) :]
            for position, result in zip(part, results, strict=True):
                if not result.StatusCode.is_good():
                    refused[position] = int(result.StatusCode.value)
        return refused

    def _item(self, position: int) -> ua.MonitoredItemCreateRequest:
        options, tag = self._connection.options, self._tags[position]
        # Long enough for everything that is sampled while one message is late by a keep-alive.
        queue = math.ceil(max(options.keep_alive_us, options.publishing_us) / tag.period_us) + 1
        return ua.MonitoredItemCreateRequest(
            ItemToMonitor=ua.ReadValueId(
                NodeId=ua.NodeId.from_string(tag.address.strip()), AttributeId=AttributeIds.Value
            ),
            MonitoringMode=ua.MonitoringMode.Reporting,
            RequestedParameters=ua.MonitoringParameters(
                ClientHandle=position,
                SamplingInterval=tag.period_us / 1000,
                QueueSize=min(queue, LONGEST_QUEUE),
                DiscardOldest=True,
            ),
        )

    def _take_message(self, result: Any) -> None:
        """Called by the library for each message, which may say no more than that the server lives."""
        self._connection.heard()
        self._heard_us = self._clock.monotonic_us()
        message = result.NotificationMessage
        if not message.NotificationData:
            return
        self._follow_sequence(int(message.SequenceNumber))
        received_us = self._connection.alive_us
        for data in message.NotificationData:
            if isinstance(data, ua.DataChangeNotification):
                items = data.MonitoredItems or []
                self._positions += [item.ClientHandle for item in items]
                self._values += [item.Value for item in items]
                self._received += [received_us] * len(items)
            elif isinstance(data, ua.StatusChangeNotification):
                self._connection.lose(f"ended the subscription: {status_words(data.Status)}")
        self._arrived.set()

    def _follow_sequence(self, number: int) -> None:
        if not number:
            # Not the server's: the library tells its subscribers of a loss with a message of its own.
            return
        if self._sequence is not None:
            # Numbers run from 1 to 2^32 - 1 and begin again.
            missed = (number - self._sequence - 1) % 0xFFFFFFFF
            if missed:
                self.dropped += missed
                self._warn(f"{missed} messages did not arrive")
        self._sequence = number

    def _warn(self, what: str) -> None:
        """Say it, but not more often than once a minute."""
        now_us = self._clock.monotonic_us()
        if self._warned_us is None or now_us - self._warned_us >= MINUTE:
            self._warned_us = now_us
            _log.warning("%s: %s", self._connection.where, what)
