"""Marks: compact coloured shapes without text in them, such as lamps, symbols of equipment and icons.

Order: areas of the right size → not strokes of a text → parts of one symbol joined → shape → colour. Which of them
mean something is decided elsewhere.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from agent.api import Box, Text
from plugins.panel.geometry import centre, height, joined, overlap_x, overlap_y, width
from plugins.panel.grammar import is_moment, tokens_of
from plugins.panel.lights.colors import Color, color_name, difference
from plugins.panel.lights.regions import Region, Scene

__all__ = ["Mark", "can_label", "find_marks", "labels_for", "same_size", "tidy"]

_MIN_SIDE = 7
_MAX_PART = 0.2
"""Largest side of a mark, in parts of the picture's shorter side."""
_MAX_ASPECT = 2.3
_MIN_FILLED = 0.28
_SAME = 24
"""Parts of one symbol differ by at most this much in colour."""
_ROUND = 0.82
"""How round a disc is at least: 1 for a circle, 0.785 for a square."""
_MAX_LABEL_CHARS = 60
_MAX_MARKS = 600
_CORNER = 0.9
"""How far off a corner of a mark its name may begin, in text heights."""


@dataclass(frozen=True, slots=True)
class Mark:
    """One compact shape."""

    box: Box
    """In pixels of the scene."""
    color: Color
    name: str
    """Of the colour."""
    shape: str
    """disc | block | other"""
    area: int


def find_marks(scene: Scene, texts: Sequence[Text]) -> list[Mark]:
    """Every compact shape, from the top.

    :param texts: with boxes in pixels of the scene.
    """
    regions = [scene.region(index) for index in _candidates(scene, texts)]
    groups = _joined_parts(regions)
    marks = [_mark(scene, group) for group in groups]
    return sorted((mark for mark in marks if mark is not None), key=lambda mark: (mark.box[1], mark.box[0]))


def can_label(text: Text) -> bool:
    """A lamp or a symbol can bear this text as its name."""
    return _is_name(text.text.strip())


@lru_cache(maxsize=4096)
def _is_name(whole: str) -> bool:
    if not whole or len(whole) > _MAX_LABEL_CHARS or is_moment(whole):
        return False
    kinds = {token.kind for token in tokens_of(Text(whole, (0, 0, len(whole), 1), 1.0), 0)}
    return any(c.isalpha() for c in whole) and (bool(kinds & {"label"}) or not kinds <= {"value", "unit", "none"})


def labels_for(boxes: Sequence[Box], texts: Sequence[Text], *, reach: float = 1.0) -> list[int | None]:
    """For each box the text that names it: on the side where most boxes of its size have theirs.

    :param reach: how far away a name may be, in heights of the box; two text heights are always allowed.
    """
    sides = [_sides(box, texts, reach) for box in boxes]
    found: list[int | None] = []
    kinds = _kinds(boxes)
    for i in range(len(boxes)):
        kin = [sides[j] for j in np.flatnonzero(kinds[i]).tolist()]
        if len(kin) > 1:
            votes = {side: len({k[side][1] for k in kin if side in k}) for side in ("below", "above", "right", "left")}
            whole = [side for side in sides[i] if votes[side] == len(kin)]
            if whole:
                best = min(whole, key=lambda side: sum(k[side][0] for k in kin))
                found.append(sides[i][best][1])
                continue
            order = sorted(sides[i], key=lambda side: sides[i][side][0] / (0.25 + votes[side] / len(kin)))
        else:
            order = sorted(sides[i], key=lambda side: sides[i][side][0])
        found.append(sides[i][order[0]][1] if order else None)
    return found


def tidy(label: str) -> str:
    """A name without the bullets and arrows around it."""
    return re.sub(r"^[^\w(\[+#-]+|[\s:=»《》>●•·|]+$", "", label.strip())


