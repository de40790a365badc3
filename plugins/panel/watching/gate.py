"""Whether a frame shows anything new, without reading it.

A frame is thinned out to a small grey picture and compared block by block with the one that was read last: one digit
that changed moves its own block, while noise moves all of them a little. Costs about a millisecond whatever the size.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

__all__ = ["FrameGate"]

_COLUMNS, _ROWS = 480, 270
"""Of the small picture."""
_BLOCK = 6
"""Side of a block in it: about one character."""
_STEP = 10
"""Grey levels that count as no difference at all: noise and compression."""


class FrameGate:
    """Remembers the last frame that was let through.

    :param threshold: mean difference in grey levels, within any one block, from which a frame is new.
    """

    def __init__(self, threshold: float) -> None:
        self._threshold = threshold
        self._last: NDArray[np.uint8] | None = None

    def is_new(self, pixels: NDArray[np.uint8]) -> bool:
        """Whether to read a frame; a frame that is let through becomes the one to compare with.

        :param pixels: height × width × 3, 8 bits.
        """
        small = _small(pixels)
        if self._last is not None and not self._differ(small, self._last):
            return False
        self._last = small
        return True

    def forget(self) -> None:
        """Let the next frame through, whatever it shows: the last one could not be read."""
        self._last = None

    def _differ(self, small: NDArray[np.uint8], last: NDArray[np.uint8]) -> bool:
        difference = cv2.absdiff(small, last)
        strong = cv2.threshold(difference, _STEP, 255, cv2.THRESH_TOZERO)[1]
        blocks = cv2.resize(strong, (_COLUMNS // _BLOCK, _ROWS // _BLOCK), interpolation=cv2.INTER_AREA)
        return bool(blocks.max() >= self._threshold)


def _small(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Sampled at twice the size, then averaged: as quick as sampling, and a thin stroke is not lost."""
    double = cv2.resize(pixels, (2 * _COLUMNS, 2 * _ROWS), interpolation=cv2.INTER_LINEAR)
    small = cv2.resize(double, (_COLUMNS, _ROWS), interpolation=cv2.INTER_AREA)
    return cv2.cvtColor(small, cv2.COLOR_RGB2GRAY).astype(np.uint8, copy=False)
