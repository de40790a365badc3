"""The plant's log, read only: opened with mode=ro and query_only, parameters only, bounded in rows and seconds.

The table may be the plant's own; the settings map its columns. Times are kept as they are stored (local without offset,
or with one, or seconds since 1970) and compared as instants: a time without offset is local time of the plant.
"""

from __future__ import annotations

import calendar
import os
import re
import sqlite3
import time as clock
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from agent.api import DatabaseError, Period
from agent.settings import LogSettings

__all__ = ["COLUMNS", "Event", "Filter", "LogDatabase", "offset_seconds"]

COLUMNS = ("time", "tag", "text", "priority", "state", "area", "cleared")
NEEDED = ("time", "tag", "text")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]+")
_STEPS_BETWEEN_LOOKS = 20_000


@dataclass(frozen=True, slots=True)
class Event:
    """One row of the log."""

    row: int
    time: str
    """As stored."""
    tag: str
    text: str
    priority: str
    state: str
    area: str
    cleared: str | None
    """As stored; None or empty while it stands."""


@dataclass(frozen=True, slots=True)
class Filter:
    """Which events. What is None or empty does not restrict."""

    texts: tuple[str, ...] = ()
    """Any of these or any of `tags`, exactly as stored."""
    tags: tuple[str, ...] = ()
    area: str | None = None
    tag: str | None = None
    period: Period | None = None


