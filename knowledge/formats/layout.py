"""Runs of text with their places on a page, as lines and tables: the same for printed pages and for read pictures.

A ruled grid makes a table, whatever order its cells were written in. Without rules, lines whose runs stand in the same
columns do, if there are enough of them. What is not sure to be a table stays lines.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

__all__ = ["Grid", "PageLine", "Run", "lines_of", "reading_order"]

_SAME_LINE = 0.5
"""Share of the lower run's height that two runs of one line have in common."""
_ROWS = 3
_FULL_ROWS = 0.6
_FILLED = 0.4
"""Share of the cells of a ruled table that say something of their own."""
_SHORT_CHARS = 60
"""Of the cells of a table that has no rules: longer ones are columns of running text."""
_WORD_GAP, _COLUMN_GAP = 0.12, 0.8
"""In heights: between two words, and between two columns."""
_NEXT_LINE = 1.7
"""Lines of one cell follow each other within so many heights."""


@dataclass(frozen=True, slots=True)
class Run:
    """A run of text without a wide gap in it; the place in points or pixels from the top left."""

    text: str
    left: float
    top: float
    right: float
    bottom: float

    @property
    def height(self) -> float:
        return self.bottom - self.top


@dataclass(frozen=True, slots=True)
class PageLine:
    """A line of a page, or a whole table."""

    text: str
    size: float
    """Height of its letters."""
    table: tuple[tuple[str, ...], ...] = ()
    """Rows of cells; the text is empty then."""


@dataclass(frozen=True, slots=True)
class Grid:
    """A ruled table: where its rules stand, outermost included, and which are drawn."""

    xs: tuple[float, ...]
    ys: tuple[float, ...]
    walls: frozenset[tuple[int, int]]
    """(row, i): between the columns i - 1 and i of a row there is a rule."""
    floors: frozenset[tuple[int, int]]
    """(i, column): between the rows i - 1 and i of a column there is a rule."""

    def holds(self, run: Run) -> bool:
        """Whether the middle of a run lies in it."""
        x, y = (run.left + run.right) / 2, (run.top + run.bottom) / 2
        return self.xs[0] <= x <= self.xs[-1] and self.ys[0] <= y <= self.ys[-1]

    def parts(self, run: Run) -> bool:
        """Whether a rule goes through a run, so that nobody can tell which words stand in which cell."""
        if not self.holds(run):
            return False
        row = _index(self.ys, (run.top + run.bottom) / 2)
        inside = range(1, len(self.xs) - 1)
        return any(
            run.left + run.height < self.xs[i] < run.right - run.height and (row, i) in self.walls for i in inside
        )

    def table(self, runs: Iterable[Run]) -> tuple[tuple[str, ...], ...]:
        """Rows of cells; a cell that spans rows or columns is repeated in each, so that a row says it all."""
        held: dict[tuple[int, int], list[Run]] = {}
        for run in runs:
            row = _index(self.ys, (run.top + run.bottom) / 2)
            column = _index(self.xs, (run.left + run.right) / 2)
            held.setdefault(self._first(row, column), []).append(run)
        texts = {place: _cell_text(inside) for place, inside in held.items()}
        return tuple(
            tuple(texts.get(self._first(row, column), "") for column in range(len(self.xs) - 1))
            for row in range(len(self.ys) - 1)
        )

    def _first(self, row: int, column: int) -> tuple[int, int]:
        while column > 0 and (row, column) not in self.walls:
            column -= 1
        while row > 0 and (row, column) not in self.floors:
            row -= 1
        return row, column


def lines_of(runs: Sequence[Run], grids: Sequence[Grid] = ()) -> list[PageLine]:
    """Lines and tables of a page.

    :param runs: in reading order; that order is kept outside of ruled tables.
    """
    inside: dict[int, list[Run]] = {}
    order: list[Run | int] = []
    for run in runs:
        at = next((i for i, grid in enumerate(grids) if grid.holds(run)), None)
        if at is None:
            order.append(run)
        else:
            if at not in inside:
                order.append(at)
            inside.setdefault(at, []).append(run)
    out: list[PageLine] = []
    loose: list[Run] = []
    for entry in order:
        if isinstance(entry, Run):
            loose.append(entry)
            continue
        out += _loose_lines(loose)
        loose = []
        out += _ruled(grids[entry], inside[entry])
    return out + _loose_lines(loose)


def reading_order(runs: Iterable[Run]) -> list[Run]:
    """Runs that come in no order, line by line from the top."""
    rows: list[list[Run]] = []
    for run in sorted(runs, key=lambda r: ((r.top + r.bottom) / 2, r.left)):
        if rows and _on_one_line(rows[-1][0], run):
            rows[-1].append(run)
        else:
            rows.append([run])
    return [run for row in rows for run in sorted(row, key=lambda r: r.left)]


