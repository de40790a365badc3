"""Lists of alarms and events: one row for each moment in the column of times.

Rows are anchored on their times, because cells may run over several lines. Cells are gathered into columns by where
the rows leave room, and the columns are given to the headings from left to right; what stands beside the table at
the same height belongs to none of its rows. Order: pieces of text → anchors → columns → rows → roles.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from agent.api import AlarmRow, Box
from plugins.panel.geometry import centre, height, joined, overlap_x, same_line
from plugins.panel.tables.cells import Piece, cells_text, parted, roles_of
from plugins.panel.tables.columns import Column
from plugins.panel.tables.moments import moment_in

__all__ = ["headed_rows"]

_CUT_ROW = 0.66
"""A row whose text is less tall than this part of the others' is cut off by the edge of the list."""
_MAX_STEP = 3.0
"""Rows further apart than this many times the usual distance do not belong to one table."""
_LOOSE = 0.25
"""Boxes of texts are this much wider than their ink on either side, in text heights."""
_LINE_STEP = 1.8
"""Lines of one cell are at most this many text heights apart."""
_WORDY = frozenset(("text", "name", "channel", "area", "state", ""))
"""Cells of these columns may go on in a second line."""
_SHORT_ROLES = frozenset(("number", "priority", "state", "ack"))
_SKIP_COST = 4.0
"""A column of cells that fits no heading better than this, in text heights, is beside the table; one between headings
may be three times as far from its own.
"""


@dataclass(frozen=True, slots=True)
class Row:
    """Pieces of one row."""

    anchor: Piece
    pieces: tuple[Piece, ...]


def headed_rows(
    columns: Sequence[Column], pieces: Sequence[Piece]
) -> tuple[list[AlarmRow], frozenset[int], tuple[Box, ...]]:
    """The rows beneath headings, the texts they are made of, and places of short cells that seem to be empty.

    :param pieces: of the texts that stand beneath the headings.
    """
    head = joined(column.box for column in columns)
    tall = float(np.median([height(column.box) for column in columns]))
    pieces = [part for piece in pieces for part in parted(piece, columns)]
    times = [i for i, column in enumerate(columns) if column.role == "time"]
    anchors = _anchors(columns, times, pieces, head[3])
    if not anchors:
        return [], frozenset(), ()
    lines = [[p for p in pieces if same_line(p.box, anchor.box)] for anchor in anchors]
    bands = _bands([piece for line in lines for piece in line], len(anchors))
    owner = _owners(columns, bands, tall)
    usual = float(np.median([height(anchor.box) for anchor in anchors]))
    rows = _rows(anchors, pieces, head[3], usual)
    found, sources = [], set()
    filled = [_cells(row, columns, bands, owner, tall) for row in rows]
    for row, cells in zip(rows, filled, strict=True):
        kept = [piece for cell in cells.values() for piece in cell]
        sources |= {piece.source for piece in kept}
        if len(cells) < 2 or height(row.anchor.box) < _CUT_ROW * usual:
            continue
        by_heading = _named(columns, cells)
        found.append(AlarmRow(by_heading, joined(p.box for p in kept), roles_of(columns, cells)))
    return found, frozenset(sources), tuple(_gaps(columns, rows, filled))


