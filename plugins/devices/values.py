"""Devices as the box knows them: where they are, what they are called, and the points that can be read and set.

A map of devices is read from a file, from a broker's discovery messages or from an OPC UA server (`maps`). Names in it
are untrusted: they are matched against what a person says, and never authorise anything.

Domains, device classes and intents carry Home Assistant's names (https://developers.home-assistant.io/docs/core/entity
and /docs/intent_builtin), so that its homes and its answers fit.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import time
from typing import Literal

from agent.api import Json, Risk

__all__ = [
    "Area", "Device", "DeviceMap", "Floor", "Interlock", "Point", "QuietHours", "ReadBack", "State", "Value", "Write",
]  # fmt: skip

Value = bool | float | str
PointKind = Literal["bool", "number", "choice", "text", "color"]


@dataclass(frozen=True, slots=True)
class Floor:
    """A storey."""

    id: str
    names: tuple[str, ...]
    """The first is shown; the others are aliases, in whatever language."""


@dataclass(frozen=True, slots=True)
class Area:
    """A room, a hall, a line."""

    id: str
    names: tuple[str, ...]
    floor: str = ""
    """Id of its storey; empty: not said."""


@dataclass(frozen=True, slots=True)
class ReadBack:
    """How a write is looked for on the device."""

    point: str
    """Of the same device; often the point itself."""
    tolerance: float = 0.0
    """In the point's unit; for numbers."""
    within_seconds: float = 5.0
    """By then the device must show it."""


@dataclass(frozen=True, slots=True)
class Point:
    """One thing of a device that is read or set.

    Standard names: power, brightness (%), color, color_temp (K), temperature (what is wanted), current_temperature,
    mode, speed (%), position (%, 100 is open), open, locked, task (start, pause, stop, dock), playing (play, pause,
    stop), volume (%), muted, track (next, previous), value, activate. Plants have others.
    """

    name: str
    kind: PointKind
    unit: str = ""
    low: float | None = None
    high: float | None = None
    step: float | None = None
    choices: tuple[str, ...] = ()
    writable: bool = False
    read_back: ReadBack | None = None
    """None: what was sent cannot be confirmed."""
    address: Mapping[str, Json] = field(default_factory=dict)
    """Where the driver finds it; each driver says what it wants there."""


@dataclass(frozen=True, slots=True)
class Interlock:
    """While this is so, a write is refused: never open V-12 while P-3 runs."""

    point: str
    """Of the device that the interlock belongs to."""
    value: Value
    """The value that must not be written."""
    device: str
    """Id of the device that is looked at."""
    seen: str
    """Its point."""
    forbids: tuple[Value, ...]
    """While it shows one of these, or cannot be read, the write is refused."""


@dataclass(frozen=True, slots=True)
class QuietHours:
    """Local times between which nothing is written without a person's approval; may pass midnight."""

    begin: time
    end: time


@dataclass(frozen=True, slots=True)
class Device:
    """A lamp, a pump, a thermostat."""

    id: str
    names: tuple[str, ...]
    """The first is shown; the others are aliases, in both languages."""
    domain: str
    """As Home Assistant has it: light, switch, fan, climate, cover, lock, valve, vacuum, media_player, sensor …"""
    area: str = ""
    device_class: str = ""
    points: tuple[Point, ...] = ()
    driver: str = ""
    """mqtt, modbus, opcua …; empty: none, as in a dry run."""
    interlocks: tuple[Interlock, ...] = ()
    most_writes_a_minute: int = 0
    """0: the box's own limit."""
    quiet: QuietHours | None = None
    risk: Risk = "write"

    def point(self, name: str) -> Point | None:
        return next((p for p in self.points if p.name == name), None)


@dataclass(frozen=True, slots=True)
class DeviceMap:
    """Everything that can be spoken of."""

    devices: tuple[Device, ...] = ()
    areas: tuple[Area, ...] = ()
    floors: tuple[Floor, ...] = ()

    def device(self, device_id: str) -> Device | None:
        return next((d for d in self.devices if d.id == device_id), None)


@dataclass(frozen=True, slots=True)
class State:
    """What a point showed."""

    value: Value | None
    """None: it cannot be read."""
    at: float = 0.0
    """UTC seconds; 0: not known."""


@dataclass(frozen=True, slots=True)
class Write:
    """One value to be set."""

    device: str
    point: str
    value: Value
    unit: str = ""
