"""Warning signs in red and amber: discs, triangles and rings with an exclamation mark, and bells that ring.

A sign is one coloured shape whose only hole is a narrow upright mark in its middle, or a ring around such a mark. A
bell is as wide as high, symmetric, narrow above and wide below. Its message is what stands right of it.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from agent.api import Box, Lamp, Text
from plugins.panel.geometry import centre, height, overlap_x, overlap_y, same_line, width
from plugins.panel.grammar import is_moment
from plugins.panel.lights.colors import Color, color_name, saturation
from plugins.panel.lights.discs import Standing
from plugins.panel.lights.marks import Mark, can_label, labels_for, tidy
from plugins.panel.lights.regions import Scene, clip, grown

__all__ = ["find_signs"]

_SIDES = (10, 64)
_ASPECT = (0.7, 1.4)
_STRONG = 0.6
_MARK_HIGH, _MARK_WIDE, _OFF = 0.28, 0.34, 0.12
"""The mark of a sign: at least so high, at most so wide, and so far from the middle, in parts of the sign."""
_CONVEX = 0.88
_FILLED = (0.42, 0.92)
"""Share of its box that a sign fills, mark included: a triangle half of it, a disc 0.79."""
_HOLE = (0.02, 0.35)
_RING = 0.45
"""A ring covers less than this of what it encloses."""
_MIRRORED = 0.84
_BELL_TOP, _BELL_MIDDLE, _BELL_FILLED = 0.6, 0.58, (0.45, 0.82)
_CLAPPER = 0.6
"""The lowest line of a bell is narrower than this part of it, or its clapper hangs below."""
_MOST = 120


def find_signs(
    scene: Scene, standing: Standing, marks: Sequence[Mark], texts: Sequence[Text], skip: frozenset[int]
) -> list[Lamp]:
    """Signs with what they say, as lamps with boxes in pixels of the scene.

    :param skip: indices of texts that belong to tables, or name readings: a row of events tells its own colour.
    """
    names = [text for text in texts if can_label(text)]
    found: list[Lamp] = []
    for box, color, kind in _shapes(scene, standing, texts):
        event = sum(_dates(texts[i], box) for i in skip) == 1
        if not event and not any(_part_of(box, other.box) for other in marks):
            found.append(Lamp(_meaning(scene, box, kind, names), color_name(color), "lit", box))
    return found


def _dates(text: Text, sign: Box) -> bool:
    """It says when the event happened in whose row the sign stands."""
    return same_line(text.box, sign) and text.box[2] <= sign[0] and is_moment(text.text)


def _shapes(scene: Scene, standing: Standing, texts: Sequence[Text]) -> list[tuple[Box, Color, str]]:
    """Red and amber shapes that are a sign or a bell, and which."""
    colored, labels = standing.colored, standing.labels
    left, top, wide, high, _ = standing.stats.T
    fits = (np.minimum(wide, high) >= _SIDES[0]) & (np.maximum(wide, high) <= _SIDES[1])
    fits &= (wide >= _ASPECT[0] * high) & (wide <= _ASPECT[1] * high)
    fits[0] = False
    found = []
    for index in np.flatnonzero(fits)[:_MOST].tolist():
        x, y, w, h = (int(n) for n in (left[index], top[index], wide[index], high[index]))
        box = (x, y, x + w, y + h)
        part = labels[y : y + h, x : x + w] == index
        red, green, blue = np.median(scene.pixels[y : y + h, x : x + w][part], axis=0)
        color = int(red), int(green), int(blue)
        if color_name(color) not in ("red", "amber") or saturation(color) < _STRONG or _in_text(box, texts):
            continue
        kind = _kind(part, colored[y : y + h, x : x + w] > 0)
        kind = kind or _kind(_cut(part), colored[y : y + h, x : x + w] > 0)
        clapper = colored[y + h : y + h + max(3, h // 4), x + w // 3 : x + w - w // 3]
        if kind == "bell" and part[-1].mean() > _CLAPPER and not clapper.any():
            continue
        if kind:
            found.append((box, color, kind))
    return found


def _kind(part: NDArray[np.bool_], colored: NDArray[np.bool_]) -> str:
    """sign | bell, or empty."""
    high, wide = part.shape
    outlines, _ = cv2.findContours(part.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    if not outlines:
        return ""
    outline = max(outlines, key=len)
    full = np.zeros((high, wide), np.uint8)
    cv2.drawContours(full, [outline], -1, 1, cv2.FILLED)
    inside = full > 0
    part = part & inside
    share, solid = float(inside.mean()), float(part.sum() / max(1, inside.sum()))
    if _is_bell(inside) and solid > 0.95:
        return "bell"
    convex = cv2.contourArea(outline) >= _CONVEX * max(1.0, cv2.contourArea(cv2.convexHull(outline)))
    if not convex or not _FILLED[0] <= share <= _FILLED[1]:
        return ""
    if solid < _RING:
        return "sign" if _is_mark(colored & inside & ~part) else ""
    return "sign" if _HOLE[0] <= 1 - solid <= _HOLE[1] and _is_mark(inside & ~part) else ""


def _cut(part: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Without what hangs on it by a thin line."""
    whole, _ = cv2.findContours(part.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    solid = np.zeros(part.shape, np.uint8)
    cv2.drawContours(solid, whole, -1, 1, cv2.FILLED)
    cut: NDArray[np.bool_] = part & (cv2.morphologyEx(solid, cv2.MORPH_OPEN, np.ones((3, 3), np.uint8)) > 0)
    return cut


def _is_mark(mark: NDArray[np.bool_]) -> bool:
    """Narrow, upright, in the middle."""
    high, wide = mark.shape
    rows, columns = np.flatnonzero(mark.any(axis=1)), np.flatnonzero(mark.any(axis=0))
    if not len(rows):
        return False
    tall, across = rows[-1] - rows[0] + 1, columns[-1] - columns[0] + 1
    off = abs((columns[0] + columns[-1]) / 2 - (wide - 1) / 2)
    return bool(tall >= _MARK_HIGH * high and across <= max(3, _MARK_WIDE * wide) and off <= max(1, _OFF * wide))


def _is_bell(inside: NDArray[np.bool_]) -> bool:
    high, wide = inside.shape
    mirrored = inside[:, ::-1]
    alike = (inside & mirrored).sum() / max(1, (inside | mirrored).sum())
    rows = inside.sum(axis=1) / wide
    top, middle, low = rows[: max(1, high // 6)].mean(), rows[high // 2], rows[int(0.6 * high) :].max()
    even = bool(np.all(np.diff(rows[: int(0.75 * high)]) >= -1.5 / wide))
    shaped = top <= _BELL_TOP and _BELL_MIDDLE <= middle < 0.9 and low >= 0.95 and rows.argmax() >= 0.6 * high
    return bool(alike >= _MIRRORED and even and shaped and _BELL_FILLED[0] <= inside.mean() <= _BELL_FILLED[1])


def _in_text(box: Box, texts: Sequence[Text]) -> bool:
    """A letter of a coloured word; a sign before a word may be in the box of its text."""
    x, y = centre(box)
    return any(
        text.box[0] + height(text.box) < x < text.box[2]
        and text.box[1] < y < text.box[3]
        and len(text.text.strip()) > 1
        for text in texts
    )


def _part_of(sign: Box, other: Box) -> bool:
    """It is drawn on a larger shape, as a part of an icon."""
    (left, top, right, bottom), (x, y) = other, centre(sign)
    return left < x < right and top < y < bottom and width(other) > 1.5 * width(sign)


def _meaning(scene: Scene, sign: Box, kind: str, names: Sequence[Text]) -> str:
    """The message right of a sign, the name around it, or what kind of sign it is."""
    if kind == "bell":
        return "notification bell"
    tall = height(sign)
    names = [name for name in names if overlap_x(name.box, sign) <= 0 or overlap_y(name.box, sign) <= 0]
    messages = [
        text
        for text in names
        if 0 <= text.box[0] - sign[2] < 1.5 * tall and abs(centre(text.box)[1] - centre(sign)[1]) < 2 * tall
    ]
    if messages:
        return tidy(min(messages, key=lambda text: abs(centre(text.box)[1] - centre(sign)[1])).text)
    if _on_icon(scene, sign):
        return "notification badge"
    (label,) = labels_for([sign], names, reach=0.5)
    return tidy(names[label].text) if label is not None else "warning sign"


def _on_icon(scene: Scene, sign: Box) -> bool:
    """It covers the corner of an icon, whose rest stands around it."""
    by = max(3, width(sign) // 2)
    left, top, right, bottom = clip(grown(sign, by), scene.pixels)
    around = scene.pixels[top:bottom, left:right].astype(np.int16)
    ground = np.asarray(scene.ring(sign, by), np.int16)
    other = np.abs(around - ground).max(axis=2) > 60
    inner_top, inner_left = sign[1] - top, sign[0] - left
    other[
        max(0, inner_top - 1) : inner_top + height(sign) + 1,
        max(0, inner_left - 1) : inner_left + width(sign) + 1,
    ] = False
    return bool(other.mean() > 0.04)
