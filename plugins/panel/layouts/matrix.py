"""Tables whose headings name things of the plant, not roles: rows of labels, columns of values, a heading over each.

`Pump 1` under `Speed` and `Current`, or `Speed` under `Pump 1` and `Pump 2`. A value belongs to its row and to its
column, so it is named by both. A table is told from a grid of captions by what stands above its lower values: another
value, not a label.

Order: lines of values with a label before them → values in the same columns → headings on one line above them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from agent.api import Box
from plugins.panel.geometry import centre, height, lines_of, overlap_x
from plugins.panel.grammar import Token

__all__ = ["Cell", "find_cells"]

_MAX_GAP = 45.0
"""Between a row's label and its first value, and between two values, in text heights."""
_HEAD_REACH = 6.0
"""How far above the first row the headings may stand, in text heights."""
_ROW_REACH = 5.0
"""How far apart two rows may be, in text heights."""


@dataclass(frozen=True, slots=True)
class Cell:
    """What names a value of a table."""

    row: Token
    column: Token
    unit: str = ""
    """Of the row, where only its last value is followed by one."""


@dataclass(frozen=True, slots=True)
class _Row:
    label: Token
    values: tuple[Token, ...]


def find_cells(tokens: Sequence[Token]) -> Mapping[int, Cell]:
    """The cells of all tables: `id` of a value token → its row and column."""
    rows = _rows(tokens)
    found: dict[int, Cell] = {}
    for table in _tables(rows):
        columns = [column for column in _columns(table) if not _is_captioned(column, tokens)]
        units = _row_units(columns, len(table))
        for column, heading in _headed(columns, table, tokens):
            for row, value, unit in zip(table, column, units, strict=True):
                if value is not None:
                    found[id(value)] = Cell(row.label, heading, unit)
    return found


def _rows(tokens: Sequence[Token]) -> list[_Row]:
    """Lines that begin with a label and go on with at least two values, from the top."""
    rows = []
    for line in lines_of([(token.box, token) for token in tokens if token.kind in ("label", "value", "none")]):
        label: Token | None = None
        values: list[Token] = []
        for _, token in line:
            last = values[-1] if values else label
            near = last is None or token.box[0] - last.box[2] <= _MAX_GAP * height(token.box)
            if token.kind == "label" or token.label or not near:
                if label is not None and len(values) >= 2:
                    rows.append(_Row(label, tuple(values)))
                label, values = (token if token.kind == "label" else None), []
            elif label is not None:
                values.append(token)
        if label is not None and len(values) >= 2:
            rows.append(_Row(label, tuple(values)))
    return rows


def _tables(rows: Sequence[_Row]) -> list[list[_Row]]:
    """Rows beneath each other whose labels and values stand in the same columns, at least two of them."""
    tables: list[list[_Row]] = []
    for row in rows:
        for table in tables:
            last = table[-1]
            tall = height(row.label.box)
            step = row.label.box[1] - last.label.box[1]
            if 0 < step <= _ROW_REACH * tall and _aligned(row.label.box, last.label.box, 1.5 * tall):
                shared = sum(any(_in_column(a.box, b.box) for b in last.values) for a in row.values)
                if shared >= 2:
                    table.append(row)
                    break
        else:
            tables.append([row])
    return [table for table in tables if len(table) >= 2]


def _columns(table: Sequence[_Row]) -> list[list[Token | None]]:
    """The values of each column that goes through at least two rows, row by row; None where a row has none."""
    widest = max(table, key=lambda row: len(row.values))
    columns = [
        [next((value for value in row.values if _in_column(value.box, head.box)), None) for row in table]
        for head in widest.values
    ]
    return [column for column in columns if sum(value is not None for value in column) >= 2]


def _headed(
    columns: Sequence[list[Token | None]], table: Sequence[_Row], tokens: Sequence[Token]
) -> list[tuple[list[Token | None], Token]]:
    """The columns that have a label over them, all on one line; none where these name nothing different."""
    top = min(row.label.box[1] for row in table)
    tall = height(table[0].label.box)
    labels = [
        token
        for token in tokens
        if token.kind == "label" and token.box[3] <= top + tall // 2 and top - token.box[3] <= _HEAD_REACH * tall
    ]
    found = []
    for column in columns:
        first = next(value for value in column if value is not None)
        over = [label for label in labels if _in_column(label.box, first.box)]
        if over:
            found.append((column, max(over, key=lambda label: label.box[3])))
    level = [centre(heading.box)[1] for _, heading in found]
    distinct = len({heading.text for _, heading in found}) == len(found)
    return found if len(found) >= 2 and distinct and max(level) - min(level) <= 0.7 * tall else []


def _row_units(columns: Sequence[Sequence[Token | None]], count: int) -> list[str]:
    """The unit at the end of each row, where at least two rows are written so and none has a unit further left."""
    rows = [[value for column in columns if (value := column[row]) is not None] for row in range(count)]
    inner = any(value.unit for row in rows for value in row[:-1])
    last = [row[-1].unit if row else "" for row in rows]
    return [""] * count if inner or sum(map(bool, last)) < 2 else last


def _is_captioned(column: Sequence[Token | None], tokens: Sequence[Token]) -> bool:
    """Labels between the values of a column are captions of their own."""
    values = [value for value in column if value is not None]
    top, bottom = values[0].box[3], values[-1].box[1]
    return any(
        token.kind == "label" and top <= centre(token.box)[1] <= bottom and overlap_x(token.box, values[0].box) > 0
        for token in tokens
    )


def _in_column(a: Box, b: Box) -> bool:
    return _aligned(a, b, 0.8 * height(b)) or overlap_x(a, b) >= 0.6 * min(a[2] - a[0], b[2] - b[0])


def _aligned(a: Box, b: Box, by: float) -> bool:
    """Their left edges, right edges or middles are one above the other."""
    return min(abs(a[0] - b[0]), abs(a[2] - b[2]), abs(centre(a)[0] - centre(b)[0])) <= by
