"""Where dials are: round shapes with a scale in them, arcs of numbers that rise, and photos of one meter.

Order: round outlines (with two numbers in them, or ticks that point at the middle) → rings of which an arc is seen,
with numbers beside it → arcs of numbers that no outline holds → the whole of a small picture with few texts. Nothing
here decides that there is a gauge: it only says where a closer look may pay.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from agent.api import Box, Text
from plugins.panel.gauges.numerals import printed_number
from plugins.panel.gauges.outlines import Outline, Shapes
from plugins.panel.gauges.pivot import circle_through, line_pivots, segments_of
from plugins.panel.geometry import centre, height, width
from plugins.panel.scaling import scaled_by

__all__ = ["MIN_SIDE_PX", "Dial", "find_dials"]

Pixels = NDArray[np.uint8]
Grey = NDArray[np.uint8]
Floats = NDArray[np.float64]
MIN_SIDE_PX = 56
"""A smaller dial has no scale that could be read."""
_MIN_REDUCED_PX = 26
_MAX_DIALS = 12
_MIN_RADIUS = 2.4
"""Of the circle that numbers stand on, in heights of theirs."""
_MIN_BESIDE = 3
"""Numbers beside an arc, from which on it may be a dial."""
_MAX_NUMBERS = 200
_WHOLE_SIDE_PX = 1200
_WHOLE_WORK_PX = 480
_WHOLE_TEXTS = 40
_TICK_SECTORS, _FEW_SECTORS = 24, 8
"""Directions that ticks are counted in, and in how many of them there are some beside numbers on an arc."""


@dataclass(frozen=True, slots=True)
class Dial:
    """A place to look at closely."""

    box: Box
    middle: tuple[float, float] | None
    """Of the outline, in pixels of the image; None where none was seen."""
    is_open: bool = False
    """Only an arc was seen, or numbers on one: many things have these."""


def find_dials(grey: Grey, texts: Sequence[Text], shapes: Shapes) -> list[Dial]:
    """Places where a dial may be, the most promising first.

    :param grey: height × width, 8 bits.
    :param shapes: what is round on it.
    """
    rows, columns = grey.shape
    if min(rows, columns) < MIN_SIDE_PX:
        return []
    numbers = [(text, value) for text in texts if (value := printed_number(text.text)) is not None][:_MAX_NUMBERS]
    dials: list[Dial] = []
    for outline in shapes.outlines:
        if len(dials) < _MAX_DIALS and not any(_holds(dial.box, outline) for dial in dials):
            inside = [text for text, _ in numbers if _within(outline, text)]
            fills = len(inside) >= 2 and 4 * outline.size > min(rows, columns)
            if len(inside) >= 4 or fills or _has_ticks(grey, outline):
                dials.append(_dial(outline, inside, rows, columns))
    for ring in shapes.rings:
        circle = Outline(ring.x, ring.y, ring.radius, ring.radius)
        if len(dials) < _MAX_DIALS and not any(_holds(dial.box, circle) for dial in dials):
            beside = [text for text, _ in numbers if _is_beside(circle, text)]
            if len(beside) >= _MIN_BESIDE and _is_drawn(grey, circle):
                dials.append(replace(_dial(circle, beside, rows, columns), is_open=True))
    for x, y, radius in _arcs(numbers):
        circle = Outline(x, y, radius, radius)
        known = any(_holds(dial.box, circle) for dial in dials)
        if len(dials) < _MAX_DIALS and not known and _is_drawn(grey, circle):
            dials.append(Dial(_clipped(x, y, 1.6 * radius, 1.6 * radius, rows, columns), None, True))
    whole = (0, 0, columns, rows)
    small = max(rows, columns) <= _WHOLE_SIDE_PX and len(texts) <= _WHOLE_TEXTS
    if small and numbers and not dials and _looks_like_one(grey, texts):
        dials.append(Dial(whole, None))
    return dials


def _dial(outline: Outline, inside: Sequence[Text], rows: int, columns: int) -> Dial:
    """Numbers may stand around the outline, when it is the ring that the ticks stand on."""
    grow = 1.08
    for text in inside:
        for x, y in ((text.box[0], text.box[1]), (text.box[2], text.box[3])):
            grow = max(grow, abs(x - outline.x) / outline.wide, abs(y - outline.y) / outline.tall)
    box = _clipped(outline.x, outline.y, grow * outline.wide + 3, grow * outline.tall + 3, rows, columns)
    return Dial(box, (outline.x, outline.y))


def _within(outline: Outline, text: Text) -> bool:
    x, y = centre(text.box)
    return math.hypot((x - outline.x) / outline.wide, (y - outline.y) / outline.tall) < 1.35


def _is_beside(circle: Outline, text: Text) -> bool:
    """Along a ring, not in its middle."""
    x, y = centre(text.box)
    return 0.45 < math.hypot(x - circle.x, y - circle.y) / circle.size < 1.35


def _has_ticks(grey: Grey, outline: Outline) -> bool:
    """Short lines in many directions that point at the middle."""
    lines, point, size = _lines_in(grey, outline, 1.1)
    sectors = _ticks_around(lines, point, 0.4 * size, 1.1 * size, 0.35 * size)
    return len(np.unique(sectors)) >= 12 and len(sectors) >= 18


def _is_drawn(grey: Grey, circle: Outline) -> bool:
    """Numbers on an arc have ticks beside them, or a line that runs from the middle towards them: tables have neither.

    :param circle: through the numbers.
    """
    lines, point, size = _lines_in(grey, circle, 1.6)
    sectors = _ticks_around(lines, point, 0.4 * size, 1.6 * size, 0.35 * size)
    if len(np.unique(sectors)) >= _FEW_SECTORS:
        return True
    first, second = lines[:, :2] - point, lines[:, 2:] - point
    near, far = (choose(np.hypot(*first.T), np.hypot(*second.T)) for choose in (np.minimum, np.maximum))
    length = np.hypot(*(second - first).T)
    miss = np.abs(first[:, 0] * second[:, 1] - first[:, 1] * second[:, 0]) / np.maximum(length, 1e-6)
    # What goes on as far to the other side is a line of a table or a chart.
    needles = (miss < 0.1 * size) & (near < 0.4 * size) & (far < 1.5 * size) & (length > 0.55 * size)
    return bool((needles & (length < far + 0.6 * size)).any())


def _lines_in(grey: Grey, outline: Outline, grow: float) -> tuple[Floats, Floats, float]:
    """Straight edges around a place, its middle and its size, all in pixels of an enlarged part of the picture."""
    left, top = max(0, round(outline.x - outline.wide * grow)), max(0, round(outline.y - outline.tall * grow))
    right, bottom = round(outline.x + outline.wide * grow), round(outline.y + outline.tall * grow)
    part = grey[top : max(0, bottom), left : max(0, right)]
    if min(part.shape) < _MIN_REDUCED_PX:
        return np.zeros((0, 4)), np.zeros(2), 1.0
    ratio = min(3.0, 300 / max(part.shape))
    way = cv2.INTER_AREA if ratio < 1 else cv2.INTER_LINEAR
    lines = segments_of(scaled_by(part, ratio, way))
    return lines, np.array([(outline.x - left) * ratio, (outline.y - top) * ratio]), outline.size * ratio


def _looks_like_one(grey: Grey, texts: Sequence[Text]) -> bool:
    """A point that short lines of many directions, other than those of letters, aim at from one distance."""
    ratio = min(3.0, _WHOLE_WORK_PX / max(grey.shape))
    way = cv2.INTER_AREA if ratio < 1 else cv2.INTER_LINEAR
    scaled = scaled_by(grey, ratio, way)
    lines = segments_of(scaled)
    middle = (lines[:, :2] + lines[:, 2:]) / 2 / ratio
    for left, top, right, bottom in (text.box for text in texts):
        x, y = middle.T
        outside = (x < left) | (x >= right) | (y < top) | (y >= bottom)
        lines, middle = lines[outside], middle[outside]
    side = max(scaled.shape)
    for point in line_pivots(lines, (scaled.shape[0], scaled.shape[1])):
        sectors = _ticks_around(lines, np.array(point), 0.15 * side, 0.75 * side, 0.15 * side)
        if len(np.unique(sectors)) >= 4 and len(sectors) >= 16:
            return True
    return False


def _ticks_around(lines: Floats, point: Floats, near: float, far: float, longest: float) -> NDArray[np.intp]:
    """Of each short line that aims at a point from a distance: the sector it stands in."""
    middle, along = (lines[:, :2] + lines[:, 2:]) / 2 - point, lines[:, 2:] - lines[:, :2]
    length, away = np.hypot(*along.T), np.hypot(*middle.T)
    miss = np.abs(middle[:, 0] * along[:, 1] - middle[:, 1] * along[:, 0]) / np.maximum(length, 1e-6)
    ticks = (away > near) & (away < far) & (length < longest) & (miss < 0.12 * away)
    if not ticks.any():
        return np.zeros(0, np.intp)
    # Ticks of one scale stand at one distance.
    middle, away = middle[ticks], away[ticks]
    ring = max(away, key=lambda radius: int((np.abs(away - radius) < 0.15 * radius).sum()))
    middle = middle[np.abs(away - ring) < 0.15 * ring]
    turns = np.arctan2(middle[:, 1], middle[:, 0]) / (2 * math.pi) % 1
    return np.asarray(turns * _TICK_SECTORS, np.intp)


def _arcs(numbers: Sequence[tuple[Text, float]]) -> list[tuple[float, float, float]]:
    """Circles through four numbers that rise in equal steps and turn to the right as they do."""
    if len(numbers) < 4:
        return []
    places = np.array([centre(text.box) for text, _ in numbers])
    by_value: dict[float, list[int]] = {}
    for index, (_, value) in enumerate(numbers):
        by_value.setdefault(round(value, 6), []).append(index)
    found = []
    used: set[int] = set()
    for i, (text, value) in enumerate(numbers):
        reach = 14 * height(text.box)
        near = np.flatnonzero(np.hypot(*(places - places[i]).T) < reach)
        for j in map(int, near):
            if i in used or numbers[j][1] <= value:
                continue
            run = _run(numbers, by_value, places, [i, j])
            if len(run) >= 4 and not _is_in_line(places[run], height(text.box)):
                circle = _circle(places[run])
                wide = circle is not None and circle[2] > _MIN_RADIUS * min(height(text.box), width(text.box))
                if circle is not None and wide and not _is_crowded(places, circle, len(run)):
                    used.update(run)
                    found.append(circle)
    return found


def _run(
    numbers: Sequence[tuple[Text, float]], by_value: Mapping[float, Sequence[int]], places: Floats, run: list[int]
) -> list[int]:
    """Follow an arc: the next number is one step more, about as far on, and further to the right."""
    step = numbers[run[1]][1] - numbers[run[0]][1]
    while len(run) < 20:
        before = places[run[-1]] - places[run[-2]]
        length = math.hypot(*before)
        following = []
        for k in by_value.get(round(numbers[run[-1]][1] + step, 6), ()):
            ahead = places[k] - places[run[-1]]
            turn = math.atan2(before[0] * ahead[1] - before[1] * ahead[0], float(before @ ahead))
            far = math.hypot(*ahead)
            if 0.45 * length < far < 2.2 * length and math.radians(4) < turn < math.radians(95):
                following.append((far, k))
        if not following:
            break
        run = [*run, min(following)[1]]
    return run


def _is_crowded(places: Floats, circle: tuple[float, float, float], count: int) -> bool:
    """More numbers within than two scales and a value have: a table."""
    within = np.hypot(places[:, 0] - circle[0], places[:, 1] - circle[1]) < 1.3 * circle[2]
    return int(within.sum()) > 2 * count + 4


def _is_in_line(points: Floats, tall: int) -> bool:
    """Three in one row or column: a table. A line meets a circle in two points at most."""
    near = np.abs(points[:, None, :] - points[None, :, :]) < 0.6 * tall
    return bool((near.sum(axis=1) >= 3).any())


def _circle(points: Floats) -> tuple[float, float, float] | None:
    """Through numbers that lie on one."""
    circle = circle_through(points)
    if circle is None:
        return None
    off = np.abs(np.hypot(points[:, 0] - circle[0], points[:, 1] - circle[1]) / circle[2] - 1)
    return circle if off.max() < 0.1 else None


def _holds(box: Box, outline: Outline) -> bool:
    return box[0] <= outline.x < box[2] and box[1] <= outline.y < box[3]


def _clipped(x: float, y: float, wide: float, tall: float, rows: int, columns: int) -> Box:
    left, top = max(0, math.floor(x - wide)), max(0, math.floor(y - tall))
    return left, top, max(left + 1, min(columns, math.ceil(x + wide))), max(top + 1, min(rows, math.ceil(y + tall)))
