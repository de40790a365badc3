"""Series of the log for other plugins, whichever database holds it; of very many values the latest."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from agent.api import Period, Series
from plugins.logs.interface import EventLog, Points

__all__ = ["series_of"]

_TRIES = 6
_SHARE = 0.8
"""Of what would fit if values lay evenly."""


def series_of(log: EventLog, tags: Sequence[str], start: datetime, end: datetime, *, now: datetime) -> Iterator[Series]:
    """One series for each tag of the log that has values in the span.

    :raises DatabaseError: the log cannot be read.
    """
    wanted = set(tags)
    for signal in log.signals():
        if signal.tag in wanted:
            points, total = _latest(log, signal.tag, start, end, now)
            if len(points.values):
                yield Series(signal.tag, signal.unit, points.wall, points.values, signal.source or "log", total)


def _latest(log: EventLog, tag: str, start: datetime, end: datetime, now: datetime) -> tuple[Points, int]:
    """The values up to the end, from as early on as the limit of the settings allows, and how many there are."""
    points = log.points(tag, Period("", start, end), now=now)
    total = points.total
    for _ in range(_TRIES):
        if points.total <= len(points.values):
            break
        start = end - (end - start) * (_SHARE * len(points.values) / points.total)
        points = log.points(tag, Period("", start, end), now=now)
    return points, total
