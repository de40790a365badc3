"""A home with the states that Home Assistant would show: what our writes make of it, and how it differs from before.

An entity is a state and attributes, named as Home Assistant names them; shares of a range are percent, as the public
sets have them, and volume is 0 to 1. What a write does follows the demo devices of Home Assistant: a brightness above
nothing lights a lamp, a position above nothing is open, a muted player has no volume.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from plugins.devices.values import Value, Write

__all__ = ["SimulatedHome", "differences", "home_with", "merged", "states_of"]

Entity = dict[str, Any]
"""`state` and `attributes`."""
_MEDIA = {"play": "playing", "pause": "paused", "stop": "idle"}
_TASKS = {"start": "cleaning", "pause": "paused", "stop": "idle", "dock": "returning"}
_MOWING = {"start": "mowing", "pause": "paused", "dock": "returning"}


def home_with(home: Mapping[str, Any], setup: Mapping[str, Any] | None) -> dict[str, Any]:
    """The home as it stands before a line of the sets is said."""
    made = copy.deepcopy(dict(home))
    for entity in made.get("entities", []):
        change = (setup or {}).get(entity.get("id"), {})
        if "state" in change:
            entity["state"] = change["state"]
        entity["attributes"] = {**(entity.get("attributes") or {}), **(change.get("attributes") or {})}
    return made


def states_of(home: Mapping[str, Any]) -> dict[str, Entity]:
    """Every entity's state and attributes, by its id."""
    return {
        entity["id"]: {"state": _word(entity), "attributes": dict(entity.get("attributes") or {})}
        for entity in home.get("entities", [])
        if "id" in entity
    }


def merged(states: Mapping[str, Entity], changes: Mapping[str, Any] | None) -> dict[str, Entity]:
    """States after the changes that a line expects."""
    after = copy.deepcopy(dict(states))
    for entity, change in (changes or {}).items():
        now = after.setdefault(entity, {"state": None, "attributes": {}})
        if "state" in change:
            now["state"] = change["state"]
        now["attributes"].update(change.get("attributes") or {})
    return after


def differences(
    seen: Mapping[str, Entity], wanted: Mapping[str, Entity], ignore: Mapping[str, Any] | None = None
) -> tuple[str, ...]:
    """Ids of the entities that are not as wanted.

    :param ignore: attributes, and `state`, that do not count, by entity.
    """
    wrong = []
    for entity in sorted({*seen, *wanted}):
        left_out = set((ignore or {}).get(entity) or ())
        one, other = _flat(seen.get(entity), left_out), _flat(wanted.get(entity), left_out)
        if any(not _alike(one.get(key), other.get(key)) for key in {*one, *other}):
            wrong.append(entity)
    return tuple(wrong)


class SimulatedHome:
    """Takes writes and shows states."""

    def __init__(self, home: Mapping[str, Any]) -> None:
        self.before = states_of(home)
        self.states = copy.deepcopy(self.before)

    def apply(self, writes: Iterable[Write]) -> None:
        """Do all of them, in their order. A device that there is not is shown as one that came up."""
        for write in writes:
            entity = self.states.setdefault(write.device, {"state": None, "attributes": {}})
            _do(write.device.split(".")[0], write.point, write.value, entity)

    @property
    def moved(self) -> tuple[str, ...]:
        """Ids of what is not as it was."""
        return differences(self.states, self.before)


def _do(domain: str, point: str, value: Value, entity: Entity) -> None:
    change = _CHANGES.get(point)
    if change is None:
        entity["attributes"][point] = value
    else:
        change(domain, value, entity)


def _power(domain: str, value: Value, entity: Entity) -> None:
    if domain in ("cover", "valve"):
        _open(domain, value, entity)
    elif domain == "climate" and value and entity["state"] in (None, "off"):
        entity["state"] = "on"
    elif domain != "climate" or not value:
        entity["state"] = "on" if value else "off"


def _share(attribute: str) -> Callable[[str, Value, Entity], None]:
    def change(domain: str, value: Value, entity: Entity) -> None:
        entity["attributes"][attribute] = value
        entity["state"] = "on" if float(value) > 0 else "off"

    return change


def _attribute(name: str, *, lights: bool = False) -> Callable[[str, Value, Entity], None]:
    def change(domain: str, value: Value, entity: Entity) -> None:
        entity["attributes"][name] = value
        if lights:
            entity["state"] = "on"

    return change


def _open(domain: str, value: Value, entity: Entity) -> None:
    entity["state"] = "open" if value else "closed"
    if "current_position" in entity["attributes"]:
        entity["attributes"]["current_position"] = 100 if value else 0


def _position(domain: str, value: Value, entity: Entity) -> None:
    entity["attributes"]["current_position"] = value
    entity["state"] = "open" if float(value) > 0 else "closed"


def _state(names: Mapping[str, str]) -> Callable[[str, Value, Entity], None]:
    def change(domain: str, value: Value, entity: Entity) -> None:
        table = _MOWING if domain == "lawn_mower" and names is _TASKS else names
        entity["state"] = table.get(str(value), str(value))

    return change


def _locked(domain: str, value: Value, entity: Entity) -> None:
    entity["state"] = "locked" if value else "unlocked"


def _volume(domain: str, value: Value, entity: Entity) -> None:
    entity["attributes"]["volume_level"] = round(float(value) / 100, 4)


def _muted(domain: str, value: Value, entity: Entity) -> None:
    attributes = entity["attributes"]
    if value:
        attributes["volume_level"] = 0.0


def _track(domain: str, value: Value, entity: Entity) -> None:
    attributes = entity["attributes"]
    attributes["media_track"] = int(attributes.get("media_track", 1)) + (1 if value == "next" else -1)


_CHANGES: Mapping[str, Callable[[str, Value, Entity], None]] = {
    "power": _power,
    "brightness": _share("brightness"),
    "color": _attribute("color", lights=True),
    "color_temp": _attribute("color_temp", lights=True),
    "temperature": _attribute("temperature"),
    "mode": lambda _domain, value, entity: entity.update(state=value),
    "speed": _share("percentage"),
    "open": _open,
    "position": _position,
    "locked": _locked,
    "task": _state(_TASKS),
    "playing": _state(_MEDIA),
    "volume": _volume,
    "muted": _muted,
    "track": _track,
    "value": lambda _domain, value, entity: entity.update(state=value),
}


def _word(entity: Mapping[str, Any]) -> Any:
    """Some homes write on and open as true."""
    state = entity.get("state")
    if not isinstance(state, bool):
        return state
    if str(entity["id"]).split(".")[0] in ("cover", "valve"):
        return "open" if state else "closed"
    return "on" if state else "off"


def _flat(entity: Entity | None, left_out: set[str]) -> dict[str, Any]:
    if entity is None:
        return {}
    flat = {**entity["attributes"], "state": entity["state"]}
    return {key: value for key, value in flat.items() if key not in left_out}


def _alike(one: Any, other: Any) -> bool:
    if isinstance(one, int | float) and isinstance(other, int | float):
        return abs(float(one) - float(other)) < 1e-6
    return bool(str(one) == str(other))
