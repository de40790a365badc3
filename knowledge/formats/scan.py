"""A page that is a picture: read in bands, so that small print keeps its size, and put together to lines.

Rules that are drawn on it make tables, as on a printed page. Lines that the reader is not sure of are dropped, and so
are those that it read across the rule between two cells: a figure in the wrong place is worse than one that is missing.
"""

from __future__ import annotations

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


def read_scan(picture: NDArray[np.uint8], reader: PageReader, least_score: float) -> list[PageLine]:
    """Lines and tables of a picture of a page.

    :param picture: height × width × 3, RGB.
    """
    height, width = picture.shape[:2]
    point = max(width / _PAGE_POINTS, 0.1)
    band = max(int(width * _BAND_SHARE), 200)
    overlap = max(int(width * _OVERLAP_SHARE), 40)
    runs: list[Run] = []
    top = 0
    while top < height:
        first, last = max(0, top - overlap), min(height, top + band + overlap)
        for text in reader(np.ascontiguousarray(picture[first:last])):
            left, above, right, below = text.box
            middle = first + (above + below) / 2
            if text.score >= least_score and text.text.strip() and top <= middle < top + band:
                place = (left, first + above, right, first + below)
                runs.append(Run(text.text, *(value / point for value in place)))
        top += band
    grids = _grids(picture, point)
    ordered = reading_order(runs)
    return lines_of([run for run in ordered if not any(grid.parts(run) for grid in grids)], grids)


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
