"""Lamps: texts on a field of a colour that carries a state, and round pilot lamps with a label close by.

A field is an area of one colour around a text that ends before the surroundings begin. Its colour says something
where it is a signal colour that the screen does not use for its ordinary buttons. A photo shows that it is lit only
where it is bright; a dim field of a strong colour may be an alarm or the same lamp at rest: its state is `unsure`.
"""

from __future__ import annotations

import colorsys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from agent.api import Box, Lamp, Text
from plugins.panel.geometry import centre, height, overlap_x, overlap_y, width
from plugins.panel.grammar import tokens_of

__all__ = ["color_name", "find_lamps"]

Pixels = NDArray[np.uint8]
Color = tuple[int, int, int]

SIGNALS = frozenset({"red", "amber", "yellow", "green", "magenta"})
"""Colours that state something by themselves; blue, white and grey are also the colours of plain buttons."""
_TOLERANCE = 18
"""How far, per channel, a pixel of a field may be from the field's colour (gradients, JPEG)."""
_REACH = 4
"""A field ends within this many text heights around its text, or it is the background."""
_DISTINCT = 40
"""Difference to the surroundings, in the strongest channel, below which there is no field."""
_BRIGHT, _DIM = 0.62, 0.45
_STRONG = 0.4
_THEME_COUNT = 3
"""This many fields of one colour are the screen's style, not states."""


@dataclass(frozen=True, slots=True)
class Field:
    """An area of one colour."""

    label: str
    box: Box
    """Of the whole area."""
    color: Color
    around: Color


def find_lamps(pixels: Pixels, texts: Sequence[Text], *, skip: frozenset[int] = frozenset()) -> tuple[Lamp, ...]:
    """Lamps on a panel, in the order of their texts, then round ones from the top.

    :param pixels: height × width × 3, RGB.
    :param skip: indices of texts that belong to tables.
    """
    labels = [(i, text) for i, text in enumerate(texts) if i not in skip and _can_label(text, i)]
    fields = [field for _, text in labels if (field := _field_of(pixels, text)) is not None]
    lit = [field for field in fields if _is_signal(field, fields)]
    lamps = [Lamp(field.label, color_name(field.color), _state(field.color), field.box) for field in lit]
    lamps += [_unlit(field) for field in fields if field not in lit and any(_sibling(field, other) for other in lit)]
    lamps += _pilot_lamps(pixels, [text for _, text in labels], [lamp.box for lamp in lamps])
    return tuple(lamps)


def color_name(color: Color) -> str:
    """One of the words of `agent.perception.Lamp.color`."""
    hue, saturation, value = colorsys.rgb_to_hsv(*(channel / 255 for channel in color))
    if value < 0.16:
        return "dark"
    if saturation < 0.22 or (saturation < 0.35 and value < 0.3):
        return "white" if value > 0.85 else "grey" if value > 0.3 else "dark"
    degrees = hue * 360
    for end, name in ((14, "red"), (44, "amber"), (68, "yellow"), (175, "green"), (262, "blue"), (342, "magenta")):
        if degrees < end:
            return name
    return "red"


def _can_label(text: Text, index: int) -> bool:
    return any(token.kind == "label" for token in tokens_of(text, index)) and len(text.text) <= 32


