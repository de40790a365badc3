"""Tables on a panel: a line of headings that say what their columns hold, and the rows beneath it.

A value table names things in one column and shows their present value in another: only that column is read, so history
cells and raw counts are not taken for it. An alarm table has a time column and at least one that says what happened.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np

from agent.api import AlarmRow, Box, Reading, Text
from plugins.panel.geometry import centre, height, joined, lines_of, overlap_x, part_of, width
from plugins.panel.grammar import Token, is_clock, is_moment, is_state, plain, split_unit, tokens_of
from plugins.panel.tables.alarm_lists import find_lists
from plugins.panel.tables.alarms import headed_rows
from plugins.panel.tables.cells import pieces_of
from plugins.panel.tables.columns import Column, Table, heading_role
from plugins.panel.tables.moments import moment_in
from plugins.panel.words import ROLE_OF_HEADING

__all__ = ["Table", "alarm_rows", "find_tables", "value_readings"]

_BESIDE = 12.0
"""A text this far from the headings, in text heights, is none of them unless it reads as one."""
_MAX_ROW_GAP = 3.0
"""Rows further apart than this many times the usual distance do not belong to one table."""


def find_tables(texts: Sequence[Text]) -> list[Table]:
    """Tables whose headings are recognised, from the top, and lists of alarms without any."""
    items = [(text.box, index) for index, text in enumerate(texts)]
    lines = _lines_with_headings(items, texts)
    found = [
        headings
        for number, line in enumerate(lines)
        for segment in _heading_segments(line, texts)
        for headings in [_headings(segment, lines[number + 1 : number + 3], texts)]
        if headings
    ]
    heads = [joined(column.box for column in headings[0][0]) for headings in found]
    taken: set[int] = set()
    tables = []
    for number, headings in enumerate(found):
        end = _next_heading(heads[number], heads)
        free = [item for item in items if item[1] not in taken and centre(item[0])[1] < end]
        for columns, indices in headings:
            table = None if indices & taken else _table(columns, indices, free, texts)
            if table is not None:
                tables.append(table)
                taken |= table.sources
                break
    return [*tables, *find_lists(texts, frozenset(taken))]


def _lines_with_headings(items: Sequence[tuple[Box, int]], texts: Sequence[Text]) -> list[list[tuple[Box, int]]]:
    """Lines as what reads as a heading sees them: a menu beside a table must not tear its headings apart."""
    headings: list[list[tuple[Box, int]]] = []
    rest = {index for _, index in items}
    for box, seed in sorted(items, key=lambda item: centre(item[0])[1]):
        if seed not in rest or not heading_role(texts[seed].text):
            continue
        near = 0.35 * height(box)
        line = [item for item in items if item[1] in rest and abs(centre(item[0])[1] - centre(box)[1]) <= near]
        if sum(heading_role(texts[index].text) != "" for _, index in line) >= 3:
            rest -= {index for _, index in line}
            headings.append(sorted(line))
    lines = [*headings, *lines_of([item for item in items if item[1] in rest])]
    return sorted(lines, key=lambda line: float(np.median([centre(box)[1] for box, _ in line])))


def _next_heading(head: Box, heads: Sequence[Box]) -> float:
    """Where the next line of headings beneath one begins, or no end."""
    return min((h[1] for h in heads if h[1] > centre(head)[1] + height(head) and overlap_x(h, head) > 0), default=1e9)


def alarm_rows(table: Table, texts: Sequence[Text]) -> list[AlarmRow]:
    """The rows of a list of alarms."""
    return list(table.alarms)


def value_readings(table: Table, texts: Sequence[Text]) -> list[tuple[Reading, int]]:
    """The present values of a value table, each with the index of the text it stands in.

    Numbers set to the right of a wide column may stand closer to the heading of the units than to their own.
    """
    value, unit = table.column("value"), table.column("unit")
    name = table.column("name") or 0
    if value is None or value == name:
        return []
    found = []
    for row in table.rows:
        cell = row[value] or (row[unit] if unit is not None else ())
        if not row[name] or not cell:
            continue
        source = cell[0]
        token = _value_token(texts[source], source)
        labels = [token for index in row[name] for token in tokens_of(texts[index], index) if token.kind == "label"]
        if token is None or not labels:
            continue
        printed = " ".join(texts[index].text for index in row[unit] if index != source) if unit is not None else ""
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
    """A line cut where it jumps to another part of the screen, or where a date shows that another part begins.

    A wide column is no jump: headings that go on with other meanings behind it belong to the same table.
    """
    segments: list[list[tuple[Box, int]]] = [[]]
    roles = [heading_role(texts[index].text) for _, index in line]
    for number, item in enumerate(line):
        text = texts[item[1]].text
        if is_moment(text) and not is_clock(text):
            segments.append([])
            continue
        last = segments[-1][-1][0] if segments[-1] else item[0]
        if item[0][0] - last[2] > 14 * height(last) and not heading_role(text):
            before, after = set(roles[:number]) - {""}, set(roles[number:]) - {""}
            if not after or len(before) < 2 or before & after:
                segments.append([])
        segments[-1].append(item)
    return [segment for segment in segments if segment]


def _headings(
    segment: Sequence[tuple[Box, int]], beneath: Sequence[Sequence[tuple[Box, int]]], texts: Sequence[Text]
) -> list[tuple[tuple[Column, ...], frozenset[int]]]:
    """A line of headings as columns, with the texts it is made of; first with a second line of headings under it."""
    segment = _within(segment, texts)
    plainly = tuple(column for box, index in segment for column in _columns(texts[index].text, box))
    single = [(plainly, frozenset(index for _, index in segment))] if _is_heading(plainly) else []
    for line in beneath:
        double = _with_second_line(segment, line, texts)
        if double is None:
            continue
        columns, indices = double
        known = sum(column.role != "" for column in columns)
        if _is_heading(columns) and known >= sum(column.role != "" for column in plainly):
            return [(columns, indices), *single]
    return single


def _within(segment: Sequence[tuple[Box, int]], texts: Sequence[Text]) -> list[tuple[Box, int]]:
    """Without what stands at either end and says nothing of a column, far away or not quite on the line: a menu."""
    kept = list(segment)
    known = [box for box, index in kept if heading_role(texts[index].text)]
    if not known:
        return kept
    middle = float(np.median([centre(box)[1] for box in known]))
    for end in (0, -1):
        while len(kept) > 1 and not heading_role(texts[kept[end][1]].text):
            box, beside = kept[end][0], kept[1 if end == 0 else -2][0]
            off = abs(centre(box)[1] - middle) > 0.2 * height(box)
            if not off and -overlap_x(box, beside) <= _BESIDE * height(box):
                break
            kept.pop(end)
    return kept


def _with_second_line(
    segment: Sequence[tuple[Box, int]], line: Sequence[tuple[Box, int]], texts: Sequence[Text]
) -> tuple[tuple[Column, ...], frozenset[int]] | None:
    """Headings of two lines: each piece of the second stands close under one of the first."""
    columns: list[Column] = []
    used: set[int] = set()
    ends = segment[0][0][0], segment[-1][0][2]
    if any(moment_in(texts[index].text) for box, index in line if ends[0] <= centre(box)[0] <= ends[1]):
        return None
    for box, index in segment:
        under = [
            item
            for item in line
            if item[0][1] - box[3] < 0.5 * height(box)
            and item[0][1] > centre(box)[1]
            and overlap_x(item[0], box) >= 0.5 * min(width(item[0]), width(box))
            and not re.search(r"\d", texts[item[1]].text)
        ]
        words = " ".join([texts[index].text, *(texts[i].text for _, i in under)])
        columns.append(_column(words, joined([box, *(b for b, _ in under)])))
        used |= {i for _, i in under}
    return (tuple(columns), frozenset(used | {index for _, index in segment})) if used else None


def _table(
    columns: tuple[Column, ...], heads: frozenset[int], items: Sequence[tuple[Box, int]], texts: Sequence[Text]
) -> Table | None:
    """The table under these headings, or None where nothing stands there."""
    if _tells_alarms(columns):
        bottom = max(column.box[3] for column in columns)
        below = [index for box, index in items if index not in heads and centre(box)[1] > bottom]
        alarms, sources, gaps = headed_rows(columns, pieces_of(texts, below))
        return Table(columns, (), sources | heads, tuple(alarms), is_alarms=True, gaps=gaps)
    rows = _rows(columns, [item for item in items if item[1] not in heads])
    if not rows:
        return None
    cells = {index for row in rows for cell in row for index in cell}
    return Table(columns, tuple(rows), frozenset(cells | heads))


def _columns(text: str, box: Box) -> list[Column]:
    """One heading, or two that the reader ran together: `Ack Device`."""
    if " " in text.strip() and plain(text).strip().lower() not in ROLE_OF_HEADING:
        for gap in re.finditer(r"\s+", text.strip()):
            halves = text[: gap.start()], text[gap.end() :]
            known = [ROLE_OF_HEADING.get(plain(half).strip().lower()) for half in halves]
            if all(known) and known[0] != known[1]:
                places = (0, gap.start()), (gap.end(), len(text))
                boxes = [part_of(box, text, start, end) for start, end in places]
                return [_column(half, place) for half, place in zip(halves, boxes, strict=True)]
    return [_column(text, box)]


def _column(text: str, box: Box) -> Column:
    heading, unit = split_unit(text)
    return Column(heading.strip(), heading_role(text), unit, box)


def _tells_alarms(columns: Sequence[Column]) -> bool:
    """It says when, and what happened; a table of values may have a time too, but then hardly a priority."""
    roles = {column.role for column in columns}
    if "time" not in roles:
        return False
    if "value" in roles:
        about = any(re.search(r"报警|告警|故障|alarm|event|fault", c.heading.lower()) for c in columns)
        return "ack" in roles or (about and len(roles & {"text", "priority"}) > 0)
    return len(roles - {"", "clock", "number", "unit"}) >= 2


def _is_heading(columns: Sequence[Column]) -> bool:
    """A value table needs what is measured and its value; an alarm table, when and what."""
    roles = {column.role for column in columns} - {"", "clock"}
    if _tells_alarms(columns):
        known = sum(column.role not in ("", "clock") for column in columns)
        clocks = sum(column.role == "clock" for column in columns)
        return clocks < 2 and 2 * known >= len(columns)
    return "value" in roles and ("name" in roles or len(roles) >= 3)


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
