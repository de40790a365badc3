"""The map of devices as a person writes it: `devices.toml`, checked as a whole before anything of it is used.

    [[floor]]   id = "ground"   names = ["一楼", "ground floor"]
    [[area]]    id = "living"   names = ["客厅", "living room"]   floor = "ground"
    [[device]]  id = "ac-1"     names = ["客厅空调", "living room air conditioner"]   domain = "climate"
                area = "living" driver = "home"   risk = "write"   most_writes_a_minute = 6
                quiet = { begin = 22:30:00, end = 07:00:00 }
    [[device.point]]      name = "temperature"  kind = "number"  unit = "°C"  low = 16  high = 30  step = 0.5
                          writable = true   read_back = { tolerance = 0.5, within_seconds = 8 }   address = { … }
    [[device.interlock]]  point = "open"  value = true  device = "P-3"  seen = "power"  forbids = [true]

Names are untrusted: short, printable, on one line; they are matched against what a person says and never mean more.
Devices that share a name within one area are loaded and reported (`LoadedMap.doubtful`): a command by such a name
waits for a person, who sees the id.
"""

from __future__ import annotations

import re
import tomllib
import unicodedata
from collections import Counter
from dataclasses import dataclass
from datetime import time
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from agent.api import InputError, Risk
from agent.settings import DeviceSettings
from plugins.devices.maps.checks import limit_passed, same_names, unguarded, unknown_reference
from plugins.devices.values import (
    Area,
    Device,
    DeviceMap,
    Floor,
    Interlock,
    Point,
    PointKind,
    QuietHours,
    ReadBack,
)

__all__ = ["LoadedMap", "load_map", "parse_map"]

_ID = re.compile(r"[\w][\w.:/@+-]{0,119}")
_MOST_SECONDS = 120.0
"""A read-back that takes longer holds up whoever asked."""


@dataclass(frozen=True, slots=True)
class LoadedMap:
    """A map, and what a person should know of it."""

    devices: DeviceMap
    doubtful: frozenset[str]
    """Ids of devices that share a name within one area."""
    warnings: tuple[str, ...]
    """In one line each."""


def load_map(path: Path, settings: DeviceSettings) -> LoadedMap:
    """Read a map.

    :raises InputError: no such file, too large, or something in it is wrong: says what and where.
    """
    try:
        if path.stat().st_size > settings.max_map_bytes:
            raise InputError(f"{path}: larger than devices.max_map_bytes ({settings.max_map_bytes}); split it")
        text = path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise InputError(f"{path}: the map of devices cannot be read: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: not UTF-8: {error.reason} at byte {error.start}; save it as UTF-8") from None
    return parse_map(text, str(path), settings)


def parse_map(text: str, name: str, settings: DeviceSettings) -> LoadedMap:
    """Read a map from its text.

    :param name: how the file is called in errors.
    :raises InputError: something in it is wrong.
    """
    try:
        found = _File.model_validate(tomllib.loads(text), context=settings)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise InputError(f"{name}: not TOML: {error or 'nested too deeply'}") from None
    except ValidationError as error:
        raise InputError(f"{name}: {_first(error, text)}") from None
    devices = found.devices()
    problem = limit_passed(devices, settings) or unknown_reference(devices)
    if problem:
        raise InputError(f"{name}: {problem}")
    doubtful = same_names(devices.devices)
    warnings = [f"devices {' and '.join(ids)} are both called {called!r}" for called, ids in doubtful]
    warnings += list(unguarded(devices.devices))
    return LoadedMap(devices, frozenset(i for _, ids in doubtful for i in ids), tuple(warnings))


def _check_id(text: str) -> str:
    if not _ID.fullmatch(text):
        raise ValueError(f"{text[:40]!r} is no id; use up to 120 letters, digits and . : / @ + - _")
    return text


def _check_name(text: str) -> str:
    clean = text.strip()
    if not clean or not clean.isprintable() or any(unicodedata.category(c) in ("Cf", "Cc", "Co") for c in clean):
        raise ValueError(f"{text[:40]!r} is no name; write it on one line, in printable characters")
    return clean


