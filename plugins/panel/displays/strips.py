"""One row of digits made straight: upright, level, of one height, as ink from 0 (background) to 1 (a lit stroke).

Order: a line through the tops and one through the bottoms of the strokes → a rectangle → lifted off its background
along the colour in which strokes differ from it → sheared until its uprights stand.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from agent.api import Box
from plugins.panel.displays.rows import Row
from plugins.panel.scaling import scaled_by

__all__ = ["HEIGHT", "MARGIN", "Strip", "picture", "straighten", "unturned"]

Pixels = NDArray[np.uint8]
Floats = NDArray[np.float32]
Floats64 = NDArray[np.float64]

HEIGHT = 64
"""Of the digits, in pixels of a strip."""
MARGIN = 16
"""Above and below them."""
_BESIDE = 1.9
"""Left and right of the row, in heights: a leading digit that was not seen may stand there."""
_FEW, _TOGETHER = 3, 1.45
"""Lines through so few digits may not differ in distance by more than this from end to end."""
_STEEP = 0.45
_MAX_WIDTH = 1800
_BACKGROUND = 31
"""Side of the square that no stroke contains."""
_SHEARS = np.linspace(-0.3, 0.42, 9)
_FINER = (-0.045, 0.0, 0.045)
_AGAIN = (0.0, -0.08, -0.04, 0.04, 0.08)
_TURNS = (0.0, -0.16, -0.12, -0.08, -0.04, 0.04, 0.08, 0.12, 0.16)
"""By how much uprights at the end of a row lean more than in its middle: perspective."""
_EVEN = 0.5
"""Ink is made even along a row down to this part of its strongest; unlit segments must not be made strong."""


@dataclass(frozen=True, slots=True)
class Strip:
    """A straightened row."""

    ink: Floats
    """(HEIGHT + 2 MARGIN) × width, 0 to about 1."""
    left: float
    """Of its first column, in the image, at half height."""
    scale: float
    """Columns for each pixel of the image."""
    top: NDArray[np.float64]
    """The line through the tops of the digits in the image: slope and offset."""
    bottom: NDArray[np.float64]
    start: float
    """Where the row's first stroke begins, in columns of the strip."""
    end: float
    light: bool
    contrast: float
    """Between stroke and background, of 255."""
    shear: float
    """Columns for each row that the strip was sheared by."""

    def box(self, left: float, top: float, right: float, bottom: float) -> Box:
        """The upright rectangle in the image around one of the strip; it may reach beyond the image."""
        corners = [self._place(x, y) for x in (left, right) for y in (top, bottom)]
        across, down = [x for x, _ in corners], [y for _, y in corners]
        return math.floor(min(across)), math.floor(min(down)), math.ceil(max(across)), math.ceil(max(down))

    def _place(self, column: float, row: float) -> tuple[float, float]:
        lean = self.shear * (row - MARGIN - HEIGHT / 2)
        x = self.left + (column - lean) / self.scale
        top, bottom = float(np.polyval(self.top, x)), float(np.polyval(self.bottom, x))
        return x, top + (row - MARGIN) / HEIGHT * (bottom - top)


def straighten(pixels: Pixels, row: Row) -> Strip | None:
    """None where the row is too skewed, too long or has no ink."""
    edges = _edges(row)
    if edges is None:
        return None
    top, bottom = edges
    box = row.box
    tall = float(np.polyval(bottom, (box[0] + box[2]) / 2) - np.polyval(top, (box[0] + box[2]) / 2))
    if tall < 8:
        return None
    left, right = box[0] - _BESIDE * tall, box[2] + _BESIDE * tall
    scale = HEIGHT / tall
    width = round((right - left) * scale)
    if not HEIGHT <= width <= _MAX_WIDTH:
        return None
    ends = np.array([left, right])
    if (np.polyval(bottom, ends) - np.polyval(top, ends) < 0.4 * tall).any():
        return None
    ink, contrast = _ink(_warped(pixels, left, scale, width, top, bottom), row.light)
    if contrast < 6:
        return None
    beside = round(0.9 * _BESIDE * HEIGHT)
    shear = _shear_of(ink[MARGIN : MARGIN + HEIGHT, beside : width - beside])
    ink = _sheared(ink, shear, 0.0)
    start, end = _BESIDE * HEIGHT, width - _BESIDE * HEIGHT
    return Strip(ink, left, scale, top, bottom, start, end, row.light, contrast, shear)


