"""Screens for `make bench-panels`: a photo at another size, and drawn ones with as many texts as asked for."""

from __future__ import annotations

import math
import random

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

__all__ = ["drawn", "scaled"]

Pixels = NDArray[np.uint8]
SIZE = 1400, 900
WORDS = ("Pump", "Valve", "Supply temp", "Return temp", "Flow", "Level", "Motor", "Inlet", "Outlet", "Boiler")
UNITS = ("°C", "bar", "m3/h", "Hz", "kW", "%", "rpm", "kPa")
GROUND, INK = (24, 30, 38), (226, 232, 240)


def scaled(pixels: Pixels, width: int) -> Pixels:
    """A photo at another width, its proportions kept."""
    height = max(1, round(pixels.shape[0] * width / pixels.shape[1]))
    shrink = cv2.INTER_AREA if width < pixels.shape[1] else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(pixels, (width, height), interpolation=shrink), np.uint8)


def drawn(texts: int, *, seed: int = 1) -> Pixels:
    """A screen of 1400×900 with this many texts in a grid, half of them numbers; the same for the same seed."""
    chance = random.Random(seed)
    screen = Image.new("RGB", SIZE, GROUND)
    pen = ImageDraw.Draw(screen)
    columns = math.ceil(math.sqrt(texts * 0.6))
    rows = math.ceil(texts / columns)
    width, height = SIZE[0] / columns, SIZE[1] / rows
    font = ImageFont.load_default(min(18, height * 0.6))
    for index in range(texts):
        number = f"{chance.uniform(-50, 999):.{chance.randint(0, 2)}f} {chance.choice(UNITS)}"
        text = number if index % 2 else f"{chance.choice(WORDS)} {chance.randint(1, 99)}"
        pen.text((width * (index % columns) + 6, height * (index // columns) + 4), text, fill=INK, font=font)
    return np.asarray(screen)
