"""The audit trail: every step of every turn, in order, each row hashed with the one before it.

    hash = SHA-256(previous hash, then the row as canonical JSON [seq, turn, at, kind, body])

An edited row breaks its own hash, a missing or moved one the chain. The last hash is also kept in a small file
beside the database, so a deleted tail is noticed; the file is written after the row, so after a power cut it may
lag, never lead. One that leads is kept as it is: rows that are added after a deletion do not hide it. Who can delete
rows can delete that file too, so a tip can be carried away (`Tip`) and held against the trail later.
"""

from __future__ import annotations

import hashlib
import json
import re
import sqlite3
import threading
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from agent.errors import DatabaseError, InputError, IntegrityError
from agent.watch import open_watch

__all__ = ["AuditRow", "Tip", "Trail", "Writing"]

_START = "0" * 64
_TIP = re.compile(r"watchkeeper-tip (\d{1,18}) ([0-9a-f]{64})")


@dataclass(frozen=True, slots=True)
class AuditRow:
    """One step."""

    seq: int
    turn: str
    at: str
    """UTC, ISO 8601."""
    kind: str
    body: Mapping[str, Any]
    hash: str


@dataclass(frozen=True, slots=True)
class Tip:
    """The end of a trail at one moment: who keeps it elsewhere sees later whether rows up to there are gone."""

    rows: int
    hash: str
    """Of the last row; zeros where there is none."""

    def __str__(self) -> str:
        return f"watchkeeper-tip {self.rows} {self.hash}"

    @staticmethod
    def parse(text: str) -> Tip:
        """What `str` gave, on a line of its own or within other text.

        :raises InputError: there is none in it.
        """
        found = _TIP.search(text)
        if found is None:
            raise InputError("no tip of a trail in it; give what `watchkeeper audit tip` printed")
        return Tip(int(found[1]), found[2])


class Writing:
    """An open transaction: what is added here is durable together, or not there at all."""

    def __init__(self, db: sqlite3.Connection, last: tuple[int, str]) -> None:
        self.db = db
        self.last = last
        self.rows: list[AuditRow] = []

    def add(self, turn: str, kind: str, body: Mapping[str, Any]) -> AuditRow:
        """Add a row."""
        text = json.dumps(body, ensure_ascii=False, sort_keys=True, default=str)
        text = text.encode("utf-8", "backslashreplace").decode("utf-8")  # the name of a file may be no text
        at = datetime.now(UTC).isoformat(timespec="milliseconds")
        seq, before = self.last[0] + 1, self.last[1]
        row_hash = _hash(before, seq, turn, at, kind, text)
        self.db.execute("INSERT INTO audit VALUES (?, ?, ?, ?, ?, ?)", (seq, turn, at, kind, text, row_hash))
        self.last = (seq, row_hash)
        row = AuditRow(seq, turn, at, kind, json.loads(text), row_hash)
        self.rows.append(row)
        return row


