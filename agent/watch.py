"""`watch.db`: what this box did. WAL mode, every write durable before it is acted on."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from sqlite_utils import Database, Migrations

from agent.errors import DatabaseError

__all__ = ["MIGRATIONS", "open_watch"]

MIGRATIONS = Migrations("watchkeeper.watch")


@MIGRATIONS()
def audit(db: Database) -> None:
    """The hash chain; `agent.audit` says how a row is hashed."""
    db.execute("""
        CREATE TABLE audit (
            seq INTEGER PRIMARY KEY, turn TEXT NOT NULL, at TEXT NOT NULL, kind TEXT NOT NULL, body TEXT NOT NULL,
            hash TEXT NOT NULL
        )""")
    db.execute("CREATE INDEX audit_turn ON audit (turn)")


def open_watch(path: Path, *, busy_seconds: float) -> sqlite3.Connection:
    """Open the file, bring its tables up to date.

    :raises DatabaseError: it cannot be opened, is held by another program, or is no database.
    """
    connection = None
    try:
        connection = sqlite3.connect(path, timeout=busy_seconds, isolation_level=None, check_same_thread=False)
        connection.text_factory = _text
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        MIGRATIONS.apply(Database(connection))
    except sqlite3.Error as error:
        if connection is not None:
            connection.close()
        hint = "make its folder writable" if "readonly" in str(error) else "close the other program or restore the file"
        raise DatabaseError(f"{path}: cannot be opened ({error}); {hint}") from None
    return connection


def _text(raw: bytes) -> str:
    """Text as stored; bytes that are no text, which only another program can have put there, show as such."""
    return raw.decode("utf-8", "replace")
