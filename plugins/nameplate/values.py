"""What is read from a type plate, and what a list says of its type: plain frozen values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from agent.api import Box, Language, Said, say

__all__ = ["FLAGS", "Entry", "Plate", "PlateField", "Standing"]

FLAGS: Mapping[str, Said] = {
    "low-score": say("识读把握不大", "hard to read"),
    "unit-unsure": say("单位没有读全", "its unit was not read in full"),
    "bad-form": say("不像这一项的写法", "not written like its kind"),
    "two-values": say("读到两个不同的值", "two different values were read"),
    "at-edge": say("在照片边缘,可能被截断", "at the edge of the photo, may be cut off"),
    "hidden": say("附近有反光或污渍,可能缺字", "a reflection or dirt may hide characters"),
}
"""Why a field has to be checked on the plate."""

Standing = Literal["listed", "conditional", "unsure", "not-listed"]
"""How a type stands to the lists: in so many characters; under a condition; perhaps; the lists do not say."""


@dataclass(frozen=True, slots=True)
class PlateField:
    """One thing that a plate says."""

    name: str
    """type, serial, year, power, voltage … as in `labels.toml`; maker, product."""
    label: str
    """As printed; empty where there is none."""
    value: str
    """As printed."""
    unit: str
    number: float | None
    """Where it is one number."""
    score: float
    """0 to 1, of the reader."""
    box: Box
    flags: tuple[str, ...] = ()

    @property
    def is_sure(self) -> bool:
        return not self.flags

    def to_json(self) -> dict[str, object]:
        return {
            "name": self.name, "label": self.label, "value": self.value, "unit": self.unit, "number": self.number,
            "score": round(self.score, 3), "box": list(self.box), "flags": list(self.flags),
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Plate:
    """Everything that was read from it."""

    fields: tuple[PlateField, ...]

    def field(self, name: str) -> PlateField | None:
        return next((field for field in self.fields if field.name == name), None)


@dataclass(frozen=True, slots=True)
class Entry:
    """A row of a list of models to be phased out."""

    types: str
    """The cell as printed."""
    row: str
    """The whole row as printed, cells apart by ` | `."""
    successor: str
    """As printed; empty where the list names none."""
    citation: str
    document: str
    title: str
    language: Language
    conditional: bool
    """Whether the row says when or for what it does not hold."""
