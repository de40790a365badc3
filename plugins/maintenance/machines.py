"""The data sheets of the plant's machines: `machines.toml`, written by people, checked as a whole.

    [[machine]]
    name = "P-101"                               title = { zh = "一号循环泵", en = "circulation pump 1" }
    kind = "pump"                                tags = ["PT-101", "TT-101"]      consequence = 3
    zone_class = "medium-rigid"                  speed_rpm = 1480                 gear_teeth = 0
    bearing = { elements = 9, element_mm = 7.94, pitch_mm = 39.04, angle_degrees = 0 }
    [[machine.signal]]
    file = "p101-drive-end.wav"                  unit = "g"                       full_scale = 50.0

A signal comes from a file (beside `machines.toml`, or by its whole path) or from a tag of the log.
"""

from __future__ import annotations

import tomllib
from collections import Counter
from pathlib import Path
from typing import Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from agent.api import InputError, Machine, say
from agent.home import Home
from agent.settings import MaintenanceSettings
from plugins.maintenance.tones import Bearing

__all__ = ["Sheet", "SignalSheet", "load_sheets", "machines_path"]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Title(_Part):
    """A name in both languages."""

    zh: str = Field(min_length=1)
    en: str = Field(min_length=1)


class BearingSheet(_Part):
    """A rolling bearing."""

    elements: int = Field(ge=3, le=200)
    element_mm: float = Field(gt=0)
    pitch_mm: float = Field(gt=0)
    angle_degrees: float = Field(default=0.0, ge=0, lt=90)
    designation: str = ""

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.element_mm >= self.pitch_mm:
            raise ValueError("element_mm must be less than pitch_mm; both are diameters")
        return self

    def geometry(self) -> Bearing:
        """As the computation takes it."""
        return Bearing(self.elements, self.element_mm, self.pitch_mm, self.angle_degrees)


class SignalSheet(_Part):
    """Where a signal comes from."""

    file: Path | None = None
    tag: str = ""
    name: str = ""
    unit: str = ""
    full_scale: float = Field(default=1.0, gt=0)
    """In `unit`, of a full-scale sample of a WAV file."""
    quantity: str = ""
    speed_rpm: float = Field(default=0.0, ge=0)
    """Of the shaft while this was recorded; 0 is the machine's."""
    high: float | None = None
    low: float | None = None
    """Limits of the plant's own, in `unit`."""
    limit_source: str = ""

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        if (self.file is None) == (not self.tag):
            raise ValueError("a signal has either a file or a tag")
        return self


class Sheet(_Part):
    """One machine."""

    name: str = Field(min_length=1, max_length=120)
    title: Title | None = None
    kind: str = ""
    tags: tuple[str, ...] = ()
    consequence: int = Field(default=0, ge=0, le=4)
    document: str = ""
    zone_class: str = ""
    """An id of the table of zones; empty: velocities are told without a zone."""
    speed_rpm: float = Field(default=0.0, ge=0)
    speed_tolerance: float = Field(default=0.01, ge=0, le=0.1)
    """How far, as a part, the true speed may be from `speed_rpm`."""
    bearing: BearingSheet | None = None
    gear_teeth: int = Field(default=0, ge=0)
    signals: tuple[SignalSheet, ...] = Field(default=(), alias="signal")

    def machine(self) -> Machine:
        """As reports know it."""
        title = say(self.title.zh, self.title.en) if self.title else say(self.name, self.name)
        return Machine(self.name, title, self.kind, self.tags, self.consequence, self.document)


class _File(_Part):
    machines: tuple[Sheet, ...] = Field(default=(), alias="machine")

    @model_validator(mode="after")
    def _names(self) -> Self:
        doubled = [name for name, count in Counter(m.name for m in self.machines).items() if count > 1]
        if doubled:
            raise ValueError(f"machine {doubled[0]!r} stands twice")
        return self


def machines_path(home: Home, settings: MaintenanceSettings) -> Path:
    """Where the data sheets are."""
    return settings.machines or home.folder / "machines.toml"


def load_sheets(path: Path, settings: MaintenanceSettings) -> tuple[Sheet, ...]:
    """All machines; none where there is no such file.

    :raises InputError: the file cannot be read or is not of this form; the message names the place.
    """
    try:
        if path.stat().st_size > settings.max_machines_bytes:
            raise InputError(f"{path}: larger than {settings.max_machines_bytes} bytes; correct [maintenance] machines")
        return _File.model_validate(tomllib.loads(path.read_text(encoding="utf-8"))).machines
    except FileNotFoundError:
        return ()
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: is no TOML: {error}") from None
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise InputError(f"{path}: {where}: {first['msg']}") from None
