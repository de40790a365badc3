"""What stands against a write, whoever ordered it. Deciding only; nothing here touches a device but to look at it.

wrong_target    no such device or point, not writable
wrong_value     another kind, not a number, out of range, off the step, no such choice, another unit
locked          an interlock: while another device shows this, or cannot be read, the write is refused
is_quiet        hours in which a person has to approve
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Callable
from contextlib import suppress
from datetime import time

from PIL import ImageColor

from agent.api import Said, say
from plugins.devices.values import Device, DeviceMap, Point, QuietHours, State, Value
from plugins.devices.wording import called, number_text, shown

__all__ = ["fitted", "interlocked", "is_color", "is_quiet", "locked", "same_value", "wrong_target", "wrong_value"]

_COLOR = re.compile(r"#[0-9a-f]{6}")
_TEXT_CHARS = 200
_STEP_SLACK = 1e-6
_UNITS = {
    "c": "c", "celsius": "c", "degc": "c", "f": "f", "fahrenheit": "f", "degf": "f", "k": "k", "kelvin": "k",
    "percent": "%", "pct": "%", "摄氏度": "c", "华氏度": "f",
}  # fmt: skip
_DEGREES = ("c", "f")


def wrong_target(devices: DeviceMap, device_id: str, point: str) -> Said | None:
    """Why this cannot be set at all; None where it can."""
    device = devices.device(device_id)
    if device is None:
        return say(f"没有设备 {device_id[:60]}", f"there is no device {device_id[:60]}")
    found = device.point(point)
    if found is None:
        return say(f"它没有“{point[:60]}”", f"it has no {point[:60]}")
    if not found.writable or device.risk == "read":
        return say("这一项只能读,不能设", "this can be read and not be set")
    if not device.driver:
        return say("它没有连接", "it is not connected to anything")
    return None


def fitted(point: Point, value: Value) -> Value:
    """A value as the point spells it; what does not fit stays as it is."""
    if point.kind == "choice" and isinstance(value, str):
        return next((c for c in point.choices if c.casefold() == value.strip().casefold()), value)
    if point.kind == "number" and not isinstance(value, bool | str):
        return float(value)
    if point.kind == "color" and isinstance(value, str):
        with suppress(ValueError):
            return "#{:02x}{:02x}{:02x}".format(*ImageColor.getrgb("".join(value.split()))[:3])
    return value.strip() if isinstance(value, str) else value


def is_color(value: str) -> bool:
    """#rrggbb, as points have it."""
    return _COLOR.fullmatch(value) is not None


def wrong_value(point: Point, value: Value, unit: str) -> Said | None:
    """Why a point cannot take a value; None where it can."""
    if not _same_unit(unit, point.unit):
        return say(
            f"单位是 {point.unit or '无'},不是 {unit[:20]}", f"its unit is {point.unit or 'none'}, not {unit[:20]}"
        )
    if point.kind == "number":
        return _wrong_number(point, value)
    if point.kind == "bool":
        return None if isinstance(value, bool) else say("它只有开和关", "it is only on or off")
    if not isinstance(value, str) or not value.isprintable() or not 0 < len(value) <= _TEXT_CHARS:
        return say("这里要一个词", "this takes a word")
    if point.kind == "choice" and value not in point.choices:
        known = ", ".join(point.choices[:12])
        return say(f"只能是:{known}", f"it is one of: {known}")
    if point.kind == "color" and not is_color(value):
        return say("这不是颜色", "this is no colour")
    return None


def locked(
    device: Device, point: Point, value: Value, devices: DeviceMap, look: Callable[[Device, Point], State]
) -> Said | None:
    """What is in the way now. An interlock whose device cannot be read is in the way."""
    for lock in device.interlocks:
        if lock.point != point.name or not same_value(value, lock.value):
            continue
        other = devices.device(lock.device)
        seen = other.point(lock.seen) if other else None
        if other is None or seen is None:
            return say(f"联锁:没有 {lock.device}", f"interlock: there is no {lock.device}")
        name, state = called(other), look(other, seen)
        if state.value is None:
            return say(f"联锁:{name['zh']} 状态未知", f"interlock: the state of {name['en']} is not known")
        if any(same_value(state.value, one) for one in lock.forbids):
            now = shown(seen, state.value)
            return say(f"联锁:{name['zh']} {now['zh']}", f"interlock: {name['en']} is {now['en']}")
    return None


def interlocked(devices: DeviceMap) -> dict[str, str]:
    """Device → the one that stands for all which interlocks tie together; free devices are left out."""
    found: dict[str, str] = {}

    def top(device: str) -> str:
        while found.get(device, device) != device:
            device = found[device]
        return device

    for device in devices.devices:
        for lock in device.interlocks:
            one, other = sorted((top(device.id), top(lock.device)))
            found.setdefault(one, one)
            found[other] = one
    return {device: top(device) for device in found}


def is_quiet(quiet: QuietHours | None, now: time) -> bool:
    """Whether it is between the two, which may lie on either side of midnight."""
    if quiet is None:
        return False
    if quiet.begin < quiet.end:
        return quiet.begin <= now < quiet.end
    return now >= quiet.begin or now < quiet.end


def same_value(one: Value, other: Value, *, tolerance: float = 0.0) -> bool:
    """Whether two values are the same: on is not 1, and words do not differ by case."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, str) or isinstance(other, str):
        return isinstance(one, str) and isinstance(other, str) and one.casefold() == other.casefold()
    return math.isfinite(one) and abs(one - other) <= tolerance + 1e-9


def _wrong_number(point: Point, value: Value) -> Said | None:
    if isinstance(value, bool | str) or not math.isfinite(value):
        return say("这里要一个数", "this takes a number")
    low, high = point.low, point.high
    if low is None or high is None:
        return say("设备表没有给出它的范围", "the map of devices gives no range for it")
    unit = f" {point.unit}" if point.unit else ""
    if not low <= value <= high:
        span = f"{number_text(low)} – {number_text(high)}{unit}"
        return say(f"超出范围 {span}", f"out of its range, {span}")
    if point.step and abs((value - low) / point.step - round((value - low) / point.step)) > _STEP_SLACK:
        return say(
            f"只能以 {number_text(point.step)}{unit} 为一档", f"it is set in steps of {number_text(point.step)}{unit}"
        )
    return None


def _same_unit(given: str, wanted: str) -> bool:
    if not given:
        return True
    one, other = _plain_unit(given), _plain_unit(wanted)
    return one == other or (not one and other in _DEGREES)  # "26 degrees" of what is set in degrees


def _plain_unit(unit: str) -> str:
    plain = unicodedata.normalize("NFKC", unit).casefold().replace("°", "").strip()
    plain = "" if plain in ("度", "degree", "degrees") else plain
    return _UNITS.get(plain, plain)
