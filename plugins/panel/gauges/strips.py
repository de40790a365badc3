"""Numbers that are printed along the ring of a dial, each turned with it, read on a strip that is unrolled from it.

A reader takes lines of upright text; on such a dial only the numbers near the top are. Unrolled around the middle, all
of them stand upright in one line.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from plugins.panel.gauges.numerals import Printed, pieces_of, printed_number
from plugins.panel.geometry import centre, height, part_of, width
from plugins.panel.texts.ocr import OcrEngine

__all__ = ["read_strip"]

Pixels = NDArray[np.uint8]
_CUT = math.pi / 2
"""Strips begin straight down, where most dials have their gap."""
_HALF = 1.6
"""Half of a strip's height, in heights of the numbers."""
_SURE = 0.8
"""What was read upright as words with this score is not read as a number on the strip."""
_GLYPH_PX = 22.0
_MAX_WIDTH_PX = 1600
_MIN_RADIUS = 1.5
"""Of the ring, in heights of the numbers."""


def read_strip(
    pixels: Pixels, seen: Sequence[Printed], middle: tuple[float, float], engine: OcrEngine
) -> list[Printed]:
    """What is read along the ring that the numbers seen so far stand on, in pixels of the dial's picture.

    :param pixels: the dial, RGB.
    :param middle: of the ring.
    """
    numbers = [text for text in seen if printed_number(text.text) is not None]
    if len(numbers) < 2:
        return []
    radius = float(np.median([math.dist((t.x, t.y), middle) for t in numbers]))
    glyph = float(np.median([min(t.height, t.width * 1.6) for t in numbers]))
    if radius < _MIN_RADIUS * glyph or glyph <= 0:
        return []
    scale = min(_GLYPH_PX / glyph, _MAX_WIDTH_PX / (2 * math.pi * radius))
    columns, rows = max(8, round(2 * math.pi * radius * scale)), max(8, round(2 * _HALF * glyph * scale))
    angles = _CUT + np.arange(columns) / columns * 2 * math.pi
    far = radius + _HALF * glyph - np.arange(rows) / scale
    x = (middle[0] + far[:, None] * np.cos(angles)[None, :]).astype(np.float32)
    y = (middle[1] + far[:, None] * np.sin(angles)[None, :]).astype(np.float32)
    strip = cv2.remap(pixels, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE).astype(np.uint8)
    words = [text for text in seen if printed_number(text.text) is None and text.score >= _SURE]
    found = []
    for text in engine.read(strip):
        for start, end in pieces_of(text.text):
            if printed_number(text.text[start:end]) is None:
                continue
            part = part_of(text.box, text.text, start, end)
            across, down = centre(part)
            angle, away = _CUT + across / columns * 2 * math.pi, radius + _HALF * glyph - down / scale
            place = middle[0] + away * math.cos(angle), middle[1] + away * math.sin(angle)
            size = width(part) / scale, height(part) / scale
            if not any(_covers(other, place) for other in words):
                found.append(Printed(text.text[start:end], *place, *size, text.score, -1))
    return found


def _covers(text: Printed, place: tuple[float, float]) -> bool:
    return abs(text.x - place[0]) < text.width / 2 and abs(text.y - place[1]) < text.height / 2
