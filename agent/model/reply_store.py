"""Finished replies in SQLite, each proven to be this box's own, bounded by rows and bytes, least recently used out.

Nothing here ever fails a reply. A file that is locked, read-only, on a full disk or gone is passed over; one that is
damaged or of another shape is moved aside as `*.bad`, and a new one is begun.

A reply is kept with an HMAC under the box's own key, which lies outside the cache: a text that somebody wrote into the
file, or moved to another question, is as good as none. So what comes out was bound by the grammar under which it was
made, and nobody has to load a grammar engine to check that again.
"""

from __future__ import annotations

import hashlib
import hmac
import sqlite3
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

__all__ = ["ReplyStore"]

_MOST_STEPS, _LOOK_STEPS = 20_000_000, 100_000
"""Of SQLite's machine for one statement, and between two looks: a trigger in a file that is not ours need not end."""
_ROW_BYTES = 256
"""What a row takes besides its text: key, proof and the entries in both indexes."""
_SPOILED = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_ERROR, sqlite3.SQLITE_INTERRUPT}
"""No database, one of another shape, or one that keeps SQLite busy. Locked, full or read-only may pass by itself."""
_SCHEMA = (
    "CREATE TABLE IF NOT EXISTS replies (key TEXT PRIMARY KEY, body BLOB NOT NULL, proof BLOB NOT NULL, "
    "used INTEGER NOT NULL)",
    "CREATE INDEX IF NOT EXISTS replies_used ON replies (used)",
)
_TURN = "(SELECT coalesce(max(used), 0) + 1 FROM replies)"
"""Order of use by counting, because the clock of such a box may jump."""
_MAKE_ROOM = f"""
    DELETE FROM replies WHERE key IN (
        SELECT key FROM (
            SELECT key, row_number() OVER newest AS place, sum(length(body) + {_ROW_BYTES}) OVER newest AS bytes
            FROM replies WINDOW newest AS (ORDER BY used DESC, key)
        ) WHERE place > ? OR bytes > ?
    )"""
_T = TypeVar("_T")


class ReplyStore:
    """A bounded map from the key of a question to the reply's text. The file may be deleted at any time."""

    def __init__(self, path: Path, *, max_rows: int, max_bytes: int, busy_seconds: float, secret: bytes) -> None:
        """
        :param busy_seconds: how long to wait for another program that writes.
        :param secret: of this box; see `agent.box_key`.
        """
        self._path = path
        self._max_rows = max_rows
        self._max_bytes = max_bytes
        self._busy_seconds = busy_seconds
        self._secret = secret
        self._db: sqlite3.Connection | None = None
        self._opened: tuple[int, int] | None = None
        self._steps = 0

    def get(self, key: str) -> str | None:
        """The reply that was kept under this key; None where there is none of this box's own."""
        body = self.get_bytes(key)
        return None if body is None else body.decode("utf-8", "surrogatepass")

    def put(self, key: str, text: str) -> None:
        """Keep a reply, unless it alone is more than the store may hold."""
        self.put_bytes(key, text.encode("utf-8", "surrogatepass"))

    def get_bytes(self, key: str) -> bytes | None:
        """The same of something that is no text."""
        row = self._run(lambda db: _find(db, key, self._max_bytes))
        if row is None:
            return None
        body, proof = row
        if not (
            isinstance(body, bytes) and isinstance(proof, bytes) and hmac.compare_digest(proof, self._of(key, body))
        ):
            self._run(lambda db: _change(db, "DELETE FROM replies WHERE key = ?", (key,)))
            return None
        self._run(lambda db: _change(db, f"UPDATE replies SET used = {_TURN} WHERE key = ?", (key,)))
        return body

    def put_bytes(self, key: str, body: bytes) -> None:
        """The same of something that is no text."""
        if self._max_rows < 1 or len(body) + _ROW_BYTES > self._max_bytes:
            return
        row = (key, body, self._of(key, body))
        bounds = (self._max_rows, self._max_bytes)
        add = f"INSERT OR REPLACE INTO replies VALUES (?, ?, ?, {_TURN})"
        self._run(lambda db: _change(db, add, row, then=(_MAKE_ROOM, bounds)))

    def close(self) -> None:
        """Close the file. Calling it twice is fine, and the next use opens it again."""
        if self._db is not None:
            with suppress(sqlite3.Error):
                self._db.close()
        self._db = None

    def _of(self, key: str, body: bytes) -> bytes:
        return hmac.digest(self._secret, f"{key}\n".encode() + body, hashlib.sha256)

    def _run(self, work: Callable[[sqlite3.Connection], _T]) -> _T | None:
        """Do something with the database; None where it cannot be used now."""
        self._steps = 0
        try:
            return work(self._connection())
        except (sqlite3.Error, OSError) as error:
            self._pass_over(error)
            return None

    def _connection(self) -> sqlite3.Connection:
        """The open file, or a new one where it was deleted or replaced since."""
        if self._db is not None and _identity(self._path) == self._opened:
            return self._db
        self.close()
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._opened = _identity(self._path)
        self._db = sqlite3.connect(
            self._path, timeout=self._busy_seconds, isolation_level="IMMEDIATE", check_same_thread=False
        )
        self._db.set_progress_handler(self._too_long, _LOOK_STEPS)
        self._db.execute("PRAGMA journal_mode = WAL")
        self._db.execute("PRAGMA synchronous = NORMAL")
        for statement in _SCHEMA:
            self._db.execute(statement)
        self._opened = _identity(self._path)
        return self._db

    def _too_long(self) -> bool:
        self._steps += _LOOK_STEPS
        return self._steps > _MOST_STEPS

    def _pass_over(self, error: Exception) -> None:
        """Leave the file alone, or move it aside where it is spoiled and still the one that was opened."""
        self.close()
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF
        if code not in _SPOILED or self._opened is None or _identity(self._path) != self._opened:
            return
        with suppress(OSError):
            self._path.replace(self._path.with_name(f"{self._path.name}.bad"))
        for ending in ("-wal", "-shm"):
            with suppress(OSError):
                self._path.with_name(self._path.name + ending).unlink()


def _find(db: sqlite3.Connection, key: str, max_bytes: int) -> tuple[object, object] | None:
    found = db.execute("SELECT body, proof FROM replies WHERE key = ? AND length(body) <= ?", (key, max_bytes))
    row: tuple[object, object] | None = found.fetchone()
    return row


def _change(
    db: sqlite3.Connection,
    statement: str,
    values: tuple[object, ...],
    *,
    then: tuple[str, tuple[object, ...]] | None = None,
) -> None:
    with db:
        db.execute(statement, values)
        if then is not None:
            db.execute(*then)


def _identity(path: Path) -> tuple[int, int] | None:
    """Which file stands under this name now."""
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    return found.st_dev, found.st_ino
