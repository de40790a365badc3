"""From the corners of a text to the pixels that the recogniser sees.

Corners are four points, clockwise from the upper left, in pixels of the image; a crop is height × width × 3, 8 bits,
with the text running from left to right.
"""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from agent.perception import Box

__all__ = [
    "Corners",
    "Pixels",
    "bounds",
    "clockwise",
    "grown",
    "ink_of",
    "lengthened",
    "runs",
    "straightened",
    "unstacked",
]

Pixels = NDArray[Any]
"""8 bits, three channels."""
Corners = NDArray[np.float32]
INK = 0.4
"""What differs from the ground by this part of the greatest difference is ink."""
SQUARE = 1.2
"""Glyphs that stand one below the other are at most this much taller than wide."""


def clockwise(corners: NDArray[Any]) -> Corners:
    """Four points in the order that corners have."""
    by_x = corners[np.argsort(corners[:, 0])]
    left = by_x[:2][np.argsort(by_x[:2, 1])]
    right = by_x[2:][np.argsort(by_x[2:, 1])]
    return np.array([left[0], right[0], right[1], left[1]], np.float32)


def bounds(corners: Corners, shape: tuple[int, ...]) -> Box:
    """The upright box around corners, at least one pixel in each direction and inside of the image."""
    left, top = np.floor(corners.min(axis=0)).astype(int)
    right, bottom = np.ceil(corners.max(axis=0)).astype(int)
    left, top = min(max(0, left), shape[1] - 1), min(max(0, top), shape[0] - 1)
    return int(left), int(top), int(min(max(left + 1, right), shape[1])), int(min(max(top + 1, bottom), shape[0]))


def straightened(image: Pixels, corners: Corners) -> Pixels:
    """The text as an upright rectangle; a plain slice where the corners are one already."""
    upper_left, upper_right, lower_right, lower_left = corners
    width = max(1, int(max(np.linalg.norm(upper_left - upper_right), np.linalg.norm(lower_right - lower_left))))
    height = max(1, int(max(np.linalg.norm(upper_left - lower_left), np.linalg.norm(upper_right - lower_right))))
    if abs(upper_left[1] - upper_right[1]) < 1 and abs(upper_left[0] - lower_left[0]) < 1:
        left, top, right, bottom = bounds(corners, image.shape)
        return image[top:bottom, left:right]
    target = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    matrix = cv2.getPerspectiveTransform(corners, target)
    warped = cv2.warpPerspective(image, matrix, (width, height), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(warped, np.uint8)


def lengthened(corners: Corners, left: float, right: float, shape: tuple[int, ...]) -> Corners:
    """Corners moved outwards along the text, in parts of its height, but not beyond the image."""
    along = corners[1] - corners[0]
    height = min(float(np.linalg.norm(corners[3] - corners[0])), float(np.linalg.norm(along)))
    step = along / max(1.0, float(np.linalg.norm(along))) * height
    moved = corners + np.array([-left, right, right, -left], np.float32)[:, None] * step
    return np.asarray(np.clip(moved, 0, [shape[1], shape[0]]), np.float32)


def grown(pixels: Pixels, box: Box, margin: float) -> Pixels:
    """A box's pixels with more around it, in parts of its height; may be empty for a box outside of the image."""
    left, top, right, bottom = box
    more = round((bottom - top) * margin)
    return pixels[max(0, top - more) : bottom + more, max(0, left - more) : right + more]


def ink_of(crop: Pixels) -> NDArray[np.float32]:
    """How much each pixel is ink, 0 to 1: its distance from the ground's colour along the direction to the ink's.

    The direction makes coloured strokes stand out that are as bright as their ground.
    """
    colors = crop.reshape(-1, 3).astype(np.float32)
    away = colors - np.median(colors, axis=0)
    far = np.linalg.norm(away, axis=1)
    ink = np.median(away[far >= np.percentile(far, 90)], axis=0)
    reach = float(ink @ ink)
    if reach < 1:
        return np.zeros(crop.shape[:2], np.float32)
    return np.asarray(np.clip(away @ (ink / reach), 0, 1).reshape(crop.shape[:2]), np.float32)


def runs(marked: Any) -> list[tuple[int, int]]:
    """Start and end (exclusive) of every run of true values in a row of them."""
    steps = np.flatnonzero(np.diff(np.concatenate(([0], marked.astype(np.int8), [0]))))
    return [(int(start), int(end)) for start, end in zip(steps[::2], steps[1::2], strict=True)]


def unstacked(crop: Pixels) -> Pixels | None:
    """Glyphs that stand one below the other, side by side instead.

    :returns: None where they are not stacked: fewer than two, or taller than glyphs are.
    """
    ink: NDArray[np.bool_] = ink_of(crop) > INK
    columns = np.flatnonzero(ink.any(axis=0))
    if not len(columns):
        return None
    width = int(columns[-1] - columns[0]) + 1
    glyphs: list[tuple[int, int]] = []
    for top, bottom in runs(ink.any(axis=1)):
        if glyphs and bottom - glyphs[-1][0] <= SQUARE * width:
            glyphs[-1] = (glyphs[-1][0], bottom)
        else:
            glyphs.append((top, bottom))
    if len(glyphs) < 2 or max(bottom - top for top, bottom in glyphs) > SQUARE * width:
        return None
    side = round(SQUARE * width)
    ground = np.median(crop.reshape(-1, 3), axis=0).astype(np.uint8)
    line = np.empty((side, side * len(glyphs), 3), np.uint8)
    line[:] = ground
    for index, (top, bottom) in enumerate(glyphs):
        glyph = crop[top:bottom, columns[0] : columns[-1] + 1]
        above, left = (side - (bottom - top)) // 2, index * side + (side - width) // 2
        line[above : above + bottom - top, left : left + width] = glyph
    return line