class Trail:
    """The trail of one box. Rows are only ever added. Safe for use from several threads."""

    def __init__(self, path: Path, *, busy_seconds: float) -> None:
        """Open or create it.

        :raises DatabaseError: the file cannot be used.
        """
        self.path = path
        self._tip_file = path.with_suffix(".tip")
        self._lock = threading.Lock()
        self._listeners: list[Callable[[AuditRow], None]] = []
        self._db = open_watch(path, busy_seconds=busy_seconds)

    def add(self, turn: str, kind: str, body: Mapping[str, Any]) -> AuditRow:
        """Add a row and make it durable.

        :raises DatabaseError: it cannot be written; what was to be recorded must then not be done.
        """
        with self.writing() as writing:
            return writing.add(turn, kind, body)

    @contextmanager
    def writing(self, *, durable: bool = True) -> Iterator[Writing]:
        """Rows and other changes of `watch.db` in one transaction, durable when the block ends. No other process
        writes meanwhile, so what is read in it is still so when it is written.

        :param durable: False: there at once, and durable no later than the next transaction that is.
        :raises DatabaseError: it cannot be written; then nothing of it is there.
        """
        with self._lock, self._synced(durable):
            try:
                self._db.execute("BEGIN IMMEDIATE")
                writing = Writing(self._db, self._last())
                whole = self._holds(self._tip())
                yield writing
                self._db.execute("COMMIT")
            except sqlite3.Error as error:
                self._roll_back()
                why = f"the audit trail cannot be written ({error}); free disk or close its user"
                raise DatabaseError(f"{self.path}: {why}") from None
            except BaseException:  # Ctrl-C in between: the next row must find no open transaction
                self._roll_back()
                raise
            if whole and writing.rows:
                self._keep_tip(*writing.last)
        for row in writing.rows:
            for listener in self._listeners:
                listener(row)

    @contextmanager
    def _synced(self, durable: bool) -> Iterator[None]:
        """Whether the disk is waited for at the end of a transaction; whatever syncs the log later syncs all of it."""
        if durable:
            yield
            return
        self._db.execute("PRAGMA synchronous = NORMAL")
        try:
            yield
        finally:
            self._db.execute("PRAGMA synchronous = FULL")

    def listen(self, listener: Callable[[AuditRow], None]) -> None:
        """Have each row that is added from here told, once it is durable; in the thread that added it."""
        self._listeners.append(listener)

    def rows(self, *, turn: str | None = None, newest: int | None = None) -> Iterator[AuditRow]:
        """Rows in order.

        :param turn: only those of one turn.
        :param newest: only the last so many.
        :raises DatabaseError: the file cannot be read.
        """
        where, values = ("WHERE turn = ?", [turn]) if turn else ("", [])
        tail = f"ORDER BY seq DESC LIMIT {int(newest)}" if newest else "ORDER BY seq"
        found = list(self._read(f"{where} {tail}", values))
        for seq, name, at, kind, body, row_hash in reversed(found) if newest else found:
            yield AuditRow(seq, str(name), str(at), str(kind), _body(body), str(row_hash))

    def tip(self) -> Tip:
        """The end as it is now.

        :raises DatabaseError: the file cannot be read.
        """
        return next((Tip(row[0], row[-1]) for row in self._read("ORDER BY seq DESC LIMIT 1")), Tip(0, _START))

    def verify(self, *, kept: Tip | None = None) -> int:
        """Check the whole chain.

        :param kept: an end that was carried away earlier.
        :returns: how many rows there are.
        :raises IntegrityError: names the first row that is edited, missing or out of order, or says that the end is
        gone.
        :raises DatabaseError: the file cannot be read.
        """
        before, count = _START, 0
        for seq, turn, at, kind, body, row_hash in self._read("ORDER BY seq"):
            count += 1
            if seq != count:
                raise IntegrityError(f"{self.path}: row {count} is missing")
            if row_hash != _hash(before, seq, turn, at, kind, body):
                raise IntegrityError(f"{self.path}: row {seq} ({kind}) was edited or moved")
            before = row_hash
        if kept is not None and not self._holds((kept.rows, kept.hash)):
            raise IntegrityError(
                f"{self.path}: it is not the trail that the tip was taken from, or its end was deleted and written "
                f"anew: row {kept.rows} of the tip is not there, the trail has {count}"
            )
        tip = self._tip()
        if tip is not None and not self._holds(tip):
            raise IntegrityError(
                f"{self.path}: the end is missing: {tip[0]} rows were written, and the last of them is not there "
                f"(remove {self._tip_file} where an older copy was put back on purpose)"
            )
        return count

    def select(self, sql: str, values: Sequence[object]) -> list[tuple[Any, ...]]:
        """Rows of another table of `watch.db`.

        :raises DatabaseError: the file cannot be read.
        """
        with self._lock:
            return list(self._select(sql, values))

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    def _roll_back(self) -> None:
        with suppress(sqlite3.Error):
            self._db.execute("ROLLBACK")

    def _read(self, rest: str, values: Sequence[object] = ()) -> Generator[tuple[Any, ...]]:
        return self._select(f"SELECT seq, turn, at, kind, body, hash FROM audit {rest}", values)

    def _select(self, sql: str, values: Sequence[object]) -> Generator[tuple[Any, ...]]:
        try:
            found = self._db.execute(sql, values)
            for row in found:  # noqa: UP028 - `yield from` closes the cursor too, after the trail an error
                yield row
        except (sqlite3.Error, OverflowError) as error:
            raise DatabaseError(f"{self.path}: cannot be read ({error}); restore the file") from None

    def _holds(self, tip: tuple[int, str] | None) -> bool:
        """Whether the row that was written last is there; it is not where the end was deleted."""
        if tip is None or tip == (0, _START):
            return True
        return [row[-1] for row in self._read("WHERE seq = ?", (tip[0],))] == [tip[1]]

    def _last(self) -> tuple[int, str]:
        row = self._db.execute("SELECT seq, hash FROM audit ORDER BY seq DESC LIMIT 1").fetchone()
        return (row[0], row[1]) if row else (0, _START)

    def _keep_tip(self, seq: int, row_hash: str) -> None:
        """Not fsynced: a tip that lags proves less, but nothing false."""
        fresh = self._tip_file.with_suffix(".tip.new")
        with suppress(OSError):
            fresh.write_text(f"{seq} {row_hash}\n", encoding="ascii")
            fresh.replace(self._tip_file)

    def _tip(self) -> tuple[int, str] | None:
        try:
            seq, row_hash = self._tip_file.read_text(encoding="ascii").split()
            return int(seq), row_hash
        except (OSError, ValueError):
            return None


def _body(text: str) -> Mapping[str, Any]:
    """What a row says; a body that somebody spoiled is shown as it stands, and `verify` names its row."""
    try:
        body = json.loads(text)
    except (ValueError, TypeError, RecursionError):
        body = None
    return body if isinstance(body, dict) else {"spoiled": str(text)}


def _hash(before: str, seq: int, turn: str, at: str, kind: str, body: str) -> str:
    row = json.dumps([seq, turn, at, kind, body], ensure_ascii=False, separators=(",", ":"), default=repr)
    return hashlib.sha256(f"{before}{row}".encode()).hexdigest()
