"""What a point is on an OPC UA server. Pure: no connection.

The address of a point (`Point.address`):

    node        ns=2;s=Pump.Speed, or with the namespace's own name: nsu=http://plant/;s=Pump.Speed
    scale, offset   number = wire × scale + offset
    codes       [[ours, on the wire], …]: [["auto", 1], ["hand", 2]]

or, of an alarm (Part 9, Alarms and Conditions):

    alarm       the condition's node
    what        active, acknowledged, confirmed (true can be written), shelved (seconds left; seconds can be written,
                0 is back at once), severity or message

Rules: a value goes out in the node's own data type or not at all; what does not fit it is refused, never cut.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from agent.api import InputError, Json
from plugins.devices.drivers.connecting import finite
from plugins.devices.drivers.driver import WrongValue
from plugins.devices.values import Device, Point, PointKind, Value

__all__ = ["ALARM_PARTS", "NodeField", "field_of"]

KEYS = {"node", "scale", "offset", "codes", "alarm", "what"}
ALARM_PARTS: dict[str, PointKind] = {
    "active": "bool", "acknowledged": "bool", "confirmed": "bool", "shelved": "number", "severity": "number",
    "message": "text",
}  # fmt: skip
WRITABLE_PARTS = ("acknowledged", "confirmed", "shelved")
INTEGERS = {
    "SByte": (-(2**7), 2**7 - 1), "Byte": (0, 2**8 - 1), "Int16": (-(2**15), 2**15 - 1), "UInt16": (0, 2**16 - 1),
    "Int32": (-(2**31), 2**31 - 1), "UInt32": (0, 2**32 - 1), "Int64": (-(2**63), 2**63 - 1),
    "UInt64": (0, 2**64 - 1),
}  # fmt: skip
FLOATS = {"Float": 3.4028234e38, "Double": 1.7e308}


@dataclass(frozen=True, slots=True)
class NodeField:
    """One point's node, or one part of an alarm."""

    kind: PointKind
    node: str
    part: str
    """Of an alarm; empty: the node's value."""
    scale: float
    offset: float
    codes: tuple[tuple[Value, Json], ...]
    max_chars: int

    def decode(self, wire: object) -> Value | None:
        """:return: None where it is no sound value of the point's kind."""
        for ours, code in self.codes:
            if type(code) is type(wire) and code == wire:
                return ours
        if self.codes:
            return None
        if self.kind == "bool":
            return wire if isinstance(wire, bool) else None
        if self.kind == "number":
            number = None if isinstance(wire, str) else finite(wire)
            return None if number is None else finite(number * self.scale + self.offset)
        fits = isinstance(wire, str) and len(wire) <= self.max_chars and wire.isprintable()
        return wire if fits and isinstance(wire, str) else None

    def encode(self, value: Value, type_name: str) -> bool | int | float | str:
        """:param type_name: of the node, as OPC UA calls it: Boolean, Int16, Double, String …
        :raises WrongValue: the value does not fit it.
        """
        wire = self._wire(value)
        if type_name == "Boolean" and isinstance(wire, bool):
            return wire
        if type_name in INTEGERS and isinstance(wire, int | float) and not isinstance(wire, bool):
            low, high = INTEGERS[type_name]
            if low <= round(wire) <= high:
                return round(wire)
        number = None if isinstance(wire, str) else finite(wire)
        exact = not isinstance(wire, int) or number == wire  # whole numbers beyond 2**53 are no floats
        if type_name in FLOATS and number is not None and exact and abs(number) <= FLOATS[type_name]:
            return number
        if type_name == "String" and isinstance(wire, str) and len(wire) <= self.max_chars:
            return wire
        raise WrongValue(f"{str(value)[:40]!r} does not fit the node's type {type_name}")

    def _wire(self, value: Value) -> Json:
        for ours, code in self.codes:
            if type(ours) is type(value) and ours == value:
                return code
        if self.codes:
            raise WrongValue(f"{str(value)[:40]!r} has no code")
        if isinstance(value, bool | str):
            return value
        if not math.isfinite(value):
            raise WrongValue(f"{value} is no number that can be sent")
        return value if (self.scale, self.offset) == (1, 0) else (value - self.offset) / self.scale


def field_of(device: Device, point: Point, *, max_chars: int) -> NodeField:
    """Read a point's address.

    :raises InputError: it is not as the top of this file says.
    """
    where = f"device {device.id}, point {point.name}"
    address = point.address
    if unknown := sorted(set(address) - KEYS):
        raise InputError(f"{where}: {unknown[0]!r} is nothing that OPC UA has; it takes {', '.join(sorted(KEYS))}")
    node, alarm, part = (address.get(name, "") for name in ("node", "alarm", "what"))
    if not (isinstance(node, str) and isinstance(alarm, str) and isinstance(part, str)) or bool(node) == bool(alarm):
        raise InputError(f"{where}: give `node`, or `alarm` and `what`")
    scale, offset, codes = address.get("scale", 1.0), address.get("offset", 0.0), address.get("codes", [])
    numbers = [None if isinstance(number, str) else finite(number) for number in (scale, offset)]
    if None in numbers or not numbers[0] or not isinstance(codes, list):
        raise InputError(f"{where}: `scale` and `offset` are numbers, `scale` not 0, `codes` a list of pairs")
    if alarm:
        _check_alarm(where, point, part)
    return NodeField(
        kind=point.kind, node=node or alarm, part=part if alarm else "", scale=numbers[0], offset=numbers[1] or 0.0,
        codes=tuple(_code(where, pair) for pair in codes), max_chars=max_chars,
    )  # fmt: skip


def _check_alarm(where: str, point: Point, part: str) -> None:
    if ALARM_PARTS.get(part) != point.kind:
        kinds = ", ".join(f"{name} ({kind})" for name, kind in ALARM_PARTS.items())
        raise InputError(f"{where}: `what` and the point's kind are one of {kinds}")
    if point.writable and part not in WRITABLE_PARTS:
        raise InputError(f"{where}: {part} can only be read")


def _code(where: str, pair: Json) -> tuple[Value, Json]:
    if not isinstance(pair, list) or len(pair) != 2 or not isinstance(pair[0], bool | int | float | str):
        raise InputError(f"{where}: `codes` holds pairs: our value, what stands on the wire")
    return pair[0] if isinstance(pair[0], bool | str) else float(pair[0]), pair[1]
