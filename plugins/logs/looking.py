"""The log for people who look through it: the latest events, those around one, and what each series says now."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from agent.api import InputError, Period, Record, say
from agent.values import Scalar
from plugins.logs.event_lines import event_record
from plugins.logs.interface import Event, EventLog, Filter, Order, Signal

__all__ = ["latest_events", "neighbours", "readings_of"]

_ID = re.compile(r"E(\d{1,18})")
_NEAR = timedelta(days=30)
"""Before and after an event, in which its neighbours are looked for."""
_LATER = timedelta(days=366)
"""The log's clock may be ahead of the box's."""


def latest_events(log: EventLog, tag: str, since: datetime | None, limit: int, *, now: datetime) -> list[Record]:
    """The newest first.

    :raises DatabaseError: the log cannot be read.
    """
    period = None if since is None else Period("", since, max(now, since) + _LATER)
    events, _ = log.events(Filter(tag=tag or None, period=period), now=now, limit=limit)
    return [event_record(event, now) for event in events]


def neighbours(log: EventLog, around: str, limit: int, *, now: datetime) -> list[Record]:
    """An event with those before and after it, oldest first; as many before as after where there are so many.

    :raises InputError: there is no such event.
    :raises DatabaseError: the log cannot be read.
    """
    named = _ID.fullmatch(around)
    found = log.events(Filter(row=int(named[1])), now=now, limit=1)[0] if named else []
    if not found:
        raise InputError(f"{around[:40]}: the log has no such event; ids are as E17")
    here = found[0]
    if here.at is None:
        return [event_record(here, now)]
    at = datetime.fromtimestamp(here.at, now.tzinfo or UTC)
    half = max(1, limit // 2)
    before = _events(log, Period("", at - _NEAR, at), "newest", half, now)
    after = _events(log, Period("", at, at + _NEAR), "oldest", half + 1, now)
    known = {event.row: event for event in (*before, here, *after)}
    ordered = sorted(known.values(), key=lambda event: (event.at or 0.0, event.row))
    return [event_record(event, now) for event in ordered]


def readings_of(log: EventLog, limit: int, *, now: datetime) -> list[Record]:
    """The last value of each series, the newest first.

    :raises DatabaseError: the log cannot be read.
    """
    newest = sorted(log.signals(), key=lambda signal: signal.last, reverse=True)[:limit]
    return [record for signal in newest if (record := _reading(log, signal, now)) is not None]


def _events(log: EventLog, period: Period, order: Order, limit: int, now: datetime) -> list[Event]:
    return log.events(Filter(period=period), now=now, limit=limit, order=order)[0]


def _reading(log: EventLog, signal: Signal, now: datetime) -> Record | None:
    last = datetime.fromtimestamp(signal.last, now.tzinfo or UTC)
    points = log.points(signal.tag, Period("", last, last + timedelta(seconds=1)), now=now)
    if not len(points.values):
        return None
    value, time = float(points.values[-1]), last.isoformat(timespec="seconds")
    line = f"{signal.tag} {value:g} {signal.unit} ({time})"
    fields: dict[str, Scalar] = {"tag": signal.tag, "value": value, "unit": signal.unit, "time": time}
    return Record(signal.tag, "reading", say(line, line), fields)
