"""What a recogniser gets wrong in ways that can be told from the pixels or from how things are written.

- a plain bar, a wide gap and a bit address: the I of an input, not a one
- a small L between capitals: an I
- digits with and without a point or sign: one of two readers lost it
- low contrast: read again with the ink in black on white
- ink that touches the crop's edge: the box cut a glyph
"""

from __future__ import annotations

import re
from dataclasses import replace

import cv2
import numpy as np

from plugins.panel.texts.crops import INK, Pixels, ink_of, runs
from plugins.panel.texts.lines import Line

__all__ = ["clearer", "cut_sides", "goes_on", "repaired", "with_its_point"]

BIT_ADDRESS = re.compile(r"1 ?(\d{1,3}\.[0-7])")
"""What `I 0.0` is read as."""
SMALL_L = re.compile(r"\bl(?=[A-Z])|(?<=[A-Z])l(?=[A-Z])|(?<=[A-Z]{2})l\b|(?<=\b[AD])l\b(?!/)")
"""A small L where capitals stand around it, or behind the A and D of an analogue or digital input."""
LOST = re.compile(r"[\s.,:+-]")
FAINT = 180
"""Ink that differs from its ground by less, over the three colours together, is faint."""
EDGE_STEP = 25
"""Edges of a crop that differ by less along them, of 255, have no ink on them."""
EDGE_INK = 0.1, 0.85
"""The part of an edge that is ink where it cuts a glyph."""
WORD_GAP = 0.4
"""A gap between words in parts of the capitals' height; behind a one it is half of that at most."""
BAR_SPREAD = 0.25
"""A bar is of one width within this part; a one has a flag or a foot."""


def repaired(line: Line, crop: Pixels) -> Line:
    """The line as it is written, where the recogniser's word cannot be."""
    text = SMALL_L.sub("I", line.text)
    address = BIT_ADDRESS.fullmatch(text)
    if address and _starts_with_a_bar(crop):
        return replace(line, text=f"I {address[1]}", places=())
    return replace(line, text=text) if text != line.text else line


def with_its_point(line: Line, other: Line) -> Line:
    """What was read; the other reader's word where it differs by points and signs alone and has more of them.

    Readers lose points and signs, they hardly ever invent one. The score says that the two did not agree.
    """
    if line.text == other.text or LOST.sub("", line.text) != LOST.sub("", other.text):
        return line
    fuller = max(line, other, key=lambda read: len(read.text))
    return replace(fuller, score=min(line.score, other.score))


def clearer(crop: Pixels) -> Pixels | None:
    """The ink in black on white; None where it is clear enough already, or where there is none."""
    colors = crop.reshape(-1, 3).astype(np.int16)
    away = np.abs(colors - np.median(colors, axis=0)).sum(axis=1)
    if not 0 < np.percentile(away, 95) < FAINT:
        return None
    return cv2.cvtColor((255 * (1 - ink_of(crop))).astype(np.uint8), cv2.COLOR_GRAY2BGR)


def cut_sides(crop: Pixels) -> tuple[bool, bool]:
    """Whether ink goes on beyond the left and the right edge; a frame, which fills the height, does not count."""
    edges = crop[:, [0, -1]].astype(np.int16)
    if np.ptp(edges, axis=0).max() < EDGE_STEP:
        return False, False
    share = (ink_of(crop) > INK)[:, [0, -1]].mean(axis=0)
    left, right = (bool(EDGE_INK[0] < part < EDGE_INK[1]) for part in share)
    return left, right


def goes_on(line: Line, wider: Line) -> bool:
    """A look at a wider crop shows the same digits and more of them: the first one cut some off."""
    digits, more = (re.sub(r"\D", "", read.text) for read in (line, wider))
    return len(more) > len(digits) > 0 and (more.startswith(digits) or more.endswith(digits))


def _starts_with_a_bar(crop: Pixels) -> bool:
    """The first glyph is a bar of one width, and a gap as between words follows."""
    ink = ink_of(crop)
    glyphs = runs((ink > INK).any(axis=0))
    if len(glyphs) < 2:
        return False
    start, end = glyphs[0]
    rows = np.flatnonzero((ink[:, start:end] > INK).any(axis=1))
    height = int(rows[-1] - rows[0]) + 1
    if glyphs[1][0] - end < WORD_GAP * height or end - start > 0.4 * height:
        return False
    widths = ink[rows[0] : rows[-1] + 1, start:end].sum(axis=1)[1:-1]
    return len(widths) > 4 and float(np.ptp(np.percentile(widths, [10, 90]))) <= BAR_SPREAD * float(np.median(widths))
