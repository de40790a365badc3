"""The table of vibration zones: edited by the plant, and told with its source wherever it is used."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from agent.api import InputError, Level, Said, say
from agent.settings import MaintenanceSettings

__all__ = ["ZoneClass", "Zones", "load_zones"]

_SHIPPED = Path(__file__).parent / "zones.toml"


class _Text(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    zh: str
    en: str

    def said(self) -> Said:
        return say(self.zh, self.en)


class ZoneClass(BaseModel):
    """Boundaries of one class of machines, in mm/s r.m.s."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str
    name: _Text
    a_b: float = Field(gt=0)
    b_c: float
    c_d: float

    @model_validator(mode="after")
    def _rising(self) -> Self:
        if not self.a_b < self.b_c < self.c_d:
            raise ValueError("a_b, b_c and c_d must rise")
        return self

    def zone(self, velocity: float) -> str:
        """A, B, C or D."""
        return "ABCD"[sum(velocity > edge for edge in (self.a_b, self.b_c, self.c_d))]


class Zones(BaseModel):
    """The whole table."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    title: str
    note: _Text
    classes: tuple[ZoneClass, ...] = Field(alias="class")

    def of(self, name: str) -> ZoneClass | None:
        """A class by its id."""
        return next((c for c in self.classes if c.id == name), None)

    def levels(self, zone_class: ZoneClass) -> tuple[Level, ...]:
        """The boundaries as lines in a chart."""
        named = (("A/B", zone_class.a_b), ("B/C", zone_class.b_c), ("C/D", zone_class.c_d))
        return tuple(Level(value, say(f"{name} 区界", f"zone {name}"), "high", self.title) for name, value in named)


def load_zones(settings: MaintenanceSettings) -> Zones:
    """The plant's table, or the shipped one.

    :raises InputError: it is missing or not of this form.
    """
    path = settings.zones or _SHIPPED
    try:
        if path.stat().st_size > settings.max_machines_bytes:
            raise InputError(f"{path}: larger than {settings.max_machines_bytes} bytes; correct [maintenance] zones")
        return Zones.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}; correct [maintenance] zones") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: is no TOML: {error}") from None
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise InputError(f"{path}: {where}: {first['msg']}") from None
