"""`watchkeeper panel --overlay OUT.png`: the photo with what was read from it drawn over it.

Green is a value to be trusted, amber one to check, red one that could not be read; a line runs from a value to its
label. Lamps are drawn in blue, alarm rows in violet, buttons and pop-ups in grey. Ids are those of the table (R1, L1).
Only digits and Latin letters are written, because a box has no Chinese font and the photo shows the labels anyway.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from agent.api import Box, Perception, Reading, Text
from plugins.panel.geometry import centre, overlap_x, overlap_y

__all__ = ["draw_overlay"]

Pixels = NDArray[np.uint8]
_SMALL_SIDE = 900
"""A smaller photo is drawn at twice its size, so that marks do not cover what they mark."""
_FADE = 0.2
_GREEN, _AMBER, _RED = (0, 140, 60), (214, 120, 0), (205, 30, 40)
_BLUE, _VIOLET, _GREY, _TEXT = (20, 90, 220), (140, 40, 170), (110, 110, 110), (150, 150, 150)
_ASCII = str.maketrans({"℃": "°C", "℉": "°F", "−": "-", "–": "-", "μ": "u", "Ω": "Ohm", "·": "."})


def draw_overlay(pixels: Pixels, seen: Perception) -> Pixels:
    """Draw everything that was read.

    :param pixels: the upright image that the perception speaks of, height × width × 3, RGB.
    :returns: RGB, of the same size or twice as large.
    """
    scale = 2 if max(seen.size) < _SMALL_SIDE else 1
    large = cv2.resize(pixels, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC) if scale > 1 else pixels
    pale = Image.fromarray((large * (1 - _FADE) + 255 * _FADE).astype(np.uint8))
    sheet = _Sheet(ImageDraw.Draw(pale), pale.size, scale, _font(seen.size, scale))
    sheet.keep_clear(text.box for text in seen.texts)
    sheet.keep_clear(reading.box for reading in seen.readings)
    for text in seen.texts:
        sheet.frame(text.box, _TEXT, 1)
    for popup in seen.popups:
        sheet.frame(popup.box, _GREY, 3)
    for button in seen.buttons:
        sheet.frame(button.box, _GREY, 2)
    for row in seen.alarms:
        sheet.frame(row.box, _VIOLET, 2)
    for number, lamp in enumerate(seen.lamps, start=1):
        sheet.frame(lamp.box, _BLUE, 2)
        sheet.tag(lamp.box, f"L{number} {lamp.color} {lamp.state}", _BLUE)
    for number, reading in enumerate(seen.readings, start=1):
        _draw_reading(sheet, f"R{number}", reading, seen.texts)
    return np.asarray(pale)


class _Sheet:
    """A drawing in pixels of the photo."""

    def __init__(
        self,
        draw: ImageDraw.ImageDraw,
        size: tuple[int, int],
        scale: int,
        font: ImageFont.ImageFont | ImageFont.FreeTypeFont,
    ) -> None:
        self._draw = draw
        self._size = size
        self._scale = scale
        self._font = font
        self._taken: list[Box] = []

    def frame(self, box: Box, color: tuple[int, int, int], wide: int) -> None:
        left, top, right, bottom = (side * self._scale for side in box)
        self._draw.rectangle((left - 1, top - 1, max(left, right), max(top, bottom)), outline=color, width=wide)

    def line(self, start: tuple[float, float], end: tuple[float, float], color: tuple[int, int, int]) -> None:
        points = [coordinate * self._scale for point in (start, end) for coordinate in point]
        self._draw.line(points, fill=color, width=2)

    def tag(self, box: Box, words: str, color: tuple[int, int, int]) -> None:
        """A small sign beside the box, where it covers least of what else is to be seen."""
        wide, tall = (int(side) + 3 for side in self._draw.textbbox((0, 0), words, font=self._font)[2:])
        left, top, right, bottom = (side * self._scale for side in box)
        across, down = (left, right - wide, (left + right - wide) // 2), (top - tall - 2, bottom + 2)
        places = [(x, y) for y in down for x in across]
        places += [(x, (top + bottom - tall) // 2) for x in (right + 3, left - wide - 3)]
        inside = [(min(max(0, x), self._size[0] - wide), min(max(0, y), self._size[1] - tall)) for x, y in places]
        x, y = min(inside, key=lambda place: self._covered((*place, place[0] + wide, place[1] + tall)))
        self._taken.append((x, y, x + wide, y + tall))
        self._draw.rectangle((x, y, x + wide, y + tall), fill=color)
        self._draw.text((x + 1, y + 1), words, fill="white", font=self._font)

    def keep_clear(self, boxes: Iterable[Box]) -> None:
        """What signs should not cover, in pixels of the photo."""
        for left, top, right, bottom in boxes:
            self._taken.append((left * self._scale, top * self._scale, right * self._scale, bottom * self._scale))

    def _covered(self, place: Box) -> int:
        """Pixels that a sign there would hide."""
        shared = ((overlap_x(place, taken), overlap_y(place, taken)) for taken in self._taken)
        return sum(x * y for x, y in shared if x > 0 and y > 0)


def _draw_reading(sheet: _Sheet, name: str, reading: Reading, texts: Sequence[Text]) -> None:
    color = _RED if reading.value is None else _AMBER if reading.flags else _GREEN
    sheet.frame(reading.box, color, 2)
    label = _label_of(reading, texts)
    if label is not None:
        sheet.line(centre(label.box), centre(reading.box), color)
    value = "no value" if reading.value is None else _plain(f"{reading.value} {reading.unit}")
    more = f" +/-{reading.uncertainty:g}" if reading.uncertainty is not None else ""
    doubts = f" [{', '.join(reading.flags)}]" if reading.flags else ""
    sheet.tag(reading.box, f"{name} {value}{more}{doubts}", color)


def _label_of(reading: Reading, texts: Sequence[Text]) -> Text | None:
    """The text that a reading's label stands in, the nearest where there are several."""
    x, y = centre(reading.box)
    named = [t for t in texts if reading.label and reading.label in t.text and t.box != reading.box]
    return min(named, key=lambda t: abs(centre(t.box)[0] - x) + abs(centre(t.box)[1] - y), default=None)


def _plain(text: str) -> str:
    """In characters that the built-in font has."""
    folded = unicodedata.normalize("NFKC", text.translate(_ASCII))
    return "".join(c if c.isascii() or c == "°" else "?" for c in folded).strip()


def _font(size: tuple[int, int], scale: int) -> ImageFont.ImageFont | ImageFont.FreeTypeFont:
    return ImageFont.load_default(size=max(11, round(scale * max(size) / 120)))
