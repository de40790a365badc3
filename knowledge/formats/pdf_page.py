"""One page of a PDF: its runs of text with their places, and the straight rules drawn on it. Talks to pdfium."""

from __future__ import annotations

import ctypes
import math
from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from knowledge.formats.layout import Grid, PageLine, Run, lines_of
from knowledge.formats.rules import Rule, grids_of

__all__ = ["page_lines", "page_picture"]

_GAP = 1.0
"""A gap of so many heights parts two runs: no space between words is as wide."""
_STRAIGHT = 1.5
"""Points by which a rule may lean."""
_MAX_CHARS = 100_000
_MAX_SEGMENTS = 20_000
_HYPHEN = 2
"""How pdfium names the hyphen at the end of a line."""
_PATH = 2
_POINTS_PER_INCH = 72
_MAX_DPI = 200


def page_lines(page: Any) -> list[PageLine]:
    """Lines and tables of a page; none where it has no text of its own.

    A page is turned as most of its letters stand, whatever it says itself; what is printed across them, a title along
    the margin, comes last.
    """
    said = page.get_rotation()
    try:
        turns = Counter(_turns(page)).most_common()
        page.set_rotation(turns[0][0] if turns else 0)  # pdfium knows the order of lines that it sees upright
        return _turned_lines(page)
    finally:
        page.set_rotation(said)


def _turned_lines(page: Any) -> list[PageLine]:
    turns = _turns(page)
    lines: list[PageLine] = []
    for turned, _ in Counter(turns).most_common():
        place = _Place(page, turned)
        grids = grids_of(*_rules(page, place)) if not lines else []
        lines += lines_of(_runs(page, place, [turn == turned for turn in turns], grids), grids)
    return lines


def page_picture(page: Any, pixels: int) -> NDArray[np.uint8]:
    """The page as a picture of at most so many pixels: height × width × 3, RGB."""
    width, height = page.get_size()
    scale = min(_MAX_DPI / _POINTS_PER_INCH, (pixels / max(width * height, 1.0)) ** 0.5)
    bitmap = page.render(scale=scale, rev_byteorder=True)
    picture = np.array(bitmap.to_numpy()[:, :, :3], dtype=np.uint8, order="C")
    bitmap.close()
    return picture


class _Place:
    """Turns pdfium's places (from the bottom left, page unturned) into those of a reader.

    :param turned: degrees by which the page is turned clockwise to be read.
    """

    def __init__(self, page: Any, turned: int) -> None:
        left, bottom, right, top = page.get_bbox()
        self._box = (left, bottom, right, top)
        self._turned = turned

    def point(self, x: float, y: float) -> tuple[float, float]:
        left, bottom, right, top = self._box
        if self._turned == 90:
            return y - bottom, x - left
        if self._turned == 180:
            return right - x, y - bottom
        if self._turned == 270:
            return top - y, right - x
        return x - left, top - y

    def box(self, left: float, bottom: float, right: float, top: float) -> tuple[float, float, float, float]:
        (x0, y0), (x1, y1) = self.point(left, bottom), self.point(right, top)
        return min(x0, x1), min(y0, y1), max(x0, x1), max(y0, y1)


def _turns(page: Any) -> list[int]:
    """For each letter by how many degrees the page is turned clockwise to read it: 0, 90, 180 or 270."""
    import pypdfium2.raw as pdfium

    text_page = page.get_textpage()
    try:
        angles = [pdfium.FPDFText_GetCharAngle(text_page, i) for i in range(min(text_page.count_chars(), _MAX_CHARS))]
    finally:
        text_page.close()
    turns: list[int] = []
    for angle in angles:  # negative where pdfium knows none: a blank that it put in
        known = math.isfinite(angle) and angle >= 0
        turns.append(round(math.degrees(angle) / 90) % 4 * 90 if known else turns[-1] if turns else 0)
    return turns


