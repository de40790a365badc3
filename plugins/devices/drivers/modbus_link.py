"""Requests to one Modbus TCP server over pymodbus, one at a time, each sent once and ended by a deadline.

pymodbus repeats a request that is not answered, which for a write may move a machine twice: here it never does. After
a request without answer the connection is closed, so that a late answer is never taken for that of the next one.
"""

from __future__ import annotations

import logging
import select
import socket
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass

from pymodbus.client import ModbusTcpClient
from pymodbus.exceptions import ConnectionException, ModbusException
from pymodbus.pdu import ExceptionResponse, ModbusPDU

from agent.settings import ConnectionSettings, DriverSettings
from plugins.devices.drivers.connecting import place_of
from plugins.devices.drivers.driver import MaybeSent, NotRead, NotSent, Offline, Refused

__all__ = ["ModbusLink", "Span"]

PORTS = {"tcp": 502, "modbus": 502}
CERTAIN = {
    1: "it does not know this function", 2: "it has no such register", 3: "it does not take this value",
    6: "it is busy", 10: "its gateway has no path to the unit",
}  # fmt: skip
"""Exceptions after which nothing has moved."""
GATEWAY = (10, 11)
"""The gateway answers for a unit that does not."""
_Request = Callable[[], ModbusPDU]


@dataclass(frozen=True, slots=True)
class Span:
    """Neighbouring registers of one table."""

    unit: int
    table: str
    register: int
    count: int


class ModbusLink:
    """One server. Calls from several threads wait for each other."""

    def __init__(self, name: str, connection: ConnectionSettings, limits: DriverSettings) -> None:
        self._name = name
        self._limits = limits
        place = place_of(name, connection, PORTS)
        self.where = f"{place.host}:{place.port}"
        self._client = _Client(place.host, port=place.port, timeout=limits.connect_seconds, retries=0)
        self._turn = threading.Lock()
        self._closed = False
        self._units: dict[int, tuple[bool, float]] = {}
        """Unit → whether it answered last, and when by `time.monotonic`."""
        logging.getLogger("pymodbus.logging").setLevel(logging.CRITICAL)  # what it says there is raised here

    @property
    def is_up(self) -> bool:
        return self._client.connected and not self._closed

    def answered(self, unit: int) -> bool | None:
        """Whether a unit answered when it was last asked; None: not asked on this connection, or it failed long ago."""
        answered, at = self._units.get(unit, (None, 0.0))
        return None if answered is False and time.monotonic() - at > self._limits.silent_seconds else answered

    def silence(self, unit: int) -> float:
        """Seconds since it last answered."""
        known = self._units.get(unit)
        return time.monotonic() - known[1] if known and known[0] else float("inf")

    def connect(self, seconds: float) -> None:
        """Connect where that is not so already.

        :raises Offline: nobody answers.
        """
        with _Turn(self, seconds) as left:
            if self._closed:
                raise Offline(f"{self._name}: the connection was closed")
            if not self._client.connected:
                self._units.clear()
                self._client.join(left)
                if self._closed:  # meanwhile
                    self._client.cut()

    def close(self) -> None:
        """Let go of the connection for good; a call in flight ends."""
        self._closed = True
        self._client.cut()

    def notice_end(self) -> None:
        """Between two requests: see whether the other side hung up."""
        if self._turn.acquire(blocking=False):
            try:
                if self._client.is_stale():
                    self._client.cut()
            finally:
                self._turn.release()

    def read(self, span: Span, seconds: float) -> list[int]:
        """:return: registers, or 0 and 1 for bits.

        :raises Offline, NotRead: as for `Driver.read`.
        """
        try:
            response = self._ask(span.unit, self._request(span), seconds)
        except MaybeSent as error:
            raise NotRead(str(error)) from None
        values = response.bits if span.table in ("coil", "discrete") else response.registers
        if len(values) < span.count:
            raise NotRead(f"{self._name}: unit {span.unit} answered with too few values")
        return [int(value) for value in values[: span.count]]

    def write(self, span: Span, registers: Sequence[int], *, multiple: bool, seconds: float) -> None:
        """:raises DriverError: as for `Driver.write`."""
        client, at, unit = self._client, span.register, span.unit
        if span.table == "coil":
            bits = [bool(register) for register in registers]
            if multiple:
                self._ask(unit, lambda: client.write_coils(at, bits, device_id=unit), seconds)
            else:
                self._ask(unit, lambda: client.write_coil(at, bits[0], device_id=unit), seconds)
        elif multiple or len(registers) > 1:
            self._ask(unit, lambda: client.write_registers(at, list(registers), device_id=unit), seconds)
        else:
            self._ask(unit, lambda: client.write_register(at, registers[0], device_id=unit), seconds)

    def write_masked(self, span: Span, keep: int, bits: int, seconds: float) -> None:
        """Set some bits of a register, and leave those of `keep` as they are.

        :raises DriverError: as for `Driver.write`.
        """
        client, at, unit = self._client, span.register, span.unit
        self._ask(
            unit, lambda: client.mask_write_register(address=at, and_mask=keep, or_mask=bits, device_id=unit), seconds
        )

    def _request(self, span: Span) -> _Request:
        ask = {
            "holding": self._client.read_holding_registers, "input": self._client.read_input_registers,
            "coil": self._client.read_coils, "discrete": self._client.read_discrete_inputs,
        }[span.table]  # fmt: skip
        return lambda: ask(span.register, count=span.count, device_id=span.unit)

    def _ask(self, unit: int, request: _Request, seconds: float) -> ModbusPDU:
        """Send a request once, and wait for its answer.

        :raises Offline: nothing went out. :raises Refused, MaybeSent: see `driver`.
        """
        with _Turn(self, seconds) as left:
            if self._client.is_stale():
                self._client.cut()
            if not self.is_up:
                raise Offline(f"{self._name}: no connection to {self.where}")
            self._client.begin(left)
            try:
                response = request()
            except (ModbusException, OSError, ValueError) as error:
                sent = self._client.sent
                self._client.cut()
                if isinstance(error, ConnectionException) and not sent:
                    raise Offline(f"{self._name}: no connection to {self.where}") from None
                self._units[unit] = (False, time.monotonic())
                raise MaybeSent(
                    f"{self._name}: unit {unit} at {self.where} gave no answer; look at it and the line"
                ) from None
        return self._judged(unit, response)

    def _judged(self, unit: int, response: ModbusPDU) -> ModbusPDU:
        code = response.exception_code if isinstance(response, ExceptionResponse) else 0
        self._units[unit] = (code not in GATEWAY, time.monotonic())
        if code in CERTAIN:
            raise Refused(f"{self._name}: unit {unit} refuses: {CERTAIN[code]} (exception {code})")
        if code or response.isError():
            raise MaybeSent(f"{self._name}: unit {unit} answers with exception {code}; nobody knows what it did")
        return response