def picture(pixels: Pixels, strip: Strip) -> Pixels:
    """The same place in its colours, not sheared: (HEIGHT + 2 MARGIN) × width × 3."""
    return _warped(pixels, strip.left, strip.scale, strip.ink.shape[1], strip.top, strip.bottom)


def unturned(strip: Strip) -> Strip:
    """The strip with its uprights parallel: seen from the side, they lean more at one end than at the other."""
    left, right = round(strip.start - 0.1 * HEIGHT), round(strip.end + 0.1 * HEIGHT)
    if right - left < 2 * HEIGHT:
        return strip
    small = _halved(strip.ink[MARGIN : MARGIN + HEIGHT, left:right])
    pairs = [(shear, turn) for turn in _TURNS for shear in _AGAIN]
    shear, turn = max(pairs, key=lambda pair: _upright(small, *pair))
    ink = _sheared(strip.ink, shear, turn * strip.ink.shape[1] / (right - left))
    return replace(strip, ink=ink, shear=strip.shear + shear)


def _edges(row: Row) -> tuple[Floats64, Floats64] | None:
    """Lines through tops and bottoms: slope and offset of each.

    A few digits, of which one is lower, would make lines that run together: they only tell their common slope.
    """
    boxes = np.array(sorted(set(row.boxes)), np.float64)
    middle = (boxes[:, 0] + boxes[:, 2]) / 2
    degree = 1 if np.ptp(middle) > 0.5 * row.height else 0
    top, bottom = (_line(middle, boxes[:, side], degree, row.height) for side in (1, 3))
    ends = np.array([boxes[:, 0].min() - row.height, boxes[:, 2].max() + row.height])
    heights = np.polyval(bottom, ends) - np.polyval(top, ends)
    if len(boxes) <= _FEW and (heights.min() <= 0 or heights.max() > _TOGETHER * heights.min()):
        slope = float(np.polyfit(middle, (boxes[:, 1] + boxes[:, 3]) / 2, 1)[0]) if degree else 0.0
        top = np.array([slope, (boxes[:, 1] - slope * middle).min()])
        bottom = np.array([slope, (boxes[:, 3] - slope * middle).max()])
    steep = len(top) == 2 and max(abs(top[0]), abs(bottom[0])) > _STEEP
    return None if steep else (top, bottom)


def _line(middle: Floats64, edge: Floats64, degree: int, height: float) -> Floats64:
    """Through the edges of most boxes."""
    line = np.polyfit(middle, edge, degree)
    off = np.abs(np.polyval(line, middle) - edge)
    good = off <= max(0.12 * height, float(np.median(off)))
    if good.sum() >= 2 and good.sum() < len(good) and np.ptp(middle[good]) > 0.5 * height:
        line = np.polyfit(middle[good], edge[good], degree)
    return np.asarray(line, np.float64)


