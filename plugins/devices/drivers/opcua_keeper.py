"""Keeps a session with an OPC UA server: asyncua's own thread, connect, subscribe, notice the end, and again.

Callers in other threads get the session that is up, and run requests in asyncua's thread no longer than they may wait.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Coroutine, Mapping
from concurrent.futures import TimeoutError as FutureTimeout
from contextlib import suppress
from typing import Any, TypeVar

from asyncua import Client, ua

from agent.api import InputError
from agent.settings import ConnectionSettings, DriverSettings
from plugins.devices.drivers.connecting import pauses
from plugins.devices.drivers.driver import Offline
from plugins.devices.drivers.opcua_alarms import Alarm, Alarms
from plugins.devices.drivers.opcua_link import CONNECTION_ERRORS, connected_client, node_id
from plugins.devices.drivers.opcua_nodes import NodeField

__all__ = ["Keeper", "Key", "Session"]

Key = tuple[str, str]
"""Device and point."""
T = TypeVar("T")
MILLISECONDS = 1_000.0
FAREWELL_SECONDS = 1.0


class Session:
    """What belongs to one session and ends with it."""

    def __init__(self, client: Client, nodes: dict[Key, ua.NodeId], heard: Callable[[ua.NodeId, Alarm], None]) -> None:
        self.client = client
        self.nodes = nodes
        self.alarms = Alarms(client, heard)
        self.types: dict[ua.NodeId, ua.VariantType] = {}
        self.keys: dict[ua.NodeId, list[Key]] = {}
        for key, node in nodes.items():
            self.keys.setdefault(node, []).append(key)


class Keeper:
    """The connection of one driver."""

    def __init__(
        self,
        name: str,
        connection: ConnectionSettings,
        limits: DriverSettings,
        fields: Mapping[Key, NodeField],
        *,
        data_heard: Callable[[ua.NodeId, ua.DataValue], None],
        alarm_heard: Callable[[ua.NodeId, Alarm], None],
        lost: Callable[[], None],
    ) -> None:
        """
        :param data_heard: a node has changed.
        :param alarm_heard: an alarm has changed.
        :param lost: the session is over; nothing is known any more. All are called in asyncua's thread.
        """
        self._name = name
        self._connection = connection
        self._limits = limits
        self._fields = fields
        self._data_heard = data_heard
        self._alarm_heard = alarm_heard
        self._lost = lost
        self._changed = threading.Condition()
        self._why = "not connected yet"
        self._closing = threading.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self.session: Session | None = None
        self.heard_at = 0.0
        """When the server showed its last sign of life, by `time.monotonic`."""

    def open(self) -> None:
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name=f"opcua {self._name}", daemon=True)
            self._thread.start()

    def close(self) -> None:
        self._closing.set()
        if self._thread is not None:
            self._thread.join(2 * self._limits.connect_seconds + FAREWELL_SECONDS)
            self._thread = None

    def session_now(self, seconds: float) -> Session:
        """:raises Offline: there is none within this time."""
        with self._changed:
            self._changed.wait_for(lambda: self.session is not None, max(0.0, seconds))
            if self.session is None or self._closing.is_set():
                raise Offline(f"{self._name}: no connection to {self._connection.address}: {self._why}")
            return self.session

    def wait(self, true: Callable[[], bool], seconds: float) -> None:
        """Until something heard has made this so, or the time is over."""
        with self._changed:
            self._changed.wait_for(true, max(0.0, seconds))

    def call(self, request: Coroutine[Any, Any, T], deadline: float) -> T:
        """Run a request in asyncua's thread.

        :raises Offline: it was not begun. :raises TimeoutError: no answer in time.
        """
        loop = self._loop
        if loop is None or not loop.is_running():
            request.close()
            raise Offline(f"{self._name}: the connection was closed")
        future = asyncio.run_coroutine_threadsafe(request, loop)
        try:
            result = future.result(max(0.0, deadline - time.monotonic()))
        except FutureTimeout:
            future.cancel()
            raise TimeoutError("none came in time") from None
        except asyncio.CancelledError:
            raise TimeoutError("the connection was closed") from None
        self.heard_at = time.monotonic()
        return result

    def drop(self, session: Session | None, why: str) -> None:
        """Forget a session, and say that nothing is known any more."""
        with self._changed:
            if session is None or self.session is not session:
                return
            self.session, self._why = None, why
            self._changed.notify_all()
        self._lost()

    def _run(self) -> None:
        with asyncio.Runner() as runner:
            self._loop = runner.get_loop()
            runner.run(self._stay_connected())

    async def _stay_connected(self) -> None:
        waits = pauses(self._limits)
        while not self._closing.is_set():
            client: Client | None = None
            try:
                client = await asyncio.wait_for(
                    connected_client(self._name, self._connection, self._limits), 2 * self._limits.connect_seconds
                )
                await self._begin(client)
                waits = pauses(self._limits)
                await self._until_over(client)
            except (*CONNECTION_ERRORS, InputError) as error:
                self._why = str(error) or type(error).__name__
            finally:
                self.drop(self.session, self._why)
                if client is not None:
                    await _farewell(client)
            await self._pause(next(waits))

    async def _begin(self, client: Client) -> None:
        """The session is up from here on; then hear what changes."""
        namespaces = await client.get_namespace_array()
        nodes: dict[Key, ua.NodeId] = {}
        for key, field in self._fields.items():
            with suppress(ValueError, ua.UaError):
                nodes[key] = await node_id(client, field.node, namespaces)
        session = Session(client, nodes, self._heard_alarm)
        with self._changed:
            self.session = session
            self.heard_at = time.monotonic()
            self._changed.notify_all()
        told = list(dict.fromkeys(nodes[key] for key in nodes if not self._fields[key].part))
        handler = _Handler(self._heard_data, session.alarms)
        subscription = await client.create_subscription(self._limits.publishing_seconds * MILLISECONDS, handler)
        if told:
            await subscription.subscribe_data_change([client.get_node(node) for node in told])
        if any(self._fields[key].part for key in nodes):
            await session.alarms.listen(subscription)

    async def _until_over(self, client: Client) -> None:
        """Returns when asyncua, somebody who waited in vain, or `close` ended it."""
        look = min(0.1, self._limits.offline_seconds / 4)
        while self.session is not None and client.state.value == "connected" and not self._closing.is_set():
            await asyncio.sleep(look)
        self._why = "the connection ended"

    async def _pause(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        while time.monotonic() < until and not self._closing.is_set():
            await asyncio.sleep(min(0.05, seconds))

    def _heard_data(self, node: ua.NodeId, data: ua.DataValue) -> None:
        self.heard_at = time.monotonic()
        self._data_heard(node, data)

    def _heard_alarm(self, condition: ua.NodeId, alarm: Alarm) -> None:
        self.heard_at = time.monotonic()
        self._alarm_heard(condition, alarm)
        with self._changed:
            self._changed.notify_all()


class _Handler:
    """What asyncua tells of a subscription."""

    def __init__(self, data_heard: Callable[[ua.NodeId, ua.DataValue], None], alarms: Alarms) -> None:
        self._data_heard = data_heard
        self._alarms = alarms

    def datachange_notification(self, node: Any, _value: object, data: Any) -> None:
        self._data_heard(node.nodeid, data.monitored_item.Value)

    def event_notification(self, event: Any) -> None:
        self._alarms.event_notification(event)


async def _farewell(client: Client) -> None:
    with suppress(*CONNECTION_ERRORS):
        await asyncio.wait_for(client.disconnect(), FAREWELL_SECONDS)
    client.disconnect_socket()
