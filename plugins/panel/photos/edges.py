"""Edges of a grey picture.

Canny is only ever given the two derivatives, never the picture itself: given the picture, OpenCV's builds for x86 hand
the work to Intel's IPP, which writes past its memory on dense lattices (4.12 to 5.0, one thread) and takes the process
down with it.
"""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

__all__ = ["find_edges"]


def find_edges(grey: NDArray[Any], low: float, high: float) -> NDArray[np.uint8]:
    """Canny's edges, 255 on an edge and 0 elsewhere.

    :param grey: height × width, 8 bits.
    :param low: gradient that an edge may fall to, in grey levels by the 3 × 3 Sobel filter.
    :param high: gradient that an edge has to reach somewhere.
    """
    across, down = cv2.Sobel(grey, cv2.CV_16S, 1, 0), cv2.Sobel(grey, cv2.CV_16S, 0, 1)
    return np.asarray(cv2.Canny(across, down, low, high), np.uint8)
