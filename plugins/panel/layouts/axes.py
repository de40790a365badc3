"""Numbers that measure nothing by themselves: scales of dials and rulers, axes and points of charts, row numbers.

Order: numbers that climb in equal steps from neighbour to neighbour are a scale → bare numbers beside an upright scale
are points of its chart.
"""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from agent.api import Box
from plugins.panel.geometry import centre, height, joined, overlap_x, overlap_y, same_line
from plugins.panel.grammar import Token

__all__ = ["set_scales_apart"]

_TICK_REACH = 14.0
"""How far apart two neighbours of a scale may stand, in text heights."""
_NEIGHBOURS = 8
_MAX_TICKS = 60
_MARKS = " -–—_|."
_TICK = re.compile(rf"[+-]?\d+(?:[.,]\d+)?[{re.escape(_MARKS)}]+")
_MIN_POINTS = 4
"""Bare numbers within a chart that has no axis beneath, so that they are taken for its points."""
_MAX_WIDE = 5
"""How wide a chart may be, in heights of its axis."""
_MAX_CARD = 0.6
"""A card beside a chart is lower than this part of its axis; a taller one is the chart's own ground."""
_LABEL_GAP = 8.0
"""A number this close behind a label is no point of a chart, in text heights."""
_AXIS_GAP = 4.0
"""How far beneath an upright axis the texts of the other axis stand, in text heights."""


def set_scales_apart(tokens: Sequence[Token], areas: Sequence[Box] = ()) -> list[Token]:
    """The tokens, those of scales and charts as `other`, so that they pair with nothing and still stand in between."""
    bare = [index for index, token in enumerate(tokens) if _is_bare(token) or _is_tick(token)]
    runs = _runs([tokens[index] for index in bare])
    scale = {bare[index] for run in runs for index in run}
    result = [replace(token, kind="other") if index in scale else token for index, token in enumerate(tokens)]
    axes = [
        joined(tokens[bare[index]].box for index in run) for run in runs if _is_upright([tokens[bare[i]] for i in run])
    ]
    for axis in axes:
        for index in _points(axis, result, axes, areas):
            result[index] = replace(result[index], kind="other")
    return result


def _is_bare(token: Token) -> bool:
    padded = len(token.text) > 1 and token.text[0] == "0" and token.text[1].isdigit()
    return token.kind == "value" and not (token.unit or token.label or padded) and _number(token) is not None


def _is_tick(token: Token) -> bool:
    """A number that was read together with its tick mark."""
    return token.kind == "other" and _TICK.fullmatch(token.text) is not None


def _runs(bare: Sequence[Token]) -> list[list[int]]:
    """Indices of the numbers of each scale, from its lowest number."""
    if len(bare) < 3:
        return []
    numbers = [_number(token) or 0.0 for token in bare]
    places = np.array([centre(token.box) for token in bare])
    by_number: dict[float, list[int]] = {}
    for index, number in enumerate(numbers):
        by_number.setdefault(round(number, 6), []).append(index)
    runs: list[list[int]] = []
    scale: set[int] = set()
    for first in range(len(bare)):
        distances = np.hypot(*(places - places[first]).T)
        for second in np.argsort(distances)[1 : _NEIGHBOURS + 1].tolist():
            near = distances[second] <= _TICK_REACH * height(bare[first].box)
            if near and numbers[second] > numbers[first] and not {first, second} <= scale:
                run = _straightened(_run(numbers, by_number, places, [first, second]), bare)
                if len(run) >= (3 if _straight([bare[i] for i in run]) else 4):
                    runs.append(run)
                    scale.update(run)
    return [run for run in runs if not any(set(run) < set(other) for other in runs)]


def _run(
    numbers: Sequence[float], by_number: Mapping[float, Sequence[int]], places: NDArray[np.float64], run: list[int]
) -> list[int]:
    """Follow a scale upwards: the next number is one step more, and about as far away as the one before."""
    step = numbers[run[1]] - numbers[run[0]]
    reach = 1.6 * math.dist(places[run[0]], places[run[1]])
    while len(run) < _MAX_TICKS:
        candidates = by_number.get(round(numbers[run[-1]] + step, 6), ())
        near = [(distance, i) for i in candidates if (distance := math.dist(places[run[-1]], places[i])) <= reach]
        if not near:
            break
        run = [*run, min(near)[1]]
    return run


def _straightened(run: list[int], bare: Sequence[Token]) -> list[int]:
    """Without a number at either end that only happens to fit, where the rest is straight."""
    if len(run) > 3 and not _straight([bare[i] for i in run]):
        for rest in (run[1:], run[:-1]):
            if _straight([bare[i] for i in rest]):
                return rest
    return run


