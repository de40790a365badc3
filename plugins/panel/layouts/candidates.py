"""Which label may belong to which value, and what each such pair costs.

A pair is admissible where the label stands left of the value on its line, above it, below it, right of it, or (for a
value with a unit, as beside the symbols of a flow chart) close to it at an angle, with nothing in between. Costs count
distance in text heights, alignment and size; edges of cards and boxes between the two make a pair dearer, and every
other pair on the panel that is laid out alike makes it cheaper.

Order: frames (a value box counts as its value's extent) → pairs by place → those with something in between dropped →
costs → repeats.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from agent.api import Box
from plugins.panel.geometry import centre, height, overlap_x, overlap_y, width
from plugins.panel.grammar import Token, unit_key
from plugins.panel.layouts.homes import Boxes, Homes, as_array, frames

__all__ = ["Pair", "find_pairs"]

_REACH_LEFT = 7.0
_REACH_COLUMN = 45.0
"""How far left a label may be, in text heights; further where the same columns of label and value repeat."""
_REACH_RIGHT = 2.5
_REACH_UP = 2.4
_REACH_UP_INSIDE = 4.5
"""Above or below a value within the same card."""
_REACH_UP_REPEATED = 7.0
"""The same where at least three values have their labels there in straight columns."""
_REACH_TITLE = 20.0
"""Above a value that is alone in its card."""
_REACH_NEAR = 3.2
"""At an angle."""
_MAX_PAIRS_A_VALUE = 8
_CROSSING = 0.8
"""Cost of every card that holds one of the two and not the other."""
_HOME = 0.45
"""Gain where the smallest card around the value also holds the label."""


@dataclass(frozen=True, slots=True)
class Pair:
    """A label that may belong to a value."""

    value: int
    label: int
    side: str
    """left | above | below | right | near: where the label is, seen from the value."""
    cost: float
    gap: float = 0.0
    """In text heights."""
    repeats: int = 1
    """Pairs laid out like this one, itself included."""
    listed: bool = False
    """The same columns of label and value repeat on at least three lines."""
    crossings: int = 0
    """Cards that hold one of the two and not the other."""
    together: bool = False
    """The smallest card around the value holds the label too."""
    framed: bool = False
    """The value stands alone in a box of its own."""


def find_pairs(
    values: Sequence[Token], labels: Sequence[Token], obstacles: Sequence[Token], areas: Sequence[Box]
) -> list[Pair]:
    """Every admissible pair with its cost.

    :param obstacles: every token on the panel; a pair with one of them in between is not admissible.
    :param areas: rectangles, the smallest first.
    """
    if not values or not labels:
        return []
    rectangles = as_array(areas)
    value_frames = frames(values, obstacles, rectangles)
    label_frames = frames(labels, obstacles, rectangles)
    homes = Homes(values, labels, rectangles)
    blocks = as_array([token.box for token in obstacles if not _is_speck(token)])
    pairs: list[Pair] = []
    for number, value in enumerate(values):
        near = np.flatnonzero(_within_reach(value_frames[number], label_frames) | homes.titled(number))
        found: list[Pair] = []
        for index in near.tolist():
            pair = _placed(value, labels[index], number, index, value_frames[number], label_frames[index], homes)
            if pair is not None and not _blocked(value, labels[index], pair.side, blocks):
                found.append(pair)
        pairs += sorted(found, key=lambda pair: pair.cost)[:_MAX_PAIRS_A_VALUE]
    return _with_repeats(pairs, values, labels, homes)


def _is_speck(token: Token) -> bool:
    """What a reader makes of an icon stands in nobody's way."""
    return token.kind == "other" and len(token.text) == 1 and not token.text.isdigit()


def _within_reach(value: Box, labels: Boxes) -> NDArray[np.bool_]:
    tall = max(1, value[3] - value[1])
    reach = np.maximum(tall, labels[:, 3] - labels[:, 1])
    gap_x = np.maximum(value[0] - labels[:, 2], labels[:, 0] - value[2])
    gap_y = np.maximum(value[1] - labels[:, 3], labels[:, 1] - value[3])
    beside = (gap_y <= 0) & (gap_x <= _REACH_COLUMN * reach)
    return np.asarray(beside | ((gap_y <= (_REACH_UP_REPEATED + 0.5) * reach) & (gap_x <= 4 * reach)), np.bool_)


def _placed(
    value: Token, label: Token, number: int, index: int, value_frame: Boxes, label_frame: Boxes, homes: Homes
) -> Pair | None:
    """The pair by where its two stand to each other; None where they are too far apart."""
    a: Box = tuple(value_frame.tolist())
    b: Box = tuple(label_frame.tolist())
    scale = _scale(value.box, label.box)
    crossings, together = homes.crossings(number, index), homes.together(number, index)
    place = _beside(value, label, a, b, scale) or _stacked(value, label, a, b, scale)
    place = place or _angled(value, a, b, scale) or (_titled(a, b, scale) if homes.titled(number)[index] else None)
    if place is None:
        return None
    side, gap, cost = place
    cost += _size_cost(value.box, label.box) + _unit_cost(value, label)
    cost += _CROSSING * min(crossings, 2) - (_HOME if together else 0.0)
    return Pair(number, index, side, cost, gap, 1, False, crossings, together, a != value.box)