def _field_of(pixels: Pixels, text: Text) -> Field | None:
    """The field that a text stands on, or None where it stands on the background."""
    tall = height(text.box)
    window = _clip(_grown(text.box, _REACH * tall), pixels)
    area = pixels[window[1] : window[3], window[0] : window[2]]
    inner = _clip(_grown(text.box, max(1, tall // 5)), pixels)
    color = _commonest(pixels[inner[1] : inner[3], inner[0] : inner[2]])
    mask = cv2.inRange(area, np.subtract(color, _TOLERANCE), np.add(color, _TOLERANCE))
    mask = cv2.morphologyEx(mask, cv2.MORPH_CLOSE, np.ones((3, 3), np.uint8))
    count, parts, stats, _ = cv2.connectedComponentsWithStats(mask, connectivity=4)
    here = parts[inner[1] - window[1] : inner[3] - window[1], inner[0] - window[0] : inner[2] - window[0]]
    sizes = np.bincount(here[here > 0], minlength=count)
    if count < 2 or not sizes.any():
        return None
    part = int(sizes.argmax())
    left, top, wide, high, filled = (int(n) for n in stats[part])
    box = (window[0] + left, window[1] + top, window[0] + left + wide, window[1] + top + high)
    ends = left > 0 and top > 0 and left + wide < area.shape[1] and top + high < area.shape[0]
    if not ends or wide < 0.9 * width(text.box) or high < 0.9 * tall or filled < 0.45 * wide * high:
        return None
    ring = parts != part
    ring[max(0, top - 2) : top + high + 2, max(0, left - 2) : left + wide + 2] = False
    around = _commonest(area[ring]) if ring.any() else color
    if max(abs(a - b) for a, b in zip(color, around, strict=True)) < _DISTINCT:
        return None
    return Field(text.text.strip(), box, color, around)


def _is_signal(field: Field, fields: Sequence[Field]) -> bool:
    """A signal colour that is not the style of this screen's buttons."""
    if color_name(field.color) not in SIGNALS or _saturation(field.color) < _STRONG:
        return False
    alike = sum(_difference(field.color, other.color) <= _TOLERANCE for other in fields)
    return alike < _THEME_COUNT or color_name(field.color) in ("red", "amber")


def _state(color: Color) -> str:
    value = max(color) / 255
    if value >= _BRIGHT and _saturation(color) >= _STRONG:
        return "lit"
    return "unsure" if _saturation(color) >= _STRONG else "unlit"


def _unlit(field: Field) -> Lamp:
    return Lamp(field.label, color_name(field.color), "unlit", field.box)


def _sibling(field: Field, lit: Field) -> bool:
    """The same shape in the same row or column close by, without colour: the lamp beside the lit one."""
    if _saturation(field.color) > 0.25:
        return False
    a, b = field.box, lit.box
    sizes = abs(width(a) - width(b)) <= 0.2 * width(b) and abs(height(a) - height(b)) <= 0.2 * height(b)
    level = abs(centre(a)[1] - centre(b)[1]) < 0.3 * height(b) and -overlap_x(a, b) < 2.5 * width(b)
    stacked = abs(centre(a)[0] - centre(b)[0]) < 0.3 * width(b) and -overlap_y(a, b) < 2.5 * height(b)
    return sizes and (level or stacked)


def _pilot_lamps(pixels: Pixels, labels: Sequence[Text], taken: Sequence[Box]) -> list[Lamp]:
    """Round spots of one signal colour, each with the nearest label above, below or beside it."""
    hsv = cv2.cvtColor(pixels, cv2.COLOR_RGB2HSV)
    mask = ((hsv[..., 1] >= 110) & (hsv[..., 2] >= 90)).astype(np.uint8)
    _, parts, stats, _ = cv2.connectedComponentsWithStats(mask, connectivity=4)
    found = []
    for part in _discs(np.asarray(stats)):
        left, top, wide, high, _filled = (int(n) for n in stats[part])
        box = (left, top, left + wide, top + high)
        if any(overlap_x(box, other) > 0 and overlap_y(box, other) > 0 for other in taken):
            continue
        area = pixels[top : top + high, left : left + wide]
        inside = parts[top : top + high, left : left + wide] == part
        color = _commonest(area[inside])
        name = color_name(color)
        label = _nearest_label(box, labels)
        even = np.abs(area[inside].astype(np.int16) - color).max(axis=1) <= 45
        if name in SIGNALS and label is not None and even.mean() >= 0.6:
            found.append(Lamp(label.text.strip(), name, _state(color), box))
    return sorted(found, key=lambda lamp: (lamp.box[1], lamp.box[0]))


def _discs(stats: NDArray[Any]) -> list[int]:
    """Areas as large as a lamp, round, and filled as a disc is (π/4 of its box); row 0 is the background."""
    wide, high, filled = (stats[1:, column].astype(np.float64) for column in (2, 3, 4))
    sized = (wide >= 14) & (wide <= 400) & (wide / high >= 0.82) & (wide / high <= 1.22)
    full = filled / (wide * high)
    return (np.flatnonzero(sized & (full >= 0.66) & (full <= 0.86)) + 1).tolist()


def _nearest_label(box: Box, labels: Sequence[Text]) -> Text | None:
    """The label that a lamp of this size can have: no further than its own size, or two text heights."""
    best: tuple[float, Text] | None = None
    for text in labels:
        beside = max(0, -overlap_x(box, text.box))
        over = max(0, -overlap_y(box, text.box))
        if beside and over:
            continue
        distance = float(beside + over)
        if distance <= max(height(box), 2.0 * height(text.box)) and (best is None or distance < best[0]):
            best = distance, text
    return best[1] if best else None


def _commonest(pixels: Pixels) -> Color:
    """The commonest colour, as the median of those that fall into its cell of a coarse cube."""
    flat = pixels.reshape(-1, 3)
    cells = (flat >> 4).astype(np.int32) @ np.array([256, 16, 1], np.int32)
    chosen = flat[cells == np.bincount(cells).argmax()]
    red, green, blue = np.median(chosen, axis=0)
    return int(red), int(green), int(blue)


def _saturation(color: Color) -> float:
    return (max(color) - min(color)) / max(1, *color)


def _difference(a: Color, b: Color) -> int:
    return max(abs(x - y) for x, y in zip(a, b, strict=True))


def _grown(box: Box, by: int) -> Box:
    return box[0] - by, box[1] - by, box[2] + by, box[3] + by


def _clip(box: Box, pixels: Pixels) -> Box:
    high, wide = pixels.shape[:2]
    return max(0, box[0]), max(0, box[1]), min(wide, box[2]), min(high, box[3])