_Id = Annotated[str, AfterValidator(_check_id)]
_Name = Annotated[str, AfterValidator(_check_name)]
_Names = Annotated[tuple[_Name, ...], Field(min_length=1)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class _Floor(_Part):
    id: _Id
    names: _Names


class _Area(_Part):
    id: _Id
    names: _Names
    floor: str = ""


class _ReadBack(_Part):
    point: str = ""
    """Empty: the point itself."""
    tolerance: float = Field(default=0.0, ge=0)
    within_seconds: float = Field(default=5.0, gt=0, le=_MOST_SECONDS)


class _Point(_Part):
    name: _Id
    kind: PointKind
    unit: str = Field(default="", max_length=20)
    low: float | None = None
    high: float | None = None
    step: float | None = Field(default=None, gt=0)
    choices: tuple[_Name, ...] = ()
    writable: bool = False
    read_back: _ReadBack | None = None
    address: dict[str, Any] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.kind != "number" and not (self.low is self.high is self.step is None):
            raise ValueError("low, high and step are for points of kind number")
        if self.low is not None and self.high is not None and self.low >= self.high:
            raise ValueError("low must be below high")
        if (self.kind == "choice") != bool(self.choices):
            raise ValueError("a point of kind choice has choices, and no other has")
        return self

    def point(self) -> Point:
        back = self.read_back
        shown = ReadBack(back.point or self.name, back.tolerance, back.within_seconds) if back else None
        return Point(
            self.name, self.kind, self.unit, self.low, self.high, self.step, self.choices, self.writable, shown,
            self.address,
        )  # fmt: skip


class _Interlock(_Part):
    point: str
    value: bool | float | str
    device: str
    seen: str
    forbids: Annotated[tuple[bool | float | str, ...], Field(min_length=1)]


class _Quiet(_Part):
    begin: time
    end: time

    @model_validator(mode="after")
    def _is_a_span(self) -> Self:
        if self.begin == self.end or self.begin.tzinfo or self.end.tzinfo:
            raise ValueError("begin and end are two different local times, such as 22:30:00")
        return self


class _Device(_Part):
    id: _Id
    names: _Names
    domain: _Id
    area: str = ""
    device_class: str = Field(default="", max_length=60)
    driver: str = Field(default="", max_length=60)
    most_writes_a_minute: int = Field(default=0, ge=0)
    quiet: _Quiet | None = None
    risk: Risk = "write"
    points: tuple[_Point, ...] = Field(default=(), alias="point")
    interlocks: tuple[_Interlock, ...] = Field(default=(), alias="interlock")

    @model_validator(mode="after")
    def _fits(self) -> Self:
        names = [p.name for p in self.points]
        if len(set(names)) < len(names):
            raise ValueError(f"point {Counter(names).most_common(1)[0][0]!r} stands twice")
        for point in self.points:
            if point.writable and self.risk == "read":
                raise ValueError(f"point {point.name} is writable, and risk is read; say write or dangerous")
            shown = point.read_back.point if point.read_back else ""
            if shown and shown not in names:
                raise ValueError(f"point {point.name}: read_back names no point of this device: {shown[:40]!r}")
        return self

    def device(self) -> Device:
        quiet = QuietHours(self.quiet.begin, self.quiet.end) if self.quiet else None
        locks = tuple(Interlock(i.point, i.value, i.device, i.seen, i.forbids) for i in self.interlocks)
        return Device(
            self.id, tuple(dict.fromkeys(self.names)), self.domain, self.area, self.device_class,
            tuple(p.point() for p in self.points), self.driver, locks, self.most_writes_a_minute, quiet, self.risk,
        )  # fmt: skip


class _File(_Part):
    floor: tuple[_Floor, ...] = ()
    area: tuple[_Area, ...] = ()
    device: tuple[_Device, ...] = ()

    def devices(self) -> DeviceMap:
        return DeviceMap(
            tuple(d.device() for d in self.device),
            tuple(Area(a.id, a.names, a.floor) for a in self.area),
            tuple(Floor(f.id, f.names) for f in self.floor),
        )


def _first(error: ValidationError, text: str) -> str:
    """The first thing that is wrong, with the id of the device it is in, and no more of it than a line holds."""
    first = error.errors()[0]
    where = [str(part) for part in first["loc"]]
    if len(where) > 1 and where[1].isdigit():
        with_ids = tomllib.loads(text).get(where[0])
        one = with_ids[int(where[1])] if isinstance(with_ids, list) and int(where[1]) < len(with_ids) else None
        called = one.get("id") if isinstance(one, dict) else None
        where[1] = f"{called!r:.60}" if called else f"no. {int(where[1]) + 1}"
    return f"{' '.join(where)}: {first['msg'].removeprefix('Value error, ')}"[:400]
