"""What a driver is: the only part of the box that touches a device.

A driver serves the devices of one connection: a broker, a Modbus gateway, an OPC UA server. Rules for each:

- `open` returns at once and connects in the background, again and again with back-off and jitter until `close`;
- any thread may call; a call ends by its time limit with a value or a `DriverError`;
- `write` sends once and never again by itself, and its error says whether bytes may have gone out;
- what a device shows is told with the moment it was received; what nobody knows to be so now is never made up.

    DriverError
    ├── NotSent          nothing left the box
    │   ├── Offline      the server or the device cannot be reached now
    │   └── WrongValue   the point cannot take this value
    ├── Refused          it arrived, and the other side said that it did nothing
    ├── MaybeSent        it may have arrived: only a read-back can tell
    └── NotRead          no value could be had

A new driver is one module with `make_driver`, named in the entry point group `watchkeeper.drivers` (`registry`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from agent.api import ToolFailed
from agent.settings import ConnectionSettings, DriverSettings
from plugins.devices.values import Device, Point, State, Value

__all__ = [
    "Driver", "DriverError", "MakeDriver", "MaybeSent", "NotRead", "NotSent", "Offline", "Refused", "Seen",
    "WrongValue",
]  # fmt: skip


class DriverError(ToolFailed):
    """A device could not be read or set. The message says which, why, and what to do."""


class NotSent(DriverError):
    """Nothing left the box."""


class Offline(NotSent):
    """The server or the device cannot be reached now."""


class WrongValue(NotSent):
    """The point cannot take this value: not writable, wrong kind, not a number, out of what the wire can hold."""


class Refused(DriverError):
    """It arrived, and the other side answered that it did not do it."""


class MaybeSent(DriverError):
    """Bytes may have gone out, and no answer says what became of them."""


class NotRead(DriverError):
    """No value could be had: nothing came in time, or what came is not what the map says."""


Seen = Callable[[str, str, State], None]
"""Device id, point name, what it showed. Called from the driver's thread: it must be quick. A `State` without value
says that the point cannot be known any more, because the device or the connection is gone."""


class Driver(Protocol):
    """The devices of one connection."""

    def open(self) -> None:
        """Begin to connect, and go on trying; returns at once."""

    def close(self) -> None:
        """Let go of the connection; calls that wait end with `Offline`, `NotRead` or `MaybeSent`. May be repeated."""

    def read(self, device: Device, point: Point, *, seconds: float, after: float | None = None) -> State:
        """What the point shows.

        Where the protocol can ask, the device is asked now. Where it only tells (MQTT), this is the last that came:
        `State.at` is when; 0 for a retained value, of which nobody knows how old it is.

        :param seconds: at most so long, connecting included.
        :param after: on `time.monotonic`'s clock. Only what came later counts, and nothing retained; a device that
            can be asked is asked. For a read-back this is the moment before the write.
        :raises Offline: neither the device nor a value can be reached.
        :raises NotRead: no sound value came in time.
        """

    def write(self, device: Device, point: Point, value: Value, *, seconds: float) -> None:
        """Set the point: sends exactly once. That it returns says that the other side took the command (the broker,
        the register, the node), not that the device did it: read back.

        :param value: in the point's own unit and kind; a color as #rrggbb.
        :param seconds: at most so long. It does not wait for a connection longer than `DriverSettings.offline_seconds`.
        :raises NotSent: nothing left the box (`Offline`, `WrongValue`).
        :raises Refused: the other side said no.
        :raises MaybeSent: nobody knows.
        """

    def watch(self, seen: Seen) -> None:
        """Be told of states as they come, those known already included. Several may watch; they do until `close`."""

    def online(self, device: Device) -> bool | None:
        """Whether the device can be reached now, at once from what is known; None: it does not say."""


class MakeDriver(Protocol):
    """What a driver's module offers as `make_driver`. It reads the addresses in the points and opens nothing."""

    def __call__(
        self, name: str, connection: ConnectionSettings, devices: Sequence[Device], limits: DriverSettings
    ) -> Driver:
        """:param name: of the connection, as `Device.driver` says it.
        :raises InputError: an address or a setting is wrong; says of which device and point.
        """