def _beside(value: Token, label: Token, a: Box, b: Box, scale: float) -> tuple[str, float, float] | None:
    """Left or right on the same line, or nearly: a label may be set a little higher or lower than its value."""
    shared = overlap_y(value.box, label.box) / max(1, min(height(value.box), height(label.box)))
    if shared < 0.15:
        return None
    uneven = 0.0 if shared >= 0.5 else 0.6
    gap = (a[0] - b[2]) / scale
    if gap < -0.6:  # one frame around both
        gap = (value.box[0] - label.box[2]) / scale
    if label.box[0] < value.box[0] and -0.6 <= gap <= _REACH_COLUMN:
        colon = 0.4 if label.colon else 0.0
        return "left", gap, 0.12 * min(max(gap, 0.0), 12.0) + uneven - colon
    gap = (b[0] - a[2]) / scale
    small = height(label.box) <= 1.25 * height(value.box)
    if small and shared >= 0.5 and label.box[2] > value.box[2] and -0.6 <= gap <= _REACH_RIGHT and not label.colon:
        return "right", gap, 1.7 + 0.25 * max(gap, 0.0)
    return None


def _stacked(value: Token, label: Token, a: Box, b: Box, scale: float) -> tuple[str, float, float] | None:
    """Above or below."""
    gap = -overlap_y(a, b) / scale
    narrow = min(width(value.box), width(label.box))
    if not -0.6 <= gap <= _REACH_UP_REPEATED or overlap_x(value.box, label.box) < 0.3 * narrow:
        return None
    edges = min(abs(value.box[0] - label.box[0]), abs(value.box[2] - label.box[2]))
    off = min(abs(centre(value.box)[0] - centre(label.box)[0]), edges) / scale
    above = centre(label.box)[1] < centre(value.box)[1]
    inside = label.box[0] <= value.box[0] and value.box[2] <= label.box[2]
    cost = (0.8 if above else 1.2) + 0.45 * min(max(gap, 0.0), 3.0) + (0.1 if inside else 0.2) * min(off, 6.0)
    colon = 0.5 if label.colon else 0.0
    return ("above" if above else "below"), gap, cost + colon


def _angled(value: Token, a: Box, b: Box, scale: float) -> tuple[str, float, float] | None:
    """Close by, neither on the value's line nor over or under it."""
    gap = float(np.hypot(max(0, -overlap_x(a, b)), max(0, -overlap_y(a, b)))) / scale
    if not value.unit or gap > _REACH_NEAR:
        return None
    return "near", gap, 1.7 + 0.25 * gap


def _titled(a: Box, b: Box, scale: float) -> tuple[str, float, float] | None:
    """Over a value that is alone in its card, but not in line with it: a title at the edge of the card."""
    gap = (a[1] - b[3]) / scale
    return ("above", gap, 1.2 + 0.1 * min(max(gap, 0.0), 6.0)) if gap >= -0.3 else None


def _scale(a: Box, b: Box) -> float:
    return max(1.0, min(max(height(a), height(b)), 1.6 * min(height(a), height(b))))


def _size_cost(value: Box, label: Box) -> float:
    """A value is often larger than its caption, a caption rarely much larger than its value."""
    ratio = height(value) / max(1, height(label))
    return 0.2 * max(0.0, ratio - 2.2) + max(0.0, 1 / ratio - 1.5)


def _unit_cost(value: Token, label: Token) -> float:
    """A label that names a unit wants a bare value, or one with that unit."""
    if not label.unit:
        return 0.0
    return -0.3 if unit_key(value.unit) in ("", unit_key(label.unit)) else 1.5


def _blocked(value: Token, label: Token, side: str, obstacles: Boxes) -> bool:
    """Something else stands in the space between the two."""
    a, b = value.box, label.box
    gap_x, gap_y = overlap_x(a, b), overlap_y(a, b)
    if gap_x >= 0 and gap_y >= 0:
        return False
    if side in ("left", "right"):
        top, bottom = max(a[1], b[1]), min(a[3], b[3])
        between = (min(a[2], b[2]), top, max(a[0], b[0]), max(bottom, top + 1))
    elif side == "near":
        between = (min(a[2], b[2]), min(a[3], b[3]), max(a[0], b[0]), max(a[1], b[1]))
        between = (
            min(between[0], between[2]),
            min(between[1], between[3]),
            max(between[0], between[2]),
            max(between[1], between[3]),
        )
    else:
        left, right = max(a[0], b[0]), min(a[2], b[2])
        between = (left, min(a[3], b[3]), max(right, left + 1), max(a[1], b[1]))
    lefts, tops, rights, bottoms = obstacles.T
    shared_x = np.minimum(rights, between[2]) - np.maximum(lefts, between[0])
    shared_y = np.minimum(bottoms, between[3]) - np.maximum(tops, between[1])
    inside = shared_x > 0.25 * np.minimum(rights - lefts, max(1, width(between)))
    inside &= shared_y > 0.25 * np.minimum(bottoms - tops, max(1, height(between)))
    inside &= ~((obstacles == a).all(axis=1) | (obstacles == b).all(axis=1))
    return bool(inside.any())


