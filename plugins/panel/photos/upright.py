"""A photo, upright: read, turned where its words stand on their heads or sides, straightened where it was at a slant.

Order: quality → what helps the reader → one look → turn → straighten. A drawn picture (a screenshot) gets exactly one
look. Every change has to prove itself: it is kept only where the reader sees as much after it as before.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from agent.api import Box, Quality, Text
from agent.settings import PanelSettings
from plugins.panel.geometry import height, width
from plugins.panel.photos.quality import PERFECT, clear_view, is_drawn, measure_quality
from plugins.panel.photos.rectify import Corners, Matrix, find_screen, rotation, straighten
from plugins.panel.photos.slope import find_slope, text_slopes
from plugins.panel.texts.ocr import OcrEngine

__all__ = ["Upright", "find_turn", "turned", "upright"]

Pixels = NDArray[Any]

_SURE = 0.97
"""A word read the wrong way up hardly ever scores this."""
_DOUBTFUL = 0.8
_MOST_LETTERS = 12
_TRIED = 10
"""Longest texts that are read in other directions."""
_ENOUGH = 3.5
"""Evidence (letters of surely read words) without which nothing is turned."""
_CLEARLY = 2.0
"""How many times more evidence another direction needs."""
_TRIAL_PX = 960
_TALL = 1.5
_KEEPS = 0.93
"""Part of the evidence that has to be left after a warp."""
_LEVEL = 0.3
"""Degrees by which texts may be steeper after a warp than before."""
_LOOK_ALIKE = frozenset("HINOSXZMWoxszunpdbql|0168953")
"""Look like a character upside down."""


@dataclass(frozen=True, slots=True, eq=False)
class Upright:
    """A photo as a person would hold it."""

    pixels: Pixels
    """Height × width × 3, RGB, colours as taken: lamps are judged on these."""
    view: Pixels
    """The same shape, as the reader saw it; the very same array where nothing had to be done."""
    turned: int
    """Degrees clockwise: 0, 90, 180 or 270."""
    texts: tuple[Text, ...]
    """What the engine read on `view`, in no order."""
    quality: Quality
    corners: Corners | None
    """Of the screen, in pixels of the photo after the turn; None where it was not straightened by its outline."""
    matrix: Matrix | None
    """Homography from the turned photo to `pixels`; None where they are the same."""


def upright(pixels: Pixels, engine: OcrEngine, settings: PanelSettings) -> Upright:
    """Bring a photo into the position it is read in, and read it.

    :param pixels: height × width × 3, RGB, 8 bits.
    """
    drawn = is_drawn(pixels)
    quality = PERFECT if drawn else measure_quality(pixels)
    view = clear_view(pixels, quality)
    texts = engine.read(view)
    turn = find_turn(view, engine, texts)
    if turn:
        pixels, view = turned(pixels, turn), turned(view, turn)
        texts = engine.read(view)
    found = Upright(pixels, view, turn, texts, quality, None, None)
    return _straight(found, engine) if settings.straighten and not drawn else found


def turned(pixels: Pixels, degrees: int) -> Pixels:
    """The picture turned clockwise.

    :param degrees: 0, 90, 180 or 270.
    """
    return np.ascontiguousarray(np.rot90(pixels, -degrees // 90)) if degrees % 360 else pixels


def find_turn(pixels: Pixels, engine: OcrEngine, texts: Sequence[Text]) -> int:
    """Degrees clockwise by which the picture has to be turned to be upright: 0, 90, 180 or 270.

    :param texts: what the engine read on `pixels`; a few of them are read again in other directions, only where they
        do not show by themselves that they are upright.
    """
    words = [text for text in texts if _is_wide(text.box) and _letters(text.text)]
    sure = [text for text in words if text.score >= _SURE]
    boxes = sorted((t.box for t in texts if _is_long(t.box)), key=lambda box: max(width(box), height(box)))
    mostly_wide = 2 * sum(map(_is_wide, boxes)) >= len(boxes)
    if mostly_wide and _evidence(sure) >= _ENOUGH and (len(sure) >= 3 or 3 * len(sure) >= len(words)):
        return 0
    chosen = boxes[: -_TRIED - 1 : -1]
    now = _evidence(texts)
    sideways = 2 * sum(not _is_wide(box) for box in chosen) > len(chosen)
    best, most = 0, max(_ENOUGH, _CLEARLY * now)
    for degrees in (90, 270) if sideways else (180,):
        shown = turned(pixels, degrees)
        there = [_turned_box(box, degrees, pixels.shape) for box in chosen]
        evidence = _evidence(engine.read_boxes(shown, there, margin=0.1)) if len(chosen) >= 3 else 0.0
        if evidence > most:
            best, most = degrees, evidence
    return best or (_tried(pixels, engine, now) if len(chosen) < 3 else 0)


def _tried(pixels: Pixels, engine: OcrEngine, now: float) -> int:
    """The turn in which a small copy of a picture with next to no text shows clearly more; 0 where none does."""
    rows, columns = pixels.shape[:2]
    ratio = min(1.0, _TRIAL_PX / max(rows, columns))
    size = max(1, round(columns * ratio)), max(1, round(rows * ratio))
    small = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA) if ratio < 1.0 else pixels
    best, most = 0, max(_ENOUGH, _CLEARLY * now)
    for degrees in (180, 90, 270):
        evidence = _evidence(engine.read(turned(np.asarray(small, np.uint8), degrees)))
        if evidence > most:
            best, most = degrees, evidence
    return best


def _straight(found: Upright, engine: OcrEngine) -> Upright:
    """With perspective and slope taken out, where the texts are then more level and the reader sees as much."""
    best, slopes = found, text_slopes(found.view, found.texts)
    corners = find_screen(found.view)
    if corners is not None:
        pixels, matrix = straighten(found.pixels, corners, found.texts)
        best, slopes = _kept(best, slopes, _read_again(found, pixels, matrix, corners, engine))
    slope = find_slope(slopes)
    if slope:
        pixels, matrix = rotation(best.pixels, slope, best.texts)
        whole = matrix if best.matrix is None else matrix @ best.matrix
        best, _ = _kept(best, slopes, _read_again(found, pixels, whole, best.corners, engine))
    return best


def _read_again(found: Upright, pixels: Pixels, matrix: Matrix, corners: Corners | None, engine: OcrEngine) -> Upright:
    same = found.view is found.pixels
    size = pixels.shape[1], pixels.shape[0]
    view = pixels
    if not same:
        warped = cv2.warpPerspective(found.view, matrix, size, flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
        view = np.asarray(warped, np.uint8)
    return Upright(pixels, view, found.turned, engine.read(view), found.quality, corners, matrix)


def _kept(before: Upright, slopes: list[float], after: Upright) -> tuple[Upright, list[float]]:
    """The better of two, with the slopes of its texts."""
    slopes_after = text_slopes(after.view, after.texts)
    more_level = not slopes or (slopes_after and _steepness(slopes_after) <= _steepness(slopes) + _LEVEL)
    if after.texts and more_level and _shown(after.texts) >= _KEEPS * _shown(before.texts):
        return after, slopes_after
    return before, slopes


def _steepness(slopes: list[float]) -> float:
    return float(np.median(np.abs(slopes)))


def _shown(texts: Sequence[Text]) -> float:
    """How much was surely read, words and numbers."""
    return sum(min(len(t.text), _MOST_LETTERS) * _sureness(t.score) for t in texts)


def _evidence(texts: Sequence[Text]) -> float:
    """Letters of words that were surely read from left to right."""
    words = (t for t in texts if _is_wide(t.box) and _letters(t.text))
    return sum(min(_letters(t.text), _MOST_LETTERS) * _sureness(t.score) for t in words)


def _sureness(score: float) -> float:
    return max(0.0, score - _DOUBTFUL) / (1.0 - _DOUBTFUL)


def _letters(text: str) -> int:
    """Letters of a word that tell up from down, a Chinese character counting two; 0 where there are fewer than 2."""
    telling = sum(
        2 if unicodedata.east_asian_width(character) == "W" else 1
        for character in text
        if character.isalpha() and character not in _LOOK_ALIKE
    )
    return telling if telling >= 2 and sum(map(str.isalpha, text)) >= 2 else 0


def _is_wide(box: Box) -> bool:
    return width(box) >= _TALL * height(box)


def _is_long(box: Box) -> bool:
    return _is_wide(box) or height(box) >= _TALL * width(box)


def _turned_box(box: Box, degrees: int, shape: tuple[int, ...]) -> Box:
    """Where a box stands after a clockwise turn of the picture."""
    rows, columns = shape[:2]
    left, top, right, bottom = box
    if degrees == 90:
        return rows - bottom, left, rows - top, right
    if degrees == 180:
        return columns - right, rows - bottom, columns - left, rows - top
    if degrees == 270:
        return top, columns - right, bottom, columns - left
    return box
