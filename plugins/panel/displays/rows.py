"""Where digits of a display may stand: rows of strokes of one height, at any size, dark on light or light on dark.

What is thinner than a stroke may be is lifted off whatever lies behind it (black-hat and top-hat), so the edges of
bezels and windows do not count. Segments are joined to digits at a scale at which their gaps close; three scales, each
half of the one before, see digits from a sixtieth of the photo's longest side to most of its height.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from agent.api import Box
from plugins.panel.geometry import joined

__all__ = ["Row", "find_rows"]

Pixels = NDArray[np.uint8]
Grey = NDArray[np.uint8]

_SIDE = 760
_LEVELS = 3
_STROKE = 13
"""Side of the square that no stroke contains, in pixels of a level."""
_AROUND = 31
_FAINT = 9
"""Least difference from the background, of 255."""
_GHOST = 0.42
"""A stroke is at least this part as strong as the strongest near it: unlit segments are not."""
_LOW, _HIGH = 13, 68
"""Heights of digits that a level looks for."""
_UPRIGHT = np.ones((3, 1), np.uint8)
_SQUARE = np.ones((3, 3), np.uint8)
"""Gaps within a digit are closed upwards; where digits are small beside the gaps between them, sideways too."""
_MAX_BLOBS = 400
_MAX_ROWS = 16


@dataclass(frozen=True, slots=True)
class Row:
    """Strokes that stand side by side at one height."""

    boxes: tuple[Box, ...]
    """From the left, in pixels of the image; pieces of a digit may be missing."""
    light: bool
    """Light on dark."""

    @property
    def box(self) -> Box:
        return joined(self.boxes)

    @property
    def height(self) -> float:
        return float(np.median([b[3] - b[1] for b in self.boxes]))


def find_rows(pixels: Pixels) -> tuple[Row, ...]:
    """Candidates, largest first; most of them are texts and patterns.

    :param pixels: height × width × 3, 8 bits.
    """
    height, width = pixels.shape[:2]
    scale = min(1.0, _SIDE / max(height, width))
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    colour = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA) if scale < 1 else pixels
    grey: Grey = np.asarray(cv2.transform(colour, np.full((1, 3), 1 / 3)), np.uint8).reshape(colour.shape[:2])
    rows: list[Row] = []
    for level in range(_LEVELS):
        if level:
            grey = np.asarray(cv2.resize(grey, (max(1, grey.shape[1] // 2), max(1, grey.shape[0] // 2))), np.uint8)
        if min(grey.shape) < _LOW:
            break
        last = level == _LEVELS - 1
        factor = np.array([width / grey.shape[1], height / grey.shape[0]] * 2)
        for light in (False, True):
            rows += [Row(boxes, light) for boxes in _rows_at(grey, light, factor, first=level == 0, last=last)]
    return tuple(_distinct(sorted(rows, key=lambda row: (-len(row.boxes), -row.height)))[:_MAX_ROWS])


def _rows_at(
    grey: Grey, light: bool, factor: NDArray[np.float64], *, first: bool, last: bool
) -> Iterator[tuple[Box, ...]]:
    blobs = _blobs(grey, light, first=first, last=last)
    for group in _groups(blobs):
        found = blobs[group]
        found = found[np.argsort(found[:, 0])]
        yield tuple(
            (int(a), int(b), int(c), int(d)) for a, b, c, d in np.rint(found[:, :4] * factor).astype(np.int64).tolist()
        )


def _blobs(grey: Grey, light: bool, *, first: bool, last: bool) -> NDArray[np.int64]:
    """Strokes joined to glyphs of a height to look for: left, top, right, bottom."""
    square = np.ones((_STROKE, _STROKE), np.uint8)
    lifted = cv2.morphologyEx(grey, cv2.MORPH_TOPHAT if light else cv2.MORPH_BLACKHAT, square)
    near = cv2.dilate(lifted, np.ones((_AROUND, _AROUND), np.uint8))
    floor = np.maximum(cv2.convertScaleAbs(near, alpha=_GHOST), np.uint8(_FAINT))
    mask = np.asarray(lifted > floor, np.uint8)
    kernels = (_UPRIGHT,) if first else (_UPRIGHT, _SQUARE)
    closed = [cv2.morphologyEx(mask, cv2.MORPH_CLOSE, kernel) for kernel in kernels]
    stats = np.concatenate([cv2.connectedComponentsWithStats(c, connectivity=8)[2][1:] for c in closed])
    left, top, wide, high, area = stats.T.astype(np.int64)
    most = grey.shape[0] if last else _HIGH
    fits = (high >= _LOW) & (high <= most) & (wide <= high) & (wide * 14 >= high) & (area * 10 >= wide * high)
    found = np.stack([left, top, left + wide, top + high], axis=1)[fits]
    return np.asarray(found[np.argsort(found[:, 1] - found[:, 3])][:_MAX_BLOBS], np.int64)


def _groups(blobs: NDArray[np.int64]) -> Iterator[NDArray[np.intp]]:
    """Blobs of about one height beside each other; at least two, and not bars alone."""
    if len(blobs) < 2:
        return
    left, top, right, bottom = blobs.T.astype(np.float64)
    high, middle = bottom - top, (top + bottom) / 2
    larger = np.maximum(high[:, None], high[None])
    gap = np.maximum(left[:, None] - right[None], left[None] - right[:, None])
    tied = (
        (np.abs(high[:, None] - high[None]) <= 0.25 * larger)
        & (np.abs(middle[:, None] - middle[None]) <= 0.3 * larger)
        & (gap <= 1.7 * larger)
        & (gap >= -0.35 * larger)
    )
    seen = np.zeros(len(blobs), bool)
    for start in range(len(blobs)):
        if seen[start]:
            continue
        group, fresh = np.zeros(len(blobs), bool), np.zeros(len(blobs), bool)
        group[start] = fresh[start] = True
        while fresh.any():
            fresh = tied[fresh].any(axis=0) & ~group
            group |= fresh
        seen |= group
        members = np.flatnonzero(group)
        if len(members) >= 2 and ((right - left)[members] >= 0.36 * high[members]).any():
            yield members


def _distinct(rows: list[Row]) -> list[Row]:
    """Of rows that two scales saw alike, the one with more digits."""
    kept: list[Row] = []
    for row in rows:
        if not any(row.light == other.light and _alike(row, other) for other in kept):
            kept.append(row)
    return kept


def _alike(row: Row, other: Row) -> bool:
    a, b = row.box, other.box
    shared = max(0, min(a[2], b[2]) - max(a[0], b[0])) * max(0, min(a[3], b[3]) - max(a[1], b[1]))
    smaller = min((a[2] - a[0]) * (a[3] - a[1]), (b[2] - b[0]) * (b[3] - b[1]))
    return shared > 0.6 * smaller and 0.7 < row.height / max(1.0, other.height) < 1.4
