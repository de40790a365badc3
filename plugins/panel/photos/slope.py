"""How far lines of text fall or rise, which says how far the camera was rolled.

A line of text lies in the fewest rows along its own slope, so its ink is counted in rows of many slopes. One text says
little; what is believed is the middle of several that agree.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from agent.api import Box, Text
from plugins.panel.geometry import height, width
from plugins.panel.scaling import scaled_by

__all__ = ["find_slope", "text_slopes"]

Pixels = NDArray[Any]
"""8 bits, three channels."""

_SLOPE_TEXTS = 16
"""The longest of them tell most."""
_ENOUGH = 3
"""Texts that have to agree."""
_INK_POINTS = 2000
_MAX_SLOPE = 20.0
_MIN_SLOPE = 1.2
"""Degrees; the reader and the pairing bear less than this."""
_SPREAD = 2.5
"""Degrees that lines of text may differ in slope."""


def find_slope(slopes: Sequence[float]) -> float:
    """Degrees by which the picture's lines of text fall to the right (positive) or rise; 0.0 where they are level, few,
    or disagree.

    :param slopes: of single texts, as `text_slopes` gives them.
    """
    if len(slopes) < _ENOUGH:
        return 0.0
    middle = float(np.median(slopes))
    spread = float(np.median(np.abs(np.array(slopes) - middle)))
    return middle if abs(middle) >= _MIN_SLOPE and spread <= min(_SPREAD, 0.5 * abs(middle) + 0.3) else 0.0


def text_slopes(pixels: Pixels, texts: Sequence[Text]) -> list[float]:
    """Degrees by which each of the longest texts falls to the right; those that do not say are left out."""
    wide = [t.box for t in texts if width(t.box) >= 2.5 * height(t.box) and width(t.box) >= 40 and len(t.text) >= 4]
    chosen = sorted(wide, key=width, reverse=True)[:_SLOPE_TEXTS]
    return [slope for slope in (_slope_of(pixels, box) for box in chosen) if slope is not None]


def _slope_of(pixels: Pixels, box: Box) -> float | None:
    """Degrees that the line of text in a box falls to the right: the slope along which its ink lies in fewest rows."""
    left, top, right, bottom = box
    crop = pixels[max(0, top) : bottom, max(0, left) : right]
    if min(crop.shape[:2]) < 8:
        return None
    grey = cv2.cvtColor(np.ascontiguousarray(crop), cv2.COLOR_RGB2GRAY)
    scale = min(1.0, 320 / grey.shape[1])
    if scale < 1.0:
        grey = scaled_by(grey, scale)
    _, mask = cv2.threshold(grey, 0, 1, cv2.THRESH_BINARY | cv2.THRESH_OTSU)
    ink = mask if mask.mean() <= 0.5 else 1 - mask
    y, x = np.nonzero(ink)
    if len(x) < 30:
        return None
    every = 1 + len(x) // _INK_POINTS
    x, y = x[::every], y[::every]
    coarse = np.arange(-_MAX_SLOPE, _MAX_SLOPE + 0.1, 1.0)
    best = coarse[int(np.argmax([_peakedness(x, y, angle) for angle in coarse]))]
    fine = best + np.arange(-1.0, 1.01, 0.2)
    found = float(fine[int(np.argmax([_peakedness(x, y, angle) for angle in fine]))])
    return found if abs(found) < _MAX_SLOPE - 1 else None


def _peakedness(x: NDArray[np.int64], y: NDArray[np.int64], angle: float) -> float:
    rows = y - x * np.tan(np.deg2rad(angle))
    counts = np.bincount((rows - rows.min()).astype(int)).astype(np.float64)
    return float((counts**2).sum())
