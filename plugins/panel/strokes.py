"""Strokes of print on any ground: what is thinner than a glyph is lifted off whatever lies behind it.

A border between a field and its surroundings is no stroke, so ink is found on both sides of it.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from agent.api import Box

__all__ = ["pieces_of", "strokes_of"]

Pixels = NDArray[np.uint8]


def strokes_of(crop: Pixels, tall: int, scale: float) -> NDArray[np.uint8]:
    """How much each pixel is a stroke, 0 to 255.

    :param crop: height × width × 3, 8 bits, at least one pixel.
    :param tall: height of the text, in pixels of the crop.
    :param scale: what the crop is enlarged by first.
    """
    if scale > 1.0:
        crop = np.asarray(cv2.resize(crop, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC), np.uint8)
    side = max(3, round(0.4 * tall * scale)) | 1
    kernel = np.ones((side, side), np.uint8)
    light = cv2.morphologyEx(crop, cv2.MORPH_TOPHAT, kernel).max(axis=2)
    dark = cv2.morphologyEx(crop, cv2.MORPH_BLACKHAT, kernel).max(axis=2)
    return np.asarray(np.maximum(light, dark), np.uint8)


def pieces_of(strokes: NDArray[np.uint8], level: float) -> list[Box]:
    """Connected strokes stronger than a level, without lines that run through the crop."""
    count, _, stats, _ = cv2.connectedComponentsWithStats((strokes > level).astype(np.uint8), connectivity=8)
    tall = strokes.shape[0]
    return [
        (left, top, left + wide, top + high)
        for left, top, wide, high, _area in stats[1:count].tolist()
        if high < tall - 2 and not (wide > 1.5 * tall and high < 0.25 * tall)
    ]
