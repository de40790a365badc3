"""The ruled tables of a page, from the straight lines that are drawn on it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from knowledge.formats.layout import Grid

__all__ = ["Rule", "grids_of"]

_NEAR = 3.0
"""Points: rules closer than this are one, and meet."""
_SHORT = 6.0
_MAX_RULES = 800
"""A page with more of them after joining is a drawing."""


@dataclass(frozen=True, slots=True)
class Rule:
    """A straight line: across (`at` is its height) or down (`at` is its distance from the left)."""

    at: float
    start: float
    end: float


def grids_of(across: Sequence[Rule], down: Sequence[Rule]) -> list[Grid]:
    """The tables that the rules of a page make; none where they make no cells."""
    rows, columns = _joined(across), _joined(down)
    if len(rows) < 2 or len(columns) < 2 or len(rows) + len(columns) > _MAX_RULES:
        return []
    group = list(range(len(rows) + len(columns)))

    def root(i: int) -> int:
        while group[i] != i:
            group[i] = group[group[i]]
            i = group[i]
        return i

    for i, row in enumerate(rows):
        for j, column in enumerate(columns):
            if _meet(row, column):
                group[root(i)] = root(len(rows) + j)
    tables: dict[int, tuple[list[Rule], list[Rule]]] = {}
    for i, row in enumerate(rows):
        tables.setdefault(root(i), ([], []))[0].append(row)
    for j, column in enumerate(columns):
        tables.setdefault(root(len(rows) + j), ([], []))[1].append(column)
    found = [_grid(*table) for table in tables.values() if len(table[0]) > 1 and len(table[1]) > 1]
    return [grid for grid in found if len(grid.xs) > 1 and len(grid.ys) > 1]


def _joined(rules: Sequence[Rule]) -> list[Rule]:
    """Pieces of one line put together; what is too short to border a cell is dropped."""
    out: list[Rule] = []
    for rule in sorted(rules, key=lambda r: (round(r.at / _NEAR), r.start)):
        last = out[-1] if out else None
        if last and abs(last.at - rule.at) <= _NEAR and rule.start <= last.end + _NEAR:
            out[-1] = Rule(last.at, last.start, max(last.end, rule.end))
        else:
            out.append(rule)
    return [rule for rule in out if rule.end - rule.start >= _SHORT]


def _meet(row: Rule, column: Rule) -> bool:
    return row.start - _NEAR <= column.at <= row.end + _NEAR and column.start - _NEAR <= row.at <= column.end + _NEAR


def _grid(rows: Sequence[Rule], columns: Sequence[Rule]) -> Grid:
    ys, xs = _places(rows), _places(columns)
    walls = {
        (i, k)
        for i, (top, bottom) in enumerate(pairwise(ys))
        for k, x in enumerate(xs[1:-1], start=1)
        if any(abs(c.at - x) <= _NEAR and _covers(c, top, bottom) for c in columns)
    }
    floors = {
        (k, i)
        for i, (left, right) in enumerate(pairwise(xs))
        for k, y in enumerate(ys[1:-1], start=1)
        if any(abs(r.at - y) <= _NEAR and _covers(r, left, right) for r in rows)
    }
    return Grid(tuple(xs), tuple(ys), frozenset(walls), frozenset(floors))


def _places(rules: Sequence[Rule]) -> list[float]:
    out: list[float] = []
    for at in sorted(rule.at for rule in rules):
        if not out or at - out[-1] > _NEAR:
            out.append(at)
    return out


def _covers(rule: Rule, start: float, end: float) -> bool:
    return rule.start <= start + _NEAR and rule.end >= end - _NEAR
