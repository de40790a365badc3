"""Where a series is going, and whether it is where it was: robust, with an interval, silent where it is not certain.

The slope is Theil's (1950) and Sen's (1968): the median of the slopes between all pairs. The interval is Sen's, from
the variance of Kendall's S; readings that follow each other are alike, so the count that enters is that of
independent readings (the count divided by the correlation time, after Hamed and Rao's reasoning). A change against a
baseline is the difference of medians in robust deviations of the baseline."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from plugins.maintenance.values import Array

__all__ = ["Change", "Slope", "change_against", "theil_sen"]

_MOST_POINTS = 600
"""Of a longer series, medians of so many pieces are compared, which is 180 000 pairs."""
_LEAST_POINTS = 12
_SURE = 2.576
"""Deviations of 99 in 100."""


@dataclass(frozen=True, slots=True)
class Slope:
    """A direction."""

    per_day: float
    low: float
    """The interval that holds it in 99 of 100 cases."""
    high: float
    change: float
    """Over the whole span."""
    days: float

    @property
    def certain(self) -> bool:
        """Its sign is certain."""
        return self.low > 0 or self.high < 0


@dataclass(frozen=True, slots=True)
class Change:
    """A period against what was before."""

    before: float
    """Median."""
    now: float
    deviations: float
    """Robust z: the difference in deviations of single readings before."""


def theil_sen(times: Array, values: Array) -> Slope | None:
    """The slope of a series in order; None for too few readings or no time between them."""
    times, values = _thinned(times, values)
    count = len(values)
    if count < _LEAST_POINTS or times[-1] <= times[0]:
        return None
    i, j = np.triu_indices(count, 1)
    apart = times[j] - times[i]
    slopes = np.sort((values[j] - values[i])[apart > 0] / apart[apart > 0]) * 86_400.0
    middle = float(np.median(slopes))
    days = float(times[-1] - times[0]) / 86_400.0
    rest = values - middle / 86_400.0 * times
    alone = max(2.0, count / _correlation(rest))
    # Kendall's S has a variance of n(n-1)(2n+5)/18; with fewer independent readings it spreads over more of the pairs.
    spread = _SURE * float(np.sqrt(alone * (alone - 1) * (2 * alone + 5) / 18)) / (alone * (alone - 1) / 2)
    low = float(slopes[max(0, int(len(slopes) * (1 - spread) / 2))])
    high = float(slopes[min(len(slopes) - 1, int(len(slopes) * (1 + spread) / 2))])
    if spread >= 1:
        low, high = float("-inf"), float("inf")
    return Slope(middle, low, high, middle * days, days)


def change_against(before: Array, now: Array) -> Change | None:
    """None where either has too few readings, or the readings before never moved."""
    if len(before) < _LEAST_POINTS or len(now) < _LEAST_POINTS:
        return None
    middle = float(np.median(before))
    deviation = 1.4826 * float(np.median(np.abs(before - middle)))
    if deviation <= 0:
        return None
    current = float(np.median(now))
    return Change(middle, current, (current - middle) / deviation)


def _thinned(times: Array, values: Array) -> tuple[Array, Array]:
    if len(values) <= _MOST_POINTS:
        return times, values
    parts = np.array_split(np.arange(len(values)), _MOST_POINTS)
    return np.array([np.median(times[p]) for p in parts]), np.array([np.median(values[p]) for p in parts])


def _correlation(rest: Array) -> float:
    """Readings that say as much as one: (1 + r) / (1 - r) of the correlation of neighbours."""
    ranks = np.argsort(np.argsort(rest, kind="stable"), kind="stable").astype(float)
    ranks -= ranks.mean()
    power = float((ranks**2).sum())
    r = float((ranks[1:] * ranks[:-1]).sum()) / power if power > 0 else 0.0
    return max(1.0, (1 + r) / max(1e-3, 1 - r))
