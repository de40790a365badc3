"""Series of the log: which there are, and their values in order of time."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from agent.api import DatabaseError, Period
from agent.settings import LogSettings
from plugins.logs.backends.conditions import within
from plugins.logs.backends.layout import Clock, Reader, SeriesTable, Values
from plugins.logs.interface import Points, Signal

__all__ = ["list_signals", "read_points"]

_HOUR = 3600


def list_signals(reader: Reader, table: SeriesTable, clock: Clock, settings: LogSettings) -> list[Signal]:
    """The series, by name."""
    names = list(table.wide) if table.wide else _tags(reader, table, settings)
    found = [_signal(reader, table, name, clock) for name in sorted(names)[: settings.max_signals]]
    return [signal for signal in found if signal is not None]


def read_points(
    reader: Reader, table: SeriesTable | None, tag: str, period: Period | None, clock: Clock, settings: LogSettings
) -> Points:
    """The values of a series in order of time.

    :raises DatabaseError: the log has no such series.
    """
    source = None if table is None else _source(table, tag)
    if table is None or source is None:
        raise DatabaseError(f"the log has no series {tag[:80]}")
    values = Values(tag=tag)
    column, where = source
    number = table.number.format(column)
    parts = [*where, f"{number} IS NOT NULL", *(within(table, period, clock, values) if period else [])]
    wanted = f"SELECT {table.row}, {table.raw}, {table.shift}, {number} FROM {table.name} WHERE {' AND '.join(parts)}"
    rows = reader.rows(f"{wanted}{_order(table, 'ASC')} LIMIT {values.add(settings.max_points)}", values)
    total = len(rows)
    if total == settings.max_points:
        counted = f"SELECT count(*) FROM {table.name} WHERE {' AND '.join(parts)}"
        total = int(str(reader.rows(counted, values)[0][0]))
    return _points(rows, total, clock, mixed=len(table.shifts) > 1)


def _points(rows: list[tuple[object, ...]], total: int, clock: Clock, *, mixed: bool) -> Points:
    ids = np.array([at if row[0] is None else row[0] for at, row in enumerate(rows)], np.int64)
    raw = np.array([row[1] for row in rows], np.float64)
    shift = np.array([np.nan if row[2] is None else row[2] for row in rows], np.float64)
    values = np.array([row[3] for row in rows], np.float64)
    naive = np.isnan(shift)
    at = np.where(naive, raw - _offsets(raw, clock), raw - shift)
    wall = np.where(naive, raw, at + _shown_offsets(at, clock))
    good = np.isfinite(values) & np.isfinite(at)
    ids, at, wall, values = ids[good], at[good], wall[good], values[good]
    if mixed:
        order = np.argsort(at, kind="stable")
        ids, at, wall, values = ids[order], at[order], wall[order], values[order]
    return Points(ids, at, wall, values, total - int(np.count_nonzero(~good)))


def _offsets(wall: NDArray[np.float64], clock: Clock) -> NDArray[np.float64]:
    """The plant's offset at wall-clock times, found once for every hour."""
    hours, which = np.unique(np.floor(np.nan_to_num(wall) / _HOUR), return_inverse=True)
    found = np.array([hour * _HOUR - clock.instant(hour * _HOUR) for hour in hours.tolist()], np.float64)
    return found[which] if len(found) else wall


def _shown_offsets(at: NDArray[np.float64], clock: Clock) -> NDArray[np.float64]:
    hours, which = np.unique(np.floor(np.nan_to_num(at) / _HOUR), return_inverse=True)
    found = np.array([clock.shown(hour * _HOUR) - hour * _HOUR for hour in hours.tolist()], np.float64)
    return found[which] if len(found) else at


def _source(table: SeriesTable, tag: str) -> tuple[str, list[str]] | None:
    if table.wide:
        return (table.wide[tag], []) if tag in table.wide else None
    return table.value, [f"{table.tag} = :tag"]


def _order(table: SeriesTable, way: str) -> str:
    tie = "" if table.row == "NULL" else f", {table.row} {way}"
    return f" ORDER BY {table.stamped or table.raw} {way}{tie}"


def _tags(reader: Reader, table: SeriesTable, settings: LogSettings) -> list[str]:
    """Index steps where the table is ours; a plant's table is looked through."""
    tag = table.tag
    if table.mark is None:
        sql = f"SELECT DISTINCT {tag} FROM {table.name} WHERE {tag} IS NOT NULL LIMIT :most"
    else:
        sql = (
            f"WITH RECURSIVE v (x) AS (SELECT min({tag}) FROM {table.name} UNION ALL SELECT (SELECT min({tag}) FROM"
            f" {table.name} WHERE {tag} > v.x) FROM v WHERE v.x IS NOT NULL) SELECT x FROM v WHERE x IS NOT NULL"
            " LIMIT :most"
        )
    return [str(row[0]) for row in reader.rows(sql, {"most": settings.max_signals})]


def _signal(reader: Reader, table: SeriesTable, name: str, clock: Clock) -> Signal | None:
    column, where = _source(table, name) or ("NULL", ["1 = 0"])
    number = table.number.format(column)
    values = Values(tag=name) if where else Values()
    having = " AND ".join([*where, f"{number} IS NOT NULL"])
    ends = [
        reader.rows(
            f"SELECT {table.raw}, {table.shift}, {table.unit}, {table.source} FROM {table.name} WHERE {having}"
            f"{_order(table, way)} LIMIT 1",
            values,
        )
        for way in ("ASC", "DESC")
    ]
    if not ends[0] or not ends[1]:
        return None
    counted = (
        f"SELECT count({number}) FROM {table.name} WHERE {having}"
        if table.mark is None
        else "SELECT COALESCE((SELECT n FROM reading_counts WHERE tag = :tag), 0)"
        f" + (SELECT count(value) FROM {table.name} WHERE id > {table.mark} AND {having})"
    )
    count = int(str(reader.rows(counted, values)[0][0]))
    first, last = (
        clock.instant(float(str(rows[0][0])), None if rows[0][1] is None else int(str(rows[0][1]))) for rows in ends
    )
    unit, source = ("" if value is None else str(value) for value in ends[1][0][2:4])
    return Signal(name, unit, source, count, first, last)