class LogDatabase:
    """The log. Making one touches nothing.

    :param path: the SQLite file.
    """

    def __init__(self, path: Path, settings: LogSettings) -> None:
        self.path = path
        self.settings = settings

    def events(self, which: Filter, *, now: datetime, limit: int) -> tuple[list[Event], int]:
        """The newest events that fit, newest first, and how many fit in all.

        :param now: the plant's clock; its offset is that of times stored without one.
        :raises DatabaseError: missing, locked, damaged, of another shape, or too slow.
        """
        with self._reading() as (connection, table):
            where, values = table.where(which, now)
            total = int(connection.execute(f"SELECT count(*) FROM {table.name}{where}", values).fetchone()[0])
            rows = connection.execute(
                f"SELECT {table.selected} FROM {table.name}{where}"
                f" ORDER BY {table.columns['time']} DESC, rowid DESC LIMIT ?",
                (*values, limit),
            ).fetchall()
        return [self._event(row) for row in rows], total

    def count(self, which: Filter, *, now: datetime) -> int:
        """How many events fit.

        :raises DatabaseError: as `events`.
        """
        with self._reading() as (connection, table):
            where, values = table.where(which, now)
            return int(connection.execute(f"SELECT count(*) FROM {table.name}{where}", values).fetchone()[0])

    def names(self, column: str) -> list[str]:
        """The different values of tag, text or area: one index step each, however long the log is.

        :raises DatabaseError: as `events`.
        """
        with self._reading() as (connection, table):
            name = table.columns.get(column)
            if name is None:
                return []
            step = f"SELECT min({name}) FROM {table.name} WHERE {name} > "
            rows = connection.execute(
                f"WITH RECURSIVE v (x) AS (SELECT min({name}) FROM {table.name} UNION ALL"
                f" SELECT ({step} v.x) FROM v WHERE v.x IS NOT NULL LIMIT ?) SELECT x FROM v WHERE x IS NOT NULL",
                (self.settings.max_names,),
            ).fetchall()
        return [str(row[0]) for row in rows if str(row[0]).strip()]

    def texts_by_tag(self, texts: Sequence[str]) -> dict[str, set[str]]:
        """The tags that carry any of these texts, each with all its texts.

        :raises DatabaseError: as `events`.
        """
        if not texts:
            return {}
        with self._reading() as (connection, table):
            tag, text, marks = table.columns["tag"], table.columns["text"], ", ".join("?" * len(texts))
            rows = connection.execute(
                f"SELECT DISTINCT {tag}, {text} FROM {table.name}"
                f" WHERE {tag} IN (SELECT DISTINCT {tag} FROM {table.name} WHERE {text} IN ({marks})) LIMIT ?",
                (*texts, self.settings.max_names),
            ).fetchall()
        found: dict[str, set[str]] = {}
        for row in rows:
            found.setdefault(str(row[0]), set()).add(str(row[1]))
        return found

    def span(self) -> tuple[str, str, int]:
        """First and last time as stored, and the number of rows.

        :raises DatabaseError: as `events`.
        """
        with self._reading() as (connection, table):
            name = table.columns["time"]
            row = connection.execute(f"SELECT min({name}), max({name}), count(*) FROM {table.name}").fetchone()
        return str(row[0] or ""), str(row[1] or ""), int(row[2])

    @contextmanager
    def _reading(self) -> Iterator[tuple[sqlite3.Connection, _Table]]:
        if not self.path.is_file():
            raise DatabaseError(
                f"{self.path}: no alarm log here; run `watchkeeper logs import FILE.csv`, or set [logs] path"
            )
        deadline = clock.monotonic() + self.settings.max_seconds
        try:
            with closing(self._open()) as connection:
                connection.execute("PRAGMA query_only = 1")
                connection.set_progress_handler(lambda: clock.monotonic() > deadline, _STEPS_BETWEEN_LOOKS)
                yield connection, _find_table(connection, self.path, self.settings)
        except sqlite3.DatabaseError as error:
            raise DatabaseError(self._told(error)) from None

    def _open(self) -> sqlite3.Connection:
        """A database in WAL mode wants to write beside itself; on a read-only folder it is read as it stands."""
        uri = f"{self.path.absolute().as_uri()}?mode=ro"
        connection = sqlite3.connect(uri, uri=True, timeout=self.settings.busy_seconds)
        try:
            connection.execute("PRAGMA schema_version").fetchone()
        except sqlite3.OperationalError:
            connection.close()
            if os.access(self.path.parent, os.W_OK) or self.path.with_name(f"{self.path.name}-wal").exists():
                raise
            return sqlite3.connect(f"{uri}&immutable=1", uri=True)
        return connection

    def _told(self, error: sqlite3.DatabaseError) -> str:
        said = str(error)
        if "interrupted" in said:
            return f"{self.path}: no answer within {self.settings.max_seconds:g} s; ask for a shorter span of time"
        if "locked" in said or "busy" in said:
            return f"{self.path}: locked by another program for {self.settings.busy_seconds:g} s; try again"
        if "not a database" in said or "malformed" in said:
            return f"{self.path}: damaged or not a SQLite file ({said}); restore it, or import the log again"
        return f"{self.path}: cannot be read: {said}"

    def _event(self, row: Sequence[object]) -> Event:
        time, tag, text, priority, state, area, cleared = ("" if v is None else self._shown(v) for v in row[1:])
        return Event(int(str(row[0])), time, tag, text, priority, state, area, cleared or None)

    def _shown(self, value: object) -> str:
        return _CONTROL.sub(" ", str(value)).strip()[: self.settings.max_text_chars]


