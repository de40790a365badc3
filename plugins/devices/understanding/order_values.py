"""What an order is made of, and how values, shares and directions are taken from a frame."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from agent.api import Json
from plugins.devices.understanding.frames import Frame
from plugins.devices.values import Value

__all__ = ["Order", "Setting", "Step", "about", "delta_of", "only", "percent_of", "way_of", "whole"]

_LEVELS = {"max": 100.0, "half": 50.0, "min": 0.0}


@dataclass(frozen=True, slots=True)
class Setting:
    """What a point is to be set to."""

    point: str
    value: Value
    unit: str = ""


@dataclass(frozen=True, slots=True)
class Step:
    """By how much a point is to change."""

    point: str
    delta: float
    """0: by the point's usual step, in the direction of `sign`."""
    sign: int
    unit: str = ""


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be done, apart from where."""

    intent: str
    slots: Mapping[str, Json] = field(default_factory=dict)
    domains: tuple[str, ...] = ()
    settings: Mapping[str, tuple[Setting | Step, ...]] = field(default_factory=dict)
    """By domain; "" is for all."""
    guessed: bool = False
    """A value that was not said: low, medium."""
    kind: str = ""
    """The kind that the verb alone means: to light up."""
    slot: str = ""
    """Which slot takes the value that a step leads to."""


def only(domains: tuple[str, ...], *wanted: str) -> bool:
    return bool(domains) and set(domains) <= set(wanted)


def percent_of(frame: Frame, *, least: float = 0.0) -> float | None:
    """The share that is wanted, said as a number or a level."""
    if frame.amounts and frame.amounts[-1].unit in ("", "%"):
        if not frame.amounts[-1].unit and frame.at and frame.verb != "set":
            return None  # "at 7" may be a time of day
        if not frame.amounts[-1].unit and not frame.to and frame.verb in ("on", "off", "open", "close"):
            return None  # "close 3": whatever the number is, it was not said to be what is wanted
        return frame.amounts[-1].value
    if frame.level:
        return max(_LEVELS[frame.level], least)
    return None


def whole(value: float) -> Json:
    return int(value) if value == int(value) else value


def way_of(frame: Frame) -> int:
    """1 up, -1 down, 0 neither; a value that is wanted as it is has no way."""
    if frame.to or frame.level:
        return 0
    if frame.change:
        return 1 if frame.change.endswith(".up") else -1
    return {"raise": 1, "lower": -1}.get(frame.verb, 0)


def about(frame: Frame, attr: str) -> bool:
    return frame.attr == attr or frame.change.startswith(attr + ".")


def delta_of(frame: Frame, way: int) -> float:
    return way * frame.amounts[-1].value if frame.amounts else 0.0
