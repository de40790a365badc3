"""What a figure was, now and over a span: values with their times and source, or why it is not known.

A value that is stale, beyond what the sensor can measure, or of two minds about one moment is no value. A span is only
known where values cover it without a gap; what a part of it settles already (more rain than allowed) is settled.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from agent.api import DatabaseError, Said, Series, SeriesReader, say
from agent.settings import FieldSettings
from plugins.field.sheet import Figure

__all__ = ["Measured", "Span", "read_figures", "span_of", "stated"]

Array = NDArray[np.float64]
_EPOCH = datetime(1970, 1, 1)
_FORM = "%Y-%m-%d %H:%M"


@dataclass(frozen=True, slots=True)
class Measured:
    """The values of a figure up to now."""

    figure: Figure
    at: Array
    """Seconds since 1970 of the plant's wall clock, in order, each once."""
    values: Array
    unit: str
    source: str
    now: float
    """On the same clock."""
    stale_seconds: float
    dropped: int = 0
    """Values that are none: beyond the sensor's range, or of a time that has not come."""
    trouble: str = ""
    """Why its source could not be read."""


@dataclass(frozen=True, slots=True)
class Span:
    """The values within a span, or the latest one."""

    values: Array
    start: float
    end: float
    lacking: Said | None
    """Why they are not all there; None where they are."""

    @property
    def whole(self) -> bool:
        return self.lacking is None


def read_figures(
    figures: Sequence[tuple[Figure, float]], series: SeriesReader, now: datetime, settings: FieldSettings
) -> dict[str, Measured]:
    """Read each figure as far back as it is needed; one whose source cannot be read has no values, and says why.

    :param figures: with the seconds before now.
    """
    reach: dict[str, float] = {}
    for figure, seconds in figures:
        reach[figure.name] = max(reach.get(figure.name, 0.0), seconds)
    by_name = {figure.name: figure for figure, _ in figures}
    found = {}
    for name, figure in by_name.items():
        stale = 60 * (figure.stale_minutes or settings.stale_minutes)
        back = timedelta(seconds=reach[name] + stale)
        late = timedelta(seconds=settings.late_seconds)
        trouble = ""
        try:
            read = series([figure.tag], now - back, now + late)
        except DatabaseError as error:
            read, trouble = (), str(error)
        one = _measured(figure, read[0] if read else None, now, stale, late.total_seconds())
        found[name] = replace(one, trouble=trouble)
    return found


def span_of(measured: Measured, seconds: float, until: float | None = None) -> Span:
    """The values of the last so many seconds; the latest value for none.

    :param until: the end of the span, where it is not now: seconds of the plant's wall clock.
    """
    end, figure = measured.now if until is None else min(until, measured.now), measured.figure
    if not len(measured.at):
        why = say(measured.trouble, measured.trouble) if measured.trouble else say("没有数据", "there are no values")
        return Span(measured.values, end - seconds, end, why)
    last, lacking = float(measured.at[-1]), None
    if end - last > measured.stale_seconds:
        lacking = say(f"最后一次是 {_text(last)},已过时", f"the last value is of {_text(last)}, which is too old")
    if not seconds:
        return Span(measured.values[-1:], last, last, lacking)
    start = end - seconds
    within = (measured.at > start) if figure.adds_up else (measured.at >= start)
    within &= (measured.at <= end) if figure.adds_up or until is None else (measured.at < end)
    within |= (measured.at > end) if until is None else False  # a clock that is a little ahead
    at = measured.at[within]
    return Span(measured.values[within], start, end, lacking or _gap(measured, at, start, end))


def stated(seconds: float) -> str:
    """A moment, as answers state it."""
    return _text(seconds)


def _gap(measured: Measured, at: Array, start: float, end: float) -> Said | None:
    """Where values lack; each amount reaches back to the one before it, or as far as the figure comes."""
    longest = max(measured.stale_seconds, 60 * measured.figure.every_minutes)
    if measured.figure.adds_up:
        longest = 60 * measured.figure.every_minutes * 1.5
    edges = np.concatenate(([start], at, [end]))
    steps = np.diff(edges)
    if end >= measured.now:
        steps[-1] = 0.0  # how old the last one is was looked at before
    worst = int(steps.argmax()) if len(steps) else 0
    if len(at) and steps[worst] <= longest:
        return None
    first, last = _text(float(edges[worst])), _text(float(edges[worst + 1]))
    return say(f"{first} 至 {last} 没有数据", f"there are no values from {first} to {last}")


def _measured(figure: Figure, series: Series | None, now: datetime, stale: float, late: float) -> Measured:
    wall = (now.replace(tzinfo=None) - _EPOCH) / timedelta(seconds=1)
    none = np.zeros(0)
    if series is None:
        return Measured(figure, none, none, figure.unit, figure.tag, wall, stale)
    at, values = np.asarray(series.at, np.float64), np.asarray(series.values, np.float64)
    kept = np.isfinite(at) & np.isfinite(values) & (at <= wall + late)
    kept &= (values >= figure.low) if figure.low is not None else True
    kept &= (values <= figure.high) if figure.high is not None else True
    at, values, dropped = *_once(at[kept], values[kept]), int(len(kept) - kept.sum())
    return Measured(figure, at, values, series.unit or figure.unit, series.source or figure.tag, wall, stale, dropped)


def _once(at: Array, values: Array) -> tuple[Array, Array]:
    """Each moment once; one that has two values has none."""
    order = np.argsort(at, kind="stable")
    at, values = at[order], values[order]
    same = np.concatenate((np.diff(at) == 0, [False])) if len(at) else np.zeros(0, bool)
    other = np.concatenate((np.diff(values) != 0, [False])) if len(at) else np.zeros(0, bool)
    torn = np.unique(at[same & other])
    kept = ~same & ~np.isin(at, torn)
    return at[kept], values[kept]


def _text(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime(_FORM)
