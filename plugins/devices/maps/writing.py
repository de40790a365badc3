"""A map of devices as `devices.toml`: what was discovered, for a person to look through before it counts.

Names from a broker or a server are anybody's. So what is discovered is written down, and a person decides which of it
is a device of this box; each device stands with all that the file can say about it. Reading it gives the same map.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping

from agent.api import Json
from plugins.devices.values import Area, Device, DeviceMap, Interlock, Point

__all__ = ["map_text"]

_HEAD = "# Looked through by: (nobody yet)\n"


def map_text(devices: DeviceMap) -> str:
    """The file."""
    parts = [_HEAD]
    parts += [_table("floor", {"id": f.id, "names": list(f.names)}) for f in devices.floors]
    parts += [_table("area", _area(a)) for a in devices.areas]
    parts += [_device(device) for device in devices.devices]
    return "\n".join(parts)


def _area(area: Area) -> dict[str, Json]:
    return {"id": area.id, "names": list(area.names), "floor": area.floor or None}


def _device(device: Device) -> str:
    quiet = device.quiet
    told: dict[str, Json] = {
        "id": device.id,
        "names": list(device.names),
        "domain": device.domain,
        "area": device.area or None,
        "device_class": device.device_class or None,
        "driver": device.driver or None,
        "risk": device.risk,
        "most_writes_a_minute": device.most_writes_a_minute or None,
    }
    text = _table("device", told)
    if quiet is not None:
        text += f"quiet = {{ begin = {quiet.begin.isoformat()}, end = {quiet.end.isoformat()} }}\n"
    return text + "".join([_table("device.point", _point(p)) for p in device.points] + _locks(device.interlocks))


def _point(point: Point) -> dict[str, Json]:
    back = point.read_back
    shown: Json = None
    if back is not None:
        shown = {"point": back.point, "tolerance": back.tolerance, "within_seconds": back.within_seconds}
    return {
        "name": point.name,
        "kind": point.kind,
        "unit": point.unit or None,
        "low": point.low,
        "high": point.high,
        "step": point.step,
        "choices": list(point.choices) or None,
        "writable": point.writable or None,
        "read_back": shown,
        "address": dict(point.address) or None,
    }


def _locks(locks: Iterable[Interlock]) -> list[str]:
    return [
        _table(
            "device.interlock",
            {"point": i.point, "value": i.value, "device": i.device, "seen": i.seen, "forbids": list(i.forbids)},
        )
        for i in locks
    ]


def _table(name: str, values: Mapping[str, Json]) -> str:
    lines = [f"{key} = {_value(value)}" for key, value in values.items() if value is not None]
    return "\n".join([f"[[{name}]]", *lines, ""])


def _value(value: Json) -> str:
    """As TOML writes it; what is None in an address is left out."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, list):
        return f"[{', '.join(_value(one) for one in value)}]"
    if isinstance(value, dict):
        inner = [f"{_text(key)} = {_value(v)}" for key, v in value.items() if v is not None]
        return f"{{ {', '.join(inner)} }}"
    return repr(value)


def _text(text: str) -> str:
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
