"""Where devices stand beyond their area: on a floor, upstairs, downstairs, outside."""

from __future__ import annotations

from plugins.devices.understanding.names import Home
from plugins.devices.values import Device

__all__ = ["on_floor", "there"]


def on_floor(home: Home, device: Device, floors: tuple[str, ...]) -> bool | None:
    """None: it is not known on which floor it is."""
    area = next((area for area in home.map.areas if area.id == device.area), None)
    return None if area is None or not area.floor else area.floor in floors


def there(home: Home, devices: list[Device], place: str, here: str) -> list[Device] | None:
    """Devices upstairs, downstairs or outside: by floors, by kinds of area, else by a name that says so."""
    if place == "outside":
        found = [device for device in devices if device.area in home.outdoors]
        return found or _saying(home, devices, ("outside", "outdoor", "outdoors", "室外", "户外", "外面"))
    levels = {area.id: home.levels[area.floor] for area in home.map.areas if area.floor in home.levels}
    ground = levels.get(here)
    if ground is None and levels:
        ground = min((level for level in levels.values() if level >= 0), default=min(levels.values()))
        found = [device for device in devices if device.area in levels]
        if place == "up":
            return [device for device in found if levels[device.area] > ground]
        return [device for device in found if levels[device.area] <= ground]
    if ground is not None:
        below = place == "down"
        return [
            device
            for device in devices
            if device.area in levels and (levels[device.area] < ground if below else levels[device.area] > ground)
        ]
    words = ("upstairs", "楼上") if place == "up" else ("downstairs", "楼下")
    return _saying(home, devices, words)


def _saying(home: Home, devices: list[Device], words: tuple[str, ...]) -> list[Device]:
    return [device for device in devices if any(word in home.words[device.id] for word in words)]
