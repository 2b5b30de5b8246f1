"""One connection to an OPC UA server: a session, requests with their errors in words, and the first sign of loss."""

import asyncio
import logging
import os
from collections.abc import Awaitable
from typing import TypeVar

from asyncua import ua
from asyncua.client.client import Client
from asyncua.client.ua_session import UaSession
from asyncua.ua.uaerrors import BadConnectionClosed, BadSessionClosed, BadSessionIdInvalid, UaError, UaStatusCodeError

from hmi.core.clock import SECOND, Clock
from hmi.core.device import DeviceError
from hmi.core.status import name_of
from hmi.drivers.cancelled import stop_if_cancelled
from hmi.drivers.opcua_kind import OpcUaOptions

# The server forgets a session that nobody uses after this.
SESSION_TIMEOUT_MS = 60_000
CLOSE_TIMEOUT_S = 1.0

_RUNNING = 0
_log = logging.getLogger(__name__)
_T = TypeVar("_T")


class ServerRefused(DeviceError):
    """The server answered, and the answer was no."""


class Connection:
    """Made for one open and one close. The library's own reconnecting is off: it would tell nobody of a loss."""

    def __init__(self, name: str, options: OpcUaOptions, clock: Clock) -> None:
        self.where = f"{name} at {options.url}"
        self.options = options
        self.clock = clock
        self.requests = 0
        self.alive_us = 0
        self.lost = asyncio.Event()
        self._why = ""
        self._timeout_s = options.timeout_us / SECOND
        client = Client(
            options.url,
            timeout=self._timeout_s,
            # The driver asks by itself, and sees the answers.
            watchdog_intervall=SESSION_TIMEOUT_MS,
            auto_reconnect=False,
        )
        client.name = client.description = f"Hindsight, device {name}"
        client.session_timeout = SESSION_TIMEOUT_MS
        client.connection_lost_callback = self._connection_lost
        if options.user is not None:
            client.set_user(options.user)
            client.set_password(os.environ.get(options.password_env or "", ""))
        self._client = client

    @property
    def session(self) -> UaSession:
        return self._client.uaclient.session

    async def open(self) -> None:
        """Raises `DeviceError`."""
        try:
            # Connecting takes several requests, each with its own time.
            async with asyncio.timeout(3 * self._timeout_s):
                await self._client.connect()
        except TimeoutError as error:
            raise DeviceError(f"{self.where} does not answer") from error
        except (OSError, UaError) as error:
            raise DeviceError(f"{self.where} cannot be reached: {_words(error)}") from error
        except Exception as error:
            raise self._not_understood(error) from error
        await self.check_running()

    async def close(self) -> None:
        """Never raises, and takes no longer than `CLOSE_TIMEOUT_S`."""
        try:
            async with asyncio.timeout(CLOSE_TIMEOUT_S):
                await self._client.disconnect()
        except (OSError, TimeoutError, UaError) as error:
            _log.info("%s did not say goodbye: %s", self.where, _words(error))
        self._client.disconnect_socket()

    def heard(self) -> None:
        """Something came from the server."""
        self.requests += 1
        self.alive_us = self.clock.now_us()

    def lose(self, why: str) -> None:
        """The connection is of no more use."""
        self._why = self._why or why
        self.lost.set()

    async def wait_for_loss(self) -> None:
        """Raises `DeviceError` when the connection is lost."""
        await self.lost.wait()
        raise DeviceError(f"{self.where} {self._why}")

    async def ask(self, request: Awaitable[_T]) -> _T:
        """The answer to a request. Raises `ServerRefused` for a Bad one, other `DeviceError`s on loss."""
        try:
            answer = await request
        except (BadConnectionClosed, BadSessionIdInvalid, BadSessionClosed) as error:
            raise DeviceError(f"{self.where} ended the session") from error
        except UaStatusCodeError as error:
            self.heard()
            raise ServerRefused(_words(error)) from error
        except TimeoutError as error:
            raise DeviceError(f"{self.where} does not answer within {self.options.timeout_us // 1000} ms") from error
        except (OSError, UaError) as error:
            raise DeviceError(f"{self.where}: {_words(error)}") from error
        except Exception as error:
            raise self._not_understood(error) from error
        stop_if_cancelled()
        self.heard()
        return answer

    async def node_type(self, node_id: ua.NodeId) -> ua.VariantType:
        """The type of the values that a node holds. Raises `DeviceError`."""
        return await self.ask(self._client.get_node(node_id).read_data_type_as_variant_type())

    async def check_running(self) -> None:
        """Raises `DeviceError` unless the server answers that it is running."""
        try:
            state = await self.ask(self._client.nodes.server_state.read_value())
        except ServerRefused as error:
            raise DeviceError(f"{self.where} does not tell its state: {error}") from error
        if state != _RUNNING:
            names = {number.value: number.name for number in ua.ServerState}
            raise DeviceError(f"{self.where} is not running; its state is {names.get(state, state)}")

    def _not_understood(self, error: Exception) -> DeviceError:
        # The library reads what a server sends with whatever exception its reading ends.
        return DeviceError(f"{self.where} sent what cannot be understood ({type(error).__name__}: {error})")

    async def _connection_lost(self, error: Exception) -> None:
        self.lose(f"closed the connection ({_words(error)})")


def _words(error: BaseException) -> str:
    if isinstance(error, UaStatusCodeError):
        return status_words(ua.StatusCode(ua.UInt32(error.code)))
    return str(error) or type(error).__name__


def status_words(status: ua.StatusCode) -> str:
    """A status code for a person."""
    return f"{status.doc.rstrip('.')} ({status.name})" if status.doc else name_of(int(status.value))