def _warped(
    pixels: Pixels, left: float, scale: float, width: int, top: NDArray[np.float64], bottom: NDArray[np.float64]
) -> Pixels:
    """The row as a picture; a large one is scaled down first, so that no pixel is passed over."""
    across = left + np.arange(width) / scale
    tops, bottoms = np.polyval(top, across), np.polyval(bottom, across)
    part = (np.arange(HEIGHT + 2 * MARGIN) - MARGIN) / HEIGHT
    down = tops[None] + part[:, None] * (bottoms - tops)[None]
    high, wide = pixels.shape[:2]
    x0, x1 = np.clip([across[0] - 2, across[-1] + 3], 0, wide).astype(int)
    y0, y1 = np.clip([down.min() - 2, down.max() + 3], 0, high).astype(int)
    x0, y0 = min(int(x0), wide - 1), min(int(y0), high - 1)
    image: Pixels = pixels[y0 : max(int(y1), y0 + 1), x0 : max(int(x1), x0 + 1)]
    shrink = min(1.0, 2 * scale)
    if shrink < 1 and min(image.shape[:2]) * shrink >= 2:
        image = scaled_by(image, shrink)
    else:
        shrink = 1.0
    columns = np.broadcast_to((across - x0 + 0.5) * shrink - 0.5, down.shape).astype(np.float32)
    rows = ((down - y0 + 0.5) * shrink - 0.5).astype(np.float32)
    warped = cv2.remap(image, columns, rows, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(warped, np.uint8)


def _ink(colour: Pixels, light: bool) -> tuple[Floats, float]:
    """How much each pixel is stroke, and the contrast of strokes."""
    square = np.ones((_BACKGROUND, _BACKGROUND), np.uint8)
    lifted = cv2.morphologyEx(colour, cv2.MORPH_TOPHAT if light else cv2.MORPH_BLACKHAT, square).astype(np.float32)
    body = lifted[MARGIN:-MARGIN]
    rough = body.mean(axis=2)
    strong = rough >= np.quantile(rough, 0.9)
    weights = body[strong].mean(axis=0)
    total = float((weights**2).sum())
    if total < 1:
        return np.zeros(colour.shape[:2], np.float32), 0.0
    ink = cv2.GaussianBlur((lifted @ (weights / total)).astype(np.float32), (0, 0), 1.0)
    inner = ink[MARGIN:-MARGIN]
    level = float(np.quantile(inner[inner > 0.4], 0.75)) if (inner > 0.4).any() else 1.0
    strongest = np.minimum(ink.max(axis=0, keepdims=True), level)
    near = cv2.dilate(strongest, np.ones((1, 2 * HEIGHT + 1), np.uint8))
    near = np.asarray(cv2.blur(near, (HEIGHT, 1)), np.float32)
    ink = ink / np.maximum(near, _EVEN * level)
    return np.minimum(ink, 1.2).astype(np.float32), float(np.sqrt(total))


def _shear_of(ink: Floats) -> float:
    """The shear at which columns differ most: uprights stand."""
    small = _halved(ink)
    coarse = float(max(_SHEARS, key=lambda shear: _upright(small, float(shear), 0.0)))
    return max((coarse + finer for finer in _FINER), key=lambda shear: _upright(small, shear, 0.0))


def _halved(ink: Floats) -> Floats:
    size = (max(4, ink.shape[1] // 2), max(4, ink.shape[0] // 2))
    return np.minimum(np.asarray(cv2.resize(ink, size, interpolation=cv2.INTER_AREA), np.float32), 1.0)


def _upright(ink: Floats, shear: float, turn: float) -> float:
    """How well uprights stand: how much columns differ."""
    columns = _sheared(ink, shear, turn).mean(axis=0)
    return float((columns**2).sum() + 2.0 * (np.diff(columns) ** 2).sum())


def _sheared(ink: Floats, shear: float, turn: float) -> Floats:
    """Rows slid sideways in proportion to their distance from the middle one; with perspective, more at one end."""
    high, wide = ink.shape
    if not turn:
        slide = np.array([[1, shear, -shear * high / 2], [0, 1, 0]], np.float64)
        return np.asarray(cv2.warpAffine(ink, slide, (wide, high), flags=cv2.INTER_LINEAR), np.float32)
    columns = np.arange(wide, dtype=np.float32)
    rows = np.arange(high, dtype=np.float32)[:, None] - high / 2
    lean = shear + turn * (2 * columns / wide - 1)
    across = (columns - lean * rows).astype(np.float32)
    down = np.broadcast_to(rows + high / 2, across.shape).astype(np.float32)
    return np.asarray(cv2.remap(ink, across, down, cv2.INTER_LINEAR), np.float32)
