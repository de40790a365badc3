"""The colours of an animal: its own, or one that a child wants."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from plugins.painter.drawing.shapes import mix

__all__ = ["COLORS", "INK", "PALE_INK", "WHITE", "Coat", "coat_of", "is_dark"]

WHITE = "#fffdf8"
INK, PALE_INK = "#4b3b40", "#f6efe9"
COLORS: Mapping[str, str] = {
    "red": "#e58a80",
    "orange": "#f0b077",
    "yellow": "#f5d77c",
    "green": "#9ecb94",
    "blue": "#8fbce6",
    "purple": "#bba3dd",
    "pink": "#f4b3c6",
    "brown": "#b88f70",
    "black": "#66626e",
    "white": "#fbf7f0",
}
"""Calm tones; every name means the same one wherever it is used."""


@dataclass(frozen=True, slots=True)
class Coat:
    """Colours as #rrggbb."""

    main: str
    light: str
    """Belly, muzzle."""
    dark: str
    """Markings: patches, stripes, manes, horns."""
    inner: str = "#f2b8b5"
    """Of ears."""
    nose: str = "#6b5152"
    bill: str = "#f3b35f"
    """Bills and the feet of birds."""

    @property
    def ink(self) -> str:
        """What is drawn in lines on the main colour: a mouth."""
        return PALE_INK if is_dark(self.main) else INK


def is_dark(color: str) -> bool:
    """Whether dark lines are lost on it."""
    return sum(int(color[n : n + 2], 16) for n in (1, 3, 5)) < 400


def coat_of(own: Coat, color: str | None) -> Coat:
    """The coat that an animal wears.

    :param color: one of `COLORS`; None is its own.
    """
    if color is None:
        return own
    main = COLORS[color]
    dark = mix(main, "#c9bcb4" if color == "white" else "#56405c", 0.5 if color == "white" else 0.42)
    return Coat(main, mix(main, WHITE, 0.66), dark, mix(main, "#f2a9ae", 0.55), own.nose, own.bill)