@dataclass(frozen=True, slots=True)
class _Table:
    """The log's table with its quoted names."""

    name: str
    columns: dict[str, str]
    numeric_time: bool

    @property
    def selected(self) -> str:
        return ", ".join(["rowid", *(self.columns.get(column, "NULL") for column in COLUMNS)])

    def where(self, which: Filter, now: datetime) -> tuple[str, list[object]]:
        """The WHERE clause and its values."""
        parts: list[str] = []
        values: list[object] = []
        alike = [(column, names) for column, names in (("text", which.texts), ("tag", which.tags)) if names]
        if alike:
            parts.append(" OR ".join(f"{self.columns[c]} IN ({', '.join('?' * len(names))})" for c, names in alike))
            values.extend(name for _, names in alike for name in names)
        for column, wanted in (("tag", which.tag), ("area", which.area)):
            if wanted is not None:
                parts.append(f"{self.columns.get(column, 'NULL')} = ?")
                values.append(wanted)
        if which.period is not None:
            self._within(which.period, now, parts, values)
        return (" WHERE " + " AND ".join(f"({part})" for part in parts) if parts else ""), values

    def _within(self, period: Period, now: datetime, parts: list[str], values: list[object]) -> None:
        name = self.columns["time"]
        offset = offset_seconds(now)
        if not self.numeric_time:  # lets the index on time do the work; the exact comparison follows
            parts.append(f"{name} >= ? AND {name} < ?")
            values += [f"{period.start - timedelta(days=2):%Y-%m-%d}", f"{period.end + timedelta(days=3):%Y-%m-%d}"]
        parts.append(
            f"{_instant(name, numeric=self.numeric_time)} >= ? AND {_instant(name, numeric=self.numeric_time)} < ?"
        )
        shift = [] if self.numeric_time else [offset]
        values += [*shift, _epoch(period.start, offset), *shift, _epoch(period.end, offset)]


def _instant(name: str, *, numeric: bool) -> str:
    """SQL for the seconds since 1970 of a stored time; unless the column is numeric it takes the plant's offset."""
    if numeric:
        return f"({name} / (CASE WHEN {name} > 100000000000 THEN 1000.0 ELSE 1.0 END))"
    zoned = f"({name} GLOB '*[-+][0-9][0-9]:[0-9][0-9]' OR {name} LIKE '%Z')"
    return f"(CAST(strftime('%s', {name}) AS INTEGER) - CASE WHEN {zoned} THEN 0 ELSE ? END)"


def _epoch(moment: datetime, offset: float) -> float:
    if moment.tzinfo is not None:
        return moment.timestamp()
    return calendar.timegm(moment.timetuple()) + moment.microsecond / 1e6 - offset


def offset_seconds(now: datetime) -> float:
    """The plant's distance from UTC; a clock without offset is local time of this machine."""
    shift = now.astimezone().utcoffset() if now.tzinfo is None else now.utcoffset()
    return shift.total_seconds() if shift else 0.0


def _find_table(connection: sqlite3.Connection, path: Path, settings: LogSettings) -> _Table:
    """Check the table against the settings.

    :raises DatabaseError: names the tables or columns found and the key to write.
    """
    found = [row[1] for row in connection.execute(f"PRAGMA table_info({_quoted(settings.table)})")]
    if not found:
        tables = [row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        raise DatabaseError(
            f'{path}: no table {settings.table}; found {", ".join(tables) or "none"}; write table = "NAME" under [logs]'
        )
    columns: dict[str, str] = {}
    for ours in COLUMNS:
        theirs = settings.columns.get(ours, ours)
        if theirs in found:
            columns[ours] = _quoted(theirs)
        elif ours in NEEDED or ours in settings.columns:
            raise DatabaseError(
                f"{path}: table {settings.table} has no column {theirs} for {ours}; found {', '.join(found)};"
                f' write {ours} = "COLUMN" under [logs.columns]'
            )
    return _Table(_quoted(settings.table), columns, _numeric_time(connection, path, settings, columns["time"]))


def _numeric_time(connection: sqlite3.Connection, path: Path, settings: LogSettings, name: str) -> bool:
    table = _quoted(settings.table)
    row = connection.execute(
        f"SELECT {name}, typeof({name}), strftime('%s', {name}) FROM {table} WHERE {name} IS NOT NULL LIMIT 1"
    ).fetchone()
    if row is None or row[1] in ("integer", "real"):
        return row is not None
    if row[2] is None:
        raise DatabaseError(
            f"{path}: the times of {settings.table} are not ISO 8601 ({str(row[0])[:40]!r});"
            " export them to CSV and run `watchkeeper logs import`"
        )
    return False


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""').replace("\x00", "") + '"'
