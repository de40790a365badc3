"""Colours: their names, how strong they are, and what stands out from what.

A colour is three channels, RGB, 0 to 255. Names are those of `agent.perception.Lamp.color`.
"""

from __future__ import annotations

import colorsys

import numpy as np
from numpy.typing import NDArray

__all__ = ["SIGNALS", "Color", "Pixels", "bright", "color_name", "commonest", "difference", "light", "saturation"]

Pixels = NDArray[np.uint8]
Color = tuple[int, int, int]

SIGNALS = frozenset({"red", "amber", "yellow", "green", "magenta"})
"""Colours that state something by themselves; blue, white and grey are also the colours of plain buttons."""
_HUES = ((21, "red"), (44, "amber"), (68, "yellow"), (178, "green"), (258, "blue"), (342, "magenta"))
"""Where a name ends, in degrees; beyond the last it is red again."""
_BRIGHT = 0.62


def color_name(color: Color) -> str:
    """One of the words of `agent.perception.Lamp.color`."""
    hue, strength, value = colorsys.rgb_to_hsv(*(channel / 255 for channel in color))
    if value < 0.16:
        return "dark"
    if strength < 0.22 or (strength < 0.35 and value < 0.3):
        return "white" if value > 0.92 else "grey" if value > 0.3 else "dark"
    degrees = hue * 360
    return next((name for end, name in _HUES if degrees < end), "red")


def saturation(color: Color) -> float:
    """0 for grey, 1 for a pure colour."""
    return (max(color) - min(color)) / max(1, *color)


def bright(color: Color) -> bool:
    """Bright enough to be a lamp that shines, on a screen."""
    return max(color) / 255 >= _BRIGHT


def light(color: Color) -> float:
    """Luminance, 0 to 255."""
    return 0.299 * color[0] + 0.587 * color[1] + 0.114 * color[2]


def difference(a: Color, b: Color) -> int:
    """In the channel that differs most."""
    return max(abs(x - y) for x, y in zip(a, b, strict=True))


def commonest(pixels: Pixels) -> Color:
    """The commonest colour, as the mean of those that fall into its cell of a coarse cube.

    :param pixels: any shape that ends in 3, at least one pixel.
    """
    flat = pixels.reshape(-1, 3)
    cells = (flat >> 4).astype(np.int32) @ np.array([256, 16, 1], np.int32)
    chosen = flat[cells == np.bincount(cells).argmax()]
    red, green, blue = chosen.mean(axis=0)
    return round(float(red)), round(float(green)), round(float(blue))
