"""What a point's Modbus registers hold, and the registers that set it. Pure: no connection.

The address of a point (`Point.address`):

    table       holding (as it stands), input, coil or discrete
    register    from 0, as on the wire; 40001 of an old manual is register 0 of `holding`
    unit        the device behind the gateway, 0 to 255; 1 as it stands
    type        int16, uint16 (as it stands), int32, uint32, int64, uint64, float32 or float64
    words, bytes    big (as it stands) or little: order of the registers, and of the bytes in each
    scale, offset   number = wire × scale + offset
    bit         0 to 15, 0 is the lowest: one bit of a register
    bits        [lowest, how many]: a field of bits, a number or a word of `codes`
    codes       [[ours, number], …]: [["cool", 2], ["heat", 3]]
    unknown     numbers on the wire that mean "no value": [32768]
    multiple    write with the function for several (15, 16) also where one is enough
    rewrite     a bit is set by reading and writing its register, for devices without masked writing (22):
                somebody else's change in between is lost

Rules: what does not fit the type is refused, never cut; NaN and infinity are no numbers; a number that has no word
among `codes` is unknown.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from agent.api import InputError, Json
from plugins.devices.drivers.connecting import finite
from plugins.devices.drivers.driver import WrongValue
from plugins.devices.values import Device, Point, PointKind, Value

__all__ = ["Field", "field_of"]

KEYS = {
    "table", "register", "unit", "type", "words", "bytes", "scale", "offset", "bit", "bits", "codes", "unknown",
    "multiple", "rewrite",
}  # fmt: skip
TABLES = ("holding", "input", "coil", "discrete")
TYPES = {
    "int16": "h", "uint16": "H", "int32": "i", "uint32": "I", "int64": "q", "uint64": "Q", "float32": "f",
    "float64": "d",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Field:
    """One point's place among the registers of a unit."""

    kind: PointKind
    unit: int
    table: str
    register: int
    form: str
    """The letter of `struct`; empty for coils and discrete inputs."""
    little_words: bool
    little_bytes: bool
    scale: float
    offset: float
    lowest_bit: int
    """-1: the whole type."""
    bit_count: int
    codes: tuple[tuple[Value, int], ...]
    unknown: tuple[float, ...]
    multiple: bool
    rewrite: bool

    @property
    def count(self) -> int:
        """Registers, or bits of the tables of bits."""
        return max(1, struct.calcsize(">" + self.form) // 2) if self.form else 1

    @property
    def mask(self) -> int:
        """Of the bits of its register that it does not own, for a masked write."""
        return 0xFFFF & ~(((1 << self.bit_count) - 1) << self.lowest_bit)

    def decode(self, registers: Sequence[int]) -> Value | None:
        """:param registers: `count` of them. :return: None where they hold no sound value."""
        wire = self._number(registers)
        if not math.isfinite(wire) or wire in self.unknown:
            return None
        for ours, code in self.codes:
            if code == wire:
                return ours
        if self.codes:
            return None
        if self.kind == "bool":
            return bool(wire) if wire in (0, 1) else None
        return finite(wire * self.scale + self.offset) if self.kind == "number" else None

    def encode(self, value: Value) -> list[int]:
        """The registers that say a value; for a field of bits one register with the others at zero.

        :raises WrongValue: it does not fit.
        """
        wire = self._wire(value)
        if not self.form:
            return [1 if wire else 0]
        if self.lowest_bit >= 0:
            if not 0 <= wire < 1 << self.bit_count or wire != round(wire):
                raise WrongValue(f"{value!r} does not fit {self.bit_count} bits")
            return [self._swapped(round(wire) << self.lowest_bit)]
        try:
            packed = struct.pack(">" + self.form, wire if self.form in "fd" else round(wire))
        except (struct.error, OverflowError):
            raise WrongValue(f"{value!r} does not fit the register's type") from None
        registers = [self._swapped(word) for word in struct.unpack(f">{len(packed) // 2}H", packed)]
        return registers[::-1] if self.little_words else registers

    def _number(self, registers: Sequence[int]) -> float:
        if not self.form:
            return float(bool(registers[0]))
        words = [self._swapped(register) for register in registers]
        if self.lowest_bit >= 0:
            return float(words[0] >> self.lowest_bit & (1 << self.bit_count) - 1)
        packed = struct.pack(f">{len(words)}H", *(words[::-1] if self.little_words else words))
        return float(struct.unpack(">" + self.form, packed)[0])

    def _wire(self, value: Value) -> float:
        for ours, code in self.codes:
            if type(ours) is type(value) and ours == value:
                return code
        number = None if isinstance(value, str) or self.codes else finite(value)
        if isinstance(value, bool) and self.kind == "bool" and not self.codes:
            return int(value)
        if number is None or self.kind != "number":
            raise WrongValue(f"{str(value)[:40]!r} cannot be said in this register")
        return (number - self.offset) / self.scale

    def _swapped(self, register: int) -> int:
        return (register & 0xFF) << 8 | register >> 8 if self.little_bytes else register


def field_of(device: Device, point: Point) -> Field:
    """Read a point's address.

    :raises InputError: it is not as the top of this file says.
    """
    where = f"device {device.id}, point {point.name}"
    address = point.address
    if unknown := sorted(set(address) - KEYS):
        raise InputError(f"{where}: {unknown[0]!r} is nothing that Modbus has; it takes {', '.join(sorted(KEYS))}")
    table = _one_of(where, "table", address.get("table", "holding"), TABLES)
    type_name = _one_of(where, "type", address.get("type", "uint16"), tuple(TYPES))
    lowest, count = _bits(where, address)
    is_bits = table in ("coil", "discrete")
    if is_bits and (lowest >= 0 or "type" in address or point.kind not in ("bool", "choice")):
        raise InputError(f"{where}: a {table} is one bit: kind bool or choice, without type and bits")
    if lowest >= 0 and type_name != "uint16":
        raise InputError(f"{where}: bits are those of one register; leave `type` out")
    if point.writable and table in ("input", "discrete"):
        raise InputError(f"{where}: table {table} can only be read")
    codes, no_value = address.get("codes", []), address.get("unknown", [])
    scale = _number(where, "scale", address.get("scale", 1.0))
    if not isinstance(codes, list) or not isinstance(no_value, list) or not scale:
        raise InputError(f"{where}: `codes` and `unknown` are lists, and `scale` is not 0")
    field = Field(
        kind=point.kind, unit=_whole(where, "unit", address.get("unit", 1), 255), table=table,
        register=_whole(where, "register", address.get("register"), 65_535),
        form="" if is_bits else TYPES[type_name],
        little_words=_one_of(where, "words", address.get("words", "big"), ("big", "little")) == "little",
        little_bytes=_one_of(where, "bytes", address.get("bytes", "big"), ("big", "little")) == "little",
        scale=scale, offset=_number(where, "offset", address.get("offset", 0.0)), lowest_bit=lowest, bit_count=count,
        codes=tuple(_code(where, pair) for pair in codes),
        unknown=tuple(_number(where, "unknown", number) for number in no_value),
        multiple=address.get("multiple") is True, rewrite=address.get("rewrite") is True,
    )  # fmt: skip
    if field.register + field.count > 65_536:
        raise InputError(f"{where}: the last register is 65535")
    if point.kind in ("choice", "text", "color") and not field.codes:
        raise InputError(f"{where}: a {point.kind} needs `codes`")
    return field


def _bits(where: str, address: Mapping[str, Json]) -> tuple[int, int]:
    """Lowest bit and how many; (-1, 0) where the point is the whole type."""
    bit, bits = address.get("bit"), address.get("bits")
    if bit is not None and bits is not None:
        raise InputError(f"{where}: give `bit` or `bits`")
    if bit is not None:
        return _whole(where, "bit", bit, 15), 1
    if bits is None:
        return -1, 0
    if not isinstance(bits, list) or len(bits) != 2:
        raise InputError(f"{where}: `bits` is [lowest, how many]")
    lowest, count = _whole(where, "bits", bits[0], 15), _whole(where, "bits", bits[1], 16)
    if not 1 <= count <= 16 - lowest:
        raise InputError(f"{where}: `bits` go beyond the register")
    return lowest, count


def _one_of(where: str, name: str, value: Json, known: tuple[str, ...]) -> str:
    if not isinstance(value, str) or value not in known:
        raise InputError(f"{where}: `{name}` is {str(value)[:40]!r}; write {', '.join(known)}")
    return value


def _whole(where: str, name: str, value: Json, most: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int | float) or value != int(value) or not 0 <= value <= most:
        raise InputError(f"{where}: `{name}` is a whole number from 0 to {most}")
    return int(value)


def _number(where: str, name: str, value: Json) -> float:
    number = None if isinstance(value, str) else finite(value)
    if number is None:
        raise InputError(f"{where}: `{name}`: {str(value)[:40]!r} is no number")
    return number


def _code(where: str, pair: Json) -> tuple[Value, int]:
    if not isinstance(pair, list) or len(pair) != 2 or not isinstance(pair[0], bool | int | float | str):
        raise InputError(f"{where}: `codes` holds pairs: our value, the number on the wire")
    return pair[0] if isinstance(pair[0], bool | str) else float(pair[0]), _whole(where, "codes", pair[1], 0xFFFFFFFF)
