"""Devices behind an OPC UA server: a PLC, a SCADA gateway, a machine that speaks it itself.

A read asks the server now, a write goes out once in the node's own type, changes and alarms are told by a subscription.
asyncua lives in a thread of its own; callers wait for it no longer than they said. A server that was silent for a while
has to answer before anything is written. `opcua_nodes` describes the addresses.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Coroutine, Sequence
from typing import Any, TypeVar

from asyncua import ua

from agent.settings import ConnectionSettings, DriverSettings
from plugins.devices.drivers.connecting import check_value
from plugins.devices.drivers.driver import MaybeSent, NotRead, NotSent, Offline, Refused, Seen
from plugins.devices.drivers.opcua_alarms import Alarm
from plugins.devices.drivers.opcua_keeper import Keeper, Key, Session
from plugins.devices.drivers.opcua_link import CONNECTION_ERRORS, is_secure
from plugins.devices.drivers.opcua_nodes import NodeField, field_of
from plugins.devices.values import Device, Point, State, Value

__all__ = ["OpcUaDriver", "make_driver"]

log = logging.getLogger(__name__)
T = TypeVar("T")
DOUBTFUL = {
    "BadTimeout", "BadCommunicationError", "BadConnectionClosed", "BadConnectionRejected", "BadDisconnect",
    "BadNoCommunication", "BadServerHalted", "BadShutdown", "BadRequestTimeout", "BadSecureChannelClosed",
    "BadSessionClosed", "BadUnexpectedError", "BadInternalError", "BadDeviceFailure", "BadOutOfService",
    "GoodCompletesAsynchronously",
}  # fmt: skip
"""After these nobody knows whether the device moved; every other bad status is a refusal."""


class OpcUaDriver:
    """The devices of one server."""

    def __init__(
        self, name: str, connection: ConnectionSettings, devices: Sequence[Device], limits: DriverSettings
    ) -> None:
        self._name = name
        self._connection = connection
        self._limits = limits
        self._may_write = is_secure(name, connection) or connection.insecure_writes
        self._fields: dict[Key, NodeField] = {
            (device.id, point.name): field_of(device, point, max_chars=limits.max_text_chars)
            for device in devices
            for point in device.points
        }
        self._keeper = Keeper(
            name, connection, limits, self._fields, data_heard=self._data_heard, alarm_heard=self._alarm_heard,
            lost=self._forget,
        )  # fmt: skip
        self._lock = threading.Lock()
        self._watchers: list[Seen] = []
        self._shown: dict[Key, Value | None] = {}

    def open(self) -> None:
        self._keeper.open()

    def close(self) -> None:
        self._keeper.close()

    def watch(self, seen: Seen) -> None:
        with self._lock:
            self._watchers.append(seen)
            known = list(self._shown.items())
        for (device_id, point), value in known:
            _tell(seen, device_id, point, State(value, time.time()))

    def online(self, device: Device) -> bool | None:
        session = self._keeper.session
        if session is None:
            return False
        served = [key for key in self._fields if key[0] == device.id]
        return True if any(key in session.nodes for key in served) else None

    def read(self, device: Device, point: Point, *, seconds: float, after: float | None = None) -> State:
        deadline = time.monotonic() + seconds
        session = self._keeper.session_now(min(seconds, self._limits.offline_seconds))
        key, field = self._served(session, device, point)
        if field.part:
            return self._read_alarm(session, key, field, deadline, after)
        data = self._ask(session.client.get_node(session.nodes[key]).read_data_value(False), deadline)
        if data.StatusCode is not None and not data.StatusCode.is_good():
            raise NotRead(f"{device.id} {point.name}: the server says {data.StatusCode.name}")
        value = field.decode(data.Value.Value if data.Value is not None else None)
        if value is None:
            raise NotRead(f"{device.id} {point.name}: the node holds no {point.kind}")
        return State(value, time.time())

    def write(self, device: Device, point: Point, value: Value, *, seconds: float) -> None:
        deadline = time.monotonic() + seconds
        value = check_value(device, point, value)
        if not self._may_write:
            raise NotSent(
                f"{device.id} {point.name}: the connection {self._name} is neither signed nor encrypted; set its "
                "certificates, or insecure_writes"
            )
        session = self._keeper.session_now(min(seconds, self._limits.offline_seconds))
        key, field = self._served(session, device, point)
        self._show_life(session, min(self._limits.offline_seconds, seconds))
        if field.part:
            most = self._limits.shelve_most_seconds
            self._send(session.alarms.write(session.nodes[key], field.part, value, most), deadline, point)
            return
        kind = session.types.get(session.nodes[key])
        if kind is None:
            node = session.client.get_node(session.nodes[key])
            try:
                kind = self._ask(node.read_data_type_as_variant_type(), deadline)
            except NotRead as error:
                raise NotSent(str(error)) from None
            session.types[session.nodes[key]] = kind
        variant = ua.Variant(field.encode(value, kind.name), kind)
        write = session.client.get_node(session.nodes[key]).write_value(ua.DataValue(variant))
        self._send(write, deadline, point)

    def _served(self, session: Session, device: Device, point: Point) -> tuple[Key, NodeField]:
        key = (device.id, point.name)
        field = self._fields.get(key)
        if field is None:
            raise NotRead(f"{device.id} {point.name}: connection {self._name} does not serve it")
        if key not in session.nodes:
            raise NotSent(f"{device.id} {point.name}: the server has no node {field.node[:120]}")
        return key, field

    def _read_alarm(self, session: Session, key: Key, field: NodeField, deadline: float, after: float | None) -> State:
        def told() -> Alarm | None:
            last = session.alarms.last(session.nodes[key])
            return last if last and (after is None or last.heard >= after) else None

        self._keeper.wait(
            lambda: told() is not None or self._keeper.session is not session, deadline - time.monotonic()
        )
        alarm = told()
        value = field.decode(alarm.parts.get(field.part)) if alarm else None
        if alarm is None or value is None:
            raise NotRead(f"{key[0]} {key[1]}: the server told nothing of this alarm")
        return State(value, time.time() - (time.monotonic() - alarm.heard))

    def _show_life(self, session: Session, seconds: float) -> None:
        """:raises Offline: the server does not answer; nothing was written."""
        if time.monotonic() - self._keeper.heard_at < self._limits.silent_seconds:
            return
        try:
            self._ask(session.client.nodes.server_state.read_value(), time.monotonic() + seconds)
        except NotRead:
            self._keeper.drop(session, "the server does not answer")
            raise Offline(f"{self._name}: {self._connection.address} does not answer; look at it") from None

    def _ask(self, call: Coroutine[Any, Any, T], deadline: float) -> T:
        """:raises NotRead: no answer, or one that says no."""
        try:
            return self._keeper.call(call, deadline)
        except ua.UaStatusCodeError as error:
            raise NotRead(f"{self._name}: the server says {_status(error)}") from None
        except CONNECTION_ERRORS as error:
            raise NotRead(f"{self._name}: no answer: {str(error) or type(error).__name__}") from None

    def _send(self, call: Coroutine[Any, Any, None], deadline: float, point: Point) -> None:
        """:raises Refused, MaybeSent: as for `Driver.write`."""
        try:
            self._keeper.call(call, deadline)
        except NotSent:
            raise
        except ua.UaStatusCodeError as error:
            status = _status(error)
            if status in DOUBTFUL:
                raise MaybeSent(f"{self._name} {point.name}: the server says {status}") from None
            raise Refused(f"{self._name} {point.name}: the server refuses: {status}") from None
        except CONNECTION_ERRORS as error:
            why = str(error) or type(error).__name__
            raise MaybeSent(f"{self._name} {point.name}: the server gave no answer: {why}") from None

    def _data_heard(self, node: ua.NodeId, data: ua.DataValue) -> None:
        session = self._keeper.session
        good = data.StatusCode is None or data.StatusCode.is_good()
        wire = data.Value.Value if good and data.Value is not None else None
        for key in session.keys.get(node, ()) if session is not None else ():
            if not self._fields[key].part:
                self._show(key, self._fields[key].decode(wire))

    def _alarm_heard(self, condition: ua.NodeId, alarm: Alarm) -> None:
        session = self._keeper.session
        for key in session.keys.get(condition, ()) if session is not None else ():
            if part := self._fields[key].part:
                self._show(key, self._fields[key].decode(alarm.parts.get(part)))

    def _forget(self) -> None:
        with self._lock:
            gone = [key for key, value in self._shown.items() if value is not None]
        for key in gone:
            self._show(key, None)

    def _show(self, key: Key, value: Value | None) -> None:
        with self._lock:
            self._shown[key] = value
            watchers = list(self._watchers)
        for seen in watchers:
            _tell(seen, *key, State(value, time.time()))


def make_driver(
    name: str, connection: ConnectionSettings, devices: Sequence[Device], limits: DriverSettings
) -> OpcUaDriver:
    """See `driver.MakeDriver`."""
    return OpcUaDriver(name, connection, devices, limits)


def _status(error: ua.UaStatusCodeError) -> str:
    return ua.StatusCode(ua.UInt32(error.code)).name


def _tell(seen: Seen, device_id: str, point: str, state: State) -> None:
    try:
        seen(device_id, point, state)
    except Exception:  # a watcher's fault must not end the connection
        log.exception("a watcher failed on %s %s", device_id, point)
