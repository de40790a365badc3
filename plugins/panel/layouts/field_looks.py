"""Fields that only seem to be empty: a single digit in a box right of a label is easily missed.

A field is an even area with nothing read in it, right of a label on its line, as tall and of the colour of another
field that holds a number. What stands in it counts where two looks agree on a number.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from agent.api import Box, Text
from agent.settings import PanelSettings
from plugins.panel.geometry import height, joined, width
from plugins.panel.grammar import plain, tokens_of
from plugins.panel.lights.regions import Scene
from plugins.panel.numbers.strokes import pieces_of, strokes_of
from plugins.panel.texts.ocr import OcrEngine

__all__ = ["look_in_fields"]

Pixels = NDArray[np.uint8]
_NEAR = 3.0
"""From a label to its field, in heights of the label."""
_HIGH, _LONG = (0.8, 3.2), 8.0
"""Height of a field in heights of its label, and width in its own."""
_FILLED = 0.55
_ALIKE_PX, _ALIKE_COLOR = 0.15, 18.0
_MOST_FIELDS = 16
_FAIR = 0.8
_LEAST_CONTRAST = 40.0
_NUMBER = re.compile(r"[+\-]?\d+(?:[.,]\d+)?")


def look_in_fields(
    pixels: Pixels, engine: OcrEngine, scene: Scene, texts: Sequence[Text], settings: PanelSettings
) -> tuple[Text, ...]:
    """Numbers that were missed in fields.

    :param pixels: height × width × 3, RGB, 8 bits: what the engine read last.
    """
    kinds = [{token.kind for token in tokens_of(text, 0)} for text in texts]
    labels = [text.box for text, kind in zip(texts, kinds, strict=True) if kind == {"label"}]
    numbers = [text.box for text, kind in zip(texts, kinds, strict=True) if kind == {"value"}]
    if not labels or not numbers:
        return ()
    indices, boxes = _fields(scene)
    held = _holding(boxes, [text.box for text in texts])
    known = _holding(boxes, numbers)
    found: list[Text] = []
    looked = 0
    for place in np.flatnonzero(~held & _led(boxes, labels)).tolist():
        box: Box = tuple(boxes[place].tolist())
        color = np.asarray(scene.region(int(indices[place])).color, np.float64)
        tall = height(box)
        mates = np.flatnonzero(known & (np.abs(boxes[:, 3] - boxes[:, 1] - tall) <= max(2, _ALIKE_PX * tall)))
        alike = (np.abs(np.asarray(scene.region(int(indices[m])).color, np.float64) - color).max() for m in mates)
        if looked >= _MOST_FIELDS or not any(difference <= _ALIKE_COLOR for difference in alike):
            continue
        ink = _ink_in(pixels, box)
        if ink is None:
            continue
        looked += 1
        looks = [
            engine.read_boxes(pixels, [ink], margin=settings.check_margin / 2, other=other)[0]
            for other in (False, True)
        ]
        said = {plain(look.text).strip() for look in looks if look.score >= _FAIR}
        if len(said) == 1 and all(look.score >= _FAIR for look in looks) and _NUMBER.fullmatch(word := said.pop()):
            found.append(Text(word, ink, min(look.score for look in looks)))
    return tuple(found)


def _fields(scene: Scene) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Even areas that may be fields: index and box in pixels of the photo."""
    left, top, wide, high, area = scene.stats.T.astype(np.int64)
    fits = (high >= 10) & (wide >= 0.6 * high) & (wide <= _LONG * high) & (area >= _FILLED * wide * high)
    fits[:1] = False
    boxes = np.stack([left, top, left + wide, top + high], axis=1)[fits] / scene.scale
    return np.flatnonzero(fits), np.rint(boxes).astype(np.int64)


def _holding(boxes: NDArray[np.int64], inner: Sequence[Box]) -> NDArray[np.bool_]:
    """Boxes in which the middle of another one lies."""
    held = np.zeros(len(boxes), bool)
    for left, top, right, bottom in inner:
        x, y = (left + right) / 2, (top + bottom) / 2
        held |= (boxes[:, 0] <= x) & (x < boxes[:, 2]) & (boxes[:, 1] <= y) & (y < boxes[:, 3])
    return held


def _led(boxes: NDArray[np.int64], labels: Sequence[Box]) -> NDArray[np.bool_]:
    """Boxes right of a label on its line."""
    led = np.zeros(len(boxes), bool)
    high, middle = boxes[:, 3] - boxes[:, 1], (boxes[:, 1] + boxes[:, 3]) / 2
    for left, top, right, bottom in labels:
        tall = bottom - top
        gap = boxes[:, 0] - right
        beside = (gap >= -0.3 * tall) & (gap <= _NEAR * tall) & (boxes[:, 0] > left)
        led |= (
            beside
            & (np.abs(middle - (top + bottom) / 2) <= 0.6 * tall)
            & (high >= _HIGH[0] * tall)
            & (high <= _HIGH[1] * tall)
        )
    return led


def _ink_in(pixels: Pixels, field: Box) -> Box | None:
    """The box around the strokes in a field, with the height of a text; None where there are none."""
    inset = max(1, height(field) // 12)
    left, top = field[0] + inset, field[1] + inset
    crop = pixels[top : field[3] - inset, left : field[2] - inset]
    if min(crop.shape[:2]) < 6:
        return None
    strokes = strokes_of(crop, crop.shape[0], 1.0)
    level = max(_LEAST_CONTRAST, 0.5 * float(strokes.max()))
    inner = [p for p in pieces_of(strokes, level) if p[0] > 0 and p[2] < crop.shape[1] and height(p) >= 4]
    if not inner:
        return None
    ink = joined(inner)
    tall = height(ink)
    if tall < 0.3 * crop.shape[0] or width(ink) > 6 * tall:
        return None
    more = max(2, tall // 4)
    return (
        max(field[0], left + ink[0] - more),
        max(field[1], top + ink[1] - more),
        min(field[2], left + ink[2] + more),
        min(field[3], top + ink[3] + more),
    )
