"""A straightened row cut into the cells of its digits.

The lowest quarter does not count: there stand points, and every digit reaches its full width above them. A narrow
stroke is a 1, which stands at the right of its cell. Anything that does not have the height of a digit ends the row,
unless it is a minus before it.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from plugins.panel.displays.strips import HEIGHT, MARGIN

__all__ = ["Cell", "bars", "cut"]

Floats = NDArray[np.float32]

_LOW = 0.76
"""Of the height: below it stand points."""
_JOIN = 0.1
"""Gaps narrower than this, in heights, lie within a digit."""
_WIDE = (0.33, 0.92)
"""Widths of a digit that is no 1, in heights."""
_TALL = 0.8
_SHORT = 0.68
"""A 1 or a 4 of pointed segments is lower than the others."""
_REACH = 1.75
"""Digits that stand further apart than this, in pitches, are two displays."""


@dataclass(frozen=True, slots=True)
class Cell:
    """Where one digit stands, in pixels of the strip."""

    left: float
    top: float
    right: float
    bottom: float
    narrow: bool
    """Only a bar was seen: its cell is known from the others."""
    seen: tuple[float, float, float, float] | None = None
    """Left, top, right and bottom of its own ink, where it has the height of a digit."""

    @property
    def width(self) -> float:
        return self.right - self.left

    @property
    def height(self) -> float:
        return self.bottom - self.top


@dataclass(frozen=True, slots=True)
class _Run:
    left: int
    right: int
    top: int
    bottom: int

    @property
    def width(self) -> int:
        return self.right - self.left


def cut(ink: Floats, start: float, end: float, threshold: float) -> tuple[tuple[Cell, ...], bool]:
    """Cells from the left, none where the row is no row of digits; and whether more stands beside them.

    :param start: where the strokes begin that the row was found by; from there it is followed to both sides.
    """
    barred = bars(ink > threshold, start, end)
    mask = (ink > threshold) & ~barred
    runs = _runs(mask)
    known = [r for r in runs if r.right > start - 0.2 * HEIGHT and r.left < end + 0.2 * HEIGHT]
    full = [r for r in known if _WIDE[0] * HEIGHT <= r.width <= _WIDE[1] * HEIGHT and _is_tall(r)]
    if not full:
        return (), False
    typical = float(np.median([r.width for r in full]))
    wide = float(max(r.width for r in full if r.width <= 1.35 * typical))
    top, bottom = float(np.median([r.top for r in full])), float(np.median([r.bottom for r in full]))
    cells = [cell for run in runs for cell in _cells_of(run, mask, wide, top, bottom)]
    row = _connected(cells, (start + end) / 2, wide, ink.shape[1])
    return row, bool(row) and any(
        _stands_beside(run, row, wide) and not barred[MARGIN + HEIGHT // 2, max(0, run.left - 4) : run.right + 4].any()
        for run in runs
    )


def _stands_beside(run: _Run, row: tuple[Cell, ...], wide: float) -> bool:
    """A part of a digit that was not taken for one."""
    first, last = row[0], row[-1]
    if first.left - 1.3 * wide < run.right <= first.left + 2 and _is_dash(run, (first.top + first.bottom) / 2):
        return run.width >= 0.1 * HEIGHT
    near = first.left - wide < run.right <= first.left + 2 or last.right - 2 <= run.left < last.right + wide
    return near and run.bottom - run.top >= 0.4 * HEIGHT


def bars(mask: NDArray[np.bool_], start: float, end: float) -> NDArray[np.bool_]:
    """Edges of windows and wires, which reach further than digits do: up and down, or across the gaps between them."""
    upright = mask[MARGIN - 11 : MARGIN + HEIGHT + 11].mean(axis=0) > 0.88
    within = mask[:, max(0, round(start)) : round(end)]
    gaps = within[MARGIN + 8 : MARGIN + round(_LOW * HEIGHT)].sum(axis=0) < 3
    level = np.zeros(len(mask), bool)
    if gaps.sum() >= 4:
        level = within[:, gaps].mean(axis=1) > 0.7
        level[MARGIN + 8 : MARGIN + HEIGHT - 8] = False
    found: NDArray[np.bool_] = np.zeros_like(mask)
    found[:, np.convolve(upright, np.ones(7), "same") > 0] = True
    found[np.convolve(level, np.ones(3), "same") > 0] = True
    return found


def _is_tall(run: _Run) -> bool:
    return run.bottom - run.top >= _TALL * HEIGHT


def _runs(mask: NDArray[np.bool_]) -> list[_Run]:
    """Columns with strokes, gaps within a digit closed; without what is taller than digits: wires and edges."""
    band = mask[MARGIN - 2 : MARGIN + round(_LOW * HEIGHT)]
    inked = np.flatnonzero(band.sum(axis=0) >= 3)
    if not inked.size:
        return []
    breaks = np.flatnonzero(np.diff(inked) > max(2, round(_JOIN * HEIGHT)))
    lefts = inked[np.concatenate(([0], breaks + 1))]
    rights = inked[np.concatenate((breaks, [inked.size - 1]))] + 1
    reach = 13
    found = []
    for left, right in zip(lefts.tolist(), rights.tolist(), strict=True):
        rows = np.flatnonzero(mask[MARGIN - reach : MARGIN + HEIGHT + reach, left:right].sum(axis=1) >= 2)
        if not rows.size or right - left < 3:
            continue
        run = _Run(left, right, MARGIN - reach + int(rows[0]), MARGIN - reach + int(rows[-1]) + 1)
        if run.bottom - run.top < HEIGHT + 2 * reach - 3:
            found.append(run)
    return found


def _cells_of(run: _Run, mask: NDArray[np.bool_], wide: float, top: float, bottom: float) -> list[Cell]:
    slack = 0.2 * HEIGHT
    tall = run.bottom - run.top >= _SHORT * HEIGHT
    if tall and abs(run.top - top) <= slack and abs(run.bottom - bottom) <= slack:
        seen = (float(run.left), float(run.top), float(run.right), float(run.bottom))
        if run.width <= 0.5 * wide:
            return [Cell(run.right - wide, top, run.right, bottom, True, seen)]
        if run.width <= 0.85 * wide and not _has_left_upright(run, mask):
            return [Cell(run.right - wide, top, run.right, bottom, False, seen)]
        if run.width <= 1.35 * wide:
            return [Cell(run.left, top, run.right, bottom, False, seen)]
        return _split(run, mask, wide, top, bottom)
    if _is_dash(run, (top + bottom) / 2) and 0.3 * wide <= run.width <= 1.2 * wide:
        extra = max(0.0, (wide - run.width) / 2)
        return [Cell(run.left - extra, top, run.right + extra, bottom, False)]
    return []


def _is_dash(run: _Run, middle: float) -> bool:
    return abs((run.top + run.bottom) / 2 - middle) <= 0.25 * HEIGHT and run.bottom - run.top <= 0.3 * HEIGHT


def _has_left_upright(run: _Run, mask: NDArray[np.bool_]) -> bool:
    """Its left side is that of a digit; else only horizontal segments end there, as in a 3 or a 7."""
    left = np.any(mask[run.top : run.bottom, run.left : run.left + max(3, run.width // 4)], axis=1, keepdims=True)
    tall = run.bottom - run.top
    halves = (left[round(a * tall) : round((a + 0.3) * tall)] for a in (0.15, 0.55))
    return any(half.mean() > 0.6 for half in halves)


def _split(run: _Run, mask: NDArray[np.bool_], wide: float, top: float, bottom: float) -> list[Cell]:
    """Digits that run together, parted where there is least ink."""
    count = round((run.width + 0.3 * wide) / (1.3 * wide))
    if not 2 <= count <= 8 or not 0.75 * wide <= run.width / count <= 1.35 * wide:
        return []
    columns = mask[MARGIN : MARGIN + HEIGHT].sum(axis=0)
    edges = [run.left]
    for index in range(1, count):
        middle = run.left + run.width * index / count
        low, high = round(middle - 0.2 * wide), round(middle + 0.2 * wide) + 1
        edges.append(low + int(columns[low:high].argmin()))
    edges.append(run.right)
    return [Cell(a, top, b, bottom, False) for a, b in pairwise(edges)]


def _connected(cells: list[Cell], middle: float, wide: float, end: float) -> tuple[Cell, ...]:
    """The cells that follow each other at a regular distance, among those the ones around the middle of the row."""
    rows: list[list[Cell]] = []
    for cell in sorted(cells, key=lambda cell: cell.right):
        if cell.right > end - 2 or (not cell.narrow and cell.left < 2):
            continue
        before = rows[-1][-1] if rows else None
        if before is None or cell.right - before.right > _REACH * 1.45 * wide:
            rows.append([cell])
        elif cell.left >= before.right - (0.12 if cell.narrow else 0.05) * wide:
            rows[-1].append(cell)
    if not rows:
        return ()
    row = max(rows, key=lambda row: (sum(not c.narrow for c in row), -abs(row[0].left - middle)))
    return tuple(_regular(row))


def _regular(row: list[Cell]) -> list[Cell]:
    """Without the ends that stand nearer or further than digits of this row do."""
    while len(row) >= 3:
        steps = np.diff([cell.right for cell in row])
        pitch = float(np.median(steps))
        first, last = steps[0] / pitch, steps[-1] / pitch
        if not 0.78 <= first <= 1.5:
            row = row[1:]
        elif not 0.78 <= last <= 1.5:
            row = row[:-1]
        else:
            break
    return row
