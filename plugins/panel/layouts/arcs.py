"""Numbers around a dial: on one circle, at angles that follow their values.

A dial whose pointer was not read leaves its numbers behind, and the one at its top stands over the caption like a
value. Three numbers without units tell a scale: multiples of a round step, on a circle of a dial's size, further around
it by as much as they are further in value.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence

import numpy as np

from agent.perception import number_of
from plugins.panel.geometry import centre, height
from plugins.panel.grammar import Token

__all__ = ["is_on_arc"]

_MOST_NUMBERS = 24
_RADIUS = (2.0, 25.0)
"""Of a dial, in heights of its numbers."""
_PROPORTION = 0.1
_STEP, _SPAN = 0.3, 1.0
"""Least angle from number to number, and from the first to the last, in radians."""
_FULL = 5.6
_ROUND = (1.0, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0)
"""What the steps of a scale are, times a power of ten."""


def is_on_arc(token: Token, tokens: Sequence[Token]) -> bool:
    """Whether a number stands around a dial, together with two others near it."""
    number, tall = number_of(token.text), height(token.box)
    if number is None or token.unit or token.label:
        return False
    near = [t for t in tokens if t is not token and _is_mate(t, token)]
    near = sorted(near, key=lambda t: abs(centre(t.box)[0] - centre(token.box)[0]))[:_MOST_NUMBERS]
    numbers = {id(t): number_of(t.text) or 0.0 for t in (*near, token)}
    for pair in itertools.combinations(near, 2):
        three = sorted((token, *pair), key=lambda t: numbers[id(t)])
        if _is_scale(three, [numbers[id(t)] for t in three], tall):
            return True
    return False


def _is_mate(other: Token, token: Token) -> bool:
    """A bare number of about the same size, within the reach of a dial; turned ones are as wide as others are tall."""
    bare = other.kind == "value" and not (other.unit or other.label) and number_of(other.text) is not None
    size, tall = min(height(other.box), other.box[2] - other.box[0]) + 1.0, height(token.box)
    away = max(abs(a - b) for a, b in zip(centre(other.box), centre(token.box), strict=True))
    return bare and away <= 2 * _RADIUS[1] * tall and tall / 2 <= size <= 2.5 * tall


def _is_scale(three: Sequence[Token], values: Sequence[float], usual: float) -> bool:
    steps = values[1] - values[0], values[2] - values[1]
    if min(steps) <= 0 or not _is_round(min(steps)) or max(steps) > 4 * min(steps):
        return False
    if any(abs(value / min(steps) - round(value / min(steps))) > 1e-6 for value in values):
        return False
    middle, radius = _circle(np.array([centre(t.box) for t in three]))
    if not _RADIUS[0] * usual <= radius <= _RADIUS[1] * usual:
        return False
    away = [np.arctan2(centre(t.box)[1] - middle[1], centre(t.box)[0] - middle[0]) for t in three]
    turns = [float((b - a) % (2 * np.pi)) for a, b in itertools.pairwise(away)]
    if min(turns) < _STEP or not _SPAN <= sum(turns) <= _FULL:
        return False
    return abs(turns[0] / sum(turns) - steps[0] / sum(steps)) <= _PROPORTION


def _is_round(step: float) -> bool:
    leading = step / 10 ** math.floor(math.log10(step))
    return any(abs(leading - known) < 1e-6 for known in _ROUND)


def _circle(points: np.ndarray[tuple[int, ...], np.dtype[np.float64]]) -> tuple[tuple[float, float], float]:
    """Centre and radius of the circle through three points; an infinite one where they are in line."""
    (ax, ay), (bx, by), (cx, cy) = (points - points[0]).tolist()
    cross = 2 * (bx * cy - by * cx)
    if abs(cross) < 1e-6:
        return (0.0, 0.0), float("inf")
    b2, c2 = bx * bx + by * by, cx * cx + cy * cy
    x, y = (cy * b2 - by * c2) / cross, (bx * c2 - cx * b2) / cross
    return (float(points[0][0]) + x, float(points[0][1]) + y), float(np.hypot(x - ax, y - ay))
