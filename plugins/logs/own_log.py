"""`log.db`, the log that the box itself writes: its tables, and how a writer begins and ends.

`events` holds alarms and events (imported, or seen by a watch), `readings` the values of series. `time` is as it was
written; `wall` the same in seconds as if it were UTC, and `shift` its offset, NULL for wall-clock time of the plant.
`more` holds an import's further columns as JSON. A log that is the plant's own is never written.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path

from agent.api import DatabaseError
from plugins.logs.backends.sums import SCHEMA as SUMS_SCHEMA
from plugins.logs.backends.sums import add_up
from plugins.logs.interface import COLUMNS
from plugins.logs.stamps import Stamp, seconds_of

__all__ = [
    "EVENT_COLUMNS",
    "READING_COLUMNS",
    "begin_writing",
    "end_writing",
    "insert_into",
    "keep_shifts",
    "make_indexes",
]

EVENT_COLUMNS = (*COLUMNS, "wall", "shift", "lasted", "more")
READING_COLUMNS = ("time", "source", "tag", "value", "printed", "unit", "flags", "wall", "shift")
_TABLES = (
    """
    CREATE TABLE IF NOT EXISTS events (
        id INTEGER PRIMARY KEY, time TEXT NOT NULL, tag TEXT NOT NULL, text TEXT NOT NULL, priority TEXT NOT NULL,
        state TEXT NOT NULL, area TEXT NOT NULL, cleared TEXT, wall REAL, shift INTEGER, lasted REAL, more TEXT
    );
    CREATE TABLE IF NOT EXISTS readings (
        id INTEGER PRIMARY KEY, time TEXT NOT NULL, source TEXT NOT NULL, tag TEXT NOT NULL, value REAL,
        printed TEXT NOT NULL, unit TEXT NOT NULL, flags TEXT NOT NULL, wall REAL, shift INTEGER
    );
    CREATE TABLE IF NOT EXISTS event_shifts (shift INTEGER);
    CREATE TABLE IF NOT EXISTS reading_shifts (shift INTEGER);
    CREATE TABLE IF NOT EXISTS event_columns (name TEXT PRIMARY KEY);
    """
    + SUMS_SCHEMA
)
_INDEXES = """
    CREATE INDEX IF NOT EXISTS events_by_time ON events (wall);
    CREATE INDEX IF NOT EXISTS events_by_tag ON events (tag, wall, lasted);
    CREATE INDEX IF NOT EXISTS events_by_text ON events (text, wall, lasted);
    CREATE INDEX IF NOT EXISTS events_by_area ON events (area, wall);
    CREATE INDEX IF NOT EXISTS events_by_priority ON events (priority, wall);
    CREATE INDEX IF NOT EXISTS events_by_length ON events (lasted) WHERE lasted IS NOT NULL;
    CREATE INDEX IF NOT EXISTS events_standing ON events (wall) WHERE cleared IS NULL;
    CREATE INDEX IF NOT EXISTS readings_by_tag ON readings (tag, wall, value)
"""
_FIRST_COLUMNS = ["id", *COLUMNS]
"""Of `events` as version 0.1 made it."""
_ADDED = {
    "events": ("wall REAL", "shift INTEGER", "lasted REAL", "more TEXT"),
    "readings": ("wall REAL", "shift INTEGER"),
}


def begin_writing(log: sqlite3.Connection, path: Path, *, indexed: bool = True) -> None:
    """Make what is missing and begin a transaction; every write is durable.

    :param indexed: False leaves the indexes to `end_writing`, which is faster where very much is written.
    :raises DatabaseError: the tables are somebody else's.
    """
    log.execute("PRAGMA journal_mode = WAL")
    log.execute("PRAGMA synchronous = FULL")
    found = [row[1] for row in log.execute("PRAGMA table_info(events)")]
    if found and found not in (_FIRST_COLUMNS, ["id", *EVENT_COLUMNS]):
        raise DatabaseError(
            f"{path}: its table events is not ours (columns {', '.join(found)}); set [logs] path to another file"
        )
    log.execute("BEGIN IMMEDIATE")
    if found == _FIRST_COLUMNS:
        _bring_up(log)
    for statement in _TABLES.split(";"):
        log.execute(statement)
    if found == _FIRST_COLUMNS:
        for table in _ADDED:
            _fill_in(log, table)
    if indexed:
        make_indexes(log)


def end_writing(log: sqlite3.Connection) -> None:
    """Make the indexes and add up what was written; the caller commits."""
    make_indexes(log)
    add_up(log)


def insert_into(table: str, columns: Iterable[str]) -> str:
    """The statement that adds a row."""
    names = tuple(columns)
    return f"INSERT INTO {table} ({', '.join(names)}) VALUES ({', '.join('?' * len(names))})"


def keep_shifts(log: sqlite3.Connection, table: str, shifts: Iterable[int | None]) -> None:
    """Remember which offsets occur in a table: `event_shifts` or `reading_shifts`."""
    known = {row[0] for row in log.execute(f"SELECT shift FROM {table}")}
    log.executemany(f"INSERT INTO {table} VALUES (?)", [(shift,) for shift in set(shifts) - known])


def make_indexes(log: sqlite3.Connection) -> None:
    """The indexes that questions need; those that are there stay."""
    for statement in _INDEXES.split(";"):
        log.execute(statement)


def _bring_up(log: sqlite3.Connection) -> None:
    """Give the tables of version 0.1 the columns that came later."""
    for name in ("events_time", "events_tag", "events_text", "events_area", "readings_tag"):
        log.execute(f"DROP INDEX IF EXISTS {name}")
    for table, columns in _ADDED.items():
        if log.execute(f"PRAGMA table_info({table})").fetchone():
            for column in columns:
                log.execute(f"ALTER TABLE {table} ADD COLUMN {column}")


def _fill_in(log: sqlite3.Connection, table: str) -> None:
    shifts: set[int | None] = set()
    cleared = "cleared" if table == "events" else "NULL"
    rows = log.execute(f"SELECT id, time, {cleared} FROM {table}").fetchall()
    for row, time, end in rows:
        stamp = _stamp_of(time)
        if stamp is None:
            continue
        shifts.add(stamp.shift)
        log.execute(f"UPDATE {table} SET wall = ?, shift = ? WHERE id = ?", (stamp.wall, stamp.shift, row))
        if end:
            log.execute("UPDATE events SET lasted = ? WHERE id = ?", (seconds_of(stamp, _stamp_of(end)), row))
    keep_shifts(log, "event_shifts" if table == "events" else "reading_shifts", shifts)


def _stamp_of(text: str) -> Stamp | None:
    try:
        return Stamp.of(datetime.fromisoformat(text))
    except ValueError:
        return None