class _Turn:
    """The only one who talks to the server, for so many seconds, waiting for the turn included."""

    def __init__(self, link: ModbusLink, seconds: float) -> None:
        self._link = link
        self._deadline = time.monotonic() + seconds

    def __enter__(self) -> float:
        """:return: seconds left. :raises NotSent: others took all of them."""
        if not self._link._turn.acquire(timeout=max(0.0, self._deadline - time.monotonic())):
            raise NotSent(f"{self._link._name}: other requests to {self._link.where} took too long; try again")
        return max(0.01, self._deadline - time.monotonic())

    def __exit__(self, *_: object) -> None:
        self._link._turn.release()


class _Client(ModbusTcpClient):
    """pymodbus's client, which never connects by itself, knows whether bytes went out, and keeps a deadline."""

    def join(self, seconds: float) -> None:
        """:raises Offline: nobody answers."""
        try:
            self.socket = socket.create_connection((self.comm_params.host, self.comm_params.port), timeout=seconds)
        except OSError as error:
            raise Offline(f"no connection to {self.comm_params.host}:{self.comm_params.port}: {error}") from None
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def begin(self, seconds: float) -> None:
        self.sent = False
        self._deadline = time.monotonic() + seconds
        self.comm_params.timeout_connect = seconds
        self.transaction.comm_params.timeout_connect = seconds

    def is_stale(self) -> bool:
        """Whether there is something to read that nobody asked for: the end of the connection, or a late answer."""
        try:
            return self.socket is not None and bool(select.select([self.socket], [], [], 0)[0])
        except (OSError, ValueError):
            return True

    def cut(self) -> None:
        """Close from any thread; whoever waits for an answer wakes up."""
        sock, self.socket = self.socket, None
        if sock is not None:
            with suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
            sock.close()

    def connect(self) -> bool:
        return self.socket is not None

    def send(self, request: bytes, addr: object = None) -> int:
        sock = self.socket
        if sock is None:
            raise ConnectionException("not connected")
        sock.settimeout(max(0.01, self._deadline - time.monotonic()))
        self.sent = True
        sock.sendall(request)
        return len(request)

    def recv(self, size: int | None) -> bytes:
        sock = self.socket
        if sock is None:
            raise ConnectionException("not connected")
        ready, _, _ = select.select([sock], [], [], max(0.0, self._deadline - time.monotonic()))
        if not ready:
            return b""
        data = sock.recv(size or 4096)
        if not data:
            raise ConnectionException("the other side hung up")
        return data
