"""A page that is a picture: straightened, read in bands, so that small print keeps its size, and put together to lines.

A page that lies askew is turned by the lean of its lines. One that lies on its side is told by boxes that are taller
than wide, one that stands on its head by a reader who is not sure; the turn that is read best is taken.

Rules that are drawn on it make tables, as on a printed page. Lines that the reader is not sure of are dropped, and so
are those that it read across the rule between two cells: a figure in the wrong place is worse than one that is missing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from knowledge.formats.content import PageReader
from knowledge.formats.layout import Grid, PageLine, Run, lines_of, reading_order
from knowledge.formats.rules import Rule, grids_of

__all__ = ["read_scan"]

_BAND_SHARE = 0.75
"""Height of a band as a share of the page's width."""
_PAGE_POINTS = 600.0
"""Width of a page, so that places on it are in points whatever its pixels."""
_RULE_POINTS, _THICK_POINTS = 25.0, 5.0
_MAX_RULES = 3_000
_OVERLAP_SHARE = 0.06
"""Of the width: more than the height of a line, so that each stands whole in a band."""
_LONG_TEXT = 3
"""Letters from which the box of a text says how it lies."""
_SURE = 0.85
"""Mean score of letters below which a page may stand on its head."""
_LEVEL, _MOST_LEAN = 0.4, 20.0
"""Degrees: less is level, more is no sheet that was put in askew."""
_LEAN_PIXELS = 1_200
_LONG_SHARE, _THIN, _LINES = 0.06, 4.0, 3
"""Of what tells the lean: least length as a share of the page, least length in its own heights, least number."""


@dataclass(frozen=True, slots=True)
class _Text:
    text: str
    box: tuple[float, float, float, float]
    score: float

    @property
    def is_upright(self) -> bool:
        left, top, right, bottom = self.box
        return right - left >= bottom - top


def read_scan(picture: NDArray[np.uint8], reader: PageReader, least_score: float) -> list[PageLine]:
    """Lines and tables of a picture of a page.

    :param picture: height × width × 3, RGB.
    """
    straight = picture = _straightened(picture)
    texts = _texts(picture, reader)
    for quarters in _other_turns(texts):
        turned = np.ascontiguousarray(np.rot90(straight, quarters))
        others = _texts(turned, reader)
        if _readable(others) > _readable(texts):
            picture, texts = turned, others
    point = max(picture.shape[1] / _PAGE_POINTS, 0.1)
    runs = [
        Run(text.text, *(value / point for value in text.box))
        for text in texts
        if text.score >= least_score and text.text.strip()
    ]
    grids = _grids(picture, point)
    ordered = reading_order(runs)
    return lines_of([run for run in ordered if not any(grid.parts(run) for grid in grids)], grids)


def _texts(picture: NDArray[np.uint8], reader: PageReader) -> list[_Text]:
    """What is read, band by band, each text once, in pixels of the picture."""
    height, width = picture.shape[:2]
    band = max(int(width * _BAND_SHARE), 200)
    overlap = max(int(width * _OVERLAP_SHARE), 40)
    found: list[_Text] = []
    for top in range(0, height, band):
        first, last = max(0, top - overlap), min(height, top + band + overlap)
        for text in reader(np.ascontiguousarray(picture[first:last])):
            left, above, right, below = text.box
            if top <= first + (above + below) / 2 < top + band:
                found.append(_Text(text.text, (left, first + above, right, first + below), text.score))
    return found


def _other_turns(texts: Sequence[_Text]) -> tuple[int, ...]:
    """Quarter turns, against the clock, that may be read better; none where nothing speaks for another one."""
    long = [text for text in texts if len(text.text) >= _LONG_TEXT]
    if not long:
        return ()
    if sum(not text.is_upright for text in long) > len(long) / 2:
        return (1, 3)
    letters = sum(len(text.text) for text in long)
    return (2,) if sum(text.score * len(text.text) for text in long) < _SURE * letters else ()


def _readable(texts: Sequence[_Text]) -> float:
    """Letters that stand upright, as far as the reader is sure of them: what it half reads counts little."""
    return float(sum(text.score**4 * len(text.text) for text in texts if text.is_upright))


def _straightened(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """A page turned so that its lines of text lie level; as it is where they do, or where it has too few."""
    lean = _lean(picture)
    if not _LEVEL <= abs(lean) <= _MOST_LEAN:
        return picture
    height, width = picture.shape[:2]
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), lean, 1.0)
    cos, sin = abs(turn[0, 0]), abs(turn[0, 1])
    size = int(width * cos + height * sin), int(height * cos + width * sin)
    turn[:, 2] += (size[0] - width) / 2, (size[1] - height) / 2
    white = (255.0, 255.0, 255.0)
    return np.asarray(cv2.warpAffine(picture, turn, size, flags=cv2.INTER_CUBIC, borderValue=white), np.uint8)


def _lean(picture: NDArray[np.uint8]) -> float:
    """Degrees by which the lines fall to the right, by the median of what is long and thin: lines of text, rules."""
    grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
    scale = _LEAN_PIXELS / max(grey.shape)
    small = cv2.resize(grey, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA) if scale < 1 else grey
    ink = cv2.adaptiveThreshold(small, 255, cv2.ADAPTIVE_THRESH_MEAN_C, cv2.THRESH_BINARY_INV, 31, 15)
    joined = cv2.morphologyEx(ink, cv2.MORPH_CLOSE, np.ones((3, 13), np.uint8))
    angles: list[float] = []
    weights: list[float] = []
    outlines, _ = cv2.findContours(joined, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    for outline in outlines:
        _, (width, height), angle = cv2.minAreaRect(outline)
        if width < height:
            width, height, angle = height, width, angle - 90
        angle = (angle + 90) % 180 - 90
        if width >= _LONG_SHARE * max(small.shape) and width >= _THIN * height and abs(angle) <= _MOST_LEAN:
            angles.append(angle)
            weights.append(width)
    if len(angles) < _LINES:
        return 0.0
    order = np.argsort(angles)
    halves = np.cumsum(np.array(weights)[order])
    return float(angles[order[int(np.searchsorted(halves, halves[-1] / 2))]])


def _grids(picture: NDArray[np.uint8], point: float) -> list[Grid]:
    """The ruled tables of a picture, in points."""
    grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
    block = max(int(15 * point) | 1, 3)
    ink = cv2.adaptiveThreshold(grey, 255, cv2.ADAPTIVE_THRESH_MEAN_C, cv2.THRESH_BINARY_INV, block, 12)
    long = max(int(_RULE_POINTS * point), 5)
    rules: list[list[Rule]] = []
    for size, gap, down in (((long, 1), (3, 1), False), ((1, long), (1, 3), True)):
        thick = cv2.dilate(ink, np.ones(gap, np.uint8))
        lines = cv2.morphologyEx(thick, cv2.MORPH_OPEN, cv2.getStructuringElement(cv2.MORPH_RECT, size))
        _, _, boxes, _ = cv2.connectedComponentsWithStats(lines)
        found = [tuple(int(value) for value in box[:4]) for box in boxes[1 : _MAX_RULES + 1]]
        thin = [(x, y, w, h) for x, y, w, h in found if (w if down else h) <= _THICK_POINTS * point]
        places = [(x + w / 2, y, y + h) if down else (y + h / 2, x, x + w) for x, y, w, h in thin]
        rules.append([Rule(*(value / point for value in place)) for place in places])
    return grids_of(rules[0], rules[1])
