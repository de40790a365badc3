"""Which label belongs to which value, decided for the whole panel at once.

Every admissible pair (label left of the value on its line, above it, or below it, with nothing between) has a cost made
of distance, alignment and size. The pairs with the least cost in all are chosen, each label used once; leaving a value
without label has a cost too. What most pairs of a panel have in common (say, captions beneath) then becomes cheaper,
and the choice is made again, because a panel keeps to one style.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from agent.api import Box
from plugins.panel.geometry import centre, height, overlap_x, overlap_y, same_line, width
from plugins.panel.grammar import Token

__all__ = ["Pair", "pair_labels"]

Boxes = NDArray[np.int64]
"""One row for each box."""
ALONE = 2.2
"""Cost of a value without label: a pair that costs more is not made."""
STYLE_BONUS = 0.5
_REACH_LEFT = 7.0
_REACH_COLUMN = 45.0
"""How far left a label may be, in text heights; further where the same columns of label and value repeat."""
_REACH_UP = 2.4


@dataclass(frozen=True, slots=True)
class Pair:
    """A label that may belong to a value."""

    value: int
    label: int
    side: str
    """left | above | below, seen from the value."""
    cost: float
    listed: bool = False
    """The same columns of label and value repeat on other lines."""


def pair_labels(values: Sequence[Token], labels: Sequence[Token], obstacles: Sequence[Token]) -> dict[int, Pair]:
    """The chosen pair of every value that gets one.

    :param obstacles: every token on the panel; a pair with one of them in between is not admissible.
    :returns: index in `values` → pair.
    """
    boxes = np.array([token.box for token in obstacles], np.int64).reshape(-1, 4)
    pairs = _left_pairs(values, labels, boxes)
    for number, value in enumerate(values):
        for index, label in enumerate(labels):
            pair = _stacked(number, value, index, label)
            if pair is not None and not _blocked(value.box, label.box, boxes):
                pairs.append(pair)
    chosen = _cheapest(pairs)
    sides = Counter(pair.side for pair in chosen.values())
    if not sides:
        return {}
    style, count = sides.most_common(1)[0]
    if count < 3 or count < 0.6 * sum(sides.values()):
        return chosen
    odd = "below" if sides["below"] <= 1 else ""
    change = {style: -STYLE_BONUS, odd: STYLE_BONUS}
    return _cheapest([replace(pair, cost=pair.cost + change.get(pair.side, 0.0)) for pair in pairs])


def _left_pairs(values: Sequence[Token], labels: Sequence[Token], obstacles: Boxes) -> list[Pair]:
    """Labels left of a value on its line. A far one is admitted only where its columns repeat."""
    near: list[tuple[int, int, float]] = []
    for number, value in enumerate(values):
        for index, label in enumerate(labels):
            gap = (value.box[0] - label.box[2]) / _scale(value.box, label.box)
            if _beside(value.box, label.box) and -0.4 <= gap <= _REACH_COLUMN:
                if _blocked(value.box, label.box, obstacles):
                    continue
                near.append((number, index, gap))
    pairs = []
    for number, index, gap in near:
        value, label = values[number], labels[index]
        listed = _is_listed(value, label, [(values[n], labels[i]) for n, i, _ in near], labels)
        if gap > _REACH_LEFT and not listed and not (label.colon and gap <= 2 * _REACH_LEFT):
            continue
        cost = 0.12 * min(max(gap, 0.0), 12.0) + _size_cost(value.box, label.box)
        cost += _unit_cost(value, label) + (0.0 if same_line(value.box, label.box) else 0.6)
        cost -= (0.4 if label.colon else 0.0) + (0.6 if listed else 0.0)
        pairs.append(Pair(number, index, "left", cost, listed))
    return pairs


def _beside(value: Box, label: Box) -> bool:
    """On one line, or nearly: a label set a little higher or lower than its value."""
    return overlap_y(value, label) >= 0.15 * min(height(value), height(label))


def _is_listed(value: Token, label: Token, near: Sequence[tuple[Token, Token]], labels: Sequence[Token]) -> bool:
    """One of at least three lines that repeat the same two columns, with hardly a line that has a label alone.

    A menu beside a drawing has labels that only happen to be level with a value.
    """
    alike = [pair for pair in near if _repeats(value, label, *pair)]
    if len(alike) < 3:
        return False
    top = min(pair[1].box[1] for pair in alike)
    bottom = max(pair[1].box[3] for pair in alike)
    tall = height(label.box)
    column = [t for t in labels if abs(t.box[0] - label.box[0]) < 2.5 * tall and top <= centre(t.box)[1] <= bottom]
    return len({id(pair[1]) for pair in alike}) >= 0.75 * len(column)


def _repeats(value: Token, label: Token, other_value: Token, other_label: Token) -> bool:
    tall = height(value.box)
    if abs(centre(other_value.box)[1] - centre(other_label.box)[1]) > 0.4 * tall:
        return False
    edges = min(abs(value.box[side] - other_value.box[side]) for side in (0, 2))
    values = min(float(edges), abs(centre(value.box)[0] - centre(other_value.box)[0]))
    return values < 0.7 * tall and abs(label.box[0] - other_label.box[0]) < 0.7 * tall


def _stacked(number: int, value: Token, index: int, label: Token) -> Pair | None:
    """A label above or below a value, or None where it is neither."""
    scale = _scale(value.box, label.box)
    gap = -overlap_y(value.box, label.box) / scale
    if not -0.35 <= gap <= _REACH_UP or overlap_x(value.box, label.box) < 0.3 * min(width(value.box), width(label.box)):
        return None
    middles = abs(centre(value.box)[0] - centre(label.box)[0])
    off = min(middles, abs(value.box[0] - label.box[0]), abs(value.box[2] - label.box[2])) / scale
    above = centre(label.box)[1] < centre(value.box)[1]
    inside = label.box[0] <= value.box[0] and value.box[2] <= label.box[2]
    cost = (0.8 if above else 1.2) + 0.45 * max(gap, 0.0) + (0.1 if inside else 0.2) * min(off, 6.0)
    cost += _size_cost(value.box, label.box) + _unit_cost(value, label)
    return Pair(number, index, "above" if above else "below", cost)


def _scale(a: Box, b: Box) -> float:
    return max(1.0, min(max(height(a), height(b)), 1.6 * min(height(a), height(b))))


def _size_cost(value: Box, label: Box) -> float:
    """A value is often larger than its caption, a caption rarely much larger than its value."""
    ratio = height(value) / max(1, height(label))
    return 0.4 * max(0.0, ratio - 1.8) + max(0.0, 1 / ratio - 1.5)


def _unit_cost(value: Token, label: Token) -> float:
    """A label that names a unit wants a bare value, or one with that unit."""
    if not label.unit:
        return 0.0
    return -0.3 if value.unit in ("", label.unit) else 1.5


def _blocked(value: Box, label: Box, obstacles: Boxes) -> bool:
    """Something else stands in the space between the two."""
    gap_x, gap_y = overlap_x(value, label), overlap_y(value, label)
    if gap_x >= 0 and gap_y >= 0:
        return False
    if gap_x < 0:
        top, bottom = max(value[1], label[1]), min(value[3], label[3])
        between = (min(value[2], label[2]), top, max(value[0], label[0]), max(bottom, top + 1))
    else:
        left, right = max(value[0], label[0]), min(value[2], label[2])
        between = (left, min(value[3], label[3]), max(right, left + 1), max(value[1], label[1]))
    lefts, tops, rights, bottoms = obstacles.T
    shared_x = np.minimum(rights, between[2]) - np.maximum(lefts, between[0])
    shared_y = np.minimum(bottoms, between[3]) - np.maximum(tops, between[1])
    inside = shared_x > 0.25 * np.minimum(rights - lefts, max(1, width(between)))
    inside &= shared_y > 0.25 * np.minimum(bottoms - tops, max(1, height(between)))
    inside &= ~((obstacles == value).all(axis=1) | (obstacles == label).all(axis=1))
    return bool(inside.any())


def _cheapest(pairs: Sequence[Pair]) -> dict[int, Pair]:
    """The pairs with the least cost in all, every value and label used at most once.

    Values and labels that no admissible pair connects cannot disturb each other, so each group is solved on its own.
    """
    best: dict[tuple[int, int], Pair] = {}
    for pair in sorted(pairs, key=lambda pair: -pair.cost):
        best[pair.value, pair.label] = pair
    chosen: dict[int, Pair] = {}
    for group in _groups(list(best.values())):
        rows = sorted({pair.value for pair in group})
        columns = sorted({pair.label for pair in group})
        costs = np.full((len(rows), len(columns) + len(rows)), 1e6)
        costs[:, len(columns) :] = ALONE
        for pair in group:
            costs[rows.index(pair.value), columns.index(pair.label)] = pair.cost
        for row, column in enumerate(_assign(costs)):
            if column < len(columns):
                chosen[rows[row]] = best[rows[row], columns[column]]
    return chosen


def _groups(pairs: Sequence[Pair]) -> list[list[Pair]]:
    leader: dict[tuple[str, int], tuple[str, int]] = {}

    def find(node: tuple[str, int]) -> tuple[str, int]:
        while leader.setdefault(node, node) != node:
            node = leader[node]
        return node

    for pair in pairs:
        leader[find(("value", pair.value))] = find(("label", pair.label))
    groups: dict[tuple[str, int], list[Pair]] = {}
    for pair in pairs:
        groups.setdefault(find(("value", pair.value)), []).append(pair)
    return list(groups.values())


def _assign(costs: NDArray[np.float64]) -> list[int]:
    """Minimum-cost assignment of every row to a column of its own (Hungarian method with potentials).

    :param costs: rows × columns with at least as many columns as rows.
    """
    rows, columns = costs.shape
    row_price, column_price = np.zeros(rows), np.zeros(columns)
    owner = np.full(columns, -1)
    for row in range(rows):
        slack, reached_from = np.full(columns, np.inf), np.full(columns, -1)
        done = np.zeros(columns, bool)
        current, column = row, -1
        while True:
            reduced = costs[current] - row_price[current] - column_price
            better = ~done & (reduced < slack)
            slack[better], reached_from[better] = reduced[better], column
            candidates = np.where(done, np.inf, slack)
            column = int(candidates.argmin())
            step = candidates[column]
            row_price[row] += step
            row_price[owner[done]] += step
            column_price[done] -= step
            slack[~done] -= step
            done[column] = True
            if owner[column] < 0:
                break
            current = int(owner[column])
        while column >= 0:
            before = int(reached_from[column])
            owner[column] = owner[before] if before >= 0 else row
            column = before
    return [int(np.flatnonzero(owner == row)[0]) for row in range(rows)]
