"""From a filter to SQL: what must hold of a row, with every value as a parameter.

A span of time is compared exactly, and once more in a form that an index on the time serves: the range that holds for
every offset that occurs in the table.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from agent.api import Period
from plugins.logs.backends.layout import Clock, EventTable, SeriesTable, Values
from plugins.logs.interface import Filter

__all__ = ["branches", "conditions", "plant_wall", "within"]

_MAX_BRANCHES = 60
_WIDEST = timedelta(days=2)
"""More than any two offsets from UTC differ."""


def conditions(table: EventTable, which: Filter, clock: Clock, values: Values) -> list[str]:
    """What must hold, to be joined with AND; empty where anything fits."""
    parts = []
    alike = [(column, names) for column, names in (("text", which.texts), ("tag", which.tags)) if names]
    if alike:
        parts.append(" OR ".join(f"{table.columns[c]} IN ({values.add_all(names)})" for c, names in alike))
    for column, wanted in (("priority", which.priorities), ("state", which.states)):
        if wanted:
            parts.append(f"{table.columns.get(column, 'NULL')} IN ({values.add_all(wanted)})")
    for name, value in _equal(which).items():
        parts.append(f"{table.column(name) or 'NULL'} = {values.add(value)}")
    if which.row is not None:
        parts.append(f"{table.row} = {values.add(which.row)}")
    if which.standing:
        cleared = table.columns.get("cleared")
        parts.append(f"{cleared} IS NULL" if table.stored in ("own", "stamp") else f"COALESCE({cleared}, '') = ''")
    if which.period is not None:
        parts += within(table, which.period, clock, values)
    return [f"({part})" for part in parts]


def within(table: EventTable | SeriesTable, period: Period, clock: Clock, values: Values) -> list[str]:
    """What must hold of a row's time."""
    wall, instants = clock.span(period), clock.instants(period)
    if table.stamped:
        naive = table.shifts == {None}
        start, end = (_stamp(second, naive=naive) for second in (wall if naive else instants))
        return _between(table.stamped, start, end, values)
    spans = [wall if shift is None else (instants[0] + shift, instants[1] + shift) for shift in table.shifts]
    if isinstance(table, EventTable) and table.stored == "text":
        column = table.columns["time"]
        first, last = (datetime.fromtimestamp(seconds, UTC) for seconds in wall)
        rough = _between(column, f"{first - _WIDEST:%Y-%m-%d}", f"{last + _WIDEST:%Y-%m-%d}", values)
    else:
        rough = _between(table.raw, min(s for s, _ in spans), max(e for _, e in spans), values) if spans else []
    if len(spans) < 2 and not (isinstance(table, EventTable) and table.stored == "text"):
        return rough
    asis = " AND ".join(_between(table.raw, wall[0], wall[1], values))
    moved = " AND ".join(_between(f"({table.raw} - {table.shift})", instants[0], instants[1], values))
    return [*rough, f"CASE WHEN {table.shift} IS NULL THEN {asis} ELSE {moved} END"]


def plant_wall(table: EventTable, clock: Clock, values: Values) -> str:
    """SQL for what the plant's clock showed, in seconds as if it were UTC."""
    if table.shifts <= {None} or (table.stored == "own" and clock.is_wall(table.shifts)):
        return table.raw
    offset = values.add(clock.offset)
    return f"({table.raw} - COALESCE({table.shift}, {offset}) + {offset})"


def branches(table: EventTable, which: Filter) -> list[Filter]:
    """Filters that together are this one, each with one value of an indexed column; one filter where that does not pay.

    The newest rows of each are found by a walk along an index, and the newest of those are the newest of all.
    """
    if table.stored != "own":
        return [which]
    if which.texts or which.tags:
        ones = [replace(which, texts=(text,), tags=()) for text in which.texts]
        ones += [replace(which, texts=(), tags=(tag,)) for tag in which.tags]
    else:
        ones = [replace(which, priorities=(priority,)) for priority in which.priorities] or [which]
    return ones if len(ones) <= _MAX_BRANCHES else [which]


def _equal(which: Filter) -> Mapping[str, str]:
    single = {"tag": which.tag, "area": which.area}
    return {**{name: value for name, value in single.items() if value is not None}, **which.equal}


def _between(expression: str, start: object, end: object, values: Values) -> list[str]:
    return [f"{expression} >= {values.add(start)}", f"{expression} < {values.add(end)}"]


def _stamp(seconds: float, *, naive: bool) -> datetime:
    moment = datetime.fromtimestamp(seconds, UTC)
    return moment.replace(tzinfo=None) if naive else moment
