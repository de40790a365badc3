"""What may be asked in the field: `field.toml`, written by people, checked as a whole.

    [[figure]]                                   what rules speak of, and where its values come from
    names = ["降雨量", "rainfall"]               tag = "降雨量"       unit = "mm"
    adds_up = true                               every_minutes = 60   low = 0    high = 300

    [[decision]]                                 what a person wants to do
    names = ["打药", "spraying", "spray"]        title = { zh = "打药", en = "spraying" }
    rules = ["果园植保作业规定(示例)"]           titles or ids of the manuals that decide
    also = ["果园", "orchard"]                   what may be said beside it and restricts nothing

    [[scope]]                                    what a rule may be limited to
    kind = "crop"                                names = ["柑橘", "citrus"]

No threshold stands here: those are read from the rules. A tag is one of the log, of a file that `machines.toml` names,
or a device of the map (`soil-1`, `soil-1.moisture`).
"""

from __future__ import annotations

import tomllib
from collections import Counter
from pathlib import Path
from typing import Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from agent.api import InputError, Said, say
from agent.home import Home
from agent.settings import FieldSettings
from knowledge.tokens import fold

__all__ = ["Decision", "Figure", "Scope", "Sheet", "load_sheet", "sheet_path"]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class _Named(_Part):
    names: tuple[str, ...] = Field(min_length=1, max_length=40)
    """In both languages; the first is shown, of those in the reader's language."""

    @model_validator(mode="after")
    def _no_blank(self) -> Self:
        if any(not fold(name).strip() or len(name) > 60 for name in self.names):
            raise ValueError("a name is empty or longer than 60 characters")
        return self

    def called(self) -> Said:
        """What it is called in each language: the first name that is written in it."""
        zh = next((name for name in self.names if not name.isascii()), self.names[0])
        en = next((name for name in self.names if name.isascii()), self.names[0])
        return say(zh, en)


class Figure(_Named):
    """Something measured."""

    tag: str = Field(min_length=1, max_length=120)
    unit: str = ""
    """Of a series that names none."""
    adds_up: bool = False
    """Amounts, each of the time since the one before it: rain, not a level."""
    every_minutes: float = Field(default=60, gt=0, le=1_440)
    """How often a value comes."""
    stale_minutes: float = Field(default=0, ge=0)
    """A value that is older says nothing about now, and a longer pause is a gap; 0: as the settings have it."""
    low: float | None = None
    high: float | None = None
    """What the sensor can measure; a value beyond is none."""

    @property
    def name(self) -> str:
        """Its key."""
        return self.names[0]


class _Title(_Part):
    zh: str = Field(min_length=1)
    en: str = Field(min_length=1)


class Decision(_Named):
    """Something that is done or left, by rules."""

    rules: tuple[str, ...] = Field(min_length=1)
    title: _Title | None = None
    also: tuple[str, ...] = Field(default=(), max_length=40)
    """What may be said beside it and restricts nothing: where it is done, when there is one such place."""

    def called(self) -> Said:
        """Its title, else its names."""
        return say(self.title.zh, self.title.en) if self.title else _Named.called(self)


class Scope(_Named):
    """One of a kind of things that rules may be limited to: a crop, a chemical, a store."""

    kind: str = Field(min_length=1)


class Sheet(_Part):
    """All of it."""

    figures: tuple[Figure, ...] = Field(default=(), alias="figure")
    decisions: tuple[Decision, ...] = Field(default=(), alias="decision")
    scopes: tuple[Scope, ...] = Field(default=(), alias="scope")

    @model_validator(mode="after")
    def _apart(self) -> Self:
        every = [fold(name) for one in (*self.figures, *self.decisions, *self.scopes) for name in one.names]
        every += {fold(name) for decision in self.decisions for name in decision.also}
        doubled = [name for name, count in Counter(every).items() if count > 1]
        if doubled:
            raise ValueError(f"the name {doubled[0]!r} stands twice")
        return self


def sheet_path(home: Home, settings: FieldSettings) -> Path:
    """Where it lies."""
    return settings.sheet or home.folder / "field.toml"


def load_sheet(path: Path, settings: FieldSettings) -> Sheet:
    """Read it; an empty one where there is no such file.

    :raises InputError: the file cannot be read or is not of this form; the message names the place.
    """
    try:
        if path.stat().st_size > settings.max_sheet_bytes:
            raise InputError(f"{path}: larger than {settings.max_sheet_bytes} bytes; correct [field] sheet")
        return Sheet.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except FileNotFoundError:
        return Sheet()
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: is no TOML: {error}") from None
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise InputError(f"{path}: {where}: {first['msg']}") from None
