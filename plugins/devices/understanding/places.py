"""Where devices stand beyond their area: on a floor, upstairs, downstairs, outside."""

from __future__ import annotations

from plugins.devices.understanding.names import Home
from plugins.devices.values import Device

__all__ = ["on_floor", "there"]


def on_floor(home: Home, device: Device, floors: tuple[str, ...]) -> bool | None:
    """None: it is not known on which floor it is."""
    area = next((area for area in home.map.areas if area.id == device.area), None)
    return None if area is None or not area.floor else area.floor in floors


def there(home: Home, devices: list[Device], place: str, here: str) -> list[Device]:
    """Devices upstairs, downstairs or outside: by floors, by kinds of area, else by a name that says so.

    From where one stands; who stands at the top and says "upstairs" means all but the ground floor.
    """
    if place == "outside":
        found = [device for device in devices if device.area in home.outdoors]
        return found or _saying(home, devices, ("outside", "outdoor", "outdoors", "室外", "户外", "外面"))
    levels = {area.id: home.levels[area.floor] for area in home.map.areas if area.floor in home.levels}
    if not levels:
        return _saying(home, devices, ("upstairs", "楼上") if place == "up" else ("downstairs", "楼下"))
    placed = [device for device in devices if device.area in levels]
    own = levels.get(here)
    ground = min((level for level in levels.values() if level >= 0), default=min(levels.values()))
    if place == "up":
        above = [device for device in placed if own is not None and levels[device.area] > own]
        return above or [device for device in placed if levels[device.area] > ground]
    below = [device for device in placed if own is not None and levels[device.area] < own]
    return below or [device for device in placed if levels[device.area] <= ground]


def _saying(home: Home, devices: list[Device], words: tuple[str, ...]) -> list[Device]:
    return [device for device in devices if any(word in home.words[device.id] for word in words)]
