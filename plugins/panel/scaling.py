"""Pictures made smaller or larger, slivers too: a side never becomes less than one pixel, where OpenCV would fail."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

__all__ = ["scaled_by"]


def scaled_by(image: NDArray[Any], ratio: float, way: int = cv2.INTER_AREA) -> NDArray[np.uint8]:
    """The picture at so many times its size.

    :param image: height × width, or height × width × 3, 8 bits.
    :param way: OpenCV's interpolation.
    """
    size = max(1, round(image.shape[1] * ratio)), max(1, round(image.shape[0] * ratio))
    return np.asarray(cv2.resize(image, size, interpolation=way), np.uint8)