def _gaps(columns: Sequence[Column], rows: Sequence[Row], filled: Sequence[Mapping[int, Sequence[Piece]]]) -> list[Box]:
    """Empty cells of columns that number the rows, or that hold one word nearly everywhere: single characters are
    easily missed.
    """
    gaps = []
    for index, column in enumerate(columns):
        inside = [piece.box for cells in filled for piece in cells.get(index, ())]
        count = sum(index in cells for cells in filled)
        if column.role not in _SHORT_ROLES or (column.role != "number" and 2 * count < len(rows)):
            continue
        tall = height(column.box)
        ends = joined([column.box, *inside])
        behind = columns[index + 1].box[0] if index + 1 < len(columns) else ends[2] + tall
        right = min(max(ends[2], ends[0] + 3 * tall), behind - tall // 2)
        if right - ends[0] < tall // 2:
            continue
        anchors = (row.anchor.box for row, cells in zip(rows, filled, strict=True) if index not in cells)
        gaps += [(max(0, ends[0] - tall // 3), box[1], right, box[3]) for box in anchors]
    return gaps


def _anchors(columns: Sequence[Column], times: Sequence[int], pieces: Sequence[Piece], top: int) -> list[Piece]:
    """The times of the rows, from the top: one for each line, under the first heading that says when."""
    first = times[0]
    left = columns[first - 1].box[2] if first else columns[first].box[0] - 12 * height(columns[first].box)
    right = columns[first + 1].box[0] if first + 1 < len(columns) else columns[first].box[2] + 10_000
    candidates = [p for p in pieces if p.box[1] >= top - 2 and moment_in(p.text) and left < centre(p.box)[0] < right]
    anchors: list[Piece] = []
    for piece in sorted(candidates, key=lambda p: (centre(p.box)[1], p.box[0])):
        if anchors and (same_line(anchors[-1].box, piece.box) or _completes(anchors[-1], piece)):
            continue
        anchors.append(piece)
    steps = np.diff([top, *(centre(anchor.box)[1] for anchor in anchors)])
    for index in range(1, len(anchors)):
        usual = float(np.median(steps[1 : index + 1]))
        if steps[index] > _MAX_STEP * usual and steps[index] > 6 * height(anchors[index].box):
            return anchors[:index]
    return anchors


def _completes(anchor: Piece, piece: Piece) -> bool:
    """A time right under its date, in one cell."""
    above, below = moment_in(anchor.text), moment_in(piece.text)
    near = piece.box[1] - anchor.box[3] < 0.6 * height(anchor.box) and overlap_x(anchor.box, piece.box) > 0
    return bool(near and above and below and not above.timed and not below.dated)


def _bands(pieces: Sequence[Piece], rows: int) -> list[tuple[int, int]]:
    """Where cells stand, from the left: stretches that hardly any row leaves empty are one column."""
    left, right = min(p.box[0] for p in pieces), max(p.box[2] for p in pieces)
    covered = np.zeros(right - left + 2, np.int32)
    for piece in pieces:
        margin = round(min(_LOOSE * height(piece.box), (piece.box[2] - piece.box[0]) / 4))
        covered[piece.box[0] + margin - left] += 1
        covered[piece.box[2] - margin - left] -= 1
    filled = np.cumsum(covered) > 0.15 * rows
    edges = np.flatnonzero(np.diff(np.concatenate(([False], filled, [False])).astype(np.int8)))
    return [(int(start) + left, int(end) + left) for start, end in zip(edges[::2], edges[1::2], strict=True)]


def _owners(columns: Sequence[Column], bands: Sequence[tuple[int, int]], tall: float) -> list[int | None]:
    """Which heading each band of cells belongs to, in order from left to right; None for what stands beside."""
    infinite = float("inf")
    count = len(columns)
    costs = [[_distance(column.box, band, tall) for column in columns] for band in bands]
    inside = columns[0].box[0], columns[-1].box[2]
    skips = [_SKIP_COST * (3 if inside[0] < sum(band) / 2 < inside[1] else 1) for band in bands]
    best = [0.0] * (count + 1)
    """Cost so far, with the last heading used; the first place is none."""
    steps: list[list[tuple[int, bool]]] = []
    for number, band in enumerate(bands):
        now, step = [infinite] * (count + 1), [(0, False)] * (count + 1)
        for last in range(count + 1):
            if number and best[last] == infinite:
                continue
            start = best[last] if number or last == 0 else infinite
            if start + skips[number] < now[last]:
                now[last], step[last] = start + skips[number], (last, False)
            for chosen in range(max(0, last - 1), count):
                shared = chosen == last - 1
                gap = (band[0] - bands[number - 1][1]) / tall if shared and number else 0.0
                cost = start + costs[number][chosen] + (0.5 + max(0.0, gap) if shared else 0.0)
                if cost < now[chosen + 1]:
                    now[chosen + 1], step[chosen + 1] = cost, (last, True)
        best = now
        steps.append(step)
    owner: list[int | None] = [None] * len(bands)
    last = int(np.argmin(best))
    for number in reversed(range(len(bands))):
        before, used = steps[number][last]
        owner[number] = last - 1 if used else None
        last = before
    return owner


def _distance(heading: Box, band: tuple[int, int], tall: float) -> float:
    gap = max(0, band[0] - heading[2], heading[0] - band[1])
    edges = abs(heading[0] - band[0]), abs(heading[2] - band[1]), abs(heading[0] + heading[2] - sum(band)) / 2
    return (gap + min(0.15 * min(edges), 1.5 * tall)) / tall


def _rows(anchors: Sequence[Piece], pieces: Sequence[Piece], top: int, tall: float) -> list[Row]:
    """Every line of text goes to the row it stands in: around its time, or under it where times stand at the top."""
    middles = np.array([centre(anchor.box)[1] for anchor in anchors])
    step = float(np.median(np.diff(middles))) if len(middles) > 1 else 4.0 * tall
    around = any(
        top < centre(p.box)[1] < middles[0] - 0.4 * tall and overlap_x(p.box, (anchors[0].box[0], 0, 10**6, 0)) > 0
        for p in pieces
    )
    members: list[list[Piece]] = [[] for _ in anchors]
    for piece in sorted(pieces, key=lambda p: (p.box[1], p.box[0])):
        middle = centre(piece.box)[1]
        level = [i for i, anchor in enumerate(anchors) if same_line(anchor.box, piece.box)]
        if level:
            members[level[0]].append(piece)
            continue
        if around:
            row = int(np.abs(middles - middle).argmin())
            near = abs(middles[row] - middle) <= 0.55 * step
        else:
            row = int(np.searchsorted(middles, middle)) - 1
            near = row >= 0 and middle - middles[row] < 0.95 * max(step, _LINE_STEP * tall)
        lines = [centre(p.box)[1] for p in members[row]] or [float(middles[row])]
        if row >= 0 and near and min(abs(middle - line) for line in lines) <= _LINE_STEP * tall:
            members[row].append(piece)
    return [Row(anchor, tuple(row)) for anchor, row in zip(anchors, members, strict=True)]


def _cells(
    row: Row,
    columns: Sequence[Column],
    bands: Sequence[tuple[int, int]],
    owner: Sequence[int | None],
    tall: float,
) -> dict[int, list[Piece]]:
    """Column → pieces of its cell."""
    cells: dict[int, list[Piece]] = {}
    for piece in row.pieces:
        shared = [overlap_x(piece.box, (band[0], 0, band[1], 0)) for band in bands]
        nearest = int(np.argmax(shared))
        column = owner[nearest] if shared[nearest] > 0 else _beneath(piece.box, columns, tall)
        level = same_line(piece.box, row.anchor.box) or (column is not None and columns[column].role in _WORDY)
        if column is not None and (level or _completes(row.anchor, piece)):
            cells.setdefault(column, []).append(piece)
    return cells


def _beneath(box: Box, columns: Sequence[Column], tall: float) -> int | None:
    shared = [overlap_x(box, column.box) for column in columns]
    nearest = int(np.argmax(shared))
    return nearest if shared[nearest] > -tall else None


def _named(columns: Sequence[Column], cells: Mapping[int, Sequence[Piece]]) -> dict[str, str]:
    """Heading → cell, in the order of the columns; a heading that repeats is numbered."""
    named: dict[str, str] = {}
    for index, column in enumerate(columns):
        heading, again = column.heading, 2
        while heading in named:
            heading, again = f"{column.heading} {again}", again + 1
        named[heading] = cells_text(cells.get(index, ()))
    return named