def _candidates(scene: Scene, texts: Sequence[Text]) -> list[int]:
    """Areas that may be marks: of a mark's size and form, and not within a text."""
    left, top, wide, high, area = (scene.stats[:, n] for n in range(5))
    longest, shortest = np.maximum(wide, high), np.maximum(1, np.minimum(wide, high))
    most = max(24, _MAX_PART * min(scene.pixels.shape[:2]))
    fits = (shortest >= _MIN_SIDE) & (longest <= most) & (longest <= _MAX_ASPECT * shortest)
    fits &= area >= _MIN_FILLED * wide * high
    fits[0] = False
    printed = np.zeros(scene.pixels.shape[:2], bool)
    for text in texts:
        if len(text.text.strip()) > 2:
            printed[text.box[1] : text.box[3], text.box[0] : text.box[2]] = True
    chosen = np.flatnonzero(fits)
    inside = printed[top[chosen] + high[chosen] // 2, left[chosen] + wide[chosen] // 2]
    free = chosen[~inside]
    return [int(i) for i in free[np.argsort(-area[free], kind="stable")][:_MAX_MARKS]]


def _joined_parts(regions: Sequence[Region]) -> list[list[Region]]:
    """Two pointed areas of one colour and size that face each other are one symbol, such as the halves of a valve."""
    groups: list[list[Region]] = []
    open_halves: list[list[Region]] = []
    for region in sorted(regions, key=lambda r: (r.box[0], r.box[1])):
        pointed = _pointed(region)
        mate = next((group for group in reversed(open_halves[-30:]) if pointed and _halves(group[0], region)), None)
        if mate is not None:
            mate.append(region)
            open_halves.remove(mate)
            continue
        groups.append([region])
        if pointed:
            open_halves.append(groups[-1])
    return groups


def _halves(a: Region, b: Region) -> bool:
    if not 0.6 <= b.area / a.area <= 1.6 or difference(a.color, b.color) > _SAME:
        return False
    across, down = overlap_x(a.box, b.box), overlap_y(a.box, b.box)
    beside = down > 0.7 * height(a.box) and -0.8 * width(a.box) <= across <= 0.6 * width(a.box)
    stacked = across > 0.7 * width(a.box) and -0.8 * height(a.box) <= down <= 2
    return beside or stacked


def _pointed(region: Region) -> bool:
    return region.filled < 0.75


def _mark(scene: Scene, group: Sequence[Region]) -> Mark | None:
    box = joined(region.box for region in group)
    if max(width(box), height(box)) > _MAX_ASPECT * min(width(box), height(box)):
        return None
    area = sum(region.area for region in group)
    color = group[0].color
    return Mark(box, color, color_name(color), _shape(scene, group), area)


def _shape(scene: Scene, group: Sequence[Region]) -> str:
    region = group[0]
    if region.filled > 0.9:
        return "block"
    wide, high = width(region.box), height(region.box)
    outlines, _ = cv2.findContours(scene.mask(region.index), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    outline = cv2.convexHull(max(outlines, key=cv2.contourArea))
    around = cv2.arcLength(outline, True)
    full = cv2.contourArea(outline) / max(1, (wide - 2) * (high - 2))
    if full > 0.93:
        return "block"
    even = len(group) == 1 and 0.8 <= wide / high <= 1.25 and region.filled > 0.5
    if even and 0.68 <= full <= 0.88 and around > 0 and _roundness(full, around, wide, high) >= _ROUND:
        return "disc"
    return "other"


def _roundness(full: float, around: float, wide: int, high: int) -> float:
    return float(4 * np.pi * full * (wide - 2) * (high - 2) / around**2)


def _kinds(boxes: Sequence[Box]) -> NDArray[np.bool_]:
    """Which boxes are of one size, as `same_size` says."""
    if not boxes:
        return np.zeros((0, 0), np.bool_)
    left, top, right, bottom = np.asarray(boxes, np.float64).T
    kinds = np.ones((len(boxes), len(boxes)), np.bool_)
    for side in (np.minimum(right - left, bottom - top), np.maximum(right - left, bottom - top)):
        kinds &= np.abs(side[:, None] - side[None, :]) <= np.maximum(2, 0.2 * side)[None, :]
    return kinds


def same_size(a: Box, b: Box) -> bool:
    """Of one size, perhaps turned by a quarter."""
    first, second = sorted((width(a), height(a))), sorted((width(b), height(b)))
    return all(abs(x - y) <= max(2, 0.2 * y) for x, y in zip(first, second, strict=True))


def _sides(box: Box, texts: Sequence[Text], reach: float) -> dict[str, tuple[float, int]]:
    """On each side the nearest text: how far away, and which."""
    if not texts:
        return {}
    left, top, right, bottom = np.asarray([text.box for text in texts], np.float64).T
    across = np.minimum(right, box[2]) - np.maximum(left, box[0])
    down = np.minimum(bottom, box[3]) - np.maximum(top, box[1])
    gap = np.maximum(0, np.maximum(-across, -down))
    tall = bottom - top
    corner = (-across <= _CORNER * tall) & (-down <= _CORNER * tall)
    close = (gap <= np.maximum(reach * height(box), 2.0 * tall)) & ((across > 0) | (down > 0) | corner)
    nearest: dict[str, tuple[float, int]] = {}
    middle = centre(box)
    for i in np.flatnonzero(close).tolist():
        aside_x, aside_y = (left[i] + right[i]) / 2 - middle[0], (top[i] + bottom[i]) / 2 - middle[1]
        if down[i] <= 0 or (across[i] > 0 and abs(aside_y) >= 0.4 * height(box)):
            side, aside = ("below" if aside_y > 0 else "above"), abs(aside_x)
        else:
            side, aside = ("right" if aside_x > 0 else "left"), abs(aside_y)
        off = max(0.0, -float(across[i])) + max(0.0, -float(down[i])) - float(gap[i])
        cost = float(gap[i] + off + 0.25 * aside)
        if side not in nearest or cost < nearest[side][0]:
            nearest[side] = cost, i
    return nearest
