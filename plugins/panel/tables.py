"""Tables on a panel: a line of headings that say what their columns hold, and the rows beneath it.

A value table names things in one column and shows their present value in another: only that column is read, so history
cells and raw counts are not taken for it. An alarm table has a time column and at least one that says what happened.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from agent.api import AlarmRow, Box, Reading, Text
from plugins.panel.geometry import centre, height, joined, lines_of, overlap_x
from plugins.panel.grammar import Token, is_clock, is_moment, is_state, plain, split_unit, tokens_of
from plugins.panel.words import ROLE_OF_HEADING

__all__ = ["Table", "alarm_rows", "find_tables", "value_readings"]

_MAX_ROW_GAP = 3.0
"""Rows further apart than this many times the usual distance do not belong to one table."""


@dataclass(frozen=True, slots=True)
class Column:
    """One column."""

    heading: str
    role: str
    """A role of `plugins.panel.words`, `clock` for an hour of a history, or empty."""
    unit: str
    box: Box
    """Of the heading."""


@dataclass(frozen=True, slots=True)
class Table:
    """A line of headings and its rows."""

    columns: tuple[Column, ...]
    rows: tuple[tuple[tuple[int, ...], ...], ...]
    """Row → column → indices of texts in that cell."""
    sources: frozenset[int]
    """Every text that belongs to it, so that nothing else pairs them."""

    def column(self, role: str) -> int | None:
        """Index of the first column with this role."""
        return next((i for i, column in enumerate(self.columns) if column.role == role), None)

    @property
    def is_alarms(self) -> bool:
        """A list of alarms or events."""
        roles = {column.role for column in self.columns}
        return "time" in roles and "value" not in roles and len(roles - {"", "clock", "number"}) >= 2


def find_tables(texts: Sequence[Text]) -> list[Table]:
    """Tables whose headings are recognised, from the top."""
    items = [(text.box, index) for index, text in enumerate(texts)]
    taken: set[int] = set()
    tables = []
    for line in lines_of(items):
        for segment in _heading_segments(line, texts):
            columns = tuple(_column(texts[index]) for _, index in segment)
            if not _is_heading(columns) or taken & {index for _, index in segment}:
                continue
            rows = _rows(columns, [item for item in items if item[1] not in taken])
            if rows:
                cells = {index for row in rows for cell in row for index in cell}
                sources = frozenset(cells | {index for _, index in segment})
                tables.append(Table(columns, tuple(rows), sources))
                taken |= sources
    return tables


def alarm_rows(table: Table, texts: Sequence[Text]) -> list[AlarmRow]:
    """One row for each line of an alarm table whose time cell holds a time."""
    time = table.column("time")
    found = []
    for row in table.rows:
        cells = {
            column.heading: " ".join(texts[index].text for index in cell)
            for column, cell in zip(table.columns, row, strict=True)
        }
        if time is not None and is_moment(cells[table.columns[time].heading]):
            found.append(AlarmRow(cells, joined(texts[index].box for cell in row for index in cell)))
    return found


def value_readings(table: Table, texts: Sequence[Text]) -> list[tuple[Reading, int]]:
    """The present values of a value table, each with the index of the text it stands in."""
    value, unit = table.column("value"), table.column("unit")
    name = table.column("name") or 0
    if value is None or value == name:
        return []
    found = []
    for row in table.rows:
        if not row[name] or not row[value]:
            continue
        source = row[value][0]
        token = _value_token(texts[source], source)
        labels = [token for index in row[name] for token in tokens_of(texts[index], index) if token.kind == "label"]
        if token is None or not labels:
            continue
        printed = " ".join(texts[index].text for index in row[unit]) if unit is not None else ""
        label = " ".join(part.text for part in labels)
        best = token.unit or printed or table.columns[value].unit or labels[-1].unit
        number = None if token.kind == "none" else token.text
        flags = ("no-value",) if number is None else ()
        found.append((Reading(label, number, best, "printed", token.box, token.score, flags), source))
    return found


def _value_token(text: Text, source: int) -> Token | None:
    if is_state(text.text):
        return Token("value", plain(text.text).strip(), text.box, source, text.score)
    return next((token for token in tokens_of(text, source) if token.kind in ("value", "none")), None)


def _heading_segments(line: list[tuple[Box, int]], texts: Sequence[Text]) -> list[list[tuple[Box, int]]]:
    """A line cut where it jumps to another part of the screen, or where a date shows that another part begins."""
    segments: list[list[tuple[Box, int]]] = [[]]
    for item in line:
        text = texts[item[1]].text
        if is_moment(text) and not is_clock(text):
            segments.append([])
            continue
        last = segments[-1][-1][0] if segments[-1] else item[0]
        if item[0][0] - last[2] > 14 * height(last) and not _role(text):
            segments.append([])
        segments[-1].append(item)
    return [segment for segment in segments if segment]


def _column(text: Text) -> Column:
    heading, unit = split_unit(text.text)
    return Column(heading.strip(), _role(text.text), unit, text.box)


def _role(text: str) -> str:
    if is_clock(text):
        return "clock"
    heading = re.sub(r"[^\w#. ]+$|^[^\w#]+", "", split_unit(plain(text).strip())[0]).strip().lower()
    return ROLE_OF_HEADING.get(heading, "")


def _is_heading(columns: Sequence[Column]) -> bool:
    """A value table needs what is measured and its value; an alarm table, when and what."""
    roles = {column.role for column in columns} - {"", "clock"}
    if "value" in roles:
        return "name" in roles or len(roles) >= 3
    return len(columns) >= 3 and "time" in roles and len(roles) >= 2


def _rows(columns: Sequence[Column], items: Sequence[tuple[Box, int]]) -> list[tuple[tuple[int, ...], ...]]:
    """The lines of text beneath the headings, each cell given to the column it stands under."""
    head = joined(column.box for column in columns)
    tall = height(head)
    below = [
        item
        for item in items
        if centre(item[0])[1] > head[3] and head[0] - 6 * tall <= item[0][0] and item[0][2] <= head[2] + 6 * tall
    ]
    rows: list[tuple[tuple[int, ...], ...]] = []
    last, step = centre(head)[1], 0.0
    for line in lines_of(below):
        middle = centre(line[0][0])[1]
        distance = middle - last
        if distance > (_MAX_ROW_GAP * step if step else 5 * tall):
            break
        step = min(step, distance) if step else distance
        last = middle
        cells: list[list[int]] = [[] for _ in columns]
        for box, index in line:
            cells[_under(columns, box)].append(index)
        rows.append(tuple(tuple(cell) for cell in cells))
    return rows


def _under(columns: Sequence[Column], box: Box) -> int:
    """The column whose heading a cell overlaps most, or else stands nearest to."""
    return max(range(len(columns)), key=lambda i: overlap_x(columns[i].box, box))
