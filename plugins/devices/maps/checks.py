"""What a map of devices must hold to, wherever it comes from: limits, references that exist, guards that can guard."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence

from agent.settings import DeviceSettings
from plugins.devices.values import Area, Device, DeviceMap, Floor, Interlock, Point, Value

__all__ = ["limit_passed", "same_names", "unguarded", "unknown_reference"]


def same_names(devices: Iterable[Device]) -> list[tuple[str, tuple[str, ...]]]:
    """Names that several devices of one area have, with their ids."""
    held: dict[tuple[str, str], list[str]] = {}
    for device in devices:
        for called in dict.fromkeys(_folded(n) for n in device.names):
            held.setdefault((device.area, called), []).append(device.id)
    return [(called, tuple(ids)) for (_, called), ids in held.items() if len(ids) > 1]


def _folded(name: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", name).casefold().split())


def limit_passed(found: DeviceMap, settings: DeviceSettings) -> str:
    """Which limit a map passes; empty where none."""
    if len(found.devices) > settings.most_devices:
        return f"{len(found.devices)} devices; devices.most_devices is {settings.most_devices}"
    named: list[Device | Area | Floor] = [*found.devices, *found.areas, *found.floors]
    for what in named:
        if len(what.names) > settings.most_names or any(len(n) > settings.name_chars for n in what.names):
            return f"{what.id}: its names pass devices.most_names or devices.name_chars; shorten them"
    crowded = next((d for d in found.devices if len(d.points) > settings.most_points), None)
    return f"{crowded.id}: more points than devices.most_points" if crowded else ""


def unknown_reference(found: DeviceMap) -> str:
    """What names something that is not there, or there twice."""
    for kind, ids in (
        ("floor", [f.id for f in found.floors]),
        ("area", [a.id for a in found.areas]),
        ("device", [d.id for d in found.devices]),
    ):
        doubled = [one for one, count in Counter(ids).items() if count > 1]
        if doubled:
            return f"{kind} {doubled[0]!r} stands twice; every id is used once"
    floors, areas = {f.id for f in found.floors}, {a.id for a in found.areas}
    for area in found.areas:
        if area.floor and area.floor not in floors:
            return f"area {area.id}: no floor {area.floor[:40]!r}"
    for device in found.devices:
        if device.area and device.area not in areas:
            return f"device {device.id}: no area {device.area[:40]!r}"
        for lock in device.interlocks:
            if problem := _wrong_interlock(found, device, lock):
                return f"device {device.id}: interlock: {problem}"
    return ""


def _wrong_interlock(found: DeviceMap, device: Device, lock: Interlock) -> str:
    """A guard that can never hold is worse than none."""
    own, other = device.point(lock.point), found.device(lock.device)
    if own is None or not _is_of(own, (lock.value,)):
        return f"no point {lock.point[:40]!r} that could be set to {lock.value!r:.40}"
    seen = other.point(lock.seen) if other else None
    if seen is None:
        return f"no device {lock.device[:40]!r} with a point {lock.seen[:40]!r}"
    return (
        "" if _is_of(seen, lock.forbids) else f"{lock.device} {lock.seen} never shows one of {list(lock.forbids)!r:.60}"
    )


def _is_of(point: Point, values: Sequence[Value]) -> bool:
    kinds = {"bool": bool, "number": float, "choice": str, "text": str, "color": str}
    fits = all(isinstance(v, kinds[point.kind]) for v in values)
    return fits and (point.kind != "choice" or all(v in point.choices for v in values))


def unguarded(devices: Iterable[Device]) -> Iterable[str]:
    """What works, and a person may not have meant so."""
    for device in devices:
        for point in device.points:
            if point.writable and point.read_back is None:
                yield f"{device.id} {point.name}: no read_back, so nothing sent to it can be confirmed"
            if point.writable and point.kind == "number" and (point.low is None or point.high is None):
                yield f"{device.id} {point.name}: a number without low and high is refused"
