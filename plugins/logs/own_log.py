"""`log.db`, the log that the box itself writes: its tables, and how a writer begins.

`events` holds alarms and events (imported, or seen by a watch), `readings` the values that a watch read. A log that
is the plant's own is never written.
"""

from __future__ import annotations

import sqlite3
from pathlib import Path

from agent.api import DatabaseError
from plugins.logs.database import COLUMNS

__all__ = ["begin_writing"]

_SCHEMA = """
    CREATE TABLE IF NOT EXISTS events (
        id INTEGER PRIMARY KEY, time TEXT NOT NULL, tag TEXT NOT NULL, text TEXT NOT NULL, priority TEXT NOT NULL,
        state TEXT NOT NULL, area TEXT NOT NULL, cleared TEXT
    );
    CREATE INDEX IF NOT EXISTS events_time ON events (time);
    CREATE INDEX IF NOT EXISTS events_tag ON events (tag, text, time);
    CREATE INDEX IF NOT EXISTS events_text ON events (text, time);
    CREATE INDEX IF NOT EXISTS events_area ON events (area, time);
    CREATE TABLE IF NOT EXISTS readings (
        id INTEGER PRIMARY KEY, time TEXT NOT NULL, source TEXT NOT NULL, tag TEXT NOT NULL, value REAL,
        printed TEXT NOT NULL, unit TEXT NOT NULL, flags TEXT NOT NULL
    );
    CREATE INDEX IF NOT EXISTS readings_tag ON readings (tag, time);
"""


def begin_writing(log: sqlite3.Connection, path: Path) -> None:
    """Make what is missing and begin a transaction; every write is durable.

    :raises DatabaseError: the tables are somebody else's.
    """
    log.execute("PRAGMA journal_mode = WAL")
    log.execute("PRAGMA synchronous = FULL")
    found = [row[1] for row in log.execute("PRAGMA table_info(events)")]
    if found and found != ["id", *COLUMNS]:
        raise DatabaseError(
            f"{path}: its table events is not ours (columns {', '.join(found)}); set [logs] path to another file"
        )
    for statement in _SCHEMA.split(";"):
        log.execute(statement)
    log.execute("BEGIN IMMEDIATE")
