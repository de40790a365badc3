"""Series from the box's own log (`readings` of log.db), or from another SQLite file with columns alike.

Read-only: the file is opened so, and a query is stopped on the clock. Of very many readings the last are taken.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Sequence
from contextlib import closing
from datetime import datetime
from math import nan
from pathlib import Path

import numpy as np

from agent.api import DatabaseError, Env
from plugins.maintenance.values import Signal

__all__ = ["read_readings"]

_EPOCH = datetime(1970, 1, 1)
_DEFAULTS = {"time": "time", "tag": "tag", "value": "value", "unit": "unit"}


def read_readings(env: Env, tags: Sequence[str], start: float, end: float, *, path: Path | None = None) -> list[Signal]:
    """One signal a tag that has readings in a span of time.

    :param tags: of the log; empty is every tag.
    :param start: seconds of the plant's wall clock.
    :param path: of a SQLite file; None is the log of the settings.
    :raises DatabaseError: it is a server (which this does not read), locked, or of another shape.
    """
    if path is None and env.settings.logs.url:
        raise DatabaseError("series of a database server are not read for machine signals; import them or name a file")
    where = path or env.log_path
    if not where.is_file():
        raise DatabaseError(f"{where}: no such log; run `watchkeeper logs import FILE.csv`")
    settings = env.settings.maintenance
    uri = f"{where.absolute().as_uri()}?mode=ro"
    try:
        with closing(sqlite3.connect(uri, uri=True, timeout=settings.busy_seconds)) as database:
            late = time.monotonic() + settings.query_seconds
            database.set_progress_handler(lambda: time.monotonic() > late, 10_000)
            return _read(database, env, tags, start, end, where)
    except sqlite3.Error as error:
        raise DatabaseError(f"{where}: cannot be read ({error}); close what holds it, or correct [logs]") from None


def _read(
    database: sqlite3.Connection, env: Env, tags: Sequence[str], start: float, end: float, where: Path
) -> list[Signal]:
    settings, names = env.settings.maintenance, {**_DEFAULTS, **env.settings.logs.series_columns}
    table = _quoted(env.settings.logs.series_table)
    known = {row[1] for row in database.execute(f"PRAGMA table_info({table})")}
    if not known:
        return []
    if not {names["time"], names["tag"], names["value"]} <= known:
        raise DatabaseError(f"{where}: table {table} has no {', '.join(names.values())}; correct [logs] series_columns")
    unit = _quoted(names["unit"]) if names["unit"] in known else "''"
    # The box's own table has an index by tag and wall clock; another one is read from its end.
    ours = "wall" in known
    wall, order, within = ("wall", "wall", " AND wall BETWEEN ? AND ?") if ours else ("NULL", "rowid", "")
    asked = list(tags) or [
        str(row[0])
        for row in database.execute(
            f"SELECT DISTINCT {_quoted(names['tag'])} FROM {table} LIMIT ?", (settings.max_signals,)
        )
    ]
    most = max(1_000, settings.series_rows // max(1, len(asked)))
    query = (
        f"SELECT {wall}, {_quoted(names['time'])}, {_quoted(names['value'])}, {unit} FROM {table} "
        f"WHERE {_quoted(names['tag'])} = ?{within} ORDER BY {order} DESC LIMIT ?"
    )
    found = []
    for tag in asked[: settings.max_signals]:
        rows = database.execute(query, (tag, *((start, end) if within else ()), most)).fetchall()
        signal = _signal(tag, rows[::-1], start, end, str(where))
        if signal is not None:
            found.append(signal)
    return found


def _signal(tag: str, rows: Sequence[tuple[object, ...]], start: float, end: float, source: str) -> Signal | None:
    times, values, skipped, unit = [], [], 0, ""
    for wall, stamp, value, own in rows:
        at = float(wall) if isinstance(wall, int | float) else _seconds(stamp)
        if at == at and not start <= at <= end:
            continue
        if at != at or not isinstance(value, int | float):
            skipped += 1
            continue
        times.append(at)
        values.append(float(value))
        unit = str(own) if own else unit
    if not times and not skipped:
        return None
    return Signal(tag, unit, np.array(times, float), np.array(values, float), source=source, skipped=skipped)


def _seconds(stamp: object) -> float:
    """Wall clock of what is stored; nan where that is no time."""
    if isinstance(stamp, int | float):
        return float(stamp) / (1000 if stamp > 1e11 else 1)
    try:
        return (datetime.fromisoformat(str(stamp)).replace(tzinfo=None) - _EPOCH).total_seconds()
    except ValueError:
        return nan


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
