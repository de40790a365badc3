"""The upright image: the one whose pixels every box of a perception speaks of.

This is the one place that goes from what was read back to pixels. Boxes of Qwen3-VL, which counts each side from 0 to
1000 whatever the size, are brought to the same pixels here.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from agent.perception import Box, Perception
from agent.photo import Photo, photo_of

__all__ = ["from_thousandths", "upright_photo"]

_THOUSAND = 1000


def upright_photo(photo: Photo, seen: Perception) -> Photo:
    """The photo turned and straightened as it was when it was read; the very same one where nothing had to be done.

    :param seen: what was read from this photo.
    """
    if not seen.turned and seen.matrix is None:
        return photo
    pixels = np.rot90(photo.pixels, -seen.turned // 90)
    if seen.matrix is not None:
        matrix = np.array(seen.matrix, np.float64).reshape(3, 3)
        warped = cv2.warpPerspective(
            np.ascontiguousarray(pixels), matrix, seen.size, flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE
        )
        pixels = np.asarray(warped, np.uint8)
    return photo_of(pixels, photo.name)


def from_thousandths(box: Sequence[float], size: tuple[int, int]) -> Box:
    """A box as Qwen3-VL gives it, in pixels.

    :param box: left, top, right, bottom, each from 0 to 1000; what lies outside is brought to the edge.
    :param size: width and height of the image that the model saw, or of the one to draw in.
    """
    left, top, right, bottom = (min(_THOUSAND, max(0.0, float(side))) / _THOUSAND for side in box)
    across, down = sorted((left, right)), sorted((top, bottom))
    return (
        int(across[0] * size[0]),
        int(down[0] * size[1]),
        max(int(across[0] * size[0]) + 1, round(across[1] * size[0])),
        max(int(down[0] * size[1]) + 1, round(down[1] * size[1])),
    )
