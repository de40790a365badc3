"""The points that a device of a domain has where nothing more is known of it, and what its state says of them.

Names and units are those of `Point`; ranges are what such devices usually take, narrowed by the entity's own
attributes.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from plugins.devices.values import Device, Point, ReadBack, Value

__all__ = ["points_of", "states_of"]

_ON = {"on": True, "off": False, "open": True, "closed": False, "true": True, "false": False}
_OPEN = {"open": True, "opening": True, "closed": False, "closing": False, "on": True, "off": False}
_PLAYING = {"playing": "play", "paused": "pause", "idle": "stop", "on": "stop", "standby": "stop"}
_TASKS = {
    "cleaning": "start", "mowing": "start", "docked": "dock", "returning": "dock", "paused": "pause", "idle": "stop",
    "on": "start",
}  # fmt: skip
_MODES = ("off", "auto", "cool", "heat", "dry", "fan_only", "heat_cool", "eco")
_FULL_BYTE = 255.0
_FAHRENHEIT_LEAST = 45.0
"""A wanted temperature above this is no temperature of a room in °C."""


def _flag(name: str) -> Point:
    return Point(name, "bool", writable=True, read_back=ReadBack(name))


def _share(name: str) -> Point:
    return Point(name, "number", "%", 0.0, 100.0, writable=True, read_back=ReadBack(name, tolerance=1.0))


def _choice(name: str, *choices: str) -> Point:
    return Point(name, "choice", choices=choices, writable=True, read_back=ReadBack(name))


_POWER = _flag("power")
_TEMPERATURE = Point(
    "temperature", "number", "°C", 5.0, 35.0, 0.5, writable=True, read_back=ReadBack("temperature", 0.1)
)
_MEASURED = Point("current_temperature", "number", "°C")
_KELVIN = Point("color_temp", "number", "K", 1000.0, 10000.0, writable=True, read_back=ReadBack("color_temp", 50.0))
_COLOR = Point("color", "color", writable=True, read_back=ReadBack("color"))
_ACTIVATE = Point("activate", "bool", writable=True)
_FAN_MODE = Point("fan_mode", "text", writable=True, read_back=ReadBack("fan_mode"))
_OPENED = (_flag("open"), _share("position"), Point("task", "choice", choices=("stop",), writable=True))
_POINTS: Mapping[str, tuple[Point, ...]] = {
    "light": (_POWER, _share("brightness"), _COLOR, _KELVIN),
    "switch": (_POWER,),
    "input_boolean": (_POWER,),
    "siren": (_POWER,),
    "fan": (_POWER, _share("speed")),
    "climate": (_POWER, _TEMPERATURE, _MEASURED, _choice("mode", *_MODES), _FAN_MODE),
    "water_heater": (_POWER, replace(_TEMPERATURE, high=85.0), _MEASURED),
    "humidifier": (_POWER, _share("humidity")),
    "cover": _OPENED,
    "valve": _OPENED,
    "lock": (_flag("locked"),),
    "vacuum": (_choice("task", "start", "pause", "stop", "dock"),),
    "lawn_mower": (_choice("task", "start", "pause", "dock"),),
    "media_player": (
        _POWER, _choice("playing", "play", "pause", "stop"), _share("volume"), _flag("muted"),
        Point("track", "choice", choices=("next", "previous"), writable=True),
    ),
    "scene": (_ACTIVATE,),
    "script": (_ACTIVATE,),
    "button": (_ACTIVATE,),
    "input_button": (_ACTIVATE,),
    "sensor": (Point("value", "text"),),
    "binary_sensor": (Point("value", "bool"),),
    "person": (Point("value", "text"),),
    "weather": (Point("value", "text"),),
}  # fmt: skip


def points_of(domain: str, attributes: Mapping[str, Any]) -> tuple[Point, ...]:
    """The points of a device; of a domain that is not known none can be set."""
    points = _POINTS.get(domain, (Point("value", "text"),))
    if domain not in ("climate", "water_heater"):
        return points
    low, high = _number(attributes.get("min_temp")), _number(attributes.get("max_temp"))
    step = _number(attributes.get("target_temp_step"))
    unit = "°F" if _is_fahrenheit(attributes) else "°C"
    found = []
    for point in points:
        if point.name == "temperature":
            default = (41.0, 95.0) if unit == "°F" else (point.low, point.high)
            low = default[0] if low is None else low
            high = default[1] if high is None else high
            point = replace(point, unit=unit, low=low, high=high, step=step or point.step)
        found.append(replace(point, unit=unit) if point.name == "current_temperature" else point)
    return tuple(found)


def _is_fahrenheit(attributes: Mapping[str, Any]) -> bool:
    unit = attributes.get("temperature_unit", attributes.get("unit_of_measurement"))
    wanted = _number(attributes.get("max_temp")) or _number(attributes.get("temperature"))
    return unit in ("°F", "F") or (unit is None and wanted is not None and wanted > _FAHRENHEIT_LEAST)


def states_of(device: Device, state: object, attributes: Mapping[str, Any]) -> Iterator[tuple[str, Value]]:
    """Points with what they show; a state that says nothing of a point is left out."""
    names = {point.name for point in device.points}
    word = str(state).lower() if isinstance(state, bool | str) else state
    for name, value in (*_from_state(device.domain, word), *_from_attributes(attributes)):
        if name in names and value is not None and not (isinstance(value, float) and not math.isfinite(value)):
            yield name, value


def _from_state(domain: str, word: object) -> Iterable[tuple[str, Value | None]]:
    if isinstance(word, int | float):
        word = f"{word:g}" if math.isfinite(word) else ""
    if not isinstance(word, str) or word in ("unknown", "unavailable", ""):
        return ()
    if domain in ("cover", "valve"):
        opened = _OPEN.get(word, _ON.get(word))
        return (("open", opened), ("position", {True: 100.0, False: 0.0}.get(opened) if opened is not None else None))
    if domain == "lock":
        return (("locked", {"locked": True, "unlocked": False}.get(word)),)
    if domain in ("vacuum", "lawn_mower"):
        return (("task", _TASKS.get(word)),)
    if domain == "media_player":
        return (("power", word not in ("off", "false")), ("playing", _PLAYING.get(word)))
    if domain in ("climate", "water_heater"):
        return (("power", word not in ("off", "false")), ("mode", word if word in _MODES else None))
    if domain in ("scene", "script", "button", "input_button"):
        return ()
    if domain == "binary_sensor":
        return (("value", _ON.get(word)),)
    return (("power", _ON.get(word)), ("value", word))


def _from_attributes(attributes: Mapping[str, Any]) -> Iterable[tuple[str, Value | None]]:
    brightness = _number(attributes.get("brightness"))
    if brightness is not None and brightness > 100.0:  # Home Assistant counts to 255, its test homes in percent
        brightness = round(brightness / _FULL_BYTE * 100.0)
    volume = _number(attributes.get("volume_level"))
    muted = attributes.get("is_volume_muted")
    return (
        ("brightness", brightness),
        ("volume", None if volume is None else round(volume * 100.0 if volume <= 1.0 else volume, 1)),
        ("muted", muted if isinstance(muted, bool) else None),
        ("position", _number(attributes.get("current_position"))),
        ("speed", _number(attributes.get("percentage"))),
        ("temperature", _number(attributes.get("temperature"))),
        ("current_temperature", _number(attributes.get("current_temperature"))),
        ("color_temp", _number(attributes.get("color_temp_kelvin"))),
        ("humidity", _number(attributes.get("humidity"))),
    )


def _number(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        number = float(value)
    except OverflowError:
        return None
    return number if math.isfinite(number) else None