def _runs(page: Any, place: _Place, wanted: Sequence[bool], grids: list[Grid]) -> list[Run]:
    import pypdfium2.raw as pdfium

    text_page = page.get_textpage()
    writer = _Writer(grids)
    rect = pdfium.FS_RECTF()
    try:
        for i, is_wanted in enumerate(wanted):
            code = pdfium.FPDFText_GetUnicode(text_page, i)
            if code in (10, 13) or not is_wanted:
                writer.end()
                continue
            if not pdfium.FPDFText_GetLooseCharBox(text_page, i, ctypes.byref(rect)):
                continue
            box = place.box(rect.left, rect.bottom, rect.right, rect.top)
            writer.write("-" if code == _HYPHEN else chr(code) if code < 0x110000 else "", *box)
        writer.end()
    finally:
        text_page.close()
    return writer.runs


class _Writer:
    """Puts letters together to runs: ended by a new line, a wide gap, or a rule between two letters."""

    def __init__(self, grids: list[Grid]) -> None:
        self.runs: list[Run] = []
        self._grids = grids
        self._letters: list[str] = []
        self._box = (0.0, 0.0, 0.0, 0.0)
        self._blank = False

    def write(self, letter: str, left: float, top: float, right: float, bottom: float) -> None:
        if not letter.strip() or 0xD800 <= ord(letter[0]) < 0xE000:
            self._blank = True
            return
        if self._letters and self._parts(left, top, bottom):
            self.end()
        if self._letters:
            if self._blank:
                self._letters.append(" ")
            old = self._box
            self._box = (min(old[0], left), min(old[1], top), right, max(old[3], bottom))
        else:
            self._box = (left, top, right, bottom)
        self._letters.append(letter)
        self._blank = False

    def end(self) -> None:
        if self._letters:
            self.runs.append(Run("".join(self._letters), *self._box))
        self._letters, self._blank = [], False

    def _parts(self, left: float, top: float, bottom: float) -> bool:
        """Whether a letter at this place begins a run of its own."""
        _, above, edge, below = self._box
        height = max(bottom - top, 1.0)
        middle = (top + bottom) / 2
        if left - edge > _GAP * height or left < edge - 2 * height or not above - height < middle < below + height:
            return True
        return any(
            edge - 1 <= x <= left + 1 and grid.ys[0] <= middle <= grid.ys[-1]
            for grid in self._grids
            for x in grid.xs
            if left - edge > -1
        )


def _rules(page: Any, place: _Place) -> tuple[list[Rule], list[Rule]]:
    import pypdfium2.raw as pdfium

    across: list[Rule] = []
    down: list[Rule] = []
    left = _MAX_SEGMENTS
    for part in page.get_objects(filter=[_PATH], max_depth=3):
        count = pdfium.FPDFPath_CountSegments(part)
        left -= max(count, 1)
        if left < 0:
            return [], []
        matrix = part.get_matrix()
        before = first = (0.0, 0.0)
        for i in range(max(count, 0)):
            segment = pdfium.FPDFPath_GetPathSegment(part, i)
            x, y = ctypes.c_float(), ctypes.c_float()
            pdfium.FPDFPathSegment_GetPoint(segment, ctypes.byref(x), ctypes.byref(y))
            point = place.point(*matrix.on_point(x.value, y.value))
            kind = pdfium.FPDFPathSegment_GetType(segment)
            if kind == pdfium.FPDF_SEGMENT_LINETO:
                _add(before, point, across, down)
            elif kind == pdfium.FPDF_SEGMENT_MOVETO:
                first = point
            before = point
            if pdfium.FPDFPathSegment_GetClose(segment):
                _add(before, first, across, down)
                before = first
    return across, down


def _add(one: tuple[float, float], other: tuple[float, float], across: list[Rule], down: list[Rule]) -> None:
    (x0, y0), (x1, y1) = one, other
    if abs(y0 - y1) <= _STRAIGHT < abs(x0 - x1):
        across.append(Rule((y0 + y1) / 2, min(x0, x1), max(x0, x1)))
    elif abs(x0 - x1) <= _STRAIGHT < abs(y0 - y1):
        down.append(Rule((x0 + x1) / 2, min(y0, y1), max(y0, y1)))
