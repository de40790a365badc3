"""From an order and a device to what is written: the value within the point's range, or what is wrong with it."""

from __future__ import annotations

import math
from dataclasses import dataclass

from agent.api import Json, Said, say
from plugins.devices.understanding.order_values import Order, Setting, Step
from plugins.devices.understanding.reading import States
from plugins.devices.values import Device, Point, Value, Write

__all__ = ["Written", "changes", "written"]

_SWITCHED = ("power", "open", "locked", "playing", "task", "track", "muted", "volume")
"""Points whose state says whether an order makes sense; of the others that is whether the device is on."""


@dataclass(frozen=True, slots=True)
class Written:
    """What one device is sent."""

    writes: tuple[Write, ...] = ()
    problem: Said | None = None
    value: Json = None
    """What a step led to, in the point's unit."""


@dataclass(frozen=True, slots=True)
class Steps:
    """What "a bit" is, where nobody said by how much."""

    percent: float = 10.0
    degrees: float = 1.0


def written(order: Order, device: Device, states: States | None, steps: Steps) -> Written:
    """The writes of one device, or the one problem with them."""
    writes: list[Write] = []
    value: Json = None
    for setting in order.settings.get(device.domain, order.settings.get("", ())):
        found = _one(setting, device, states, steps)
        if isinstance(found, Write):
            writes.append(found)
            if isinstance(setting, Step):
                value = found.value
        else:
            return Written(problem=found)
    return Written(tuple(writes), value=value)


def changes(order: Order, device: Device, states: States | None) -> bool | None:
    """Whether it would change something on the device; None: not known."""
    if states is None:
        return None
    known: bool | None = None
    for setting in order.settings.get(device.domain, order.settings.get("", ())):
        if isinstance(setting, Step) or setting.point not in _SWITCHED:
            powered = states.state(device.id, "power").value
            return powered if isinstance(powered, bool) else None
        seen = _seen(setting, device, states)
        if seen is None:
            continue
        known = (seen != setting.value) or bool(known)
    return known


def _seen(setting: Setting, device: Device, states: States) -> Value | None:
    point = _point(device, setting)
    if point is None:
        return None
    if setting.point in ("track", "volume", "muted"):
        playing = states.state(device.id, "playing").value
        return setting.value if playing not in (None, "play") else (None if playing is None else "")
    seen = states.state(device.id, point.name).value
    if setting.point == "open" and point.name == "position":
        return None if not isinstance(seen, float | int) else bool(seen > 0)
    if setting.point == "playing" and isinstance(seen, str):
        wanted = {"pause": "play", "play": "pause"}.get(str(setting.value), "")
        return "" if seen == wanted else setting.value
    return seen


def _point(device: Device, setting: Setting | Step) -> Point | None:
    """The point of that name; what only has a position is opened and closed by it."""
    point = device.point(setting.point)
    if point is None and setting.point == "open":
        return device.point("position")
    if point is None and setting.point == "power" and device.domain not in ("sensor", "binary_sensor"):
        return device.point("open")
    return point


def _one(setting: Setting | Step, device: Device, states: States | None, steps: Steps) -> Write | Said:
    name = device.names[0]
    point = _point(device, setting)
    if point is None:
        return say(f"{name}没有可以这样设置的功能({setting.point})。", f"{name} has no {setting.point} to set.")
    if not point.writable:
        return say(f"{name}的{point.name}只能读,不能写。", f"{point.name} of {name} can only be read.")
    if isinstance(setting, Step):
        return _stepped(setting, device, point, states, steps)
    value: Value | Said = setting.value
    if value == "toggle":
        value = _toggled(device, point, states)
    elif setting.point == "open" and point.name == "position":
        value = 100.0 if setting.value else 0.0
    elif isinstance(value, bool | str):
        value = _choice(device, point, value)
    elif isinstance(value, float | int):
        value = _number(device, point, float(value), setting.unit)
    if isinstance(value, bool | float | str):
        return Write(device.id, point.name, value, point.unit)
    return value


