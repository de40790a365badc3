"""What was read from one photo: plain frozen values, in pixels of the upright image.

The JSON shape of `Perception.to_json` is a public contract (`watchkeeper panel --json`).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from agent.values import Said

__all__ = ["AlarmRow", "Box", "Button", "Lamp", "Perception", "Popup", "Quality", "Reading", "Text", "number_of"]

LABEL_FLAGS = frozenset({"unlabelled", "ambiguous", "unit-unsure", "no-unit"})
"""Flags of a reading that speak against its label or unit; all others speak against its value."""
Box = tuple[int, int, int, int]
"""left, top, right, bottom in pixels of the upright image; right and bottom are exclusive."""


def number_of(value: str | None) -> float | None:
    """A printed number, or None where it is none: `1,234.5` and `12,5` as people read them."""
    if value is None:
        return None
    text = value.replace("−", "-")
    comma_is_point = "." not in text and text.count(",") == 1 and len(text.rsplit(",", 1)[1]) != 3
    try:
        number = float(text.replace(",", "." if comma_is_point else ""))
    except ValueError:
        return None
    return number if math.isfinite(number) else None


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
    """printed | display | counter | gauge | bar | slider"""
    box: Box
    """Of the value; of the dial, bar or slider where nothing is printed."""
    score: float
    """0 to 1: how likely the value is right, as calibrated on labelled panels (`make score-panels` prints it)."""
    flags: tuple[str, ...] = ()
    """Why it should be checked; `agent.panel_records.FLAG_WORDS` says what each means."""
    uncertainty: float | None = None
    """± in the reading's unit where a pointer was measured; None where a value is printed."""
    read_by: str = "text"
    """text | segments | geometry | model: who read the value."""
    why: str = ""
    """How the value was found and why this label, in English, for `panel --explain`."""

    @property
    def number(self) -> float | None:
        """The value as a number, None where it is none: `1,234.5` and `12,5` as people read them."""
        return number_of(self.value)

    @property
    def is_sure(self) -> bool:
        """There is a value and nothing speaks against it, whatever its label."""
        return self.value is not None and LABEL_FLAGS.issuperset(self.flags)

    def to_json(self) -> dict[str, object]:
        return {
            "label": self.label,
            "value": self.value,
            "unit": self.unit,
            "kind": self.kind,
            "box": list(self.box),
            "score": round(self.score, 3),
            "flags": list(self.flags),
            "uncertainty": self.uncertainty,
            "read_by": self.read_by,
            "why": self.why,
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
class Button:
    """Something to press."""

    label: str
    box: Box
    state: str = "unsure"
    """enabled | greyed | unsure"""

    def to_json(self) -> dict[str, object]:
        return {"label": self.label, "box": list(self.box), "state": self.state}


@dataclass(frozen=True, slots=True)
class Popup:
    """A window over the panel: what lies beneath it is covered."""

    title: str
    """Its first line of text; empty where it holds none."""
    box: Box

    def to_json(self) -> dict[str, object]:
        return {"title": self.title, "box": list(self.box)}


@dataclass(frozen=True, slots=True)
class Quality:
    """How well a photo can be read, each from 0 (bad) to 1 (good)."""

    sharpness: float
    light: float
    """Low where it is too dark or too bright."""
    glare: float
    """Low where reflections hide a part."""
    moire: float
    """Low where the pattern of a screen disturbs."""
    advice: tuple[Said, ...] = ()
    """What the person should do differently, worst first."""

    def to_json(self) -> dict[str, object]:
        return {
            "sharpness": round(self.sharpness, 2),
            "light": round(self.light, 2),
            "glare": round(self.glare, 2),
            "moire": round(self.moire, 2),
            "advice": [dict(said) for said in self.advice],
        }


@dataclass(frozen=True, slots=True)
class AlarmRow:
    """One row of an alarm table on the panel."""

    cells: Mapping[str, str]
    """Column heading as printed → cell as printed."""
    box: Box
    roles: Mapping[str, str] = field(default_factory=dict)
    """What a cell means → cell as printed, for: time, tag, text, priority, state, ack, area, number."""

    def to_json(self) -> dict[str, object]:
        return {**self.cells, "box": list(self.box), "roles": dict(self.roles)}


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
    buttons: tuple[Button, ...] = ()
    popups: tuple[Popup, ...] = ()
    quality: Quality | None = None
    turned: int = 0
    """By how many degrees clockwise the photo was turned: 0, 90, 180 or 270."""
    matrix: tuple[float, ...] | None = None
    """What made the turned photo straight: a homography from its pixels to those of the upright image, row by row; None
    where they are the same. `agent.upright` makes the upright image from both; all boxes are in its pixels.
    """

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
            "buttons": [button.to_json() for button in self.buttons],
            "popups": [popup.to_json() for popup in self.popups],
            "quality": None if self.quality is None else self.quality.to_json(),
            "turned": self.turned,
            "matrix": None if self.matrix is None else [float(f"{number:.9g}") for number in self.matrix],
        }
