"""Which label belongs to which value, decided for the whole panel at once.

Of the admissible pairs those with the least cost in all are chosen, each label used once; leaving a value without label
has a cost too. What most pairs of a panel have in common (say, captions beneath) then becomes cheaper, and the choice
is made again, because a panel keeps to one style. A pair that a nearly equal other choice would replace is marked
ambiguous. At last a label is shared where the structure says so: values of different units beside one name, or a row of
equal values under one heading.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from agent.api import Box
from plugins.panel.geometry import centre, height, overlap_x, overlap_y, same_line
from plugins.panel.grammar import Token, unit_key
from plugins.panel.layouts.candidates import Pair, find_pairs

__all__ = ["Choice", "pair_labels"]

ALONE = 2.2
"""Cost of a value without label: a pair that costs more is not made."""
STYLE_BONUS = 0.5
_FAR = 8.0
"""Beyond this gap, in text heights, lines of a list may be confused on a slanted photo."""
_MARGIN = 0.25
"""Another choice that costs at most this much more makes a pair ambiguous."""


@dataclass(frozen=True, slots=True)
class Choice:
    """The label that a value gets."""

    pair: Pair
    ambiguous: bool = False
    """Another label fits nearly as well, or the label is shared by a row of values."""
    shared: str = ""
    """Why the label serves this value although it belongs to another one first; empty where it does not."""


def pair_labels(
    values: Sequence[Token], labels: Sequence[Token], obstacles: Sequence[Token], areas: Sequence[Box] = ()
) -> dict[int, Choice]:
    """The choice for every value that gets a label.

    :param obstacles: every token on the panel; a pair with one of them in between is not admissible.
    :param areas: cards and boxes of the panel, the smallest first.
    :returns: index in `values` → choice.
    """
    pairs = _in_style(find_pairs(values, labels, obstacles, areas))
    chosen = _cheapest(pairs)
    doubted = _ambiguous(pairs, chosen)
    doubted |= _odd_ones(chosen) | _shifted(pairs, chosen, values, labels)
    choices = {number: Choice(pair, number in doubted) for number, pair in chosen.items()}
    return choices | _shares(values, labels, choices)


def _in_style(pairs: Sequence[Pair]) -> list[Pair]:
    """Pairs on the side that most of a first choice are on are made cheaper, a single caption beneath dearer."""
    sides = Counter(pair.side for pair in _cheapest(pairs).values())
    if not sides:
        return list(pairs)
    style, count = sides.most_common(1)[0]
    if count < 3 or count < 0.6 * sum(sides.values()):
        return list(pairs)
    odd = "below" if sides["below"] <= 1 else ""
    change = {style: -STYLE_BONUS, odd: STYLE_BONUS}
    return [replace(pair, cost=pair.cost + change.get(pair.side, 0.0)) for pair in pairs]


def _ambiguous(pairs: Sequence[Pair], chosen: dict[int, Pair]) -> set[int]:
    """Values that a free label fits nearly as well, or that could change labels with another at hardly any cost."""
    owner = {pair.label: number for number, pair in chosen.items()}
    cost = {(pair.value, pair.label): pair.cost for pair in pairs}
    found: set[int] = set()
    for pair in pairs:
        own = chosen.get(pair.value)
        if own is None or own.label == pair.label:
            continue
        extra = pair.cost - own.cost
        other = owner.get(pair.label)
        if other is None:
            doubt = extra < _MARGIN
        else:
            back = min(cost.get((other, own.label), np.inf), ALONE)
            doubt = extra + back - chosen[other].cost < _MARGIN
        if doubt:
            found |= {pair.value} if other is None else {pair.value, other}
    return found


def _odd_ones(chosen: dict[int, Pair]) -> set[int]:
    """A stacked pair like no other, on a panel whose stacked pairs are mostly laid out alike."""
    stacked = {number: pair for number, pair in chosen.items() if pair.side in ("above", "below")}
    alike = sum(pair.repeats >= 3 for pair in stacked.values())
    if alike < 3 or alike < 0.6 * len(stacked):
        return set()
    return {number for number, pair in stacked.items() if pair.repeats < 2 and not pair.together}


def _shifted(
    pairs: Sequence[Pair], chosen: dict[int, Pair], values: Sequence[Token], labels: Sequence[Token]
) -> set[int]:
    """Lists that may be paired one line off, as on a slanted photo: a label is left over at one end of the label
    column and a value at the other end of the value column.
    """
    listed = {number: pair for number, pair in chosen.items() if pair.listed and pair.gap > _FAR}
    if len(listed) < 3:
        return set()
    used = {pair.label for pair in chosen.values()}
    label_boxes = [labels[pair.label].box for pair in listed.values()]
    value_boxes = [values[number].box for number in listed]
    over = _left_over([labels[i].box for i in range(len(labels)) if i not in used], label_boxes)
    rest = _left_over([values[n].box for n in range(len(values)) if n not in chosen], value_boxes)
    return set(listed) if (over[0] and rest[1]) or (over[1] and rest[0]) else set()


def _left_over(boxes: Sequence[Box], column: Sequence[Box]) -> tuple[bool, bool]:
    """Whether one more box goes on with a column, above it and beneath it."""
    tall = height(column[0])
    steps = sorted(centre(box)[1] for box in column)
    step = min(b - a for a, b in itertools.pairwise(steps)) or 1.0
    edges = [box for box in boxes if any(min(abs(box[e] - c[e]) for e in (0, 2)) <= tall for c in column)]
    above = any(0.5 * step <= steps[0] - centre(box)[1] <= 1.5 * step for box in edges)
    beneath = any(0.5 * step <= centre(box)[1] - steps[-1] <= 1.5 * step for box in edges)
    return above, beneath


def _shares(values: Sequence[Token], labels: Sequence[Token], choices: dict[int, Choice]) -> dict[int, Choice]:
    """Choices for values without label that stand with one that has a label."""
    found: dict[int, Choice] = {}
    for number, value in enumerate(values):
        if number in choices or not value.unit:
            continue
        kin = [
            (gap, other)
            for other, choice in choices.items()
            if (gap := _kinship(value, values[other], choice.pair.together)) is not None
            and unit_key(values[other].unit) not in ("", unit_key(value.unit))
        ]
        if kin:
            other = min(kin)[1]
            pair = replace(choices[other].pair, value=number)
            found[number] = Choice(pair, choices[other].ambiguous, "shared with a value of another unit beside it")
    for row in _rows([n for n in range(len(values)) if values[n].unit], values):
        named = [n for n in row if n in choices]
        if len(named) == 1 and not found.keys() & set(row):
            pair = choices[named[0]].pair
            if pair.side == "above" and _heads(labels[pair.label].box, [values[n].box for n in row]):
                why = f"one heading over {len(row)} values"
                found |= {number: Choice(replace(pair, value=number), True, why) for number in row}
    return found


def _heads(label: Box, row: Sequence[Box]) -> bool:
    """A heading of a whole row begins where the row begins, or is wide and stands over its middle."""
    tall = height(label)
    if abs(label[0] - row[0][0]) <= tall:
        return True
    middle = (row[0][0] + row[-1][2]) / 2
    widest = max(box[2] - box[0] for box in row)
    return abs(centre(label)[0] - middle) <= tall and (len(row) % 2 == 0 or label[2] - label[0] > 1.5 * widest)


def _kinship(value: Token, other: Token, together: bool) -> float | None:
    """The gap between two values that stand as one block, in text heights; None where they do not."""
    tall = max(height(value.box), height(other.box))
    if min(height(value.box), height(other.box)) < (0.35 if together else 0.7) * tall:
        return None
    if same_line(value.box, other.box):
        gap = -overlap_x(value.box, other.box) / tall
        return gap if gap <= 4.0 else None
    gap = -overlap_y(value.box, other.box) / tall
    edges = min(abs(value.box[side] - other.box[side]) for side in (0, 2))
    aligned = min(float(edges), abs(centre(value.box)[0] - centre(other.box)[0])) <= 1.5 * tall
    return gap if aligned and gap <= 1.2 else None


def _rows(numbers: Sequence[int], values: Sequence[Token]) -> list[list[int]]:
    """Values of one unit side by side on a line in even steps, at least two."""
    rows: list[list[int]] = []
    for number in sorted(numbers, key=lambda n: values[n].box[0]):
        value = values[number]
        for row in rows:
            last = values[row[-1]]
            tall = height(value.box)
            step = centre(value.box)[0] - centre(last.box)[0]
            even = len(row) < 2 or abs(step - (centre(last.box)[0] - centre(values[row[-2]].box)[0])) <= 0.6 * tall
            level = abs(centre(value.box)[1] - centre(last.box)[1]) <= 0.3 * tall
            if level and even and unit_key(last.unit) == unit_key(value.unit) and step <= 5 * tall:
                row.append(number)
                break
        else:
            rows.append([number])
    return [row for row in rows if len(row) > 1]


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
