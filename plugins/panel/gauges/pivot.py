"""Where a needle can turn: the points that the lines of a dial run through, and the middles of its rings.

Ticks are short lines that all point at the pivot, from many directions; they do so in a tilted view too. Each line
votes for the points on it, a direction counts only up to a limit (the edges of a case are many and parallel), and the
best points are made exact by least squares. Where a dial has few ticks, the circle through its numbers tells.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from plugins.panel.gauges.numerals import Numeral

__all__ = ["circle_through", "line_pivots", "number_pivots", "refined_pivot", "segments_of"]

Floats = NDArray[np.float64]
Grey = NDArray[np.uint8]
_CELL = 5.0
"""Pixels of the dial's picture to one cell of the votes."""
_MARGIN = 0.2
"""The pivot may lie outside of the picture by this part of its side."""
_DIRECTIONS = 18
_MAX_LINES = 1500
_MAX_NUMBERS = 24


def segments_of(grey: Grey) -> Floats:
    """Straight edges, n × 4 (both ends)."""
    found = cv2.createLineSegmentDetector(cv2.LSD_REFINE_STD).detect(grey)[0]
    if found is None:
        return np.zeros((0, 4))
    lines = np.asarray(found, np.float64).reshape(-1, 4)
    length = np.hypot(lines[:, 2] - lines[:, 0], lines[:, 3] - lines[:, 1])
    lines = lines[length > 0.012 * max(grey.shape)][:_MAX_LINES]
    return np.ascontiguousarray(lines, np.float64)


def line_pivots(lines: Floats, shape: tuple[int, int], count: int = 2) -> list[tuple[float, float]]:
    """The points that most lines of different directions run through."""
    if len(lines) < 6:
        return []
    side = float(max(shape))
    votes = _votes(lines, shape, side)
    points = []
    for _ in range(count):
        row, column = np.unravel_index(int(np.argmax(votes)), votes.shape)
        if votes[row, column] <= 0:
            break
        rough = (column * _CELL - _MARGIN * shape[1], row * _CELL - _MARGIN * shape[0])
        points.append(refined_pivot(lines, rough, side))
        reach = max(2, int(0.06 * side / _CELL))
        votes[max(0, row - reach) : row + reach + 1, max(0, column - reach) : column + reach + 1] = 0
    return points


def _votes(lines: Floats, shape: tuple[int, int], side: float) -> NDArray[np.float32]:
    rows, columns = (int((1 + 2 * _MARGIN) * extent / _CELL) + 1 for extent in shape)
    middle, along = (lines[:, :2] + lines[:, 2:]) / 2, lines[:, 2:] - lines[:, :2]
    length = np.maximum(np.hypot(along[:, 0], along[:, 1]), 1e-6)
    along = along / length[:, None]
    steps = np.arange(0.07 * side, 0.8 * side, _CELL)
    steps = np.concatenate((-steps, steps))
    x = (middle[:, :1] + along[:, :1] * steps + _MARGIN * shape[1]) / _CELL
    y = (middle[:, 1:] + along[:, 1:] * steps + _MARGIN * shape[0]) / _CELL
    inside = (x >= 0) & (x < columns) & (y >= 0) & (y < rows)
    bins = ((np.arctan2(along[:, 1], along[:, 0]) % math.pi) / math.pi * _DIRECTIONS).astype(int) % _DIRECTIONS
    weight = np.broadcast_to(np.minimum(length, 0.06 * side)[:, None] / side, x.shape)
    planes = np.broadcast_to(bins[:, None], x.shape)
    flat = (planes * rows + y.astype(int)) * columns + x.astype(int)
    counted = np.bincount(flat[inside], weight[inside], minlength=_DIRECTIONS * rows * columns)
    stack = counted.reshape(_DIRECTIONS, rows, columns).astype(np.float32)
    total = np.zeros((rows, columns), np.float32)
    for plane in stack:
        total += np.minimum(cv2.GaussianBlur(plane, (0, 0), 1.6), 0.012)
    return total


