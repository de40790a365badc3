"""Figures from a machine's series: least, most, mean, limits crossed, where it is going.

A series with too few points or none in the period gives no figure. The slope is Theil–Sen's (median of the slopes
between pairs), told only where 95 of 100 resampled slopes have one sign and the change over the period is more than
the spread.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
from numpy.typing import NDArray

from agent.reports.values import Level, Sign, Trend
from agent.values import say

__all__ = ["Crossing", "SeriesFigures", "quantity_of", "series_figures", "signs_of"]

_PAIRS = 4_000
_LEAST_POINTS = 12
"""Fewer show no direction."""
_QUANTITIES = (
    ("vibration", r"mm/s(?!²|2|\^)|in/s"),
    ("acceleration", r"m/s[²2^]|\bg\b"),
    ("temperature", r"°?[CF]$|℃|℉|^K$|deg"),
    ("pressure", r"bar|pa$|psi|mH2O|kgf"),
    ("flow", r"m[³3]/h|l/s|l/min|t/h|gpm|kg/h"),
    ("current", r"^m?A$"),
    ("power", r"^k?W$"),
    ("voltage", r"^k?V$"),
    ("frequency", r"^Hz$"),
    ("speed", r"rpm|r/min|min-1"),
    ("level", r"^m{1,2}$|^cm$"),
)


@dataclass(frozen=True, slots=True)
class Crossing:
    """A level that was crossed."""

    level: Level
    times: int
    """How often the value came over it."""
    share: float
    """Of the readings that lay beyond."""
    first: datetime
    """Wall clock."""
    still: bool
    """The last reading lies beyond."""


@dataclass(frozen=True, slots=True)
class SeriesFigures:
    """Of one series in the period."""

    trend: Trend
    count: int
    low: float
    low_at: datetime
    high: float
    high_at: datetime
    mean: float
    last: float
    last_at: datetime
    crossings: tuple[Crossing, ...]
    change: float | None
    """By how much it went up or down over the period, where that is certain; None elsewhere."""


def series_figures(trend: Trend) -> SeriesFigures | None:
    """Count; None where there is nothing to count."""
    at, values = trend.at, trend.values
    if len(values) == 0 or len(at) != len(values) or not np.isfinite(values).all():
        return None
    low, high = int(values.argmin()), int(values.argmax())
    return SeriesFigures(
        trend=trend,
        count=len(values),
        low=float(values[low]),
        low_at=wall_time(at[low]),
        high=float(values[high]),
        high_at=wall_time(at[high]),
        mean=float(values.mean()),
        last=float(values[-1]),
        last_at=wall_time(at[-1]),
        crossings=tuple(c for level in trend.levels if (c := _crossing(trend, level)) is not None),
        change=_change(at, values),
    )


def signs_of(figures: SeriesFigures) -> list[Sign]:
    """What causes can refer to: `temperature.high`, `pressure.low`, `vibration.rising`."""
    kind = figures.trend.quantity or quantity_of(figures.trend.unit)
    name, signs = figures.trend.name, []
    for side in ("high", "low"):
        levels = [level for level in figures.trend.levels if level.side == side]
        crossed = [c for c in figures.crossings if c.level.side == side]
        if levels and kind:
            line = say(
                f"{name} {'越限' if crossed else '未越限'}", f"{name} {'was beyond' if crossed else 'kept'} its limit"
            )
            severity = (2 if crossed[-1].still else 1) if crossed else 0
            signs.append(Sign(figures.trend.id, f"{kind}.{side}", line, severity, bool(crossed)))
    if figures.change is not None and kind:
        up = figures.change > 0
        line = say(f"{name} 持续{'上升' if up else '下降'}", f"{name} is {'rising' if up else 'falling'}")
        signs.append(Sign(figures.trend.id, f"{kind}.{'rising' if up else 'falling'}", line, 1))
    return signs


def quantity_of(unit: str) -> str:
    """What is measured in a unit; empty where that is open."""
    return next((name for name, rule in _QUANTITIES if re.search(rule, unit.strip(), re.IGNORECASE)), "")


def wall_time(seconds: float) -> datetime:
    """The plant's wall clock of a series' time stamp."""
    return datetime.fromtimestamp(float(seconds), UTC).replace(tzinfo=None)


def _crossing(trend: Trend, level: Level) -> Crossing | None:
    beyond = trend.values > level.value if level.side == "high" else trend.values < level.value
    if not beyond.any():
        return None
    came = int(beyond[0]) + int(np.count_nonzero(beyond[1:] & ~beyond[:-1]))
    first = wall_time(trend.at[int(beyond.argmax())])
    return Crossing(level, came, float(beyond.mean()), first, bool(beyond[-1]))


def _change(at: NDArray[np.float64], values: NDArray[np.float64]) -> float | None:
    """Median slope times the span, or None where its sign or its size is not certain."""
    span = float(at[-1] - at[0])
    if len(values) < _LEAST_POINTS or span <= 0:
        return None
    chosen = np.random.default_rng(len(values))
    i, j = chosen.integers(0, len(values), (2, _PAIRS))
    apart = np.abs(at[i] - at[j]) > span / 10
    slopes = (values[i] - values[j])[apart] / (at[i] - at[j])[apart]
    if len(slopes) < _LEAST_POINTS:
        return None
    change = float(np.median(slopes)) * span
    rest = values - change / span * (at - at[0])
    spread = 1.4826 * float(np.median(np.abs(rest - np.median(rest))))
    resampled = np.median(chosen.choice(slopes, (100, min(len(slopes), 200))), axis=1)
    agree = max(int((resampled > 0).sum()), int((resampled < 0).sum()))
    return change if agree >= 95 and abs(change) > max(spread, 1e-9 * float(np.abs(values).max())) else None
