"""Figures of a series, computed exactly from its values; pure functions over `Points`, nothing worded here.

All take at least one value and never one that is NaN. Seconds and instants are as in `plugins.logs.interface`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from plugins.logs.interface import Points
from plugins.logs.series.asked import Limit

__all__ = [
    "Gap",
    "Run",
    "aggregate",
    "chosen",
    "crossings",
    "duplicated",
    "fits",
    "gaps",
    "lasting",
    "runs",
    "steps_back",
    "usual_step",
    "within_runs",
]

Mask = NDArray[np.bool_]
_GAP_FACTOR = 1.5
"""A step longer than so many usual ones is a gap."""


@dataclass(frozen=True, slots=True)
class Run:
    """Values in a row that hold a condition: places of the first and the last."""

    first: int
    last: int


@dataclass(frozen=True, slots=True)
class Gap:
    """Two values next to each other with too much time between them: the place of the first, and the seconds."""

    before: int
    seconds: float


def chosen(points: Points, mask: Mask) -> Points:
    """Only the values that are marked."""
    kept = (points.rows[mask], points.at[mask], points.wall[mask], points.values[mask])
    return replace(points, rows=kept[0], at=kept[1], wall=kept[2], values=kept[3], total=int(np.count_nonzero(mask)))


def fits(points: Points, limit: Limit) -> Mask:
    """Which values are on the side of the limit that was asked for."""
    values = points.values
    if limit.side == "between":
        return np.asarray((values >= limit.low) & (values <= limit.high))
    if limit.side == "above":
        return np.asarray(values >= limit.low if limit.inclusive else values > limit.low)
    return np.asarray(values <= limit.low if limit.inclusive else values < limit.low)


def runs(mask: Mask) -> list[Run]:
    """Stretches of marked values."""
    edges = np.diff(np.concatenate(([0], mask.astype(np.int8), [0])))
    starts, ends = np.flatnonzero(edges == 1), np.flatnonzero(edges == -1) - 1
    return [Run(int(a), int(b)) for a, b in zip(starts, ends, strict=True)]


def crossings(points: Points, limit: Limit) -> list[int]:
    """Places of values that hold while the one before does not; one that holds from the beginning is none."""
    mask = fits(points, limit)
    return [run.first for run in runs(mask) if run.first > 0]


def within_runs(points: Points, label: Points) -> tuple[Mask, list[tuple[float, float]]]:
    """Which values lie in a window that the label marks with 1, and the windows on the plant's clock.

    A window reaches from the first to the last marked stamp, both of them in.
    """
    spans = [(run.first, run.last) for run in runs(label.values > 0)]
    mask = np.zeros(len(points.at), dtype=np.bool_)
    for first, last in spans:
        mask |= (points.at >= label.at[first]) & (points.at <= label.at[last])
    return mask, [(float(label.wall[first]), float(label.wall[last])) for first, last in spans]


def usual_step(points: Points) -> float | None:
    """The most frequent time between neighbouring stamps; None where there are not two."""
    steps = np.diff(np.unique(points.at))
    if not len(steps):
        return None
    values, counts = np.unique(np.round(steps, 3), return_counts=True)
    return float(values[np.argmax(counts)])


def gaps(points: Points, longer_seconds: float | None = None) -> list[Gap]:
    """Steps that are longer than said, or than one and a half usual ones; longest first."""
    step = usual_step(points)
    if step is None:
        return []
    least = step * _GAP_FACTOR if longer_seconds is None else longer_seconds
    steps = np.diff(points.at)
    found = [Gap(int(i), float(steps[i])) for i in np.flatnonzero(steps > least)]
    return sorted(found, key=lambda gap: (-gap.seconds, gap.before))


def duplicated(points: Points) -> tuple[int, int]:
    """Stamps that stand more than once, and values beyond the first of each."""
    _, counts = np.unique(points.at, return_counts=True)
    return int(np.count_nonzero(counts > 1)), int(len(points.at) - len(counts))


def steps_back(points: Points) -> int:
    """How often a value was stored after one with a later stamp."""
    stored = points.at[np.argsort(points.rows, kind="stable")]
    return int(np.count_nonzero(np.diff(stored) < 0))


def lasting(points: Points, mask: Mask) -> float:
    """Seconds that a condition held: each value counts up to the next one, but no longer than a gap begins."""
    step = usual_step(points)
    if step is None:
        return 0.0
    steps = np.minimum(np.append(np.diff(points.at), step), step * _GAP_FACTOR)
    return float(steps[mask].sum())


def aggregate(points: Points, keys: NDArray[np.int64], figure: str) -> dict[int, float]:
    """One figure for each key."""
    found: dict[int, float] = {}
    order = np.argsort(keys, kind="stable")
    names, starts = np.unique(keys[order], return_index=True)
    for name, values in zip(names.tolist(), np.split(points.values[order], starts[1:]), strict=True):
        found[int(name)] = one_figure(values, figure)
    return found


def one_figure(values: NDArray[np.float64], figure: str) -> float:
    """Mean, median, deviation, sum, range, maximum, minimum or count of values."""
    match figure:
        case "maximum":
            return float(values.max())
        case "minimum":
            return float(values.min())
        case "range":
            return float(values.max() - values.min())
        case "median":
            return float(np.median(values))
        case "deviation":
            return float(values.std(ddof=1)) if len(values) > 1 else 0.0
        case "sum":
            return float(values.sum())
        case "count":
            return float(len(values))
        case _:
            return float(values.mean())
