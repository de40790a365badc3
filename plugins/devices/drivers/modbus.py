"""Devices behind a Modbus TCP server: a PLC, a drive, a gateway to a serial line.

Modbus answers and never tells by itself: a read asks the device now, and for watchers the points are read in turn,
neighbours together. A write goes out once. A unit that was silent for a while has to answer a read before it is sent
anything, so that "offline" is said where nothing was sent. `modbus_registers` describes the addresses.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterable, Sequence
from itertools import groupby

from agent.settings import ConnectionSettings, DriverSettings
from plugins.devices.drivers.connecting import check_value, pauses
from plugins.devices.drivers.driver import DriverError, NotRead, NotSent, Offline, Refused, Seen
from plugins.devices.drivers.modbus_link import ModbusLink, Span
from plugins.devices.drivers.modbus_registers import Field, field_of
from plugins.devices.values import Device, Point, State, Value

__all__ = ["ModbusDriver", "make_driver"]

log = logging.getLogger(__name__)
Key = tuple[str, str]
LOOK_SECONDS = 0.005
HANG_UP_SECONDS = 0.25
"""How soon it is noticed that the server hung up."""
MOST = {"holding": 125, "input": 125, "coil": 2_000, "discrete": 2_000}
"""Registers or bits that one request may read (Modbus Application Protocol 1.1b3)."""


class ModbusDriver:
    """The devices of one server."""

    def __init__(
        self, name: str, connection: ConnectionSettings, devices: Sequence[Device], limits: DriverSettings
    ) -> None:
        self._name = name
        self._limits = limits
        self._fields: dict[Key, Field] = {
            (device.id, point.name): field_of(device, point) for device in devices for point in device.points
        }
        self._link = ModbusLink(name, connection, limits)
        self._spans = _together(self._fields.values(), limits.register_gap)
        self._lock = threading.Lock()
        self._watchers: list[Seen] = []
        self._shown: dict[Key, Value | None] = {}
        self._resting: dict[int, float] = {}
        self._wake = threading.Event()
        self._closing = threading.Event()
        self._thread: threading.Thread | None = None

    def open(self) -> None:
        if self._thread is None:
            self._thread = threading.Thread(target=self._stay_connected, name=f"modbus {self._name}", daemon=True)
            self._thread.start()

    def close(self) -> None:
        self._closing.set()
        self._wake.set()
        self._link.close()
        if self._thread is not None:
            self._thread.join(self._limits.connect_seconds + 1)
            self._thread = None

    def watch(self, seen: Seen) -> None:
        with self._lock:
            known = list(self._shown.items())
            self._watchers.append(seen)
        for (device_id, point), value in known:
            _tell(seen, device_id, point, State(value, time.time()))

    def online(self, device: Device) -> bool | None:
        if not self._link.is_up:
            return False
        says = [self._link.answered(unit) for unit in self._units_of(device)]
        return False if False in says else None if None in says else True

    def read(self, device: Device, point: Point, *, seconds: float, after: float | None = None) -> State:
        deadline = time.monotonic() + seconds
        field = self._field(device, point)
        self._wait_up(seconds)
        try:
            registers = self._link.read(_span(field), deadline - time.monotonic())
        except Refused as error:
            raise NotRead(str(error)) from None
        value = field.decode(registers)
        if value is None:
            raise NotRead(f"{device.id} {point.name}: the register holds no {point.kind}")
        return State(value, time.time())

    def write(self, device: Device, point: Point, value: Value, *, seconds: float) -> None:
        deadline = time.monotonic() + seconds
        field = self._field(device, point)
        registers = field.encode(check_value(device, point, value))
        self._wait_up(seconds)
        if self._link.silence(field.unit) > self._limits.silent_seconds:
            self._show_life(device, field, min(self._limits.offline_seconds, seconds))
        left = deadline - time.monotonic()
        if field.lowest_bit < 0:
            self._link.write(_span(field), registers, multiple=field.multiple or len(registers) > 1, seconds=left)
        elif not field.rewrite:
            self._link.write_masked(_span(field), field.mask, registers[0], left)
        else:
            now = self._link.read(_span(field), left)[0]
            left = deadline - time.monotonic()
            together = [now & field.mask | registers[0]]
            self._link.write(_span(field), together, multiple=field.multiple, seconds=left)

    def _field(self, device: Device, point: Point) -> Field:
        field = self._fields.get((device.id, point.name))
        if field is None:
            raise NotRead(f"{device.id} {point.name}: connection {self._name} does not serve it")
        return field

    def _wait_up(self, seconds: float) -> None:
        """:raises Offline: there is no connection."""
        deadline = time.monotonic() + min(seconds, self._limits.offline_seconds)
        self._link.notice_end()
        while not self._link.is_up:
            self._wake.set()
            if time.monotonic() >= deadline or self._closing.wait(LOOK_SECONDS):
                raise Offline(f"{self._name}: no connection to {self._link.where}; look at the device and the network")

    def _show_life(self, device: Device, field: Field, seconds: float) -> None:
        """:raises Offline: the unit does not answer; nothing was written."""
        try:
            self._link.read(_span(field), seconds)
        except (NotRead, NotSent):
            raise Offline(f"{device.id}: unit {field.unit} at {self._link.where} does not answer") from None
        except Refused:
            if self._link.answered(field.unit) is False:
                raise Offline(f"{device.id}: the gateway {self._link.where} cannot reach unit {field.unit}") from None

    def _units_of(self, device: Device) -> set[int]:
        return {field.unit for (device_id, _), field in self._fields.items() if device_id == device.id}

    def _stay_connected(self) -> None:
        """Connect, read for those who watch, and after the end forget what was known, and again."""
        waits = pauses(self._limits)
        while not self._closing.is_set():
            try:
                self._link.connect(self._limits.connect_seconds)
            except NotSent:
                self._closing.wait(next(waits))
                continue
            waits = pauses(self._limits)
            while self._link.is_up and not self._closing.is_set():
                self._read_all()
                self._rest()
            self._forget(set(self._fields))
            if not self._closing.is_set() and not any(until > time.monotonic() for until in self._resting.values()):
                self._closing.wait(next(waits))  # where one unit was silent the others need the connection at once

    def _rest(self) -> None:
        """Until it is time to read again, or the connection has ended."""
        until = time.monotonic() + self._limits.poll_seconds
        self._wake.clear()
        while self._link.is_up and time.monotonic() < until and not self._closing.is_set():
            self._wake.wait(min(HANG_UP_SECONDS, self._limits.poll_seconds))
            self._wake.clear()
            self._link.notice_end()

    def _read_all(self) -> None:
        """Read what is watched; a unit that does not answer rests for a while."""
        with self._lock:
            if not self._watchers:
                return
        patience = max(self._limits.poll_seconds, self._limits.offline_seconds)
        for span, keys in self._spans_of_keys():
            if not self._link.is_up or self._closing.is_set():
                return
            if self._resting.get(span.unit, 0.0) > time.monotonic():
                continue
            try:
                registers = self._link.read(span, patience)
            except Refused:
                self._read_singly(keys, patience)
            except DriverError:
                self._resting[span.unit] = time.monotonic() + self._limits.retry_most_seconds
                self._forget({key for key, field in self._fields.items() if field.unit == span.unit})
            else:
                self._resting.pop(span.unit, None)
                for key in keys:
                    field = self._fields[key]
                    at = field.register - span.register
                    self._show(key, field.decode(registers[at : at + field.count]))

    def _read_singly(self, keys: Iterable[Key], patience: float) -> None:
        """One of the registers in between is not there: each point for itself."""
        for key in keys:
            field = self._fields[key]
            try:
                self._show(key, field.decode(self._link.read(_span(field), patience)))
            except DriverError:
                self._show(key, None)

    def _spans_of_keys(self) -> list[tuple[Span, list[Key]]]:
        return [
            (span, [key for key, field in self._fields.items() if _holds(span, field)])
            for span in self._spans
        ]  # fmt: skip

    def _show(self, key: Key, value: Value | None) -> None:
        with self._lock:
            if key in self._shown and self._shown[key] == value:
                return
            self._shown[key] = value
            watchers = list(self._watchers)
        for seen in watchers:
            _tell(seen, *key, State(value, time.time()))

    def _forget(self, keys: set[Key]) -> None:
        for key in keys:
            with self._lock:
                if key not in self._shown:
                    continue
            self._show(key, None)


def make_driver(
    name: str, connection: ConnectionSettings, devices: Sequence[Device], limits: DriverSettings
) -> ModbusDriver:
    """See `driver.MakeDriver`."""
    return ModbusDriver(name, connection, devices, limits)


def _span(field: Field) -> Span:
    return Span(field.unit, field.table, field.register, field.count)


def _holds(span: Span, field: Field) -> bool:
    same = (span.unit, span.table) == (field.unit, field.table)
    return same and span.register <= field.register and field.register + field.count <= span.register + span.count


def _together(fields: Iterable[Field], gap: int) -> list[Span]:
    """Few requests for many points: neighbours, and those with a small gap between them."""
    spans: list[Span] = []
    ordered = sorted(fields, key=lambda field: (field.unit, field.table, field.register, -field.count))
    for (unit, table), group in groupby(ordered, key=lambda field: (field.unit, field.table)):
        begin = end = -1
        for field in group:
            last = field.register + field.count
            if begin < 0 or field.register > end + gap or last - begin > MOST[table]:
                if begin >= 0:
                    spans.append(Span(unit, table, begin, end - begin))
                begin, end = field.register, last
            end = max(end, last)
        spans.append(Span(unit, table, begin, end - begin))
    return spans


def _tell(seen: Seen, device_id: str, point: str, state: State) -> None:
    try:
        seen(device_id, point, state)
    except Exception:  # a watcher's fault must not end the connection
        log.exception("a watcher failed on %s %s", device_id, point)
