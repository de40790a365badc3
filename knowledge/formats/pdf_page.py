"""One page of a PDF: its runs of text with their places, and the straight rules drawn on it. Talks to pdfium."""

from __future__ import annotations

import ctypes
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
    """Lines and tables of a page; none where it has no text of its own."""
    across, down = _rules(page)
    grids = grids_of(across, down)
    return lines_of(_runs(page, grids), grids)


def page_picture(page: Any, pixels: int) -> NDArray[np.uint8]:
    """The page as a picture of at most so many pixels: height × width × 3, RGB."""
    width, height = page.get_size()
    scale = min(_MAX_DPI / _POINTS_PER_INCH, (pixels / max(width * height, 1.0)) ** 0.5)
    bitmap = page.render(scale=scale, rev_byteorder=True)
    picture = np.array(bitmap.to_numpy()[:, :, :3], dtype=np.uint8, order="C")
    bitmap.close()
    return picture


class _Place:
    """Turns pdfium's places (from the bottom left, page unturned) into those of a reader."""

    def __init__(self, page: Any) -> None:
        left, bottom, right, top = page.get_bbox()
        self._box = (left, bottom, right, top)
        self._turned = page.get_rotation()

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


def _runs(page: Any, grids: list[Grid]) -> list[Run]:
    import pypdfium2.raw as pdfium

    text_page = page.get_textpage()
    place, writer = _Place(page), _Writer(grids)
    rect = pdfium.FS_RECTF()
    try:
        for i in range(min(text_page.count_chars(), _MAX_CHARS)):
            code = pdfium.FPDFText_GetUnicode(text_page, i)
            if code in (10, 13):
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


def _rules(page: Any) -> tuple[list[Rule], list[Rule]]:
    import pypdfium2.raw as pdfium

    across: list[Rule] = []
    down: list[Rule] = []
    place, left = _Place(page), _MAX_SEGMENTS
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
