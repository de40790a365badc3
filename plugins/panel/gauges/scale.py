"""Which numbers around a pivot are a scale, and how angles become values.

A scale's numbers lie on one ring and rise clockwise. Most scales are linear, and a straight line through two numbers
that others agree with finds them, whatever was misread. A moving-iron meter's is bent: there, numbers that rise in
equal steps are followed. Between numbers a monotone cubic is used, because neither a tilted view nor a bent scale
is linear.

Angles are in radians, clockwise (the image's y runs down) from the cut, which lies in the largest gap.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from plugins.panel.gauges.numerals import Numeral

__all__ = ["Scale", "fit_scale", "value_at"]

Floats = NDArray[np.float64]
_RING = 0.22
"""Numbers of one scale differ by this part of their distance from the pivot at most: tilt makes a ring an ellipse."""
_NEAR = math.radians(7.0)
"""A number may stand this far off the straight line: it is printed beside its tick, and the view is tilted."""
_STRAIGHT = math.radians(1.6)
"""Below this residual (rms) the straight line is better than the single numbers."""
_MIN_STEP = math.radians(3.0)
_MIN_SWEEP, _MAX_SWEEP = math.radians(40.0), math.radians(345.0)
_MIN_BULGE = 0.07
"""Numbers of a dial bulge out of the straight line between the first and the last by this part of its length."""
_MIN_PRESENT = 0.45
"""Of the numbers that the steps call for."""
_MAX_NUMERALS, _MAX_STEPS = 60, 24
_PLENTY = 5
"""Numbers on a straight line, from which on a bent scale is not looked for."""


@dataclass(frozen=True, slots=True)
class Scale:
    """Numbers of one scale in order, and where they stand around the pivot."""

    pivot: tuple[float, float]
    angles: Floats
    """Rising, from the cut."""
    values: Floats
    """Rising with the angles (falling on the rare scale that runs the other way)."""
    radii: Floats
    """Of the numbers' middles."""
    cut: float
    """Where angle 0 lies, from the right."""
    weight: float
    """How many numbers agree, each by how sure it is."""
    residual: float
    """Of the straight line through them, rms in radians."""
    members: tuple[Numeral, ...]

    @property
    def span(self) -> float:
        return float(abs(self.values[-1] - self.values[0]))

    @property
    def straight(self) -> bool:
        return self.residual <= _STRAIGHT and len(self.values) >= 4

    def moved(self, angles: Floats) -> Scale:
        """The same numbers at other angles (those of their ticks)."""
        return replace(self, angles=angles, residual=_residual(angles, self.values))

    def only(self, kept: NDArray[np.bool_]) -> Scale:
        """Some of the numbers."""
        angles, values = self.angles[kept], self.values[kept]
        return replace(self, angles=angles, values=values, radii=self.radii[kept], residual=_residual(angles, values))


def fit_scale(numerals: Sequence[Numeral], pivot: tuple[float, float], side: float) -> Scale | None:
    """The scale that most numbers around this pivot agree on; None where fewer than three do.

    :param side: of the dial's picture in pixels; numbers nearer to the pivot than a part of it are none of a scale.
    """
    if len(numerals) > _MAX_NUMERALS:
        numerals = sorted(numerals, key=lambda n: -n.weight)[:_MAX_NUMERALS]
    dx = np.array([n.printed.x - pivot[0] for n in numerals])
    dy = np.array([n.printed.y - pivot[1] for n in numerals])
    radii = np.hypot(dx, dy)
    kept = np.flatnonzero(radii > 0.08 * side)
    if len(kept) < 3:
        return None
    around = np.arctan2(dy, dx) % (2 * math.pi)
    best: Scale | None = None
    for cut in _cuts(around[kept]):
        turned = (around - cut) % (2 * math.pi)
        line = _line(numerals, turned, radii, kept)
        for chosen in (line,) if len(line) > _PLENTY else (line, _chain(numerals, turned, radii, kept)):
            scale = _scale_of(numerals, chosen, turned, radii, cut, pivot)
            if scale is not None and (best is None or _merit(scale) > _merit(best) + 1e-6):
                best = scale
    return best