def _ruled(grid: Grid, runs: Sequence[Run]) -> list[PageLine]:
    table = grid.table(runs)
    size = sorted(run.height for run in runs)[len(runs) // 2]
    cells = [cell for row in table for cell in row]
    if len(table) < 2 or len(table[0]) < 2 or len(set(filter(None, cells))) < _FILLED * len(cells):
        return _loose_lines(runs)  # a frame around text, or a drawing
    return [PageLine("", size, table)]


def _loose_lines(runs: Sequence[Run]) -> list[PageLine]:
    rows: list[list[Run]] = []
    for run in runs:
        if rows and _on_one_line(rows[-1][-1], run) and run.left >= rows[-1][-1].right - run.height:
            rows[-1].append(run)
        else:
            rows.append([run])
    out: list[PageLine] = []
    at = 0
    while at < len(rows):
        end = _aligned(rows, at)
        table = _aligned_table(rows[at:end]) if end - at >= _ROWS else ()
        if table:
            out.append(PageLine("", rows[at][0].height, table))
            at = end
        else:
            out.append(PageLine(_spaced(rows[at]), max(run.height for run in rows[at])))
            at += 1
    return out


def _spaced(row: Sequence[Run]) -> str:
    """Runs of one line, two blanks where a column may end; nothing where only a rule went between two letters."""
    text = row[0].text.strip()
    for before, run in pairwise(row):
        gap = (run.left - before.right) / max(run.height, 1.0)
        text += ("  " if gap >= _COLUMN_GAP else " " if gap >= _WORD_GAP else "") + run.text.strip()
    return text


def _aligned(rows: Sequence[Sequence[Run]], start: int) -> int:
    """Where lines end that may be one table with the line at `start`: no wide gap, and no line without a neighbour."""
    if len(rows[start]) < 2:
        return start
    end = start + 1
    while end < len(rows):
        before, row = rows[end - 1][0], rows[end][0]
        wide = row.top - before.bottom > 1.5 * max(row.height, before.height)
        alone = len(rows[end]) == 1 and row.left <= rows[start][0].right
        if wide or alone or row.top < before.top:
            break
        end += 1
    return end


def _aligned_table(rows: Sequence[Sequence[Run]]) -> tuple[tuple[str, ...], ...]:
    """Rows of cells where the runs of all lines fall into columns of their own; empty where they do not."""
    columns = _columns([run for row in rows for run in row])
    width = len(columns)
    full = sum(len(row) == width for row in rows)
    if width < 2 or width > 30 or full < max(2, _FULL_ROWS * sum(_begins(row, columns) for row in rows)):
        return ()
    if width == 2 and any(len(run.text) > _SHORT_CHARS for row in rows for run in row):
        return ()
    table: list[list[str]] = []
    for at, row in enumerate(rows):
        places = [_index_of(columns, run) for run in row]
        if len(set(places)) < len(places):
            return ()
        if 0 in places:
            table.append([""] * width)
        elif not table or not _belongs_above(rows, at):
            return ()  # nobody can tell which row the line belongs to
        for place, run in zip(places, row, strict=True):
            table[-1][place] = _joined([table[-1][place], run.text.strip()])
    return tuple(tuple(row) for row in table) if len(table) >= _ROWS else ()


def _belongs_above(rows: Sequence[Sequence[Run]], at: int) -> bool:
    """Whether a line is clearly nearer to the line above it than to the one below."""
    above, own = rows[at - 1][0], rows[at][0]
    if own.top - above.top >= _NEXT_LINE * own.height:
        return False
    return at + 1 == len(rows) or own.top - above.bottom + own.height * 0.3 < rows[at + 1][0].top - own.bottom


def _begins(row: Sequence[Run], columns: Sequence[tuple[float, float]]) -> bool:
    return _index_of(columns, row[0]) == 0


def _columns(runs: Sequence[Run]) -> list[tuple[float, float]]:
    """Spans across the page that runs cover, apart from each other."""
    spans: list[tuple[float, float]] = []
    for run in sorted(runs, key=lambda r: r.left):
        if spans and run.left < spans[-1][1]:
            spans[-1] = (spans[-1][0], max(spans[-1][1], run.right))
        else:
            spans.append((run.left, run.right))
    return spans


def _index_of(columns: Sequence[tuple[float, float]], run: Run) -> int:
    return next(i for i, (left, right) in enumerate(columns) if left <= run.left <= right)


def _on_one_line(one: Run, other: Run) -> bool:
    shared = min(one.bottom, other.bottom) - max(one.top, other.top)
    return shared > _SAME_LINE * min(one.height, other.height)


def _index(borders: Sequence[float], place: float) -> int:
    return max(0, min(sum(1 for border in borders[1:-1] if border <= place), len(borders) - 2))


def _cell_text(runs: Sequence[Run]) -> str:
    return _joined([run.text.strip() for run in reading_order(runs)])


def _joined(parts: Sequence[str]) -> str:
    """Lines of a cell as one: a space between Latin words, nothing between Chinese ones."""
    text = ""
    for part in parts:
        glue = " " if text and part and (text[-1].isascii() or part[0].isascii()) else ""
        text += glue + part
    return text
