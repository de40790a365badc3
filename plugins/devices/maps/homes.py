"""A home as a JSON file: areas, floors, entities with their states, as Home Assistant's test material has them.

Three shapes are read: lists of names with domains; the small home of one sentence; a home with ids, areas as ids
and states. Points follow from domain and class. A home is untrusted: it is bounded, and what is wrong in it is said
in one line.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from agent.api import InputError
from agent.settings import UnderstandingSettings
from plugins.devices.maps.home_points import points_of, states_of
from plugins.devices.values import Area, Device, DeviceMap, Floor, State, Value

__all__ = ["HomeFile", "HomeStates", "home_of", "picked", "read_home", "read_homes"]

_DOMAIN = re.compile(r"[a-z][a-z0-9_]{0,40}\Z")
_SHOWN_NAMES = 8


@dataclass(frozen=True, slots=True)
class HomeStates:
    """States that do not change by themselves."""

    values: Mapping[tuple[str, str], Value] = field(default_factory=dict)
    """By device and point."""

    def state(self, device: str, point: str) -> State:
        return State(self.values.get((device, point)))


@dataclass(frozen=True, slots=True)
class HomeFile:
    """What was read."""

    map: DeviceMap = field(default_factory=DeviceMap)
    states: HomeStates = field(default_factory=HomeStates)
    here: str = ""
    """Id of the area that one stands in, where the home says it."""


def read_homes(path: Path, settings: UnderstandingSettings) -> Any:
    """The JSON of a file: a home, or homes by name.

    :raises InputError: it cannot be read, is too large, or is no JSON object.
    """
    try:
        with path.open("rb") as file:
            raw = file.read(settings.max_home_bytes + 1)
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror or error}); give the JSON file of a home") from None
    if len(raw) > settings.max_home_bytes:
        raise InputError(f"{path}: larger than {settings.max_home_bytes} bytes; give a smaller home")
    try:
        found = json.loads(raw.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path}: no JSON ({str(error)[:80]}); give the JSON file of a home") from None
    if not isinstance(found, dict):
        raise InputError(f"{path}: holds no object; give a home with areas and entities, or homes by name")
    return found


def read_home(path: Path, settings: UnderstandingSettings, name: str = "") -> HomeFile:
    """The home of a file; of a file of homes the one of that name, or its only one.

    :raises InputError: it is not there, or not a home.
    """
    found = read_homes(path, settings)
    if name or not _is_home(found):
        found = picked(found, name, str(path))
    return home_of(found, settings, where=str(path))


def picked(homes: Mapping[str, Any], name: str, where: str) -> Any:
    """One of a file's homes.

    :raises InputError: there is none of that name.
    """
    if name in homes:
        return homes[name]
    if not name and len(homes) == 1:
        return next(iter(homes.values()))
    listed = ", ".join(list(map(str, homes))[:_SHOWN_NAMES]) or "none"
    raise InputError(f"{where}: no home {name!r}; it has {listed}")


def _is_home(value: Mapping[str, Any]) -> bool:
    return not value or bool({"areas", "entities", "floors", "timers", "devices"} & set(value))


def home_of(value: object, settings: UnderstandingSettings, *, where: str = "home") -> HomeFile:
    """A home from its JSON.

    :raises InputError: it is not shaped like one.
    """
    if not isinstance(value, dict):
        raise InputError(f"{where}: a home is an object with areas and entities, not {type(value).__name__}")
    read = _Reading(settings, where)
    floors = read.floors(value.get("floors"), value.get("areas"))
    areas, here = read.areas(value.get("areas"), floors)
    devices, states = read.devices(value.get("entities"), areas)
    return HomeFile(DeviceMap(tuple(devices), tuple(areas), tuple(floors)), HomeStates(states), here)


class _Reading:
    """Reads one home, and says where it stopped."""

    def __init__(self, settings: UnderstandingSettings, where: str) -> None:
        self._settings, self._where = settings, where

    def floors(self, listed: object, areas: object) -> list[Floor]:
        """The floors that are listed, and those that areas speak of."""
        names = [self._name(_field(entry, "name"), "floor") for entry in self._rows(listed, "floors")]
        aliases = [self._aliases(entry) for entry in self._rows(listed, "floors")]
        for entry in self._rows(areas, "areas"):
            said = entry.get("floor") if isinstance(entry, dict) else None
            if said is not None:
                name = self._name(said, "floor")
                if _slug(name) not in map(_slug, names):
                    names.append(name)
                    aliases.append(())
        return [Floor(_slug(name), (name, *other)) for name, other in zip(names, aliases, strict=True)]

    def areas(self, listed: object, floors: list[Floor]) -> tuple[list[Area], str]:
        known = {_slug(floor.names[0]) for floor in floors}
        found: dict[str, Area] = {}
        here = ""
        for entry in self._rows(listed, "areas"):
            name = self._name(_field(entry, "name"), "area")
            own = entry if isinstance(entry, dict) else {}
            area_id = _slug(own.get("id")) if isinstance(own.get("id"), str) else _slug(name)
            floor = _slug(own.get("floor")) if isinstance(own.get("floor"), str) else ""
            found.setdefault(area_id, Area(area_id, (name, *self._aliases(entry)), floor if floor in known else ""))
            here = area_id if own.get("context_area") is True else here
        return list(found.values()), here

    def devices(
        self, listed: object, areas: list[Area]
    ) -> tuple[list[Device], dict[tuple[str, str], Value]]:  # fmt: skip
        ids = {area.id for area in areas} | {_slug(area.names[0]) for area in areas}
        devices: list[Device] = []
        states: dict[tuple[str, str], Value] = {}
        taken: set[str] = set()
        for entry in self._rows(listed, "entities"):
            if not isinstance(entry, dict):
                raise InputError(f"{self._where}: an entity is an object, not {type(entry).__name__}")
            name = self._name(entry.get("name"), "entity")
            domain = self._domain(entry, name)
            attributes = entry.get("attributes") or {}
            if not isinstance(attributes, dict):
                raise InputError(f"{self._where}: attributes of {name!r} are no object")
            said = entry.get("area")
            area = _slug(said) if isinstance(said, str) and _slug(said) in ids else ""
            device_id = _unique(self._id(entry, domain, name), taken)
            device_class = attributes.get("device_class")
            device = Device(
                device_id, (name, *self._aliases(entry)), domain, area,
                device_class if isinstance(device_class, str) else "", points_of(domain, attributes),
            )  # fmt: skip
            devices.append(device)
            states |= {(device_id, point): shown for point, shown in states_of(device, entry.get("state"), attributes)}
        return devices, states

    def _rows(self, value: object, what: str) -> list[Any]:
        if value is None:
            return []
        if not isinstance(value, list):
            raise InputError(f"{self._where}: {what} must be a list, not {type(value).__name__}")
        if len(value) > self._settings.max_home_devices:
            raise InputError(f"{self._where}: more than {self._settings.max_home_devices} {what}")
        return value

    def _name(self, value: object, what: str) -> str:
        if not isinstance(value, str) or not value.strip():
            raise InputError(f"{self._where}: an {what} without a name; give every one a text")
        if len(value) > self._settings.max_name_chars:
            raise InputError(
                f"{self._where}: {what} {value[:40]!r}… is longer than {self._settings.max_name_chars} letters"
            )
        return " ".join(value.split())

    def _aliases(self, entry: object) -> tuple[str, ...]:
        listed = entry.get("aliases") if isinstance(entry, dict) else None
        return tuple(self._name(alias, "alias") for alias in self._rows(listed, "aliases"))

    def _domain(self, entry: Mapping[str, Any], name: str) -> str:
        said = entry.get("domain")
        device_id = entry.get("id")
        domain = said if isinstance(said, str) else device_id.partition(".")[0] if isinstance(device_id, str) else ""
        if not _DOMAIN.match(domain):
            raise InputError(f"{self._where}: {name!r} has no domain such as light or climate")
        return domain

    def _id(self, entry: Mapping[str, Any], domain: str, name: str) -> str:
        said = entry.get("id")
        if isinstance(said, str) and said:
            return self._name(said, "id")
        return f"{domain}.{_slug(name)}"


def _field(entry: object, key: str) -> object:
    return entry.get(key) if isinstance(entry, dict) else entry


def _slug(name: object) -> str:
    """Home Assistant's way to make an id of a name; other letters than Latin stay as they are."""
    even = unicodedata.normalize("NFKC", str(name)).lower()
    return re.sub(r"[^\w]+", "_", even).strip("_") or "_"


def _unique(wanted: str, taken: set[str]) -> str:
    found, count = wanted, 1
    while found in taken:
        count += 1
        found = f"{wanted}_{count}"
    taken.add(found)
    return found
