"""A drawing as a list of simple shapes, in units of its own; `agent.reports.svg` and `agent.reports.pdf` draw it.

One description serves the page, the phone and the paper: text stays text, lines stay lines, and nothing is a raster.
Ink is chosen so that it can be told apart in black and white: by lightness, dashes and hatching, never by hue alone.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass, field
from typing import Literal

__all__ = [
    "BLUE",
    "FAINT",
    "GREEN",
    "INK",
    "ORANGE",
    "PAPER",
    "RED",
    "SOFT",
    "Line",
    "Mark",
    "Polygon",
    "Rect",
    "Scene",
    "Shape",
    "Text",
    "cut_to",
    "hatching",
    "width_of",
]

INK, SOFT, FAINT, PAPER = "#1c2430", "#5b6675", "#d5dae1", "#ffffff"
BLUE, ORANGE, RED, GREEN = "#2f6690", "#c26a1b", "#a8201a", "#3b7a57"
Anchor = Literal["start", "middle", "end"]


@dataclass(frozen=True, slots=True)
class Line:
    """A line through points."""

    points: tuple[tuple[float, float], ...]
    ink: str = INK
    width: float = 1.0
    dash: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class Polygon:
    """A filled outline."""

    points: tuple[tuple[float, float], ...]
    fill: str
    opacity: float = 1.0


@dataclass(frozen=True, slots=True)
class Rect:
    """A rectangle; hatched where `hatch` gives the distance of the strokes."""

    x: float
    y: float
    width: float
    height: float
    fill: str = ""
    ink: str = ""
    line: float = 1.0
    hatch: float = 0.0
    opacity: float = 1.0


@dataclass(frozen=True, slots=True)
class Text:
    """One line of text; `y` is its baseline."""

    x: float
    y: float
    text: str
    size: float = 12.0
    ink: str = INK
    anchor: Anchor = "start"
    bold: bool = False


@dataclass(frozen=True, slots=True)
class Mark:
    """A small triangle that points down at (x, y)."""

    x: float
    y: float
    size: float = 6.0
    fill: str = RED


Shape = Line | Polygon | Rect | Text | Mark


@dataclass(slots=True)
class Scene:
    """Shapes, drawn in order; y grows downwards."""

    width: float
    height: float
    title: str
    """For those who cannot see it."""
    shapes: list[Shape] = field(default_factory=list)

    def add(self, *shapes: Shape) -> None:
        """On top of what is there."""
        self.shapes += shapes


def width_of(text: str, size: float) -> float:
    """Of a line of text, near enough for a layout: a Chinese character is square, a Latin one half that."""
    return sum(size * (1.0 if unicodedata.east_asian_width(c) in "WF" else 0.56) for c in text)


def cut_to(text: str, size: float, width: float) -> str:
    """What of a text fits, with an ellipsis where something is gone."""
    if width_of(text, size) <= width:
        return text
    kept = text
    while kept and width_of(f"{kept}…", size) > width:
        kept = kept[:-1]
    return f"{kept}…"


def hatching(rect: Rect) -> list[Line]:
    """Strokes from lower left to upper right, cut off at the edges."""
    strokes = []
    at = rect.hatch / 2
    while at < rect.width + rect.height:
        x0, y0 = (at, 0.0) if at <= rect.width else (rect.width, at - rect.width)
        x1, y1 = (0.0, at) if at <= rect.height else (at - rect.height, rect.height)
        strokes.append(Line(((rect.x + x0, rect.y + y0), (rect.x + x1, rect.y + y1)), rect.ink or INK, 0.7))
        at += rect.hatch
    return strokes