def _straight(run: Sequence[Token]) -> bool:
    """All in one row or one column, evenly spread."""
    middles = [centre(token.box) for token in run]
    tall = max(height(token.box) for token in run)
    for axis in (0, 1):
        if max(m[1 - axis] for m in middles) - min(m[1 - axis] for m in middles) > 0.7 * tall:
            continue
        gaps = [b[axis] - a[axis] for a, b in itertools.pairwise(middles)]
        return max(gaps) * min(gaps) > 0 and max(map(abs, gaps)) <= 1.3 * min(map(abs, gaps)) + 2
    return False


def _is_upright(run: Sequence[Token]) -> bool:
    """A column whose numbers grow upwards."""
    lowest, highest = run[0].box, run[-1].box
    level = abs(centre(lowest)[0] - centre(highest)[0]) <= 1.5 * height(lowest)
    return level and lowest[1] > highest[3]


def _points(axis: Box, tokens: Sequence[Token], axes: Sequence[Box], areas: Sequence[Box]) -> list[int]:
    """Bare numbers right of an upright axis and within its span, as far as its chart reaches."""
    tall = max(height(token.box) for token in tokens if token.kind == "other" and _within(token.box, axis))
    right = min((box[0] for box in axes if box[0] > axis[2] and overlap_y(box, axis) > 0), default=10**9)
    right = min(right, axis[2] + _MAX_WIDE * height(axis))
    card = next((area for area in areas if _within(axis, area) and area[2] > axis[2] + 4 * tall), None)
    if card is not None:
        right = min(right, card[2])
    cards = [area for area in areas if not _within(axis, area) and height(area) <= _MAX_CARD * height(axis)]
    points = [
        index
        for index, token in enumerate(tokens)
        if _is_bare(token)
        and axis[2] <= token.box[0] < right
        and axis[1] - 1.5 * tall <= centre(token.box)[1] <= axis[3] + 1.5 * tall
        and not any(_belongs(other, token, axis) for other in tokens)
        and not any(_within(token.box, card) for card in cards)
    ]
    end = _end_of_axis_beneath(axis, tall, tokens)
    if end is not None:
        return [index for index in points if tokens[index].box[2] <= end]
    return points if len(points) >= _MIN_POINTS and not _columned([tokens[i] for i in points]) else []


def _end_of_axis_beneath(axis: Box, tall: int, tokens: Sequence[Token]) -> float | None:
    """Where the row of texts beneath a chart ends: its neighbours stand in about equal steps."""
    level = axis[3] - tall, axis[3] + _AXIS_GAP * tall
    row = sorted(
        (
            token.box
            for token in tokens
            if token.kind in ("other", "clock", "label")
            and token.box[0] >= axis[0]
            and level[0] <= centre(token.box)[1] <= level[1]
            and not _within(token.box, axis)
        ),
        key=lambda box: box[0],
    )
    row = [box for box in row if abs(centre(box)[1] - centre(row[0])[1]) <= 0.6 * tall]
    if len(row) < 2 or row[0][0] - axis[2] > _TICK_REACH * tall:
        return None
    step = row[1][0] - row[0][0]
    last = row[0]
    for box in row[1:]:
        if box[0] - last[0] > 1.6 * step:
            break
        last = box
    return last[2] + 2 * tall if last is not row[0] else None


def _belongs(other: Token, value: Token, axis: Box) -> bool:
    """A label right before a number on its line, or a unit right behind it."""
    if other.kind not in ("label", "unit") or not same_line(other.box, value.box) or other.box[0] < axis[2]:
        return False
    gap = value.box[0] - other.box[2] if other.kind == "label" else other.box[0] - value.box[2]
    return 0 <= gap <= _LABEL_GAP * height(value.box)


def _columned(points: Sequence[Token]) -> bool:
    """Numbers that all stand in one column are a list beside a scale."""
    return all(overlap_x(point.box, points[0].box) > 0 for point in points)


def _within(box: Box, area: Box) -> bool:
    x, y = centre(box)
    return area[0] <= x <= area[2] and area[1] <= y <= area[3]


def _number(token: Token) -> float | None:
    text = token.text.rstrip(_MARKS)
    comma_is_point = "." not in text and text.count(",") == 1 and len(text.rsplit(",", 1)[1]) != 3
    try:
        return float(text.replace(",", "." if comma_is_point else ""))
    except ValueError:
        return None
