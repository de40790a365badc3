"""`watch.db`: what this box did and what it is about to do. WAL mode, every write durable before it is acted on."""

from __future__ import annotations

import re
import sqlite3
import time
from pathlib import Path

from sqlite_utils import Database, Migrations

from agent.errors import DatabaseError

__all__ = ["MIGRATIONS", "open_watch"]

_AGAIN_SECONDS = 0.02
_MADE_BY_ANOTHER = re.compile("locked|busy|already exists")
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


@MIGRATIONS()
def journal(db: Database) -> None:
    """What has begun and where it stands; `agent.journal` says what may follow what."""
    db.execute("""
        CREATE TABLE journal (
            kind TEXT NOT NULL, id TEXT NOT NULL, state TEXT NOT NULL, turn TEXT NOT NULL, body TEXT NOT NULL,
            owner TEXT NOT NULL, person TEXT NOT NULL, seal TEXT NOT NULL,
            wall REAL NOT NULL, boot TEXT NOT NULL, up REAL NOT NULL, seconds REAL,
            PRIMARY KEY (kind, id)
        ) WITHOUT ROWID""")
    db.execute("CREATE INDEX journal_state ON journal (kind, state)")


@MIGRATIONS()
def reports(db: Database) -> None:
    """What is written on schedule, and what waits to be delivered; `agent.reports.schedules` and `.outbox` say how."""
    db.execute("""
        CREATE TABLE schedules (
            id TEXT PRIMARY KEY, said TEXT NOT NULL, cron TEXT NOT NULL, zone TEXT NOT NULL, body TEXT NOT NULL,
            made REAL NOT NULL, next REAL NOT NULL
        ) WITHOUT ROWID""")
    db.execute("""
        CREATE TABLE outbox (
            id TEXT PRIMARY KEY, run TEXT NOT NULL, target TEXT NOT NULL, body TEXT NOT NULL, state TEXT NOT NULL,
            tries INTEGER NOT NULL, queued REAL NOT NULL, problem TEXT NOT NULL
        ) WITHOUT ROWID""")
    db.execute("CREATE INDEX outbox_state ON outbox (state, queued)")


@MIGRATIONS()
def asked(db: Database) -> None:
    """Who asked which turn of the server, so that a page finds its own again; `agent.server.turn_store` says how."""
    db.execute("""
        CREATE TABLE asked (
            id TEXT PRIMARY KEY, client TEXT NOT NULL, at REAL NOT NULL, question TEXT NOT NULL,
            conversation TEXT NOT NULL, photo INTEGER NOT NULL
        ) WITHOUT ROWID""")
    db.execute("CREATE INDEX asked_client ON asked (client, at)")


@MIGRATIONS()
def timers(db: Database) -> None:
    """What is to be told or done at a time; plugins that keep timers say how."""
    db.execute("""
        CREATE TABLE timers (
            id TEXT PRIMARY KEY, state TEXT NOT NULL, said TEXT NOT NULL, name TEXT NOT NULL, area TEXT NOT NULL,
            seconds INTEGER NOT NULL, made REAL NOT NULL, due REAL NOT NULL, rest REAL, orders TEXT NOT NULL,
            outcome TEXT NOT NULL
        ) WITHOUT ROWID""")
    db.execute("CREATE INDEX timers_due ON timers (state, due)")


@MIGRATIONS()
def timers_heard(db: Database) -> None:
    """In which area a timer was set, so that it is told there."""
    db.execute("ALTER TABLE timers ADD COLUMN heard TEXT NOT NULL DEFAULT ''")


def open_watch(path: Path, *, busy_seconds: float) -> sqlite3.Connection:
    """Open the file, bring its tables up to date.

    :raises DatabaseError: it cannot be opened, is held by another program, or is no database.
    """
    connection = None
    try:
        connection = sqlite3.connect(path, timeout=busy_seconds, isolation_level=None, check_same_thread=False)
        connection.text_factory = _text
        _prepare(connection, time.monotonic() + busy_seconds)
    except sqlite3.Error as error:
        if connection is not None:
            connection.close()
        hint = "make its folder writable" if "readonly" in str(error) else "close the other program or restore the file"
        raise DatabaseError(f"{path}: cannot be opened ({error}); {hint}") from None
    return connection


def _prepare(connection: sqlite3.Connection, deadline: float) -> None:
    """Journal and tables. Of two programs that make the file at once one fails here, and finds it made a moment later:
    SQLite itself waits for nobody while it changes the journal.
    """
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = FULL")
            MIGRATIONS.apply(Database(connection))
            return
        except sqlite3.OperationalError as error:
            if time.monotonic() > deadline or not _MADE_BY_ANOTHER.search(str(error)):
                raise
            time.sleep(_AGAIN_SECONDS)


def _text(raw: bytes) -> str:
    """Text as stored; bytes that are no text, which only another program can have put there, show as such."""
    return raw.decode("utf-8", "replace")
