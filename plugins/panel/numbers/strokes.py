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
    """How much each pixel is a light stroke and a dark one, 0 to 255: 2 × height × width.

    :param crop: height × width × 3, 8 bits, at least one pixel.
    :param tall: height of the text, in pixels of the crop.
    :param scale: what the crop is enlarged by first.
    """
    if scale > 1.0:
        crop = np.asarray(cv2.resize(crop, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC), np.uint8)
    side = max(3, round(0.4 * tall * scale)) | 1
    padded = cv2.copyMakeBorder(crop, side, side, side, side, cv2.BORDER_REPLICATE)
    kernel = np.ones((side, side), np.uint8)
    kinds = (cv2.morphologyEx(padded, way, kernel) for way in (cv2.MORPH_TOPHAT, cv2.MORPH_BLACKHAT))
    return np.stack([kind[side:-side, side:-side].max(axis=2) for kind in kinds]).astype(np.uint8)


def pieces_of(strokes: NDArray[np.uint8], level: float) -> list[Box]:
    """Connected strokes stronger than a level, without lines that run through the crop."""
    tall = strokes.shape[1]
    found = []
    for kind in strokes:
        count, _, stats, _ = cv2.connectedComponentsWithStats((kind > level).astype(np.uint8), connectivity=8)
        for left, top, wide, high, _area in stats[1:count].tolist():
            if high < tall - 2 and not (wide > 1.5 * tall and high < 0.25 * tall):
                found.append((left, top, left + wide, top + high))
    return found
