"""The decoder: how strongly each of seven segments of each cell is lit, and which characters that makes.

Lit and unlit are told apart over the whole row, by the widest gap between strengths: ghosts of an LCD's unlit segments
are then unlit, however visible. Whether this is a seven-segment row at all is measured too: how much of the ink lies on
lit segments, how well they are filled, and whether uprights are parted at half height, as no printed digit is.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import cv2
import numpy as np
from numpy.typing import NDArray

from plugins.panel.displays.cells import Cell, bars, cut
from plugins.panel.displays.glyphs import CHARACTERS
from plugins.panel.displays.strips import HEIGHT, Strip

__all__ = ["Decoded", "decode"]

Floats = NDArray[np.float32]

_DIM = 0.45
"""A digit whose strongest segment is weaker is not lit; stronger ones are all made equally strong."""
_WHOLE_OF_TYPICAL = 0.35
"""A 1 that is parted less than this part of what is usual in its row is a line and no digit."""
_UNSEEN = 0.4
"""Strength of a point that may or may not stand between two digits that touch."""
_POINT_OF_BEST = 0.7
"""A point that is weaker than this part of the strongest is a reflection."""


@dataclass(frozen=True, slots=True)
class Decoded:
    """What one binarisation shows."""

    shown: str
    """Characters from the left, `?` where segments make none; leading blanks are left out."""
    cells: tuple[Cell, ...]
    margin: float
    """How far the least sure segment is from the border between lit and unlit, 0 to 0.5."""
    fit: float
    """0 to 1: how much the ink is made of the lit segments and nothing else."""
    parted: float
    """0 to 1: how deep uprights are parted at half height, most of them and not just a few; -1 where no cell has a
    whole one.
    """
    parts: float
    """Where no cell has a whole upright: pieces that the ink of a cell falls into beyond one, for each lit segment
    beyond one; 0 where all hangs together.
    """
    beside: bool
    """A part of something as tall as a digit stands at an end."""
    levels: tuple[float, ...]
    """Of each cell, the ink of its strongest segment."""
    points: tuple[float, ...]
    """Strength of each point and colon that is shown, then, negative, of the strongest that is not."""


def decode(strip: Strip, ink: Floats, threshold: float) -> Decoded | None:
    """None where there is no row of digits.

    :param ink: the strip's, or a smoothed one.
    :param threshold: of ink that is stroke.
    """
    cells, beside = cut(ink, strip.start, strip.end, threshold)
    if not cells or len(cells) > 14:
        return None
    thick = _thickness(ink, cells)
    strengths = np.array([_strengths(ink, cell, thick) for cell in cells])
    strongest = strengths.max(axis=1, keepdims=True)
    levels = tuple(float(level) for level in strongest[:, 0])
    strengths = np.where(strongest > _DIM, strengths / np.maximum(strongest, _DIM), strengths)
    border = _border(strengths)
    lit = strengths > border
    for index, cell in enumerate(cells):
        if cell.narrow:
            lit[index] = [False, True, True, False, False, False, False]
            strengths[index, [0, 3, 4, 5, 6]] = 0.0
    characters = [CHARACTERS.get(tuple(bool(v) for v in row), "?") for row in lit]
    fits = [_fit(ink > threshold, cell, row, thick) for cell, row in zip(cells, lit, strict=True)]
    cuts = [part for cell, row in zip(cells, lit, strict=True) for part in _parted(ink, cell, row, thick)]
    typical = float(np.median(cuts)) if cuts else 0.0
    for index, (cell, row) in enumerate(zip(cells, lit, strict=True)):
        if not cell.narrow:
            continue
        whole = max(_parted(ink, cell, row, thick), default=0.0) < _WHOLE_OF_TYPICAL * typical
        if whole or _beside_bar(ink, cell, thick) > border:
            characters[index] = "?"
    pieces = 0.0
    if not cuts:
        pieces = float(np.mean([_pieces(ink, cell, row) for cell, row in zip(cells, lit, strict=True)]))
    shown, points = _with_points(
        np.where(bars(ink > threshold, strip.start, strip.end), np.float32(0), ink), cells, characters, thick, border
    )
    return Decoded(
        shown.strip(),
        cells,
        float(np.abs(strengths - border).min()),
        float(np.mean(fits)),
        min(float(np.median(cuts)), 2 * float(np.quantile(cuts, 0.25))) if cuts else -1.0,
        pieces,
        beside,
        levels,
        points,
    )


def _border(strengths: NDArray[np.floating]) -> float:
    """Between lit and unlit: the middle of the widest gap."""
    values = np.sort(np.concatenate([strengths.ravel(), [0.1, 0.9]]))
    values = values[(values >= 0.1) & (values <= 0.95)]
    gaps = np.diff(values)
    middles = (values[1:] + values[:-1]) / 2
    usable = (middles > 0.25) & (middles < 0.75)
    if not usable.any():
        return 0.5
    best = int(np.argmax(np.where(usable, gaps, -1)))
    return float(middles[best])


def _thickness(ink: Floats, cells: tuple[Cell, ...]) -> float:
    """Of a stroke, in pixels: how far ink reaches inwards from the sides of cells."""
    widths = []
    for cell in cells:
        left, right = max(0, round(cell.left)), round(cell.right)
        for part in (0.22, 0.3, 0.7, 0.78):
            line = ink[round(cell.top + part * cell.height), left:right] > 0.5
            for side in (line, line[::-1]):
                lead = side[:4]
                if lead.any():
                    first = int(lead.argmax())
                    rest = side[first:]
                    widths.append(len(rest) if rest.all() else int((~rest).argmax()))
    return float(np.clip(np.median(widths), 3, 16)) if widths else 0.12 * HEIGHT


def _strengths(ink: Floats, cell: Cell, thick: float) -> list[float]:
    """Of segments a to g: along the middle part of each, the strongest ink across it."""
    left, right, top, bottom = cell.left, cell.right, cell.top, cell.bottom
    middle = (top + bottom) / 2
    reach, half = 1.15 * thick + 1, 0.6 * thick + 2.5
    inner_left, inner_right = left + 0.33 * cell.width, right - 0.33 * cell.width
    upper = (top + 0.17 * cell.height, middle - 0.12 * cell.height)
    lower = (middle + 0.12 * cell.height, bottom - 0.17 * cell.height)

    def level(low: float, high: float) -> float:
        return _along(ink, low, high, inner_left, inner_right, 0)

    def upright(rows: tuple[float, float], low: float, high: float) -> float:
        return _along(ink, rows[0], rows[1], low, high, 1)

    reach = min(reach, 0.36 * cell.width)
    return [
        level(top - 2, top + reach),
        upright(upper, right - reach, right + 1),
        upright(lower, right - reach, right + 1),
        level(bottom - reach, bottom + 2),
        upright(lower, left - 1, left + reach),
        upright(upper, left - 1, left + reach),
        level(middle - half, middle + half),
    ]


def _along(ink: Floats, top: float, bottom: float, left: float, right: float, axis: int) -> float:
    window = ink[max(0, round(top)) : round(bottom), max(0, round(left)) : round(right)]
    if not window.size:
        return 0.0
    across = np.sort(window.max(axis=axis))
    return float((across.mean() + across[len(across) // 4]) / 2)


def _fit(mask: NDArray[np.bool_], cell: Cell, lit: NDArray[np.bool_], thick: float) -> float:
    """Ink on lit segments as a part of all ink and of all of them: the lesser."""
    left, right, top, bottom = (round(v) for v in (cell.left, cell.right, cell.top, cell.bottom))
    left = max(0, left)
    seen = mask[top:bottom, left:right]
    if seen.shape[0] < 8 or seen.shape[1] < 8:
        return 0.0
    high, wide = seen.shape
    stroke, middle = min(round(thick), wide // 3), high // 2
    grown = stroke + 2
    bars = {
        0: (slice(0, grown), slice(0, wide)),
        1: (slice(0, middle + 2), slice(wide - grown, wide)),
        2: (slice(middle - 2, high), slice(wide - grown, wide)),
        3: (slice(high - grown, high), slice(0, wide)),
        4: (slice(middle - 2, high), slice(0, grown)),
        5: (slice(0, middle + 2), slice(0, grown)),
        6: (slice(middle - grown // 2 - 2, middle + grown // 2 + 3), slice(0, wide)),
    }
    wanted = np.zeros_like(seen)
    for index in np.flatnonzero(lit):
        wanted[bars[int(index)]] = True
    ink = int(seen.sum())
    if not ink:
        return 0.0 if lit.any() else 1.0
    return float((seen & wanted).sum() / ink)


def _parted(ink: Floats, cell: Cell, lit: NDArray[np.bool_], thick: float) -> list[float]:
    """How deep each whole upright is cut at half height, on its outer side."""
    found = []
    middle = round((cell.top + cell.bottom) / 2)
    outer = max(2, round(0.6 * thick))
    for upper, lower, low in ((1, 2, round(cell.right) - outer), (5, 4, round(cell.left))):
        if not (lit[upper] and lit[lower]):
            continue
        side = ink[middle - 18 : middle + 19, max(0, low) : max(0, low) + outer]
        if side.shape[1] < 1:
            continue
        profile = side.max(axis=1)
        beside = float(np.median(np.concatenate([profile[:10], profile[-10:]])))
        found.append(max(0.0, 1 - float(profile[11:26].min()) / max(beside, 0.1)))
    return found


def _beside_bar(ink: Floats, cell: Cell, thick: float) -> float:
    """The strongest level stroke left of a bar, also a little above it: a 7 whose top stands out is no 1."""
    left, right = cell.left + 0.3 * cell.width, cell.right - 1.6 * thick
    window = ink[max(0, round(cell.top) - 12) : round(cell.bottom) + 4, max(0, round(left)) : max(0, round(right))]
    return float(window.mean(axis=1).max()) if window.size else 0.0


def _pieces(ink: Floats, cell: Cell, lit: NDArray[np.bool_]) -> float:
    """Pieces of the strongest ink, beyond one, for each lit segment beyond one."""
    if int(lit.sum()) < 2:
        return 0.0
    window = ink[round(cell.top) : round(cell.bottom), max(0, round(cell.left)) : round(cell.right)]
    if min(window.shape) < 4:
        return 0.0
    strong = (window > 0.72 * float(np.quantile(window, 0.95))).astype(np.uint8)
    _, _, stats, _ = cv2.connectedComponentsWithStats(strong, connectivity=4)
    pieces = int((stats[1:, cv2.CC_STAT_AREA] >= 0.01 * window.size).sum())
    return max(0.0, min(1.0, (pieces - 1) / (int(lit.sum()) - 1)))


def _with_points(
    ink: Floats, cells: tuple[Cell, ...], characters: list[str], thick: float, border: float
) -> tuple[str, tuple[float, ...]]:
    """Characters with the points and colons between them, and how strong each is."""
    marks = [_mark_after(ink, cell, after, thick, border) for cell, after in pairwise(cells)]
    marks.append(("", 0.0))
    most = max(strength for _, strength in marks)
    kept = [kind if strength >= _POINT_OF_BEST * most else "" for kind, strength in marks]
    strong = tuple(strength for kind, (_, strength) in zip(kept, marks, strict=True) if kind)
    weak = max((strength for kind, (_, strength) in zip(kept, marks, strict=True) if not kind), default=0.0)
    return "".join(a + b for a, b in zip(characters, kept, strict=True)), (*strong, -weak)


def _mark_after(ink: Floats, cell: Cell, following: Cell, thick: float, border: float) -> tuple[str, float]:
    """A point or a colon between two cells, or nothing; and how strong it is."""
    left = round(cell.right) + 1
    right = round(following.right - 1.15 * thick if following.narrow else following.left) - 1
    right = min(right, ink.shape[1])
    bottom = round(cell.bottom)
    if right - left < 3:
        return "", _UNSEEN
    size = max(3, round(0.7 * thick))
    low = _spot(ink[bottom - round(1.6 * thick) - 1 : bottom + round(0.5 * thick) + 2, left:right], size)
    above = float(ink[bottom - round(0.36 * HEIGHT) : bottom - round(0.26 * HEIGHT), left:right].max(axis=0).min())
    third = cell.height / 3
    if low > border and above < 0.6 * low:
        return ".", low
    upper = _spot(ink[round(cell.top + 0.6 * third) : round(cell.top + 1.4 * third), left:right], size)
    lower = _spot(ink[round(cell.top + 1.6 * third) : round(cell.top + 2.4 * third), left:right], size)
    between = float(ink[round(cell.top + 1.45 * third) : round(cell.top + 1.55 * third) + 1, left:right].max())
    if min(upper, lower) > border and between < 0.6 * min(upper, lower):
        return ":", min(upper, lower)
    return "", low if above < 0.6 * low or low > border else 0.0


def _spot(window: Floats, size: int) -> float:
    """The strongest square of a given side."""
    if window.shape[0] < size or window.shape[1] < 2:
        return 0.0
    wide = min(size, window.shape[1])
    means = cv2.blur(np.ascontiguousarray(window), (wide, size), borderType=cv2.BORDER_REPLICATE)
    rows, columns = window.shape[0] - size + 1, window.shape[1] - wide + 1
    return float(means[size // 2 : size // 2 + rows, wide // 2 : wide // 2 + columns].max())