def value_at(scale: Scale, angle: float) -> float:
    """The value at an angle from the cut; beyond the ends the last piece goes on straight."""
    angles, values = scale.angles, scale.values
    if scale.straight:
        slope, offset = np.polyfit(angles, values, 1)
        return float(slope * angle + offset)
    slopes = _tangents(angles, values)
    if values[0] == 0.0 and angles[0] < angle < angles[1] and len(values) > 2:
        bend = _bend(angles, values)
        if bend > 1.1:
            return float(values[1] * ((angle - angles[0]) / (angles[1] - angles[0])) ** (1 / bend))
    if angle <= angles[0]:
        return float(values[0] + slopes[0] * (angle - angles[0]))
    if angle >= angles[-1]:
        return float(values[-1] + slopes[-1] * (angle - angles[-1]))
    k = int(np.searchsorted(angles, angle, side="right")) - 1
    width = angles[k + 1] - angles[k]
    t = (angle - angles[k]) / width
    return float(
        (1 + 2 * t) * (1 - t) ** 2 * values[k]
        + t * (1 - t) ** 2 * width * slopes[k]
        + t * t * (3 - 2 * t) * values[k + 1]
        + t * t * (t - 1) * width * slopes[k + 1]
    )


def _bend(angles: Floats, values: Floats) -> float:
    """The power of the value that angles grow with from zero on: 1 is straight, a moving-iron meter's is up to 2."""
    grown = math.log((angles[2] - angles[0]) / (angles[1] - angles[0])) / math.log(values[2] / values[1])
    return min(2.2, grown)


def _tangents(x: Floats, y: Floats) -> Floats:
    """Slopes of a monotone cubic: weighted harmonic means of the pieces' slopes, one-sided at the ends."""
    h, d = np.diff(x), np.diff(y) / np.diff(x)
    slopes = np.empty_like(x)
    slopes[0], slopes[-1] = d[0], d[-1]
    if len(x) > 2:
        slopes[0] = _end_slope(h[0], h[1], d[0], d[1])
        slopes[-1] = _end_slope(h[-1], h[-2], d[-1], d[-2])
        w1, w2 = 2 * h[1:] + h[:-1], h[1:] + 2 * h[:-1]
        slopes[1:-1] = (w1 + w2) / (w1 / d[:-1] + w2 / d[1:])
    return slopes


def _end_slope(h0: float, h1: float, d0: float, d1: float) -> float:
    """Three-point slope, kept between nothing and three times the piece's."""
    slope = ((2 * h0 + h1) * d0 - h0 * d1) / (h0 + h1)
    low, high = sorted((0.0, 3 * d0))
    return min(max(slope, low), high)


def _merit(scale: Scale) -> float:
    """Agreement first; a scale that is straight or evenly bent before one that is neither."""
    spread = float(np.std(scale.radii) / np.mean(scale.radii))
    return scale.weight - 2.0 * spread - min(1.0, scale.residual * 1.5)


def _cuts(around: Floats) -> list[float]:
    """Straight down, where most dials have their gap, and the middles of the largest gaps between numbers."""
    order = np.sort(around)
    gaps = np.diff(np.append(order, order[0] + 2 * math.pi))
    return [math.pi / 2, *(float((order[k] + gaps[k] / 2) % (2 * math.pi)) for k in np.argsort(-gaps)[:3])]


def _line(numerals: Sequence[Numeral], turned: Floats, radii: Floats, kept: NDArray[np.intp]) -> list[int]:
    """Numbers that lie on the best straight line from angle to value."""
    values = np.array([numerals[i].value for i in kept])
    weights = np.array([numerals[i].weight for i in kept])
    at, far = turned[kept], radii[kept]
    texts = np.array([id(numerals[i].printed) for i in kept])
    first, second = np.nonzero((at[None, :] - at[:, None] > _MIN_STEP) & (values[None, :] > values[:, None]))
    alike = np.abs(far[first] - far[second]) < _RING * np.maximum(far[first], far[second])
    first, second = first[alike], second[alike]
    if not len(first):
        return []
    slope = (values[second] - values[first]) / (at[second] - at[first])
    reached = at[first][:, None] + (values[None, :] - values[first][:, None]) / slope[:, None]
    ring = (far[first] + far[second])[:, None] / 2
    agree = (np.abs(reached - at[None, :]) < _NEAR) & (np.abs(far[None, :] - ring) < _RING * ring)
    score = (agree * weights[None, :]).sum(axis=1) + 0.001 * (at[second] - at[first])
    best = agree[int(np.argmax(score))]
    chosen: dict[int, int] = {}
    for k in np.flatnonzero(best):
        if texts[k] not in chosen or weights[k] > weights[chosen[texts[k]]]:
            chosen[int(texts[k])] = int(k)
    return [int(kept[k]) for k in chosen.values()]


