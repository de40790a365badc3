"""Lists of alarms without headings: logs whose columns only their content tells, and notifications.

A log is a column of moments with words beside them on the same line; a notification is a moment with a line of words
under it. Both need words that speak of alarms somewhere, so that no list of orders or measurements becomes one.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from agent.api import AlarmRow, Text
from plugins.panel.geometry import centre, height, joined, overlap_x, same_line
from plugins.panel.tables.alarms import headed_rows
from plugins.panel.tables.cells import Piece, cells_text, pieces_of, roles_of
from plugins.panel.tables.columns import Column, Table
from plugins.panel.tables.moments import moment_in
from plugins.panel.words import ACK_STATES, ALARM_STATES, ALARM_WORDS, PRIORITIES

__all__ = ["find_lists"]

_TAG = re.compile(r"[A-Z]{1,6}[-_.]?\d{1,5}[A-Z]?(?:[-_.]\w+)*|\w+(?:[._/]\w+)+")
_WORDS = re.compile(r"[^\W\d_]{3}|[\u4e00-\u9fff]{2}")
_MOST_BUTTON_CHARS = 12
_STEP = 14.0
"""Rows of a list without headings are at most this many text heights apart."""


def find_lists(texts: Sequence[Text], taken: frozenset[int]) -> list[Table]:
    """Lists of alarms among the texts that belong to no table.

    :param taken: texts that do.
    """
    pieces = pieces_of(texts, (i for i in range(len(texts)) if i not in taken))
    tables = []
    for anchors in _columns_of_moments(pieces):
        beside = [
            [p for p in pieces if p is not a and same_line(p.box, a.box) and _WORDS.search(p.text)] for a in anchors
        ]
        if sum(bool(line) for line in beside) >= max(2, round(0.6 * len(anchors))):
            table = _log(anchors, pieces)
        else:
            table = _notifications(anchors, pieces)
        if table is not None:
            tables.append(table)
            pieces = [piece for piece in pieces if piece.source not in table.sources]
    return tables


def _columns_of_moments(pieces: Sequence[Piece]) -> list[list[Piece]]:
    """Moments that stand under each other, from the top."""
    columns: list[list[Piece]] = []
    moments = [p for p in pieces if moment_in(p.text) and len(p.text) >= 5]
    for piece in sorted(moments, key=lambda p: p.box[1]):
        for column in columns:
            last = column[-1]
            tall = height(last.box)
            aligned = min(abs(piece.box[0] - last.box[0]), abs(piece.box[2] - last.box[2])) <= 0.8 * tall
            if aligned and 0.8 * tall <= piece.box[1] - last.box[1] <= _STEP * tall and height(piece.box) < 1.6 * tall:
                column.append(piece)
                break
        else:
            columns.append([piece])
    return columns


def _log(anchors: Sequence[Piece], pieces: Sequence[Piece]) -> Table | None:
    """Rows with a moment each; what the other columns hold is told by their content."""
    if len(anchors) < 2:
        return None
    tall = float(np.median([height(anchor.box) for anchor in anchors]))
    top = anchors[0].box[1] - tall
    level = [[p for p in pieces if same_line(p.box, anchor.box)] for anchor in anchors]
    columns = _told_by_content(anchors, level, top)
    if columns is None:
        return None
    below = [p for p in pieces if top < centre(p.box)[1] < anchors[-1].box[3] + 2.5 * tall]
    alarms, sources, _ = headed_rows(columns, below)
    speaking = [row for row in alarms if _speaks_of_alarm(" ".join(row.cells.values()))]
    if not alarms or 2 * len(speaking) < len(alarms):
        return None
    rows = tuple(replace(row, cells={name: cell for name, cell in row.cells.items() if cell}) for row in alarms)
    return Table(columns, (), sources, rows, is_alarms=True)


def _told_by_content(
    anchors: Sequence[Piece], level: Sequence[Sequence[Piece]], top: float
) -> tuple[Column, ...] | None:
    """Columns in place of headings: where cells stand in most rows, and what most of them are."""
    groups: list[list[Piece]] = []
    for piece in (piece for line in level for piece in line):
        for group in groups:
            if any(overlap_x(piece.box, other.box) > 0 for other in group):
                group.append(piece)
                break
        else:
            groups.append([piece])
    groups = [g for g in groups if len(g) >= 0.7 * len(anchors)]
    groups.sort(key=lambda group: min(p.box[0] for p in group))
    roles = [_role_of_content([p.text for p in group]) for group in groups]
    if "time" not in roles:
        return None
    words = [i for i, role in enumerate(roles) if not role and any(_WORDS.search(p.text) for p in groups[i])]
    if words:
        roles[max(words, key=lambda i: float(np.mean([len(p.text) for p in groups[i]])))] = "text"
    columns = []
    for number, (role, group) in enumerate(zip(roles, groups, strict=True)):
        left, _, right, _ = joined(piece.box for piece in group)
        columns.append(Column(role or f"column {number + 1}", role, "", (left, round(top) - 2, right, round(top))))
    return tuple(columns)


def _role_of_content(cells: Sequence[str]) -> str:
    most = 0.6 * len(cells)
    plain = [cell.strip().lower() for cell in cells]
    if sum(moment_in(cell) is not None for cell in cells) >= most:
        return "time"
    if sum(cell.rstrip(".").isdigit() for cell in plain) >= most:
        return "number"
    for role, words in (("priority", PRIORITIES), ("ack", ACK_STATES), ("state", ALARM_STATES)):
        if sum(cell in words for cell in plain) >= most:
            return role
    return "name" if sum(_TAG.fullmatch(cell.strip()) is not None for cell in cells) >= most else ""


def _notifications(anchors: Sequence[Piece], pieces: Sequence[Piece]) -> Table | None:
    """Moments with a line of words under each, or over each."""
    for under in (True, False):
        found = [(anchor, _words_at(anchor, anchors, pieces, under=under)) for anchor in anchors]
        told = [(anchor, words) for anchor, words in found if words]
        speaking = [words for _, words in told if _speaks_of_alarm(cells_text(words))]
        if told and len(told) >= 0.6 * len(anchors) and 2 * len(speaking) >= len(told):
            break
    else:
        return None
    columns = tuple(Column(role, role, "", anchors[0].box) for role in ("time", "text"))
    rows, sources = [], set()
    for anchor, words in told:
        cells = {0: [anchor], 1: words}
        named = {"time": cells_text([anchor]), "text": cells_text(words)}
        rows.append(AlarmRow(named, joined(p.box for p in (anchor, *words)), roles_of(columns, cells)))
        sources |= {anchor.source, *(p.source for p in words)}
    return Table(columns, (), frozenset(sources), tuple(rows), is_alarms=True)


def _words_at(anchor: Piece, anchors: Sequence[Piece], pieces: Sequence[Piece], *, under: bool) -> list[Piece]:
    """The line of words next to a moment, and the lines that go on from it; short ones after it are buttons."""
    tall = height(anchor.box)
    beside = [p for p in pieces if p is not anchor and same_line(p.box, anchor.box) and _WORDS.search(p.text)]
    near = [p for p in beside if 0 <= p.box[0] - anchor.box[2] <= 4 * tall or 0 <= anchor.box[0] - p.box[2] <= 4 * tall]
    if near:
        return near
    words: list[Piece] = []
    last = anchor
    rest = [p for p in pieces if p not in anchors and (p.box[1] > anchor.box[1]) == under]
    for piece in sorted(rest, key=lambda p: p.box[1] if under else -p.box[1]):
        gap = piece.box[1] - last.box[3] if under else last.box[1] - piece.box[3]
        if gap > 0.9 * tall:
            break
        aligned = abs(piece.box[0] - anchor.box[0]) <= 1.5 * tall
        if not aligned or gap < -0.5 * tall or moment_in(piece.text):
            continue
        if words and len(piece.text) <= _MOST_BUTTON_CHARS:
            break
        if not words and not _WORDS.search(piece.text):
            break
        words.append(piece)
        last = piece
        if len(words) == 3:
            break
    return words


def _speaks_of_alarm(text: str) -> bool:
    return re.search(ALARM_WORDS, text.lower()) is not None or text.strip().lower() in PRIORITIES
