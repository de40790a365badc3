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
_THICK = 0.34
"""Of the text's height: no stroke of a letter is so thick."""
_UNLIKE = 0.2
"""Of the contrast between letters and plate: a spot differs from the plate by so much."""
_LEAST_GREY = 14.0
"""By less the noise of a camera differs."""
_SPOT = 0.002
"""Area of a spot without its edge, in squares of the text's height."""
_SOFT = 0.03
"""Of the text's height: finer noise is smoothed away."""


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

    :param box: of the text without its label, in these pixels: characters of a label may be as dense as a spot.
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
    plain = cv2.cvtColor(np.ascontiguousarray(part), cv2.COLOR_RGB2GRAY)
    grey: NDArray[np.float32] = cv2.GaussianBlur(plain, (0, 0), max(0.3, _SOFT * height)).astype(np.float32)
    apart = np.abs(grey - _plate_under(grey))
    contrast = float(np.percentile(apart, 96))
    unlike = (apart > max(_LEAST_GREY, _UNLIKE * contrast)).astype(np.uint8)
    side = max(3, int(_THICK * height))
    return float(cv2.erode(unlike, np.ones((side, side), np.uint8), borderValue=0).sum()) >= _SPOT * height**2


def _plate_under(grey: NDArray[np.float32]) -> NDArray[np.float32]:
    """What the plate would look like without letters: its usual grey, slanted as the light is."""
    width = grey.shape[1]
    part = max(1, int(0.4 * width))
    left, right = float(np.median(grey[:, :part])), float(np.median(grey[:, -part:]))
    at = (np.arange(width, dtype=np.float32) - 0.2 * width) / (0.6 * width)
    usual: NDArray[np.float32] = (left + (right - left) * at)[None, :].astype(np.float32)
    return usual


def _cut(pixels: Pixels, box: Box) -> Pixels:
    left, top, right, bottom = (max(0, edge) for edge in box)
    return pixels[top:bottom, left:right]
