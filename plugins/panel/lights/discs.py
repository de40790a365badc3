"""Discs: round lamps, dots and round symbols, however they are shaded.

A lamp drawn in space has a rim, a highlight and shades, and a pump has a sign on it: no area of theirs is a disc, but
all that stands on the picture's large even areas is. Order: coloured shapes → other shapes, without the thin lines that
join them → those whose outline is a circle → colour of each, without highlights.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from agent.api import Box
from plugins.panel.geometry import centre, height, width
from plugins.panel.lights.colors import Color, Pixels, color_name
from plugins.panel.lights.marks import Mark
from plugins.panel.lights.regions import Scene

__all__ = ["Standing", "find_discs", "standing_out", "strong_color"]

_MAX_PART = 0.2
"""Largest side of a disc, in parts of the picture's shorter side."""
_STRONG, _COLORED = 40, 92
"""A coloured pixel's channels are so far apart, and so many 256ths of the strongest."""
_MIN_SIDE = 7
_ASPECT = 1.22
_FILLED = (0.66, 0.9)
_CIRCLE = 0.8
"""Share of the smallest circle around a disc that it fills; a square fills 0.64, a triangle less."""
_THIN = 5
"""Lines thinner than this do not join shapes, in pixels."""
_EACH = 4
_EDGE = 50
"""Neighbours that differ by this much are an edge of something drawn; highlights fade."""
_DRAWN = 0.06
"""Share of the inner part of a disc that such edges cover, where it is a symbol or an icon."""
_MOST = 400


@dataclass(frozen=True, slots=True, eq=False)
class Standing:
    """What stands out from the large even areas: 255 where something does, of the scene's size."""

    every: Pixels
    colored: Pixels
    """The part of it that is strongly coloured."""
    strong: Pixels
    """Everything that is strongly coloured."""
    labels: NDArray[np.int32]
    """For each pixel the index of the coloured shape that it belongs to, or 0."""
    stats: NDArray[np.int64]
    """For each coloured shape: left, top, width, height, pixels."""


def standing_out(scene: Scene) -> Standing:
    """Part the scene's small shapes from its large areas."""
    red, green, blue = cv2.split(scene.pixels)
    top, low = cv2.max(cv2.max(red, green), blue), cv2.min(cv2.min(red, green), blue)
    least = cv2.max(cv2.convertScaleAbs(top, alpha=_COLORED / 256), np.full_like(top, _STRONG))
    strong = np.asarray(cv2.compare(cv2.subtract(top, low), least, cv2.CMP_GE), np.uint8)
    stats = scene.stats
    most = max(24.0, _MAX_PART * min(scene.pixels.shape[:2]))
    small = np.where(np.maximum(stats[:, 2], stats[:, 3]) > most, np.uint8(0), np.uint8(255))
    small[0] = 255
    every = np.take(small, scene.labels)
    plain = np.where(small, small, _plain(scene, strong))
    colored = np.asarray(cv2.bitwise_and(strong, np.take(plain, scene.labels)), np.uint8)
    _, labels, shapes, _ = cv2.connectedComponentsWithStats(colored, connectivity=4, ltype=cv2.CV_32S)
    return Standing(every, colored, strong, np.asarray(labels, np.int32), np.asarray(shapes, np.int64))


def _plain(scene: Scene, strong: Pixels) -> Pixels:
    """For each area 255 where most of it is not coloured: a lamp whose glow fades into it is a part of it."""
    labels = scene.labels[::_EACH, ::_EACH].ravel()
    count = len(scene.stats)
    colored = np.bincount(labels[strong[::_EACH, ::_EACH].ravel() > 0], minlength=count)
    return np.where(2 * colored < np.bincount(labels, minlength=count), np.uint8(255), np.uint8(0))


def find_discs(scene: Scene, standing: Standing) -> list[Mark]:
    """Every disc, coloured ones first; no two in one place. One that something is drawn on has the shape `other`."""
    found: list[Mark] = []
    for box, area in [*_colored(standing), *_others(standing.every)]:
        if not any(_same_place(box, other.box) for other in found):
            color = strong_color(scene, box)
            shape = "other" if _is_drawn_on(scene, box) else "disc"
            found.append(Mark(box, color, color_name(color), shape, area))
    return found


