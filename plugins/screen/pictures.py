"""Pictures of a screen compared, and what is drawn on them as rectangles. Nothing is read here.

changes    where two pictures of one size differ, as few boxes
regions    areas of one colour with four straight sides: buttons, fields, groups, windows
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from agent.api import Box

__all__ = [
    "Pixels",
    "Region",
    "area",
    "centre",
    "changes",
    "find_regions",
    "grown",
    "holds",
    "overlap",
    "same_there",
    "union",
]

Pixels = NDArray[np.uint8]
_STEP = 12
"""Grey levels that are no difference: the noise of a lossy encoding."""
_JOIN_PX = 13
"""Changes closer to each other are one."""
_EDGE = 7
"""Grey levels between two neighbours that part two areas; less is a shading."""
_LEAST_SIDE_PX = 8
_COVERED, _TOUCHED = 0.72, 0.2
"""Of each side of a rectangle; of the one side that a text may touch."""
_FILLED = 0.3
_DEEP_PX = 8
"""A side is looked for so far into the box: the line around a group may stand within it."""
_MOST_REGIONS = 600


@dataclass(frozen=True, slots=True)
class Region:
    """A rectangle of one colour; what is printed on it does not belong to it."""

    box: Box
    color: tuple[int, int, int]
    """RGB, 0 to 255: the median."""


def area(box: Box) -> int:
    """Pixels in a box."""
    return max(0, box[2] - box[0]) * max(0, box[3] - box[1])


def centre(box: Box) -> tuple[int, int]:
    """The pixel in its middle."""
    return (box[0] + box[2]) // 2, (box[1] + box[3]) // 2


def overlap(one: Box, other: Box) -> int:
    """Pixels that both hold."""
    return area((max(one[0], other[0]), max(one[1], other[1]), min(one[2], other[2]), min(one[3], other[3])))


def holds(outer: Box, place: tuple[int, int]) -> bool:
    """Whether a pixel lies in a box."""
    return outer[0] <= place[0] < outer[2] and outer[1] <= place[1] < outer[3]


def union(boxes: Sequence[Box]) -> Box:
    """The smallest box that holds them all; at least one."""
    lefts, tops, rights, bottoms = zip(*boxes, strict=True)
    return min(lefts), min(tops), max(rights), max(bottoms)


def grown(box: Box, by: int, size: tuple[int, int]) -> Box:
    """With so much around it, as far as the picture reaches.

    :param size: width and height of the picture.
    """
    return max(0, box[0] - by), max(0, box[1] - by), min(size[0], box[2] + by), min(size[1], box[3] + by)


def same_there(one: Pixels, other: Pixels, box: Box) -> bool:
    """Whether two pictures of one size show the same in a box."""
    if one.shape != other.shape:
        return False
    left, top, right, bottom = box
    first, second = one[top:bottom, left:right], other[top:bottom, left:right]
    return first.size == 0 or int(cv2.absdiff(first, second).max()) <= _STEP


def changes(one: Pixels, other: Pixels) -> tuple[Box, ...]:
    """Where two pictures of one size differ, the largest first; all of it where they differ in size."""
    if one.shape != other.shape:
        return ((0, 0, other.shape[1], other.shape[0]),)
    differ = _largest(cv2.absdiff(one, other)) > _STEP
    if not differ.any():
        return ()
    near = cv2.dilate(differ.astype(np.uint8), np.ones((_JOIN_PX, _JOIN_PX), np.uint8))
    count, labels, stats, _ = cv2.connectedComponentsWithStats(near)
    boxes = []
    for index in range(1, count):
        x, y, wide, high, _ = (int(number) for number in stats[index])
        rows, columns = np.nonzero(differ[y : y + high, x : x + wide] & (labels[y : y + high, x : x + wide] == index))
        if len(rows):
            boxes.append(
                (x + int(columns.min()), y + int(rows.min()), x + int(columns.max()) + 1, y + int(rows.max()) + 1)
            )
    return tuple(sorted(boxes, key=area, reverse=True))


def find_regions(pixels: Pixels) -> tuple[Region, ...]:
    """Rectangles of one colour, the smallest first.

    :param pixels: height × width × 3, RGB.
    """
    right = _largest(cv2.absdiff(pixels[:, 1:], pixels[:, :-1]))
    below = _largest(cv2.absdiff(pixels[1:], pixels[:-1]))
    flat = np.ones(pixels.shape[:2], np.uint8)
    flat[:, 1:] &= right <= _EDGE
    flat[1:] &= below <= _EDGE
    count, labels, stats, _ = cv2.connectedComponentsWithStats(flat, connectivity=4)
    wide, high, filled = stats[:, cv2.CC_STAT_WIDTH], stats[:, cv2.CC_STAT_HEIGHT], stats[:, cv2.CC_STAT_AREA]
    fits = (wide >= _LEAST_SIDE_PX) & (high >= _LEAST_SIDE_PX) & (filled >= _FILLED * wide * high)
    fits[0] = False
    found = []
    for index in sorted(np.flatnonzero(fits[:count]).tolist(), key=lambda i: -int(filled[i]))[:_MOST_REGIONS]:
        x, y, w, h = (int(number) for number in stats[index, :4])
        own = labels[y : y + h, x : x + w] == index
        if _has_sides(own):
            colors = pixels[y : y + h, x : x + w][own]
            red, green, blue = (int(number) for number in np.median(colors[:: max(1, len(colors) // 500)], axis=0))
            found.append(Region((x, y, x + w, y + h), (red, green, blue)))
    return tuple(sorted(found, key=lambda region: area(region.box)))


def _largest(differences: NDArray[Any]) -> Pixels:
    """The largest of the three channels of each pixel."""
    red, green, blue = cv2.split(differences)
    return np.asarray(cv2.max(cv2.max(red, green), blue), np.uint8)


def _has_sides(own: NDArray[np.bool_]) -> bool:
    """Whether an area reaches its box along its sides; rounded corners may be missing, and a text may touch a side."""
    deep = max(1, min(_DEEP_PX, min(own.shape) // 8))
    sides = own[:deep].any(axis=0), own[-deep:].any(axis=0), own[:, :deep].any(axis=1), own[:, -deep:].any(axis=1)
    least, *others = sorted(float(side.mean()) for side in sides)
    return least >= _TOUCHED and min(others) >= _COVERED