def _toggled(device: Device, point: Point, states: States | None) -> Value | Said:
    seen = states.state(device.id, point.name).value if states else None
    return not seen if isinstance(seen, bool) else _unread(device, point)


def _choice(device: Device, point: Point, value: Value) -> Value | Said:
    if point.choices and value not in point.choices:
        listed = ", ".join(point.choices[:8])
        return say(
            f"{device.names[0]}的{point.name}不能设为{value},可选:{listed}。",
            f"{point.name} of {device.names[0]} cannot be {value}; it can be {listed}.",
        )
    return value


def _number(device: Device, point: Point, value: float, unit: str) -> Value | Said:
    """In the point's unit and range. A number is never bent into the range."""
    if point.kind != "number":
        return say(
            f"{device.names[0]}的{point.name}不是数值。", f"{point.name} of {device.names[0]} takes no number."
        )  # fmt: skip
    converted = _converted(value, unit, point.unit)
    if converted is None:
        return say(
            f"{device.names[0]}的{point.name}以{point.unit}计,不是{unit}。",
            f"{point.name} of {device.names[0]} is in {point.unit}, not in {unit}.",
        )
    low = -math.inf if point.low is None else point.low
    high = math.inf if point.high is None else point.high
    if not (math.isfinite(converted) and low <= converted <= high):
        span = f"{low:g}–{high:g} {point.unit}".strip()
        return say(
            f"{device.names[0]}的{point.name}只能在{span}之间,{converted:g}不行。",
            f"{point.name} of {device.names[0]} goes from {low:g} to {high:g} {point.unit}; {converted:g} is outside.",
        )
    return converted


def _converted(value: float, unit: str, wanted: str) -> float | None:
    if not unit or unit == wanted or not wanted:
        return value
    if unit == "°F" and wanted == "°C":
        return round((value - 32) * 5 / 9, 1)
    if unit == "°C" and wanted == "°F":
        return round(value * 9 / 5 + 32, 1)
    return None


def _stepped(step: Step, device: Device, point: Point, states: States | None, steps: Steps) -> Write | Said:
    """From what it shows now; a step that was not said stops at the end of the range, one that was said must fit."""
    seen = states.state(device.id, point.name).value if states else None
    if isinstance(seen, bool) or not isinstance(seen, float | int) or not math.isfinite(seen):
        return _unread(device, point)
    if step.delta:
        delta = _scaled(step, point)
        if delta is None:
            return _number_problem(device, point, step.unit)
    else:
        delta = step.sign * (steps.degrees if point.unit.startswith("°") else steps.percent)
    value = float(seen) + delta
    if not step.delta or point.unit == "%":
        value = min(max(value, value if point.low is None else point.low), value if point.high is None else point.high)
    found = _number(device, point, round(value, 3), "")
    return Write(device.id, point.name, found, point.unit) if isinstance(found, bool | float | str) else found


def _scaled(step: Step, point: Point) -> float | None:
    if not step.unit or step.unit in (point.unit, "°") or not point.unit:
        return step.delta
    factors = {("°F", "°C"): 5 / 9, ("°C", "°F"): 9 / 5}
    factor = factors.get((step.unit, point.unit))
    return None if factor is None else round(step.delta * factor, 1)


def _number_problem(device: Device, point: Point, unit: str) -> Said:
    return say(
        f"{device.names[0]}的{point.name}以{point.unit}计,不是{unit}。",
        f"{point.name} of {device.names[0]} is in {point.unit}, not in {unit}.",
    )


def _unread(device: Device, point: Point) -> Said:
    return say(
        f"现在读不到{device.names[0]}的{point.name},无法在它的基础上调整。",
        f"{point.name} of {device.names[0]} cannot be read now, so it cannot be changed by a step.",
    )
