"""Texts on a field of their own: buttons look like that, and lamps with their label inside.

A field is an area of even colour around one text, or a few, that ends before the surroundings begin: it is boxy, at
most a few text heights high, and not the background.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from agent.api import Box, Text
from plugins.panel.geometry import centre, height, joined, overlap_x, overlap_y, width
from plugins.panel.lights.colors import Color
from plugins.panel.lights.regions import Region, Scene

__all__ = ["Field", "alike", "find_fields", "ink_of", "near", "print_of"]

_MAX_HIGH = 5.5
"""A field is at most this many text heights high."""
_MAX_WIDE = 14.0
"""A field is at most this many text heights wider than its text."""
_MIN_FILLED = 0.6
"""Share of its box that a field and the texts on it fill."""
_MAX_TEXTS = 3
_MAX_STRETCH = 2.5
_SAME_SIZE = 0.05
_CLOSE = 1.6
"""How far apart neighbours of one kind are, in their widths or heights."""


@dataclass(frozen=True, slots=True)
class Field:
    """An area with the texts that stand on it."""

    region: Region
    texts: tuple[int, ...]
    """Indices, in reading order."""
    label: str
    text_box: Box
    around: Color
    """What it lies on."""

    @property
    def box(self) -> Box:
        return self.region.box

    @property
    def color(self) -> Color:
        return self.region.color


def find_fields(scene: Scene, texts: Sequence[Text]) -> list[Field]:
    """Every field, in the order of its first text.

    :param texts: with boxes in pixels of the scene.
    """
    on: dict[int, list[int]] = {}
    for i, text in enumerate(texts):
        on.setdefault(scene.under(text.box), []).append(i)
    found = []
    for index, members in on.items():
        if index and len(members) <= _MAX_TEXTS:
            field = _field(scene, index, members, texts)
            if field is not None:
                found.append(field)
    return found


def alike(a: Box, b: Box) -> bool:
    """Of one size, as things of one kind are."""
    return all(abs(x - y) <= max(2, _SAME_SIZE * y) for x, y in ((width(a), width(b)), (height(a), height(b))))


def near(a: Box, b: Box) -> bool:
    """In one row or one column, close by."""
    level = abs(centre(a)[1] - centre(b)[1]) < 0.3 * height(b) and -overlap_x(a, b) < _CLOSE * width(b)
    stacked = abs(centre(a)[0] - centre(b)[0]) < 0.3 * width(b) and -overlap_y(a, b) < 2 * _CLOSE * height(b)
    return level or stacked


def print_of(scene: Scene, box: Box, ground: Color) -> Color:
    """The colour that a text looks printed in: of the pixels that differ most from what it stands on."""
    inside = scene.pixels[box[1] : box[3], box[0] : box[2]].reshape(-1, 3)
    away = np.abs(inside.astype(np.int16) - np.asarray(ground, np.int16)).max(axis=1)
    rank = len(away) - max(1, len(away) // 12)
    red, green, blue = np.median(inside[away >= np.partition(away, rank)[rank]], axis=0)
    return int(red), int(green), int(blue)


def ink_of(scene: Scene, box: Box, ground: Color) -> Color:
    """The colour of a text at full strength.

    Thin strokes mix with their ground; the ink lies on the line from there through the colour that is seen.
    """
    base = np.asarray(ground, np.float64)
    change = np.asarray(print_of(scene, box, ground)) - base
    room = np.where(change < 0, base, 255 - base) / np.maximum(np.abs(change), 1)
    red, green, blue = np.clip(base + change * min(float(room[np.abs(change).argmax()]), _MAX_STRETCH), 0, 255).astype(
        int
    )
    return int(red), int(green), int(blue)


def _field(scene: Scene, index: int, members: Sequence[int], texts: Sequence[Text]) -> Field | None:
    wide, high, area = (int(n) for n in scene.stats[index, 2:])
    inside = joined(texts[i].box for i in members)
    tall = min(height(texts[i].box) for i in members)
    printed = sum(width(texts[i].box) * height(texts[i].box) for i in members)
    if high > _MAX_HIGH * tall * len(members) or wide > width(inside) + _MAX_WIDE * tall:
        return None
    if wide < 0.9 * width(inside) or high < 0.9 * tall or (area + 0.8 * printed) < _MIN_FILLED * wide * high:
        return None
    region = scene.region(index)
    box = region.box
    if overlap_x(box, inside) < 0.8 * width(inside) or overlap_y(box, inside) < 0.7 * height(inside):
        return None
    label = " ".join(texts[i].text.strip() for i in members)
    return Field(region, tuple(members), label, inside, scene.ring(box, max(3, tall // 6)))