def strong_color(scene: Scene, box: Box) -> Color:
    """The colour of the inner part of a shape, without highlights: of its more strongly coloured half."""
    by_x, by_y = width(box) // 5, height(box) // 5
    inside = scene.pixels[box[1] + by_y : box[3] - by_y, box[0] + by_x : box[2] - by_x].reshape(-1, 3)
    spread = np.ptp(inside, axis=1)
    red, green, blue = np.median(inside[spread >= np.median(spread)], axis=0)
    return int(red), int(green), int(blue)


def _colored(standing: Standing) -> list[tuple[Box, int]]:
    """Coloured discs: boxes and areas, the largest first."""
    found = []
    for index, box in _compact(standing.stats, standing.labels.shape, _MIN_SIDE):
        own = standing.labels[box[1] : box[3], box[0] : box[2]] == index
        full = _round_area(np.where(own, np.uint8(255), np.uint8(0)))
        if full:
            found.append((box, full))
    return found


def _others(every: Pixels) -> list[tuple[Box, int]]:
    """The same of all colours, looked for at half the size."""
    opened = np.asarray(cv2.morphologyEx(every, cv2.MORPH_OPEN, np.ones((_THIN, _THIN), np.uint8)), np.uint8)
    half = np.ascontiguousarray(opened[::2, ::2])
    _, _, stats, _ = cv2.connectedComponentsWithStats(half, connectivity=4, ltype=cv2.CV_32S)
    found = []
    for _, (left, top, right, bottom) in _compact(np.asarray(stats, np.int64), half.shape, _MIN_SIDE // 2):
        x, y = max(0, 2 * left - 1), max(0, 2 * top - 1)
        part = opened[y : 2 * bottom, x : 2 * right]
        rows, columns = np.flatnonzero(part.any(axis=1)), np.flatnonzero(part.any(axis=0))
        part = part[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
        full = _round_area(part) if min(part.shape) >= _MIN_SIDE else 0
        if full:
            x, y = x + int(columns[0]), y + int(rows[0])
            found.append(((x, y, x + part.shape[1], y + part.shape[0]), full))
    return found


def _compact(stats: NDArray[np.int64], size: tuple[int, ...], least: int) -> list[tuple[int, Box]]:
    """Indices and boxes of shapes that are about as wide as high, the largest first."""
    left, top, wide, high, area = stats.T
    short, long = np.minimum(wide, high), np.maximum(wide, high)
    fits = (short >= least) & (long <= np.maximum(_ASPECT * short, short + 2)) & (long <= _MAX_PART * min(size))
    fits &= area >= 0.3 * wide * high
    fits[0] = False
    chosen = np.flatnonzero(fits)
    chosen = chosen[np.argsort(-area[chosen], kind="stable")][:_MOST]
    boxes = np.stack([left, top, left + wide, top + high], axis=1)[chosen].tolist()
    return [(index, (a, b, c, d)) for index, (a, b, c, d) in zip(chosen.tolist(), boxes, strict=True)]


def _round_area(part: Pixels) -> int:
    """Pixels within its outline where that is a circle, or else 0."""
    outlines, _ = cv2.findContours(part, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    outline = max(outlines, key=len)
    high, wide = part.shape
    # An outline runs through the middles of its pixels, so half a pixel is missing all around.
    full = cv2.contourArea(outline) + 0.5 * cv2.arcLength(outline, True) + 1
    _, radius = cv2.minEnclosingCircle(outline)
    filled = full / (wide * high)
    is_round = _FILLED[0] <= filled <= _FILLED[1] and full >= _CIRCLE * np.pi * (radius + 0.5) ** 2
    return round(full) if is_round else 0


def _same_place(a: Box, b: Box) -> bool:
    (x, y), (left, top, right, bottom) = centre(a), b
    return left <= x < right and top <= y < bottom


def _is_drawn_on(scene: Scene, box: Box) -> bool:
    """Colours change at once in its inner part: highlights of lamps fade, signs and icons have edges."""
    by_x, by_y = width(box) // 4, height(box) // 4
    inside = scene.pixels[box[1] + by_y : box[3] - by_y, box[0] + by_x : box[2] - by_x].astype(np.int16)
    return bool((np.abs(np.diff(inside, axis=1)).max(axis=2) >= _EDGE).mean() > _DRAWN)
