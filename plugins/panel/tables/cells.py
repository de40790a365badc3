"""Cells of a list: texts taken apart where the reader ran two cells together, and what the cells of a row mean."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from agent.api import Box, Text
from plugins.panel.geometry import centre, height, part_of, same_line
from plugins.panel.tables.columns import Column
from plugins.panel.tables.moments import moment_in, unglued
from plugins.panel.words import ALARM_STATES, PRIORITIES

__all__ = ["Piece", "cells_text", "parted", "pieces_of", "roles_of"]

_SHORT_CELLS = PRIORITIES | ALARM_STATES
"""Cells that are a word of a list are known even where no space follows them."""


@dataclass(frozen=True, slots=True)
class Piece:
    """A text, or the part of one that a single cell holds."""

    text: str
    box: Box
    source: int


def pieces_of(texts: Sequence[Text], which: Iterable[int]) -> list[Piece]:
    """Texts as cells: a moment that the reader ran together with its neighbours stands alone."""
    found = []
    for index in which:
        text = texts[index]
        moment = moment_in(text.text)
        ends = sorted({0, moment.start, moment.end, len(text.text)}) if moment else [0, len(text.text)]
        for start, end in itertools.pairwise(ends):
            part = text.text[start:end].strip(" ,;|")
            if part:
                found.append(Piece(part, part_of(text.box, text.text, start, end), index))
    return found


def parted(piece: Piece, columns: Sequence[Column]) -> list[Piece]:
    """A text that runs over two columns, because the reader saw no gap, as its two cells."""
    left, _, right, _ = piece.box
    under = [i for i, column in enumerate(columns) if left < centre(column.box)[0] < right]
    if len(under) < 2 or moment_in(piece.text):
        return [piece]
    first, second = columns[under[0]], columns[under[1]]
    ends = [i for i in range(1, len(piece.text)) if piece.text[i] == " "]
    ends = ends or [i for i in range(len(piece.text) - 1, 0, -1) if piece.text[:i].lower() in _SHORT_CELLS][:1]
    if not ends:
        return [piece]
    border = (first.box[2] + second.box[0]) / 2
    cut = min(ends, key=lambda end: abs(part_of(piece.box, piece.text, 0, end)[2] - border))
    if abs(part_of(piece.box, piece.text, 0, cut)[2] - border) > 3 * height(piece.box):
        return [piece]
    halves = ((0, cut), (cut, len(piece.text)))
    head, tail = (Piece(piece.text[a:b].strip(), part_of(piece.box, piece.text, a, b), piece.source) for a, b in halves)
    return [head, *parted(tail, columns)]


def cells_text(pieces: Iterable[Piece]) -> str:
    """The text of a cell: its lines from the top, Chinese ones without a space between them."""
    ordered: list[Piece] = []
    for piece in sorted(pieces, key=lambda p: centre(p.box)[1]):
        line = [p for p in ordered if same_line(p.box, piece.box)]
        later = next((p for p in line if p.box[0] > piece.box[0]), None)
        ordered.insert(ordered.index(later) if later else len(ordered), piece)
    text = unglued(" ".join(piece.text for piece in ordered)).replace("°℃", "℃")
    return re.sub(r"(?<=[\u4e00-\u9fff，。]) (?=[\u4e00-\u9fff])", "", text)


def roles_of(columns: Sequence[Column], cells: Mapping[int, Sequence[Piece]]) -> dict[str, str]:
    """What each cell means → the cell; a date and a time in two columns are one moment."""
    filled = [(column.role, cells_text(cells[i])) for i, column in enumerate(columns) if cells.get(i)]
    roles: dict[str, str] = {}
    for role, text in filled:
        if role in ("text", "priority", "state", "ack", "number", "area"):
            roles.setdefault(role, text)
    moments = [text for role, text in filled if role == "time"]
    if moments:
        roles["time"] = _moment(moments)
    for role in ("name", "channel"):
        tags = [text for found, text in filled if found == role]
        if tags:
            roles["tag"] = tags[-1]
            if len(tags) > 1:
                roles.setdefault("area", tags[0])
            break
    if "text" not in roles:
        open_ = [text for role, text in filled if not role and re.search(r"[^\W\d_]{2}|[\u4e00-\u9fff]", text)]
        if open_:
            roles["text"] = max(open_, key=len)
    return roles


def _moment(cells: Sequence[str]) -> str:
    first = moment_in(cells[0])
    for other in cells[1:]:
        second = moment_in(other)
        if first and second and first.dated + first.timed == 1 and first.dated != second.dated:
            return f"{cells[0]} {other}" if first.dated else f"{other} {cells[0]}"
    return cells[0]
