"""Whether something lies on a text or right behind it and may hide characters: Y160M-4 may be Y160M-4W.

A reflection is burnt out where the plate is not (a white plate is white everywhere, and that is none); grease is a spot
that is thicker than the strokes of the letters and unlike the plate.
"""

from __future__ import annotations

import threading

import cv2
import numpy as np
from numpy.typing import NDArray

from agent.api import Box, Perception, Photo, upright_photo

__all__ = ["LastPhoto", "Pixels", "may_hide"]

Pixels = NDArray[np.uint8]
_BURNT = 246
"""Grey level from which a pixel shows nothing, in its darkest channel."""
_SHARE = 0.04
"""Of the pixels around a text that are burnt out where there is a reflection."""
_PLATE_SHARE = 0.35
"""From this share under the text itself, the plate is white."""
_REACH = 3.0
"""How far to both sides is looked for reflections, in heights of the text."""
_BEHIND = 1.5
"""How far behind it for grease; further on a plate may end."""
_THICK = 0.38
"""Of the text's height: no stroke of a letter is so thick."""
_UNLIKE = 55
"""Grey levels between the plate and a spot."""
_SPOT = 0.02
"""Of what is looked at that a spot takes, without its edge."""


class LastPhoto:
    """The photo that was looked at last: a tool gets what was read of it, and here what it looks like."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._photo: Photo | None = None

    def keep(self, photo: Photo) -> None:
        """It is the last one now."""
        with self._lock:
            self._photo = photo

    def upright(self, perception: Perception) -> Pixels | None:
        """The pixels that a perception speaks of; None where another photo came since."""
        with self._lock:
            photo = self._photo
        if photo is None or photo.digest != perception.photo:
            return None
        return upright_photo(photo, perception).pixels

    def clear(self) -> None:
        """Let go of it."""
        with self._lock:
            self._photo = None


def may_hide(pixels: Pixels, box: Box) -> bool:
    """Whether a reflection or a spot is on a text or near it.

    :param box: of the text, in these pixels.
    """
    return _is_glaring(pixels, box) or _is_spotted(pixels, box)


def _is_glaring(pixels: Pixels, box: Box) -> bool:
    """Something near is burnt out, and the plate under the text is not."""
    left, top, right, bottom = box
    reach = int(_REACH * max(1, bottom - top))
    own = _cut(pixels, box).min(axis=2) >= _BURNT
    around = _cut(pixels, (left - reach, top, right + reach, bottom)).min(axis=2) >= _BURNT
    if not own.size or not around.size or float(own.mean()) >= _PLATE_SHARE:
        return False
    return float(around.mean()) >= _SHARE


def _is_spotted(pixels: Pixels, box: Box) -> bool:
    """Something thick that is unlike the plate is on it, or right behind it."""
    left, top, right, bottom = box
    height = max(1, bottom - top)
    part = _cut(pixels, (left, top, right + int(_BEHIND * height), bottom))
    if min(part.shape[:2]) < 4:
        return False
    grey = cv2.cvtColor(np.ascontiguousarray(part), cv2.COLOR_RGB2GRAY).astype(np.int16)
    unlike = (np.abs(grey - np.median(grey)) > _UNLIKE).astype(np.uint8)
    side = max(3, int(_THICK * height))
    return float(cv2.erode(unlike, np.ones((side, side), np.uint8)).mean()) >= _SPOT


def _cut(pixels: Pixels, box: Box) -> Pixels:
    left, top, right, bottom = (max(0, edge) for edge in box)
    return pixels[top:bottom, left:right]