def refined_pivot(lines: Floats, rough: tuple[float, float], side: float) -> tuple[float, float]:
    """The point nearest to all lines that pass a rough one, least squares, again with a narrower choice."""
    if not len(lines):
        return rough
    point = np.array(rough)
    middle, along = (lines[:, :2] + lines[:, 2:]) / 2, lines[:, 2:] - lines[:, :2]
    length = np.maximum(np.hypot(along[:, 0], along[:, 1]), 1e-6)
    across = np.stack((-along[:, 1], along[:, 0]), axis=1) / length[:, None]
    for width in (0.03, 0.02, 0.015):
        off = np.abs(((point - middle) * across).sum(axis=1))
        far = np.hypot(*(point - middle).T)
        near = (off < np.maximum(width * side, 0.08 * far)) & (off < 0.05 * side) & (far > 0.06 * side)
        if near.sum() < 4:
            break
        # A short line's direction is unsure, and the more so the further away it is.
        weight = (length[near] / np.maximum(far[near], 1.0)) ** 2
        normal = across[near]
        matrix = (normal * weight[:, None]).T @ normal
        if np.linalg.cond(matrix) > 1e4:
            break
        point = np.linalg.solve(matrix, (normal * weight[:, None]).T @ (normal * middle[near]).sum(axis=1))
    return float(point[0]), float(point[1])


def number_pivots(numerals: Sequence[Numeral], side: float, count: int = 2) -> list[tuple[float, float]]:
    """Middles of the circles on which numbers rise in equal steps clockwise, the one with most numbers first."""
    printed = sorted((n for n in numerals if not n.is_guess), key=lambda n: n.value)[:_MAX_NUMBERS]
    if len(printed) < 3:
        return []
    points = np.array([(n.printed.x, n.printed.y) for n in printed])
    values = np.array([n.value for n in printed])
    found: list[tuple[int, float, tuple[float, float]]] = []
    for a, b, c in itertools.combinations(range(len(printed)), 3):
        first, second = values[b] - values[a], values[c] - values[b]
        ahead, on = points[b] - points[a], points[c] - points[b]
        if first <= 0 or ahead[0] * on[1] <= ahead[1] * on[0]:
            continue
        if min(abs(second / first - ratio) for ratio in (0.5, 1.0, 2.0)) > 0.02:
            continue
        circle = _circle_of_three(*points[[a, b, c]].tolist())
        if circle is None or not 0.12 * side < circle[2] < 0.8 * side:
            continue
        off = np.abs(np.hypot(points[:, 0] - circle[0], points[:, 1] - circle[1]) - circle[2])
        near = off < 0.06 * circle[2]
        fitted = circle_through(points[near]) or circle
        found.append((int(near.sum()), -float(off[near].mean()) / circle[2], (fitted[0], fitted[1])))
    found.sort(reverse=True)
    kept: list[tuple[float, float]] = []
    for _, _, middle in found:
        if len(kept) < count and all(math.dist(middle, other) > 0.04 * side for other in kept):
            kept.append(middle)
    return kept


def _circle_of_three(a: list[float], b: list[float], c: list[float]) -> tuple[float, float, float] | None:
    bx, by, cx, cy = b[0] - a[0], b[1] - a[1], c[0] - a[0], c[1] - a[1]
    cross = 2 * (bx * cy - by * cx)
    if abs(cross) < 1e-9:
        return None
    x = (cy * (bx * bx + by * by) - by * (cx * cx + cy * cy)) / cross
    y = (bx * (cx * cx + cy * cy) - cx * (bx * bx + by * by)) / cross
    return a[0] + x, a[1] + y, math.hypot(x, y)


def circle_through(points: Floats) -> tuple[float, float, float] | None:
    """Least squares through three or more points: middle and radius."""
    left = np.column_stack((2 * points, np.ones(len(points))))
    solved, _, rank, _ = np.linalg.lstsq(left, (points**2).sum(axis=1), rcond=None)
    if rank < 3:
        return None
    inside = float(solved[2] + solved[0] ** 2 + solved[1] ** 2)
    return (float(solved[0]), float(solved[1]), math.sqrt(inside)) if inside > 0 else None