def _with_repeats(pairs: list[Pair], values: Sequence[Token], labels: Sequence[Token], homes: Homes) -> list[Pair]:
    """Pairs with what repeats counted, and far ones dropped that stand in no list."""
    if not pairs:
        return []
    v = as_array([values[pair.value].box for pair in pairs]).astype(np.float64)
    b = as_array([labels[pair.label].box for pair in pairs]).astype(np.float64)
    sides = np.array([pair.side for pair in pairs])
    result = []
    for number, pair in enumerate(pairs):
        tall = v[number, 3] - v[number, 1]
        alike = (sides == pair.side) & _same_offset(v, b, number, tall)
        repeats = _distinct(pairs, np.flatnonzero(alike))
        listed = pair.side == "left" and _is_listed(pairs, v, b, number, labels)
        colon = labels[pair.label].colon
        far = pair.gap > (2 * _REACH_LEFT if colon else _REACH_LEFT)
        if pair.side == "left" and far and not listed:
            continue
        reach = _REACH_UP_INSIDE if pair.together else _REACH_UP
        reach = _REACH_TITLE if homes.titled(pair.value)[pair.label] else reach
        if pair.side in ("above", "below") and pair.gap > reach and repeats < 3:
            continue
        if pair.side == "right" and repeats < 2 and not pair.together:
            continue
        gain = 0.18 * min(repeats - 1, 3) + (0.4 if listed else 0.0)
        result.append(replace(pair, cost=pair.cost - gain, repeats=repeats, listed=listed))
    return result


def _same_offset(v: NDArray[np.float64], b: NDArray[np.float64], number: int, tall: float) -> NDArray[np.bool_]:
    """Pairs whose label stands to its value as this one's does, by any of the usual alignments, in the same sizes."""
    down = np.abs(((v[:, 1] + v[:, 3]) - (b[:, 1] + b[:, 3])) / 2 - _middle(v, b, number))
    sizes_v = np.abs((v[:, 3] - v[:, 1]) / tall - 1) <= 0.35
    label_tall = max(1.0, float(b[number, 3] - b[number, 1]))
    sizes_b = np.abs((b[:, 3] - b[:, 1]) / label_tall - 1) <= 0.35
    across = np.full(len(v), np.inf)
    for of_value, of_label in ((0, 0), (2, 0), (0, 2), (2, 2)):
        offsets = v[:, of_value] - b[:, of_label]
        np.minimum(across, np.abs(offsets - offsets[number]), out=across)
    offsets = (v[:, 0] + v[:, 2] - b[:, 0] - b[:, 2]) / 2
    np.minimum(across, np.abs(offsets - offsets[number]), out=across)
    return np.asarray((down <= 0.4 * tall) & (across <= 0.5 * tall) & sizes_v & sizes_b, np.bool_)


def _middle(v: NDArray[np.float64], b: NDArray[np.float64], number: int) -> float:
    return float((v[number, 1] + v[number, 3] - b[number, 1] - b[number, 3]) / 2)


def _distinct(pairs: Sequence[Pair], chosen: NDArray[np.int64]) -> int:
    """How many of these pairs can hold at once, at most: no value and no label twice."""
    found = [pairs[index] for index in chosen.tolist()]
    return min(len({pair.value for pair in found}), len({pair.label for pair in found}))


def _is_listed(
    pairs: Sequence[Pair], v: NDArray[np.float64], b: NDArray[np.float64], number: int, labels: Sequence[Token]
) -> bool:
    """One of at least three lines that repeat the same two columns, with hardly a line that has a label alone.

    A menu beside a drawing has labels that only happen to be level with a value.
    """
    tall = v[number, 3] - v[number, 1]
    near = np.minimum(np.abs(v[:, 0] - v[number, 0]), np.abs(v[:, 2] - v[number, 2]))
    near = np.minimum(near, np.abs(v[:, 0] + v[:, 2] - v[number, 0] - v[number, 2]) / 2)
    start = np.minimum(np.abs(b[:, 0] - b[number, 0]), np.abs(b[:, 2] - b[number, 2]))
    level = np.abs((v[:, 1] + v[:, 3]) - (b[:, 1] + b[:, 3])) / 2 <= 0.4 * tall
    alike = (near < 0.7 * tall) & (start < 1.5 * tall) & level
    found = [index for index in np.flatnonzero(alike).tolist() if pairs[index].side == "left"]
    lines = {pairs[index].label for index in found}
    if len(lines) < 3:
        return False
    top = min(labels[index].box[1] for index in lines)
    bottom = max(labels[index].box[3] for index in lines)
    edge = labels[pairs[number].label].box[0]
    column = [t for t in labels if abs(t.box[0] - edge) < 2.5 * tall and top <= centre(t.box)[1] <= bottom]
    return len(lines) >= 0.75 * len(column)
