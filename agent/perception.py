"""What was read from one photo: plain frozen values, in pixels of the upright image.

The JSON shape of `Perception.to_json` is a public contract (`watchkeeper panel --json`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

__all__ = ["AlarmRow", "Box", "Lamp", "Perception", "Reading", "Text"]

Box = tuple[int, int, int, int]
"""left, top, right, bottom in pixels of the upright image; right and bottom are exclusive."""


@dataclass(frozen=True, slots=True)
class Text:
    """One run of text as printed."""

    text: str
    box: Box
    score: float
    """0 to 1, the reader's own confidence."""

    def to_json(self) -> dict[str, object]:
        return {"text": self.text, "box": list(self.box), "score": round(self.score, 3)}


@dataclass(frozen=True, slots=True)
class Reading:
    """A value with the label and unit that belong to it."""

    label: str
    value: str | None
    """As printed, sign and decimals kept; None for a placeholder such as `##.##` or `---`."""
    unit: str
    """As printed; empty where none is."""
    kind: str
    """printed | gauge | display | bar"""
    box: Box
    """Of the value."""
    score: float
    flags: tuple[str, ...] = ()
    """Why the value should be checked: no-value, unlabelled, disagrees, clipped, low-score."""

    def to_json(self) -> dict[str, object]:
        return {
            "label": self.label,
            "value": self.value,
            "unit": self.unit,
            "kind": self.kind,
            "box": list(self.box),
            "score": round(self.score, 3),
            "flags": list(self.flags),
        }


@dataclass(frozen=True, slots=True)
class Lamp:
    """A lamp, or a text on a field whose colour carries a state."""

    label: str
    color: str
    """red | amber | yellow | green | blue | white | grey | magenta | dark"""
    state: str
    """lit | unlit | unsure: a photo often cannot tell a dim active field from an inactive one, and then this says
    so.
    """
    box: Box

    def to_json(self) -> dict[str, object]:
        return {"label": self.label, "color": self.color, "state": self.state, "box": list(self.box)}


@dataclass(frozen=True, slots=True)
class AlarmRow:
    """One row of an alarm table on the panel."""

    cells: Mapping[str, str]
    """Column heading as printed → cell as printed."""
    box: Box

    def to_json(self) -> dict[str, object]:
        return {**self.cells, "box": list(self.box)}


@dataclass(frozen=True, slots=True)
class Perception:
    """Everything that was read from one photo."""

    texts: tuple[Text, ...]
    """In reading order."""
    readings: tuple[Reading, ...]
    lamps: tuple[Lamp, ...]
    alarms: tuple[AlarmRow, ...]
    size: tuple[int, int]
    """Width and height of the upright image."""
    ms: float
    """What it took when it was read; a cached copy keeps the figure of the first reading."""
    photo: str = ""
    """Digest of the photo's pixels."""
    notes: tuple[str, ...] = field(default=())
    """What a person should know about the photo or the reader, in English: blurred, OCR weights missing."""
    unread: str = ""
    """Why no text of it could be read at all, in English; empty where it could. Lamps may have been found."""

    def to_json(self) -> dict[str, object]:
        return {
            "texts": [t.to_json() for t in self.texts],
            "readings": [r.to_json() for r in self.readings],
            "lamps": [lamp.to_json() for lamp in self.lamps],
            "alarms": [row.to_json() for row in self.alarms],
            "size": list(self.size),
            "ms": round(self.ms, 1),
            "photo": self.photo,
            "notes": list(self.notes),
            "unread": self.unread,
        }