def _chain(numerals: Sequence[Numeral], turned: Floats, radii: Floats, kept: NDArray[np.intp]) -> list[int]:
    """Numbers that rise in equal steps clockwise, however far apart; a step may be missing."""
    order = sorted((int(i) for i in kept), key=lambda i: turned[i])
    differences = {round(numerals[b].value - numerals[a].value, 6) for a in order for b in order}
    best: tuple[float, list[int]] = (0.0, [])
    for step in sorted(d for d in differences if d > 0)[:_MAX_STEPS]:
        tails: dict[int, tuple[float, list[int]]] = {}
        for place, i in enumerate(order):
            tails[i] = (numerals[i].weight, [i])
            for j in order[:place]:
                steps = (numerals[i].value - numerals[j].value) / step
                whole = round(steps)
                near = abs(radii[i] - radii[j]) < _RING * max(radii[i], radii[j])
                if not near or whole not in (1, 2) or abs(steps - whole) > 0.02:
                    continue
                if turned[i] - turned[j] < _MIN_STEP:
                    continue
                score = tails[j][0] + numerals[i].weight - 0.5 * (whole - 1)
                if score > tails[i][0]:
                    tails[i] = (score, [*tails[j][1], i])
        top = max(tails.values(), key=lambda tail: tail[0])
        best = max(best, top, key=lambda tail: tail[0])
    return best[1]


def _scale_of(
    numerals: Sequence[Numeral],
    chosen: list[int],
    turned: Floats,
    radii: Floats,
    cut: float,
    pivot: tuple[float, float],
) -> Scale | None:
    chosen = sorted(chosen, key=lambda i: turned[i])
    if len(chosen) < 3:
        return None
    angles, values = turned[chosen], np.array([numerals[i].value for i in chosen])
    steps, rises = np.diff(angles), np.diff(values)
    if np.any(rises <= 0) or np.any(steps < _MIN_STEP) or not _MIN_SWEEP < angles[-1] - angles[0] < _MAX_SWEEP:
        return None
    if not _is_even(values) or not _is_bulging(angles, radii[chosen]):
        return None
    if _is_clock(angles, values):
        return None
    if any(numerals[i].is_guess for i in chosen) and sum(not numerals[i].is_guess for i in chosen) < 3:
        return None
    paces = steps / rises
    if np.max(paces[1:] / paces[:-1]) > 4 or np.min(paces[1:] / paces[:-1]) < 0.25:
        return None
    weight = sum(numerals[i].weight for i in chosen)
    return Scale(
        pivot, angles, values, radii[chosen], cut, weight, _residual(angles, values), tuple(numerals[i] for i in chosen)
    )


def _is_even(values: Floats) -> bool:
    """The numbers are multiples of one step apart, and most of those that there should be were read."""
    rises = np.diff(values)
    for parts in (1, 2):
        step = float(rises.min()) / parts
        counts = rises / step
        if np.all(np.abs(counts - np.round(counts)) < 0.08) and len(values) >= _MIN_PRESENT * (counts.sum() + 1):
            return True
    return False


def _is_clock(angles: Floats, values: Floats) -> bool:
    """Hours, 30° apart."""
    hours = values[0] >= 1 and values[-1] <= 12 and values[-1] - values[0] >= 6
    return bool(hours and abs(math.degrees((angles[-1] - angles[0]) / (values[-1] - values[0])) - 30) < 1.5)


def _is_bulging(angles: Floats, radii: Floats) -> bool:
    """On an arc, not in a row or column: those are tables and the axes of charts."""
    x, y = radii * np.cos(angles), radii * np.sin(angles)
    along = np.array([x[-1] - x[0], y[-1] - y[0]])
    length = float(np.hypot(*along))
    bulge = np.abs((x - x[0]) * along[1] - (y - y[0]) * along[0]).max() / max(length, 1e-6)
    return bool(bulge > _MIN_BULGE * length)


def _residual(angles: Floats, values: Floats) -> float:
    slope, offset = np.polyfit(values, angles, 1)
    return float(np.sqrt(np.mean((slope * values + offset - angles) ** 2)))
